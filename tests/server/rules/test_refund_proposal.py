"""Whether support that came too late proposes a refund; the numbers are the sentences of the rule."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from tests.server.rules.refund_facts import BC, CRMJETTY, PAID, ZG, an_issue, decide, facts, section, terms
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_facts import Asked
from tillkey_server.rules.refund_policy import Sender
from tillkey_server.rules.refund_proposal import (
    OFTEN,
    SELDOM,
    decide_proposal,
    in_due_form,
    is_breached,
    look_again_at,
)
from tillkey_server.rules.support_clock import ClockName, RequestClock
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

ID = UUID(int=9)
RECORD = SupportRecord(ID, UUID(int=2), PAID)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def clock(due, stopped_at=None) -> RequestClock:
    return RequestClock(ClockName.FIX, 3, due, None, stopped_at, False, ())


@pytest.mark.clause("ZG-09", "BC-07")
@pytest.mark.parametrize("policy", [ZG, BC])
def test_what_would_be_given_on_the_records_alone_is_proposed_with_its_clauses(policy) -> None:
    """Sentence 1."""
    now = PAID + 60 * DAY
    verdict = decide(facts(policy, issue=an_issue(fix_due=PAID + 45 * DAY)), in_due_form(now), policy)
    told = decide_proposal(ID, verdict, now)
    assert told is not None
    assert (told.code.value, told.outcome.value, told.clauses) == (
        "sla_refund_proposed",
        "pend",
        verdict.decision.clauses,
    )
    assert (told.facts["request_id"], told.facts["refund_code"], told.options) == (
        str(ID),
        "ref_granted_sla_breach",
        ("refund",),
    )
    early = decide(facts(policy, issue=an_issue(fix_due=now + DAY)), in_due_form(now), policy)
    assert decide_proposal(ID, early, now) is None


@pytest.mark.clause("ZG-09")
def test_what_the_law_gives_anybody_proposes_nothing() -> None:
    """Sentence 2."""
    now = PAID + DAY
    verdict = decide(facts(ZG, is_consumer=True, issue=an_issue(fix_due=PAID + 45 * DAY)), in_due_form(now), ZG)
    assert verdict.decision.code.value == "ref_granted_statutory"
    assert decide_proposal(ID, verdict, now) is None


def test_a_breach_is_any_clock_that_was_due() -> None:
    assert not is_breached((), PAID)
    assert not is_breached((clock(PAID + HOUR), clock(None)), PAID)
    assert is_breached((clock(PAID + HOUR), clock(PAID)), PAID)


@pytest.mark.parametrize(
    ("clocks", "after"),
    [
        ((), OFTEN),
        ((clock(None), clock(PAID)), OFTEN),
        ((clock(PAID + HOUR), clock(PAID + 3 * HOUR)), HOUR),
        ((clock(PAID + HOUR, PAID), clock(PAID + 3 * HOUR)), 3 * HOUR),
        ((clock(PAID + 9 * DAY),), OFTEN),
    ],
)
def test_what_runs_is_looked_at_when_the_next_deadline_is_over_or_in_a_day(clocks, after) -> None:
    """Sentence 4."""
    assert look_again_at(RECORD, clocks, PAID) == PAID + after


def test_what_has_ended_is_looked_at_once_a_month() -> None:
    """Sentence 4."""
    closed = RECORD.with_event(SupportEvent(SupportEventKind.CLOSED, PAID))
    assert look_again_at(closed, (clock(PAID + HOUR),), PAID) == PAID + SELDOM


@pytest.mark.clause("CJ-12", "CJ-30", "CJ-32")
def test_what_a_customer_who_has_not_written_yet_would_have_to_write_keeps_no_proposal_back() -> None:
    """Sentence 1: the official address, an e-mail, an order number and a reason, where the terms ask for them."""
    now = PAID + 20 * DAY
    policy = terms(CRMJETTY, required_fields=("order_number", "reason"))
    assert (section(policy).sender, any(one.by_email for one in section(policy).reasons)) == (Sender.OFFICIAL, True)
    issue = an_issue(Finding.MALFUNCTION, resolve_due=PAID + 10 * DAY)
    verdict = decide(facts(policy, issue=issue), in_due_form(now), policy)
    assert verdict.decision.code.value == "ref_granted_one_time_full"
    assert decide_proposal(ID, verdict, now) is not None
    plain = Asked(now)
    for missing, said in (
        (plain, "request_not_from_official_address"),
        (replace(plain, sender_verified=True), "ref_request_incomplete"),
    ):
        no = decide(facts(policy, issue=issue), missing, policy)
        assert (no.decision.code.value, decide_proposal(ID, no, now)) == (said, None)
