"""Recalibration makes the PIT flat where labels say it is not, and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from hbmlc_models.metrics import pit, pit_ks
from hbmlc_models.pdf import normalise
from hbmlc_models.recalibration import (
    PRIOR_SCALE,
    UNCHANGED,
    PitSample,
    Recalibration,
    fit_recalibration,
)

Z_GRID = np.linspace(0, 3, 301)
NOBODY = PitSample(pit=np.empty(0), weight=np.empty(0))
offsets = st.floats(-3 * PRIOR_SCALE, 3 * PRIOR_SCALE)


def sample(pit_values: np.ndarray) -> PitSample:
    return PitSample(pit=pit_values, weight=np.ones(len(pit_values)))


def peaks(rng: np.random.Generator, n: int, *, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Normal densities of a width, rows of sum one, and their centres."""
    centre = rng.uniform(0.8, 2.2, n)
    density = np.exp(-0.5 * ((Z_GRID - centre[:, None]) / width) ** 2)
    return density / density.sum(axis=1, keepdims=True), centre


@given(shift=offsets, width=offsets)
def test_density_stays_a_density(shift: float, width: float) -> None:
    density, _ = peaks(np.random.default_rng(1), 5, width=0.1)

    found = Recalibration(shift=shift, width=width)(density)

    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    assert (found >= 0).all()


@given(shift=offsets, width=offsets)
def test_cumulative_density_goes_through_the_beta_law(shift: float, width: float) -> None:
    density, _ = peaks(np.random.default_rng(2), 3, width=0.2)
    law = beta(np.exp(width + shift), np.exp(width - shift))

    found = Recalibration(shift=shift, width=width)(density)

    wanted = law.cdf(np.clip(np.cumsum(density, axis=1), 0, 1))
    np.testing.assert_allclose(np.cumsum(found, axis=1), wanted, atol=3e-4)


def test_nothing_to_mend_changes_nothing() -> None:
    density, _ = peaks(np.random.default_rng(3), 4, width=0.1)

    assert UNCHANGED(density) is density


def test_law_behind_many_labels_is_found() -> None:
    law = beta(np.exp(0.2 + 0.1), np.exp(0.2 - 0.1))
    found_in = sample(law.rvs(40_000, random_state=4))

    found = fit_recalibration(found_in, found_in)

    # The law's parameters are known to 1/sqrt(n), and the prior weighs as a hundred galaxies.
    assert found.shift == pytest.approx(0.1, abs=0.01)
    assert found.width == pytest.approx(0.2, abs=0.02)


def test_wrong_densities_are_mended() -> None:
    rng = np.random.default_rng(5)
    density, centre = peaks(rng, 20_000, width=0.1)
    z_true = centre + 0.03 + 0.07 * rng.standard_normal(len(centre))
    before = pit(normalise(density, Z_GRID), Z_GRID, z_true)

    mended = fit_recalibration(sample(before), sample(before))(density)

    after = pit(normalise(mended, Z_GRID), Z_GRID, z_true)
    assert pit_ks(before) > 0.1
    assert pit_ks(after) < 0.02


def test_without_labels_nothing_is_mended() -> None:
    found = fit_recalibration(NOBODY, NOBODY)

    assert found.shift == pytest.approx(0, abs=1e-4)
    assert found.width == pytest.approx(0, abs=1e-4)


def test_labels_that_were_learnt_from_say_nothing_of_the_width() -> None:
    narrow = sample(beta(5, 5).rvs(2_000, random_state=6))

    assert fit_recalibration(narrow, NOBODY).width == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("n_labels", [1, 5, 20])
def test_few_labels_move_little(n_labels: int) -> None:
    worst = sample(np.ones(n_labels))

    found = fit_recalibration(worst, worst)

    # Each label pushes by less than eight in log density, against a prior of 1/PRIOR_SCALE².
    assert abs(found.shift) < 8 * n_labels * PRIOR_SCALE**2 + 0.01


def test_one_galaxy_that_stands_for_all_counts_as_one() -> None:
    pit_values = np.full(1_000, 0.9)
    weight = np.full(1_000, 1e-6)
    weight[0] = 1.0
    lone = PitSample(pit=pit_values, weight=weight)

    assert fit_recalibration(lone, lone).shift == pytest.approx(
        fit_recalibration(sample(pit_values[:1]), sample(pit_values[:1])).shift, abs=1e-3
    )
