"""Ending an account: asked for, taken back, and carried out when it is due (NX-37 to NX-41)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Outcome, instant
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_state import ENDED, state_of
from tillkey_server.rules.termination import (
    LeavingFacts,
    VendorAsked,
    decide_by_vendor,
    decide_cancel,
    decide_end,
    decide_request,
    decide_waiver,
)
from tillkey_server.store import activations, audit, licenses, orders, outbox, refunds, support, terminations
from tillkey_server.store import balances as ledger
from tillkey_server.store.balances import EntryRow
from tillkey_server.store.terminations import TerminationRow, WaiverRow
from tillkey_server.usecases import accounts, balances
from tillkey_server.usecases.erasure import erase_customer
from tillkey_server.usecases.issue_facts import record_of
from tillkey_server.usecases.services import Services

SWEEPER = "job:terminations"
BATCH = 100
VENDOR, CUSTOMER = "vendor", "customer"


async def preview_termination(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> Decision:
    """Return what a customer who asked for the end now would be told; nothing is written. Raises NotFound."""
    async with services.db.reading() as tx:
        await accounts.seen(tx, customer_id, scope)
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
        await accounts.locked(tx, customer_id, scope)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        held = await terminations.open_of(tx, customer_id)
        decision = decide_request(verified, await leaving(tx, customer_id, held, now), policy, now)
        if decision.allowed and policy.account is not None and held is None:
            due_at = now + policy.account.cooling_off
            row = TerminationRow(
                new_id(), customer_id, CUSTOMER, None, "", reason.strip(), now, actor, now, actor, due_at
            )
            await terminations.insert(tx, row)
            await _tell(tx, decision, customer_id, row.id, due_at)
        await _audited(tx, decision, customer_id, actor, "termination_request")
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
        await accounts.locked(tx, customer_id, scope)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        held = await terminations.open_of(tx, customer_id)
        same = held is not None and held.behavior == behavior
        proposed_by = held.requested_by if held is not None and same else None
        decision = decide_by_vendor(VendorAsked(behavior, evidence, actor, automatic, proposed_by), policy, now)
        if (decision.outcome is not Outcome.DENY and not automatic) or decision.allowed:
            if held is not None and not same:
                # The vendor's own end takes the place of what the customer asked for.
                await terminations.cancel(tx, held.id, now)
            row = held if held is not None and same else _by_vendor(customer_id, behavior, evidence, actor, now)
            if held is None or not same:
                await terminations.insert(tx, row)
            if decision.allowed and row.due_at is None:
                await terminations.approve(tx, row.id, at=now, by=actor, due_at=now)
                await _tell(tx, decision, customer_id, row.id, now)
        await _audited(tx, decision, customer_id, actor, "account_terminate")
    return decision


async def cancel_termination(
    services: Services, customer_id: UUID, *, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Take a customer's own request back while it is not carried out. Raises NotFound."""
    async with services.db.writing() as tx:
        await accounts.locked(tx, customer_id, scope)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        held = await terminations.open_of(tx, customer_id)
        by_vendor = held is not None and held.ended_by == VENDOR
        decision = decide_cancel(None if held is None else held.due_at, by_vendor, policy, now)
        if decision.allowed and held is not None:
            await terminations.cancel(tx, held.id, now)
        await _audited(tx, decision, customer_id, actor, "termination_cancel")
    return decision


async def waive_balance(
    services: Services, customer_id: UUID, *, amount: Money, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Note that the customer waives so much of what is left, so that the account can end. Raises NotFound, BadInput."""
    if amount.minor <= 0:
        raise BadInput("amount", "must be above zero")
    async with services.db.writing() as tx:
        await accounts.locked(tx, customer_id, scope)
        now = services.clock.now()
        policy = await accounts.terms_of(services, tx, customer_id)
        held = await terminations.open_of(tx, customer_id)
        decision = decide_waiver({amount.currency: amount.minor}, held is not None, policy, now)
        if decision.allowed and held is not None:
            await terminations.waive(tx, WaiverRow(new_id(), held.id, amount.currency, amount.minor, now, actor))
        await _audited(tx, decision, customer_id, actor, "balance_waive")
    return decision


async def end_due_accounts(services: Services) -> int:
    """End every account that is due and that nothing blocks; return how many."""
    count, last = 0, None
    while True:
        async with services.db.reading() as tx:
            found = await terminations.due(tx, services.clock.now(), after=last, limit=BATCH)
        for one in found:
            count += await _end(services, one)
        if len(found) < BATCH:
            return count
        last = found[-1].id


async def _end(services: Services, due: TerminationRow) -> bool:
    async with services.db.writing() as tx:
        await accounts.locked(tx, due.customer_id, EVERYTHING)
        row = await terminations.open_of(tx, due.customer_id)
        now = services.clock.now()
        if row is None or row.id != due.id or row.due_at is None or row.due_at > now:
            return False
        # A refund that is granted at this moment credits under its license's lock: the sum is read after it (NX-41).
        await licenses.of_customer(tx, row.customer_id, lock=True)
        policy = await accounts.terms_of(services, tx, row.customer_id)
        facts = await leaving(tx, row.customer_id, row, now)
        decision = decide_end(facts, row.ended_by == VENDOR, policy, now)
        if not decision.allowed:
            # Told by `account show`, live; a line for each sweep would drown the log.
            return False
        await _write_off(tx, row, facts, now)
        await erase_customer(services, tx, row.customer_id, actor=SWEEPER)
        await terminations.finish(tx, row, now)
        await _audited(tx, decision, row.customer_id, SWEEPER, "account_end")
    return True


async def _write_off(tx: AsyncConnection, row: TerminationRow, facts: LeavingFacts, now: datetime) -> None:
    """Take what the customer waived off its balance, so that the ledger owes an ended account nothing."""
    for currency, minor in facts.balance.items():
        if minor > 0:
            named = f"waived:{row.id}:{currency}"
            entry = EntryRow(new_id(), row.customer_id, currency, -minor, "adjusted", named, now, SWEEPER)
            await ledger.add(tx, entry)


async def leaving(tx: AsyncConnection, customer_id: UUID, held: TerminationRow | None, now: datetime) -> LeavingFacts:
    """Return what stands in the way of an account's end, and what its customer should know before."""
    running = 0
    for row in await licenses.of_customer(tx, customer_id):
        running += len(await activations.active_of_license(tx, row.id))
    return LeavingFacts(
        balance=await balances.balance_of(tx, customer_id),
        waived={} if held is None else await terminations.waived(tx, held.id),
        legal_hold_at=await licenses.legal_hold_of(tx, customer_id),
        waiting_orders=await orders.waiting_of(tx, customer_id),
        running=running,
        refunds=await refunds.unsettled_of(tx, customer_id),
        requests=await _open_requests(tx, customer_id, now),
    )


async def _open_requests(tx: AsyncConnection, customer_id: UUID, now: datetime) -> int:
    found = await support.of_customer(tx, customer_id)
    return len([one for one in found if state_of(await record_of(tx, one, now)) not in ENDED])


def blocked(row: TerminationRow, facts: LeavingFacts, policy: Policy, services: Services) -> Decision | None:
    """Return what would block a termination if it were due now; None where nothing does."""
    decision = decide_end(facts, row.ended_by == VENDOR, policy, services.clock.now())
    return None if decision.allowed else decision


def _by_vendor(customer_id: UUID, behavior: str, evidence: str, actor: str, now: datetime) -> TerminationRow:
    return TerminationRow(new_id(), customer_id, VENDOR, behavior, evidence.strip(), "", now, actor)


async def _tell(
    tx: AsyncConnection, decision: Decision, customer_id: UUID, termination_id: UUID, due_at: datetime
) -> None:
    """Tell a customer that the account will end, and when (NX-37, NX-40)."""
    told = {"termination_id": str(termination_id), "due_at": instant(due_at)}
    kind = Effect(decision.code.value)
    await outbox.add(tx, kind=kind, subject=str(customer_id), payload=told, now=decision.evaluated_at)


async def _audited(tx: AsyncConnection, decision: Decision, customer_id: UUID, actor: str, action: str) -> None:
    told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
    await audit.record(tx, told, actor=actor, action=action)
