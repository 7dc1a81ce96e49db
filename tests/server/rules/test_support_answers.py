"""What the answers about a request for support tell: every fact, every clause and every way on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.server.rules.facts import POLICIES, told
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support_event import (
    EventFacts,
    GrantAsked,
    decide_closure,
    decide_event,
    decide_grant,
    decide_hotfix,
)
from tillkey_server.rules.support_policy import Ground
from tillkey_server.rules.support_record import Closure, SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.support_state import banner_of
from tillkey_server.rules.update_offer import OfferFacts, decide_offer

K = SupportEventKind
MARKET, ADDON, CRM, CARE, DEVICES = (
    POLICIES[name] for name in ("nexopos", "01generator", "crmjetty", "prestashop-care", "netposa")
)
RECEIVED = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = RECEIVED + timedelta(days=1)
DAY = timedelta(days=1)
BEFORE, WRITTEN, NEXT = "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z", "2026-03-04T12:00:00Z"
NOTED = {"cause": "a full disk", "prevention": "watch the disk"}


def event(kind: SupportEventKind, at: datetime = NOW, **details: object) -> SupportEvent:
    return SupportEvent(kind, at, details)


def record(*events: SupportEvent, **more) -> SupportRecord:
    return SupportRecord(UUID(int=1), UUID(int=2), RECEIVED, events=events, **more)


def decided(policy: Policy, asked: SupportEvent, *before: SupportEvent, **known: object) -> Decision:
    return decide_event(record(*before), asked, EventFacts(**known), policy, NOW)


def ground(policy: Policy, name: str) -> tuple[str, ...]:
    """The clauses of a refusal by a ground of the list."""
    return tuple(dict.fromkeys((*policy.support.ground(Ground(name)).clauses, *policy.support.clauses.refusals)))


@pytest.mark.clause("BC-15", "NX-22", "NX-20", "NX-27")
@pytest.mark.parametrize(
    ("details", "known", "facts"),
    [
        ({"code": "a whim", "evidence": "x"}, {}, {"because": "ground_not_listed"}),
        ({"evidence": "x"}, {}, {"because": "ground_not_listed"}),
        ({"code": "nosup_support_expired"}, {}, {"because": "evidence_missing"}),
        (
            {"code": "nosup_support_expired", "evidence": "x"},
            {"support_until": NOW},
            {"because": "support_ran_at_receipt", "support_until": WRITTEN},
        ),
        (
            {"code": "nosup_support_expired", "evidence": "x"},
            {},
            {"because": "support_ran_at_receipt", "support_until": None},
        ),
        (
            {"code": "nosup_code_modified", "evidence": "x", "files": {"a": "1"}},
            {"hotfixed_files": frozenset({"1"})},
            {"because": "own_hotfix", "files": {"a": "own_hotfix"}},
        ),
    ],
)
def test_a_refusal_that_is_not_permitted_says_why_and_what_would_be(details, known, facts) -> None:
    named = str(details.get("code", ""))
    shown = {"refusal": named, "permitted": [one.code.value for one in MARKET.support.grounds]}
    found = decided(MARKET, event(K.REFUSED, **details), **known)
    assert told(found)[:2] == ("deny", "refusal_not_permitted")
    assert (found.facts, found.options) == (shown | facts, ())
    cited = MARKET.support.clauses.refusals if "not_listed" in facts["because"] else ground(MARKET, named)
    assert found.clauses == (("NX-27", *cited) if facts["because"] == "own_hotfix" else cited)


@pytest.mark.clause("BC-15", "NX-22")
def test_a_refusal_that_is_permitted_names_its_ground_and_the_files_that_others_changed() -> None:
    files = {"b": "2", "a": "1", "c": "3"}
    changed = event(K.REFUSED, code="nosup_code_modified", evidence="x", files=files)
    found = decided(MARKET, changed, hotfixed_files=frozenset({"3"}))
    shown = {"refusal": "nosup_code_modified", "files": {"a": "changed", "b": "changed", "c": "own_hotfix"}}
    assert told(found) == ("allow", "request_refused", ground(MARKET, "nosup_code_modified"), shown, ())
    found = decided(MARKET, event(K.REFUSED, code="nosup_abusive", evidence="x"))
    expected = ("allow", "request_refused", ground(MARKET, "nosup_abusive"), {"refusal": "nosup_abusive"}, ())
    assert told(found) == expected
    other = event(K.REFUSED, code="nosup_abusive", evidence="x", files={"a": "1"})
    assert told(decided(MARKET, other, hotfixed_files=frozenset({"1"}))) == expected


@pytest.mark.clause("BC-16", "ZG-15")
def test_an_offer_is_answered_as_the_rule_of_offers_answers_it() -> None:
    """Sentence 3: of the request's receipt, and at the instant of the offer."""
    withdrawn = {"published_at": RECEIVED, "withdrawn_at": NOW}
    for policy in (CARE, ADDON, MARKET):
        for paid, known in ((None, {}), (True, {"published_at": RECEIVED}), (False, withdrawn)):
            asked = event(K.UPDATE_OFFERED, version="2.0", **({} if paid is None else {"paid": paid}))
            offered = OfferFacts("2.0", RECEIVED, NOW, is_paid=paid, **known)
            assert decided(policy, asked, **known) == decide_offer(offered, policy, NOW)


@pytest.mark.clause("NX-25", "NX-26", "NX-28", "BC-05", "BC-28", "BC-36", "CJ-09")
@pytest.mark.parametrize(
    ("policy", "asked", "before", "expected"),
    [
        (
            MARKET,
            event(K.INTERVENTION, remote=True, **NOTED),
            (),
            (
                "deny",
                "remote_access_not_authorized",
                MARKET.support.remote_access.clauses,
                {"because": "no_running_grant"},
            ),
        ),
        (
            MARKET,
            event(K.INTERVENTION, cause=" "),
            (),
            ("deny", "intervention_note_required", ("NX-28",), {"missing": ["cause", "prevention"]}),
        ),
        (
            MARKET,
            event(K.INTERVENTION, **NOTED),
            (),
            ("allow", "support_event_recorded", ("NX-28",), {"event": "intervention"}),
        ),
        (
            MARKET,
            event(K.CLOSED),
            (event(K.INTERVENTION, cause="a full disk"),),
            (
                "deny",
                "intervention_note_required",
                ("NX-28",),
                {"missing": ["intervention", "no_intervention_reason"]},
            ),
        ),
        (
            CRM,
            event(K.CLOSED, unanswered=True),
            (),
            ("deny", "event_out_of_place", ("CJ-09",), {"event": "closed", "waiting_since": None}),
        ),
        (
            MARKET,
            event(K.CLOSED, unanswered=True),
            (event(K.WAITING_FOR_CUSTOMER, RECEIVED),),
            (
                "deny",
                "event_out_of_place",
                MARKET.support.clauses.tasks,
                {"event": "closed", "waiting_since": BEFORE},
            ),
        ),
        (
            CRM,
            event(K.CLOSED, unanswered=True),
            (event(K.WAITING_FOR_CUSTOMER, RECEIVED),),
            (
                "deny",
                "customer_still_has_time",
                ("CJ-09",),
                {"waiting_since": BEFORE, "until": "2026-03-16T18:30:00Z", "timezone": CRM.timezone.key},
            ),
        ),
        (
            CRM,
            event(K.CLOSED, RECEIVED + 30 * DAY, unanswered=True),
            (event(K.WAITING_FOR_CUSTOMER, RECEIVED),),
            (
                "allow",
                "closed_unanswered",
                ("CJ-09",),
                {"waiting_since": BEFORE, "until": "2026-03-16T18:30:00Z", "timezone": CRM.timezone.key},
            ),
        ),
        (
            MARKET,
            event(K.RESOLVED, fixed_in_release="2.1"),
            (),
            ("allow", "request_fixed", MARKET.support.fix.clauses, {"fixed_in_release": "2.1"}),
        ),
        (
            CARE,
            event(K.AUTOMATIC_REPLY),
            (),
            ("allow", "ack_invalid_automatic", CARE.deadlines.clauses, {"stops_clock": False}),
        ),
        (
            CARE,
            event(K.HUMAN_REPLY, in_tool=False),
            (),
            ("allow", "reply_outside_tool", CARE.deadlines.clauses, {"stops_clock": False}),
        ),
        (
            CARE,
            event(K.REOPENED),
            (),
            ("deny", "event_out_of_place", CARE.support.clauses.tasks, {"event": "reopened", "closed": False}),
        ),
        (
            CARE,
            event(K.HUMAN_REPLY),
            (event(K.CLOSED, RECEIVED),),
            ("deny", "event_out_of_place", CARE.support.clauses.tasks, {"event": "human_reply", "closed": True}),
        ),
        (DEVICES, event(K.REFUSED), (), ("allow", "support_event_recorded", DEVICES.clocks.clauses.support, {})),
    ],
)
def test_an_event_tells_what_is_recorded_or_what_is_missing(policy, asked, before, expected) -> None:
    assert told(decided(policy, asked, *before)) == (*expected, ())


@pytest.mark.clause("BC-36")
def test_a_conversion_tells_from_when_on_the_clocks_run() -> None:
    found = decide_event(record(presale=True), event(K.CONVERTED), EventFacts(), CARE, NOW)
    assert told(found) == ("allow", "ticket_converted", ("BC-36",), {"clocks_begin_at": WRITTEN}, ())


@pytest.mark.clause("NX-25", "ZG-14")
def test_a_consent_tells_from_when_to_when_and_whose_it_is_or_why_it_is_not_recorded() -> None:
    asked = GrantAsked(by_owner=True, starts_at=NOW, until=NOW + DAY)
    seen = record(event(K.FINDING, finding="not_reproducible"))
    facts = {"starts_at": WRITTEN, "until": NEXT, "by_owner": True}
    cited = MARKET.support.remote_access.clauses

    def granted(policy: Policy = MARKET, on: SupportRecord = seen, **changed: object) -> tuple[object, ...]:
        return told(decide_grant(replace(asked, **changed), on, policy, NOW))

    assert granted() == ("allow", "remote_access_granted", cited, facts, ())
    why = facts | {"because": "not_found_irreproducible"}
    assert granted(on=record()) == ("deny", "remote_access_not_justified", cited, why, ())
    foreign = facts | {"by_owner": False}
    assert granted(by_owner=False) == ("deny", "remote_access_not_authorized", cited, foreign, ())
    over = facts | {"until": WRITTEN}
    assert granted(until=NOW) == ("deny", "remote_access_not_authorized", cited, over, ())
    none = {"because": "terms_have_none"}
    assert granted(ADDON) == ("deny", "remote_access_not_justified", ("ZG-14",), none, ())
    silent = DEVICES.clocks.clauses.support
    assert granted(DEVICES) == ("pend", "support_pending_review", silent, {}, ("review",))


@pytest.mark.clause("NX-27")
def test_a_hotfix_tells_how_severe_the_fault_was_and_how_severe_it_has_to_be() -> None:
    shown = {"severity": "minor", "files": 2}
    listed = {"severities": list(MARKET.support.hotfix.severities)}
    no = told(decide_hotfix(Severity.MINOR, 2, MARKET, NOW))
    assert no == ("deny", "hotfix_unjustified", MARKET.support.hotfix.clauses, shown | listed, ())
    yes = told(decide_hotfix(Severity.SEVERE, 2, MARKET, NOW))
    severe = {"severity": "severe", "files": 2}
    assert yes == ("allow", "hotfix_recorded", MARKET.support.hotfix.clauses, severe | listed, ())
    for policy, cited in ((ADDON, ADDON.support.clauses.tasks), (DEVICES, DEVICES.clocks.clauses.support)):
        assert told(decide_hotfix(Severity.SEVERE, 2, policy, NOW)) == ("deny", "hotfix_unjustified", cited, severe, ())


@pytest.mark.clause("BC-04")
def test_a_closure_tells_when_it_was_told_and_whether_it_pauses_anything() -> None:
    facts = {"notified_at": BEFORE, "starts_at": WRITTEN, "ends_at": NEXT, "pauses_ack": True}
    cited = CARE.deadlines.closures.clauses
    found = decide_closure(Closure(RECEIVED, NOW, NOW + DAY), CARE, NOW)
    assert told(found) == ("allow", "closure_recorded", cited, facts, ())
    late = decide_closure(Closure(NOW + DAY, NOW, NOW + DAY), CARE, NOW)
    assert told(late) == ("deny", "closure_notice_late", cited, facts | {"notified_at": NEXT}, ())
    silent = decide_closure(Closure(RECEIVED, NOW, NOW + DAY), DEVICES, NOW)
    assert told(silent)[2:4] == (DEVICES.clocks.clauses.support, facts | {"pauses_ack": False})


@pytest.mark.clause("BC-18")
def test_a_banner_tells_until_when_and_as_of_when_and_by_which_clause() -> None:
    held = LicenseFacts(UUID(int=2), RECEIVED, support_until=NOW + DAY)
    terms = CARE.support.banner
    assert banner_of(held, CARE, NOW, product="collect", site="shop.example") == {
        "active": True,
        "text": terms.text,
        "until": NEXT,
        "product": "collect",
        "site": "shop.example",
        "clauses": list(terms.clauses),
        "as_of": WRITTEN,
    }
    assert banner_of(None, DEVICES, NOW, product="till", site=None) == {
        "active": False,
        "text": None,
        "until": None,
        "product": "till",
        "site": None,
        "clauses": [],
        "as_of": WRITTEN,
    }
    assert banner_of(replace(held, use_until=NOW), CARE, NOW, product="collect", site=None)["active"] is True
