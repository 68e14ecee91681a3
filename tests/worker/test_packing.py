"""Packed objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbmlc_worker.packing import pack, unpack


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_parts_come_back_as_packed(parts: list[bytes]) -> None:
    assert unpack(pack(parts)) == parts


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5), st.data())
def test_a_cut_object_is_refused(parts: list[bytes], data: st.DataObject) -> None:
    whole = pack(parts)
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(ValueError, match="packed object"):
        unpack(whole[:cut])


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        parts = unpack(data)
    except ValueError:
        return
    assert pack(parts) == data
