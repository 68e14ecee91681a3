"""Columns of the result table: type, unit, UCD and meaning."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RESULT_COLUMNS", "ResultColumn", "describe", "ordered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """One computed column of the result table."""

    name: str
    """Name of the column."""
    ucd: str
    """Unified content descriptor, IVOA UCD1+."""
    meaning: str
    """One sentence."""
    dtype: str = "f4"
    """numpy type."""


def _column(name: str, ucd: str, meaning: str, dtype: str = "f4") -> ResultColumn:
    return ResultColumn(name=name, ucd=ucd, meaning=meaning, dtype=dtype)


RESULT_COLUMNS: tuple[ResultColumn, ...] = (
    _column("z_phot", "src.redshift.phot;meta.main", "Recommended photometric redshift"),
    _column(
        "z_phot_beta_low",
        "src.redshift.phot",
        "z_phot if the selection's redshift dependence were one prior standard deviation lower",
    ),
    _column(
        "z_phot_beta_high",
        "src.redshift.phot",
        "z_phot if the selection's redshift dependence were one prior standard deviation higher",
    ),
    _column("z_mode", "src.redshift.phot", "Mode of the calibrated p(z)"),
    _column("z_mean", "src.redshift.phot;stat.mean", "Mean of the calibrated p(z)"),
    _column("z_median", "src.redshift.phot;stat.median", "Median of the calibrated p(z)"),
    _column("z_std", "stat.stdev;src.redshift.phot", "Standard deviation of the calibrated p(z)"),
    _column("z_q025", "stat.min;src.redshift.phot", "2.5 per cent quantile of p(z)"),
    _column("z_q16", "stat.min;src.redshift.phot", "16 per cent quantile of p(z)"),
    _column("z_q84", "stat.max;src.redshift.phot", "84 per cent quantile of p(z)"),
    _column("z_q975", "stat.max;src.redshift.phot", "97.5 per cent quantile of p(z)"),
    _column("odds", "stat.probability", "Probability within 0.06(1+z) of the mode"),
    _column("z_network", "src.redshift.phot", "Point estimate of the network before fusion"),
    _column(
        "z_selection", "src.redshift.phot", "Point estimate of the Bayesian part before fusion"
    ),
    _column("p_selected", "stat.probability", "Posterior mean of p(S=1 given F)"),
    _column(
        "p_selected_std",
        "stat.stdev;stat.probability",
        "Posterior standard deviation of p(S=1 given F)",
    ),
    _column("support", "stat.value", "Local density of spectroscopic support; 0 is none"),
    _column("flags", "meta.code.qual", "Bit mask of warnings", "i4"),
)
"""The columns that every result table has, in their order."""

_BY_NAME = {column.name: column for column in RESULT_COLUMNS}


def describe(name: str) -> ResultColumn:
    """Column called ``name``; unknown ones are floating-point numbers without a descriptor."""
    return _BY_NAME.get(name, _column(name, "", ""))


def ordered(names: set[str]) -> tuple[ResultColumn, ...]:
    """Known columns in their order, then others by name."""
    known = [column for column in RESULT_COLUMNS if column.name in names]
    return (*known, *(describe(name) for name in sorted(names - set(_BY_NAME))))
