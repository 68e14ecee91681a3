"""Uploads and downloads: streamed, resumed, and checked against their digest."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID, uuid4

from hbmlc._core.effects import (
    FileFacts,
    Flow,
    Inspect,
    Move,
    ProgressCallback,
    Request,
    Send,
    Sleep,
    Store,
)
from hbmlc._core.exchange import RetryPolicy, repeat, send
from hbmlc.errors import HbmlcError, IntegrityError, InvalidRequestError
from hbmlc.schemas import Catalog, ColumnMapping, ResultFile

__all__ = ["as_mapping", "download", "upload"]

_TRANSFER_TIMEOUT = 120.0
_RANGE_NOT_SATISFIABLE = 416


def as_mapping(mapping: ColumnMapping | Mapping[str, object]) -> ColumnMapping:
    """Mapping of a document with the names of its fields; raises ``ValueError`` where it is none.

    Examples
    --------
    >>> as_mapping({"id": None, "z_spec": "Z"}).z_spec
    'Z'
    """
    if isinstance(mapping, ColumnMapping):
        return mapping
    # Of what is no mapping at all, pydantic says so.
    return ColumnMapping.model_validate(mapping)


def upload(
    source: Path,
    *,
    name: str | None,
    mapping: ColumnMapping | None,
    policy: RetryPolicy,
    on_progress: ProgressCallback | None,
) -> Flow[Catalog]:
    """Announce a catalogue, then stream its file; a repeated attempt does no harm."""
    facts = yield Inspect(path=source, with_digest=True)
    assert isinstance(facts, FileFacts)  # noqa: S101 -- the outcome of Inspect
    document: dict[str, object] = {"name": name or source.name}
    if mapping is not None:
        document["mapping"] = mapping.model_dump(mode="json")
    announce = Request(
        method="POST",
        path="/v1/catalogs",
        headers={"Content-Type": "application/json", "Idempotency-Key": str(uuid4())},
        body=json.dumps(document).encode(),
    )
    catalog = yield from send(announce, Catalog, policy)
    content = Request(
        method="PUT",
        path=f"/v1/catalogs/{catalog.id}/content",
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Length": str(facts.size),
            "Content-Digest": _digest_header(facts.digest or ""),
        },
        upload=source,
        timeout=_TRANSFER_TIMEOUT,
    )
    effect = Send(request=content, on_progress=on_progress)
    return (yield from send(content, Catalog, policy, effect=effect))


def download(
    calibration_id: UUID,
    file: ResultFile,
    destination: Path,
    *,
    policy: RetryPolicy,
    on_progress: ProgressCallback | None,
) -> Flow[Path]:
    """Fetch a result file; what an earlier attempt left is continued, never trusted unchecked."""
    facts = yield Inspect(path=destination, with_digest=True)
    if isinstance(facts, FileFacts) and facts.size and facts.digest == file.digest:
        return destination
    part = destination.with_name(destination.name + ".part")
    path = f"/v1/calibrations/{calibration_id}/results/{file.name}"
    yield from _fetch(path, file, part, policy=policy, on_progress=on_progress)
    facts = yield Inspect(path=part, with_digest=True)
    if not isinstance(facts, FileFacts) or facts.digest != file.digest:
        # Not to be continued from: the next attempt must start anew.
        yield Move(source=part, destination=part.with_name(part.name + ".damaged"))
        raise IntegrityError(
            f"{file.name} arrived with another digest than announced; download it again."
        )
    yield Move(source=part, destination=destination)
    return destination


def _fetch(
    path: str,
    file: ResultFile,
    part: Path,
    *,
    policy: RetryPolicy,
    on_progress: ProgressCallback | None,
) -> Flow[None]:
    """Fill ``part`` up; each attempt goes on where the last one broke off."""
    attempt = 0
    while True:
        facts = yield Inspect(path=part)
        offset = facts.size if isinstance(facts, FileFacts) else 0
        if offset == file.size_bytes and file.size_bytes:
            return
        # A compressed transfer could not be continued at a byte of the file.
        headers = {"Accept-Encoding": "identity"}
        is_continued = 0 < offset < file.size_bytes
        if is_continued:
            headers |= {"Range": f"bytes={offset}-", "If-Range": f'"{file.digest}"'}
        request = Request(method="GET", path=path, headers=headers, timeout=_TRANSFER_TIMEOUT)
        store = Store(
            request=request,
            path=part,
            offset=offset if is_continued else 0,
            on_progress=on_progress,
        )
        one_shot = RetryPolicy(max_retries=0)
        try:
            yield from repeat(lambda effect=store: effect, request, one_shot)
        except InvalidRequestError as error:
            if error.status != _RANGE_NOT_SATISFIABLE:
                raise
            yield Move(source=part, destination=part.with_name(part.name + ".damaged"))
        except HbmlcError as error:
            yield from _pause(error, attempt, policy)
        else:
            return
        attempt += 1


def _pause(error: HbmlcError, attempt: int, policy: RetryPolicy) -> Flow[None]:
    """Wait before the next attempt, or raise where there is none."""
    if not error.is_retryable or attempt >= policy.max_retries:
        raise error
    yield Sleep(seconds=policy.delay(attempt, error))


def _digest_header(digest: str) -> str:
    """``Content-Digest`` of RFC 9530 for a hexadecimal sha256."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"
