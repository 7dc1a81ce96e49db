"""The heartbeat chain, rules a to e (PROTOCOL section 5), and what comes before it: an end, a suspension.

1. An ended activation, then a license that may not be used, gets its statement first, whatever the ``rid``.
2. (a) A known ``rid`` that is the last step's, with the same op, activation and way of naming the license, is that step
   again. (b) Any other known ``rid`` is ``stale_request``.
3. (c) The current nonce is a step. (d) One issued earlier is a fork and a step; the old tip becomes a tombstone, and
   presenting a tombstone consumes it and counts a switch.
4. (e) An unknown nonce is ``rebind_required``; in an ``activate`` with the last lease it means that the server lost
   history, and is adopted.
"""

from __future__ import annotations

import secrets
from typing import Optional

from tillkey.testing.books import CONSUMED, LIVE, TOMBSTONE, Activation, Books, License, Step
from tillkey.testing.refusals import ASK, Refused, instant
from tillkey.wire import b64
from tillkey.wire.answers import Lease
from tillkey.wire.request import Activate, Request

_STEERING = ("X-05",)


def refuse_standing(sold: License, now: int) -> None:
    """Raise ``Refused`` unless the license may be used; the strongest reason is told (K-13)."""
    suspended = sold.suspended_at is not None and (sold.suspended_until is None or now < sold.suspended_until)
    found = (
        ("legal_hold", "legal_hold", sold.legal_hold_at, ("K-13",)),
        ("license_terminated", "terminated", sold.terminated_at, ("K-13",)),
        ("license_revoked", "revoked", sold.revoked_at, ("K-13", "X-04")),
        ("license_suspended", "suspended", sold.suspended_at if suspended else None, ("K-13", "K-16")),
        ("license_expired", "expired", _past(sold.use_until, now), ("K-02", "K-13")),
    )
    for code, status, since, clauses in found:
        if since is not None:
            facts = {"status": status, "since": instant(since), "use_until": instant(sold.use_until)}
            options = ("renew", *ASK) if status == "expired" else ASK
            retry_at = sold.suspended_until if status == "suspended" else None
            raise Refused(code, clauses, facts=facts, options=options, retry_at=retry_at)


def refuse_gone(held: Activation) -> None:
    """Raise ``Refused`` where an activation has ended (sentence 1)."""
    if held.ended_at is not None:
        by_itself = held.end_reason == "released"
        raise Refused(
            "activation_released" if by_itself else "activation_superseded",
            ("NX-07",) if by_itself else ("NX-08", "NX-48"),
            sub=held.id,
            facts={"ended_at": instant(held.ended_at), "end_reason": held.end_reason},
            options=("activate", *ASK),
        )


def refuse_ended(held: Activation, sold: License, now: int) -> None:
    """Raise ``Refused`` where an activation may get no further lease (sentence 1)."""
    refuse_gone(held)
    try:
        refuse_standing(sold, now)
    except Refused as refusal:
        raise refusal.about(held.id) from None


def told_before(books: Books, request: Request, held: Optional[Activation]) -> Optional[Step]:
    """Return the step that a known ``rid`` made, or None for a new one; raises ``stale_request`` (sentence 2)."""
    seen = books.steps.get((request.jkt, request.rid))
    if seen is None:
        return None
    same = held is not None and (seen.op, seen.activation, seen.by_key) == (request.op, held.id, _by_key(request))
    if held is None or not same or seen.seq != held.seq:
        raise stale(None if held is None else held.id)
    return seen


def stale(sub: Optional[str]) -> Refused:
    """Return the refusal of an old request: the SDK draws a new one."""
    return Refused("stale_request", _STEERING, sub=sub, options=("new_request",))


def next_step(books: Books, request: Request, held: Activation, nonce: str, lease: Optional[Lease] = None) -> Step:
    """Take the step that a presented nonce asks for (sentences 3 and 4); ``lease`` is the one that a rebind shows."""
    if nonce == held.nonce:
        return take(books, request, held)
    state = held.nonces.get(nonce)
    if state is not None:
        if state == TOMBSTONE:
            held.nonces[nonce] = CONSUMED
            held.switches += 1
        return forked(books, request, held)
    if lease is None:
        raise Refused("rebind_required", _STEERING, sub=held.id, options=("rebind",))
    step = take(books, request, held, seq=max(held.seq, lease.seq) + 1)
    remember(books, held, lease)
    return step


def forked(books: Books, request: Request, held: Activation) -> Step:
    """Take a step beside the tip, which becomes a tombstone."""
    held.nonces[held.nonce] = TOMBSTONE
    held.forks += 1
    return take(books, request, held)


def take(books: Books, request: Request, held: Activation, *, seq: Optional[int] = None, created: bool = False) -> Step:
    """Write the next step and make it the tip."""
    nonce = b64.encode(secrets.token_bytes(16))
    step = Step(request.rid, request.op, held.id, seq or held.seq + 1, nonce, _by_key(request), created)
    held.seq, held.nonce = step.seq, nonce
    held.nonces[nonce] = LIVE
    books.steps[request.jkt, request.rid] = step
    return step


def remember(books: Books, held: Activation, lease: Lease) -> None:
    """Record the nonce of a lease that history had lost, unless its number or its ``rid`` was taken since."""
    taken = any(step.activation == held.id and step.seq == lease.seq for step in books.steps.values())
    if not taken and (held.jkt, lease.rid) not in books.steps:
        books.steps[held.jkt, lease.rid] = Step(lease.rid, "activate", held.id, lease.seq, lease.nonce, False, False)
        held.nonces.setdefault(lease.nonce, LIVE)


def _by_key(request: Request) -> bool:
    return isinstance(request.body, Activate) and request.body.license_key is not None


def _past(end: Optional[int], now: int) -> Optional[int]:
    return end if end is not None and end <= now else None
