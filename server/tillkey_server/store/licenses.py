"""Licenses: the grants that customers bought, and the moments that changed their standing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.policy import PolicyRef
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.store import chains, rows, tables

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlalchemy.ext.asyncio import AsyncConnection

MOMENTS = frozenset(
    {
        "use_until",
        "updates_until",
        "support_until",
        "refund_until",
        "legal_hold_at",
        "terminated_at",
        "revoked_at",
        "refunded_at",
        "suspended_at",
        "suspended_until",
        "account_suspended_at",
        "account_stops_at",
        "account_suspended_until",
    }
)
"""The columns that `set_moments` may write; everything else of a license is written once."""


@dataclass(frozen=True, slots=True)
class LicenseRow:
    """One license; `position` counts from 0 within its order line, a null moment has not happened.

    `clocks_from` is where its clocks were counted from when it was issued; None: from its order's payment.
    `suspended_for` is the license whose loss suspended it (NX-13); None: somebody did, or nobody.
    `support_project_id` is the project at which its support stayed when it was moved; None: it is where the license is.
    """

    id: UUID
    order_line_id: UUID
    position: int
    product_id: UUID
    customer_id: UUID
    key_hash: bytes = field(repr=False)
    key_hint: str
    policy_name: str
    policy_version: int
    issued_at: datetime
    use_until: datetime | None = None
    updates_until: datetime | None = None
    support_until: datetime | None = None
    refund_until: datetime | None = None
    project_id: UUID | None = None
    bound_at: datetime | None = None
    legal_hold_at: datetime | None = None
    terminated_at: datetime | None = None
    revoked_at: datetime | None = None
    refunded_at: datetime | None = None
    suspended_at: datetime | None = None
    suspended_until: datetime | None = None
    clocks_from: datetime | None = None
    account_suspended_at: datetime | None = None
    account_stops_at: datetime | None = None
    account_suspended_until: datetime | None = None
    suspended_for: UUID | None = None
    support_project_id: UUID | None = None

    @property
    def policy_ref(self) -> PolicyRef:
        """Return which terms it was sold under (K-09)."""
        return PolicyRef(self.policy_name, self.policy_version)

    @property
    def facts(self) -> LicenseFacts:
        """Return what the rules of standing look at."""
        return LicenseFacts(
            id=self.id,
            issued_at=self.issued_at,
            legal_hold_at=self.legal_hold_at,
            terminated_at=self.terminated_at,
            revoked_at=self.revoked_at,
            refunded_at=self.refunded_at,
            suspended_at=self.suspended_at,
            suspended_until=self.suspended_until,
            account_suspended_at=self.account_suspended_at,
            account_stops_at=self.account_stops_at,
            account_suspended_until=self.account_suspended_until,
            use_until=self.use_until,
            updates_until=self.updates_until,
            support_until=self.support_until,
            refund_until=self.refund_until,
        )


COLUMNS = rows.columns_of(tables.license_, LicenseRow)
_SELECT = select(*COLUMNS)
_C = tables.license_.c


async def by_key_hash(conn: AsyncConnection, key_hash: bytes, *, lock: bool = False) -> LicenseRow | None:
    """Return the license whose key has that keyed hash; `lock` its row before deciding about it."""
    statement = _SELECT.where(_C.key_hash == key_hash)
    return await rows.one(conn, rows.locked(statement, tables.license_, lock=lock), LicenseRow)


async def by_id(conn: AsyncConnection, license_id: UUID, *, lock: bool = False) -> LicenseRow | None:
    """Return the license of that id; `lock` its row before deciding about it."""
    statement = _SELECT.where(_C.id == license_id)
    return await rows.one(conn, rows.locked(statement, tables.license_, lock=lock), LicenseRow)


async def by_ids(conn: AsyncConnection, license_ids: Collection[UUID]) -> dict[UUID, LicenseRow]:
    """Return those of these licenses that are there, by their ids."""
    if not license_ids:
        return {}
    return {row.id: row for row in await rows.many(conn, _SELECT.where(_C.id.in_(license_ids)), LicenseRow)}


async def of_order_lines(conn: AsyncConnection, line_ids: Collection[UUID]) -> tuple[LicenseRow, ...]:
    """Return the licenses issued for some order lines, by line and position."""
    statement = _SELECT.where(_C.order_line_id.in_(line_ids)).order_by(_C.order_line_id, _C.position)
    return await rows.many(conn, statement, LicenseRow)


async def of_order_line(conn: AsyncConnection, line_id: UUID) -> tuple[LicenseRow, ...]:
    """Return the licenses issued for an order line, by position."""
    return await rows.many(conn, _SELECT.where(_C.order_line_id == line_id).order_by(_C.position), LicenseRow)


async def count_of_order_line(conn: AsyncConnection, line_id: UUID) -> int:
    """Return how many licenses an order line has had issued (NX-01: never more than its quantity)."""
    statement = select(func.count()).select_from(tables.license_).where(_C.order_line_id == line_id)
    return int((await conn.execute(statement)).scalar_one())


async def of_product(
    conn: AsyncConnection, product_id: UUID, *, after: UUID | None = None, limit: int = 500
) -> tuple[LicenseRow, ...]:
    """Return up to `limit` licenses of a product with ids above `after`, oldest first."""
    statement = _SELECT.where(_C.product_id == product_id).order_by(_C.id).limit(limit)
    if after is not None:
        statement = statement.where(_C.id > after)
    return await rows.many(conn, statement, LicenseRow)


async def page(
    conn: AsyncConnection, *, after: UUID | None = None, limit: int = 100, customer_id: UUID | None = None
) -> tuple[LicenseRow, ...]:
    """Return up to `limit` licenses with ids above `after`, oldest first; of one customer if named."""
    statement = _SELECT.order_by(_C.id).limit(limit)
    if after is not None:
        statement = statement.where(_C.id > after)
    if customer_id is not None:
        statement = statement.where(_C.customer_id == customer_id)
    return await rows.many(conn, statement, LicenseRow)


async def of_customer(conn: AsyncConnection, customer_id: UUID, *, lock: bool = False) -> tuple[LicenseRow, ...]:
    """Return all licenses of a customer by id; `lock` their rows before deciding about them, in that order."""
    statement = _SELECT.where(_C.customer_id == customer_id).order_by(_C.id)
    return await rows.many(conn, rows.locked(statement, tables.license_, lock=lock), LicenseRow)


def held_since(customer_id: ColumnElement[UUID]) -> ScalarSelect[datetime | None]:
    """Return, within a query, since when anything of a customer's is on legal hold."""
    other = tables.license_.alias()
    return select(func.min(other.c.legal_hold_at)).where(other.c.customer_id == customer_id).scalar_subquery()


async def legal_hold_of(conn: AsyncConnection, customer_id: UUID) -> datetime | None:
    """Return since when anything of a customer's is on legal hold: it blocks orders, payouts and erasure (CJ-02)."""
    statement = select(func.min(_C.legal_hold_at)).where(_C.customer_id == customer_id)
    since: datetime | None = (await conn.execute(statement)).scalar_one()
    return since


async def lock_all(conn: AsyncConnection, license_ids: Iterable[UUID]) -> None:
    """Lock licenses by id, as whoever needs several does: two who lock the same ones wait for each other in a row."""
    statement = select(_C.id).where(_C.id.in_(list(license_ids))).order_by(_C.id)
    await conn.execute(rows.locked(statement, tables.license_, lock=True))


async def insert(conn: AsyncConnection, *made: LicenseRow) -> None:
    """Insert licenses; IntegrityError (`uq_license_order_line_id_position`) when a piece was issued before."""
    await rows.insert(conn, tables.license_, *made)


async def bind(conn: AsyncConnection, license_id: UUID, project_id: UUID, at: datetime) -> None:
    """Bind a license to a project from `at` on (NX-06). Lock the license first; `unbind` before binding anew."""
    statement = tables.license_.update().where(_C.id == license_id, _C.project_id.is_(None))
    _exactly_one(license_id, await rows.changed(conn, statement.values(project_id=project_id, bound_at=at)))


async def unbind(conn: AsyncConnection, license_id: UUID) -> None:
    """Lift a license's binding to its project, for policies that bind only while it is active (NX-06)."""
    statement = tables.license_.update().where(_C.id == license_id).values(project_id=None, bound_at=None)
    _exactly_one(license_id, await rows.changed(conn, statement))


async def set_moments(conn: AsyncConnection, license_id: UUID, moments: Mapping[str, datetime | None]) -> None:
    """Write moments of a license's standing or clocks; None lifts one.

    The revisions of its chains rise with it: a heartbeat locks only those, so whatever it judged by before must fail
    its swap (I3). In: names of `MOMENTS`, KeyError for another. Raises BrokenInvariant when there is no such license.
    """
    unknown = sorted(moments.keys() - MOMENTS)
    if unknown:
        raise KeyError(unknown[0])
    statement = tables.license_.update().where(_C.id == license_id).values(dict(moments))
    _exactly_one(license_id, await rows.changed(conn, statement))
    await chains.bump_of_license(conn, license_id)


async def set_suspended_for(conn: AsyncConnection, license_id: UUID, lost: UUID | None) -> None:
    """Write for whose loss a license is suspended; None: for nobody's, it is a person's matter."""
    statement = tables.license_.update().where(_C.id == license_id).values(suspended_for=lost)
    _exactly_one(license_id, await rows.changed(conn, statement))


async def rekey(conn: AsyncConnection, license_id: UUID, *, key_hash: bytes, key_hint: str) -> None:
    """Give a license another key; the old one is unknown from then on."""
    statement = tables.license_.update().where(_C.id == license_id).values(key_hash=key_hash, key_hint=key_hint)
    _exactly_one(license_id, await rows.changed(conn, statement))


async def give(conn: AsyncConnection, license_id: UUID, *, customer_id: UUID, project_id: UUID | None) -> None:
    """Give a license to another customer; `project_id` is that customer's in place of the one it was bound to."""
    statement = tables.license_.update().where(_C.id == license_id)
    given = statement.values(customer_id=customer_id, project_id=project_id, support_project_id=None)
    _exactly_one(license_id, await rows.changed(conn, given))


async def move(conn: AsyncConnection, license_id: UUID, *, project_id: UUID, support_project_id: UUID | None) -> None:
    """Bind a bound license to another project; `support_project_id` is where its support stays behind, or None."""
    statement = tables.license_.update().where(_C.id == license_id, _C.project_id.is_not(None))
    moved = statement.values(project_id=project_id, support_project_id=support_project_id)
    _exactly_one(license_id, await rows.changed(conn, moved))


def _exactly_one(license_id: UUID, count: int) -> None:
    """Raise BrokenInvariant unless one license was changed."""
    if count != 1:
        raise BrokenInvariant(f"license {license_id} was not in the expected state")
