from dataclasses import replace

import pytest

from tests.server.rules.facts import NEXOPOS, NOW, POLICIES
from tillkey_server.errors import BadInput
from tillkey_server.rules.clocks import clocks_at_issue
from tillkey_server.rules.decision import Grant
from tillkey_server.rules.issue import decide_issue


@pytest.mark.clause("NX-01")
@pytest.mark.parametrize(
    "quantity,already,to_issue,code",
    [
        (1, 0, 1, Grant.LICENSE_ISSUED),
        (3, 0, 3, Grant.LICENSE_ISSUED),
        (3, 1, 2, Grant.LICENSE_ISSUED),
        (3, 3, 0, Grant.LICENSE_ALREADY_ISSUED),
        (2, 3, 0, Grant.LICENSE_ALREADY_ISSUED),
    ],
)
def test_a_line_gets_as_many_licenses_as_items_and_no_more_when_told_again(quantity, already, to_issue, code):
    """Sentences 1 to 3."""
    decision = decide_issue(quantity, already, NEXOPOS, NOW)
    assert decision.allowed
    assert (decision.code, decision.facts["to_issue"]) == (code, to_issue)
    assert decision.clauses == ("NX-01",)


@pytest.mark.clause("X-01", "X-09", "K-01")
def test_licenses_start_with_four_clocks_each_with_its_clause():
    """Sentences 4 and 5: a line bought again has clocks of its own day."""
    generator = POLICIES["01generator"]
    decision = decide_issue(1, 0, generator, NOW, clocks_at_issue(NOW, generator))
    assert decision.facts == {
        "quantity": 1,
        "already_issued": 0,
        "to_issue": 1,
        "timezone": "Europe/Athens",
        "use_until": None,
        "support_until": "2026-06-10T21:00:00Z",
        "updates_until": "2026-06-10T21:00:00Z",
        "refund_until": "2026-04-09T21:00:00Z",
    }
    until = replace(clocks_at_issue(NOW, generator), use_until=NOW)
    assert decide_issue(1, 0, generator, NOW, until).facts["use_until"] == "2026-03-10T12:00:00Z"
    assert decision.clauses == ("NX-01", "X-01", "ZG-16", "ZG-20", "ZG-01", "ZG-02", "ZG-18")


@pytest.mark.clause("NX-44")
def test_a_length_that_the_buyer_chose_is_told_with_its_clause():
    """Sentence 4; where the terms know no lengths there is nothing to cite."""
    decision = decide_issue(1, 0, NEXOPOS, NOW, clocks_at_issue(NOW, NEXOPOS, 6), 6)
    assert (decision.facts["months"], decision.clauses[-1]) == (6, "NX-44")
    assert "months" not in decide_issue(1, 0, POLICIES["netposa"], NOW, None, 6).facts


def test_a_line_without_an_item_is_bad_input():
    with pytest.raises(BadInput, match="quantity"):
        decide_issue(0, 0, NEXOPOS, NOW)
