"""Sets of filters, with curves from the speclite package."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
from speclite.filters import load_filter

from hbmlc_models.arrays import FloatArray

__all__ = ["FILTER_SETS", "FilterSet", "UnknownFilterSetError", "filter_set"]


class UnknownFilterSetError(KeyError):
    """There is no filter set of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSet:
    """Filters of one camera."""

    name: str
    """Short name."""
    bands: tuple[str, ...]
    """Band names in order of wavelength."""
    curves: tuple[str, ...]
    """speclite's name of each filter."""
    selection_band: str
    """Band in which samples are limited."""

    def transmission(self, band: int, wavelength: FloatArray) -> FloatArray:
        """Transmission of filter number ``band`` at ``wavelength`` [angstrom], same shape."""
        curve_wavelength, response = _curve(self.curves[band])
        return np.interp(wavelength, curve_wavelength, response, left=0.0, right=0.0)


def _set(name: str, group: str, bands: str, selection_band: str) -> FilterSet:
    """Filter set whose speclite names are ``group-band``."""
    names = tuple(bands)
    curves = tuple(f"{group}-{band}" for band in names)
    return FilterSet(name=name, bands=names, curves=curves, selection_band=selection_band)


FILTER_SETS: dict[str, FilterSet] = {
    chosen.name: chosen
    for chosen in (
        _set("lsst", "lsst2023", "ugrizy", "i"),
        _set("sdss", "sdss2010", "ugriz", "r"),
        _set("decam", "decam2014", "grizY", "i"),
        _set("decam-griz", "decam2014", "griz", "i"),
        _set("hsc", "hsc2017", "grizy", "i"),
        _set("cfht", "cfht_megacam", "ugriz", "i"),
        _set("panstarrs", "panstarrs", "grizy", "i"),
        _set("des", "decamDR1", "grizY", "i"),
        FilterSet(
            name="euclid-lsst",
            bands=tuple("ugrizyYJH"),
            curves=(
                *(f"lsst2023-{band}" for band in "ugrizy"),
                *(f"Euclid-{band}" for band in "YJH"),
            ),
            selection_band="i",
        ),
        FilterSet(
            name="optical-nir",
            bands=tuple("uBVrizJHK"),
            curves=(
                "cfht_megacam-u",
                *(f"bessell-{band}" for band in "BV"),
                *(f"hsc2017-{band}" for band in ("r2", "i2", "z")),
                *(f"twomass-{band}" for band in ("J", "H", "Ks")),
            ),
            selection_band="i",
        ),
    )
}
"""Filter sets that can be simulated."""


def filter_set(name: str) -> FilterSet:
    """Filter set called ``name``; raises ``UnknownFilterSetError``."""
    if name not in FILTER_SETS:
        raise UnknownFilterSetError(f"no filter set {name!r}; there are {', '.join(FILTER_SETS)}")
    return FILTER_SETS[name]


@cache
def _curve(name: str) -> tuple[FloatArray, FloatArray]:
    """Wavelength [angstrom] and response of a speclite filter."""
    with warnings.catch_warnings():
        # Importing astropy's table code warns about parts of astropy that speclite never calls.
        warnings.simplefilter("ignore")
        response = load_filter(name)
    return np.asarray(response.wavelength), np.asarray(response.response)
