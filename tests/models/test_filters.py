"""Filter sets: a flat spectrum has no colour in AB, and a band is where it was published to be."""

from __future__ import annotations

import numpy as np
import pytest

from hbmlc_models.bands import wavelength as typical_wavelength
from hbmlc_models.photometry import flux_from_mag
from hbmlc_models.simulate import FILTER_SETS, draw_depth, fiducial_world
from hbmlc_models.simulate.grid import _weights
from hbmlc_models.simulate.templates import load_templates

PIVOT = {
    # Schirmer et al. 2022 (A&A 662, A92) [angstrom].
    "euclid-lsst": {"Y": 10_809, "J": 13_673, "H": 17_714},
    # Bessell 1990 (PASP 102, 1181); Cohen et al. 2003 (AJ 126, 1090).
    "optical-nir": {"B": 4360, "V": 5450, "J": 12_350, "H": 16_620, "K": 21_590},
}


@pytest.mark.parametrize("name", sorted(FILTER_SETS))
def test_flat_spectrum_has_no_colour(name: str) -> None:
    filters, wave = FILTER_SETS[name], load_templates().wavelength
    flat = wave**-2.0

    maggies = [
        float((_weights(fiducial_world(), filters, band, wavelength=wave, z=np.zeros(1)) @ flat)[0])
        for band in range(len(filters.bands))
    ]

    np.testing.assert_allclose(-2.5 * np.log10(np.array(maggies) / maggies[0]), 0.0, atol=0.01)


@pytest.mark.parametrize("name", sorted(PIVOT))
def test_bands_are_where_they_were_published(name: str) -> None:
    filters = FILTER_SETS[name]
    wave = np.arange(3000.0, 26_000.0, 5.0)

    for band, published in PIVOT[name].items():
        response = filters.transmission(filters.bands.index(band), wave)
        pivot = np.sqrt((response * wave).sum() / (response / wave).sum())
        assert pivot == pytest.approx(published, rel=0.015), band


@pytest.mark.parametrize("name", sorted(FILTER_SETS))
def test_bands_are_known_to_catalogues_in_this_order(name: str) -> None:
    known = [typical_wavelength(band) or 0.0 for band in FILTER_SETS[name].bands]

    assert min(known) > 0
    assert known == sorted(known)


def test_euclid_is_as_deep_as_its_wide_survey_while_lsst_goes_on() -> None:
    rng = np.random.default_rng(1)
    drawn = np.array(
        [draw_depth(FILTER_SETS["euclid-lsst"], rng, mag_limit=24.5).m5 for _ in range(300)]
    )

    # photerr: 24.3, 24.5, 24.4; scatter 0.18 mag in each draw, in part common to all bands.
    np.testing.assert_allclose(drawn[:, 6:].mean(axis=0), [24.3, 24.5, 24.4], atol=0.06)
    assert drawn[:, 6:].std(axis=0).max() < 0.25
    assert drawn[:, 3].std() > 0.3


def test_infrared_from_the_ground_is_shallower_than_the_optical() -> None:
    filters = FILTER_SETS["optical-nir"]

    depth = draw_depth(filters, np.random.default_rng(2), mag_limit=24.0)

    noise = flux_from_mag(np.array(depth.m5))
    place = {band: k for k, band in enumerate(filters.bands)}
    assert noise[place["K"]] > noise[place["J"]] > noise[place["i"]]
