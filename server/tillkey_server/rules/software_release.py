"""Publishing a software release, and telling those whom it concerns.

1. A version of a product is published once. Told again with the same content it changes nothing but what it mends;
   with other content it is refused (`release_differs`), whether or not it was withdrawn.
2. A hotfix, out of turn, needs a defect that is severe enough for the terms (NX-27).
3. A release that mends a defect concerns every owner who may have it, and not only who reported it (NX-26, BC-30). It
   mends what whoever publishes it names, and every request whose solution named this version, before or after. What is
   named later is added, and told: to its owners, or, where the release mended nothing until then, to all.
4. A grant to download is for one release and one license, and lives for a short time; within it an interrupted download
   goes on, even where the license's clock has ended since (ZG-20). A release that is withdrawn and a license that is
   barred end it at once (NX-36); while the license's order is under review it opens nothing (BC-37).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tillkey_server.rules.decision import Decision, allow, deny, instant
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.sale import refuse_under_review
from tillkey_server.rules.standing import LicenseFacts, refuse
from tillkey_server.rules.update import ReleaseFacts, UpdateFacts, barred, may_have
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import ReleaseKind


@dataclass(frozen=True, slots=True)
class PublishFacts:
    """What is to be published; `differing` are the members in which a version that is on record differs from it.

    `fixes`: it mends something that is not on record with it yet.
    """

    version: str
    kind: ReleaseKind
    severity: Severity | None = None
    is_known: bool = False
    differing: tuple[str, ...] = ()
    fixes: bool = False


@dataclass(frozen=True, slots=True)
class OwnerFacts:
    """One license of the product and whose it is; `reported_at` is when its owner reported what the release mends."""

    license: LicenseFacts
    customer_id: UUID
    policy: Policy
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant to download, and since when the license's order is under review."""

    license: LicenseFacts
    version: str
    expires_at: datetime
    withdrawn_at: datetime | None
    order_held_at: datetime | None = None


def decide_publish(facts: PublishFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a release is published (sentences 1 and 2); facts `version`, `kind`, `severity`, `differing`."""
    shown: dict[str, object] = {
        "version": facts.version,
        "kind": facts.kind.value,
        "severity": None if facts.severity is None else facts.severity.value,
    }
    terms, ref = policy.updates, policy.ref
    if terms is None:
        clauses = policy.clocks.clauses.updates
        return deny(UpdateCode.UPDATE_NOT_OFFERED, clauses=clauses, policy=ref, now=now, facts=shown)
    cited = terms.clauses
    if facts.differing:
        shown["differing"] = list(facts.differing)
        return deny(UpdateCode.RELEASE_DIFFERS, clauses=cited.window, policy=ref, now=now, facts=shown)
    if facts.is_known and not facts.fixes:
        return allow(UpdateCode.RELEASE_ALREADY_PUBLISHED, clauses=cited.window, policy=ref, now=now, facts=shown)
    if facts.kind is ReleaseKind.HOTFIX and not facts.is_known:
        justified = facts.severity in terms.hotfix_severities
        if not justified:
            return deny(UpdateCode.HOTFIX_NOT_JUSTIFIED, clauses=cited.hotfix, policy=ref, now=now, facts=shown)
        return allow(UpdateCode.HOTFIX_ALLOWED, clauses=cited.hotfix + cited.fix, policy=ref, now=now, facts=shown)
    if facts.fixes:
        return allow(UpdateCode.FIX_RELEASED, clauses=cited.fix, policy=ref, now=now, facts=shown)
    return allow(UpdateCode.RELEASE_PUBLISHED, clauses=cited.window, policy=ref, now=now, facts=shown)


def owners_to_tell(release: ReleaseFacts, owners: Iterable[OwnerFacts], now: datetime) -> tuple[UUID, ...]:
    """Return the customers who may have a release, each once, in the order of their ids (sentence 3)."""
    found = {one.customer_id for one in owners if _may_have(release, one, now)}
    return tuple(sorted(found))


def decide_redeem(facts: GrantFacts, policy: Policy, now: datetime) -> Decision:
    """Decide whether a download goes on (sentence 4); facts `version`, `expires_at`, and `because` for a no."""
    found = barred(facts.license, policy, now)
    if found is not None:
        return refuse(found, facts.license, policy, now)
    if facts.order_held_at is not None:
        return refuse_under_review(facts.order_held_at, policy, now)
    clauses = policy.clocks.clauses.updates if policy.updates is None else policy.updates.clauses.downloads
    shown: dict[str, object] = {"version": facts.version, "expires_at": instant(facts.expires_at)}
    because = "withdrawn" if facts.withdrawn_at is not None else "expired" if facts.expires_at <= now else None
    if because is not None:
        shown["because"] = because
        return deny(UpdateCode.DOWNLOAD_GRANT_INVALID, clauses=clauses, policy=policy.ref, now=now, facts=shown)
    return allow(UpdateCode.DOWNLOAD_REDEEMED, clauses=clauses, policy=policy.ref, now=now, facts=shown)


def _may_have(release: ReleaseFacts, owner: OwnerFacts, now: datetime) -> bool:
    reported = ReleaseFacts(
        release.id,
        release.version,
        release.published_at,
        release.kind,
        always_free=release.always_free,
        withdrawn_at=release.withdrawn_at,
        reported_at=owner.reported_at,
    )
    facts = UpdateFacts(owner.license, now, (reported,))
    return may_have(facts, reported, owner.policy, now)
