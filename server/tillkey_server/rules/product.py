"""What a product is beside its name and price, and what may not be said of it.

1. What a product requires, and what a bundle consists of, leads nowhere back to itself: not by requirements, not by
   parts, not through both (NX-10, BC-21).
2. A product is on sale while it is neither offline nor retired; a bundle, while all of its parts are, at any depth
   (BC-19, BC-21, BC-22). Nothing of that touches what was sold (BC-20): what was paid before it was taken off sale is
   sold, however late the payment is told (decided reading 1).
3. Retired is for good: what comes back is another product (BC-22).
4. A bundle sells its parts: each leaf is a line with a share of the price by list prices, rounded by largest remainder,
   ties to the earlier part (K-07).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tillkey_server.rules.decision import Decision, allow, deny, instant
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import OffSale, SaleCode


class ProductKind(StrEnum):
    """What a product is in its vendor's catalogue."""

    CORE = "core"
    MODULE = "module"


class ProductState(StrEnum):
    """What may be done to a product's sale."""

    OFFLINE = "offline"
    ONLINE = "online"
    RETIRE = "retire"


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What decides about one product's sale."""

    code: str
    requires: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    offline_at: datetime | None = None
    retired_at: datetime | None = None


Catalogue = Mapping[str, ProductFacts]


def circle(code: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the way on which a product leads back to itself, by requirements and parts; empty where none does."""
    found: tuple[str, ...] = ()

    def walk(at: str, way: tuple[str, ...], seen: set[str]) -> None:
        nonlocal found
        one = catalogue.get(at)
        for following in () if one is None else (*one.requires, *one.parts):
            if following == code and not found:
                found = (*way, following)
            if following not in seen:
                seen.add(following)
                walk(following, (*way, following), seen)

    walk(code, (code,), set())
    return found


def off_sale(code: str, catalogue: Catalogue, paid_at: datetime | None = None) -> tuple[OffSale | None, str | None]:
    """Return why a product is not sold, and by which part where it is a bundle (sentence 2).

    `paid_at` is when it was paid; None: it is not.
    """
    one = catalogue[code]
    if one.retired_at is not None and _reaches(one.retired_at, paid_at):
        return OffSale.RETIRED, None
    if one.offline_at is not None and _reaches(one.offline_at, paid_at):
        return OffSale.OFFLINE, None
    gone = next((part for part in one.parts if off_sale(part, catalogue, paid_at)[0] is not None), None)
    return (None, None) if gone is None else (OffSale.PART, gone)


def _reaches(since: datetime, paid_at: datetime | None) -> bool:
    return paid_at is None or since <= paid_at


def leaves(code: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return what a bundle sells, in order and at any depth; of a product that is none, itself."""
    parts = catalogue[code].parts
    return tuple(leaf for part in parts for leaf in leaves(part, catalogue)) if parts else (code,)


def bundles_with(code: str, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the bundles that contain a product, at any depth, by code."""

    def contains(at: str) -> bool:
        return any(part == code or contains(part) for part in catalogue[at].parts)

    return tuple(sorted(one for one in catalogue if contains(one)))


def shares(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Return an amount in minor units in parts by weight, which add up to it (sentence 4); alike where all weigh 0."""
    weighed = list(weights) if any(weights) else [1] * len(weights)
    total = sum(weighed)
    whole = [amount * one // total for one in weighed]
    rest = [amount * one % total for one in weighed]
    by_rest = sorted(range(len(weighed)), key=lambda at: (-rest[at], at))
    for at in by_rest[: amount - sum(whole)]:
        whole[at] += 1
    return tuple(whole)


def decide_state(
    facts: ProductFacts, to: ProductState, bundles: tuple[str, ...], policy: Policy, now: datetime
) -> Decision:
    """Decide whether a product goes offline, online or for good; facts `product`, `bundles` (which go with it)."""
    shown = {"product": facts.code, "bundles": list(bundles)}
    terms = policy.sale
    if facts.retired_at is not None:
        return deny(
            SaleCode.PRODUCT_RETIRED,
            clauses=policy.issue_clauses if terms is None else terms.clauses.retired,
            policy=policy.ref,
            now=now,
            facts=shown | {"since": instant(facts.retired_at)},
            options=("add_product",),
        )
    code, cited = {
        ProductState.OFFLINE: (
            SaleCode.PRODUCT_OFFLINE_SERVICE_CONTINUES,
            () if terms is None else terms.clauses.service + terms.clauses.bundle,
        ),
        ProductState.ONLINE: (SaleCode.PRODUCT_ONLINE, () if terms is None else terms.clauses.on_sale),
        ProductState.RETIRE: (SaleCode.PRODUCT_RETIRED, () if terms is None else terms.clauses.retired),
    }[to]
    return allow(code, clauses=cited or policy.issue_clauses, policy=policy.ref, now=now, facts=shown)


def missing(codes: Sequence[str], catalogue: Catalogue) -> Iterator[str]:
    """Yield the codes of no product."""
    yield from (code for code in codes if code not in catalogue)
