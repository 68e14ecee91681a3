"""Who calls: ``Authorization: Bearer hbk_…`` of an account, ``hbo_…`` of an operator."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hbmlc.schemas import Scope
from hbmlc_service.problems import ProblemError
from hbmlc_store.accounts import Identity
from hbmlc_store.operators import Operator

__all__ = [
    "Admin",
    "CalibrationWriter",
    "Caller",
    "CatalogWriter",
    "ModelWriter",
    "OperatorCaller",
]

_bearer = HTTPBearer(auto_error=False, description="An API key: hbk_…")
_operator_bearer = HTTPBearer(
    auto_error=False, scheme_name="OperatorBearer", description="An operator's key: hbo_…"
)
_Described = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
_OperatorDescribed = Annotated[HTTPAuthorizationCredentials | None, Depends(_operator_bearer)]


def _account_of(request: Request, _: _Described) -> Identity:
    """Identity that the gate found; an operator has no account whose objects he could see."""
    found = request.scope.get("hbmlc.identity")
    if isinstance(found, Identity):
        return found
    raise ProblemError(
        HTTPStatus.FORBIDDEN,
        "account-key-needed",
        "An operator's key opens /admin/v1 only; send an account's key, hbk_….",
    )


def _operator_of(request: Request, _: _OperatorDescribed) -> Operator:
    found = request.scope.get("hbmlc.identity")
    if isinstance(found, Operator):
        return found
    raise ProblemError(
        HTTPStatus.FORBIDDEN,
        "operator-key-needed",
        "Only those who run the service may do this; send an operator's key, hbo_….",
    )


Caller = Annotated[Identity, Depends(_account_of)]
OperatorCaller = Annotated[Operator, Depends(_operator_of)]


def _needs(scope: Scope) -> Callable[[Identity], Identity]:
    def check(caller: Caller) -> Identity:
        if not caller.may(scope):
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                "scope-missing",
                f"This API key lacks the scope {scope.value}; make one that has it.",
            )
        return caller

    return check


CatalogWriter = Annotated[Identity, Depends(_needs(Scope.CATALOGS_WRITE))]
CalibrationWriter = Annotated[Identity, Depends(_needs(Scope.CALIBRATIONS_WRITE))]
ModelWriter = Annotated[Identity, Depends(_needs(Scope.MODELS_WRITE))]
Admin = Annotated[Identity, Depends(_needs(Scope.ADMIN))]
