"""How far the simulator is from catalogues whose redshifts are known.

Usage: python -m benchmarks.realism FOLDER [--only NAME …] [--filters NAME] [--worlds N]

FOLDER holds pairs ``NAME_catalog.parquet`` (id, mag_<band>, mag_err_<band>) and
``NAME_truth.parquet`` (id, z_true). Each is compared with worlds drawn through the same bands, to
the same magnitude limit and depth: colours against redshift, and redshifts at given magnitude.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.examinations import find_examinations
from benchmarks.realism_figure import draw_figure
from benchmarks.realism_statistics import Sample, Statistics, statistics_of
from hbmlc_models.bands import sort_bands
from hbmlc_models.photometry import flux_from_mag, mag_err_from_flux, mag_from_flux
from hbmlc_models.simulate import (
    FILTER_SETS,
    Depth,
    FilterSet,
    Selection,
    Simulator,
    draw_world,
    lsst_depth,
)

__all__ = ["Comparison", "compare", "read_sample", "sample_depth", "simulate_samples"]

RESULTS = Path(__file__).parent / "results"
N_WORLDS = 16
N_GALAXIES = 20_000
SKY_NOISE = 0.039
"""Gamma of the noise model: its root is the sky noise over the flux at the 5-sigma depth."""
_SEED = 0x5245414C
NOTABLE = 2.0
"""Offsets, in units of the scatter over worlds, that the text counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One number of the data beside that of the worlds."""

    what: str
    """Colour, or ``z`` in a bin of magnitude."""
    where: str
    """Bin of redshift or magnitude."""
    statistic: str
    """``median`` or ``half width`` (half of the central 68 %)."""
    data: float
    """Of the catalogue."""
    worlds: float
    """Mean over worlds."""
    scatter: float
    """Standard deviation over worlds."""

    @property
    def offset(self) -> float:
        """Data less worlds, in units of the scatter over worlds."""
        return (self.data - self.worlds) / max(self.scatter, 1e-9)


def main() -> None:
    """Compare every pair in a folder."""
    parser = argparse.ArgumentParser(description="Compare the simulator with known catalogues.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--filters", choices=sorted(FILTER_SETS))
    parser.add_argument("--worlds", type=int, default=N_WORLDS)
    arguments = parser.parse_args()
    found: dict[str, list[Comparison]] = {}
    for files in find_examinations(arguments.folder, arguments.only):
        name, sample = files.name, read_sample(files.catalog, files.truth)
        filters = _filters(sample.bands, arguments.filters)
        worlds = simulate_samples(sample, filters, n_worlds=arguments.worlds)
        data, simulated = statistics_of(sample), [statistics_of(world) for world in worlds]
        found[name] = compare(data, simulated)
        RESULTS.mkdir(parents=True, exist_ok=True)
        draw_figure(data, simulated, RESULTS / f"realism-{name}.png", name=name)
    _write(found, n_worlds=arguments.worlds)


def read_sample(catalog: Path, truth: Path) -> Sample:
    """Photometry and true redshifts of one catalogue, matched by id."""
    table, true = pq.read_table(catalog), pq.read_table(truth, columns=["id", "z_true"])
    order = np.argsort(true["id"].to_numpy(), kind="stable")
    place = np.searchsorted(true["id"].to_numpy()[order], table["id"].to_numpy())
    prefix = "mag_err_"
    bands = sort_bands(c.removeprefix(prefix) for c in table.column_names if c.startswith(prefix))
    return Sample(
        bands=bands,
        mag=np.column_stack([table[f"mag_{band}"].to_numpy() for band in bands]).astype(float),
        mag_err=np.column_stack([table[prefix + band].to_numpy() for band in bands]).astype(float),
        z=true["z_true"].to_numpy()[order][place],
    )


def _filters(bands: tuple[str, ...], wanted: str | None) -> FilterSet:
    """Filter set of that name, else the first of just these bands."""
    if wanted:
        return FILTER_SETS[wanted]
    for chosen in FILTER_SETS.values():
        if chosen.bands == bands:
            return chosen
    raise SystemExit(f"No filter set has the bands {', '.join(bands)}; name one with --filters.")


def sample_depth(sample: Sample) -> Depth:
    """Depth at which the noise model gives faint galaxies the errors that they have."""
    with np.errstate(over="ignore", invalid="ignore"):
        sigma = flux_from_mag(sample.mag) * sample.mag_err * np.log(10) / 2.5
    m5: list[float] = []
    for band in range(len(sample.bands)):
        usable = np.isfinite(sigma[:, band]) & (sigma[:, band] > 0)
        faint = sample.mag[:, band] > np.median(sample.mag[usable, band])
        sky = np.array([np.median(sigma[usable & faint, band]) / np.sqrt(SKY_NOISE)])
        m5.append(float(mag_from_flux(sky)[0]))
    n_bands, typical = len(sample.bands), lsst_depth(10.0)
    return Depth(
        m5=tuple(m5),
        n_visits=(float(np.median(typical.n_visits)),) * n_bands,
        gamma=(SKY_NOISE,) * n_bands,
        seeing=(0.8,) * n_bands,
    )


def simulate_samples(sample: Sample, filters: FilterSet, *, n_worlds: int) -> list[Sample]:
    """The same survey in worlds drawn at random; errors are reported as they are."""
    depth = sample_depth(sample)
    limit = float(np.max(sample.mag[:, filters.bands.index(filters.selection_band)]))
    samples: list[Sample] = []
    for number in range(n_worlds):
        rng = np.random.default_rng([_SEED, number])
        world = replace(draw_world(rng), extended_noise=0.0, error_factor=1.0)
        drawn = Simulator(world, filters=filters, mag_limit=limit).draw(
            N_GALAXIES, depth=depth, selection=Selection(surveys=()), rng=rng
        )
        photometry = drawn.tile.photometry
        with np.errstate(invalid="ignore"):
            mag = mag_from_flux(photometry.flux)
            mag_err = mag_err_from_flux(photometry.flux, photometry.flux_err)
        samples.append(Sample(bands=filters.bands, mag=mag, mag_err=mag_err, z=drawn.z_true))
    return samples


def compare(data: Statistics, worlds: Sequence[Statistics]) -> list[Comparison]:
    """Every number of the data beside those of the worlds; bins that either lacks are left out."""
    found: list[Comparison] = []
    for key, value in data.values.items():
        drawn = np.array([world.values.get(key, np.nan) for world in worlds])
        if not np.isfinite(value) or np.isfinite(drawn).sum() < len(worlds) / 2:
            continue
        found.append(
            Comparison(
                what=key.what,
                where=key.where,
                statistic=key.statistic,
                data=float(value),
                worlds=float(np.nanmean(drawn)),
                scatter=float(np.nanstd(drawn, ddof=1)),
            )
        )
    return found


def _summary(rows: Sequence[Comparison], *, n_worlds: int) -> str:
    """How many numbers are where."""
    offsets = np.abs([row.offset for row in rows])
    near = np.mean(offsets < NOTABLE)
    return (
        f"{len(rows)} numbers beside {n_worlds} worlds: half are within {np.median(offsets):.1f} "
        f"scatters of the worlds, {near:.0%} within {NOTABLE:.0f}, the farthest at "
        f"{offsets.max():.1f}."
    )


def _write(found: dict[str, list[Comparison]], *, n_worlds: int) -> None:
    """Tables and document."""
    lines: list[str] = []
    for name, rows in found.items():
        lines += [
            f"## {name}",
            "",
            _summary(rows, n_worlds=n_worlds),
            "",
            "| what | bin | statistic | data | worlds ± scatter | offset |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.what} | {row.where} | {row.statistic} | {row.data:.3f} "
            f"| {row.worlds:.3f} ± {row.scatter:.3f} | {row.offset:+.1f} |"
            for row in rows
        ]
        lines.append("")
    document = {
        name: [asdict(row) | {"offset": row.offset} for row in rows] for name, rows in found.items()
    }
    (RESULTS / "realism.md").write_text("\n".join(lines).rstrip() + "\n")
    (RESULTS / "realism.json").write_text(json.dumps(document, indent=1) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
