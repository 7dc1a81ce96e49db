"""What may be recorded about a request: refusals of the list alone, offers, notes, its end, consents, hotfixes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES
from tillkey_server.rules.decision import Decision, Outcome
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support_clock import ClockTerms, clocks_of, objection_until
from tillkey_server.rules.support_event import (
    EventFacts,
    GrantAsked,
    decide_closure,
    decide_event,
    decide_grant,
    decide_hotfix,
    decide_withdrawal,
)
from tillkey_server.rules.support_record import Closure, SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.support_state import banner_of, code_of, shown_clocks, state_of

K = SupportEventKind
MARKET, ADDON, CRM, CARE, DEVICES = (
    POLICIES[name] for name in ("nexopos", "01generator", "crmjetty", "prestashop-care", "netposa")
)
RECEIVED = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = RECEIVED + timedelta(days=1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NOTED = {"cause": "a full disk", "prevention": "watch the disk"}


def event(kind: SupportEventKind, at: datetime = NOW, **details: object) -> SupportEvent:
    return SupportEvent(kind, at, details)


def record(*events: SupportEvent, **more) -> SupportRecord:
    return SupportRecord(UUID(int=1), UUID(int=2), RECEIVED, events=events, **more)


def decided(policy: Policy, told: SupportEvent, *before: SupportEvent, known: EventFacts | None = None) -> Decision:
    return decide_event(record(*before), told, known or EventFacts(), policy, NOW)


def code(policy: Policy, told: SupportEvent, *before: SupportEvent, known: EventFacts | None = None) -> str:
    return decided(policy, told, *before, known=known).code.value


@pytest.mark.clause("BC-15", "NX-22")
def test_a_refusal_is_of_the_vendors_list_and_has_evidence() -> None:
    def refused(ground: str, policy: Policy = CARE, evidence: str = "seen") -> Decision:
        return decided(policy, event(K.REFUSED, code=ground, evidence=evidence))

    assert refused("nosup_third_party_service").code.value == "request_refused"
    for ground in ("nosup_custom_development", "nosup_abusive", "we do not like it"):
        assert refused(ground).facts["because"] == "ground_not_listed"
    assert refused("nosup_abusive", MARKET).allowed
    assert refused("nosup_hands_on", evidence="  ").facts["because"] == "evidence_missing"
    assert refused("nosup_custom_development").clauses == ("BC-15",)


@pytest.mark.clause("NX-20")
def test_support_that_ran_at_the_receipt_is_no_ground_afterwards() -> None:
    told = event(K.REFUSED, code="nosup_support_expired", evidence="expired")
    ends = {None: False, RECEIVED + SECOND: False, RECEIVED: True}
    found = {until: decided(MARKET, told, known=EventFacts(support_until=until)).allowed for until in ends}
    assert found == ends


@pytest.mark.clause("NX-27", "BC-14")
def test_a_refusal_for_files_that_a_hotfix_left_so_is_not_permitted() -> None:
    files = {"a.php": "1" * 64, "b.php": "2" * 64}
    told = event(K.REFUSED, code="nosup_code_modified", evidence="both", files=files)
    own = EventFacts(hotfixed_files=frozenset(files.values()))
    assert decided(MARKET, told, known=own).facts["because"] == "own_hotfix"
    assert decided(MARKET, told, known=own).clauses[0] == "NX-27"
    assert decided(CARE, told, known=own).clauses == ("BC-14", "BC-15")
    some = decided(CARE, told, known=EventFacts(hotfixed_files=frozenset({"1" * 64})))
    assert (some.code.value, some.facts["files"]) == ("request_refused", {"a.php": "own_hotfix", "b.php": "changed"})
    assert code(CARE, event(K.REFUSED, code="nosup_code_modified", evidence="seen")) == "request_refused"


@pytest.mark.clause("BC-05", "BC-28")
def test_an_automatic_answer_and_one_outside_the_tool_are_recorded_as_what_they_are() -> None:
    assert code(CARE, event(K.AUTOMATIC_REPLY)) == "ack_invalid_automatic"
    assert decided(DEVICES, event(K.AUTOMATIC_REPLY)).clauses == DEVICES.clocks.clauses.support
    silent = replace(CARE, deadlines=None)
    assert decided(silent, event(K.AUTOMATIC_REPLY)).clauses == ("BC-02", "BC-01")
    assert code(CARE, event(K.HUMAN_REPLY, in_tool=False)) == "reply_outside_tool"
    assert code(MARKET, event(K.HUMAN_REPLY, in_tool=False)) == "support_event_recorded"
    assert code(silent, event(K.HUMAN_REPLY, in_tool=False)) == "support_event_recorded"


@pytest.mark.clause("BC-05")
def test_an_automatic_acceptance_or_refusal_is_recorded_and_is_none() -> None:
    taken = event(K.ACCEPTED, author="automatic")
    assert (code(CARE, taken), decided(CARE, taken).facts) == ("ack_invalid_automatic", {"stops_clock": False})
    ground = {"code": "nosup_hands_on", "evidence": "asked to come"}
    assert code(CARE, event(K.REFUSED, author="automatic", **ground)) == "ack_invalid_automatic"
    assert code(CARE, event(K.REFUSED, author="automatic", code="nosup_abusive")) == "refusal_not_permitted"
    for author in ("human", "approved_draft"):
        assert code(CARE, event(K.ACCEPTED, author=author)) == "support_event_recorded"
        assert code(CARE, event(K.REFUSED, author=author, **ground)) == "request_refused"
    assert code(MARKET, event(K.ACCEPTED, author="automatic"), event(K.CLOSED)) == "event_out_of_place"


@pytest.mark.clause("BC-16")
def test_that_an_update_costs_is_disputed_once_and_a_person_says_which_it_is() -> None:
    offer, dispute = event(K.UPDATE_OFFERED, version="2.0", paid=True), event(K.UPDATE_DISPUTED)
    facts = {"event": "update_disputed", "version": "2.0", "stops_clock": False, "decided_by": "person"}
    told = decided(CARE, dispute, offer)
    assert (told.code.value, told.clauses, told.facts) == ("update_disputed", ("BC-16",), facts)
    assert decided(replace(CARE, support=replace(CARE.support, offers=None)), dispute, offer).clauses == (
        "BC-02",
        "BC-01",
    )
    found = event(K.UPDATE_CLASSIFIED, paid=False)
    told = decided(CARE, found, offer, dispute)
    facts = {"event": "update_classified", "version": "2.0", "paid": False, "stops_clock": False}
    assert (told.code.value, told.clauses, told.facts) == ("update_classified", ("BC-16",), facts)
    assert [code(CARE, dispute), code(CARE, dispute, offer, dispute)] == ["event_out_of_place"] * 2
    assert [code(CARE, found, offer), code(CARE, found, offer, dispute, found)] == ["event_out_of_place"] * 2
    again = decided(CARE, offer, offer, dispute, found)
    assert (again.code.value, again.facts["because"]) == ("offer_not_permitted", "found_free")
    assert code(CARE, event(K.UPDATE_OFFERED, version="2.0", paid=False), offer, dispute, found) == "update_free"


@pytest.mark.clause("NX-28", "CJ-09")
def test_who_does_not_answer_is_closed_with_the_same_note_as_anybody() -> None:
    terms = replace(CRM, support=replace(CRM.support, interventions=MARKET.support.interventions))
    asked, until = event(K.WAITING_FOR_CUSTOMER, RECEIVED), datetime(2026, 3, 16, 18, 30, tzinfo=UTC)
    bare = decided(terms, event(K.CLOSED, until, unanswered=True), asked)
    assert (bare.code.value, bare.clauses) == ("intervention_note_required", ("NX-28",))
    assert code(terms, event(K.CLOSED, until - SECOND, unanswered=True), asked) == "customer_still_has_time"
    worked = event(K.INTERVENTION, RECEIVED, **NOTED)
    assert code(terms, event(K.CLOSED, until, unanswered=True), worked, asked) == "closed_unanswered"
    why = event(K.CLOSED, until, unanswered=True, no_intervention_reason="nobody told the model")
    assert code(terms, why, asked) == "closed_unanswered"
    for blank in ("", " ", "\n\t"):
        assert code(terms, event(K.CLOSED, until, unanswered=True, no_intervention_reason=blank), asked) == (
            "intervention_note_required"
        )


@pytest.mark.clause("NX-28")
def test_an_intervention_names_cause_and_prevention_and_closing_needs_one_or_a_reason() -> None:
    assert decided(MARKET, event(K.INTERVENTION, cause="a full disk")).facts["missing"] == ["prevention"]
    assert code(MARKET, event(K.INTERVENTION, **NOTED)) == "support_event_recorded"
    assert code(ADDON, event(K.INTERVENTION)) == "support_event_recorded"
    assert code(MARKET, event(K.CLOSED)) == "intervention_note_required"
    assert code(MARKET, event(K.CLOSED), event(K.INTERVENTION, **NOTED)) == "support_event_recorded"
    assert code(MARKET, event(K.CLOSED, no_intervention_reason="a question")) == "support_event_recorded"
    assert code(ADDON, event(K.CLOSED)) == "support_event_recorded"


@pytest.mark.clause("NX-25")
def test_an_intervention_by_remote_access_needs_a_consent_that_runs() -> None:
    told = event(K.INTERVENTION, remote=True, **NOTED)
    assert code(MARKET, told) == "remote_access_not_authorized"
    assert code(MARKET, told, known=EventFacts(has_access=True)) == "support_event_recorded"
    assert decided(ADDON, told).clauses == ("ZG-13", "ZG-01")


@pytest.mark.clause("CJ-09")
def test_a_request_is_closed_as_unanswered_only_after_the_customers_time() -> None:
    asked = event(K.WAITING_FOR_CUSTOMER, RECEIVED)
    until = datetime(2026, 3, 16, 18, 30, tzinfo=UTC)
    early = decided(CRM, event(K.CLOSED, until - SECOND, unanswered=True), asked)
    assert (early.code.value, early.retry_at) == ("customer_still_has_time", until)
    assert code(CRM, event(K.CLOSED, until, unanswered=True), asked) == "closed_unanswered"
    assert code(CRM, event(K.CLOSED, until, unanswered=True)) == "event_out_of_place"
    assert code(MARKET, event(K.CLOSED, until, unanswered=True), asked) == "event_out_of_place"


@pytest.mark.clause("NX-26", "BC-30")
def test_a_fix_names_the_release_that_has_it() -> None:
    told = event(K.RESOLVED, fixed_in_release="2.1")
    assert [code(policy, told) for policy in (MARKET, CARE)] == ["request_fixed", "request_fixed"]
    assert code(ADDON, told) == "support_event_recorded"
    assert code(MARKET, event(K.RESOLVED)) == "support_event_recorded"


@pytest.mark.parametrize(
    ("told", "before", "fits"),
    [
        (K.ATTEMPT_DECLINED, [], False),
        (K.ATTEMPT_DECLINED, [K.ATTEMPT_OFFERED], True),
        (K.ATTEMPT_DECLINED, [K.UPDATE_OFFERED], True),
        (K.CUSTOMER_ANSWERED, [], False),
        (K.INFO_COMPLETE, [K.WAITING_FOR_CUSTOMER], True),
        (K.REOPENED, [], False),
        (K.REOPENED, [K.RESOLVED], True),
        (K.REOPENED, [K.REFUSED], True),
        (K.REOPENED, [K.CLOSED], True),
        (K.HUMAN_REPLY, [K.CLOSED], False),
        (K.HUMAN_REPLY, [K.CLOSED, K.REOPENED], True),
        (K.CONVERTED, [], False),
    ],
)
def test_an_event_fits_to_what_is_on_record(told, before, fits: bool) -> None:
    found = decided(CARE, event(told), *(event(kind, RECEIVED) for kind in before))
    assert (found.code.value != "event_out_of_place") is fits


@pytest.mark.clause("BC-36")
def test_only_what_was_asked_before_a_purchase_is_converted() -> None:
    asked = record(presale=True)
    decision = decide_event(asked, event(K.CONVERTED), EventFacts(), CARE, NOW)
    assert (decision.code.value, decision.clauses) == ("ticket_converted", ("BC-36",))
    assert decide_event(asked, event(K.CONVERTED), EventFacts(), MARKET, NOW).clauses == ("NX-20", "NX-21")


@pytest.mark.parametrize(
    ("policy", "kind", "before", "clauses"),
    [
        (CARE, K.ACCEPTED, None, ("BC-03", "BC-29")),
        (MARKET, K.HUMAN_REPLY, None, ("NX-34", "NX-30")),
        (CRM, K.HUMAN_REPLY, None, ("CJ-10",)),
        (CRM, K.WAITING_FOR_CUSTOMER, None, ("CJ-09",)),
        (MARKET, K.WAITING_FOR_CUSTOMER, None, ("NX-20", "NX-21")),
        (ADDON, K.RESOLVED, None, ("ZG-07",)),
        (CRM, K.RESOLVED, None, ("CJ-10",)),
        (MARKET, K.REOPENED, K.RESOLVED, ("NX-20", "NX-21")),
        (MARKET, K.CLOSED, K.INTERVENTION, ("NX-28",)),
    ],
)
def test_a_plain_event_cites_what_it_is_recorded_for(policy, kind, before, clauses) -> None:
    earlier = () if before is None else (event(before, RECEIVED, **NOTED),)
    assert decided(policy, event(kind), *earlier).clauses == clauses
    silent = replace(policy, deadlines=None)
    assert decided(silent, event(kind), *earlier).allowed


def test_terms_without_support_take_note_of_everything() -> None:
    assert code(DEVICES, event(K.REFUSED, code="anything")) == "support_event_recorded"


@pytest.mark.clause("NX-25", "CJ-10", "ZG-14")
def test_remote_access_is_the_owners_consent_after_nobody_could_reproduce_it() -> None:
    asked = GrantAsked(by_owner=True, starts_at=NOW, until=NOW + DAY)
    found = record(event(K.FINDING, finding="not_reproducible"))

    def granted(policy: Policy, consent: GrantAsked = asked, on: SupportRecord = found) -> str:
        return decide_grant(consent, on, policy, NOW).code.value

    assert granted(MARKET) == "remote_access_granted"
    assert granted(MARKET, on=record()) == "remote_access_not_justified"
    assert granted(CRM, on=record()) == "remote_access_granted"
    assert granted(MARKET, replace(asked, by_owner=False)) == "remote_access_not_authorized"
    assert granted(MARKET, replace(asked, until=NOW)) == "remote_access_not_authorized"
    assert decide_grant(asked, found, ADDON, NOW).clauses == ("ZG-14",)
    assert decide_grant(asked, found, DEVICES, NOW).outcome is Outcome.PEND
    no_ground = replace(ADDON.support, grounds=ADDON.support.grounds[:1])
    assert decide_grant(asked, found, replace(ADDON, support=no_ground), NOW).clauses == ("ZG-13", "ZG-01")


@pytest.mark.clause("NX-27")
def test_files_are_changed_at_once_only_where_the_fault_is_severe() -> None:
    found = {one.value: decide_hotfix(one, 1, MARKET, NOW).code.value for one in Severity}
    assert found == {
        "severe": "hotfix_recorded",
        "data_integrity": "hotfix_recorded",
        "minor": "hotfix_unjustified",
    }
    for policy in (ADDON, DEVICES):
        assert decide_hotfix(Severity.SEVERE, 1, policy, NOW).code.value == "hotfix_unjustified"


@pytest.mark.clause("BC-04")
def test_a_closure_was_told_before_it_began() -> None:
    in_time, late = (Closure(told, NOW, NOW + DAY) for told in (NOW, NOW + SECOND))
    assert decide_closure(in_time, CARE, NOW).code.value == "closure_recorded"
    assert decide_closure(in_time, CARE, NOW).facts["pauses_ack"] is True
    assert decide_closure(late, CARE, NOW).code.value == "closure_notice_late"
    assert decide_closure(in_time, MARKET, NOW).facts["pauses_ack"] is False
    assert decide_closure(in_time, DEVICES, NOW).allowed


@pytest.mark.clause("BC-04")
def test_a_closure_is_taken_back_until_it_is_over_and_told_again_says_the_same() -> None:
    closure = Closure(RECEIVED, NOW - DAY, NOW + SECOND)
    taken = decide_withdrawal(closure, CARE, NOW)
    assert (taken.code.value, taken.facts["withdrawn_at"]) == ("closure_withdrawn", "2026-03-03T12:00:00Z")
    over = decide_withdrawal(closure, CARE, closure.ends_at)
    assert (over.code.value, over.clauses) == ("closure_over", CARE.deadlines.closures.clauses)
    again = decide_withdrawal(replace(closure, withdrawn_at=NOW), CARE, NOW + DAY)
    assert again.facts == taken.facts
    assert decide_withdrawal(closure, DEVICES, NOW).clauses == DEVICES.clocks.clauses.support


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "open"),
        ([K.WAITING_FOR_CUSTOMER], "waiting_for_customer"),
        ([K.WAITING_FOR_CUSTOMER, K.RESOLVED], "resolved"),
        ([K.REFUSED], "refused"),
        ([K.REFUSED, K.CLOSED], "closed"),
    ],
)
def test_a_request_stands_where_its_strongest_event_put_it(events, state: str) -> None:
    assert state_of(record(*(event(kind) for kind in events))).value == state
    assert state_of(record(presale=True)).value == "presale"


@pytest.mark.clause("BC-04")
def test_a_clock_is_due_met_breached_or_stands_still_for_somebody() -> None:
    def stands(*events: SupportEvent, at: datetime = NOW, closures: tuple[Closure, ...] = ()) -> str:
        found, terms = record(*events), ClockTerms(CARE, None, closures)
        return code_of(clocks_of(found, terms, at)[0], found, at).value

    closure = Closure(RECEIVED - DAY, RECEIVED, RECEIVED + 9 * DAY)
    assert stands() == "sla_ack_due"
    assert stands(event(K.ACCEPTED)) == "sla_ack_met"
    assert stands(at=RECEIVED + 9 * DAY) == "sla_ack_breached"
    assert stands(closures=(closure,)) == "sla_paused_vacation"
    assert stands(event(K.WAITING_FOR_CUSTOMER), closures=(closure,)) == "sla_paused_customer"
    assert stands(event(K.ACCEPTED), closures=(closure,)) == "sla_ack_met"


@pytest.mark.clause("K-01")
def test_a_clock_tells_the_zone_and_the_calendar_that_it_is_counted_by() -> None:
    [ack, _] = shown_clocks(record(), ClockTerms(CARE), NOW)
    assert (ack["timezone"], ack["calendar"]) == ("Europe/Paris", "prestashop-care 3")
    assert ack["clauses"] == ["BC-03", "BC-29", "K-01", "K-04"]
    plain = replace(CARE, calendar=None)
    assert shown_clocks(record(), ClockTerms(plain), NOW)[0]["clauses"] == ["BC-03", "BC-29"]


@pytest.mark.clause("BC-03", "BC-06", "BC-04")
def test_a_request_shows_of_each_clock_how_it_stands_and_when_it_is_due() -> None:
    """The alarm of a fix comes on the earlier of both countings."""
    told = ("clock", "code", "due_at", "alarm_at", "stopped_at")

    def shown(*events: SupportEvent, at: datetime = NOW) -> list[tuple[object, ...]]:
        return [tuple(one[name] for name in told) for one in shown_clocks(record(*events), ClockTerms(CARE), at)]

    alarm = "2026-04-01T22:00:00Z"
    assert shown(at=NOW + 90 * DAY) == [
        ("ack", "sla_ack_breached", "2026-03-03T23:00:00Z", None, None),
        ("fix", "sla_fix_breached", "2026-04-13T22:00:00Z", alarm, None),
    ]
    assert shown(event(K.ACCEPTED, RECEIVED), event(K.WAITING_FOR_CUSTOMER)) == [
        ("ack", "sla_ack_met", None, None, "2026-03-02T12:00:00Z"),
        ("fix", "sla_paused_customer", None, alarm, None),
    ]


@pytest.mark.clause("BC-18")
def test_the_banner_stands_while_care_runs_and_is_of_the_moment() -> None:
    until = NOW + DAY
    held = LicenseFacts(UUID(int=2), RECEIVED, support_until=until)

    def banner(policy: Policy, license_: LicenseFacts | None = held, at: datetime = NOW) -> tuple[object, object]:
        shown = banner_of(license_, policy, at, product="collect", site=None)
        return shown["active"], shown["text"]

    assert banner(CARE) == (True, "Business Care in progress")
    assert banner(CARE, at=until) == (False, None)
    assert banner(CARE, replace(held, refunded_at=NOW)) == (False, None)
    assert banner(CARE, replace(held, support_until=None)) == (True, "Business Care in progress")
    assert banner(CARE, None) == (False, None)
    assert [banner(MARKET), banner(DEVICES)] == [(True, None), (True, None)]


@pytest.mark.clause("CJ-12")
@pytest.mark.parametrize(
    ("policy", "since", "told"),
    [
        (CRM, timedelta(days=3), {"event": "attempt_declined", "reopens": True}),
        (CRM, timedelta(days=14), None),
        (ADDON, timedelta(days=3), None),
    ],
)
def test_a_decline_within_the_days_to_object_reopens_what_was_solved_and_closed(policy, since, told) -> None:
    """Solved on Monday 2 March: five working days end with Monday the 9th."""
    ended = (event(K.RESOLVED, RECEIVED), event(K.CLOSED, RECEIVED))
    declined = decided(policy, event(K.ATTEMPT_DECLINED, RECEIVED + since), *ended)
    assert (declined.facts if declined.allowed else None) == told
    if told is not None:
        assert declined.clauses == ("CJ-12",)


@pytest.mark.clause("CJ-12", "K-04")
def test_the_days_to_object_are_working_days_from_the_solution() -> None:
    solved = record(event(K.RESOLVED, RECEIVED))
    assert objection_until(solved, CRM) == datetime(2026, 3, 9, 18, 30, tzinfo=UTC)
    assert objection_until(solved, ADDON) is None
    assert objection_until(record(), CRM) is None
    assert objection_until(record(event(K.RESOLVED, RECEIVED), event(K.REOPENED, NOW)), CRM) is None
