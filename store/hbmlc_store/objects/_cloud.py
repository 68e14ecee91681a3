"""Objects in a bucket: S3, Google Cloud Storage, Azure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError
from obstore.store import AzureStore, GCSStore, S3Store

from hbmlc_store.errors import NotFoundError, StoreUnavailableError
from hbmlc_store.objects._clients import Clients
from hbmlc_store.objects._contract import CHUNK_BYTES, Attributes, Listed, object_exists
from hbmlc_store.objects._digests import Meter, check_content

__all__ = ["Cloud"]

# S3 wants parts of 5 MiB at least and 10,000 at most. Several wait in memory at once, for every
# upload that runs, so they are as small as the length allows.
_LEAST_PART_BYTES = 5 << 20
_MOST_PARTS = 9_000
_PARTS_AT_ONCE = 2


class Cloud:
    """Objects in one bucket, below one prefix."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def write(self, key: str, pieces: Iterable[bytes], size: int, attributes: Attributes) -> None:
        """Write an object; a large one in parts, which nobody sees before the last."""
        with (
            self._writes(key),
            obstore.open_writer(
                self._clients.content,
                key,
                attributes={**attributes.headers()},
                buffer_size=_part_bytes(size),
                max_concurrency=_PARTS_AT_ONCE,
            ) as target,
        ):
            for piece in pieces:
                target.write(piece)

    async def create(self, key: str, pieces: AsyncIterator[bytes], *, max_bytes: int) -> None:
        """Write a stream once, straight under its key.

        Nobody sees an upload in parts before it is completed, and one that breaks off is given up
        by the writer. A draft that is renamed would be a copy, of 5 GiB at most.
        """
        # In a thread: the loop has others to serve while the store thinks.
        if await asyncio.to_thread(self.size, key) is not None:
            raise object_exists(key)
        part = _part_bytes(max_bytes)
        beginning = bytearray()
        async for piece in pieces:
            beginning += piece
            if len(beginning) >= part:
                await self._create_in_parts(key, bytes(beginning), pieces, part=part)
                return
        try:
            with self._writes(key):
                await obstore.put_async(
                    self._clients.content, key, bytes(beginning), mode="create", use_multipart=False
                )
        except AlreadyExistsError as exc:
            raise object_exists(key) from exc

    async def _create_in_parts(
        self, key: str, beginning: bytes, pieces: AsyncIterator[bytes], *, part: int
    ) -> None:
        with self._writes(key):
            async with obstore.open_writer_async(
                self._clients.content, key, buffer_size=part, max_concurrency=_PARTS_AT_ONCE
            ) as target:
                await target.write(beginning)
                async for piece in pieces:
                    await target.write(piece)
                # There is no condition on the completion; keys of uploads are their own.
                if await asyncio.to_thread(self.size, key) is not None:
                    raise object_exists(key)

    def read(self, key: str) -> bytes:
        """Read an object whole."""
        with self._reads(key):
            return bytes(obstore.get(self._clients.content, key).bytes())

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Ask for a range and give an iterator over what comes."""
        if end <= start:
            return iter(())
        with self._reads(key):
            answer = obstore.get(self._clients.content, key, options={"range": (start, end)})
        return self._pieces(key, answer)

    @contextmanager
    def lend(self, key: str, *, scratch: Path | None, digest: str | None) -> Generator[Path]:
        """Lend a copy that goes away, hashed as it is written."""
        meter = Meter()
        with TemporaryDirectory(prefix="hbmlc-", dir=scratch) as folder:
            copy = Path(folder) / key.rsplit("/", 1)[-1]
            with self._reads(key):
                answer = obstore.get(self._clients.content, key)
            with copy.open("wb") as target:
                for piece in meter.over(self._pieces(key, answer)):
                    target.write(piece)
            if digest is not None:
                check_content(key, meter.stored, digest)
            yield copy

    def size(self, key: str) -> int | None:
        """Length of an object [bytes]; ``None`` if there is none."""
        try:
            with self._reads(key):
                return int(obstore.head(self._clients.control, key)["size"])
        except NotFoundError:
            return None

    def listing(self, prefix: str) -> Iterator[Listed]:
        """Give everything below a prefix."""
        with self._writes(prefix):
            for page in obstore.list(self._clients.control, prefix or None):
                for meta in page:
                    yield Listed(
                        key=str(meta["path"]),
                        size_bytes=int(meta["size"]),
                        modified_at=meta["last_modified"],
                    )

    def delete(self, keys: list[str]) -> None:
        """Delete objects, many with one request where the store can."""
        with self._writes("a deletion"):
            try:
                obstore.delete(self._clients.control, keys)
            except FileNotFoundError:
                # One of them, or the bucket; stores differ, so each is asked for by itself.
                for key in keys:
                    if self.size(key) is not None:
                        obstore.delete(self._clients.control, key)

    def sweep_drafts(self, *, older_than: float) -> int:
        """Parts of an upload that broke off are the bucket's to delete, by a rule of its own."""
        del older_than
        return 0

    def probe(self, key: str) -> None:
        """Write a small object and delete it."""
        with self._writes(key):
            obstore.put(self._clients.control, key, b"ok", use_multipart=False)
        self.delete([key])

    def sign(self, method: str, key: str, seconds: int) -> str | None:
        """Make an address on the endpoint that clients see."""
        signer = self._clients.signer
        if not isinstance(signer, S3Store | GCSStore | AzureStore):
            return None
        verb = cast("Literal['GET', 'PUT']", method)
        with self._writes(key):
            return obstore.sign(signer, verb, key, timedelta(seconds=seconds))

    def _pieces(self, key: str, answer: obstore.GetResult) -> Iterator[bytes]:
        with self._reads(key):
            for piece in answer.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(piece)

    @contextmanager
    def _reads(self, key: str) -> Generator[None]:
        """Tell an object that is missing from a bucket that is."""
        try:
            with _store_errors():
                yield
        except FileNotFoundError as exc:
            self._check_bucket(key)
            raise NotFoundError("no-such-object", f"Nothing is stored under {key}.") from exc

    @contextmanager
    def _writes(self, key: str) -> Generator[None]:
        """Name a bucket that is missing: nothing else can be, where one writes or lists."""
        try:
            with _store_errors():
                yield
        except FileNotFoundError as exc:
            raise StoreUnavailableError(
                "object-store-unavailable", f"There is no bucket for {key or 'a listing'}."
            ) from exc

    def _check_bucket(self, key: str) -> None:
        # A listing of what cannot be there is the cheapest question that only a bucket answers.
        with self._writes(key):
            next(iter(obstore.list(self._clients.control, "health/bucket", chunk_size=1)), None)


def _part_bytes(size: int) -> int:
    return max(_LEAST_PART_BYTES, -(-size // _MOST_PARTS))


@contextmanager
def _store_errors() -> Generator[None]:
    """Turn every failure of the store into one error of ours; its own names addresses."""
    try:
        yield
    except AlreadyExistsError:
        raise
    except PermissionDeniedError as exc:
        raise StoreUnavailableError(
            "object-store-unavailable", "The object store refuses our credentials."
        ) from exc
    except (BaseError, OSError) as exc:
        # A writer wraps its failures in bare errors of the system; a stream's own have a number,
        # or a class that says more.
        if isinstance(exc, OSError) and (type(exc) is not OSError or exc.errno is not None):
            raise
        reason = str(exc).partition("\n")[0]
        raise StoreUnavailableError(
            "object-store-unavailable", f"The object store does not answer: {reason}"
        ) from exc
