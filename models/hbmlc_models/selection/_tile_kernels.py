"""Compiled inner loops of the tile model; galaxies are the last axis of what is fitted."""

from __future__ import annotations

import numpy as np
from numba import prange

from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection._compiled import compiled, dot, exp, log, total

__all__ = ["chances", "correct_rows", "log_likelihood"]


@compiled()
def log_likelihood(
    theta: FloatArray,
    basis: FloatArray,
    offset: FloatArray,
    weight: FloatArray,
    centre: FloatArray,
    mag: FloatArray,
    z_spec: FloatArray,
    labelled: FloatArray,
) -> tuple[float, FloatArray]:
    """Log likelihood of a tile (see ``tile_model``) and its gradient ``(n_basis + 4,)``.

    ``theta`` is (alpha, gamma, beta, both tilts); ``basis`` is ``(n_basis, n_galaxies)``;
    ``offset`` are redshift nodes relative to ``centre`` and ``weight`` their weights, both
    ``(n_nodes, n_galaxies)``; the others are ``(n_galaxies,)``.
    """
    n_basis, n = basis.shape
    gamma, beta = theta[n_basis], theta[n_basis + 1]
    tilt, change = theta[n_basis + 2], theta[n_basis + 3]
    eta = np.empty(n)
    slope = np.empty(n)
    for i in range(n):
        eta[i] = gamma
        slope[i] = tilt + change * mag[i]
    for j in range(n_basis):
        coefficient, column = theta[j], basis[j]
        for i in range(n):
            eta[i] += coefficient * column[i]
    # Sums of q e^(Tz) and of q e^(Tz - beta z) with their first moments, relative to the centre.
    norm, norm_z, unseen, unseen_z = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for k in range(len(offset)):
        away, share = offset[k], weight[k]
        for i in range(n):
            tilted = share[i] * exp(slope[i] * away[i])
            faded = tilted * exp(-beta * away[i])
            norm[i] += tilted
            norm_z[i] += tilted * away[i]
            unseen[i] += faded
            unseen_z[i] += faded * away[i]
    value, by_eta, by_slope, by_beta = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        seen = labelled[i]
        log_norm = log(norm[i])
        odds = eta[i] + beta * centre[i] - log(unseen[i]) + log_norm
        small = exp(-abs(odds))
        inverse = 1 / (1 + small)
        chance = inverse if odds >= 0 else small * inverse
        z = z_spec[i] - centre[i]
        mean, mean_unseen = norm_z[i] / norm[i], unseen_z[i] / unseen[i]
        value[i] = seen * odds - max(odds, 0.0) - log(1 + small) + seen * (slope[i] * z - log_norm)
        by_eta[i] = seen - chance
        by_slope[i] = seen * (z - mean) - by_eta[i] * (mean_unseen - mean)
        by_beta[i] = centre[i] + mean_unseen
    return total(value), _gradient(by_eta, by_slope, by_beta, basis, mag)


@compiled()
def _gradient(
    by_eta: FloatArray,
    by_slope: FloatArray,
    by_beta: FloatArray,
    basis: FloatArray,
    mag: FloatArray,
) -> FloatArray:
    """Gradient by the parameters ``(n_basis + 4,)`` from those by each galaxy's own numbers."""
    n_basis = len(basis)
    gradient = np.empty(n_basis + 4)
    for j in range(n_basis):
        gradient[j] = dot(by_eta, basis[j])
    gradient[n_basis] = total(by_eta)
    gradient[n_basis + 1] = dot(by_eta, by_beta)
    gradient[n_basis + 2] = total(by_slope)
    gradient[n_basis + 3] = dot(by_slope, mag)
    return gradient


@compiled(parallel=True)
def chances(
    linear: FloatArray,
    slope: FloatArray,
    beta: FloatArray,
    z_nodes: FloatArray,
    weight: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Sums of p(S=1 | F) and of its square over draws, both ``(n_galaxies,)``.

    ``linear`` is alpha'Phi + gamma and ``slope`` the tilt, both ``(n_galaxies, n_draws)``, ``beta``
    ``(n_draws,)``, redshift nodes and their weights ``(n_galaxies, n_nodes)``.
    """
    n_galaxies, n_draws = linear.shape
    sums, squares = np.empty(n_galaxies), np.empty(n_galaxies)
    for i in prange(n_galaxies):
        norm, unseen = np.zeros(n_draws), np.zeros(n_draws)
        centre = dot(z_nodes[i], weight[i])
        tilt, known = slope[i], linear[i]
        for k in range(z_nodes.shape[1]):
            away, share = z_nodes[i, k] - centre, weight[i, k]
            for draw in range(n_draws):
                tilted = share * exp(tilt[draw] * away)
                norm[draw] += tilted
                unseen[draw] += tilted * exp(-beta[draw] * away)
        for draw in range(n_draws):
            against = exp(-known[draw] - beta[draw] * centre) * (unseen[draw] / norm[draw])
            norm[draw] = 1 / (1 + against)
        sums[i] = total(norm)
        squares[i] = dot(norm, norm)
    return sums, squares


@compiled(parallel=True)
def correct_rows(
    density: FloatArray, position: FloatArray, factors: FloatArray, count: FloatArray
) -> FloatArray:
    """Mean over draws of normalised products of each density with factors, rows of sum one.

    ``density`` is ``(n_galaxies, n_grid)``; ``factors`` is ``(n_bright, n_slopes, n_grid)`` and
    ``position`` ``(n_galaxies,)`` says between which brightnesses a galaxy is; ``count``
    ``(n_slopes,)`` are the draws behind each slope.
    """
    n_galaxies, n_grid = density.shape
    answer = np.empty((n_galaxies, n_grid))
    for i in prange(n_galaxies):
        row, filled = density[i], answer[i]
        left = int(position[i])
        factor = np.zeros(n_grid)
        for side in range(2):
            share = position[i] - left if side else 1 - position[i] + left
            for k in range(len(count)):
                given = factors[left + side, k]
                part = share * count[k] / (dot(row, given) + 1e-300)
                for node in range(n_grid):
                    factor[node] += part * given[node]
        for node in range(n_grid):
            filled[node] = row[node] * factor[node]
        scale = 1 / total(filled)
        for node in range(n_grid):
            filled[node] *= scale
    return answer
