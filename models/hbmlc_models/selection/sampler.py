"""NUTS with its diagnostics as values, and a second try with safer settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray

__all__ = ["Convergence", "Draws", "sample_nuts"]

MAX_R_HAT = 1.01
"""Largest split R-hat of a converged chain; Vehtari et al. 2021 (arXiv:1903.08008)."""
MIN_ESS = 400.0
"""Least bulk effective sample size; same source."""
SAFE_ACCEPTANCE = 0.95
"""Target acceptance of the second try: smaller steps get through curved places."""


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

    @property
    def is_converged(self) -> bool:
        """Whether all three diagnostics are within their limits."""
        return self.r_hat < MAX_R_HAT and self.ess > MIN_ESS and self.n_divergences == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Posterior draws with their convergence."""

    values: Mapping[str, FloatArray]
    """Draws of each parameter, ``(n_chains * n_draws, …)``."""
    convergence: Convergence
    """Diagnostics of the chains."""


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
    better of the two answers is returned, never an exception.
    """
    nutpie: Any = import_module("nutpie")
    bound = compiled.with_data(**data)
    common = {"draws": draws, "chains": chains, "cores": min(cores, chains), "progress_bar": False}
    first = _draws(nutpie.sample(bound, tune=tune, seed=seed, **common), names, n_tries=1)
    if first.convergence.is_converged:
        return first
    trace = nutpie.sample(
        bound, tune=2 * tune, seed=seed + 1, target_accept=SAFE_ACCEPTANCE, **common
    )
    second = _draws(trace, names, n_tries=2)
    better = min(first, second, key=lambda found: found.convergence.r_hat)
    return replace(better, convergence=replace(better.convergence, n_tries=2))


def _draws(trace: Any, names: tuple[str, ...], *, n_tries: int) -> Draws:
    """Draws and diagnostics of a trace."""
    arviz: Any = import_module("arviz")
    posterior = trace.posterior
    chosen = _at_least_two_chains(posterior[list(names)])
    r_hat = [float(np.nanmax(v.to_numpy())) for v in arviz.rhat(chosen).data_vars.values()]
    ess = [float(np.nanmin(v.to_numpy())) for v in arviz.ess(chosen).data_vars.values()]
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
