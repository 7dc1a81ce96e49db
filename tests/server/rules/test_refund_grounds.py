"""The sentences are those of `rules.refund_grounds`, told by the vendors' own terms."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.refund_facts import (
    BC,
    CRMJETTY,
    NEXOPOS,
    PAID,
    ZG,
    a_renewal,
    an_issue,
    asking,
    code,
    decide,
    facts,
)
from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_policy import Plan

DAY = timedelta(days=1)
BROKEN = Finding.MALFUNCTION


@pytest.mark.clause("NX-33", "V-17", "V-18", "CJ-06")
def test_a_mistake_is_a_ground_where_nothing_was_ever_activated_and_never_where_it_is_none():
    """Sentences 1 and 4: activate, deactivate, ask; and the same facts under another vendor's terms."""
    mistake = asking("mistake")
    assert code(facts(NEXOPOS), mistake, NEXOPOS) == "ref_granted_mistake"
    assert code(facts(NEXOPOS, activations_ever=1, active=0), mistake, NEXOPOS) == "ref_denied_mistake_activated"
    assert code(facts(NEXOPOS, downloads=3), mistake, NEXOPOS) == "ref_granted_mistake"
    assert decide(facts(NEXOPOS, downloads=3), mistake, NEXOPOS).decision.facts["downloaded"] is True
    assert code(facts(), mistake) == "ref_denied_invalid_reason"


@pytest.mark.clause("NX-32")
def test_what_does_not_work_as_described_needs_somebody_to_have_found_so():
    asked = asking("not_as_described")
    assert code(facts(NEXOPOS), asked, NEXOPOS) == "ref_pending_finding"
    by_agent = replace(asked, findings=frozenset({Finding.NOT_AS_DESCRIBED}))
    assert code(facts(NEXOPOS), by_agent, NEXOPOS) == "ref_granted_not_as_described"
    solved = an_issue(Finding.NOT_AS_DESCRIBED, solved_at=PAID)
    assert code(facts(NEXOPOS, issue=solved), asked, NEXOPOS) == "ref_granted_not_as_described"


@pytest.mark.clause("NX-34", "BC-05")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "ref_granted_no_support"),
        ({"first_human_reply_at": PAID + 6 * DAY}, "ref_granted_no_support"),
        ({"first_human_reply_at": PAID + 4 * DAY}, "ref_denied_no_breach"),
        ({"reply_due": PAID + 9 * DAY}, "ref_pending_resolution"),
        ({"reply_due": None}, "ref_denied_no_breach"),
        ({"is_presale": True}, "ref_denied_no_breach"),
        ({"refused_at": PAID + 4 * DAY}, "ref_denied_no_breach"),
        ({"refused_at": PAID + 5 * DAY}, "ref_granted_no_support"),
    ],
)
def test_support_that_nobody_gave_in_time_is_a_ground(how, expected):
    """Sentence 5: a project without support was promised nothing; an answer before the end is one."""
    issue = an_issue(**({"reply_due": PAID + 5 * DAY} | how))
    assert code(facts(NEXOPOS, issue=issue), asking("no_support", at=PAID + 8 * DAY), NEXOPOS) == expected


@pytest.mark.clause("ZG-09", "ZG-18", "BC-07")
@pytest.mark.parametrize("policy", [ZG, BC])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, "ref_granted_sla_breach"),
        ({"solved_at": PAID + 80 * DAY}, "ref_denied_solved"),
        ({"fix_due": PAID + 999 * DAY}, "ref_pending_resolution"),
        ({"fix_due": None}, "ref_pending_cooperation"),
        ({"fix_due": None, "is_fault": False}, "ref_pending_finding"),
        ({"fix_due": None, "is_fault": False, "solved_at": PAID}, "ref_denied_solved"),
        ({"refused_at": PAID + 44 * DAY}, "ref_denied_no_breach"),
        ({"refused_at": PAID + 45 * DAY}, "ref_granted_sla_breach"),
        ({"is_presale": True}, "ref_denied_no_breach"),
        ({"license_id": UUID(int=404)}, "ref_pending_issue_required"),
    ],
)
def test_an_anomaly_that_was_not_corrected_in_time_gives_the_price_back_whenever(policy, how, expected):
    """Long after every window; of the license that the request is about, and no other."""
    issue = an_issue(**({"fix_due": PAID + 45 * DAY} | how))
    assert code(facts(policy, issue=issue), asking("sla_breach", at=PAID + 300 * DAY), policy) == expected


def defect(**more):
    return an_issue(BROKEN, **({"resolve_due": PAID + 40 * DAY} | more))


@pytest.mark.clause("CJ-12", "CJ-11", "CJ-09", "V-08")
@pytest.mark.parametrize(
    ("issue", "how", "expected"),
    [
        (None, {"asked_at": PAID + 20 * DAY}, "ref_pending_issue_required"),
        (an_issue(resolve_due=PAID), {}, "ref_pending_finding"),
        (defect(resolve_due=None), {}, "ref_pending_cooperation"),
        (defect(resolve_due=PAID + 46 * DAY), {}, "ref_pending_resolution"),
        (defect(), {"by_email": False}, "ref_pending_email_request"),
        (defect(solved_at=PAID + 41 * DAY), {}, "ref_denied_solved"),
        (defect(solved_at=PAID + 41 * DAY, objection_until=PAID + 45 * DAY), {}, "ref_denied_solved"),
        (defect(solved_at=PAID + 41 * DAY, objection_until=PAID + 46 * DAY), {}, "ref_pending_objection"),
        (defect(refused_at=PAID + 39 * DAY), {}, "ref_denied_no_breach"),
        (defect(refused_at=PAID + 40 * DAY), {}, "ref_granted_one_time_full"),
        (defect(refused_at=PAID, resolve_due=None), {}, "ref_denied_no_breach"),
        (defect(), {}, "ref_granted_one_time_full"),
    ],
)
def test_a_defect_is_a_ground_once_it_was_reported_found_left_unsolved_and_asked_for(issue, how, expected):
    """Sentence 6: what is missing first is told. Asked for on day 45, reported on the first: the report counts."""
    assert code(facts(issue=issue), asking("defect", at=PAID + 45 * DAY, **how)) == expected


@pytest.mark.clause("CJ-12", "V-08", "K-03")
@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (datetime(2026, 3, 2, 18, 20, tzinfo=UTC), "ref_granted_one_time_full"),
        (datetime(2026, 3, 2, 18, 30, tzinfo=UTC), "ref_denied_window_closed"),
    ],
)
def test_the_window_is_over_with_its_last_local_day(reported, expected):
    """Sentence 3: bought on 31 January, reported on 2 March at 23:50 in the vendor's zone, or ten minutes later."""
    bought = datetime(2026, 1, 31, 9, tzinfo=UTC)
    case = facts()
    case = facts(
        purchase=replace(case.purchase, paid_at=bought), issue=defect(reported_at=reported, resolve_due=reported)
    )
    assert code(case, asking("defect", at=reported + 15 * DAY)) == expected


@pytest.mark.clause("CJ-17")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (None, "ref_pending_attempt"),
        ({}, "ref_pending_attempt"),
        ({"attempt_offered_at": PAID + 3 * DAY}, "ref_pending_attempt"),
        ({"attempt_offered_at": PAID, "attempt_declined_at": PAID + DAY}, "ref_granted_annual_full"),
    ],
)
def test_who_is_unsatisfied_with_a_year_lets_the_vendor_try_first(how, expected):
    issue = None if how is None else an_issue(**how)
    assert code(facts(issue=issue, plan=Plan.ANNUAL), asking("unsatisfied", at=PAID + 9 * DAY)) == expected


@pytest.mark.clause("CJ-06", "CJ-17")
def test_being_unsatisfied_is_a_ground_of_yearly_plans_alone():
    """Sentence 2."""
    issue = an_issue(attempt_offered_at=PAID, attempt_declined_at=PAID)
    assert code(facts(issue=issue), asking("unsatisfied")) == "ref_denied_invalid_reason"


@pytest.mark.clause("CJ-06", "NX-35")
def test_a_reason_that_is_none_is_ignored_beside_a_ground():
    assert code(facts(NEXOPOS), asking("change_of_mind", "mistake"), NEXOPOS) == "ref_granted_mistake"
    alone = decide(facts(NEXOPOS), asking("change_of_mind"), NEXOPOS).decision
    assert (alone.outcome, alone.code, alone.facts["reason"]) == (
        Outcome.DENY,
        "ref_denied_change_of_mind",
        "change_of_mind",
    )


@pytest.mark.clause("NX-35")
def test_a_bar_denies_beside_any_ground_and_every_reason_is_told():
    told = decide(facts(NEXOPOS), asking("mistake", found=("service_consumed", "code_modified")), NEXOPOS).decision
    assert (told.code, told.outcome) == ("ref_denied_service_consumed", Outcome.DENY)
    grounds = told.facts["grounds"]
    assert isinstance(grounds, list)
    assert [(one["reason"], one["decision"]) for one in grounds] == [
        ("mistake", "allow"),
        ("service_consumed", "deny"),
        ("code_modified", "deny"),
    ]


@pytest.mark.clause("NX-35")
def test_a_reason_that_nobody_wrote_down_is_a_persons_and_never_a_no():
    told = decide(facts(NEXOPOS), asking("the_cat_did_it"), NEXOPOS).decision
    assert (told.outcome, told.code) == (Outcome.PEND, "ref_pending_review")


@pytest.mark.clause("CJ-03")
def test_a_conflict_with_third_parties_is_a_persons():
    assert code(facts(), asking("third_party")) == "ref_pending_discretion"


@pytest.mark.clause("CJ-07")
def test_a_lack_of_expertise_is_met_with_manuals_videos_and_a_demo():
    told = decide(facts(), asking("lack_of_expertise")).decision
    assert (told.code, told.options) == ("ref_denied_invalid_reason", ("manuals", "videos", "demo"))


@pytest.mark.clause("BC-27")
@pytest.mark.parametrize(
    ("reason", "more", "expected"),
    [
        ("not_downloaded", {}, "ref_granted_marketplace"),
        ("not_downloaded", {"downloads": 1}, "ref_pending_seller"),
        ("mistake", {}, "ref_granted_marketplace"),
        ("mistake", {"downloads": 1}, "ref_pending_seller"),
        ("malfunction", {}, "ref_pending_issue_required"),
        ("malfunction", {"issue": an_issue(BROKEN)}, "ref_granted_marketplace"),
        ("malfunction", {"issue": an_issue(BROKEN, reply_due=PAID + 9 * DAY)}, "ref_pending_resolution"),
        ("malfunction", {"issue": an_issue()}, "ref_pending_finding"),
        ("malfunction", {"issue": an_issue(BROKEN, solved_at=PAID)}, "ref_pending_seller"),
        ("misled", {"issue": an_issue(Finding.MISLED)}, "ref_granted_marketplace"),
        ("not_downloaded", {"activations_ever": 1}, "ref_pending_seller"),
        ("boredom", {}, "ref_pending_seller"),
    ],
)
def test_within_a_month_three_grounds_are_enough(reason, more, expected):
    until = datetime(2026, 2, 5, 23, tzinfo=UTC)
    found = facts(BC, **more)
    found = replace(found, license=replace(found.license, refund_until=until))
    assert code(found, asking(reason, at=PAID + 3 * DAY), BC) == expected


@pytest.mark.clause("CJ-12", "BC-27")
def test_whoever_was_told_of_a_solution_may_object_to_it_before_it_counts():
    """Sentence 5."""
    until = PAID + 20 * DAY
    issue = an_issue(BROKEN, solved_at=PAID, objection_until=until)
    assert came_of(BC, "malfunction", issue, 19) == ("ref_pending_objection", "2026-01-25T10:00:00Z")
    assert came_of(BC, "malfunction", issue, 20) == ("ref_denied_solved", None)


@pytest.mark.clause("BC-27")
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, ("ref_pending_resolution", "2026-01-25T10:00:00Z")),
        ({"fix_due": None}, ("ref_pending_cooperation", None)),
        ({"fix_due": PAID + 9 * DAY}, ("ref_granted_marketplace", None)),
        ({"first_human_reply_at": PAID + 5 * DAY}, ("ref_granted_marketplace", None)),
        ({"findings": frozenset({BROKEN, Finding.UNSOLVABLE_SINGULAR})}, ("ref_granted_marketplace", None)),
        ({"refused_at": PAID + 2 * DAY}, ("ref_denied_no_breach", None)),
        ({"refused_at": PAID + 9 * DAY, "fix_due": PAID + 9 * DAY}, ("ref_granted_marketplace", None)),
        ({"is_presale": True}, ("ref_denied_no_breach", None)),
    ],
)
def test_in_vain_is_not_answered_or_not_corrected_in_time(how, expected):
    """Sentence 5: answered a day after it came, at the latest five days after; corrected within twenty."""
    plain = {"first_human_reply_at": PAID + DAY, "reply_due": PAID + 5 * DAY, "fix_due": PAID + 20 * DAY}
    assert came_of(BC, "malfunction", an_issue(BROKEN, **(plain | how)), 10) == expected


@pytest.mark.clause("BC-27")
def test_who_refuses_too_late_was_asked_in_vain():
    """Sentence 5: the refusal is the first answer, and it was due before."""
    late = {"first_human_reply_at": PAID + 5 * DAY, "refused_at": PAID + 5 * DAY, "reply_due": PAID + 5 * DAY}
    assert came_of(BC, "malfunction", an_issue(BROKEN, **late), 10)[0] == "ref_granted_marketplace"
    in_time = late | {"reply_due": PAID + 6 * DAY}
    assert came_of(BC, "malfunction", an_issue(BROKEN, **in_time), 10)[0] == "ref_denied_no_breach"


@pytest.mark.clause("BC-31")
def test_a_singular_problem_that_nobody_can_solve_gives_the_price_back():
    issue = an_issue(Finding.UNSOLVABLE_SINGULAR)
    assert code(facts(BC, issue=issue), asking("unsolvable", at=PAID + 90 * DAY), BC) == "ref_granted_unsolvable"


@pytest.mark.clause("ZG-09")
def test_without_a_reason_what_the_records_show_is_offered():
    """Sentence 7; a mistake is nobody's to assume."""
    issue = an_issue(BROKEN, fix_due=PAID + 45 * DAY)
    offered = decide(facts(ZG, issue=issue), asking(at=PAID + 60 * DAY), ZG).decision
    assert offered.code == "ref_granted_sla_breach"
    assert code(facts(NEXOPOS), asking(), NEXOPOS) == "ref_pending_finding"
    assert CRMJETTY.refund is not None


def came_of(policy, reason, issue, days, **more) -> tuple[str, str | None]:
    """What a decision shows of one reason: its code, and when to ask again."""
    found = facts(policy, issue=issue, **more)
    [shown] = decide(found, asking(reason, at=PAID + days * DAY), policy).decision.facts["grounds"]
    return shown["code"], shown["retry_at"]


@pytest.mark.clause("NX-35", "CJ-12")
def test_every_reason_is_shown_with_its_kind_and_what_came_of_it():
    """Sentences 1 and 6."""
    waiting = facts(issue=defect(resolve_due=PAID + 46 * DAY))
    shown = decide(waiting, asking("defect", "the_cat_did_it", at=PAID + 45 * DAY)).decision.facts["grounds"]
    known = ("defect", "ground", "pend", "ref_pending_resolution", ["CJ-12", "CJ-11"], "2026-02-20T10:00:00Z")
    unknown = ("the_cat_did_it", None, "pend", "ref_pending_review", ["CJ-03"], None)
    names = ("reason", "kind", "decision", "code", "clauses", "retry_at")
    assert shown == [dict(zip(names, one, strict=True)) for one in (known, unknown)]


@pytest.mark.clause("CJ-17", "BC-27", "NX-34", "ZG-09")
@pytest.mark.parametrize(
    ("policy", "reason", "issue", "expected"),
    [
        (CRMJETTY, "unsatisfied", None, "ref_denied_invalid_reason"),
        (NEXOPOS, "no_support", None, "ref_pending_issue_required"),
        (BC, "not_downloaded", None, "ref_denied_downloaded"),
        (BC, "malfunction", an_issue(BROKEN, solved_at=PAID), "ref_denied_solved"),
    ],
)
def test_a_reason_that_does_not_hold_is_shown_with_its_own_why(policy, reason, issue, expected):
    """Sentences 2, 4 and 5, also where a marketplace then leaves it to the seller."""
    assert came_of(policy, reason, issue, 1, downloads=1) == (expected, None)


DUE = {"reply_due": PAID + 5 * DAY, "resolve_due": PAID + 5 * DAY, "fix_due": PAID + 5 * DAY}


@pytest.mark.clause("CJ-12", "NX-34", "BC-27", "ZG-09", "K-03")
@pytest.mark.parametrize(
    ("policy", "reason", "granted"),
    [
        (CRMJETTY, "defect", "ref_granted_defect"),
        (NEXOPOS, "no_support", "ref_granted_no_support"),
        (BC, "malfunction", "ref_granted_marketplace"),
        (ZG, "sla_breach", "ref_granted_sla_breach"),
    ],
)
def test_what_waits_for_the_vendor_tells_his_last_instant_and_from_then_on_holds(policy, reason, granted):
    """Sentence 6."""
    issue = an_issue(BROKEN, **DUE)
    assert came_of(policy, reason, issue, 4) == ("ref_pending_resolution", "2026-01-10T10:00:00Z")
    assert came_of(policy, reason, issue, 5) == (granted, None)


@pytest.mark.clause("NX-34", "K-03")
def test_an_answer_at_the_instant_at_which_it_was_due_is_late():
    """Half-open: the time that was promised was over."""
    issue = an_issue(first_human_reply_at=PAID + 5 * DAY, **DUE)
    assert came_of(NEXOPOS, "no_support", issue, 8) == ("ref_granted_no_support", None)


@pytest.mark.clause("CJ-12")
@pytest.mark.parametrize(
    ("how", "expected"),
    [({"resolve_due": None}, "ref_denied_window_closed"), ({"refused_at": PAID}, "ref_denied_no_breach")],
)
def test_a_late_report_waits_for_nothing_and_one_that_is_denied_anyway_keeps_its_own_reason(how, expected):
    """Sentence 3."""
    issue = defect(reported_at=PAID + 100 * DAY, **how)
    assert came_of(CRMJETTY, "defect", issue, 101) == (expected, None)


@pytest.mark.clause("CJ-18", "CJ-19")
@pytest.mark.parametrize(
    ("plan", "how", "expected"),
    [
        (Plan.ANNUAL, {"resolve_due": PAID + 110 * DAY}, "ref_pending_resolution"),
        (Plan.ANNUAL, {"resolve_due": None}, "ref_pending_cooperation"),
        (Plan.ANNUAL, {"resolve_due": PAID + 100 * DAY}, "ref_granted_prorata"),
        (Plan.MONTHLY, {"resolve_due": PAID + 110 * DAY}, "ref_denied_window_closed"),
    ],
)
def test_a_late_report_of_a_year_that_gives_its_rest_stays_pending(plan, how, expected):
    """Sentence 3."""
    issue = defect(reported_at=PAID + 100 * DAY, **how)
    assert code(facts(issue=issue, plan=plan), asking("defect", at=PAID + 101 * DAY)) == expected


@pytest.mark.clause("CJ-12", "CJ-09")
@pytest.mark.parametrize(
    ("solved", "asked", "written", "expected"),
    [
        (39, 20, None, "ref_denied_solved"),
        (40, 20, None, "ref_granted_one_time_full"),
        (45, 45, None, "ref_denied_solved"),
        (46, 45, None, "ref_granted_one_time_full"),
        (46, 45, 47, "ref_denied_solved"),
    ],
)
def test_a_solution_counts_in_its_time_or_before_it_was_asked_for_in_writing(solved, asked, written, expected):
    """Sentence 5: it was due on day 40."""
    put = None if written is None else PAID + written * DAY
    claim = asking("defect", at=PAID + asked * DAY, written_at=put)
    assert code(facts(issue=defect(solved_at=PAID + solved * DAY)), claim, now=PAID + 50 * DAY) == expected


@pytest.mark.clause("CJ-03", "CJ-26")
def test_what_somebody_found_to_be_a_persons_is_looked_at_and_stops_no_notice_about_a_renewal():
    """Sentence 8; found without any word of the customer's, too."""
    third = an_issue(Finding.THIRD_PARTY, resolve_due=PAID)
    assert code(facts(issue=third), asking()) == "ref_pending_discretion"
    assert code(facts(issue=third), asking("mistake")) == "ref_pending_discretion"
    renewed = facts(issue=third, renewals=(a_renewal(PAID, PAID, PAID + 30 * DAY),))
    assert code(renewed, asking("cancel_renewal", at=PAID + DAY)) == "ref_granted_renewal_full"
