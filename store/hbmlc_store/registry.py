"""The model registry: immutable versions and the aliases that move between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc_store.errors import ConflictError, InvalidError, NotFoundError
from hbmlc_store.schema import JsonObject, ModelAliasRow, ModelVersionRow

__all__ = [
    "NewVersion",
    "aliases_of",
    "choose",
    "find_version",
    "list_versions",
    "register",
    "resolve",
    "set_alias",
]

_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*)(?:(?P<mark>[@:])(?P<rest>[A-Za-z0-9._-]+))?"
)
DEFAULT_ALIAS = "production"
MANY_BANDS = 1_000
"""A version without bands of its own fits any catalogue, but worst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVersion:
    """A version to register."""

    name: str
    version: int
    digest: str
    bands: tuple[str, ...]
    card: JsonObject


def register(tx: Session, new: NewVersion) -> None:
    """Register a version; the same one again changes nothing. A first version becomes production.

    Raises
    ------
    ConflictError
        The version exists with another digest: versions are immutable.
    """
    tx.execute(
        insert(ModelVersionRow)
        .values(
            name=new.name,
            version=new.version,
            digest=new.digest,
            bands=list(new.bands),
            card=new.card,
        )
        .on_conflict_do_nothing()
    )
    row = tx.get_one(ModelVersionRow, (new.name, new.version))
    if row.digest != new.digest:
        raise ConflictError(
            "version-exists",
            f"{new.name}:{new.version} is registered with digest {row.digest}, not {new.digest}; "
            "a version never changes, so give the new weights the next number.",
        )
    if DEFAULT_ALIAS not in {alias.alias for alias in aliases_of(tx, new.name)}:
        set_alias(tx, new.name, DEFAULT_ALIAS, version=new.version)


def list_versions(tx: Session, name: str | None = None) -> list[ModelVersionRow]:
    """List versions, by name and then newest first."""
    query = select(ModelVersionRow).order_by(ModelVersionRow.name, ModelVersionRow.version.desc())
    if name is not None:
        query = query.where(ModelVersionRow.name == name)
    return list(tx.scalars(query))


def find_version(tx: Session, name: str, version: int) -> ModelVersionRow:
    """Find one version.

    Raises
    ------
    NotFoundError
        It is not registered.
    """
    row = tx.get(ModelVersionRow, (name, version))
    if row is None:
        raise NotFoundError(
            "no-such-model", f"{name}:{version} is not registered; see GET /v1/models."
        )
    return row


def aliases_of(tx: Session, name: str, *, with_history: bool = False) -> list[ModelAliasRow]:
    """List the aliases of a model, newest setting first."""
    query = select(ModelAliasRow).where(ModelAliasRow.name == name)
    if not with_history:
        query = query.where(ModelAliasRow.replaced_at.is_(None))
    return list(tx.scalars(query.order_by(ModelAliasRow.id.desc())))


def set_alias(tx: Session, name: str, alias: str, *, version: int) -> ModelAliasRow:
    """Point an alias at a version; where it pointed before stays in the history.

    Raises
    ------
    NotFoundError
        The version is not registered.
    """
    # The version's row is locked so that two callers set the alias one after the other.
    locked = select(ModelVersionRow).where(ModelVersionRow.name == name).with_for_update()
    if version not in {row.version for row in tx.scalars(locked)}:
        raise NotFoundError(
            "no-such-model", f"{name}:{version} is not registered; see GET /v1/models."
        )
    tx.execute(
        update(ModelAliasRow)
        .where(
            ModelAliasRow.name == name,
            ModelAliasRow.alias == alias,
            ModelAliasRow.replaced_at.is_(None),
        )
        .values(replaced_at=func.now())
    )
    row = ModelAliasRow(name=name, alias=alias, version=version)
    tx.add(row)
    tx.flush()
    return row


def resolve(tx: Session, reference: str) -> ModelVersionRow:
    """Find the version that ``name``, ``name@alias`` or ``name:version`` means now.

    Raises
    ------
    InvalidError
        The text is no such reference (``bad-model-reference``).
    NotFoundError
        Nothing is registered under it.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None or (match["mark"] == ":" and not match["rest"].isdecimal()):
        raise InvalidError(
            "bad-model-reference",
            f"{reference!r} names no model; write name@alias, name:version or auto.",
        )
    if match["mark"] == ":":
        return find_version(tx, match["name"], int(match["rest"]))
    alias = match["rest"] or DEFAULT_ALIAS
    row = tx.scalars(
        select(ModelVersionRow)
        .join(
            ModelAliasRow,
            (ModelAliasRow.name == ModelVersionRow.name)
            & (ModelAliasRow.version == ModelVersionRow.version),
        )
        .where(
            ModelAliasRow.name == match["name"],
            ModelAliasRow.alias == alias,
            ModelAliasRow.replaced_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            "no-such-model", f"{match['name']}@{alias} is not registered; see GET /v1/models."
        )
    return row


def choose(tx: Session, bands: Sequence[str]) -> ModelVersionRow | None:
    """Choose the production version for a catalogue's bands; ``None`` if there is none.

    It is the one trained for just these bands, else the one with the fewest bands more (its
    population serves, its network does not), else one without bands of its own, which learns from
    the catalogue alone.
    """
    query = (
        select(ModelVersionRow)
        .join(
            ModelAliasRow,
            (ModelAliasRow.name == ModelVersionRow.name)
            & (ModelAliasRow.version == ModelVersionRow.version),
        )
        .where(ModelAliasRow.alias == DEFAULT_ALIAS, ModelAliasRow.replaced_at.is_(None))
        .order_by(ModelVersionRow.name)
    )
    wanted = set(bands)
    fitting = [row for row in tx.scalars(query) if not row.bands or wanted <= set(row.bands)]
    return min(fitting, key=lambda row: len(row.bands) or MANY_BANDS, default=None)
