"""Objects under keys, wherever they are; nothing but small ones is ever whole in memory."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

from hbmlc_store.errors import InvalidError
from hbmlc_store.objects._contract import Attributes, Listed, Place, Stored, pieces_of
from hbmlc_store.objects._digests import Meter, check_content
from hbmlc_store.objects._disk import DRAFTS, Disk

if TYPE_CHECKING:
    from hbmlc_store.settings import Settings

__all__ = ["Objects"]

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Objects:
    """Objects under keys such as ``jobs/<id>/results/photoz.parquet``.

    Every method raises ``StoreUnavailableError`` where the store does not answer within seconds,
    refuses our credentials or has no such bucket.
    """

    def __init__(
        self, url: str, *, endpoint: str | None = None, public_endpoint: str | None = None
    ) -> None:
        self.url = url
        parsed = urlsplit(url)
        self.is_local = parsed.scheme == "file"
        """Whether objects are files on this machine's disk."""
        self._place: Place
        if self.is_local:
            self._place = Disk(Path(unquote(parsed.path)))
        else:
            from hbmlc_store.objects._clients import open_clients
            from hbmlc_store.objects._cloud import Cloud

            self._place = Cloud(
                open_clients(url, endpoint=endpoint, public_endpoint=public_endpoint)
            )

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Open the store that the settings name."""
        return cls(
            settings.object_store_url,
            endpoint=settings.object_store_endpoint,
            public_endpoint=settings.object_store_public_endpoint,
        )

    def put(
        self,
        key: str,
        data: bytes,
        *,
        media_type: str | None = None,
        download_name: str | None = None,
    ) -> Stored:
        """Write small bytes at once, in place of what was there."""
        meter = Meter()
        attributes = _attributes(media_type, download_name)
        self._place.write(_checked(key), meter.over([data]), len(data), attributes)
        return meter.stored

    def put_file(
        self,
        key: str,
        file: Path,
        *,
        media_type: str | None = None,
        download_name: str | None = None,
    ) -> Stored:
        """Write the content of a file, in pieces, in place of what was there.

        Those who download from a bucket get its media type and the name to save it under.
        """
        meter = Meter()
        attributes = _attributes(media_type, download_name)
        size = file.stat().st_size
        self._place.write(_checked(key), meter.over(pieces_of(file)), size, attributes)
        return meter.stored

    async def put_stream(
        self,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        max_bytes: int,
        expected_digest: str | None = None,
    ) -> Stored:
        """Write a stream once; what breaks off, is too long or has another digest leaves nothing.

        Raises
        ------
        ConflictError
            There is an object under the key (``object-exists``); it stays as it was.
        InvalidError
            The stream is empty (``empty-file``) or longer than ``max_bytes`` (``too-large``).
        DigestMismatchError
            The sha256 is not ``expected_digest`` (hexadecimal).
        """
        meter = Meter()
        passed = meter.over_upload(pieces, max_bytes=max_bytes, expected_digest=expected_digest)
        async with contextlib.aclosing(passed):
            await self._place.create(_checked(key), passed, max_bytes=max_bytes)
        return meter.stored

    def get(self, key: str, *, digest: str | None = None) -> bytes:
        """Read a small object whole.

        Raises
        ------
        NotFoundError
            There is no such object.
        ObjectDamagedError
            Its sha256 is not ``digest`` (``object-damaged``).
        """
        data = self._place.read(_checked(key))
        if digest is not None:
            meter = Meter()
            meter.note(data)
            check_content(key, meter.stored, digest)
        return data

    def stream(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        """Open the object now and give an iterator over the bytes from ``start`` to before ``end``.

        Raises
        ------
        NotFoundError
            There is no such object; raised here, before any byte is on its way.
        """
        return self._place.read_range(_checked(key), start, end)

    @contextmanager
    def as_file(
        self, key: str, *, scratch: Path | None = None, digest: str | None = None
    ) -> Generator[Path]:
        """Lend the object as a read-only local file: itself on a local disk, a copy otherwise.

        Raises
        ------
        NotFoundError
            There is no such object.
        ObjectDamagedError
            Its sha256 is not ``digest`` (``object-damaged``).
        """
        with self._place.lend(_checked(key), scratch=scratch, digest=digest) as file:
            yield file

    def size(self, key: str) -> int | None:
        """Length of an object [bytes]; ``None`` if there is none."""
        return self._place.size(_checked(key))

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix, sorted; drafts are none."""
        found = (entry.key for entry in self._place.listing(_checked(prefix)))
        return sorted(key for key in found if not key.startswith(f"{DRAFTS}/"))

    def list_objects(self, prefix: str = "") -> Iterator[Listed]:
        """Give all below a prefix with length and age, drafts too; without one, everything."""
        return self._place.listing(_checked(prefix) if prefix else "")

    def delete(self, key: str) -> None:
        """Delete one object; what is not there is no error."""
        self._place.delete([_checked(key)])

    def delete_below(self, prefix: str) -> int:
        """Delete every object below a prefix; returns how many there were."""
        keys = self.keys(prefix)
        if keys:
            self._place.delete(keys)
        return len(keys)

    def presigned_url(self, key: str, *, seconds: int) -> str | None:
        """Make an address that downloads the object directly; ``None`` on a local disk."""
        return self._place.sign("GET", _checked(key), seconds)

    def presigned_upload_url(self, key: str, *, seconds: int) -> str | None:
        """Make an address under which a PUT writes the object; ``None`` on a local disk.

        The store checks neither length nor digest of what is sent there: who takes the object over
        does, and gives each upload a key of its own.
        """
        return self._place.sign("PUT", _checked(key), seconds)

    def sweep_drafts(self, *, older_than: float) -> int:
        """Delete what is half written and whose writers are gone for ``older_than`` seconds."""
        return self._place.sweep_drafts(older_than=older_than)

    def check_writable(self) -> None:
        """Write and delete a small object of its own.

        Raises
        ------
        StoreUnavailableError
            The store does not take it.
        """
        # Probes run side by side; one must not delete what another has just written.
        self._place.probe(f"health/{uuid.uuid4().hex}")


def _attributes(media_type: str | None, download_name: str | None) -> Attributes:
    if download_name is not None and not _NAME.fullmatch(download_name):
        raise InvalidError("bad-key", f"{download_name!r} is not a file name.")
    return Attributes(media_type=media_type, download_name=download_name)


def _checked(key: str) -> str:
    """Refuse a key that could leave its folder or collide with another after normalisation."""
    if not _KEY.fullmatch(key):
        raise InvalidError("bad-key", f"{key!r} is not an object key.")
    return key
