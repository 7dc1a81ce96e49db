"""How a till is told no: signed where it may believe it, unsigned where a signature would be spent on junk.

A refusal carries a statement for a request whose key is a known installation's or that holds a known license key
(PROTOCOL section 4). For an unknown license key the statement depends on the installation key alone, so that a
foreign product's key looks like one that does not exist.
"""

from __future__ import annotations

from uuid import UUID

from tillkey.wire.request import Request
from tillkey_server.crash_points import reach
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.services import Services


def signed(services: Services, request: Request, decision: Decision, *, sub: UUID | None = None) -> RefusalAnswer:
    """Refuse with a statement about `sub`, the activation; to be called after the transaction was committed."""
    reach("after_commit")
    if not isinstance(decision.code, Refusal):
        msg = f"{decision.code} is no refusal"
        raise TypeError(msg)
    statement = services.mint.statement(
        request=request,
        code=decision.code.value,
        clauses=decision.clauses,
        now=services.clock.now(),
        sub=sub,
        retry_at=decision.retry_at,
        options=decision.options,
    )
    reach("after_signing")
    return refusal_of(decision, statement=statement)


def license_invalid(services: Services, request: Request, *, installation_known: bool) -> RefusalAnswer:
    """Refuse a license key or lease that is unknown or another product's: alike, whatever the reason (K-14)."""
    statement = None
    clauses = ("K-14",)
    options = ("check_license_key", "ask_support")
    if installation_known:
        statement = services.mint.statement(
            request=request,
            code=Refusal.LICENSE_INVALID.value,
            clauses=clauses,
            now=services.clock.now(),
            options=options,
        )
    return RefusalAnswer(Refusal.LICENSE_INVALID, "", clauses, statement, None, options)


def unknown_installation() -> RefusalAnswer:
    """Hint, unsigned, that this key has no such activation here: the SDK rebinds with its last lease."""
    return RefusalAnswer(Refusal.UNKNOWN_INSTALLATION, "", (), None, None, ("rebind",))


def steer(services: Services, request: Request, code: Refusal, *, sub: UUID | None) -> RefusalAnswer:
    """Tell the SDK, signed, how to go on: `stale_request` or `rebind_required` (PROTOCOL section 5, b and e)."""
    clauses = ("X-05",)
    options = {Refusal.STALE_REQUEST: ("new_request",), Refusal.REBIND_REQUIRED: ("rebind",)}[code]
    statement = services.mint.statement(
        request=request, code=code.value, clauses=clauses, now=services.clock.now(), sub=sub, options=options
    )
    return RefusalAnswer(code, "", clauses, statement, None, options)
