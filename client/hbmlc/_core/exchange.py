"""One exchange with the service: send, try again where that is safe, read the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from hbmlc._core.effects import Answer, Effect, Failure, Flow, Request, Send, Sleep
from hbmlc.errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    HbmlcError,
    InvalidRequestError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TooLargeError,
    UnexpectedAnswerError,
)
from hbmlc.schemas import Problem

__all__ = ["RetryPolicy", "error_of", "exchange", "read", "repeat", "send"]

ModelT = TypeVar("ModelT", bound=BaseModel)

_FIRST_ERROR = 400
_FIRST_SERVER_ERROR = 500
_ERROR_BY_STATUS: dict[int, type[StatusError]] = {
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    429: RateLimitedError,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When and how often to try again."""

    max_retries: int = 4
    """Further attempts after the first."""
    first_delay: float = 0.5
    """Seconds before the second attempt; doubles with each further one."""
    longest_delay: float = 8.0
    """Most seconds between attempts, unless the service asks for more."""
    jitter: Callable[[], float] = random.random
    """Number in 0…1 that spreads clients which failed together."""

    def delay(self, attempt: int, error: HbmlcError) -> float:
        """Seconds to wait after attempt number ``attempt``, counted from zero."""
        asked = error.retry_after if isinstance(error, StatusError) else None
        if asked is not None:
            return asked
        longest = min(self.longest_delay, self.first_delay * 2**attempt)
        return longest * (0.5 + 0.5 * self.jitter())


def exchange(effect: Send, policy: RetryPolicy) -> Flow[Answer]:
    """Send a request until it succeeds, may not be repeated or has failed too often."""
    return (yield from repeat(lambda: effect, effect.request, policy))


def repeat(make: Callable[[], Effect], request: Request, policy: RetryPolicy) -> Flow[Answer]:
    """Perform the effect of ``request`` that ``make`` makes, again and again as ``exchange``."""
    attempt = 0
    while True:
        outcome = yield make()
        error = error_of(outcome)
        if error is None and isinstance(outcome, Answer):
            return outcome
        error = error or UnexpectedAnswerError("there was no outcome")
        may_repeat = request.is_repeatable and error.is_retryable
        if not may_repeat or attempt >= policy.max_retries:
            raise error
        yield Sleep(seconds=policy.delay(attempt, error))
        attempt += 1


def send(
    request: Request, model: type[ModelT], policy: RetryPolicy, *, effect: Send | None = None
) -> Flow[ModelT]:
    """Send a request and read its answer as ``model``."""
    answer = yield from exchange(effect or Send(request=request), policy)
    return read(answer, model)


def read(answer: Answer, model: type[ModelT]) -> ModelT:
    """Parse the body of an answer; raises ``UnexpectedAnswerError``."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as exc:
        raise UnexpectedAnswerError(
            f"The answer is no {model.__name__}; is this the address of an hbmlc service? "
            f"({exc.error_count()} faults)"
        ) from exc


def error_of(outcome: object) -> HbmlcError | None:
    """Error that an outcome stands for, ``None`` for a success."""
    if isinstance(outcome, Failure):
        if outcome.is_timeout:
            return RequestTimeoutError(f"The service did not answer in time: {outcome.reason}")
        return ConnectionFailedError(f"The service cannot be reached: {outcome.reason}")
    if not isinstance(outcome, Answer) or outcome.status < _FIRST_ERROR:
        return None
    problem = _problem(outcome)
    default = ServerError if outcome.status >= _FIRST_SERVER_ERROR else InvalidRequestError
    kind = _ERROR_BY_STATUS.get(outcome.status, default)
    return kind(problem, retry_after=_retry_after(outcome))


def _problem(answer: Answer) -> Problem:
    """Problem document of an answer; a proxy's own page becomes one."""
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return Problem(
            title="Unexplained refusal",
            status=answer.status,
            detail=f"The service answered with status {answer.status} and no explanation.",
            code=f"http-{answer.status}",
            request_id=answer.headers.get("x-request-id"),
        )


def _retry_after(answer: Answer) -> float | None:
    """Seconds in ``Retry-After``; the form with a date is left to our own delay."""
    text = answer.headers.get("retry-after", "")
    return float(text) if text.replace(".", "", 1).isdigit() else None
