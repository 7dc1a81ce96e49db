"""How people see a request: as it stands now, with its clocks and the banner; what happened to it in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import NotFound
from tillkey_server.rules.access import Scope
from tillkey_server.rules.decision import instant
from tillkey_server.rules.support import lost_on_transfer
from tillkey_server.rules.support_clock import ClockTerms
from tillkey_server.rules.support_record import SupportEventKind, SupportRecord
from tillkey_server.rules.support_state import banner_of, shown_clocks, state_of
from tillkey_server.rules.update_dispute import Dispute, disputes_of
from tillkey_server.store import licenses, products, projects, support
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.support import SupportEventRow, SupportRequestRow
from tillkey_server.store.support_extras import ClosureRow, GrantRow, HotfixRow
from tillkey_server.usecases.changed_hands import changed_hands
from tillkey_server.usecases.issue_facts import all_clock_terms, records_of


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """A request with everything that its state follows from; `license` is the one it came to be about, `site` its own.

    `product` is the code of what is asked about; `lost` tells that the license's support stayed behind with a former
    owner.
    """

    row: SupportRequestRow
    record: SupportRecord
    terms: ClockTerms
    license: LicenseRow | None
    product: str
    site: str | None = None
    lost: bool = False

    def banner(self, now: datetime) -> dict[str, object]:
        """Return what stands on top of its conversation, as of now (BC-17, BC-18).

        Of a license that went to another customer, whoever asked before is owed nothing and sees nothing (NX-18, I13).
        """
        held = self.license
        if held is not None and held.customer_id != self.row.customer_id:
            return banner_of(None, self.terms.policy, now, product=self.product, site=None)
        owed = None if held is None or self.lost else held.facts
        return banner_of(owed, self.terms.policy, now, product=self.product, site=self.site)


async def request_of(
    tx: AsyncConnection, request_id: UUID, now: datetime, scope: Scope, *, lock: bool = False
) -> RequestSeen:
    """Return a request; `lock` its row before deciding about it. Raises NotFound for what a caller does not see."""
    row = await support.by_id(tx, request_id, lock=lock)
    if row is None or not scope.admits(customer=row.customer_id, product=row.product_id):
        raise NotFound("support request", str(request_id))
    return await seen_of(tx, row, now)


async def seen_of(tx: AsyncConnection, row: SupportRequestRow, now: datetime) -> RequestSeen:
    """Return a request that a caller sees."""
    return (await all_seen(tx, (row,), now))[0]


async def all_seen(tx: AsyncConnection, found: Sequence[SupportRequestRow], now: datetime) -> tuple[RequestSeen, ...]:
    """Return requests that a caller sees, in their order, with as many questions to the database as for one."""
    records, terms = await records_of(tx, found, now), await all_clock_terms(tx, found)
    named = {one.license_id for one in records.values() if one.license_id is not None}
    held = await licenses.by_ids(tx, named)
    asked_about = await products.by_ids(tx, {one.product_id for one in found})
    stayed = await changed_hands(tx, tuple(held.values()), now)
    owned = await projects.by_ids(tx, {one.project_id for one in held.values() if one.project_id is not None})

    def seen(one: SupportRequestRow) -> RequestSeen:
        record = records[one.id]
        about = None if record.license_id is None else held[record.license_id]
        project = None if about is None or about.project_id is None else owned.get(about.project_id)
        site = None if project is None else project.site
        lost = lost_on_transfer(terms[one.id].policy, changed_hands=record.license_id in stayed)
        return RequestSeen(one, record, terms[one.id], about, asked_about[one.product_id].code, site, lost)

    return tuple(seen(one) for one in found)


async def site_of(tx: AsyncConnection, license_row: LicenseRow | None) -> str | None:
    """Return the site of a license's project; None where it has none, or no project."""
    if license_row is None or license_row.project_id is None:
        return None
    project = await projects.by_id(tx, license_row.project_id)
    return None if project is None else project.site


def shown(seen: RequestSeen, now: datetime) -> dict[str, object]:
    """Return a request as it stands at `now`; the banner is never older than the answer (BC-18)."""
    row, record = seen.row, seen.record
    resolved = record.last(SupportEventKind.RESOLVED)
    dispute = next(reversed(disputes_of(record)), None)
    return {
        "id": str(row.id),
        "reference": row.reference,
        "customer_id": str(row.customer_id),
        "product_id": str(row.product_id),
        "license_id": _id(record.license_id),
        "project_id": _id(row.project_id),
        "task": record.task_now,
        "matter": row.matter,
        "platform_version": row.platform_version,
        "duplicate_of": _id(row.duplicate_of),
        "taken_as": row.taken_as,
        "state": state_of(record).value,
        "presale": record.is_presale,
        "received_at": instant(row.received_at),
        "fixed_in_release": None if resolved is None else resolved.details.get("fixed_in_release"),
        "update_dispute": None if dispute is None else _dispute(dispute),
        "findings": sorted(finding.value for finding in record.findings),
        "clocks": shown_clocks(record, seen.terms, now),
        "care_banner": seen.banner(now),
        "refund_proposed_at": instant(row.refund_proposed_at),
        "policy": {"name": row.policy_name, "version": row.policy_version},
    }


def shown_event(row: SupportEventRow) -> dict[str, object]:
    """Return an event."""
    return {
        "id": str(row.id),
        "kind": row.kind,
        "at": instant(row.at),
        "details": dict(row.details),
        "recorded_at": instant(row.recorded_at),
        "actor": row.actor,
    }


def shown_grant(row: GrantRow, now: datetime) -> dict[str, object]:
    """Return a consent to remote access, and whether it runs at `now`."""
    return {
        "id": str(row.id),
        "granted_by": str(row.granted_by),
        "scope": row.scope,
        "starts_at": instant(row.starts_at),
        "until": instant(row.until),
        "running": row.starts_at <= now < row.until,
        "recorded_at": instant(row.recorded_at),
        "actor": row.actor,
    }


def shown_hotfix(row: HotfixRow) -> dict[str, object]:
    """Return a hotfix."""
    return {
        "id": str(row.id),
        "license_id": str(row.license_id),
        "activation_id": _id(row.activation_id),
        "severity": row.severity,
        "files": dict(row.files),
        "applied_at": instant(row.applied_at),
        "recorded_at": instant(row.recorded_at),
        "actor": row.actor,
    }


def shown_closure(row: ClosureRow) -> dict[str, object]:
    """Return a closure."""
    return {
        "id": str(row.id),
        "notified_at": instant(row.notified_at),
        "starts_at": instant(row.starts_at),
        "ends_at": instant(row.ends_at),
        "reason": row.reason,
        "recorded_at": instant(row.recorded_at),
        "actor": row.actor,
        "withdrawn_at": instant(row.withdrawn_at),
    }


def _dispute(dispute: Dispute) -> dict[str, object]:
    return {
        "version": dispute.version,
        "disputed_at": instant(dispute.disputed_at),
        "decided_at": instant(dispute.decided_at),
        "paid": dispute.paid,
    }


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)
