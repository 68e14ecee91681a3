"""SELECTION: how the labelled galaxies of a unit (a tile, or a few small ones) were selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from hbmlc_models.anchors import Anchors, stratified_anchors, top_anchors
from hbmlc_models.arrays import FloatArray, IntArray
from hbmlc_models.formats import arrays
from hbmlc_models.pipeline.options import (
    LEAST_Z_MAX,
    AnchorRule,
    CalibrationOptions,
    redshift_grid,
)
from hbmlc_models.pipeline.posterior import standard_mag
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.selection.curve import Curve
from hbmlc_models.selection.fallback import no_chains, survey_draws
from hbmlc_models.selection.holdout import is_held_out
from hbmlc_models.selection.posterior import TilePosterior, labelled_density, propensity
from hbmlc_models.selection.quadrature import RedshiftNodes, gauss_nodes
from hbmlc_models.selection.sampler import Convergence, Draws, SamplingFailedError, sample_nuts
from hbmlc_models.selection.seed_model import (
    MAX_SEED_FITTED,
    SeedTileData,
    compiled_seed_model,
    seed_data_arrays,
)
from hbmlc_models.selection.tile_model import (
    MAX_FITTED,
    TileData,
    TilePriors,
    compiled_tile_model,
    tile_data_arrays,
)
from hbmlc_models.selection.zero_points import fit_zero_points
from hbmlc_models.tile import Tile, merge_tiles

__all__ = ["TileSelection", "infer_selection"]

N_KEPT_DRAWS = 200
"""Posterior draws that later stages average over."""
N_SEED_NODES = 48
"""Redshift nodes on which the first published model is summed."""
_STAGE = 51


@dataclass(frozen=True, slots=True, kw_only=True)
class TileSelection:
    """Posterior of a tile's hyper-parameters, and the anchors that follow from it."""

    posterior: TilePosterior
    """Thinned draws."""
    convergence: Convergence
    """Diagnostics of the chains."""
    anchors: Anchors
    """Labelled galaxies that will adapt the network."""
    zero_points: FloatArray | None = None
    """Offsets [mag] to add to each tile's magnitudes, ``(n_tiles, n_bands)``; none in the seed."""

    def calibrated(self, tile: Tile, position: int) -> Tile:
        """Tile at ``position`` in its unit with its magnitudes on the survey's zero points."""
        if self.zero_points is None:
            return tile
        return _calibrated(tile, self.zero_points[position])

    def to_bytes(self) -> bytes:
        """Bytes of the selection; the same selection gives the same bytes."""
        tensors = dict(self.posterior.arrays())
        tensors |= {"anchor.index": self.anchors.index, "anchor.weight": self.anchors.weight}
        if self.zero_points is not None:
            tensors["zero_points"] = self.zero_points
        return arrays.dump(tensors, {"convergence": asdict(self.convergence)})

    @classmethod
    def from_bytes(cls, content: bytes) -> TileSelection:
        """Selection from its bytes."""
        loaded, metadata = arrays.load(content)
        tensors = cast("dict[str, Any]", loaded)
        anchors = Anchors(index=tensors.pop("anchor.index"), weight=tensors.pop("anchor.weight"))
        zero_points = tensors.pop("zero_points", None)
        return cls(
            posterior=TilePosterior.from_arrays(tensors),
            convergence=Convergence(**cast("dict[str, Any]", metadata["convergence"])),
            anchors=anchors,
            zero_points=zero_points,
        )


def infer_selection(
    tiles: Sequence[Tile], survey: SurveyFit, options: CalibrationOptions, *, seed: int
) -> TileSelection:
    """Sample the hyper-parameters that the ``tiles`` of a unit share, and choose their anchors.

    Positions of anchors count through the galaxies of all tiles, in order.
    """
    options = survey.settled(options)
    tiles = [tile.labels_within(survey.z_max) for tile in tiles]
    zero_points = None
    if survey.curve is None:
        zero_points = np.stack([_zero_points(tile, survey, seed=seed) for tile in tiles])
        tiles = [_calibrated(t, offset) for t, offset in zip(tiles, zero_points, strict=True)]
    tile = merge_tiles(tiles)
    rng = np.random.default_rng([seed, _STAGE, tile.index])
    usable = ~is_held_out(tile.row, fraction=survey.hold_out_fraction, seed=seed)
    phi = survey.basis(tile.photometry, survey.frame, tile.extras)
    priors = TilePriors(
        alpha=survey.alpha,
        gamma=survey.gamma,
        beta_mean=survey.beta_mean,
        beta_scale=survey.beta_scale,
    )
    fitted = np.flatnonzero(usable | ~tile.is_labelled)
    draws = _sample(tile, phi, survey, options, priors=priors, fitted=fitted, rng=rng)
    posterior = TilePosterior.thinned(draws, n_kept=N_KEPT_DRAWS)
    candidates = np.flatnonzero(tile.is_labelled & usable)
    chosen = _choose_anchors(candidates, tile, phi, survey, options, posterior=posterior, rng=rng)
    return TileSelection(
        posterior=posterior,
        convergence=draws.convergence,
        anchors=chosen,
        zero_points=zero_points,
    )


def _zero_points(tile: Tile, survey: SurveyFit, *, seed: int) -> FloatArray:
    """Offsets [mag] of one tile, ``(n_bands,)``, by the labels that may be learnt from."""
    held = is_held_out(tile.row, fraction=survey.hold_out_fraction, seed=seed)
    known = tile.take(tile.is_labelled & ~held)
    return fit_zero_points(
        known.photometry, known.z_spec, frame=survey.frame, population=survey.population
    )


def _calibrated(tile: Tile, offset: FloatArray) -> Tile:
    """Tile whose magnitudes are larger by ``offset`` ``(n_bands,)``."""
    return replace(tile, photometry=tile.photometry.dimmed(offset))


def _sample(
    tile: Tile,
    phi: FloatArray,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    priors: TilePriors,
    fitted: IntArray,
    rng: np.random.Generator,
) -> Draws:
    """Draws of the tile's own parameters or, where its chains are of no use, of the survey's."""
    convergence = no_chains()
    try:
        if survey.curve is None:
            draws = _sample_default(
                tile, phi, survey, options, priors=priors, fitted=fitted, rng=rng
            )
        else:
            draws = _sample_seed(
                tile, phi, survey.curve, survey, options, priors=priors, fitted=fitted, rng=rng
            )
        if draws.is_usable:
            return draws
        convergence = draws.convergence
    except (SamplingFailedError, np.linalg.LinAlgError):
        # One tile must not cost the job: it is flagged, and its other answers stand.
        pass
    return survey_draws(
        priors,
        convergence,
        n_draws=N_KEPT_DRAWS,
        with_normal_redshifts=survey.curve is not None,
        rng=rng,
    )


def _sample_default(
    tile: Tile,
    phi: FloatArray,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    priors: TilePriors,
    fitted: IntArray,
    rng: np.random.Generator,
) -> Draws:
    """Draws of the default model on a random part of the galaxies at positions ``fitted``."""
    chosen = np.sort(rng.permutation(fitted)[:MAX_FITTED])
    data = TileData(
        basis=phi[chosen],
        nodes=_redshift_nodes(tile, chosen, survey, options),
        mag=standard_mag(tile, survey)[chosen],
        z_spec=np.nan_to_num(tile.z_spec[chosen], nan=0.0),
        is_labelled=tile.is_labelled[chosen],
    )
    return _run(
        compiled_tile_model(phi.shape[1]),
        tile_data_arrays(data, priors),
        ("alpha", "gamma", "beta", "tilt"),
        options=options,
        rng=rng,
    )


def _sample_seed(
    tile: Tile,
    phi: FloatArray,
    curve: Curve,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    priors: TilePriors,
    fitted: IntArray,
    rng: np.random.Generator,
) -> Draws:
    """Draws of the first published model on a random part of the galaxies at ``fitted``."""
    chosen = np.sort(rng.permutation(fitted)[:MAX_SEED_FITTED])
    z_nodes = np.linspace(0, survey.z_max, _seed_nodes(survey.z_max))
    values, errors = survey.frame.luptitudes(tile.photometry.take(chosen))
    data = SeedTileData(
        basis=phi[chosen],
        log_likelihood=curve.log_likelihood(values, errors, z_nodes),
        z_spec=np.nan_to_num(tile.z_spec[chosen], nan=0.0),
        is_labelled=tile.is_labelled[chosen],
        z_nodes=z_nodes,
    )
    return _run(
        compiled_seed_model(phi.shape[1], len(z_nodes)),
        seed_data_arrays(data, priors),
        ("alpha", "gamma", "beta", "mu_z", "sigma_z"),
        options=options,
        rng=rng,
    )


def _seed_nodes(z_max: float) -> int:
    """Nodes as close as those of the usual range."""
    return max(N_SEED_NODES, round(N_SEED_NODES * z_max / LEAST_Z_MAX))


def _run(
    compiled: Any,
    data: Mapping[str, Any],
    names: tuple[str, ...],
    *,
    options: CalibrationOptions,
    rng: np.random.Generator,
) -> Draws:
    """Draws of ``names`` with the lengths of chains that the options ask for."""
    return sample_nuts(
        compiled,
        data,
        names,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        seed=int(rng.integers(2**31)),
    )


def _redshift_nodes(
    tile: Tile, chosen: IntArray, survey: SurveyFit, options: CalibrationOptions
) -> RedshiftNodes:
    """Nodes of q(z | F) of the galaxies at positions ``chosen``."""
    z_grid = redshift_grid(options)
    density = labelled_density(
        tile.photometry.take(chosen), survey.frame, survey.population, z_grid
    )
    return gauss_nodes(density, z_grid)


def _choose_anchors(
    candidates: IntArray,
    tile: Tile,
    phi: FloatArray,
    survey: SurveyFit,
    options: CalibrationOptions,
    *,
    posterior: TilePosterior,
    rng: np.random.Generator,
) -> Anchors:
    """Anchors among the labelled galaxies at positions ``candidates``."""
    if len(candidates) == 0 or options.n_anchors == 0:
        return Anchors(index=np.empty(0, dtype=np.int64), weight=np.empty(0))
    nodes = _redshift_nodes(tile, candidates, survey, options)
    mag = standard_mag(tile, survey)[candidates]
    likely = propensity(phi[candidates], nodes, posterior, mag=mag).mean
    if options.anchors is AnchorRule.TOP:
        return top_anchors(candidates, likely, n_anchors=options.n_anchors)
    return stratified_anchors(candidates, likely, n_anchors=options.n_anchors, rng=rng)
