"""An id column under a name that nobody knows: one of the likely ones whose values are unique."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pyarrow as pa

from hbmlc_models.formats._columns import plain
from hbmlc_models.formats._compute import pc
from hbmlc_models.formats.errors import ColumnError
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers import SourceTable
from hbmlc_models.formats.recognise.name_words import words_of
from hbmlc_models.formats.recognise.photometry_words import INSTRUMENTS
from hbmlc_models.formats.recognise.word_sets import word_set
from hbmlc_models.formats.recognise.words import SPECTROSCOPIC, TILE

__all__ = ["companions_of", "unique_id"]

_ID_WORDS = word_set(
    "id ids objid objno objname uid uuid name designation index idx row rowid no nr num number "
    "numbers object obj source src target galaxy gal iau ident identifier recno seq seqnr"
)
_OTHERWISE = word_set(
    "tile tiles field healpix hpix pix pixel patch tract brick plate fiber fibre run camcol mjd "
    "type class flag flags group cluster fof region chunk survey ccd exposure visit band filter"
)
"""Words of columns that say where or what a galaxy is, and not which."""
_COMPANIONS = (
    ("release", "brickid", "objid"),
    ("run", "rerun", "camcol", "field", "obj"),
    ("plate", "mjd", "fiberid"),
    ("tile", "id"),
    ("field", "id"),
)
"""Columns that only together are an id: the Legacy Surveys, SDSS, fields that number from one."""
_MAX_CANDIDATES = 20
_LOOK_ROWS = 65_536


def unique_id(
    table: SourceTable, names: Mapping[str, str], taken: Collection[str], limits: IngestLimits
) -> str | None:
    """Likely id column with integers or texts that are unique in the first rows.

    ``names`` gives what each column is called without its suffix.
    """
    ranked = sorted(
        (rank, column)
        for column, name in names.items()
        if column not in taken and (rank := _rank(name)) is not None
    )
    candidates = [column for _, column in ranked][:_MAX_CANDIDATES]
    if not candidates:
        return None
    size = min(_LOOK_ROWS, limits.batch_rows)
    batch = next(iter(table.batches(candidates, size=size)), None)
    if batch is None:
        return candidates[0]
    return next((name for name in candidates if _is_unique(batch[name], name)), None)


def companions_of(names: Collection[str], column: str) -> list[str]:
    """Columns that together with ``column`` may be an id; empty where there are none."""
    lowered = {name.lower(): name for name in names}
    for together in _COMPANIONS:
        if column.lower() in together and set(together) <= lowered.keys():
            return [lowered[name] for name in together]
    if column.lower() == "objid" and "brickid" in lowered:
        return [lowered["brickid"], column]
    return []


def _rank(name: str) -> int | None:
    """How likely a name is that of an id, the least first; ``None`` where it is none."""
    words = [word.lower() for word in words_of(name.lstrip("#_"))]
    if not words or not _OTHERWISE.isdisjoint(words) or name.lower() in TILE:
        return None
    if "id" in words or words[-1].endswith("id"):
        return 0
    if not _ID_WORDS.isdisjoint(words):
        return 1
    if words[0].startswith("id") or "".join(words) == "indexlevel0":
        return 2
    return 3 if set(words) <= INSTRUMENTS | SPECTROSCOPIC | {"2", "mass"} else None


def _is_unique(column: pa.Array, name: str) -> bool:
    """Whether every row has an integer or a text of its own."""
    try:
        held = plain(column, name)
    except ColumnError:
        return False
    kind = held.type
    if not (pa.types.is_integer(kind) or pa.types.is_string(kind)) or held.null_count:
        return False
    return pc.count_distinct(held).as_py() == len(held)
