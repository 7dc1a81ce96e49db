"""What the answers about sales, reviews and a product's state tell: every fact, every clause and every way on."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, POLICIES, told
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.order_line import CustomerType, LineKind, kind_of
from tillkey_server.rules.product import ProductFacts, ProductState, bundles_with, decide_state
from tillkey_server.rules.sale import (
    Held,
    OffSale,
    Required,
    SaleFacts,
    decide_at_payment,
    decide_loss,
    decide_overdue,
    decide_release,
    decide_return,
    decide_review,
    decide_sale,
    refuse_under_review,
)

CARE, ADDON, SILENT = POLICIES["prestashop-care"], POLICIES["01generator"], POLICIES["netposa"]
CORE = Held(UUID(int=1), frozenset({"core"}), trial=False, alive=True, support_until=NOW - DAY)
ASKED = SaleFacts("extension", (Required("core", core=True),), extra={"line": 1})
WRITTEN, BEFORE = "2026-03-10T12:00:00Z", "2026-03-09T12:00:00Z"
REVIEW = ("release_order", "refund")


def asked(**changed: object) -> SaleFacts:
    return replace(ASKED, **changed)


@pytest.mark.clause("NX-10", "NX-11", "NX-12", "BC-19", "BC-21", "BC-22", "CJ-02", "NX-42")
@pytest.mark.parametrize(
    ("changed", "outcome", "code", "clauses", "facts", "options"),
    [
        ({}, "deny", "prereq_core_license_missing", ("NX-11", "NX-10"), {"requires": "core"}, ("buy_prerequisite",)),
        (
            {"requires": (Required("printer"),)},
            "deny",
            "prereq_missing",
            ("NX-10",),
            {"requires": "printer"},
            ("buy_prerequisite",),
        ),
        (
            {"held": (replace(CORE, support_until=NOW - 9 * DAY), CORE)},
            "deny",
            "prereq_core_support_expired",
            ("NX-12", "NX-10"),
            {"requires": "core", "support_until": BEFORE, "decided_at": WRITTEN, "timezone": NEXOPOS.timezone.key},
            ("renew_prerequisite",),
        ),
        ({"requires": ()}, "allow", "sale_allowed", NEXOPOS.issue_clauses, {}, ()),
        (
            {"held": (replace(CORE, support_until=None),)},
            "allow",
            "sale_allowed",
            (*NEXOPOS.issue_clauses, "NX-10", "NX-11", "NX-12"),
            {},
            (),
        ),
        ({"off_sale": OffSale.PART, "part": "a"}, "deny", "bundle_not_on_sale", ("X-01",), {"part": "a"}, ()),
        ({"off_sale": OffSale.RETIRED}, "deny", "product_retired", ("X-01",), {}, ()),
        (
            {"suspended": True, "suspended_until": NOW + DAY},
            "deny",
            "account_suspended",
            ("NX-42",),
            {"until": "2026-03-11T12:00:00Z"},
            ("ask_support",),
        ),
        ({"legal_hold_at": NOW}, "deny", "legal_hold", ("K-13",), {"since": WRITTEN}, ("ask_support",)),
    ],
)
def test_an_answer_about_a_line_tells_what_it_rests_on_and_what_can_be_done(
    changed, outcome, code, clauses, facts, options
) -> None:
    shown = {"product": "extension", "line": 1}
    found = decide_sale(asked(**changed), NEXOPOS, NOW)
    own = {name: value for name, value in found.facts.items() if not name.startswith(("authoritative", "effective"))}
    clauses = tuple(dict.fromkeys(clauses))
    assert (*told(found)[:3], own, found.options) == (outcome, code, clauses, shown | facts, options)


@pytest.mark.parametrize("state", [OffSale.RETIRED, OffSale.OFFLINE, OffSale.PART])
def test_each_way_of_being_off_sale_is_cited_by_its_own_clause(state: OffSale) -> None:
    cited = {OffSale.RETIRED: ("BC-22",), OffSale.OFFLINE: ("BC-19",), OffSale.PART: ("BC-21",)}[state]
    assert decide_sale(asked(off_sale=state), CARE, NOW).clauses == cited
    assert decide_sale(asked(off_sale=state), SILENT, NOW).clauses == SILENT.issue_clauses


@pytest.mark.clause("ZG-21")
@pytest.mark.parametrize(("buyer", "said"), [(None, None), (CustomerType.CONSUMER, "consumer")])
def test_a_buyer_that_is_no_professional_is_told_as_what_it_counts(buyer, said) -> None:
    found = decide_sale(SaleFacts("addon", customer_type=buyer), ADDON, NOW)
    assert told(found)[:3] == ("deny", "buyer_not_professional", ADDON.sale.clauses.buyer)
    assert (found.facts["customer_type"], found.options) == (said, ("attest_professional",))
    assert found.facts["authoritative_language"] == ADDON.sale.authoritative_language
    assert found.facts["effective_from"] == ADDON.effective_from.isoformat()


def test_what_silent_terms_say_about_a_sale() -> None:
    shown = {"product": "extension", "line": 1}
    waits, sold = decide_sale(ASKED, SILENT, NOW), decide_sale(asked(requires=()), SILENT, NOW)
    assert told(waits) == ("pend", "sale_terms_silent", SILENT.issue_clauses, shown | {"requires": ["core"]}, ())
    assert told(sold) == ("allow", "sale_allowed", SILENT.issue_clauses, shown, ())
    assert decide_sale(asked(legal_hold_at=NOW), SILENT, NOW).clauses == SILENT.standing.legal_hold
    assert decide_sale(asked(suspended=True), SILENT, NOW).clauses == SILENT.standing.suspended


def test_a_paid_line_under_review_keeps_the_reason_and_its_facts() -> None:
    no = decide_sale(ASKED, NEXOPOS, NOW)
    facts = dict(no.facts) | {"reason": "prereq_core_license_missing", "outcome": "deny"}
    found = decide_at_payment(no, NEXOPOS, NOW)
    assert told(found) == ("pend", "order_under_review", ("NX-11", "NX-10", "K-13"), facts, REVIEW)


@pytest.mark.clause("NX-13")
def test_the_loss_of_a_prerequisite_names_it_and_the_license() -> None:
    facts = {"product": "core", "license_id": str(UUID(int=3)), "suspends": False}
    assert told(decide_loss("core", UUID(int=3), NEXOPOS, NOW)) == ("allow", "prereq_lost", ("NX-13",), facts, ())
    assert decide_loss("core", UUID(int=3), SILENT, NOW).clauses == SILENT.issue_clauses


@pytest.mark.clause("BC-37", "CJ-02")
@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        (
            lambda: decide_review("a", "odd", CARE, NOW),
            ("pend", "order_under_review", ("BC-37",), {"product": "a", "reason": "odd"}, REVIEW),
        ),
        (lambda: decide_release(None, None, "", CARE, NOW), ("deny", "order_not_under_review", ("BC-37",), {}, ())),
        (
            lambda: decide_release(NOW - DAY, NOW, "seen", CARE, NOW),
            (
                "deny",
                "legal_hold",
                ("K-13",),
                {"held_at": BEFORE, "reason": "seen", "since": WRITTEN},
                ("ask_support",),
            ),
        ),
        (
            lambda: decide_release(NOW - DAY, None, "seen", CARE, NOW),
            ("allow", "order_released", ("BC-37",), {"held_at": BEFORE, "reason": "seen"}, ()),
        ),
        (
            lambda: decide_overdue(NOW - 30 * DAY, CARE, NOW),
            (
                "pend",
                "order_refund_proposed",
                ("BC-37",),
                {"held_at": "2026-02-08T12:00:00Z", "limit_days": 30},
                REVIEW,
            ),
        ),
        (
            lambda: refuse_under_review(NOW - DAY, CARE, NOW),
            ("deny", "order_under_review", ("BC-37",), {"since": BEFORE}, ("ask_support",)),
        ),
    ],
)
def test_an_order_under_review_tells_since_when_why_and_the_two_ways_out(
    asked_for: Callable[[], Decision], expected
) -> None:
    assert told(asked_for()) == expected


def test_a_review_under_silent_terms_cites_what_a_license_is_issued_by() -> None:
    assert decide_review("a", "odd", SILENT, NOW).clauses == SILENT.issue_clauses
    assert decide_release(NOW, NOW, "", SILENT, NOW).clauses == SILENT.standing.legal_hold


@pytest.mark.clause("BC-19", "BC-20", "BC-21", "BC-22")
@pytest.mark.parametrize(
    ("to", "code", "clauses"),
    [
        (ProductState.OFFLINE, "product_offline_service_continues", ("BC-19", "BC-20", "BC-21")),
        (ProductState.ONLINE, "product_online", ("BC-19",)),
        (ProductState.RETIRE, "product_retired", ("BC-22",)),
    ],
)
def test_a_product_that_changes_its_state_names_the_bundles_that_go_with_it(to, code, clauses) -> None:
    facts = {"product": "a", "bundles": ["x", "y"]}
    assert told(decide_state(ProductFacts("a"), to, ("x", "y"), CARE, NOW)) == ("allow", code, clauses, facts, ())
    silent = decide_state(ProductFacts("a"), to, ("x", "y"), SILENT, NOW)
    assert told(silent) == ("allow", code, SILENT.issue_clauses, facts, ())
    retired = decide_state(ProductFacts("a", retired_at=NOW - DAY), to, ("x", "y"), CARE, NOW)
    since = facts | {"since": BEFORE}
    assert told(retired) == ("deny", "product_retired", ("BC-22",), since, ("add_product",))
    gone = decide_state(ProductFacts("a", retired_at=NOW), to, (), SILENT, NOW)
    assert gone.clauses == SILENT.issue_clauses


def test_only_bundles_that_contain_a_product_are_named() -> None:
    catalogue = {one.code: one for one in (ProductFacts("a"), ProductFacts("b"), ProductFacts("box", parts=("a",)))}
    assert bundles_with("b", catalogue) == ()
    assert bundles_with("a", catalogue) == ("box",)


def test_a_line_that_is_stored_without_a_kind_is_a_product() -> None:
    assert (kind_of(None), kind_of("service")) == (LineKind.PRODUCT, LineKind.SERVICE)


@pytest.mark.clause("NX-13")
def test_a_prerequisite_that_is_back_names_itself_and_the_license_that_is_resumed() -> None:
    facts = {"product": "core", "license_id": str(UUID(int=3))}
    assert told(decide_return("core", UUID(int=3), NEXOPOS, NOW)) == ("allow", "prereq_restored", ("NX-13",), facts, ())
    assert decide_return("core", UUID(int=3), SILENT, NOW).clauses == SILENT.issue_clauses


@pytest.mark.clause("ZG-21")
def test_the_text_that_prevails_is_named_with_what_the_terms_say_of_it_or_without() -> None:
    shown = {"authoritative_language": "el", "effective_from": ADDON.effective_from.isoformat()}
    statement = {"authoritative_statement": ADDON.sale.authoritative_statement}
    without = replace(ADDON, sale=replace(ADDON.sale, authoritative_statement=None))
    assert [one.prevailing for one in (ADDON, without, CARE, SILENT)] == [shown | statement, shown, {}, {}]


@pytest.mark.clause("NX-12", "NX-17")
def test_a_core_whose_support_stayed_with_its_seller_has_none_and_a_renewal_in_the_cart_gives_it_some() -> None:
    lost = replace(CORE, support_until=NOW + DAY, support_lost=True)
    facts = {
        "product": "extension",
        "line": 1,
        "requires": "core",
        "support_until": None,
        "decided_at": WRITTEN,
        "timezone": NEXOPOS.timezone.key,
    }
    no = decide_sale(asked(held=(lost,)), NEXOPOS, NOW)
    expected = ("deny", "prereq_core_support_expired", ("NX-12", "NX-10"), facts, ("renew_prerequisite",))
    assert told(no) == expected
    assert decide_sale(asked(held=(lost,), renewed=frozenset({lost.license_id})), NEXOPOS, NOW).allowed


@pytest.mark.clause("CJ-02", "NX-42", "NX-44")
def test_what_bars_a_sale_is_cited_by_the_terms_about_it_where_they_say_something() -> None:
    plain = POLICIES["default"]
    assert decide_sale(asked(legal_hold_at=NOW), CARE, NOW).clauses == ("K-13",)
    assert decide_sale(asked(suspended=True), plain, NOW).clauses == ("NX-42",)
    months = asked(months=7, lengths=(6,))
    cited = [decide_sale(months, one, NOW).clauses for one in (NEXOPOS, replace(NEXOPOS, terms=None))]
    assert cited == [NEXOPOS.terms.clauses.purchase, NEXOPOS.issue_clauses]


@pytest.mark.clause("ZG-21", "NX-10")
def test_a_yes_to_a_professional_cites_all_that_it_followed() -> None:
    yes = decide_sale(asked(held=(CORE,), customer_type=CustomerType.PROFESSIONAL), ADDON, NOW)
    assert yes.clauses == ("NX-01", "ZG-21", "NX-10", "NX-11")
