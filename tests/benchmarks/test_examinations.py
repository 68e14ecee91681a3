"""Examinations are pairs of files with a common name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from benchmarks.examinations import find_examinations, relabelled


def test_pairs_are_found_by_name_and_in_order(tmp_path: Path) -> None:
    for name in ("b_catalog", "b_truth", "a_catalog", "a_truth", "notes"):
        (tmp_path / f"{name}.parquet").touch()

    found = list(find_examinations(tmp_path, None))

    assert [files.name for files in found] == ["a", "b"]
    assert found[0].catalog == tmp_path / "a_catalog.parquet"
    assert found[0].truth == tmp_path / "a_truth.parquet"
    assert [files.name for files in find_examinations(tmp_path, ["b"])] == ["b"]


def test_relabelled_catalogue_has_these_labels_and_no_others() -> None:
    catalog = pa.table(
        {
            "mag_i": [20.0, 21.0, 22.0],
            "selected": [True, False, False],
            "z_spec": [0.5, None, None],
        }
    )

    found = relabelled(catalog, np.array([2, 1]), np.array([0.8, 0.9]))

    assert found["selected"].to_pylist() == [False, True, True]
    assert found["z_spec"].to_pylist() == [None, 0.9, 0.8]
    assert found["mag_i"].equals(catalog["mag_i"])
    assert found.column_names == catalog.column_names
