"""Two versions of one vendor's terms: sentence 7 of `rules.refund`, told by CJ-29's two texts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.server.rules.refund_facts import (
    CRMJETTY,
    NEXOPOS,
    PAID,
    a_payment,
    an_issue,
    asking,
    code,
    decide,
    edited,
    facts,
    terms,
)
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund import Verdict
from tillkey_server.rules.refund_policy import Plan
from tillkey_server.rules.refund_versions import better, decide_under_both

DAY = timedelta(days=1)
FRENCH = CRMJETTY
MONTHLY_NEVER = '[[refund.plans]]\nplan = "monthly"\nshare = "nothing"\nclauses = ["CJ-29"]\n\n'
LATER = edited(
    "crmjetty",
    ("version = 3", "version = 4"),
    ("apply_if_better = true", "apply_if_better = false"),
    (
        'share = "full"\ncode = "ref_granted_one_time_full"',
        'share = "full"\nwindow_working_days = 30\ncode = "ref_granted_one_time_full"',
    ),
    (
        'plan = "annual"\nshare = "full"\ncode = "ref_granted_annual_full"',
        'plan = "annual"\nshare = "prorata"\nwindow_working_days = 5',
    ),
    (
        '[[refund.lines]]\nkind = "customization"',
        MONTHLY_NEVER + '[[refund.lines]]\nkind = "customization"',
    ),
    ("include_current_month = true", "include_current_month = false"),
    ('late_issue = "prorata"', 'late_issue = "deny"'),
    ('late_annual = "prorata"', 'late_annual = "deny"'),
    ("required_fields = []", 'required_fields = ["order_number", "reason"]'),
    ("days = 5                             # CJ-30", "days = 14"),
    ('counted_from = "request"', 'counted_from = "grant"'),
)
ASKED = asking("defect", at=PAID + 60 * DAY, order_number="A-1", explanation="it does not start")


@pytest.mark.clause("CJ-29", "CJ-21", "CJ-32", "K-09")
@pytest.mark.parametrize(
    ("plan", "reported", "french", "later"),
    [
        (Plan.ONE_TIME, 29, "ref_granted_one_time_full", "ref_granted_one_time_full"),
        (Plan.ONE_TIME, 40, "ref_denied_window_closed", "ref_granted_one_time_full"),
        (Plan.ANNUAL, 29, "ref_granted_annual_full", "ref_denied_window_closed"),
        (Plan.ANNUAL, 2, "ref_granted_annual_full", "ref_granted_prorata"),
        (Plan.ANNUAL, 45, "ref_granted_prorata", "ref_denied_window_closed"),
        (Plan.MONTHLY, 2, "ref_granted_defect", "ref_denied_plan_not_refundable"),
    ],
)
def test_two_versions_of_the_terms_answer_each_by_its_own_text(plan, reported, french, later):
    issue = an_issue(Finding.MALFUNCTION, at=PAID + reported * DAY, resolve_due=PAID + 50 * DAY)
    found = facts(issue=issue, plan=plan)
    assert (code(found, ASKED, FRENCH), code(found, ASKED, LATER)) == (french, later)


@pytest.mark.clause("K-09", "CJ-29")
def test_a_later_version_counts_only_where_it_is_better_and_says_so():
    """Sentence 7."""
    issue = an_issue(Finding.MALFUNCTION, at=PAID + 40 * DAY, resolve_due=PAID + 50 * DAY)
    found = facts(issue=issue)
    willing = terms(LATER, apply_if_better=True)
    refused = decide_under_both(found, ASKED, FRENCH, LATER, ASKED.asked_at)
    assert (refused.decision.code, refused.decision.policy.version) == ("ref_denied_window_closed", 3)
    granted = decide_under_both(found, ASKED, FRENCH, willing, ASKED.asked_at)
    assert (granted.decision.code, granted.decision.policy.version) == ("ref_granted_one_time_full", 4)
    assert "CJ-29" in granted.decision.clauses
    monthly = replace(found, plan=Plan.MONTHLY, issue=replace(issue, reported_at=PAID))
    kept = decide_under_both(monthly, ASKED, FRENCH, willing, ASKED.asked_at)
    assert (kept.decision.code, kept.decision.policy.version) == ("ref_granted_defect", 3)
    older = decide_under_both(found, ASKED, willing, FRENCH, ASKED.asked_at)
    assert older.decision.policy.version == 4


@pytest.mark.clause("K-09")
def test_better_is_yes_before_pending_before_no_then_the_larger_sum_then_the_later_time():
    yes = decide(facts(NEXOPOS), asking("mistake"), NEXOPOS)
    more = decide(facts(NEXOPOS, purchase=a_payment(20000)), asking("mistake"), NEXOPOS)
    pending = decide(facts(NEXOPOS), asking("the_cat"), NEXOPOS)
    no = decide(facts(NEXOPOS, activations_ever=1), asking("mistake"), NEXOPOS)
    assert better(no, pending) is pending
    assert better(pending, yes) is yes
    assert better(yes, more) is more
    assert better(more, yes) is more
    later = Verdict(replace(no.decision, retry_at=PAID + DAY))
    assert better(no, later) is later
    assert better(later, no) is later


@pytest.mark.clause("K-09")
def test_an_older_version_decides_about_nothing_that_was_sold_under_a_later_one():
    """Sentence 7: though it would give more, and would apply where it is better."""
    issue = an_issue(Finding.MALFUNCTION, at=PAID + 29 * DAY, resolve_due=PAID + 50 * DAY)
    found = facts(issue=issue, plan=Plan.ANNUAL)
    told = decide_under_both(found, ASKED, LATER, FRENCH, ASKED.asked_at)
    assert (told.decision.code, told.decision.policy.version) == ("ref_denied_window_closed", 4)


@pytest.mark.clause("K-09")
def test_of_two_answers_that_are_alike_the_older_version_gives_its_own():
    no = decide(facts(NEXOPOS, activations_ever=1), asking("mistake"), NEXOPOS)
    other = Verdict(replace(no.decision, policy=LATER.ref))
    assert better(no, other) is no
    assert better(other, no) is other
