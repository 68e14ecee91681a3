"""``/healthz`` and ``/readyz``."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, Response

from hbmlc.schemas import Health, Readiness
from hbmlc_service.context import Context

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz")
def live() -> Health:
    """Answer as long as the process does."""
    return Health(version=version("hbmlc"))


@router.get("/readyz", responses={503: {"model": Readiness}})
def ready(context: Context, response: Response) -> Readiness:
    """Check the parts that the service leans on, at most once a second."""
    found = context.probe.ask()
    if found.status != "ready":
        response.status_code = 503
    return found
