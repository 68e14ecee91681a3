"""What a VOTable says before its rows: its tables, their fields, and how the query went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from hbmlc_models.formats.readers._names import distinct
from hbmlc_models.formats.readers._table import SourceColumn

__all__ = ["HeadCollector", "TableHead", "VoField", "columns_of", "columns_of_document"]

_LONGEST_UNIT = 256
_LONGEST_TEXT = 500
_LONGEST_DOCUMENT = 8 * 2**20
_STATUS = "QUERY_STATUS"
_ERROR = "ERROR"
"""What protocols before TAP call a message in the place of a table."""
_WITH_TEXT = frozenset({"DESCRIPTION", "INFO"})
"""Elements whose text is kept."""


@dataclass(slots=True, kw_only=True)
class VoField:
    """One FIELD."""

    name: str
    """Its name, else its ID."""
    unit: str | None
    description: str = ""


@dataclass(slots=True, kw_only=True)
class TableHead:
    """One TABLE."""

    name: str | None
    id: str | None
    n_rows: int = 0
    """Rows that are there or that the table says it has."""
    fields: list[VoField] = field(default_factory=list[VoField])


class HeadCollector:
    """Gathers tables and their fields from the tags of a document."""

    def __init__(self) -> None:
        self.tables: list[TableHead] = []
        """Tables in the order of the document."""
        self.status: str | None = None
        """Value of the last QUERY_STATUS."""
        self.status_text = ""
        """What the archive says of it."""
        self._open: list[str] = []
        self._add: Callable[[str], None] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """See the opening tag of an element that is no row and no cell."""
        parent = self._open[-1] if self._open else ""
        self._open.append(name)
        if name == "TABLE":
            self.tables.append(TableHead(name=attributes.get("name"), id=attributes.get("ID")))
        elif name == "FIELD" and self.tables:
            self.tables[-1].fields.append(
                VoField(
                    name=attributes.get("name") or attributes.get("ID") or "",
                    unit=attributes.get("unit", "")[:_LONGEST_UNIT].strip() or None,
                )
            )
        elif name == "DESCRIPTION" and parent == "FIELD" and self.tables:
            self._add = self._describe
        elif name == "INFO" and attributes.get("name", "").upper() == _STATUS:
            self.status = attributes.get("value", "").upper()
            self.status_text = ""
            self._add = self._tell
        elif name == "INFO" and attributes.get("name", "").upper() == _ERROR:
            self.status_text = attributes.get("value", "")[:_LONGEST_TEXT]

    def end(self) -> None:
        """See the closing tag of such an element."""
        if self._open.pop() in _WITH_TEXT:
            self._add = None

    def text(self, piece: str) -> None:
        """See text between tags."""
        if self._add is not None:
            self._add(piece)

    def _describe(self, piece: str) -> None:
        last = self.tables[-1].fields[-1]
        last.description = (last.description + piece)[:_LONGEST_TEXT]

    def _tell(self, piece: str) -> None:
        self.status_text = (self.status_text + piece)[:_LONGEST_TEXT]


def columns_of(fields: list[VoField]) -> tuple[dict[str, SourceColumn], list[str]]:
    """Columns by name, and the names that are there twice."""
    return distinct(
        (
            entry.name,
            SourceColumn(unit=entry.unit, description=entry.description.strip() or None),
        )
        for entry in fields
        if entry.name
    )


def columns_of_document(document: bytes) -> Mapping[str, SourceColumn]:
    """Columns of a VOTable without rows; nothing where it is damaged or declares entities."""
    collector = HeadCollector()
    parser = expat.ParserCreate()
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def refuse(*_: object) -> None:
        raise ValueError("A document type is never read.")

    def start(tag: str, attributes: dict[str, str]) -> None:
        collector.start(tag.rpartition(":")[2], attributes)

    def end(_: str) -> None:
        collector.end()

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = collector.text
    try:
        parser.Parse(document[:_LONGEST_DOCUMENT], True)  # noqa: FBT003
    except (expat.ExpatError, LookupError, ValueError):
        return {}
    fields = [entry for table in collector.tables for entry in table.fields]
    return columns_of(fields)[0]
