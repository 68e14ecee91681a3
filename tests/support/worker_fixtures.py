"""A worker's context over real servers, and catalogues with real content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
import redis

from hbmlc.schemas import ColumnMapping
from hbmlc_store.catalogs import add_catalog
from hbmlc_store.database import Database
from hbmlc_store.embedded.broker import EmbeddedBroker
from hbmlc_store.ids import new_id
from hbmlc_store.keys import content_key
from hbmlc_store.objects import Objects
from hbmlc_store.settings import Settings
from hbmlc_store.uploads import receive_content
from hbmlc_worker.context import WorkerContext, make_context


@pytest.fixture
def context(settings: Settings) -> Iterator[WorkerContext]:
    made = make_context(settings.model_copy(update={"lease_seconds": 1.0}))
    yield made
    made.database.close()


@pytest.fixture
def queues(broker: EmbeddedBroker) -> Iterator[redis.Redis]:
    """The broker's queues, emptied."""
    with redis.Redis.from_url(broker.url()) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def upload(database: Database, objects: Objects, account: UUID) -> Callable[..., tuple[UUID, UUID]]:
    """Stores content as a new catalogue; gives the catalogue and its ingest."""

    def make(content: bytes, mapping: ColumnMapping | None = None) -> tuple[UUID, UUID]:
        with database.transaction() as tx:
            row = add_catalog(tx, account, name="survey", mapping=mapping)
            key = content_key(row.id, new_id())
            stored = objects.put(key, content)
            ingest = receive_content(tx, account, row.id, stored, key=key).ingest_job_id
            assert ingest is not None
            return row.id, ingest

    return make
