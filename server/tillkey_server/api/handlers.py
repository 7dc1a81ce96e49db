"""What becomes of an exception on its way out: always problem details, never a framework's own page."""

from __future__ import annotations

import logging

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tillkey_server.api import problems, responses
from tillkey_server.errors import BadInput, NotFound, Unavailable
from tillkey_server.rules.decision import Refusal

log = logging.getLogger(__name__)

_BY_STATUS = {404: Refusal.NOT_FOUND, 405: problems.METHOD_NOT_ALLOWED, 413: Refusal.TOO_LARGE}


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, responses.Refused)
    return responses.refused(error)


async def _known(_request: Request, error: Exception) -> Response:
    assert isinstance(error, (BadInput, NotFound))
    return responses.problem(problems.of_error(error))


async def _unavailable(_request: Request, error: Exception) -> Response:
    """Answer while a need of ours is out of reach. The reason goes to the operator alone."""
    assert isinstance(error, Unavailable)
    log.warning("unavailable: %s", error)
    headers = {"Retry-After": str(responses.UNAVAILABLE_RETRY_SECONDS)}
    return responses.problem(problems.of_error(error), headers)


async def _http(_request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown address, another method."""
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, Refusal.MALFORMED)
    return responses.problem(problems.document(code), error.headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return responses.problem(problems.document(Refusal.MALFORMED))


async def _gone(_request: Request, error: Exception) -> Response:
    """Answer nobody: the sender hung up before its body was complete."""
    assert isinstance(error, ClientDisconnect)
    return responses.problem(problems.document(Refusal.MALFORMED, detail="body: is incomplete"))


def install(app: FastAPI) -> None:
    """Give the application its handlers; what is not named here is a defect and `logs.RequestLog`'s."""
    app.add_exception_handler(responses.Refused, _refused)
    app.add_exception_handler(BadInput, _known)
    app.add_exception_handler(NotFound, _known)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
