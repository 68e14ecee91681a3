"""Galaxy catalogues of a simulated world, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.photometry import Photometry, mag_from_flux
from hbmlc_models.simulate.depth import Depth, flux_sigma
from hbmlc_models.simulate.filters import FILTER_SETS, FilterSet
from hbmlc_models.simulate.grid import build_grid
from hbmlc_models.simulate.morphology import draw_morphology
from hbmlc_models.simulate.population import Galaxies, LightCone
from hbmlc_models.simulate.selection import Selection, selection_probability
from hbmlc_models.simulate.world import World
from hbmlc_models.tile import Tile

__all__ = ["MAG_LIMIT", "SimulatedCatalog", "Simulator", "simulate_catalog"]

MAG_LIMIT = 25.3
"""Faintest observed magnitude in the selection band: the LSST gold sample."""
_CHUNK = 50_000
_MAX_AREA = 25.0
"""Largest area of a galaxy over that of a point source: apertures are bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCatalog:
    """A tile whose truth is known; per-galaxy arrays are ``(n_galaxies,)``."""

    tile: Tile
    """What an observer sees."""
    z_true: FloatArray
    """True redshifts."""
    p_select: FloatArray
    """True probability of having been selected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Observed:
    """One chunk of observed galaxies."""

    galaxies: Galaxies
    flux: FloatArray
    flux_err: FloatArray
    extras: dict[str, FloatArray]
    p_select: FloatArray
    keep: BoolArray


class Simulator:
    """Draws catalogues of one world through one set of filters.

    Building it takes some tenths of a second; drawing runs at several hundred thousand galaxies a
    second in bounded memory.
    """

    def __init__(
        self, world: World, *, filters: FilterSet | None = None, mag_limit: float = MAG_LIMIT
    ) -> None:
        self.world = world
        """The world."""
        self.filters = filters or FILTER_SETS["lsst"]
        """The filters."""
        self.mag_limit = mag_limit
        """Faintest observed magnitude in the selection band."""
        self._cone = LightCone(world, build_grid(world, self.filters), mag_limit=mag_limit)

    def draw(
        self,
        n_galaxies: int,
        *,
        depth: Depth,
        selection: Selection,
        rng: np.random.Generator,
        name: str = "simulated",
        index: int = 0,
    ) -> SimulatedCatalog:
        """Draw a tile of ``n_galaxies``; its noise, zero points and selection are its own."""
        shift = rng.normal(0.0, self.world.zero_point_scatter, len(self.filters.bands))
        shift = shift + np.array(self.world.zero_point[: len(self.filters.bands)])
        gain = np.power(10.0, -0.4 * shift)
        parts: list[_Observed] = []
        n_kept, share = 0, 0.5
        while n_kept < n_galaxies:
            wanted = int((n_galaxies - n_kept) / share * 1.05) + 200
            part = self._observe(min(wanted, _CHUNK), depth, selection, gain, rng)
            share = max(0.05, float(part.keep.mean()))
            n_kept += int(part.keep.sum())
            parts.append(part)
        return self._assemble(parts, n_galaxies, depth, rng, name=name, index=index)

    def _observe(
        self,
        n: int,
        depth: Depth,
        selection: Selection,
        gain: FloatArray,
        rng: np.random.Generator,
    ) -> _Observed:
        """Observe some galaxies and mark those within the limit."""
        galaxies = self._cone.draw(n, rng)
        extras = draw_morphology(galaxies, rng)
        radius = 0.5 * np.array(depth.seeing)
        area = 1 + self.world.extended_noise * (extras["size"][:, None] / radius) ** 2
        area = np.minimum(area, _MAX_AREA)
        sigma = flux_sigma(galaxies.flux, depth, area_ratio=area)
        noise = sigma * rng.standard_normal(sigma.shape, dtype=np.float32)
        flux = (galaxies.flux + noise) * gain
        # What a pipeline reports is evaluated at the flux it measured, not at the true one.
        sigma = flux_sigma(flux, depth, area_ratio=area)
        with np.errstate(invalid="ignore"):
            mag = mag_from_flux(flux)
        band = self.filters.bands.index(self.filters.selection_band)
        p_select = selection_probability(selection, mag, galaxies.z, bands=self.filters.bands)
        return _Observed(
            galaxies=galaxies,
            flux=flux,
            flux_err=sigma * self.world.error_factor,
            extras=extras,
            p_select=p_select,
            keep=mag[:, band] < self.mag_limit,
        )

    def _assemble(
        self,
        parts: list[_Observed],
        n: int,
        depth: Depth,
        rng: np.random.Generator,
        *,
        name: str,
        index: int,
    ) -> SimulatedCatalog:
        """Join chunks to one catalogue of exactly ``n`` galaxies."""

        def join(arrays: list[FloatArray]) -> FloatArray:
            kept = [array[part.keep] for array, part in zip(arrays, parts, strict=True)]
            return np.concatenate(kept)[:n].astype(np.float64)

        z = join([part.galaxies.z for part in parts])
        p_select = join([part.p_select for part in parts])
        flux = join([part.flux for part in parts])
        selected = rng.random(n) < p_select
        extras = {key: join([part.extras[key] for part in parts]) for key in parts[0].extras}
        for place, band in enumerate(self.filters.bands):
            extras[f"depth_{band}"] = np.full(n, depth.m5[place])
            extras[f"seeing_{band}"] = np.full(n, depth.seeing[place])
        photometry = Photometry(
            bands=self.filters.bands,
            flux=flux,
            flux_err=join([part.flux_err for part in parts]),
            is_detected=flux > 0,
        )
        tile = Tile(
            name=name,
            index=index,
            row=np.arange(n),
            photometry=photometry,
            z_spec=np.where(selected, z, np.nan),
            selected=selected,
            extras=extras,
        )
        return SimulatedCatalog(tile=tile, z_true=z, p_select=p_select)


@lru_cache(maxsize=4)
def _simulator(world: World, filters: FilterSet, mag_limit: float) -> Simulator:
    """Simulator of a world, kept while the same world is drawn from again."""
    return Simulator(world, filters=filters, mag_limit=mag_limit)


def simulate_catalog(
    world: World,
    n_galaxies: int,
    *,
    depth: Depth,
    selection: Selection,
    rng: np.random.Generator,
    filters: FilterSet | None = None,
    mag_limit: float = MAG_LIMIT,
) -> SimulatedCatalog:
    """Draw a catalogue of one tile from ``world``.

    The same as ``Simulator(world).draw(…)``; the simulators of the last four worlds are kept.
    """
    simulator = _simulator(world, filters or FILTER_SETS["lsst"], mag_limit)
    return simulator.draw(n_galaxies, depth=depth, selection=selection, rng=rng)
