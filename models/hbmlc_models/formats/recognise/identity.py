"""Columns that say which galaxy it is and where: id, position, tile, selection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import pi

from hbmlc_models.formats.errors import MappingInvalidError
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn
from hbmlc_models.formats.recognise.words import DEC, ID, RA, TILE
from hbmlc_models.formats.units import degrees_per

__all__ = ["degrees_of", "first_of", "plain_names", "positions_in", "tile_of"]

_POSITION_UNITS = {"deg": (1.0, 1.0), "rad": (180 / pi, 180 / pi), "hour": (15.0, 1.0)}
"""Degrees per unit of right ascension and of declination, as a mapping may name them."""
_MIN_SHARED = 3
"""Columns that share a suffix before it is taken for that of a cross-match."""


def plain_names(columns: Iterable[str]) -> dict[str, str]:
    """What each column is called without the suffix of a cross-match.

    LSDB and TOPCAT add one to the columns of each table, such as ``_dp1`` or ``_1``; it is one
    where the columns that have it bring a position or an id of their own.

    Examples
    --------
    >>> names = plain_names(["objectId_dp1", "ra_dp1", "dec_dp1", "g_cModelFlux_dp1", "z_desi"])
    >>> names["g_cModelFlux_dp1"], names["z_desi"]
    ('g_cModelFlux', 'z_desi')
    """
    names = list(columns)
    endings = Counter(_ending(name) for name in names)
    suffixes = {
        ending
        for ending, count in endings.items()
        if ending and count >= _MIN_SHARED and _is_whole([n for n in names if _ending(n) == ending])
    }
    return {
        name: name[: -len(ending)] if (ending := _ending(name)) in suffixes else name
        for name in names
    }


def first_of(lowered: Mapping[str, str], names: Iterable[str]) -> str | None:
    """Column whose plain lower-case name comes first in ``names``."""
    return next((lowered[name] for name in names if name in lowered), None)


def positions_in(lowered: Mapping[str, str]) -> tuple[str | None, str | None]:
    """Columns of right ascension and declination; else two that share what stands around them.

    Examples
    --------
    >>> positions_in({"des_dec": "DES_DEC", "des_ra": "DES_RA"})
    ('DES_RA', 'DES_DEC')
    """
    ra, dec = first_of(lowered, RA), first_of(lowered, DEC)
    if ra is not None or dec is not None:
        return ra, dec
    for name in reversed(list(lowered)):
        for before, ours, after in _cuts(name):
            around = [f"{before}{theirs}{after}" for theirs in DEC]
            if ours in RA and (found := first_of(lowered, around)) is not None:
                return lowered[name], found
    return None, None


def _cuts(name: str) -> Iterator[tuple[str, str, str]]:
    """A name cut at its first and at its last separator: what may be a survey, and the rest."""
    for pattern in (r"(.*?)([_.])(.*)", r"(.*)([_.])(.*)"):
        if found := re.fullmatch(pattern, name):
            yield found[1] + found[2], found[3], ""
            yield "", found[1], found[2] + found[3]


def tile_of(lowered: Mapping[str, str]) -> str | None:
    """Column of the caller's tiles.

    A ``field`` of SDSS is one only with its ``run`` and ``camcol``: alone it is a number that
    repeats all over the sky.
    """
    is_sdss = {"run", "camcol"} <= lowered.keys()
    return first_of(lowered, [name for name in TILE if not (is_sdss and name == "field")])


def degrees_of(mapping: ColumnMapping, columns: Mapping[str, SourceColumn]) -> tuple[float, float]:
    """Degrees per unit of right ascension and declination: of the mapping, else of the file.

    Raises
    ------
    MappingInvalidError
        The mapping names a unit that is none of positions.
    """
    if mapping.position_unit is not None:
        if mapping.position_unit not in _POSITION_UNITS:
            raise MappingInvalidError(
                f"'position_unit' is one of {', '.join(_POSITION_UNITS)}.", where="position_unit"
            )
        return _POSITION_UNITS[mapping.position_unit]
    per = [
        degrees_per(unit) if name and name in columns and (unit := columns[name].unit) else None
        for name in (mapping.ra, mapping.dec)
    ]
    return per[0] or 1.0, per[1] or 1.0


def _ending(name: str) -> str:
    """The last underscore and what follows it."""
    head, sign, tail = name.rpartition("_")
    return sign + tail if head and tail else ""


def _is_whole(names: list[str]) -> bool:
    """Whether columns without their suffix bring a position, or an id and something else."""
    plain = {name[: -len(_ending(name))].lower() for name in names}
    return bool(plain & set(RA) and plain & set(DEC)) or bool(plain & set(ID[:8]))
