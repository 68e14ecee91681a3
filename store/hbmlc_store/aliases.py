"""Aliases of models: names that move between versions and remember where they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from hbmlc_store.errors import NotFoundError
from hbmlc_store.schema import JsonObject, ModelAliasRow, ModelVersionRow

__all__ = [
    "DEFAULT_ALIAS",
    "AliasSetting",
    "aliases_of",
    "aliases_of_versions",
    "lock_versions",
    "production_of",
    "set_alias",
    "version_at",
]

DEFAULT_ALIAS = "production"
"""Alias that is meant where none is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasSetting:
    """One setting of an alias, present or past."""

    name: str
    """The model."""
    alias: str
    """The moving name."""
    version: int
    """Where it points, or pointed."""
    set_by: str | None
    """Who set it: ``release``, ``key <id>`` or ``training <id>``."""
    verdict: JsonObject | None
    """What the gate said, where a training set it."""
    created_at: datetime
    """Since when."""
    replaced_at: datetime | None
    """Until when; ``None`` for the present setting."""


def aliases_of(
    tx: Session, owner: UUID | None, name: str, *, with_history: bool = False
) -> list[AliasSetting]:
    """List the aliases of an owner's model (``None``: a shipped one), newest setting first."""
    query = (
        select(ModelAliasRow, ModelVersionRow.version)
        .join(ModelVersionRow, ModelVersionRow.id == ModelAliasRow.version_id)
        .where(*_is_alias_of(owner, name))
        .order_by(ModelAliasRow.id.desc())
    )
    if not with_history:
        query = query.where(ModelAliasRow.replaced_at.is_(None))
    return [_setting(row, version) for row, version in tx.execute(query)]


def aliases_of_versions(tx: Session, version_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """Aliases that point at each of the versions now, sorted."""
    rows = select(ModelAliasRow.version_id, ModelAliasRow.alias).where(
        ModelAliasRow.version_id.in_(version_ids), ModelAliasRow.replaced_at.is_(None)
    )
    found: dict[UUID, list[str]] = {}
    for version_id, alias in tx.execute(rows.order_by(ModelAliasRow.alias)):
        found.setdefault(version_id, []).append(alias)
    return found


def set_alias(
    tx: Session,
    owner: UUID | None,
    name: str,
    alias: str,
    *,
    version: int,
    set_by: str,
    verdict: JsonObject | None = None,
) -> AliasSetting:
    """Point an alias at a version; where it pointed before stays in the history.

    Raises
    ------
    NotFoundError
        The version is not registered.
    """
    found = {row.version: row for row in lock_versions(tx, owner, name)}.get(version)
    if found is None:
        raise NotFoundError(
            "no-such-model", f"{name}:{version} is not registered; see GET /v1/models."
        )
    tx.execute(
        update(ModelAliasRow)
        .where(
            *_is_alias_of(owner, name),
            ModelAliasRow.alias == alias,
            ModelAliasRow.replaced_at.is_(None),
        )
        .values(replaced_at=func.now())
    )
    row = ModelAliasRow(
        account_id=owner,
        name=name,
        alias=alias,
        version_id=found.id,
        set_by=set_by,
        verdict=verdict,
    )
    tx.add(row)
    tx.flush()
    tx.refresh(row)
    return _setting(row, version)


def lock_versions(tx: Session, owner: UUID | None, name: str) -> list[ModelVersionRow]:
    """Lock the versions of a model, so that its aliases are set by one caller after the other."""
    rows = select(ModelVersionRow).where(
        ModelVersionRow.account_id.is_not_distinct_from(owner), ModelVersionRow.name == name
    )
    return list(tx.scalars(rows.order_by(ModelVersionRow.version).with_for_update()))


def version_at(tx: Session, owner: UUID | None, name: str, alias: str) -> ModelVersionRow | None:
    """Find the version at which an owner's alias points now; ``None`` where it is not set."""
    return tx.scalars(
        select(ModelVersionRow)
        .join(ModelAliasRow, ModelAliasRow.version_id == ModelVersionRow.id)
        .where(
            *_is_alias_of(owner, name),
            ModelAliasRow.alias == alias,
            ModelAliasRow.replaced_at.is_(None),
        )
    ).one_or_none()


def production_of(tx: Session, owner: UUID | None, name: str) -> ModelVersionRow | None:
    """Find the production version of an owner's model."""
    return version_at(tx, owner, name, DEFAULT_ALIAS)


def _is_alias_of(owner: UUID | None, name: str) -> tuple[ColumnElement[bool], ...]:
    return (ModelAliasRow.account_id.is_not_distinct_from(owner), ModelAliasRow.name == name)


def _setting(row: ModelAliasRow, version: int) -> AliasSetting:
    return AliasSetting(
        name=row.name,
        alias=row.alias,
        version=version,
        set_by=row.set_by,
        verdict=row.verdict,
        created_at=row.created_at,
        replaced_at=row.replaced_at,
    )
