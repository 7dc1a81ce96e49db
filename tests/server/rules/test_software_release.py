"""The sentences are those of `rules.software_release`."""

from dataclasses import replace
from uuid import UUID

import pytest

from tests.server.rules.facts import DAY, NOW, POLICIES, a_license, told
from tillkey_server.rules.decision import Outcome, Refusal
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.software_release import (
    GrantFacts,
    OwnerFacts,
    PublishFacts,
    decide_publish,
    decide_redeem,
    owners_to_tell,
)
from tillkey_server.rules.update import ReleaseFacts
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import ReleaseKind

TERMS = POLICIES["nexopos"]
SILENT = replace(TERMS, updates=None)


def published(policy=TERMS, **facts):
    return decide_publish(PublishFacts(**({"version": "1.2", "kind": ReleaseKind.FEATURE} | facts)), policy, NOW)


def test_a_version_is_published_once():
    """Sentence 1."""
    assert published().code is UpdateCode.RELEASE_PUBLISHED
    assert published(is_known=True).code is UpdateCode.RELEASE_ALREADY_PUBLISHED
    other = published(is_known=True, differing=("sha256",))
    assert (other.outcome, other.code, other.facts["differing"]) == (
        Outcome.DENY,
        UpdateCode.RELEASE_DIFFERS,
        ["sha256"],
    )
    assert published(SILENT).code is UpdateCode.UPDATE_NOT_OFFERED


@pytest.mark.clause("NX-27")
@pytest.mark.parametrize(
    "severity,code",
    [
        (Severity.SEVERE, UpdateCode.HOTFIX_ALLOWED),
        (Severity.DATA_INTEGRITY, UpdateCode.HOTFIX_ALLOWED),
        (Severity.MINOR, UpdateCode.HOTFIX_NOT_JUSTIFIED),
        (None, UpdateCode.HOTFIX_NOT_JUSTIFIED),
    ],
)
def test_a_hotfix_needs_a_severe_defect_or_data_at_risk(severity, code):
    """Sentence 2."""
    decision = published(kind=ReleaseKind.HOTFIX, severity=severity)
    assert decision.code is code
    assert "NX-27" in decision.clauses


@pytest.mark.clause("NX-26", "BC-30")
def test_a_fix_concerns_every_owner_who_may_have_it_and_not_only_who_reported_it():
    """Sentence 3."""
    fix = ReleaseFacts(UUID(int=1), "1.2", NOW, ReleaseKind.CORRECTIVE)
    over = {"updates_until": NOW - DAY, "support_until": NOW - DAY}
    owners = [
        OwnerFacts(a_license(), UUID(int=9), TERMS),
        OwnerFacts(a_license(), UUID(int=9), TERMS),
        OwnerFacts(a_license(), UUID(int=3), POLICIES["prestashop-care"]),
        OwnerFacts(a_license(**over), UUID(int=4), TERMS),
        OwnerFacts(a_license(**over), UUID(int=5), TERMS, reported_at=NOW - 2 * DAY),
        OwnerFacts(a_license(refunded_at=NOW), UUID(int=6), TERMS),
        OwnerFacts(a_license(), UUID(int=7), SILENT),
    ]
    assert owners_to_tell(fix, owners, NOW) == (UUID(int=3), UUID(int=5), UUID(int=9))
    assert owners_to_tell(replace(fix, always_free=True), owners, NOW)[1] == UUID(int=4)
    assert owners_to_tell(replace(fix, withdrawn_at=NOW), owners, NOW) == ()
    decision = published(POLICIES["prestashop-care"], fixes=True)
    assert (decision.code, decision.clauses) == (UpdateCode.FIX_RELEASED, ("BC-30",))


@pytest.mark.clause("ZG-20", "NX-36")
def test_a_grant_lives_for_its_time_whatever_the_clock_and_ends_with_the_release_or_the_license():
    """Sentence 4."""
    over = a_license(updates_until=NOW - DAY, support_until=NOW - DAY)
    grant = GrantFacts(over, "1.2", NOW + DAY, None)
    assert decide_redeem(grant, TERMS, NOW).code is UpdateCode.DOWNLOAD_REDEEMED
    assert decide_redeem(grant, SILENT, NOW).code is UpdateCode.DOWNLOAD_REDEEMED
    for dead, because in (({"expires_at": NOW}, "expired"), ({"withdrawn_at": NOW}, "withdrawn")):
        refused = decide_redeem(replace(grant, **dead), TERMS, NOW)
        assert (refused.code, refused.facts["because"]) == (UpdateCode.DOWNLOAD_GRANT_INVALID, because)
    refunded = replace(grant, license=a_license(refunded_at=NOW))
    assert decide_redeem(refunded, TERMS, NOW).code is Refusal.LICENSE_REVOKED


@pytest.mark.clause("BC-37")
def test_a_download_that_was_granted_goes_no_further_while_its_order_is_under_review():
    """Sentence 4: a grant that is over is told the review first."""
    grant = GrantFacts(a_license(), "1.2", NOW, None, order_held_at=NOW - DAY)
    for expires_at in (NOW, NOW + DAY):
        refused = decide_redeem(replace(grant, expires_at=expires_at), POLICIES["prestashop-care"], NOW)
        facts = {"since": "2026-03-09T12:00:00Z"}
        assert told(refused) == ("deny", "order_under_review", ("BC-37",), facts, ("ask_support",))
    refunded = replace(grant, license=a_license(refunded_at=NOW))
    assert decide_redeem(refunded, TERMS, NOW).code is Refusal.LICENSE_REVOKED
