"""Making a model version: simulate worlds, meta-train, measure on worlds never seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from hbmlc_models import metrics
from hbmlc_models.base_models import ModelVersion, read_version, write_version
from hbmlc_models.metalearning.checkpoint import Checkpoint
from hbmlc_models.metalearning.features import CHANNELS
from hbmlc_models.metalearning.infer import outputs_density, run_network
from hbmlc_models.metalearning.maml import adapt_tiles_weights
from hbmlc_models.metalearning.network import Architecture, Weights
from hbmlc_models.metalearning.tasks import Task, to_labelled_set
from hbmlc_models.metalearning.train import MetaNetwork, Recipe, new_network, train_network
from hbmlc_models.pdf import point_estimates
from hbmlc_models.photometry import concatenate_photometry
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.mixture_fit import fit_mixture
from hbmlc_models.simulate.depth import draw_depth, lsst_depth
from hbmlc_models.simulate.filters import FilterSet, filter_set
from hbmlc_models.simulate.selection import draw_selection
from hbmlc_models.simulate.simulator import SimulatedCatalog, Simulator
from hbmlc_models.simulate.world import draw_world
from hbmlc_models.training.recipe import TrainingRecipe
from hbmlc_models.training.simulated_tasks import (
    SimulatedTasks,
    TileInputs,
    prepare_tiles,
)

__all__ = ["adapt_to_tile", "simulate_tiles", "train_version"]

POPULATION_YEARS = 100.0
"""Depth at which the population is fitted: a mixture wants photometry without noise."""
Z_GRID = np.linspace(0.0, 4.0, 401)
"""Grid on which the card's metrics are computed."""
CHECKPOINT_EVERY = 100
"""Steps from one checkpoint to the next."""
TEST_ANCHORS = 50
"""Anchors of a test tile."""


def train_version(
    recipe: TrainingRecipe,
    *,
    checkpoint: Path | None = None,
    on_progress: Callable[[str, float], None] = lambda _stage, _done: None,
) -> ModelVersion:
    """Model version made by ``recipe``; progress gets the stage and the done fraction.

    With a ``checkpoint`` the training of the network is kept in that file and gone on from: a run
    that was stopped ends with the same bytes as one that was not.
    """
    filters = filter_set(recipe.filters)
    ends = np.cumsum([recipe.n_worlds, recipe.n_validation_worlds, recipe.n_test_worlds])

    def tiles_of(first: int, end: int, frame: LuptitudeFrame | None) -> _Tiles:
        simulated = simulate_tiles(recipe, range(first, end), on_progress=on_progress)
        return prepare_tiles(simulated, frame=frame)

    frame, tiles = tiles_of(0, int(ends[0]), None)
    validation = tiles_of(int(ends[0]), int(ends[1]), frame)[1] if ends[1] > ends[0] else []
    population = _fit_population(recipe, filters, frame)
    on_progress("population", 1.0)
    network = _train(recipe, frame, (tiles, validation), checkpoint, on_progress)
    test = tiles_of(int(ends[1]), int(ends[2]), frame)[1]
    card = {
        "description": f"Meta-trained on simulated worlds seen through {recipe.filters} filters.",
        "training_data": "simulated; no real survey and no published mock was used",
        "recipe": recipe.as_dict(),
        "metrics": _measure(network, test),
        "licence": "BSD-3-Clause",
    }
    version = ModelVersion(
        name=recipe.name,
        version=recipe.version,
        digest="",
        bands=filters.bands,
        card=card,
        network=network,
        population=population,
        frame=frame,
    )
    return read_version(write_version(version))


_Tiles = tuple[LuptitudeFrame, list[TileInputs]]


def simulate_tiles(
    recipe: TrainingRecipe,
    worlds: range,
    *,
    on_progress: Callable[[str, float], None] = lambda _stage, _done: None,
) -> list[SimulatedCatalog]:
    """Tiles of the worlds of a recipe: of each, several depths and selections."""
    filters = filter_set(recipe.filters)
    catalogs: list[SimulatedCatalog] = []
    for world in worlds:
        rng = np.random.default_rng([recipe.seed, 1, world])
        simulator = Simulator(draw_world(rng), filters=filters, mag_limit=recipe.mag_limit)
        for _ in range(recipe.tiles_per_world):
            selection = draw_selection(
                rng,
                bands=filters.bands,
                selection_band=filters.selection_band,
                mag_limit=recipe.mag_limit,
            )
            depth = draw_depth(filters, rng, mag_limit=recipe.mag_limit)
            size = recipe.galaxies_per_tile
            catalogs.append(simulator.draw(size, depth=depth, selection=selection, rng=rng))
        on_progress("simulation", (world - worlds.start + 1) / len(worlds))
    return catalogs


def _fit_population(recipe: TrainingRecipe, filters: FilterSet, frame: LuptitudeFrame) -> Mixture:
    """Population of all worlds together, from photometry almost without noise."""
    parts: list[SimulatedCatalog] = []
    base = lsst_depth(POPULATION_YEARS)
    for world in range(recipe.n_worlds):
        rng = np.random.default_rng([recipe.seed, 1, world])
        simulator = Simulator(draw_world(rng), filters=filters, mag_limit=recipe.mag_limit)
        depth = replace(
            draw_depth(filters, rng, mag_limit=recipe.mag_limit),
            m5=tuple(base.m5[min(k, 5)] for k in range(len(filters.bands))),
        )
        selection = draw_selection(
            rng,
            bands=filters.bands,
            selection_band=filters.selection_band,
            mag_limit=recipe.mag_limit,
        )
        parts.append(simulator.draw(800, depth=depth, selection=selection, rng=rng))
    log1p_z = np.log1p(np.concatenate([part.z_true for part in parts]))
    return fit_mixture(
        log1p_z,
        frame.colours(concatenate_photometry([part.tile.photometry for part in parts])),
        reference=frame.reference,
        n_components=recipe.n_components,
        seed=recipe.seed,
    )


def _train(
    recipe: TrainingRecipe,
    frame: LuptitudeFrame,
    tiles: tuple[list[TileInputs], list[TileInputs]],
    checkpoint: Path | None,
    on_progress: Callable[[str, float], None],
) -> MetaNetwork:
    """Meta-train a network from random weights on the first ``tiles``, watched on the others."""
    architecture = Architecture(n_channels=CHANNELS, n_bands=len(frame.bands))
    start = new_network(architecture, seed=recipe.seed, n_inner_steps=recipe.n_inner_steps)
    settings = Recipe(
        supervised_steps=recipe.supervised_steps,
        batch=recipe.batch,
        supervised_lr=recipe.supervised_lr,
        meta_steps=recipe.meta_steps,
        outer_lr=recipe.outer_lr,
        tasks_per_step=recipe.tasks_per_step,
        n_inner_steps=recipe.n_inner_steps,
        rate_lr=recipe.rate_lr,
        multi_step_until=recipe.multi_step_until,
        patience=recipe.patience,
    )
    learn, watch = tiles
    return train_network(
        start,
        SimulatedTasks(learn),
        settings,
        seed=recipe.seed,
        validation=SimulatedTasks(watch) if watch else None,
        checkpoint=(
            Checkpoint(checkpoint, run=recipe.digest, every=CHECKPOINT_EVERY)
            if checkpoint
            else None
        ),
        on_progress=lambda done, loss: on_progress(f"training (loss {loss:+.3f})", done),
    )


def adapt_to_tile(
    network: MetaNetwork, tile: TileInputs, n_anchors: int, rng: np.random.Generator
) -> Weights:
    """Weights adapted to a simulated tile on anchors chosen as at deployment."""
    anchors = tile.anchors(n_anchors, rng)
    support = Task(
        inputs=tile.inputs[anchors.index],
        z_spec=tile.z_true[anchors.index],
        weight=anchors.weight,
    )
    adapted = adapt_tiles_weights(
        network.weights,
        network.rates,
        to_labelled_set([support], n_anchors),
        n_steps=network.n_inner_steps,
        head=network.architecture.head,
    )
    return {name: tensor[0] for name, tensor in adapted.items()}


def _measure(network: MetaNetwork, tiles: list[TileInputs]) -> dict[str, float]:
    """Metrics on worlds never seen, without anchors and adapted to each tile."""
    found: dict[str, float] = {}
    for label, n_anchors in (("no_anchors", 0), ("adapted", TEST_ANCHORS)):
        z_phot: list[np.ndarray] = []
        cde: list[float] = []
        for number, tile in enumerate(tiles):
            weights = network.weights
            if n_anchors:
                weights = adapt_to_tile(network, tile, n_anchors, np.random.default_rng(number))
            outputs = run_network(weights, tile.inputs)
            density = outputs_density(outputs, Z_GRID, head=network.architecture.head)
            pdf = density / (Z_GRID[1] - Z_GRID[0])
            z_phot.append(point_estimates(pdf, Z_GRID).best)
            cde.append(metrics.cde_loss(pdf, Z_GRID, tile.z_true))
        z_true = np.concatenate([tile.z_true for tile in tiles])
        answer = np.concatenate(z_phot)
        found[f"nmad_{label}"] = round(metrics.nmad(answer, z_true), 5)
        found[f"outlier_fraction_{label}"] = round(metrics.outlier_fraction(answer, z_true), 5)
        found[f"cde_loss_{label}"] = round(float(np.mean(cde)), 4)
    return found
