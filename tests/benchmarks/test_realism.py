"""The comparison with known catalogues: depth is recovered, and a world is like the worlds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.realism import compare, read_sample, sample_depth, simulate_samples
from benchmarks.realism_statistics import MIN_GALAXIES, Key, Sample, statistics_of

from hbmlc_models.simulate import FilterSet

BANDS = ("g", "r", "i")


def make_sample(n: int, *, depth: float = 25.0) -> Sample:
    """Galaxies of one colour at each redshift, with the noise of the sky alone."""
    rng = np.random.default_rng(1)
    mag_i = rng.uniform(20.0, 24.0, n)
    z = rng.uniform(0.0, 1.0, n)
    mag = np.column_stack([mag_i + 1.0 + z, mag_i + 0.5, mag_i])
    # Sky noise is the root of gamma, 0.1975, of the flux at the depth.
    mag_err = 2.5 / np.log(10) * np.sqrt(0.039) * 10 ** (0.4 * (mag - depth))
    return Sample(bands=BANDS, mag=mag, mag_err=mag_err, z=z)


def test_depth_is_that_of_the_errors() -> None:
    np.testing.assert_allclose(sample_depth(make_sample(2000, depth=25.7)).m5, 25.7, atol=0.01)


def test_statistics_are_those_of_colours_by_redshift() -> None:
    found = statistics_of(make_sample(20_000))

    median = found.values[Key(what="g − r", where="0.4 < z < 0.6", statistic="median")]
    half = found.values[Key(what="g − r", where="0.4 < z < 0.6", statistic="half width")]
    # g − r is z + 0.5, uniform in the bin: a median of one, and 0.34 of the bin's width.
    assert median == pytest.approx(1.0, abs=0.01)
    assert half == pytest.approx(0.34 * 0.2, abs=0.005)
    constant = found.values[Key(what="r − i", where="0.4 < z < 0.6", statistic="half width")]
    assert constant == pytest.approx(0.0, abs=1e-9)


def test_bins_with_few_galaxies_are_left_out() -> None:
    assert not statistics_of(make_sample(MIN_GALAXIES - 1)).values


def test_sample_is_matched_by_id_and_sorted_by_wavelength(tmp_path: Path) -> None:
    sample = make_sample(5)
    columns = {"id": np.arange(5)}
    for k, band in enumerate(BANDS[::-1]):
        columns |= {
            f"mag_{band}": sample.mag[:, 2 - k],
            f"mag_err_{band}": sample.mag_err[:, 2 - k],
        }
    pq.write_table(pa.table(columns), tmp_path / "catalog.parquet")
    order = np.array([3, 0, 4, 1, 2])
    truth = pa.table({"id": order, "z_true": sample.z[order]})
    pq.write_table(truth, tmp_path / "truth.parquet")

    found = read_sample(tmp_path / "catalog.parquet", tmp_path / "truth.parquet")

    assert found.bands == BANDS
    np.testing.assert_array_equal(found.z, sample.z)
    np.testing.assert_array_equal(found.mag, sample.mag)


def test_a_world_is_one_of_the_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.realism.N_GALAXIES", 4000)
    survey = make_sample(500, depth=24.0)

    filters = FilterSet(
        name="gri",
        bands=BANDS,
        curves=tuple(f"sdss2010-{band}" for band in BANDS),
        selection_band="i",
    )

    one, *others = simulate_samples(survey, filters, n_worlds=7)
    rows = compare(statistics_of(one), [statistics_of(other) for other in others])

    # A draw from the same law, with seven degrees of freedom less one: few are beyond three.
    assert len(rows) > 20
    assert np.mean([abs(row.offset) < 3 for row in rows]) > 0.8
