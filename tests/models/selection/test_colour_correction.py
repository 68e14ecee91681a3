"""A shipped population takes on the colours of the sky, and nothing else of it."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import BANDS, make_frame_of

from hbmlc_models.arrays import FloatArray
from hbmlc_models.photometry import Photometry, flux_from_luptitude
from hbmlc_models.selection.colour_correction import LabelledColours, correct_colours
from hbmlc_models.selection.mixture import Mixture

FRAME = make_frame_of()
N_BANDS = len(BANDS)
ERROR = 0.05
PHASES = np.array([0.0, 0.7, 1.4])
TILTED = np.array([0.12, 0.03, -0.05, -0.10])
"""A correction of mean zero [mag]."""


@pytest.fixture(scope="module")
def shipped() -> Mixture:
    """Types on two curves of colour in redshift, each with a spread of brightness."""
    log1p_z = np.linspace(0.05, 0.95, 19)
    tracks: list[FloatArray] = []
    for slope in (1.0, 0.4):
        colours = slope * np.sin(np.outer(log1p_z, [5.0, 4.0, 3.0]) + PHASES)
        mags = 22 + 1.5 * log1p_z[:, None] - np.cumsum(np.pad(colours, ((0, 0), (1, 0))), axis=1)
        tracks.append(np.column_stack([log1p_z, mags]))
    means = np.concatenate(tracks)
    covariance = np.full((N_BANDS + 1, N_BANDS + 1), 0.25)
    covariance[0, :] = covariance[:, 0] = 0.0
    covariance += np.diag([4e-4, *np.full(N_BANDS, 1e-3)])
    return Mixture(
        weights=np.full(len(means), 1 / len(means)),
        means=means,
        covariances=np.repeat(covariance[None], len(means), axis=0),
    )


def moved(population: Mixture, offset: FloatArray) -> Mixture:
    """Population with an offset [mag], ``(n_bands,)`` or one of each component."""
    means = population.means.copy()
    means[:, 1:] += offset
    return Mixture(weights=population.weights, means=means, covariances=population.covariances)


def observe(
    population: Mixture, n: int, *, seed: int = 1, weights: FloatArray | None = None
) -> tuple[tuple[FloatArray, FloatArray], FloatArray]:
    """Luptitudes with errors, and log(1+z), of galaxies of a population."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(population.weights), n, p=weights)
    root = np.linalg.cholesky(population.covariances)[chosen]
    drawn = population.means[chosen]
    drawn = drawn + np.einsum("nab,nb->na", root, rng.standard_normal(drawn.shape))
    noisy = drawn[:, 1:] + ERROR * rng.standard_normal((n, N_BANDS))
    return (noisy, np.full(noisy.shape, ERROR)), drawn[:, 0]


def witnesses(values: tuple[FloatArray, FloatArray], log1p_z: FloatArray) -> LabelledColours:
    flux = flux_from_luptitude(values[0], FRAME.softening)
    photometry = Photometry(
        bands=BANDS, flux=flux, flux_err=ERROR * flux, is_detected=np.ones(flux.shape, dtype=bool)
    )
    return LabelledColours.of(photometry, np.expm1(log1p_z), FRAME)


def unexplained(sky: tuple[FloatArray, FloatArray]) -> FloatArray:
    """What labels say of a sky where there are none."""
    return np.full(len(sky[0]), -np.inf)


def test_sky_alone_shows_a_correction_common_to_all_redshifts(shipped: Mixture) -> None:
    sky, _ = observe(moved(shipped, TILTED), 1_500)

    found = correct_colours(shipped, sky, unexplained(sky))

    offsets = found.means[:, 1:] - shipped.means[:, 1:]
    np.testing.assert_allclose(offsets, np.tile(TILTED, (len(offsets), 1)), atol=0.025)


def test_sky_of_the_same_colours_is_left_alone(shipped: Mixture) -> None:
    sky, _ = observe(shipped, 1_500)

    for labels in (None, witnesses(*observe(shipped, 200, seed=2))):
        found = correct_colours(shipped, sky, unexplained(sky), labels)

        np.testing.assert_allclose(found.means, shipped.means, atol=0.02)


def test_another_mix_of_galaxies_is_not_taken_for_a_correction(shipped: Mixture) -> None:
    n = len(shipped.weights)
    nearer = np.exp(-4 * shipped.means[:, 0]) * np.repeat([3.0, 1.0], n // 2)
    sky, _ = observe(shipped, 1_500, weights=nearer / nearer.sum())

    found = correct_colours(shipped, sky, unexplained(sky))

    np.testing.assert_allclose(found.means, shipped.means, atol=0.03)
    np.testing.assert_array_equal(found.weights, shipped.weights)


def test_grey_difference_is_no_correction(shipped: Mixture) -> None:
    sky, _ = observe(moved(shipped, np.full(N_BANDS, 0.3)), 1_500)

    found = correct_colours(shipped, sky, unexplained(sky))

    np.testing.assert_allclose((found.means - shipped.means)[:, 1:].mean(axis=1), 0, atol=1e-12)


def test_labels_show_a_correction_that_changes_with_redshift(shipped: Mixture) -> None:
    growing = np.outer((shipped.means[:, 0] - 0.5) / 0.45, 0.5 * TILTED)
    truth = moved(shipped, growing)
    sky, _ = observe(truth, 1_500)

    found = correct_colours(shipped, sky, unexplained(sky), witnesses(*observe(truth, 600, seed=2)))

    offsets = found.means[:, 1:] - shipped.means[:, 1:]
    np.testing.assert_allclose(offsets, growing, atol=0.03)


def test_correction_makes_the_truth_of_the_sky_more_probable(shipped: Mixture) -> None:
    sky, log1p_z = observe(moved(shipped, TILTED), 1_000)
    grid = np.linspace(0, 2, 401)

    def score(population: Mixture) -> float:
        density = population.density(population.evaluate(*sky), grid)
        nearest = np.abs(grid - np.expm1(log1p_z)[:, None]).argmin(axis=1)
        return float(np.log(density[np.arange(len(density)), nearest] + 1e-9).mean())

    found = correct_colours(shipped, sky, unexplained(sky))

    assert score(found) > score(shipped) + 0.3


def test_galaxies_unlike_any_type_have_little_say(shipped: Mixture) -> None:
    sky, _ = observe(moved(shipped, TILTED), 1_500)
    sky[0][::20, 0] -= 3.0

    found = correct_colours(shipped, sky, unexplained(sky))

    offsets = found.means[:, 1:] - shipped.means[:, 1:]
    np.testing.assert_allclose(offsets, np.tile(TILTED, (len(offsets), 1)), atol=0.04)


def test_sky_that_labels_explain_has_no_say(shipped: Mixture) -> None:
    truth = moved(shipped, TILTED)
    sky, _ = observe(truth, 500)
    learnt = truth.log_density(*sky)

    found = correct_colours(shipped, sky, learnt + 20.0)

    np.testing.assert_allclose(found.means, shipped.means, atol=1e-3)


def test_one_label_is_enough_to_be_heard(shipped: Mixture) -> None:
    sky, _ = observe(shipped, 300)
    values, log1p_z = observe(shipped, 1, seed=3)

    found = correct_colours(shipped, sky, unexplained(sky), witnesses(values, log1p_z))

    assert np.isfinite(found.means).all()
