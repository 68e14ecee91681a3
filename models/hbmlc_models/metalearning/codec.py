"""A network as named arrays and a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hbmlc_models.metalearning.network import Architecture, Head
from hbmlc_models.metalearning.train import MetaNetwork

__all__ = ["network_arrays", "network_from_arrays"]


def network_arrays(network: MetaNetwork) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Arrays (``network.…`` and ``rate.…``) and document of a network."""
    tensors = {f"network.{name}": tensor.numpy() for name, tensor in network.weights.items()}
    tensors |= {f"rate.{name}": tensor.numpy() for name, tensor in network.rates.items()}
    document = asdict(network.architecture) | {"n_inner_steps": network.n_inner_steps}
    document["head"] = network.architecture.head.value
    return tensors, document


def network_from_arrays(
    tensors: Mapping[str, npt.NDArray[Any]], document: Mapping[str, Any]
) -> MetaNetwork:
    """Network that ``network_arrays`` took apart."""
    sizes = {key: value for key, value in document.items() if key != "n_inner_steps"}
    sizes["head"] = Head(sizes["head"])

    def part(prefix: str) -> dict[str, torch.Tensor]:
        # Sorted, so that optimisers meet the parameters in one order wherever they come from.
        names = sorted(name for name in tensors if name.startswith(prefix))
        # Copied to where torch puts its own: products of matrices differ in the last bit with the
        # alignment of their memory, and a network read back must answer as the one written did.
        return {n.removeprefix(prefix): torch.tensor(np.asarray(tensors[n])) for n in names}

    return MetaNetwork(
        architecture=Architecture(**sizes),
        weights=part("network."),
        rates=part("rate."),
        n_inner_steps=int(document["n_inner_steps"]),
    )
