"""Every endpoint of the administration, and the router made from them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tillkey_server.api import openapi, problems
from tillkey_server.api.administration import (
    activations,
    api_keys,
    audit,
    balances,
    customers,
    explanations,
    forced_deactivations,
    licenses,
    move_tickets,
    orders,
    policies,
    products,
    projects,
    refund_acts,
    refunds,
    rekeys,
    standing,
    transfers,
    trials,
)
from tillkey_server.api.administration.endpoint import Endpoint, Endpoints
from tillkey_server.api.administration.serving import serve
from tillkey_server.rules.access import roles_with
from tillkey_server.rules.decision import Refusal

GROUPS: tuple[Endpoints, ...] = (
    products.endpoints,
    customers.endpoints,
    balances.endpoints,
    projects.endpoints,
    orders.endpoints,
    policies.endpoints,
    licenses.endpoints,
    explanations.endpoints,
    standing.endpoints,
    rekeys.endpoints,
    transfers.endpoints,
    trials.endpoints,
    refunds.endpoints,
    refund_acts.endpoints,
    activations.endpoints,
    forced_deactivations.endpoints,
    move_tickets.endpoints,
    audit.endpoints,
    api_keys.endpoints,
)
"""The things that the administration is about."""

# A place for an id takes nothing but ids, so that /v1/licenses/check is never taken for a license.
_ID = re.compile(r"\{(\w+_id)\}")

ENDPOINTS: tuple[Endpoint, ...] = tuple(row for group in GROUPS for row in group.rows)

_ALWAYS = (
    Refusal.MALFORMED,
    Refusal.API_KEY_INVALID,
    Refusal.PERMISSION_DENIED,
    Refusal.RATE_LIMITED,
    Refusal.UNAVAILABLE,
)
_WRITING = (
    problems.REQUEST_TIMEOUT,
    Refusal.TOO_LARGE,
    Refusal.REQUEST_IN_PROGRESS,
    Refusal.IDEMPOTENCY_KEY_REUSED,
)
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A word of your choice that names this write: sent again with it, it happens once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


def make_router() -> APIRouter:
    """Return a router with a route for each endpoint."""
    router = APIRouter()
    for group in GROUPS:
        for row in group.rows:
            _add(router, group.tag, row)
    return router


def _add(router: APIRouter, tag: str, row: Endpoint) -> None:
    said = (row.run.__doc__ or "").strip().partition("\n")[0]
    refusals = (*_ALWAYS, *(_WRITING if row.writes else ()), *row.refusals)
    answers: openapi.Responses = {}
    for status in row.statuses:
        answers |= openapi.success(status, row.answer, row.answer.__doc__ or "")
    router.add_api_route(
        _ID.sub(r"{\1:uuid}", row.path),
        _route(row),
        methods=[row.method],
        status_code=row.statuses[0],
        operation_id=row.name,
        name=row.name,
        summary=said.removesuffix("."),
        description=row.run.__doc__ or "",
        tags=[tag],
        response_class=Response,
        responses={**answers, **openapi.refusals(*refusals)},
        openapi_extra=_described(row),
    )


def _route(row: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def route(request: Request) -> Response:
        return await serve(row, request)

    return route


def _described(row: Endpoint) -> dict[str, Any]:
    """Return what FastAPI cannot know of a route that reads its own request."""
    parameters = [openapi.place(name) for name in row.places]
    if row.query is not None:
        parameters += openapi.parameters_of(row.query)
    if row.writes:
        parameters.append(_IDEMPOTENCY_KEY)
    described: dict[str, Any] = {
        "parameters": parameters,
        "security": [{openapi.API_KEY: []}],
        "x-tillkey-permission": row.permission.value,
        "x-tillkey-roles": [role.value for role in roles_with(row.permission)],
    }
    if row.command is not None:
        described["x-tillkey-command"] = row.command
    if row.body is not None:
        described["requestBody"] = openapi.named_body(row.body)
    return described
