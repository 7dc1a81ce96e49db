"""What a product is beside its name and price: what it requires, what a bundle consists of, whether it is on sale."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.product import (
    Catalogue,
    ProductFacts,
    ProductKind,
    ProductState,
    bundles_with,
    circle,
    decide_state,
    missing,
)
from tillkey_server.store import audit, products
from tillkey_server.store.products import ProductRow
from tillkey_server.usecases.retirement import cancel_of_retired
from tillkey_server.usecases.services import Services

MAX_NAMED = 50
MAX_DAYS = 30
"""The longest refund window of a product's own (CJ-01); a vendor who gives all products more says so in the terms."""
MAX_ADVERTISED = 20_000


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said of a product; None: nothing new. An empty list takes away what was said."""

    kind: ProductKind | None = None
    family: str | None = None
    requires: Sequence[str] | None = None
    parts: Sequence[str] | None = None
    advertised: Mapping[str, object] | None = None
    refund_days: int | None = None

    def values(self) -> dict[str, object]:
        """Return the columns to write. Raises BadInput, naming the field."""
        for field, codes in (("requires", self.requires), ("parts", self.parts)):
            if codes is not None and (len(codes) > MAX_NAMED or len(set(codes)) != len(codes)):
                raise BadInput(field, f"must be at most {MAX_NAMED} codes, each of them once")
        if self.refund_days is not None and not 0 <= self.refund_days <= MAX_DAYS:
            raise BadInput("refund_days", f"must be from 0 to {MAX_DAYS}")
        if self.advertised is not None and len(json.dumps(dict(self.advertised))) > MAX_ADVERTISED:
            raise BadInput("advertised", f"must be at most {MAX_ADVERTISED} characters of JSON")
        named: dict[str, object | None] = {
            "kind": None if self.kind is None else self.kind.value,
            "family": self.family,
            "requires": None if self.requires is None else list(self.requires),
            "parts": None if self.parts is None else list(self.parts),
            "advertised": None if self.advertised is None else dict(self.advertised),
            "refund_days": self.refund_days,
        }
        return {column: value for column, value in named.items() if value is not None}


def facts_of(row: ProductRow) -> ProductFacts:
    """Return a product as the rules take it."""
    return ProductFacts(row.code, tuple(row.requires or ()), tuple(row.parts or ()), row.offline_at, row.retired_at)


def catalogue_of(rows: Iterable[ProductRow]) -> Catalogue:
    """Return products as the rules take them, by code."""
    return {row.code: facts_of(row) for row in rows}


async def check_links(tx: AsyncConnection, code: str, told: Told) -> None:
    """Raise BadInput where a product would name what there is not, or lead back to itself (NX-10, BC-21).

    All products are locked, so that two changes at once cannot close a circle between them.
    """
    if told.requires is None and told.parts is None:
        return
    known = dict(catalogue_of(await products.all_of(tx, lock=True)))
    own = known[code]
    requires = own.requires if told.requires is None else tuple(told.requires)
    parts = own.parts if told.parts is None else tuple(told.parts)
    for field, codes in (("requires", requires), ("parts", parts)):
        unknown = next(missing(codes, known), None)
        if unknown is not None:
            raise BadInput(field, f"{unknown} is no product")
    known[code] = ProductFacts(code, requires, parts, own.offline_at, own.retired_at)
    way = circle(code, known)
    if way:
        raise BadInput("parts" if told.parts else "requires", f"leads back to itself: {' > '.join(way)}")


async def set_state(services: Services, code: str, to: ProductState, *, actor: str) -> Decision:
    """Take a product off sale, put it on sale again, or end its sale for good. Raises NotFound.

    What was sold is not touched: every till goes on, installs anew and updates (BC-20). What is sold no more renews
    itself no more: its subscriptions are cancelled with the period that is paid for (BC-23), after the retirement is on
    record; who asks for the retirement again has left over ones cancelled too.
    """
    async with services.db.writing() as tx:
        known = await products.all_of(tx, lock=True)
        row = next((one for one in known if one.code == code), None)
        if row is None:
            raise NotFound("product", code)
        catalogue = catalogue_of(known)
        now = services.clock.now()
        policy = services.policies.offered(row.policy_name)
        decision = decide_state(catalogue[code], to, bundles_with(code, catalogue), policy, now)
        if decision.allowed:
            written: Mapping[ProductState, Mapping[str, object]] = {
                ProductState.OFFLINE: {"offline_at": row.offline_at or now},
                ProductState.ONLINE: {"offline_at": None},
                ProductState.RETIRE: {"retired_at": now},
            }
            await products.change(tx, row.id, written[to])
        await audit.record(tx, decision, actor=actor, action=f"product_{to.value}")
    if to is ProductState.RETIRE:
        await cancel_of_retired(services, row.id, actor=actor)
    return decision
