"""Purges: objects whose owner let go of them, deleted after the change has committed.

A purge is a row that commits with the change, so that neither a crash nor a store that is down
leaves the bytes behind. The keeper works it off.
"""

from __future__ import annotations

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hbmlc_store.database import Database
from hbmlc_store.objects import Objects
from hbmlc_store.schema import PurgeRow

__all__ = ["add_purge", "add_purge_below", "purge_waiting"]

BATCH = 20
_BELOW = "/"
"""End of a prefix, which no key has."""

logger = structlog.get_logger(__name__)


def add_purge(tx: Session, key: str) -> None:
    """Note that an object is to go once this transaction has committed."""
    tx.add(PurgeRow(prefix=key))


def add_purge_below(tx: Session, prefix: str) -> None:
    """Note that all below a prefix is to go once this transaction has committed."""
    tx.add(PurgeRow(prefix=f"{prefix}{_BELOW}"))


def purge_waiting(database: Database, objects: Objects) -> int:
    """Delete what waits to be purged; returns how many purges were done.

    Several keepers may run: each skips the rows that another holds. What the store refuses stays
    for the next round, and raises here.
    """
    total = 0
    while True:
        with database.transaction() as tx:
            rows = tx.scalars(
                select(PurgeRow)
                .order_by(PurgeRow.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                _delete(objects, row.prefix)
            if rows:
                tx.execute(delete(PurgeRow).where(PurgeRow.id.in_([row.id for row in rows])))
        if not rows:
            return total
        total += len(rows)


def _delete(objects: Objects, prefix: str) -> None:
    if prefix.endswith(_BELOW):
        n_objects = objects.delete_below(prefix.removesuffix(_BELOW))
        logger.info("Objects purged", prefix=prefix, n_objects=n_objects)
    else:
        objects.delete(prefix)
        logger.info("Object purged", key=prefix)
