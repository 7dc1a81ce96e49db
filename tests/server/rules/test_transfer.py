"""The sentences are those of `rules.transfer`."""

from uuid import UUID

import pytest

from tests.server.rules.facts import CUSTOMER, DAY, HOLDER, NEXOPOS, NOW, a_license, told
from tillkey_server.rules.decision import Grant, Refusal
from tillkey_server.rules.transfer import TransferFacts, decide_transfer

BUYER = UUID(int=20)
OTHER_LICENSE = UUID(int=21)


def transferred(*, reason="the shop is sold", to=BUYER, left=(), hidden=0, **facts):
    asked = TransferFacts(a_license(**facts), CUSTOMER, to, reason, left, hidden, (HOLDER,))
    return decide_transfer(asked, NEXOPOS, NOW)


@pytest.mark.clause("NX-06", "NX-49")
def test_a_license_goes_to_another_customer_and_what_runs_goes_on():
    """Sentence 1."""
    decision = transferred(reason=" the shop is sold ")
    assert decision.code is Grant.LICENSE_TRANSFERRED
    assert decision.clauses == ("NX-06", "NX-49")
    assert decision.facts == {
        "from_customer": str(CUSTOMER),
        "to_customer": str(BUYER),
        "goes_on": [str(HOLDER)],
        "reason": "the shop is sold",
    }


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
def test_what_ended_for_good_or_is_on_hold_goes_nowhere(facts, code):
    """Sentence 2."""
    assert transferred(**facts, left=(OTHER_LICENSE,)).code is code


@pytest.mark.parametrize("facts", [{"suspended_at": NOW - DAY}, {"use_until": NOW - DAY}])
def test_a_suspended_or_expired_license_goes_and_stays_so(facts):
    """Sentence 2."""
    assert transferred(**facts).allowed


@pytest.mark.clause("NX-49")
def test_what_lives_on_the_same_installation_has_to_go_along_and_is_named():
    """Sentence 3."""
    decision = transferred(left=(OTHER_LICENSE,))
    assert (decision.code, decision.clauses) == (Refusal.INSTALLATION_SHARED, ("NX-49",))
    assert decision.facts == {"licenses": [str(OTHER_LICENSE)], "hidden": 0}
    assert decision.options == ("name_along", "deactivate")


@pytest.mark.clause("NX-49", "I13")
def test_what_the_caller_does_not_see_is_counted_and_not_named():
    """Sentence 3."""
    decision = transferred(hidden=1)
    assert (decision.code, decision.facts) == (Refusal.INSTALLATION_SHARED, {"licenses": [], "hidden": 1})
    assert decision.options == ("ask_supervisor",)


def test_nothing_is_transferred_to_whoever_has_it():
    """Sentence 4."""
    decision = transferred(to=CUSTOMER, left=(OTHER_LICENSE,))
    shown = {"to_customer": str(CUSTOMER)}
    assert told(decision) == ("deny", "nothing_to_transfer", ("NX-06", "NX-49"), shown, ())


def test_a_transfer_needs_a_reason():
    """Sentence 5, before anything of the license is told."""
    found = told(transferred(reason=" ", revoked_at=NOW))
    assert found == ("deny", "reason_required", ("NX-06", "NX-49"), {}, ("give_reason",))
