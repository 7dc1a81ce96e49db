"""The sentences of `rules.install_credit`, `rules.imported` and `rules.project_licenses`."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW, told
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.decision import Outcome
from tillkey_server.rules.imported import Claimed, ImportCode, ImportFacts, State, decide_import, step_of
from tillkey_server.rules.install_credit import CreditFacts, decide_use
from tillkey_server.rules.project_licenses import ProjectCode, ProjectLicense, decide_project
from tillkey_server.rules.standing import LicenseFacts

SILENT = bundled_policies()["netposa"].policy


@pytest.mark.clause("NX-19", "NX-21")
def test_the_oldest_installation_that_is_left_goes_first():
    old = CreditFacts(uuid4(), NOW - 2 * DAY, None, alive=False)
    used = CreditFacts(uuid4(), NOW - 2 * DAY, NOW, alive=True)
    left = [CreditFacts(uuid4(), NOW - day * DAY, None, alive=True) for day in (0, 1)]
    found = decide_use((old, used, *left), NEXOPOS, NOW)
    shown = {"credit": str(left[1].id), "granted_at": "2026-03-09T12:00:00Z", "left": 1}
    assert told(found) == ("allow", "install_credit_used", ("NX-19", "NX-21"), shown, ())
    none = decide_use((old, old, used), NEXOPOS, NOW)
    counted = {"used": 1, "void": 2}
    assert told(none) == ("deny", "install_credit_none", ("NX-19", "NX-21"), counted, ("ask_extended_support",))
    named = decide_use((used, *left), NEXOPOS, NOW, wanted=left[0].id)
    assert (named.facts["credit"], named.facts["left"]) == (str(left[0].id), 1)
    assert decide_use((used, *left), NEXOPOS, NOW, wanted=used.id).code.value == "install_credit_none"
    assert decide_use((), SILENT, NOW).clauses == SILENT.issue_clauses


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    "changed, code",
    [
        ({}, ImportCode.LICENSE_IMPORTED),
        ({"claimed": Claimed.SAME}, ImportCode.LICENSE_IMPORTED_BEFORE),
        ({"claimed": Claimed.OTHER}, ImportCode.PURCHASE_CODE_ALREADY_CLAIMED),
        ({"months": 7}, ImportCode.PURCHASE_CODE_NOT_TAKEN),
        ({"channel": "x"}, ImportCode.PURCHASE_CODE_NOT_TAKEN),
    ],
)
def test_a_code_is_taken_once_of_a_named_channel_with_a_named_length(changed, code):
    facts = replace(ImportFacts("envato", 6, Claimed.NOBODY), **changed)
    found = decide_import(facts, NEXOPOS, NOW)
    assert (found.code, found.clauses) == (code, ("NX-44",))
    assert decide_import(replace(facts, claimed=Claimed.NOBODY), SILENT, NOW).code is ImportCode.PURCHASE_CODE_NOT_TAKEN


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    ("state", "lives", "told", "kept", "step"),
    [
        ("refunded", True, None, NOW, "ended"),
        ("refunded", True, NOW + DAY, NOW, "ended"),
        ("refunded", False, None, NOW, "ended_before"),
        ("active", False, NOW + DAY, NOW, "ended_here_alone"),
        ("active", True, NOW + DAY, NOW, "prolonged"),
        ("active", True, NOW, NOW, "unchanged"),
        ("active", True, NOW - DAY, NOW, "unchanged"),
        ("active", True, None, NOW, "unchanged"),
        ("active", True, NOW, None, "unchanged"),
    ],
)
def test_the_word_of_a_marketplace_on_a_code_ends_prolongs_or_is_only_told(state, lives, told, kept, step):
    """Sentence 4 of `rules.imported`."""
    assert step_of(State(state), lives, told, kept) == step


CODE = ImportFacts("envato", 6, Claimed.NOBODY)


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize(
    "claimed, options", [(Claimed.NOBODY, ()), (Claimed.SAME, ()), (Claimed.OTHER, ("ask_support",))]
)
@pytest.mark.parametrize("until, shown", [(NOW, "2026-03-10T12:00:00Z"), (None, None)])
def test_every_answer_about_a_code_shows_what_was_brought_and_whom_to_ask(claimed, options, until, shown):
    found = decide_import(replace(CODE, claimed=claimed, support_until=until), NEXOPOS, NOW)
    assert (found.facts, found.options) == ({"channel": "envato", "months": 6, "support_until": shown}, options)


@pytest.mark.clause("NX-44")
@pytest.mark.parametrize("policy, channels, lengths", [(NEXOPOS, ["envato"], [6, 12]), (SILENT, [], [])])
def test_a_code_that_is_not_taken_is_answered_with_those_that_are(policy, channels, lengths):
    found = decide_import(replace(CODE, channel="x"), policy, NOW)
    offered = {"channels": channels, "lengths": lengths}
    assert found.facts == {"channel": "x", "months": 6, "support_until": None} | offered


def owned(**changed) -> ProjectLicense:
    facts = LicenseFacts(uuid4(), NOW - DAY)
    return replace(ProjectLicense(facts, "core", ("sell",), here=True, elsewhere=False, in_use=True), **changed)


@pytest.mark.clause("NX-05")
def test_entitlements_are_a_union_and_the_license_that_ends_first_is_used_first():
    ends = [LicenseFacts(uuid4(), NOW, use_until=NOW + day * DAY) for day in (3, 2)]
    free = [owned(license=one, here=False, in_use=False) for one in ends]
    other = owned(license=LicenseFacts(uuid4(), NOW, use_until=NOW + DAY), elsewhere=True, here=False, in_use=False)
    dead = owned(license=LicenseFacts(uuid4(), NOW, revoked_at=NOW), entitlements=("gone",))
    found = decide_project([owned(), owned(entitlements=("print",)), *free, other, dead], NEXOPOS, NOW)
    assert found.facts == {
        "entitlements": ["print", "sell"],
        "seats": {"core": 2},
        "use_next": {"core": str(ends[1].id)},
    }
    none = decide_project([dead], NEXOPOS, NOW)
    assert (found.outcome, found.code, found.clauses) == (Outcome.ALLOW, ProjectCode.PROJECT_ENTITLED, ("NX-05",))
    nothing = {"entitlements": [], "seats": {}, "use_next": {}}
    assert told(none) == ("deny", "project_not_entitled", ("NX-05",), nothing, ())
    idle = decide_project([owned(here=False)], NEXOPOS, NOW)
    assert idle.facts == {"entitlements": [], "seats": {"core": 0}, "use_next": {"core": None}}
    assert decide_project([owned()], SILENT, NOW).facts["use_next"] == {"core": None}
    assert decide_project([owned()], SILENT, NOW).clauses == SILENT.issue_clauses


@pytest.mark.clause("NX-05")
def test_of_two_uses_that_end_alike_the_one_whose_support_ends_first_goes_first():
    late, early = (LicenseFacts(uuid4(), NOW, support_until=NOW + day * DAY) for day in (9, 2))
    endless = LicenseFacts(uuid4(), NOW)
    free = [owned(license=one, in_use=False) for one in (endless, late, early)]
    assert decide_project(free, NEXOPOS, NOW).facts["use_next"] == {"core": str(early.id)}
