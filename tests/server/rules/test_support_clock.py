"""The clocks of a request: what starts, stops and pauses them; the numbers are the sentences of the rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import POLICIES
from tillkey_server.rules.calendar import calendar_of
from tillkey_server.rules.clocks import first_instant
from tillkey_server.rules.deadline_policy import Answers, ClockStart
from tillkey_server.rules.issue_facts import Finding, IssueFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_clock import (
    ClockName,
    ClockTerms,
    NewerCalendar,
    RequestClock,
    clocks_of,
    issue_of,
    waited_since,
)
from tillkey_server.rules.support_record import Closure, SupportEvent, SupportEventKind, SupportRecord

K = SupportEventKind
CARE, ADDON, CRM, MARKET, DEVICES = (
    POLICIES[name] for name in ("prestashop-care", "01generator", "crmjetty", "nexopos", "netposa")
)
ID = UUID(int=1)
SECOND = timedelta(seconds=1)


def local(policy: Policy, day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=policy.timezone).astimezone(UTC)


def end_of(policy: Policy, day: date) -> datetime:
    return first_instant(day + timedelta(days=1), policy.timezone)


def event(kind: SupportEventKind, at: datetime, **details: object) -> SupportEvent:
    return SupportEvent(kind, at, details)


def record(received: datetime, *events: SupportEvent, **more) -> SupportRecord:
    return SupportRecord(ID, UUID(int=2), received, events=tuple(sorted(events, key=lambda one: one.at)), **more)


def clock(policy: Policy, name: str, found: SupportRecord, now: datetime | None = None, **terms) -> RequestClock:
    found_clocks = clocks_of(found, ClockTerms(policy, **terms), now or found.received_at)
    return next(one for one in found_clocks if one.name is ClockName(name))


def issue(policy: Policy, found: SupportRecord, now: datetime | None = None) -> IssueFacts:
    return issue_of(found, ClockTerms(policy), now or found.received_at)


FRIDAY = local(CARE, date(2026, 1, 2))


@pytest.mark.clause("V-11", "BC-03", "BC-29")
def test_what_came_on_a_friday_is_acknowledged_by_the_end_of_monday() -> None:
    assert clock(CARE, "ack", record(FRIDAY)).due == end_of(CARE, date(2026, 1, 5))


@pytest.mark.clause("V-12", "BC-06", "ZG-07")
def test_thirty_working_days_end_on_another_day_where_holidays_are_left_out() -> None:
    assert clock(CARE, "fix", record(FRIDAY)).due == end_of(CARE, date(2026, 2, 13))
    reported = local(ADDON, date(2026, 1, 2))
    assert clock(ADDON, "fix", record(reported)).due == local(ADDON, date(2026, 2, 16), 17)


@pytest.mark.clause("BC-06")
def test_the_alarm_is_the_earlier_of_both_countings_and_no_deadline() -> None:
    fix = clock(CARE, "fix", record(FRIDAY))
    assert fix.alarm_at == end_of(CARE, date(2026, 2, 1))
    assert fix.alarm_at < fix.due
    monday = local(CRM, date(2026, 1, 5))
    resolve = clock(CRM, "resolve", record(monday))
    assert (resolve.alarm_at, resolve.due) == (end_of(CRM, date(2026, 1, 9)), end_of(CRM, date(2026, 1, 12)))


@pytest.mark.clause("V-10", "CJ-10")
def test_five_working_days_from_a_saturday_end_on_friday() -> None:
    assert clock(CRM, "resolve", record(local(CRM, date(2026, 1, 3)))).due == end_of(CRM, date(2026, 1, 9))


@pytest.mark.clause("ZG-06")
@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 1, 2), date(2026, 1, 5)),
        (date(2026, 1, 3), date(2026, 1, 5)),
        (date(2026, 1, 5), date(2026, 1, 7)),
        (date(2026, 3, 27), date(2026, 3, 30)),
    ],
    ids=["friday 23:59", "a saturday", "before epiphany", "the night of summer time"],
)
def test_a_question_is_answered_by_closing_time_of_the_next_working_day(received: date, due: date) -> None:
    at = local(ADDON, received, 23) + timedelta(minutes=59)
    assert clock(ADDON, "reply", record(at)).due == local(ADDON, due, 17)


@pytest.mark.clause("BC-05")
def test_an_automatic_answer_stops_no_clock() -> None:
    answered = record(FRIDAY, event(K.AUTOMATIC_REPLY, FRIDAY + SECOND))
    assert clock(CARE, "ack", answered).stopped_at is None
    assert issue(CARE, answered).first_human_reply_at is None


@pytest.mark.clause("BC-03")
def test_a_person_who_only_confirms_the_receipt_answers_and_does_not_acknowledge() -> None:
    thanked = record(FRIDAY, event(K.HUMAN_REPLY, FRIDAY + SECOND))
    assert clock(CARE, "ack", thanked).stopped_at is None
    assert issue(CARE, thanked).first_human_reply_at == FRIDAY + SECOND
    taken = record(FRIDAY, event(K.ACCEPTED, FRIDAY + 2 * SECOND))
    assert clock(CARE, "ack", taken).stopped_at == FRIDAY + 2 * SECOND


@pytest.mark.clause("BC-28")
def test_an_answer_by_private_mail_counts_only_where_the_terms_let_it() -> None:
    mailed = record(FRIDAY, event(K.HUMAN_REPLY, FRIDAY + SECOND, in_tool=False))
    assert issue(CARE, mailed).first_human_reply_at is None
    assert issue(MARKET, mailed).first_human_reply_at == FRIDAY + SECOND


@pytest.mark.clause("BC-04")
@pytest.mark.parametrize(
    ("notified", "due"),
    [
        (date(2025, 12, 20), date(2026, 1, 12)),
        (date(2026, 1, 3), date(2026, 1, 5)),
    ],
    ids=["told before", "told after the request came in"],
)
def test_a_closure_pauses_the_acknowledgment_alone_and_only_if_it_was_told_before(notified: date, due: date) -> None:
    closure = Closure(local(CARE, notified), local(CARE, date(2026, 1, 5), 0), local(CARE, date(2026, 1, 10), 0))
    found = record(FRIDAY)
    assert clock(CARE, "ack", found, closures=(closure,)).due == end_of(CARE, due)
    assert clock(CARE, "fix", found, closures=(closure,)).due == clock(CARE, "fix", found).due


HOURS = st.integers(0, 24 * 30)


@pytest.mark.clause("BC-04", "K-01")
@given(HOURS, HOURS, st.integers(1, 24 * 20), HOURS)
def test_taking_a_closure_back_brings_a_deadline_forward_and_never_back_nor_into_the_past(
    received: int, begins: int, length: int, withdrawn: int
) -> None:
    start = local(CARE, date(2026, 1, 1), 0)
    at, begin, back = (start + timedelta(hours=hours) for hours in (received, begins, withdrawn))
    closure = Closure(start - SECOND, begin, begin + timedelta(hours=length))
    found = record(at)
    given_due, due = (
        clock(CARE, "ack", found, closures=(one,)).due for one in (closure, replace(closure, withdrawn_at=back))
    )
    assert given_due is not None
    assert due is not None
    assert due <= given_due
    assert due == given_due or due > back


@pytest.mark.clause("BC-04")
def test_a_closure_pauses_nothing_where_the_terms_say_so_or_say_nothing() -> None:
    closure = Closure(FRIDAY - 9 * SECOND, FRIDAY, FRIDAY + timedelta(days=9))
    promised = CARE.deadlines
    assert promised is not None
    assert promised.closures is not None
    for closures in (replace(promised.closures, pauses_ack=False), None):
        strict = replace(CARE, deadlines=replace(promised, closures=closures))
        assert clock(strict, "ack", record(FRIDAY), closures=(closure,)).due == end_of(CARE, date(2026, 1, 5))


def test_a_clock_that_is_paused_says_so_and_names_the_closures_clause() -> None:
    closure = Closure(FRIDAY - 9 * SECOND, FRIDAY, FRIDAY + timedelta(days=9))
    ack = clock(CARE, "ack", record(FRIDAY), closures=(closure,))
    assert (ack.is_paused, ack.clauses) == (True, ("BC-03", "BC-29", "BC-04"))


@pytest.mark.clause("CJ-09", "NX-24", "K-04")
def test_a_day_counts_not_where_the_customer_was_waited_for_at_its_end() -> None:
    monday = local(CRM, date(2026, 1, 5))
    asked = event(K.WAITING_FOR_CUSTOMER, monday + SECOND)
    still = record(monday, asked)
    assert clock(CRM, "resolve", still).due is None
    assert waited_since(still) == monday + SECOND
    answered = record(monday, asked, event(K.CUSTOMER_ANSWERED, local(CRM, date(2026, 1, 7))))
    assert clock(CRM, "resolve", answered).due == end_of(CRM, date(2026, 1, 13))
    assert waited_since(answered) is None


@pytest.mark.clause("CJ-10")
def test_the_clock_may_begin_when_all_was_told_instead() -> None:
    promised = CRM.deadlines
    assert promised is not None
    assert promised.resolve is not None
    terms = replace(promised, resolve=replace(promised.resolve, start=ClockStart.INFO_COMPLETE))
    late = replace(CRM, deadlines=terms)
    monday, friday = local(CRM, date(2026, 1, 5)), local(CRM, date(2026, 1, 9))
    asked = event(K.WAITING_FOR_CUSTOMER, monday, missing=["problem"])
    assert clock(late, "resolve", record(monday, asked)).due is None
    told = record(monday, asked, event(K.INFO_COMPLETE, friday))
    assert clock(late, "resolve", told).due == end_of(CRM, date(2026, 1, 16))
    assert clock(late, "resolve", record(monday)).due == clock(CRM, "resolve", record(monday)).due


@pytest.mark.clause("ZG-07")
def test_the_correction_may_be_counted_from_the_acceptance_instead() -> None:
    promised = ADDON.deadlines
    assert promised is not None
    assert promised.fix is not None
    accepted = replace(promised, fix=replace(promised.fix, start=ClockStart.ACCEPTED))
    terms = replace(ADDON, deadlines=accepted)
    reported = local(ADDON, date(2026, 1, 2))
    assert clock(terms, "fix", record(reported)).due is None
    later = record(reported, event(K.ACCEPTED, local(ADDON, date(2026, 1, 5))))
    assert clock(terms, "fix", later).due == local(ADDON, date(2026, 2, 17), 17)


@pytest.mark.clause("ZG-07")
def test_a_duplicate_is_corrected_by_the_clock_of_the_first_report() -> None:
    first, again = local(ADDON, date(2026, 1, 2)), local(ADDON, date(2026, 1, 20))
    duplicate = record(again, first_reported_at=first)
    assert clock(ADDON, "fix", duplicate).due == clock(ADDON, "fix", record(first)).due
    assert clock(ADDON, "reply", duplicate).due == clock(ADDON, "reply", record(again)).due


@pytest.mark.clause("ZG-08")
def test_what_is_reopened_keeps_its_first_clock() -> None:
    days = [FRIDAY + timedelta(days=n) for n in (1, 2)]
    solved = record(FRIDAY, event(K.RESOLVED, days[0]))
    reopened = record(FRIDAY, event(K.RESOLVED, days[0]), event(K.REOPENED, days[1]))
    assert issue(CARE, solved).solved_at == days[0]
    assert issue(CARE, reopened).solved_at is None
    assert issue(CARE, reopened).fix_due == issue(CARE, record(FRIDAY)).fix_due
    refused = record(FRIDAY, event(K.REFUSED, days[0], code="nosup_other_site"))
    again = record(FRIDAY, *refused.events, event(K.REOPENED, days[1]))
    assert (issue(CARE, refused).refused_at, issue(CARE, refused).fix_due) == (days[0], None)
    assert (issue(CARE, again).refused_at, issue(CARE, again).fix_due) == (None, issue(CARE, solved).fix_due)


@pytest.mark.clause("ZG-09", "ZG-08")
@pytest.mark.parametrize(("late", "owed"), [(-SECOND, False), (0 * SECOND, True), (timedelta(days=30), True)])
def test_a_refusal_that_came_when_it_was_due_or_later_undoes_no_breach(late: timedelta, owed: bool) -> None:
    """Sentence 5; refused twice, the first time counts."""
    due = clock(ADDON, "fix", record(FRIDAY)).due
    assert due is not None
    twice = [event(K.REFUSED, due + late, code="nosup_code_modified"), event(K.REFUSED, due + timedelta(days=40))]
    found = record(FRIDAY, *twice)
    assert issue(ADDON, found).fix_due == (due if owed else None)
    assert issue(ADDON, found).is_fault
    assert issue(ADDON, found).was_refused_before(due) is not owed


@pytest.mark.clause("ZG-07", "ZG-13")
def test_what_is_no_fault_has_no_clock_for_its_correction_until_one_is_found() -> None:
    """Sentence 6."""
    later = FRIDAY + timedelta(days=40)
    advice, reported = record(FRIDAY, task="usage"), record(FRIDAY, task="technical_issue")
    assert {one.name for one in clocks_of(advice, ClockTerms(ADDON), FRIDAY)} == {ClockName.REPLY}
    assert (issue(ADDON, advice).is_fault, issue(ADDON, reported).is_fault) == (False, True)
    other = record(FRIDAY, event(K.FINDING, later, finding="customer_action"), task="usage")
    assert issue(ADDON, other).fix_due is None
    found = record(FRIDAY, event(K.FINDING, later, finding="malfunction"), task="usage")
    assert clock(ADDON, "fix", found).due == clock(ADDON, "fix", record(later)).due
    assert clock(ADDON, "fix", reported).due == clock(ADDON, "fix", record(FRIDAY)).due
    again = replace(found, first_reported_at=FRIDAY)
    assert clock(ADDON, "fix", again).due == clock(ADDON, "fix", record(FRIDAY)).due


@pytest.mark.clause("ZG-07", "ZG-08")
@pytest.mark.parametrize(
    ("events", "owed"),
    [
        ([], True),
        ([(K.FINDING, "third_party")], False),
        ([(K.FINDING, "misled")], True),
        ([(K.FINDING, "third_party"), (K.REOPENED, None)], True),
        ([(K.FINDING, "not_reproducible"), (K.FINDING, "malfunction")], True),
        ([(K.CLOSED, None)], False),
        ([(K.CLOSED, None), (K.REOPENED, None)], True),
        ([(K.FINDING, "corrupt"), (K.CLOSED, None)], True),
        ([(K.RESOLVED, None), (K.CLOSED, None)], True),
    ],
)
def test_a_reported_fault_is_one_until_somebody_says_otherwise_in_time(events: list, owed: bool) -> None:
    """Sentence 6; what is said when it was due says nothing any more."""
    due = clock(ADDON, "fix", record(FRIDAY)).due
    assert due is not None
    for start, expected in ((FRIDAY + SECOND, owed), (due, True)):
        happened = [
            event(kind, start + n * SECOND, **({} if found is None else {"finding": found}))
            for n, (kind, found) in enumerate(events)
        ]
        told = issue(ADDON, record(FRIDAY, *happened, task="technical_issue"))
        assert (told.fix_due == due, told.is_fault) == (expected, expected)


def test_terms_that_name_no_tasks_correct_whatever_was_asked_for() -> None:
    promised = ADDON.deadlines
    assert promised is not None
    assert promised.fix is not None
    terms = replace(ADDON, deadlines=replace(promised, fix=replace(promised.fix, tasks=())))
    closed = record(FRIDAY, event(K.CLOSED, FRIDAY + SECOND), task="usage")
    assert clock(terms, "fix", closed).due == clock(ADDON, "fix", record(FRIDAY)).due
    assert issue(terms, closed).is_fault


@pytest.mark.clause("CJ-09", "ZG-07")
@pytest.mark.parametrize("closing", [K.CLOSED, K.RESOLVED])
def test_a_wait_for_the_customer_ends_when_he_comes_back_or_it_is_solved(closing: SupportEventKind) -> None:
    """What was closed waits until it is reopened; what was solved waited until then."""
    start = local(CRM, date(2026, 1, 5))
    days = [start + timedelta(days=n) for n in (1, 7, 14)]
    missing = event(K.WAITING_FOR_CUSTOMER, days[0], missing=["problem"])
    back = record(start, missing, event(closing, days[1]), event(K.REOPENED, days[2]))
    assert waited_since(back) is None
    last = 23 if closing is K.CLOSED else 16
    assert clock(CRM, "resolve", back).due == end_of(CRM, date(2026, 1, last))
    assert back.info_complete_at == days[2]


@pytest.mark.clause("BC-16")
def test_an_offer_is_no_correction() -> None:
    offered = record(FRIDAY, event(K.UPDATE_OFFERED, FRIDAY + SECOND), event(K.ATTEMPT_OFFERED, FRIDAY + 2 * SECOND))
    facts = issue(CARE, offered)
    assert (facts.solved_at, facts.attempt_offered_at) == (None, FRIDAY + 2 * SECOND)
    assert clock(CARE, "fix", offered).stopped_at is None


@pytest.mark.clause("BC-36")
def test_before_a_purchase_nothing_runs_and_a_conversion_begins_anew() -> None:
    asked = record(FRIDAY, presale=True)
    facts = issue(CARE, asked)
    assert (facts.is_presale, facts.reply_due, facts.fix_due) == (True, None, None)
    bought = local(CARE, date(2026, 1, 7))
    early = event(K.HUMAN_REPLY, FRIDAY + SECOND)
    converted = issue(CARE, record(FRIDAY, early, event(K.CONVERTED, bought), presale=True))
    assert (converted.is_presale, converted.reported_at, converted.first_human_reply_at) == (False, bought, None)
    assert converted.reply_due == end_of(CARE, date(2026, 1, 8))


@pytest.mark.clause("K-01")
def test_a_newer_calendar_counts_only_where_it_helps_the_customer_and_never_before_it_was_published() -> None:
    reported = local(ADDON, date(2026, 1, 2))
    found, given_due = record(reported), local(ADDON, date(2026, 2, 16), 17)
    assert ADDON.calendar is not None
    more = replace(ADDON.calendar, holidays=(*ADDON.calendar.holidays, date(2026, 2, 2)))
    fewer = replace(ADDON.calendar, holidays=())

    def due(calendar, published: datetime) -> tuple[datetime | None, int]:
        newer = NewerCalendar(calendar_of(replace(ADDON, calendar=calendar)), published, ADDON.version + 1)
        counted = clock(ADDON, "fix", found, newer=newer)
        return counted.due, counted.version

    assert due(more, reported) == (given_due, ADDON.version)
    assert due(fewer, reported) == (local(ADDON, date(2026, 2, 13), 17), ADDON.version + 1)
    assert due(fewer, local(ADDON, date(2026, 2, 14))) == (given_due, ADDON.version)


@pytest.mark.clause("NX-34")
def test_a_breach_is_a_deadline_that_came_before_what_it_was_for() -> None:
    received = local(MARKET, date(2026, 3, 2))
    reply = clock(MARKET, "reply", record(received))
    assert reply.due == local(MARKET, date(2026, 3, 9), 17)
    assert [reply.is_breached(at) for at in (reply.due - SECOND, reply.due)] == [False, True]
    late = clock(MARKET, "reply", record(received, event(K.HUMAN_REPLY, reply.due)))
    in_time = clock(MARKET, "reply", record(received, event(K.HUMAN_REPLY, reply.due - SECOND)))
    assert [one.is_breached(reply.due + timedelta(days=9)) for one in (late, in_time)] == [True, False]


def test_terms_without_deadlines_promise_none_and_tell_what_was_found() -> None:
    found = record(FRIDAY, event(K.FINDING, FRIDAY, finding="corrupt"), event(K.ATTEMPT_DECLINED, FRIDAY))
    facts = issue(DEVICES, found)
    assert clocks_of(found, ClockTerms(DEVICES), FRIDAY) == ()
    assert (facts.findings, facts.reply_due) == ({Finding.CORRUPT}, None)
    assert (facts.attempt_declined_at, facts.first_human_reply_at) == (FRIDAY, None)


def test_a_request_is_closed_until_it_is_reopened() -> None:
    closed = record(FRIDAY, event(K.CLOSED, FRIDAY))
    assert [record(FRIDAY).is_closed, closed.is_closed] == [False, True]
    assert not record(FRIDAY, *closed.events, event(K.REOPENED, FRIDAY + SECOND)).is_closed


@given(st.lists(st.sampled_from([K.HUMAN_REPLY, K.AUTOMATIC_REPLY]), max_size=6))
def test_only_people_answer(kinds: list[SupportEventKind]) -> None:
    found = record(FRIDAY, *(event(kind, FRIDAY + (n + 1) * SECOND) for n, kind in enumerate(kinds)))
    answered = found.answered_at(frozenset({K.HUMAN_REPLY}), Answers.ANY)
    assert (answered is None) == (K.HUMAN_REPLY not in kinds)


def test_an_answer_that_nobody_waited_for_ends_no_wait() -> None:
    assert record(FRIDAY, event(K.CUSTOMER_ANSWERED, FRIDAY)).waits() == ()
