"""Are the errors errors? What inverse variances, magnitudes and constants give away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.errors import BadErrorsError
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.normalise import NON_DETECTION
from hbmlc_models.formats.recognise.band_names import Quantity, Role, parse_band_column
from hbmlc_models.formats.recognise.name_words import words_of
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.shown import listed, shown
from hbmlc_models.photometry import MAG_PER_E_FOLD

__all__ = ["judge_errors"]

_MIN_ROWS = 20
"""Rows from which anything is said of a column."""
_SIGNAL_TO_NOISE = (1.0, 2e4)
"""Median of the brighter half of a band: fainter is no detection, and beyond it calibration and
flat fields err by more than the photons do."""
_FALLING = -0.3
"""Rank correlation with flux below which implausible "errors" are none; errors rise with it."""
_FALLING_FAR = -0.6
"""The same of such as give a plausible signal-to-noise."""
_MAGNITUDES = (10.0, 40.0)
"""Values between these that fall with flux are magnitudes."""
_IVAR = frozenset({"ivar", "invvar"})
_RATIOS = frozenset({"snr", "sn", "s2n"})
_PROPORTIONAL = (1.5, 0.05)
"""Decades that fluxes span at least, and the signal-to-noise at most, where errors are a fixed part
of the flux."""
_LARGEST_MAG_ERROR = 5.0
"""A median error above this is none [mag]: it would be a signal-to-noise of 0.2."""
_NEAR = 3.0
"""Errors within this of their magnitudes are magnitudes themselves, or limits [mag]."""
_LARGEST_MMAG_ERROR = 1_000.0


class _Held(StrEnum):
    """What a column called errors may hold instead."""

    IVAR = "inverse variances"
    RELATIVE = "relative errors, or those of magnitudes"
    MAG = "magnitudes"
    RATIO = "signal-to-noise ratios"


def judge_errors(
    sources: Iterable[BandSource], look: Look
) -> tuple[tuple[BandSource, ...], list[Finding]]:
    """Sources with errors that can be errors, and what to say of them.

    Raises
    ------
    BadErrorsError
        A column of errors holds inverse variances or magnitudes.
    """
    judged: list[BandSource] = []
    findings: list[Finding] = []
    for source in sources:
        values, errors = _usable(source, look)
        if source.quantity is Quantity.FLUX:
            _refuse_other_than_errors(source, values, errors)
            judged.append(source)
        else:
            _refuse_magnitudes(source, values, errors)
            _refuse_falling(source, values, errors)
            better = _in_millimags(source, errors)
            judged.append(better)
            if better is not source:
                findings.append(_told_millimags(better))
    findings += _constant(judged, look) + _implausible(judged, look)
    return tuple(judged), findings


def _usable(source: BandSource, look: Look) -> tuple[FloatArray, FloatArray]:
    """Values and errors of the rows with both, without those that say "none"."""
    values, errors = look.pairs(source.column, source.error_column)
    is_usable = errors > 0
    if source.quantity is Quantity.MAG:
        is_usable &= np.abs(values) < NON_DETECTION
    return values[is_usable], errors[is_usable]


def _refuse_other_than_errors(source: BandSource, flux: FloatArray, errors: FloatArray) -> None:
    """Raise where a column of errors of fluxes holds something else, by name or by its numbers."""
    if source.is_ivar:
        return
    words = {word.lower() for word in words_of(source.error_column)}
    parsed = parse_band_column(source.error_column)
    is_ivar = (parsed is not None and parsed.role is Role.IVAR) or not words.isdisjoint(_IVAR)
    if is_ivar:
        found = _Held.IVAR
    elif not words.isdisjoint(_RATIOS):
        found = _Held.RATIO
    else:
        found = _held_instead(flux, errors)
    if found is None:
        return
    is_ivar = found is _Held.IVAR
    cure = (
        "map the column as 'flux_ivar' instead of 'flux_err'"
        if is_ivar
        else "map the column of the one-sigma errors, in the unit of the flux"
    )
    raise BadErrorsError(
        f"The errors of {source.band}, {shown(source.error_column)}, are {found.value}; {cure}.",
        where=source.error_column,
        mapping={"flux_ivar": {source.band: source.error_column}} if is_ivar else None,
    )


def _held_instead(flux: FloatArray, errors: FloatArray) -> _Held | None:
    """What "errors" are that fall with flux; true ones rise with it, or stay.

    What they are is what makes the errors behind them spread least: those of a survey are nearly
    the same for all its faint galaxies.
    """
    flux, errors = flux[flux > 0], errors[flux > 0]
    if len(flux) < _MIN_ROWS or np.ptp(errors) == 0:
        return None
    is_bright = flux >= np.median(flux)
    ratio = float(np.median(flux[is_bright] / errors[is_bright]))
    limit = _FALLING if not _is_plausible(ratio) else _FALLING_FAR
    if _rank_correlation(flux, errors) > limit:
        return None
    low, high = np.quantile(errors, [0.02, 0.98])
    if _MAGNITUDES[0] < low and high < min(_MAGNITUDES[1], 2 * low):
        return _Held.MAG
    flux, errors = flux[~is_bright], errors[~is_bright]
    spread = {
        _Held.IVAR: float(np.std(np.log(errors)) / 2),
        _Held.RELATIVE: float(np.std(np.log(flux * errors))),
    }
    return min(spread, key=lambda held: spread[held])


def _is_plausible(ratio: float) -> bool:
    return _SIGNAL_TO_NOISE[0] < ratio < _SIGNAL_TO_NOISE[1]


def _rank_correlation(x: FloatArray, y: FloatArray) -> float:
    """Spearman's coefficient; without its p-value it is not worth the import of scipy.stats."""
    ranks = [np.argsort(np.argsort(values)) for values in (x, y)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _refuse_magnitudes(source: BandSource, mags: FloatArray, errors: FloatArray) -> None:
    """Raise where a column of errors holds magnitudes or limits."""
    is_error = errors < NON_DETECTION
    if is_error.sum() < _MIN_ROWS or source.error_scale != 1.0:
        return
    is_large = float(np.median(errors[is_error])) > _LARGEST_MAG_ERROR
    if is_large and float(np.median(np.abs(errors - mags)[is_error])) < _NEAR:
        raise BadErrorsError(
            f"The errors of {source.band}, {shown(source.error_column)}, are magnitudes "
            "themselves, or limits; map the column of the one-sigma errors.",
            where=source.error_column,
        )


def _refuse_falling(source: BandSource, mags: FloatArray, errors: FloatArray) -> None:
    """Raise where large "errors" of magnitudes fall towards faint galaxies."""
    is_error = errors < _LARGEST_MMAG_ERROR**2
    mags, errors = mags[is_error], errors[is_error]
    if len(errors) < _MIN_ROWS or np.ptp(errors) == 0 or np.median(errors) < _LARGEST_MAG_ERROR:
        return
    if _rank_correlation(mags, errors) > _FALLING:
        return
    raise BadErrorsError(
        f"The errors of {source.band}, {shown(source.error_column)}, fall towards faint galaxies: "
        "they are inverse variances or signal-to-noise; upload one-sigma errors [mag].",
        where=source.error_column,
    )


def _in_millimags(source: BandSource, errors: FloatArray) -> BandSource:
    """Source with errors in mmag where nothing else can be meant."""
    errors = errors[errors < _LARGEST_MMAG_ERROR]
    if len(errors) < _MIN_ROWS or source.error_scale != 1.0:
        return source
    is_milli = _LARGEST_MAG_ERROR < float(np.median(errors)) < _LARGEST_MMAG_ERROR
    return replace(source, error_scale=1e-3) if is_milli else source


def _told_millimags(source: BandSource) -> Finding:
    return warn(
        FindingCode.UNIT_DEDUCED,
        f"The errors {shown(source.error_column)} are read in mmag: in mag none of the galaxies "
        "would be detected.",
        column=source.error_column,
    )


def _constant(sources: list[BandSource], look: Look) -> list[Finding]:
    """Warn of errors that are the same for every galaxy, or a fixed part of its flux."""
    same: list[str] = []
    proportional: list[str] = []
    for source in sources:
        values, errors = _usable(source, look)
        if len(errors) < _MIN_ROWS:
            continue
        if np.ptp(errors) == 0:
            same.append(source.error_column)
        elif source.quantity is Quantity.FLUX and _is_proportional(values, errors):
            proportional.append(source.error_column)
    return [
        warn(
            FindingCode.ERRORS_CONSTANT,
            f"The errors {listed(names, 5)} are {what} for every galaxy; the width of p(z) is "
            "worth no more than they are.",
            column=names[0],
        )
        for names, what in ((same, "the same"), (proportional, "the same part of the flux"))
        if names
    ]


def _is_proportional(flux: FloatArray, errors: FloatArray) -> bool:
    """Whether bright and faint galaxies have one signal-to-noise."""
    flux, errors = flux[flux > 0], errors[flux > 0]
    if len(flux) < _MIN_ROWS:
        return False
    spans = [
        float(np.ptp(np.quantile(np.log10(values), [0.05, 0.95])))
        for values in (flux, flux / errors)
    ]
    return spans[0] > _PROPORTIONAL[0] and spans[1] < _PROPORTIONAL[1]


def _implausible(sources: list[BandSource], look: Look) -> list[Finding]:
    """Warn of bands whose brighter half has no signal, or more than any survey."""
    findings: list[Finding] = []
    for source in sources:
        ratio = _bright_signal_to_noise(source, look)
        if ratio is None or _is_plausible(ratio):
            continue
        hint, mapping = _why_implausible(source, look)
        findings.append(
            warn(
                FindingCode.SIGNAL_TO_NOISE,
                f"The brighter half of {source.band} has a median signal-to-noise of {ratio:.3g}; "
                f"check that {shown(source.error_column)} holds its one-sigma errors{hint}.",
                column=source.error_column,
                mapping=mapping,
            )
        )
    return findings


def _why_implausible(source: BandSource, look: Look) -> tuple[str, Mapping[str, JsonValue] | None]:
    """What an implausible signal-to-noise may come from, and the mapping that mends it."""
    if source.quantity is Quantity.FLUX and source.error_scale != source.scale:
        return ": the file gives it another unit than the flux", None
    if source.quantity is Quantity.FLUX and not source.is_ivar:
        ratio = _bright_signal_to_noise(replace(source, is_ivar=True), look)
        if ratio is not None and _is_plausible(ratio):
            return (
                f": as inverse variances they give {ratio:.3g}",
                {"flux_ivar": {source.band: source.error_column}},
            )
    return "", None


def _bright_signal_to_noise(source: BandSource, look: Look) -> float | None:
    """Median signal-to-noise of the brighter half; ``None`` with too few galaxies."""
    values, errors = _usable(source, look)
    if len(values) < _MIN_ROWS:
        return None
    if source.quantity is Quantity.MAG:
        is_bright = values <= np.median(values)
        return float(np.median(MAG_PER_E_FOLD / (errors[is_bright] * source.error_scale)))
    errors = 1 / np.sqrt(errors) if source.is_ivar else errors
    is_bright = values >= np.median(values)
    signal = values[is_bright] * source.scale
    return float(np.median(signal / (errors[is_bright] * source.error_scale)))
