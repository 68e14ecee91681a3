"""How a text table is laid out, as its first lines tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from hbmlc_models.formats.readers._table import SourceColumn

__all__ = ["Layout", "TextColumn", "TextPlan"]


class Layout(Enum):
    """What divides the fields of a row."""

    SEPARATED = "separated"
    """One character."""
    BLANKS = "blanks"
    """Any number of blanks."""
    FIXED = "fixed"
    """The place in the line."""


@dataclass(slots=True, kw_only=True)
class TextColumn:
    """One field of each row."""

    name: str
    """Name in the header; empty for a field without."""
    unit: str | None = None
    description: str | None = None
    null: str | None = None
    """Value that stands for nothing in this column."""
    n_elements: int | None = None
    """Values a row of a vector, which stands in one field as a list in JSON."""
    span: tuple[int, int] = (0, 0)
    """First byte and the one after the last within a line, where the place counts."""

    @property
    def described(self) -> SourceColumn:
        """What the file says of it."""
        return SourceColumn(
            unit=self.unit, description=self.description, n_elements=self.n_elements
        )


@dataclass(slots=True, kw_only=True)
class TextPlan:
    """The layout of one text table."""

    columns: list[TextColumn]
    """Fields of a row, in order."""
    first_row: int
    """Lines above the first row."""
    layout: Layout = Layout.SEPARATED
    separator: str = ","
    """What divides the fields where one character does."""
    is_comma_decimal: bool = False
    """Whether numbers are written with a decimal comma."""
    has_loose_ends: bool = False
    """Whether some rows end with a separator and others do not."""
    has_borders: bool = False
    """Whether lines are drawn around the header, and so perhaps below the rows."""
    has_hash_rows: bool = False
    """Whether all rows begin like comments."""
    number_places: frozenset[int] = frozenset()
    """Columns, counted from zero, that hold numbers."""
    comments: list[str] = field(default_factory=list[str])
    """Comments above the first row."""
