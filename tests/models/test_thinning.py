"""A part of many rows stands for all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbmlc_models.thinning import evenly


@given(n=st.integers(0, 5_000), at_most=st.integers(1, 700))
def test_rows_are_distinct_in_order_and_as_many_as_asked(n: int, at_most: int) -> None:
    found = evenly(n, at_most)

    assert len(found) == min(n, at_most)
    assert (np.diff(found) > 0).all()
    assert set(found.tolist()) <= set(range(n))


@given(n=st.integers(2, 5_000), at_most=st.integers(2, 700))
def test_ends_are_included_and_gaps_alike(n: int, at_most: int) -> None:
    found = evenly(n, at_most)

    assert (found[0], found[-1]) == (0, n - 1)
    assert np.ptp(np.diff(found)) <= 1
