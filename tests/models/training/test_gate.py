"""The gate opens for what is better beyond chance, and for nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbmlc_models.arrays import ShapeMismatchError
from hbmlc_models.training import GateVerdict, Scores, beats


def make_scores(n_galaxies: int = 80, *, seed: int = 1, shift: float = 0.0) -> Scores:
    """Scores of a version whose losses are lower by ``shift`` than those of the same seed."""
    rng = np.random.default_rng(seed)
    return Scores(
        cde_loss=rng.normal(-5, 3, n_galaxies) - shift,
        scaled_error=rng.normal(0, 0.02, n_galaxies),
        weight=rng.lognormal(0, 1, n_galaxies),
    )


def judge(new: Scores, current: Scores | None) -> GateVerdict:
    return beats(new, current, against="m:1", rng=np.random.default_rng(0))


def test_lower_losses_on_the_same_galaxies_are_better() -> None:
    rng = np.random.default_rng(2)
    current = make_scores()
    new = replace(current, cde_loss=current.cde_loss - 0.5 + rng.normal(0, 0.5, 80))

    verdict = judge(new, current)

    assert verdict.is_better
    assert "better" in verdict.reason
    assert "m:1" in verdict.reason
    assert verdict.difference == pytest.approx(-0.5, abs=4 * (verdict.standard_error or 0))


def test_what_differs_by_chance_is_not_better() -> None:
    opened = sum(
        judge(replace(make_scores(seed=k), weight=np.ones(80)), make_scores(seed=k + 500)).is_better
        for k in range(200)
    )

    # One-sided 95 % by chance alone; four standard deviations of a binomial above it.
    assert opened <= 0.05 * 200 + 4 * np.sqrt(200 * 0.05 * 0.95)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), shift=st.floats(-2, 2))
def test_no_two_versions_beat_each_other(seed: int, shift: float) -> None:
    one, other = make_scores(seed=seed), make_scores(seed=seed + 1, shift=shift)
    other = replace(other, weight=one.weight)

    assert not (judge(one, other).is_better and judge(other, one).is_better)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000))
def test_nothing_beats_itself(seed: int) -> None:
    scores = make_scores(seed=seed)

    assert not judge(scores, scores).is_better


@settings(max_examples=25, deadline=None)
@given(factor=st.floats(1e-3, 1e3), seed=st.integers(0, 100))
def test_the_unit_of_the_weights_does_not_matter(factor: float, seed: int) -> None:
    new, current = make_scores(seed=seed, shift=1), make_scores(seed=seed + 1)
    scaled = replace(new, weight=factor * new.weight)

    first, second = judge(new, current), judge(scaled, current)

    assert second.difference == pytest.approx(first.difference)
    assert second.standard_error == pytest.approx(first.standard_error)


def test_galaxies_that_stand_for_the_sky_decide() -> None:
    current = make_scores()
    is_faint = np.arange(80) < 20
    weight = np.where(is_faint, 50.0, 1.0)
    loss = current.cde_loss + np.where(is_faint, -1.0, 0.4)

    assert not judge(replace(current, cde_loss=loss, weight=np.ones(80)), current).is_better
    assert judge(replace(current, cde_loss=loss, weight=weight), current).is_better


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (lambda error: 3 * error, "scatter"),
        (
            lambda error: np.where(np.abs(error) > np.quantile(np.abs(error), 0.75), 0.5, error),
            "outliers",
        ),
    ],
)
def test_better_densities_do_not_excuse_worse_redshifts(error: object, named: str) -> None:
    current = make_scores()
    new = replace(
        current,
        cde_loss=current.cde_loss - 1,
        scaled_error=error(current.scaled_error),  # type: ignore[operator]
    )

    verdict = judge(new, current)

    assert not verdict.is_better
    assert named in verdict.reason


def test_where_there_is_nothing_to_beat_the_gate_is_open() -> None:
    verdict = judge(make_scores(), None)

    assert verdict.is_better
    assert verdict.compared_with is None
    assert verdict.n_held_out == 80


def test_versions_are_compared_on_the_same_galaxies_only() -> None:
    with pytest.raises(ShapeMismatchError):
        judge(make_scores(80), make_scores(79))
