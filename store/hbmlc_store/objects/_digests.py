"""Counting and hashing bytes as they pass, and refusing those that are not as announced."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from pathlib import Path

from hbmlc_store.errors import DigestMismatchError, InvalidError, ObjectDamagedError
from hbmlc_store.objects._contract import Stored, pieces_of

__all__ = ["Meter", "check_content", "check_file"]


class Meter:
    """Counts and hashes pieces that pass through it."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._size = 0

    @property
    def stored(self) -> Stored:
        """What has passed."""
        return Stored(size_bytes=self._size, digest=self._sha256.hexdigest())

    def note(self, piece: bytes) -> None:
        """Count and hash one piece."""
        self._size += len(piece)
        self._sha256.update(piece)

    def over(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass pieces on."""
        for piece in pieces:
            self.note(piece)
            yield piece

    async def over_upload(
        self, pieces: AsyncIterator[bytes], *, max_bytes: int, expected_digest: str | None
    ) -> AsyncGenerator[bytes]:
        """Pass an upload on; one that is refused ends in an error and is never complete."""
        async for piece in pieces:
            self.note(piece)
            if self._size > max_bytes:
                raise InvalidError(
                    "too-large",
                    f"The content is longer than the {max_bytes} bytes that are allowed; "
                    "split the catalogue or upload it as Parquet.",
                )
            yield piece
        _check_received(self.stored, expected_digest)


def check_content(key: str, found: Stored, digest: str) -> None:
    """Refuse an object whose bytes are no longer those that were written.

    Raises
    ------
    ObjectDamagedError
        The sha256 is not ``digest``, hexadecimal, with or without ``sha256:`` before it.
    """
    expected = digest.removeprefix("sha256:").lower()
    if not hmac.compare_digest(found.digest, expected):
        raise ObjectDamagedError(
            "object-damaged",
            f"The {found.size_bytes} bytes under {key} have sha256 {found.digest}, "
            f"but {expected} was written there.",
        )


def check_file(key: str, file: Path, digest: str) -> None:
    """Hash a file and refuse it as ``check_content`` does."""
    meter = Meter()
    for piece in pieces_of(file):
        meter.note(piece)
    check_content(key, meter.stored, digest)


def _check_received(stored: Stored, expected_digest: str | None) -> None:
    if stored.size_bytes == 0:
        raise InvalidError("empty-file", "The content is empty; upload the catalogue's bytes.")
    if expected_digest is not None and stored.digest != expected_digest.lower():
        raise DigestMismatchError(
            "digest-mismatch",
            f"The {stored.size_bytes} bytes received have sha256 {stored.digest}, "
            f"but {expected_digest} was announced; upload again.",
        )
