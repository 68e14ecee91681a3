"""What peers are given, as far as it can be told without RAIL."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.peers.catalogue import PEERS, UnknownFiltersError, filters_of
from benchmarks.peers.rail import NOT_OBSERVED, column, error_column, rail_table
from benchmarks.peers.trees import boosted
from benchmarks.world_plans import WORLD_PLANS

from hbmlc_models.evaluate import boosted_trees
from hbmlc_models.photometry import Photometry
from hbmlc_models.tile import Tile


def make_tile(n: int = 300) -> Tile:
    rng = np.random.default_rng(1)
    z = rng.uniform(0.1, 1.5, n)
    flux = 1e-9 * np.exp(-np.outer(z, [0.3, 0.6, 0.9])) * rng.lognormal(0, 0.02, (n, 3))
    selected = np.arange(n) % 3 == 0
    return Tile(
        name="t",
        index=0,
        row=np.arange(n),
        photometry=Photometry(
            bands=("g", "r", "i"),
            flux=flux,
            flux_err=np.full((n, 3), 1e-11),
            is_detected=np.ones((n, 3), dtype=bool),
        ),
        z_spec=np.where(selected, z, np.nan),
        selected=selected,
    )


def test_the_boosted_peer_is_our_own_yardstick() -> None:
    tile = make_tile()
    peer = boosted()

    peer.fit(tile)

    assert np.array_equal(peer.predict(tile).z_phot, boosted_trees(tile, seed=0))


def test_faint_galaxies_get_the_limit_and_the_error_of_equal_noise() -> None:
    photometry = Photometry(
        bands=("r", "i"),
        flux=np.array([[1e-9, -3e-12], [1e-9, np.nan]]),
        flux_err=np.array([[1e-11, 1e-11], [1e-11, np.nan]]),
        is_detected=np.array([[True, False], [True, False]]),
    )

    table = rail_table(photometry)

    assert table[column("r")] == pytest.approx([22.5, 22.5])
    assert table[column("i")] == pytest.approx([27.5, NOT_OBSERVED])
    # BPZ turns the error back into a flux: sigma = flux (10^(0.4 error) - 1) = flux.
    assert 10 ** (0.4 * table[error_column("i")][0]) - 1 == pytest.approx(1.0)


def test_every_world_knows_its_filters() -> None:
    for plan in WORLD_PLANS:
        assert filters_of(plan.name, plan.filters.bands) is plan.filters


def test_bands_without_curves_are_refused_in_words() -> None:
    with pytest.raises(UnknownFiltersError, match="FUV"):
        filters_of("survey", ("FUV", "NUV"))


def test_the_peers_to_beat_are_there() -> None:
    assert {"XGBoost", "FlexZBoost", "CMNN", "BPZ", "GPz", "kNN"} <= PEERS.keys()
