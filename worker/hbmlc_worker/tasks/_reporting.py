"""What a calibration tells people: the report, the figures of merit, the redshift distributions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from hbmlc_models.formats.results import write_n_of_z
from hbmlc_models.pipeline import Flag, TileResult
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
    tile_rows: Sequence[Mapping[str, object]],
    provenance: Mapping[str, str],
) -> ReportData:
    """Sum up what the report has seen."""
    # The digest names the catalogue: an upload has no title, and file names may be private.
    title = f"Catalogue {(job.catalog_digest or str(job.catalog_id))[:12]}"
    return collector.finish(title=title, tile_rows=tile_rows, provenance=provenance)


def write_reports(folder: Path, data: ReportData) -> dict[str, Path]:
    """Write ``report.html``, ``metrics.json`` and ``nz.hdf5``; gives the files by name."""
    paths = {name: folder / name for name in ("report.html", "metrics.json", "nz.hdf5")}
    write_report(paths["report.html"], data)
    document = json.dumps(data.metrics_document(), indent=2, sort_keys=True)
    paths["metrics.json"].write_text(document + "\n", encoding="utf-8")
    write_n_of_z(paths["nz.hdf5"], data.z_grid, data.n_of_z)
    return paths
