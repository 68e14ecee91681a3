"""What a caller may choose of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Self

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning.network import Head

__all__ = [
    "LEAST_Z_MAX",
    "AnchorRule",
    "BetaRule",
    "CalibrationOptions",
    "Dimming",
    "OptionError",
    "Parts",
    "Preset",
    "node_count",
    "redshift_grid",
]

SEED_DEFAULTS: Mapping[str, Any] = {
    "anchors": "top",
    "head": "mse",
    "draws": 1500,
    "tune": 500,
    "beta_rule": "fixed",
}
"""What else the model as first published fixes: 2,000 iterations of which 500 are burn-in, the
most likely galaxies as anchors, a network trained by squared error."""
LEAST_Z_MAX = 3.0
"""End of the redshift grid where nothing lies beyond."""
LEAST_NODES = 301
"""Nodes of that grid."""
NODES_A_REDSHIFT = 100.0
"""Nodes for each unit of redshift of one that reaches further."""
_FOLLOWING: Mapping[str, type[Any]] = {"z_max": float, "n_grid": int}
"""Options that follow the survey unless they are given, and the kind of what is given."""
MAX_ANCHORS = 50
"""Most anchors of a tile: what a night of spectroscopy adds."""


class OptionError(ValueError):
    """An option has a value that cannot be used; the message names it and what to do."""


class Preset(StrEnum):
    """Which selection model."""

    DEFAULT = "default"
    """Noise-aware galaxy types over dimmed and matched labels."""
    SEED = "seed"
    """The model as first published: one curve of colours, one normal density of redshift."""


class Parts(StrEnum):
    """Which parts of the method answer: for ablations, or where one is not wanted."""

    BOTH = "both"
    """Selection posterior and network, pooled by evidence."""
    SELECTION = "selection"
    """The selection posterior alone; no network is trained."""
    NETWORK = "network"
    """The network alone, taught by copies of labels only, and corrected for selection."""


class AnchorRule(StrEnum):
    """Which labelled galaxies adapt the network to a tile."""

    STRATIFIED = "stratified"
    """From all strata of propensity, weighted by truncated odds."""
    TOP = "top"
    """Those most likely to have been selected, as first published."""


class Dimming(StrEnum):
    """How bright the galaxies are that labelled ones stand for."""

    SKY = "sky"
    """As bright as those without a label."""
    NONE = "none"
    """As bright as themselves: for ablations, or where labels were drawn fairly."""


class BetaRule(StrEnum):
    """What the prior of β is."""

    EVIDENCE = "evidence"
    """``beta_mean`` and ``beta_scale`` in proportion to how strongly photometry was selected."""
    FIXED = "fixed"
    """``beta_mean`` and ``beta_scale`` as they are; implied where a request gives one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationOptions:
    """Options of a calibration; every one has a default that needs no thought."""

    preset: Preset = Preset.DEFAULT
    """Selection model."""
    parts: Parts = Parts.BOTH
    """Parts that are pooled."""
    dimming: Dimming = Dimming.SKY
    """Which brightness labelled galaxies stand for."""
    anchors: AnchorRule = AnchorRule.STRATIFIED
    """Rule that picks the anchors."""
    n_anchors: int = 50
    """Anchors of a tile at most, 0 to 50."""
    z_max: float | None = None
    """End of the redshift grid; ``None``: 3, or as far as labels and the model's population go, up
    to 7. Labels beyond an end that is given are left out and counted."""
    n_grid: int | None = None
    """Nodes of the redshift grid; ``None``: 301, and 100 for each unit of redshift beyond 3."""
    beta_mean: float = -1.0
    """Prior mean of the selection's dependence on redshift [per unit z]."""
    beta_scale: float = 0.5
    """Its prior standard deviation."""
    beta_rule: BetaRule = BetaRule.EVIDENCE
    """Whether a selection that no photometry shows makes both smaller."""
    draws: int = 750
    """NUTS draws of each chain after tuning."""
    tune: int = 500
    """NUTS tuning steps of each chain."""
    chains: int = 2
    """NUTS chains."""
    head: Head = Head.MIXTURE
    """Last layer of the network."""
    inner_steps: int = 2
    """Gradient steps with which the network adapts to a tile, 1 to 3."""
    train_steps: int = 1500
    """Supervised steps in which the network learns the survey."""
    meta_steps: int = 150
    """Outer steps of meta-learning on the survey."""
    min_tile_galaxies: int = 600
    """Smaller tiles share a work unit with others."""

    def __post_init__(self) -> None:
        _require(0 <= self.n_anchors <= MAX_ANCHORS, "n_anchors", f"0 to {MAX_ANCHORS}")
        _require(self.z_max is None or 0.1 <= self.z_max <= 20, "z_max", "0.1 to 20")  # noqa: PLR2004
        _require(self.n_grid is None or 11 <= self.n_grid <= 5001, "n_grid", "11 to 5001")  # noqa: PLR2004
        _require(abs(self.beta_mean) <= 10, "beta_mean", "-10 to 10")  # noqa: PLR2004
        _require(0 < self.beta_scale <= 10, "beta_scale", "above 0, at most 10")  # noqa: PLR2004
        _require(50 <= self.draws <= 20_000, "draws", "50 to 20000")  # noqa: PLR2004
        _require(50 <= self.tune <= 20_000, "tune", "50 to 20000")  # noqa: PLR2004
        _require(1 <= self.chains <= 8, "chains", "1 to 8")  # noqa: PLR2004
        _require(1 <= self.inner_steps <= 3, "inner_steps", "1 to 3")  # noqa: PLR2004
        _require(0 <= self.train_steps <= 100_000, "train_steps", "0 to 100000")  # noqa: PLR2004
        _require(0 <= self.meta_steps <= 100_000, "meta_steps", "0 to 100000")  # noqa: PLR2004
        _require(self.min_tile_galaxies >= 1, "min_tile_galaxies", "1 or more")

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Options from a JSON document; what is missing keeps the default of its preset.

        Raises
        ------
        OptionError
            A name is unknown, or a value of the wrong kind or out of range.
        """
        known = {field.name: field for field in fields(cls)}
        values: dict[str, Any] = {}
        implied = dict(SEED_DEFAULTS) if document.get("preset") == Preset.SEED.value else {}
        if {"beta_mean", "beta_scale"} & document.keys():
            implied["beta_rule"] = BetaRule.FIXED.value
        for name, value in {**implied, **document}.items():
            if name not in known:
                raise OptionError(f"There is no option {name!r}; choose from {sorted(known)}.")
            if name in _FOLLOWING and value is None:
                continue
            kind = _FOLLOWING.get(name, type(known[name].default))
            values[name] = _convert(name, value, kind)
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        """Options as JSON values, all of them."""
        return {name: getattr(value, "value", value) for name, value in asdict(self).items()}


def _convert(name: str, value: Any, kind: type[Any]) -> Any:
    """Value of an option as the kind of its default; JSON has one kind of number only."""
    is_fraction = kind is int and isinstance(value, float) and not value.is_integer()
    is_text = isinstance(value, str)
    if isinstance(value, bool) or is_fraction or is_text != issubclass(kind, str):
        raise OptionError(f"Option {name!r} cannot be {value!r}.")
    try:
        return kind(value)
    except (TypeError, ValueError) as exc:
        raise OptionError(f"Option {name!r} cannot be {value!r}.") from exc


def _require(condition: bool, name: str, wanted: str) -> None:  # noqa: FBT001 - a guard reads best
    if not condition:
        raise OptionError(f"Option {name!r} must be {wanted}.")


def node_count(z_max: float) -> int:
    """Nodes of a grid that ends at ``z_max``, where nobody asks for another number."""
    return max(LEAST_NODES, round(NODES_A_REDSHIFT * z_max) + 1)


def redshift_grid(options: CalibrationOptions) -> FloatArray:
    """Nodes of the redshift grid, ``(n_grid,)``; the usual one where its end is not settled yet."""
    z_max = LEAST_Z_MAX if options.z_max is None else options.z_max
    n_grid = node_count(z_max) if options.n_grid is None else options.n_grid
    return np.linspace(0.0, z_max, n_grid)
