"""The base network: a 1-D CNN over the bands, with a density head or a point head.

Three convolutional layers of 64 feature maps and ReLU, then one linear layer. Weights are a plain
mapping of names to tensors and the network is a function of them, so that the inner loop of MAML
can differentiate through an update of the weights. A convolution over so few bands is written as a
matrix product of its unfolded input: it then also runs with one set of weights per tile (``vmap``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

__all__ = [
    "Architecture",
    "Head",
    "Weights",
    "forward",
    "init_weights",
    "inner_loss",
    "mixture_density",
    "mixture_parameters",
    "point_estimate",
    "query_loss",
]

Weights = dict[str, Tensor]
"""Parameters by name."""

KERNEL = 3
"""Bands that one convolution spans."""
MINIMUM_SCALE = 0.005
"""Least scale of a mixture component in log(1+z)."""
LOG_INLIER_SHARE = math.log(0.98)
"""Anchors that the density describes, by the inner loss."""
LOG_OUTLIER_DENSITY = math.log(0.02 / 1.4 * math.sqrt(2 * math.pi))
"""The others are spread over 0 < log(1+z) < 1.4; in the units of the loss, which drops 1/√2π."""


class Head(StrEnum):
    """What the last layer says."""

    MIXTURE = "mixture"
    """A Gaussian mixture density in log(1+z), trained by its negative log likelihood."""
    MSE = "mse"
    """A redshift, trained by the mean squared error (the model as first published)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Sizes of the network."""

    n_channels: int
    """Input channels per band."""
    n_bands: int
    """Bands, the length of the convolved axis."""
    n_maps: int = 64
    """Feature maps of each convolutional layer."""
    n_layers: int = 3
    """Convolutional layers."""
    n_components: int = 8
    """Components of the mixture head."""
    head: Head = Head.MIXTURE
    """Kind of the last layer."""

    @property
    def n_outputs(self) -> int:
        """Numbers that the last layer gives for a galaxy."""
        return 3 * self.n_components if self.head is Head.MIXTURE else 1


def init_weights(architecture: Architecture, *, generator: torch.Generator) -> Weights:
    """Random start of the weights: He et al. 2015 for ReLU layers, zero biases."""
    weights: Weights = {}
    n_in = architecture.n_channels
    for layer in range(architecture.n_layers):
        fan_in = n_in * KERNEL
        shape = (fan_in, architecture.n_maps)
        weights[f"conv{layer}.weight"] = _normal(shape, math.sqrt(2 / fan_in), generator)
        weights[f"conv{layer}.bias"] = torch.zeros(architecture.n_maps)
        n_in = architecture.n_maps
    fan_in = architecture.n_maps * architecture.n_bands
    weights["head.weight"] = _normal((fan_in, architecture.n_outputs), 0.3 / fan_in**0.5, generator)
    weights["head.bias"] = torch.zeros(architecture.n_outputs)
    if architecture.head is Head.MIXTURE:
        # Components start spread over redshift, so that each finds galaxies to explain.
        n = architecture.n_components
        weights["head.bias"][n : 2 * n] = torch.linspace(0.1, 1.1, n)
        weights["head.bias"][2 * n :] = math.log(0.1)
    else:
        weights["head.bias"][:] = 0.8
    # As they are read back from a file: the order decides the last bits of the gradient's norm.
    return dict(sorted(weights.items()))


def _normal(shape: tuple[int, int], scale: float, generator: torch.Generator) -> Tensor:
    """Normal numbers of a scale."""
    return torch.randn(shape, generator=generator) * scale


def forward(weights: Weights, inputs: Tensor) -> Tensor:
    """Raw outputs ``(n_galaxies, n_outputs)`` for inputs ``(n_galaxies, n_channels, n_bands)``."""
    hidden = inputs.transpose(-1, -2)
    layer = 0
    while f"conv{layer}.weight" in weights:
        edge = torch.zeros_like(hidden[..., :1, :])
        left = torch.cat([edge, hidden[..., :-1, :]], dim=-2)
        right = torch.cat([hidden[..., 1:, :], edge], dim=-2)
        unfolded = torch.cat([left, hidden, right], dim=-1)
        hidden = torch.relu(
            unfolded @ weights[f"conv{layer}.weight"] + weights[f"conv{layer}.bias"]
        )
        layer += 1
    return hidden.flatten(start_dim=-2) @ weights["head.weight"] + weights["head.bias"]


def mixture_parameters(outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Log weights, means and scales of the mixture in log(1+z), each ``(…, n_components)``."""
    logits, means, log_scales = outputs.chunk(3, dim=-1)
    scales = MINIMUM_SCALE + torch.exp(log_scales.clamp(-7, 1))
    return torch.log_softmax(logits, dim=-1), means, scales


def query_loss(outputs: Tensor, z_spec: Tensor, *, head: Head) -> Tensor:
    """Loss of each galaxy, ``(…, n_galaxies)``: negative log p(log(1+z)), or the squared error."""
    if head is Head.MSE:
        return (outputs[..., 0] - z_spec) ** 2
    log_weights, means, scales = mixture_parameters(outputs)
    offset = (torch.log1p(z_spec)[..., None] - means) / scales
    return -torch.logsumexp(log_weights - torch.log(scales) - 0.5 * offset**2, dim=-1)


def inner_loss(outputs: Tensor, z_spec: Tensor, *, head: Head) -> Tensor:
    """Loss of each anchor that adapts the weights, ``(…, n_galaxies)``: bounded for outliers.

    One anchor in fifty may be anything: without that floor a single wrong or rare redshift, many
    sigma away from a sharp density, has a gradient that throws the weights away.
    """
    losses = query_loss(outputs, z_spec, head=head)
    if head is Head.MSE:
        return losses
    floor = torch.full_like(losses, LOG_OUTLIER_DENSITY)
    return -torch.logaddexp(-losses + LOG_INLIER_SHARE, floor)


def mixture_density(outputs: Tensor, z_grid: Tensor) -> Tensor:
    """p(z) on ``z_grid`` ``(n_grid,)`` for outputs ``(n_galaxies, …)``; each row has sum one."""
    log_weights, means, scales = mixture_parameters(outputs)
    nodes = torch.log1p(z_grid)
    density = torch.zeros(*outputs.shape[:-1], len(nodes), dtype=outputs.dtype)
    density = density.to(outputs.device)
    # Component by component: the full (galaxy, component, node) block would not fit a cache.
    for k in range(means.shape[-1]):
        offset = (nodes - means[..., k : k + 1]) / scales[..., k : k + 1]
        height = torch.exp(log_weights[..., k : k + 1]) / scales[..., k : k + 1]
        density = density + height * torch.exp(-0.5 * offset**2)
    density = density / (1 + z_grid) + 1e-12
    return density / density.sum(dim=-1, keepdim=True)


def point_estimate(outputs: Tensor, *, head: Head) -> Tensor:
    """Redshift of each galaxy, ``(n_galaxies,)``: the point head's, or the mixture's mean."""
    if head is Head.MSE:
        return outputs[..., 0]
    log_weights, means, _ = mixture_parameters(outputs)
    return torch.expm1((torch.exp(log_weights) * means).sum(dim=-1))
