"""The sentences are those of `rules.update`."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import DAY, NOW, POLICIES, SECOND, a_license
from tillkey_server.rules.decision import Outcome, Refusal
from tillkey_server.rules.update import ReleaseFacts, UpdateFacts, decide_download, decide_release, decide_update
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import Prereleases, ReleaseKind

END = NOW
KEPT, CLOSED, CARE = POLICIES["nexopos"], POLICIES["01generator"], POLICIES["prestashop-care"]
BOUGHT = NOW - 90 * DAY


def terms(base=KEPT, **changes):
    return replace(base, updates=replace(base.updates, **changes))


UNTIED = terms(update_requires_bound_site=False)


def release(version, published_at, **more):
    kind = more.pop("kind", ReleaseKind.FEATURE)
    return ReleaseFacts(UUID(int=hash(version) % 2**64), version, published_at, kind, **more)


OLD = release("1.0", BOUGHT - DAY)
NEW = release("1.1", END - DAY)
LATE = release("1.2", END)


def facts(*releases, until=END, **more):
    ends = {"updates_until": until, "support_until": until, **more.pop("ends", {})}
    return UpdateFacts(a_license(**ends), BOUGHT, releases or (OLD, NEW, LATE), **more)


def answered(decision):
    return decision.code, decision.facts.get("version")


@pytest.mark.clause("NX-15")
def test_the_bound_is_exact():
    """Sentence 3: published a second before the end is open for ever, at the end it is closed."""
    just = release("1.1.9", END - SECOND)
    asked = facts(OLD, NEW, just, LATE)
    decision = decide_update(asked, UNTIED, NOW + 400 * DAY)
    assert answered(decision) == (UpdateCode.UPDATE_AVAILABLE, "1.1.9")
    assert decision.facts["closed"] == [{"version": "1.2", "code": "update_support_expired"}]
    refused = decide_release(asked, "1.2", UNTIED, NOW)
    assert (refused.code, refused.clauses) == (UpdateCode.UPDATE_SUPPORT_EXPIRED, ("NX-15",))
    assert (refused.facts["last_entitled_version"], refused.options) == ("1.1.9", ("renew_support",))
    assert decide_release(asked, "1.2", UNTIED, NOW - SECOND).code is UpdateCode.UPDATE_NONE_PUBLISHED


@pytest.mark.clause("ZG-20")
def test_where_nothing_is_kept_only_the_bought_version_is_left_after_the_end():
    """Sentences 3 and 4: the same facts, two readings."""
    asked = facts()
    assert answered(decide_update(asked, CLOSED, NOW - SECOND)) == (UpdateCode.UPDATE_AVAILABLE, "1.1")
    after = decide_update(asked, CLOSED, NOW)
    assert (answered(after), after.clauses) == ((UpdateCode.UPDATE_AVAILABLE, "1.0"), ("ZG-20",))
    assert [one["version"] for one in after.facts["closed"]] == ["1.2", "1.1"]
    closed = decide_release(asked, "1.1", CLOSED, NOW)
    assert (closed.code, closed.facts["last_entitled_version"]) == (UpdateCode.UPDATE_SUPPORT_EXPIRED, "1.0")
    assert answered(decide_update(asked, terms(CLOSED, keep_entitled_versions=True), NOW))[1] == "1.1"


@pytest.mark.clause("ZG-20")
def test_everything_is_open_while_the_clock_runs_again_even_what_came_in_the_gap():
    """Sentence 2."""
    renewed = facts(until=NOW + 90 * DAY)
    assert answered(decide_update(renewed, CLOSED, NOW)) == (UpdateCode.UPDATE_AVAILABLE, "1.2")
    endless = facts(until=None)
    assert answered(decide_update(endless, CLOSED, NOW + 4000 * DAY)) == (UpdateCode.UPDATE_AVAILABLE, "1.2")


@pytest.mark.clause("X-01")
def test_no_other_clock_opens_or_closes_updates():
    """Sentence 1."""
    others = {"use_until": NOW - DAY, "support_until": NOW - DAY, "refund_until": NOW - DAY}
    assert answered(decide_update(facts(until=NOW + DAY, ends=others), UNTIED, NOW))[1] == "1.2"
    others = dict.fromkeys(others, NOW + DAY)
    assert decide_release(facts(until=NOW - 2 * DAY, ends=others), "1.1", UNTIED, NOW).allowed is False


@pytest.mark.parametrize(
    "fact,code",
    [
        ("legal_hold_at", Refusal.LEGAL_HOLD),
        ("terminated_at", Refusal.LICENSE_TERMINATED),
        ("revoked_at", Refusal.LICENSE_REVOKED),
        ("refunded_at", Refusal.LICENSE_REVOKED),
        ("suspended_at", Refusal.LICENSE_SUSPENDED),
    ],
)
@pytest.mark.clause("NX-36")
def test_a_barred_license_gets_nothing(fact, code):
    """Sentence 1."""
    barred = facts(until=None, ends={fact: NOW})
    assert decide_update(barred, UNTIED, NOW).code is code
    assert decide_release(barred, "1.0", UNTIED, NOW).code is code
    assert decide_download(barred, "1.0", UNTIED, NOW).code is code


def test_where_the_terms_are_silent_a_person_decides():
    silent = replace(KEPT, updates=None)
    for decision in (decide_update(facts(), silent, NOW), decide_download(facts(), "1.0", silent, NOW)):
        assert (decision.outcome, decision.code) == (Outcome.PEND, UpdateCode.UPDATE_NOT_OFFERED)


@pytest.mark.clause("NX-15")
def test_a_security_fix_that_is_free_for_all_is_had_after_the_end():
    """Sentence 5."""
    fix = release("1.3", END + DAY, always_free=True, kind=ReleaseKind.SECURITY)
    decision = decide_release(facts(OLD, fix), "1.3", KEPT, NOW + DAY)
    assert (decision.code, decision.clauses) == (UpdateCode.UPDATE_AVAILABLE, ("NX-15",))
    assert decision.facts["always_free"] is True
    strict = terms(UNTIED, always_free=False)
    assert decide_release(facts(OLD, fix), "1.3", strict, NOW + DAY).code is UpdateCode.UPDATE_SUPPORT_EXPIRED


@pytest.mark.clause("NX-26")
def test_a_fix_of_what_was_reported_in_time_is_had_after_the_end():
    """Sentence 6: reported at the end itself is too late."""
    for reported_at, code in ((END - SECOND, "update_available"), (END, "update_support_expired")):
        fix = release("1.3", END + DAY, reported_at=reported_at)
        decision = decide_release(facts(OLD, fix), "1.3", UNTIED, NOW + DAY)
        assert decision.code == code
    fix = replace(fix, reported_at=END - DAY)
    assert decide_release(facts(OLD, fix), "1.3", UNTIED, NOW + DAY).clauses == ("NX-26",)
    strict = terms(UNTIED, fixes_reported_in_time=False)
    assert not decide_release(facts(OLD, fix), "1.3", strict, NOW + DAY).allowed


@pytest.mark.clause("NX-15")
def test_what_was_withdrawn_nobody_gets_and_unfinished_versions_only_whoever_asks():
    """Sentence 7."""
    beta = release("2.0-beta", END - DAY, prerelease=True)
    gone = release("1.1.5", END - DAY, withdrawn_at=NOW, always_free=True)
    asked = facts(OLD, NEW, beta, gone)
    quiet = decide_update(asked, UNTIED, NOW)
    assert (answered(quiet)[1], quiet.facts["closed"]) == ("1.1", [])
    assert decide_release(asked, "1.1.5", UNTIED, NOW).code is UpdateCode.UPDATE_WITHDRAWN
    assert decide_release(asked, "1.1.5", UNTIED, NOW - SECOND).allowed
    assert decide_release(asked, "2.0-beta", UNTIED, NOW).code is UpdateCode.UPDATE_PRERELEASE
    eager = replace(asked, prereleases=True)
    assert answered(decide_update(eager, UNTIED, NOW))[1] == "2.0-beta"
    never = terms(UNTIED, prereleases=Prereleases.NEVER)
    assert answered(decide_update(eager, never, NOW))[1] == "1.1"


@pytest.mark.clause("ZG-19")
def test_an_old_platform_is_offered_the_last_that_runs_on_it_and_not_the_newest():
    """Sentence 8."""
    for_seven = release("1.1", END - 2 * DAY, platform_min="1.7.0.0", platform_max="1.7")
    for_eight = release("2.0", END - DAY, platform_min="8.0")
    asked = facts(for_seven, for_eight, until=None, platform="1.7.8.11")
    best = decide_update(asked, CLOSED, NOW)
    assert (answered(best)[1], best.clauses[-1]) == ("1.1", "ZG-19")
    assert best.facts["closed"] == [{"version": "2.0", "code": "update_none_for_platform"}]
    assert answered(decide_update(replace(asked, platform="8.1"), CLOSED, NOW))[1] == "2.0"
    none = decide_update(replace(asked, platform="1.6"), CLOSED, NOW)
    assert (none.code, none.clauses) == (UpdateCode.UPDATE_NONE_FOR_PLATFORM, ("ZG-19",))
    assert none.options == ("update_platform",)


def test_what_is_closed_for_more_than_the_platform_is_told_so():
    other = release("1.2", END, platform_min="9")
    none = decide_update(facts(replace(NEW, published_at=END), other, platform="8"), CLOSED, NOW)
    assert answered(none)[0] is UpdateCode.UPDATE_AVAILABLE
    asked = facts(release("1.0", BOUGHT, platform_min="9"), LATE, platform="8")
    assert decide_update(asked, CLOSED, NOW).code is UpdateCode.UPDATE_SUPPORT_EXPIRED


@pytest.mark.clause("NX-51")
def test_updates_go_to_the_site_of_the_licenses_project_where_the_terms_say_so():
    """Sentence 9: the version that was bought is for whoever holds the license, before any project."""
    asked = facts(until=None)
    assert answered(decide_update(asked, KEPT, NOW))[1] == "1.0"
    assert decide_release(asked, "1.1", KEPT, NOW).code is UpdateCode.UPDATE_SITE_NOT_BOUND
    bound = replace(asked, is_bound=True, bound_site="shop.example")
    assert decide_release(bound, "1.1", KEPT, NOW).options == ("ask_from_bound_site",)
    assert decide_release(replace(bound, site="else.example"), "1.1", KEPT, NOW).clauses == ("NX-51",)
    assert answered(decide_update(replace(bound, site="shop.example"), KEPT, NOW))[1] == "1.2"
    without_domain = replace(asked, is_bound=True)
    assert answered(decide_update(without_domain, KEPT, NOW))[1] == "1.2"
    by_address = replace(asked, is_bound=True, bound_site="192.0.2.7", site="192.0.2.7")
    assert answered(decide_update(by_address, KEPT, NOW))[1] == "1.2"
    assert answered(decide_update(asked, UNTIED, NOW))[1] == "1.2"


@pytest.mark.clause("BC-35")
def test_a_kind_of_release_out_of_scope_is_not_opened_by_the_clock():
    """Sentence 2: the text of today includes corrections, an older one did not."""
    correction = release("1.2", END - DAY, kind=ReleaseKind.CORRECTIVE)
    asked = facts(OLD, NEW, correction, until=None)
    assert answered(decide_update(asked, CARE, NOW))[1] == "1.2"
    older = terms(CARE, scope=(ReleaseKind.FEATURE, ReleaseKind.SECURITY, ReleaseKind.COMPATIBILITY))
    best = decide_update(asked, older, NOW)
    assert (answered(best)[1], best.facts["closed"]) == ("1.1", [{"version": "1.2", "code": "update_not_in_scope"}])
    assert decide_release(asked, "1.2", older, NOW).clauses == ("BC-35",)


@pytest.mark.clause("BC-20")
@pytest.mark.parametrize("state", ["offline", "retired"])
def test_an_offline_or_retired_product_is_served_as_before(state):
    """Sentence 10."""
    decision = decide_download(facts(until=None, product=state), "1.2", CARE, NOW)
    assert (decision.code, decision.facts["product"]) == (UpdateCode.DOWNLOAD_GRANTED, state)
    assert "BC-20" in decision.clauses


@pytest.mark.clause("NX-51")
def test_downloads_are_counted_where_they_are_limited():
    """Sentence 11."""
    two = terms(UNTIED, downloads_per_license=2)
    free = release("1.3", END - DAY, always_free=True)
    asked = facts(OLD, NEW, free, until=None, downloads=1)
    assert decide_download(asked, "1.0", two, NOW).code is UpdateCode.DOWNLOAD_GRANTED
    full = replace(asked, downloads=2)
    refused = decide_download(full, "1.0", two, NOW)
    assert (refused.code, refused.facts["limit"]) == (UpdateCode.UPDATE_DOWNLOAD_LIMIT, 2)
    assert decide_download(full, "1.3", two, NOW).code is UpdateCode.DOWNLOAD_GRANTED
    freed = replace(full, downloads=1, free_downloads=900)
    assert decide_download(freed, "1.0", two, NOW).facts["downloads"] == 1
    counted = decide_download(replace(freed, free_downloads=1), "1.0", terms(two, always_free=False), NOW)
    assert (counted.code, counted.facts["downloads"]) == (UpdateCode.UPDATE_DOWNLOAD_LIMIT, 2)
    assert decide_download(replace(full, downloads=900), "1.0", UNTIED, NOW).code is UpdateCode.DOWNLOAD_GRANTED
    assert decide_download(full, "9.9", two, NOW).code is UpdateCode.UPDATE_NONE_PUBLISHED


@pytest.mark.clause("NX-15")
def test_whoever_has_the_best_is_told_so_and_what_a_renewal_would_open():
    asked = facts(installed="1.1")
    assert decide_update(replace(asked, releases=(OLD, NEW)), UNTIED, NOW).code is UpdateCode.UPDATE_CURRENT
    expired = decide_update(asked, UNTIED, NOW)
    assert (expired.code, expired.facts["last_entitled_version"]) == (UpdateCode.UPDATE_SUPPORT_EXPIRED, "1.1")
    assert decide_update(replace(asked, installed="1.2"), UNTIED, NOW).code is UpdateCode.UPDATE_CURRENT
    assert answered(decide_update(replace(asked, installed="1.0"), UNTIED, NOW))[1] == "1.1"
    assert decide_release(asked, "1.0", UNTIED, NOW).allowed


def test_nothing_published_is_told_and_a_license_bought_before_the_first_release_has_that():
    assert decide_update(UpdateFacts(a_license(), BOUGHT, ()), UNTIED, NOW).code is UpdateCode.UPDATE_NONE_PUBLISHED
    only_gone = facts(replace(NEW, withdrawn_at=NOW - DAY))
    assert decide_update(only_gone, UNTIED, NOW).code is UpdateCode.UPDATE_NONE_PUBLISHED
    first = facts(NEW, release("1.1.1", END - SECOND), until=BOUGHT)
    assert answered(decide_update(first, CLOSED, NOW)) == (UpdateCode.UPDATE_AVAILABLE, "1.1")


@given(st.lists(st.integers(-200, 20), min_size=1, max_size=8), st.integers(-100, 100), st.booleans())
def test_what_is_entitled_once_and_kept_is_entitled_for_ever(published, end, keep):
    """A law of sentence 3: with kept versions the best one never falls with time."""
    releases = [release(f"1.{n}", NOW + days * DAY) for n, days in enumerate(sorted(published))]
    asked = facts(*releases, until=NOW + end * DAY)
    policy = terms(UNTIED, keep_entitled_versions=keep)
    earlier, later = (decide_update(asked, policy, NOW + days * DAY) for days in (0, 300))
    if keep and earlier.allowed:
        assert earlier.facts["version"] <= later.facts["version"]
    for decision in (earlier, later):
        assert decision.outcome is not Outcome.PEND


@pytest.mark.clause("BC-37")
def test_while_an_order_is_under_review_nothing_of_it_is_downloaded():
    """Whoever asks is told since when, before anything of the releases; what is over or on hold is told first."""
    asked = facts(until=None, order_held_at=NOW - DAY)
    asking = (
        decide_update(asked, CARE, NOW),
        *(one(asked, "1.1", CARE, NOW) for one in (decide_release, decide_download)),
    )
    for refused in asking:
        assert (refused.code, refused.clauses) == (Refusal.ORDER_UNDER_REVIEW, ("BC-37",))
        assert refused.facts == {"since": "2026-03-09T12:00:00Z"}
    revoked = replace(asked, license=a_license(revoked_at=NOW))
    assert decide_download(revoked, "1.1", CARE, NOW).code is Refusal.LICENSE_REVOKED
