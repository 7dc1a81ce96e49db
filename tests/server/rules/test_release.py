"""The sentences are those of `rules.release`."""

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, a_license, told
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.release import EndFacts, EndReason, decide_continue, decide_release, decide_release_on_word


@pytest.mark.clause("NX-07", "NX-50")
def test_a_deactivation_releases_and_a_second_one_changes_nothing():
    """Sentences 1 and 2: no state of the license is even asked for."""
    first = decide_release(EndFacts(), NEXOPOS, NOW)
    assert (first.code, first.facts) == (
        Grant.ACTIVATION_RELEASED,
        {"changed": True, "ended_at": "2026-03-10T12:00:00Z"},
    )
    assert first.clauses == ("NX-07", "NX-50")
    again = decide_release(EndFacts(NOW - DAY, EndReason.RELEASED), NEXOPOS, NOW)
    assert (again.code, again.facts["changed"]) == (Grant.ACTIVATION_RELEASED, False)


@pytest.mark.clause("NX-07")
@pytest.mark.parametrize("reason", list(EndReason))
@pytest.mark.parametrize("rid_known", [False, True])
def test_a_deactivation_of_whatever_ended_is_granted_and_changes_nothing(reason, rid_known):
    decision = decide_release(EndFacts(NOW - DAY, reason), NEXOPOS, NOW, rid_known=rid_known)
    assert decision.allowed
    assert decision.facts == {"changed": False, "ended_at": "2026-03-09T12:00:00Z"}


def test_a_deactivation_with_the_rid_of_a_step_is_stale_while_the_activation_lives():
    """Sentence 3."""
    decision = decide_release(EndFacts(), NEXOPOS, NOW, rid_known=True)
    assert told(decision) == ("deny", "stale_request", ("NX-07", "NX-50"), {}, ("new_request",))


@pytest.mark.clause("NX-08", "NX-48", "NX-50")
@pytest.mark.parametrize(
    "reason,code",
    [
        (EndReason.RELEASED, Refusal.ACTIVATION_RELEASED),
        (EndReason.MOVED, Refusal.ACTIVATION_SUPERSEDED),
        (EndReason.FORCED, Refusal.ACTIVATION_SUPERSEDED),
        (EndReason.REINSTALLED, Refusal.ACTIVATION_SUPERSEDED),
        (EndReason.CONFLICT, Refusal.ACTIVATION_SUPERSEDED),
        (EndReason.UNSEEN, Refusal.ACTIVATION_SUPERSEDED),
        (None, Refusal.ACTIVATION_SUPERSEDED),
    ],
)
def test_an_ended_activation_is_told_how_it_ended_before_anything_of_its_license(reason, code):
    """Sentences 4 and 5."""
    decision = decide_continue(EndFacts(NOW - DAY, reason), a_license(revoked_at=NOW), NEXOPOS, NOW)
    assert decision.code is code
    cited = NEXOPOS.activation.clauses
    by_reason = {EndReason.RELEASED: cited.release, EndReason.UNSEEN: cited.unseen}
    assert decision.clauses == by_reason.get(reason, cited.superseded)
    assert decision.facts == {"ended_at": "2026-03-09T12:00:00Z", "end_reason": reason}
    assert decision.options == ("activate", "ask_support")


@pytest.mark.clause("K-13", "X-03")
def test_a_living_activation_of_a_suspended_license_gets_its_statement_and_when_to_come_back():
    facts = a_license(suspended_at=NOW - DAY, suspended_until=NOW + DAY)
    decision = decide_continue(EndFacts(), facts, NEXOPOS, NOW)
    assert (decision.code, decision.retry_at) == (Refusal.LICENSE_SUSPENDED, NOW + DAY)


def test_a_living_activation_of_a_good_license_goes_on():
    decision = decide_continue(EndFacts(), a_license(), NEXOPOS, NOW)
    assert (decision.code, decision.clauses) == (Grant.LEASE_RENEWED, ("NX-03", "K-12"))


@pytest.mark.clause("NX-07", "NX-09")
def test_the_vendor_gives_back_what_lives_on_the_customers_word():
    """Sentence 6."""
    decision = decide_release_on_word(EndFacts(), " the owner called ", NEXOPOS, NOW)
    assert (decision.code, decision.clauses) == (Grant.ACTIVATION_RELEASED, ("NX-07", "NX-50"))
    assert decision.facts == {
        "changed": True,
        "ended_at": "2026-03-10T12:00:00Z",
        "on_word": True,
        "reason": "the owner called",
    }


@pytest.mark.parametrize("reason", [*EndReason, None])
def test_nothing_that_has_ended_is_given_back_on_anybodys_word(reason):
    """Sentence 6."""
    decision = decide_release_on_word(EndFacts(NOW - DAY, reason), "the owner called", NEXOPOS, NOW)
    assert decision.code is Refusal.NOT_ACTIVE
    assert decision.facts == {"ended_at": "2026-03-09T12:00:00Z", "end_reason": reason}
    assert (decision.clauses, decision.options) == (("NX-07", "NX-50"), ("activate",))


def test_giving_back_on_the_customers_word_needs_a_reason():
    """Sentence 6, before anything is told."""
    decision = decide_release_on_word(EndFacts(NOW - DAY, EndReason.FORCED), " ", NEXOPOS, NOW)
    assert told(decision) == ("deny", "reason_required", ("NX-07", "NX-50"), {}, ("give_reason",))
