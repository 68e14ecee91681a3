"""TRAINING: a survey's own model version, from samples of its catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from hbmlc_models.base_models import write_version
from hbmlc_models.formats import CanonicalCatalog
from hbmlc_models.tile import Tile
from hbmlc_models.training import VersionOrder, merge_surveys, train_survey_version
from hbmlc_store.jobs.trainings import Trained, TrainingRecord, complete_training, records_of
from hbmlc_store.keys import model_key
from hbmlc_store.schema import CatalogRow, JobRow, TrainingCatalogRow
from hbmlc_worker.catalog_files import lend_catalog
from hbmlc_worker.tasks._inputs import load_model, read_options
from hbmlc_worker.tasks.survey import MAX_LABELLED, MAX_UNLABELLED
from hbmlc_worker.work import CatalogPin, Done, Work, pin_catalog

__all__ = ["run"]


def run(work: Work) -> Iterator[Done]:
    """Train on a bounded sample of all catalogues, store the weights, judge and register them."""
    (claim,) = work.claims
    current = load_model(work)
    record = _read_record(work)
    order = VersionOrder(
        name=record.training.name,
        version=record.training.version,
        options=read_options(work.job),
        catalog_digests=tuple(row.digest or "" for row in record.catalogs),
        seed=work.job.seed,
    )
    trained = train_survey_version(
        _sample(work, record), current, order, on_progress=partial(work.pulse.report, claim)
    )
    version = trained.version
    work.context.objects.put(model_key(version.digest), write_version(version))
    yield Done(
        claim=claim,
        commit=partial(
            complete_training,
            claim=claim,
            trained=Trained(
                digest=version.digest,
                bands=version.bands,
                card=dict(version.card),
                metrics={name: dict(found) for name, found in trained.metrics.items()},
                verdict=trained.verdict.as_dict(),
            ),
        ),
    )


def _read_record(work: Work) -> TrainingRecord:
    with work.context.database.transaction() as tx:
        return records_of(tx, [tx.get_one(JobRow, work.job.id)])[0]


def _pin(work: Work, row: TrainingCatalogRow) -> CatalogPin:
    with work.context.database.transaction() as tx:
        key = tx.get_one(CatalogRow, row.catalog_id).canonical_key
    return pin_catalog(row.catalog_id, digest=row.digest, key=key)


def _sample(work: Work, record: TrainingRecord) -> Tile:
    """Galaxies of all catalogues; each gives as many at most, so that none drowns the others."""
    share = len(record.catalogs)
    tiles: list[Tile] = []
    for row in record.catalogs:
        rng = np.random.default_rng([work.job.seed, 0, row.position])
        pin = _pin(work, row)
        with lend_catalog(work.context, pin) as file, CanonicalCatalog.open(file) as catalog:
            sample = catalog.sample(MAX_LABELLED // share, MAX_UNLABELLED // share, rng)
        tiles.append(sample.tile)
    return merge_surveys(tiles)
