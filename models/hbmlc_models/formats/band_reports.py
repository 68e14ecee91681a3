"""What the rows say of each band, and whether it can be: the last look before a catalogue is used.

The numbers are those of the whole catalogue, percentiles of an even sample of a large one.
"""

from __future__ import annotations

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.bands import wavelength
from hbmlc_models.formats._spill import Spill
from hbmlc_models.formats.errors import BadErrorsError
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.recognise import BandSource
from hbmlc_models.formats.report import BandReport
from hbmlc_models.formats.shown import listed, shown
from hbmlc_models.photometry import mag_from_flux

__all__ = ["drop_empty", "judge_bands", "report_bands"]

_MEDIANS = (10.0, 32.0)
"""Median AB magnitudes that a band of galaxies can have: from the brightest of the sky to beyond
the deepest field (JADES reaches 31; Eisenstein et al. 2023, arXiv:2306.02465)."""
_FAR = 5.0
"""Distance of a band's median from its neighbours that no colour of galaxies makes [mag]: the
reddest have 3 to 4 between optical and near-infrared (Roche et al. 2002, MNRAS 337, 1282)."""
_FAR_BETWEEN = 2.5
"""The same from the line between the bands on both sides, which no break of a spectrum crosses."""
_NEAR = 0.5
"""Largest distance of such bands in the logarithm of wavelength: u and r are .53 apart."""
_OPTICAL = (350.0, 1_000.0)
"""Wavelengths of optical bands [nm]."""
_SHALLOW_MAG, _SHALLOW_RATIO = 17.5, 50.0
"""Brighter than this [AB mag] galaxies have a higher signal-to-noise than this in the shallowest
optical surveys: SkyMapper reaches 20 at 5 sigma (Onken et al. 2024, PASA 41, e061)."""
_NEIGHBOURS = 4
_SAMPLE = 200_000
"""Rows from which percentiles are taken."""
_BLOCK = 65_536
"""Rows that are counted at a time."""


def report_bands(spill: Spill) -> tuple[BandReport, ...]:
    """Report of each band, in order of wavelength."""
    n_rows, n_bands = spill.scan.n_rows, len(spill.sources)
    n_observed, n_detected = np.zeros(n_bands, np.int64), np.zeros(n_bands, np.int64)
    brightest, faintest = np.full(n_bands, -np.inf), np.full(n_bands, np.inf)
    for start in range(0, n_rows, _BLOCK):
        flux, _, is_detected = spill.photometry(slice(start, start + _BLOCK))
        n_observed += np.isfinite(flux).sum(axis=0)
        n_detected += is_detected.sum(axis=0)
        held = np.where(is_detected, flux, np.nan)
        brightest = np.fmax(brightest, np.fmax.reduce(held, axis=0))
        faintest = np.fmin(faintest, np.fmin.reduce(held, axis=0))
        spill.release()
    step = max(1, -(-n_rows // _SAMPLE))
    flux, flux_err, is_detected = spill.photometry(slice(0, n_rows, step))
    reports = [
        _report(
            source,
            counts=(int(n_observed[k]), int(n_detected[k])),
            extremes=(float(brightest[k]), float(faintest[k])),
            flux=flux[is_detected[:, k], k].astype(np.float64),
            flux_err=flux_err[is_detected[:, k], k].astype(np.float64),
        )
        for k, source in enumerate(spill.sources)
    ]
    spill.release()
    return tuple(reports)


def _report(
    source: BandSource,
    *,
    counts: tuple[int, int],
    extremes: tuple[float, float],
    flux: FloatArray,
    flux_err: FloatArray,
) -> BandReport:
    """Report of one band; ``flux`` and ``flux_err`` [maggies] are those of detections."""
    has_any = counts[1] > 0 and len(flux) > 0
    mags = mag_from_flux(np.array(extremes)) if has_any else np.full(2, np.nan)
    spread = np.percentile(mag_from_flux(flux), [5, 50, 95]) if has_any else np.full(3, np.nan)
    ratio = float(np.median(flux / flux_err)) if has_any else None
    return BandReport(
        band=source.band,
        column=source.column,
        error_column=source.error_column,
        unit=source.unit,
        unit_from=source.unit_from,
        n_observed=counts[0],
        n_detected=counts[1],
        mag_min=_rounded(mags[0]),
        mag_p05=_rounded(spread[0]),
        mag_p50=_rounded(spread[1]),
        mag_p95=_rounded(spread[2]),
        mag_max=_rounded(mags[1]),
        snr_p50=None if ratio is None else float(f"{ratio:.4g}"),
    )


def _rounded(mag: float) -> float | None:
    """Magnitude to a thousandth; ``None`` where there is none."""
    return round(float(mag), 3) if np.isfinite(mag) else None


def drop_empty(spill: Spill) -> list[Finding]:
    """Take bands without one usable value out, and say so.

    Raises
    ------
    BadErrorsError
        No band is left.
    """
    empty = _empty(spill)
    names = {source.band: source.column for source in spill.sources}
    if len(empty) == len(names):
        count = spill.counts["bad_errors"]
        what = (
            f"All {count:,} photometric errors are missing, zero or negative"
            if count
            else (f"The columns {listed(names.values(), 4)} hold no usable value")
        )
        raise BadErrorsError(f"{what}; upload values with one-sigma errors.")
    spill.drop(empty)
    return [
        warn(
            FindingCode.BAND_EMPTY,
            f"The band {band} ({shown(names[band])}) has no usable value and is not used",
            column=names[band],
        )
        for band in empty
    ]


def _empty(spill: Spill) -> list[str]:
    """Bands in which no galaxy is detected."""
    has_any = np.zeros(len(spill.sources), dtype=bool)
    for start in range(0, spill.scan.n_rows, _BLOCK):
        has_any |= spill.photometry(slice(start, start + _BLOCK))[2].any(axis=0)
        if has_any.all():
            break
    return [s.band for s, found in zip(spill.sources, has_any, strict=True) if not found]


def judge_bands(reports: tuple[BandReport, ...]) -> list[Finding]:
    """Warn of bands whose magnitudes no survey has, or that lie far from their neighbours."""
    findings: list[Finding] = []
    for report in reports:
        median = report.mag_p50
        if median is None:
            continue
        if not _MEDIANS[0] < median < _MEDIANS[1]:
            findings.append(
                warn(
                    FindingCode.BAND_IMPLAUSIBLE,
                    f"The median of {report.band} is {median:.1f} AB mag, which no survey has; "
                    f"check the unit of {shown(report.column)}, read as {report.unit}",
                    column=report.column,
                )
            )
            continue
        if _is_too_shallow(report):
            findings.append(
                warn(
                    FindingCode.BAND_IMPLAUSIBLE,
                    f"Galaxies of {median:.1f} AB mag have a signal-to-noise of "
                    f"{report.snr_p50:.0f} in {report.band}: no survey is that shallow; check the "
                    f"unit of {shown(report.column)}, read as {report.unit}",
                    column=report.column,
                )
            )
            continue
        off = _far_off(report, reports)
        if off is not None:
            findings.append(
                warn(
                    FindingCode.BAND_FAR_OFF,
                    f"The band {report.band} is {abs(off):.1f} mag "
                    f"{'fainter' if off > 0 else 'brighter'} than its neighbours; check the zero "
                    f"point of {shown(report.column)}, read as {report.unit}",
                    column=report.column,
                )
            )
    return findings


def _is_too_shallow(report: BandReport) -> bool:
    """Whether bright galaxies are measured badly in the optical: the unit is another, mostly."""
    nanometres = wavelength(report.band)
    if nanometres is None or not _OPTICAL[0] < nanometres < _OPTICAL[1]:
        return False
    is_bright = report.mag_p50 is not None and report.mag_p50 < _SHALLOW_MAG
    return is_bright and report.snr_p50 is not None and report.snr_p50 < _SHALLOW_RATIO


def _far_off(report: BandReport, reports: tuple[BandReport, ...]) -> float | None:
    """How far a band is from its neighbours [mag]; ``None`` where colours can make that."""
    off = _distance(report, reports)
    if off is not None and abs(off) > _FAR:
        return off
    off = _out_of_line(report, reports)
    if off is None or abs(off) < _FAR_BETWEEN:
        return None
    # One band off the line draws the lines of those beside it along.
    others = (_out_of_line(other, reports) or _distance(other, reports) for other in reports)
    return off if all(abs(other or 0.0) <= abs(off) for other in others) else None


def _out_of_line(report: BandReport, reports: tuple[BandReport, ...]) -> float | None:
    """Median of a band minus that of the line between the next ones on both sides [mag]."""
    placed = {
        np.log(nanometres): other.mag_p50
        for other in reports
        if other.mag_p50 is not None and (nanometres := wavelength(other.band)) is not None
    }
    reach = wavelength(report.band)
    if reach is None or report.mag_p50 is None:
        return None
    here = np.log(reach)
    below = max((at for at in placed if here - _NEAR < at < here), default=None)
    above = min((at for at in placed if here < at < here + _NEAR), default=None)
    if below is None or above is None:
        return None
    line = np.interp(here, [below, above], [placed[below], placed[above]])
    return report.mag_p50 - float(line)


def _distance(report: BandReport, reports: tuple[BandReport, ...]) -> float | None:
    """Median of a band minus that of the nearest others in wavelength [mag]."""
    here = wavelength(report.band)
    others = [
        (abs(np.log((wavelength(other.band) or 1.0) / here)) if here else 0.0, other.mag_p50)
        for other in reports
        if other.band != report.band
        and other.mag_p50 is not None
        and (here is None or wavelength(other.band) is not None)
    ]
    if not others or report.mag_p50 is None:
        return None
    nearest = sorted(others)[:_NEIGHBOURS]
    return report.mag_p50 - float(np.median([median for _, median in nearest]))
