"""Objects as files on a local disk.

A write goes to a draft of its own under ``drafts/`` and takes its place by one link or rename, so
that a reader sees all or nothing, and two writers of one key never share a file. Its writer holds a
lock on a draft, which the kernel lets go with the process: one that nobody holds was left by a
process that was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from hbmlc_store.errors import NotFoundError, StoreUnavailableError
from hbmlc_store.objects._contract import CHUNK_BYTES, Attributes, Listed, object_exists
from hbmlc_store.objects._digests import check_file

__all__ = ["DRAFTS", "Disk"]

DRAFTS = "drafts"
"""Prefix of what is being written; what is old there was given up."""

# These say what the machine lacks, and callers tell them apart from a store that is away.
_OWN_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}
# A folder may go, emptied by a deletion, between its making and its use.
_PUBLISH_ATTEMPTS = 10


class Disk:
    """Objects below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        # What was hashed once: a job opens its catalogue for each tile.
        self._verified: set[tuple[str, str, int, int, int]] = set()

    def write(self, key: str, pieces: Iterable[bytes], size: int, attributes: Attributes) -> None:
        """Write an object; attributes are the business of who serves the file."""
        del size, attributes
        with self._draft(key) as draft:
            for piece in pieces:
                draft.write(piece)
            draft.publish(self._path(key), replace=True)

    async def create(self, key: str, pieces: AsyncIterator[bytes], *, max_bytes: int) -> None:
        """Write a stream once."""
        del max_bytes
        target = self._path(key)
        if target.exists():
            raise object_exists(key)
        with self._draft(key) as draft:
            async for block in _blocks(pieces):
                await _in_thread(draft.write, block)
            try:
                await _in_thread(lambda: draft.publish(target, replace=False))
            except FileExistsError as exc:
                raise object_exists(key) from exc

    def read(self, key: str) -> bytes:
        """Read an object whole."""
        with self._reads(key):
            return self._path(key).read_bytes()

    def read_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Open the object and give an iterator over some of its bytes."""
        with self._reads(key):
            file = self._path(key).open("rb")
        return _range_of(file, start, end)

    @contextmanager
    def lend(self, key: str, *, scratch: Path | None, digest: str | None) -> Generator[Path]:
        """Lend the file itself, hashed the first time that this process asks for the digest."""
        del scratch
        file = self._path(key)
        with self._reads(key):
            found = file.stat()
            seen = (key, digest or "", found.st_ino, found.st_size, found.st_mtime_ns)
            if digest is not None and seen not in self._verified:
                check_file(key, file, digest)
                self._verified.add(seen)
        yield file

    def size(self, key: str) -> int | None:
        """Length of an object [bytes]; ``None`` if there is none."""
        try:
            with self._reads(key):
                return self._path(key).stat().st_size
        except NotFoundError:
            return None

    def listing(self, prefix: str) -> Iterator[Listed]:
        """Give everything below a prefix."""
        self._check_root()
        for parent, _, names in os.walk(self._root / prefix):
            for name in names:
                file = Path(parent) / name
                with contextlib.suppress(FileNotFoundError):
                    found = file.stat()
                    yield Listed(
                        key=file.relative_to(self._root).as_posix(),
                        size_bytes=found.st_size,
                        modified_at=datetime.fromtimestamp(found.st_mtime, UTC),
                    )

    def delete(self, keys: list[str]) -> None:
        """Delete objects and the folders that they leave empty."""
        for key in keys:
            file = self._path(key)
            with _disk_errors(key):
                file.unlink(missing_ok=True)
            self._remove_empty(file.parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder not in {self._root, self._root / DRAFTS}:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def sweep_drafts(self, *, older_than: float) -> int:
        """Delete drafts whose writers are gone; returns how many."""
        return sum(_delete_if_left(file, older_than) for file in (self._root / DRAFTS).glob("*"))

    def probe(self, key: str) -> None:
        """Write a small object and delete it."""
        self.write(key, [b"ok"], 2, Attributes())
        self.delete([key])

    def sign(self, method: str, key: str, seconds: int) -> None:
        """Files have no address of their own."""
        del method, key, seconds

    def _path(self, key: str) -> Path:
        return self._root / key

    @contextmanager
    def _draft(self, key: str) -> Generator[_Draft]:
        with _disk_errors(key):
            folder = self._root / DRAFTS
            folder.mkdir(parents=True, exist_ok=True)
            draft = _Draft(key, folder / secrets.token_hex(16))
        try:
            yield draft
        finally:
            draft.discard()

    @contextmanager
    def _reads(self, key: str) -> Generator[None]:
        try:
            with _disk_errors(key):
                yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as exc:
            self._check_root()
            raise NotFoundError("no-such-object", f"Nothing is stored under {key}.") from exc

    def _check_root(self) -> None:
        if not self._root.is_dir():
            raise StoreUnavailableError(
                "object-store-unavailable", f"The folder of the objects, {self._root}, is gone."
            )


class _Draft:
    """A file in the making, under a name that nobody shares."""

    def __init__(self, key: str, path: Path) -> None:
        self._key = key
        self._path = path
        self._file: BinaryIO = path.open("xb")
        with contextlib.suppress(OSError):
            # Where a file system has no locks, the sweep leaves drafts to their age.
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, piece: bytes) -> None:
        with _disk_errors(self._key):
            self._file.write(piece)

    def publish(self, target: Path, *, replace: bool) -> None:
        """Let the draft take its place, on the disk before anybody relies on it."""
        with _disk_errors(self._key):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            for _ in range(_PUBLISH_ATTEMPTS - 1):
                with contextlib.suppress(FileNotFoundError):
                    return self._move(target, replace=replace)
            return self._move(target, replace=replace)

    def _move(self, target: Path, *, replace: bool) -> None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as exc:
            # It was there and went before it was looked at again.
            raise FileNotFoundError(exc.errno, exc.strerror, exc.filename) from exc
        if replace:
            self._path.replace(target)
        else:
            # A rename replaces what is there; a link does not.
            os.link(self._path, target)

    def discard(self) -> None:
        """Remove what did not take its place."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def _delete_if_left(draft: Path, older_than: float) -> bool:
    """Delete a draft that has been written and is held by nobody."""
    try:
        with draft.open("rb") as file:
            if time.time() - os.fstat(file.fileno()).st_mtime < older_than:
                return False
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()
    except OSError:
        return False
    return True


async def _blocks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Gather small pieces: a change of thread for each would cost more than its bytes."""
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        if len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def _in_thread(call: Callable[..., None], *arguments: bytes) -> None:
    """Call in a thread and see its end even if cancelled: the file must not close under it."""
    task = asyncio.ensure_future(asyncio.to_thread(call, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _range_of(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = end - start
        while left > 0 and (piece := file.read(min(CHUNK_BYTES, left))):
            left -= len(piece)
            yield piece


@contextmanager
def _disk_errors(key: str) -> Generator[None]:
    """Name a disk that does not answer; what is missing or full keeps its own error."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, NotADirectoryError, IsADirectoryError):
        raise
    except OSError as exc:
        if exc.errno in _OWN_ERRORS:
            raise
        raise StoreUnavailableError(
            "object-store-unavailable", f"The disk of the objects fails at {key}: {exc.strerror}."
        ) from exc
