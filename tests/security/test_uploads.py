"""No bytes are replaced: by a refused upload, a late one, or a worker without its claim."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from hbmlc.schemas import CatalogState, Stage
from hbmlc_store.catalogs import find_catalog
from hbmlc_store.database import Database
from hbmlc_store.errors import ConflictError, LostClaimError, NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.jobs.reaper import expire_leases_of, reap
from hbmlc_store.jobs.units import Claim, Output, claim_units
from hbmlc_store.keys import canonical_key, content_key
from hbmlc_store.objects import Objects
from hbmlc_store.purges import purge_waiting
from hbmlc_store.schema import CatalogRow
from hbmlc_store.sweeper import sweep
from hbmlc_store.uploads import delete_catalog, receive_content

MakeCatalog = Callable[[CatalogState], UUID]


def read(database: Database, catalog: UUID) -> CatalogRow:
    with database.transaction() as tx:
        return tx.get_one(CatalogRow, catalog)


def put(objects: Objects, catalog: UUID, content: bytes) -> str:
    key = content_key(catalog, new_id())
    objects.put(key, content)
    return key


def hand_over(
    database: Database, objects: Objects, account: UUID, catalog: UUID, content: bytes
) -> str:
    key = content_key(catalog, new_id())
    stored = objects.put(key, content)
    with database.transaction() as tx:
        receive_content(tx, account, catalog, stored, key=key)
    return key


@pytest.mark.parametrize("state", [CatalogState.READY, CatalogState.INGESTING])
def test_a_refused_put_leaves_the_bytes_of_the_catalogue(
    client: TestClient,
    database: Database,
    objects: Objects,
    account: UUID,
    make_catalog: MakeCatalog,
    state: CatalogState,
) -> None:
    catalog = make_catalog(state)
    key = read(database, catalog).content_key
    assert key is not None
    objects.put(key, b"first")

    answer = client.put(f"/v1/catalogs/{catalog}/content", content=b"second")

    assert (answer.status_code, answer.json()["code"]) == (409, "content-exists")
    assert {name: objects.get(name) for name in objects.keys("catalogs")} == {key: b"first"}


def test_of_two_uploads_on_their_way_the_first_to_end_is_kept_whole(
    database: Database, objects: Objects, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.CREATED)
    late = content_key(catalog, new_id())
    stored = objects.put(late, b"late")
    early = hand_over(database, objects, account, catalog, b"early")

    with pytest.raises(ConflictError) as caught, database.transaction() as tx:
        receive_content(tx, account, catalog, stored, key=late)

    assert caught.value.code == "content-exists"
    assert read(database, catalog).content_key == early
    assert objects.get(early) == b"early"


def test_a_refused_upload_leaves_no_object(
    client: TestClient, database: Database, objects: Objects, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.CREATED)

    def body() -> object:
        yield b"half"
        # The catalogue gets other content while this one is on its way.
        with database.transaction() as tx:
            tx.get_one(CatalogRow, catalog).state = CatalogState.READY.value
        yield b" done"

    answer = client.put(f"/v1/catalogs/{catalog}/content", content=body())

    assert answer.status_code == 409
    assert objects.keys("catalogs") == []


def test_a_catalogue_deleted_during_its_upload_leaves_no_object(
    database: Database, objects: Objects, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.CREATED)
    key = content_key(catalog, new_id())
    stored = objects.put(key, b"late")
    with database.transaction() as tx:
        delete_catalog(tx, account, catalog)
    purge_waiting(database, objects)

    with pytest.raises(NotFoundError), database.transaction() as tx:
        receive_content(tx, account, catalog, stored, key=key)

    assert objects.keys("catalogs") == []


def claim(database: Database, ingest: UUID) -> Claim:
    with database.transaction() as tx:
        (found,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="w", lease=60)
    return found


def test_an_ingest_that_lost_its_claim_cannot_touch_the_canonical_file(
    database: Database, objects: Objects, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.INGESTING)
    ingest = read(database, catalog).ingest_job_id
    assert ingest is not None
    lost = claim(database, ingest)
    with database.transaction() as tx:
        expire_leases_of(tx, "w")
    reap(database, max_attempts=3, stale_after=900)
    winner = claim(database, ingest)
    keys = [canonical_key(catalog, ingest, found.attempt) for found in (winner, lost)]
    outputs = [
        Output(key=key, digest=objects.put(key, content).digest)
        for key, content in zip(keys, (b"good", b"late"), strict=True)
    ]

    with database.transaction() as tx:
        complete_ingest(tx, winner, canonical=outputs[0], report={"bands": []})
    with pytest.raises(LostClaimError), database.transaction() as tx:
        complete_ingest(tx, lost, canonical=outputs[1], report={"bands": []})

    row = read(database, catalog)
    assert (row.canonical_key, row.digest) == (outputs[0].key, outputs[0].digest)
    assert objects.get(outputs[0].key) == b"good"


def test_objects_that_no_row_names_go_once_they_are_old(
    database: Database, objects: Objects, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.CREATED)
    kept = hand_over(database, objects, account, catalog, b"named")
    orphans = [
        put(objects, catalog, b"killed between the object and its row"),
        canonical_key(catalog, new_id(), 1),
        f"jobs/{new_id()}/survey/0-1.safetensors",
        f"models/{'ab' * 32}.safetensors",
    ]
    for key in orphans[1:]:
        objects.put(key, b"x")

    n_young = sweep(database, objects, older_than=3600)
    n_old = sweep(database, objects, older_than=-1)

    assert (n_young, n_old) == (0, len(orphans))
    assert objects.keys("catalogs") == [kept]
    assert objects.keys("jobs") == objects.keys("models") == []


def test_content_that_replaces_a_rejected_one_takes_its_object_along(
    database: Database, objects: Objects, account: UUID, make_catalog: MakeCatalog
) -> None:
    catalog = make_catalog(CatalogState.CREATED)
    hand_over(database, objects, account, catalog, b"unreadable")
    with database.transaction() as tx:
        tx.get_one(CatalogRow, catalog).state = CatalogState.REJECTED.value

    kept = hand_over(database, objects, account, catalog, b"better")
    purge_waiting(database, objects)

    assert objects.keys("catalogs") == [kept]


def test_a_purge_waits_for_a_store_that_is_away(
    database: Database,
    objects: Objects,
    account: UUID,
    make_catalog: MakeCatalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalog = make_catalog(CatalogState.CREATED)
    hand_over(database, objects, account, catalog, b"x")
    with database.transaction() as tx:
        delete_catalog(tx, account, catalog)

    with monkeypatch.context() as broken:
        broken.setattr(objects, "delete_below", _refuse)
        with pytest.raises(ConnectionError):
            purge_waiting(database, objects)
    left = objects.keys("catalogs")
    purge_waiting(database, objects)

    assert len(left) == 1
    assert objects.keys("catalogs") == []
    with pytest.raises(NotFoundError), database.transaction() as tx:
        find_catalog(tx, account, catalog)


def test_a_draft_goes_with_its_writer_and_not_before(objects: Objects) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:

        async def pieces() -> AsyncIterator[bytes]:
            # As much as is written at once, so that the draft is on the disk.
            yield b"x" * (2 << 20)
            yield b"y" * (2 << 20)
            os.write(writer, b"x")
            signal.pause()

        asyncio.run(objects.put_stream("catalogs/x", pieces(), max_bytes=1 << 30))
    os.read(reader, 1)
    during = objects.sweep_drafts(older_than=-1)
    held = len(list(objects.list_objects("drafts")))

    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    assert (during, held) == (0, 1)
    assert objects.sweep_drafts(older_than=3600) == 0
    assert objects.sweep_drafts(older_than=-1) == 1
    assert list(objects.list_objects("drafts")) == []


def _refuse(prefix: str) -> int:
    raise ConnectionError(prefix)
