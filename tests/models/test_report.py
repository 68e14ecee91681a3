"""The report: honest numbers, one page, nothing executed, nothing fetched."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from reports import SCATTER, Z_GRID, collect, make_tile
from scipy.stats import norm

from hbmlc_models import metrics
from hbmlc_models.report import ReportCollector, write_report


def test_numbers_are_those_of_the_held_out_labels() -> None:
    data = collect()

    assert 0 < len(data.z_spec) < data.n_labelled
    assert data.metrics["nmad"] == metrics.nmad(data.z_phot, data.z_spec)
    assert data.metrics["pit_ks"] < 1.95 / np.sqrt(len(data.pit))
    expected = 1 / (2 * SCATTER * np.sqrt(np.pi)) - 2 * np.mean(
        norm.pdf(data.z_spec, data.z_phot, SCATTER)
    )
    assert data.metrics["cde_loss"] == pytest.approx(expected, rel=2e-3)


def test_scores_do_not_depend_on_how_galaxies_are_tiled() -> None:
    tiles = [make_tile(index) for index in range(2)]
    everything = np.ones(400, dtype=bool)
    apart, halves = (ReportCollector(Z_GRID, bands=("g", "i")) for _ in range(2))
    for tile, columns, pdf in tiles:
        apart.add(tile, columns, pdf, held_out=everything)
        for part in (np.arange(150), np.arange(150, 400)):
            halves.add(
                tile.take(part),
                {name: column[part] for name, column in columns.items()},
                pdf[part],
                held_out=everything[part],
            )

    one, two = (c.finish(title="", tile_rows=[], provenance={}) for c in (apart, halves))

    assert one.metrics == pytest.approx(two.metrics)
    np.testing.assert_allclose(one.n_of_z["all"], two.n_of_z["all"])


def test_distributions_integrate_to_one() -> None:
    for n_of_z in collect().n_of_z.values():
        assert np.trapezoid(n_of_z, Z_GRID) == pytest.approx(1.0)


def test_propensity_profile_counts_every_detected_galaxy() -> None:
    profile = collect().propensity

    assert profile.n_galaxies.sum() == 1200
    assert np.nansum(profile.propensity * profile.n_galaxies) == pytest.approx(480)


def test_tiles_across_the_meridian_have_their_centre_there() -> None:
    rows = collect().tiles

    assert [row["ra"] for row in rows] == pytest.approx([359.0, 0.0, 1.0], abs=1e-6)


@pytest.mark.parametrize("has_sky", [True, False])
def test_page_stands_alone(tmp_path: Path, has_sky: bool) -> None:  # noqa: FBT001 -- parametrised
    write_report(tmp_path / "report.html", collect(has_sky=has_sky))

    page = (tmp_path / "report.html").read_text()
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)
    assert page.count("<figure") == 6
    assert "lsst-ugrizy:1" in page


def test_names_of_the_caller_cannot_become_markup(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", collect())

    page = (tmp_path / "report.html").read_text()
    assert "<b>Sky" not in page
    assert "&lt;b&gt;Sky &amp; co" in page


def test_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(tmp_path / name, collect())

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_held_out_labels_the_page_says_so(tmp_path: Path) -> None:
    data = collect(held_share=0.0)

    write_report(tmp_path / "report.html", data)

    assert data.metrics == {}
    assert "nothing to measure" in (tmp_path / "report.html").read_text()
    assert data.metrics_document()["n_held_out"] == 0


def test_metrics_document_has_groups() -> None:
    document = collect().metrics_document()

    assert set(document["groups"]) == {"magnitude", "redshift", "propensity"}
    assert (
        sum(group["n_galaxies"] for group in document["groups"]["redshift"])
        <= document["n_held_out"]
    )


def test_metrics_document_tells_distributions_and_balance_without_nan() -> None:
    document = collect().metrics_document()

    everything = document["n_of_z"][0]
    assert everything["sample"] == "all"
    assert everything["mean_z_beta_high"] < everything["mean_z"] < everything["mean_z_beta_low"]
    assert document["smd"]["g_i"] == {"before": 0.4, "after": None}
    json.dumps(document, allow_nan=False)


def test_page_without_distributions_shows_the_plain_ones(tmp_path: Path) -> None:
    plain = replace(collect(), tomography=None, balance=None, features=())

    write_report(tmp_path / "report.html", plain)

    assert (tmp_path / "report.html").read_text().count("<figure") == 5
