"""Refunds: what was asked and decided, and what went back of which payment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, literal, or_, select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.order_line import LineKind
from tillkey_server.rules.policy import PolicyRef
from tillkey_server.rules.refund import Ends
from tillkey_server.rules.refund_facts import EarlierRefund, Item
from tillkey_server.store import rows, tables
from tillkey_server.store.columns import Instant
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request for a refund with its decision; it is open (`closed_at` None) while it is pending.

    `asked` is what was asked, as `usecases.refund_asking` writes and reads it.
    """

    id: UUID
    license_id: UUID
    asked_at: datetime
    recorded_at: datetime
    recorded_by: str
    asked: Mapping[str, Any]
    outcome: str
    code: str
    clauses: Sequence[str]
    facts: Mapping[str, Any]
    policy_name: str
    policy_version: int
    decided_at: datetime
    decided_by: str
    reason: str | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A granted refund; `amount_minor` is all that goes back, tax included. One that failed counts as never granted.

    `coupon_minor` is what of it goes back as a coupon (None: nothing). `paid_out_at` is when it was the customer's:
    credited, or paid and its coupon told to the shop.
    """

    id: UUID
    request_id: UUID
    license_id: UUID
    customer_id: UUID
    amount_minor: int
    tax_minor: int
    currency: str
    destination: str
    ends: str
    code: str
    granted_at: datetime
    active_at_grant: int
    effective_latest_at: datetime | None
    attested_at: datetime | None = None
    attested_by: str | None = None
    statement: str | None = None
    vouched: bool = False
    paid_out_at: datetime | None = None
    provider_refund_id: str | None = None
    failed_at: datetime | None = None
    failure: str | None = None
    used_after_at: datetime | None = None
    coupon_minor: int | None = None
    used_after_times: int | None = None
    used_after_last_at: datetime | None = None
    late_told_at: datetime | None = None
    email_hash: bytes | None = field(default=None, repr=False)
    domain_hash: bytes | None = field(default=None, repr=False)

    @property
    def money_minor(self) -> int:
        """Return what goes back as money."""
        return self.amount_minor - (self.coupon_minor or 0)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A customer's refunds of a product before he bought it again (CJ-05).

    `since`: asked for before, and granted since; `is_pending`: asked for before, and still open.
    """

    before: tuple[EarlierRefund, ...]
    since: tuple[EarlierRefund, ...]
    is_pending: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """What of a refund comes from which line of an order; of `minor` a part goes back as a coupon (None: nothing)."""

    refund_id: UUID
    order_line_id: UUID
    kind: str
    minor: int
    tax_minor: int
    coupon_minor: int | None = None


REFUNDED = "refund"
"""Why a subscription was cancelled that its refund ended."""
_R, _F, _P = tables.refund_request.c, tables.refund.c, tables.refund_part.c
_L = tables.license_.c
_REQUEST = select(*rows.columns_of(tables.refund_request, RequestRow))
_REFUND = select(*rows.columns_of(tables.refund, RefundRow))
USES_APART = timedelta(hours=1)
"""How far apart two uses of a refunded license are that count as two: a till that tries again and again is one."""
_TO_PAY = (_F.paid_out_at.is_(None), _F.failed_at.is_(None))
SORTS = {"recorded_at": Sort(_R.recorded_at, lambda row: row.recorded_at)}


def policy_of(row: RequestRow) -> PolicyRef:
    """Return by which version of the terms a request was decided."""
    return PolicyRef(row.policy_name, row.policy_version)


async def open_request(conn: AsyncConnection, license_id: UUID) -> RequestRow | None:
    """Return the request that is pending for a license; lock the license first."""
    return await rows.one(conn, _REQUEST.where(_R.license_id == license_id, _R.closed_at.is_(None)), RequestRow)


async def insert_request(conn: AsyncConnection, row: RequestRow) -> None:
    """Insert a request; IntegrityError (`one_open_refund_request_per_license`) where another one is open."""
    await rows.insert(conn, tables.refund_request, row)


async def decide_request(conn: AsyncConnection, row: RequestRow) -> None:
    """Write a new decision about an open request. Raises BrokenInvariant where it is not open any more."""
    values = rows.values_of(row)
    statement = tables.refund_request.update().where(_R.id == row.id, _R.closed_at.is_(None)).values(values)
    if await rows.changed(conn, statement) != 1:
        raise BrokenInvariant(f"refund request {row.id} was not open")


async def request_seen(conn: AsyncConnection, request_id: UUID, scope: Scope) -> RequestRow | None:
    """Return the request of that id if a caller sees its license."""
    return await rows.one(conn, _seen(scope).where(_R.id == request_id), RequestRow)


async def page(
    conn: AsyncConnection,
    paging: Paging,
    scope: Scope,
    *,
    license_id: UUID | None = None,
    customer_id: UUID | None = None,
    outcome: str | None = None,
    payout: str | None = None,
) -> tuple[RequestRow, ...]:
    """Return a page of the requests that a caller sees, and one more; narrowed by what is given.

    `payout`: `open` are those that were granted and are still to be paid, `late` those of them that are told to be.
    """
    statement = _seen(scope)
    if payout is not None:
        told = (_F.late_told_at.is_not(None),) if payout == "late" else ()
        statement = statement.where(exists().where(_F.request_id == _R.id, *_TO_PAY, *told))
    for column, wanted in ((_R.license_id, license_id), (_L.customer_id, customer_id), (_R.outcome, outcome)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    return await rows.many(conn, paged(statement, paging, key=_R.id, sorts=SORTS), RequestRow)


async def insert(conn: AsyncConnection, row: RefundRow, parts: Sequence[PartRow]) -> None:
    """Insert a granted refund with its parts; IntegrityError (`uq_refund_request_id`) where it was granted before."""
    await rows.insert(conn, tables.refund, row)
    for part in parts:
        await rows.insert(conn, tables.refund_part, part)


async def of_request(conn: AsyncConnection, request_id: UUID) -> RefundRow | None:
    """Return the refund that a request was granted."""
    return await rows.one(conn, _REFUND.where(_F.request_id == request_id), RefundRow)


async def of_requests(conn: AsyncConnection, request_ids: Collection[UUID]) -> dict[UUID, RefundRow]:
    """Return the refunds that some requests were granted, by the request."""
    found = await rows.many(conn, _REFUND.where(_F.request_id.in_(request_ids)), RefundRow)
    return {row.request_id: row for row in found}


async def unsettled_of(conn: AsyncConnection, customer_id: UUID) -> tuple[UUID, ...]:
    """Return which of a customer's refunds are not decided, or are granted and the money is still to go, by id."""
    mine = tables.refund_request.join(tables.license_, _L.id == _R.license_id)
    joined = mine.outerjoin(tables.refund, _F.request_id == _R.id)
    owed = and_(_F.id.is_not(None), _F.paid_out_at.is_(None), _F.failed_at.is_(None))
    statement = select(_R.id).select_from(joined).where(_L.customer_id == customer_id).order_by(_R.id)
    return tuple((await conn.execute(statement.where(or_(_R.closed_at.is_(None), owed)))).scalars())


async def to_pay(conn: AsyncConnection, *, after: UUID | None, limit: int) -> tuple[RefundRow, ...]:
    """Return refunds that are still to be paid and not told to be late, by id, from the one after `after` on."""
    statement = _REFUND.where(*_TO_PAY, _F.late_told_at.is_(None))
    if after is not None:
        statement = statement.where(_F.id > after)
    return await rows.many(conn, statement.order_by(_F.id).limit(limit), RefundRow)


async def told_late(conn: AsyncConnection, refund_id: UUID, at: datetime) -> bool:
    """Note that a payout was told to be late; return False where it was before, or is not to be paid any more."""
    statement = tables.refund.update().where(_F.id == refund_id, *_TO_PAY, _F.late_told_at.is_(None))
    return await rows.changed(conn, statement.values(late_told_at=at)) > 0


async def given_back(conn: AsyncConnection, refund_ids: Collection[UUID]) -> dict[UUID, tuple[int, datetime]]:
    """Return how many of the activations that some refunds ended their tills gave back since, and when the last was."""
    ended = tables.activation.c
    by_it = and_(ended.license_id == _F.license_id, ended.ended_at == _F.granted_at)
    statement = (
        select(_F.id, func.count(), func.max(ended.given_back_at))
        .select_from(tables.refund.join(tables.activation, by_it))
        .where(_F.id.in_(refund_ids), ended.given_back_at.is_not(None))
        .group_by(_F.id)
    )
    return {refund: (int(many), last) for refund, many, last in await conn.execute(statement)}


async def parts_of(conn: AsyncConnection, refund_id: UUID) -> tuple[PartRow, ...]:
    """Return what a refund is made of."""
    statement = select(*rows.columns_of(tables.refund_part, PartRow)).where(_P.refund_id == refund_id)
    return await rows.many(conn, statement.order_by(_P.order_line_id), PartRow)


async def refunded_of_license(conn: AsyncConnection, license_id: UUID) -> dict[UUID, tuple[int, int, int]]:
    """Return what went back for a license already, by order line: of the price, of the tax, as a coupon.

    What failed is not.
    """
    coupon = func.coalesce(func.sum(_P.coupon_minor), 0)
    statement = (
        select(_P.order_line_id, func.sum(_P.minor), func.sum(_P.tax_minor), coupon)
        .join(tables.refund, _F.id == _P.refund_id)
        .where(_F.license_id == license_id, _F.failed_at.is_(None))
        .group_by(_P.order_line_id)
    )
    found = await conn.execute(statement)
    return {line: (int(minor), int(tax), int(as_coupon)) for line, minor, tax, as_coupon in found}


async def write(conn: AsyncConnection, refund_id: UUID, **values: object) -> None:
    """Write what happened to a refund since it was granted; lock its license first."""
    await rows.changed(conn, tables.refund.update().where(_F.id == refund_id).values(values))


async def attested_at(conn: AsyncConnection, license_id: UUID) -> datetime | None:
    """Return when it was stated of a license, for the refund that ended it, that every copy is destroyed."""
    found: datetime | None = (
        await conn.execute(select(func.max(_F.attested_at)).where(*_ended_it(license_id)))
    ).scalar_one()
    return found


def _ended_it(license_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return _F.license_id == license_id, _F.ends == Ends.LICENSE.value, _F.failed_at.is_(None)


async def seen_used(conn: AsyncConnection, license_id: UUID, at: datetime) -> bool:
    """Count on the refund that ended a license that it was used after all; return whether it was the first time.

    Every refused beat of a refunded license comes here: one statement, which writes once an hour at most.
    """
    last = func.coalesce(_F.used_after_last_at, _F.used_after_at)
    seen_once = case((_F.used_after_at.is_(None), 0), else_=1)
    statement = (
        tables.refund.update()
        .where(*_ended_it(license_id), or_(last.is_(None), last <= at - USES_APART))
        .values(
            used_after_at=func.coalesce(_F.used_after_at, literal(at, Instant)),
            used_after_times=func.coalesce(_F.used_after_times, seen_once) + 1,
            used_after_last_at=at,
        )
        .returning(_F.used_after_at)
    )
    found = (await conn.execute(statement)).first()
    return found is not None and found[0] == at.replace(microsecond=0)


async def earlier_of_family(
    conn: AsyncConnection,
    *,
    customer_id: UUID,
    product_id: UUID,
    code: str,
    family: str | None,
    before: datetime,
    known_by: tuple[bytes | None, bytes | None] = (None, None),
) -> Earlier:
    """Return what a customer was refunded of products of the family before, or had asked for before.

    `known_by` are hashes of the address and its domain: whoever has one that is given counts as the same customer.

    Who was refunded is whose money it was then, wherever the license went since; what was paid back of a renewal, of
    tax or of what was bought beside a product is no refund of the product (CJ-05). A request that is pending is that
    of the license's owner, who would get the money. One that was open at the purchase and was denied since is none.
    """
    product = tables.product.c
    same = [product.id == product_id, product.family == (family or code)]
    if family is not None:
        same.append(product.code == family)
    joined = tables.license_.join(tables.product, product.id == _L.product_id)
    of_price = exists().where(_P.refund_id == _F.id, _P.kind == LineKind.PRODUCT.value, _P.minor > 0)
    was_before = _F.granted_at < before
    granted = (
        select(_F.code, _F.ends, was_before.label("was_before"))
        .select_from(tables.refund.join(joined, _L.id == _F.license_id))
        .distinct()
        .where(_of_person(customer_id, *known_by), or_(*same), _F.failed_at.is_(None), of_price)
        .where(or_(was_before, _was_open(_F.license_id, before)))
    )
    pending = (
        exists()
        .select_from(tables.refund_request.join(joined, _L.id == _R.license_id))
        .where(_L.customer_id == customer_id, or_(*same), _was_open(_R.license_id, before))
        .where(_R.outcome == "pend", _R.closed_at.is_(None), _R.asked["item"].as_string() == Item.PRODUCT.value)
    )
    found = [
        (EarlierRefund(row.code, ended=row.ends == Ends.LICENSE.value), bool(row.was_before))
        for row in await conn.execute(granted.order_by(_F.code, _F.ends))
    ]
    return Earlier(
        before=tuple(one for one, was in found if was),
        since=tuple(one for one, was in found if not was),
        is_pending=bool((await conn.execute(select(pending))).scalar_one()),
    )


def _of_person(customer_id: UUID, email: bytes | None, domain: bytes | None) -> ColumnElement[bool]:
    hashed = ((_F.email_hash, email), (_F.domain_hash, domain))
    return or_(_F.customer_id == customer_id, *(column == told for column, told in hashed if told is not None))


def _was_open(license_id: ColumnElement[UUID], at: datetime) -> ColumnElement[bool]:
    """Tell whether a product's refund was asked for of a license at an instant, and not denied since.

    What another request took the place of is no denial: that one has gone on with it.
    """
    asked = tables.refund_request.alias()
    open_then = and_(asked.c.recorded_at < at, or_(asked.c.closed_at.is_(None), asked.c.closed_at >= at))
    of_product = asked.c.asked["item"].as_string() == Item.PRODUCT.value
    return exists().where(asked.c.license_id == license_id, open_then, asked.c.outcome != "deny", of_product)


def _seen(scope: Scope) -> Select[Any]:
    statement = _REQUEST.join(tables.license_, _L.id == _R.license_id)
    return statement.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))


async def stop_subscriptions(conn: AsyncConnection, license_id: UUID, at: datetime) -> None:
    """End a license's subscriptions with its refund, so that nothing renews them any more."""
    table = tables.subscription
    running = table.update().where(table.c.license_id == license_id, table.c.ended_at.is_(None))
    cancelled = {"cancelled_at": at, "cancel_reason": REFUNDED}
    await rows.changed(conn, running.where(table.c.cancelled_at.is_(None)).values(cancelled))
    await rows.changed(conn, running.values(ended_at=at))


async def resume_subscriptions(conn: AsyncConnection, license_id: UUID, stopped_at: datetime) -> None:
    """Undo what `stop_subscriptions` did at an instant; what was cancelled before stays so."""
    table = tables.subscription
    mine = table.update().where(table.c.license_id == license_id, table.c.ended_at == stopped_at)
    by_refund = mine.where(table.c.cancel_reason == REFUNDED, table.c.cancelled_at == stopped_at)
    await rows.changed(conn, by_refund.values(cancelled_at=None, cancel_reason=None))
    await rows.changed(conn, mine.values(ended_at=None))


async def subscribed_months(conn: AsyncConnection, license_id: UUID) -> int | None:
    """Return the months of a license's newest subscription; None where it has none."""
    table = tables.subscription.c
    statement = select(table.months).where(table.license_id == license_id)
    found: int | None = (
        await conn.execute(statement.order_by(table.started_at.desc(), table.id.desc()).limit(1))
    ).scalar_one_or_none()
    return found
