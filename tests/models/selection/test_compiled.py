"""Vector arithmetic against the mathematical library."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbmlc_models.selection._compiled import compiled, dot, exp, log, total

EXP, LOG = (
    compiled()(lambda x: exp(x)),  # noqa: PLW0108 - the compiler inlines it into a caller
    compiled()(lambda x: log(x)),  # noqa: PLW0108 - the same
)


@settings(deadline=None)  # the first call compiles
@given(st.floats(-700, 700))
def test_exponential_is_that_of_the_library(x: float) -> None:
    np.testing.assert_allclose(EXP(x), np.exp(x), rtol=1e-15)


@settings(deadline=None)  # the first call compiles
@given(st.floats(1e-300, 1e300))
def test_logarithm_is_that_of_the_library(x: float) -> None:
    np.testing.assert_allclose(LOG(x), np.log(x), rtol=1e-14, atol=1e-15)


def test_exponential_saturates() -> None:
    assert 0 < EXP(-1e300) < 1e-300
    assert 1e300 < EXP(1e300) < np.inf


def test_sums_are_those_of_the_library() -> None:
    left, right = np.random.default_rng(1).standard_normal((2, 1001))

    np.testing.assert_allclose(dot(left, right), left @ right, rtol=1e-12)
    np.testing.assert_allclose(total(left), left.sum(), rtol=1e-12)
