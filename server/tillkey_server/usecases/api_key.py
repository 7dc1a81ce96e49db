"""API keys: made, listed, revoked, and recognized. A key is shown once; only a keyed hash of it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import Principal, Role, Scope
from tillkey_server.rules.decision import Grant, Outcome, Refusal, instant
from tillkey_server.store import api_keys, audit, customers, products, rows
from tillkey_server.store.access_tables import api_key as table
from tillkey_server.store.api_keys import ApiKeyRow
from tillkey_server.store.paging import Sort, paged
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services

MAX_NAME = 100
MAX_SCOPE = 100
_HINT_SYMBOLS = 8
_USE_NOTED_EVERY = timedelta(minutes=1)
_CLAUSES = ("I13",)
SORTS = {
    "created_at": Sort(table.c.created_at, lambda row: row.created_at),
    "name": Sort(table.c.name, lambda row: row.name),
}


@dataclass(frozen=True, slots=True)
class CreatedKey:
    """A new key: the secret, which is shown this once, and what is stored of it."""

    api_key: str = field(repr=False)
    shown: dict[str, object]


async def create_api_key(
    services: Services,
    *,
    name: str,
    role: str,
    actor: str,
    expires_at: datetime | None = None,
    customer_ids: Sequence[UUID] | None = None,
    product_codes: Sequence[str] | None = None,
) -> CreatedKey:
    """Make an API key. `customer_ids` and `product_codes` limit what it sees; None: no limit.

    Raises BadInput, naming the field, and NotFound for a customer or product.
    """
    if not (name.strip() and len(name) <= MAX_NAME and name.isprintable()):
        raise BadInput("name", f"must be 1 to {MAX_NAME} printable characters")
    if role not in set(Role):
        raise BadInput("role", f"must be one of {', '.join(Role)}")
    secret = services.pepper.new_api_key()
    hashed = services.pepper.hash_api_key(secret)
    assert hashed is not None, "a key that we made is one"
    async with services.db.writing() as tx:
        now = services.clock.now()
        if expires_at is not None and expires_at <= now:
            raise BadInput("expires_at", "is over already: give a time to come")
        row = ApiKeyRow(
            id=new_id(),
            name=name.strip(),
            role=role,
            key_hash=hashed,
            key_hint=f"{secret[:_HINT_SYMBOLS]}…",
            customers=await _customers(tx, customer_ids),
            products=await _products(tx, product_codes),
            created_at=now,
            created_by=actor,
            expires_at=expires_at,
        )
        await api_keys.insert(tx, row)
        await _record(tx, row, Grant.API_KEY_CREATED, "api_key_create", actor, now)
    return CreatedKey(secret, shown(row, now))


async def list_api_keys(
    services: Services, *, after: str | None = None, limit: int = DEFAULT_LIMIT, sort: str | None = None
) -> Page:
    """Return a page of API keys, without their secrets. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    now = services.clock.now()
    async with services.db.reading() as tx:
        statement = paged(api_keys.SELECT, paging, key=table.c.id, sorts=SORTS)
        found = await rows.many(tx, statement, ApiKeyRow)
    return page_of(found, paging, show=lambda row: shown(row, now), key=lambda row: row.id, sorts=SORTS)


async def get_api_key(services: Services, key_id: UUID) -> dict[str, object]:
    """Return one API key without its secret. Raises NotFound."""
    async with services.db.reading() as tx:
        row = await api_keys.by_id(tx, key_id)
    if row is None:
        raise NotFound("api-key", str(key_id))
    return shown(row, services.clock.now())


async def revoke_api_key(services: Services, key_id: UUID, *, actor: str) -> dict[str, object]:
    """End an API key at once; a second time changes nothing. Raises NotFound."""
    async with services.db.writing() as tx:
        now = services.clock.now()
        if await api_keys.by_id(tx, key_id, lock=True) is None:
            raise NotFound("api-key", str(key_id))
        is_new = await api_keys.revoke(tx, key_id, now)
        row = await api_keys.by_id(tx, key_id)
        assert row is not None, "the row is locked"
        if is_new:
            await _record(tx, row, Grant.API_KEY_REVOKED, "api_key_revoke", actor, now)
    return shown(row, now)


async def authenticate(services: Services, presented: str) -> Principal | RefusalAnswer:
    """Recognize the caller by its API key, which is looked up every time: a revoked one is dead at once.

    The use is noted, at most once a minute.
    """
    hashed = services.pepper.hash_api_key(presented)
    if hashed is None:
        return _invalid("")
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await api_keys.by_hash(tx, hashed)
    if row is None:
        return _invalid("")
    if row.revoked_at is not None:
        return _invalid(f"The API key was revoked at {instant(row.revoked_at)}.")
    if row.expires_at is not None and row.expires_at <= now:
        return _invalid(f"The API key expired at {instant(row.expires_at)}.")
    if row.last_used_at is None or row.last_used_at <= now - _USE_NOTED_EVERY:
        async with services.db.writing() as tx:
            await api_keys.note_use(tx, row.id, now, unless_since=now - _USE_NOTED_EVERY)
    scope = Scope(_ids(row.customers), _ids(row.products))
    return Principal(f"api_key:{row.id}", Role(row.role), scope, owner=str(row.id))


def shown(row: ApiKeyRow, now: datetime) -> dict[str, object]:
    """Return an API key as people see it; its status is `active`, `expired` or `revoked`."""
    expired = row.expires_at is not None and row.expires_at <= now
    return {
        "id": str(row.id),
        "name": row.name,
        "role": row.role,
        "key_hint": row.key_hint,
        "status": "revoked" if row.revoked_at is not None else "expired" if expired else "active",
        "customers": None if row.customers is None else list(row.customers),
        "products": None if row.products is None else list(row.products),
        "created_at": instant(row.created_at),
        "created_by": row.created_by,
        "expires_at": instant(row.expires_at),
        "revoked_at": instant(row.revoked_at),
        "last_used_at": instant(row.last_used_at),
    }


def _invalid(detail: str) -> RefusalAnswer:
    return RefusalAnswer(Refusal.API_KEY_INVALID, detail, _CLAUSES)


def _ids(listed: Sequence[str] | None) -> frozenset[UUID] | None:
    return None if listed is None else frozenset(UUID(one) for one in listed)


async def _customers(tx: AsyncConnection, ids: Sequence[UUID] | None) -> list[str] | None:
    if ids is None:
        return None
    _bounded("customers", ids)
    for one in ids:
        if await customers.by_id(tx, one) is None:
            raise NotFound("customer", str(one))
    return sorted({str(one) for one in ids})


async def _products(tx: AsyncConnection, codes: Sequence[str] | None) -> list[str] | None:
    if codes is None:
        return None
    _bounded("products", codes)
    found = set()
    for code in codes:
        sold = await products.by_code(tx, code)
        if sold is None:
            raise NotFound("product", code)
        found.add(str(sold.id))
    return sorted(found)


def _bounded(field_name: str, listed: Sequence[object]) -> None:
    if not 1 <= len(listed) <= MAX_SCOPE:
        raise BadInput(field_name, f"must name 1 to {MAX_SCOPE}; leave it out for no limit")


async def _record(tx: AsyncConnection, row: ApiKeyRow, code: Grant, action: str, actor: str, now: datetime) -> None:
    facts = {"api_key": str(row.id), "role": row.role, "expires_at": instant(row.expires_at)}
    await audit.append(
        tx,
        at=now,
        actor=actor,
        action=action,
        outcome=Outcome.ALLOW.value,
        code=code.value,
        clauses=_CLAUSES,
        facts=facts,
    )
