"""Free installations: shown, and used when one was done (NX-19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, instant
from tillkey_server.rules.install_credit import CreditFacts, InstallCode, decide_use, gave_back
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import FROZEN, status_of
from tillkey_server.store import audit, install_credits, licenses, orders, support
from tillkey_server.store.install_credits import CreditRow
from tillkey_server.store.support import SupportRequestRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.issue_facts import records_of
from tillkey_server.usecases.seen import customer_of, living
from tillkey_server.usecases.services import Services


async def list_install_credits(
    services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING
) -> dict[str, object]:
    """Return a customer's free installations, and which of them are left. Raises NotFound."""
    async with services.db.reading() as tx:
        await customer_of(tx, customer_id, scope)
        now = services.clock.now()
        found = await install_credits.of_customer(tx, customer_id)
        facts = await facts_of(tx, found, now)
    return {"items": [_shown(row, one) for row, one in zip(found, facts, strict=True)]}


async def use_install_credit(
    services: Services,
    customer_id: UUID,
    *,
    actor: str,
    credit_id: UUID | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Use a customer's free installation, since it was done: the one that is named, else the oldest.

    Refused where it is used or void, or where none is left. Raises NotFound.
    """
    async with services.db.writing() as tx:
        await living(tx, customer_id, scope, lock=True)
        now = services.clock.now()
        held = await install_credits.of_customer(tx, customer_id, lock=True)
        policy = await _terms(services, tx, customer_id, held)
        if credit_id is not None and credit_id not in {row.id for row in held}:
            raise NotFound("install credit", str(credit_id))
        decision = decide_use(await facts_of(tx, held, now), policy, now, wanted=credit_id)
        if decision.allowed:
            await install_credits.use(tx, UUID(str(decision.facts["credit"])), at=now, by=actor)
        told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
        await audit.record(tx, told, actor=actor, action="install_credit_use")
    return decision


async def _terms(services: Services, tx: AsyncConnection, customer_id: UUID, held: tuple[CreditRow, ...]) -> Policy:
    """Return the terms under which the newest free installation was given; without one, those of the account."""
    line = await orders.line(tx, held[-1].order_line_id) if held else None
    if line is not None:
        return await services.policies.of(tx, line.policy_ref)
    return await accounts.terms_of(services, tx, customer_id)


async def facts_of(tx: AsyncConnection, credits_: Sequence[CreditRow], now: datetime) -> tuple[CreditFacts, ...]:
    """Return free installations as the rules take them, in their order."""
    held = await licenses.of_order_lines(tx, {row.order_line_id for row in credits_})
    alive = {one.order_line_id for one in held if status_of(one.facts, now) not in FROZEN}
    back = await _given_back(tx, credits_, now)
    return tuple(
        CreditFacts(row.id, row.granted_at, None if row.id in back else row.used_at, row.order_line_id in alive)
        for row in credits_
    )


async def _given_back(tx: AsyncConnection, credits_: Sequence[CreditRow], now: datetime) -> set[UUID]:
    """Return the free installations whose last use was a request that gave them back.

    A request uses one at the instant at which it is put on record: by that instant it is known.
    """
    used = {row.order_line_id: row for row in credits_ if row.used_at is not None}
    code = InstallCode.INSTALL_CREDIT_USED.value
    taken = await support.taken_for_lines(tx, code, used.keys()) if used else ()
    users = [(used[line].id, one) for line, one in taken if one.created_at == used[line].used_at]
    records = await records_of(tx, [one for _, one in users], now)
    kept = {credit for credit, one in users if not gave_back(records[one.id])}
    return {credit for credit, _ in users} - kept


async def credit_of(tx: AsyncConnection, row: SupportRequestRow, now: datetime) -> CreditFacts | None:
    """Return the free installation of a request's license, locked."""
    held = None if row.license_id is None else await licenses.by_id(tx, row.license_id)
    rows = () if held is None else await install_credits.of_line(tx, held.order_line_id, lock=True)
    return next(iter(await facts_of(tx, rows, now)), None)


def _shown(row: CreditRow, facts: CreditFacts) -> dict[str, object]:
    return {
        "id": str(row.id),
        "state": facts.state,
        "granted_at": instant(row.granted_at),
        "used_at": instant(facts.used_at),
    }
