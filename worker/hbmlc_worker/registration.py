"""Registers the model versions that this release ships."""

from __future__ import annotations

import structlog

from hbmlc_store.database import Database
from hbmlc_store.registry import NewVersion, register

__all__ = ["register_base_models"]

logger = structlog.get_logger(__name__)


def register_base_models(database: Database) -> int:
    """Register every shipped version; what is registered already stays as it is. Returns how many.

    Raises
    ------
    ConflictError
        A version is registered with other weights: two releases meet in one database.
    """
    from hbmlc_models.base_models import list_versions, load_version

    versions = [load_version(name, version) for name, version in list_versions()]
    with database.transaction() as tx:
        for model in versions:
            register(
                tx,
                NewVersion(
                    name=model.name,
                    version=model.version,
                    digest=model.digest,
                    bands=tuple(model.bands),
                    card=dict(model.card),
                ),
            )
    logger.info("Base models registered", n_versions=len(versions))
    return len(versions)
