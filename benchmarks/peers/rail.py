"""Stages of RAIL as peers: everything stays in memory.

RAIL wants magnitudes. What is fainter than its own noise becomes the 1-sigma limit with the error
of a flux of signal-to-noise one, so that no stage has to invent an error for a non-detection.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np

from benchmarks.peers.protocol import GRID, PeerAnswer
from hbmlc_models.arrays import FloatArray
from hbmlc_models.pdf import normalise
from hbmlc_models.photometry import Photometry, mag_err_from_flux, mag_from_flux
from hbmlc_models.tile import Tile

__all__ = ["RailPeer", "column", "error_column", "rail_table", "reference_band"]

NOT_OBSERVED = 99.0
"""Mark of a band that was not observed, in magnitudes and their limits."""
_FAINT_ERROR = 2.5 * np.log10(2.0)
"""Magnitude error of a flux as large as its own sigma."""
_SEED = 0


def column(band: str) -> str:
    """Name of a magnitude column."""
    return f"mag_{band}"


def error_column(band: str) -> str:
    """Name of a column of magnitude errors."""
    return f"mag_err_{band}"


def reference_band(bands: tuple[str, ...]) -> str:
    """Band whose magnitude joins the colours."""
    return "i" if "i" in bands else bands[len(bands) // 2]


def rail_table(photometry: Photometry) -> dict[str, FloatArray]:
    """Magnitudes and errors by column, ``(n_galaxies,)`` each."""
    flux, sigma = photometry.flux, photometry.flux_err
    is_faint = flux < sigma
    with np.errstate(invalid="ignore", divide="ignore"):
        mag = mag_from_flux(np.where(is_faint, sigma, flux))
        error = np.where(is_faint, _FAINT_ERROR, mag_err_from_flux(flux, sigma))
    mag = np.where(photometry.is_observed, mag, NOT_OBSERVED)
    error = np.where(photometry.is_observed, error, 1.0)
    table: dict[str, FloatArray] = {}
    for place, band in enumerate(photometry.bands):
        table[column(band)] = mag[:, place].copy()
        table[error_column(band)] = error[:, place].copy()
    return table


def common_settings(photometry: Photometry) -> dict[str, Any]:
    """Settings that all stages share."""
    bands = photometry.bands
    limit = mag_from_flux(np.nanmedian(photometry.flux_err, axis=0))
    return {
        "hdf5_groupname": "",
        "output_mode": "return",
        "chunk_size": 10**9,
        "bands": [column(band) for band in bands],
        "err_bands": [error_column(band) for band in bands],
        "ref_band": column(reference_band(bands)),
        "mag_limits": {column(b): float(m) for b, m in zip(bands, limit, strict=True)},
        "nondetect_val": NOT_OBSERVED,
        "redshift_col": "redshift",
        "zmin": float(GRID[0]),
        "zmax": float(GRID[-1]),
        "nzbins": len(GRID),
    }


@dataclass(slots=True, kw_only=True)
class RailPeer:
    """An informer and an estimator."""

    informer: Any
    """Class of the stage that learns."""
    estimator: Any
    """Class of the stage that answers."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Settings of both that differ from the defaults."""
    extra_columns: Mapping[str, float] = field(default_factory=dict[str, float])
    """Constant columns to add to the table."""
    _model: Any = None

    def fit(self, tile: Tile) -> None:
        """Learn from the labelled galaxies."""
        _quieten()
        # GPz splits its sample by numpy's global generator.
        np.random.seed(_SEED)  # noqa: NPY002
        table = self._table(tile.take(tile.is_labelled))
        table["redshift"] = tile.z_spec[tile.is_labelled]
        stage = self.informer.make_stage(name="inform", **self._settings(tile))
        with _silence():
            self._model = stage.inform(table)

    def predict(self, tile: Tile) -> PeerAnswer:
        """Answer for every galaxy: the mode of p(z), as RAIL gives it."""
        stage = self.estimator.make_stage(
            name="estimate", model=self._model, **self._settings(tile)
        )
        with _silence():
            ensemble = stage.estimate(self._table(tile)).data
        pdf = normalise(np.nan_to_num(np.asarray(ensemble.pdf(GRID), dtype=np.float64)), GRID)
        ancillary: Mapping[str, Any] = ensemble.ancil or {}
        mode = ancillary.get("zmode", GRID[np.argmax(pdf, axis=1)])
        return PeerAnswer(z_phot=np.asarray(mode, dtype=np.float64).ravel(), pdf=pdf)

    def _table(self, tile: Tile) -> dict[str, FloatArray]:
        constant = {n: np.full(tile.n_galaxies, v) for n, v in self.extra_columns.items()}
        return {**constant, **rail_table(tile.photometry)}

    def _settings(self, tile: Tile) -> dict[str, Any]:
        return {**common_settings(tile.photometry), **self.settings}


def _silence() -> redirect_stdout[StringIO]:
    """Keep the lines from the terminal that BPZ and GPz print as they go."""
    return redirect_stdout(StringIO())


def _quieten() -> None:
    """Keep RAIL's log from the terminal."""
    import structlog

    level = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=level)
