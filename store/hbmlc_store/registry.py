"""The model registry: immutable versions, shipped with a release or trained by an account.

Shipped versions have no owner and serve everybody; those of an account are seen by it alone. A name
of its own hides a shipped one that a later release brings, so what worked keeps its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hbmlc.schemas import CatalogState
from hbmlc_store.aliases import DEFAULT_ALIAS, production_of, set_alias, version_at
from hbmlc_store.errors import ConflictError, InvalidError, NotFoundError
from hbmlc_store.ids import new_id
from hbmlc_store.schema import CatalogRow, JsonObject, ModelAliasRow, ModelVersionRow

__all__ = [
    "NewVersion",
    "choose",
    "find_version",
    "list_versions",
    "owner_of",
    "page_of_versions",
    "recommended_model",
    "register",
    "resolve",
]

_REFERENCE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]{0,62})(?:(?P<mark>[@:])(?P<rest>[A-Za-z0-9._-]{1,63}))?"
)
_VERSION = re.compile(r"[0-9]{1,9}")
MAX_BANDS_MORE = 3
"""A version with more bands than that beyond a catalogue's is of another kind of camera."""
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
    account_id: UUID | None = None
    """Whose it is; ``None`` for one that ships with a release."""
    training_id: UUID | None = None
    """Training that made it."""


def register(tx: Session, new: NewVersion) -> ModelVersionRow:
    """Register a version; the same one again changes nothing.

    The first version of a shipped model becomes production; those of accounts have to earn it.

    Raises
    ------
    ConflictError
        The version exists with another digest: versions are immutable.
    """
    tx.execute(
        insert(ModelVersionRow)
        .values(
            id=new_id(),
            account_id=new.account_id,
            name=new.name,
            version=new.version,
            digest=new.digest,
            bands=list(new.bands),
            card=new.card,
            training_id=new.training_id,
        )
        .on_conflict_do_nothing()
    )
    row = tx.scalars(
        select(ModelVersionRow).where(
            *_is_named(new.account_id, new.name), ModelVersionRow.version == new.version
        )
    ).one()
    if row.digest != new.digest:
        raise ConflictError(
            "version-exists",
            f"{new.name}:{new.version} is registered with digest {row.digest}, not {new.digest}; "
            "a version never changes, so give the new weights the next number.",
        )
    if new.account_id is None and production_of(tx, None, new.name) is None:
        set_alias(tx, None, new.name, DEFAULT_ALIAS, version=new.version, set_by="release")
    return row


def list_versions(
    tx: Session, account_id: UUID | None, *, name: str | None = None
) -> list[ModelVersionRow]:
    """List the versions that an account sees, by name and then newest first."""
    query = (
        select(ModelVersionRow)
        .where(_is_visible(account_id))
        .order_by(
            ModelVersionRow.name,
            ModelVersionRow.account_id.nulls_last(),
            ModelVersionRow.version.desc(),
        )
    )
    if name is not None:
        query = query.where(ModelVersionRow.name == name)
    return list(tx.scalars(query))


def page_of_versions(
    tx: Session, account_id: UUID | None, *, limit: int, before: UUID | None = None
) -> list[ModelVersionRow]:
    """List the versions that an account sees, newest first, from before an id on."""
    query = select(ModelVersionRow).where(_is_visible(account_id))
    if before is not None:
        query = query.where(ModelVersionRow.id < before)
    return list(tx.scalars(query.order_by(ModelVersionRow.id.desc()).limit(limit)))


def owner_of(tx: Session, account_id: UUID | None, name: str) -> UUID | None:
    """Owner of the model that an account means by a name: itself, or ``None`` for a shipped one.

    Raises
    ------
    NotFoundError
        The account sees no model of that name.
    """
    rows = list_versions(tx, account_id, name=name)
    if not rows:
        raise NotFoundError("no-such-model", f"{name} is not registered; see GET /v1/models.")
    return rows[0].account_id


def find_version(tx: Session, account_id: UUID | None, name: str, version: int) -> ModelVersionRow:
    """Find one version that an account sees.

    Raises
    ------
    NotFoundError
        It is not registered, or belongs to another account.
    """
    owner = owner_of(tx, account_id, name)
    row = tx.scalars(
        select(ModelVersionRow).where(*_is_named(owner, name), ModelVersionRow.version == version)
    ).one_or_none()
    if row is None:
        raise NotFoundError(
            "no-such-model", f"{name}:{version} is not registered; see GET /v1/models."
        )
    return row


def resolve(tx: Session, account_id: UUID | None, reference: str) -> ModelVersionRow:
    """Find the version that ``name``, ``name@alias`` or ``name:version`` means to an account now.

    Raises
    ------
    InvalidError
        The text is no such reference (``bad-model-reference``).
    NotFoundError
        Nothing that the account sees is registered under it.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None or (match["mark"] == ":" and not _VERSION.fullmatch(match["rest"])):
        raise InvalidError(
            "bad-model-reference",
            f"{reference[:80]!r} names no model; write name@alias, name:version or auto.",
        )
    name, alias = match["name"], match["rest"] or DEFAULT_ALIAS
    if match["mark"] == ":":
        return find_version(tx, account_id, name, int(match["rest"]))
    row = version_at(tx, owner_of(tx, account_id, name), name, alias)
    if row is None:
        raise NotFoundError(
            "no-such-model",
            f"{name} has no version {alias}; name one as {name}:1 (see GET /v1/models).",
        )
    return row


def choose(tx: Session, account_id: UUID | None, bands: Sequence[str]) -> ModelVersionRow | None:
    """Choose the production version for a catalogue's bands; ``None`` if there is none.

    It is one for just these bands, else the one with the fewest bands more (its population serves,
    its network does not), else one without bands of its own, which learns from the catalogue alone.
    Among equals the account's own come before shipped ones, the one promoted last first.
    """
    query = (
        select(ModelVersionRow)
        .join(ModelAliasRow, ModelAliasRow.version_id == ModelVersionRow.id)
        .where(
            _is_visible(account_id),
            ModelAliasRow.alias == DEFAULT_ALIAS,
            ModelAliasRow.replaced_at.is_(None),
        )
        .order_by(
            ModelVersionRow.account_id.nulls_last(),
            case((ModelVersionRow.account_id.is_not(None), ModelAliasRow.created_at)).desc(),
            ModelVersionRow.name,
        )
    )
    wanted = set(bands)
    fitting = [row for row in tx.scalars(query) if _serves(row, wanted)]
    return min(fitting, key=lambda row: len(row.bands) or MANY_BANDS, default=None)


def recommended_model(tx: Session, catalog: CatalogRow) -> str | None:
    """Version that ``auto`` takes for a catalogue, ``name:version``; ``None`` where none fits."""
    if catalog.state != CatalogState.READY:
        return None
    row = choose(tx, catalog.account_id, list((catalog.report or {}).get("bands", [])))
    return None if row is None else f"{row.name}:{row.version}"


def _serves(row: ModelVersionRow, bands: set[str]) -> bool:
    if not row.bands:
        return True
    return bands <= set(row.bands) and len(row.bands) - len(bands) <= MAX_BANDS_MORE


def _is_visible(account_id: UUID | None) -> ColumnElement[bool]:
    return or_(ModelVersionRow.account_id.is_(None), ModelVersionRow.account_id == account_id)


def _is_named(owner: UUID | None, name: str) -> tuple[ColumnElement[bool], ...]:
    return (ModelVersionRow.account_id.is_not_distinct_from(owner), ModelVersionRow.name == name)
