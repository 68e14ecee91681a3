"""An examination: results of a calibration beside the catalogue and the truth, matched by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats import CanonicalCatalog, IngestLimits, ingest, sniff
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.readers import TableChoice, open_table
from hbmlc_models.tile import Tile

__all__ = ["Examination", "ExaminationError", "Sky", "read_examination", "read_sky"]

RESULT_NAME = "photoz.parquet"
_BATCH_ROWS = 65_536


class ExaminationError(ValueError):
    """The three tables do not belong together; the message says what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Galaxies of a catalogue with their truth; arrays are ``(n_galaxies,)``."""

    tile: Tile
    """All galaxies of the catalogue that the truth knows, as one tile."""
    ids: pa.Array
    """Their ids, as text."""
    z_true: FloatArray
    """True redshifts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Galaxies of a catalogue with their answer and their truth; arrays are ``(n_galaxies,)``."""

    tile: Tile
    """All galaxies of the catalogue that the truth knows, as one tile."""
    z_phot: FloatArray
    """Recommended redshifts."""
    z_true: FloatArray
    """True redshifts."""


def read_examination(result: Path, *, catalog: Path, truth: Path) -> Examination:
    """Read a result table, its catalogue and the truth, all in any of the upload formats.

    ``result`` may also be the directory that ``hbmlc calibrate`` filled.

    Raises
    ------
    CatalogError
        A file cannot be read.
    ExaminationError
        A column is missing, the truth knows none of the galaxies, or the result lacks some.
    """
    sky = read_sky(catalog, truth=truth)
    answer = result / RESULT_NAME if result.is_dir() else result
    answer_ids, z_phot = _read_pairs(answer, "z_phot")
    at_answer = _positions(sky.ids, answer_ids)
    if (at_answer < 0).any():
        lost = int((at_answer < 0).sum())
        raise ExaminationError(
            f"{answer} lacks {lost:,} of {len(sky.ids):,} galaxies of {catalog}."
        )
    return Examination(tile=sky.tile, z_phot=z_phot[at_answer], z_true=sky.z_true)


def read_sky(catalog: Path, *, truth: Path) -> Sky:
    """Read a catalogue and its truth, in any of the upload formats, matched by id.

    Raises
    ------
    CatalogError
        A file cannot be read.
    ExaminationError
        A column is missing, or the truth knows none of the galaxies.
    """
    tile, ids = _read_catalog(catalog)
    true_ids, z_true = _read_pairs(truth, "z_true")
    at_truth = _positions(ids, true_ids)
    known = np.flatnonzero(at_truth >= 0)
    if not len(known):
        raise ExaminationError(f"{truth} knows no galaxy of {catalog}; do the ids match?")
    return Sky(tile=tile.take(known), ids=ids.take(pa.array(known)), z_true=z_true[at_truth[known]])


def _read_catalog(source: Path) -> tuple[Tile, pa.Array]:
    """Every galaxy of a catalogue and their ids, in the same order."""
    with TemporaryDirectory(prefix="hbmlc-score-") as folder:
        canonical = Path(folder) / "canonical.parquet"
        ingest(source, canonical)
        with CanonicalCatalog.open(canonical) as catalog:
            ids = pa.concat_arrays([catalog.read_ids(entry.index) for entry in catalog.tiles])
            everything = catalog.sample(catalog.n_rows, catalog.n_rows, np.random.default_rng(0))
    return everything.tile, ids.cast(pa.string())


def _read_pairs(source: Path, column: str) -> tuple[pa.Array, FloatArray]:
    """Ids and values of one column of a table."""
    limits = IngestLimits()
    choice = TableChoice(rank=lambda names: (int("id" in names) + int(column in names),))
    with (
        TemporaryDirectory(prefix="hbmlc-score-") as folder,
        open_table(source, sniff(source), limits, choice, Path(folder)) as table,
    ):
        _require_columns(source, found=list(table.columns), wanted=("id", column))
        batches = list(table.batches(["id", column], size=_BATCH_ROWS))
    rows = pa.Table.from_batches(batches)
    ids = rows["id"].combine_chunks().cast(pa.string())
    return ids, rows[column].cast(pa.float64()).to_numpy()


def _require_columns(source: Path, *, found: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise where a column is missing."""
    missing = [name for name in wanted if name not in found]
    if missing:
        shown = ", ".join(found[:8])
        raise ExaminationError(f"{source} has no column {' or '.join(missing)}; it has {shown}.")


def _positions(ids: pa.Array, among: pa.Array) -> IntArray:
    """Position of each id ``(n,)`` in ``among``; -1 where it is not."""
    return pc.index_in(ids, value_set=among).fill_null(-1).to_numpy()
