"""VOTable documents."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from astropy.io import votable
from astropy.io.votable.exceptions import VOWarning

from hbmlc_models.formats.errors import CatalogError, NotATableError, TruncatedFileError
from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.limits import IngestLimits
from hbmlc_models.formats.readers._arrow import text_array
from hbmlc_models.formats.readers._choice import Candidate, choose
from hbmlc_models.formats.readers._elements import split_element
from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import SourceColumn, TableChoice
from hbmlc_models.formats.readers._votable_check import check_document
from hbmlc_models.formats.readers._votable_head import HeadCollector, columns_of
from hbmlc_models.formats.shown import clipped

__all__ = ["VoTable"]

_TEXTS = frozenset({"char", "unicodeChar"})
_SHOWN_STATUS = 300
_LISTS = 1_000
"""Rows by which the length of lists of any length is judged."""


class VoTable:
    """The table of a VOTable document that looks most like a catalogue, held in memory."""

    def __init__(self, source: Path, limits: IngestLimits, choice: TableChoice) -> None:
        head = check_document(source, limits)
        number, self.findings = _chosen(head, choice)
        self.findings += _warnings(head)
        self._limits = limits
        table = _parsed(source, number)
        limits.check_columns(len(table.fields))
        limits.check_rows(len(table.array))
        self._data: Any = table.array
        self.n_rows: int | None = len(table.array)
        fields = zip(table.array.dtype.names or (), table.fields, strict=True)
        held, self.doubles = distinct((_label(key, field), (key, field)) for key, field in fields)
        self._keys = {name: key for name, (key, _) in held.items()}
        said = columns_of(head.tables[number].fields)[0]
        self.columns = {
            name: replace(said.get(name, SourceColumn()), n_elements=elements or None)
            for name, (key, field) in held.items()
            if (elements := _elements(self._data[key], field)) is not None
        }

    def batches(self, columns: Sequence[str], *, size: int) -> Iterator[pa.RecordBatch]:
        """Rows of ``columns`` in batches."""
        wanted = [split_element(name, self.columns) for name in columns]
        for start in range(0, len(self._data), size):
            part = self._data[start : start + size]
            arrays: list[pa.Array] = []
            for base, element in wanted:
                values = part[self._keys[base]]
                if element is not None:
                    arrays.append(_element(values, element))
                else:
                    arrays.append(_to_arrow(values, base, self._limits))
            yield pa.RecordBatch.from_arrays(arrays, names=list(columns))

    def close(self) -> None:
        """Drop the table."""
        self._data = self._data[:0]


def _chosen(head: HeadCollector, choice: TableChoice) -> tuple[int, list[Finding]]:
    """Index of the catalogue among the tables of the document, and what to say."""
    has_tables = any(table.fields for table in head.tables)
    if head.status == "ERROR" or (head.status_text and not has_tables):
        said = clipped(" ".join(head.status_text.split()), _SHOWN_STATUS) or "nothing more"
        raise NotATableError(
            f"The VOTable is the error message of an archive, not a table; it says: {said}. Mend "
            "the query and fetch the table again.",
            where="QUERY_STATUS",
        )
    candidates = [
        Candidate(
            name=table.name or table.id,
            number=index + 1,
            columns=[field.name for field in table.fields],
            n_rows=table.n_rows,
            aliases=tuple(name for name in (table.id,) if name),
        )
        for index, table in enumerate(head.tables)
        if table.fields
    ]
    if not candidates:
        raise NotATableError(
            "The VOTable document holds no table; fetch it again, with a query that finds rows."
        )
    best, findings = choose(candidates, choice, what="TABLE")
    return (best.number or 1) - 1, findings


def _warnings(head: HeadCollector) -> list[Finding]:
    """Say whether the archive left rows out."""
    if head.status != "OVERFLOW":
        return []
    return [
        warn(
            FindingCode.ROWS_MISSING,
            "The archive cut the table short (QUERY_STATUS is OVERFLOW): rows are missing. Ask for "
            "more rows (MAXREC), or fetch the table in parts.",
        )
    ]


def _parsed(source: Path, number: int) -> Any:
    """Table of that index; the others are passed over."""
    try:
        # An open file, not a name: the library then has no place to start a relative address.
        with source.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", VOWarning)
            document = votable.parse(file, verify="ignore", table_number=number)
            return list(document.iter_tables())[number]
    except (CatalogError, MemoryError):
        raise
    except Exception as error:
        # astropy raises whatever its XML, base64 and numpy layers raise; all mean the same.
        raise TruncatedFileError(
            "The VOTable document is damaged; write it again, or upload Parquet or FITS."
        ) from error


def _label(key: str, field: Any) -> str:
    """Name of a column: its name, else its ID."""
    return str(field.name or key)


def _elements(values: Any, field: Any) -> int | None:
    """Values a row of a vector, zero for one value; ``None`` where neither can be read."""
    if field.datatype in _TEXTS or field.arraysize in (None, "1"):
        return 0
    if values.dtype.kind in "biuf":
        return values.shape[1] if values.ndim == 2 else None  # noqa: PLR2004 -- rows and elements
    return max((np.size(value) for value in values[:_LISTS]), default=0) or None


def _element(values: Any, element: int) -> pa.Array:
    """One element of each vector; null where there is none."""
    if values.dtype.kind != "O":
        part = values[:, element]
        return pa.array(np.ascontiguousarray(np.ma.getdata(part)), mask=np.ma.getmaskarray(part))
    found: list[float | None] = []
    for value in np.ma.getdata(values):
        flat = np.ma.ravel(value)
        is_there = element < flat.size and not np.ma.getmaskarray(flat)[element]
        found.append(float(np.ma.getdata(flat)[element]) if is_there else None)
    return pa.array(found, pa.float64())


def _to_arrow(values: Any, name: str, limits: IngestLimits) -> pa.Array:
    """Arrow values of one masked column."""
    data = np.ma.getdata(values)
    mask = np.ma.getmaskarray(values)
    if data.dtype.kind == "O":
        texts = [None if m else str(v) for v, m in zip(data, mask, strict=True)]
        limits.check_cell(name, max((len(text) for text in texts if text), default=0))
        return pa.array(texts, pa.string())
    limits.check_cell(name, data.dtype.itemsize)
    if data.dtype.kind in "SU":
        return text_array(data, name)
    return pa.array(np.ascontiguousarray(data), mask=mask)
