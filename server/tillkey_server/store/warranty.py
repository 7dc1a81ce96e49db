"""Warranty: contracts, claims with what came of them, and replaced devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import select

from tillkey_server.store import rows, tables
from tillkey_server.store.paging import Paging, Sort, paged
from tillkey_server.store.scoping import admitted
from tillkey_server.store.warranty_tables import (
    device_replacement,
    warranty_claim,
    warranty_contract,
    warranty_decision,
    warranty_finding,
    warranty_quote,
    warranty_rma,
    warranty_work,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.ext.asyncio import AsyncConnection

    from tillkey_server.rules.access import Scope

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ContractRow:
    """What a sales contract says of one license's device; `contacts` are keyed hashes of addresses, in hexadecimal."""

    id: UUID
    license_id: UUID
    number: str
    serial: str
    warranty_months: int | None
    starts_on: str
    start_basis: str
    partner: str | None
    region: str | None
    contacts: Sequence[str] = field(repr=False)
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim; `reported_at` is when the fault was told; before it was opened here only where `known_by` shows it."""

    id: UUID
    license_id: UUID
    kind: str
    serial: str | None
    symptoms: str
    diagnostics: str | None
    route: str
    reported_at: datetime
    opened_at: datetime
    opened_by: str
    known_by: str | None = None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """What was found of one fault; `hardware`: it confirms a fault of the hardware.

    `withdrawn`: it takes back what was found of the same before; None, as servers before 0021 write it: it does not.
    """

    id: UUID
    claim_id: UUID
    fault: str
    ground: str
    caused: bool
    hardware: bool
    detail: str | None
    evidence: str
    worked_by: str | None
    worked_on: str | None
    found_at: datetime
    found_by: str
    withdrawn: bool | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """A signed decision, the first or the one that turned it around; `findings` is how many it rests on."""

    id: UUID
    claim_id: UUID
    number: int
    outcome: str
    findings: int
    decided_at: datetime
    decided_by: str


@dataclass(frozen=True, slots=True)
class QuoteRow:
    """A price that was told; only a keyed hash of the word that accepts it is here."""

    id: UUID
    claim_id: UUID
    version: int
    amount_minor: int
    currency: str
    reason: str
    valid_until: datetime
    token_hash: bytes = field(repr=False)
    sent_at: datetime
    sent_by: str
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkRow:
    """That work began, or went on under a newer quote; `quote_version` None: it is free."""

    id: UUID
    claim_id: UUID
    quote_version: int | None
    started_at: datetime
    started_by: str


@dataclass(frozen=True, slots=True)
class RmaRow:
    """A number under which a device is sent in."""

    id: UUID
    claim_id: UUID
    number: str
    address: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReplacementRow:
    """That another device took a device's place, its license and the rest of its warranty with it."""

    id: UUID
    claim_id: UUID
    license_id: UUID
    old_serial: str
    new_serial: str
    replaced_at: datetime
    replaced_by: str


_CLAIM = select(*rows.columns_of(warranty_claim, ClaimRow))
_C = warranty_claim.c
_L = tables.license_.c
_TABLES: dict[type[Any], Table] = {
    ContractRow: warranty_contract,
    ClaimRow: warranty_claim,
    FindingRow: warranty_finding,
    DecisionRow: warranty_decision,
    QuoteRow: warranty_quote,
    WorkRow: warranty_work,
    RmaRow: warranty_rma,
    ReplacementRow: device_replacement,
}
SORTS = {"reported_at": Sort(_C.reported_at, lambda row: row.reported_at)}


async def insert(conn: AsyncConnection, row: Any) -> None:
    """Insert a row of any of these kinds; IntegrityError where it is there, as a second decision's number."""
    await rows.insert(conn, _TABLES[type(row)], row)


async def claim(conn: AsyncConnection, claim_id: UUID) -> ClaimRow | None:
    """Return the claim of that id; its license's row is what is locked before anything is decided about it."""
    return await rows.one(conn, _CLAIM.where(_C.id == claim_id), ClaimRow)


async def contract_of(conn: AsyncConnection, license_id: UUID) -> ContractRow | None:
    """Return what is known of the contract of a license: the newest record."""
    table = warranty_contract
    statement = select(*rows.columns_of(table, ContractRow)).where(table.c.license_id == license_id)
    return await rows.one(conn, statement.order_by(table.c.id.desc()).limit(1), ContractRow)


async def of_claim(conn: AsyncConnection, kind: type[Row], claim_id: UUID) -> tuple[Row, ...]:
    """Return the rows of one kind that a claim has, oldest first."""
    table = _TABLES[kind]
    statement = select(*rows.columns_of(table, kind)).where(table.c.claim_id == claim_id).order_by(table.c.id)
    return await rows.many(conn, statement, kind)


async def quote_by_hash(conn: AsyncConnection, token_hash: bytes) -> QuoteRow | None:
    """Return the quote that a word accepts, accepted or not."""
    statement = select(*rows.columns_of(warranty_quote, QuoteRow)).where(warranty_quote.c.token_hash == token_hash)
    return await rows.one(conn, statement, QuoteRow)


async def accept(conn: AsyncConnection, quote_id: UUID, at: datetime) -> bool:
    """Accept a quote; return False where it was before."""
    table = warranty_quote
    statement = table.update().where(table.c.id == quote_id, table.c.accepted_at.is_(None)).values(accepted_at=at)
    return await rows.changed(conn, statement) == 1


async def serial_of(conn: AsyncConnection, license_id: UUID) -> str | None:
    """Return the serial of the device that a license is for now: what a contract or a replacement said last.

    A contract that is recorded after a replacement counts where it names another device, as where one was replaced
    outside a claim. Where it names a device that a replacement took away, it is the paper of before.
    """
    table = device_replacement
    statement = select(*rows.columns_of(table, ReplacementRow)).where(table.c.license_id == license_id)
    replaced = await rows.many(conn, statement.order_by(table.c.id), ReplacementRow)
    contract = await contract_of(conn, license_id)
    if not replaced:
        return None if contract is None else contract.serial
    last, gone = replaced[-1], {one.old_serial for one in replaced}
    names_another = contract is not None and contract.id > last.id and contract.serial not in gone
    return contract.serial if contract is not None and names_another else last.new_serial


async def page(
    conn: AsyncConnection, paging: Paging, scope: Scope, *, license_id: UUID | None = None
) -> tuple[ClaimRow, ...]:
    """Return a page of the claims that a caller sees, and one more; of one license if named."""
    statement = _CLAIM.join(tables.license_, _L.id == _C.license_id)
    statement = statement.where(*admitted(scope, customer=_L.customer_id, product=_L.product_id))
    if license_id is not None:
        statement = statement.where(_C.license_id == license_id)
    return await rows.many(conn, paged(statement, paging, key=_C.id, sorts=SORTS), ClaimRow)
