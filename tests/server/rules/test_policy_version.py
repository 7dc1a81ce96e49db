"""The version of the terms that a purchase is made under (`rules.policy_version`)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.policy_version import Recorded, version_at

ATHENS = replace(bundled_policies()["01generator"].policy, version=1)
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def recorded(version: int, at: datetime, since: date = ATHENS.effective_from) -> Recorded:
    return Recorded(replace(ATHENS, version=version, effective_from=since), at)


@pytest.mark.clause("K-09", "K-02")
def test_it_is_the_newest_that_was_on_record_by_then():
    known = [recorded(2, MARCH + timedelta(days=9)), recorded(1, MARCH)]
    instants = (MARCH, MARCH + timedelta(days=9) - SECOND, MARCH + timedelta(days=9))
    assert [version_at(known, at).version for at in instants] == [1, 1, 2]


@pytest.mark.clause("K-09", "K-01")
def test_it_is_in_effect_from_the_first_instant_of_its_date_where_the_terms_count_theirs():
    known = [recorded(1, MARCH), recorded(2, MARCH, date(2026, 4, 1))]
    begins = datetime(2026, 3, 31, 21, tzinfo=UTC)
    assert [version_at(known, at).version for at in (begins - SECOND, begins)] == [1, 2]


@pytest.mark.clause("K-09")
def test_before_all_of_them_it_is_the_oldest():
    known = [recorded(3, MARCH + SECOND), recorded(2, MARCH)]
    assert version_at(known, MARCH - timedelta(days=400)).version == 2
