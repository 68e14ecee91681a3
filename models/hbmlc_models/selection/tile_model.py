r"""The hyper-parameters of one tile, sampled with NUTS; redshift is summed out.

The survey level gives :math:`q(z \mid F)`, the density of redshift among *selected* galaxies of
photometry :math:`F`. With :math:`p(S=1 \mid F, z) = \sigma(\alpha^T\Phi(F) + \beta z + \gamma)`,
Bayes' theorem leaves

.. math:: p(S=1 \mid F) &= \sigma\big(\alpha^T\Phi(F) + \gamma - \log E_q[e^{-\beta z}]\big) \\
          p(z \mid F, S=0) &\propto q(z \mid F)\, e^{-\beta z}

exactly: the selection never has to be normalised over photometry, and what only the prior can pin
(:math:`\beta`) stands alone. A tile may have more or fewer distant galaxies than the survey:

.. math:: q_\tau(z \mid F) \propto q(z \mid F)\, e^{T(z, m)}, \quad
          T = (\tau_0 + \tau_1 (m - \bar m)/\Delta m)\,z

Expectations under q are means over its quantile nodes, nine for each galaxy.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.selection._symbolic import compile_model, symbolic

__all__ = [
    "ALPHA_SCALE",
    "GAMMA_SCALE",
    "MAX_FITTED",
    "N_NODES",
    "TileData",
    "TilePriors",
    "build_tile_model",
    "compiled_tile_model",
    "tile_data_arrays",
]

N_NODES = 9
"""Quantile nodes of each galaxy's density."""
MAX_FITTED = 1000
"""Galaxies of a tile that are fitted; more would not narrow what only the prior pins."""
ALPHA_SCALE = 1.0
"""Prior spread of a tile's selection around the survey's, in the whitened basis."""
GAMMA_SCALE = 1.5
"""Prior spread of the intercept around the survey's [logit]."""
TILT_SCALE = 0.3
"""Prior spread of the tilt of n(z) between tiles [per unit z]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TilePriors:
    """Priors of one tile."""

    alpha: FloatArray
    """Mean of the selection coefficients, ``(n_basis,)``: the survey's."""
    gamma: float
    """Mean of the intercept."""
    beta_mean: float
    """Mean of the redshift dependence of the selection, per unit redshift."""
    beta_scale: float
    """Its standard deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileData:
    """What is fitted in a tile."""

    basis: FloatArray
    """Φ(F), ``(n_galaxies, n_basis)``."""
    z_nodes: FloatArray
    """Quantile nodes of q(z | F), ``(n_galaxies, N_NODES)``."""
    mag: FloatArray
    """Standardised brightness, ``(n_galaxies,)``."""
    z_spec: FloatArray
    """Redshift of the labelled, standing for nothing elsewhere, ``(n_galaxies,)``; finite."""
    is_labelled: BoolArray
    """``(n_galaxies,)``."""


def tile_data_arrays(data: TileData, priors: TilePriors) -> dict[str, Any]:
    """Shared variables of the model."""
    return {
        "basis": data.basis,
        "z_nodes": data.z_nodes,
        "mag": data.mag,
        "z_spec": data.z_spec,
        "labelled": data.is_labelled.astype(float),
        "alpha_mean": priors.alpha,
        "gamma_mean": np.array(priors.gamma),
        "beta_prior": np.array([priors.beta_mean, priors.beta_scale]),
    }


@lru_cache(maxsize=4)
def compiled_tile_model(n_basis: int) -> Any:
    """Model compiled for NUTS; once per process and basis size, then only its data change."""
    return compile_model(build_tile_model(n_basis))


def build_tile_model(n_basis: int) -> Any:
    """PyMC model of one tile over placeholder data, to be exchanged by ``tile_data_arrays``."""
    pm, pt = symbolic()

    placeholder = TileData(
        basis=np.zeros((2, n_basis)),
        z_nodes=np.zeros((2, N_NODES)),
        mag=np.zeros(2),
        z_spec=np.zeros(2),
        is_labelled=np.zeros(2, dtype=bool),
    )
    priors = TilePriors(alpha=np.zeros(n_basis), gamma=0.0, beta_mean=0.0, beta_scale=1.0)
    with pm.Model() as model:
        shared = {
            name: pm.Data(name, value)
            for name, value in tile_data_arrays(placeholder, priors).items()
        }
        alpha_raw = pm.Normal("alpha_raw", shape=n_basis)
        gamma_raw = pm.Normal("gamma_raw")
        # Only the prior pins beta: the data fit any factor exp(-beta z) equally well.
        beta_raw = pm.Normal("beta_raw")
        tilt_raw = pm.Normal("tilt_raw", shape=2)
        alpha = pm.Deterministic("alpha", shared["alpha_mean"] + ALPHA_SCALE * alpha_raw)
        gamma = pm.Deterministic("gamma", shared["gamma_mean"] + GAMMA_SCALE * gamma_raw)
        beta = pm.Deterministic(
            "beta", shared["beta_prior"][0] + shared["beta_prior"][1] * beta_raw
        )
        tilt = pm.Deterministic("tilt", TILT_SCALE * tilt_raw)

        nodes = shared["z_nodes"]
        slope = tilt[0] + tilt[1] * shared["mag"]
        log_tilt = slope[:, None] * nodes
        log_norm = pt.logsumexp(log_tilt, axis=1)
        log_odds_z = pt.logsumexp(log_tilt - beta * nodes, axis=1) - log_norm
        eta = pt.dot(shared["basis"], alpha) + gamma - log_odds_z
        labelled = shared["labelled"]
        log_selected = -labelled * pt.softplus(-eta) - (1 - labelled) * pt.softplus(eta)
        log_z = labelled * (slope * shared["z_spec"] - log_norm + np.log(N_NODES))
        pm.Potential("likelihood", pt.sum(log_selected + log_z))
    return model
