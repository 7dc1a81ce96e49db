"""The sentences are those of `rules.renewal`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import NOW, POLICIES, a_license
from tillkey_server.errors import BrokenInvariant
from tillkey_server.money import Money, percent_of
from tillkey_server.rules.decision import Outcome, Refusal
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import (
    PRECEDENCE,
    Asked,
    Prices,
    RenewalFacts,
    decide_payment,
    decide_quote,
    decide_under_both,
    extends_of,
    months_of,
)
from tillkey_server.rules.renewal_codes import RenewalCode
from tillkey_server.rules.term import Ending, History, Payment, purchased
from tillkey_server.rules.term_policy import AfterRetirement, Clock, PriceBasis, RenewalChannel

ZG, BC = POLICIES["01generator"], POLICIES["prestashop-care"]
PRICES = Prices(Money(1999, "EUR"), Money(1000, "EUR"), Money(4000, "EUR"))
NOW_ASKED = Asked(NOW)


def terms(base: Policy = ZG, **changes) -> Policy:
    return replace(base, renewal=replace(base.renewal, **changes))


def facts(policy: Policy = ZG, *, bought: datetime = NOW - timedelta(days=10), **changes) -> RenewalFacts:
    history = History(purchased(bought, policy), (), (), policy.timezone)
    return replace(RenewalFacts(a_license(), history, PRICES, "shop"), **changes)


def lapsed(policy: Policy = ZG, **changes) -> RenewalFacts:
    return facts(policy, bought=NOW - timedelta(days=900), **changes)


@pytest.mark.clause("ZG-05", "V-13", "K-07")
@pytest.mark.parametrize(
    ("basis", "price"),
    [
        (PriceBasis.LIST_AT_PURCHASE, "6.00 EUR"),
        (PriceBasis.PAID, "3.00 EUR"),
        (PriceBasis.LIST_TODAY, "12.00 EUR"),
    ],
)
def test_a_renewal_costs_a_share_of_the_price_that_the_terms_name(basis, price):
    """Sentence 7: 30 % of 19.99 are 5.997."""
    quote = decide_quote(facts(), NOW_ASKED, terms(price_basis=basis), NOW)
    assert (quote.code, quote.facts["price"]) == (RenewalCode.RENEWAL_QUOTE, price)


@pytest.mark.clause("ZG-05", "K-07")
@pytest.mark.parametrize(
    ("currency", "minor", "price"), [("JPY", 1995, "599 JPY"), ("KWD", 19995, "5.999 KWD"), ("EUR", 1, "0.00 EUR")]
)
def test_a_price_has_the_places_of_its_currency(currency, minor, price):
    """Sentence 7."""
    listed = Prices(Money(minor, currency), Money(0, currency), Money(0, currency))
    assert decide_quote(facts(prices=listed), NOW_ASKED, ZG, NOW).facts["price"] == price


@pytest.mark.clause("BC-34", "V-16")
@pytest.mark.parametrize(("minor", "price"), [(10000, "135.00 EUR"), (109, "1.48 EUR")])
def test_the_surcharge_is_a_line_of_its_own_rounded_by_itself(minor, price):
    """Sentence 7: 1.09 gives 0.44 and 1.04."""
    today = Prices(Money(0, "EUR"), Money(0, "EUR"), Money(minor, "EUR"))
    quote = decide_quote(lapsed(BC, prices=today), NOW_ASKED, BC, NOW)
    assert (quote.code, quote.facts["price"]) == (RenewalCode.REACTIVATION_QUOTE, price)
    assert [line["what"] for line in quote.facts["lines"]] == ["renewal", "late_surcharge"]


@pytest.mark.clause("BC-34")
def test_a_second_before_the_end_it_is_a_renewal_like_any_other():
    """Sentence 7."""
    known = facts(BC)
    end = known.history.fold().of(Clock.SUPPORT).until
    before, at = (decide_quote(known, Asked(end - timedelta(seconds=late)), BC, NOW) for late in (1, 0))
    assert [before.code, at.code] == [RenewalCode.RENEWAL_QUOTE, RenewalCode.REACTIVATION_QUOTE]
    assert [before.facts["begins"], at.facts["begins"]] == ["appended", "from_now"]


def test_without_a_surcharge_a_late_renewal_costs_the_same():
    """Sentence 7, ZG-03."""
    quote = decide_quote(lapsed(), NOW_ASKED, ZG, NOW)
    assert (quote.code, quote.facts["begins"]) == (RenewalCode.RENEWAL_QUOTE, "from_now")


def test_where_the_channel_names_the_price_the_terms_name_none():
    """Sentence 7."""
    quote = decide_quote(facts(), NOW_ASKED, terms(price_percent=None), NOW)
    assert (quote.code, quote.facts["price"], quote.facts["lines"]) == (RenewalCode.RENEWAL_QUOTE, None, [])


@given(st.integers(0, 10**9), st.integers(0, 1000))
def test_a_percentage_is_the_nearest_whole_unit(minor, percent):
    """K-07: half up, and never by a float."""
    assert abs(percent_of(minor, percent) * 100 - minor * percent) <= 50
    assert percent_of(minor, 100) == minor


REFUSED = {
    RenewalCode.RENEWAL_NOT_OFFERED: (facts(), NOW_ASKED, replace(ZG, renewal=None)),
    Refusal.NOTHING_TO_RENEW: (facts(is_trial=True), NOW_ASKED, ZG),
    Refusal.LEGAL_HOLD: (facts(license=a_license(legal_hold_at=NOW)), NOW_ASKED, ZG),
    Refusal.LICENSE_TERMINATED: (facts(license=a_license(terminated_at=NOW)), NOW_ASKED, ZG),
    Refusal.LICENSE_REVOKED: (facts(license=a_license(refunded_at=NOW)), NOW_ASKED, ZG),
    RenewalCode.RENEWAL_PRODUCT_RETIRED: (facts(retired_at=NOW), NOW_ASKED, ZG),
    RenewalCode.RENEWAL_WRONG_CHANNEL: (
        facts(channel="market"),
        Asked(NOW, channel="shop"),
        terms(channel=RenewalChannel.ORIGINAL),
    ),
    RenewalCode.RENEWAL_MONTHS_NOT_OFFERED: (facts(), Asked(NOW, months=4), ZG),
}


@pytest.mark.parametrize("code", PRECEDENCE, ids=str)
def test_every_refusal_is_met(code):
    """Sentences 1 to 6."""
    assert set(REFUSED) == set(PRECEDENCE)
    known, asked, policy = REFUSED[code]
    quote = decide_quote(known, asked, policy, NOW)
    assert (quote.outcome, quote.code) == (Outcome.DENY, code)
    assert quote.clauses
    paid = decide_payment(known, asked, policy, NOW)
    assert paid.outcome is Outcome.PEND or paid == quote, "a payment is kept, or refused like the question"


def test_where_several_refusals_apply_the_first_is_told():
    """Sentence 1: each but the first gives way to those before it."""
    asked = Asked(NOW, months=4, channel="shop")
    strict = terms(channel=RenewalChannel.ORIGINAL)
    known = facts(channel="market", retired_at=NOW, is_trial=True)
    found = []
    for step in (
        {"license": a_license(revoked_at=NOW, terminated_at=NOW, legal_hold_at=NOW)},
        {"is_trial": False},
        {"license": a_license(revoked_at=NOW, terminated_at=NOW)},
        {"license": a_license(revoked_at=NOW)},
        {"license": a_license()},
        {"retired_at": None},
        {"channel": "shop"},
    ):
        known = replace(known, **step)
        found.append(decide_quote(known, asked, strict, NOW).code)
    assert tuple(found) == PRECEDENCE[1:]


@pytest.mark.clause("NX-47")
@pytest.mark.parametrize(
    ("channel", "bought", "told", "offline", "right"),
    [
        (RenewalChannel.ANY, "market", "shop", False, True),
        (RenewalChannel.ORIGINAL, "market", "market", False, True),
        (RenewalChannel.ORIGINAL, "market", None, False, True),
        (RenewalChannel.ORIGINAL, "market", "shop", True, False),
        (RenewalChannel.ORIGINAL, "manual", "shop", False, True),
        (RenewalChannel.ORIGINAL_UNLESS_CLOSED, "market", "shop", False, False),
        (RenewalChannel.ORIGINAL_UNLESS_CLOSED, "market", "shop", True, True),
    ],
)
def test_a_renewal_is_paid_where_the_license_was_bought(channel, bought, told, offline, right):
    """Sentence 5, in every reading."""
    known = facts(channel=bought, offline_at=NOW if offline else None)
    quote = decide_quote(known, Asked(NOW, channel=told), terms(channel=channel), NOW)
    assert quote.allowed is right
    assert right or quote.code is RenewalCode.RENEWAL_WRONG_CHANNEL


@pytest.mark.clause("BC-23")
def test_after_the_retirement_the_instant_of_the_payment_decides():
    """Sentences 4 and 8, in both readings of the terms."""
    known = facts(retired_at=NOW)
    before = Asked(NOW - timedelta(seconds=1))
    assert decide_payment(known, before, ZG, NOW).code is RenewalCode.RENEWED_APPENDED
    late = decide_payment(known, NOW_ASKED, ZG, NOW)
    assert (late.outcome, late.code) == (Outcome.PEND, RenewalCode.RENEWAL_AFTER_RETIREMENT)
    assert (extends_of(known, NOW_ASKED, ZG), late.facts["because"]) == ((), "retired")
    kind = terms(after_retirement=AfterRetirement.ALLOW)
    assert decide_payment(known, NOW_ASKED, kind, NOW).code is RenewalCode.RENEWED_APPENDED


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("state", ["legal_hold_at", "terminated_at", "revoked_at", "refunded_at"])
def test_a_payment_under_a_stronger_state_is_kept_for_a_person(state):
    """Sentences 3 and 8."""
    told = decide_payment(facts(license=a_license(**{state: NOW})), NOW_ASKED, ZG, NOW)
    assert (told.outcome, told.code) == (Outcome.PEND, RenewalCode.RENEWAL_PENDING_REVIEW)
    assert told.options == ("refund_payment",)


@pytest.mark.clause("K-13")
@pytest.mark.parametrize("state", [{"suspended_at": NOW}, {"use_until": NOW}])
def test_a_suspended_and_an_expired_license_are_renewed(state):
    """Sentence 3."""
    assert decide_payment(facts(license=a_license(**state)), NOW_ASKED, ZG, NOW).allowed


def test_what_an_early_ending_leaves_nothing_of_is_kept_for_a_person():
    """Sentence 8."""
    known = facts()
    history = replace(known.history, endings=(Ending(NOW, frozenset(Clock)),))
    told = decide_payment(replace(known, history=history), Asked(NOW - timedelta(days=1)), ZG, NOW)
    assert (told.code, told.facts["because"]) == (RenewalCode.RENEWAL_PENDING_REVIEW, "ended_early")


def test_the_first_clock_that_can_be_extended_tells_whether_it_comes_in_time():
    """Sentence 6: a clock without an end is passed over."""
    policy = terms(replace(ZG, clocks=replace(ZG.clocks, support_months=None)), extends=(Clock.SUPPORT, Clock.UPDATES))
    quote = decide_quote(facts(policy), NOW_ASKED, policy, NOW)
    assert quote.facts["clocks"]["support"]["until"] is None
    assert quote.facts["until"] == quote.facts["clocks"]["updates"]["until"]
    endless = terms(policy, extends=(Clock.SUPPORT, Clock.USE))
    assert decide_quote(facts(policy), NOW_ASKED, endless, NOW).code is Refusal.NOTHING_TO_RENEW


def test_the_usual_length_is_the_first_one():
    """Sentence 6."""
    policy = terms(months=(12, 6))
    assert [months_of(Asked(NOW), policy), months_of(Asked(NOW, months=6), policy)] == [12, 6]
    with pytest.raises(BrokenInvariant):
        months_of(Asked(NOW), replace(ZG, renewal=None))


@given(st.integers(0, 200), st.lists(st.integers(0, 200), max_size=4))
def test_a_quote_tells_the_end_that_the_payment_then_has(day, others):
    """Sentences 6 and 8: what was told before it was paid is what came of it."""
    start = datetime(2025, 8, 31, 12, tzinfo=UTC)
    paid = [Payment(UUID(int=n), start + timedelta(days=at), 3, frozenset(Clock)) for n, at in enumerate(others)]
    history = History(purchased(start, ZG), tuple(paid), (), ZG.timezone)
    at = start + timedelta(days=day)
    quote = decide_quote(replace(facts(), history=history), Asked(at), ZG, at)
    after = history.fold(Payment(UUID(int=99), at, 3, frozenset(Clock))).of(Clock.SUPPORT).until
    assert quote.facts["until"] == after.strftime("%Y-%m-%dT%H:%M:%SZ")


LATER = replace(ZG, version=ZG.version + 1)
BOTH, SUPPORT_ALONE = (Clock.SUPPORT, Clock.UPDATES), (Clock.SUPPORT,)


@pytest.mark.clause("K-09", "CJ-29")
@pytest.mark.parametrize(
    ("changes", "months", "version", "length"),
    [
        ({"price_percent": 20}, None, LATER, 3),
        ({"price_percent": 40}, None, ZG, 3),
        ({}, None, ZG, 3),
        ({"months": (6, 3)}, None, LATER, 6),
        ({"months": (6, 3), "price_percent": 31}, None, ZG, 3),
        ({"months": (1,), "price_percent": 20}, None, ZG, 3),
        ({"months": (1, 3), "price_percent": 20}, None, LATER, 3),
        ({"months": (1, 3), "price_percent": 20}, 1, LATER, 1),
        ({"months": (1,)}, 3, ZG, 3),
        ({"extends": SUPPORT_ALONE, "price_percent": 29}, None, ZG, 3),
        ({"price_percent": None}, None, ZG, 3),
        ({"price_basis": PriceBasis.LIST_TODAY}, None, ZG, 3),
    ],
)
def test_a_later_version_counts_where_it_takes_nothing_away_and_gives_more(changes, months, version, length):
    known = replace(facts(), prices=Prices(Money(2000, "EUR"), Money(2000, "EUR"), Money(1, "USD")))
    told = decide_under_both(known, Asked(NOW, months), ZG, terms(LATER, **changes), NOW)
    assert (told.policy.version, told.asked.months or told.quote.facts["months"]) == (version.version, length)
    assert told.quote.policy == told.policy.ref


@pytest.mark.clause("K-09")
def test_what_a_later_version_gives_to_one_more_clock_for_the_same_price_is_better():
    alone = terms(extends=SUPPORT_ALONE)
    told = decide_under_both(facts(alone), Asked(NOW), alone, LATER, NOW)
    assert told.policy is LATER


@pytest.mark.clause("K-09")
def test_a_later_version_that_renews_what_the_older_one_did_not_is_better():
    silent = replace(ZG, renewal=None)
    told = decide_under_both(facts(), Asked(NOW), silent, LATER, NOW)
    back = decide_under_both(facts(), Asked(NOW), ZG, replace(LATER, renewal=None), NOW)
    assert (told.policy, told.quote.outcome, back.policy) == (LATER, Outcome.ALLOW, ZG)


@pytest.mark.clause("K-09")
@pytest.mark.parametrize(("before", "later"), [(30, 20), (None, 30), (None, None)])
def test_a_price_that_no_terms_tell_is_compared_with_none(before, later):
    old, new = terms(price_percent=before), terms(LATER, price_percent=later, months=(3,))
    told = decide_under_both(facts(old), Asked(NOW), old, new, NOW)
    assert told.policy is (new if before is not None else old)
