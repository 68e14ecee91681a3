"""ASSEMBLY: fuses the two parts of every tile and writes the result files and the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import select

from hbmlc.schemas import Stage
from hbmlc_models.base_models import ModelVersion
from hbmlc_models.formats import CanonicalCatalog, TileEntry
from hbmlc_models.formats.results import ResultWriter
from hbmlc_models.pipeline import (
    CalibrationOptions,
    Summaries,
    SurveyFit,
    TileResult,
    fuse_tiles,
    redshift_grid,
)
from hbmlc_models.report import ReportCollector, ReportData
from hbmlc_models.tile import Tile
from hbmlc_store.jobs.calibrations import NewResult, complete_calibration
from hbmlc_store.keys import result_key
from hbmlc_store.schema import UnitRow
from hbmlc_worker.provenance import provenance_document, table_provenance
from hbmlc_worker.scratch import scratch_folder
from hbmlc_worker.tasks._inputs import (
    load_model,
    open_catalog,
    read_density,
    read_options,
    read_selection,
    read_survey,
)
from hbmlc_worker.tasks._reporting import finish_report, see_tile, write_reports
from hbmlc_worker.work import Done, JobPin, Work

__all__ = ["run"]

MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".fits": "application/fits",
    ".hdf5": "application/x-hdf5",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
}


def run(work: Work) -> Iterator[Done]:
    """Write every result file of the job."""
    (claim,) = work.claims
    survey = read_survey(work)
    options = survey.settled(read_options(work.job))
    model = load_model(work)
    with (
        scratch_folder(work.context.settings.scratch) as folder,
        open_catalog(work) as catalog,
    ):
        files, data = _write_results(
            work, catalog, survey, options=options, model=model, folder=folder
        )
        provenance = folder / "provenance.json"
        provenance.write_text(provenance_document(work.job, options=options, model=model))
        files = {**files, provenance.name: provenance}
        results = [_upload(work, name, file) for name, file in sorted(files.items())]
        diagnostics = _summarise(catalog, data) | _teaching(work.job, model)
    yield Done(
        claim=claim,
        commit=partial(complete_calibration, claim=claim, results=results, diagnostics=diagnostics),
        keys=tuple(result.object_key for result in results),
    )


def _write_results(
    work: Work,
    catalog: CanonicalCatalog,
    survey: SurveyFit,
    *,
    options: CalibrationOptions,
    model: ModelVersion,
    folder: Path,
) -> tuple[Mapping[str, Path], ReportData]:
    """Fuse tile by tile; returns the files by name and what the report shows."""
    z_grid = redshift_grid(options)
    rows: dict[int, dict[str, object]] = {}
    provenance = table_provenance(work.job, model=model)
    collector = ReportCollector(z_grid, bands=catalog.bands)
    with (
        ResultWriter(folder, catalog, z_grid, provenance) as writer,
        Summaries(folder, survey, options, seed=work.job.seed) as summaries,
    ):
        for tile, result in _fuse_all(work, catalog, survey, options):
            writer.write_tile(tile, result.columns, result.pdf)
            see_tile(collector, tile, result)
            columns = {**result.diagnostics, **summaries.see(tile, result)}
            rows[tile.index] = _tile_row(catalog.tiles[tile.index], columns)
        summary = summaries.finish()
        for index, found in zip(rows, summary.n_of_z.tiles, strict=True):
            rows[index] |= found.columns()
        ordered = [rows[index] for index in sorted(rows)]
        data = finish_report(
            collector, work.job, summary=summary, tile_rows=ordered, provenance=provenance
        )
        return {**writer.finish(ordered), **write_reports(folder, data, summary, catalog)}, data


def _fuse_all(
    work: Work, catalog: CanonicalCatalog, survey: SurveyFit, options: CalibrationOptions
) -> Iterator[tuple[Tile, TileResult]]:
    """Every tile with its result, unit by unit."""
    (claim,) = work.claims
    n_done = 0
    for unit, tiles in enumerate(_plan(work)):
        members = [catalog.read_tile(index) for index in tiles]
        results = fuse_tiles(
            members,
            read_selection(work, unit),
            read_density(work, unit),
            survey,
            options,
            seed=work.job.seed,
        )
        for tile, result in zip(members, results, strict=True):
            yield tile, result
            n_done += 1
            work.pulse.report(claim, 0.9 * n_done / len(catalog.tiles))


def _plan(work: Work) -> Sequence[Sequence[int]]:
    """Tiles of each unit, as SURVEY planned them."""
    units = (
        select(UnitRow.payload)
        .where(UnitRow.job_id == work.job.id, UnitRow.stage == Stage.ADAPTATION)
        .order_by(UnitRow.unit)
    )
    with work.context.database.transaction() as tx:
        return [payload["tiles"] for payload in tx.scalars(units)]


def _tile_row(entry: TileEntry, diagnostics: Mapping[str, object]) -> dict[str, object]:
    return {
        "tile": entry.name,
        "index": entry.index,
        "n_galaxies": entry.n_galaxies,
        "n_labelled": entry.n_labelled,
        **diagnostics,
    }


def _upload(work: Work, name: str, file: Path) -> NewResult:
    (claim,) = work.claims
    key = result_key(work.job.id, claim.attempt, name)
    media_type = MEDIA_TYPES[file.suffix]
    stored = work.context.objects.put_file(key, file, media_type=media_type, download_name=name)
    return NewResult(
        name=name,
        size_bytes=stored.size_bytes,
        digest=stored.digest,
        media_type=media_type,
        object_key=key,
    )


def _summarise(catalog: CanonicalCatalog, data: ReportData) -> dict[str, object]:
    """Give what the API says of a finished calibration."""
    return {
        "n_galaxies": catalog.n_rows,
        "n_labelled": catalog.n_labelled,
        "n_tiles": len(data.tiles),
        "n_held_out": len(data.z_spec),
        "z_max": float(data.z_grid[-1]),
        "n_labels_beyond_grid": data.n_labels_beyond,
        "warnings": list(data.warnings),
        "metrics": dict(data.metrics),
    }


def _teaching(job: JobPin, model: ModelVersion) -> dict[str, object]:
    """Whether the catalogue taught its own model: then its held-out labels are no fair judges."""
    data = model.card.get("training_data")
    digests = data.get("catalog_digests", []) if isinstance(data, Mapping) else []
    return {"has_taught_model": job.catalog_digest in digests}
