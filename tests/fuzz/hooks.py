"""What schemathesis has to know about this service; named by ``SCHEMATHESIS_HOOKS``."""

from __future__ import annotations

import itertools
import os
from typing import Any
from uuid import UUID, uuid4

import schemathesis
from exceptions import is_excepted
from schemathesis.core.failures import Failure

OWN_KEY_ID = os.environ["FUZZ_ACCOUNT_KEY_ID"]
CATALOG_ID = os.environ["FUZZ_CATALOG_ID"]
"""A catalogue that stays READY, so that there is always one to calibrate and to train on."""
ROTATE = "POST /v1/api-keys/current/rotate"
LONGEST_KEY = 190
_numbers = itertools.count()
LONGEST_OVERLAP = 7 * 86_400


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]
) -> None:
    """Keep the run's own key, which is never revoked and outlives its rotations; number others.

    What is asked stays a valid request of the same kind, so that the checks judge it the same.
    """
    if case.method.upper() == "DELETE" and case.path_parameters.get("key_id") == OWN_KEY_ID:
        case.path_parameters["key_id"] = str(uuid4())
    if case.method.upper() != "GET" and case.path_parameters.get("catalog_id") == CATALOG_ID:
        case.path_parameters["catalog_id"] = str(uuid4())
    _name_the_catalog(case)
    if case.operation.label == ROTATE and _would_end_the_key(case.query):
        case.query["overlap"] = LONGEST_OVERLAP
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and key.isascii() and key.isprintable() and 0 < len(key) < LONGEST_KEY:
        # The generator likes "0": all but the first call would be refused for its repetition.
        case.headers["Idempotency-Key"] = f"{key}{next(_numbers)}"


@schemathesis.hook
def filter_failure(
    _: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case,
    response: schemathesis.Response,
) -> bool:
    """Drop what exceptions.py lists."""
    if not response.headers.get("content-type", [""])[0].startswith("application/problem+json"):
        return True
    return not is_excepted(failure.code, response.json())


def _name_the_catalog(case: schemathesis.Case) -> None:
    """Put the catalogue in the place of every other valid id: made-up ones find nothing."""
    body = case.body
    if not isinstance(body, dict) or next(_numbers) % 2:
        return
    if _is_id(body.get("catalog_id")):
        body["catalog_id"] = CATALOG_ID
    ids = body.get("catalog_ids")
    if isinstance(ids, list) and len(ids) == 1 and _is_id(ids[0]):
        body["catalog_ids"] = [CATALOG_ID]


def _is_id(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _would_end_the_key(query: dict[str, Any]) -> bool:
    try:
        return 0 <= int(query.get("overlap", 0)) < LONGEST_OVERLAP
    except (TypeError, ValueError):
        return False
