"""A made-up sky of galaxies, written under the names that surveys give their columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["MADE_UP", "MadeUpSky", "made_up_sky", "write_parquet"]

_COLOURS = {
    "FUV": 3.2,
    "u": 1.7,
    "B": 1.2,
    "g": 0.9,
    "V": 0.5,
    "r": 0.0,
    "R": -0.1,
    "i": -0.4,
    "I": -0.5,
    "z": -0.7,
    "y": -0.8,
    "Y": -0.9,
    "J": -1.1,
    "H": -1.4,
    "K": -1.6,
    "Ks": -1.6,
    "W1": -1.3,
    "W2": -1.0,
}
"""Magnitude minus r of a galaxy."""
_NJY_OF_MAG_ZERO = 3631e9


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpSky:
    """Galaxies with magnitudes, errors and, for a third, a spectroscopic redshift."""

    id: npt.NDArray[np.int64]
    ra: npt.NDArray[np.float64]
    dec: npt.NDArray[np.float64]
    mags: Mapping[str, npt.NDArray[np.float64]]
    """AB magnitudes by band."""
    errors: Mapping[str, npt.NDArray[np.float64]]
    """One sigma [mag] by band."""
    z_spec: npt.NDArray[np.float64]
    """NaN for two thirds."""

    def flux(self, band: str, *, zero_point: float = 31.4) -> npt.NDArray[np.float64]:
        """Fluxes of which one has that AB magnitude; nJy by default."""
        return 10 ** (-0.4 * (self.mag(band) - zero_point))

    def flux_err(self, band: str, *, zero_point: float = 31.4) -> npt.NDArray[np.float64]:
        """Their one-sigma errors."""
        return self.flux(band, zero_point=zero_point) * self.error(band) / 1.0857

    def mag(self, band: str) -> npt.NDArray[np.float64]:
        """AB magnitudes; unknown bands have those of r."""
        return self.mags.get(band, self.mags["r"])

    def error(self, band: str) -> npt.NDArray[np.float64]:
        """Errors of the magnitudes."""
        return self.errors.get(band, self.errors["r"])


def made_up_sky(n_galaxies: int = 240, *, seed: int = 1) -> MadeUpSky:
    """Galaxies of a survey that is 26.5 mag deep; the same for the same seed."""
    rng = np.random.default_rng(seed)
    r = 25.2 - rng.gamma(2.0, 1.0, n_galaxies)
    mags = {b: r + c + rng.normal(0, 0.25, n_galaxies) for b, c in _COLOURS.items()}
    # Sky-limited errors of a depth of 26.5, and one per cent of calibration.
    errors = {
        band: np.hypot(0.01, 0.2171 * 10 ** (0.4 * (mag - 26.5))) for band, mag in mags.items()
    }
    z = rng.gamma(3.0, 0.25, n_galaxies).clip(0.02, 2.5)
    z[np.arange(n_galaxies) % 3 != 0] = np.nan
    return MadeUpSky(
        id=np.arange(36_028_797_018_963_973, 36_028_797_018_963_973 + n_galaxies),
        ra=rng.uniform(150.0, 150.8, n_galaxies),
        dec=rng.uniform(2.0, 2.8, n_galaxies),
        mags=mags,
        errors=errors,
        z_spec=z,
    )


MADE_UP = made_up_sky()
"""The sky that most tests look at."""


def write_parquet(
    path: Path, columns: Mapping[str, object], *, units: Mapping[str, str] | None = None
) -> Path:
    """Write columns in their order, with units in the metadata of the fields."""
    arrays = {name: pa.array(values) for name, values in columns.items()}
    fields = [
        pa.field(
            name, array.type, metadata={"unit": units[name]} if units and name in units else None
        )
        for name, array in arrays.items()
    ]
    pq.write_table(pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields)), path)
    return path
