"""Offsets that were put in come out; what is no offset does not."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of, make_photometry

from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.zero_points import ZERO_POINT_SCALE, fit_zero_points

BANDS = ("g", "r", "i")
FRAME: LuptitudeFrame = make_frame_of(BANDS, softening=1e-14)
OFFSET = np.array([0.03, -0.025, -0.005])
SCATTER = 0.04


@pytest.fixture
def population() -> Mixture:
    """Types whose colours turn with redshift."""
    zeta = np.linspace(0.1, 0.9, 12)
    mag = 21.5 + np.outer(zeta, [2.0, 1.0, 0.4]) + 0.4 * np.sin(9 * zeta)[:, None] * [1, 0, -1]
    covariance = np.diag([0.02**2, *[SCATTER**2] * 3])
    covariance[1:, 1:] += 0.1**2
    return Mixture(
        weights=np.full(12, 1 / 12),
        means=np.column_stack([zeta, mag]),
        covariances=np.tile(covariance, (12, 1, 1)),
    )


def draw(population: Mixture, n: int) -> tuple[Photometry, np.ndarray]:
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, len(population.weights), n)
    drawn = np.array(
        [rng.multivariate_normal(population.means[k], population.covariances[k]) for k in kinds]
    ).reshape(n, 4)
    return make_photometry(drawn[:, 1:], bands=BANDS), np.expm1(np.maximum(drawn[:, 0], 0.01))


def error_of_mean(n: int) -> float:
    """Spread of an offset that n galaxies of this scatter and brightness pin, prior included."""
    information = n / (SCATTER**2 + 0.1**2) + 1 / ZERO_POINT_SCALE**2
    return float(information**-0.5)


def test_simulated_offsets_are_recovered(population: Mixture) -> None:
    photometry, z_spec = draw(population, 400)

    found = fit_zero_points(photometry.dimmed(-OFFSET), z_spec, frame=FRAME, population=population)

    np.testing.assert_allclose(found, OFFSET, atol=4 * error_of_mean(400))
    # Colours, in which the scatter of brightness cancels, are known better.
    np.testing.assert_allclose(np.diff(found), np.diff(OFFSET), atol=4 * SCATTER * np.sqrt(2 / 400))


def test_grey_offset_is_left_to_the_selection(population: Mixture) -> None:
    photometry, z_spec = draw(population, 400)

    found = fit_zero_points(
        photometry.dimmed(np.full(3, 0.3)), z_spec, frame=FRAME, population=population
    )

    assert found.mean() == pytest.approx(0.0, abs=1e-12)


def test_no_offset_is_found_where_there_is_none(population: Mixture) -> None:
    photometry, z_spec = draw(population, 400)

    found = fit_zero_points(photometry, z_spec, frame=FRAME, population=population)

    np.testing.assert_allclose(found, 0, atol=4 * error_of_mean(400))


def test_few_labels_are_pooled_towards_the_survey(population: Mixture) -> None:
    photometry, z_spec = draw(population, 2)

    none = fit_zero_points(
        photometry.take(np.arange(0)), np.empty(0), frame=FRAME, population=population
    )
    few = fit_zero_points(
        photometry.dimmed(np.full(3, 0.1)), z_spec, frame=FRAME, population=population
    )

    np.testing.assert_array_equal(none, np.zeros(3))
    # Two galaxies of scatter 0.1 mag weigh a twelfth of a prior of 0.02.
    assert np.all(np.abs(few) < 2 * ZERO_POINT_SCALE)


def test_wrong_labels_have_no_influence(population: Mixture) -> None:
    photometry, z_spec = draw(population, 400)
    wrong = z_spec.copy()
    wrong[::40] = 2.5

    right = fit_zero_points(photometry, z_spec, frame=FRAME, population=population)
    found = fit_zero_points(photometry, wrong, frame=FRAME, population=population)

    np.testing.assert_allclose(found, right, atol=error_of_mean(400))


def test_unobserved_band_does_no_harm(population: Mixture) -> None:
    photometry, z_spec = draw(population, 100)
    flux = photometry.flux.copy()
    flux[:, 1] = np.nan
    missing = Photometry(
        bands=BANDS,
        flux=flux,
        flux_err=np.where(np.isfinite(flux), photometry.flux_err, np.nan),
        is_detected=photometry.is_detected & np.isfinite(flux),
    )

    found = fit_zero_points(missing, z_spec, frame=FRAME, population=population)

    # Nothing is known of it: what is left is minus the mean of the others.
    assert found[1] == pytest.approx(-(found[0] + found[2]), abs=1e-9)
    assert abs(found[1]) < ZERO_POINT_SCALE / 2
    assert np.isfinite(found).all()
