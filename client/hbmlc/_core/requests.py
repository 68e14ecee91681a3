"""Requests of the resources, and the flows that are more than one exchange."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID, uuid4

from pydantic import BaseModel

from hbmlc._core.effects import Flow, Request, Send, Sleep
from hbmlc._core.exchange import RetryPolicy, exchange, send
from hbmlc.errors import (
    CalibrationFailedError,
    CatalogRejectedError,
    TrainingFailedError,
    WaitTimeoutError,
)
from hbmlc.schemas import (
    Calibration,
    Catalog,
    CatalogState,
    Page,
    Phase,
    ResultFile,
    Training,
)

__all__ = [
    "call",
    "create",
    "delete",
    "everything",
    "get",
    "list_results",
    "page",
    "put",
    "wait_for_calibration",
    "wait_for_catalog",
    "wait_for_training",
]

ModelT = TypeVar("ModelT", bound=BaseModel)
JobT = TypeVar("JobT", Calibration, Training)

_POLL_SECONDS = 20.0
"""Longest time for which the service is asked to hold an answer back."""
_POLL_SLACK = 20.0
_LEAST_PAUSE = 0.3
"""A service that does not hold answers back must not be asked without a pause [s]."""
_JSON = {"Content-Type": "application/json"}
LARGEST_PAGE = 200

Clock = Callable[[], float]


def get(path: str, model: type[ModelT], policy: RetryPolicy) -> Flow[ModelT]:
    """Read one object."""
    return (yield from send(Request(method="GET", path=path), model, policy))


def delete(path: str, policy: RetryPolicy) -> Flow[None]:
    """Delete one object."""
    yield from exchange(Send(request=Request(method="DELETE", path=path)), policy)


def put(
    path: str, document: BaseModel, model: type[ModelT], policy: RetryPolicy, *, method: str = "PUT"
) -> Flow[ModelT]:
    """Replace or change one object by a document."""
    body = document.model_dump_json(exclude_none=True).encode()
    request = Request(method=method, path=path, headers=_JSON, body=body)
    return (yield from send(request, model, policy))


def call(path: str, model: type[ModelT], policy: RetryPolicy) -> Flow[ModelT]:
    """Do what may be done twice without harm, by POST without a document."""
    return (yield from send(Request(method="POST", path=path), model, policy))


def page(
    path: str,
    item: type[ModelT],
    policy: RetryPolicy,
    *,
    limit: int,
    cursor: str | None,
    filters: Mapping[str, str] | None = None,
) -> Flow[Page[ModelT]]:
    """Read one page of a listing."""
    query = {"limit": str(limit), **(filters or {})}
    if cursor is not None:
        query["cursor"] = cursor
    request = Request(method="GET", path=path, query=query)
    return (yield from send(request, Page[item], policy))


def everything(path: str, item: type[ModelT], policy: RetryPolicy) -> Flow[list[ModelT]]:
    """Read all pages of a short listing."""
    found: list[ModelT] = []
    cursor: str | None = None
    while True:
        read = yield from page(path, item, policy, limit=LARGEST_PAGE, cursor=cursor)
        found += read.items
        cursor = read.next_cursor
        if cursor is None:
            return found


def create(path: str, asked: BaseModel, model: type[ModelT], policy: RetryPolicy) -> Flow[ModelT]:
    """Request a job once, however often the request has to be repeated."""
    body = json.dumps(asked.model_dump(mode="json", exclude_none=True)).encode()
    headers = {**_JSON, "Idempotency-Key": str(uuid4())}
    request = Request(method="POST", path=path, headers=headers, body=body)
    return (yield from send(request, model, policy))


def list_results(calibration_id: UUID, policy: RetryPolicy) -> Flow[list[ResultFile]]:
    """Read the result files of a calibration."""
    path = f"/v1/calibrations/{calibration_id}/results"
    found = yield from get(path, Page[ResultFile], policy)
    return found.items


def wait_for_catalog(
    catalog_id: UUID,
    policy: RetryPolicy,
    *,
    timeout: float,
    on_progress: Callable[[Catalog], None] | None,
    clock: Clock = time.monotonic,
) -> Flow[Catalog]:
    """Wait until a catalogue was read; raises where it was rejected."""
    deadline = clock() + timeout
    while True:
        left = deadline - clock()
        request = _poll(f"/v1/catalogs/{catalog_id}", left)
        asked = clock()
        catalog = yield from send(request, Catalog, policy)
        if on_progress is not None:
            on_progress(catalog)
        if catalog.state is CatalogState.REJECTED:
            raise CatalogRejectedError(catalog)
        if catalog.state is CatalogState.READY:
            return catalog
        if left <= 0:
            raise WaitTimeoutError(
                f"Catalogue {catalog_id} is still {catalog.state} after {timeout:.0f} s; wait on."
            )
        if clock() - asked < _LEAST_PAUSE:
            yield Sleep(seconds=_LEAST_PAUSE)


def wait_for_calibration(
    calibration_id: UUID,
    policy: RetryPolicy,
    *,
    timeout: float,
    on_progress: Callable[[Calibration], None] | None,
    clock: Clock = time.monotonic,
) -> Flow[Calibration]:
    """Wait until a calibration is complete; raises where it ends otherwise."""
    ended = yield from _wait_for_job(
        f"/v1/calibrations/{calibration_id}",
        Calibration,
        policy,
        timeout=timeout,
        on_progress=on_progress,
        clock=clock,
    )
    if ended.phase is not Phase.COMPLETED:
        raise CalibrationFailedError(ended)
    return ended


def wait_for_training(
    training_id: UUID,
    policy: RetryPolicy,
    *,
    timeout: float,
    on_progress: Callable[[Training], None] | None,
    clock: Clock = time.monotonic,
) -> Flow[Training]:
    """Wait until a training is complete; raises where it ends otherwise."""
    ended = yield from _wait_for_job(
        f"/v1/trainings/{training_id}",
        Training,
        policy,
        timeout=timeout,
        on_progress=on_progress,
        clock=clock,
    )
    if ended.phase is not Phase.COMPLETED:
        raise TrainingFailedError(ended)
    return ended


def _wait_for_job(
    path: str,
    model: type[JobT],
    policy: RetryPolicy,
    *,
    timeout: float,
    on_progress: Callable[[JobT], None] | None,
    clock: Clock,
) -> Flow[JobT]:
    """Wait until a job's phase is final."""
    deadline = clock() + timeout
    hold = 0.0
    while True:
        left = deadline - clock()
        request = _poll(path, min(left, hold))
        asked = clock()
        job = yield from send(request, model, policy)
        if on_progress is not None:
            on_progress(job)
        if job.phase.is_final:
            return job
        if left <= 0:
            raise WaitTimeoutError(
                f"{model.__name__} {job.id} is still {job.phase} after {timeout:.0f} s; wait on."
            )
        if hold and clock() - asked < _LEAST_PAUSE:
            yield Sleep(seconds=_LEAST_PAUSE)
        # Whoever shows progress wants it every second; else one held answer is cheapest.
        hold = 1.0 if on_progress is not None else _POLL_SECONDS


def _poll(path: str, seconds: float) -> Request:
    """Request that the service may hold back until something happens."""
    hold = max(0.0, min(_POLL_SECONDS, seconds))
    query = {"wait": f"{hold:.3g}"}
    return Request(method="GET", path=path, query=query, timeout=hold + _POLL_SLACK)
