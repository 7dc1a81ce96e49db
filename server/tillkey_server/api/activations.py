"""The verbs of a till (PROTOCOL section 3).

Each request is opened, which checks its form and its signature, before anything else is looked at; only then is its
address compared with what was signed, and only then the use case asked. Nothing that a stranger can send reaches the
database unsigned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from tillkey.wire import request as wire
from tillkey.wire.errors import WireError
from tillkey_server.api import documents, openapi, problems
from tillkey_server.api.bodies import read_members
from tillkey_server.api.context import address_of, services_of
from tillkey_server.api.responses import Refused, answer, ill_formed
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases import activation, deactivation, heartbeat, move, till_support
from tillkey_server.usecases.answers import Answer
from tillkey_server.usecases.services import Services

router = APIRouter(tags=["activations"])

UseCase = Callable[[Services, wire.Request], Awaitable[Answer]]

ActivationId = Annotated[
    str,
    Path(
        description="The activation: the `sub` of its lease, equal to the signed request's `activation`.",
        json_schema_extra={"format": "uuid"},
    ),
]

_REQUEST = {"requestBody": openapi.named_body(documents.SignedRequest)}
_ALWAYS = (
    Refusal.MALFORMED,
    Refusal.BAD_SIGNATURE,
    problems.REQUEST_TIMEOUT,
    Refusal.TOO_LARGE,
    Refusal.STALE_REQUEST,
    Refusal.UNAVAILABLE,
)
_ENDED = (Refusal.ACTIVATION_SUPERSEDED, Refusal.ACTIVATION_RELEASED, Refusal.INSTALLATION_KEY_BLOCKED)
_STANDING = (
    Refusal.LICENSE_REVOKED,
    Refusal.LICENSE_TERMINATED,
    Refusal.LICENSE_EXPIRED,
    Refusal.LICENSE_SUSPENDED,
    Refusal.LEGAL_HOLD,
    *_ENDED,
)
"""What an activation, or the license behind it, may have come to."""
_CHAIN = (*_STANDING, Refusal.REBIND_REQUIRED, Refusal.UNKNOWN_INSTALLATION)
_SEAT = (
    Refusal.INSTALLATION_KEY_IN_USE,
    Refusal.PROJECT_REQUIRED,
    Refusal.BOUND_TO_OTHER_PROJECT,
    Refusal.MOVE_TICKET_INVALID,
    Refusal.STAGING_MUST_BE_DEACTIVATED,
    Refusal.LICENSE_IN_USE,
    Refusal.LICENSE_INVALID,
)


def _refusals(*codes: str) -> openapi.Responses:
    return openapi.refusals(*_ALWAYS, *codes)


async def _serve(request: Request, op: str, use_case: UseCase, named: str | None = None) -> Response:
    """Open the request, compare it with its address, ask the use case, render."""
    services = services_of(request)
    members = await read_members(request, "request")
    try:
        opened = wire.open_request(members["request"], aud=services.keyring.issuer)
    except WireError as error:
        raise ill_formed(error) from error
    if opened.op != op:
        raise Refused(Refusal.MALFORMED, f"request.op: is not {op}, which the address asks for")
    if not isinstance(opened.body, wire.Activate) and opened.body.activation != named:
        raise Refused(Refusal.MALFORMED, "request.activation: is not the one in the address")
    return answer(await use_case(services, opened), services.clock.now())


@router.post(
    "/v1/activations",
    operation_id="activate",
    summary="Activate a license for this installation",
    response_class=Response,
    openapi_extra=_REQUEST,
    responses={
        **openapi.success(200, documents.LeaseBody, "This installation holds the license already."),
        **openapi.success(201, documents.LeaseBody, "A new activation."),
        **_refusals(*_STANDING, *_SEAT, Refusal.RATE_LIMITED),
    },
)
async def activate(request: Request) -> Response:
    """Take the license with its key, or return to the activation held with the last lease (`activate`)."""
    address = address_of(request)
    return await _serve(request, "activate", lambda services, opened: activation.activate(services, opened, address))


@router.post(
    "/v1/activations/{activation_id}/heartbeat",
    operation_id="heartbeat",
    summary="Keep a lease alive",
    response_class=Response,
    openapi_extra=_REQUEST,
    responses={**openapi.success(200, documents.LeaseBody, "The next lease."), **_refusals(*_CHAIN)},
)
async def beat(request: Request, activation_id: ActivationId) -> Response:
    """Present the nonce of the last lease and get the next one (`heartbeat`)."""
    return await _serve(request, "heartbeat", heartbeat.heartbeat, activation_id)


@router.post(
    "/v1/activations/{activation_id}/move",
    operation_id="move",
    summary="Get a ticket for another machine",
    response_class=Response,
    openapi_extra=_REQUEST,
    responses={
        **openapi.success(200, documents.TicketBody, "A ticket for one use, and the next lease."),
        **_refusals(*_CHAIN),
    },
)
async def ask_to_move(request: Request, activation_id: ActivationId) -> Response:
    """Get a ticket with which another installation takes the license to the named environment (`move`)."""
    return await _serve(request, "move", move.move, activation_id)


@router.post(
    "/v1/activations/{activation_id}/deactivate",
    operation_id="deactivate",
    summary="Give the license back",
    response_class=Response,
    openapi_extra=_REQUEST,
    responses={
        **openapi.success(200, documents.StatementBody, "The signed receipt, the first time and every time."),
        **_refusals(Refusal.UNKNOWN_INSTALLATION),
    },
)
async def deactivate(request: Request, activation_id: ActivationId) -> Response:
    """End the activation, whatever state the license is in (`deactivate`)."""
    return await _serve(request, "deactivate", deactivation.deactivate, activation_id)


@router.post(
    "/v1/activations/{activation_id}/support",
    operation_id="ask_support",
    summary="Ask whether support is given",
    response_class=Response,
    openapi_extra=_REQUEST,
    responses={
        **openapi.success(200, documents.SupportBody, "What the terms say: yes, no or pending."),
        **_refusals(*_ENDED, Refusal.UNKNOWN_INSTALLATION, Refusal.RATE_LIMITED),
    },
)
async def ask_support(request: Request, activation_id: ActivationId) -> Response:
    """Tell whether the terms serve a request for support, by which clauses, and until when (`support`).

    Nothing is written and no lease is given; the answer is unsigned, since it changes no right.
    """
    return await _serve(request, "support", till_support.ask_support, activation_id)
