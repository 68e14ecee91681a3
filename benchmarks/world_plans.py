"""Held-out worlds to be examined in: which survey, how deep, and who got a spectrum.

Every plan is a combination that real catalogues have: labels that are bright, red, random, plenty
or the union of two surveys, through the filters of several cameras. None is tuned to anything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from hbmlc_models.simulate import (
    FILTER_SETS,
    Depth,
    FilterSet,
    Selection,
    Survey,
    World,
    draw_world,
    lsst_depth,
)

__all__ = ["WORLD_PLANS", "Labels", "WorldPlan", "held_out_world", "tile_depth", "tile_selection"]


class Labels(StrEnum):
    """Which galaxies get a spectroscopic redshift."""

    BRIGHT = "bright"
    """Nearby galaxies 2.5 mag above the sample's limit; success falls with redshift."""
    RED = "red"
    """Red galaxies 1.5 mag above the limit."""
    RANDOM = "random"
    """One galaxy in ten: no correction is due."""
    MANY = "many"
    """Every second galaxy: plain regression is hard to beat."""
    UNION = "union"
    """A bright survey of most galaxies and a deep one of few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPlan:
    """One examination to be simulated."""

    filters: FilterSet
    """Filters of the photometry."""
    labels: Labels
    """Who got a spectrum."""
    is_deep: bool
    """Whether the photometry reaches far below the sample's limit."""
    mag_limit: float
    """Faintest magnitude of the sample in its selection band."""
    error_factor: float | None = None
    """Reported over true photometric error; ``None`` leaves it to the world."""
    has_context: bool = True
    """Whether sizes, shapes, depth and seeing are in the catalogue."""

    @property
    def name(self) -> str:
        """Name of the examination, such as ``lsst_deep_bright``."""
        depth = "deep" if self.is_deep else "shallow"
        return f"{self.filters.name.replace('-', '')}_{depth}_{self.labels.value}"


MIXED = FilterSet(
    name="mixed",
    bands=("u", "B", "V", "r", "i", "z", "J", "K"),
    curves=(
        "cfht_megacam-u",
        "bessell-B",
        "bessell-V",
        "hsc2017-r2",
        "hsc2017-i2",
        "hsc2017-z",
        "twomass-J",
        "twomass-Ks",
    ),
    selection_band="i",
)
"""Optical and near-infrared bands of four cameras, for which no version is shipped."""

_UNDERESTIMATED = 0.7
_DEEP_MARGIN, _SHALLOW_MARGIN = 1.5, 0.4
"""The 5-sigma depth below the sample's limit [mag]."""
_REFERENCE = {"U": "u", "B": "g", "V": "g", "J": "y", "K": "y"}
"""Band of LSST whose noise a band that LSST lacks is given."""


def _plan(
    filters: str | FilterSet,
    labels: Labels,
    *,
    mag_limit: float,
    is_deep: bool,
    error_factor: float | None = None,
    has_context: bool = True,
) -> WorldPlan:
    """Plan with filters by name."""
    chosen = FILTER_SETS[filters] if isinstance(filters, str) else filters
    return WorldPlan(
        filters=chosen,
        labels=labels,
        is_deep=is_deep,
        mag_limit=mag_limit,
        error_factor=error_factor,
        has_context=has_context,
    )


_LOW = _UNDERESTIMATED
WORLD_PLANS: tuple[WorldPlan, ...] = (
    _plan("lsst", Labels.BRIGHT, mag_limit=25.0, is_deep=True),
    _plan("lsst", Labels.RED, mag_limit=25.0, is_deep=False, has_context=False),
    _plan("lsst", Labels.RANDOM, mag_limit=25.0, is_deep=True, has_context=False),
    _plan("lsst", Labels.MANY, mag_limit=25.0, is_deep=False),
    _plan("lsst", Labels.UNION, mag_limit=25.0, is_deep=True, error_factor=_LOW),
    _plan("sdss", Labels.BRIGHT, mag_limit=22.0, is_deep=False, has_context=False),
    _plan("sdss", Labels.RANDOM, mag_limit=21.5, is_deep=True, has_context=False),
    _plan("sdss", Labels.UNION, mag_limit=22.0, is_deep=False, error_factor=_LOW),
    _plan("cfht", Labels.RED, mag_limit=24.0, is_deep=True, has_context=False),
    _plan("cfht", Labels.RANDOM, mag_limit=24.0, is_deep=False, error_factor=_LOW),
    _plan("decam-griz", Labels.BRIGHT, mag_limit=23.5, is_deep=False, has_context=False),
    _plan("decam-griz", Labels.MANY, mag_limit=23.5, is_deep=True, error_factor=_LOW),
    _plan("hsc", Labels.UNION, mag_limit=25.0, is_deep=True, has_context=False),
    _plan("hsc", Labels.RANDOM, mag_limit=25.0, is_deep=False),
    _plan(MIXED, Labels.BRIGHT, mag_limit=24.0, is_deep=True, has_context=False),
    _plan(MIXED, Labels.RANDOM, mag_limit=24.0, is_deep=False, has_context=False),
)
"""All examinations."""


def held_out_world(plan: WorldPlan, rng: np.random.Generator) -> World:
    """World of a plan: random templates, dust and luminosities; zero points shift by tile."""
    world = replace(draw_world(rng), zero_point_scatter=float(rng.uniform(0.01, 0.03)))
    if plan.error_factor is None:
        return world
    return replace(world, error_factor=plan.error_factor)


def tile_depth(plan: WorldPlan, rng: np.random.Generator) -> Depth:
    """Depth of one tile: that of the plan with scatter, in the proportions of LSST."""
    base = lsst_depth(5.0)
    bands = plan.filters.bands
    order = ["ugrizy".index(_REFERENCE.get(band, band.lower())) for band in bands]
    margin = _DEEP_MARGIN if plan.is_deep else _SHALLOW_MARGIN
    wanted = plan.mag_limit + margin + float(rng.normal(0.0, 0.15))
    offset = base.m5[order[bands.index(plan.filters.selection_band)]] - wanted
    scatter = rng.normal(0.0, 0.1, len(order))
    return Depth(
        m5=tuple(base.m5[k] - offset + float(s) for k, s in zip(order, scatter, strict=True)),
        n_visits=tuple(base.n_visits[k] for k in order),
        gamma=tuple(base.gamma[k] for k in order),
        seeing=tuple(
            base.seeing[k] * float(b) for k, b in zip(order, np.exp(scatter), strict=True)
        ),
    )


def tile_selection(plan: WorldPlan, rng: np.random.Generator) -> Selection:
    """Selection in one tile; surveys that choose their targets are more complete in some tiles."""
    band, bands = plan.filters.selection_band, plan.filters.bands
    colour = (bands[bands.index(band) - 1], band)
    share = float(rng.uniform(0.7, 1.3))
    limit = plan.mag_limit
    bright = Survey(
        band=band,
        mag_limit=limit - 2.5,
        softness=0.15,
        sampling=0.7 * share,
        success_slope=0.5,
    )
    everyone = Survey(band=band, mag_limit=limit + 50.0)
    match plan.labels:
        case Labels.BRIGHT:
            surveys = (bright,)
        case Labels.RED:
            red = replace(bright, mag_limit=limit - 1.5, success_slope=0.0, faint_failure=0.2)
            surveys = (replace(red, colour=colour, colour_range=(0.7, 9.0)),)
        case Labels.RANDOM:
            surveys = (replace(everyone, sampling=0.1),)
        case Labels.MANY:
            surveys = (replace(everyone, sampling=0.5),)
        case Labels.UNION:
            deep = replace(bright, mag_limit=limit - 0.4, sampling=0.08 * share, desert=0.7)
            surveys = (bright, replace(deep, success_slope=0.2, faint_failure=0.4))
    return Selection(surveys=surveys)
