"""NUTS with its diagnostics as values, and a second try with safer settings.

The chains either converge, or the draws say by how much they did not, or there are none and
``SamplingFailedError`` says why: what to do then is the caller's choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["Convergence", "Draws", "SamplingFailedError", "sample_nuts"]

MAX_R_HAT = 1.01
"""Largest split R-hat of a converged chain; Vehtari et al. 2021 (arXiv:1903.08008)."""
MIN_ESS = 400.0
"""Least bulk effective sample size; same source."""
USABLE_R_HAT = 1.1
"""Chains that differ more do not describe one distribution; Gelman & Rubin 1992."""
USABLE_ESS = 20.0
"""Effective draws below which not even a mean is known to a quarter of its spread."""
USABLE_DIVERGENCES = 0.05
"""Share of divergent transitions above which a part of the distribution was not seen."""
ACCEPTANCE = 0.9
"""Target acceptance; as many steps a draw as with 0.8 in whitened coordinates, fewer accidents."""
SAFE_ACCEPTANCE = 0.97
"""Target acceptance of the second try: smaller steps get through curved places."""


class SamplingFailedError(RuntimeError):
    """No chain could be run, not even with safer settings; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence:
    """How far a set of chains can be trusted."""

    r_hat: float
    """Largest split R-hat."""
    ess: float
    """Smallest bulk effective sample size."""
    n_divergences: int
    """Divergent transitions after tuning."""
    n_tries: int
    """How often the tile was sampled."""
    is_replaced: bool = False
    """Whether the draws are not of these chains but of what the survey knows of any tile."""

    @property
    def is_converged(self) -> bool:
        """Whether all three diagnostics are within their limits, and the draws of these chains."""
        within = self.r_hat < MAX_R_HAT and self.ess > MIN_ESS and self.n_divergences == 0
        return within and not self.is_replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Posterior draws with their convergence."""

    values: Mapping[str, FloatArray]
    """Draws of each parameter, ``(n_chains * n_draws, …)``."""
    convergence: Convergence
    """Diagnostics of the chains."""

    @property
    def is_usable(self) -> bool:
        """Whether the draws describe the tile at all, even if they did not quite converge."""
        found = self.convergence
        n_draws = len(next(iter(self.values.values())))
        return (
            all(bool(np.isfinite(values).all()) for values in self.values.values())
            and found.r_hat < USABLE_R_HAT
            and found.ess > min(USABLE_ESS, n_draws / 2)
            and found.n_divergences <= USABLE_DIVERGENCES * n_draws
        )


def sample_nuts(
    compiled: Any,
    data: Mapping[str, Any],
    names: tuple[str, ...],
    *,
    draws: int,
    tune: int,
    chains: int,
    seed: int,
    cores: int = 2,
) -> Draws:
    """Posterior draws of ``names`` from a compiled model with its shared variables set to ``data``.

    Chains that did not converge are run once more with smaller steps and twice the tuning; the
    better of the two answers is returned.

    Raises
    ------
    SamplingFailedError
        Neither try gave any draws.
    """
    bound = compiled.with_data(**data)
    plans = [(tune, seed, ACCEPTANCE), (2 * tune, seed + 1, SAFE_ACCEPTANCE)]
    found: list[Draws] = []
    reason: Exception | None = None
    for n_tries, (n_tune, chain_seed, acceptance) in enumerate(plans, start=1):
        try:
            trace = _trace(
                bound,
                draws=draws,
                tune=n_tune,
                chains=chains,
                cores=min(cores, chains),
                seed=chain_seed,
                target_accept=acceptance,
            )
        # What the compiled sampler raises where no start has a finite density, or a chain dies.
        except (RuntimeError, ValueError, ArithmeticError) as exc:
            reason = exc
            continue
        found.append(_draws(trace, names, n_tries=n_tries))
        if found[-1].convergence.is_converged:
            return found[-1]
    if not found:
        raise SamplingFailedError(f"NUTS gave no draws in {len(plans)} tries: {reason}") from reason
    better = min(found, key=lambda one: np.nan_to_num(one.convergence.r_hat, nan=np.inf))
    return replace(better, convergence=replace(better.convergence, n_tries=len(plans)))


def _trace(bound: Any, **settings: Any) -> Any:
    """Chains of a model bound to its data."""
    nutpie: Any = import_module("nutpie")
    return nutpie.sample(bound, progress_bar=False, **settings)


def _draws(trace: Any, names: tuple[str, ...], *, n_tries: int) -> Draws:
    """Draws and diagnostics of a trace."""
    arviz: Any = import_module("arviz")
    posterior = trace.posterior
    chosen = _at_least_two_chains(posterior[list(names)])
    r_hat = [float(np.max(v.to_numpy())) for v in arviz.rhat(chosen).data_vars.values()]
    ess = [float(np.min(v.to_numpy())) for v in arviz.ess(chosen).data_vars.values()]
    values: dict[str, FloatArray] = {}
    for name in names:
        array = np.asarray(posterior[name].to_numpy(), dtype=float)
        values[name] = array.reshape(-1, *array.shape[2:])
    return Draws(
        values=values,
        convergence=Convergence(
            r_hat=max(r_hat),
            ess=min(ess),
            n_divergences=int(trace.sample_stats["diverging"].to_numpy().sum()),
            n_tries=n_tries,
        ),
    )


def _at_least_two_chains(posterior: Any) -> Any:
    """Draws whose chains can be compared: a single chain counts as its two halves."""
    if posterior.sizes["chain"] > 1:
        return posterior
    half = posterior.sizes["draw"] // 2
    halves = [
        posterior.isel(draw=slice(k * half, (k + 1) * half)).assign_coords(
            chain=[k], draw=range(half)
        )
        for k in (0, 1)
    ]
    xarray: Any = import_module("xarray")
    return xarray.concat(halves, dim="chain")
