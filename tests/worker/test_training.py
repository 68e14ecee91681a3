"""The training task: two uploads become a version that calibrations load by its digest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from plain_world import ONE_WAY, make_csv
from sqlalchemy import select
from surveys import SMALLER

from hbmlc.schemas import (
    CalibrationRequest,
    ColumnMapping,
    Phase,
    Stage,
    TrainingOptions,
    TrainingRequest,
)
from hbmlc_models.base_models import load_version, read_version, write_version
from hbmlc_models.pipeline import survey_population
from hbmlc_models.training import survey_version
from hbmlc_store.database import Database
from hbmlc_store.jobs import trainings
from hbmlc_store.jobs.calibrations import create_calibration
from hbmlc_store.jobs.trainings import create_training
from hbmlc_store.keys import model_key
from hbmlc_store.registry import find_version
from hbmlc_store.schema import CatalogRow, JobRow, TrainingRow
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.registration import register_base_models
from hbmlc_worker.runner import run_message
from hbmlc_worker.tasks._inputs import load_model
from hbmlc_worker.work import Done, Work

Upload = Callable[..., tuple[UUID, UUID]]


@pytest.fixture
def catalogs(
    context: WorkerContext, database: Database, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> list[UUID]:
    """Two ingested catalogues of one world, and the versions of the release."""
    for name, value in {**SMALLER, **ONE_WAY}.items():
        monkeypatch.setattr(name, value)
    register_base_models(database)
    found: list[UUID] = []
    for seed in (1, 2):
        catalog, ingest = upload(make_csv(300, seed=seed), ColumnMapping(tile="tile"))
        run_message(context, job_id=ingest, stage=Stage.INGEST)
        found.append(catalog)
    return found


def ask(database: Database, account: UUID, catalogs: list[UUID]) -> UUID:
    request = TrainingRequest(
        name="mine",
        catalog_ids=catalogs,
        options=TrainingOptions(train_steps=30, meta_steps=2),
        seed=3,
    )
    with database.transaction() as tx:
        return create_training(tx, account, request).id


def loaded(context: WorkerContext, job: UUID) -> str:
    """Digest of the model version that a worker loads for a job."""
    found: list[str] = []

    def look(work: Work) -> Iterator[Done]:
        found.append(load_model(work).digest)
        yield from ()

    run_message(context, job_id=job, stage=Stage.SURVEY, stages={Stage.SURVEY: look})
    return found[0]


def test_catalogues_become_a_version_that_calibrations_load_by_its_digest(
    context: WorkerContext, database: Database, account: UUID, catalogs: list[UUID]
) -> None:
    job = ask(database, account, catalogs)

    completed = run_message(context, job_id=job, stage=Stage.TRAINING)

    assert completed == 1
    with database.transaction() as tx:
        row = find_version(tx, account, "mine", 1)
        digests = list(tx.scalars(select(CatalogRow.digest).order_by(CatalogRow.id)))
        result = tx.get_one(TrainingRow, job).result
        calibration = create_calibration(tx, account, CalibrationRequest(catalog_id=catalogs[0]))
    assert row.card["training_data"]["catalog_digests"] == digests
    assert row.card["start"]["name"] == "lsst-ugrizy"
    assert result is not None
    assert result["is_promoted"], result["promotion"]
    assert set(result["metrics"]) == {"new", "current"}
    content = context.objects.get(model_key(row.digest))
    assert read_version(content).digest == row.digest
    assert calibration.model_digest == row.digest
    assert loaded(context, calibration.id) == row.digest


@pytest.fixture
def registered(context: WorkerContext, database: Database, account: UUID, job: UUID) -> JobRow:
    """A calibration that pins an account's version whose weights are not stored."""
    with database.transaction() as tx:
        row = tx.get_one(JobRow, job)
        row.model_name, row.model_version, row.model_digest = "mine", 1, f"sha256:{'ab' * 32}"
    return row


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "model-missing"),
        (b"nonsense" * 10, "model-digest-mismatch"),
        (write_version(load_version("auto", 1)), "model-digest-mismatch"),
    ],
    ids=["missing", "damaged", "of another version"],
)
def test_weights_that_are_missing_or_changed_are_refused(
    context: WorkerContext,
    database: Database,
    registered: JobRow,
    content: bytes | None,
    code: str,
) -> None:
    if content is not None:
        context.objects.put(model_key(str(registered.model_digest)), content)

    def look(work: Work) -> Iterator[Done]:
        load_model(work)
        yield from ()

    run_message(context, job_id=registered.id, stage=Stage.SURVEY, stages={Stage.SURVEY: look})

    with database.transaction() as tx:
        ended = tx.get_one(JobRow, registered.id)
    assert ended.phase == Phase.ERROR
    assert ended.problem is not None
    assert ended.problem["code"] == code


def test_an_account_s_version_is_loaded_though_a_release_ships_its_name(
    context: WorkerContext, database: Database, job: UUID
) -> None:
    own = replace(load_version("auto", 1), name="lsst-ugrizy", version=2)
    content = write_version(own)
    digest = read_version(content).digest
    context.objects.put(model_key(digest), content)
    with database.transaction() as tx:
        row = tx.get_one(JobRow, job)
        row.model_name, row.model_version, row.model_digest = "lsst-ugrizy", 2, digest

    assert loaded(context, job) == digest


def test_the_service_refuses_what_the_science_would_refuse() -> None:
    assert (trainings.MIN_LABELLED, trainings.MIN_BANDS) == (
        survey_version.MIN_LABELLED,
        survey_population.MIN_SHIPPED_BANDS,
    )
