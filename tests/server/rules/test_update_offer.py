"""The sentences are those of `rules.update_offer`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NOW, POLICIES, told
from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.update import ReleaseFacts
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_offer import decide_offer
from tillkey_server.rules.update_policy import ReleaseKind

THEN = NOW - 10 * DAY
AT_REQUEST, ANY_TIME = POLICIES["01generator"], POLICIES["prestashop-care"]
RELEASE = ReleaseFacts(UUID(int=1), "2.0", THEN, ReleaseKind.FEATURE)


@pytest.mark.clause("ZG-15")
def test_only_what_was_there_at_the_time_of_the_request_is_offered_where_the_terms_say_so():
    """Sentence 1: published at the very instant of the request is there."""
    decision = decide_offer(RELEASE, THEN, AT_REQUEST, NOW)
    written = "2026-02-28T12:00:00Z"
    facts = {"version": "2.0", "published_at": written, "requested_at": written, "is_correction": False}
    assert told(decision) == ("allow", "resolution_update", ("ZG-15",), facts, ())
    later = decide_offer(RELEASE, THEN - DAY, AT_REQUEST, NOW)
    assert (later.outcome, later.code) == (Outcome.DENY, UpdateCode.RESOLUTION_UPDATE_TOO_NEW)
    assert decide_offer(RELEASE, THEN - DAY, ANY_TIME, NOW).code is UpdateCode.RESOLUTION_UPDATE
    assert not decide_offer(replace(RELEASE, published_at=NOW + DAY), NOW, ANY_TIME, NOW).allowed
    assert decide_offer(replace(RELEASE, withdrawn_at=NOW), NOW, ANY_TIME, NOW).code is UpdateCode.UPDATE_WITHDRAWN


@pytest.mark.clause("BC-16")
@pytest.mark.parametrize("is_paid,code", [(False, UpdateCode.UPDATE_FREE), (True, UpdateCode.UPDATE_PAID)])
def test_both_offers_are_allowed_and_neither_is_a_correction(is_paid, code):
    """Sentence 2."""
    decision = decide_offer(RELEASE, NOW, ANY_TIME, NOW, is_paid=is_paid)
    assert (decision.outcome, decision.code, decision.clauses) == (Outcome.ALLOW, code, ("BC-16",))
    assert decision.facts["is_correction"] is False


def test_where_the_terms_are_silent_a_person_decides():
    decision = decide_offer(RELEASE, NOW, replace(ANY_TIME, updates=None), NOW)
    facts = {"version": "2.0", "published_at": "2026-02-28T12:00:00Z", "is_correction": False}
    asked = facts | {"requested_at": "2026-03-10T12:00:00Z"}
    assert told(decision) == ("pend", "update_not_offered", ANY_TIME.clocks.clauses.updates, asked, ())
