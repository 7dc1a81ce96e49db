"""The judge: its table, and that time alone never makes a verdict better."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.license_server import DAY, HOUR, PROJECT_ID, START
from tillkey.timeline import Point, TimeMemory, observe
from tillkey.verdict import STATUSES, Evidence, judge
from tillkey.wire.answers import ENDING_CODES, Lease, Statement
from tillkey.wire.request import ClockReading

JKT = "J" * 43
LEASE = Lease(
    iss="tillkey-test",
    sub="00000000-0000-0000-0000-000000000001",
    aud="pos-core",
    iat=START,
    nbf=START,
    exp=START + 30 * DAY,
    jti="1",
    jkt=JKT,
    rid="A" * 22,
    license="00000000-0000-0000-0000-000000000002",
    project=PROJECT_ID,
    environment="production",
    entitlements=("sell", "loyalty"),
    degraded=("sell",),
    refresh_at=START + 6 * HOUR,
    soft_exp=START + 7 * DAY,
    use_until=None,
    support_until=START + 365 * DAY,
    updates_until=None,
    seq=1,
    nonce="A" * 22,
    min_keyset=1,
    policy_name="default",
    policy_version=1,
)
ANCHOR = Point(START, START, 0, "boot")
MEMORY = TimeMemory(ANCHOR, ANCHOR)


def statement(code: str) -> Statement:
    return Statement("tillkey-test", START, "2", JKT, "A" * 22, code, ("X-03",), LEASE.sub)


def evidence(**changes: object) -> Evidence:
    return Evidence(**{"product": "pos-core", "jkt": JKT, "lease": LEASE, **changes})


def after(seconds: int) -> ClockReading:
    return ClockReading(START + seconds, seconds, "boot")


def judged(seconds: int = 0, **changes: object):
    return judge(evidence(**changes), MEMORY, after(seconds))


@pytest.mark.clause("X-02")
@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (0, "valid"),
        (6 * HOUR - 1, "valid"),
        (6 * HOUR, "refresh_due"),
        (7 * DAY - 1, "refresh_due"),
        (7 * DAY, "grace"),
        (30 * DAY - 1, "grace"),
        (30 * DAY, "degraded"),
        (3000 * DAY, "degraded"),
    ],
)
def test_a_lease_ages_through_its_statuses_and_stays_usable(seconds, status):
    verdict = judged(seconds)
    assert (verdict.status, verdict.usable) == (status, True)
    assert verdict.entitlements == (("sell",) if status == "degraded" else ("sell", "loyalty"))
    assert verdict.activated


def test_grace_tells_the_day_on_which_full_rights_end():
    assert "2025-11-08" in judged(8 * DAY).notice
    assert judged(8 * DAY).lease_ends_at.date().isoformat() == "2025-11-08"


@pytest.mark.clause("X-01")
@pytest.mark.parametrize(("seconds", "status"), [(DAY - 1, "refresh_due"), (DAY, "expired"), (40 * DAY, "expired")])
def test_a_term_that_ended_is_expired_and_not_usable(seconds, status):
    verdict = judged(seconds, lease=replace(LEASE, use_until=START + DAY))
    assert (verdict.status, verdict.usable) == (status, status != "expired")
    assert verdict.use_until.timestamp() == START + DAY


@pytest.mark.clause("X-01")
def test_the_end_of_support_or_updates_ends_no_use():
    lease = replace(LEASE, support_until=START - DAY, updates_until=START - DAY)
    verdict = judged(0, lease=lease)
    assert (verdict.status, verdict.usable) == ("valid", True)
    assert verdict.support_until == verdict.updates_until


@pytest.mark.clause("X-03")
@pytest.mark.parametrize(("code", "status"), sorted(ENDING_CODES.items()))
@pytest.mark.parametrize("seconds", [0, 7 * DAY, 30 * DAY])
def test_a_statement_with_an_ending_code_ends_use_even_inside_the_lease(code, status, seconds):
    verdict = judged(seconds, statement=statement(code))
    assert (verdict.status, verdict.usable, verdict.reason, verdict.entitlements) == (status, False, code, ())
    assert verdict.activated is (status not in {"superseded", "released"})
    assert verdict.notice


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("code", ["license_in_use", "stale_request", "rebind_required", "some_future_code"])
def test_a_statement_with_another_code_ends_nothing(code):
    assert judged(0, statement=statement(code)).status == "valid"


def test_a_lease_whose_key_left_the_newest_keyset_counts_as_past_its_end():
    verdict = judged(0, lease_key_held=False)
    assert (verdict.status, verdict.usable, verdict.reason) == ("degraded", True, "key_withdrawn")
    assert verdict.entitlements == ("sell",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lease": None}, "never_activated"),
        ({"lease": None, "unreadable": True}, "lease_unreadable"),
        ({"lease": None, "unreadable": True, "fault": "state_damaged"}, "lease_unreadable"),
        ({"lease": None, "fault": "keyset_mismatch"}, "keyset_mismatch"),
        ({"lease": None, "fault": "state_unreadable", "problems": ("cannot read x: denied",)}, "state_unreadable"),
        ({"lease": None, "fault": "check_failed"}, "check_failed"),
        ({"jkt": "K" * 43}, "other_installation"),
        ({"jkt": None}, "other_installation"),
        ({"product": "pos-loyalty"}, "other_product"),
        ({"jkt": "K" * 43, "statement": statement("license_revoked")}, "other_installation"),
    ],
)
def test_without_a_lease_of_its_own_a_till_is_unlicensed(changes, reason):
    verdict = judged(0, **changes)
    assert (verdict.status, verdict.usable, verdict.reason, verdict.activated) == ("unlicensed", False, reason, False)
    assert (verdict.entitlements, verdict.lease_ends_at, verdict.activation, verdict.project) == ((), None, None, None)


def test_the_project_is_called_as_the_person_named_it_or_by_its_id():
    assert judged(0, project="Corner Shop").project == "Corner Shop"
    assert judged(0).project == PROJECT_ID


def test_a_verdict_can_be_written_as_json():
    members = judged(0, problems=("torn",)).as_dict()
    assert members["lease_ends_at"] == "2025-11-08T08:53:20Z"
    assert (members["entitlements"], members["problems"]) == (["sell", "loyalty"], ["torn"])
    assert (members["use_until"], members["usable"]) == (None, True)


def test_a_time_beyond_the_calendar_does_not_break_the_judge():
    assert judged(0, lease=replace(LEASE, exp=2**53 - 1)).lease_ends_at.year == 9999


def test_every_status_is_one_of_the_published_ones():
    assert set(ENDING_CODES.values()) < set(STATUSES)


_RANK = {status: rank for rank, status in enumerate(["valid", "refresh_due", "grace", "degraded", "expired"])}
_MOMENTS = st.integers(min_value=-60 * DAY, max_value=60 * DAY)


@pytest.mark.clause("K-15")
@given(
    readings=st.lists(st.tuples(_MOMENTS, st.integers(0, 60 * DAY), st.sampled_from(["boot", "other"])), max_size=12),
    term=st.none() | st.integers(START, START + 60 * DAY),
)
def test_whatever_the_clocks_show_a_verdict_never_gets_better_by_time_alone(readings, term):
    memory, rank, seen = MEMORY, 0, START
    for wall, boottime, boot_id in readings:
        reading = ClockReading(START + wall, boottime, boot_id)
        memory = observe(memory, reading)
        verdict = judge(evidence(lease=replace(LEASE, use_until=term)), memory, reading)
        assert _RANK[verdict.status] >= rank
        assert verdict.as_of.timestamp() >= seen
        rank, seen = _RANK[verdict.status], verdict.as_of.timestamp()


@given(seconds=_MOMENTS, code=st.sampled_from(sorted(ENDING_CODES)), held=st.booleans())
def test_no_reading_of_the_clocks_lifts_a_statement(seconds, code, held):
    reading = ClockReading(START + seconds, 0, "other")
    verdict = judge(evidence(statement=statement(code), lease_key_held=held), MEMORY, reading)
    assert not verdict.usable
