"""A look through a VOTable before a library builds it: what it points to and what it declares.

The parser is expat, as in astropy, without anything that loads. It sees each tag once, so that a
document is refused for an address, an entity or a width before a byte of a table is made.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from hbmlc_models.formats.errors import (
    NotATableError,
    OutsideDataError,
    TooDemandingError,
    TooManyRowsError,
    TruncatedFileError,
)
from hbmlc_models.formats.limits import (
    MAX_RECORD_BYTES,
    MAX_XML_DEPTH,
    MAX_XML_ELEMENTS,
    IngestLimits,
)
from hbmlc_models.formats.readers._votable_head import HeadCollector

__all__ = ["check_document"]

_READ_BYTES = 2**20
_BYTES = {
    "boolean": 1,
    "bit": 1,
    "unsignedByte": 1,
    "short": 2,
    "int": 4,
    "long": 8,
    "char": 1,
    "unicodeChar": 4,
    "float": 4,
    "double": 8,
    "floatComplex": 8,
    "doubleComplex": 16,
}
"""Bytes of one value of a datatype as it is held."""
_FEW = frozenset({"TR", "TD"})
"""Elements of which there are as many as cells."""
_MAY_LINK = "LINK"
"""Documentation links are text for people: nobody follows them. Archives write many."""
_ARRAYSIZE = re.compile(r"\d{1,18}(x\d{1,18})*(x?\d{0,18}\*)?|\*")


def check_document(source: Path, limits: IngestLimits) -> HeadCollector:
    """Return what a document says of its tables.

    Raises
    ------
    CatalogError
        It points outside itself or declares more than it may hold.
    """
    size = source.stat().st_size
    if size > limits.max_votable_bytes:
        raise TooManyRowsError(
            f"The VOTable has {size:,} bytes, the limit for this format is "
            f"{limits.max_votable_bytes:,}; upload Parquet or FITS instead."
        )
    check = _Check(limits, size)
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = check.doctype
    parser.EntityDeclHandler = check.doctype
    parser.StartElementHandler = check.start
    parser.EndElementHandler = check.end
    parser.CharacterDataHandler = check.head.text
    try:
        with source.open("rb") as file:
            while piece := file.read(_READ_BYTES):
                parser.Parse(piece, False)  # noqa: FBT003 -- expat names no such argument
            parser.Parse(b"", True)  # noqa: FBT003
    except (LookupError, UnicodeError) as error:
        raise NotATableError(
            "The VOTable is in an encoding that is not read; write it as UTF-8."
        ) from error
    except expat.ExpatError as error:
        raise TruncatedFileError(
            "The VOTable document breaks off or is no XML; write it again in full.",
            where=f"line {error.lineno}",
        ) from error
    return check.head


class _Check:
    """What the tags of a document add up to."""

    def __init__(self, limits: IngestLimits, size: int) -> None:
        self._limits = limits
        self._size = size
        self._depth = 0
        self._n_elements = 0
        self._n_fields = 0
        self._row_bytes = 0
        self._n_rows = 0
        self._said_rows = 0
        self._total_bytes = 0
        self.head = HeadCollector()
        """What the document says of its tables."""

    def doctype(self, *_: object) -> None:
        """Refuse a document type, and with it every entity."""
        raise OutsideDataError(
            "The VOTable declares a document type or XML entities, which are never expanded; "
            "write it without <!DOCTYPE>."
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See an opening tag."""
        name = tag.rpartition(":")[2]
        self._depth += 1
        if name == "TR":
            self._n_rows += 1
            self._take(1)
        if name in _FEW:
            return
        self._n_elements += 1
        if self._depth > MAX_XML_DEPTH or self._n_elements > MAX_XML_ELEMENTS:
            raise TooDemandingError(
                f"The VOTable has more than {MAX_XML_ELEMENTS:,} elements besides its cells, or "
                f"they nest deeper than {MAX_XML_DEPTH}; upload the table alone."
            )
        if name != _MAY_LINK and any(key.rpartition(":")[2] == "href" for key in attributes):
            raise OutsideDataError(
                f"The VOTable keeps data elsewhere (an address in a {_tag(name)} element), which "
                "is never fetched; write the rows into the document.",
                where=_tag(name),
            )
        self.head.start(name, attributes)
        self._declare(name, attributes)

    def end(self, tag: str) -> None:
        """See a closing tag."""
        self._depth -= 1
        name = tag.rpartition(":")[2]
        if name not in _FEW:
            self.head.end()
        if name == "TABLE" and self.head.tables:
            last = self.head.tables[-1]
            last.n_rows = max(last.n_rows, self._n_rows, self._said_rows)

    def _declare(self, name: str, attributes: dict[str, str]) -> None:
        """Add up what tables, fields and parameters say of their sizes."""
        if name == "TABLE":
            self._row_bytes = self._n_rows = self._n_fields = self._said_rows = 0
            rows = attributes.get("nrows", "0").strip()
            if not rows.isascii() or not rows.isdigit() or len(rows) > len(str(2**62)):
                raise NotATableError("The VOTable says no number of rows in 'nrows'; mend it.")
            self._limits.check_rows(int(rows))
            # At least a tag or a byte of base64 for each row that is there.
            if int(rows) > self._size:
                raise TruncatedFileError(
                    f"The VOTable says it has {int(rows):,} rows, and has {self._size:,} bytes; "
                    "upload it again in full.",
                    where="nrows",
                )
            self._said_rows = int(rows)
        elif name == "DATA":
            # As many rows are made at once as the table says.
            self._take(self._said_rows)
        elif name in {"FIELD", "PARAM"}:
            width = _width(attributes)
            if width > MAX_RECORD_BYTES:
                raise TooDemandingError(
                    f"A {name} of the VOTable is {width:,} bytes wide, the limit is "
                    f"{MAX_RECORD_BYTES:,}; leave such columns out.",
                    where="arraysize",
                )
            if name == "FIELD":
                self._n_fields += 1
                self._row_bytes += width
                self._limits.check_columns(self._n_fields)

    def _take(self, n_rows: int) -> None:
        """Count rows of the table; all tables are held at once, whichever is wanted."""
        self._total_bytes += n_rows * self._row_bytes
        self._limits.check_rows(self._n_rows)
        self._limits.check_expansion(self._total_bytes, file_bytes=self._size)


def _tag(name: str) -> str:
    """Name of an element as far as VOTable has one."""
    return name if name in {"STREAM", "FITS", "PARQUET", "BINARY", "BINARY2"} else "foreign"


def _width(attributes: dict[str, str]) -> int:
    """Bytes of one value of a field; those of any length take what they bring."""
    per_value = _BYTES.get(attributes.get("datatype", ""), 16)
    arraysize = attributes.get("arraysize", "").strip().replace(" ", "")
    if not arraysize:
        return per_value
    if not _ARRAYSIZE.fullmatch(arraysize):
        raise NotATableError(
            "A field of the VOTable has an 'arraysize' that is no size; mend it.", where="arraysize"
        )
    total = per_value
    for part in arraysize.rstrip("*").rstrip("x").split("x"):
        total *= int(part) if part else 1
    return total
