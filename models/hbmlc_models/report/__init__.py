"""What a calibration tells people: headline numbers, figures and one self-contained page."""

from __future__ import annotations

from hbmlc_models.report.collector import ReportCollector
from hbmlc_models.report.data import GroupMetrics, ReportData
from hbmlc_models.report.page import write_report

__all__ = ["GroupMetrics", "ReportCollector", "ReportData", "write_report"]
