r"""Model-agnostic meta-learning: a start of the weights from which few steps reach a tile.

.. math:: \theta_\tau = \theta - \lambda \odot \nabla_\theta L(\theta; \text{support}_\tau), \qquad
          \min_{\theta, \lambda} \sum_\tau L(\theta_\tau; \text{query}_\tau)

Finn, Abbeel & Levine 2017 (arXiv:1703.03400), second order: the outer gradient goes through the
inner one. The inner rates :math:`\lambda` may be learnt per tensor (Antoniou et al. 2019). They are
scaled by :math:`n / (n + n_0)` for a support set of effective size n: few anchors move a tile less,
and :math:`n_0` is learnt with the rates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import grad, vmap

from hbmlc_models.metalearning.network import Head, Weights, forward, inner_loss, query_loss

__all__ = [
    "PRIOR_ANCHORS",
    "LabelledSet",
    "adapt",
    "adapt_tiles_weights",
    "effective_size",
    "held_out_gain",
    "meta_loss",
    "set_loss",
    "trust",
]

PRIOR_ANCHORS = "anchors.prior"
"""Entry of the rates: as many anchors halve the rates, :math:`n_0`; none where it is missing."""

PRIOR_TRUST = 1.0
"""Standard errors of gain that meta-training is worth before an anchor speaks."""
FAR = 1e6
"""Sum of inputs that sorts the padding of a support set behind its anchors."""
LEAST_ERROR = 1e-3
"""Least standard error of a gain: nothing follows from anchors that all say next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """Support or query sets of several tiles, padded to one length."""

    inputs: Tensor
    """Network inputs, ``(n_tiles, n_galaxies, n_channels, n_bands)``."""
    z_spec: Tensor
    """Redshifts, ``(n_tiles, n_galaxies)``; any finite number in the padding."""
    weight: Tensor
    """Weights of the galaxies, ``(n_tiles, n_galaxies)``; zero in the padding."""


def set_loss(
    weights: Weights, inputs: Tensor, z_spec: Tensor, weight: Tensor, *, head: Head
) -> Tensor:
    """Weighted mean loss of one set; zero for an empty one."""
    losses = query_loss(forward(weights, inputs), z_spec, head=head)
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def effective_size(weight: Tensor) -> Tensor:
    """Galaxies of equal weight that know as much, (Σw)²/Σw², a scalar; zero for an empty set."""
    return weight.sum() ** 2 / (weight**2).sum().clamp(min=1e-12)


def adapt(
    weights: Weights,
    rates: Weights,
    support: tuple[Tensor, Tensor, Tensor],
    *,
    n_steps: int,
    head: Head,
) -> Weights:
    """Weights after ``n_steps`` of gradient descent on one support set (inputs, z_spec, weight).

    Differentiable in ``weights`` and ``rates``. An empty support set changes nothing: its loss,
    and so its gradient, is zero.
    """
    return _path(weights, rates, support, n_steps=n_steps, head=head)[-1]


def _path(
    weights: Weights,
    rates: Weights,
    support: tuple[Tensor, Tensor, Tensor],
    *,
    n_steps: int,
    head: Head,
) -> list[Weights]:
    """Weights before the first and after every step, ``n_steps + 1`` of them."""
    inputs, z_spec, weight = support

    def loss(current: Weights) -> Tensor:
        losses = inner_loss(forward(current, inputs), z_spec, head=head)
        return (losses * weight).sum() / weight.sum().clamp(min=1e-6)

    scale = _shrinkage(rates, weight)
    path = [weights]
    for _ in range(n_steps):
        gradient = _shorten(grad(loss)(path[-1]))
        steps = {name: scale * rates[name] * part for name, part in gradient.items()}
        path.append({name: path[-1][name] - step for name, step in steps.items()})
    return path


def _shrinkage(rates: Weights, weight: Tensor) -> Tensor:
    """Factor of the rates for a support set of these weights, between zero and one."""
    if PRIOR_ANCHORS not in rates:
        return torch.ones_like(weight.sum())
    size = effective_size(weight)
    return size / (size + rates[PRIOR_ANCHORS])


def _shorten(gradient: Weights) -> Weights:
    """Gradient with a norm of one at most: sharp densities have gradients of thousands."""
    square = sum((part**2).sum() for part in gradient.values())
    # The tiny term keeps the derivative finite where there is no anchor and so no gradient.
    norm = torch.sqrt(square + torch.tensor(1e-12))
    scale = 1 / torch.clamp(norm, min=1.0)
    return {name: part * scale for name, part in gradient.items()}


def adapt_tiles_weights(
    weights: Weights, rates: Weights, support: LabelledSet, *, n_steps: int, head: Head
) -> Weights:
    """Weights of each tile, every tensor with a leading ``n_tiles`` axis.

    Each tile steps as far as its own anchors bear out: see ``trust``.
    """

    def one(inputs: Tensor, z_spec: Tensor, weight: Tensor) -> Weights:
        own = (inputs, z_spec, weight)
        share = trust(weights, rates, own, n_steps=n_steps, head=head)
        scaled = {name: rates[name] * share for name in weights}
        if PRIOR_ANCHORS in rates:
            scaled[PRIOR_ANCHORS] = rates[PRIOR_ANCHORS]
        return adapt(weights, scaled, own, n_steps=n_steps, head=head)

    return vmap(one)(support.inputs, support.z_spec, support.weight)


def trust(
    weights: Weights,
    rates: Weights,
    support: tuple[Tensor, Tensor, Tensor],
    *,
    n_steps: int,
    head: Head,
) -> Tensor:
    """Share of the rates that one support set has earned, between zero and one.

    Logistic in the gain on held-out anchors over its error: where adaptation does not carry over
    from one half of the anchors to the other, it is held back.
    """
    gain, error = held_out_gain(weights, rates, support, n_steps=n_steps, head=head)
    return torch.sigmoid(gain / error + PRIOR_TRUST)


def held_out_gain(
    weights: Weights,
    rates: Weights,
    support: tuple[Tensor, Tensor, Tensor],
    *,
    n_steps: int,
    head: Head,
) -> tuple[Tensor, Tensor]:
    """Mean gain in log likelihood of anchors that were not adapted to, and its standard error.

    Weights adapted on every second anchor, by what the network sees of it, are judged on the others
    and the other way round; the order in which the anchors come is of no consequence.
    """
    inputs, z_spec, weight = support
    before = inner_loss(forward(weights, inputs), z_spec, head=head)
    seen = inputs.sum(dim=(-2, -1)) + FAR * (weight == 0)
    rank = torch.argsort(torch.argsort(seen))
    is_even = rank % 2 == 0
    gain = torch.zeros_like(before)
    for half in (is_even, ~is_even):
        adapted = adapt(weights, rates, (inputs, z_spec, weight * half), n_steps=n_steps, head=head)
        after = inner_loss(forward(adapted, inputs), z_spec, head=head)
        gain = torch.where(half, gain, before - after)
    total = weight.sum().clamp(min=1e-6)
    mean = (gain * weight).sum() / total
    variance = ((gain - mean) ** 2 * weight).sum() / total
    error = torch.sqrt(variance / (effective_size(weight) - 1).clamp(min=1.0))
    return mean, error + LEAST_ERROR


def meta_loss(
    weights: Weights,
    rates: Weights,
    support: LabelledSet,
    query: LabelledSet,
    *,
    step_weights: Sequence[float],
    head: Head,
) -> Tensor:
    """Mean query loss over tiles after adaptation to each, the objective of the outer loop.

    One inner step is taken for each of ``step_weights``, which weigh the losses after the steps;
    ``(0, 1)`` asks for the loss after the second alone.
    """
    n_steps = len(step_weights)
    shares = step_weights or (1.0,)

    def one(*sets: Tensor) -> Tensor:
        path = _path(weights, rates, (sets[0], sets[1], sets[2]), n_steps=n_steps, head=head)
        losses = [
            share * set_loss(adapted, sets[3], sets[4], sets[5], head=head)
            for share, adapted in zip(shares, path[-len(shares) :], strict=True)
            if share
        ]
        return torch.stack(losses).sum()

    losses = vmap(one)(
        support.inputs, support.z_spec, support.weight, query.inputs, query.z_spec, query.weight
    )
    return losses.mean()
