"""What customers have to their credit: shown, spent, and paid out. A balance is the sum of its entries (I7)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.balance import BalanceFacts, Taking, decide_taking
from tillkey_server.rules.decision import instant
from tillkey_server.store import audit, balances, licenses
from tillkey_server.store.balances import EntryRow
from tillkey_server.usecases import accounts
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.seen import customer_of, living
from tillkey_server.usecases.services import Services, settled

_MAX_REFERENCE = 200
_KINDS = {Taking.SPEND: "spent", Taking.PAY_OUT: "paid_out"}
"""What an entry is called that took money away."""


async def get_balance(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return a customer's balance in each currency, and the newest entries. Raises NotFound."""
    async with services.db.reading() as tx:
        await customer_of(tx, customer_id, scope)
        return await _shown(tx, customer_id)


async def spend_balance(
    services: Services, customer_id: UUID, *, amount: Money, reference: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Take an amount from a customer's balance, for what `reference` names; told again it is taken once.

    Refused (`balance_too_low`) where less is left. Raises NotFound, and BadInput naming the field.
    """
    return await _taken(services, customer_id, amount, reference, Taking.SPEND, actor, scope)


async def pay_out_balance(
    services: Services, customer_id: UUID, *, amount: Money, reference: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Note that an amount of a customer's balance was paid out, as the payment that `reference` names (NX-41).

    Told again it is taken once. Refused (`balance_too_low`) where less is left, and (`legal_hold`) while anything of
    the customer's is on legal hold (K-13). Raises NotFound, and BadInput naming the field.
    """
    return await _taken(services, customer_id, amount, reference, Taking.PAY_OUT, actor, scope)


async def _taken(
    services: Services, customer_id: UUID, amount: Money, reference: str, taking: Taking, actor: str, scope: Scope
) -> dict[str, object] | RefusalAnswer:
    named = reference.strip()
    if not (0 < len(named) <= _MAX_REFERENCE and named.isprintable()):
        raise BadInput("reference", f"must be 1 to {_MAX_REFERENCE} printable characters")
    if amount.minor <= 0:
        raise BadInput("amount", "must be more than nothing")

    # One customer's words are nobody else's: neither taken by them nor told to them (I13).
    own = f"{customer_id}:{named}"

    async def attempt() -> dict[str, object] | RefusalAnswer:
        async with services.db.writing() as tx:
            # The lock makes of two who spend at once one after the other: a sum has no row of its own to lock. What
            # is left to somebody who was erased is still paid out; nobody spends it.
            found = living if taking is Taking.SPEND else customer_of
            await found(tx, customer_id, scope, lock=True)
            known = await balances.by_reference(tx, _KINDS[taking], own)
            if known is not None:
                if (known.amount_minor, known.currency) != (-amount.minor, amount.currency):
                    raise BadInput("reference", "names another amount that was taken already")
                return await _shown(tx, customer_id)
            left = (await balances.sums(tx, customer_id)).get(amount.currency, 0)
            facts = BalanceFacts(left, await licenses.legal_hold_of(tx, customer_id))
            policy = await accounts.terms_of(services, tx, customer_id)
            decision = decide_taking(taking, amount, facts, policy, services.clock.now())
            told = replace(decision, facts={**decision.facts, "customer": str(customer_id)})
            await audit.record(tx, told, actor=actor, action=f"balance_{taking.value}")
            if not decision.allowed:
                return refusal_of(decision)
            moved = (amount.currency, -amount.minor, _KINDS[taking], own, decision.evaluated_at)
            await balances.add(tx, EntryRow(new_id(), customer_id, *moved, actor))
            return await _shown(tx, customer_id)

    return await settled(attempt)


async def _shown(tx: AsyncConnection, customer_id: UUID) -> dict[str, object]:
    sums = await balances.sums(tx, customer_id)
    return {
        "customer_id": str(customer_id),
        "balances": [
            {"currency": currency, "amount": Money(total, currency).display()} for currency, total in sums.items()
        ],
        "entries": [_entry(one) for one in await balances.entries_of(tx, customer_id)],
    }


def _entry(row: EntryRow) -> dict[str, object]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "amount": Money(row.amount_minor, row.currency).display(),
        "reference": row.reference.removeprefix(f"{row.customer_id}:"),
        "at": instant(row.at),
    }
