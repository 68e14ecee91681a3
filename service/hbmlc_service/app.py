"""Makes the application; importing this module only defines."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.routing import APIRoute

from hbmlc_service.context import make_context
from hbmlc_service.handlers import (
    api_keys,
    calibrations,
    catalogs,
    events,
    health,
    models,
    results,
    trainings,
    uploads,
)
from hbmlc_service.middleware import BodyLimit, RequestId
from hbmlc_service.problems import install_problem_handlers
from hbmlc_service.wire_schemas import complete_openapi
from hbmlc_store.settings import Settings

__all__ = ["create_app"]


def create_app(settings: Settings) -> FastAPI:
    """Make the application for these settings.

    Raises
    ------
    ValueError
        ``key_secret`` is empty: API keys would be hashed with a secret that everybody knows.
    """
    if not settings.key_secret.get_secret_value():
        raise ValueError("HBMLC_KEY_SECRET is empty; set it to a long random text.")
    context = make_context(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        context.database.close()

    app = FastAPI(
        title="hbmlc",
        summary="Calibrated photometric redshifts on demand.",
        version=version("hbmlc"),
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.context = context
    app.add_middleware(
        BodyLimit, max_json=settings.max_body_bytes, max_multipart=settings.max_inline_bytes
    )
    app.add_middleware(RequestId)
    install_problem_handlers(app)
    for module in (
        health,
        uploads,
        catalogs,
        calibrations,
        events,
        results,
        trainings,
        models,
        api_keys,
    ):
        app.include_router(module.router)
    complete_openapi(app)
    return app


def _operation_id(route: APIRoute) -> str:
    """Name an operation so that generated clients read well: ``catalogs_list_all``."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
