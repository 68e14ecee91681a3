"""Files of the shapes that surveys hand out, with galaxies that are made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits

N_GALAXIES = 600
MEDIAN = 22.5
"""Median magnitude in every band."""
_UNITS = {"nJy": 31.4, "uJy": 23.9, "nanomaggy": 22.5}
"""AB magnitude of one unit."""
_MAG_PER_E_FOLD = 2.5 / np.log(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnText:
    """One line of a list of columns."""

    name: str
    unit: str | None
    holds: str


def read_columns(text: str) -> list[ColumnText]:
    """Lines ``name unit what it holds``; ``-`` is no unit."""
    rows = [line.split(None, 2) for line in text.strip().splitlines()]
    return [
        ColumnText(name=name, unit=None if unit == "-" else unit, holds=holds)
        for name, unit, holds in rows
    ]


def write_survey_file(folder: Path, columns: Sequence[ColumnText], kind: str) -> Path:
    """Write a made-up file with these columns."""
    values = {column.name: _values(column, columns) for column in columns}
    path = folder / f"galaxies.{'cat' if kind == 'eazy' else kind}"
    if kind == "parquet":
        pq.write_table(_arrow(columns, values), path)
    elif kind == "fits":
        fits.BinTableHDU.from_columns(_fits_columns(columns, values)).writeto(path)
    elif kind == "csv":
        _write_text(path, values, separator=",", comment="")
    else:
        _write_text(path, values, separator=" ", comment="# ")
    return path


def n_good_labels(columns: Sequence[ColumnText]) -> int:
    """Labels that are to be trusted."""
    z, quality = _redshifts(), np.arange(N_GALAXIES) % 4 != 0
    has_quality = any(column.holds.startswith("quality") for column in columns)
    return int(np.sum((z > 0) & (quality if has_quality else True)))


def _arrow(columns: Sequence[ColumnText], values: dict[str, np.ndarray]) -> pa.Table:
    fields = [
        pa.field(
            column.name,
            pa.array(values[column.name]).type,
            metadata=None if column.unit is None else {"unit": column.unit},
        )
        for column in columns
    ]
    return pa.table(list(values.values()), schema=pa.schema(fields))


def _fits_columns(
    columns: Sequence[ColumnText], values: dict[str, np.ndarray]
) -> list[fits.Column]:
    """Columns with their units as they are: surveys write some that astropy would not."""
    found: list[fits.Column] = []
    for column in columns:
        held = values[column.name]
        kind = {"i": "K", "f": "D", "U": f"{held.dtype.itemsize // 4}A"}[held.dtype.kind]
        found.append(fits.Column(name=column.name, format=kind, unit=column.unit, array=held))
    return found


def _write_text(path: Path, values: dict[str, np.ndarray], *, separator: str, comment: str) -> None:
    rows = zip(*values.values(), strict=True)
    lines = [comment + separator.join(values)]
    lines += [
        separator.join(f"{v:.8g}" if isinstance(v, float) else str(v) for v in r) for r in rows
    ]
    path.write_text("\n".join(lines) + "\n")


def _values(column: ColumnText, columns: Sequence[ColumnText]) -> np.ndarray:
    """Values of what a column holds."""
    words = column.holds.replace(",", "").split()
    if column.holds != "error of the redshift" and words[0] in {
        "flux",
        "magnitude",
        "error",
        "inverse",
    }:
        return _photometry(column, words, columns)
    if words[0] == "quality":
        return _quality(good=words[1], bad=words[3])
    number = np.arange(N_GALAXIES)
    known = {
        "id": 10_000_000_000 + number,
        "right ascension": 150 + (number % 30) / 60,
        "declination": 2 + (number // 30) / 60,
        "patch of sky": 9000 + number % 2,
        "name of a patch of sky": np.array([f"P{k % 2:04d}" for k in number]),
        "redshift": _redshifts(),
        "error of the redshift": np.full(N_GALAXIES, 1e-4),
        "photometric redshift": np.abs(_redshifts()) + 0.01,
        "release": np.full(N_GALAXIES, 10_000),
        "brick": 500_000 + number % 7,
        "number within the brick": number // 7,
        "extinction": 0.01 + 1e-5 * (number % 50),
        "transmission": 0.9 + 1e-4 * (number % 50),
        "flag": number % 2,
    }
    return known[column.holds]


def _photometry(column: ColumnText, words: list[str], columns: Sequence[ColumnText]) -> np.ndarray:
    """Values of a column about a band."""
    band = words[words.index("of", 2 if words[0] == "inverse" else 0) + 1]
    match words[0], column.unit:
        case "magnitude", _:
            return _magnitudes(band) + _shift(words)
        case "flux", _:
            return 10 ** (-0.4 * (_magnitudes(band) + _shift(words) - _zero(column)))
        case "error", unit if unit == "mag" or not _is_flux(column, columns):
            return _errors(band)
        case _:
            flux = 10 ** (-0.4 * (_magnitudes(band) - _zero(column)))
            sigma = flux * _errors(band) / _MAG_PER_E_FOLD
            return sigma if words[0] == "error" else 1 / sigma**2


def _quality(*, good: str, bad: str) -> np.ndarray:
    """Three redshifts of four are good."""
    found = np.where(np.arange(N_GALAXIES) % 4 != 0, good, bad)
    return found if good == "true" else found.astype(int)


def _magnitudes(band: str) -> np.ndarray:
    rng = np.random.default_rng([7, *band.encode()])
    return MEDIAN + 0.2 * rng.standard_normal(N_GALAXIES) + _common()


def _common() -> np.ndarray:
    """How bright each galaxy is, around the median; fainter ones are more."""
    found = np.random.default_rng(11).triangular(-3, 1.2, 1.5, N_GALAXIES)
    return found - np.median(found)


def _errors(band: str) -> np.ndarray:
    """One sigma [mag]."""
    return 0.03 * 10 ** (0.3 * (_magnitudes(band) - MEDIAN))


def _is_flux(column: ColumnText, columns: Sequence[ColumnText]) -> bool:
    """Whether an error is one of a flux: that of the column before."""
    before = columns[columns.index(column) - 1]
    return before.holds.startswith("flux")


def _zero(column: ColumnText) -> float:
    """AB magnitude of a flux of one."""
    found = re.search(r"zero point (\d+)", column.holds)
    return float(found[1]) if found else _UNITS[(column.unit or "nJy").strip("1/^2")]


def _shift(words: Sequence[str]) -> float:
    """Magnitudes by which another aperture differs."""
    if words[-1] not in {"fainter", "brighter"}:
        return 0.0
    size = float(words[-3])
    return size if words[-1] == "fainter" else -size


def _redshifts() -> np.ndarray:
    """A third have one; the others say -99 as the surveys do."""
    number = np.arange(N_GALAXIES)
    z = np.random.default_rng(13).uniform(0.05, 1.3, N_GALAXIES)
    return np.where(number % 3 == 0, z, -99.0)
