"""Who calls: ``Authorization: Bearer hbk_…``."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hbmlc.schemas import Scope
from hbmlc_service.context import Context
from hbmlc_service.problems import ProblemError
from hbmlc_store.accounts import Identity, authenticate

__all__ = [
    "Admin",
    "CalibrationWriter",
    "Caller",
    "CatalogWriter",
    "ModelWriter",
    "identify",
    "require",
]

_bearer = HTTPBearer(auto_error=False, description="An API key: hbk_…")


def identify(
    context: Context,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Identity:
    """Find out who calls; no or a wrong key answers 401."""
    key_secret = context.settings.key_secret.get_secret_value()
    if credentials is not None:
        key = credentials.credentials
        identity = context.run(lambda tx: authenticate(tx, key, key_secret=key_secret))
        if identity is not None:
            return identity
    raise ProblemError(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "Send a valid API key as 'Authorization: Bearer hbk_…'.",
        headers={"WWW-Authenticate": "Bearer"},
    )


Caller = Annotated[Identity, Depends(identify)]


def require(caller: Identity, scope: Scope) -> None:
    """Answer 403 where the caller's key lacks a scope."""
    if not caller.may(scope):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "scope-missing",
            f"This API key lacks the scope {scope.value}; make one that has it.",
        )


def _needs(scope: Scope) -> Callable[[Identity], Identity]:
    def check(caller: Caller) -> Identity:
        require(caller, scope)
        return caller

    return check


CatalogWriter = Annotated[Identity, Depends(_needs(Scope.CATALOGS_WRITE))]
CalibrationWriter = Annotated[Identity, Depends(_needs(Scope.CALIBRATIONS_WRITE))]
ModelWriter = Annotated[Identity, Depends(_needs(Scope.MODELS_WRITE))]
Admin = Annotated[Identity, Depends(_needs(Scope.ADMIN))]
