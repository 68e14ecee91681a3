"""Peers on the examinations of a folder.

Usage: python -m benchmarks.peers FOLDER [--only NAME …] [--peers NAME …] [--output FOLDER]
    [--title peers]

Needs the extra ``bench``. Every peer learns from the labelled galaxies of each catalogue, with the
settings it comes with, on one thread; only galaxies without a label count.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.examinations import find_examinations
from benchmarks.figures_of_merit import density_scores, point_scores
from benchmarks.peers.catalogue import PEERS, peer_for
from benchmarks.peers.protocol import GRID, Peer
from benchmarks.peers.table import peer_table
from hbmlc_models.evaluate import Sky


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One peer on one examination."""

    name: str
    """Examination."""
    peer: str
    """Peer."""
    n_examined: int
    """Galaxies without a label."""
    training_seconds: float
    """Time to learn."""
    microseconds: float
    """Time to answer, a galaxy, with its density on the grid."""
    scores: dict[str, float]
    """Figures of merit."""


def main() -> None:
    """Run the peers."""
    parser = argparse.ArgumentParser(description="Peers on the examinations of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "results")
    parser.add_argument("--title", default="peers")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    trials: list[Trial] = []
    for files in find_examinations(arguments.folder, arguments.only):
        name, sky = files.name, files.sky()
        for peer in arguments.peers:
            chosen = peer_for(peer, name, sky.tile.photometry.bands)
            if chosen is None:
                continue
            trials.append(_try(name, peer, chosen, sky))
            print(trials[-1], flush=True)
        _write(trials, arguments.output, arguments.title)


def _try(name: str, peer: str, chosen: Peer, sky: Sky) -> Trial:
    """Let one peer learn and answer."""
    start = time.perf_counter()
    chosen.fit(sky.tile)
    learnt = time.perf_counter()
    answer = chosen.predict(sky.tile)
    answered = time.perf_counter()
    examined = ~sky.tile.is_labelled
    z_true, z_phot = sky.z_true[examined], answer.z_phot[examined]
    scores = point_scores(z_phot, z_true)
    if answer.pdf is not None:
        scores |= density_scores(answer.pdf[examined], GRID, z_true)
    return Trial(
        name=name,
        peer=peer,
        n_examined=int(examined.sum()),
        training_seconds=round(learnt - start, 2),
        microseconds=round(1e6 * (answered - learnt) / sky.tile.n_galaxies, 1),
        scores=scores,
    )


def _write(trials: list[Trial], output: Path, title: str) -> None:
    """Write table and document."""
    rows = [asdict(trial) for trial in trials]
    output.mkdir(parents=True, exist_ok=True)
    (output / f"{title}.json").write_text(json.dumps(rows, indent=1) + "\n")
    (output / f"{title}.md").write_text(peer_table(rows))


if __name__ == "__main__":
    main()
