"""The unit of fluxes that carry none: what the numbers leave possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.normalise import NON_DETECTION
from hbmlc_models.formats.recognise.families import Measured
from hbmlc_models.formats.shown import shown
from hbmlc_models.formats.units import FluxUnit, flux_unit, zero_point_unit
from hbmlc_models.photometry import mag_from_flux

__all__ = [
    "SAME_MAGS",
    "AssumedUnit",
    "assume_unit",
    "is_plausible_unit",
    "unit_from_mags",
    "zero_point_between",
]

_TYPICAL_MEDIANS = (12.0, 30.0)
"""Median AB magnitudes of the bands of a survey: 2MASS to the Hubble Ultra Deep Field."""
_USUAL_MEDIANS = (16.0, 29.3)
"""The same of nearly all that are calibrated: they win over what is only possible."""
_DEPTHS = (12.0, 31.5)
"""5-sigma AB depths: shallower than 2MASS, deeper than the deepest image of JWST (JADES reaches
31; Eisenstein et al. 2023, arXiv:2306.02465)."""
_DEPTH_SIGMA = 5.0
SAME_MAGS = 0.5
"""Magnitudes and fluxes of one band that agree within this are of one zero point [mag]: dust and
apertures make up for that much."""
_MIN_PAIRS = 5
_MIN_VALUES = 5
"""Fluxes from which anything is said of their unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedUnit:
    """A unit that no file and no mapping gave."""

    unit: FluxUnit
    finding: Finding


def assume_unit(bands: Mapping[str, Measured], look: Look, names: Sequence[str]) -> AssumedUnit:
    """Unit in which the fluxes of ``bands`` are those of a survey.

    Rubin's nJy come first, except where names or inverse variances are those of SDSS and the Legacy
    Surveys.
    """
    candidates = _candidates(names, has_ivar=any(found.is_ivar for found in bands.values()))
    medians = {unit.name: _median_mags(bands, look, unit) for unit in candidates}
    n_values = max(len(look.values(found.column)) for found in bands.values())
    plausible = [
        unit
        for unit in candidates
        if n_values >= _MIN_VALUES and is_plausible_unit(unit, bands, look)
    ]
    usual = [unit for unit in plausible if _within(medians[unit.name], _USUAL_MEDIANS)]
    unit = (usual or plausible or candidates)[0]
    return AssumedUnit(
        unit=unit,
        finding=_told(
            unit,
            candidates,
            [u.name for u in (plausible if n_values >= _MIN_VALUES else candidates)],
            bands,
            medians,
        ),
    )


def is_plausible_unit(unit: FluxUnit, bands: Mapping[str, Measured], look: Look) -> bool:
    """Whether a survey can have these fluxes in ``unit``, by their medians and their noise."""
    medians, depths = _median_mags(bands, look, unit), _depths(bands, look, unit)
    return _within(medians, _TYPICAL_MEDIANS) and _within(depths, _DEPTHS)


def unit_from_mags(
    bands: Mapping[str, Measured], mags: Mapping[str, str], look: Look
) -> AssumedUnit | None:
    """Unit in which fluxes agree with the magnitudes of the same bands; ``None`` without any."""
    points: list[float] = []
    for band, found in bands.items():
        point = zero_point_between(found.column, mags.get(band), look)
        if point is not None:
            points.append(point)
    if not points or np.ptp(points) > 2 * SAME_MAGS:
        return None
    zero_point = float(np.median(points))
    known = min(_candidates(()), key=lambda unit: abs(_zero_point(unit) - zero_point))
    is_known = abs(_zero_point(known) - zero_point) < SAME_MAGS
    unit = known if is_known else zero_point_unit(round(zero_point, 2))
    first = next(iter(bands.values())).column
    mapping = {"flux_unit": unit.name} if is_known else {"zero_point": round(zero_point, 2)}
    return AssumedUnit(
        unit=unit,
        finding=warn(
            FindingCode.UNIT_DEDUCED,
            f"The fluxes ({shown(first)} …) have no unit; read as {unit.name}, they agree with the "
            "magnitudes of the same bands.",
            column=first,
            mapping=mapping,
        ),
    )


def zero_point_between(flux_column: str, mag_column: str | None, look: Look) -> float | None:
    """AB magnitude of a flux of one, as the magnitudes of the same band have it.

    ``None`` where there are none, or too few of both.
    """
    flux, mag = look.pairs(flux_column, mag_column or "")
    is_usable = (flux > 0) & (np.abs(mag) < NON_DETECTION)
    if is_usable.sum() < _MIN_PAIRS:
        return None
    return float(np.median(mag[is_usable] + 2.5 * np.log10(flux[is_usable])))


def _zero_point(unit: FluxUnit) -> float:
    """AB magnitude of one of a unit."""
    return float(-2.5 * np.log10(unit.maggies))


def _candidates(names: Sequence[str], *, has_ivar: bool = False) -> list[FluxUnit]:
    """Units that tables are written in, the likeliest first."""
    spelled = ["nJy", "uJy", "nanomaggy", "mJy", "Jy", "maggy", "erg/s/cm2/Hz"]
    lowered = [name.lower() for name in names]
    if has_ivar or any(w in name for name in lowered for w in ("mw_transmission", "nmgy")):
        # SDSS, the Legacy Surveys and DESI publish nanomaggies with inverse variances.
        spelled.insert(0, spelled.pop(2))
    return [unit for text in spelled if (unit := flux_unit(text)) is not None]


def _median_mags(bands: Mapping[str, Measured], look: Look, unit: FluxUnit) -> dict[str, float]:
    """Median magnitude of the positive fluxes of each band."""
    found: dict[str, float] = {}
    for band, measured in bands.items():
        values = look.values(measured.column)
        if len(values := values[values > 0]):
            found[band] = float(mag_from_flux(np.array([np.median(values) * unit.maggies]))[0])
    return found


def _depths(bands: Mapping[str, Measured], look: Look, unit: FluxUnit) -> dict[str, float]:
    """5-sigma depth of each band: the magnitude of five times its lower errors."""
    found: dict[str, float] = {}
    for band, measured in bands.items():
        errors = look.values(measured.error)
        errors = errors[errors > 0]
        if not len(errors):
            continue
        errors = 1 / np.sqrt(errors) if measured.is_ivar else errors
        noise = _DEPTH_SIGMA * float(np.quantile(errors, 0.25)) * unit.maggies
        found[band] = float(mag_from_flux(np.array([noise]))[0])
    return found


def _within(values: Mapping[str, float], bounds: tuple[float, float]) -> bool:
    """Whether most bands lie within bounds; so they do where there are none."""
    if not values:
        return True
    return bounds[0] < float(np.median(list(values.values()))) < bounds[1]


def _told(
    unit: FluxUnit,
    candidates: list[FluxUnit],
    plausible: list[str],
    bands: Mapping[str, Measured],
    medians: Mapping[str, Mapping[str, float]],
) -> Finding:
    """Say what was assumed and what else was tried."""
    first = next(iter(bands.values())).column
    usual = [u for u in ("r", "i", "g", "z", *bands) if u in medians[unit.name]]
    if not usual:
        return warn(
            FindingCode.UNIT_ASSUMED,
            f"No unit is given for the fluxes ({shown(first)} …): {unit.name} is assumed; set "
            "'flux_unit' or 'zero_point'.",
            column=first,
            mapping={"flux_unit": unit.name},
        )
    band = usual[0]
    tried = [
        f"as {u.name} {medians[u.name][band]:.1f}" + ("" if u.name in plausible else " (no survey)")
        for u in candidates[:5]
        if u is not unit
    ]
    code = FindingCode.UNIT_DEDUCED if plausible == [unit.name] else FindingCode.UNIT_ASSUMED
    why = "the only unit that a survey can have" if plausible == [unit.name] else "an assumption"
    return warn(
        code,
        f"No unit is given for the fluxes ({shown(first)} …): read as {unit.name}, {why}: the "
        f"median {band} is {medians[unit.name][band]:.1f}; {', '.join(tried)}. Set 'flux_unit' or "
        "'zero_point'.",
        column=first,
        mapping={"flux_unit": unit.name},
    )
