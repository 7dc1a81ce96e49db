"""Is the process alive, and can it answer tills."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tillkey_server.api import documents, openapi
from tillkey_server.api.context import services_of
from tillkey_server.api.responses import NO_STORE
from tillkey_server.usecases.readiness import look

router = APIRouter(tags=["operations"])


@router.get(
    "/healthz",
    operation_id="alive",
    summary="The process answers",
    response_class=Response,
    responses={**openapi.success(200, documents.Alive, "It does."), **openapi.refusals()},
)
async def alive(_request: Request) -> Response:
    """Answer without looking at anything: a failing database is no reason to kill the process."""
    return _fresh({"status": "alive"}, 200)


@router.get(
    "/readyz",
    operation_id="ready",
    summary="The server can answer tills",
    response_class=Response,
    responses={
        **openapi.success(200, documents.Readiness, "It can."),
        **openapi.success(503, documents.Readiness, "It cannot; `checks` says why."),
        **openapi.refusals(),
    },
)
async def ready(request: Request) -> Response:
    """Look at each need: the schema of the database, the keys, a write."""
    found = await look(services_of(request))
    checks = [{"name": need.name, "ok": need.ok, "detail": need.detail} for need in found]
    is_ready = all(need.ok for need in found)
    return _fresh({"ready": is_ready, "checks": checks}, 200 if is_ready else 503)


def _fresh(members: dict[str, Any], status: int) -> Response:
    return JSONResponse(members, status_code=status, headers={"Cache-Control": NO_STORE})
