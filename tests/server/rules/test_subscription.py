"""The sentences are those of `rules.subscription`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.server.rules.facts import NOW, POLICIES, a_license, told
from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.renewal_codes import RenewalCode, SubscriptionCode
from tillkey_server.rules.subscription import (
    SubscriptionFacts,
    decide_cancel,
    decide_due,
    decide_next,
    decide_resume,
    decide_retirement,
    decide_start,
    due_of,
    first_due,
)
from tillkey_server.rules.term import Included, Payment, fold
from tillkey_server.rules.term_policy import Clock

BC = POLICIES["prestashop-care"]
SILENT = replace(BC, subscription=None)
PARIS = ZoneInfo("Europe/Paris")
DAY = timedelta(days=1)
HELD = SubscriptionFacts(a_license(), 12, 1, NOW, access_until=NOW + DAY)
CANCELLED = replace(HELD, cancelled_at=NOW - DAY, cancel_reason="customer", next_due_at=NOW + DAY)


@pytest.mark.clause("BC-25", "K-06", "K-05")
@pytest.mark.parametrize(
    ("start", "months", "paid", "day"),
    [
        (datetime(2024, 2, 29, 12, tzinfo=UTC), 12, 1, datetime(2025, 2, 27, 23, tzinfo=UTC)),
        (datetime(2024, 2, 29, 12, tzinfo=UTC), 12, 4, datetime(2028, 2, 28, 23, tzinfo=UTC)),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), 1, 1, datetime(2026, 2, 27, 23, tzinfo=UTC)),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), 1, 2, datetime(2026, 3, 30, 22, tzinfo=UTC)),
    ],
)
def test_a_renewal_is_due_with_the_last_local_day_of_what_is_paid_for(start, months, paid, day):
    """Sentence 2: no chain of clamped months, and daylight saving included."""
    care = Included(start, months)
    more = [Payment(UUID(int=k), start, months, frozenset({Clock.SUPPORT})) for k in range(1, paid)]
    until = fold(dict.fromkeys(Clock, care), more, (), PARIS).of(Clock.SUPPORT).until
    assert due_of(until, PARIS) == day
    assert first_due(until, PARIS, until - timedelta(seconds=1)) == day


@pytest.mark.clause("BC-25")
def test_of_what_is_over_the_first_is_due_at_once():
    """Sentence 2."""
    assert first_due(NOW, PARIS, NOW) == first_due(None, PARIS, NOW) == NOW


@pytest.mark.clause("CJ-23")
def test_a_renewal_is_created_when_its_period_begins():
    """Sentence 3."""
    said = decide_due(HELD, BC, NOW)
    assert (said.code, said.facts["period"]) == (SubscriptionCode.RENEWAL_CREATED, 1)
    assert decide_due(HELD, BC, NOW - timedelta(seconds=1)) is None
    assert decide_due(replace(HELD, unpaid_since=NOW - DAY), BC, NOW) is None
    assert decide_due(replace(HELD, cancelled_at=NOW), BC, NOW) is None
    assert decide_due(HELD, SILENT, NOW) is None


@pytest.mark.clause("K-13", "CJ-23")
@pytest.mark.parametrize("state", ["legal_hold_at", "terminated_at", "revoked_at", "refunded_at", "suspended_at"])
def test_a_stronger_state_keeps_it_from_being_charged(state):
    """Sentence 4."""
    said = decide_due(replace(HELD, license=a_license(**{state: NOW})), BC, NOW)
    assert (said.outcome, said.code) == (Outcome.DENY, SubscriptionCode.RENEWAL_BLOCKED)
    expired = replace(HELD, license=a_license(use_until=NOW))
    assert decide_due(expired, BC, NOW).allowed


@pytest.mark.clause("BC-23", "BC-24")
def test_retirement_cancels_it_and_an_offline_product_does_not():
    """Sentence 6."""
    retired = replace(HELD, retired_at=NOW)
    for said in (decide_next(retired, BC, NOW), decide_retirement(retired, BC, NOW)):
        assert (said.code, said.clauses) == (SubscriptionCode.RENEWAL_CANCELLED_PRODUCT_RETIRED, ("BC-23",))
    assert decide_retirement(HELD, BC, NOW) is None
    assert decide_retirement(replace(CANCELLED, retired_at=NOW), BC, NOW) is None
    assert decide_retirement(retired, SILENT, NOW) is None
    offline = decide_due(replace(HELD, offline_at=NOW), BC, NOW)
    assert (offline.allowed, offline.facts["notices"]) == (True, ["renewal_product_offline_notice"])
    assert "BC-24" in offline.clauses


@pytest.mark.clause("BC-23", "CJ-23")
def test_of_a_retired_product_nothing_falls_due_and_none_begins():
    """Sentence 6: whether or not the cancellation is on record yet."""
    assert decide_due(replace(HELD, retired_at=NOW - DAY), BC, NOW) is None
    refused = decide_start(None, 12, NOW, BC, NOW)
    facts = {"retired_at": WRITTEN}
    assert told(refused) == ("deny", "renewal_product_retired", BC.subscription.clauses.retired, facts, ())


@pytest.mark.clause("BC-25")
def test_it_is_cancelled_with_the_first_period_that_is_not_paid_for_and_told_again_says_the_same():
    """Sentence 5."""
    assert decide_cancel(HELD, BC, NOW).facts["ends_at"] == "2026-03-10T12:00:00Z"
    assert decide_cancel(replace(HELD, unpaid_since=NOW - DAY), BC, NOW).facts["ends_at"] == "2026-03-09T12:00:00Z"
    assert decide_cancel(CANCELLED, BC, NOW).code is SubscriptionCode.RENEWAL_CANCELLED
    for held, policy in ((None, BC), (None, SILENT), (replace(CANCELLED, next_due_at=NOW), BC)):
        assert decide_cancel(held, policy, NOW).code is SubscriptionCode.SUBSCRIPTION_NONE


@pytest.mark.clause("BC-25")
def test_it_is_taken_up_again_until_it_is_over():
    """Sentences 5 and 6."""
    codes = {
        SubscriptionCode.RENEWAL_RESUMED: CANCELLED,
        SubscriptionCode.RENEWAL_NOT_CANCELLED: HELD,
        SubscriptionCode.SUBSCRIPTION_NONE: replace(CANCELLED, next_due_at=NOW),
        RenewalCode.RENEWAL_PRODUCT_RETIRED: replace(CANCELLED, retired_at=NOW),
    }
    for code, held in codes.items():
        assert decide_resume(held, BC, NOW).code is code
    assert decide_resume(CANCELLED, SILENT, NOW).clauses == ("X-01",)


def test_one_at_a_time_is_begun_and_only_of_a_length_that_is_offered():
    """Sentence 1."""
    assert decide_start(None, 12, None, SILENT, NOW).code is SubscriptionCode.SUBSCRIPTION_NOT_OFFERED
    assert decide_start(HELD, 12, None, BC, NOW).code is SubscriptionCode.SUBSCRIPTION_ALREADY_STARTED
    assert decide_start(None, 6, None, BC, NOW).code is RenewalCode.RENEWAL_MONTHS_NOT_OFFERED
    for held in (None, replace(CANCELLED, next_due_at=NOW)):
        assert decide_start(held, 12, None, BC, NOW).code is SubscriptionCode.SUBSCRIPTION_STARTED


@pytest.mark.clause("X-13", "CJ-23", "BC-25")
def test_whoever_asks_is_told_the_next_renewal_and_whether_it_is_paid():
    """Sentence 7."""
    later = replace(HELD, next_due_at=NOW + DAY)
    expected = {"due_at": "2026-03-11T12:00:00Z", "months": 12, "access_until": "2026-03-11T12:00:00Z", "notices": []}
    told = decide_next(later, BC, NOW)
    assert (told.outcome, told.code, told.facts) == (Outcome.ALLOW, SubscriptionCode.RENEWAL_EXPECTED, expected)
    assert decide_next(HELD, BC, NOW) == decide_due(HELD, BC, NOW)
    ahead = decide_next(replace(later, offline_at=NOW), BC, NOW)
    assert (ahead.facts["notices"], "BC-24" in ahead.clauses) == (["renewal_product_offline_notice"], True)
    cancelled = replace(later, offline_at=NOW, cancelled_at=NOW)
    assert (cancelled.notices, replace(later, offline_at=NOW, retired_at=NOW).notices) == ([], [])
    unpaid = decide_next(replace(later, unpaid_since=NOW - DAY), BC, NOW)
    assert (unpaid.outcome, unpaid.code) == (Outcome.PEND, SubscriptionCode.RENEWAL_UNPAID)
    assert unpaid.facts["due_at"] == "2026-03-09T12:00:00Z"


@pytest.mark.clause("X-13", "BC-23", "BC-25")
def test_whoever_asks_is_told_when_a_cancelled_subscription_ends_or_that_there_is_none():
    """Sentence 7."""
    assert decide_next(CANCELLED, BC, NOW) == decide_cancel(CANCELLED, BC, NOW)
    retired = decide_next(replace(CANCELLED, cancel_reason="product_retired"), BC, NOW)
    assert retired.code is SubscriptionCode.RENEWAL_CANCELLED_PRODUCT_RETIRED
    over = replace(CANCELLED, next_due_at=NOW)
    for held, policy in ((None, BC), (HELD, SILENT), (over, BC)):
        assert decide_next(held, policy, NOW).code is SubscriptionCode.SUBSCRIPTION_NONE


WRITTEN = "2026-03-10T12:00:00Z"
TOMORROW = "2026-03-11T12:00:00Z"


def test_what_a_subscription_that_begins_or_may_not_begin_tells():
    """Sentence 1."""
    cited = BC.subscription.clauses.renewal
    assert told(decide_start(None, 12, None, SILENT, NOW)) == ("deny", "subscription_not_offered", ("X-01",), {}, ())
    running = {"months": 12, "next_due_at": WRITTEN}
    assert told(decide_start(HELD, 12, None, BC, NOW)) == ("deny", "subscription_already_started", cited, running, ())
    offered = {"offered": list(BC.subscription.months)}
    assert told(decide_start(None, 6, None, BC, NOW)) == ("deny", "renewal_months_not_offered", cited, offered, ())
    assert told(decide_start(None, 12, None, BC, NOW)) == ("allow", "subscription_started", cited, {"months": 12}, ())


def test_what_a_renewal_that_is_due_tells():
    """Sentences 3, 4 and 6."""
    terms = BC.subscription.clauses
    facts = {"period": 1, "due_at": WRITTEN, "months": 12, "notices": []}
    assert told(decide_due(HELD, BC, NOW)) == ("allow", "renewal_created", terms.renewal, facts, ())
    blocked = decide_due(replace(HELD, license=a_license(suspended_at=NOW)), BC, NOW)
    cited = tuple(dict.fromkeys(terms.renewal + BC.standing.suspended))
    assert told(blocked) == ("deny", "renewal_blocked", cited, facts | {"status": "suspended"}, ())
    offline = decide_due(replace(HELD, offline_at=NOW), BC, NOW)
    noticed = facts | {"notices": ["renewal_product_offline_notice"]}
    cited = tuple(dict.fromkeys(terms.renewal + terms.offline))
    assert told(offline) == ("allow", "renewal_created", cited, noticed, ())
    retired = decide_next(replace(HELD, retired_at=NOW), BC, NOW)
    ends = {"ends_at": WRITTEN, "access_until": TOMORROW}
    assert told(retired) == ("allow", "renewal_cancelled_product_retired", terms.retired, ends, ())


def test_what_a_cancellation_and_its_taking_back_tell():
    """Sentences 5 and 6."""
    terms = BC.subscription.clauses
    ends = {"ends_at": WRITTEN, "access_until": TOMORROW}
    assert told(decide_cancel(HELD, BC, NOW)) == ("allow", "renewal_cancelled", terms.cancel, ends, ())
    assert told(decide_cancel(None, BC, NOW)) == ("deny", "subscription_none", terms.cancel, {}, ())
    assert told(decide_cancel(None, SILENT, NOW)) == ("deny", "subscription_none", ("X-01",), {}, ())
    shown = {"months": 12, "next_due_at": TOMORROW}
    assert told(decide_resume(CANCELLED, BC, NOW)) == ("allow", "renewal_resumed", terms.cancel, shown, ())
    running = {"months": 12, "next_due_at": WRITTEN}
    assert told(decide_resume(HELD, BC, NOW)) == ("deny", "renewal_not_cancelled", terms.cancel, running, ())
    gone = decide_resume(replace(CANCELLED, retired_at=NOW), BC, NOW)
    assert told(gone) == ("deny", "renewal_product_retired", terms.retired, {"retired_at": WRITTEN}, ())


def test_a_cancelled_subscription_is_over_at_its_end_and_not_a_second_before():
    """Sentence 5."""
    last = replace(CANCELLED, next_due_at=NOW + timedelta(seconds=1))
    assert decide_resume(last, BC, NOW).allowed
    assert not decide_resume(replace(last, next_due_at=NOW), BC, NOW).allowed
    unpaid = replace(last, unpaid_since=NOW)
    assert not decide_cancel(unpaid, BC, NOW).allowed


@pytest.mark.clause("K-13", "CJ-23")
def test_a_renewal_of_a_customer_on_legal_hold_is_not_charged_whichever_license_is_held():
    said = decide_due(replace(HELD, held_since=NOW - DAY), BC, NOW)
    assert (said.code, said.facts["status"]) == ("renewal_blocked", "legal_hold")
