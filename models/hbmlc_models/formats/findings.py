"""What an ingest noticed about an upload: remarks with a code, a column and, often, a cure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.shown import clipped

__all__ = ["Finding", "FindingCode", "Severity", "note", "warn"]

_MESSAGE_LENGTH = 1_000
_COLUMN_LENGTH = 200


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """The catalogue is refused for it."""
    WARNING = "warning"
    """The result depends on whether this is as meant."""
    NOTE = "note"
    """A choice that was made."""


class FindingCode(StrEnum):
    """Stable names of findings; ``docs/problems.md`` explains each."""

    UNIT_ASSUMED = "unit-assumed"
    UNIT_DEDUCED = "unit-deduced"
    UNIT_OVERRIDDEN = "unit-overridden"
    UNIT_NOT_UNDERSTOOD = "unit-not-understood"
    UNIT_UNUSED = "unit-unused"
    VEGA_MAGNITUDES = "vega-magnitudes"
    BAND_WITHOUT_ERRORS = "band-without-errors"
    BAND_EMPTY = "band-empty"
    BAND_IMPLAUSIBLE = "band-implausible"
    BAND_FAR_OFF = "band-far-off"
    NOT_A_BAND = "not-a-band"
    SIGNAL_TO_NOISE = "signal-to-noise-implausible"
    ERRORS_CONSTANT = "errors-constant"
    PHOTOMETRY_DISAGREES = "photometry-disagrees"
    OTHER_PHOTOMETRY = "other-photometry"
    DEREDDENED_NOT_TAKEN = "dereddened-not-taken"
    FAMILIES_JOINED = "families-joined"
    BAND_TWICE = "band-twice"
    LABELS_MISSING = "labels-missing"
    LABELS_LEFT_OUT = "labels-left-out"
    QUALITY_UNUSED = "quality-unused"
    TABLE_CHOSEN = "table-chosen"
    ROWS_MISSING = "rows-missing"
    COLUMNS_LEFT_OUT = "columns-left-out"
    COLUMN_TWICE = "column-twice"
    TEXT_ENCODING = "text-encoding"
    DECIMAL_COMMA = "decimal-comma"
    MASKS_USED = "masks-used"
    TILE_NOT_USED = "tile-not-used"
    POSITIONS_NOT_DEGREES = "positions-not-degrees"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One remark about an upload; what stands in a cell is in none but where it says "nothing"."""

    severity: Severity
    """How much it matters."""
    code: FindingCode
    """Which kind of remark it is."""
    message: str
    """What was found and what to do."""
    column: str | None = None
    """Column that it is about."""
    mapping: Mapping[str, JsonValue] | None = None
    """Piece of mapping that mends it, ready to be merged into the one that was given."""

    def as_dict(self) -> dict[str, JsonValue]:
        """JSON document with the names of the fields; texts are printable and short."""
        return {
            "severity": self.severity.value,
            "code": self.code.value,
            "column": None if self.column is None else clipped(self.column, _COLUMN_LENGTH),
            "message": clipped(self.message, _MESSAGE_LENGTH),
            "mapping": None if self.mapping is None else dict(self.mapping),
        }


def warn(
    code: FindingCode,
    message: str,
    *,
    column: str | None = None,
    mapping: Mapping[str, JsonValue] | None = None,
) -> Finding:
    """Give a finding that the caller should look at."""
    return Finding(
        severity=Severity.WARNING, code=code, message=message, column=column, mapping=mapping
    )


def note(
    code: FindingCode,
    message: str,
    *,
    column: str | None = None,
    mapping: Mapping[str, JsonValue] | None = None,
) -> Finding:
    """Give a finding about a choice that was made."""
    return Finding(
        severity=Severity.NOTE, code=code, message=message, column=column, mapping=mapping
    )
