"""``Idempotency-Key``: a repeated creation answers with the object of the first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, NoReturn, TypeVar
from uuid import UUID

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy.orm import Session

from hbmlc_store.errors import ConflictError, NotFoundError
from hbmlc_store.idempotency import find_answered, remember

__all__ = ["IdempotencyKey", "create_once", "digest_of", "refuse_repetition"]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x20-\x7e]+$",
        description="Printable ASCII; the same key with the same body gives the same object for "
        "24 h.",
    ),
]
RowT = TypeVar("RowT")


def digest_of(*parts: str | BaseModel | None) -> str:
    """Digest of all that makes two requests the same."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.model_dump_json() if isinstance(part, BaseModel) else str(part)
        digest.update(len(text).to_bytes(8))
        digest.update(text.encode())
    return digest.hexdigest()


def create_once(
    tx: Session,
    account_id: UUID,
    key: str | None,
    *,
    request_digest: str,
    create: Callable[[], tuple[UUID, RowT]],
    find: Callable[[UUID], RowT],
) -> RowT:
    """Create an object, or find the one that the same request created before.

    Raises
    ------
    ConflictError
        That object was deleted since (``idempotency-object-deleted``).
    """
    if key is None:
        return create()[1]
    answered = find_answered(tx, account_id, key, request_digest=request_digest)
    if answered is not None:
        try:
            return find(answered)
        except NotFoundError as exc:
            raise ConflictError(
                "idempotency-object-deleted",
                f"This Idempotency-Key made {answered}, which was deleted since; take a new key to "
                "make another one.",
            ) from exc
    object_id, row = create()
    remember(tx, account_id, key, request_digest=request_digest, object_id=object_id)
    return row


def refuse_repetition(object_id: UUID) -> NoReturn:
    """Refuse to show again what is shown once only."""
    raise ConflictError(
        "secret-shown-once",
        f"This Idempotency-Key made the API key {object_id}, whose secret is not shown twice; "
        "revoke it and make another one.",
    )
