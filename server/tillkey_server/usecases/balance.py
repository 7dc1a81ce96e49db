"""What customers have to their credit: shown, and spent. A balance is the sum of its entries (I7)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Outcome, instant
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.store import audit, balances, customers
from tillkey_server.store.balances import EntryRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.services import Services, settled

SPENT = "spent"
CLAUSES = ("X-10", "K-07")
_MAX_REFERENCE = 200


async def get_balance(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return a customer's balance in each currency, and the newest entries. Raises NotFound."""
    async with services.db.reading() as tx:
        if await customers.seen(tx, customer_id, scope) is None:
            raise NotFound("customer", str(customer_id))
        return await _shown(tx, customer_id)


async def spend_balance(
    services: Services, customer_id: UUID, *, amount: Money, reference: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Take an amount from a customer's balance, for what `reference` names; told again it is taken once.

    Refused (`balance_too_low`) where less is left. Raises NotFound, and BadInput naming the field.
    """
    named = reference.strip()
    if not (0 < len(named) <= _MAX_REFERENCE and named.isprintable()):
        raise BadInput("reference", f"must be 1 to {_MAX_REFERENCE} printable characters")
    if amount.minor <= 0:
        raise BadInput("amount", "must be more than nothing")

    # One customer's words are nobody else's: neither taken by them nor told to them (I13).
    own = f"{customer_id}:{named}"

    async def attempt() -> dict[str, object] | RefusalAnswer:
        async with services.db.writing() as tx:
            # The lock makes of two who spend at once one after the other: a sum has no row of its own to lock.
            if await customers.seen(tx, customer_id, scope, lock=True) is None:
                raise NotFound("customer", str(customer_id))
            known = await balances.by_reference(tx, SPENT, own)
            if known is not None:
                if (known.amount_minor, known.currency) != (-amount.minor, amount.currency):
                    raise BadInput("reference", "names another amount that was spent already")
                return await _shown(tx, customer_id)
            left = (await balances.sums(tx, customer_id)).get(amount.currency, 0)
            code = RefundCode.BALANCE_SPENT if amount.minor <= left else RefundCode.BALANCE_TOO_LOW
            await _note(services, tx, customer_id, code, amount, actor)
            if code is RefundCode.BALANCE_TOO_LOW:
                shown = {"left": Money(left, amount.currency).display(), "amount": amount.display()}
                return RefusalAnswer(code, "", CLAUSES, facts=shown)
            entry = EntryRow(
                new_id(), customer_id, amount.currency, -amount.minor, SPENT, own, services.clock.now(), actor
            )
            await balances.add(tx, entry)
            return await _shown(tx, customer_id)

    return await settled(attempt)


async def _note(
    services: Services, tx: AsyncConnection, customer_id: UUID, code: RefundCode, amount: Money, actor: str
) -> None:
    await audit.append(
        tx,
        at=services.clock.now(),
        actor=actor,
        action="balance_spend",
        outcome=(Outcome.ALLOW if code is RefundCode.BALANCE_SPENT else Outcome.DENY).value,
        code=code.value,
        clauses=CLAUSES,
        facts={"customer": str(customer_id), "amount": amount.display()},
    )


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
