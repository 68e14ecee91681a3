"""Arrays on scratch disk that do not fill the memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from hbmlc_models.formats._scratch_arrays import ScratchArrays

MIB = 2**20


def resident() -> int:
    return psutil.Process().memory_info().rss


def test_a_new_array_is_all_zeros(tmp_path: Path) -> None:
    kind = np.dtype([("z", "f4"), ("is_good", "?")])

    records = ScratchArrays(tmp_path).create("records", kind, (7,))

    assert records.shape == (7,)
    assert not records["is_good"].any()
    np.testing.assert_array_equal(records["z"], 0)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems reserve nothing")
def test_the_disk_has_room_before_anything_is_written(tmp_path: Path) -> None:
    ScratchArrays(tmp_path).create("values", "f8", (4, MIB))

    assert (tmp_path / "values").stat().st_blocks * 512 >= 32 * MIB


def test_released_pages_leave_memory_and_keep_what_they_hold(tmp_path: Path) -> None:
    scratch = ScratchArrays(tmp_path)
    values = scratch.create("values", "f8", (8, MIB))
    values[:] = np.arange(8)[:, None]
    full = resident()

    scratch.release()

    assert resident() < full - 56 * MIB
    np.testing.assert_array_equal(values[:, -1], np.arange(8))
    np.testing.assert_array_equal(np.fromfile(tmp_path / "values")[::MIB], np.arange(8))
