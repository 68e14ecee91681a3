"""Results of a calibration as files."""

from __future__ import annotations

from hbmlc_models.formats.results.columns import RESULT_COLUMNS, ResultColumn, describe
from hbmlc_models.formats.results.n_of_z import write_n_of_z
from hbmlc_models.formats.results.targets import write_targets
from hbmlc_models.formats.results.writer import (
    COMPACT_ROWS,
    IncompleteResultsError,
    ResultError,
    ResultWriter,
)

__all__ = [
    "COMPACT_ROWS",
    "RESULT_COLUMNS",
    "IncompleteResultsError",
    "ResultColumn",
    "ResultError",
    "ResultWriter",
    "describe",
    "write_n_of_z",
    "write_targets",
]
