"""Seconds of every stage of a calibration on this machine, and ratios to the plain formulation.

Usage: python -m benchmarks.speed [--galaxies 20000] [--output results]

A simulated survey is fitted, one tile sampled, all galaxies judged. The plain formulations are what
one writes first: NUTS over a symbolic log-sum-exp on 64 redshifts of a global grid with correlated
basis functions, and a mixture by batched linear algebra. Tables go to benchmarks/results/speed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hbmlc_models.arrays import FloatArray
from hbmlc_models.base_models import load_version
from hbmlc_models.metalearning.infer import network_outputs, outputs_density
from hbmlc_models.pdf import normalise
from hbmlc_models.pipeline import (
    CalibrationOptions,
    SurveyFit,
    adapt_tiles,
    fit_survey,
    fuse_tiles,
    infer_selection,
    redshift_grid,
)
from hbmlc_models.pipeline.posterior import corrected, standard_mag
from hbmlc_models.selection.posterior import labelled_density, propensity
from hbmlc_models.selection.quadrature import gauss_nodes
from hbmlc_models.simulate import (
    Selection,
    Survey,
    fiducial_world,
    lsst_depth,
    simulate_catalog,
)
from hbmlc_models.tile import Tile

SEED = 1
N_FITTED = 1000
N_PLAIN_GALAXIES = 200
PLAIN_ITERATIONS = 400
ITERATIONS = 2000
COMPILE = """
import time
from hbmlc_models.selection import tile_model
import nutpie, pymc
start = time.perf_counter()
tile_model.compiled_tile_model({n})
print(time.perf_counter() - start)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table."""

    stage: str
    seconds: float
    what: str
    """What the seconds are for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile in the role of a random part of a catalogue."""

    tile: Tile


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=20_000)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    tile = simulate_catalog(
        fiducial_world(),
        arguments.galaxies,
        depth=lsst_depth(10.0),
        selection=Selection(surveys=(Survey(band="i", mag_limit=22.5),)),
        rng=np.random.default_rng(SEED),
        mag_limit=25.0,
    ).tile
    options = CalibrationOptions(draws=1500, tune=500)
    rows: list[Row] = []
    survey = _timed(
        rows,
        "survey fit",
        f"{tile.n_galaxies} galaxies, {tile.n_labelled} labels",
        lambda: fit_survey(Sample(tile), load_version("auto", 1), options, seed=SEED),
    )
    ratios = _sampling(rows, tile, survey, options)
    ratios |= _evaluation(rows, tile, survey, options)
    _rest(rows, tile, survey, options)
    _write(rows, ratios, arguments.output)


def _timed(rows: list[Row], stage: str, what: str, work: Callable[[], Any]) -> Any:
    """Result of ``work``, whose wall-clock time becomes a row."""
    start = time.perf_counter()
    answer = work()
    rows.append(Row(stage=stage, seconds=time.perf_counter() - start, what=what))
    print(f"{stage:40s} {rows[-1].seconds:8.2f} s  {what}", flush=True)
    return answer


def _sampling(
    rows: list[Row], tile: Tile, survey: SurveyFit, options: CalibrationOptions
) -> dict[str, float]:
    """Compilation and NUTS, whitened and plain."""
    n = len(survey.alpha)
    for attempt in ("first process", "next process"):
        code = COMPILE.format(n=n + 1)
        found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        rows.append(Row(stage="compile", seconds=float(found.stdout), what=attempt))
        print(f"compile, {attempt}: {rows[-1].seconds:.2f} s", flush=True)
    part = tile.take(np.arange(N_FITTED))
    what = f"{options.chains} x {ITERATIONS} iterations, {N_FITTED} galaxies, anchors included"
    for temperature in ("cold", "warm"):
        _timed(
            rows,
            f"NUTS of a tile, {temperature}",
            what,
            lambda: infer_selection([part], survey, options, seed=SEED),
        )
    ours = rows[-1].seconds
    plain = _plain_nuts(part, survey, options)
    plain *= ITERATIONS / PLAIN_ITERATIONS
    rows.append(
        Row(
            stage="NUTS of a tile, plain and warm",
            seconds=plain,
            what=f"the same, scaled from {PLAIN_ITERATIONS} iterations",
        )
    )
    return {"NUTS": plain / ours}


def _plain_nuts(tile: Tile, survey: SurveyFit, options: CalibrationOptions) -> float:
    """Seconds of few iterations of the model as one would write it first."""
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    nodes = np.linspace(0, redshift_grid(options)[-1], 64)
    density = labelled_density(tile.photometry, survey.frame, survey.population, nodes)
    phi = survey.basis(tile.photometry, survey.frame, tile.extras)
    correlated = phi @ np.linalg.pinv(survey.basis.whitening)
    labelled = tile.is_labelled.astype(float)
    slot = np.rint(np.nan_to_num(tile.z_spec, nan=0.0) / nodes[1]).astype(int)
    slot = np.minimum(slot, len(nodes) - 1)
    with pm.Model() as model:
        alpha = pm.Normal("alpha", 0.0, 1.0, shape=correlated.shape[1])
        gamma = pm.Normal("gamma", 0.0, 3.0)
        beta = pm.Normal("beta", options.beta_mean, options.beta_scale)
        tilt = pm.Normal("tilt", 0.0, 0.3, shape=2)
        slope = tilt[0] + tilt[1] * standard_mag(tile, survey)
        log_q = np.log(density) + slope[:, None] * nodes
        log_q -= pt.logsumexp(log_q, axis=1, keepdims=True)
        eta = pt.dot(correlated, alpha) + gamma - pt.logsumexp(log_q - beta * nodes, axis=1)
        chosen = log_q[np.arange(tile.n_galaxies), slot]
        terms = -labelled * pt.softplus(-eta) - (1 - labelled) * pt.softplus(eta)
        pm.Potential("likelihood", pt.sum(terms + labelled * chosen))
    compiled = nutpie.compile_pymc_model(model)
    start = time.perf_counter()
    nutpie.sample(
        compiled,
        draws=PLAIN_ITERATIONS // 2,
        tune=PLAIN_ITERATIONS // 2,
        chains=options.chains,
        cores=2,
        seed=SEED,
        progress_bar=False,
    )
    return time.perf_counter() - start


def _evaluation(
    rows: list[Row], tile: Tile, survey: SurveyFit, options: CalibrationOptions
) -> dict[str, float]:
    """Densities, corrections and propensities of all galaxies."""
    z_grid = redshift_grid(options)
    posterior = infer_selection(
        [tile.take(np.arange(N_FITTED))], survey, replace(options, draws=200, tune=200), seed=SEED
    ).posterior
    phi = survey.basis(tile.photometry, survey.frame, tile.extras)
    mag = standard_mag(tile, survey)
    what = f"{tile.n_galaxies} galaxies, {len(survey.population.weights)} components"

    def evaluate() -> FloatArray:
        density = labelled_density(tile.photometry, survey.frame, survey.population, z_grid)
        propensity(phi, gauss_nodes(density, z_grid), posterior, mag=mag)
        return normalise(corrected(density, tile, survey, posterior, z_grid), z_grid)

    evaluate()
    _timed(rows, "posterior of all galaxies", f"{what}, {len(z_grid)} nodes", evaluate)
    ours = rows[-1].seconds / tile.n_galaxies
    _timed(
        rows,
        "of which the mixture",
        what,
        lambda: labelled_density(tile.photometry, survey.frame, survey.population, z_grid),
    )
    mixture = rows[-1].seconds / tile.n_galaxies
    few = tile.take(np.arange(N_PLAIN_GALAXIES))
    values, errors = survey.frame.luptitudes(few.photometry)
    _timed(
        rows,
        "the mixture, plain",
        f"{N_PLAIN_GALAXIES} galaxies",
        lambda: _plain_mixture(values, errors, survey, z_grid),
    )
    plain = rows[-1].seconds / N_PLAIN_GALAXIES
    return {"mixture": plain / mixture, "galaxies a second": 1 / ours}


def _plain_mixture(
    values: FloatArray, errors: FloatArray, survey: SurveyFit, z_grid: FloatArray
) -> FloatArray:
    """p(z) by batched linear algebra, galaxy by galaxy."""
    mixture = survey.population
    log1p_z = np.log1p(z_grid)
    rows: list[FloatArray] = []
    for value, error in zip(values, errors, strict=True):
        total = mixture.covariances[:, 1:, 1:] + np.diag(error**2)
        residual = value - mixture.means[:, 1:]
        cross = mixture.covariances[:, 1:, 0]
        solved = np.linalg.solve(total, np.stack([residual, cross], axis=2))
        log_share = np.log(mixture.weights) - 0.5 * np.linalg.slogdet(total)[1]
        log_share -= 0.5 * (residual * solved[:, :, 0]).sum(axis=1)
        mean = mixture.means[:, 0] + (cross * solved[:, :, 0]).sum(axis=1)
        variance = mixture.covariances[:, 0, 0] - (cross * solved[:, :, 1]).sum(axis=1)
        share = np.exp(log_share - log_share.max())
        offset = log1p_z - mean[:, None]
        height = np.exp(-0.5 * offset**2 / variance[:, None]) / np.sqrt(variance[:, None])
        density = (share @ height) / (1 + z_grid)
        rows.append(density / density.sum())
    return np.stack(rows)


def _rest(rows: list[Row], tile: Tile, survey: SurveyFit, options: CalibrationOptions) -> None:
    """Support, network and fusion of all galaxies."""
    what = f"{tile.n_galaxies} galaxies"
    z_grid = redshift_grid(options)
    _timed(
        rows,
        "support of all galaxies",
        what,
        lambda: survey.support(survey.basis(tile.photometry, survey.frame, {})),
    )
    context = survey.basis.context.scores(tile.extras, tile.n_galaxies)
    outputs = network_outputs(survey.network, tile.photometry, survey.frame, context)
    _timed(
        rows,
        "network inference",
        what,
        lambda: network_outputs(survey.network, tile.photometry, survey.frame, context),
    )
    _timed(
        rows,
        "its densities",
        f"{what}, {len(z_grid)} nodes",
        lambda: outputs_density(outputs, z_grid, head=options.head),
    )
    selection = infer_selection([tile], survey, replace(options, draws=200, tune=200), seed=SEED)
    density = _timed(
        rows,
        "adaptation",
        "one unit, network inference included",
        lambda: adapt_tiles([[tile]], [selection.anchors], survey, options)[0],
    )
    _timed(
        rows,
        "fusion with all columns",
        what,
        lambda: list(fuse_tiles([tile], selection, density, survey, options, seed=SEED)),
    )


def _write(rows: list[Row], ratios: dict[str, float], output: Path) -> None:
    """Table and document."""
    machine = {"cpus": os.cpu_count(), "machine": platform.machine(), "load": os.getloadavg()[0]}
    document = {"machine": machine, "rows": [asdict(row) for row in rows], "ratios": ratios}
    output.mkdir(parents=True, exist_ok=True)
    (output / "speed.json").write_text(json.dumps(document, indent=1) + "\n")
    lines = [
        f"One run on {machine['cpus']} cores; load average at its end {machine['load']:.1f}.",
        "",
        "| stage | seconds | what |",
        "|---|---|---|",
    ]
    lines += [f"| {row.stage} | {row.seconds:.2f} | {row.what} |" for row in rows]
    summary = (
        f"NUTS is {ratios['NUTS']:.0f} times and the mixture {ratios['mixture']:.0f} times as fast "
        f"as written plainly; {ratios['galaxies a second']:.0f} galaxies a second are judged."
    )
    lines += ["", summary]
    (output / "speed.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
