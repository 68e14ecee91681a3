"""Catalogues whose truth is known, as pairs of files in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.evaluate import Sky, read_sky

__all__ = ["ExaminationFiles", "find_examinations", "mask_of", "relabelled"]

_CATALOG, _TRUTH = "_catalog.parquet", "_truth.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminationFiles:
    """One catalogue and its truth."""

    name: str
    """Name of the examination."""
    catalog: Path
    """What a method may see."""
    truth: Path
    """Columns id and z_true."""

    def sky(self) -> Sky:
        """Both, matched by id."""
        return read_sky(self.catalog, truth=self.truth)


def find_examinations(folder: Path, only: Sequence[str] | None) -> Iterator[ExaminationFiles]:
    """Pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet``; those named ``only``, if any."""
    for catalog in sorted(folder.glob(f"*{_CATALOG}")):
        name = catalog.name.removesuffix(_CATALOG)
        if not only or name in only:
            yield ExaminationFiles(name=name, catalog=catalog, truth=folder / f"{name}{_TRUTH}")


def relabelled(catalog: pa.Table, row: IntArray, z_spec: FloatArray) -> pa.Table:
    """Catalogue whose galaxies at ``row`` ``(n,)`` have the labels ``z_spec``, and no others do."""
    selected = mask_of(row, catalog.num_rows)
    redshift = np.full(catalog.num_rows, np.nan)
    redshift[row] = z_spec
    columns = {
        "selected": pa.array(selected),
        "z_spec": pa.array(redshift, mask=~selected),
    }
    for name, column in columns.items():
        catalog = catalog.set_column(catalog.schema.get_field_index(name), name, column)
    return catalog


def mask_of(chosen: IntArray, n: int) -> BoolArray:
    """True at ``chosen``, ``(n,)``."""
    mask = np.zeros(n, dtype=bool)
    mask[chosen] = True
    return mask
