"""Reading a large file batch by batch keeps none of it: no page stays mapped that was read."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest
from uploads import WRITERS, make_columns

from hbmlc_models.formats import CanonicalCatalog, IngestLimits, ingest
from hbmlc_models.formats.readers import TableChoice, open_table
from hbmlc_models.formats.sniff import FileFormat

N = 300_000
BANDS = "ugriz"
MIB = 2**20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mapped pages are counted on Linux")


def mapped() -> int:
    """Resident bytes that are pages of files."""
    return psutil.Process().memory_info().shared


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "upload.fits"
    WRITERS["fits"](path, make_columns(N, bands=BANDS))
    return path


def test_no_page_of_a_catalogue_stays_once_its_tiles_are_read(upload: Path, tmp_path: Path) -> None:
    canonical = tmp_path / "canonical"
    ingest(upload, canonical)
    with CanonicalCatalog.open(canonical) as catalog:
        catalog.read_tile(0)
        before = mapped()

        for index in range(1, len(catalog.tiles)):
            catalog.read_tile(index)

        assert canonical.stat().st_size > 10 * MIB
        assert mapped() < before + 5 * MIB


def test_no_page_of_a_fits_upload_stays_once_it_is_read(upload: Path, tmp_path: Path) -> None:
    choice = TableChoice(rank=lambda names: (len(names),))
    with open_table(upload, FileFormat.FITS, IngestLimits(), choice, tmp_path) as table:
        batches = table.batches(list(table.columns), size=10_000)
        n_rows = next(batches).num_rows
        before = mapped()

        n_rows += sum(batch.num_rows for batch in batches)

        assert n_rows == N
        assert upload.stat().st_size > 10 * MIB
        assert mapped() < before + 5 * MIB
