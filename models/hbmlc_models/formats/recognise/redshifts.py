"""Which column holds the spectroscopic redshifts, and which says how sure they are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.findings import Finding, FindingCode, note, warn
from hbmlc_models.formats.look import Look
from hbmlc_models.formats.recognise.name_words import words_of
from hbmlc_models.formats.recognise.photometry_words import INSTRUMENTS
from hbmlc_models.formats.recognise.word_sets import word_set
from hbmlc_models.formats.recognise.words import SPECTROSCOPIC, Z_QUALITY, Z_SPEC
from hbmlc_models.formats.shown import listed, shown

__all__ = ["Redshifts", "find_redshifts", "redshift_columns", "unused_quality"]

_SPEC = frozenset({"spec", "spectro", "spectroscopic", "specobj", "specz", "zspec", "sp"})
_REDSHIFT = frozenset({"z", "redshift", "zspec", "specz", "zhelio", "zcmb", "zbest", "zfinal"})
_OTHERWISE = word_set(
    "phot photo photoz photz zphot pz ml err error errors sigma sig std unc flag flags warn "
    "warning qual quality id true truth sim peak pdf low high lower upper min max conf type "
    "survey source ref mode median mean cosmo l68 u68 sigma68 chi2 chi prob odds wise mag flux "
    "e bpz eazy lephare lp mc tpz dnf annz median map weight dist n num count used use class "
    "form formation age vmax pdz stack template fit"
)
"""Words of columns about redshifts that are no spectroscopic ones."""
_MENTIONED = _OTHERWISE - {"true", "truth", "sim", "cosmo", "mode", "median", "peak", "map", "fit"}
"""Words of columns that are not even mentioned where no label was found."""
_FRAMES = frozenset({"helio", "hel", "cmb", "lg"})
"""What a redshift refers to."""
_SURENESS = word_set(
    "flag flags quality qual warn warning conf confid confidence q qf qlt use usable reliable "
    "secure"
)
_LARGEST = 12.0
"""Largest redshift of a galaxy with a spectrum, with room (JADES-GS-z14-0 is at 14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redshifts:
    """Columns of the labels."""

    column: str | None
    """Spectroscopic redshifts."""
    findings: tuple[Finding, ...]
    """What to say of them."""


def redshift_columns(plain_names: Mapping[str, str]) -> list[str]:
    """Columns that may hold redshifts, or say how sure they are; these are worth a look."""
    return [
        column
        for column, plain in plain_names.items()
        if _is_spectroscopic(plain) or _is_candidate(plain) or plain in {"z", "Z"}
    ]


def find_redshifts(
    plain_names: Mapping[str, str], taken: Iterable[str], look: Look, *, is_given: bool
) -> Redshifts:
    """The column that the name says is spectroscopic; else a bare ``z`` with such values.

    ``taken`` are the columns of the photometry; ``is_given``: the caller said which it is, or that
    there is none.
    """
    free = {column: plain for column, plain in plain_names.items() if column not in set(taken)}
    if is_given:
        return Redshifts(column=None, findings=())
    named = _named(free, look)
    if named is not None:
        return Redshifts(column=named, findings=())
    bare = [column for column, plain in free.items() if plain in {"z", "Z"}]
    for column in bare:
        if _has_redshifts(look, column):
            return Redshifts(column=column, findings=(_told_bare(column),))
    return Redshifts(column=None, findings=(_missing(free, look),))


def unused_quality(plain_names: Mapping[str, str]) -> tuple[str, Mapping[str, JsonValue]] | None:
    """Quality column beside the redshifts and the usual cut on it; ``None`` without one."""
    lowered = {plain.lower() for plain in plain_names.values()}
    for column, plain in plain_names.items():
        if _is_of_the_band(plain.lower(), lowered):
            continue
        key = re.sub(r"[^a-z]", "", plain.lower())
        if key in Z_QUALITY:
            return column, {"column": column, **Z_QUALITY[key]}
        if _is_sureness(plain):
            is_warning = "warn" in key
            return column, {"column": column, **({"equal": 0} if is_warning else {"min": 3})}
    return None


def _is_of_the_band(plain: str, others: Collection[str]) -> bool:
    """Whether a name is that of a column about the band z, as there is one about another band."""
    siblings = {re.sub(r"(^|_)z(_|$)", rf"\1{band}\2", plain) for band in "gri"} - {plain}
    return not siblings.isdisjoint(others)


def _is_sureness(plain: str) -> bool:
    """Whether a name speaks of the quality of redshifts."""
    words = [word.lower() for word in words_of(plain)]
    known = _REDSHIFT | _SPEC | _SURENESS | INSTRUMENTS | SPECTROSCOPIC
    known |= {"final", "homogeneous", "code", "obj", "best", "s"}
    if not known.issuperset(words) or _SURENESS.isdisjoint(words):
        return False
    return not (_REDSHIFT | _SPEC).isdisjoint(words)


def _named(free: Mapping[str, str], look: Look) -> str | None:
    """Column whose name says that it holds spectroscopic redshifts, the likeliest first."""
    lowered = {plain.lower(): column for column, plain in reversed(list(free.items()))}
    for name in Z_SPEC:
        if name in lowered:
            return lowered[name]
    fitting = [column for column, plain in free.items() if _is_spectroscopic(plain)]
    usable = [column for column in fitting if _has_redshifts(look, column)]
    return next(iter(usable or fitting), None)


def _is_spectroscopic(plain: str) -> bool:
    """Whether the words of a name are those of a spectroscopic redshift and nothing else."""
    words = [word.lower() for word in words_of(plain)]
    found = set(words)
    if not found.isdisjoint(_OTHERWISE) or len(words) > 5:  # noqa: PLR2004 -- a sentence
        return False
    is_redshift = not found.isdisjoint(_REDSHIFT)
    is_spec = not found.isdisjoint(_SPEC) or "obj" in found
    if is_redshift and is_spec:
        return True
    # "redshift_desi", "z_vipers", "z_helio": the word, and where it is from or what it refers to.
    if "redshift" in found:
        return found <= INSTRUMENTS | SPECTROSCOPIC | _FRAMES | {"redshift", "best"}
    is_known = found <= SPECTROSCOPIC | _FRAMES | {"z", "zhelio", "zcmb"}
    return is_known and len(found) > (0 if is_redshift and words[0] != "z" else 1)


def _is_candidate(plain: str) -> bool:
    """Whether a column may hold redshifts of some kind, though not surely spectroscopic ones."""
    words = [word.lower() for word in words_of(plain)]
    found = set(words)
    is_redshift = not found.isdisjoint(_REDSHIFT) or plain.lower().startswith(("z_", "redshift"))
    return is_redshift and found.isdisjoint(_MENTIONED) and len(words) <= 4  # noqa: PLR2004


def _has_redshifts(look: Look, column: str) -> bool:
    """Whether the values of a column can be redshifts; so can those that were not looked at."""
    if column not in look.columns:
        return True
    values = look.values(column)
    values = values[(values > -1) & (values < _LARGEST)]
    if not len(values):
        return False
    return bool(np.median(values) < 8.0 and np.ptp(values) > 0)  # noqa: PLR2004 -- no magnitude


def _told_bare(column: str) -> Finding:
    return note(
        FindingCode.NOT_A_BAND,
        f"The column {shown(column)} is read as spectroscopic redshift, as its values are those of "
        "redshifts; map 'z_spec' if another one is.",
        column=column,
        mapping={"z_spec": None},
    )


def _missing(free: Mapping[str, str], look: Look) -> Finding:
    """Warn that there are no labels, and name what might be some."""
    likely = [
        column
        for column, plain in free.items()
        if (_is_candidate(plain) or plain in {"z", "Z"}) and _has_redshifts(look, column)
    ]
    if not likely:
        return warn(
            FindingCode.LABELS_MISSING,
            "no spectroscopic redshifts were found: only the Bayesian part can serve; call their "
            "column 'z_spec' or map it",
        )
    return warn(
        FindingCode.LABELS_MISSING,
        "no column is surely a spectroscopic redshift: only the Bayesian part can serve; if "
        f"{listed(likely, 4)} holds them, map it as 'z_spec'",
        column=likely[0],
        mapping={"z_spec": likely[0]},
    )
