"""Densities as a qp ensemble in HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats.results._compact import PROBABILITIES
from hbmlc_models.formats.results._scratch import Scratch

__all__ = ["write_ensemble"]

_BATCH_ROWS = 16_384


def write_ensemble(path: Path, scratch: Scratch, z_grid: FloatArray, *, is_compact: bool) -> None:
    """Write ``pdfs.hdf5`` in the layout that ``qp.read`` knows.

    The tree is what qp 1.x writes for its ``interp`` (values on a grid) and ``quant`` ensembles;
    written here row by row because qp itself holds the whole ensemble in memory.
    """
    # Creation times would make equal results differ.
    with h5py.File(path, "w", track_order=False) as file:
        meta = file.create_group("meta")
        meta["pdf_version"] = np.array([0])
        if is_compact:
            meta["pdf_name"] = np.array([b"quant"])
            meta["quants"] = PROBABILITIES[None, :]
            meta["ensure_extent"] = np.array([True])
            meta["pdf_constructor_name"] = np.array([b"piecewise_linear"])
        else:
            meta["pdf_name"] = np.array([b"interp"])
            meta["xvals"] = np.asarray(z_grid, dtype=np.float64)[None, :]
        shape = scratch.density.shape
        name = "locs" if is_compact else "yvals"
        values = file.create_group("data").create_dataset(name, shape, "f4", track_times=False)
        ancil = file.create_group("ancil")
        ids = ancil.create_dataset("object_id", shape[:1], scratch.ids.dtype, track_times=False)
        modes = ancil.create_dataset("zmode", shape[:1], "f4", track_times=False)
        for rows in scratch.batches(_BATCH_ROWS):
            values[rows] = scratch.density[rows]
            ids[rows] = scratch.ids[rows]
            modes[rows] = scratch.records["z_mode"][rows]
