"""Redshift distributions as named datasets: a qp ensemble, and groups that qp leaves alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hbmlc_models.n_of_z.result import NOfZ

__all__ = ["datasets"]


def datasets(found: NOfZ) -> Mapping[str, npt.NDArray[np.generic]]:
    """Datasets by path.

    ``meta``, ``data`` and ``ancil`` are those of a qp ``hist`` ensemble with one row for each
    sample; ``estimate``, ``covariance`` and ``tiles`` are ours.
    """
    return {**_ensemble(found), **_details(found), **_tiles(found)}


def _ensemble(found: NOfZ) -> dict[str, npt.NDArray[np.generic]]:
    """What qp knows: the histograms, and a column for each number that a sample has."""
    edges, low, high = found.z_phot_edges, found.z_phot_edges[:-1], found.z_phot_edges[1:]
    return {
        "meta/pdf_name": np.array([b"hist"]),
        "meta/pdf_version": np.array([0]),
        "meta/bins": found.cells.edges[None, :],
        "data/pdfs": found.density[:, 1],
        "ancil/sample": np.array([name.encode() for name in found.names]),
        "ancil/z_phot_low": np.concatenate([edges[:1], low]),
        "ancil/z_phot_high": np.concatenate([edges[-1:], high]),
        "ancil/n_galaxies": found.sums.count.astype(np.int64),
        "ancil/n_residuals": found.sums.n_residuals.astype(np.int64),
        "ancil/coverage": found.estimate.coverage,
        "ancil/shrinkage": found.estimate.shrinkage,
        "ancil/n_patches": np.full(len(found.names), found.n_patches),
        "ancil/mean_z": found.estimate.mean_z(found.cells)[:, 1],
        "ancil/mean_z_std": found.mean_z_std,
    }


def _details(found: NOfZ) -> dict[str, npt.NDArray[np.generic]]:
    """Parts of the estimate, its band and its covariance."""
    width = found.cells.width
    return {
        "estimate/plug_in": found.estimate.plug_in[:, 1] / width,
        "estimate/correction": found.estimate.correction[:, 1] / width,
        "estimate/beta_low": found.density[:, 0],
        "estimate/beta_high": found.density[:, 2],
        "estimate/std": found.std,
        "covariance/total": found.sampling + found.beta_covariance,
        "covariance/sampling": found.sampling,
        "covariance/beta": found.beta_covariance,
    }


def _tiles(found: NOfZ) -> dict[str, npt.NDArray[np.generic]]:
    """The same by tile, in the order of ``tiles.parquet``."""
    tiles = found.tiles
    return {
        "tiles/tile": np.array([tile.name.encode() for tile in tiles]),
        "tiles/n_galaxies": np.stack([tile.n_galaxies for tile in tiles]).astype(np.int64),
        "tiles/density": np.stack([tile.density for tile in tiles]),
        "tiles/std": np.stack([tile.std for tile in tiles]),
    }
