"""The basis of the selection, and the distances, hold-out and propensity that stand on it."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import BANDS, make_frame_of, make_photometry, random_mags
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit
from threadpoolctl import threadpool_limits

from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.basis import RadialBasis, fit_basis
from hbmlc_models.selection.context import CONTEXT, fit_context
from hbmlc_models.selection.holdout import is_held_out
from hbmlc_models.selection.propensity import fit_propensity
from hbmlc_models.selection.support import fit_support

FRAME = make_frame_of()
SURVEY = make_photometry(random_mags(np.random.default_rng(1), 500))
EXTRAS = {"size": np.random.default_rng(2).lognormal(size=500)}


@pytest.fixture(scope="module")
def basis() -> RadialBasis:
    return fit_basis(SURVEY, FRAME, EXTRAS, seed=0)


def test_functions_are_uncorrelated_over_the_survey(basis: RadialBasis) -> None:
    values = basis(SURVEY, FRAME, EXTRAS)

    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(values.T, bias=True), np.eye(values.shape[1]), atol=1e-8)


@settings(deadline=None, max_examples=50)
@given(
    flux=hnp.arrays(
        float, (4, len(BANDS)), elements=st.one_of(st.just(np.nan), st.floats(-1e3, 1e3))
    ),
    size=hnp.arrays(float, 4, elements=st.floats(allow_nan=True, allow_infinity=False)),
)
def test_basis_is_finite_for_anything(flux: np.ndarray, size: np.ndarray) -> None:
    basis = fit_basis(SURVEY, FRAME, EXTRAS, seed=0)
    photometry = Photometry(
        bands=BANDS, flux=flux, flux_err=np.full(flux.shape, 1e-10), is_detected=flux > 0
    )

    assert np.isfinite(basis(photometry, FRAME, {"size": size})).all()


def test_centres_do_not_depend_on_the_number_of_threads() -> None:
    survey = make_photometry(random_mags(np.random.default_rng(3), 2_000))
    found: list[RadialBasis] = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            found.append(fit_basis(survey, FRAME, {}, seed=0))

    assert found[0].knots.tobytes() == found[1].knots.tobytes()


def test_basis_can_carry_a_magnitude_limit(basis: RadialBasis) -> None:
    # A cut in brightness is the commonest selection; logistic regression on Φ has to find it.
    values = basis(SURVEY, FRAME, EXTRAS)
    is_bright = FRAME.reference_mag(SURVEY) < 22

    found = fit_propensity(values, is_bright)

    propensity = expit(values @ found.alpha + found.gamma)
    assert np.mean((propensity > 0.5) == is_bright) > 0.95


@pytest.mark.parametrize("n_bands", [1, 2, 8])
def test_basis_of_any_number_of_bands(n_bands: int) -> None:
    bands = tuple("abcdefgh"[:n_bands])
    photometry = make_photometry(
        random_mags(np.random.default_rng(3), 100, n_bands=n_bands), bands=bands
    )
    frame = make_frame_of(bands)

    values = fit_basis(photometry, frame, {}, seed=0)(photometry, frame, {})

    assert values.shape[0] == 100
    assert np.isfinite(values).all()


def test_identical_galaxies_still_have_a_basis_and_a_propensity() -> None:
    photometry = make_photometry(np.full((40, 4), 22.0))
    is_labelled = np.arange(40) < 10

    basis = fit_basis(photometry, FRAME, {}, seed=0)
    values = basis(photometry, FRAME, {})
    found = fit_propensity(values, is_labelled)

    assert values.shape[1] >= 1
    np.testing.assert_allclose(expit(values @ found.alpha + found.gamma), 0.25, atol=0.02)


def test_optional_columns_have_no_unit() -> None:
    milli = {"size": 1000 * EXTRAS["size"]}
    arcsec, mas = fit_context(EXTRAS, FRAME.bands), fit_context(milli, FRAME.bands)

    np.testing.assert_allclose(mas.scores(milli, 500), arcsec.scores(EXTRAS, 500))


@pytest.mark.parametrize("name", ["depth", "seeing"])
def test_observing_conditions_have_a_score_for_each_band(name: str) -> None:
    values = np.random.default_rng(9).normal(24, 0.5, 500)
    scale = fit_context({f"{name}_{FRAME.bands[1]}": values}, FRAME.bands)

    scores = scale.scores({f"{name}_{FRAME.bands[1]}": values}, 500)[:, CONTEXT.index(name)]

    assert not np.delete(scores, 1, axis=1).any()
    assert np.corrcoef(scores[:, 1], values)[0, 1] > 0.99


@pytest.mark.parametrize("name", ["depth_r", "seeing_r", "size"])
def test_selection_may_depend_on_an_optional_column(name: str) -> None:
    extras = {name: np.random.default_rng(9).normal(24, 0.5, SURVEY.n_galaxies)}
    basis = fit_basis(SURVEY, FRAME, extras, seed=0)

    changed = basis(SURVEY, FRAME, {name: extras[name] + 1})

    assert np.abs(changed - basis(SURVEY, FRAME, extras)).max() > 0.1


def test_absent_optional_columns_score_zero() -> None:
    scale = fit_context(EXTRAS, FRAME.bands)

    assert not scale.scores({}, 3).any()
    assert not scale.scores({"ellipticity": np.ones(3)}, 3).any()
    assert scale.scores({"size": np.array([np.nan, 1e9, 0.0])}, 3).shape == (
        3,
        len(CONTEXT),
        len(FRAME.bands),
    )


@settings(deadline=None)
@given(order=st.permutations(range(50)), seed=st.integers(0, 2**63 - 1))
def test_holding_out_depends_on_row_and_seed_only(order: list[int], seed: int) -> None:
    row = np.arange(50) * 977

    held = is_held_out(row, fraction=0.3, seed=seed)

    np.testing.assert_array_equal(is_held_out(row[order], fraction=0.3, seed=seed), held[order])


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5])
def test_held_out_share_is_the_wanted_one(fraction: float) -> None:
    n = 50_000

    share = is_held_out(np.arange(n), fraction=fraction, seed=12).mean()

    assert share == pytest.approx(fraction, abs=5 * np.sqrt(fraction * (1 - fraction) / n))


def test_held_out_galaxies_differ_by_seed() -> None:
    n = 50_000
    one = is_held_out(np.arange(n), fraction=0.1, seed=1)
    two = is_held_out(np.arange(n), fraction=0.1, seed=2)

    # Independent: one in a hundred is held out by both.
    assert (one & two).mean() == pytest.approx(0.01, abs=5 * np.sqrt(0.01 * 0.99 / n))


def test_support_is_one_amid_labels_and_zero_far_away() -> None:
    rng = np.random.default_rng(4)
    labelled = rng.standard_normal((2000, 3))

    support = fit_support(labelled, rng)

    assert support(np.zeros((1, 3)))[0] == 1.0
    assert support(np.full((1, 3), 30.0))[0] < 1e-6
    falling = support(np.linspace(0, 10, 50)[:, None] * np.array([[1.0, 0, 0]]))
    assert np.all(np.diff(falling) <= 1e-12)


@pytest.mark.parametrize("n_labelled", [0, 1, 2, 5])
def test_support_of_few_labels_is_between_zero_and_one(n_labelled: int) -> None:
    rng = np.random.default_rng(5)

    found = fit_support(rng.standard_normal((n_labelled, 3)), rng)(rng.standard_normal((20, 3)))

    assert np.all((found >= 0) & (found <= 1))
    if n_labelled == 0:
        assert not found.any()


def test_propensity_recovers_a_logistic_selection() -> None:
    rng = np.random.default_rng(6)
    basis = rng.standard_normal((8000, 2))
    alpha, gamma = np.array([1.0, -0.5]), -1.0
    is_labelled = rng.random(8000) < expit(basis @ alpha + gamma)

    found = fit_propensity(basis, is_labelled)

    # Fisher information: mean of p (1 - p) is about 0.14, so one sigma is 0.03.
    np.testing.assert_allclose(found.alpha, alpha, atol=0.15)
    assert found.gamma == pytest.approx(gamma, abs=0.15)


@pytest.mark.parametrize("all_labelled", [True, False])
def test_propensity_without_contrast_is_flat(all_labelled: bool) -> None:  # noqa: FBT001
    found = fit_propensity(np.ones((5, 2)), np.full(5, all_labelled))

    assert not found.alpha.any()
