"""The simulator: physics that must hold, and reproducibility."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from astropy.cosmology import FlatLambdaCDM
from photerr import LsstErrorModel
from skypy.galaxies.redshift import schechter_lf_redshift
from speclite.filters import load_filter

from hbmlc_models.formats import CanonicalCatalog, ingest
from hbmlc_models.photometry import flux_from_mag
from hbmlc_models.simulate import (
    FILTER_SETS,
    Selection,
    Simulator,
    Survey,
    draw_depth,
    draw_selection,
    draw_world,
    fiducial_world,
    lsst_depth,
    selection_probability,
    simulate_catalog,
)
from hbmlc_models.simulate.attenuation import dust_curve, igm_transmission
from hbmlc_models.simulate.command import simulate
from hbmlc_models.simulate.depth import Depth, flux_sigma
from hbmlc_models.simulate.grid import build_grid
from hbmlc_models.simulate.population import distances
from hbmlc_models.simulate.templates import OLD, load_templates
from hbmlc_models.simulate.writer import SurveyPlan, simulate_survey

BANDS = tuple("ugrizy")
EVERYTHING = Selection(surveys=(Survey(band="i", mag_limit=22.0),))


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(fiducial_world())


def pure(template: int, n: int) -> np.ndarray:
    parts = np.zeros((n, 6), np.float32)
    parts[:, template] = 1.0
    return parts


def test_the_break_moves_through_the_bands() -> None:
    grid = build_grid(fiducial_world())
    z = np.linspace(0.01, 2.0, 200)

    flux = grid.flux_ratio(z, np.zeros(200, int), pure(OLD, 200))

    colours = -2.5 * np.log10(flux[:, :-1] / flux[:, 1:])
    reddest = z[colours.argmax(axis=0)]
    assert np.all(np.diff(reddest) > 0)


def test_grid_agrees_with_a_direct_integral() -> None:
    # speclite integrates the same spectrum on its own grid; two codes, one number.
    templates, z = load_templates(), 0.7
    grid = build_grid(replace(fiducial_world(), igm_strength=0.0))
    flux = grid.flux_ratio(np.array([z]), np.array([0]), pure(OLD, 1))[0]
    spectrum = (templates.continuum + templates.lines)[OLD]

    direct = []
    for band in BANDS:
        curve = load_filter(f"lsst2023-{band}")
        observed = templates.wavelength * (1 + z)
        direct.append(curve.get_ab_maggies(spectrum * 1e-17, observed))

    np.testing.assert_allclose(flux / flux[3], np.array(direct) / direct[3], rtol=5e-3)


def test_dust_dims_and_reddens() -> None:
    grid = build_grid(fiducial_world())
    z, parts = np.full(2, 0.5), pure(OLD, 2)

    clean, dusty = grid.flux_ratio(z, grid.dust_node(np.array([0.0, 1.0])), parts)

    # Relative to rest-frame B light a red band (i) gains, a blue one (u) loses.
    assert dusty[3] > clean[3]
    assert dusty[0] < clean[0]


def test_dust_curve_is_one_in_v() -> None:
    assert dust_curve(np.array([5500.0]), slope=0.3, bump=0.0)[0] == pytest.approx(1.0, abs=0.01)


def test_hydrogen_absorbs_blueward_of_lyman_alpha_only() -> None:
    z = 3.0
    observed = np.array([912.0 * 4 - 10, 1100 * 4.0, 1300 * 4.0])

    transmission = igm_transmission(observed, z, strength=1.0)

    assert transmission[0] == 0.0
    # Madau 1995: mean depression at z = 3 between Lyman alpha and beta, about a third.
    assert transmission[1] == pytest.approx(0.71, abs=0.05)
    assert transmission[2] == 1.0


def test_noise_is_photerrs() -> None:
    model = LsstErrorModel(nYrObs=5, sigmaSys=0.005)
    depth = lsst_depth(5)
    mag = np.array([[24.0, 25.0, 25.0, 24.5, 24.0, 23.0], [27.0] * 6])

    sigma = flux_sigma(flux_from_mag(mag), depth) / flux_from_mag(mag)

    expected = model._get_nsr_from_mags(mag, None, None, list(BANDS))
    # The depth of a stack is where S/N is 5, so the visits' m5 + 1.25 log10(n) is 1 % deep.
    np.testing.assert_allclose(sigma, expected, rtol=0.02)


def test_signal_to_noise_is_five_at_the_depth() -> None:
    depth = Depth(m5=(25.0, 26.0), n_visits=(1.0, 1.0), gamma=(0.039, 0.039), seeing=(0.9, 0.8))
    flux = flux_from_mag(np.array([[25.0, 26.0]]))

    np.testing.assert_allclose(flux / flux_sigma(flux, depth), 5.0, rtol=1e-3)


def test_redshifts_are_those_of_a_deep_survey(simulator: Simulator) -> None:
    sky = simulator.draw(
        20_000, depth=lsst_depth(10), selection=EVERYTHING, rng=np.random.default_rng(1)
    )

    assert 0.75 < sky.z_true.mean() < 1.0
    assert np.quantile(sky.z_true, 0.99) > 2.2
    assert np.all(sky.tile.photometry.mag[:, 3] < 25.3)


def test_luminosity_function_is_skypys() -> None:
    # With a limit that ignores colour, dN/dz follows the integral that skypy makes.
    simulator = Simulator(fiducial_world())
    cone, kind = simulator._cone, fiducial_world().red
    z, modulus, _, _ = distances()
    cosmology = FlatLambdaCDM(H0=70.0, Om0=0.3)
    np.testing.assert_allclose(modulus, cosmology.distmod(z).value)
    x = cone._evolution(z)
    m_star = kind.m_star[0] + kind.m_star[1] * x
    faintest = m_star - 2.5 / np.log(10) * cone._faintest[1]
    apparent = faintest + modulus
    # skypy knows one apparent limit, so shift M* by what the colours do to ours.
    np.random.seed(3)  # noqa: NPY002 -- skypy draws from numpy's global state
    drawn = schechter_lf_redshift(
        z,
        m_star - (apparent - 25.0),
        kind.phi_star[0] * np.exp(kind.phi_star[1] * z),
        kind.alpha,
        25.0,
        1e-5 * u.sr,
        cosmology,
        noise=False,
    )

    expected = cone._cumulative[1] / cone._cumulative[1][-1]
    ours = np.interp(np.sort(drawn), z, expected)
    distance = np.max(np.abs(ours - np.arange(1, len(drawn) + 1) / len(drawn)))
    assert distance < 1.95 / np.sqrt(len(drawn))
    assert len(drawn) == pytest.approx(cone._cumulative[1][-1] * 1e-5, rel=0.01)


def test_noise_scatters_fluxes_by_the_reported_error() -> None:
    world = replace(fiducial_world(), error_factor=1.0)
    rng = np.random.default_rng(5)
    cone = Simulator(world, mag_limit=30.0)

    part = cone._observe(20_000, lsst_depth(1), EVERYTHING, np.ones(6), rng)

    pull = (part.flux - part.galaxies.flux) / part.flux_err
    assert np.abs(pull.mean(axis=0)).max() < 0.05
    assert np.abs(pull.std(axis=0) - 1).max() < 0.05


def test_labels_follow_their_probability(simulator: Simulator) -> None:
    sky = simulator.draw(
        20_000, depth=lsst_depth(3), selection=EVERYTHING, rng=np.random.default_rng(2)
    )

    expected = sky.p_select.sum()
    assert abs(sky.tile.n_labelled - expected) < 5 * np.sqrt(expected)
    assert np.array_equal(np.isfinite(sky.tile.z_spec), sky.tile.selected)


def test_a_magnitude_limit_ignores_what_was_not_detected() -> None:
    mag = np.full((2, 6), 20.0)
    mag[1, 3] = np.nan

    p = selection_probability(EVERYTHING, mag, np.full(2, 0.5), bands=BANDS)

    assert p[0] == pytest.approx(1.0, abs=1e-6)
    assert p[1] == 0.0


def test_the_desert_costs_redshifts_there_only() -> None:
    survey = Survey(band="i", mag_limit=23.0, desert=0.9)
    mag, z = np.full((3, 6), 21.0), np.array([0.8, 1.8, 2.8])

    p = selection_probability(Selection(surveys=(survey,)), mag, z, bands=BANDS)

    np.testing.assert_allclose(p, [1.0, 0.1, 1.0], atol=0.01)


def test_same_seed_same_sky() -> None:
    def sky() -> np.ndarray:
        rng = np.random.default_rng(7)
        world = draw_world(rng)
        selection = draw_selection(rng, bands=BANDS, selection_band="i", mag_limit=25.3)
        depth = draw_depth(FILTER_SETS["lsst"], rng, mag_limit=25.3)
        drawn = simulate_catalog(world, 500, depth=depth, selection=selection, rng=rng)
        return drawn.tile.photometry.flux

    np.testing.assert_array_equal(sky(), sky())


@pytest.mark.parametrize("name", sorted(FILTER_SETS))
def test_every_filter_set_can_be_simulated(name: str) -> None:
    filters, rng = FILTER_SETS[name], np.random.default_rng(4)

    sky = simulate_catalog(
        fiducial_world(),
        200,
        depth=draw_depth(filters, rng, mag_limit=25.3),
        selection=Selection(surveys=(Survey(band="r", mag_limit=21.0),)),
        rng=rng,
        filters=filters,
        mag_limit=23.0,
    )

    assert sky.tile.photometry.bands == filters.bands
    assert np.isfinite(sky.tile.photometry.flux).all()


def test_written_survey_can_be_ingested(tmp_path: Path) -> None:
    plan = SurveyPlan(n_galaxies=301, n_tiles=3)

    written = simulate_survey(
        fiducial_world(), FILTER_SETS["lsst"], plan, directory=tmp_path / "sky", seed=1
    )
    report = ingest(written.catalog, tmp_path / "canonical.parquet")

    truth = pq.read_table(written.truth)
    assert report.n_rows == truth.num_rows == 301
    assert report.coverage.n_tiles == 3
    with CanonicalCatalog.open(tmp_path / "canonical.parquet") as catalog:
        tile = catalog.read_tile(1)
        z_true = truth["z_true"].to_numpy()[tile.row]
        labelled = tile.is_labelled
        np.testing.assert_allclose(tile.z_spec[labelled], z_true[labelled], rtol=1e-6)


def test_years_of_another_camera_are_refused(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="LSST"):
        simulate(output=tmp_path, filters="sdss", years=1.0)
