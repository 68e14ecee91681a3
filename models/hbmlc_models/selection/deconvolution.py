r"""Noise taken out of a mixture that was fitted to galaxies which have some.

Dimmed copies of bright galaxies are nearly free of noise; labels as faint as the sky are not, and a
mixture that describes their scatter would have the noise counted twice when galaxies are judged by
it. With the errors :math:`E_i` of each copy, expectation maximisation (Bovy, Hogg & Roweis 2011,
arXiv:0905.2979, Eqs. 13-16) finds the components behind the noise:

.. math:: T_{ik} &= S_k + E_i, \qquad b_{ik} = S_k T_{ik}^{-1}(x_i - m_k), \qquad
                    B_{ik} = S_k - S_k T_{ik}^{-1} S_k \\
          S_k &= \frac{\sum_i q_{ik}\,[(b - \bar b)(b - \bar b)^T + B]_{ik} + \nu S_k^0}
                      {\sum_i q_{ik} + \nu}

The second sum keeps covariances near those of the plain fit where few labels are behind them. The
products with :math:`S_k` are taken after the sums, once for each component.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._conditioning import pack
from hbmlc_models.selection._fit_kernels import noisy_sums
from hbmlc_models.selection.mixture import (
    Mixture,
    covariance_floor,
    log_weights,
    luptitudes_from_colours,
)

__all__ = ["deconvolve"]

N_ITERATIONS = 15
"""Steps from the plain fit; later ones change densities by less than another seed does."""
SHARE_CUT = 1e-3
"""Components with less of a galaxy than this learn nothing from it."""
PRIOR_LABELS = 10.0
"""Weight of the plain fit's covariances, in labelled galaxies."""


def deconvolve(
    plain: Mixture,
    log1p_z: FloatArray,
    luptitudes: FloatArray,
    errors: FloatArray,
    *,
    reference: int,
    copies_per_label: float,
) -> Mixture:
    """Mixture of galaxies without their noise, from the ``plain`` fit to noisy ones.

    ``log1p_z`` is ``(n_galaxies,)``, luptitudes and their errors ``(n_galaxies, n_bands)``;
    ``copies_per_label`` says how many galaxies one independent label stands for.
    """
    values = np.column_stack([log1p_z, luptitudes])
    noise = np.column_stack([np.zeros(len(log1p_z)), errors**2])
    n_bands = luptitudes.shape[1]
    bands = tuple(range(n_bands))
    floor = covariance_floor(luptitudes_from_colours(n_bands, reference))
    strength = PRIOR_LABELS * copies_per_label
    weights, means, covariances = plain.weights, plain.means, plain.covariances
    for _ in range(N_ITERATIONS):
        counts, shifts, scatters = noisy_sums(
            bands,
            pack(means, covariances),
            log_weights(weights),
            values,
            noise,
            means,
            covariances,
            SHARE_CUT,
        )
        mean_shift = shifts / np.maximum(counts, 1e-9)[:, None]
        scatters -= counts[:, None, None] * mean_shift[:, :, None] * mean_shift[:, None, :]
        covariances = scatters + strength * plain.covariances
        covariances /= (counts + strength)[:, None, None]
        covariances = 0.5 * (covariances + covariances.swapaxes(1, 2)) + floor
        weights = counts / counts.sum()
        means = means + mean_shift
    return Mixture(weights=weights, means=means, covariances=covariances)
