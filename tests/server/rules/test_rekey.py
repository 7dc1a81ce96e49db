"""The sentences are those of `rules.rekey`."""

import pytest

from tests.server.rules.facts import DAY, HOLDER, NEXOPOS, NOW, a_license, told
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.rekey import decide_rekey


def rekeyed(reason="lost", holders=(), order_held_at=None, **facts):
    return decide_rekey(
        a_license(**facts),
        old_hint="POS-7XK2…9ABC",
        holders=holders,
        reason=reason,
        policy=NEXOPOS,
        now=NOW,
        order_held_at=order_held_at,
    )


@pytest.mark.clause("K-14")
def test_a_license_gets_another_key_and_the_till_that_should_learn_it_is_named():
    """Sentences 1, 2 and 5."""
    decision = rekeyed(" lost ", [HOLDER])
    assert decision.code is Grant.LICENSE_REKEYED
    assert decision.clauses == ("K-14",)
    assert decision.facts == {"old_hint": "POS-7XK2…9ABC", "relearn": [str(HOLDER)], "reason": "lost"}


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_another_key_needs_a_reason(reason):
    """Sentence 4, before anything of the license is told."""
    found = told(rekeyed(reason, revoked_at=NOW))
    assert found == ("deny", "reason_required", ("K-14",), {}, ("give_reason",))


@pytest.mark.clause("K-13")
@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"legal_hold_at": NOW - DAY}, Refusal.LEGAL_HOLD),
        ({"terminated_at": NOW - DAY}, Refusal.LICENSE_TERMINATED),
        ({"revoked_at": NOW - DAY}, Refusal.LICENSE_REVOKED),
        ({"refunded_at": NOW - DAY}, Refusal.LICENSE_REVOKED),
    ],
)
def test_what_ended_for_good_or_is_on_hold_gets_no_other_key(facts, code):
    """Sentence 3."""
    assert rekeyed(**facts).code is code


@pytest.mark.parametrize("facts", [{"suspended_at": NOW - DAY}, {"use_until": NOW - DAY}])
def test_a_suspended_or_expired_license_gets_another_key(facts):
    """Sentence 3."""
    assert rekeyed(**facts).allowed


@pytest.mark.clause("BC-37")
def test_a_license_of_an_order_under_review_gets_no_other_key_and_says_since_when():
    """A license that stands worse is told how it stands."""
    facts = {"since": "2026-03-09T12:00:00Z"}
    found = told(rekeyed(order_held_at=NOW - DAY))
    assert found == ("deny", "order_under_review", NEXOPOS.sale.clauses.review, facts, ("ask_support",))
    assert rekeyed(order_held_at=NOW - DAY, revoked_at=NOW).code is Refusal.LICENSE_REVOKED
