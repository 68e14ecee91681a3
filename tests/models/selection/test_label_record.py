"""A shipped population has the record that it earned where redshifts are known."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.selection.colour_correction import LabelledColours
from hbmlc_models.selection.label_record import RECORD_SCALE, label_record
from hbmlc_models.selection.mixture import Mixture

SPREAD = 0.2
N_BANDS = 3


def population(log1p_z: float) -> Mixture:
    """Galaxies whose redshift does not depend on their photometry."""
    return Mixture(
        weights=np.ones(1),
        means=np.array([[log1p_z, *np.full(N_BANDS, 22.0)]]),
        covariances=SPREAD**2 * np.eye(N_BANDS + 1)[None],
    )


def labels_of(log1p_z: float, n: int = 4_000) -> LabelledColours:
    """Labelled galaxies of ``population(log1p_z)``."""
    rng = np.random.default_rng(1)
    values = population(log1p_z).means[0] + SPREAD * rng.standard_normal((n, N_BANDS + 1))
    return LabelledColours(values=values, errors=np.full(values.shape, 1e-3))


@pytest.mark.parametrize("distance", [0.05, 0.1, 0.15])
def test_record_falls_with_the_divergence_from_the_redshifts_of_labels(distance: float) -> None:
    learnt, shipped = population(0.5), population(0.5 + distance)

    # Kullback-Leibler divergence of two normal distributions of one width.
    divergence = distance**2 / (2 * SPREAD**2)
    expected = np.exp(-divergence / RECORD_SCALE)
    assert label_record(learnt, shipped, labels_of(0.5)) == pytest.approx(expected, rel=0.05)


def test_physics_that_knows_no_less_has_a_perfect_record() -> None:
    labels = labels_of(0.5)

    assert label_record(population(0.5), population(0.5), labels) == pytest.approx(1.0)
    assert label_record(population(0.8), population(0.5), labels) == 1.0


def test_a_redshift_that_is_missed_is_missed_however_far_off() -> None:
    labels = labels_of(0.5)

    far, farther = (label_record(population(0.5), population(z), labels) for z in (3.0, 9.0))

    assert 0 < far == pytest.approx(farther, rel=0.01)


def test_without_labels_nothing_speaks_against_physics() -> None:
    assert label_record(population(0.5), population(0.9), labels_of(0.5, n=0)) == 1.0
