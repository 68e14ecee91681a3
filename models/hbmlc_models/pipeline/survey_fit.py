"""What SURVEY leaves for the other stages."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.formats import arrays
from hbmlc_models.metalearning.codec import network_arrays, network_from_arrays
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.pipeline.options import CalibrationOptions
from hbmlc_models.recalibration import Recalibration
from hbmlc_models.selection.basis import RadialBasis
from hbmlc_models.selection.context import ContextScale
from hbmlc_models.selection.curve import Curve
from hbmlc_models.selection.frame import UNOBSERVED_ERR, LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.sampler import Convergence
from hbmlc_models.selection.support import SupportMap

__all__ = ["NoCurveError", "NoLabelsError", "SurveyFit"]


class NoLabelsError(ValueError):
    """There are next to no labels, and no population of these bands."""

    def __init__(self, *, n_labelled: int, model: str, bands: tuple[str, ...]) -> None:
        self.code = "no-labels"
        """Code of the problem."""
        super().__init__(
            f"The catalogue has {n_labelled} galaxies with a spec-z, too few to learn from, and "
            f"neither model {model!r} nor a shipped one has a population of the bands "
            f"{', '.join(bands)}. Add spec-z, or name a model that was trained for these bands."
        )


class NoCurveError(ValueError):
    """The seed preset has no labels to fit its curve to."""

    def __init__(self, *, n_labelled: int) -> None:
        self.code = "no-labels"
        """Code of the problem."""
        super().__init__(
            f"The catalogue has {n_labelled} galaxies with a spec-z, too few for the curve of the "
            "seed preset. Add spec-z, or use the default preset with a model of these bands."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyFit:
    """Population, selection and network that all tiles of a catalogue share."""

    frame: LuptitudeFrame
    """Frame of the photometry."""
    population: Mixture
    """Galaxy types: redshift and photometry of what the labels stand for."""
    basis: RadialBasis
    """Basis in which the selection is linear."""
    support: SupportMap
    """Where labelled galaxies are."""
    network: MetaNetwork
    """Network meta-trained on the survey."""
    curve: Curve | None
    """Curve of the first published model, with that preset only."""
    alpha: FloatArray
    """Selection coefficients of the survey, ``(n_basis,)``."""
    gamma: float
    """Selection intercept of the survey [logit]."""
    beta_mean: float
    """Prior mean of the selection's dependence on redshift [per unit z]."""
    beta_scale: float
    """Its prior standard deviation."""
    recalibration: Recalibration
    """Map of the pooled density that makes the PIT of labelled galaxies flat."""
    bias_price: float
    """Price of a point estimate that is too low [per unit z] (see ``expected_loss``)."""
    mag_pivot: float
    """Median brightness [mag]."""
    mag_scale: float
    """Half the central 68 % range of the brightness [mag]."""
    network_share: float
    """Share of the network in the pooled density."""
    shipped_share: float
    """Weight of a shipped population in it."""
    shipped_from: str
    """Model version that it is from; empty without one."""
    hold_out_fraction: float
    """Share of the labelled galaxies that no fit saw."""
    match_auc: tuple[float, ...]
    """How well dimmed labels can be told from the sky, one for each sample; 0.5: not at all."""
    n_labelled: int
    """Labelled galaxies in the sample."""
    z_max: float
    """End of the redshift grid of every tile."""
    n_grid: int
    """Its nodes."""

    def settled(self, options: CalibrationOptions) -> CalibrationOptions:
        """Options with the redshift grid of this survey."""
        return replace(options, z_max=self.z_max, n_grid=self.n_grid)

    def population_width(self, z_grid: FloatArray) -> float:
        """Standard deviation of the population's n(z) within the grid."""
        evidence = self.population.evaluate(
            np.zeros((1, len(self.frame.bands))),
            np.full((1, len(self.frame.bands)), UNOBSERVED_ERR),
        )
        weight = self.population.density(evidence, z_grid)[0]
        mean = float(weight @ z_grid)
        return float(np.sqrt(weight @ (z_grid - mean) ** 2))

    def to_bytes(self) -> bytes:
        """Bytes of the fit; the same fit gives the same bytes."""
        tensors, network = network_arrays(self.network)
        document: dict[str, Any] = {
            "bands": list(self.frame.bands),
            "reference": self.frame.reference,
            "error_scale": self.frame.error_scale,
            "network": network,
            "width": self.basis.width,
            "support_scale": self.support.scale,
            "match_auc": list(self.match_auc),
            "curve": None if self.curve is None else asdict(self.curve.convergence),
            "recalibration": asdict(self.recalibration),
        }
        for name in _NUMBERS:
            document[name] = getattr(self, name)
        for name, path in _ARRAYS.items():
            tensors[name] = _get(self, path)
        if self.curve is not None:
            for name in _CURVE:
                tensors[f"curve.{name}"] = getattr(self.curve, name)
        return arrays.dump(tensors, document)

    @classmethod
    def from_bytes(cls, content: bytes) -> SurveyFit:
        """Fit from its bytes."""
        loaded, metadata = arrays.load(content)
        tensors = cast("dict[str, Any]", loaded)
        document = cast("dict[str, Any]", metadata)
        curve = None
        if document["curve"] is not None:
            parts = {name: tensors[f"curve.{name}"] for name in _CURVE}
            curve = Curve(**parts, convergence=Convergence(**document["curve"]))
        return cls(
            frame=LuptitudeFrame(
                bands=tuple(document["bands"]),
                softening=tensors["frame.softening"],
                reference=document["reference"],
                error_scale=document["error_scale"],
            ),
            population=Mixture(
                weights=tensors["population.weights"],
                means=tensors["population.means"],
                covariances=tensors["population.covariances"],
            ),
            basis=RadialBasis(
                centre=tensors["basis.centre"],
                spread=tensors["basis.spread"],
                knots=tensors["basis.knots"],
                width=document["width"],
                mean=tensors["basis.mean"],
                whitening=tensors["basis.whitening"],
                context=ContextScale(
                    bands=tuple(document["bands"]),
                    centre=tensors["context.centre"],
                    spread=tensors["context.spread"],
                ),
            ),
            support=SupportMap(points=tensors["support.points"], scale=document["support_scale"]),
            network=network_from_arrays(tensors, document["network"]),
            curve=curve,
            alpha=np.asarray(tensors["alpha"]),
            recalibration=Recalibration(**document["recalibration"]),
            match_auc=tuple(document["match_auc"]),
            **{name: document[name] for name in _NUMBERS},
        )


_NUMBERS = (
    "gamma",
    "beta_mean",
    "beta_scale",
    "bias_price",
    "mag_pivot",
    "mag_scale",
    "network_share",
    "shipped_share",
    "shipped_from",
    "hold_out_fraction",
    "n_labelled",
    "z_max",
    "n_grid",
)
_CURVE = ("knots", "values", "scatter", "common")
_ARRAYS = {
    "frame.softening": "frame.softening",
    "population.weights": "population.weights",
    "population.means": "population.means",
    "population.covariances": "population.covariances",
    "basis.centre": "basis.centre",
    "basis.spread": "basis.spread",
    "basis.knots": "basis.knots",
    "basis.mean": "basis.mean",
    "basis.whitening": "basis.whitening",
    "context.centre": "basis.context.centre",
    "context.spread": "basis.context.spread",
    "support.points": "support.points",
    "alpha": "alpha",
}
"""Arrays of a fit: name in the file, and path of attributes."""


def _get(fit: SurveyFit, path: str) -> FloatArray:
    """Value at a dotted path of attributes."""
    value: Any = fit
    for name in path.split("."):
        value = getattr(value, name)
    return value
