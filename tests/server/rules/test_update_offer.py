"""The sentences are those of `rules.update_offer`."""

from dataclasses import replace

import pytest

from tests.server.rules.facts import DAY, NOW, POLICIES, SECOND, told
from tillkey_server.rules.update_offer import OfferFacts, decide_offer

THEN = NOW - 10 * DAY
ADDON, CARE, MARKET, DEVICES = (POLICIES[name] for name in ("01generator", "prestashop-care", "nexopos", "netposa"))
OFFERED = OfferFacts("2.0", requested_at=THEN, offered_at=NOW, published_at=THEN)
WRITTEN = "2026-02-28T12:00:00Z"
SHOWN = {"version": "2.0", "paid": None, "published_at": WRITTEN, "requested_at": WRITTEN, "is_correction": False}


def answered(policy, **changed):
    decision = decide_offer(replace(OFFERED, **changed), policy, NOW)
    return decision.outcome.value, decision.code.value, decision.facts.get("because")


@pytest.mark.clause("ZG-15")
def test_only_what_was_there_at_the_time_of_the_request_is_offered_where_the_terms_say_so():
    """Sentence 2: published at the very instant of the request is there."""
    assert told(decide_offer(OFFERED, ADDON, NOW)) == ("allow", "resolution_update", ("ZG-15",), SHOWN, ())
    late = THEN + SECOND
    assert answered(ADDON, published_at=late) == ("deny", "resolution_update_too_new", None)
    assert answered(ADDON, published_at=None) == ("deny", "offer_not_permitted", "publication_unknown")
    assert answered(CARE, published_at=late) == ("allow", "resolution_update", None)
    assert answered(CARE, published_at=None) == ("allow", "resolution_update", None)


@pytest.mark.clause("BC-16")
def test_an_offer_is_free_or_costs_where_the_terms_say_so_and_is_no_correction():
    """Sentences 1 and 4."""
    for paid, code in ((False, "update_free"), (True, "update_paid")):
        decision = decide_offer(replace(OFFERED, is_paid=paid), CARE, NOW)
        assert told(decision) == ("allow", code, ("BC-16",), SHOWN | {"paid": paid}, ())
    because = {"paid": True, "because": "may_not_be_paid"}
    decision = decide_offer(replace(OFFERED, is_paid=True), ADDON, NOW)
    assert told(decision) == ("deny", "offer_not_permitted", ("ZG-15",), SHOWN | because, ())
    assert answered(ADDON, is_paid=False) == ("allow", "update_free", None)
    assert answered(CARE, is_paid=True, found_free=True) == ("deny", "offer_not_permitted", "found_free")
    assert answered(CARE, is_paid=False, found_free=True) == ("allow", "update_free", None)


@pytest.mark.clause("ZG-15", "BC-16")
@pytest.mark.parametrize("policy", [ADDON, CARE], ids=lambda one: one.name)
def test_nothing_is_offered_that_is_not_published_yet_or_was_withdrawn(policy):
    """Sentence 3: at the very instant of the offer both count."""
    soon = {"requested_at": NOW + DAY}
    assert answered(policy, published_at=NOW, **soon)[1] == "resolution_update"
    assert answered(policy, published_at=NOW + SECOND, **soon)[1] == "resolution_update_too_new"
    assert answered(policy, withdrawn_at=NOW) == ("deny", "update_withdrawn", None)
    assert answered(policy, withdrawn_at=NOW + SECOND)[1] == "resolution_update"


def test_terms_without_offers_permit_none_and_of_terms_without_support_a_person_decides():
    """Sentences 1 and 5."""
    none = decide_offer(OFFERED, MARKET, NOW)
    clauses = MARKET.support.clauses.tasks
    assert told(none) == ("deny", "offer_not_permitted", clauses, SHOWN | {"because": "terms_offer_none"}, ())
    silent = decide_offer(OFFERED, DEVICES, NOW)
    assert told(silent) == ("pend", "update_not_offered", DEVICES.clocks.clauses.support, SHOWN, ())
