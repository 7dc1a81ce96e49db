"""What the answers about a renewal tell: every fact and every clause. The sentences are those of `rules.renewal`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.server.rules.facts import NOW, POLICIES, a_license, told
from tillkey_server.money import Money
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.renewal import (
    Asked,
    Prices,
    RenewalFacts,
    decide_payment,
    decide_quote,
    decide_return,
    decide_under_both,
)
from tillkey_server.rules.term import History, purchased
from tillkey_server.rules.term_policy import RenewalChannel

ZG, BC = POLICIES["01generator"], POLICIES["prestashop-care"]
DAY = timedelta(days=1)
HERE = Asked(NOW)
IN_TIME, LATE = NOW - 10 * DAY, NOW - 900 * DAY


def terms(base: Policy = ZG, **changes) -> Policy:
    return replace(base, renewal=replace(base.renewal, **changes))


def prices(minor: int) -> Prices:
    return Prices(*[Money(minor, "EUR")] * 3)


def facts(policy: Policy = ZG, bought: datetime = IN_TIME, **changes) -> RenewalFacts:
    history = History(purchased(bought, policy), (), (), policy.timezone)
    return replace(RenewalFacts(a_license(), history, prices(1999), "shop"), **changes)


ONE_CLOCK = {"before": "2026-05-28T21:00:00Z", "until": "2026-08-28T21:00:00Z", "last_day": "2026-08-28"}
ENDS = {
    "months": 3,
    "paid_at": "2026-03-10T12:00:00Z",
    "timezone": "Europe/Athens",
    "begins": "appended",
    "until": "2026-08-28T21:00:00Z",
    "last_day": "2026-08-28",
    "clocks": {"support": ONE_CLOCK, "updates": ONE_CLOCK},
}


@pytest.mark.clause("ZG-04", "ZG-05", "K-02")
def test_a_quote_tells_the_ends_before_and_after_and_the_price():
    """Sentences 6 and 7."""
    line = {"what": "renewal", "percent": 30, "of": "19.99 EUR", "amount": "6.00 EUR"}
    price = {"price": "6.00 EUR", "price_minor": 600, "currency": "EUR", "lines": [line]}
    assert decide_quote(facts(), HERE, ZG, NOW).facts == ENDS | price | {"notices": []}


@pytest.mark.clause("ZG-04", "K-02")
def test_a_renewal_that_was_paid_tells_the_same_ends():
    """Sentence 8."""
    clauses = ("ZG-03", "K-05", "ZG-04")
    assert told(decide_payment(facts(), HERE, ZG, NOW)) == ("allow", "renewed_appended", clauses, ENDS, ())


@pytest.mark.clause("ZG-03", "ZG-04", "BC-25", "BC-34")
@pytest.mark.parametrize(
    ("policy", "bought", "quoted", "paid"),
    [
        (ZG, IN_TIME, ("ZG-03", "K-05", "ZG-05", "K-07", "ZG-04"), ("renewed_appended", "ZG-03", "K-05", "ZG-04")),
        (ZG, LATE, ("ZG-03", "K-05", "ZG-05", "K-07"), ("renewed_from_now", "ZG-03", "K-05")),
        (BC, IN_TIME, ("BC-25", "K-05", "BC-33", "K-07"), ("renewed_appended", "BC-25", "K-05")),
        (BC, LATE, ("BC-25", "K-05", "BC-33", "K-07", "BC-34"), ("renewed_from_now", "BC-25", "K-05", "BC-34")),
    ],
)
def test_what_is_cited_tells_a_renewal_in_time_from_a_late_one(policy, bought, quoted, paid):
    """Sentence 6."""
    assert decide_quote(facts(policy, bought), HERE, policy, NOW).clauses == quoted
    decided = decide_payment(facts(policy, bought), HERE, policy, NOW)
    assert (decided.code.value, *decided.clauses) == paid


@pytest.mark.clause("BC-34")
def test_who_renews_in_time_pays_no_surcharge():
    """Sentence 7."""
    quote = decide_quote(facts(BC), HERE, BC, NOW)
    assert [line["what"] for line in quote.facts["lines"]] == ["renewal"]


@pytest.mark.clause("ZG-05")
def test_a_surcharge_of_nothing_is_no_line():
    """Sentence 7."""
    quote = decide_quote(facts(bought=LATE), HERE, ZG, NOW)
    assert [line["what"] for line in quote.facts["lines"]] == ["renewal"]


@pytest.mark.clause("ZG-05", "K-07")
@pytest.mark.parametrize(("listed", "code"), [(0, "renewal_free"), (1, "renewal_free"), (3, "renewal_quote")])
def test_what_comes_to_nothing_is_free_and_a_cent_is_not(listed, code):
    """Sentence 7: 30 % of three cents are one."""
    assert decide_quote(facts(prices=prices(listed)), HERE, ZG, NOW).code.value == code


@pytest.mark.clause("BC-24")
def test_whoever_pays_for_a_product_that_is_offline_is_told_so_with_the_clause():
    """Sentence 4."""
    quotes = [decide_quote(facts(BC, offline_at=at), HERE, BC, NOW) for at in (NOW, None)]
    assert [one.facts["notices"] for one in quotes] == [["renewal_product_offline_notice"], []]
    assert ["BC-24" in one.clauses for one in quotes] == [True, False]


@pytest.mark.clause("NX-47")
def test_the_clause_about_the_channel_is_cited_where_the_terms_bind_it():
    """Sentence 5."""
    asked = {channel: decide_quote(facts(BC), HERE, terms(BC, channel=channel), NOW) for channel in RenewalChannel}
    cited = {channel: "BC-32" in one.clauses for channel, one in asked.items()}
    assert cited == {channel: channel is not RenewalChannel.ANY for channel in RenewalChannel}


@pytest.mark.clause("BC-23")
def test_what_was_paid_after_the_retirement_moves_no_end():
    """Sentence 8."""
    kept = decide_payment(facts(retired_at=NOW), HERE, ZG, NOW)
    still = ONE_CLOCK | {"until": ONE_CLOCK["before"], "last_day": "2026-05-28"}
    assert kept.facts["clocks"] == {"support": still, "updates": still}


@pytest.mark.clause("K-02", "K-01")
def test_the_last_day_is_that_of_the_vendors_zone():
    """Sentence 6: in New York the last evening is the next day in London."""
    policy = replace(ZG, timezone=ZoneInfo("America/New_York"))
    bought = datetime(2026, 3, 2, 17, tzinfo=UTC)
    found = decide_quote(facts(policy, bought), HERE, policy, NOW).facts
    assert (found["last_day"], found["clocks"]["support"]["last_day"]) == ("2026-09-02", "2026-09-02")


@pytest.mark.parametrize(
    ("changes", "asked", "shown"),
    [
        ({"is_trial": True}, HERE, {}),
        ({"license": a_license(legal_hold_at=NOW)}, HERE, {"status": "legal_hold"}),
        ({"retired_at": NOW}, HERE, {"retired_at": "2026-03-10T12:00:00Z"}),
        ({"channel": "market"}, Asked(NOW, channel="shop"), {"channel": "market"}),
        ({}, Asked(NOW, months=4), {"offered": [3]}),
    ],
)
def test_a_refusal_tells_what_it_is_about(changes, asked, shown):
    """Sentences 2 to 6."""
    assert decide_quote(facts(**changes), asked, terms(channel=RenewalChannel.ORIGINAL), NOW).facts == shown


@pytest.mark.clause("BC-23", "CJ-08")
def test_what_was_paid_after_the_retirement_goes_back_with_its_tax():
    """Sentence 8."""
    paid = decide_payment(facts(BC, retired_at=NOW), HERE, BC, NOW)
    back = decide_return(paid, Money(5200, "EUR"), Money(1040, "EUR"), BC, NOW)
    assert back is not None
    shown = {"amount": "62.40 EUR", "tax": "10.40 EUR", "because": "retired"}
    assert told(back) == ("allow", "ref_granted_renewal_full", paid.clauses, shown, ())


@pytest.mark.clause("BC-23")
@pytest.mark.parametrize(("minor", "tax", "is_back"), [(0, 0, False), (0, 1, True), (1, 0, True)])
def test_of_a_renewal_that_cost_nothing_nothing_goes_back(minor, tax, is_back):
    """Sentence 8."""
    paid = decide_payment(facts(BC, retired_at=NOW), HERE, BC, NOW)
    assert (decide_return(paid, Money(minor, "EUR"), Money(tax, "EUR"), BC, NOW) is not None) is is_back


@pytest.mark.clause("BC-23")
@pytest.mark.parametrize("changes", [{}, {"license": a_license(legal_hold_at=NOW)}])
def test_a_payment_that_renewed_or_that_a_person_looks_at_does_not_go_back_by_itself(changes):
    """Sentence 8."""
    paid = decide_payment(facts(BC, **changes), HERE, BC, NOW)
    assert decide_return(paid, Money(5200, "EUR"), Money(0, "EUR"), BC, NOW) is None


@pytest.mark.clause("K-09")
@pytest.mark.parametrize("changes", [{"version": BC.version}, {"versions": None}, {"name": "other"}])
def test_only_a_later_version_of_the_same_terms_that_says_so_decides_about_what_was_sold_before(changes):
    """Sentence 9: each of these would be cheaper."""
    later = replace(terms(BC, price_percent=1), version=BC.version + 1)
    assert decide_under_both(facts(BC), HERE, BC, later, NOW).policy is later
    barred = replace(later, **changes)
    told_of = decide_under_both(facts(BC), HERE, BC, barred, NOW)
    assert (told_of.policy, told_of.quote) == (BC, decide_quote(facts(BC), HERE, BC, NOW))


@pytest.mark.clause("K-09")
def test_a_later_version_that_decides_is_cited_in_the_quote_and_in_what_was_paid():
    """Sentence 9."""
    later = replace(terms(BC, price_percent=1), version=BC.version + 1)
    ruling = decide_under_both(facts(BC), HERE, BC, later, NOW)
    alone = decide_quote(facts(BC), HERE, later, NOW)
    assert (ruling.quote.clauses, ruling.quote.facts) == ((*alone.clauses, "K-09"), alone.facts)
    paid = decide_payment(facts(BC), HERE, later, NOW)
    assert ruling.citing(paid).clauses == (*paid.clauses, "K-09")
    own = decide_under_both(facts(BC), HERE, BC, BC, NOW)
    assert own.citing(paid).clauses == paid.clauses


@pytest.mark.clause("K-09", "BC-34")
@pytest.mark.parametrize(("bought", "is_later"), [(LATE, True), (IN_TIME, False)])
def test_a_smaller_surcharge_is_better_for_whoever_is_late_and_for_nobody_else(bought, is_later):
    """Sentence 9: what a renewal costs is compared as it would be paid."""
    later = replace(terms(BC, late_surcharge_percent=1), version=BC.version + 1)
    assert (decide_under_both(facts(BC, bought), HERE, BC, later, NOW).policy is later) is is_later
