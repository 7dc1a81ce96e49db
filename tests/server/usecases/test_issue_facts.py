"""What is on record about a request, read from both databases."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.support.house import AGENT, House
from tillkey_server.ids import new_id
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.store import policies, support, support_extras
from tillkey_server.store.licenses import by_id
from tillkey_server.usecases.issue_facts import issue_facts

CARE = "prestashop-click-collect"
FRIDAY = datetime(2026, 1, 2, 12, tzinfo=UTC)


async def put(house: House, received: datetime = FRIDAY, *, duplicate_of: UUID | None = None) -> UUID:
    """Write a request about a new license of a product with care."""
    sold = await house.license(CARE)
    async with house.services.db.writing() as tx:
        license_ = await by_id(tx, sold.license_id)
        assert license_ is not None
        row = support.SupportRequestRow(
            id=new_id(),
            customer_id=license_.customer_id,
            product_id=license_.product_id,
            license_id=license_.id,
            project_id=None,
            policy_name=license_.policy_name,
            policy_version=license_.policy_version,
            task="technical_issue",
            presale=False,
            reference=None,
            matter=None,
            platform_version=None,
            duplicate_of=duplicate_of,
            taken_as="support_task_ok",
            received_at=received,
            created_at=house.clock.now(),
            created_by=AGENT,
        )
        await support.insert(tx, row)
    return row.id


async def happened(house: House, request_id: UUID, kind: str, at: datetime, **details: object) -> None:
    async with house.services.db.writing() as tx:
        row = support.SupportEventRow(new_id(), request_id, kind, at, details, house.clock.now(), AGENT)
        await support.add_event(tx, row)


async def asked(house: House, request_id: UUID, now: datetime | None = None):
    async with house.services.db.reading() as tx:
        return await issue_facts(tx, request_id, now or house.clock.now())


async def test_facts_follow_from_the_events_that_have_happened(house: House) -> None:
    request_id = await put(house)
    later = FRIDAY + timedelta(days=3)
    await happened(house, request_id, "finding", FRIDAY, finding="malfunction")
    await happened(house, request_id, "accepted", later)
    await happened(house, request_id, "automatic_reply", FRIDAY)
    before, after = await asked(house, request_id, later - timedelta(seconds=1)), await asked(house, request_id)
    assert (before.first_human_reply_at, after.first_human_reply_at) == (None, later)
    assert after.findings == {Finding.MALFUNCTION}
    assert after.reply_due == datetime(2026, 1, 5, 23, tzinfo=UTC)
    assert after.fix_due == datetime(2026, 2, 13, 23, tzinfo=UTC)


async def test_a_closure_that_was_told_in_time_moves_the_acknowledgment(house: House) -> None:
    request_id = await put(house)
    async with house.services.db.writing() as tx:
        told, start = FRIDAY - timedelta(days=9), FRIDAY + timedelta(days=1)
        closure = support_extras.ClosureRow(new_id(), told, start, start + timedelta(days=3), "holidays", told, AGENT)
        await support_extras.add_closure(tx, closure)
    assert (await asked(house, request_id)).reply_due == datetime(2026, 1, 6, 23, tzinfo=UTC)


async def test_a_duplicate_has_the_first_clock_and_what_is_not_there_has_no_facts(house: House) -> None:
    first = await put(house)
    again = await put(house, FRIDAY + timedelta(days=20), duplicate_of=first)
    assert (await asked(house, again)).fix_due == (await asked(house, first)).fix_due
    assert await asked(house, new_id()) is None


async def renewed(house: House, old: str, new: str) -> None:
    """Record the next version of the terms of care, with this change, as published on Friday."""
    async with house.services.db.writing() as tx:
        known = await policies.newest(tx, "prestashop-care")
        assert known is not None
        assert known.source.count(old) == 1
        version = known.version + 1
        source = known.source.replace(f"\nversion = {known.version}\n", f"\nversion = {version}\n").replace(old, new)
        row = policies.PolicyVersionRow("prestashop-care", version, "digest", source, FRIDAY)
        await policies.record(tx, row)
        newest = await policies.newest(tx, "prestashop-care")
        assert newest is not None
        assert newest.version == version


@pytest.mark.clause("K-01")
async def test_a_newer_version_of_the_terms_moves_no_deadline_backwards(house: House) -> None:
    request_id = await put(house)
    given = await asked(house, request_id)
    await renewed(house, "holidays = [] ", "holidays = [2026-01-05] ")
    assert await asked(house, request_id) == given


@pytest.mark.clause("K-01")
async def test_a_newer_calendar_that_helps_the_customer_brings_a_deadline_forward(house: House) -> None:
    request_id = await put(house)
    await renewed(house, "extra_working_days = []", "extra_working_days = [2026-01-03]")
    brought = await asked(house, request_id)
    assert brought.reply_due == datetime(2026, 1, 3, 23, tzinfo=UTC)
    assert brought.fix_due == datetime(2026, 2, 12, 23, tzinfo=UTC)
