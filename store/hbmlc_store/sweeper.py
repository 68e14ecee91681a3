"""The sweeper: finds objects that no row names and deletes them once they are old enough.

They come from uploads that broke off, attempts that lost their claim, and processes that were
killed between writing an object and naming it. Until the object is old it may belong to one that is
still on its way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog
from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from hbmlc_store.database import Database
from hbmlc_store.keys import model_key
from hbmlc_store.objects import Objects
from hbmlc_store.schema import CatalogRow, ModelVersionRow, ResultRow, UnitRow

__all__ = ["sweep"]

BATCH = 500

logger = structlog.get_logger(__name__)


def sweep(database: Database, objects: Objects, *, older_than: float) -> int:
    """Delete the objects older than ``older_than`` seconds that no row names; returns how many."""
    limit = datetime.now(UTC) - timedelta(seconds=older_than)
    old = (entry.key for entry in objects.list_objects() if entry.modified_at < limit)
    n_deleted = 0
    while keys := list(islice(old, BATCH)):
        with database.transaction() as tx:
            named = set(_named(tx, keys))
        for key in keys:
            if key not in named:
                objects.delete(key)
                logger.info("Orphan deleted", key=key)
                n_deleted += 1
    return n_deleted


def _named(tx: Session, keys: Iterable[str]) -> Iterator[str]:
    """Those of the keys that a row names."""
    asked = list(keys)
    named = union_all(
        *(
            select(column).where(column.in_(asked))
            for column in (
                CatalogRow.content_key,
                CatalogRow.canonical_key,
                UnitRow.object_key,
                ResultRow.object_key,
            )
        )
    )
    yield from (key for key in tx.scalars(named) if key is not None)
    digests = func.replace(ModelVersionRow.digest, literal("sha256:"), literal(""))
    weights = {key for key in asked if key.startswith("models/")}
    if weights:
        names = {key.removeprefix("models/").removesuffix(".safetensors"): key for key in weights}
        for digest in tx.scalars(select(digests).where(digests.in_(list(names)))):
            yield model_key(digest)
