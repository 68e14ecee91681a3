"""The last step for a tile: one density from two parts, and the columns of the result table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.expected_loss import least_loss
from hbmlc_models.fusion import pool
from hbmlc_models.metalearning.infer import outputs_density, outputs_redshift
from hbmlc_models.metalearning.network import Head
from hbmlc_models.pdf import normalise, point_estimates
from hbmlc_models.pipeline.adaptation import TileDensity
from hbmlc_models.pipeline.options import CalibrationOptions, Parts, redshift_grid
from hbmlc_models.pipeline.posterior import corrected, selection_answer
from hbmlc_models.pipeline.selection import TileSelection
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.selection.holdout import is_held_out
from hbmlc_models.tile import Tile

__all__ = ["Flag", "TileResult", "fuse_tiles"]

CHUNK = 8192
"""Galaxies fused at once."""
MIN_SUPPORT = 0.05
"""Less support than this is extrapolation."""
PRIOR_WIDTH = 0.8
"""A density wider than this share of the population's says little beyond the prior."""


class Flag(IntFlag):
    """What a user should know before trusting a galaxy's redshift."""

    OUT_OF_COVERAGE = 1
    """No labelled galaxy is near in photometry."""
    NO_ANCHORS = 2
    """The tile has no anchors; the network is not adapted to it."""
    BANDS_MISSING = 4
    """At least one band was not observed."""
    DEGRADED_TILE = 8
    """The chains of the tile did not converge."""
    PRIOR_DOMINATED = 16
    """The density is nearly as wide as the population's."""
    IS_ANCHOR = 32
    """The galaxy adapted the network to its tile."""
    NO_PHOTOMETRY = 64
    """No band was observed; the density is the population's."""
    HELD_OUT = 128
    """The galaxy's label was held out of all fits, to measure honestly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileResult:
    """Answer for a tile."""

    columns: Mapping[str, FloatArray | IntArray]
    """Columns of the result table, each ``(n_galaxies,)``."""
    pdf: FloatArray
    """Calibrated p(z), ``(n_galaxies, n_grid)`` float32."""
    diagnostics: Mapping[str, Any]
    """One row of the table of tiles."""


def fuse_tiles(
    tiles: Sequence[Tile],
    selection: TileSelection,
    density: TileDensity,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    seed: int,
) -> Iterator[TileResult]:
    """Pool both parts of every galaxy of a unit; one result for each of its ``tiles``."""
    options = survey.settled(options)
    start = 0
    for position, given in enumerate(tiles):
        known = given.labels_within(survey.z_max)
        tile = selection.calibrated(known, position)
        rows = slice(start, start + tile.n_galaxies)
        own = TileDensity(outputs=density.outputs[rows], head=density.head)
        anchors = selection.anchors.index
        anchors = anchors[(anchors >= rows.start) & (anchors < rows.stop)] - start
        yield _fuse_tile(tile, anchors, selection, own, survey, options, seed=seed)
        start = rows.stop


def _fuse_tile(
    tile: Tile,
    anchors: IntArray,
    selection: TileSelection,
    density: TileDensity,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    seed: int,
) -> TileResult:
    """Answer for one tile, whose anchors are at positions ``anchors``."""
    parts: list[Mapping[str, FloatArray]] = []
    pdfs: list[FloatArray] = []
    for start in range(0, tile.n_galaxies, CHUNK):
        rows = np.arange(start, min(start + CHUNK, tile.n_galaxies))
        chunk = TileDensity(outputs=density.outputs[rows], head=density.head)
        columns, pdf = _fuse_chunk(tile.take(rows), selection, chunk, survey, options)
        parts.append(columns)
        pdfs.append(pdf)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    flags = _flags(tile, selection, columns, survey, options, seed=seed)
    flags[anchors] |= Flag.IS_ANCHOR.value
    return TileResult(
        columns={**columns, "flags": flags},
        pdf=np.concatenate(pdfs),
        diagnostics=_diagnostics(selection, columns, n_anchors=len(anchors)),
    )


def _fuse_chunk(
    tile: Tile,
    selection: TileSelection,
    density: TileDensity,
    survey: SurveyFit,
    options: CalibrationOptions,
) -> tuple[dict[str, FloatArray], FloatArray]:
    """Columns and densities of some galaxies."""
    z_grid = redshift_grid(options)
    bayesian = selection_answer(tile, survey, selection.posterior, z_grid)
    network = outputs_density(density.outputs, z_grid, head=density.head)
    # The network learnt from labels too, so it is owed the same correction for their selection.
    network = normalise(corrected(network, tile, survey, selection.posterior, z_grid), z_grid)
    has_photometry = tile.photometry.is_observed.any(axis=1, keepdims=True)
    pdf = pool(bayesian.pdf, network, survey.network_share)
    pdf = np.where(has_photometry, _recalibrated(pdf, survey, z_grid), bayesian.pdf)
    found = point_estimates(pdf, z_grid, price=survey.bias_price)
    low, high = _beta_band(pdf, found.best, tile, z_grid, survey)
    columns = {
        "z_phot": found.best,
        "z_phot_beta_low": low,
        "z_phot_beta_high": high,
        "z_mode": found.mode,
        "z_mean": found.mean,
        "z_median": found.quantiles[:, 2],
        "z_std": found.std,
        "z_q025": found.quantiles[:, 0],
        "z_q16": found.quantiles[:, 1],
        "z_q84": found.quantiles[:, 3],
        "z_q975": found.quantiles[:, 4],
        "odds": found.odds,
        "z_network": _network_point(density, network, z_grid, survey, options),
        "z_selection": least_loss(bayesian.pdf, z_grid, price=survey.bias_price).z,
        "p_selected": bayesian.p_selected.mean,
        "p_selected_std": bayesian.p_selected.std,
        "support": bayesian.support,
    }
    return columns, pdf.astype(np.float32)


def _recalibrated(pdf: FloatArray, survey: SurveyFit, z_grid: FloatArray) -> FloatArray:
    """Densities whose PIT is as flat as labelled galaxies can make it."""
    return normalise(survey.recalibration((z_grid[1] - z_grid[0]) * pdf), z_grid)


def _network_point(
    density: TileDensity,
    pdf: FloatArray,
    z_grid: FloatArray,
    survey: SurveyFit,
    options: CalibrationOptions,
) -> FloatArray:
    """Point estimate of the network alone; NaN where none was trained."""
    if options.parts is Parts.SELECTION:
        return np.full(len(pdf), np.nan)
    if density.head is Head.MSE:
        return outputs_redshift(density.outputs, head=density.head)
    return least_loss(pdf, z_grid, price=survey.bias_price).z


def _beta_band(
    pdf: FloatArray, z_phot: FloatArray, tile: Tile, z_grid: FloatArray, survey: SurveyFit
) -> tuple[FloatArray, FloatArray]:
    """Point estimates if β were one prior standard deviation lower, and higher.

    Only the unlabelled galaxies owe their density to β, through the factor exp(-βz).
    """
    unlabelled = ~tile.is_labelled
    band = (z_phot.copy(), z_phot.copy())
    for estimate, slope in zip(band, (survey.beta_scale, -survey.beta_scale), strict=True):
        found = least_loss(pdf[unlabelled], z_grid, slope=slope, price=survey.bias_price)
        estimate[unlabelled] = found.z
    return band


def _flags(
    tile: Tile,
    selection: TileSelection,
    columns: Mapping[str, FloatArray],
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    seed: int,
) -> IntArray:
    """Bit mask of each galaxy, ``(n_galaxies,)`` int32."""
    observed = tile.photometry.is_observed
    held = is_held_out(tile.row, fraction=survey.hold_out_fraction, seed=seed)
    width = survey.population_width(redshift_grid(options))
    claims = {
        Flag.OUT_OF_COVERAGE: columns["support"] < MIN_SUPPORT,
        Flag.NO_ANCHORS: np.full(tile.n_galaxies, len(selection.anchors.index) == 0),
        Flag.BANDS_MISSING: ~observed.all(axis=1),
        Flag.DEGRADED_TILE: np.full(tile.n_galaxies, not selection.convergence.is_converged),
        Flag.PRIOR_DOMINATED: columns["z_std"] > PRIOR_WIDTH * width,
        Flag.NO_PHOTOMETRY: ~observed.any(axis=1),
        Flag.HELD_OUT: tile.is_labelled & held,
    }
    flags = np.zeros(tile.n_galaxies, dtype=np.int32)
    for flag, holds in claims.items():
        flags[holds] |= flag.value
    return flags


def _diagnostics(
    selection: TileSelection, columns: Mapping[str, FloatArray], *, n_anchors: int
) -> dict[str, Any]:
    """Row of the table of tiles."""
    found = selection.posterior
    convergence = selection.convergence
    return {
        "n_anchors": n_anchors,
        "r_hat": convergence.r_hat,
        "ess": convergence.ess,
        "n_divergences": convergence.n_divergences,
        "n_tries": convergence.n_tries,
        "is_converged": convergence.is_converged,
        "beta_mean": float(found.beta.mean()),
        "beta_std": float(found.beta.std()),
        "gamma_mean": float(found.gamma.mean()),
        "tilt_mean": float(found.tilt[:, 0].mean()),
        "tilt_std": float(found.tilt[:, 0].std()),
        "z_phot_mean": float(columns["z_phot"].mean()),
        "p_selected_mean": float(columns["p_selected"].mean()),
        "support_mean": float(columns["support"].mean()),
    }
