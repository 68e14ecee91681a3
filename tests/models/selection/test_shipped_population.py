"""A shipped population steps in where labels do not reach, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from galaxies import make_frame_of

from hbmlc_models.selection.colour_correction import LabelledColours
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.shipped_population import (
    Blend,
    LabelReach,
    blend_populations,
    draw_galaxies,
    marginal,
)

FRAME = make_frame_of()
BANDS = FRAME.bands
N_BANDS = len(BANDS)


def blob(mag: float, log1p_z: float) -> Mixture:
    """One type of galaxy."""
    return Mixture(
        weights=np.ones(1),
        means=np.array([[log1p_z, *np.full(N_BANDS, mag)]]),
        covariances=0.04 * np.eye(N_BANDS + 1)[None],
    )


def two(shares: tuple[float, float]) -> Mixture:
    """A near and bright type, and a distant and faint one."""
    parts = blob(21.0, 0.2), blob(24.0, 0.9)
    return Mixture(
        weights=np.array(shares),
        means=np.concatenate([part.means for part in parts]),
        covariances=np.concatenate([part.covariances for part in parts]),
    )


def observe(population: Mixture, n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    photometry, _ = draw_galaxies(population, n, FRAME, rng)
    return FRAME.luptitudes(photometry)


def measured(mag: float, log1p_z: float, n: int = 20) -> LabelledColours:
    """Labelled galaxies that are all alike."""
    values = np.tile([log1p_z, *np.full(N_BANDS, mag)], (n, 1))
    return LabelledColours(values=values, errors=np.tile([0.0, *np.full(N_BANDS, 0.01)], (n, 1)))


def blend(
    learnt: Mixture,
    shipped: Mixture,
    sky: tuple,
    *,
    mag: float = 30.0,
    z: float = 9.0,
    labels: LabelledColours | None = None,
    beta: float = 0.0,
) -> Blend:
    return blend_populations(
        learnt,
        {"shipped": shipped},
        sky,
        reference=FRAME.reference,
        reach=LabelReach(mag=mag, z=z),
        labels=labels or measured(mag=24.0, log1p_z=0.0, n=0),
        beta=beta,
    )


def test_sky_that_the_labels_explain_needs_no_physics() -> None:
    learnt = blob(21.0, 0.2)

    found = blend(learnt, blob(24.0, 0.9), observe(learnt, 2_000))

    assert found.share < 0.01
    assert found.population.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("missing", [0.2, 0.6])
def test_share_of_physics_is_the_share_of_the_sky_without_labels(missing: float) -> None:
    sky = observe(two((1 - missing, missing)), 3_000)

    found = blend(blob(21.0, 0.2), two((0.1, 0.9)), sky)

    # The shipped proportions are held by a prior, so a little of the bright type comes along.
    assert found.population.weights[2] == pytest.approx(missing, abs=0.03)
    assert found.share < missing + 0.15


def test_likelihood_tells_which_camera_the_sky_was_seen_through() -> None:
    sky = observe(two((0.5, 0.5)), 2_000)
    learnt = blob(21.0, 0.2)

    right, wrong = (blend(learnt, blob(mag, 0.9), sky) for mag in (24.0, 24.5))

    assert right.log_likelihood > wrong.log_likelihood


def test_physics_is_trusted_beyond_the_labels_where_photometry_cannot_tell() -> None:
    # Both parts have the same photometry; only their redshifts differ.
    learnt, shipped = blob(24.0, 0.2), blob(24.0, 0.9)
    sky = observe(learnt, 1_000)

    beyond, within = (blend(learnt, shipped, sky, mag=mag) for mag in (22.0, 25.0))

    assert beyond.share == pytest.approx(1 - np.exp(-2) * (1 - within.share), abs=0.02)
    assert within.share < 0.1


def test_physics_that_missed_the_redshifts_of_labels_is_not_trusted_beyond_them() -> None:
    learnt, shipped = blob(24.0, 0.2), blob(24.0, 1.2)
    sky = observe(learnt, 1_000)

    right, wrong = (
        blend(learnt, shipped, sky, mag=22.0, labels=measured(24.0, log1p_z)).share
        for log1p_z in (1.2, 0.2)
    )

    assert right == pytest.approx(1 - np.exp(-2), abs=0.02)
    assert wrong < 0.1


def test_correction_for_selection_leaves_the_simulated_sky_as_it_is() -> None:
    # Both parts have the same photometry, so each galaxy is of either with their shares.
    learnt, shipped = blob(24.0, 0.2), blob(24.0, 0.9)
    sky, beta = observe(learnt, 500), -1.0
    grid = np.linspace(0, 3, 601)

    found = blend(learnt, shipped, sky, mag=22.0, beta=beta)

    selected = found.population.density(found.population.evaluate(*sky), grid)
    unselected = selected * np.exp(-beta * grid)
    unselected /= unselected.sum(axis=1, keepdims=True)
    distant = unselected[:, grid > 0.8].sum(axis=1).mean()
    assert distant == pytest.approx(found.share, abs=0.05)
    assert selected[:, grid > 0.8].sum(axis=1).mean() < found.share - 0.1


def test_types_that_extrapolate_to_any_redshift_leave_finite_proportions() -> None:
    # Redshift all but follows brightness here, so that faint photometry means log(1+z) = 200.
    steep = np.eye(N_BANDS + 1) * 0.01
    steep[0, 0] = 4000.0
    steep[0, 1] = steep[1, 0] = 6.3
    learnt = Mixture(
        weights=np.array([0.5, 0.5]),
        means=np.array([[0.2, *np.full(N_BANDS, 21.0)], [0.3, *np.full(N_BANDS, 21.5)]]),
        covariances=np.stack([0.04 * np.eye(N_BANDS + 1), steep]),
    )

    found = blend(learnt, blob(24.0, 0.9), observe(blob(22.0, 0.4), 500), beta=-1.0)

    assert np.isfinite(found.population.weights).all()
    assert found.population.weights.sum() == pytest.approx(1)


def test_physics_that_photometry_contradicts_is_not_trusted() -> None:
    learnt = blob(24.0, 0.2)

    found = blend(learnt, blob(24.3, 0.9), observe(learnt, 1_000), mag=22.0)

    assert found.share < 0.05


def test_physics_is_trusted_beyond_the_redshift_of_the_labels_whatever_photometry_says() -> None:
    learnt, shipped = blob(24.0, 0.2), blob(24.3, 0.9)
    sky = observe(learnt, 1_000)

    beyond, within = (blend(learnt, shipped, sky, mag=18.0, z=z) for z in (0.5, 9.0))

    assert within.share < 0.05
    assert beyond.share == pytest.approx(0.5, abs=0.02)


def test_trust_beyond_the_redshift_of_the_labels_needs_no_record() -> None:
    learnt, shipped = blob(24.0, 0.2), blob(24.3, 1.2)
    sky = observe(learnt, 1_000)

    found = blend(learnt, shipped, sky, mag=18.0, z=0.5, labels=measured(24.0, 0.2))

    # The learnt part keeps its weight of one beside it.
    assert found.share == pytest.approx(0.5, abs=0.02)


def test_labels_teach_nothing_beyond_their_own_redshift() -> None:
    learnt, shipped = two((0.5, 0.5)), two((0.5, 0.5))

    found = blend(learnt, shipped, observe(learnt, 1_000), mag=18.0, z=float(np.expm1(0.7)))

    assert found.population.weights[1] < 0.01
    assert found.population.weights[3] == pytest.approx(0.5, abs=0.05)


def test_labels_as_faint_as_the_sky_would_have_shown_distant_galaxies() -> None:
    learnt, shipped = blob(24.0, 0.2), two((0.4, 0.6))

    found = blend(learnt, shipped, observe(learnt, 1_000), mag=25.0, z=0.5)

    assert found.population.weights[2] < 0.05


def test_marginal_is_the_population_with_a_band_not_observed() -> None:
    rng = np.random.default_rng(3)
    root = 0.3 * rng.standard_normal((3, N_BANDS + 1, N_BANDS + 1))
    population = Mixture(
        weights=np.array([0.2, 0.3, 0.5]),
        means=np.column_stack([[0.2, 0.4, 0.6], 22 + rng.standard_normal((3, N_BANDS))]),
        covariances=root @ np.swapaxes(root, 1, 2) + 0.01 * np.eye(N_BANDS + 1),
    )
    values = 22 + rng.standard_normal((5, N_BANDS))
    errors = np.full(values.shape, 0.1)
    unseen = errors.copy()
    unseen[:, 1] = 1e3
    kept = [0, *range(2, N_BANDS)]
    grid = np.linspace(0, 2, 50)

    part = marginal(population, BANDS, tuple(BANDS[k] for k in kept))

    np.testing.assert_allclose(
        part.density(part.evaluate(values[:, kept], errors[:, kept]), grid),
        population.density(population.evaluate(values, unseen), grid),
        atol=1e-6,
    )


def test_drawn_galaxies_have_the_moments_of_their_population() -> None:
    n = 20_000
    population = blob(22.0, 0.5)

    photometry, z = draw_galaxies(population, n, FRAME, np.random.default_rng(4))
    values, errors = FRAME.luptitudes(photometry)

    assert np.log1p(z).mean() == pytest.approx(0.5, abs=5 * 0.2 / np.sqrt(n))
    np.testing.assert_allclose(values.mean(axis=0), 22.0, atol=5 * 0.2 / np.sqrt(n))
    np.testing.assert_allclose(values.std(axis=0), 0.2, rtol=5 / np.sqrt(2 * n))
    assert errors.max() < 0.02
