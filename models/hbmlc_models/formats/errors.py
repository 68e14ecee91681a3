"""What can be wrong with an uploaded catalogue.

::

    CatalogError                       (code, message, where)
    ├── FileError                      the bytes are not a table that we read
    │   ├── EmptyFileError             empty-file
    │   ├── TruncatedFileError         truncated-file
    │   ├── UnknownFormatError         unknown-format
    │   ├── CompressedFileError        compressed-file
    │   ├── PickledDataError           pickled-data
    │   ├── OutsideDataError           outside-data
    │   └── NotATableError             not-a-table
    ├── LimitError                     more than this service takes
    │   ├── TooManyColumnsError        too-many-columns
    │   ├── TooManyRowsError           too-many-rows
    │   └── TooDemandingError          file-too-demanding
    ├── ColumnError                    columns are missing, double or of the wrong kind
    │   ├── MappingInvalidError        mapping-invalid
    │   ├── BadTextError               bad-text
    │   ├── NoBandRecognisedError      no-band-recognised
    │   └── MissingIdsError            missing-ids
    └── ValueRangeError                columns are there, their values are unusable
        ├── DuplicateIdsError          duplicate-ids
        ├── IntegerOverflowError       integer-overflow
        ├── BadErrorsError             bad-errors
        ├── SpecZOutOfRangeError       spec-z-out-of-range
        ├── PositionOutOfRangeError    position-out-of-range
        ├── TooFewGalaxiesError        too-few-galaxies
        └── AllSelectedError           all-selected
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hbmlc_models.formats.arrays import JsonValue
from hbmlc_models.formats.findings import Finding
from hbmlc_models.formats.shown import clipped

__all__ = [
    "AllSelectedError",
    "BadErrorsError",
    "BadTextError",
    "CatalogError",
    "ColumnError",
    "CompressedFileError",
    "DuplicateIdsError",
    "EmptyFileError",
    "FileError",
    "IntegerOverflowError",
    "LimitError",
    "MappingInvalidError",
    "MissingIdsError",
    "NoBandRecognisedError",
    "NotATableError",
    "OutsideDataError",
    "PickledDataError",
    "PositionOutOfRangeError",
    "SpecZOutOfRangeError",
    "TooDemandingError",
    "TooFewGalaxiesError",
    "TooManyColumnsError",
    "TooManyRowsError",
    "TruncatedFileError",
    "UnknownFormatError",
    "ValueRangeError",
]


_MESSAGE_LENGTH = 1_000
_WHERE_LENGTH = 200


class CatalogError(Exception):
    """An uploaded catalogue cannot be used; the message says why and what to do.

    It goes to the owner of the catalogue and into logs, so it names rows, columns and lengths, and
    never says what stands in a cell.
    """

    code: ClassVar[str] = "catalog-error"
    """Stable machine-readable name of the fault."""

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        mapping: Mapping[str, JsonValue] | None = None,
    ) -> None:
        message = clipped(message, _MESSAGE_LENGTH)
        self.message = message
        """What was found and what to do; printable."""
        self.where = None if where is None else clipped(where, _WHERE_LENGTH)
        """Column, row or byte at which it was found, where that is known."""
        self.mapping = mapping
        """Piece of mapping that mends it, where there is one."""
        self.findings: tuple[Finding, ...] = ()
        """What was noticed before it."""
        super().__init__(message)


class FileError(CatalogError):
    """The bytes are not a table that can be read."""


class EmptyFileError(FileError):
    """The file has no bytes, or its table no rows."""

    code = "empty-file"


class TruncatedFileError(FileError):
    """The file ends early."""

    code = "truncated-file"


class UnknownFormatError(FileError):
    """The first bytes belong to no format that is read."""

    code = "unknown-format"


class CompressedFileError(FileError):
    """The file is compressed as a whole; its true size is unknown before it is unpacked."""

    code = "compressed-file"


class PickledDataError(FileError):
    """The file holds Python pickles, which run code when read."""

    code = "pickled-data"


class OutsideDataError(FileError):
    """The file points to data outside itself: another file, an address, a declared entity."""

    code = "outside-data"


class NotATableError(FileError):
    """The format is known, but there is no table in it."""

    code = "not-a-table"


class LimitError(CatalogError):
    """The table is larger than the limits."""


class TooManyColumnsError(LimitError):
    """More columns than the limit."""

    code = "too-many-columns"


class TooManyRowsError(LimitError):
    """More rows than the limit."""

    code = "too-many-rows"


class TooDemandingError(LimitError):
    """The file declares more than it may unfold to: wide values, huge chunks, empty rows."""

    code = "file-too-demanding"


class ColumnError(CatalogError):
    """Columns are missing, double or of the wrong kind."""


class MappingInvalidError(ColumnError):
    """The mapping names columns that are not there or cannot hold what it says."""

    code = "mapping-invalid"


class BadTextError(ColumnError):
    """An id or a tile name cannot be written down: a control character, or no UTF-8."""

    code = "bad-text"


class NoBandRecognisedError(ColumnError):
    """No column name looks like a magnitude or a flux."""

    code = "no-band-recognised"


class MissingIdsError(ColumnError):
    """There is no id column, or it has gaps."""

    code = "missing-ids"


class ValueRangeError(CatalogError):
    """The columns are there, but their values are unusable."""


class DuplicateIdsError(ValueRangeError):
    """Two galaxies share one id."""

    code = "duplicate-ids"


class IntegerOverflowError(ValueRangeError):
    """An integer does not fit into 64 bits with sign."""

    code = "integer-overflow"


class BadErrorsError(ValueRangeError):
    """There are no photometric errors, or none of them is positive."""

    code = "bad-errors"


class SpecZOutOfRangeError(ValueRangeError):
    """No spectroscopic redshift is within the range."""

    code = "spec-z-out-of-range"


class PositionOutOfRangeError(ValueRangeError):
    """No galaxy has a usable position, though there are position columns."""

    code = "position-out-of-range"


class TooFewGalaxiesError(ValueRangeError):
    """One galaxy is no catalogue."""

    code = "too-few-galaxies"


class AllSelectedError(ValueRangeError):
    """Every galaxy has a spectrum: nothing is left to calibrate."""

    code = "all-selected"
