"""How good redshifts are: results against the truth, beside boosted trees on the same labels."""

from __future__ import annotations

from hbmlc_models.evaluate.baseline import TreeSettings, boosted_trees
from hbmlc_models.evaluate.bootstrap import (
    Interval,
    median_error,
    outlier_share,
    paired_ratio,
)
from hbmlc_models.evaluate.comparison import Comparison, GroupComparison, compare
from hbmlc_models.evaluate.examination import (
    Examination,
    ExaminationError,
    Sky,
    read_examination,
    read_sky,
)
from hbmlc_models.evaluate.table import comparison_table

__all__ = [
    "Comparison",
    "Examination",
    "ExaminationError",
    "GroupComparison",
    "Interval",
    "Sky",
    "TreeSettings",
    "boosted_trees",
    "compare",
    "comparison_table",
    "median_error",
    "outlier_share",
    "paired_ratio",
    "read_examination",
    "read_sky",
]
