"""The galaxies of examinations with other labels or fewer bands: more examinations.

Usage: python -m benchmarks.other_labels FOLDER OUTPUT [--only NAME …] [--seed 0]

FOLDER holds pairs ``NAME_catalog.parquet`` and ``NAME_truth.parquet``, the catalogues with columns
``selected`` and ``z_spec``. OUTPUT gets pairs ``NAME_KIND_catalog.parquet`` and
``NAME_KIND_truth.parquet`` for benchmarks.accuracy: real skies, or those of other people's
simulations, with selections that nobody here has looked at.
"""

from __future__ import annotations

import argparse
import shutil
from enum import StrEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.examinations import find_examinations, relabelled
from hbmlc_models.arrays import BoolArray
from hbmlc_models.evaluate import Sky
from hbmlc_models.selection.frame import make_frame

__all__ = ["OtherLabels", "draw_labels", "without_bands"]

N_FEW = 64
_SEED = 0x4F4C


class OtherLabels(StrEnum):
    """What is changed of an examination."""

    HALF = "half"
    """Every second galaxy has a label: plain regression is hard to beat."""
    NEAR = "near"
    """Half of the bright and near galaxies: the brighter and the nearer half of all."""
    RED = "red"
    """Half of the bright and red galaxies: the brighter half and the redder third of all."""
    FEW = "few"
    """Some sixty of the labels there are."""
    NARROW = "narrow"
    """The labels there are, without the bluest and the reddest band."""


def draw_labels(kind: OtherLabels, sky: Sky, *, seed: int) -> BoolArray:
    """Who has a label, ``(n_galaxies,)``."""
    photometry, own = sky.tile.photometry, sky.tile.is_labelled
    rng = np.random.default_rng([seed, _SEED])
    chance = rng.random(len(own))
    frame = make_frame(photometry)
    mag = frame.reference_mag(photometry)
    is_bright = mag < np.median(mag)
    match kind:
        case OtherLabels.HALF:
            return chance < 0.5
        case OtherLabels.NEAR:
            return is_bright & (sky.z_true < np.median(sky.z_true)) & (chance < 0.5)
        case OtherLabels.RED:
            # The band before the reference one, less that: r - i of most surveys.
            colour = frame.colours(photometry)[:, frame.reference]
            is_red = colour > np.nanquantile(colour, 2 / 3)
            return is_bright & is_red & (chance < 0.5)
        case OtherLabels.FEW:
            return own & (chance < N_FEW / max(int(own.sum()), 1))
        case OtherLabels.NARROW:
            return own


def without_bands(catalog: pa.Table, bands: tuple[str, ...]) -> pa.Table:
    """Catalogue without columns whose names end with one of the ``bands``."""
    endings = tuple(f"_{band}" for band in bands)
    return catalog.select([name for name in catalog.column_names if not name.endswith(endings)])


def main() -> None:
    """Write all examinations."""
    parser = argparse.ArgumentParser(description="Examinations with other labels or fewer bands.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for files in find_examinations(arguments.folder, arguments.only):
        sky = files.sky()
        catalog = pq.read_table(files.catalog)
        for kind in OtherLabels:
            is_labelled = draw_labels(kind, sky, seed=arguments.seed)
            shown = relabelled(catalog, sky.tile.row[is_labelled], sky.z_true[is_labelled])
            if kind is OtherLabels.NARROW:
                bands = sky.tile.photometry.bands
                shown = without_bands(shown, (bands[0], bands[-1]))
            stem = arguments.output / f"{files.name}_{kind.value}"
            pq.write_table(shown, f"{stem}_catalog.parquet")
            shutil.copyfile(files.truth, f"{stem}_truth.parquet")
            print(f"{stem.name}: {int(is_labelled.sum()):,} labels", flush=True)


if __name__ == "__main__":
    main()
