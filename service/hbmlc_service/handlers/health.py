"""``/healthz`` and ``/readyz``."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

import structlog
from fastapi import APIRouter, Response
from sqlalchemy.exc import SQLAlchemyError

from hbmlc.schemas import Health, Readiness
from hbmlc_service.context import Context, ServiceContext
from hbmlc_store.database import current_revision, head_revision
from hbmlc_store.outbox import oldest_message

__all__ = ["router"]

router = APIRouter(tags=["health"])

logger = structlog.get_logger(__name__)


@router.get("/healthz")
def live() -> Health:
    """Answer as long as the process does."""
    return Health(version=version("hbmlc"))


@router.get("/readyz", responses={503: {"model": Readiness}})
def ready(context: Context, response: Response) -> Readiness:
    """Check the parts that the service leans on."""
    checks = {"database": _check_database(context), "objects": _check_objects(context)}
    age = _oldest_message_seconds(context) if checks["database"] == "ok" else None
    is_ready = all(found == "ok" for found in checks.values())
    if not is_ready:
        response.status_code = 503
    return Readiness(
        status="ready" if is_ready else "not-ready", checks=checks, oldest_message_seconds=age
    )


def _check_database(context: ServiceContext) -> str:
    try:
        found, wanted = current_revision(context.database), head_revision()
    except SQLAlchemyError as exc:
        logger.warning("Database unreachable", error=str(exc))
        return "unreachable"
    return "ok" if found == wanted else f"schema is {found}, this release needs {wanted}"


def _check_objects(context: ServiceContext) -> str:
    try:
        context.objects.check_writable()
    except Exception as exc:  # noqa: BLE001 - each cloud's store raises its own kind
        logger.warning("Object store not writable", error=str(exc))
        return "not writable"
    return "ok"


def _oldest_message_seconds(context: ServiceContext) -> float | None:
    oldest = context.run(oldest_message)
    return None if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
