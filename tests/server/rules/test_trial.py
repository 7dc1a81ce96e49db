"""The sentences are those of `rules.trial`."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from tests.server.rules.facts import NEXOPOS, NOW, told
from tillkey_server.rules.policy import TrialPolicy
from tillkey_server.rules.trial import PastTrial, decide_trial, trial_clocks

TERMS = TrialPolicy(14, ("ZZ-01",))
OFFERED = replace(NEXOPOS, trial=TERMS, timezone=ZoneInfo("Europe/Athens"))
PAST = PastTrial(UUID(int=7), NOW)


def test_without_terms_for_it_nobody_gets_a_trial():
    """Sentence 1, even for whoever had one under older terms."""
    for past in (None, PAST):
        decision = decide_trial(past, NEXOPOS, NOW)
        assert told(decision) == ("deny", "trial_not_offered", ("X-01",), {}, ("buy_license",))


def test_a_trial_is_given_once():
    """Sentence 2."""
    given = {"days": 14, "timezone": "Europe/Athens", "use_until": "2026-03-24T22:00:00Z"}
    assert told(decide_trial(None, OFFERED, NOW)) == ("allow", "trial_issued", ("ZZ-01",), given, ())
    before = {"license_id": str(PAST.license_id), "use_until": "2026-03-10T12:00:00Z"}
    assert told(decide_trial(PAST, OFFERED, NOW)) == ("deny", "trial_used", ("ZZ-01",), before, ("buy_license",))


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
