"""Valid requests about refunds and balances."""

from typing import Any
from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.administration.licenses import CONCERNS, about
from tests.support.house import AGENT
from tillkey_server.ids import new_id, new_token
from tillkey_server.money import Money
from tillkey_server.store import balances, licenses
from tillkey_server.store.balances import EntryRow
from tillkey_server.usecases.refund import decide_pending, request_refund
from tillkey_server.usecases.refund_asking import Asking

UNHEARD = "unheard_of"
"""A reason that no terms know, so that a person decides."""


async def asked(shelf: Shelf) -> tuple[Any, str]:
    """Sell a license and ask for a refund that a person must decide; return the license's id and the refund's."""
    sold = await shelf.house.license(shelf.product, shelf.customer)
    done = await request_refund(shelf.house.services, sold.license_id, Asking((UNHEARD,)), actor=AGENT)
    assert isinstance(done, dict)
    return sold.license_id, str(done["id"])


def pending(body: dict[str, Any] | None = None, *, grant: bool = False) -> Make:
    """Return the maker of a request about a refund that is pending, or granted."""

    async def make(shelf: Shelf) -> Example:
        _, refund_id = await asked(shelf)
        if grant:
            services = shelf.house.services
            await decide_pending(services, UUID(refund_id), grant=True, reason="a good customer", actor=AGENT)
        return Example({"refund_id": refund_id}, body=body, missing={"refund_id": NOBODY}, concerns=CONCERNS)

    return make


async def _list(shelf: Shelf) -> Example:
    await asked(shelf)
    return Example()


def _balance(body: dict[str, Any] | None = None) -> Make:
    async def make(shelf: Shelf) -> Example:
        sold = await shelf.house.license(shelf.product, shelf.customer)
        services = shelf.house.services
        async with services.db.writing() as tx:
            held = await licenses.by_id(tx, sold.license_id)
            assert held is not None
            now = services.clock.now()
            entry = EntryRow(
                new_id(), held.customer_id, "EUR", Money(5000, "EUR").minor, "adjusted", new_token(), now, AGENT
            )
            await balances.add(tx, entry)
        told = None if body is None else {**body, "reference": new_token()}
        place = {"customer_id": str(held.customer_id)}
        return Example(place, body=told, missing={"customer_id": NOBODY}, concerns=("customer",))

    return make


EXAMPLES: dict[str, Make] = {
    "preview_refund": about({"reasons": ["any"], "language": "fr"}),
    "request_refund": about({"reasons": [UNHEARD], "by_email": True, "explanation": "it does not start"}),
    "list_refunds": _list,
    "get_refund": pending(),
    "decide_refund": pending({"decision": "grant", "reason": "a good customer"}),
    "attest_destruction": pending({"statement": "every copy is destroyed"}, grant=True),
    "pay_out_refund": pending({}, grant=True),
    "fail_payout_of_refund": pending({"failure": "the account is closed"}, grant=True),
    "get_balance": _balance(),
    "spend_balance": _balance({"amount": "1.00 EUR"}),
    "pay_out_balance": _balance({"amount": "1.00 EUR"}),
}
