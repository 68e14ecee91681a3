"""A model version: weights, population and card; immutable, named by its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from hbmlc_models.formats import arrays
from hbmlc_models.metalearning.codec import network_arrays, network_from_arrays
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture

__all__ = ["AUTO", "ModelCardError", "ModelVersion", "read_version", "write_version"]

AUTO = "auto"
"""Name of the version that starts from nothing and learns from the customer's own labels."""


class ModelCardError(ValueError):
    """A file of weights is damaged, or its card lacks an entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One version of a model."""

    name: str
    """Name, such as ``lsst-ugrizy``."""
    version: int
    """Number, from 1."""
    digest: str
    """``sha256:…`` of the file of weights, which includes the card."""
    bands: tuple[str, ...]
    """Bands that it was trained for; empty for ``auto``."""
    card: Mapping[str, Any]
    """Training data, recipe, metrics and licence."""
    network: MetaNetwork | None = None
    """Meta-learned start of the network."""
    population: Mixture | None = None
    """Population of the simulated worlds, for catalogues without labels."""
    frame: LuptitudeFrame | None = None
    """Frame of both."""


def write_version(version: ModelVersion) -> bytes:
    """Bytes of a version; its digest follows from them."""
    document: dict[str, Any] = {
        "name": version.name,
        "version": version.version,
        "bands": list(version.bands),
        "card": dict(version.card),
    }
    tensors: dict[str, Any] = {}
    if version.network and version.population and version.frame:
        tensors, document["network"] = network_arrays(version.network)
        document["reference"] = version.frame.reference
        tensors |= {
            "frame.softening": version.frame.softening,
            "population.weights": version.population.weights.astype(np.float32),
            "population.means": version.population.means.astype(np.float32),
            "population.covariances": version.population.covariances.astype(np.float32),
        }
    return arrays.dump(tensors, document)


def read_version(content: bytes) -> ModelVersion:
    """Version from its bytes.

    Raises
    ------
    ModelCardError
        The bytes are not a version.
    """
    try:
        tensors, metadata = arrays.load(content)
        document = cast("dict[str, Any]", metadata)
        version = ModelVersion(
            name=document["name"],
            version=document["version"],
            digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
            bands=tuple(document["bands"]),
            card=document["card"],
        )
        if "network" not in document:
            return version
        return ModelVersion(
            name=version.name,
            version=version.version,
            digest=version.digest,
            bands=version.bands,
            card=version.card,
            network=network_from_arrays(tensors, document["network"]),
            population=Mixture(
                weights=tensors["population.weights"].astype(np.float64),
                means=tensors["population.means"].astype(np.float64),
                covariances=tensors["population.covariances"].astype(np.float64),
            ),
            frame=LuptitudeFrame(
                bands=version.bands,
                softening=tensors["frame.softening"].astype(np.float64),
                reference=document["reference"],
            ),
        )
    except (arrays.ArrayFileError, KeyError, TypeError) as exc:
        raise ModelCardError(f"not a model version: {exc}") from exc
