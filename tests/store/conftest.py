"""Builders of catalogues and calibrations in any state."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from hbmlc.schemas import CalibrationRequest, CatalogState, Stage
from hbmlc_store.catalogs import add_catalog
from hbmlc_store.database import Database
from hbmlc_store.jobs.calibrations import create_calibration
from hbmlc_store.jobs.ingests import complete_ingest
from hbmlc_store.jobs.units import claim_units
from hbmlc_store.objects import Stored
from hbmlc_store.registry import NewVersion, register
from hbmlc_store.uploads import receive_content

BANDS = ["g", "r", "i"]


def new_catalog(database: Database, account: UUID, *, state: CatalogState) -> UUID:
    """Make a catalogue and bring it as far as ``state`` by the ways of production."""
    with database.transaction() as tx:
        row = add_catalog(tx, account, name="survey", mapping=None)
        if state is CatalogState.CREATED:
            return row.id
        stored = Stored(size_bytes=10, digest="ab" * 32)
        ingest = receive_content(tx, account, row.id, stored).ingest_job_id
        assert ingest is not None
    if state is CatalogState.READY:
        with database.transaction() as tx:
            (claim,) = claim_units(tx, ingest, Stage.INGEST, limit=1, worker="w", lease=60)
            report = {"bands": BANDS, "n_rows": 1000, "n_tiles": 3}
            complete_ingest(tx, claim, digest="cd" * 32, report=report)
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
def make_catalog(database: Database, account: UUID) -> Callable[[CatalogState], UUID]:
    return lambda state: new_catalog(database, account, state=state)


@pytest.fixture
def make_job(database: Database) -> Callable[[UUID], UUID]:
    return lambda account: new_job(database, account)


@pytest.fixture
def job(database: Database, account: UUID) -> UUID:
    return new_job(database, account)
