"""Asking about a license key without being an installation (X-11)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tillkey_server.api import documents, openapi, problems
from tillkey_server.api.bodies import read_members
from tillkey_server.api.context import address_of, services_of
from tillkey_server.api.responses import NO_STORE, answer
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.check import check

router = APIRouter(tags=["licenses"])


@router.post(
    "/v1/licenses/check",
    operation_id="check_license",
    summary="Tell whether a license key is known and usable",
    response_class=Response,
    openapi_extra={"requestBody": openapi.named_body(documents.CheckRequest)},
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
    services = services_of(request)
    members = await read_members(request, "license_key", "product")
    found = await check(services, members["license_key"], members["product"], address_of(request))
    if isinstance(found, RefusalAnswer):
        return answer(found, services.clock.now())
    members_out = {"known": found.known, "usable": found.usable, "code": found.code}
    return JSONResponse(members_out, headers={"Cache-Control": NO_STORE})
