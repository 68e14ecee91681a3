"""Where the photometry of each band comes from, and how it is turned into maggies."""

from __future__ import annotations

from dataclasses import dataclass

from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.report import UnitSource

__all__ = ["BandSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BandSource:
    """Two columns and what their numbers mean."""

    band: str
    """Name of the band."""
    column: str
    """Column of the values."""
    error_column: str
    """Column of the errors or of the inverse variances."""
    quantity: Quantity
    """Magnitude or flux."""
    is_ivar: bool
    """Whether ``error_column`` holds inverse variances."""
    unit: str
    """Unit of the values, as it is shown."""
    unit_from: UnitSource
    """Where the unit is known from."""
    scale: float
    """Maggies, or magnitudes, of a value of one."""
    error_scale: float
    """The same of an error of one; an inverse variance of one is an error of one."""
    offset: float = 0.0
    """What is added to magnitudes to make them AB [mag]."""
