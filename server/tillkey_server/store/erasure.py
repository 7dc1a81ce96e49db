"""Erasing what a customer left about persons, places and machines; ids, amounts and instants stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, and_, cast, func, or_, select, union

from tillkey_server.store import account_tables, tables, warranty_tables

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

NOWHERE = "erased.invalid"
"""The domain of addresses that were erased: `.invalid` is nobody's (RFC 2606)."""

CODED = frozenset(
    {
        "author",
        "code",
        "finding",
        "fixed_in_release",
        "in_tool",
        "license_id",
        "missing",
        "note_language",
        "paid",
        "published_at",
        "remote",
        "task",
        "unanswered",
        "version",
    }
)
"""What of an event of a request for support is a code, an id or a version, and no text about anybody."""


_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Span:
    """From when to when a license was a customer's that is another one's now."""

    license_id: UUID
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class _Held:
    """What a customer holds, and what it held before it was transferred."""

    customer_id: UUID
    spans: tuple[_Span, ...]

    def noted(self, license_id: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
        """Return the condition under which what was noted of a license at an instant is about this customer."""
        its = select(tables.license_.c.id).where(tables.license_.c.customer_id == self.customer_id)
        once = (and_(license_id == one.license_id, at.between(one.since, one.until)) for one in self.spans)
        return or_(license_id.in_(its), *once)


async def erase(conn: AsyncConnection, customer_id: UUID) -> None:
    """Erase a customer's address, the names and sites of its projects, fingerprints, what it said, and what was noted.

    Its licenses are terminated and its chains' revisions raised by the caller, in the same transaction.
    """
    address = f"{customer_id}@{NOWHERE}"
    customer, project, activation = tables.customer, tables.project, tables.activation
    await conn.execute(customer.update().where(customer.c.id == customer_id).values(email=address, email_key=address))
    its_projects = select(project.c.id).where(project.c.customer_id == customer_id)
    its_orders = select(tables.purchase_order.c.id).where(tables.purchase_order.c.customer_id == customer_id)
    await conn.execute(
        activation.update()
        .where(activation.c.project_id.in_(its_projects))
        .values(fingerprint={}, site=None, platform_version=None)
    )
    # The id as text: a name of its own for each, since a customer has no two projects of one name.
    named = func.lower(cast(project.c.id, Text))
    await conn.execute(
        project.update().where(project.c.customer_id == customer_id).values(name=named, name_key=named, site=None)
    )
    former = tables.former_name
    await conn.execute(former.delete().where(former.c.customer_id == customer_id))
    member = account_tables.project_member
    its_own = or_(member.c.customer_id == customer_id, member.c.project_id.in_(its_projects))
    await conn.execute(member.delete().where(its_own))
    review, suspension = account_tables.order_review, account_tables.account_suspension
    await conn.execute(review.update().where(review.c.order_id.in_(its_orders)).values(reason="", facts={}))
    await conn.execute(suspension.update().where(suspension.c.customer_id == customer_id).values(evidence=""))
    ending = account_tables.account_termination
    # Those that were taken back too: only one of them is the one that is carried out.
    await conn.execute(ending.update().where(ending.c.customer_id == customer_id).values(evidence="", reason=""))
    held = _Held(customer_id, await _handed_on(conn, customer_id))
    await _erase_forced(conn, held)
    await _erase_support(conn, customer_id)
    await _erase_refunds(conn, held)
    await _erase_warranty(conn, held)


async def _handed_on(conn: AsyncConnection, customer_id: UUID) -> tuple[_Span, ...]:
    """Return the licenses that went from the customer to another one, as far as anything is noted of them by words."""
    told = (tables.forced_deactivation, tables.refund_request, warranty_tables.warranty_contract)
    noted = union(*(select(one.c.license_id) for one in (*told, warranty_tables.warranty_claim)))
    event = tables.audit_event.c
    statement = select(event.license_id, event.at, event.facts).where(
        event.license_id.in_(noted), event.action == "license_transfer", event.outcome == "allow"
    )
    spans: list[_Span] = []
    since: dict[UUID, datetime] = {}
    for license_id, at, facts in (await conn.execute(statement.order_by(event.id))).all():
        if facts["from_customer"] == str(customer_id):
            spans.append(_Span(license_id, since.get(license_id, _ALWAYS), at))
        since[license_id] = at
    return tuple(spans)


async def _erase_forced(conn: AsyncConnection, held: _Held) -> None:
    """Erase why a customer's machines were freed by force, and what showed that they were gone."""
    forced = tables.forced_deactivation
    its = held.noted(forced.c.license_id, forced.c.at)
    await conn.execute(forced.update().where(its).values(reason=""))
    for told in (forced.c.override_reason, forced.c.evidence):
        await conn.execute(forced.update().where(its, told.is_not(None)).values({told: ""}))


async def _erase_support(conn: AsyncConnection, customer_id: UUID) -> None:
    """Erase what was noted about a customer's requests for support; their instants stay."""
    request, event, access = tables.support_request, tables.support_event, tables.remote_access_grant
    its_requests = select(request.c.id).where(request.c.customer_id == customer_id)
    found = await conn.execute(select(event.c.id, event.c.details).where(event.c.request_id.in_(its_requests)))
    for event_id, details in found.all():
        kept = {name: value for name, value in details.items() if name in CODED}
        if kept != details:
            await conn.execute(event.update().where(event.c.id == event_id).values(details=kept))
    await conn.execute(access.update().where(access.c.request_id.in_(its_requests)).values(scope=""))
    await conn.execute(
        request.update()
        .where(request.c.customer_id == customer_id)
        .values(reference=None, matter=None, platform_version=None)
    )


async def _erase_refunds(conn: AsyncConnection, held: _Held) -> None:
    """Erase in what words refunds were asked for, granted, attested and failed; amounts, codes and ids stay."""
    request, refund, customer_id = tables.refund_request, tables.refund, held.customer_id
    of_customer = select(refund.c.request_id).where(refund.c.customer_id == customer_id)
    mine = or_(held.noted(request.c.license_id, request.c.recorded_at), request.c.id.in_(of_customer))
    for request_id, asked in (await conn.execute(select(request.c.id, request.c.asked).where(mine))).all():
        kept = {**asked, "explanation": None, "order_number": None}
        await conn.execute(request.update().where(request.c.id == request_id).values(asked=kept, reason=None))
    await conn.execute(
        refund.update().where(refund.c.request_id.in_(select(request.c.id).where(mine))).values(statement=None)
    )
    await conn.execute(
        refund.update().where(refund.c.customer_id == customer_id, refund.c.failure.is_not(None)).values(failure="")
    )


async def _erase_warranty(conn: AsyncConnection, held: _Held) -> None:
    """Erase who may accept quotes and what was said about faults; devices, their numbers and what was decided stay."""
    contract, claim = warranty_tables.warranty_contract, warranty_tables.warranty_claim
    finding, quote = warranty_tables.warranty_finding, warranty_tables.warranty_quote
    its = held.noted(claim.c.license_id, claim.c.opened_at)
    its_claims = select(claim.c.id).where(its)
    its_contracts = held.noted(contract.c.license_id, contract.c.recorded_at)
    await conn.execute(contract.update().where(its_contracts).values(contacts=[]))
    await conn.execute(finding.update().where(finding.c.claim_id.in_(its_claims)).values(evidence=""))
    await conn.execute(quote.update().where(quote.c.claim_id.in_(its_claims)).values(reason=""))
    said = {"symptoms": "", "diagnostics": None, "known_by": None}
    await conn.execute(claim.update().where(its).values(said))
