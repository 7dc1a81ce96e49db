"""The sentences are those of `rules.lease`."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, HOUR, NEXOPOS, NOW, POLICIES, SECOND, a_license
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.lease import lease_times


@pytest.mark.clause("K-12")
def test_a_lease_has_the_policys_lengths():
    """Sentence 2."""
    times = lease_times(a_license(), NEXOPOS, NOW)
    assert (times.iat, times.refresh_at, times.soft_exp, times.exp, times.use_until) == (
        NOW,
        NOW + 6 * HOUR,
        NOW + 7 * DAY,
        NOW + 30 * DAY,
        None,
    )


def test_a_lease_is_counted_in_whole_seconds():
    """Sentence 1."""
    assert lease_times(a_license(), NEXOPOS, NOW + timedelta(microseconds=999_999)) == lease_times(
        a_license(), NEXOPOS, NOW
    )


@pytest.mark.clause("K-12", "CJ-14")
def test_full_rights_are_shorter_to_the_last_second_of_the_refund_window():
    """Sentence 3."""
    crmjetty, facts = POLICIES["crmjetty"], a_license(refund_until=NOW)
    assert lease_times(facts, crmjetty, NOW - SECOND).exp == NOW - SECOND + 10 * DAY
    assert lease_times(facts, crmjetty, NOW).exp == NOW + 30 * DAY


@pytest.mark.clause("K-02")
@pytest.mark.parametrize(
    "left,refresh,soft,full",
    [
        (20 * DAY, 6 * HOUR, 7 * DAY, 20 * DAY),
        (2 * DAY, 6 * HOUR, 2 * DAY, 2 * DAY),
        (1 * HOUR, 1 * HOUR, 1 * HOUR, 1 * HOUR),
    ],
)
def test_no_instant_of_a_lease_is_later_than_the_end_of_the_use_right(left, refresh, soft, full):
    """Sentence 4."""
    times = lease_times(a_license(use_until=NOW + left), NEXOPOS, NOW)
    assert (times.refresh_at, times.soft_exp, times.exp) == (NOW + refresh, NOW + soft, NOW + full)


def test_no_lease_is_made_at_or_after_the_end_of_the_use_right():
    """Sentence 5."""
    assert lease_times(a_license(use_until=NOW + SECOND), NEXOPOS, NOW).exp == NOW + SECOND
    with pytest.raises(BrokenInvariant):
        lease_times(a_license(use_until=NOW), NEXOPOS, NOW)


@given(
    st.none() | st.integers(1, 100 * 86400),
    st.none() | st.integers(-86400, 40 * 86400),
    st.sampled_from(list(POLICIES.values())),
)
def test_the_instants_of_a_lease_are_always_in_order_and_never_longer_than_full(use, refund, policy):
    facts = a_license(
        use_until=None if use is None else NOW + timedelta(seconds=use),
        refund_until=None if refund is None else NOW + timedelta(seconds=refund),
    )
    times = lease_times(facts, policy, NOW)
    assert times.iat < times.refresh_at <= times.soft_exp <= times.exp <= times.iat + policy.lease.full
    assert facts.use_until is None or times.exp <= facts.use_until
