"""Canonical catalogues as local files.

On a local object store they are there already. From a cloud a catalogue is fetched once and kept,
since a job reads it again for every unit.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from hbmlc_store.keys import canonical_key
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.work import CatalogPin

__all__ = ["lend_catalog"]

KEPT_FILES = 2
"""Catalogues that stay on a worker's disk: its present job's and the one before."""


@contextmanager
def lend_catalog(context: WorkerContext, catalog: CatalogPin) -> Generator[Path]:
    """Lend a canonical catalogue as a read-only local file."""
    key = canonical_key(catalog.id)
    if context.objects.is_local or catalog.digest is None:
        with context.objects.as_file(key, scratch=context.settings.scratch) as file:
            yield file
        return
    folder = Path(context.settings.scratch or gettempdir()) / "hbmlc-catalogs"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{catalog.digest}.parquet"
    if not kept.exists():
        with context.objects.as_file(key, scratch=folder) as file:
            # A move within one file system: another worker sees the whole file or none.
            file.rename(kept)
    kept.touch()
    _forget_old(folder)
    yield kept


def _forget_old(folder: Path) -> None:
    files = sorted(folder.glob("*.parquet"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[KEPT_FILES:]:
        # Who still reads it keeps it: the name goes, the open file stays.
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
