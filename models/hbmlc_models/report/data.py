"""Everything that the report shows, small whatever the size of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hbmlc_models.arrays import FloatArray

__all__ = ["GroupMetrics", "PropensityProfile", "ReportData"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMetrics:
    """Figures of merit of the held-out galaxies within one interval."""

    label: str
    """The interval, such as ``22 – 23``."""
    n_galaxies: int
    """Held-out galaxies in it."""
    values: Mapping[str, float]
    """Figure of merit to its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PropensityProfile:
    """Selection against magnitude; arrays are ``(n_bins,)``."""

    band: str
    """Band of the magnitudes."""
    mag: FloatArray
    """Centres of the bins [AB mag]."""
    fraction: FloatArray
    """Share of galaxies that were selected; NaN in an empty bin."""
    propensity: FloatArray
    """Mean propensity that the model gives them; NaN in an empty bin."""
    n_galaxies: FloatArray
    """Galaxies in the bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """What the report shows."""

    title: str
    """Name of the catalogue."""
    n_galaxies: int
    """Galaxies of the catalogue."""
    n_labelled: int
    """Those with a label."""
    z_phot: FloatArray
    """Recommended redshifts of held-out labelled galaxies, ``(n_held_out,)``."""
    z_spec: FloatArray
    """Their spectroscopic redshifts, ``(n_held_out,)``."""
    pit: FloatArray
    """Their probability integral transform, ``(n_held_out,)``."""
    z_grid: FloatArray
    """Nodes of the redshift distributions, ``(n_grid,)``."""
    n_of_z: Mapping[str, FloatArray]
    """Distributions on the nodes, each integrates to one: ``all``, ``selected``, ``unselected``."""
    propensity: PropensityProfile
    """Selection against magnitude."""
    metrics: Mapping[str, float]
    """Headline figures of merit of the held-out galaxies; empty without any."""
    groups: Mapping[str, Sequence[GroupMetrics]]
    """The same by magnitude, redshift and propensity."""
    tiles: Sequence[Mapping[str, object]]
    """Rows of the table of tiles: ``tile``, ``n_galaxies``, convergence…; ``ra``, ``dec`` [deg]
    of the centre where there are positions."""
    provenance: Mapping[str, str]
    """What made the results."""

    def metrics_document(self) -> dict[str, object]:
        """Content of ``metrics.json``."""
        return {
            "headline": dict(self.metrics),
            "n_held_out": len(self.z_spec),
            "n_galaxies": self.n_galaxies,
            "n_labelled": self.n_labelled,
            "groups": {
                name: [
                    {"label": group.label, "n_galaxies": group.n_galaxies, **group.values}
                    for group in groups
                ]
                for name, groups in self.groups.items()
            },
        }
