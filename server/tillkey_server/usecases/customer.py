"""Customers: the buyers' records, each found by its e-mail address in folded case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Grant, Outcome, Refusal, instant
from tillkey_server.store import audit, customers
from tillkey_server.store.customers import SORTS, CustomerRow
from tillkey_server.store.erasure import NOWHERE
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.seen import customer_of, living
from tillkey_server.usecases.services import Services

_MAX_EMAIL = 254


@dataclass(frozen=True, slots=True)
class AddedCustomer:
    """A customer, and whether there was none of that address before."""

    is_new: bool
    shown: Mapping[str, object]


async def add_customer(services: Services, email: str, *, scope: Scope = EVERYTHING) -> AddedCustomer:
    """Return the customer of an address, made if there is none. Raises BadInput.

    A caller with limits makes none: raises NotFound for an address that it does not see.
    """
    address = address_of(email, "email")
    async with services.db.writing() as tx:
        row = CustomerRow(new_id(), address, address.casefold(), services.clock.now())
        if not scope.unlimited:
            known = await customers.by_email_key(tx, row.email_key)
            if known is None or await customers.seen(tx, known.id, scope) is None:
                raise NotFound("customer", "of this address")
        found = await customers.ensure(tx, row)
    return AddedCustomer(found.id == row.id, shown(found))


async def list_customers(
    services: Services,
    *,
    email: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of customers; `email` finds the one of that address. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    key = None if email is None else address_of(email, "email").casefold()
    async with services.db.reading() as tx:
        found = await customers.page(tx, paging, scope, email_key=key)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=SORTS)


async def get_customer(services: Services, customer_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one customer. Raises NotFound."""
    async with services.db.reading() as tx:
        return shown(await customer_of(tx, customer_id, scope))


async def change_customer(
    services: Services, customer_id: UUID, *, email: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Give a customer another address; refused (`name_taken`) where another customer has it.

    A caller with limits changes none (`permission_denied`): the answer would tell whether an address that it does not
    see is known, and the customer may also be another's.

    The audit log notes that it was changed, and neither address (I16). Raises NotFound and BadInput.
    """
    address = address_of(email, "email")
    try:
        async with services.db.writing() as tx:
            known = await living(tx, customer_id, scope, lock=True)
            if not scope.unlimited:
                return RefusalAnswer(Refusal.PERMISSION_DENIED, "An API key with limits changes no address.", ("I13",))
            now, key = services.clock.now(), address.casefold()
            changed_at = known.readdressed_at if key == known.email_key else now
            await customers.readdress(tx, customer_id, email=address, email_key=key, at=changed_at)
            await audit.append(
                tx,
                at=now,
                actor=actor,
                action="customer_change",
                outcome=Outcome.ALLOW.value,
                code=Grant.CUSTOMER_CHANGED.value,
                facts={"customer": str(customer_id)},
            )
            row = await customers.by_id(tx, customer_id)
    except IntegrityError:
        return RefusalAnswer(Refusal.NAME_TAKEN, "Another customer has this e-mail address.")
    assert row is not None, "the row is locked"
    return shown(row)


async def ensured(tx: AsyncConnection, row: CustomerRow, scope: Scope) -> CustomerRow:
    """Return the customer to whom something is sold, made if there is none.

    A caller limited to customers makes none: raises NotFound for an address that it does not see.
    """
    if scope.customers is None:
        return await customers.ensure(tx, row)
    known = await customers.by_email_key(tx, row.email_key)
    if known is None or not scope.admits_customer(known.id):
        raise NotFound("customer", "of this address")
    return known


def shown(row: CustomerRow) -> dict[str, object]:
    """Return a customer as people see it."""
    return {"id": str(row.id), "email": row.email, "created_at": instant(row.created_at)}


def address_of(text: str, field: str) -> str:
    """Return an e-mail address without spaces around it. Raises BadInput, which does not repeat it.

    What stands in place of an address that was erased is none: nobody is sold anything by it (NX-38).
    """
    email = text.strip()
    local, at, domain = email.partition("@")
    plain = email.isprintable() and not any(character.isspace() for character in email)
    is_erased = domain.casefold() == NOWHERE
    if is_erased or not (local and at and domain and "@" not in domain and plain and len(email) <= _MAX_EMAIL):
        raise BadInput(field, "is not an e-mail address")
    return email
