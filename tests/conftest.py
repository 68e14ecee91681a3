"""Fixtures of every test: real servers, started once and migrated as in production."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr
from s3_server import ACCESS_KEY, REGION, SECRET_KEY, S3Server, serve_s3
from sqlalchemy import text
from threadpoolctl import threadpool_limits

from hbmlc.schemas import CalibrationRequest, CatalogState, Stage
from hbmlc_store.accounts import ensure_account
from hbmlc_store.catalogs import add_catalog
from hbmlc_store.database import Database, migrate
from hbmlc_store.embedded.broker import EmbeddedBroker, start_broker
from hbmlc_store.embedded.postgres import EmbeddedPostgres, start_postgres
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.calibrations import create_calibration
from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.jobs.units import Output, claim_units, fail_unit
from hbmlc_store.keys import canonical_key, content_key
from hbmlc_store.objects import Objects, Stored
from hbmlc_store.registry import NewVersion, register
from hbmlc_store.schema import Base
from hbmlc_store.settings import Settings
from hbmlc_store.uploads import receive_content

pytest_plugins = ["api_fixtures", "worker_fixtures"]

# Before any test loads OpenMP: threads that spin while they wait starve the servers and workers
# that the tests start beside them, as `hbmlc worker` knows too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# One thread, as a worker has: how many a busy machine grants decides on the last bits of a sum.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Libraries that the imports above have loaded read no environment any more.
threadpool_limits(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    server = start_postgres(
        folder / "data", password="test", superuser_password="super", log=folder / "log"
    )
    yield server
    server.stop()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    folder = tmp_path_factory.mktemp("broker")
    server = start_broker(folder, password="test", log=folder / "log")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> Iterator[Database]:
    database = Database(postgres.url())
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def database(migrated: Database) -> Database:
    """The migrated database, emptied."""
    empty_tables(migrated)
    return migrated


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects((tmp_path / "objects").as_uri())


@pytest.fixture(scope="session")
def s3_service() -> Iterator[S3Server]:
    with serve_s3() as server:
        yield server


@pytest.fixture
def s3(s3_service: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server, without faults, and our credentials where its clients look for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_REGION", REGION)
    s3_service.requests.clear()
    yield s3_service
    s3_service.fault = None


@pytest.fixture
def bucket(s3: S3Server) -> str:
    """A bucket of the test's own."""
    name = f"bucket-{uuid4().hex}"
    s3.client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def s3_objects(s3: S3Server, bucket: str) -> Objects:
    return Objects(f"s3://{bucket}/survey", endpoint=s3.endpoint)


@pytest.fixture
def settings(
    database: Database, broker: EmbeddedBroker, objects: Objects, tmp_path: Path
) -> Settings:
    return Settings(
        home=tmp_path,
        database_url=SecretStr(database.url),
        broker_url=SecretStr(broker.url()),
        object_store=objects.url,
        key_secret=SecretStr("test-secret"),
    )


@pytest.fixture
def account(database: Database) -> UUID:
    with database.transaction() as tx:
        return ensure_account(tx, "observatory")


BANDS = ["g", "r", "i"]


def new_catalog(
    database: Database,
    account: UUID,
    *,
    state: CatalogState,
    bands: Sequence[str] = BANDS,
    n_labelled: int = 100,
    report: Mapping[str, object] | None = None,
    problem: Mapping[str, object] | None = None,
) -> UUID:
    """Make a catalogue and bring it as far as ``state`` by the ways of production."""
    with database.transaction() as tx:
        row = add_catalog(tx, account, name="survey", mapping=None)
        if state is CatalogState.CREATED:
            return row.id
        stored = Stored(size_bytes=10, digest="ab" * 32)
        key = content_key(row.id, new_id())
        ingest = receive_content(tx, account, row.id, stored, key=key).ingest_job_id
        assert ingest is not None
    if state is CatalogState.READY:
        with database.transaction() as tx:
            (claim,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="w", lease=60)
            found: dict[str, object] = {"bands": list(bands), "n_rows": 1000}
            found |= {"n_labelled": n_labelled, "coverage": {"n_tiles": 3}, **(report or {})}
            canonical = Output(key=canonical_key(row.id, ingest, claim.attempt), digest="cd" * 32)
            complete_ingest(tx, claim, canonical=canonical, report=found)
    if state is CatalogState.REJECTED:
        with database.transaction() as tx:
            (claim,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="w", lease=60)
            fail_unit(tx, claim, problem=dict(problem or {}), is_fatal=True, max_attempts=1)
    return row.id


def new_job(database: Database, account: UUID) -> UUID:
    catalog = new_catalog(database, account, state=CatalogState.READY)
    with database.transaction() as tx:
        register(
            tx,
            NewVersion(name="model", version=1, digest="ef" * 32, bands=tuple(BANDS), card={}),
        )
        return create_calibration(tx, account, CalibrationRequest(catalog_id=catalog)).id


@pytest.fixture
def make_catalog(database: Database, account: UUID) -> Callable[..., UUID]:
    return lambda state, **found: new_catalog(database, account, state=state, **found)


@pytest.fixture
def make_job(database: Database) -> Callable[[UUID], UUID]:
    return lambda account: new_job(database, account)


@pytest.fixture
def job(database: Database, account: UUID) -> UUID:
    return new_job(database, account)


def empty_tables(database: Database) -> None:
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.transaction() as tx:
        tx.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
