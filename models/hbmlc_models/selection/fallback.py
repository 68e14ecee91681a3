"""What is known of a tile without its chains: the survey's selection, and priors of the rest."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.stats import truncnorm

from hbmlc_models.selection.sampler import Convergence, Draws
from hbmlc_models.selection.seed_model import MU_Z_PRIOR, SIGMA_Z_PRIOR
from hbmlc_models.selection.tile_model import TILT_SCALE, TilePriors

__all__ = ["no_chains", "survey_draws"]


def no_chains(n_tries: int = 2) -> Convergence:
    """Diagnostics where there was nothing to diagnose."""
    return Convergence(r_hat=math.nan, ess=0.0, n_divergences=0, n_tries=n_tries)


def survey_draws(
    priors: TilePriors,
    convergence: Convergence,
    *,
    n_draws: int,
    with_normal_redshifts: bool,
    rng: np.random.Generator,
) -> Draws:
    """Draws that any tile of the survey could have: they widen p(z) and claim nothing of this one.

    Selection coefficients are the survey's; the dependence on redshift, which no data pin, and the
    tilt (or the normal n(z) of the seed model) are drawn from their priors. ``convergence`` of the
    chains that they replace is kept and says so.
    """
    values = {
        "alpha": np.tile(priors.alpha, (n_draws, 1)),
        "gamma": np.full(n_draws, priors.gamma),
        "beta": rng.normal(priors.beta_mean, priors.beta_scale, n_draws),
    }
    if with_normal_redshifts:
        mean, scale = MU_Z_PRIOR
        uniform = rng.random(n_draws)
        values["mu_z"] = np.asarray(truncnorm.ppf(uniform, -mean / scale, np.inf, mean, scale))
        values["sigma_z"] = rng.lognormal(math.log(SIGMA_Z_PRIOR[0]), SIGMA_Z_PRIOR[1], n_draws)
    else:
        values["tilt"] = TILT_SCALE * rng.standard_normal((n_draws, 2))
    return Draws(values=values, convergence=replace(convergence, is_replaced=True))
