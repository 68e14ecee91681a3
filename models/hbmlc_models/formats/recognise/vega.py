"""Magnitudes in the Vega system: how they give themselves away, and what makes them AB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hbmlc_models.formats.findings import Finding, FindingCode, warn
from hbmlc_models.formats.mapping import ColumnMapping
from hbmlc_models.formats.readers import SourceColumn
from hbmlc_models.formats.recognise.band_names import Quantity
from hbmlc_models.formats.recognise.sources import BandSource
from hbmlc_models.formats.units import is_vega

__all__ = ["vega_magnitudes"]

_VEGA_TO_AB = {
    "J": 0.91,
    "H": 1.39,
    "K": 1.85,
    "Ks": 1.85,
    "W1": 2.699,
    "W2": 3.339,
    "W3": 5.174,
    "W4": 6.620,
    "IRAC1": 2.78,
    "IRAC2": 3.26,
    "IRAC3": 3.73,
    "IRAC4": 4.39,
    "U": 0.79,
    "B": -0.09,
    "V": 0.02,
    "R": 0.21,
    "I": 0.45,
    "Y": 0.63,
}
"""AB minus Vega magnitude: Johnson and 2MASS bands from Blanton & Roweis 2007 (AJ 133, 734), WISE
from the WISE Explanatory Supplement (IV.4.h), IRAC from its instrument handbook (4.9), Y from
Hewett et al. 2006 (MNRAS 367, 454)."""
_WFCAM = re.compile(r"(aper|petro|ser|psf|hall)mag")
_2MASS = re.compile(r"[jhk]_m(_.*)?")
"""Magnitudes of 2MASS; those of WFCAM and VISTA above."""


def vega_magnitudes(
    sources: Iterable[BandSource],
    mapping: ColumnMapping,
    columns: Mapping[str, SourceColumn],
) -> list[Finding]:
    """Warn of magnitudes in the Vega system, or in bands that surveys publish in it."""
    named: dict[str, str] = {}
    for source in sources:
        if source.quantity is not Quantity.MAG or source.band in mapping.mag_offset:
            continue
        column = columns[source.column]
        says_vega = any(map(is_vega, (column.unit or "", column.description or "", source.column)))
        says_ab = "ab" in (column.unit or "").lower() or " ab" in (column.description or "").lower()
        if says_vega or (_is_published_in_vega(source) and not says_ab):
            named[source.band] = source.column
    if not named:
        return []
    offsets = {band: _VEGA_TO_AB[band] for band in named if band in _VEGA_TO_AB}
    return [
        warn(
            FindingCode.VEGA_MAGNITUDES,
            f"{', '.join(named.values())}: magnitudes in the Vega system, or of a survey that "
            "publishes it; they are read as AB as they stand. 'mag_offset' makes them AB.",
            column=next(iter(named.values())),
            mapping={"mag_offset": offsets} if offsets else None,
        )
    ]


def _is_published_in_vega(source: BandSource) -> bool:
    """Whether the name is that of a catalogue in Vega magnitudes: WISE, 2MASS, WFCAM, Johnson's."""
    lowered = source.column.lower()
    if "mpro" in lowered:
        return True
    is_vizier = source.column in {f"{source.band}mag", f"{source.band}magnitude"}
    if is_vizier and source.band in _VEGA_TO_AB:
        return True
    is_wfcam = _WFCAM.search(lowered) is not None
    is_2mass = _2MASS.fullmatch(lowered) is not None
    return source.band in {"Y", "J", "H", "K", "Ks"} and (is_wfcam or is_2mass)
