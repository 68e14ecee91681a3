"""Everything that the report shows, small whatever the size of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.balance import Balance
from hbmlc_models.n_of_z import NOfZ

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
    tomography: NOfZ | None = None
    """Redshift distributions of the unlabelled galaxies with their band of β."""
    balance: Balance | None = None
    """Differences between labelled and unlabelled galaxies, before and after weighting."""
    features: tuple[str, ...] = ()
    """Names of the features that differ."""
    n_labels_beyond: int = 0
    """Labels above the end of the redshift grid, which were left out."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be looked at before the results are used."""
        if self.n_labels_beyond == 0:
            return ()
        end = f"z = {self.z_grid[-1]:g}, the end of the redshift grid"
        cure = "give a larger z_max if they are real"
        return (f"{self.n_labels_beyond:,} labels above {end}, were left out; {cure}.",)

    def metrics_document(self) -> dict[str, object]:
        """Content of ``metrics.json``."""
        return {
            "headline": dict(self.metrics),
            "n_held_out": len(self.z_spec),
            "n_galaxies": self.n_galaxies,
            "n_labelled": self.n_labelled,
            **self._left_out(),
            "groups": {
                name: [
                    {"label": group.label, "n_galaxies": group.n_galaxies, **group.values}
                    for group in groups
                ]
                for name, groups in self.groups.items()
            },
            **self._distributions(),
        }

    def _left_out(self) -> dict[str, object]:
        """Labels that were not used, where there are any."""
        if self.n_labels_beyond == 0:
            return {}
        return {"n_labels_beyond_grid": self.n_labels_beyond, "warnings": list(self.warnings)}

    def _distributions(self) -> dict[str, object]:
        """Mean redshifts of the samples and the balance, as JSON values, where they are known."""
        document: dict[str, object] = {}
        if self.tomography is not None:
            means = self.tomography.estimate.mean_z(self.tomography.cells)
            document["n_of_z"] = [
                {
                    "sample": name,
                    "n_galaxies": int(self.tomography.sums.count[k]),
                    "mean_z": _number(means[k, 1]),
                    "mean_z_std": _number(self.tomography.mean_z_std[k]),
                    "mean_z_beta_low": _number(means[k, 0]),
                    "mean_z_beta_high": _number(means[k, 2]),
                }
                for k, name in enumerate(self.tomography.names)
            ]
        if self.balance is not None:
            before, after = self.balance.before, self.balance.after
            document["smd"] = {
                name: {"before": _number(before[k]), "after": _number(after[k])}
                for k, name in enumerate(self.features)
            }
        return document


def _number(value: float) -> float | None:
    """Value as JSON has it: there is no NaN."""
    return float(value) if np.isfinite(value) else None
