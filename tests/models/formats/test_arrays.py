"""Named arrays as bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbmlc_models.formats.arrays import ArrayFileError, dump, load

names = st.text(min_size=1, max_size=8).filter(lambda text: text != "__metadata__")
values = hnp.arrays(
    st.sampled_from(["f4", "f8", "i4", "i8", "u1", "?"]), hnp.array_shapes(min_dims=0, min_side=0)
)
documents = st.dictionaries(st.text(max_size=5), st.integers(-9, 9) | st.text(max_size=5))


@given(st.dictionaries(names, values, max_size=4), documents)
def test_what_was_dumped_loads_the_same(
    arrays: dict[str, np.ndarray], metadata: dict[str, int | str]
) -> None:
    loaded, found = load(dump(arrays, metadata))

    assert found == metadata
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].dtype == array.dtype


def test_bytes_do_not_depend_on_order_or_layout() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(3)

    one = dump({"a": a, "b": b}, {"x": 1, "y": 2})
    two = dump({"b": b, "a": np.asfortranarray(a)}, {"y": 2, "x": 1})

    assert one == two


def test_a_transposed_view_keeps_its_values() -> None:
    array = np.arange(6).reshape(2, 3).T

    np.testing.assert_array_equal(load(dump({"a": array}, {}))[0]["a"], array)


@pytest.mark.parametrize("content", [b"", b"12345678", b"\x10" + bytes(30), dump({}, {})[:-1]])
def test_damaged_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(ArrayFileError):
        load(content)
