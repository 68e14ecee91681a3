"""Running a network over many galaxies, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning._density_kernel import density_of_outputs
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.maml import adapt_tiles_weights
from hbmlc_models.metalearning.network import (
    Head,
    Weights,
    forward,
    mixture_parameters,
    point_estimate,
)
from hbmlc_models.metalearning.tasks import Task, to_labelled_set
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = [
    "adapted_outputs",
    "network_outputs",
    "outputs_density",
    "outputs_redshift",
    "run_network",
]

CHUNK = 1024
"""Galaxies in one pass: all that a layer reads and writes stays in the cache of a core."""
DEVICE_CHUNK = 65_536
"""The same on a GPU, which starts a pass in as long as it takes for thousands of galaxies."""
POINT_SCATTER = 0.05
"""Width in log(1+z) that a point head's answer is given where a density is needed."""


def run_network(weights: Weights, inputs: FloatArray, *, device: str = "cpu") -> FloatArray:
    """Raw outputs ``(n_galaxies, n_outputs)`` of inputs ``(n_galaxies, n_channels, n_bands)``."""
    placed = {name: tensor.to(device) for name, tensor in weights.items()}
    parts: list[FloatArray] = []
    run = _forward_bands_first if device == "cpu" else forward
    with torch.inference_mode():
        for rows in _chunks(len(inputs), CHUNK if device == "cpu" else DEVICE_CHUNK):
            outputs = run(placed, torch.from_numpy(inputs[rows]).to(device))
            parts.append(outputs.cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, len(placed["head.bias"])), np.float32)


def adapted_outputs(
    network: MetaNetwork,
    inputs: Sequence[FloatArray],
    support: list[Task],
    *,
    n_support: int,
    n_steps: int,
    device: str = "cpu",
) -> list[FloatArray]:
    """Raw outputs of the network for the galaxies of each tile, adapted to its support set.

    ``inputs`` holds ``(n_galaxies, n_channels, n_bands)`` for each tile. All tiles take their
    gradient steps side by side, with supports padded to ``n_support``.
    """
    adapted = adapt_tiles_weights(
        {name: tensor.to(device) for name, tensor in network.weights.items()},
        {name: tensor.to(device) for name, tensor in network.rates.items()},
        to_labelled_set(support, n_support, device=device),
        n_steps=n_steps,
        head=network.architecture.head,
    )
    return [
        run_network({k: w[tile] for k, w in adapted.items()}, columns, device=device)
        for tile, columns in enumerate(inputs)
    ]


def _forward_bands_first(weights: Weights, inputs: Tensor) -> Tensor:
    """``forward`` without a gradient: a convolution is three matrix products of views.

    With the bands as the first axis the neighbours of all galaxies are one block of memory, so
    that nothing is unfolded or copied: four to five times as fast.
    """
    hidden = inputs.permute(2, 0, 1).contiguous()
    n_bands, n_galaxies, _ = hidden.shape
    layer = 0
    while f"conv{layer}.weight" in weights:
        n_in = hidden.shape[-1]
        left, here, right = weights[f"conv{layer}.weight"].split(n_in)
        out = torch.addmm(weights[f"conv{layer}.bias"], hidden.view(-1, n_in), here)
        out[n_galaxies:].addmm_(hidden[:-1].view(-1, n_in), left)
        out[:-n_galaxies].addmm_(hidden[1:].view(-1, n_in), right)
        hidden = out.relu_().view(n_bands, n_galaxies, -1)
        layer += 1
    head = weights["head.weight"].view(n_bands, hidden.shape[-1], -1)
    outputs = torch.addmm(weights["head.bias"], hidden[0], head[0])
    for band in range(1, n_bands):
        outputs.addmm_(hidden[band], head[band])
    return outputs


def network_outputs(
    network: MetaNetwork, photometry: Photometry, frame: LuptitudeFrame, context: FloatArray
) -> FloatArray:
    """Raw outputs of the unadapted network, ``(n_galaxies, n_outputs)``.

    ``context`` holds the scores of the optional columns, ``(n_galaxies, n_context, n_bands)``.
    """
    return run_network(network.weights, network_inputs(photometry, frame, context))


def outputs_density(outputs: FloatArray, z_grid: FloatArray, *, head: Head) -> FloatArray:
    """p(z) on ``z_grid`` ``(n_grid,)`` from raw outputs; each row sums to one.

    A point head has no density; its answer is widened by a fixed scatter.
    """
    chunk = torch.from_numpy(np.ascontiguousarray(outputs, dtype=np.float32))
    if head is Head.MSE:
        columns = [
            torch.zeros(len(chunk)),
            torch.log1p(chunk[:, 0].clamp(min=0)),
            torch.full((len(chunk),), float(np.log(POINT_SCATTER))),
        ]
        chunk = torch.stack(columns, dim=1)
    with torch.inference_mode():
        log_weights, means, scales = (
            part.contiguous().numpy() for part in mixture_parameters(chunk)
        )
    return density_of_outputs(log_weights, means, scales, np.log1p(z_grid))


def outputs_redshift(outputs: FloatArray, *, head: Head) -> FloatArray:
    """Point estimate of the network, ``(n_galaxies,)``."""
    tensor = torch.from_numpy(np.ascontiguousarray(outputs, dtype=np.float32))
    return point_estimate(tensor, head=head).numpy()


def _chunks(n_galaxies: int, most: int) -> Iterator[slice]:
    """Slices of at most so many galaxies."""
    for start in range(0, n_galaxies, most):
        yield slice(start, start + most)
