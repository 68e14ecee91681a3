"""Tracks of synthetic galaxies through colour and redshift: what the templates say of a camera."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hbmlc_models.selection.redshift_shift import ColourTracks
from hbmlc_models.simulate.filters import filter_set
from hbmlc_models.simulate.grid import LN_Z_STEP, Z_LIMIT, build_grid
from hbmlc_models.simulate.templates import N_TEMPLATES, YOUNG
from hbmlc_models.simulate.world import fiducial_world

__all__ = ["colour_tracks"]

N_TYPES = 1_200
"""Spectra: more of them fit no better."""
SEED = 5
CONCENTRATION = 0.6
"""Dirichlet concentration of the light shares: single templates and all their mixtures."""
FREE_OF_DUST = 0.3
"""Share of spectra without dust."""
_FAINTEST = 1e-12
"""Least flux, for bands beyond the Lyman limit."""


@lru_cache(maxsize=4)
def colour_tracks(filters: str, bands: tuple[str, ...]) -> ColourTracks:
    """Tracks in ``bands``, some or all of those of a filter set, half a second.

    Raises
    ------
    UnknownFilterSetError
        There is no such filter set.
    """
    rng = np.random.default_rng(SEED)
    world = fiducial_world()
    grid = build_grid(world, filter_set(filters))
    light = rng.dirichlet(np.full(N_TEMPLATES, CONCENTRATION), N_TYPES)
    lines = light[:, YOUNG] * np.exp(rng.normal(0.0, world.line_scatter, N_TYPES))
    dusty = rng.random(N_TYPES) > FREE_OF_DUST
    a_v = np.where(dusty, 0.5 * world.blue.dust * rng.gamma(2.0, 1.0, N_TYPES), 0.0)
    parts = np.column_stack([light, lines]).astype(np.float32)
    flux = np.einsum("tk,ztkb->ztb", parts, grid.flux[:, grid.dust_node(a_v)])
    chosen = [grid.filters.bands.index(band) for band in bands]
    magnitudes = -2.5 * np.log10(np.maximum(flux[:, :, chosen].astype(float), _FAINTEST))
    log1p_z = np.arange(len(magnitudes)) * LN_Z_STEP
    inside = log1p_z <= np.log1p(Z_LIMIT)
    return ColourTracks(log1p_z=log1p_z[inside], magnitudes=magnitudes[inside])
