"""A purchase code of another marketplace becomes a license, once (NX-44).

It is taken in under the terms of today, whenever it was bought: the taking in is what is offered, and what was shown at
the purchase were the marketplace's terms, not a version of ours (K-09).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.clocks import clocks_at_issue, months_end
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.imported import Claimed, ImportFacts, decide_import
from tillkey_server.store import audit, chains, customers, licenses, orders, products, purchase_codes
from tillkey_server.store.customers import CustomerRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.orders import OrderLineRow, OrderRow
from tillkey_server.store.purchase_codes import PurchaseCodeRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.channel import check_past
from tillkey_server.usecases.customer import address_of, ensured
from tillkey_server.usecases.issuing import IssuedLicense, Sale, insert_licenses
from tillkey_server.usecases.services import Services, settled
from tillkey_server.usecases.terms import bought_by, recompute

_CODE = re.compile(r"[0-9a-z][0-9a-z-]{7,79}")


@dataclass(frozen=True, slots=True)
class PurchaseCode:
    """What the customer brought: the code, bought at `purchased_at` with `months` of support.

    `supported_until` is the marketplace's word on its end, where it gave one.
    """

    channel: str
    code: str = field(repr=False)
    product: str
    months: int
    purchased_at: datetime
    supported_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The license that a code stands for; its key is in the answer that made it alone."""

    is_new: bool
    license: IssuedLicense
    decision: Decision


async def import_purchase_code(
    services: Services, brought: PurchaseCode, *, customer_email: str, actor: str, scope: Scope = EVERYTHING
) -> Imported | RefusalAnswer:
    """Turn a purchase code into a license, or find the one that it is.

    Raises BadInput, naming the field, and NotFound for the product or, where the caller is limited, the customer.
    """
    email = address_of(customer_email, "customer")
    code_hash = hash_of(services, brought.channel, brought.code)

    async def attempt() -> Imported | RefusalAnswer:
        now = services.clock.now()
        check_past("purchased_at", brought.purchased_at, now, "give the time of the purchase")
        async with services.db.writing() as tx:
            sold = await products.by_code(tx, brought.product)
            if sold is None or not scope.admits_product(sold.id):
                raise NotFound("product", brought.product)
            row = CustomerRow(new_id(), email, email.casefold(), now)
            known = await customers.by_email_key(tx, row.email_key)
            if scope.customers is not None:
                known = await ensured(tx, row, scope)
            claim = await purchase_codes.by_code(tx, brought.channel, code_hash)
            policy = services.policies.offered(sold.policy_name)
            held = None if claim is None else await _held(tx, claim)
            kept = None if claim is None or held is None else await kept_until(services, tx, claim, held)
            facts = ImportFacts(brought.channel, brought.months, _claimed(held, known), brought.supported_until, kept)
            decision = decide_import(facts, policy, now)
            if not decision.allowed:
                await audit.record(tx, decision, actor=actor, action="license_import")
                return refusal_of(decision)
            if claim is not None and held is not None:
                if facts.later is not None:
                    await prolong(services, tx, claim, held, facts.later, now)
                await audit.record(tx, decision, actor=actor, action="license_import", license_id=held.id)
                return Imported(is_new=False, license=IssuedLicense(held.id, None, held.key_hint), decision=decision)
            sale = Sale(sold, known or await customers.ensure(tx, row), policy, 1, now, brought.purchased_at)
            made = await _insert(services, tx, sale, brought, code_hash)
            await audit.record(tx, decision, actor=actor, action="license_import", license_id=made.license_id)
            return Imported(is_new=True, license=made, decision=decision)

    return await settled(attempt)


def hash_of(services: Services, channel: str, text: str, field: str = "code") -> bytes:
    """Return by what a purchase code is known, however it is written. Raises BadInput for what is none."""
    code = text.strip().lower()
    if not _CODE.fullmatch(code):
        raise BadInput(field, "must be 8 to 80 letters, digits and dashes")
    return services.pepper.hash_purchase_code(channel, code)


def _claimed(held: LicenseRow | None, known: CustomerRow | None) -> Claimed:
    if held is None:
        return Claimed.NOBODY
    return Claimed.SAME if known is not None and held.customer_id == known.id else Claimed.OTHER


async def _held(tx: AsyncConnection, claim: PurchaseCodeRow) -> LicenseRow:
    """Return the license that a code became, locked."""
    row = await licenses.by_id(tx, claim.license_id, lock=True)
    if row is None:
        raise BrokenInvariant("a purchase code of no license")
    return row


async def kept_until(
    services: Services, tx: AsyncConnection, claim: PurchaseCodeRow, held: LicenseRow
) -> datetime | None:
    """Return the end of support that came with a code: the marketplace's, or the months that were chosen."""
    if claim.supported_until is not None:
        return claim.supported_until
    bought = await bought_by(tx, held)
    timezone = (await services.policies.of(tx, held.policy_ref)).timezone
    months = bought.line.term_months
    return None if months is None else months_end(held.clocks_from or bought.order.paid_at, months, timezone)


async def prolong(
    services: Services, tx: AsyncConnection, claim: PurchaseCodeRow, held: LicenseRow, until: datetime, now: datetime
) -> None:
    """Keep the later end that the marketplace tells, and fold the license's clocks from it."""
    await chains.hold_still(tx, held.id)
    await purchase_codes.set_supported_until(tx, claim.id, until)
    await recompute(tx, held, await services.policies.of(tx, held.policy_ref), now)


async def _insert(
    services: Services, tx: AsyncConnection, sale: Sale, brought: PurchaseCode, code_hash: bytes
) -> IssuedLicense:
    order = OrderRow(new_id(), brought.channel, code_hash.hex(), sale.customer.id, brought.purchased_at, sale.now)
    await orders.insert(tx, order)
    line = OrderLineRow(
        id=new_id(),
        order_id=order.id,
        position=0,
        product_id=sale.product.id,
        quantity=1,
        price_minor=0,
        currency=sale.product.currency,
        policy_name=sale.policy.name,
        policy_version=sale.policy.version,
        list_price_minor=sale.product.price_minor,
        advertised=sale.product.advertised,
        refund_days=sale.product.refund_days,
        term_months=brought.months,
    )
    await orders.insert_line(tx, line)
    until = brought.supported_until or months_end(brought.purchased_at, brought.months, sale.policy.timezone)
    given = clocks_at_issue(brought.purchased_at, sale.policy, own_days=line.refund_days)
    clocks = replace(given, support_until=until, updates_until=until)
    [made] = await insert_licenses(services, tx, sale, line, clocks)
    claim = PurchaseCodeRow(
        new_id(), brought.channel, code_hash, made.license_id, sale.customer.id, sale.now, brought.supported_until
    )
    await purchase_codes.insert(tx, claim)
    return made
