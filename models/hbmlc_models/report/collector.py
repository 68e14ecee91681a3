"""Gathers what the report shows while tiles pass by; memory grows with the held-out labels only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from hbmlc_models import metrics
from hbmlc_models.arrays import BoolArray, FloatArray, IntArray
from hbmlc_models.report.data import GroupMetrics, PropensityProfile, ReportData
from hbmlc_models.tile import Tile

__all__ = ["ReportCollector"]

_MAG_EDGES = np.linspace(14.0, 30.0, 65)
_MIN_GROUP = 20
"""Fewer galaxies give no figure of merit worth printing."""
_POINT_METRICS = {
    "nmad": metrics.nmad,
    "nmad_centred": metrics.nmad_centred,
    "sigma_iqr": metrics.sigma_iqr,
    "outlier_fraction": metrics.outlier_fraction,
    "outlier_fraction_3sigma": metrics.outlier_fraction_3sigma,
    "bias_mean": metrics.bias_mean,
    "bias_median": metrics.bias_median,
}
_DENSITY_METRICS = {
    "cde_loss": metrics.cde_loss,
    "crps": metrics.crps,
    "brier": metrics.brier,
}


class ReportCollector:
    """Sees each tile once, with its results."""

    def __init__(self, z_grid: FloatArray, *, bands: tuple[str, ...]) -> None:
        self._z_grid = np.asarray(z_grid, dtype=np.float64)
        self._band = "i" if "i" in bands else bands[len(bands) // 2]
        self._n_galaxies = 0
        self._n_labelled = 0
        self._n_labels_beyond = 0
        self._held: list[FloatArray] = []
        self._density_sums = dict.fromkeys(_DENSITY_METRICS, 0.0)
        self._n_of_z = {
            name: np.zeros(len(self._z_grid)) for name in ("all", "selected", "unselected")
        }
        self._profile = np.zeros((3, len(_MAG_EDGES) - 1))
        self._centres: dict[str, tuple[float, float]] = {}

    def add(
        self,
        tile: Tile,
        columns: Mapping[str, FloatArray | IntArray],
        pdf: FloatArray,
        *,
        held_out: BoolArray,
    ) -> None:
        """See one tile.

        ``columns`` holds ``z_phot`` and ``p_selected`` ``(n_galaxies,)``, ``pdf`` the densities
        ``(n_galaxies, n_grid)``; ``held_out`` marks labels that no fit has seen.
        """
        self._n_galaxies += tile.n_galaxies
        z_max = float(self._z_grid[-1])
        self._n_labels_beyond += tile.n_labels_beyond(z_max)
        tile = tile.labels_within(z_max)
        self._n_labelled += tile.n_labelled
        self._add_n_of_z(tile, pdf)
        self._add_profile(tile, columns["p_selected"].astype(float))
        if tile.ra is not None and tile.dec is not None and np.isfinite(tile.ra).any():
            self._centres[tile.name] = _centre(tile.ra, tile.dec)
        held = held_out & tile.is_labelled
        if not held.any():
            return
        z_spec, density = tile.z_spec[held], np.asarray(pdf[held], dtype=np.float64)
        mag = self._mag(tile)[held]
        pit = metrics.pit(density, self._z_grid, z_spec)
        values = [columns["z_phot"][held], z_spec, pit, mag, columns["p_selected"][held]]
        self._held.append(np.stack(values).astype(np.float64))
        for name, score in _DENSITY_METRICS.items():
            self._density_sums[name] += score(density, self._z_grid, z_spec) * len(z_spec)

    def finish(
        self,
        *,
        title: str,
        tile_rows: Sequence[Mapping[str, object]],
        provenance: Mapping[str, str],
    ) -> ReportData:
        """Sum up; ``tile_rows`` are those of ``tiles.parquet``."""
        z_phot, z_spec, pit, mag, propensity = (
            np.concatenate(self._held, axis=1) if self._held else np.zeros((5, 0))
        )
        return ReportData(
            title=title,
            n_galaxies=self._n_galaxies,
            n_labelled=self._n_labelled,
            n_labels_beyond=self._n_labels_beyond,
            z_phot=z_phot,
            z_spec=z_spec,
            pit=pit,
            z_grid=self._z_grid,
            n_of_z={name: self._normalised(total) for name, total in self._n_of_z.items()},
            propensity=self._propensity(),
            metrics=self._metrics(z_phot, z_spec, pit),
            groups={
                "magnitude": _groups(mag, np.arange(16.0, 30.0), z_phot, z_spec),
                "redshift": _groups(z_spec, np.arange(0.0, 7.1, 0.5), z_phot, z_spec),
                "propensity": _groups(propensity, _PROPENSITY_EDGES, z_phot, z_spec),
            },
            tiles=[self._with_centre(row) for row in tile_rows],
            provenance=dict(provenance),
        )

    def _mag(self, tile: Tile) -> FloatArray:
        """Magnitudes in the band of the profile, ``(n_galaxies,)``."""
        return tile.photometry.mag[:, tile.photometry.bands.index(self._band)]

    def _add_n_of_z(self, tile: Tile, pdf: FloatArray) -> None:
        self._n_of_z["all"] += pdf.sum(axis=0, dtype=np.float64)
        self._n_of_z["selected"] += pdf[tile.selected].sum(axis=0, dtype=np.float64)
        self._n_of_z["unselected"] += pdf[~tile.selected].sum(axis=0, dtype=np.float64)

    def _add_profile(self, tile: Tile, propensity: FloatArray) -> None:
        mag = self._mag(tile)
        use = np.isfinite(mag) & np.isfinite(propensity)
        for row, weight in enumerate((None, tile.selected[use].astype(float), propensity[use])):
            self._profile[row] += np.histogram(mag[use], _MAG_EDGES, weights=weight)[0]

    def _propensity(self) -> PropensityProfile:
        count, selected, propensity = self._profile
        n = np.where(count > 0, count, np.nan)
        return PropensityProfile(
            band=self._band,
            mag=0.5 * (_MAG_EDGES[1:] + _MAG_EDGES[:-1]),
            fraction=selected / n,
            propensity=propensity / n,
            n_galaxies=count,
        )

    def _normalised(self, total: FloatArray) -> FloatArray:
        area = np.trapezoid(total, self._z_grid)
        return total / area if area > 0 else total

    def _metrics(self, z_phot: FloatArray, z_spec: FloatArray, pit: FloatArray) -> dict[str, float]:
        n = len(z_spec)
        if n == 0:
            return {}
        found = {name: score(z_phot, z_spec) for name, score in _POINT_METRICS.items()}
        found["pit_ks"] = metrics.pit_ks(pit)
        found["pit_outlier_rate"] = metrics.pit_outlier_rate(pit)
        return found | {name: total / n for name, total in self._density_sums.items()}

    def _with_centre(self, row: Mapping[str, object]) -> dict[str, object]:
        centre = self._centres.get(str(row.get("tile")))
        return {**row, **({} if centre is None else {"ra": centre[0], "dec": centre[1]})}


_PROPENSITY_EDGES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0 + 1e-9])


def _centre(ra: FloatArray, dec: FloatArray) -> tuple[float, float]:
    """Mean position [deg]; right ascension as a direction, so that 359 and 1 meet at 0."""
    angle = np.deg2rad(ra)
    mean = np.arctan2(np.nanmean(np.sin(angle)), np.nanmean(np.cos(angle)))
    return float(np.rad2deg(mean) % 360), float(np.nanmean(dec))


def _groups(
    value: FloatArray, edges: FloatArray, z_phot: FloatArray, z_spec: FloatArray
) -> list[GroupMetrics]:
    """Figures of merit in intervals of ``value``, those with too few galaxies left out."""
    groups: list[GroupMetrics] = []
    for low, high in pairwise(edges):
        inside = (value >= low) & (value < high)
        n = int(inside.sum())
        if n < _MIN_GROUP:
            continue
        values = {
            name: score(z_phot[inside], z_spec[inside]) for name, score in _POINT_METRICS.items()
        }
        label = f"{low:.3g} – {min(high, 1e9):.3g}"
        groups.append(GroupMetrics(label=label, n_galaxies=n, values=values))
    return groups
