"""Draws ``redshifts.png`` of the README: ``python docs/images/draw_redshifts.py quickstart``."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from hbmlc_models.evaluate import boosted_trees, read_examination
from hbmlc_models.metrics import nmad, outlier_fraction

BRIGHT = 24.0
TOP = 2.0


def main(folder: Path) -> None:
    """Compare a demo's result with boosted trees, galaxies without a label only."""
    sky = folder / "sky"
    found = read_examination(
        folder / "results", catalog=sky / "catalog.parquet", truth=sky / "truth.parquet"
    )
    photometry = found.tile.photometry
    mag = photometry.mag[:, photometry.bands.index("i")]
    shown = ~found.tile.is_labelled & (mag < BRIGHT)
    answers = {
        "XGBoost on the labels as they are": boosted_trees(found.tile, seed=0),
        "hbmlc": found.z_phot,
    }
    figure, panels = plt.subplots(1, 2, figsize=(9, 4.3), sharey=True, layout="constrained")
    line = np.array([0, TOP])
    for axes, (name, z_phot) in zip(panels, answers.items(), strict=True):
        truth, answer = found.z_true[shown], z_phot[shown]
        axes.hexbin(
            truth,
            answer,
            gridsize=90,
            extent=(0, TOP, 0, TOP),
            bins="log",
            mincnt=1,
            cmap="viridis",
            linewidths=0,
        )
        axes.plot(line, line, color="#23303d", lw=0.8)
        for sign in (-1, 1):
            axes.plot(line, line + sign * 0.15 * (1 + line), color="#23303d", lw=0.6, ls=":")
        axes.set(xlim=(0, TOP), ylim=(0, TOP), xlabel="true redshift", aspect="equal")
        score = f"NMAD {nmad(answer, truth):.3f}, outliers {outlier_fraction(answer, truth):.0%}"
        axes.set_title(f"{name}\n{score}", fontsize=11)
    panels[0].set_ylabel("photometric redshift")
    figure.savefig(Path(__file__).with_name("redshifts.png"), dpi=110)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
