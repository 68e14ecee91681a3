"""The object store: bytes under keys, on a local disk or in a cloud.

Writers learn the sha256 as the bytes pass; nothing is ever whole in memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import unquote, urlparse

import obstore
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url

from hbmlc_store.errors import DigestMismatchError, InvalidError, NotFoundError

__all__ = ["Objects", "Stored"]

CHUNK_BYTES = 1 << 20
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was written."""

    size_bytes: int
    digest: str
    """Hexadecimal sha256."""


class Objects:
    """Objects under keys such as ``jobs/<id>/results/photoz.parquet``."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = urlparse(url)
        self._root: Path | None = None
        if parsed.scheme == "file":
            self._root = Path(unquote(parsed.path))
            self._root.mkdir(parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(prefix=self._root)
        else:
            self._store = from_url(url)

    @property
    def is_local(self) -> bool:
        """Whether objects are files on this machine's disk."""
        return self._root is not None

    def put(self, key: str, data: bytes) -> Stored:
        """Write small bytes at once."""
        obstore.put(self._store, _checked(key), data)
        return Stored(size_bytes=len(data), digest=hashlib.sha256(data).hexdigest())

    def put_file(self, key: str, file: Path) -> Stored:
        """Write the content of a file, in pieces."""
        digest = hashlib.sha256()
        size = 0
        with file.open("rb") as source, obstore.open_writer(self._store, _checked(key)) as target:
            while piece := source.read(CHUNK_BYTES):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        return Stored(size_bytes=size, digest=digest.hexdigest())

    async def put_stream(
        self,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        max_bytes: int,
        expected_digest: str | None = None,
    ) -> Stored:
        """Write a stream; what breaks off, grows too long or has another digest leaves nothing.

        Raises
        ------
        InvalidError
            The stream is empty (``empty-file``) or longer than ``max_bytes`` (``too-large``).
        DigestMismatchError
            The sha256 is not ``expected_digest`` (hexadecimal).
        """
        draft = f"{_checked(key)}.part"
        digest = hashlib.sha256()
        size = 0
        try:
            async with obstore.open_writer_async(self._store, draft) as target:
                async for piece in pieces:
                    size += len(piece)
                    _check_length(size, max_bytes)
                    digest.update(piece)
                    await target.write(piece)
            stored = Stored(size_bytes=size, digest=digest.hexdigest())
            _check_received(stored, expected_digest)
        except BaseException:
            await self._forget(draft)
            raise
        await obstore.rename_async(self._store, draft, key)
        return stored

    def get(self, key: str) -> bytes:
        """Read a small object whole.

        Raises
        ------
        NotFoundError
            There is no such object.
        """
        try:
            return bytes(obstore.get(self._store, _checked(key)).bytes())
        except FileNotFoundError as exc:
            raise NotFoundError("no-such-object", f"Nothing is stored under {key}.") from exc

    def stream(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from ``start`` to before ``end``, piece by piece."""
        position = start
        while position < end:
            stop = min(position + CHUNK_BYTES, end)
            yield bytes(obstore.get_range(self._store, _checked(key), start=position, end=stop))
            position = stop

    @contextmanager
    def as_file(self, key: str, *, scratch: Path | None = None) -> Generator[Path]:
        """Lend the object as a read-only local file: itself on a local disk, a copy otherwise.

        Raises
        ------
        NotFoundError
            There is no such object.
        """
        if self._root is not None:
            file = self._root / _checked(key)
            if not file.is_file():
                raise NotFoundError("no-such-object", f"Nothing is stored under {key}.")
            yield file
            return
        with TemporaryDirectory(prefix="hbmlc-", dir=scratch) as folder:
            copy = Path(folder) / key.rsplit("/", 1)[-1]
            with copy.open("wb") as target:
                self._copy_into(target, key)
            yield copy

    def _copy_into(self, target: IO[bytes], key: str) -> None:
        try:
            for piece in obstore.get(self._store, _checked(key)).stream(min_chunk_size=CHUNK_BYTES):
                target.write(bytes(piece))
        except FileNotFoundError as exc:
            raise NotFoundError("no-such-object", f"Nothing is stored under {key}.") from exc

    def size(self, key: str) -> int | None:
        """Length of an object [bytes]; ``None`` if there is none."""
        try:
            return int(obstore.head(self._store, _checked(key))["size"])
        except FileNotFoundError:
            return None

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix, sorted."""
        return sorted(
            str(meta["path"])
            for page in obstore.list(self._store, _checked(prefix))
            for meta in page
        )

    def delete_below(self, prefix: str) -> int:
        """Delete every object below a prefix; returns how many there were."""
        keys = self.keys(prefix)
        if keys:
            obstore.delete(self._store, keys)
        return len(keys)

    def presigned_url(self, key: str, *, seconds: int) -> str | None:
        """Make an address that downloads the object directly; ``None`` on a local disk."""
        if not isinstance(self._store, S3Store | GCSStore | AzureStore):
            return None
        return obstore.sign(self._store, "GET", _checked(key), timedelta(seconds=seconds))

    def check_writable(self) -> None:
        """Write and delete a small object; raises what the store raises."""
        self.put("health/probe", b"ok")
        obstore.delete(self._store, "health/probe")

    async def _forget(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)


def _checked(key: str) -> str:
    """Refuse a key that could leave its folder or collide with another after normalisation."""
    if not _KEY.fullmatch(key):
        raise InvalidError("bad-key", f"{key!r} is not an object key.")
    return key


def _check_length(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise InvalidError(
            "too-large",
            f"The content is longer than the {max_bytes} bytes that are allowed; "
            "split the catalogue or upload it as Parquet.",
        )


def _check_received(stored: Stored, expected_digest: str | None) -> None:
    if stored.size_bytes == 0:
        raise InvalidError("empty-file", "The content is empty; upload the catalogue's bytes.")
    if expected_digest is not None and stored.digest != expected_digest.lower():
        raise DigestMismatchError(
            "digest-mismatch",
            f"The {stored.size_bytes} bytes received have sha256 {stored.digest}, "
            f"but {expected_digest} was announced; upload again.",
        )
