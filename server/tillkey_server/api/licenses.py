"""Asking about a license key without being an installation (X-11)."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tillkey_server.api import documents, openapi, problems
from tillkey_server.api.bodies import read_members
from tillkey_server.api.context import context_of
from tillkey_server.api.responses import NO_STORE, Refused
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases.check import check

router = APIRouter(tags=["licenses"])


@router.post(
    "/v1/licenses/check",
    operation_id="check_license",
    summary="Tell whether a license key is known and usable",
    response_class=Response,
    openapi_extra=openapi.body_of(documents.CheckRequest),
    responses={
        **openapi.success(200, documents.CheckBody, "Known or not, usable or not."),
        **openapi.refusals(
            Refusal.MALFORMED,
            problems.REQUEST_TIMEOUT,
            Refusal.TOO_LARGE,
            Refusal.RATE_LIMITED,
            Refusal.UNAVAILABLE,
        ),
    },
)
async def check_license(request: Request) -> Response:
    """Answer without personal data; an unknown key and another product's key get the same answer."""
    context = context_of(request)
    address = request.client.host if request.client else ""
    wait = context.checks.ask(address, time.monotonic())
    if wait:
        headers = {"Retry-After": str(wait), "Connection": "close"}
        raise Refused(Refusal.RATE_LIMITED, f"Ask again in {wait} s.", headers=headers)
    members = await read_members(request, "license_key", "product")
    found = await check(context.services, members["license_key"], members["product"])
    members_out = {"known": found.known, "usable": found.usable, "code": found.code}
    return JSONResponse(members_out, headers={"Cache-Control": NO_STORE})
