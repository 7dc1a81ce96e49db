import json
from zoneinfo import ZoneInfo

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, told
from tillkey_server.rules.decision import Grant, Outcome, Refusal, allow, deny, instant, pend
from tillkey_server.rules.policy import PolicyRef


@pytest.mark.clause("K-08")
def test_a_decision_carries_answer_code_clauses_policy_version_time_and_facts():
    decision = deny(
        Refusal.LICENSE_IN_USE,
        clauses=("NX-03", "NX-04", "NX-03"),
        policy=NEXOPOS.ref,
        now=NOW,
        facts={"since": instant(NOW)},
        retry_at=NOW + DAY,
        options=("move_ticket",),
    )
    assert (decision.outcome, decision.code) == (Outcome.DENY, "license_in_use")
    assert decision.clauses == ("NX-03", "NX-04")
    assert (decision.policy, decision.evaluated_at) == (PolicyRef("nexopos", 3), NOW)
    assert json.dumps(decision.facts) == '{"since": "2026-03-10T12:00:00Z"}'
    assert (decision.retry_at, decision.options) == (NOW + DAY, ("move_ticket",))
    assert not decision.allowed


def test_a_yes_is_allowed_and_has_facts_even_where_there_are_none():
    decision = allow(Grant.LEASE_RENEWED, clauses=("K-12",), policy=NEXOPOS.ref, now=NOW)
    assert decision.allowed
    assert decision.facts == {}


@pytest.mark.clause("K-08")
def test_what_a_person_decides_is_no_yes_and_tells_as_much_as_a_no():
    decision = pend(
        Refusal.ORDER_UNDER_REVIEW,
        clauses=("K-13",),
        policy=NEXOPOS.ref,
        now=NOW,
        facts={"reason": "odd"},
        retry_at=NOW + DAY,
        options=("refund",),
    )
    assert told(decision) == ("pend", "order_under_review", ("K-13",), {"reason": "odd"}, ("refund",))
    assert (decision.retry_at, decision.allowed) == (NOW + DAY, False)
    for bare in (pend, deny):
        nothing = bare(Refusal.NOT_FOUND, clauses=("K-08",), policy=NEXOPOS.ref, now=NOW)
        assert (nothing.facts, nothing.options, nothing.retry_at) == ({}, (), None)


def test_an_instant_is_told_in_utc():
    assert instant(NOW.astimezone(ZoneInfo("Europe/Athens"))) == "2026-03-10T12:00:00Z"


def test_no_instant_is_shown_as_none():
    assert instant(None) is None


@pytest.mark.parametrize("code", [*Refusal, *Grant])
def test_every_code_is_plain_snake_case_named_like_its_member(code):
    assert code.value == code.name.lower()
    assert code.value.replace("_", "").isalpha()
