"""Columns are recognised under the names that surveys, brokers and codes give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from made_up_sky import MADE_UP, write_parquet

from hbmlc_models.formats import ColumnMapping, IngestReport, inspect_table

SKY = MADE_UP


@dataclass(frozen=True)
class Names:
    """How a survey spells its columns; ``{}`` stands for the band."""

    value: str
    error: str
    bands: dict[str, str]
    """Our band to theirs."""
    kind: str = "mag"
    """``mag``, ``flux`` or ``ivar``."""
    zero_point: float = 31.4
    z: str = "z_spec"
    id: str = "id"
    ra: str = "ra"
    dec: str = "dec"
    besides: dict[str, float | str] = field(default_factory=dict[str, float | str])
    """Further columns, with one value for all."""


def same(letters: str) -> dict[str, str]:
    return {letter: letter for letter in letters}


def loud(letters: str) -> dict[str, str]:
    return {letter: letter.upper() for letter in letters}


HST = {"F606W": "F606W", "F814W": "F814W", "F125W": "F125W", "F160W": "F160W"}
JWST = {"F115W": "f115w", "F150W": "f150w", "F277W": "f277w"}

SURVEYS = {
    "DES Y1": Names(
        "MAG_AUTO_{}",
        "MAGERR_AUTO_{}",
        loud("grizy"),
        id="COADD_OBJECT_ID",
        ra="RA",
        dec="DEC",
        z="Z_SPEC",
        besides={"A_IMAGE": 3.1, "B_IMAGE": 2.2},
    ),
    "DES Y3 SOF": Names(
        "SOF_CM_MAG_CORRECTED_{}",
        "SOF_CM_MAG_ERR_{}",
        loud("griz"),
        id="COADD_OBJECT_ID",
        ra="RA",
        dec="DEC",
    ),
    "DES Y6 BDF": Names(
        "BDF_MAG_{}_CORRECTED",
        "BDF_MAG_ERR_{}",
        loud("grizy"),
        id="COADD_OBJECT_ID",
        ra="ALPHAWIN_J2000",
        dec="DELTAWIN_J2000",
    ),
    "Legacy sweep": Names(
        "FLUX_{}",
        "FLUX_IVAR_{}",
        {**loud("griz"), "W1": "W1"},
        kind="ivar",
        zero_point=22.5,
        id="OBJID",
        ra="RA",
        dec="DEC",
        besides={"MW_TRANSMISSION_G": 0.95, "NOBS_G": 3.0, "EBV": 0.03},
    ),
    "Legacy lower": Names(
        "flux_{}",
        "flux_ivar_{}",
        {**same("griz"), "W1": "w1", "W2": "w2"},
        kind="ivar",
        zero_point=22.5,
        besides={"mw_transmission_g": 0.95, "psfdepth_g": 900.0},
    ),
    "DESI": Names(
        "FLUX_{}",
        "FLUX_ERR_{}",
        loud("grz"),
        kind="flux",
        zero_point=22.5,
        id="TARGETID",
        ra="TARGET_RA",
        dec="TARGET_DEC",
        besides={"mw_transmission_g": 0.95},
    ),
    "SDSS model": Names(
        "modelMag_{}",
        "modelMagErr_{}",
        same("ugriz"),
        id="objID",
        z="redshift",
        besides={"extinction_u": 0.1, "petroR50_r": 1.2},
    ),
    "SDSS view": Names("{}", "Err_{}", same("ugri"), id="objid", z="redshift"),
    "SDSS dered": Names("dered_{}", "modelMagErr_{}", same("ugriz"), id="objid", z="redshift"),
    "SDSS dered err": Names("dered_{}", "err_{}", same("ugriz"), id="objid", z="redshift"),
    "SDSS flux": Names(
        "modelFlux_{}",
        "modelFluxIvar_{}",
        same("ugriz"),
        kind="ivar",
        zero_point=22.5,
        besides={"mw_transmission_g": 0.95},
    ),
    "HSC PDR1": Names("{}cmodel_mag", "{}cmodel_mag_err", same("grizy")),
    "HSC PDR2": Names(
        "{}_cmodel_mag",
        "{}_cmodel_magsigma",
        same("grizy"),
        id="object_id",
        besides={"a_g": 0.1, "a_r": 0.1},
    ),
    "HSC PDR3": Names(
        "{}_cmodel_flux",
        "{}_cmodel_fluxerr",
        same("grizy"),
        kind="flux",
        id="object_id",
        besides={"i_extendedness_value": 1.0},
    ),
    "KiDS": Names(
        "MAG_GAAP_{}",
        "MAGERR_GAAP_{}",
        {**same("ugri"), "z": "Z", "Y": "Y", "J": "J", "H": "H", "Ks": "Ks"},
        id="SeqNr",
        ra="RAJ2000",
        dec="DECJ2000",
        z="zspec",
        besides={"Z_B": 0.5, "EXTINCTION_u": 0.1, "MAG_AUTO": 22.0, "MAGERR_AUTO": 0.1},
    ),
    "CFHTLenS": Names(
        "MAG_{}",
        "MAGERR_{}",
        same("ugriz"),
        id="SeqNr",
        ra="ALPHA_J2000",
        dec="DELTA_J2000",
        besides={"Z_B": 0.5, "T_B": 2.0},
    ),
    "COSMOS2020 Farmer": Names(
        "HSC_{}_FLUX",
        "HSC_{}_FLUXERR",
        same("grizy"),
        kind="flux",
        zero_point=23.9,
        id="ID",
        ra="ALPHA_J2000",
        dec="DELTA_J2000",
        besides={"lp_zBEST": 0.5, "HSC_g_CHISQ": 1.0},
    ),
    "COSMOS2020 Classic": Names(
        "HSC_{}_FLUX_APER2",
        "HSC_{}_FLUXERR_APER2",
        same("grizy"),
        kind="flux",
        zero_point=23.9,
        id="ID",
    ),
    "CANDELS": Names("ACS_{}_FLUX", "ACS_{}_FLUXERR", HST, kind="flux", zero_point=23.9),
    "3D-HST": Names("f_{}", "e_{}", HST, kind="flux", zero_point=25.0),
    "EAZY letters": Names("f_{}", "e_{}", same("ugriz"), kind="flux", zero_point=23.9),
    "grizli": Names("{}_tot_1", "{}_etot_1", JWST, kind="flux", zero_point=23.9),
    "JADES": Names("{}_KRON", "{}_KRON_e", {k: k for k in JWST}, kind="flux", id="ID"),
    "Pan-STARRS Kron": Names(
        "{}KronMag", "{}KronMagErr", same("grizy"), id="objID", ra="raMean", dec="decMean"
    ),
    "Pan-STARRS stack": Names(
        "{}PSFMag", "{}PSFMagErr", same("grizy"), id="objID", ra="raStack", dec="decStack"
    ),
    "Pan-STARRS mean": Names("{}MeanKronMag", "{}MeanKronMagErr", same("grizy"), id="objID"),
    "S-PLUS": Names("{}_auto", "e_{}_auto", {**same("ugriz"), "J0378": "J0378", "J0660": "J0660"}),
    "SkyMapper": Names(
        "{}_petro", "e_{}_petro", same("ugriz"), id="object_id", ra="raj2000", dec="dej2000"
    ),
    "AllWISE": Names(
        "{}mpro",
        "{}sigmpro",
        {"W1": "w1", "W2": "w2", "W3": "w3", "W4": "w4"},
        id="designation",
        z="redshift",
        besides={"w1snr": 12.0},
    ),
    "VISTA": Names(
        "{}AperMag3",
        "{}AperMag3Err",
        {"z": "z", "Y": "Y", "J": "j", "H": "h", "Ks": "ks"},
        id="sourceID",
    ),
    "VizieR": Names(
        "{}mag", "e_{}mag", same("ugriz"), id="recno", ra="RAJ2000", dec="DEJ2000", z="zsp"
    ),
    "BPZ": Names("{}", "d{}", same("griz")),
    "MLZ": Names("{}", "e{}", same("ugriz")),
    "glued": Names("{}", "{}err", same("griz")),
    "glued mags": Names("{}mag", "{}magerr", same("ugriz")),
    "mag first": Names("mag{}", "magerr{}", same("ugriz")),
    "sigma": Names("{}", "sigma_{}", same("ugriz")),
    "unc": Names("mag_{}", "unc_{}", same("ugriz")),
    "shouted": Names("{}_MAG", "{}_MAG_ERR", loud("ugrizy"), id="ID", ra="RA", dec="DEC"),
    "Johnson": Names("MAG_{}", "MAG_ERR_{}", same("BVRI"), id="ID"),
    "RAIL": Names("mag_{}_lsst", "mag_err_{}_lsst", same("ugrizy")),
    "DP0.2": Names("mag_{}_cModel", "magerr_{}_cModel", same("ugrizy"), id="objectId"),
    "DP1": Names(
        "{}_cModelFlux",
        "{}_cModelFluxErr",
        same("ugrizy"),
        kind="flux",
        id="objectId",
        ra="coord_ra",
        dec="coord_dec",
        z="redshift",
        besides={"u_psf_flag": 0.0},
    ),
    "unit in the name": Names(
        "flux_{}_uJy", "flux_err_{}_uJy", same("griz"), kind="flux", zero_point=23.9
    ),
    "AB in the name": Names("mag_{}_AB", "mag_err_{}_AB", same("griz")),
    "cross-match": Names(
        "{}_cModelFlux_dp1",
        "{}_cModelFluxErr_dp1",
        same("ugrizy"),
        kind="flux",
        id="objectId_dp1",
        ra="coord_ra_dp1",
        dec="coord_dec_dp1",
        z="redshift_desi",
    ),
}


def columns_of(names: Names) -> dict[str, object]:
    """The made-up sky as a table of that survey."""
    table: dict[str, object] = {names.id: SKY.id, names.ra: SKY.ra, names.dec: SKY.dec}
    for ours, theirs in names.bands.items():
        value, error = names.value.format(theirs), names.error.format(theirs)
        if names.kind == "mag":
            table[value], table[error] = SKY.mag(ours), SKY.error(ours)
            continue
        flux_err = SKY.flux_err(ours, zero_point=names.zero_point)
        table[value] = SKY.flux(ours, zero_point=names.zero_point)
        table[error] = flux_err if names.kind == "flux" else flux_err**-2
    table[names.z] = SKY.z_spec
    table |= {name: np.full(len(SKY.id), value) for name, value in names.besides.items()}
    return table


def inspect(folder: Path, names: Names, mapping: ColumnMapping | None = None) -> IngestReport:
    return inspect_table(write_parquet(folder / "t.parquet", columns_of(names)), mapping=mapping)


@pytest.mark.parametrize("survey", SURVEYS)
def test_a_survey_is_recognised_under_its_own_names(survey: str, tmp_path: Path) -> None:
    names = SURVEYS[survey]

    report = inspect(tmp_path, names)

    assert set(report.bands) == set(names.bands)
    assert report.labels.column == names.z
    assert report.n_labelled == int(np.isfinite(SKY.z_spec).sum())
    assert report.mapping.id == names.id
    assert report.coverage.ra_min == pytest.approx(SKY.ra.min())
    for band in report.photometry:
        snr = np.median(1.0857 / SKY.error(band.band))
        assert band.snr_p50 == pytest.approx(snr, rel=0.02), band.band


@pytest.mark.parametrize("survey", [name for name, n in SURVEYS.items() if n.zero_point != 25.0])
def test_the_magnitudes_are_those_of_the_galaxies(survey: str, tmp_path: Path) -> None:
    report = inspect(tmp_path, SURVEYS[survey])

    for band in report.photometry:
        assert band.mag_p50 == pytest.approx(float(np.median(SKY.mag(band.band))), abs=0.02)
