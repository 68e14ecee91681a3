"""Redshift distributions of a sky whose p(z) and selection are known exactly."""

from __future__ import annotations

import numpy as np
import pytest
from skies import CELLS, Z_GRID, make_sky

from hbmlc_models.n_of_z.covariance import (
    beta_shift,
    galaxy_blocks,
    galaxy_covariance,
    jackknife_covariance,
)
from hbmlc_models.n_of_z.estimate import correct
from hbmlc_models.n_of_z.evidence import TileEvidence
from hbmlc_models.n_of_z.sums import Sums, sum_up

EDGES = np.array([0.0, 1.1, 1.7, 3.0])
Z = CELLS.centres


def sums_of(evidence: TileEvidence, *, beta_scale: float = 0.5) -> Sums:
    return sum_up(evidence, EDGES, CELLS, beta_scale=beta_scale).with_all()


def take(evidence: TileEvidence, rows: np.ndarray) -> TileEvidence:
    return TileEvidence(**{name: values[rows] for name, values in evidence.arrays().items()})


@pytest.mark.parametrize("beta", [-2.0, 0.0, 1.5])
def test_right_densities_have_no_residuals(beta: float) -> None:
    sky = make_sky(12_000, beta=beta)

    sums = sums_of(sky.evidence())

    residual = sums.residual[0, 1] @ Z
    noise = np.sqrt(Z @ sums.spread[0, :-1, :-1] @ Z)
    assert abs(residual) < 3.5 * noise
    unlabelled = ~sky.tile.is_labelled
    mean = correct(sums, CELLS).mean_z(CELLS)[0, 1]
    assert mean == pytest.approx(
        sky.z_true[unlabelled].mean(), abs=4 * 0.15 / unlabelled.sum() ** 0.5
    )


def test_residuals_cannot_show_a_wrong_beta() -> None:
    sky = make_sky(12_000, beta=-3.0)
    truth = sky.z_true[~sky.tile.is_labelled].mean()

    # The labelled galaxies' own p(z) is right for them, whatever it says of the others.
    labelled = sky.tile.is_labelled
    sky.pdf[~labelled] = sky.pdf[~labelled] * np.exp(sky.beta * Z_GRID)
    sky.pdf[:] /= sky.pdf.sum(axis=1, keepdims=True)
    sums = sums_of(sky.evidence(beta=0.0))

    assert abs(sums.residual[0, 1] @ Z) < 3.5 * np.sqrt(Z @ sums.spread[0, :-1, :-1] @ Z)
    assert correct(sums, CELLS).mean_z(CELLS)[0, 1] < truth - 0.03


@pytest.mark.parametrize("bias", [-0.12, 0.12])
def test_correction_repairs_a_biased_density(bias: float) -> None:
    sky = make_sky(12_000)
    truth = sky.z_true[~sky.tile.is_labelled].mean()

    found = correct(sums_of(sky.evidence(bias=bias)), CELLS)

    plug_in = found.plug_in[0, 1] @ Z
    assert plug_in == pytest.approx(truth + bias, abs=0.02)
    assert abs(found.mean_z(CELLS)[0, 1] - truth) < 0.35 * abs(bias)
    assert found.shrinkage[0] > 0.8
    np.testing.assert_allclose(found.n_of_z.sum(axis=2), 1.0)


def test_correction_is_dropped_where_it_is_noise() -> None:
    sky = make_sky(3000)
    few = np.flatnonzero(sky.tile.is_labelled)[:12]
    held = np.isin(np.arange(3000), few)

    found = correct(sums_of(sky.evidence(held_out=held)), CELLS)

    assert found.shrinkage[0] < 0.5
    np.testing.assert_allclose(found.n_of_z[0, 1], found.plug_in[0, 1], atol=0.02)


def test_without_held_out_labels_n_of_z_is_the_mean_density() -> None:
    sky = make_sky(500)

    found = correct(sums_of(sky.evidence(held_out=np.zeros(500, bool))), CELLS)

    np.testing.assert_allclose(found.n_of_z, found.plug_in, atol=1e-12)
    assert np.all(found.shrinkage == 0)


def test_bins_add_up_to_all() -> None:
    sums = sums_of(make_sky(800).evidence())

    share = sums.count[1:] / sums.count[0]
    plug_in = correct(sums, CELLS).plug_in
    np.testing.assert_allclose(np.einsum("b,bkc->kc", share, plug_in[1:]), plug_in[0])


def test_a_lower_beta_means_more_distant_galaxies() -> None:
    means = correct(sums_of(make_sky(800).evidence()), CELLS).mean_z(CELLS)

    assert np.all(means[:, 0] > means[:, 1])
    assert np.all(means[:, 1] > means[:, 2])


def test_sums_of_parts_are_the_sums_of_the_whole() -> None:
    evidence = make_sky(600).evidence()
    first, second = (sums_of(take(evidence, rows)) for rows in np.array_split(np.arange(600), 2))

    whole = sums_of(evidence)

    for name in ("count", "total", "outer", "odds", "weight", "residual", "spread"):
        np.testing.assert_allclose(getattr(first + second, name), getattr(whole, name), atol=1e-9)
        left = getattr(whole - second, name)
        np.testing.assert_allclose(left, getattr(first, name), atol=1e-9)


def test_covariance_between_galaxies_is_that_of_a_bootstrap() -> None:
    evidence = make_sky(1500, seed=4).evidence(bias=0.1)
    whole = sums_of(evidence)
    estimate = correct(whole, CELLS)
    rng = np.random.default_rng(9)

    resampled = np.array(
        [
            correct(
                sums_of(take(evidence, rng.integers(0, 1500, 1500))),
                CELLS,
                shrinkage=estimate.shrinkage,
            ).n_of_z[:, 1]
            @ Z
            for _ in range(150)
        ]
    )

    found = np.einsum("sktl,k,l->st", galaxy_covariance(whole, estimate, CELLS), Z, Z)
    # The standard deviation of 150 resamples is known to 6 per cent.
    np.testing.assert_allclose(np.sqrt(np.diag(found)), resampled.std(axis=0), rtol=0.25)
    scale = np.sqrt(np.diag(found))
    correlation = found / scale[:, None] / scale
    np.testing.assert_allclose(correlation, np.corrcoef(resampled.T), atol=0.25)
    np.testing.assert_allclose(
        galaxy_blocks(whole, estimate, CELLS),
        np.einsum("sksl->skl", galaxy_covariance(whole, estimate, CELLS)),
    )


def test_jackknife_of_like_patches_is_that_of_galaxies() -> None:
    evidence = make_sky(6000, seed=5).evidence()
    patches = [sums_of(take(evidence, rows)) for rows in np.array_split(np.arange(6000), 40)]
    whole = sums_of(evidence)
    estimate = correct(whole, CELLS)

    found = jackknife_covariance(patches, CELLS, shrinkage=estimate.shrinkage)

    own = np.einsum("sksl,k,l->s", found, Z, Z)
    wanted = np.einsum("skl,k,l->s", galaxy_blocks(whole, estimate, CELLS), Z, Z)
    # Forty patches know a standard deviation to 11 per cent.
    np.testing.assert_allclose(np.sqrt(own), np.sqrt(wanted), rtol=0.4)


def test_beta_moves_galaxies_and_makes_none() -> None:
    shift = beta_shift(correct(sums_of(make_sky(300).evidence()), CELLS))

    np.testing.assert_allclose(shift.sum(axis=1), 0, atol=1e-12)
    assert np.all(shift @ Z < 0)


def test_galaxies_without_photometry_are_no_evidence() -> None:
    sky = make_sky(50)
    sky.tile.photometry.flux[:5] = np.nan

    assert len(sky.evidence().z_phot) == 45
