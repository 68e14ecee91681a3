"""Registers the model versions that this release ships."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from hbmlc_store.aliases import DEFAULT_ALIAS, production_of, set_alias
from hbmlc_store.database import Database
from hbmlc_store.registry import NewVersion, register

__all__ = ["register_base_models"]

logger = structlog.get_logger(__name__)


def register_base_models(database: Database) -> int:
    """Register every shipped version; what is registered already stays as it is. Returns how many.

    Where production points at a version that this release no longer ships, the newest one takes its
    place: no worker could load the other.

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
        for name in {model.name for model in versions}:
            _replace_production(tx, name, [m.version for m in versions if m.name == name])
    logger.info("Base models registered", n_versions=len(versions))
    return len(versions)


def _replace_production(tx: Session, name: str, shipped: Sequence[int]) -> None:
    present = production_of(tx, None, name)
    if present is not None and present.version not in shipped:
        set_alias(tx, None, name, DEFAULT_ALIAS, version=max(shipped), set_by="release")
        logger.info("Production replaced", model=name, former=present.version, present=max(shipped))
