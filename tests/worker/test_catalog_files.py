"""Catalogues from a store that is not local."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hbmlc_store.errors import ObjectDamagedError
from hbmlc_store.ids import new_id
from hbmlc_store.keys import canonical_key
from hbmlc_store.objects import Objects
from hbmlc_worker.catalog_files import (
    KEPT_FILES,
    copies_folder,
    forget_unused,
    lend_catalog,
)
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.work import JobPin


@pytest.fixture
def remote(context: WorkerContext, tmp_path: Path) -> WorkerContext:
    settings = context.settings.model_copy(update={"scratch": tmp_path})
    return replace(context, objects=Objects("memory:///"), settings=settings)


def make_job(context: WorkerContext, content: bytes) -> JobPin:
    catalog = new_id()
    key = canonical_key(catalog, new_id(), 1)
    return JobPin(
        id=new_id(),
        account_id=new_id(),
        request_id=None,
        catalog_id=catalog,
        catalog_digest=context.objects.put(key, content).digest,
        content_key=None,
        canonical_key=key,
        model_name="m",
        model_version=1,
        model_digest=None,
        options={},
        seed=0,
        mapping=None,
    )


def test_a_catalogue_is_fetched_once(remote: WorkerContext) -> None:
    job = make_job(remote, b"aa")
    with lend_catalog(remote, job.catalog) as file:
        first = file.read_bytes()
    remote.objects.delete_below("catalogs")

    with lend_catalog(remote, job.catalog) as file:
        second = file.read_bytes()

    assert first == second == b"aa"


def test_only_the_latest_catalogues_are_kept(remote: WorkerContext, tmp_path: Path) -> None:
    for content in (b"aa", b"bb", b"cc"):
        with lend_catalog(remote, make_job(remote, content).catalog) as file:
            assert file.read_bytes() == content

    assert len(list(tmp_path.rglob("*.parquet"))) == KEPT_FILES


def test_copies_are_readable_by_their_owner_only(remote: WorkerContext) -> None:
    with lend_catalog(remote, make_job(remote, b"aa").catalog) as file:
        modes = [place.stat().st_mode & 0o777 for place in (file, *list(file.parents)[:2])]

    assert modes == [0o600, 0o700, 0o700]


def test_services_of_one_machine_keep_their_copies_apart(remote: WorkerContext) -> None:
    other = remote.settings.model_copy(update={"object_store": "s3://elsewhere"})

    assert copies_folder(other) != copies_folder(remote.settings)


def test_the_copy_of_a_catalogue_that_no_job_works_on_goes(remote: WorkerContext) -> None:
    jobs = [make_job(remote, content) for content in (b"aa", b"bb")]
    for job in jobs:
        with lend_catalog(remote, job.catalog):
            pass

    n_forgotten = forget_unused(remote.settings, used={str(jobs[0].catalog_digest)})

    left = [file.read_bytes() for file in copies_folder(remote.settings).iterdir()]
    assert (n_forgotten, left) == (1, [b"aa"])


def test_a_catalogue_whose_bytes_changed_is_not_worked_on(context: WorkerContext) -> None:
    job = make_job(context, b"aa")
    context.objects.put(str(job.canonical_key), b"ab")

    with pytest.raises(ObjectDamagedError), lend_catalog(context, job.catalog):
        pass
