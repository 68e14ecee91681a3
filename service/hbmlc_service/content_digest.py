"""``Content-Digest`` (RFC 9530): the sha256 of a request's body, said by the caller."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from http import HTTPStatus
from typing import Annotated, NoReturn

from fastapi import Header, Request
from starlette.types import Message

from hbmlc_service.problems import ProblemError

__all__ = ["ContentDigest", "held_to_digest", "read_content_digest"]

_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):")
_SHA256_BYTES = 32

ContentDigest = Annotated[
    str | None,
    Header(
        alias="Content-Digest",
        max_length=1000,
        description="`sha-256=:<base64>:` of the body, RFC 9530.",
        # Said, not enforced: a broken digest has a problem of its own.
        json_schema_extra={
            "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$",
            "examples": ["sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"],
        },
    ),
]


def read_content_digest(header: str | None) -> str | None:
    """Hexadecimal sha256 out of the header; ``None`` without one, 422 for a broken one."""
    if header is None:
        return None
    match = _SHA256.search(header)
    try:
        digest = base64.b64decode(match[1], validate=True) if match else _refuse()
    except binascii.Error:
        _refuse()
    return digest.hex() if len(digest) == _SHA256_BYTES else _refuse()


def held_to_digest(request: Request, expected: str | None) -> Request:
    """Give the same request, whose body ends in 422 where its sha256 is not the expected one."""
    if expected is None:
        return request
    digest = hashlib.sha256()

    async def receive() -> Message:
        message = await request.receive()
        digest.update(message.get("body", b""))
        if message["type"] == "http.request" and not message.get("more_body", False):
            _compare(digest.hexdigest(), expected)
        return message

    return Request(request.scope, receive)


def _compare(found: str, expected: str) -> None:
    if found != expected:
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "digest-mismatch",
            f"The body has sha256 {found}, but {expected} was announced; send it again.",
        )


def _refuse() -> NoReturn:
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "bad-content-digest",
        "Content-Digest must read sha-256=:<base64>: (RFC 9530).",
    )
