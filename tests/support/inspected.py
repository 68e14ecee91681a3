"""Tables of the made-up sky, and what an inspection says of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from made_up_sky import MADE_UP, write_parquet

from hbmlc_models.formats import CatalogError, ColumnMapping, IngestReport, inspect_table

__all__ = ["Table", "base", "codes", "inspect", "mags", "medians", "refusal"]

SKY = MADE_UP
Table = dict[str, Any]


def mags(bands: str, value: str = "mag_{}", error: str = "mag_err_{}") -> Table:
    found: Table = {}
    for band in bands:
        found[value.format(band)], found[error.format(band)] = SKY.mag(band), SKY.error(band)
    return found


def base() -> Table:
    return {"id": SKY.id, "ra": SKY.ra, "dec": SKY.dec, "z_spec": SKY.z_spec}


def inspect(
    folder: Path,
    columns: Table,
    mapping: Mapping[str, object] | None = None,
    *,
    units: Mapping[str, str] | None = None,
) -> IngestReport:
    path = write_parquet(folder / "upload.parquet", columns, units=units)
    return inspect_table(
        path, mapping=None if mapping is None else ColumnMapping.from_dict(mapping)
    )


def refusal(
    folder: Path, columns: Table, mapping: Mapping[str, object] | None = None
) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        inspect(folder, columns, mapping)
    return caught.value


def codes(report: IngestReport) -> set[str]:
    return {finding.code.value for finding in report.findings}


def medians(report: IngestReport) -> dict[str, float | None]:
    return {band.band: band.mag_p50 for band in report.photometry}
