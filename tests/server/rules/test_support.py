"""May a request be served: the vendor's list before the task, what was promised at the purchase, what is missing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import POLICIES
from tillkey_server.rules.advertised import covers_version, names_feature, names_versions
from tillkey_server.rules.decision import Decision, Outcome
from tillkey_server.rules.install_credit import CreditFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support import decide_support, matched
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_policy import Ground, SupportPolicy

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MARKET, ADDON, CRM, CARE = (POLICIES[name] for name in ("nexopos", "01generator", "crmjetty", "prestashop-care"))
WHOLE = ("steps", "expected", "actual", "version", "fresh_install_checked")
SHOP, OTHER = "shop", "other"
CREDIT = (CreditFacts(UUID(int=7), NOW, None, alive=True),)
GONE = CreditFacts(UUID(int=7), NOW, NOW, alive=True)
PAGE = {"platform": {"from": "1.7", "to": "8.1"}, "features": ["import"]}


def held(**facts) -> LicenseFacts:
    """A license whose support runs."""
    return LicenseFacts(**({"id": UUID(int=1), "issued_at": NOW, "support_until": NOW + timedelta(days=30)} | facts))


def asked(task: str = "fix_issue", **facts) -> SupportAsked:
    """A plain question that every vendor's terms take."""
    plain = {
        "received_at": NOW,
        "license": held(),
        "project": SHOP,
        "supported_project": SHOP,
        "described": (*WHOLE, "problem", "store_access"),
    }
    return SupportAsked(task, **(plain | facts))


def code(policy: Policy, question: SupportAsked) -> str:
    return decide_support(question, policy, NOW).code.value


def terms_of(policy: Policy) -> SupportPolicy:
    assert policy.support is not None
    return policy.support


def changed(policy: Policy, **terms) -> Policy:
    return replace(policy, support=replace(terms_of(policy), **terms))


def test_terms_without_support_leave_it_to_a_person() -> None:
    decision = decide_support(asked(), POLICIES["default"], NOW)
    assert (decision.outcome, decision.code.value) == (Outcome.PEND, "support_pending_review")
    assert decision.clauses == POLICIES["default"].clocks.clauses.support


@pytest.mark.clause("CJ-02", "NX-42")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"legal_hold_at": NOW}, "legal_hold"),
        ({"terminated_at": NOW}, "license_terminated"),
        ({"revoked_at": NOW}, "license_revoked"),
        ({"refunded_at": NOW}, "license_revoked"),
        ({"suspended_at": NOW}, "license_suspended"),
        ({"use_until": NOW}, "support_task_ok"),
    ],
)
def test_what_ends_or_holds_a_license_holds_its_support_and_an_expired_use_right_does_not(facts, expected) -> None:
    assert code(MARKET, asked(license=held(**facts))) == expected


@pytest.mark.clause("NX-20", "NX-21")
@pytest.mark.parametrize("task", ["install_module", "update_module", "fix_issue", "assist_configuration"])
def test_the_extended_support_has_four_tasks_whether_or_not_the_free_installation_was_used(task: str) -> None:
    for left in (0, 1):
        assert code(MARKET, asked(task, credits=CREDIT[:left])) == "support_task_ok"
    assert code(MARKET, asked("paint_the_shop")) == "support_task_not_covered"


@pytest.mark.clause("NX-19", "NX-21")
def test_a_free_installation_is_there_until_it_was_used() -> None:
    assert code(MARKET, asked("install_service", credits=CREDIT, described=())) == "install_credit_used"
    none = decide_support(asked("install_service", credits=(GONE,)), MARKET, NOW)
    assert (none.code.value, none.options) == ("install_credit_none", ("install_module",))
    assert (none.facts["used"], none.facts["void"]) == (1, 0)
    expired = held(support_until=NOW - SECOND)
    assert code(MARKET, asked("install_service", credits=CREDIT, license=expired)) == "install_credit_used"
    assert code(ADDON, asked("install_service", credits=CREDIT)) == "support_task_not_covered"


@pytest.mark.clause("NX-16", "NX-17", "NX-18")
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"project": None}, "ticket_project_required"),
        ({"project": OTHER}, "support_other_project"),
        ({"project": OTHER, "supported_project": None}, "support_task_ok"),
        ({"by_owner": False}, "support_other_user"),
        ({"by_owner": False, "by_member": True}, "support_task_ok"),
        ({"changed_hands": True, "project": OTHER}, "support_lost_on_transfer"),
    ],
)
def test_support_is_for_one_project_of_one_user(facts, expected: str) -> None:
    assert code(MARKET, asked(**facts)) == expected
    assert code(CARE, asked("configure", **facts)) == "support_task_ok"


@pytest.mark.clause("NX-17")
def test_support_moves_with_its_license_only_where_the_terms_say_so() -> None:
    assert code(changed(MARKET, moves_with_license=True), asked(project=OTHER)) == "support_task_ok"


@pytest.mark.clause("NX-20", "NX-23")
def test_the_opening_decides_whether_support_ran() -> None:
    until = NOW - timedelta(days=1)
    question = asked(license=held(support_until=until), received_at=until - SECOND)
    assert code(MARKET, question) == "support_task_ok"
    decision = decide_support(replace(question, received_at=until), MARKET, NOW)
    assert (decision.code.value, decision.options) == ("nosup_support_expired", ("renew",))
    assert decision.facts["support_until"] == "2026-03-09T12:00:00Z"
    assert code(MARKET, asked(license=held(support_until=None))) == "support_task_ok"


@pytest.mark.clause("NX-22", "NX-23")
def test_every_ground_is_told_the_first_of_the_list_decides_and_the_task_comes_after() -> None:
    question = asked(
        "paint_the_shop",
        license=held(support_until=NOW),
        found={Ground.ABUSIVE: "insults", Ground.UNSUPPORTED_ENV: "PHP 5"},
    )
    decision = decide_support(question, MARKET, NOW)
    assert decision.code.value == "nosup_support_expired"
    assert decision.facts["grounds"] == ["nosup_support_expired", "nosup_unsupported_env", "nosup_abusive"]
    assert code(MARKET, replace(question, license=held())) == "nosup_abusive"


@pytest.mark.clause("NX-23", "K-09")
def test_a_ground_that_is_not_on_the_list_refuses_nothing() -> None:
    fewer = changed(MARKET, grounds=tuple(one for one in terms_of(MARKET).grounds if one.code is not Ground.ABUSIVE))
    question = asked(found={Ground.ABUSIVE: "insults"})
    assert [code(one, question) for one in (MARKET, fewer)] == ["nosup_abusive", "support_task_ok"]


@pytest.mark.clause("ZG-12", "BC-14")
def test_a_ground_that_may_refuse_is_a_warning() -> None:
    question = asked("usage", found={Ground.CODE_MODIFIED: "cart.php"})
    decision = decide_support(question, ADDON, NOW)
    assert (decision.code.value, decision.facts["may_refuse"]) == ("support_task_ok", ["nosup_code_modified"])
    assert "ZG-12" in decision.clauses


@pytest.mark.clause("NX-27", "ZG-12")
def test_files_that_a_hotfix_left_so_are_no_modification() -> None:
    files = {"a.php": "1" * 64, "b.php": "2" * 64}
    some = asked("usage", modified_files=files, hotfixed_files=frozenset({"1" * 64}))
    all_of_them = replace(some, hotfixed_files=frozenset(files.values()), found={Ground.CODE_MODIFIED: "both"})
    assert [one.code for one in matched(some, terms_of(ADDON))] == [Ground.CODE_MODIFIED]
    assert matched(all_of_them, terms_of(ADDON)) == ()


@pytest.mark.clause("ZG-12", "BC-14")
def test_a_file_that_was_added_beside_the_product_warns_of_nothing_and_is_named() -> None:
    delivered = {"a.php": "2" * 64}
    added = asked("usage", modified_files={"own.php": "1" * 64, **delivered}, delivered_files=delivered)
    facts = decide_support(replace(added, found={Ground.CODE_MODIFIED: "seen"}), ADDON, NOW).facts
    assert (facts.get("may_refuse"), facts["files"]) == (None, {"own.php": "added"})
    removed = replace(added, modified_files={})
    facts = decide_support(removed, ADDON, NOW).facts
    assert (facts["may_refuse"], facts["files"]) == (["nosup_code_modified"], {"a.php": "removed"})


@pytest.mark.clause("ZG-08", "BC-08")
@pytest.mark.parametrize(
    ("causes", "meets"), [((), False), (("product",), False), (("product", "theme"), True), (("hosting",), True)]
)
def test_a_cause_that_is_shared_is_not_the_products_alone(causes: tuple[str, ...], meets: bool) -> None:
    question = asked("usage", causes=causes)
    assert (Ground.NOT_EXCLUSIVE in {one.code for one in matched(question, terms_of(ADDON))}) is meets
    assert code(ADDON, question) == ("nosup_not_exclusive_to_product" if meets else "support_task_ok")


@pytest.mark.clause("ZG-14", "ZG-17")
@pytest.mark.parametrize(
    ("task", "expected"),
    [("hands_on", "nosup_hands_on"), ("custom_development", "nosup_custom_development")],
)
def test_work_on_the_customers_shop_and_of_ones_own_are_never_part_of_it(task: str, expected: str) -> None:
    decision = decide_support(asked(task), ADDON, NOW)
    assert (decision.code.value, decision.options) == (expected, ("paid_offer",))


@pytest.mark.clause("ZG-10", "BC-12")
def test_a_platforms_version_counts_as_promised_at_the_purchase() -> None:
    def told(version: str | None, policy: Policy = ADDON, **page) -> str:
        return code(policy, asked("usage", platform_version=version, advertised=PAGE, **page))

    assert [told(one) for one in ("1.7.8.11", "8.1.5", "8.2", "1.6")] == [
        "support_task_ok",
        "support_task_ok",
        "nosup_version_not_advertised",
        "nosup_version_not_advertised",
    ]
    assert told(None) == "ticket_needs_info"
    today = {"platform": {"from": "1.7", "to": "9"}}
    assert told("8.2", advertised_today=today) == "nosup_version_not_advertised"
    wide = changed(ADDON, widening_counts=True)
    assert [told(one, wide, advertised_today=today) for one in ("8.2", "9.9", "10")] == [
        "support_task_ok",
        "support_task_ok",
        "nosup_version_not_advertised",
    ]
    assert code(ADDON, asked("usage", platform_version="99")) == "support_task_ok"
    assert code(MARKET, asked(advertised=PAGE)) == "support_task_ok"


def test_what_nobody_promised_is_not_known() -> None:
    assert covers_version(None, "1.7") is None
    assert covers_version({"platform": "1.7"}, "1.7") is None
    assert covers_version(PAGE, "latest") is None
    assert [covers_version({"platform": {}}, "1"), covers_version({"platform": {"to": "2"}}, "3")] == [True, False]
    assert names_feature(None, "import") is None
    assert names_feature({"features": "import"}, "import") is None
    assert [names_feature(PAGE, one) for one in ("import", "export")] == [True, False]
    assert [names_versions(one) for one in (None, {}, PAGE)] == [False, False, True]


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4))
def test_a_version_lies_between_itself_and_what_begins_with_it(parts: list[int]) -> None:
    version = ".".join(map(str, parts))
    assert covers_version({"platform": {"from": version, "to": version}}, version)
    assert covers_version({"platform": {"to": version}}, f"{version}.7")
    assert covers_version({"platform": {"from": f"{version}.0"}}, version)


@pytest.mark.clause("ZG-10")
@pytest.mark.parametrize(
    ("ends", "version", "inside"),
    [
        (("1.7", "8.1"), "8.1.0-rc.1", True),
        (("8.1", None), "8.1.0-rc.1", False),
        (("1.7", "8.x"), "8.2.1", True),
        (("1.7", "8.x"), "9", False),
        (("1.7.8.11", None), "1.7.8.2+debian", False),
        (("1.7.8.2", None), "1.7.8.11+debian", True),
    ],
)
def test_a_platforms_versions_are_compared_as_those_of_releases_are(ends, version: str, inside: bool) -> None:
    low, high = ends
    assert covers_version({"platform": {"from": low, "to": high}}, version) is inside


@pytest.mark.clause("BC-08", "BC-09", "BC-10", "BC-11", "BC-13")
@pytest.mark.parametrize(
    ("facts", "ground"),
    [
        ({"feature": "export", "advertised": PAGE | {"platform": None}}, "nosup_not_advertised_feature"),
        ({"same_site": False}, "nosup_other_site"),
        ({"task": "hands_on"}, "nosup_hands_on"),
        ({"found": {Ground.THIRD_PARTY_SERVICE: "the bank"}}, "nosup_third_party_service"),
        ({"found": {Ground.INCOMPATIBLE_DEV: "a theme of their own"}}, "nosup_incompatible_dev"),
    ],
)
def test_each_ground_of_the_closed_list_is_met(facts, ground: str) -> None:
    question = asked(**({"task": "configure"} | facts))
    assert [one.code.value for one in matched(question, terms_of(CARE))] == [ground]


def test_an_installation_that_does_not_use_the_license_is_a_ground() -> None:
    assert code(MARKET, asked(licensed_install=False)) == "nosup_not_licensed_install"
    assert code(MARKET, asked(licensed_install=True)) == "support_task_ok"


@pytest.mark.clause("BC-15")
def test_where_the_list_is_closed_an_unknown_task_goes_to_a_person() -> None:
    decision = decide_support(asked("paint_the_shop"), CARE, NOW)
    assert (decision.outcome, decision.code.value) == (Outcome.PEND, "support_pending_review")
    assert decision.clauses[0] == "BC-15"


@pytest.mark.clause("NX-29")
def test_a_matter_of_the_customers_own_doing_is_not_taken_a_third_time_within_the_window() -> None:
    window = timedelta(days=180)
    once, twice = (NOW - SECOND,), (NOW - window + SECOND, NOW - SECOND)
    assert code(MARKET, asked(self_inflicted=once)) == "support_task_ok"
    decision = decide_support(asked(self_inflicted=twice), MARKET, NOW)
    assert (decision.code.value, decision.retry_at) == ("support_repeat_self_inflicted", NOW + SECOND)
    assert decision.options == ("review",)
    assert code(MARKET, asked(self_inflicted=(NOW - window, NOW - SECOND))) == "support_task_ok"
    assert code(ADDON, asked("usage", self_inflicted=twice * 9)) == "support_task_ok"


@pytest.mark.clause("NX-24", "NX-25", "CJ-09")
def test_what_a_description_lacks_is_asked_for() -> None:
    decision = decide_support(asked(described=("steps", "version")), MARKET, NOW)
    assert (decision.outcome, decision.code.value) == (Outcome.PEND, "ticket_needs_repro")
    assert decision.facts["missing"] == ["expected", "actual", "fresh_install_checked"]
    assert code(MARKET, asked(described=(*WHOLE[:-1], "cannot_reinstall"))) == "support_task_ok"
    assert code(CRM, asked("usage", described=("problem",))) == "ticket_needs_info"


@pytest.mark.clause("NX-30")
def test_outside_working_hours_a_request_is_taken_and_told_when_somebody_is_there() -> None:
    night = NOW.replace(hour=23)
    decision = decide_support(asked(received_at=night), MARKET, night)
    assert (decision.outcome, decision.code.value) == (Outcome.ALLOW, "outside_working_hours")
    assert decision.facts["next_open_at"] == "2026-03-11T08:00:00Z"
    installing = asked("install_service", received_at=night, credits=CREDIT)
    assert decide_support(installing, MARKET, night).code.value == "install_credit_used"
    assert decide_support(asked("usage", received_at=night), ADDON, night).code.value == "support_task_ok"


@pytest.mark.clause("CJ-07")
def test_whoever_asks_is_shown_how_the_product_is_used() -> None:
    decision = decide_support(asked("usage"), CRM, NOW)
    assert "its demo" in str(decision.facts["guidance"])
    assert "CJ-07" in decision.clauses


@pytest.mark.clause("BC-36")
def test_a_question_before_a_purchase_needs_nothing() -> None:
    question = SupportAsked("anything", NOW, presale=True)
    assert code(CARE, question) == "ticket_presale"
    assert code(MARKET, question) == "support_pending_review"


@given(st.sampled_from([MARKET, ADDON, CRM, CARE]), st.sets(st.sampled_from(list(Ground))))
def test_nothing_but_what_is_on_the_list_ever_refuses_by_a_ground(policy: Policy, grounds: set[Ground]) -> None:
    question = asked(terms_of(policy).tasks[0], found=dict.fromkeys(grounds, "seen"))
    decision: Decision = decide_support(question, policy, NOW)
    listed = {one.code.value for one in terms_of(policy).grounds}
    assert decision.outcome is not Outcome.DENY or decision.code.value in listed
    assert decision.clauses
