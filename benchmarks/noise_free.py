"""What photometry says to a mixture that was taught by the same sky without noise.

Usage: python -m benchmarks.noise_free FOLDER NAME PARENT [--zero-points FILE] [--components 150]
    [--output FOLDER]

FOLDER holds ``NAME_catalog.parquet`` and ``NAME_truth.parquet`` of a simulated sky; PARENT is a
Parquet file of noise-free galaxies of the same simulation, with a column ``redshift`` and a
magnitude for each band under the band's name. A mixture fitted to them judges every galaxy of the
catalogue without a spec-z, with the galaxy's own noise: no label, no selection and no noise stands
between it and the truth. ``--zero-points`` names a table with a ``tile`` and what was added to the
magnitudes there, columns ``zp_BAND`` [mag]; then there is a second answer that knows them too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.examinations import find_examinations
from benchmarks.figures_of_merit import FORMS, density_scores, point_scores
from hbmlc_models.arrays import FloatArray
from hbmlc_models.evaluate import Sky
from hbmlc_models.expected_loss import least_loss
from hbmlc_models.pdf import normalise
from hbmlc_models.photometry import flux_from_mag, luptitude
from hbmlc_models.selection.frame import LuptitudeFrame, colour_matrix, make_frame
from hbmlc_models.selection.mixture import Mixture
from hbmlc_models.selection.mixture_fit import fit_mixture

Z_GRID = np.linspace(0.0, 3.0, 301)
N_TAUGHT = 60_000
"""Noise-free galaxies that the mixture is fitted to."""
FAINTER = 0.3
"""How much fainter than the catalogue they may be: noise scatters some of them into it [mag]."""
_HEAD = """\
{name}: galaxies without a spec-z, judged by {components} components fitted to {taught} noise-free
galaxies of the same simulation, each with its own noise.

| zero points | NMAD | outliers | bias | CDE loss | PIT KS | CRPS |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Run the benchmark."""
    arguments = _arguments()
    (files,) = find_examinations(arguments.folder, [arguments.name])
    sky = files.sky()
    frame = make_frame(sky.tile.photometry)
    taught = noise_free_mixture(arguments.parent, sky, frame, arguments.components)
    examined = ~sky.tile.is_labelled
    observed, z_true = sky.tile.photometry.take(examined), sky.z_true[examined]
    offsets: dict[str, FloatArray] = {"as given": np.zeros(len(frame.bands))}
    if arguments.zero_points:
        offsets["known"] = _zero_points(arguments.zero_points, files.catalog, sky)[examined]
    rows: dict[str, dict[str, float]] = {}
    for case, offset in offsets.items():
        values = frame.luptitudes(observed.dimmed(-offset))
        density = taught.photometric_density(*values, Z_GRID)
        rows[case] = _scores(normalise(density, Z_GRID), z_true)
    head = _HEAD.format(name=arguments.name, components=len(taught.weights), taught=N_TAUGHT)
    lines = [
        f"| {case} | " + " | ".join(format(row[key], form) for key, form in FORMS.items()) + " |"
        for case, row in rows.items()
    ]
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = arguments.output / "noise-free.md"
    table.write_text(head + "\n".join(lines) + "\n")
    table.with_suffix(".json").write_text(json.dumps(rows, indent=1) + "\n")
    print(table.read_text())


def noise_free_mixture(parent: Path, sky: Sky, frame: LuptitudeFrame, n_components: int) -> Mixture:
    """Mixture of the noise-free galaxies that are as bright as those of the catalogue."""
    table = pq.read_table(parent)
    magnitudes = np.column_stack([table[band].to_numpy() for band in frame.bands])
    limit = np.nanmax(frame.reference_mag(sky.tile.photometry)) + FAINTER
    seen = np.flatnonzero(magnitudes[:, frame.reference] < limit)[:N_TAUGHT]
    luptitudes = luptitude(flux_from_mag(magnitudes[seen]), frame.softening)
    return fit_mixture(
        np.log1p(table["redshift"].to_numpy()[seen].astype(float)),
        luptitudes @ colour_matrix(len(frame.bands), frame.reference).T,
        reference=frame.reference,
        n_components=n_components,
        seed=0,
    )


def _zero_points(path: Path, catalog: Path, sky: Sky) -> FloatArray:
    """What was added to the magnitudes of each galaxy, ``(n_galaxies, n_bands)`` [mag]."""
    table = pq.read_table(path).to_pydict()
    bands = [f"zp_{band}" for band in sky.tile.photometry.bands]
    of_tile = {
        tile: np.array([table[band][row] for band in bands])
        for row, tile in enumerate(table["tile"])
    }
    tiles = pq.read_table(catalog, columns=["tile"])["tile"].to_pylist()
    return np.array([of_tile[tiles[row]] for row in sky.tile.row])


def _scores(pdf: FloatArray, z_true: FloatArray) -> dict[str, float]:
    """Figures of merit of densities ``(n_galaxies, n_grid)``."""
    return point_scores(least_loss(pdf, Z_GRID).z, z_true) | density_scores(pdf, Z_GRID, z_true)


def _arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="An answer taught by the same sky without noise.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name")
    parser.add_argument("parent", type=Path)
    parser.add_argument("--zero-points", type=Path)
    parser.add_argument("--components", type=int, default=150)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
