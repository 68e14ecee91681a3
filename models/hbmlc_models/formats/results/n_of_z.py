"""Redshift distributions of samples in HDF5."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

__all__ = ["write_n_of_z"]


def write_n_of_z(path: Path, datasets: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Write ``nz.hdf5`` from its datasets by path; ``qp.read`` reads the ensemble among them."""
    # Creation times would make equal results differ.
    with h5py.File(path, "w", track_order=False) as file:
        for name, values in datasets.items():
            file.create_dataset(name, data=values, track_times=False)
