"""What a calibration tells people: report, figures of merit, redshift distributions, targets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hbmlc_models.formats import CanonicalCatalog
from hbmlc_models.formats.results import write_n_of_z, write_targets
from hbmlc_models.n_of_z import datasets
from hbmlc_models.pipeline import CatalogSummary, Flag, TileResult
from hbmlc_models.report import ReportCollector, ReportData, write_report
from hbmlc_models.tile import Tile
from hbmlc_worker.work import JobPin

__all__ = ["finish_report", "see_tile", "write_reports"]


def see_tile(collector: ReportCollector, tile: Tile, result: TileResult) -> None:
    """Show a fused tile to the report; only labels that no fit has seen count as a measure."""
    held_out = (result.columns["flags"].astype(np.int32) & Flag.HELD_OUT.value) > 0
    collector.add(tile, result.columns, result.pdf, held_out=held_out)


def finish_report(
    collector: ReportCollector,
    job: JobPin,
    *,
    summary: CatalogSummary,
    tile_rows: Sequence[Mapping[str, object]],
    provenance: Mapping[str, str],
) -> ReportData:
    """Sum up what the report has seen."""
    # The digest names the catalogue: an upload has no title, and file names may be private.
    title = f"Catalogue {(job.catalog_digest or str(job.catalog_id))[:12]}"
    data = collector.finish(title=title, tile_rows=tile_rows, provenance=provenance)
    return replace(
        data,
        tomography=summary.n_of_z,
        balance=summary.balance,
        features=summary.features,
    )


def write_reports(
    folder: Path, data: ReportData, summary: CatalogSummary, catalog: CanonicalCatalog
) -> dict[str, Path]:
    """Write what is of the whole catalogue; gives the files by name."""
    names = ("report.html", "metrics.json", "nz.hdf5", "targets.parquet")
    paths = {name: folder / name for name in names}
    write_report(paths["report.html"], data)
    document = json.dumps(data.metrics_document(), indent=2, sort_keys=True)
    paths["metrics.json"].write_text(document + "\n", encoding="utf-8")
    write_n_of_z(paths["nz.hdf5"], datasets(summary.n_of_z))
    write_targets(paths["targets.parquet"], catalog, summary.targets, band=summary.band)
    return paths
