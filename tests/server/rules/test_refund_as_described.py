"""Sentence 9 of `rules.refund_grounds`, and what a person is shown by it."""

from datetime import timedelta

import pytest

from tests.server.rules.facts import POLICIES
from tests.server.rules.refund_facts import NEXOPOS, PAID, ZG, an_issue, asking, decide, facts
from tillkey_server.rules.issue_facts import Finding
from tillkey_server.rules.refund_decision import decide_by_person

SILENT = POLICIES["netposa"]
DAY = timedelta(days=1)
PAGE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["import"], "price": "cheap"}
AS_DESCRIBED = {"platform": PAGE["platform"], "features": ["import"]}


@pytest.mark.clause("NX-32", "ZG-18")
@pytest.mark.parametrize("finding", [Finding.NOT_AS_DESCRIBED, Finding.MALFUNCTION])
@pytest.mark.parametrize("policy", [NEXOPOS, ZG])
@pytest.mark.parametrize(
    ("version", "page", "expected"),
    [
        ("8.1", PAGE, ("ref_granted_not_as_described", "8.1", True)),
        ("8.2+debian", PAGE, ("ref_pending_review", "8.2", False)),
        ("9.0", None, ("ref_granted_not_as_described", "9.0", None)),
        ("the newest", PAGE, ("ref_granted_not_as_described", None, None)),
        (None, PAGE, ("ref_granted_not_as_described", None, None)),
    ],
)
def test_what_is_not_as_described_is_measured_by_the_description_of_the_sale(finding, policy, version, page, expected):
    """Sentence 9: and the answer shows both."""
    found = facts(policy, advertised=page, issue=an_issue(finding, platform_version=version))
    decision = decide(found, asking("not_as_described"), policy).decision
    about = AS_DESCRIBED if page else {"platform": None, "features": None}
    assert decision.facts["described"] == {**about, "platform_version": expected[1], "covered": expected[2]}
    assert decision.code == expected[0]


@pytest.mark.clause("NX-32")
def test_what_was_advertised_is_shown_where_a_refund_is_about_that_and_speaks_against_nothing_else():
    """Sentence 9."""
    beyond = an_issue(Finding.NOT_AS_DESCRIBED, platform_version="9", reply_due=PAID)
    found = facts(NEXOPOS, advertised=PAGE, issue=beyond)
    late = decide(found, asking("no_support", at=PAID + DAY), NEXOPOS).decision
    assert (late.code, late.facts["described"]["covered"]) == ("ref_granted_no_support", False)
    told = decide(facts(NEXOPOS, advertised=PAGE), asking("not_as_described"), NEXOPOS).decision
    assert (told.code, told.facts["described"]["platform_version"]) == ("ref_pending_finding", None)
    by_agent = asking(findings=frozenset({Finding.NOT_AS_DESCRIBED}))
    assert decide(facts(NEXOPOS, advertised=PAGE), by_agent, NEXOPOS).decision.facts["described"]["covered"] is None
    plain = facts(NEXOPOS, advertised=PAGE, issue=an_issue(platform_version="9"))
    assert "described" not in decide(plain, asking("mistake", "unheard_of"), NEXOPOS).decision.facts


@pytest.mark.clause("NX-32")
@pytest.mark.parametrize("grant", [True, False])
def test_a_person_who_decides_whether_it_is_as_described_is_shown_the_description(grant):
    """`rules.refund_grounds`, sentence 9."""
    found = facts(NEXOPOS, advertised={"features": ["import"]})
    asked = asking("not_as_described")
    told = decide_by_person(found, asked, NEXOPOS, PAID, grant=grant).decision.facts
    assert told["described"] == {"platform": None, "features": ["import"], "platform_version": None, "covered": None}
    assert "described" not in decide_by_person(found, asking(), NEXOPOS, PAID, grant=grant).decision.facts
    assert decide_by_person(found, asked, SILENT, PAID, grant=False).decision.facts == {}
