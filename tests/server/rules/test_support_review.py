"""A request that a supervisor takes after a review (`rules.support`, sentence 13)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES, told
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.install_credit import CreditFacts
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support import decide_support
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_policy import Ground

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MARKET, ADDON, CARE = (POLICIES[name] for name in ("nexopos", "01generator", "prestashop-care"))
HELD = LicenseFacts(UUID(int=1), NOW - 99 * DAY, support_until=NOW + DAY)
WHOLE = ("steps", "expected", "actual", "version", "fresh_install_checked")
REVIEWED = SupportAsked("fix_issue", NOW, license=HELD, project="shop", described=WHOLE, reviewed=True)
LAPSED = replace(REVIEWED, license=replace(HELD, support_until=NOW))
TWICE = (NOW - 2 * DAY, NOW - DAY)


def taken(asked: SupportAsked, policy: Policy = MARKET) -> Decision:
    return decide_support(asked, policy, NOW)


@pytest.mark.clause("NX-22", "NX-23")
def test_a_review_takes_what_a_ground_refuses_and_cites_the_ground_that_it_overrules() -> None:
    assert taken(replace(LAPSED, reviewed=False)).code.value == "nosup_support_expired"
    found = taken(LAPSED)
    facts = {
        "task": "fix_issue",
        "charge": "free",
        "may_refuse": ["nosup_support_expired"],
        "overruled": "nosup_support_expired",
    }
    assert told(found) == ("allow", "support_taken_on_review", ("NX-23", "NX-14", "NX-20", "NX-21"), facts, ())


@pytest.mark.clause("NX-29")
def test_a_review_takes_a_matter_of_the_customers_own_doing_once_more() -> None:
    asked = replace(REVIEWED, self_inflicted=TWICE)
    assert taken(replace(asked, reviewed=False)).code.value == "support_repeat_self_inflicted"
    facts = {"task": "fix_issue", "charge": "free", "overruled": "support_repeat_self_inflicted"}
    assert told(taken(asked)) == ("allow", "support_taken_on_review", ("NX-29", "NX-20", "NX-21"), facts, ())


@pytest.mark.clause("NX-22")
def test_a_review_of_what_nothing_refuses_overrules_nothing() -> None:
    warned = replace(REVIEWED, found={Ground.UNSUPPORTED_ENV: "PHP 5"})
    found = taken(warned)
    assert found == taken(replace(warned, reviewed=False))
    assert (found.code.value, "overruled" in found.facts) == ("support_task_ok", False)


@pytest.mark.clause("NX-16", "NX-17", "NX-18", "NX-42")
@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"project": None}, "ticket_project_required"),
        ({"supported_project": "other"}, "support_other_project"),
        ({"by_owner": False}, "support_other_user"),
        ({"changed_hands": True}, "support_lost_on_transfer"),
        ({"license": replace(HELD, suspended_at=NOW)}, "license_suspended"),
        ({"task": "paint_the_shop"}, "support_task_not_covered"),
    ],
)
def test_a_review_overrules_neither_whose_support_it_is_nor_what_the_terms_cover(changed, code) -> None:
    for asked in (LAPSED, replace(REVIEWED, self_inflicted=TWICE)):
        assert taken(replace(asked, **changed)).code.value == code


@pytest.mark.clause("NX-24")
def test_what_a_description_lacks_is_asked_for_after_a_review_too_and_tells_what_was_overruled() -> None:
    found = taken(replace(LAPSED, described=WHOLE[1:]))
    facts = {
        "task": "fix_issue",
        "missing": ["steps"],
        "may_refuse": ["nosup_support_expired"],
        "overruled": "nosup_support_expired",
    }
    assert told(found) == ("pend", "ticket_needs_repro", ("NX-24",), facts, ("complete",))
    plain = taken(replace(REVIEWED, described=WHOLE[1:]))
    assert plain.facts == {"task": "fix_issue", "missing": ["steps"]}


@pytest.mark.clause("NX-19", "NX-23")
def test_a_free_installation_that_a_review_gives_is_still_the_free_one_that_it_uses_up() -> None:
    credit = CreditFacts(UUID(int=7), NOW, None, alive=True)
    abusive = {Ground.ABUSIVE: "insults"}
    asked = replace(REVIEWED, task="install_service", credits=(credit,), found=abusive)
    assert taken(replace(asked, reviewed=False)).code.value == "nosup_abusive"
    found = taken(asked)
    assert (found.code.value, found.facts["overruled"]) == ("install_credit_used", "nosup_abusive")
    assert found.clauses == ("NX-23", "NX-19", "NX-21")
    assert taken(replace(asked, credits=())).code.value == "install_credit_none"


@pytest.mark.clause("ZG-14", "ZG-17")
@pytest.mark.parametrize(("task", "clause"), [("hands_on", "ZG-14"), ("custom_development", "ZG-17")])
def test_a_review_that_overrules_a_task_covers_it(task, clause) -> None:
    asked = replace(REVIEWED, task=task)
    assert taken(replace(asked, reviewed=False), ADDON).code.value == f"nosup_{task}"
    found = taken(asked, ADDON)
    assert (found.code.value, found.facts["overruled"]) == ("support_taken_on_review", f"nosup_{task}")
    assert found.clauses == (clause, "ZG-13", "ZG-01")
    expired = taken(replace(asked, license=replace(HELD, support_until=NOW)), ADDON)
    assert expired.code.value == "support_task_not_covered", "the review overrules that support ended, and only that"


@pytest.mark.clause("NX-30")
def test_a_review_outside_working_hours_says_when_somebody_is_there() -> None:
    night = NOW.replace(hour=23)
    found = decide_support(replace(LAPSED, received_at=night), MARKET, night)
    assert (found.code.value, found.facts["next_open_at"]) == ("support_taken_on_review", "2026-03-11T08:00:00Z")


@pytest.mark.clause("NX-25")
def test_work_on_the_customers_machine_is_covered_by_his_consent_and_says_that_one_is_needed() -> None:
    """Sentence 10."""
    found = taken(replace(REVIEWED, task="hands_on", reviewed=False))
    facts = {"task": "hands_on", "charge": "free", "remote_access": {"needed": True, "after_finding": True}}
    assert told(found) == ("allow", "support_task_ok", ("NX-20", "NX-21", "NX-25"), facts, ())
    access = replace(MARKET.support.remote_access, hands_on=False)
    without = replace(MARKET, support=replace(MARKET.support, remote_access=access))
    assert taken(replace(REVIEWED, task="hands_on"), without).code.value == "support_task_not_covered"
