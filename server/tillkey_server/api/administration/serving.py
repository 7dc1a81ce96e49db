"""From a request with an API key to an answer: who calls, may they, what do they ask, do it once, render.

1. Who calls is decided first, then whether they may; only then is anything else of the request read. A refused call
   leaves no trace but its line in the log.
2. A write with an Idempotency-Key happens once, whoever repeats it and however often (`usecases.idempotency`).
3. An answer that does not have the shape that openapi.yaml promises is a defect of ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from tillkey_server.api import problems
from tillkey_server.api.administration.endpoint import Call, Endpoint, Reply, Returned
from tillkey_server.api.administration.reading import read_body, read_query, refuse_query
from tillkey_server.api.context import address_of, services_of
from tillkey_server.api.responses import CLOSE, NO_STORE, Refused
from tillkey_server.rules.access import Principal
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.rate import API_KEY_GUESSES
from tillkey_server.usecases.answers import Conflict, RefusalAnswer, refusal_of, ruled_of
from tillkey_server.usecases.api_key import authenticate
from tillkey_server.usecases.idempotency import Kept, once
from tillkey_server.usecases.paging import Page
from tillkey_server.usecases.rate import site_of, take

IDEMPOTENCY_KEY = "idempotency-key"
_SCHEME = "bearer"
_CHALLENGE = {"WWW-Authenticate": "Bearer"}
_LOWEST_REFUSAL = 400


async def serve(endpoint: Endpoint, request: Request) -> Response:
    """Serve one request of one endpoint."""
    services = services_of(request)
    principal = await _caller(request)
    if not principal.may(endpoint.permission):
        detail = f"This API key has the role {principal.role.value}, which may not {endpoint.permission.value}."
        if not principal.scope.unlimited and Principal("", principal.role).may(endpoint.permission):
            detail = "This API key is limited to some customers or products, and this concerns the whole server."
        raise Refused(Refusal.PERMISSION_DENIED, detail, headers=CLOSE if endpoint.writes else {})
    query = None
    if endpoint.query is None:
        refuse_query(request)
    else:
        query = read_query(request, endpoint.query)
    body, raw = (None, b"") if endpoint.body is None else await read_body(request, endpoint.body)
    places = {name: str(value) for name, value in request.path_params.items()}
    call = Call(services, principal, places, body, query)

    async def work() -> Kept:
        return _rendered(endpoint, await endpoint.run(call))

    key = _single(request, IDEMPOTENCY_KEY) if endpoint.writes else None
    if key is None:
        return _response(await work())
    same = b"\0".join([endpoint.method.encode(), request.url.path.encode(), raw])
    found = await once(services, owner=principal.owner, key=key, request=same, work=work)
    return _response(found if isinstance(found, Kept) else _refused(found))


async def _caller(request: Request) -> Principal:
    """Return who calls. Raises `Refused` (401, 429): what is no key is counted by its address, a valid one is not."""
    scheme, _, secret = (_single(request, "authorization") or "").partition(" ")
    found = await authenticate(services_of(request), secret.strip() if scheme.lower() == _SCHEME else "")
    if isinstance(found, RefusalAnswer):
        wait = await take(services_of(request), API_KEY_GUESSES, site_of(address_of(request)))
        if wait:
            raise Refused(Refusal.RATE_LIMITED, f"Ask again in {wait} s.", headers={"Retry-After": str(wait), **CLOSE})
        raise Refused(Refusal.API_KEY_INVALID, found.detail or None, headers={**_CHALLENGE, **CLOSE})
    return found


def _single(request: Request, name: str) -> str | None:
    """Return a header that may be there once. Raises `Refused` (400)."""
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise Refused(Refusal.MALFORMED, f"{name.title()}: is there twice", headers=CLOSE)
    return given[0] if given else None


def _rendered(endpoint: Endpoint, returned: Returned) -> Kept:
    match returned:
        case RefusalAnswer():
            return _refused(returned)
        case Decision():
            return _refused(refusal_of(returned))
        case Conflict():
            return _problem(problems.document(returned.code, detail=returned.detail))
        case Reply():
            assert returned.status in endpoint.statuses, "the endpoint's row does not name this status"
            return _kept(endpoint, returned.status, returned.members)
        case Page():
            return _kept(endpoint, endpoint.statuses[0], {"items": returned.items, "next": returned.next})
        case _:
            return _kept(endpoint, endpoint.statuses[0], returned)


def _kept(endpoint: Endpoint, status: int, members: Mapping[str, object]) -> Kept:
    shaped = endpoint.answer.model_validate(members)
    return Kept(status, shaped.model_dump_json().encode())


def _refused(answer: RefusalAnswer) -> Kept:
    """Return a no with all its facts: a caller with an API key may see them."""
    return _problem(
        problems.document(
            answer.decision_code,
            detail=answer.detail,
            clauses=answer.clauses,
            retry_at=answer.retry_at,
            options=answer.options,
            facts=answer.facts,
            ruled=None if answer.decision is None else ruled_of(answer.decision),
        )
    )


def _problem(members: Mapping[str, object]) -> Kept:
    status = members["status"]
    assert isinstance(status, int), "a problem's status is a number"
    return Kept(status, json.dumps(members, ensure_ascii=False).encode())


def _response(kept: Kept) -> Response:
    media_type = problems.MEDIA_TYPE if kept.status >= _LOWEST_REFUSAL else "application/json"
    return Response(kept.body, kept.status, headers={"Cache-Control": NO_STORE}, media_type=media_type)
