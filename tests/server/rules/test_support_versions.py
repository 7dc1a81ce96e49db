"""The sentences are those of `rules.support_versions`."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.server.rules.facts import POLICIES
from tests.server.rules.test_support import CARE, CRM, MARKET, NOW, asked, changed, held, terms_of
from tests.server.rules.test_support_event import event, record
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.support import decide_support
from tillkey_server.rules.support_event import decide_event
from tillkey_server.rules.support_event_facts import EventFacts
from tillkey_server.rules.support_policy import Ground, GroundPolicy, Strength
from tillkey_server.rules.support_record import SupportEventKind
from tillkey_server.rules.support_versions import as_of_today

ABUSIVE, EXPIRED = Ground.ABUSIVE, Ground.SUPPORT_EXPIRED
DAY = timedelta(days=1)


def later(policy: Policy = MARKET, *, without: Ground | None = None, **terms) -> Policy:
    """The next version of terms, without a ground of their list, or otherwise changed."""
    kept = tuple(one for one in terms_of(policy).grounds if one.code is not without)
    return replace(changed(policy, **({"grounds": kept} | terms)), version=policy.version + 1)


def listed(policy: Policy, code: Ground, **values) -> tuple[GroundPolicy, ...]:
    """A list with one ground changed."""
    return tuple(replace(one, **values) if one.code is code else one for one in terms_of(policy).grounds)


def told(sold: Policy, today: Policy, **facts) -> tuple[str, bool, object]:
    """How a request is answered that meets a ground: the code, whether K-09 is cited, and what was lifted."""
    policy, lifted = as_of_today(sold, today)
    decision = decide_support(asked(lifted=lifted, **facts), policy, NOW)
    assert decision.policy == sold.ref
    return decision.code.value, "K-09" in decision.clauses, decision.facts.get("lifted")


@pytest.mark.clause("NX-23", "K-09")
def test_a_ground_that_a_later_version_added_is_none_for_an_older_order() -> None:
    """Sentence 1."""
    fewer = changed(MARKET, grounds=tuple(one for one in terms_of(MARKET).grounds if one.code is not ABUSIVE))
    insulted = {"found": {ABUSIVE: "insults"}}
    assert told(fewer, replace(MARKET, version=4), **insulted) == ("support_task_ok", False, None)
    assert told(MARKET, replace(MARKET, version=4), **insulted) == ("nosup_abusive", False, None)


@pytest.mark.clause("NX-23", "K-09")
def test_a_ground_that_a_later_version_took_off_its_list_refuses_an_older_order_no_more() -> None:
    """Sentences 2 and 3: what was not met is not told."""
    today = later(without=ABUSIVE)
    insulted = {"found": {ABUSIVE: "insults"}}
    assert told(MARKET, today, **insulted) == ("support_task_ok", True, ["nosup_abusive"])
    assert told(MARKET, today) == ("support_task_ok", False, None)
    over = {**insulted, "license": held(support_until=NOW)}
    assert told(MARKET, today, **over) == ("nosup_support_expired", True, ["nosup_abusive"])


@pytest.mark.clause("K-09")
@pytest.mark.parametrize(
    "today",
    [
        later(without=ABUSIVE, apply_if_better=False),
        replace(later(without=ABUSIVE), version=MARKET.version),
        replace(later(without=ABUSIVE), name="another"),
        replace(MARKET, version=MARKET.version + 1, support=None),
    ],
)
def test_only_a_later_version_of_the_same_terms_that_says_so_lifts_a_ground(today: Policy) -> None:
    assert as_of_today(MARKET, today) == (MARKET, ())


@pytest.mark.clause("K-09")
def test_terms_that_were_silent_about_support_stay_so() -> None:
    silent = POLICIES["default"]
    assert as_of_today(silent, replace(MARKET, name=silent.name, version=silent.version + 1)) == (silent, ())


@pytest.mark.clause("NX-23", "K-09")
def test_of_two_strengths_the_milder_counts_for_an_older_order() -> None:
    """Sentences 1 and 2."""
    milder = later(grounds=listed(MARKET, ABUSIVE, refusal=Strength.MAY))
    insulted = {"found": {ABUSIVE: "insults"}}
    assert told(MARKET, milder, **insulted) == ("support_task_ok", True, None)
    sold = changed(MARKET, grounds=listed(MARKET, ABUSIVE, refusal=Strength.MAY))
    assert told(sold, replace(MARKET, version=4), **insulted) == ("support_task_ok", False, None)


@pytest.mark.clause("CJ-12", "K-09")
@pytest.mark.parametrize("sold_spares", [True, False])
@pytest.mark.parametrize("today_spares", [True, False])
def test_ended_support_counts_no_sooner_than_the_friendlier_version_says(sold_spares: bool, today_spares: bool) -> None:
    """Sentence 2."""
    sold = changed(MARKET, grounds=listed(MARKET, EXPIRED, spares_refund_window=sold_spares))
    today = later(grounds=listed(MARKET, EXPIRED, spares_refund_window=today_spares))
    ended = held(support_until=NOW - DAY, refund_until=NOW + DAY)
    code, cites, _ = told(sold, today, license=ended)
    is_spared = sold_spares or today_spares
    assert code == ("support_task_ok" if is_spared else "nosup_support_expired")
    assert cites == (not is_spared and today_spares and not sold_spares)


@pytest.mark.clause("NX-23", "K-09")
@pytest.mark.parametrize(
    ("ground", "because", "cites"),
    [("nosup_abusive", "ground_lifted", True), ("nosup_hands_on", "ground_not_listed", False)],
)
def test_nobody_refuses_later_on_a_ground_that_was_lifted(ground: str, because: str, cites: bool) -> None:
    policy, lifted = as_of_today(MARKET, later(without=ABUSIVE))
    refused = event(SupportEventKind.REFUSED, code=ground, evidence="seen")
    decision = decide_event(record(), refused, EventFacts(lifted=lifted), policy, NOW)
    assert (decision.code.value, decision.facts["because"]) == ("refusal_not_permitted", because)
    assert ("K-09" in decision.clauses) is cites
    assert decide_event(record(), refused, EventFacts(), MARKET, NOW).allowed is (because == "ground_lifted")


@pytest.mark.clause("K-09")
@pytest.mark.parametrize("policy", [MARKET, CRM, CARE, POLICIES["01generator"]])
def test_the_published_terms_let_a_later_list_be_friendlier(policy: Policy) -> None:
    assert (terms_of(policy).apply_if_better, terms_of(policy).clauses.versions) == (True, ("K-09",))
