"""What a catalogue as a whole says: redshift distributions, balance, and whom to observe next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from hbmlc_models.arrays import BoolArray, FloatArray
from hbmlc_models.balance import (
    Balance,
    BalanceSums,
    balance_columns,
    kish_size,
    selection_odds,
)
from hbmlc_models.formats.spool import Spool
from hbmlc_models.n_of_z import BetaPrior, NOfZ, NOfZCollector, gather_evidence
from hbmlc_models.pipeline.fuse import Flag, TileResult
from hbmlc_models.pipeline.options import CalibrationOptions, redshift_grid
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.selection.frame import LuptitudeFrame
from hbmlc_models.targets import TargetCollector, gather_candidates
from hbmlc_models.tile import Tile

__all__ = ["CatalogSummary", "Summaries", "feature_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSummary:
    """What all tiles together say."""

    n_of_z: NOfZ
    """Redshift distributions of the unlabelled galaxies."""
    targets: Mapping[str, Any]
    """Columns of the list of galaxies to observe next, best first."""
    band: str
    """Band of its magnitudes."""
    balance: Balance
    """Differences between labelled and unlabelled galaxies."""
    features: tuple[str, ...]
    """Names of the features that differ."""


class Summaries:
    """Sees each tile with its result once; scratch files in ``folder`` keep what comes later."""

    def __init__(
        self, folder: Path, survey: SurveyFit, options: CalibrationOptions, *, seed: int
    ) -> None:
        self._survey = survey
        self._z_grid = redshift_grid(survey.settled(options))
        self._names = feature_names(survey.frame)
        self._spools = tuple(Spool(folder / name) for name in ("evidence", "candidates"))
        evidence, candidates = self._spools
        self._n_of_z = NOfZCollector(evidence, self._z_grid, beta_scale=survey.beta_scale)
        self._targets = TargetCollector(candidates, n_features=len(self._names), seed=seed)
        self._balance: BalanceSums | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for spool in self._spools:
            spool.close()

    def see(self, tile: Tile, result: TileResult) -> Mapping[str, float]:
        """See one tile; gives its columns for the table of tiles."""
        tile = tile.labels_within(self._survey.z_max)
        features = self._survey.frame.colours(tile.photometry)
        held_out = (result.columns["flags"].astype(np.int32) & Flag.HELD_OUT.value) > 0
        self._see_redshifts(tile, result, held_out)
        candidates = gather_candidates(
            tile,
            result.columns,
            result.pdf,
            features=features,
            reference=self._survey.frame.reference,
            z_grid=self._z_grid,
            price=self._survey.bias_price,
        )
        mag = tile.photometry.mag[tile.is_labelled, self._survey.frame.reference]
        self._targets.add(tile.index, candidates, labelled_mag=mag)
        return self._see_balance(tile, result, features)

    def finish(self) -> CatalogSummary:
        """Sum up."""
        if self._balance is None:
            empty = np.empty((0, len(self._names)))
            self._balance = BalanceSums.of(empty, np.empty(0), np.empty(0, dtype=bool))
        frame = self._survey.frame
        return CatalogSummary(
            n_of_z=self._n_of_z.finish(),
            targets=self._targets.finish(),
            band=frame.bands[frame.reference],
            balance=self._balance.balance(),
            features=self._names,
        )

    def _see_redshifts(self, tile: Tile, result: TileResult, held_out: BoolArray) -> None:
        """Evidence of the redshift distribution."""
        evidence = gather_evidence(
            tile,
            result.columns,
            result.pdf,
            held_out=held_out,
            beta=BetaPrior(mean=result.diagnostics["beta_mean"], scale=self._survey.beta_scale),
            z_grid=self._z_grid,
            cells=self._n_of_z.cells,
            price=self._survey.bias_price,
        )
        self._n_of_z.add(tile.name, evidence, tilt_std=result.diagnostics["tilt_std"])

    def _see_balance(
        self, tile: Tile, result: TileResult, features: FloatArray
    ) -> Mapping[str, float]:
        """Balance of the tile, and what weighting costs."""
        odds = selection_odds(result.columns["p_selected"].astype(float), tile.is_labelled)
        sums = BalanceSums.of(features, odds, tile.is_labelled)
        self._balance = sums if self._balance is None else self._balance + sums
        own = balance_columns(sums.balance(), self._names)
        return {"n_effective": kish_size(odds), **own}


def feature_names(frame: LuptitudeFrame) -> tuple[str, ...]:
    """Names of ``frame.colours``: ``mag_i``, ``u_g``, ``g_r`` and so on."""
    colours = zip(frame.bands[:-1], frame.bands[1:], strict=True)
    return (f"mag_{frame.bands[frame.reference]}", *(f"{a}_{b}" for a, b in colours))
