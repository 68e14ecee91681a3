r"""One tile under the model as first published; redshift is summed out on nodes.

.. math:: z \sim N(\mu_z, \sigma_z^2), \quad F \mid z \sim N(g(z), \Sigma_F), \quad
          p(S=1 \mid F, z) = \sigma(\alpha^T\Phi(F) + \beta z + \gamma)

Labelled galaxies have a known redshift; for the others the joint density of photometry and
selection is summed over the nodes of a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.selection._symbolic import compile_model, symbolic
from hbmlc_models.selection.tile_model import ALPHA_SCALE, GAMMA_SCALE, TilePriors

__all__ = [
    "MAX_SEED_FITTED",
    "MU_Z_PRIOR",
    "SIGMA_Z_PRIOR",
    "SeedTileData",
    "build_seed_model",
    "compiled_seed_model",
    "seed_data_arrays",
]

MAX_SEED_FITTED = 400
"""Galaxies of a tile that are fitted."""
MU_Z_PRIOR = (0.8, 0.5)
"""Mean and spread of the normal prior of the mean redshift, above zero: a survey to i = 24-25."""
SIGMA_Z_PRIOR = (0.4, 0.4)
"""Median and spread in the logarithm of the prior of the width of n(z)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedTileData:
    """What is fitted in a tile."""

    basis: FloatArray
    """Φ(F), ``(n_galaxies, n_basis)``."""
    log_likelihood: FloatArray
    """log p(F | z) on the nodes, ``(n_galaxies, n_nodes)``."""
    z_spec: FloatArray
    """Redshift of the labelled; finite, of no consequence elsewhere, ``(n_galaxies,)``."""
    is_labelled: BoolArray
    """``(n_galaxies,)``."""
    z_nodes: FloatArray
    """Nodes, ``(n_nodes,)``."""


def seed_data_arrays(data: SeedTileData, priors: TilePriors) -> dict[str, Any]:
    """Shared variables of the model."""
    return {
        "basis": data.basis,
        "log_likelihood": data.log_likelihood - data.log_likelihood.max(axis=1, keepdims=True),
        "z_spec": data.z_spec,
        "labelled": data.is_labelled.astype(float),
        "alpha_mean": priors.alpha,
        "gamma_mean": np.array(priors.gamma),
        "beta_prior": np.array([priors.beta_mean, priors.beta_scale]),
        "z_nodes": data.z_nodes,
    }


@lru_cache(maxsize=4)
def compiled_seed_model(n_basis: int, n_nodes: int) -> Any:
    """Model compiled for NUTS; once per process and shape."""
    return compile_model(build_seed_model(n_basis, n_nodes))


def build_seed_model(n_basis: int, n_nodes: int) -> Any:
    """PyMC model of one tile over placeholder data, to be exchanged by ``seed_data_arrays``."""
    pm, pt = symbolic()

    placeholder = SeedTileData(
        basis=np.zeros((2, n_basis)),
        log_likelihood=np.zeros((2, n_nodes)),
        z_spec=np.zeros(2),
        is_labelled=np.zeros(2, dtype=bool),
        z_nodes=np.linspace(0, 3, n_nodes),
    )
    priors = TilePriors(alpha=np.zeros(n_basis), gamma=0.0, beta_mean=0.0, beta_scale=1.0)
    with pm.Model() as model:
        shared = {
            name: pm.Data(name, value)
            for name, value in seed_data_arrays(placeholder, priors).items()
        }
        mu_z = pm.TruncatedNormal("mu_z", *MU_Z_PRIOR, lower=0.0)
        sigma_z = pm.LogNormal("sigma_z", np.log(SIGMA_Z_PRIOR[0]), SIGMA_Z_PRIOR[1])
        alpha_raw = pm.Normal("alpha_raw", shape=n_basis)
        gamma_raw = pm.Normal("gamma_raw")
        # Only the prior pins beta: the data fit any factor exp(-beta z) equally well.
        beta_raw = pm.Normal("beta_raw")
        alpha = pm.Deterministic("alpha", shared["alpha_mean"] + ALPHA_SCALE * alpha_raw)
        gamma = pm.Deterministic("gamma", shared["gamma_mean"] + GAMMA_SCALE * gamma_raw)
        beta = pm.Deterministic(
            "beta", shared["beta_prior"][0] + shared["beta_prior"][1] * beta_raw
        )
        nodes = shared["z_nodes"]
        log_prior = -0.5 * ((nodes - mu_z) / sigma_z) ** 2
        log_norm = pt.logsumexp(log_prior)
        linear = pt.dot(shared["basis"], alpha) + gamma
        eta = linear[:, None] + beta * nodes
        terms = shared["log_likelihood"] + log_prior - log_norm - pt.softplus(eta)
        log_unlabelled = pt.logsumexp(terms, axis=1)
        z_spec = shared["z_spec"]
        log_labelled = (
            -0.5 * ((z_spec - mu_z) / sigma_z) ** 2
            - log_norm
            - pt.softplus(-(linear + beta * z_spec))
        )
        labelled = shared["labelled"]
        log_all = labelled * log_labelled + (1 - labelled) * log_unlabelled
        pm.Potential("likelihood", pt.sum(log_all))
    return model
