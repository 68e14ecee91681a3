"""``/healthz``, ``/readyz``, ``/metrics``, and what a problem's ``type`` leads to."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import HTMLResponse

from hbmlc.schemas import Health, Readiness
from hbmlc_service.auth import OperatorCaller
from hbmlc_service.context import Context
from hbmlc_service.problem_pages import problem_page
from hbmlc_service.problems import ProblemError, problem_responses

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


@router.get(
    "/metrics",
    response_class=Response,
    responses={**problem_responses(), 200: {"content": {"text/plain": {}}}},
)
def metrics(context: Context, _: OperatorCaller) -> Response:
    """Give the figures of this process and the ages of what waits, for Prometheus."""
    return Response(
        context.metrics.render(context.probe.ask()),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


@router.get(
    "/problems/{code}",
    response_class=HTMLResponse,
    responses={200: {"content": {"text/html": {}}}, 404: problem_responses(404)[404]},
)
def explain_problem(
    code: Annotated[str, Path(pattern=r"^[a-z-]{1,64}$", description="`code` of a problem.")],
) -> HTMLResponse:
    """Explain a problem's code: what it means and what to do."""
    page = problem_page(code)
    if page is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "no-such-problem", "No problem of this service has that code."
        )
    return HTMLResponse(page, headers={"Content-Security-Policy": "default-src 'none'"})
