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

Expectations under q are sums over its Gauss nodes (``quadrature``). The likelihood and its gradient
are compiled by hand (``_tile_kernels``), twenty times as fast as what the symbolic library makes of
the same sums; NUTS walks in coordinates in which the Laplace approximation of the posterior is a
standard normal (``laplace``), where three steps make an independent draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.selection._symbolic import compile_model, symbolic
from hbmlc_models.selection._tile_kernels import log_likelihood
from hbmlc_models.selection.laplace import LaplaceFit, fit_laplace
from hbmlc_models.selection.quadrature import N_NODES, RedshiftNodes

__all__ = [
    "ALPHA_SCALE",
    "GAMMA_SCALE",
    "MAX_FITTED",
    "TILT_SCALE",
    "TileData",
    "TilePriors",
    "build_tile_model",
    "compiled_tile_model",
    "tile_data_arrays",
]

MAX_FITTED = 1000
"""Galaxies of a tile that are fitted; more would not narrow what only the prior pins."""
ALPHA_SCALE = 1.0
"""Prior spread of a tile's selection around the survey's, in the whitened basis."""
GAMMA_SCALE = 1.5
"""Prior spread of the intercept around the survey's [logit]."""
TILT_SCALE = 0.3
"""Prior spread of the tilt of n(z) between tiles [per unit z]."""
_LIKELIHOOD = ("basis", "offset", "weight", "centre", "mag", "z_spec", "labelled")
"""Shared variables that the likelihood takes, in its order."""


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

    def mean(self) -> FloatArray:
        """Prior means of (alpha, gamma, beta, both tilts), ``(n_basis + 4,)``."""
        return np.concatenate([self.alpha, [self.gamma, self.beta_mean, 0.0, 0.0]])

    def scale(self) -> FloatArray:
        """Prior standard deviations of the same."""
        tail = [GAMMA_SCALE, self.beta_scale, TILT_SCALE, TILT_SCALE]
        return np.concatenate([np.full(len(self.alpha), ALPHA_SCALE), tail])


@dataclass(frozen=True, slots=True, kw_only=True)
class TileData:
    """What is fitted in a tile."""

    basis: FloatArray
    """Φ(F), ``(n_galaxies, n_basis)``."""
    nodes: RedshiftNodes
    """Nodes of q(z | F)."""
    mag: FloatArray
    """Standardised brightness, ``(n_galaxies,)``."""
    z_spec: FloatArray
    """Redshift of the labelled, standing for nothing elsewhere, ``(n_galaxies,)``; finite."""
    is_labelled: BoolArray
    """``(n_galaxies,)``."""


def tile_data_arrays(data: TileData, priors: TilePriors) -> dict[str, Any]:
    """Shared variables of the model."""
    shared = _likelihood_arrays(data)
    mean, scale = priors.mean(), priors.scale()
    fit = _laplace(shared, mean, scale)
    return {
        **shared,
        "prior_mean": mean,
        "prior_scale": scale,
        "whiten_centre": fit.mode,
        "whiten_factor": fit.factor,
    }


def _likelihood_arrays(data: TileData) -> dict[str, FloatArray]:
    """Data in the layout of the compiled likelihood: galaxies last."""
    centre = (data.nodes.z * data.nodes.weight).sum(axis=1)
    return {
        "basis": np.ascontiguousarray(data.basis.T),
        "offset": np.ascontiguousarray((data.nodes.z - centre[:, None]).T),
        "weight": np.ascontiguousarray(data.nodes.weight.T),
        "centre": centre,
        "mag": data.mag,
        "z_spec": data.z_spec,
        "labelled": data.is_labelled.astype(float),
    }


def _laplace(shared: Mapping[str, FloatArray], mean: FloatArray, scale: FloatArray) -> LaplaceFit:
    """Normal approximation of the posterior of the standardised parameters."""
    arrays = [shared[name] for name in _LIKELIHOOD]

    def log_density(raw: FloatArray) -> tuple[float, FloatArray]:
        value, gradient = log_likelihood(mean + scale * raw, *arrays)
        return value - 0.5 * float(raw @ raw), scale * gradient - raw

    return fit_laplace(log_density, len(mean))


@lru_cache(maxsize=4)
def compiled_tile_model(n_basis: int) -> Any:
    """Model compiled for NUTS; once per process and basis size, then only its data change."""
    return compile_model(build_tile_model(n_basis))


def build_tile_model(n_basis: int) -> Any:
    """PyMC model of one tile over placeholder data, to be exchanged by ``tile_data_arrays``."""
    pm, pt = symbolic()
    # Imports the symbolic library, which takes seconds.
    from hbmlc_models.selection._tile_op import symbolic_log_likelihood

    n = 2
    nodes = RedshiftNodes(z=np.zeros((n, N_NODES)), weight=np.full((n, N_NODES), 1 / N_NODES))
    placeholder = TileData(
        basis=np.zeros((n, n_basis)),
        nodes=nodes,
        mag=np.zeros(n),
        z_spec=np.zeros(n),
        is_labelled=np.zeros(n, dtype=bool),
    )
    priors = TilePriors(alpha=np.zeros(n_basis), gamma=0.0, beta_mean=0.0, beta_scale=1.0)
    with pm.Model() as model:
        shared = {
            name: pm.Data(name, value)
            for name, value in tile_data_arrays(placeholder, priors).items()
        }
        # A linear map of what the sampler sees: flat, because the prior is that of its image.
        whitened = pm.Flat("whitened", shape=n_basis + 4)
        raw = shared["whiten_centre"] + pt.dot(shared["whiten_factor"], whitened)
        # Only the prior pins beta: the data fit any factor exp(-beta z) equally well.
        pm.Potential("prior", pt.sum(pm.logp(pm.Normal.dist(), raw)))
        theta = shared["prior_mean"] + shared["prior_scale"] * raw
        pm.Deterministic("alpha", theta[:n_basis])
        pm.Deterministic("gamma", theta[n_basis])
        pm.Deterministic("beta", theta[n_basis + 1])
        pm.Deterministic("tilt", theta[n_basis + 2 :])
        likelihood = symbolic_log_likelihood(theta, *(shared[name] for name in _LIKELIHOOD))
        pm.Potential("likelihood", likelihood)
    return model
