"""Examinations are pairs of files with a common name."""

from __future__ import annotations

from pathlib import Path

from benchmarks.examinations import find_examinations


def test_pairs_are_found_by_name_and_in_order(tmp_path: Path) -> None:
    for name in ("b_catalog", "b_truth", "a_catalog", "a_truth", "notes"):
        (tmp_path / f"{name}.parquet").touch()

    found = list(find_examinations(tmp_path, None))

    assert [files.name for files in found] == ["a", "b"]
    assert found[0].catalog == tmp_path / "a_catalog.parquet"
    assert found[0].truth == tmp_path / "a_truth.parquet"
    assert [files.name for files in find_examinations(tmp_path, ["b"])] == ["b"]
