"""A request that turns out to be another task, or is taken up again after it gave its installation back.

The sentences are those of `rules.support_event`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES, told
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support_event import decide_event
from tillkey_server.rules.support_event_facts import EventFacts
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

K = SupportEventKind
MARKET, ADDON, CRM, CARE = (POLICIES[name] for name in ("nexopos", "01generator", "crmjetty", "prestashop-care"))
RECEIVED = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = RECEIVED + timedelta(days=1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
INSTALLING = "install_service"


def event(kind: SupportEventKind, at: datetime = NOW, **details: object) -> SupportEvent:
    return SupportEvent(kind, at, details)


def record(*events: SupportEvent, task: str | None = "fix_issue", **more) -> SupportRecord:
    return SupportRecord(UUID(int=1), UUID(int=2), RECEIVED, events=events, task=task, **more)


def became(
    task: str, policy: Policy = MARKET, on: SupportRecord | None = None, known: EventFacts | None = None
) -> Decision:
    told_of = event(K.RECATEGORIZED, task=task)
    return decide_event(on or record(), told_of, known or EventFacts(), policy, NOW)


@pytest.mark.clause("NX-20", "NX-21")
def test_what_turns_out_to_be_another_covered_task_goes_on_as_that() -> None:
    """Sentence 9."""
    facts = {"task": "update_module", "was": "fix_issue", "judged": "support_task_ok"}
    assert told(became("update_module")) == ("allow", "request_recategorized", ("NX-20", "NX-21"), facts, ())


@pytest.mark.clause("NX-20", "ZG-17")
@pytest.mark.parametrize(
    ("policy", "task", "refused_as", "clauses"),
    [
        (MARKET, "paint_the_shop", "support_task_not_covered", ("NX-20", "NX-21")),
        (ADDON, "custom_development", "nosup_custom_development", ("ZG-17",)),
    ],
)
def test_what_turns_out_to_be_no_task_of_the_terms_stands_refused_by_their_clause(
    policy, task, refused_as, clauses
) -> None:
    """Sentence 9."""
    facts = {"task": task, "was": "fix_issue", "judged": refused_as, "refused_as": refused_as}
    found = became(task, policy)
    assert (told(found)[:2], found.facts) == (("allow", "request_recategorized"), facts)
    assert tuple(dict.fromkeys(found.clauses)) == clauses


@pytest.mark.clause("BC-15")
def test_what_a_person_has_to_judge_is_not_refused_yet() -> None:
    """Sentence 9: the closed list has no such ground, so that nothing refuses the task."""
    found = became("paint_the_shop", CARE)
    assert (found.facts["judged"], "refused_as" in found.facts) == ("support_pending_review", False)


@pytest.mark.clause("NX-20", "NX-23")
@pytest.mark.parametrize(
    ("known", "judged"),
    [
        ({"support_until": None}, "support_task_ok"),
        ({"support_until": RECEIVED + SECOND}, "support_task_ok"),
        ({"support_until": RECEIVED}, "nosup_support_expired"),
        ({"support_until": NOW + 99 * DAY, "support_ended_at": RECEIVED - DAY}, "nosup_support_expired"),
    ],
)
def test_another_task_is_judged_by_the_support_that_ran_when_the_request_came(known, judged) -> None:
    """Sentence 9: what ended later counts for nothing, and neither does what was paid for later."""
    assert became("update_module", known=EventFacts(**known)).facts["judged"] == judged


@pytest.mark.clause("BC-36", "NX-20")
def test_what_was_asked_before_the_purchase_is_judged_as_of_its_conversion() -> None:
    """Sentence 9."""
    converted = record(event(K.CONVERTED, NOW), presale=True)
    known = EventFacts(support_until=RECEIVED + SECOND)
    assert became("update_module", on=converted, known=known).facts["judged"] == "nosup_support_expired"


@pytest.mark.clause("NX-19", "NX-20")
@pytest.mark.parametrize(
    ("on", "task", "was"),
    [
        (record(), INSTALLING, "fix_issue"),
        (record(task=None), INSTALLING, None),
        (record(task=INSTALLING), "fix_issue", INSTALLING),
        (record(event(K.RECATEGORIZED, RECEIVED, task=INSTALLING)), "fix_issue", INSTALLING),
    ],
)
def test_nothing_becomes_a_free_installation_or_stops_being_one(on, task, was) -> None:
    """Sentence 9."""
    facts = {"task": task, "was": was, "event": "recategorized", "because": "installation_is_opened_as_one"}
    assert told(became(task, on=on)) == ("deny", "event_out_of_place", ("NX-20", "NX-21"), facts, ())


@pytest.mark.clause("NX-20")
def test_what_is_asked_for_now_is_the_last_that_it_turned_out_to_be() -> None:
    turned = [event(K.RECATEGORIZED, RECEIVED + n * SECOND, task=one) for n, one in enumerate(("update_module", "fix"))]
    assert [record(*turned[:n]).task_now for n in range(3)] == ["fix_issue", "update_module", "fix"]
    assert record(task=None).task_now is None
    assert became("fix_issue", on=record(*turned)).facts["was"] == "fix"


@pytest.mark.parametrize(
    ("on", "fits"),
    [
        (record(event(K.ACCEPTED, RECEIVED)), True),
        (record(event(K.REFUSED, RECEIVED)), False),
        (record(event(K.REFUSED, RECEIVED), event(K.REOPENED, NOW)), True),
        (record(event(K.CLOSED, RECEIVED)), False),
        (record(presale=True), False),
    ],
)
def test_only_a_request_that_stands_open_turns_out_to_be_another_task(on, fits) -> None:
    """Sentence 8."""
    assert (became("update_module", on=on).code.value != "event_out_of_place") is fits


@pytest.mark.clause("NX-19", "NX-21")
@pytest.mark.parametrize(
    ("policy", "clauses"),
    [(MARKET, ("NX-19", "NX-21")), (replace(MARKET, sale=None), ("NX-20", "NX-21"))],
)
def test_a_request_whose_free_installation_went_to_another_is_not_taken_up_again(policy, clauses) -> None:
    closed = record(event(K.CLOSED, RECEIVED), task=INSTALLING)
    found = decide_event(closed, event(K.REOPENED), EventFacts(credit_gone=True), policy, NOW)
    facts = {"event": "reopened", "used": 1, "void": 0}
    assert told(found) == ("deny", "install_credit_none", clauses, facts, ())
    assert decide_event(closed, event(K.REOPENED), EventFacts(), policy, NOW).allowed


@pytest.mark.clause("ZG-12", "BC-14")
def test_files_that_the_terms_except_are_no_modification_and_one_that_they_do_not_is() -> None:
    """Sentence 1."""
    terms = replace(CARE.support, unmodified=("translations/*", "settings.php"))
    policy = replace(CARE, support=terms)

    def refused(*paths: str, hotfixed: frozenset[str] = frozenset()) -> Decision:
        files = {path: path[0] * 64 for path in paths}
        seen = event(K.REFUSED, code="nosup_code_modified", evidence="seen", files=files)
        return decide_event(record(), seen, EventFacts(hotfixed_files=hotfixed), policy, NOW)

    spared = refused("translations/it.php", "settings.php")
    assert (spared.code.value, spared.clauses) == ("refusal_not_permitted", ("BC-14", "BC-15"))
    assert spared.facts["because"] == "files_do_not_count"
    assert spared.facts["files"] == {"settings.php": "excepted", "translations/it.php": "excepted"}
    some = refused("translations/it.php", "cart.php")
    assert some.code.value == "request_refused"
    assert some.facts["files"] == {"cart.php": "changed", "translations/it.php": "excepted"}
    fixed = refused("cart.php", "settings.php", hotfixed=frozenset({"c" * 64}))
    assert fixed.facts["because"] == "files_do_not_count"
    assert fixed.facts["files"] == {"cart.php": "own_hotfix", "settings.php": "excepted"}


@pytest.mark.clause("NX-25", "CJ-10")
@pytest.mark.parametrize(
    ("on", "needs"),
    [
        (record(task="hands_on"), True),
        (record(), False),
        (record(task=None), False),
        (record(event(K.RECATEGORIZED, RECEIVED, task="hands_on")), True),
        (record(event(K.RECATEGORIZED, RECEIVED, task="fix_issue"), task="hands_on"), False),
    ],
)
def test_work_on_the_customers_machine_needs_his_consent_as_what_it_is_now(on, needs) -> None:
    """Sentence 4: no word of remote access is needed for that."""
    worked = event(K.INTERVENTION, cause="a full disk", prevention="watch the disk")
    without, by_consent = (decide_event(on, worked, EventFacts(has_access=has), MARKET, NOW) for has in (False, True))
    assert by_consent.code.value == "support_event_recorded"
    assert (without.code.value == "remote_access_not_authorized") is needs
    assert without.clauses == (("NX-25",) if needs else ("NX-28",))
