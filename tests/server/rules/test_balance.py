"""The sentences are those of `rules.balance`."""

import pytest

from tests.server.rules.facts import NEXOPOS, NOW, POLICIES, told
from tillkey_server.money import Money
from tillkey_server.rules.balance import BalanceFacts, Taking, decide_taking

SILENT = POLICIES["netposa"]
FIVE = Money(500, "EUR")
PAID_OUT = ("NX-41", "X-10", "K-07")


@pytest.mark.clause("NX-41", "K-07", "K-13", "X-10")
@pytest.mark.parametrize(
    ("taking", "facts", "policy", "expected"),
    [
        (Taking.SPEND, BalanceFacts(500), NEXOPOS, ("allow", "balance_spent", ("X-10", "K-07"), "0.00 EUR")),
        (Taking.SPEND, BalanceFacts(500, NOW), NEXOPOS, ("allow", "balance_spent", ("X-10", "K-07"), "0.00 EUR")),
        (Taking.SPEND, BalanceFacts(499), NEXOPOS, ("deny", "balance_too_low", ("X-10", "K-07"), "4.99 EUR")),
        (Taking.SPEND, BalanceFacts(-1), NEXOPOS, ("deny", "balance_too_low", ("X-10", "K-07"), "-0.01 EUR")),
        (Taking.PAY_OUT, BalanceFacts(501), NEXOPOS, ("allow", "balance_paid_out", PAID_OUT, "0.01 EUR")),
        (Taking.PAY_OUT, BalanceFacts(501), SILENT, ("allow", "balance_paid_out", PAID_OUT, "0.01 EUR")),
        (Taking.PAY_OUT, BalanceFacts(0), NEXOPOS, ("deny", "balance_too_low", PAID_OUT, "0.00 EUR")),
    ],
)
def test_no_more_leaves_a_balance_than_is_left_of_it(taking, facts, policy, expected):
    """Sentences 1 and 3: spending is kept by no hold."""
    outcome, code, clauses, left = expected
    found = decide_taking(taking, FIVE, facts, policy, NOW)
    assert told(found) == (outcome, code, clauses, {"left": left, "amount": "5.00 EUR"}, ())


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("left", [0, 500])
def test_a_legal_hold_keeps_a_payout_back_whatever_is_left(left):
    """Sentence 3."""
    found = decide_taking(Taking.PAY_OUT, FIVE, BalanceFacts(left, NOW), NEXOPOS, NOW)
    held = {"since": "2026-03-10T12:00:00Z", "amount": "5.00 EUR"}
    assert told(found) == ("deny", "legal_hold", NEXOPOS.standing.legal_hold, held, ())
