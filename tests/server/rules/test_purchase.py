"""The sentences of `rules.install_credit`, `rules.imported` and `rules.project_licenses`."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.server.rules.facts import DAY, NEXOPOS, NOW
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.imported import Claimed, ImportCode, ImportFacts, decide_import
from tillkey_server.rules.install_credit import CreditFacts, InstallCode, decide_use
from tillkey_server.rules.project_licenses import ProjectCode, ProjectLicense, decide_project
from tillkey_server.rules.standing import LicenseFacts

SILENT = bundled_policies()["netposa"].policy


@pytest.mark.clause("NX-19", "NX-21")
def test_the_oldest_installation_that_is_left_goes_first():
    old = CreditFacts(uuid4(), NOW - 2 * DAY, None, alive=False)
    used = CreditFacts(uuid4(), NOW - 2 * DAY, NOW, alive=True)
    left = [CreditFacts(uuid4(), NOW - day * DAY, None, alive=True) for day in (0, 1)]
    found = decide_use((old, used, *left), NEXOPOS, NOW)
    assert (found.code, found.facts["credit"], found.facts["left"]) == (
        InstallCode.INSTALL_CREDIT_USED,
        str(left[1].id),
        1,
    )
    none = decide_use((old, used), NEXOPOS, NOW)
    named = decide_use((used, *left), NEXOPOS, NOW, wanted=left[0].id)
    assert (named.facts["credit"], named.facts["left"]) == (str(left[0].id), 1)
    assert decide_use((used, *left), NEXOPOS, NOW, wanted=used.id).code is InstallCode.INSTALL_CREDIT_NONE
    assert (none.code, none.facts) == (InstallCode.INSTALL_CREDIT_NONE, {"used": 1, "void": 1})
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
    assert (none.code, none.clauses) == (ProjectCode.PROJECT_NOT_ENTITLED, ("NX-05",))
    assert decide_project([owned()], SILENT, NOW).facts["use_next"] == {"core": None}
