"""Small simulated surveys and their fits, fast enough for tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.base_models import ModelVersion, load_version
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline import CalibrationOptions, SurveyFit, fit_survey
from hbmlc_models.simulate import (
    Selection,
    Survey,
    fiducial_world,
    lsst_depth,
    simulate_catalog,
)
from hbmlc_models.tile import Tile

OPTIONS = CalibrationOptions(draws=50, tune=50, train_steps=30, meta_steps=2, n_grid=151)
SMALLER: Mapping[str, object] = {
    "hbmlc_models.selection.population.N_FIT": 1_500,
    "hbmlc_models.selection.population.N_COPIES": 3_000,
    "hbmlc_models.selection.population.MAX_COMPONENTS": 8,
    "hbmlc_models.pipeline.survey_network.N_POOL": 4_000,
}
"""Sizes that a test does not need in full."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile in the role of a random part of a catalogue."""

    tile: Tile


def simulate_tile(n_galaxies: int = 400, *, seed: int = 1, index: int = 0) -> Tile:
    """Simulated tile of six bands in which galaxies brighter than i = 22.5 have a spec-z."""
    catalog = simulate_catalog(
        fiducial_world(),
        n_galaxies,
        depth=lsst_depth(10.0),
        selection=Selection(surveys=(Survey(band="i", mag_limit=22.5),)),
        rng=np.random.default_rng(seed),
        mag_limit=24.0,
    )
    return replace(catalog.tile, index=index, row=catalog.tile.row + 10_000 * index)


def fit_small(
    tile: Tile,
    *,
    options: CalibrationOptions = OPTIONS,
    model: ModelVersion | None = None,
    seed: int = 3,
) -> SurveyFit:
    """Fit of a survey with fewer components and copies than in production."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALLER.items():
            patch.setattr(name, value)
        return fit_survey(Sample(tile), model or load_version("auto", 1), options, seed=seed)


def relabel(tile: Tile, labelled: BoolArray) -> Tile:
    """The same tile with labels only where ``labelled``; new ones at a made-up redshift."""
    z_spec = np.where(labelled, np.nan_to_num(tile.z_spec, nan=0.5), np.nan)
    return replace(tile, selected=labelled, z_spec=z_spec)


def with_photometry(tile: Tile, flux: FloatArray, *, bands: tuple[str, ...] | None = None) -> Tile:
    """The same tile with other fluxes ``(n_galaxies, n_bands)`` and errors of two per cent."""
    photometry = Photometry(
        bands=bands or tile.photometry.bands,
        flux=flux,
        flux_err=np.where(np.isfinite(flux), 0.02 * np.abs(flux) + 1e-12, np.nan),
        is_detected=flux > 0,
    )
    return replace(tile, photometry=photometry, extras={})
