"""Gathering what decides a renewal, and the version of the terms that decides it (K-09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant
from tillkey_server.money import Money
from tillkey_server.rules.better import may_apply
from tillkey_server.rules.order_line import TRIAL
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import Asked, Prices, RenewalFacts, Ruling, decide_under_both
from tillkey_server.store import products
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import Bought, bought_by, history_of


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is on record about a license that may be renewed; `sold_under` are the terms that it was bought under."""

    facts: RenewalFacts
    sold_under: Policy
    bought: Bought
    product: ProductRow


async def product_of(tx: AsyncConnection, row: LicenseRow, *, still: bool = False) -> ProductRow:
    """Return the product of a license; `still`: nobody retires it before the transaction ends (BC-23)."""
    product = await products.by_id(tx, row.product_id, still=still)
    if product is None:
        raise BrokenInvariant(f"license {row.id} has no product")
    return product


async def gather(services: Services, tx: AsyncConnection, row: LicenseRow, *, still: bool = False) -> Gathered:
    """Read what decides a renewal of a license; `still`: nobody retires its product meanwhile (BC-23)."""
    product = await product_of(tx, row, still=still)
    sold_under = await services.policies.of(tx, row.policy_ref)
    bought = await bought_by(tx, row)
    facts = RenewalFacts(
        license=row.facts,
        history=await history_of(tx, row, sold_under, bought),
        prices=_prices(bought, product),
        channel=bought.order.channel,
        is_trial=bought.order.channel == TRIAL,
        offline_at=product.offline_at,
        retired_at=product.retired_at,
    )
    return Gathered(facts, sold_under, bought, product)


def governed(services: Services, found: Gathered, asked: Asked, now: datetime) -> Ruling:
    """Return the version of the terms that decides a renewal, and its quote.

    That is the one that the license was sold under, or today's where that says so and is better for the customer.
    """
    return decide_under_both(found.facts, asked, found.sold_under, _later(services, found.sold_under), now)


def lengths_of(services: Services, found: Gathered) -> tuple[int, ...]:
    """Return the lengths in months that are on offer for a license, the usual one first; none where none is."""
    sold_under = found.sold_under
    later = _later(services, sold_under)
    offering = (sold_under, later) if may_apply(sold_under, later) else (sold_under,)
    return tuple(dict.fromkeys(n for one in offering if one.renewal is not None for n in one.renewal.months))


def _later(services: Services, sold_under: Policy) -> Policy:
    """Return today's version of terms; a vendor may have taken the file away, then those of the sale are the last."""
    return services.policies.offered(sold_under.name) if sold_under.name in services.policies.names() else sold_under


def _prices(bought: Bought, product: ProductRow) -> Prices:
    line = bought.line
    paid = Money(line.price_minor, line.currency)
    listed = paid if line.list_price_minor is None else Money(line.list_price_minor, line.currency)
    return Prices(listed=listed, paid=paid, today=Money(product.price_minor, product.currency))
