"""The sentences are those of `rules.trial`."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.server.rules.facts import NEXOPOS, NOW
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.policy import TrialPolicy
from tillkey_server.rules.trial import PastTrial, decide_trial, trial_clocks

TERMS = TrialPolicy(14, ("ZZ-01",))
OFFERED = replace(NEXOPOS, trial=TERMS, timezone=ZoneInfo("Europe/Athens"))
PAST = PastTrial(UUID(int=7), NOW)


def test_without_terms_for_it_nobody_gets_a_trial():
    """Sentence 1, even for whoever had one under older terms."""
    for past in (None, PAST):
        decision = decide_trial(past, NEXOPOS, NOW)
        assert (decision.code, decision.clauses) == (Refusal.TRIAL_NOT_OFFERED, ("X-01",))


def test_a_trial_is_given_once():
    """Sentence 2."""
    assert decide_trial(None, OFFERED, NOW).code is Grant.TRIAL_ISSUED
    again = decide_trial(PAST, OFFERED, NOW)
    assert (again.code, again.clauses, again.options) == (Refusal.TRIAL_USED, ("ZZ-01",), ("buy_license",))
    assert again.facts["license_id"] == str(PAST.license_id)


@pytest.mark.clause("K-03")
def test_the_last_day_is_covered_whole_where_the_vendor_counts_its_dates():
    """Sentence 3: 23:30 UTC on 1 March is 2 March in Athens, and day 14 is 16 March."""
    clocks = trial_clocks(TERMS, OFFERED, datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert clocks.use_until == datetime(2026, 3, 16, 22, tzinfo=UTC)


@pytest.mark.clause("X-01")
def test_nothing_of_a_trial_outlasts_its_use_and_nothing_is_paid_back():
    """Sentence 4."""
    clocks = trial_clocks(TERMS, OFFERED, NOW)
    assert clocks.updates_until == clocks.support_until == clocks.use_until
    assert clocks.refund_until == NOW
