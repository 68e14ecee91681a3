"""The service under test: real servers, the API as a process, and rows for every route to find."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
from pydantic import SecretStr
from sqlalchemy.orm import Session

from hbmlc.schemas import CalibrationRequest, Scope, Stage, TrainingRequest
from hbmlc_store.accounts import create_api_key, ensure_account
from hbmlc_store.catalogs import add_catalog
from hbmlc_store.database import Database, migrate
from hbmlc_store.embedded.broker import start_broker
from hbmlc_store.embedded.child import free_port
from hbmlc_store.embedded.postgres import start_postgres
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.calibrations import NewResult, complete_calibration, create_calibration
from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.jobs.trainings import create_training
from hbmlc_store.jobs.units import Output, claim_units, complete_unit
from hbmlc_store.keys import canonical_key, content_key, result_key
from hbmlc_store.objects import Objects, Stored
from hbmlc_store.operators import create_operator_key
from hbmlc_store.settings import Settings
from hbmlc_store.uploads import receive_content
from hbmlc_worker.registration import register_base_models

__all__ = ["World", "running_service"]

N_OF_EACH = 12
"""Objects of a kind: the run deletes some of them, and the others are still there afterwards."""
KEY_SECRET = "fuzz"
START_SECONDS = 60.0
RESULT = bytes(range(256)) * 10


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where the service is, and the keys that open it."""

    url: str
    account_key: str
    account_key_id: UUID
    operator_key: str
    catalog_id: UUID
    """A catalogue that is READY."""
    log: Path
    """What the API says; each line is a JSON document."""


@contextmanager
def running_service(folder: Path) -> Generator[World]:
    """Start everything below a folder; it stops when the block ends."""
    postgres = start_postgres(
        folder / "data", password="fuzz", superuser_password="super", log=folder / "postgres.log"
    )
    try:
        broker = start_broker(folder, password="fuzz", log=folder / "broker.log")
        try:
            settings = Settings(
                home=folder,
                database_url=SecretStr(postgres.url()),
                broker_url=SecretStr(broker.url()),
                object_store=(folder / "objects").as_uri(),
                key_secret=SecretStr(KEY_SECRET),
                port=free_port(),
                log_json=True,
                # Long polls end soon: nothing here changes while one waits.
                max_wait_seconds=0.05,
            )
            yield from _serve(settings, folder / "api.log")
        finally:
            broker.stop()
    finally:
        postgres.stop()


def _serve(settings: Settings, log: Path) -> Generator[World]:
    database = Database(settings.database_url.get_secret_value())
    migrate(database)
    register_base_models(database)
    with log.open("wb") as output:
        api = subprocess.Popen(
            [sys.executable, "-m", "hbmlc_service"],
            env=settings.child_environment(),
            stdout=output,
            stderr=output,
        )
        try:
            world = _fill(database, settings, log)
            database.close()
            _wait_until_it_answers(world.url, api)
            yield world
        finally:
            api.terminate()
            api.wait(timeout=30)


def _wait_until_it_answers(url: str, api: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/healthz").raise_for_status()
        except httpx.TransportError:
            if api.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _fill(database: Database, settings: Settings, log: Path) -> World:
    objects = Objects.of(settings)
    with database.transaction() as tx:
        account = ensure_account(tx, "survey")
        row, account_key = create_api_key(
            tx, account, name="run", scopes=list(Scope), key_secret=KEY_SECRET
        )
        _, operator_key = create_operator_key(tx, name="run", key_secret=KEY_SECRET)
        for number in range(N_OF_EACH):
            catalog = _add_ready_catalog(tx, account, f"survey {number}")
            add_catalog(tx, account, name=f"announced {number}", mapping=None)
            _add_calibration(tx, account, catalog, objects)
            create_calibration(tx, account, CalibrationRequest(catalog_id=catalog))
            asked = TrainingRequest(name="our-model", catalog_ids=[catalog])
            create_training(tx, account, asked)
        return World(
            url=f"http://127.0.0.1:{settings.port}",
            account_key=account_key,
            account_key_id=row.id,
            operator_key=operator_key,
            catalog_id=_add_ready_catalog(tx, account, "kept"),
            log=log,
        )


def _add_ready_catalog(tx: Session, account: UUID, name: str) -> UUID:
    row = add_catalog(tx, account, name=name, mapping=None)
    stored = Stored(size_bytes=10, digest="ab" * 32)
    key = content_key(row.id, new_id())
    ingest = receive_content(tx, account, row.id, stored, key=key).ingest_job_id
    if ingest is None:
        raise LookupError("The catalogue took its content, but there is no job that reads it.")
    (claim,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="fuzz", lease=60)
    report = {
        "bands": list("ugrizy"),
        "n_rows": 1000,
        "n_labelled": 500,
        "coverage": {"n_tiles": 3},
    }
    canonical = Output(key=canonical_key(row.id, ingest, claim.attempt), digest="cd" * 32)
    complete_ingest(tx, claim, canonical=canonical, report=report)
    return row.id


def _add_calibration(tx: Session, account: UUID, catalog: UUID, objects: Objects) -> None:
    job = create_calibration(tx, account, CalibrationRequest(catalog_id=catalog)).id
    for stage in (Stage.SURVEY, Stage.SELECTION, Stage.ADAPTATION):
        (claim,) = claim_units(tx, job, stage, limit=1, worker="fuzz", lease=60)
        complete_unit(tx, claim)
    (claim,) = claim_units(tx, job, Stage.ASSEMBLY, limit=1, worker="fuzz", lease=60)
    key = result_key(job, 1, "photoz.parquet")
    stored = objects.put(key, RESULT)
    result = NewResult(
        name="photoz.parquet",
        size_bytes=stored.size_bytes,
        digest=stored.digest,
        media_type="application/vnd.apache.parquet",
        object_key=key,
    )
    complete_calibration(tx, claim, results=[result], diagnostics={})
