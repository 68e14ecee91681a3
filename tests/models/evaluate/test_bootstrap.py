"""What paired intervals promise, where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.arrays import ShapeMismatchError
from hbmlc_models.evaluate import median_error, outlier_share, paired_ratio


def draw_errors(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Two methods that share the difficulty of galaxies; the first has 0.8 times the scatter."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(n)
    ours = 0.8 * (0.8 * shared + 0.6 * rng.standard_normal(n))
    return 0.05 * ours, 0.05 * (0.8 * shared + 0.6 * rng.standard_normal(n))


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    n_trials = 80

    hits = 0
    for seed in range(n_trials):
        ours, theirs = draw_errors(seed)
        rng = np.random.default_rng(seed)
        found = paired_ratio(ours, theirs, median_error, rng=rng, n_resamples=150)
        hits += found.low <= 0.8 <= found.high

    # 95 % of 80 trials, within four binomial standard deviations.
    assert hits >= 0.95 * n_trials - 4 * np.sqrt(n_trials * 0.95 * 0.05)


def test_pairing_narrows_the_interval() -> None:
    ours, theirs = draw_errors(1, n=2000)
    shuffled = np.random.default_rng(2).permutation(theirs)

    paired = paired_ratio(ours, theirs, median_error, rng=np.random.default_rng(0))
    apart = paired_ratio(ours, shuffled, median_error, rng=np.random.default_rng(0))

    assert paired.high - paired.low < 0.9 * (apart.high - apart.low)


@pytest.mark.parametrize("statistic", [median_error, outlier_share])
def test_a_method_equals_itself(statistic: object) -> None:
    errors = draw_errors(3)[0]

    found = paired_ratio(errors, errors, statistic, rng=np.random.default_rng(0), n_resamples=20)  # type: ignore[arg-type]

    assert (found.low, found.value, found.high) == (1.0, 1.0, 1.0)


def test_without_outliers_the_ratio_is_finite() -> None:
    ours, theirs = np.zeros(50), np.full(50, 0.01)

    found = paired_ratio(ours, theirs, outlier_share, rng=np.random.default_rng(0), n_resamples=20)

    assert found.value == found.high == 1.0


def test_the_statistic_is_averaged_over_runs() -> None:
    runs = np.stack([np.full(40, 0.1), np.full(40, 0.3)])

    found = paired_ratio(
        runs, np.full(40, 0.4), median_error, rng=np.random.default_rng(0), n_resamples=5
    )

    assert found.value == pytest.approx(0.2 / 0.4)


def test_methods_that_answered_for_different_galaxies_are_refused() -> None:
    with pytest.raises(ShapeMismatchError):
        paired_ratio(np.zeros(3), np.zeros(4), median_error, rng=np.random.default_rng(0))
