r"""Figures of merit of photometric redshifts: of points, and of densities on a redshift grid.

Point estimates are judged by the scaled error :math:`\Delta z/(1+z)`; fractions are never per cent.
Densities ``pdf`` are ``(n_galaxies, n_grid)`` on the nodes ``z_grid`` ``(n_grid,)``, linear in
between, and integrate to one. Conventions follow Schmidt et al. 2020 (MNRAS 499, 1587).
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = [
    "CATASTROPHIC_THRESHOLD",
    "bias_mean",
    "bias_median",
    "brier",
    "cde_loss",
    "cde_losses",
    "cdf_on_grid",
    "crps",
    "delta_z",
    "interpolate_rows",
    "nmad",
    "nmad_centred",
    "outlier_fraction",
    "outlier_fraction_3sigma",
    "pit",
    "pit_ks",
    "pit_outlier_rate",
    "scaled_delta_z",
    "sigma_iqr",
]

CATASTROPHIC_THRESHOLD = 0.15
"""Scaled error above which a photo-z is catastrophic; Hildebrandt et al. 2010 (A&A 523, A31)."""
NMAD_FACTOR = 1.48
"""Median absolute deviation to sigma, as the photo-z literature rounds it (Ilbert et al. 2006)."""
NMAD_CENTRED_FACTOR = 1.4826
"""Median absolute deviation to sigma of a normal distribution."""
IQR_FACTOR = 1.349
"""Inter-quartile range of a unit normal distribution."""
OUTLIER_FLOOR = 0.06
"""Least threshold of the 3-sigma outliers; LSST Science Requirements."""


def delta_z(z_phot: FloatArray, z_spec: FloatArray) -> FloatArray:
    """Error of the photo-z, ``(n_galaxies,)``."""
    return z_phot - z_spec


def scaled_delta_z(z_phot: FloatArray, z_spec: FloatArray) -> FloatArray:
    """Error of the photo-z over ``1 + z_spec``, ``(n_galaxies,)``."""
    return delta_z(z_phot, z_spec) / (1 + z_spec)


def nmad(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Scatter of the scaled redshift error about zero; both inputs ``(n_galaxies,)``.

    Examples
    --------
    >>> nmad(np.array([1.1, 0.9, 1.2]), np.array([1.0, 1.0, 1.0]))
    0.074
    """
    return float(np.round(NMAD_FACTOR * np.median(np.abs(scaled_delta_z(z_phot, z_spec))), 15))


def nmad_centred(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Scatter of the scaled redshift error about its median; both inputs ``(n_galaxies,)``."""
    scaled = scaled_delta_z(z_phot, z_spec)
    return float(NMAD_CENTRED_FACTOR * np.median(np.abs(scaled - np.median(scaled))))


def sigma_iqr(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Scatter of the scaled redshift error from its inter-quartile range."""
    q25, q75 = np.quantile(scaled_delta_z(z_phot, z_spec), [0.25, 0.75])
    return float((q75 - q25) / IQR_FACTOR)


def outlier_fraction(
    z_phot: FloatArray, z_spec: FloatArray, *, threshold: float = CATASTROPHIC_THRESHOLD
) -> float:
    """Fraction of galaxies whose absolute scaled error exceeds ``threshold``."""
    return float(np.mean(np.abs(scaled_delta_z(z_phot, z_spec)) > threshold))


def outlier_fraction_3sigma(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Fraction of galaxies beyond three ``sigma_iqr``, with 0.06 as the least threshold."""
    threshold = max(OUTLIER_FLOOR, 3 * sigma_iqr(z_phot, z_spec))
    return outlier_fraction(z_phot, z_spec, threshold=threshold)


def bias_mean(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Mean of the redshift error, not scaled."""
    return float(np.mean(z_phot - z_spec))


def bias_median(z_phot: FloatArray, z_spec: FloatArray) -> float:
    """Median of the scaled redshift error."""
    return float(np.median(scaled_delta_z(z_phot, z_spec)))


def cdf_on_grid(pdf: FloatArray, z_grid: FloatArray) -> FloatArray:
    """Cumulative distribution at the nodes, ``(n_galaxies, n_grid)``, from 0 to exactly 1."""
    steps = 0.5 * (pdf[:, 1:] + pdf[:, :-1]) * np.diff(z_grid)
    cdf = np.zeros(pdf.shape)
    np.cumsum(steps, axis=1, out=cdf[:, 1:])
    return cdf / cdf[:, -1:]


def interpolate_rows(values: FloatArray, z_grid: FloatArray, z: FloatArray) -> FloatArray:
    """Row ``k`` of ``values`` ``(n, n_grid)`` at ``z[k]``: linear, constant outside the grid."""
    z = np.clip(z, z_grid[0], z_grid[-1])
    left = np.clip(np.searchsorted(z_grid, z, side="right") - 1, 0, len(z_grid) - 2)
    weight = (z - z_grid[left]) / (z_grid[left + 1] - z_grid[left])
    row = np.arange(len(z))
    return (1 - weight) * values[row, left] + weight * values[row, left + 1]


def pit(pdf: FloatArray, z_grid: FloatArray, z_spec: FloatArray) -> FloatArray:
    """Probability integral transform, ``(n_galaxies,)``; uniform where densities are calibrated."""
    return interpolate_rows(cdf_on_grid(pdf, z_grid), z_grid, z_spec)


def pit_ks(pit_values: FloatArray) -> float:
    """Kolmogorov-Smirnov distance of PIT values ``(n_galaxies,)`` from uniform.

    Examples
    --------
    >>> pit_ks(np.array([0.5]))
    0.5
    """
    ordered = np.sort(pit_values)
    n = len(ordered)
    rank = np.arange(n)
    return float(max(np.max((rank + 1) / n - ordered), np.max(ordered - rank / n)))


def pit_outlier_rate(pit_values: FloatArray, *, edge: float = 1e-4) -> float:
    """Fraction of PIT values within ``edge`` of 0 or 1; ``2 * edge`` where calibrated."""
    return float(np.mean((pit_values < edge) | (pit_values > 1 - edge)))


def cde_loss(pdf: FloatArray, z_grid: FloatArray, z_spec: FloatArray) -> float:
    """Conditional density loss up to a constant, lower is better; Izbicki & Lee 2017, Eq. 7."""
    return float(np.mean(cde_losses(pdf, z_grid, z_spec)))


def cde_losses(pdf: FloatArray, z_grid: FloatArray, z_spec: FloatArray) -> FloatArray:
    """Part of each galaxy in ``cde_loss``, ``(n_galaxies,)``."""
    # The square of a function that is linear between nodes: Simpson's rule is exact for it.
    left, right = pdf[:, :-1], pdf[:, 1:]
    square = (left**2 + left * right + right**2) / 3 @ np.diff(z_grid)
    return square - 2 * _density_at(pdf, z_grid, z_spec)


def crps(pdf: FloatArray, z_grid: FloatArray, z_spec: FloatArray) -> float:
    r"""Mean continuous ranked probability score [redshift], lower is better.

    Notes
    -----
    :math:`\int (F(z) - 1[z \ge z_{spec}])^2 dz`, split at ``z_spec``: the step costs no accuracy.
    """
    cdf = cdf_on_grid(pdf, z_grid)
    below = _cumulative(cdf**2, z_grid)
    above = _cumulative((1 - cdf) ** 2, z_grid)
    outside = np.maximum(z_spec - z_grid[-1], 0) + np.maximum(z_grid[0] - z_spec, 0)
    scores = interpolate_rows(below, z_grid, z_spec) + above[:, -1]
    scores = scores - interpolate_rows(above, z_grid, z_spec) + outside
    return float(np.mean(scores))


def brier(pdf: FloatArray, z_grid: FloatArray, z_spec: FloatArray) -> float:
    """Mean Brier score over the cells around the nodes, in 0…2, lower is better; Brier 1950."""
    edges = np.concatenate([z_grid[:1], 0.5 * (z_grid[1:] + z_grid[:-1]), z_grid[-1:]])
    probability = pdf * np.diff(edges)
    probability = probability / probability.sum(axis=1, keepdims=True)
    cell = np.clip(np.searchsorted(edges, z_spec, side="right") - 1, 0, len(z_grid) - 1)
    hit = probability[np.arange(len(z_spec)), cell]
    return float(np.mean(np.sum(probability**2, axis=1) - 2 * hit + 1))


def _density_at(pdf: FloatArray, z_grid: FloatArray, z: FloatArray) -> FloatArray:
    """Density at ``z`` ``(n_galaxies,)``; zero outside the grid."""
    inside = (z >= z_grid[0]) & (z <= z_grid[-1])
    return np.where(inside, interpolate_rows(pdf, z_grid, z), 0.0)


def _cumulative(values: FloatArray, z_grid: FloatArray) -> FloatArray:
    """Trapezoidal integral from the first node to each node, same shape."""
    total = np.zeros(values.shape)
    np.cumsum(0.5 * (values[:, 1:] + values[:, :-1]) * np.diff(z_grid), axis=1, out=total[:, 1:])
    return total
