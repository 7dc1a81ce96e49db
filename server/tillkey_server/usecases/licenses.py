"""The list of licenses, and finding one by what people have in hand: an e-mail address, an order, a key, a machine."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tillkey.wire.errors import WireError
from tillkey.wire.license_key import normalize
from tillkey_server.errors import BadInput, NotFound
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import instant
from tillkey_server.rules.standing import Status, status_of
from tillkey_server.store import leases
from tillkey_server.store.license_list import SORTS, LicenseFilters, ListedLicense, by_id, page
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Services

MAX_TEXT = 255
MIN_MACHINE = 4
_MACHINE = re.compile(rf"[A-Za-z0-9_-]{{{MIN_MACHINE},43}}")
_HINT = re.compile(r"[A-Z0-9…-]{4,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseSearch:
    """What is asked for; all that is given must match.

    `text` is one of the others, whichever it looks like: an e-mail address, a license key, or else a license's id, an
    order's number, some part of a key hint or a machine.
    """

    text: str | None = field(default=None, repr=False)
    customer_id: UUID | None = None
    email: str | None = field(default=None, repr=False)
    product: str | None = None
    project_id: UUID | None = None
    order: str | None = None
    license_key: str | None = field(default=None, repr=False)
    key_hint: str | None = None
    machine: str | None = None
    status: str | None = None


async def list_licenses(
    services: Services,
    search: LicenseSearch | None = None,
    *,
    scope: Scope = EVERYTHING,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
) -> Page:
    """Return a page of the licenses that match, the oldest first unless sorted otherwise.

    A license key finds its license by its hash. Raises BadInput, naming the field.
    """
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    filters = _filters(services, search or LicenseSearch())
    now = services.clock.now()
    async with services.db.reading() as tx:
        found = await page(tx, paging, filters, scope=scope, now=now)
    return page_of(
        found,
        paging,
        show=lambda row: shown(row, now, scope),
        key=lambda row: row.license.id,
        sorts=SORTS,
    )


async def get_license(services: Services, license_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one license as people see it, with how many of its leases are live (X-04). Raises NotFound."""
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await by_id(tx, license_id, scope=scope)
        live = await leases.still_live(tx, license_id, now)
    if row is None:
        raise NotFound("license", str(license_id))
    told = {"leases_live": live.leases, "effective_latest_at": instant(live.until)}
    return {**shown(row, now, scope), **told}


def shown(listed: ListedLicense, now: datetime, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return a license as people see it, without its key.

    The order of one that was transferred is its first customer's: who does not see that customer sees no order (I13).
    """
    row = listed.license
    foreign = not scope.admits_customer(listed.order_customer_id)
    return {
        "id": str(row.id),
        "status": status_of(row.facts, now).value,
        "in_use": listed.in_use,
        "product": listed.product_code,
        "key_hint": row.key_hint,
        "customer_id": str(row.customer_id),
        "customer_email": listed.customer_email,
        "order_id": None if foreign else str(listed.order_id),
        "channel": None if foreign else listed.channel,
        "order": None if foreign else listed.order_number,
        "project_id": None if row.project_id is None else str(row.project_id),
        "project": listed.project_name,
        "bound_at": instant(row.bound_at),
        "policy": {"name": row.policy_name, "version": row.policy_version},
        "issued_at": instant(row.issued_at),
        "use_until": instant(row.use_until),
        "updates_until": instant(row.updates_until),
        "support_until": instant(row.support_until),
        "refund_until": instant(row.refund_until),
        "legal_hold_at": instant(row.legal_hold_at),
        "terminated_at": instant(row.terminated_at),
        "revoked_at": instant(row.revoked_at),
        "refunded_at": instant(row.refunded_at),
        "suspended_at": instant(row.suspended_at),
        "suspended_until": instant(row.suspended_until),
    }


def machine_of(text: str) -> str:
    """Return an installation's thumbprint, or its beginning, as it is compared. Raises BadInput."""
    # Where a till is told who holds a license, an ellipsis stands behind the thumbprint's beginning.
    plain = text.strip().removesuffix("…").removesuffix("...")
    if _MACHINE.fullmatch(plain) is None:
        raise BadInput("machine", f"must be an installation's thumbprint or its first {MIN_MACHINE} or more symbols")
    return plain


def _filters(services: Services, search: LicenseSearch) -> LicenseFilters:
    if search.status is not None and search.status not in set(Status):
        raise BadInput("status", f"must be one of {', '.join(Status)}")
    return LicenseFilters(
        customer_id=search.customer_id,
        email_key=None if search.email is None else _email(search.email),
        product_code=None if search.product is None else _plain("product", search.product),
        project_id=search.project_id,
        key_hash=None if search.license_key is None else _key_hash(services, search.license_key),
        key_hint=None if search.key_hint is None else _hint(search.key_hint),
        machine=None if search.machine is None else machine_of(search.machine),
        status=search.status,
        any_of=_either(services, search),
    )


def _either(services: Services, search: LicenseSearch) -> tuple[LicenseFilters, ...]:
    """Return what a text or an order may mean. Both together are a contradiction that nobody needs. Raises BadInput."""
    if search.text is None:
        return () if search.order is None else _orders(_plain("order", search.order))
    if search.order is not None:
        raise BadInput("text", "cannot be given together with an order: put the order into one of them")
    return _meanings(services, _plain("text", search.text))


def _orders(number: str) -> tuple[LicenseFilters, ...]:
    order_id = _uuid(number)
    by_number = LicenseFilters(order=number)
    return (by_number,) if order_id is None else (by_number, LicenseFilters(order_id=order_id))


def _meanings(services: Services, text: str) -> tuple[LicenseFilters, ...]:
    if "@" in text:
        return (LicenseFilters(email_key=text.casefold()),)
    found = [*_orders(text)]
    license_id = _uuid(text)
    if license_id is not None:
        found.append(LicenseFilters(license_id=license_id))
    # Never the only meaning: of the ids, and of long order numbers, one in thirty-seven has a key's check symbol.
    with suppress(WireError):
        found.append(LicenseFilters(key_hash=services.pepper.hash_key(normalize(text))))
    for field_name, read in (("key_hint", _hint), ("machine", machine_of)):
        try:
            found.append(LicenseFilters(**{field_name: read(text)}))  # type: ignore[arg-type]
        except BadInput:
            continue
    return tuple(found)


def _plain(name: str, text: str) -> str:
    plain = text.strip()
    if not (0 < len(plain) <= MAX_TEXT and plain.isprintable()):
        raise BadInput(name, f"must be 1 to {MAX_TEXT} printable characters")
    return plain


def _email(text: str) -> str:
    plain = _plain("email", text)
    if "@" not in plain:
        raise BadInput("email", "is not an e-mail address")
    return plain.casefold()


def _key_hash(services: Services, text: str) -> bytes:
    try:
        return services.pepper.hash_key(normalize(text))
    except WireError as error:
        raise BadInput("license_key", error.detail) from error


def _hint(text: str) -> str:
    plain = text.strip().replace("...", "…").upper()
    if _HINT.fullmatch(plain) is None:
        raise BadInput("key_hint", "must be at least 4 symbols of a key's hint, as POS-7XK2…9ABC")
    return plain


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
