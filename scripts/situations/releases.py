"""Updates: before and after the end of the clock that opens them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from scripts.situations.asking import BOUGHT, DAY, Topic, about, bought
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.software_release import PublishFacts, decide_publish
from tillkey_server.rules.update import ReleaseFacts, UpdateFacts, decide_release, decide_update
from tillkey_server.rules.update_policy import ReleaseKind

HERE, ELSEWHERE = "shop.example", "other.example"


def _end(policy: Policy) -> datetime:
    """Return when the license's updates end; a year after the purchase where they do not."""
    return bought(policy).updates_until or BOUGHT + timedelta(days=365)


def _release(version: str, at: datetime, **more: Any) -> ReleaseFacts:
    kind = more.pop("kind", ReleaseKind.FEATURE)
    return ReleaseFacts(**{"id": UUID(int=1), "version": version, "published_at": at, "kind": kind, **more})


def _facts(policy: Policy, *releases: ReleaseFacts, **more: Any) -> UpdateFacts:
    plain: dict[str, Any] = {"is_bound": True, "bound_site": HERE, "site": HERE}
    all_of_them = (_release("1.0", BOUGHT - DAY), *releases)
    return UpdateFacts(**{"license": bought(policy), "bought_at": BOUGHT, "releases": all_of_them, **plain, **more})


def _wants(policy: Policy, release: ReleaseFacts, **more: Any) -> Decision:
    """Ask for a release ten days after the end."""
    now = _end(policy) + 10 * DAY
    return decide_release(_facts(policy, release, **more), release.version, policy, now)


@about("updates")
def published_before_the_end(policy: Policy) -> Decision:
    """An update published one day before support ended, asked for ten days after it."""
    return _wants(policy, _release("1.1", _end(policy) - DAY))


@about("updates")
def published_after_the_end(policy: Policy) -> Decision:
    """An update published after support ended."""
    return _wants(policy, _release("1.1", _end(policy) + DAY))


@about("updates")
def security_fix_after_the_end(policy: Policy) -> Decision:
    """A security fix that the vendor gives to all, published after support ended."""
    return _wants(policy, _release("1.1", _end(policy) + DAY, kind=ReleaseKind.SECURITY, always_free=True))


@about("updates")
def fix_of_what_was_reported(policy: Policy) -> Decision:
    """The fix of a defect that this customer reported in time, published after support ended."""
    end = _end(policy)
    return _wants(policy, _release("1.1", end + DAY, kind=ReleaseKind.CORRECTIVE, reported_at=end - DAY))


@about("updates")
def an_old_platform(policy: Policy) -> Decision:
    """The shop's platform is too old for the newest version."""
    releases = (_release("1.1", BOUGHT + DAY), _release("1.2", BOUGHT + 2 * DAY, platform_min="9.0"))
    return decide_update(_facts(policy, *releases, platform="8.1"), policy, BOUGHT + 3 * DAY)


@about("updates")
def from_another_site(policy: Policy) -> Decision:
    """An update is asked for from another site than the license's."""
    asked = _facts(policy, _release("1.1", BOUGHT + DAY), site=ELSEWHERE)
    return decide_release(asked, "1.1", policy, BOUGHT + 3 * DAY)


@about("updates")
def a_hotfix_for_a_trifle(policy: Policy) -> Decision:
    """A minor flaw shall be corrected at once, out of turn."""
    facts = PublishFacts(version="1.2", kind=ReleaseKind.HOTFIX, severity=Severity.MINOR)
    return decide_publish(facts, policy, BOUGHT + 3 * DAY)


TOPIC = Topic(
    "Updates",
    (
        published_before_the_end,
        published_after_the_end,
        security_fix_after_the_end,
        fix_of_what_was_reported,
        an_old_platform,
        from_another_site,
        a_hotfix_for_a_trifle,
    ),
)
