"""Small uploads in every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from astropy.io import votable
from astropy.table import Table

Columns = dict[str, Any]
Writer = Callable[[Path, Mapping[str, Any]], None]


def make_columns(n: int = 60, *, seed: int = 0, bands: str = "gri") -> Columns:
    """A plain catalogue: magnitudes, a third labelled, three tiles."""
    rng = np.random.default_rng(seed)
    columns: Columns = {"id": rng.permutation(n) + 100, "tile": np.arange(n) % 3}
    for band in bands:
        columns[f"mag_{band}"] = rng.uniform(18, 26, n)
        columns[f"mag_err_{band}"] = rng.uniform(0.01, 0.3, n)
    columns["z_spec"] = np.where(np.arange(n) % 3 == 1, rng.uniform(0.1, 2, n), np.nan)
    return columns


def write_parquet(path: Path, columns: Mapping[str, Any]) -> None:
    pq.write_table(pa.table(dict(columns)), path)


def write_csv(path: Path, columns: Mapping[str, Any]) -> None:
    pacsv.write_csv(pa.table(dict(columns)), path)


def write_fits(path: Path, columns: Mapping[str, Any]) -> None:
    Table(dict(columns)).write(path, format="fits", overwrite=True)


def write_hdf5(path: Path, columns: Mapping[str, Any]) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("photometry")
        for name, values in columns.items():
            array = np.asarray(values)
            group[name] = array.astype("S") if array.dtype.kind == "U" else array


def write_votable(path: Path, columns: Mapping[str, Any]) -> None:
    votable.from_table(Table(dict(columns))).to_xml(str(path))


WRITERS: dict[str, Writer] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "fits": write_fits,
    "hdf5": write_hdf5,
    "votable": write_votable,
}
