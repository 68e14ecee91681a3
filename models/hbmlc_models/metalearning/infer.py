"""Running a network over many galaxies, in chunks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from hbmlc_models.arrays import FloatArray
from hbmlc_models.metalearning.features import network_inputs
from hbmlc_models.metalearning.network import (
    Head,
    Weights,
    forward,
    mixture_density,
    point_estimate,
)
from hbmlc_models.metalearning.train import MetaNetwork
from hbmlc_models.photometry import Photometry
from hbmlc_models.selection.frame import LuptitudeFrame

__all__ = ["network_outputs", "outputs_density", "outputs_redshift", "run_network"]

CHUNK = 8192
"""Galaxies in one pass."""
POINT_SCATTER = 0.05
"""Width in log(1+z) that a point head's answer is given where a density is needed."""


def run_network(weights: Weights, inputs: FloatArray, *, device: str = "cpu") -> FloatArray:
    """Raw outputs ``(n_galaxies, n_outputs)`` of inputs ``(n_galaxies, n_channels, n_bands)``."""
    placed = {name: tensor.to(device) for name, tensor in weights.items()}
    parts: list[FloatArray] = []
    with torch.inference_mode():
        for rows in _chunks(len(inputs)):
            outputs = forward(placed, torch.from_numpy(inputs[rows]).to(device))
            parts.append(outputs.cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, len(placed["head.bias"])), np.float32)


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
    grid = torch.from_numpy(z_grid.astype(np.float32))
    parts: list[FloatArray] = []
    with torch.inference_mode():
        for rows in _chunks(len(outputs)):
            chunk = torch.from_numpy(np.ascontiguousarray(outputs[rows], dtype=np.float32))
            if head is Head.MSE:
                chunk = torch.stack(
                    [
                        torch.zeros(len(chunk)),
                        torch.log1p(chunk[:, 0].clamp(min=0)),
                        torch.full((len(chunk),), float(np.log(POINT_SCATTER))),
                    ],
                    dim=1,
                )
            parts.append(mixture_density(chunk, grid).numpy().astype(np.float64))
    return np.concatenate(parts) if parts else np.empty((0, len(z_grid)))


def outputs_redshift(outputs: FloatArray, *, head: Head) -> FloatArray:
    """Point estimate of the network, ``(n_galaxies,)``."""
    tensor = torch.from_numpy(np.ascontiguousarray(outputs, dtype=np.float32))
    return point_estimate(tensor, head=head).numpy()


def _chunks(n_galaxies: int) -> Iterator[slice]:
    """Slices of at most ``CHUNK`` galaxies."""
    for start in range(0, n_galaxies, CHUNK):
        yield slice(start, start + CHUNK)
