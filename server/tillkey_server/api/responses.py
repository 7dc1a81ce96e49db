"""Answers as HTTP: a use case's answer, a refusal, an error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tillkey.wire.errors import WireError
from tillkey_server.api import problems
from tillkey_server.clock import to_epoch
from tillkey_server.usecases.answers import Answer, LeaseAnswer, RefusalAnswer, StatementAnswer, ToldAnswer

NO_STORE = "no-store"
CLOSE = {"Connection": "close"}
"""The header of an answer that is given before the body was read."""
NOTES = "tillkey.notes"
"""The scope's member in which a response notes what the request's log line shall say."""
UNAVAILABLE_RETRY_SECONDS = 5


class Refused(Exception):
    """A request that the HTTP interface itself refuses, with the problem that says so."""

    def __init__(self, code: str, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        """Take the code, what is wrong in this request, and headers that the answer needs."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})


def ill_formed(error: WireError) -> Refused:
    """Return the refusal of a document that breaks the protocol: it names the place and never repeats the content.

    To be used where a caller's document is read, and nowhere else: a document of ours that cannot be made is a defect.
    """
    return Refused(error.code, f"{error.field}: {error.detail}")


class ProblemResponse(JSONResponse):
    """A problem document, sent with its own status."""

    media_type = problems.MEDIA_TYPE

    def __init__(self, members: Mapping[str, object], headers: Mapping[str, str] | None = None) -> None:
        """Take the document and further headers."""
        self._code = str(members["code"])
        status = members["status"]
        assert isinstance(status, int), "a problem's status is a number"
        super().__init__(dict(members), status_code=status, headers={"Cache-Control": NO_STORE, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the code for the log and send the document."""
        scope.get(NOTES, {})["code"] = self._code
        await super().__call__(scope, receive, send)


def problem(members: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document as a response of its own status."""
    return ProblemResponse(members, headers)


def refused(refusal: Refused) -> Response:
    """Return the response to a request that the interface itself refuses."""
    return problem(problems.document(refusal.code, detail=refusal.detail), refusal.headers)


def answer(given: Answer, now: datetime) -> Response:
    """Return a use case's answer: a lease, a statement, what was asked, or a refusal with all that it carries."""
    match given:
        case LeaseAnswer():
            members = {"lease": given.lease}
            if given.ticket is not None:
                members = {"ticket": given.ticket, "lease": given.lease}
            return JSONResponse(members, status_code=201 if given.created else 200, headers={"Cache-Control": NO_STORE})
        case StatementAnswer():
            return JSONResponse({"statement": given.statement}, headers={"Cache-Control": NO_STORE})
        case ToldAnswer():
            return JSONResponse(dict(given.told), headers={"Cache-Control": NO_STORE})
        case RefusalAnswer():
            return _refusal(given, now)


def _refusal(given: RefusalAnswer, now: datetime) -> Response:
    members = problems.document(
        given.decision_code,
        detail=given.detail,
        clauses=given.clauses,
        statement=given.statement,
        retry_at=given.retry_at,
        options=given.options,
        facts={name: fact for name, fact in given.facts.items() if name in problems.PUBLIC_FACTS},
    )
    headers = {}
    if given.retry_at is not None:
        headers["Retry-After"] = str(max(0, to_epoch(given.retry_at) - to_epoch(now)))
    return problem(members, headers)
