"""Which software releases a license may have now, and which of them is the best.

1. A license may have updates unless it is on hold, terminated, revoked, refunded or suspended. The end of its use right
   is another clock (X-01) and does not count here. Those of a suspended account download nothing from then on: its days
   of grace are for the till in the shop (NX-42). Its owner is told of a fix all the same.
2. The clock is that of the updates; where updates are part of support, both have one end (ZG-16, `rules.term`). While
   it runs, everything that is published and of a kind in scope (BC-35) may be had (ZG-20).
3. After its end what was published at or after the end is closed: the bound is exact and exclusive (NX-15). What was
   published before it stays open where the terms keep it (NX-15), and else closes too (ZG-20).
4. The version that was bought may be had again at any time: the newest one of the day of payment, or the first one
   where none was published by then (ZG-20).
5. A release marked as free for all, as a security fix, may be had whatever the clock says, where the terms say so.
6. A release that mends what the owner reported before the end may be had after it (NX-26).
7. What was withdrawn nobody gets. An unfinished version goes to whoever asks for it, if to anybody.
8. Of a reported platform version only what runs on it is offered: the last that does, not the newest (ZG-19).
9. Updates are served to the site of the license's project where the terms tie them to it (NX-51); the version that was
   bought is not one. Where the project has no site, being bound to it is enough.
10. A product that is offline or retired is served as before (BC-20).
11. Downloads are counted where the terms limit them (NX-51); those of a release that is free for all by these terms
    are not, and never lack.
12. While the order of the license is under review it is served nothing, the version that was bought included (BC-37).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tillkey_server.rules.citation import Clauses
from tillkey_server.rules.decision import Decision, allow, deny, instant, pend
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.release_version import Version, in_range
from tillkey_server.rules.sale import refuse_under_review
from tillkey_server.rules.standing import SERVED, LicenseFacts, Standing, refuse, standing
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import Prereleases, ReleaseKind, UpdatePolicy

_SHOWN = 10
"""How many closed releases an answer names."""


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """One software release; `reported_at` is when this license's owner reported a defect that it mends."""

    id: UUID
    version: str
    published_at: datetime
    kind: ReleaseKind
    platform_min: str | None = None
    platform_max: str | None = None
    always_free: bool = False
    prerelease: bool = False
    withdrawn_at: datetime | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UpdateFacts:
    """A license, what is published of its product, and for what somebody asks.

    `bought_at` is the payment's instant. `site` is the canonical one that asks, `bound_site` that of the project that
    the license is bound to. `downloads` were begun or done before, `free_downloads` those of releases
    that are marked as free for all. `product` is on_sale, offline or retired. `order_held_at` is since when its order
    is under review.
    """

    license: LicenseFacts
    bought_at: datetime
    releases: tuple[ReleaseFacts, ...]
    platform: str | None = None
    installed: str | None = None
    site: str | None = None
    is_bound: bool = False
    bound_site: str | None = None
    prereleases: bool = False
    downloads: int = 0
    free_downloads: int = 0
    product: str = "on_sale"
    order_held_at: datetime | None = None


class _No(NamedTuple):
    """Why a release is closed."""

    code: UpdateCode
    clauses: Clauses


def decide_update(facts: UpdateFacts, policy: Policy, now: datetime) -> Decision:
    """Decide which release is the best that a license may have; facts `version`, `release_id`, `closed` newer ones."""
    found = _silent(facts, policy, now)
    if found is not None:
        return found
    asking = _Asking(facts, policy, now)
    best = asking.best()
    if best is None:
        return asking.none()
    newer = asking.closed_above(best)
    told = {**asking.told(best), "closed": [{"version": one.version, "code": no.code.value} for one, no in newer]}
    if facts.installed is not None and Version(best.version) <= Version(facts.installed):
        beyond = [no for one, no in newer if Version(facts.installed) < Version(one.version)]
        expired = next((no for no in beyond if no.code is UpdateCode.UPDATE_SUPPORT_EXPIRED), None)
        if expired is not None:
            return asking.denied(expired, told)
        return asking.allowed(UpdateCode.UPDATE_CURRENT, best, told)
    return asking.allowed(UpdateCode.UPDATE_AVAILABLE, best, told)


def decide_release(facts: UpdateFacts, version: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether a license may have this release now, downgrades included; `version` must be one of the facts'."""
    found = _silent(facts, policy, now)
    if found is not None:
        return found
    asking = _Asking(facts, policy, now)
    wanted = next((one for one in asking.published if Version(one.version) == Version(version)), None)
    if wanted is None:
        return asking.denied(_No(UpdateCode.UPDATE_NONE_PUBLISHED, asking.terms.clauses.window), {"version": version})
    no = asking.closed(wanted)
    if no is not None:
        return asking.denied(no, asking.told(wanted))
    return asking.allowed(UpdateCode.UPDATE_AVAILABLE, wanted, asking.told(wanted))


def decide_download(facts: UpdateFacts, version: str, policy: Policy, now: datetime) -> Decision:
    """Decide whether a download of this release may begin; facts as of `decide_release`, and `expires_at`."""
    decided = decide_release(facts, version, policy, now)
    terms = policy.updates
    if not decided.allowed or terms is None:
        return decided
    asking = _Asking(facts, policy, now)
    limit = terms.downloads_per_license
    counted = facts.downloads + (0 if terms.always_free else facts.free_downloads)
    shown = {**decided.facts, "downloads": counted, "limit": limit}
    if limit is not None and counted >= limit and not decided.facts["always_free"]:
        return asking.denied(_No(UpdateCode.UPDATE_DOWNLOAD_LIMIT, terms.clauses.downloads), shown)
    shown["expires_at"] = instant(now + terms.grant_lifetime)
    return replace(
        decided,
        code=UpdateCode.DOWNLOAD_GRANTED,
        facts=shown,
        clauses=tuple(dict.fromkeys((*decided.clauses, *terms.clauses.downloads))),
    )


def may_have(facts: UpdateFacts, release: ReleaseFacts, policy: Policy, now: datetime) -> bool:
    """Tell whether a license may have a release, wherever it runs; False where the terms are silent."""
    everywhere = replace(facts, platform=None, prereleases=True)
    closed = _silent(everywhere, policy, now, anew=False)
    return closed is None and _Asking(everywhere, policy, now).open_by_clock(release)


def barred(facts: LicenseFacts, policy: Policy, now: datetime, *, anew: bool = False) -> Standing | None:
    """Return the standing that closes updates (sentence 1), or None; `anew`: for a download that would begin."""
    found = standing(facts, policy, now, anew=anew)
    return None if found.status in SERVED else found


def _silent(facts: UpdateFacts, policy: Policy, now: datetime, *, anew: bool = True) -> Decision | None:
    """Return the answer where no release needs to be looked at: the license is barred, or the terms say nothing."""
    found = barred(facts.license, policy, now, anew=anew)
    if found is not None:
        return refuse(found, facts.license, policy, now)
    if facts.order_held_at is not None:
        return refuse_under_review(facts.order_held_at, policy, now)
    if policy.updates is None:
        clauses = policy.clocks.clauses.updates
        return pend(UpdateCode.UPDATE_NOT_OFFERED, clauses=clauses, policy=policy.ref, now=now)
    return None


class _Asking:
    """One question: its facts under its terms at one instant."""

    def __init__(self, facts: UpdateFacts, policy: Policy, now: datetime) -> None:
        assert policy.updates is not None, "the terms are not silent"
        self.facts, self.policy, self.now = facts, policy, now
        self.terms: UpdatePolicy = policy.updates
        self.end = facts.license.updates_until
        self.published = sorted(
            (one for one in facts.releases if one.published_at <= now),
            key=lambda one: Version(one.version),
            reverse=True,
        )
        self.bought = self._bought()

    @property
    def is_running(self) -> bool:
        """Tell whether the clock runs."""
        return self.end is None or self.now < self.end

    def closed(self, release: ReleaseFacts) -> _No | None:
        """Return why a release is closed, or None where it may be had (sentences 2 to 9)."""
        cited = self.terms.clauses
        if release.withdrawn_at is not None and release.withdrawn_at <= self.now:
            return _No(UpdateCode.UPDATE_WITHDRAWN, cited.window)
        asked = self.facts.prereleases and self.terms.prereleases is Prereleases.ON_REQUEST
        if release.prerelease and not asked:
            return _No(UpdateCode.UPDATE_PRERELEASE, cited.window)
        if not self._runs_here(release):
            return _No(UpdateCode.UPDATE_NONE_FOR_PLATFORM, cited.platform)
        if self._is_free(release) or release is self.bought:
            return None
        if not self._site_fits():
            return _No(UpdateCode.UPDATE_SITE_NOT_BOUND, cited.site)
        return self._beyond_clock(release)

    def open_by_clock(self, release: ReleaseFacts) -> bool:
        """Tell whether a release may be had, whatever site asks."""
        return release.withdrawn_at is None and (self._is_free(release) or self._beyond_clock(release) is None)

    def best(self) -> ReleaseFacts | None:
        """Return the newest release that may be had, or None."""
        return next((one for one in self.published if self.closed(one) is None), None)

    def closed_above(self, best: ReleaseFacts) -> list[tuple[ReleaseFacts, _No]]:
        """Return the newer releases that are closed for a reason that is told: not what nobody gets."""
        silent = {UpdateCode.UPDATE_WITHDRAWN, UpdateCode.UPDATE_PRERELEASE}
        above = [one for one in self.published if Version(best.version) < Version(one.version)]
        closed = [(one, no) for one in above if (no := self.closed(one)) is not None and no.code not in silent]
        return closed[:_SHOWN]

    def none(self) -> Decision:
        """Return why nothing may be had: nothing is published, nothing runs there, or the rest is closed."""
        reasons = [no for one in self.published if (no := self.closed(one)) is not None]
        silent = {UpdateCode.UPDATE_WITHDRAWN, UpdateCode.UPDATE_PRERELEASE}
        spoken = [one for one in reasons if one.code not in silent]
        if not spoken:
            return self.denied(_No(UpdateCode.UPDATE_NONE_PUBLISHED, self.terms.clauses.window), {})
        told = next((one for one in spoken if one.code is not UpdateCode.UPDATE_NONE_FOR_PLATFORM), spoken[0])
        return self.denied(told, {"platform": self.facts.platform})

    def allowed(self, code: UpdateCode, release: ReleaseFacts, told: dict[str, Any]) -> Decision:
        """Return the yes, with the clause that opened the release."""
        clauses = self._opened_by(release) + self._served()
        return allow(code, clauses=clauses, policy=self.policy.ref, now=self.now, facts=told | self._shown())

    def denied(self, no: _No, told: dict[str, Any]) -> Decision:
        """Return the no, with what can be done instead."""
        options = {
            UpdateCode.UPDATE_SUPPORT_EXPIRED: ("renew_support",),
            UpdateCode.UPDATE_NONE_FOR_PLATFORM: ("update_platform",),
            UpdateCode.UPDATE_SITE_NOT_BOUND: ("ask_from_bound_site",),
        }.get(no.code, ())
        return deny(
            no.code,
            clauses=no.clauses,
            policy=self.policy.ref,
            now=self.now,
            facts=told | self._shown(),
            options=options,
        )

    def told(self, release: ReleaseFacts) -> dict[str, Any]:
        """Return what an answer tells about a release."""
        return {
            "version": release.version,
            "release_id": str(release.id),
            "published_at": instant(release.published_at),
            "kind": release.kind.value,
            "always_free": self._is_free(release),
            "bought": release is self.bought,
            "platform": self.facts.platform,
        }

    def _shown(self) -> dict[str, Any]:
        last = next((one.version for one in self.published if self._entitled(one)), None)
        return {
            "clock_ends_at": instant(self.end),
            "timezone": self.policy.timezone.key,
            "last_entitled_version": last,
            "product": self.facts.product,
        }

    def _entitled(self, release: ReleaseFacts) -> bool:
        if release.withdrawn_at is not None or release.prerelease:
            return False
        return release is self.bought or self.open_by_clock(release)

    def _bought(self) -> ReleaseFacts | None:
        whole = [one for one in self.published if one.withdrawn_at is None and not one.prerelease]
        by_then = [one for one in whole if one.published_at <= self.facts.bought_at]
        return by_then[0] if by_then else min(whole, key=_first, default=None)

    def _is_free(self, release: ReleaseFacts) -> bool:
        return release.always_free and self.terms.always_free

    def _is_reported_fix(self, release: ReleaseFacts) -> bool:
        in_time = release.reported_at is not None and (self.end is None or release.reported_at < self.end)
        return in_time and self.terms.fixes_reported_in_time

    def _beyond_clock(self, release: ReleaseFacts) -> _No | None:
        if self._is_reported_fix(release):
            return None
        kept = self.end is not None and release.published_at < self.end and self.terms.keep_entitled_versions
        if not self.is_running and not kept:
            return _No(UpdateCode.UPDATE_SUPPORT_EXPIRED, self.terms.clauses.window)
        if release.kind not in self.terms.scope:
            return _No(UpdateCode.UPDATE_NOT_IN_SCOPE, self.terms.clauses.scope)
        return None

    def _runs_here(self, release: ReleaseFacts) -> bool:
        if self.facts.platform is None:
            return True
        ends = [None if one is None else Version(one) for one in (release.platform_min, release.platform_max)]
        return in_range(Version(self.facts.platform), *ends)

    def _site_fits(self) -> bool:
        if not self.terms.update_requires_bound_site:
            return True
        here = self.facts.bound_site
        return self.facts.is_bound and (here is None or here == self.facts.site)

    def _opened_by(self, release: ReleaseFacts) -> Clauses:
        cited = self.terms.clauses
        if self._is_free(release):
            opened = cited.always_free
        elif release is self.bought:
            opened = cited.bought
        elif self._is_reported_fix(release) and not self.is_running:
            opened = cited.fix
        else:
            opened = cited.window + cited.scope
        return opened if self.facts.platform is None else opened + cited.platform

    def _served(self) -> Clauses:
        return () if self.facts.product == "on_sale" else self.terms.clauses.offline


def _first(release: ReleaseFacts) -> tuple[datetime, Version]:
    return (release.published_at, Version(release.version))
