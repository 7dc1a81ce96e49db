"""Paying a granted refund: the customer's word that every copy is gone, the payout, and a payout that failed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.rules.refund_payout import attested, decide_failure, decide_payout
from tillkey_server.rules.refund_policy import Destination
from tillkey_server.store import audit, balances, chains, outbox, refunds
from tillkey_server.store.balances import EntryRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.refunds import RefundRow, RequestRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.payout_facts import payout_facts
from tillkey_server.usecases.prerequisite import after_return, lock_with_dependents
from tillkey_server.usecases.refund_grant import issue_coupon, undo
from tillkey_server.usecases.refunds import NOT_OPEN, shown_of
from tillkey_server.usecases.seen import license_of
from tillkey_server.usecases.services import Services

MAX_TEXT = 2000
MAX_PROVIDER_ID = 255


@dataclass(frozen=True, slots=True)
class _Held:
    """A granted refund with its license, whose row is locked."""

    request: RequestRow
    refund: RefundRow
    row: LicenseRow
    policy: Policy
    now: datetime


async def attest_destruction(
    services: Services,
    refund_id: UUID,
    *,
    statement: str,
    actor: str,
    vouched: bool = False,
    scope: Scope = EVERYTHING,
) -> dict[str, object] | RefusalAnswer:
    """Note the customer's statement that every copy is destroyed (CJ-13); `vouched`: the vendor knows that none runs.

    Refused (`ref_not_pending`) for what was not granted. Raises NotFound, and BadInput for an empty statement.
    """
    text = _text("statement", statement)
    async with services.db.writing() as tx:
        held = await _held(services, tx, refund_id, scope)
        if isinstance(held, RefusalAnswer):
            return held
        # Said again it is the same word, so that nobody moves the payout by asking for it once more.
        known = held.refund.attested_at
        at = held.now if known is None or (vouched and not held.refund.vouched) else known
        values = {"attested_at": at, "attested_by": actor, "statement": text, "vouched": vouched}
        refund = replace(held.refund, attested_at=at, vouched=vouched)
        decision = attested(await payout_facts(tx, held.request, refund, held.row), held.policy, held.now)
        await refunds.write(tx, held.refund.id, **values)
        return await _concluded(services, tx, held, decision, actor, "refund_attest")


async def pay_out(
    services: Services,
    refund_id: UUID,
    *,
    actor: str,
    provider_refund_id: str | None = None,
    to_balance: bool = False,
    scope: Scope = EVERYTHING,
) -> dict[str, object] | RefusalAnswer:
    """Note that a refund was paid out, under the provider's own number of it; its coupon is issued with it (NX-31).

    `to_balance`: the original method is closed, and it is credited to the customer's balance here (CJ-30); there is no
    number of a provider's then. A legal hold on anything of the customer's keeps it back (K-13). Pending answers
    (`ref_pending_attestation`, `ref_pending_deactivation`) refuse too: nothing was noted.

    Raises NotFound, and BadInput for a number that another refund has.
    """
    if to_balance and provider_refund_id is not None:
        raise BadInput("provider_refund_id", "is of no payment: the balance is credited")
    number = None if provider_refund_id is None else _text("provider_refund_id", provider_refund_id, MAX_PROVIDER_ID)
    try:
        async with services.db.writing() as tx:
            held = await _held(services, tx, refund_id, scope)
            if isinstance(held, RefusalAnswer):
                return held
            facts = await payout_facts(tx, held.request, held.refund, held.row)
            decision = decide_payout(facts, held.policy, held.now)
            if decision.allowed:
                destination = Destination.ACCOUNT_BALANCE.value if to_balance else held.refund.destination
                paid = {"paid_out_at": held.now, "provider_refund_id": number, "destination": destination}
                await refunds.write(tx, held.refund.id, **paid)
                await issue_coupon(tx, held.refund, held.now)
                decision = replace(decision, facts={**decision.facts, "destination": destination})
                if to_balance:
                    await _enter(tx, held, "refund", held.refund.money_minor, actor)
            return await _concluded(services, tx, held, decision, actor, "refund_payout")
    except IntegrityError as error:
        raise BadInput("provider_refund_id", "is the number of another refund") from error


async def payout_failed(
    services: Services, refund_id: UUID, *, failure: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Note that the money never arrived: the license comes back if it is still refunded by this refund (NX-36).

    What was suspended for its loss alone is resumed with it (NX-13).

    All of the refund counts as never granted, its coupon too: of a balance only the money is taken back, and the shop,
    which hears `refund.payout_failed` with the refund's id, makes the coupon void that it issued for that id. If that
    is spent already, the vendor has to settle it with the customer, as a balance that falls below nothing.

    Raises NotFound, and BadInput for an empty reason.
    """
    text = _text("failure", failure)
    async with services.db.writing() as tx:
        held = await _held(services, tx, refund_id, scope, with_dependents=True)
        if isinstance(held, RefusalAnswer):
            return held
        facts = await payout_facts(tx, held.request, held.refund, held.row)
        decision = decide_failure(facts, held.policy, held.now)
        if decision.allowed:
            # The entry that gave a credit stays; another takes it back.
            if held.refund.destination == Destination.ACCOUNT_BALANCE.value:
                await _enter(tx, held, "refund_reversed", -held.refund.money_minor, actor)
            await refunds.write(tx, held.refund.id, failed_at=held.now, failure=text)
            if decision.facts["undone"] or held.refund.ends != "license":
                await undo(tx, held.row, held.refund, held.policy, held.now)
            if decision.facts["undone"]:
                await after_return(services, tx, held.row, held.now, actor=actor)
        return await _concluded(services, tx, held, decision, actor, "refund_payout_failed")


async def _held(
    services: Services, tx: AsyncConnection, refund_id: UUID, scope: Scope, *, with_dependents: bool = False
) -> _Held | RefusalAnswer:
    """Return a granted refund under its license's lock, or the refusal of one that was not granted.

    `with_dependents` locks what requires the license's product along with it, as whoever undoes a loss has to.
    """
    request = await refunds.request_seen(tx, refund_id, scope)
    if request is None:
        raise NotFound("refund", str(refund_id))
    if with_dependents:
        await lock_with_dependents(tx, request.license_id, scope)
    row = await license_of(tx, request.license_id, scope, lock=True)
    await chains.hold_still(tx, row.id)
    refund = await refunds.of_request(tx, request.id)
    if refund is None:
        return RefusalAnswer(RefundCode.NOT_PENDING, "", NOT_OPEN)
    policy = await services.policies.of(tx, row.policy_ref)
    return _Held(request, refund, row, policy, services.clock.now())


async def _enter(tx: AsyncConnection, held: _Held, kind: str, minor: int, actor: str) -> None:
    """Write what a refund does to its customer's balance; one of coupons alone does nothing."""
    refund = held.refund
    if not minor:
        return
    entry = EntryRow(
        id=new_id(),
        customer_id=refund.customer_id,
        currency=refund.currency,
        amount_minor=minor,
        kind=kind,
        reference=str(refund.id),
        at=held.now,
        actor=actor,
    )
    await balances.add(tx, entry)


async def _concluded(
    services: Services, tx: AsyncConnection, held: _Held, decision: Decision, actor: str, action: str
) -> dict[str, object] | RefusalAnswer:
    noted = replace(decision, facts={**decision.facts, "refund_id": str(held.refund.id)})
    await audit.record(tx, noted, actor=actor, action=action, license_id=held.row.id)
    if not decision.allowed:
        return refusal_of(noted)
    payload = {"refund_id": str(held.refund.id)}
    if "destination" in decision.facts:
        payload["destination"] = str(decision.facts["destination"])
    kind = Effect(f"refund.{decision.code.value.removeprefix('ref_')}")
    await outbox.add(tx, kind=kind, subject=str(held.refund.license_id), payload=payload, now=held.now)
    refund = await refunds.of_request(tx, held.request.id)
    return await shown_of(services, tx, held.request, refund, held.row, held.now)


def _text(field: str, text: str, most: int = MAX_TEXT) -> str:
    told = text.strip()
    if not told or len(told) > most:
        raise BadInput(field, f"must be 1 to {most} characters")
    return told
