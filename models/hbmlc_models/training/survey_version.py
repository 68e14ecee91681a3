"""A survey's own model version: meta-trained on its catalogues, judged by labels held out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hbmlc_models.arrays import IntArray
from hbmlc_models.balance import typical_odds
from hbmlc_models.base_models import ModelVersion, read_version, write_version
from hbmlc_models.photometry import Photometry
from hbmlc_models.pipeline.options import CalibrationOptions, redshift_grid
from hbmlc_models.pipeline.redshift_range import settle_range
from hbmlc_models.pipeline.split import SampleSplit, split_sample
from hbmlc_models.pipeline.survey import fit_survey
from hbmlc_models.pipeline.survey_fit import SurveyFit
from hbmlc_models.selection.holdout import HOLD_OUT_FRACTION
from hbmlc_models.tile import Tile, merge_tiles
from hbmlc_models.training.gate import GateVerdict, beats
from hbmlc_models.training.judgement import Judgement, judge, label_weights
from hbmlc_models.training.sky_population import sky_population

__all__ = [
    "TooFewLabelsError",
    "TrainedVersion",
    "VersionOrder",
    "merge_surveys",
    "split_for_judgement",
    "train_survey_version",
]

MIN_LABELLED = 200
"""Fewer labelled galaxies cannot both teach a version and judge it."""
MIN_HELD_OUT = 10
"""Fewer held-out galaxies say nothing about a version."""
HOLD_OUT_SEED = 20_261
"""Of the hash that holds galaxies out: the same for all versions of all surveys."""


class TooFewLabelsError(ValueError):
    """The catalogues have too few labels to teach a version and to judge it."""

    def __init__(self, *, n_labelled: int, n_held_out: int) -> None:
        self.code = "too-few-labels"
        """Code of the problem."""
        super().__init__(
            f"The catalogues have {n_labelled} galaxies with a spec-z, {n_held_out} of which would "
            f"judge; a training needs {MIN_LABELLED} and {MIN_HELD_OUT}. Add spec-z."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionOrder:
    """What version to make."""

    name: str
    """Its name."""
    version: int
    """Its number."""
    options: CalibrationOptions
    """How to learn."""
    catalog_digests: tuple[str, ...]
    """sha256 of each catalogue, for the card."""
    seed: int
    """Seed of everything but the hold-out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedVersion:
    """A version and how it compares with the one that it started from."""

    version: ModelVersion
    """The version, with its digest."""
    metrics: Mapping[str, Mapping[str, float]]
    """Figures of merit of ``new`` and, where it has an answer, of ``current``."""
    verdict: GateVerdict
    """Whether the new one is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """A tile in the role of a random part of a catalogue."""

    tile: Tile


def train_survey_version(
    tile: Tile,
    current: ModelVersion,
    order: VersionOrder,
    *,
    on_progress: Callable[[float], None] = lambda _: None,
) -> TrainedVersion:
    """Meta-train a version on ``tile``, a sample of all catalogues, starting from ``current``.

    Both are then judged by the same code on the same held-out labels.

    Raises
    ------
    TooFewLabelsError
        There are too few labels to teach and to judge.
    """
    order = replace(order, options=settle_range(order.options, tile, current))
    tile = tile.labels_within(float(redshift_grid(order.options)[-1]))
    split = split_for_judgement(tile)
    if tile.n_labelled < MIN_LABELLED or split.withheld.n_galaxies < MIN_HELD_OUT:
        raise TooFewLabelsError(n_labelled=tile.n_labelled, n_held_out=split.withheld.n_galaxies)
    seen = merge_tiles([split.labelled, split.unlabelled])
    survey = fit_survey(
        _Sample(tile=seen),
        current,
        order.options,
        seed=order.seed,
        on_progress=lambda done: on_progress(0.95 * done),
    )
    draft = _draft(survey, split.unlabelled.photometry, order)
    judged = {
        name: judge(
            version,
            split.withheld,
            split.unlabelled.photometry,
            survey,
            order.options,
            weight=label_weights(
                split.withheld,
                survey,
                z_grid=redshift_grid(order.options),
                typical=typical_odds(tile.is_labelled),
            ),
            seed=order.seed,
        )
        for name, version in (("new", draft), ("current", current))
    }
    verdict = _verdict(judged, current, order)
    metrics = {name: found.metrics for name, found in judged.items() if found is not None}
    card = _card(tile, survey, current, order)
    card |= {"metrics": metrics, "gate": verdict.as_dict()}
    version = read_version(write_version(replace(draft, card=card)))
    return TrainedVersion(version=version, metrics=metrics, verdict=verdict)


def merge_surveys(tiles: Sequence[Tile]) -> Tile:
    """One sample of all catalogues; optional columns that one of them lacks are left out."""
    common = set.intersection(*(set(tile.extras) for tile in tiles))
    return merge_tiles(
        [
            replace(tile, extras={name: tile.extras[name] for name in sorted(common)})
            for tile in tiles
        ]
    )


def split_for_judgement(tile: Tile) -> SampleSplit:
    """Split of ``tile`` that holds out labelled galaxies by what they look like, not by place.

    A galaxy of a later upload, or of two catalogues that overlap, is held out again: no version is
    judged by what an earlier one has learnt.
    """
    known = replace(tile, row=_fingerprint(tile.photometry))
    return split_sample(known, hold_out_fraction=HOLD_OUT_FRACTION, seed=HOLD_OUT_SEED)


def _fingerprint(photometry: Photometry) -> IntArray:
    """Number of each galaxy that only another of the same fluxes shares, ``(n_galaxies,)``."""
    # In single precision: formats differ in the last digits that they keep.
    flux = np.nan_to_num(photometry.flux).astype(np.float32)
    bits = np.ascontiguousarray(flux).view(np.uint32).astype(np.uint64)
    found = np.zeros(len(flux), dtype=np.uint64)
    for column in bits.T:
        found = (found ^ column) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(32)
    return (found >> np.uint64(1)).astype(np.int64)


def _draft(survey: SurveyFit, unlabelled: Photometry, order: VersionOrder) -> ModelVersion:
    """Version of a survey's fit, without its card."""
    _, errors = survey.frame.luptitudes(unlabelled)
    typical = np.median(errors, axis=0) if len(errors) else np.full(len(survey.frame.bands), 0.1)
    return ModelVersion(
        name=order.name,
        version=order.version,
        digest="",
        bands=survey.frame.bands,
        card={},
        network=survey.network,
        population=sky_population(survey.population, errors=typical, beta=order.options.beta_mean),
        frame=survey.frame.as_stated,
    )


def _verdict(
    judged: Mapping[str, Judgement | None], current: ModelVersion, order: VersionOrder
) -> GateVerdict:
    """Verdict of the gate on the two judgements."""
    new, former = judged["new"], judged["current"]
    if new is None:
        raise AssertionError("a version has an answer for the bands that it was trained on")
    return beats(
        new.scores,
        None if former is None else former.scores,
        against=f"{current.name}:{current.version}",
        rng=np.random.default_rng([order.seed, 61]),
    )


def _card(
    tile: Tile, survey: SurveyFit, current: ModelVersion, order: VersionOrder
) -> dict[str, object]:
    """What is to be known of a version, without how it fared."""
    return {
        "description": "Meta-trained on a survey's own catalogues.",
        "training_data": {
            "catalog_digests": list(order.catalog_digests),
            "n_labelled": tile.n_labelled,
            "n_unlabelled": tile.n_galaxies - tile.n_labelled,
            "hold_out_fraction": HOLD_OUT_FRACTION,
        },
        "start": {
            "name": current.name,
            "version": current.version,
            "digest": current.digest,
            "share": survey.shipped_share,
            "population_from": survey.shipped_from,
        },
        "options": order.options.as_dict(),
        "seed": order.seed,
        "licence": "belongs to the account that trained it",
    }
