"""What a granted refund does, all of it in the transaction that grants it (NX-36), and what a failed payout undoes.

The license ends with its activations and its paid terms, nothing renews it any more, the money is credited or owed, and
what the world must be told stands in the outbox.

What was paid with a gift card or a coupon goes back as one (NX-31), with the rest: `paid_out_at` is when the money is
credited, or its payout noted, and then the shop is told to issue the coupon again. So a coupon waits for what the money
waits for: copies that still run, the customer's statement (CJ-13), a legal hold (K-13). Where a refund is a coupon and
nothing else, no money is credited or to be paid: it is paid out by the coupon alone, at the grant if a payout would be
allowed then, else when its payout is noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.ids import new_id
from tillkey_server.rules.decision import instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund import Ends, Verdict
from tillkey_server.rules.refund_payout import PayoutFacts, decide_payout
from tillkey_server.rules.refund_policy import Destination
from tillkey_server.rules.standing import Event, advance
from tillkey_server.store import activations, balances, leases, licenses, outbox, refunds
from tillkey_server.store import terms as term_store
from tillkey_server.store.balances import EntryRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import PartRow, RefundRow
from tillkey_server.usecases.prerequisite import after_loss
from tillkey_server.usecases.refund_facts import customer_of_license
from tillkey_server.usecases.refund_identity import identity_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import end_early, put_back, recompute, take_out

ENDED_BY = "refund"
_TAKES_RENEWALS = frozenset({Ends.LICENSE, Ends.RENEWAL})
"""What takes the renewals that go back out of the clocks: a part of one's price leaves it there."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A decision to pay back: by whom, for which request, of which license, whose row is locked and chains are still.

    `policy` are the terms that the license was sold under.
    """

    request_id: UUID
    row: LicenseRow
    policy: Policy
    verdict: Verdict
    currency: str
    actor: str
    now: datetime


async def carry_out(services: Services, tx: AsyncConnection, grant: Grant) -> RefundRow:
    """Do all that a granted refund does. IntegrityError where the request was granted before."""
    row, now, ends = grant.row, grant.now, grant.verdict.ends
    latest = await leases.latest_exp_of_license(tx, row.id)
    held = await activations.active_of_license(tx, row.id)
    refund = await _written(services, tx, grant, len(held), latest)
    if ends is Ends.LICENSE:
        after = advance(row.facts, Event.REFUND, now)
        await licenses.set_moments(tx, row.id, {"refunded_at": after.refunded_at})
        await activations.end(tx, [one.id for one in held], at=now, reason="released")
        await refunds.stop_subscriptions(tx, row.id, now)
    await _take_terms(tx, grant)
    await _pay(tx, grant, refund)
    await _tell(tx, grant, refund)
    if ends is Ends.LICENSE:
        await after_loss(services, tx, row, now, actor=grant.actor)
    return refund


async def undo(tx: AsyncConnection, row: LicenseRow, refund: RefundRow, policy: Policy, now: datetime) -> None:
    """Undo what a refund did to a license whose row is locked: its money never arrived.

    Activations stay ended: a till activates again, since its seat may be somebody else's by then.
    """
    if refund.ends == Ends.LICENSE.value:
        await licenses.set_moments(tx, row.id, {"refunded_at": None})
        await refunds.resume_subscriptions(tx, row.id, refund.granted_at)
    for ending in await term_store.endings_of(tx, row.id):
        if ending.reason == ENDED_BY and ending.at == refund.granted_at:
            await term_store.withdraw_ending(tx, ending.id, now)
    for part in await refunds.parts_of(tx, refund.id):
        if part.kind == LineKind.RENEWAL.value and Ends(refund.ends) in _TAKES_RENEWALS:
            await put_back(tx, row, policy, line_id=part.order_line_id, now=now)
    await recompute(tx, row, policy, now)


async def _written(
    services: Services, tx: AsyncConnection, grant: Grant, held: int, latest: datetime | None
) -> RefundRow:
    given = grant.verdict.sum
    known_by = identity_of(services.pepper, await customer_of_license(tx, grant.row), grant.policy)
    terms = grant.policy.refund
    assert given is not None, "a grant has a sum"
    destination = Destination.ORIGINAL_METHOD if terms is None else terms.destination
    is_paid = destination is Destination.ACCOUNT_BALANCE
    if not is_paid and not given.money_minor:
        is_paid = await _may_be_paid(tx, grant, held, latest)
    refund = RefundRow(
        # One name for the whole matter: a refund is what became of its request.
        id=grant.request_id,
        request_id=grant.request_id,
        license_id=grant.row.id,
        customer_id=grant.row.customer_id,
        amount_minor=given.minor,
        tax_minor=given.tax_minor,
        currency=grant.currency,
        destination=destination.value,
        ends=grant.verdict.ends.value,
        code=grant.verdict.decision.code.value,
        granted_at=grant.now,
        active_at_grant=held,
        effective_latest_at=latest,
        paid_out_at=grant.now if is_paid else None,
        coupon_minor=given.coupon_minor or None,
        email_hash=known_by.email,
        domain_hash=known_by.domain,
    )
    parts = [
        PartRow(refund.id, one.line_id, one.kind.value, one.minor, one.tax_minor, one.coupon_minor or None)
        for one in given.parts
    ]
    await refunds.insert(tx, refund, parts)
    return refund


async def _may_be_paid(tx: AsyncConnection, grant: Grant, held: int, latest: datetime | None) -> bool:
    """Tell whether a payout would be allowed at the grant."""
    facts = PayoutFacts(
        license=grant.row.facts,
        asked_at=grant.now,
        granted_at=grant.now,
        active_at_grant=held,
        effective_latest_at=latest,
        held_since=await licenses.legal_hold_of(tx, grant.row.customer_id),
    )
    return decide_payout(facts, grant.policy, grant.now).allowed


async def _take_terms(tx: AsyncConnection, grant: Grant) -> None:
    """Take the renewals that go back out of the clocks, and end care where the refund ends it (BC-26)."""
    row, given = grant.row, grant.verdict.sum
    for part in () if given is None else given.parts:
        if part.kind is LineKind.RENEWAL and grant.verdict.ends in _TAKES_RENEWALS:
            taken = await take_out(tx, row, grant.policy, line_id=part.line_id, refunded_at=grant.now, now=grant.now)
            row = taken.license
    if grant.verdict.ends in {Ends.LICENSE, Ends.REDUCED}:
        await end_early(tx, row, grant.policy, at=grant.now, reason=ENDED_BY, now=grant.now)


async def issue_coupon(tx: AsyncConnection, refund: RefundRow, now: datetime) -> None:
    """Tell the shop to issue the coupon of a refund that is paid out, if there is one (NX-31)."""
    if not refund.coupon_minor:
        return
    payload = {
        "amount_minor": refund.coupon_minor,
        "currency": refund.currency,
        "customer_id": str(refund.customer_id),
        "refund_id": str(refund.id),
    }
    await outbox.add(tx, kind=Effect.REFUND_COUPON, subject=str(refund.id), payload=payload, now=now)


async def _pay(tx: AsyncConnection, grant: Grant, refund: RefundRow) -> None:
    """Credit the money or tell that it is owed, where there is any, and issue the coupon of what is paid out."""
    if refund.paid_out_at is not None:
        await issue_coupon(tx, refund, grant.now)
    if not refund.money_minor:
        return
    if refund.destination == Destination.ACCOUNT_BALANCE.value:
        entry = EntryRow(
            id=new_id(),
            customer_id=refund.customer_id,
            currency=refund.currency,
            amount_minor=refund.money_minor,
            kind="refund",
            reference=str(refund.id),
            at=grant.now,
            actor=grant.actor,
        )
        await balances.add(tx, entry)
        return
    payload = {"amount_minor": refund.money_minor, "currency": refund.currency, "license_id": str(refund.license_id)}
    await outbox.add(tx, kind=Effect.REFUND_PAYOUT, subject=str(refund.id), payload=payload, now=grant.now)


async def _tell(tx: AsyncConnection, grant: Grant, refund: RefundRow) -> None:
    told = {"refund_id": str(refund.id), "code": refund.code, "ends": refund.ends}
    await outbox.add(tx, kind=Effect.REFUND_GRANTED, subject=str(refund.license_id), payload=told, now=grant.now)
    if grant.verdict.ends is Ends.LICENSE:
        ended = str(refund.license_id)
        live = await leases.still_live(tx, refund.license_id, grant.now)
        until = instant(refund.effective_latest_at)
        payload = {**told, "reason": "refund", "leases_live": live.leases, "effective_latest_at": until}
        await outbox.add(tx, kind=Effect.LICENSE_REVOKED, subject=ended, payload=payload, now=grant.now)
        await outbox.add(tx, kind=Effect.DOWNLOADS_VOIDED, subject=ended, payload=told, now=grant.now)
