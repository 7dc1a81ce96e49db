"""Ending an account: asked for, taken back, and carried out when it is due (NX-37 to NX-41)."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, Unavailable
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_state import ENDED, state_of
from tillkey_server.rules.termination import (
    InUse,
    LeavingFacts,
    VendorAsked,
    appeal_of,
    decide_by_vendor,
    decide_cancel,
    decide_end,
    decide_request,
    decide_waiver,
)
from tillkey_server.store import (
    activations,
    audit,
    balances,
    customers,
    licenses,
    orders,
    outbox,
    refunds,
    support,
    terminations,
)
from tillkey_server.store.balances import EntryRow
from tillkey_server.store.terminations import TerminationRow, WaiverRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.erasure import erase_customer
from tillkey_server.usecases.issue_facts import records_of
from tillkey_server.usecases.seen import living
from tillkey_server.usecases.services import Services

log = logging.getLogger(__name__)

SWEEPER = "job:terminations"
BATCH = 100
VENDOR, CUSTOMER = "vendor", "customer"


async def preview_termination(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> Decision:
    """Return what a customer who asked for the end now would be told; nothing is written. Raises NotFound."""
    async with services.db.reading() as tx:
        await living(tx, customer_id, scope)
        policy = await accounts.terms_of(services, tx, customer_id)
        now = services.clock.now()
        facts = await leaving(tx, customer_id, await terminations.open_of(tx, customer_id), now)
        return decide_request(True, facts, policy, now)


async def request_termination(
    services: Services, customer_id: UUID, *, verified: bool, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Schedule the end of an account on its customer's word; asked again it stays as it was scheduled.

    `verified`: it is proven that the customer asks. Raises NotFound.
    """
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        decision = decide_request(verified, await leaving(tx, customer_id, held, now), policy, now)
        if decision.allowed and policy.account is not None and (held is None or held.due_at is None):
            due_at = now + policy.account.cooling_off
            row = TerminationRow(
                new_id(), customer_id, CUSTOMER, None, "", reason.strip(), now, actor, now, actor, due_at
            )
            if held is not None:
                # What the vendor only proposes keeps nobody from leaving; it waits beside the request.
                await terminations.cancel(tx, held.id, now)
                row = replace(row, behavior=held.behavior, evidence=held.evidence, proposed_by=held.requested_by)
            await terminations.insert(tx, row)
            if held is not None:
                await terminations.move_waivers(tx, held.id, row.id)
            await _tell(tx, decision, customer_id, row.id, due_at)
        await audited(tx, decision, customer_id, actor, "termination_request")
    return decision


async def terminate_account(
    services: Services,
    customer_id: UUID,
    *,
    behavior: str,
    evidence: str,
    actor: str,
    automatic: bool = False,
    scope: Scope = EVERYTHING,
) -> Decision:
    """End an account for a behavior of the terms' list; the sweep carries it out. Raises NotFound."""
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        proposed_by = _proposed_by(held, behavior)
        ends_at = held.due_at if held is not None and held.ended_by == VENDOR else None
        asked = VendorAsked(behavior, evidence, actor, automatic, proposed_by, ends_at)
        decision = decide_by_vendor(asked, policy, now)
        if ends_at is None and decision.allowed:
            row = _by_vendor(customer_id, behavior, evidence, proposed_by or actor, now)
            await _end_by_vendor(tx, held, row, decision, actor, now + appeal_of(policy))
        elif ends_at is None and decision.outcome is Outcome.PEND and not automatic and proposed_by is None:
            await _propose(tx, held, _by_vendor(customer_id, behavior, evidence, actor, now))
        await audited(tx, decision, customer_id, actor, "account_terminate")
    return decision


async def cancel_termination(
    services: Services, customer_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Take a customer's own request back while it is not carried out. Raises NotFound."""
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        by_vendor = held is not None and held.ended_by == VENDOR
        decision = decide_cancel(None if held is None else held.due_at, by_vendor, policy, now)
        if decision.allowed and held is not None:
            await terminations.cancel(tx, held.id, now)
            if held.proposed_by is not None and held.behavior is not None:
                # The vendor's proposal goes on without the request that it waited beside.
                row = _by_vendor(customer_id, held.behavior, held.evidence, held.proposed_by, now)
                await terminations.insert(tx, row)
        await audited(tx, decision, customer_id, actor, "termination_cancel")
    return decision


async def waive_balance(
    services: Services, customer_id: UUID, *, amount: Money, verified: bool, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Note that the customer waives so much of what is left, so that the account can end.

    `verified`: it is proven that the customer waives it. Raises NotFound, BadInput.
    """
    if amount.minor <= 0:
        raise BadInput("amount", "must be above zero")
    async with services.db.writing() as tx:
        held, policy, now = await opened(services, tx, customer_id, scope)
        decision = decide_waiver({amount.currency: amount.minor}, held is not None, policy, now, verified=verified)
        if decision.allowed and held is not None:
            await terminations.waive(tx, WaiverRow(new_id(), held.id, amount.currency, amount.minor, now, actor))
        await audited(tx, decision, customer_id, actor, "balance_waive")
    return decision


async def end_due_accounts(services: Services) -> int:
    """End every account that is due and that nothing blocks; return how many.

    One that fails is logged by its id, is tried again the next time, and keeps none of the others waiting.
    """
    count, last = 0, None
    while True:
        async with services.db.reading() as tx:
            found = await terminations.due(tx, services.clock.now(), after=last, limit=BATCH)
        for one in found:
            try:
                count += await _is_ready(services, one) and await _end(services, one)
            except Unavailable:
                raise
            except Exception:
                log.exception("termination %s failed and is tried again", one.id)
        if len(found) < BATCH:
            return count
        last = found[-1].id


async def _is_ready(services: Services, one: TerminationRow) -> bool:
    """Tell whether nothing blocks an end; looked at before anything is locked, since what is blocked stays so long."""
    async with services.db.reading() as tx:
        return (await _decided(services, tx, one)).allowed


async def _end(services: Services, due: TerminationRow) -> bool:
    async with services.db.writing() as tx:
        await customers.seen(tx, due.customer_id, EVERYTHING, lock=True)
        row = await terminations.open_of(tx, due.customer_id)
        if row is None or row.id != due.id or row.due_at is None or row.due_at > services.clock.now():
            return False
        # A refund that is granted at this moment credits under its license's lock: the sum is read after it (NX-41).
        await licenses.of_customer(tx, row.customer_id, lock=True)
        decision = await _decided(services, tx, row)
        if not decision.allowed:
            # Told by `account show`, live; a line for each sweep would drown the log.
            return False
        await _write_off(tx, row, decision.evaluated_at)
        await erase_customer(services, tx, row.customer_id, actor=SWEEPER)
        await terminations.finish(tx, row, decision.evaluated_at)
        await audited(tx, decision, row.customer_id, SWEEPER, "account_end")
        told = {"termination_id": str(row.id), "by": row.ended_by}
        kind, at = Effect.ACCOUNT_TERMINATED, decision.evaluated_at
        await outbox.add(tx, kind=kind, subject=str(row.customer_id), payload=told, now=at)
    return True


async def _decided(services: Services, tx: AsyncConnection, row: TerminationRow) -> Decision:
    """Return whether a termination that is due ends its account now."""
    policy = await accounts.terms_of(services, tx, row.customer_id)
    return await decided_end(tx, row, policy, services.clock.now())


async def decided_end(tx: AsyncConnection, row: TerminationRow, policy: Policy, now: datetime) -> Decision:
    """Return whether a termination would end its account if it were due now, or what blocks it."""
    return decide_end(await leaving(tx, row.customer_id, row, now), row.ended_by == VENDOR, policy, now)


async def _write_off(tx: AsyncConnection, row: TerminationRow, now: datetime) -> None:
    """Take what the customer waived off its balance, so that the ledger owes an ended account nothing."""
    for currency, minor in (await balances.sums(tx, row.customer_id)).items():
        if minor > 0:
            named = f"waived:{row.id}:{currency}"
            entry = EntryRow(new_id(), row.customer_id, currency, -minor, "adjusted", named, now, SWEEPER)
            await balances.add(tx, entry)


async def leaving(tx: AsyncConnection, customer_id: UUID, held: TerminationRow | None, now: datetime) -> LeavingFacts:
    """Return what stands in the way of an account's end, and what its customer should know before."""
    return LeavingFacts(
        balance=await balances.sums(tx, customer_id),
        waived={} if held is None else await terminations.waived(tx, held.id),
        legal_hold_at=await licenses.legal_hold_of(tx, customer_id),
        waiting_orders=await orders.waiting_of(tx, customer_id),
        in_use=await _in_use(tx, customer_id),
        refunds=await refunds.unsettled_of(tx, customer_id),
        requests=await _open_requests(tx, customer_id, now),
        scheduled_at=None if held is None else held.due_at,
        appealed_at=None if held is None or held.appeal_decided_at is not None else held.appealed_at,
    )


async def _in_use(tx: AsyncConnection, customer_id: UUID) -> tuple[InUse, ...]:
    """Return the customer's licenses that tills run on, by id (NX-37)."""
    held: dict[tuple[UUID, str], list[UUID]] = {}
    for till, license_id, product in await activations.active_of_customer(tx, customer_id):
        held.setdefault((license_id, product), []).append(till)
    return tuple(InUse(license_id, product, tuple(tills)) for (license_id, product), tills in held.items())


async def _open_requests(tx: AsyncConnection, customer_id: UUID, now: datetime) -> int:
    found = await support.of_customer(tx, customer_id)
    records = await records_of(tx, found, now)
    return len([one for one in records.values() if state_of(one) not in ENDED])


def _proposed_by(held: TerminationRow | None, behavior: str) -> str | None:
    """Return who proposed to end an account for a behavior, where nobody agreed yet."""
    if held is None or held.behavior != behavior:
        return None
    return held.proposed_by if held.ended_by == CUSTOMER else held.requested_by


async def _propose(tx: AsyncConnection, held: TerminationRow | None, row: TerminationRow) -> None:
    """Note a proposal: beside the customer's own request, which stays, or in place of an earlier proposal."""
    if held is not None and held.ended_by == CUSTOMER:
        beside = replace(held, behavior=row.behavior, evidence=row.evidence, proposed_by=row.requested_by)
        await terminations.propose(tx, beside)
        return
    if held is not None:
        await terminations.cancel(tx, held.id, row.requested_at)
    await terminations.insert(tx, row)


async def _end_by_vendor(
    tx: AsyncConnection,
    held: TerminationRow | None,
    row: TerminationRow,
    decision: Decision,
    actor: str,
    due_at: datetime,
) -> None:
    """Schedule the vendor's own end; it takes the place of what the customer asked for."""
    now = decision.evaluated_at
    if held is not None and held.ended_by == VENDOR and held.behavior == row.behavior:
        row = held
    else:
        if held is not None:
            await terminations.cancel(tx, held.id, now)
        await terminations.insert(tx, row)
    await terminations.approve(tx, row.id, at=now, by=actor, due_at=due_at)
    await _tell(tx, decision, row.customer_id, row.id, due_at)


def _by_vendor(customer_id: UUID, behavior: str, evidence: str, actor: str, now: datetime) -> TerminationRow:
    """Return what somebody of the vendor's proposes."""
    return TerminationRow(new_id(), customer_id, VENDOR, behavior, evidence.strip(), "", now, actor)


async def _tell(
    tx: AsyncConnection, decision: Decision, customer_id: UUID, termination_id: UUID, due_at: datetime
) -> None:
    """Tell a customer that the account will end, and when (NX-37, NX-40)."""
    told = {"termination_id": str(termination_id), "due_at": instant(due_at)}
    kind = Effect(decision.code.value)
    await outbox.add(tx, kind=kind, subject=str(customer_id), payload=told, now=decision.evaluated_at)


async def opened(
    services: Services, tx: AsyncConnection, customer_id: UUID, scope: Scope
) -> tuple[TerminationRow | None, Policy, datetime]:
    """Return a customer's open termination under its lock, the account's terms, and now. Raises NotFound."""
    await living(tx, customer_id, scope, lock=True)
    now = services.clock.now()
    policy = await accounts.terms_of(services, tx, customer_id)
    return await terminations.open_of(tx, customer_id), policy, now


async def audited(tx: AsyncConnection, decision: Decision, customer_id: UUID, actor: str, action: str) -> None:
    """Put a decision about a customer's account into the audit log."""
    told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
    await audit.record(tx, told, actor=actor, action=action)
