"""Redshift distributions of samples as a qp ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["write_n_of_z"]


def write_n_of_z(path: Path, z_grid: FloatArray, n_of_z: Mapping[str, FloatArray]) -> None:
    """Write ``nz.hdf5``: one density ``(n_grid,)`` for each sample, named in ``ancil/sample``.

    ``qp.read`` reads it as an ``interp`` ensemble; the order is that of ``n_of_z``.
    """
    with h5py.File(path, "w", track_order=False) as file:
        meta = file.create_group("meta")
        meta["pdf_name"] = np.array([b"interp"])
        meta["pdf_version"] = np.array([0])
        meta["xvals"] = np.asarray(z_grid, dtype=np.float64)[None, :]
        values = np.stack([np.asarray(density, dtype=np.float64) for density in n_of_z.values()])
        file.create_group("data").create_dataset("yvals", data=values, track_times=False)
        names = np.array([name.encode() for name in n_of_z])
        file.create_group("ancil").create_dataset("sample", data=names, track_times=False)
