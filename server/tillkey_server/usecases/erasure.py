"""Erasing a customer: every license is terminated for good, and what was about a person goes (NX-38).

Keyed hashes of license keys stay on the terminated licenses: they are the tombstones by which a key that turns up again
is told `license_terminated`. A backup of before brings a customer back: `erase_again` does it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING
from tillkey_server.rules.account import AccountCode
from tillkey_server.rules.decision import Outcome, Refusal, instant
from tillkey_server.rules.standing import Event, advance, decide_change
from tillkey_server.store import audit, chains, customers, erasure, leases, licenses, terminations
from tillkey_server.store.terminations import SORTS, TerminationRow, TombstoneRow
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services

MAX_AGAIN = 1000


@dataclass(frozen=True, slots=True)
class ErasedAgain:
    """Which customers were erased again, which were already, which a legal hold keeps, and which nobody knows."""

    erased: tuple[UUID, ...]
    already: tuple[UUID, ...]
    held: tuple[UUID, ...]
    unknown: tuple[UUID, ...]

    def shown(self) -> dict[str, object]:
        """Return it as people see it."""
        return {field.name: [str(one) for one in getattr(self, field.name)] for field in fields(self)}


async def erase_customer(services: Services, tx: AsyncConnection, customer_id: UUID, *, actor: str) -> None:
    """Terminate a customer's licenses and erase its data; the customer's row is locked and nothing blocks it."""
    held = await licenses.of_customer(tx, customer_id, lock=True)
    for row in held:
        await chains.hold_still(tx, row.id)
    now = services.clock.now()
    for row in held:
        policy = await services.policies.of(tx, row.policy_ref)
        decision = decide_change(row.facts, Event.TERMINATE, policy, now)
        if decision.allowed:
            after = advance(row.facts, Event.TERMINATE, now)
            await licenses.set_moments(tx, row.id, {"terminated_at": after.terminated_at})
            # As with a revocation: until when a till that cannot be reached works on (K-12).
            ends_at = instant(await leases.latest_exp_of_license(tx, row.id))
            decision = replace(decision, facts={**decision.facts, "lease_ends_at": ends_at})
            await audit.record(tx, decision, actor=actor, action="license_terminate", license_id=row.id)
        else:
            # Nothing changes for it but whose it was; what a heartbeat judged by before is over all the same.
            await chains.bump_of_license(tx, row.id)
    await erasure.erase(tx, customer_id)


async def erase_again(services: Services, customer_ids: Sequence[UUID], *, actor: str) -> ErasedAgain:
    """Erase customers whom a restored backup brought back; those who are erased stay so. Raises BadInput.

    A legal hold on anything of a customer's keeps all of it as it is (K-13, CJ-02), as it blocks the end itself: ask
    again once it is lifted.
    """
    if not 1 <= len(customer_ids) <= MAX_AGAIN:
        raise BadInput("customers", f"name 1 to {MAX_AGAIN} customers")
    found: dict[str, list[UUID]] = {field.name: [] for field in fields(ErasedAgain)}
    for customer_id in dict.fromkeys(customer_ids):
        async with services.db.writing() as tx:
            found[await _again(services, tx, customer_id, actor)].append(customer_id)
    return ErasedAgain(**{name: tuple(ids) for name, ids in found.items()})


async def _again(services: Services, tx: AsyncConnection, customer_id: UUID, actor: str) -> str:
    """Erase one customer if nothing keeps it; return which field of `ErasedAgain` it belongs to."""
    if await customers.seen(tx, customer_id, EVERYTHING, lock=True) is None:
        return "unknown"
    if await terminations.stone_of(tx, customer_id) is not None:
        return "already"
    # Locked before they are looked at, so that no hold comes in between.
    await licenses.of_customer(tx, customer_id, lock=True)
    now = services.clock.now()
    since = await licenses.legal_hold_of(tx, customer_id)
    if since is not None:
        await _noted(tx, customer_id, actor, now, since)
        return "held"
    await erase_customer(services, tx, customer_id, actor=actor)
    open_one = await terminations.open_of(tx, customer_id)
    if open_one is None:
        open_one = TerminationRow(new_id(), customer_id, "vendor", None, "", "", now, actor, now, actor, now)
        await terminations.insert(tx, open_one)
    await terminations.finish(tx, open_one, now)
    await _noted(tx, customer_id, actor, now)
    return "erased"


async def _noted(
    tx: AsyncConnection, customer_id: UUID, actor: str, now: datetime, hold: datetime | None = None
) -> None:
    """Write to the audit log that a customer was erased again, or that a legal hold keeps it."""
    await audit.append(
        tx,
        at=now,
        actor=actor,
        action="account_erase_again",
        outcome=(Outcome.ALLOW if hold is None else Outcome.DENY).value,
        code=(AccountCode.ACCOUNT_TERMINATED if hold is None else Refusal.LEGAL_HOLD).value,
        clauses=("NX-38",) if hold is None else ("K-13", "CJ-02"),
        facts={"customer": str(customer_id), **({} if hold is None else {"since": instant(hold)})},
    )


async def list_erased(
    services: Services, *, after: str | None = None, limit: int = DEFAULT_LIMIT, sort: str | None = None
) -> Page:
    """Return a page of the customers that were erased: what has to be erased again after a restore. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        found = await terminations.stones(tx, paging)
    return page_of(found, paging, show=_shown, key=lambda row: row.customer_id, sorts=SORTS)


def _shown(row: TombstoneRow) -> dict[str, object]:
    return {"customer_id": str(row.customer_id), "erased_at": instant(row.at)}
