"""Makes the application; importing this module only defines."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.routing import APIRoute

from hbmlc_service.context import make_context
from hbmlc_service.gate import Gate
from hbmlc_service.handlers import (
    admin,
    api_keys,
    audit,
    calibrations,
    catalogs,
    events,
    health,
    models,
    results,
    trainings,
    uploads,
)
from hbmlc_service.middleware import RequestScope
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
        # As many threads as connections: more would only wait for one another.
        current_default_thread_limiter().total_tokens = settings.api_threads
        async with context.changes.listening():
            yield
        context.database.close()

    app = FastAPI(
        title="hbmlc",
        summary="Calibrated photometric redshifts on demand.",
        version=version("hbmlc"),
        lifespan=lifespan,
        # A redirect would name whatever host the caller claimed.
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.context = context
    # The last one added is the first that a request meets.
    app.add_middleware(Gate, settings=settings, recognise=context.recognise)
    app.add_middleware(RequestScope, count=context.metrics.count)
    install_problem_handlers(app)
    modules = (
        health,
        uploads,
        catalogs,
        calibrations,
        events,
        results,
        trainings,
        models,
        api_keys,
        audit,
        admin,
    )
    for module in modules:
        app.include_router(module.router)
    complete_openapi(app)
    return app


def _operation_id(route: APIRoute) -> str:
    """Name an operation so that generated clients read well: ``catalogs_list_all``."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name
