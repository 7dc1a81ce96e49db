"""What customers have to their credit: shown, spent, and paid out. A balance is the sum of its entries (I7)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Outcome, Refusal, instant
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.store import audit, balances, customers, licenses
from tillkey_server.store.balances import EntryRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.services import Services, settled

SPENT = "spent"
CLAUSES = ("X-10", "K-07")
HOLD = ("K-13",)
"""What cites that a legal hold keeps money back."""
_MAX_REFERENCE = 200


@dataclass(frozen=True, slots=True)
class _Way:
    """How money leaves a balance: the entry's kind, the answer, the audited act; whether a legal hold keeps it."""

    kind: str
    code: RefundCode
    action: str
    clauses: tuple[str, ...]
    held_back: bool = False


_SPENT = _Way(SPENT, RefundCode.BALANCE_SPENT, "balance_spend", CLAUSES)
_PAID_OUT = _Way("paid_out", RefundCode.BALANCE_PAID_OUT, "balance_pay_out", ("NX-41", *CLAUSES), held_back=True)


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
    return await _taken(services, customer_id, amount, reference, _SPENT, actor, scope)


async def pay_out_balance(
    services: Services, customer_id: UUID, *, amount: Money, reference: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Note that an amount of a customer's balance was paid out, as the payment that `reference` names (NX-41).

    Told again it is taken once. Refused (`balance_too_low`) where less is left, and (`legal_hold`) while anything of
    the customer's is on legal hold (K-13). Raises NotFound, and BadInput naming the field.
    """
    return await _taken(services, customer_id, amount, reference, _PAID_OUT, actor, scope)


async def _taken(
    services: Services, customer_id: UUID, amount: Money, reference: str, way: _Way, actor: str, scope: Scope
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
            # The lock makes of two who spend at once one after the other: a sum has no row of its own to lock.
            if await customers.seen(tx, customer_id, scope, lock=True) is None:
                raise NotFound("customer", str(customer_id))
            known = await balances.by_reference(tx, way.kind, own)
            if known is not None:
                if (known.amount_minor, known.currency) != (-amount.minor, amount.currency):
                    raise BadInput("reference", "names another amount that was taken already")
                return await _shown(tx, customer_id)
            since = await licenses.legal_hold_of(tx, customer_id) if way.held_back else None
            if since is not None:
                await _note(services, tx, customer_id, Refusal.LEGAL_HOLD, amount, way, actor)
                return RefusalAnswer(Refusal.LEGAL_HOLD, "", HOLD, facts={"since": instant(since)})
            left = (await balances.sums(tx, customer_id)).get(amount.currency, 0)
            code = way.code if amount.minor <= left else RefundCode.BALANCE_TOO_LOW
            await _note(services, tx, customer_id, code, amount, way, actor)
            if code is RefundCode.BALANCE_TOO_LOW:
                shown = {"left": Money(left, amount.currency).display(), "amount": amount.display()}
                return RefusalAnswer(code, "", way.clauses, facts=shown)
            entry = EntryRow(
                new_id(), customer_id, amount.currency, -amount.minor, way.kind, own, services.clock.now(), actor
            )
            await balances.add(tx, entry)
            return await _shown(tx, customer_id)

    return await settled(attempt)


async def _note(
    services: Services,
    tx: AsyncConnection,
    customer_id: UUID,
    code: RefundCode | Refusal,
    amount: Money,
    way: _Way,
    actor: str,
) -> None:
    await audit.append(
        tx,
        at=services.clock.now(),
        actor=actor,
        action=way.action,
        outcome=(Outcome.ALLOW if code is way.code else Outcome.DENY).value,
        code=code.value,
        clauses=HOLD if code is Refusal.LEGAL_HOLD else way.clauses,
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
