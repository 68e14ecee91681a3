"""Catalogues from a store that is not local."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hbmlc_store.ids import new_id
from hbmlc_store.keys import canonical_key
from hbmlc_store.objects import Objects
from hbmlc_worker.catalog_files import KEPT_FILES, lend_catalog
from hbmlc_worker.context import WorkerContext
from hbmlc_worker.work import JobPin


@pytest.fixture
def remote(context: WorkerContext, tmp_path: Path) -> WorkerContext:
    settings = context.settings.model_copy(update={"scratch": tmp_path})
    return replace(context, objects=Objects("memory:///"), settings=settings)


def make_job(context: WorkerContext, digest: str) -> JobPin:
    job = JobPin(
        id=new_id(),
        catalog_id=new_id(),
        catalog_digest=digest,
        model_name="m",
        model_version=1,
        model_digest=None,
        options={},
        seed=0,
        mapping=None,
    )
    context.objects.put(canonical_key(job.catalog_id), digest.encode())
    return job


def test_a_catalogue_is_fetched_once(remote: WorkerContext) -> None:
    job = make_job(remote, "aa")
    with lend_catalog(remote, job.catalog) as file:
        first = file.read_bytes()
    remote.objects.delete_below("catalogs")

    with lend_catalog(remote, job.catalog) as file:
        second = file.read_bytes()

    assert first == second == b"aa"


def test_only_the_latest_catalogues_are_kept(remote: WorkerContext, tmp_path: Path) -> None:
    for digest in ("aa", "bb", "cc"):
        with lend_catalog(remote, make_job(remote, digest).catalog) as file:
            assert file.read_bytes() == digest.encode()

    assert len(list(tmp_path.rglob("*.parquet"))) == KEPT_FILES
