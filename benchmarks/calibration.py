"""Simulation-based calibration of the selection models, with coverage, recovery and null tests.

Usage: python -m benchmarks.calibration [--replications 200] [--seed-replications 60] [--first 0]
    [--title calibration]

Parameters come from the prior, tiles from the parameters, posteriors from the tiles. Then the rank
of the truth among its posterior draws is uniform (Talts et al. 2018, arXiv:1804.06788), intervals
cover as often as they say, and a selection at random needs no correction. Of many tests some are
bad luck: ``--first`` asks again, with other tiles. Tables and a JSON document go to
benchmarks/results/TITLE.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track
from scipy.stats import chisquare, kstest

from benchmarks.tile_simulation import (
    N_BASIS,
    NO_EFFECT,
    PRIORS,
    Z_GRID,
    draw_seed_truth,
    draw_truth,
    simulate_seed,
    simulate_tile,
)
from hbmlc_models.arrays import FloatArray
from hbmlc_models.selection.posterior import TilePosterior, corrected_density
from hbmlc_models.selection.sampler import Draws, sample_nuts
from hbmlc_models.selection.seed_model import compiled_seed_model, seed_data_arrays
from hbmlc_models.selection.tile_model import compiled_tile_model, tile_data_arrays

N_GALAXIES = 300
N_SEED_GALAXIES = 200
Z_NODES = np.linspace(0.0, 3.0, 48)
N_RANKED = 99
"""Draws that a truth is ranked among: nearly independent ones."""
N_BINS = 10
TILE = ("alpha", "gamma", "beta", "tilt")
SEED = ("alpha", "gamma", "beta", "mu_z", "sigma_z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Calibration of one parameter."""

    model: str
    name: str
    chi_squared_p: float
    ks_p: float
    within_68: float
    within_95: float
    shrinkage: float
    """Posterior over prior standard deviation: 1 where only the prior speaks."""


def main() -> None:
    """Run all checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=200)
    parser.add_argument("--seed-replications", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--title", default="calibration")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    start = time.perf_counter()
    first, n = arguments.first, arguments.replications
    parameters, coverage, predictive, n_bad = check_tile_model(range(first, first + n))
    null = check_null(range(first, first + n // 2))
    parameters += check_seed_model(range(first, first + arguments.seed_replications))
    document = {
        "n_galaxies": N_GALAXIES,
        "first": first,
        "replications": n,
        "seed_replications": arguments.seed_replications,
        "unconverged": n_bad,
        "parameters": [asdict(parameter) for parameter in parameters],
        "coverage": coverage,
        "null": null,
        "prior_predictive": predictive,
        "seconds": round(time.perf_counter() - start, 1),
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / f"{arguments.title}.json").write_text(json.dumps(document, indent=1) + "\n")
    table = _table(document, parameters)
    (arguments.output / f"{arguments.title}.md").write_text(table)
    print(table)


def _flat(draws: Draws, names: tuple[str, ...]) -> FloatArray:
    """Draws of all parameters side by side, ``(n_draws, n_parameters)``."""
    parts = [draws.values[name].reshape(len(draws.values[name]), -1) for name in names]
    return np.concatenate(parts, axis=1)


def check_tile_model(
    replications: range,
) -> tuple[list[Parameter], dict[str, dict[str, float]], dict[str, list[float]], int]:
    """Ranks of the parameters, coverage of p(z | F, S=0), and what the prior predicts."""
    truths: list[FloatArray] = []
    posteriors: list[FloatArray] = []
    pits: list[FloatArray] = []
    chances: list[FloatArray] = []
    shares: list[float] = []
    n_bad = 0
    for replication in track(replications, "Tile model"):
        rng = np.random.default_rng([1, replication])
        truth = draw_truth(PRIORS, rng)
        tile = simulate_tile(truth, N_GALAXIES, rng)
        found = sample_nuts(
            compiled_tile_model(N_BASIS),
            tile_data_arrays(tile.data, PRIORS),
            TILE,
            draws=500,
            tune=300,
            chains=2,
            seed=replication,
        )
        n_bad += not found.convergence.is_converged
        truths.append(truth)
        posteriors.append(_flat(found, TILE))
        unlabelled = ~tile.data.is_labelled
        pdf = corrected_density(
            tile.density[unlabelled],
            tile.data.mag[unlabelled],
            Z_GRID,
            TilePosterior.thinned(found, n_kept=200),
            is_selected=False,
        )
        pits.append(_pit(pdf, tile.z_true[unlabelled], rng))
        chances.append(tile.chance[unlabelled])
        shares.append(float(tile.data.is_labelled.mean()))
    names = [f"alpha[{k}]" for k in range(N_BASIS)] + ["gamma", "beta", "tau[0]", "tau[1]"]
    parameters = _parameters("default", names, truths, posteriors, PRIORS.scale())
    predictive = {"share labelled at 5, 50, 95 %": list(np.quantile(shares, [0.05, 0.5, 0.95]))}
    return parameters, _coverage(pits, chances), predictive, n_bad


def _pit(pdf: FloatArray, z_true: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Probability below the truth; redshifts are nodes, so a part of the node's own is drawn."""
    mass = pdf / pdf.sum(axis=1, keepdims=True)
    node = np.rint(z_true / (Z_GRID[1] - Z_GRID[0])).astype(int)
    rows = np.arange(len(node))
    return mass.cumsum(axis=1)[rows, node] - rng.random(len(node)) * mass[rows, node]


def _coverage(pits: list[FloatArray], chances: list[FloatArray]) -> dict[str, dict[str, float]]:
    """Shares of galaxies within central intervals, overall and by fifth of propensity."""
    pit, chance = np.concatenate(pits), np.concatenate(chances)
    fifth = np.searchsorted(np.quantile(chance, [0.2, 0.4, 0.6, 0.8]), chance)
    groups = {"all": np.ones(len(pit), dtype=bool)}
    groups |= {f"fifth {k + 1}": fifth == k for k in range(5)}
    return {
        name: {
            str(level): float((np.abs(pit[use] - 0.5) < level / 2).mean()) for level in (0.68, 0.95)
        }
        for name, use in groups.items()
    }


def _parameters(
    model: str,
    names: list[str],
    truths: list[FloatArray],
    posteriors: list[FloatArray],
    prior_scale: FloatArray,
) -> list[Parameter]:
    """Tests of uniform ranks and coverage, one for each parameter."""
    answer: list[Parameter] = []
    for k, name in enumerate(names):
        draws = np.stack([p[:, k] for p in posteriors])
        truth = np.array([t[k] for t in truths])
        thin = draws[:, np.linspace(0, draws.shape[1] - 1, N_RANKED).astype(int)]
        rank = (thin < truth[:, None]).sum(axis=1)
        counts = np.bincount(rank * N_BINS // (N_RANKED + 1), minlength=N_BINS)
        position = (draws < truth[:, None]).mean(axis=1)
        jitter = np.random.default_rng([2, k]).random(len(rank))
        answer.append(
            Parameter(
                model=model,
                name=name,
                chi_squared_p=float(chisquare(counts).pvalue),
                ks_p=float(kstest((rank + jitter) / (N_RANKED + 1), "uniform").pvalue),
                within_68=float((np.abs(position - 0.5) < 0.34).mean()),
                within_95=float((np.abs(position - 0.5) < 0.475).mean()),
                shrinkage=float(draws.std(axis=1).mean() / prior_scale[k]),
            )
        )
    return answer


def check_null(replications: range) -> dict[str, float]:
    """Selection at random: how often and how far the correction pretends otherwise."""
    scores: list[FloatArray] = []
    shifts: list[float] = []
    for replication in track(replications, "Selection at random"):
        rng = np.random.default_rng([3, replication])
        truth = NO_EFFECT.mean()
        tile = simulate_tile(truth, N_GALAXIES, rng)
        found = sample_nuts(
            compiled_tile_model(N_BASIS),
            tile_data_arrays(tile.data, NO_EFFECT),
            TILE,
            draws=500,
            tune=300,
            chains=2,
            seed=replication,
        )
        draws = _flat(found, TILE)
        scores.append((draws.mean(axis=0) - truth) / draws.std(axis=0))
        pdf = corrected_density(
            tile.density,
            tile.data.mag,
            Z_GRID,
            TilePosterior.thinned(found, n_kept=200),
            is_selected=False,
        )
        shifts.append(float(((pdf - tile.density) @ Z_GRID).mean()))
    every = np.concatenate(scores)
    return {
        "share of |mean / std| above 1.96": float((np.abs(every) > 1.96).mean()),
        "mean shift of z": float(np.mean(shifts)),
        "its standard error": float(np.std(shifts) / np.sqrt(len(shifts))),
    }


def check_seed_model(replications: range) -> list[Parameter]:
    """Ranks of the parameters of the model as first published."""
    truths: list[FloatArray] = []
    posteriors: list[FloatArray] = []
    for replication in track(replications, "Seed model"):
        rng = np.random.default_rng([4, replication])
        truth = draw_seed_truth(PRIORS, rng)
        data = simulate_seed(truth, N_SEED_GALAXIES, Z_NODES, rng)
        found = sample_nuts(
            compiled_seed_model(N_BASIS, len(Z_NODES)),
            seed_data_arrays(data, PRIORS),
            SEED,
            draws=400,
            tune=300,
            chains=2,
            seed=replication,
        )
        truths.append(truth)
        posteriors.append(_flat(found, SEED))
    if not truths:
        return []
    names = [f"alpha[{k}]" for k in range(N_BASIS)] + ["gamma", "beta", "mu_z", "sigma_z"]
    return _parameters("seed", names, truths, posteriors, np.std(np.array(truths), axis=0))


def _joint_p(parameters: list[Parameter]) -> float:
    """p-value of all ranks together: the least of all tests, paid for by their number."""
    every = [p for found in parameters for p in (found.chi_squared_p, found.ks_p)]
    return min(1.0, min(every) * len(every))


def _table(document: dict[str, Any], parameters: list[Parameter]) -> str:
    """Markdown of all checks."""
    head = (
        f"{document['replications']} tiles of {N_GALAXIES} galaxies (seed model: "
        f"{document['seed_replications']} of {N_SEED_GALAXIES}); {document['unconverged']} tiles "
        f"did not converge; {document['seconds']} s. Of the p-values one in twenty is below 0.05. "
        "The least of them, times their number (Bonferroni), is "
        f"{_joint_p(parameters):.3f}: that every rank is uniform is "
        f"{'not ' * (_joint_p(parameters) >= 0.05)}rejected at 5 %."
    )
    lines = [
        head,
        "",
        "| model | parameter | p (chi-squared) | p (KS) | in 68 % | in 95 % | posterior / prior |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p.model} | {p.name} | {p.chi_squared_p:.3f} | {p.ks_p:.3f} | {p.within_68:.1%} "
        f"| {p.within_95:.1%} | {p.shrinkage:.2f} |"
        for p in parameters
    ]
    lines += ["", "Coverage of p(z given F, S=0):", "", "| group | 68 % | 95 % |", "|---|---|---|"]
    lines += [
        f"| {name} | {found['0.68']:.1%} | {found['0.95']:.1%} |"
        for name, found in document["coverage"].items()
    ]
    for title, name in (("Selection at random", "null"), ("Prior predictive", "prior_predictive")):
        lines += ["", f"{title}:", ""]
        lines += [f"- {what}: {np.round(value, 4)}" for what, value in document[name].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
