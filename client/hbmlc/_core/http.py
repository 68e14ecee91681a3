"""What both drivers share: building httpx requests and reading httpx answers."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from hbmlc._core.effects import Answer, Failure, FileFacts

if TYPE_CHECKING:
    import httpx

__all__ = ["CHUNK_BYTES", "failure", "headers_for", "inspect", "open_part", "to_answer"]

CHUNK_BYTES = 1 << 20
"""Bytes of a file in memory at a time."""


def headers_for(api_key: str) -> dict[str, str]:
    """Headers of every request."""
    try:
        release = version("hbmlc")
    except PackageNotFoundError:
        release = "unknown"
    return {"Authorization": f"Bearer {api_key}", "User-Agent": f"hbmlc-python/{release}"}


def to_answer(response: httpx.Response, body: bytes = b"") -> Answer:
    """Answer without httpx."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=body)


def failure(error: Exception, *, is_timeout: bool) -> Failure:
    """Outcome of a request that got no answer."""
    return Failure(reason=str(error) or type(error).__name__, is_timeout=is_timeout)


def inspect(path: Path, *, with_digest: bool) -> FileFacts:
    """Size and, if wanted, sha256 of a file; a missing one has no bytes."""
    if not path.exists():
        return FileFacts(size=0)
    if not with_digest:
        return FileFacts(size=path.stat().st_size)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFacts(size=file.tell(), digest=digest)


def open_part(path: Path, offset: int, status: int) -> tuple[int, str]:
    """Byte at which an answer's body starts, and the mode in which to open the file for it."""
    partial_content = 206
    path.parent.mkdir(parents=True, exist_ok=True)
    return (offset, "ab") if status == partial_content else (0, "wb")
