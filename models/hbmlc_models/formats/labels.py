"""Which spectroscopic redshifts are labels, and why the others are none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.bands import wavelength

__all__ = ["LEFT_OUT", "Labels", "judge_labels", "largest_visible_redshift"]

LEFT_OUT = {
    "sentinel": "a value that says 'not measured'",
    "star": "stars and zeros, |z| < 0.002",
    "negative": "negative",
    "out_of_range": "impossibly large",
    "beyond_bands": "beyond what these bands can see",
    "quality": "unsure, as 'z_quality' asks",
    "no_error": "without a usable error",
    "not_selected": "of galaxies that were not selected",
}
"""Reasons for which a redshift is no label, and what each means."""

_STAR = 0.002
"""Largest redshift of a star in the Milky Way: 600 km/s (Kafle et al. 2014, ApJ 794, 59)."""
_NINES = (9.9, 9.99, 9.999, 9.9999, 99.0, 99.9, 99.99, 99.999, 999.0, 999.9, 9999.0)
"""Redshifts that say "not measured"; VVDS, VIPERS and VANDELS write 9.9999."""
_CODES = (*_NINES, *(-nine for nine in _NINES), -1.0, -9.0)
_MIN_REPEATS = 3
"""Galaxies that share one redshift to four digits before it can be a code."""
_GAP = 0.25
"""Distance of such a value from the next one, in units of 1 + z, that makes it a code."""
_LEAST_CODE = 5.0
_PART_OF_CODE = 0.3
"""Least code, and the part of all redshifts above which a lower value is one, too: below lie
clusters and protoclusters, whose members share three digits (SSA22 at 3.09)."""
_MANY_REPEATS = 5
"""Galaxies that share one redshift before it can be a code without standing apart."""
_TIMES_USUAL = 5.0
_USUAL = 0.95
"""It is shared by this many times what this part of all redshifts is shared by at most: tables
with two digits share all of theirs."""
_FEW_ABOVE = 2
_PART_ABOVE = 0.01
"""Galaxies, and their part, that may lie above the far end: slips of single redshifts."""
_LARGEST_ERROR = 0.05
"""Errors above this, over 1 + z, are none of a spectrum."""
_LYMAN_ALPHA = 121.567
"""Wavelength of Lyman alpha [nm]: nothing of a galaxy beyond z = 6 is seen below it."""
_BAND_EDGE = 1.15
"""Upper edge of a broad band, over its effective wavelength."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Redshifts of an upload after judgement."""

    z_spec: FloatArray
    """``(n_rows,)``; NaN where there is no label."""
    left_out: Counter[str]
    """Values that are no label, by reason."""
    codes: tuple[float, ...]
    """Values that were taken for "not measured", rounded."""


def judge_labels(
    z: FloatArray,
    *,
    is_sure: BoolArray | None,
    z_err: FloatArray | None,
    selected: BoolArray | None,
    z_max: float,
    z_visible: float,
) -> Labels:
    """Labels among the redshifts ``(n_rows,)`` of an upload.

    Parameters
    ----------
    z
        Values as uploaded; NaN where there is none.
    is_sure, z_err, selected
        What a quality cut keeps, errors, and which galaxies the survey selected; ``None`` where the
        upload does not say.
    z_max
        Largest believable redshift.
    z_visible
        Largest redshift of a galaxy that the bands can see.
    """
    left_out: Counter[str] = Counter()
    kept = np.isfinite(z)

    def leave_out(reason: str, which: BoolArray) -> None:
        nonlocal kept
        left_out[reason] += int(np.sum(kept & which))
        kept = kept & ~which

    is_code, codes = _codes(z)
    leave_out("sentinel", is_code)
    leave_out("star", np.abs(z) < _STAR)
    leave_out("negative", z < 0)
    leave_out("out_of_range", z > z_max)
    leave_out("beyond_bands", z > z_visible)
    if is_sure is not None:
        leave_out("quality", ~is_sure)
    if z_err is not None:
        with np.errstate(invalid="ignore"):
            leave_out("no_error", ~((z_err > 0) & (z_err < _LARGEST_ERROR * (1 + z))))
    if selected is not None:
        leave_out("not_selected", ~selected)
    return Labels(
        z_spec=np.where(kept, z, np.nan).astype(np.float32),
        left_out=Counter({reason: n for reason, n in left_out.items() if n}),
        codes=codes,
    )


def largest_visible_redshift(bands: tuple[str, ...]) -> float:
    """Redshift at which Lyman alpha leaves the reddest of ``bands``; infinite if one is unknown."""
    known = [wavelength(band) for band in bands]
    if not known or any(reach is None for reach in known):
        return float("inf")
    return max(reach for reach in known if reach is not None) * _BAND_EDGE / _LYMAN_ALPHA - 1


def _codes(z: FloatArray) -> tuple[BoolArray, tuple[float, ...]]:
    """Values that say "not measured": known ones, and a repeated one far from all others."""
    is_given = np.isfinite(z)
    # Four digits in doubles: 9.9999 is another number in single precision.
    rounded = np.round(z[is_given].astype(np.float64), 4)
    values, counts = np.unique(rounded, return_counts=True)
    is_known = np.isin(values, _CODES)
    found = set(values[is_known].tolist())
    is_other = ~is_known & (np.abs(values) > _STAR)
    found |= _repeated_at_the_end(values[is_other], counts[is_other])
    codes = tuple(sorted(found))
    is_code = np.zeros(len(z), dtype=bool)
    is_code[is_given] = np.isin(rounded, codes)
    return is_code, codes


def _repeated_at_the_end(values: FloatArray, counts: IntArray) -> set[float]:
    """Values at the far end that more galaxies share than share others; ``values`` ascend.

    A few stray values may lie above a code, and there may be several, such as 8.888 and 7.777.
    """
    found: set[float] = set()
    n_above = 0
    usual = float(np.quantile(counts, _USUAL)) if len(counts) else 1.0
    while len(values) > 1 and n_above <= max(_FEW_ABOVE, _PART_ABOVE * counts.sum()):
        is_apart = values[-1] - values[-2] > _GAP * (1 + max(float(values[-2]), 0.0))
        least = _MIN_REPEATS if is_apart else max(_MANY_REPEATS, _TIMES_USUAL * usual)
        is_high = values[-1] >= _LEAST_CODE or counts[-1] > _PART_OF_CODE * counts.sum()
        if counts[-1] >= least and is_high:
            found.add(float(values[-1]))
        else:
            n_above += int(counts[-1])
        values, counts = values[:-1], counts[:-1]
    return found
