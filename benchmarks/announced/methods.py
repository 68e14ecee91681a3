"""Answers of all methods for the galaxies without a label of one examination."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.answers import Answer, answer, calibrate, result_folder
from hbmlc_models.arrays import FloatArray
from hbmlc_models.evaluate import Sky, boosted_trees

__all__ = ["OURS", "MethodAnswers", "our_answers", "peer_answers", "trees_answers"]

OURS: Mapping[str, Sequence[str]] = {
    "HB-MLC": (),
    "BHCM alone": ("parts=selection",),
    "MAML without BHCM": ("parts=network", "beta_mean=0", "beta_scale=0.01"),
    "HB-MLC, top anchors": ("anchors=top",),
    "HB-MLC, no dimming": ("dimming=none",),
}
"""Method to the options of its calibration."""
_PEERS = ("BPZ", "FlexZBoost", "GPz", "kNN", "CMNN")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodAnswers:
    """What one method says of the galaxies without a label."""

    method: str
    """Its name."""
    z_phot: FloatArray
    """Point estimates, ``(n_runs, n_examined)``."""
    pdf: Sequence[FloatArray]
    """Densities of each run, ``(n_examined, n_grid)``; none where the method has none."""
    z_grid: FloatArray
    """Nodes of the densities."""
    milliseconds: float
    """Time a galaxy of the catalogue, learning included."""


def our_answers(
    name: str, catalog: Path, sky: Sky, kept: Path, *, seeds: Sequence[int]
) -> tuple[list[MethodAnswers], FloatArray]:
    """Calibrations of a catalogue as a user would run them, and the propensity of the first."""
    found: list[MethodAnswers] = []
    propensity = np.empty(0)
    for method, options in OURS.items():
        runs: list[Answer] = []
        for seed in seeds:
            folder = result_folder(kept / method.replace(" ", "-"), name, seed)
            calibrate(catalog, folder, seed=seed, options=options)
            runs.append(answer(folder, sky, seed=seed))
        propensity = runs[0].p_selected if not options else propensity
        seconds = float(np.mean([run.seconds for run in runs]))
        found.append(
            MethodAnswers(
                method=method,
                z_phot=np.stack([run.z_phot["hbmlc"] for run in runs]),
                pdf=[run.pdf for run in runs],
                z_grid=runs[0].z_grid,
                milliseconds=1e3 * seconds / sky.tile.n_galaxies,
            )
        )
    return found, propensity


def trees_answers(sky: Sky, *, seeds: Sequence[int]) -> MethodAnswers:
    """XGBoost on asinh magnitudes, colours and errors of the same labels."""
    examined = ~sky.tile.is_labelled
    start = time.perf_counter()
    z_phot = np.stack([boosted_trees(sky.tile, seed=seed)[examined] for seed in seeds])
    seconds = (time.perf_counter() - start) / len(seeds)
    return MethodAnswers(
        method="XGBoost",
        z_phot=z_phot,
        pdf=(),
        z_grid=np.empty(0),
        milliseconds=1e3 * seconds / sky.tile.n_galaxies,
    )


def peer_answers(name: str, sky: Sky, kept: Path) -> Iterator[MethodAnswers]:
    """Methods of the field through RAIL, with the settings they come with.

    Without RAIL there are those answers only that an earlier run left in ``kept``.
    """
    from benchmarks.peers.protocol import GRID

    for peer in _PEERS:
        path = kept / "peers" / f"{name}-{peer}.npz"
        if not path.exists() and not _ask_peer(peer, name, sky, path):
            continue
        with np.load(path) as found:
            pdf = found["pdf"]
            yield MethodAnswers(
                method=peer,
                z_phot=found["z_phot"][None],
                pdf=(pdf,) if len(pdf) else (),
                z_grid=GRID,
                milliseconds=float(found["milliseconds"]),
            )


def _ask_peer(peer: str, name: str, sky: Sky, path: Path) -> bool:
    """Leave the answers of a peer in ``path``; False where it has none."""
    if find_spec("rail") is None:
        print(f"{name}: {peer} left out, RAIL is not installed (extra bench).", flush=True)
        return False
    from benchmarks.peers.catalogue import peer_for

    chosen = peer_for(peer, name, sky.tile.photometry.bands)
    if chosen is None:
        return False
    start = time.perf_counter()
    chosen.fit(sky.tile)
    given = chosen.predict(sky.tile)
    seconds = time.perf_counter() - start
    examined = ~sky.tile.is_labelled
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        z_phot=given.z_phot[examined],
        pdf=np.empty(0) if given.pdf is None else given.pdf[examined].astype(np.float32),
        milliseconds=1e3 * seconds / sky.tile.n_galaxies,
    )
    return True
