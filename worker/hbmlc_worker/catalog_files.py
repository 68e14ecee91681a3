"""Canonical catalogues as local files.

On a local object store they are there already. From a cloud a catalogue is fetched once and kept
while jobs work on it, since a job reads it again for every unit. The copies lie in a folder that
only this service and user can read, and they go when their catalogue does (``forget_unused``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from hbmlc_store.settings import Settings
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.scratch import scratch_folder
from hbmlc_worker.work import CatalogPin

__all__ = ["copies_folder", "forget_unused", "kept_digests", "lend_catalog"]

KEPT_FILES = 2
"""Catalogues that stay on a worker's disk: its present job's and the one before."""


@contextmanager
def lend_catalog(context: WorkerContext, catalog: CatalogPin) -> Generator[Path]:
    """Lend a canonical catalogue as a read-only local file, held to its digest.

    Raises
    ------
    NotFoundError
        It is not stored.
    ObjectDamagedError
        Its bytes are not those that the job pins.
    """
    settings, objects = context.settings, context.objects
    if objects.is_local or catalog.digest is None:
        with objects.as_file(catalog.key, scratch=settings.scratch, digest=catalog.digest) as file:
            yield file
        return
    folder = copies_folder(settings)
    for place in (folder.parent, folder):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / f"{catalog.digest}.parquet"
    if not kept.exists():
        with (
            scratch_folder(settings.scratch) as scratch,
            objects.as_file(catalog.key, scratch=scratch, digest=catalog.digest) as file,
        ):
            file.chmod(0o600)
            # A move within one file system: another worker sees the whole file or none.
            file.rename(kept)
    with contextlib.suppress(FileNotFoundError):
        kept.touch()
    _forget_old(folder)
    yield kept


def copies_folder(settings: Settings) -> Path:
    """Folder of the copies: of this user and this service alone, also where machines are shared."""
    place = f"{settings.database_url.get_secret_value()} {settings.object_store_url}"
    service = hashlib.sha256(place.encode()).hexdigest()[:16]
    root = Path(settings.scratch or gettempdir())
    return root / f"hbmlc-{os.geteuid()}-{service}" / "catalogs"


def kept_digests(settings: Settings) -> set[str]:
    """Digests of the catalogues of which this machine has a copy."""
    return {file.stem for file in copies_folder(settings).glob("*.parquet")}


def forget_unused(settings: Settings, *, used: Collection[str]) -> int:
    """Delete the copies of catalogues that no job works on; returns how many."""
    n_forgotten = 0
    for digest in kept_digests(settings) - set(used):
        # Who still reads it keeps it: the name goes, the open file stays.
        (copies_folder(settings) / f"{digest}.parquet").unlink(missing_ok=True)
        n_forgotten += 1
    return n_forgotten


def _forget_old(folder: Path) -> None:
    files = sorted(folder.glob("*.parquet"), key=_modified, reverse=True)
    for file in files[KEPT_FILES:]:
        file.unlink(missing_ok=True)


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
