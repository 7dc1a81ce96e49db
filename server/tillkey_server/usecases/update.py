"""Updates of one license: what it may have, and the downloads of that.

A grant is a word that is shown once and opens one release for one license for a short time. The vendor's file host
shows it when a file is asked for, and hands the file out where it is good: the files themselves are not here.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.site import canonical_site
from tillkey_server.rules.software_release import GrantFacts, decide_redeem
from tillkey_server.rules.update import UpdateFacts, decide_download, decide_release, decide_update
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_offer import OfferFacts, decide_offer
from tillkey_server.store import audit, downloads, orders, products, projects, software_releases
from tillkey_server.store.downloads import DownloadRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.store.software_releases import SoftwareReleaseRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of, told_of
from tillkey_server.usecases.reviewing import held_since
from tillkey_server.usecases.seen import activation_of, license_of
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.software_release import release_of, version_of

_USE = "download"


@dataclass(frozen=True, slots=True)
class Asked:
    """For what updates are asked: a platform's and the installed version, a site, unfinished versions too."""

    platform_version: str | None = None
    installed_version: str | None = None
    site: str | None = None
    prereleases: bool = False


@dataclass(frozen=True, slots=True)
class Sold:
    """What a license is of: when it was paid, its product, and the project that it is bound to, if any.

    `held_since` is since when its order is under review.
    """

    paid_at: datetime
    product: ProductRow
    project: ProjectRow | None
    held_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class GrantedDownload:
    """A download that may begin; `grant` is shown this once."""

    download_id: UUID
    grant: str = field(repr=False)
    release: SoftwareReleaseRow
    expires_at: datetime
    decision: Decision


@dataclass(frozen=True, slots=True)
class RedeemedDownload:
    """What a grant opens."""

    download_id: UUID
    license_id: UUID
    release: SoftwareReleaseRow
    decision: Decision


async def preview_updates(
    services: Services, license_id: UUID, asked: Asked, *, version: str | None = None, scope: Scope = EVERYTHING
) -> Decision:
    """Tell which release is the best for a license now, or whether it may have the one of `version`.

    Writes nothing. Raises NotFound and BadInput, naming the field.
    """
    _check(asked, version)
    now = services.clock.now()
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        policy = await services.policies.of(tx, row.policy_ref)
        facts = await update_facts(tx, row, asked, now)
    return decide_update(facts, policy, now) if version is None else decide_release(facts, version, policy, now)


async def preview_offer(
    services: Services,
    license_id: UUID,
    *,
    version: str,
    requested_at: datetime,
    is_paid: bool | None = None,
    scope: Scope = EVERYTHING,
) -> Decision:
    """Tell whether an update may be offered in answer to a request for support (ZG-15, BC-16).

    Writes nothing. Raises NotFound for the license or the release, and BadInput for the version.
    """
    key = version_of(version, "version").canonical
    async with services.db.reading() as tx:
        row = await license_of(tx, license_id, scope)
        release = await software_releases.by_version(tx, row.product_id, key)
        if release is None:
            raise NotFound("release", version)
        policy = await services.policies.of(tx, row.policy_ref)
    now = services.clock.now()
    offered = OfferFacts(release.version, requested_at, now, release.published_at, release.withdrawn_at, is_paid)
    return decide_offer(offered, policy, now)


async def grant_download(
    services: Services,
    license_id: UUID,
    asked: Asked,
    *,
    version: str,
    actor: str,
    activation_id: UUID | None = None,
    scope: Scope = EVERYTHING,
) -> GrantedDownload | RefusalAnswer:
    """Begin a download of one release for a license; `activation_id` names the installation that it is for.

    Raises NotFound and BadInput, naming the field.
    """
    _check(asked, version)
    async with services.db.writing() as tx:
        row = await license_of(tx, license_id, scope, lock=True)
        now = services.clock.now()
        await _check_activation(tx, row, activation_id, scope)
        policy = await services.policies.of(tx, row.policy_ref)
        decision = decide_download(await update_facts(tx, row, asked, now), version, policy, now)
        await audit.record(tx, decision, actor=actor, action="download", license_id=row.id, activation_id=activation_id)
        if not decision.allowed:
            return refusal_of(decision)
        return await _grant(services, tx, row, policy, decision, activation_id, actor)


async def redeem_download(
    services: Services, grant: str, *, actor: str, scope: Scope = EVERYTHING
) -> RedeemedDownload | RefusalAnswer:
    """Show a grant, to hand the file out; good as often as a download is taken up again, until the grant's end.

    An unknown grant, and one that the caller does not see, are refused alike.
    """
    async with services.db.writing() as tx:
        held = await downloads.by_hash(tx, services.pepper.hash_word(_USE, grant), lock=True)
        try:
            found = None if held is None else await license_of(tx, held.license_id, scope)
        except NotFound:
            found = None
        if held is None or found is None:
            return RefusalAnswer(UpdateCode.DOWNLOAD_GRANT_INVALID, "", ("K-14",), facts={"because": "unknown"})
        release = await software_releases.by_id(tx, held.release_id)
        if release is None:
            raise BrokenInvariant(f"download {held.id} is of no release")
        now = services.clock.now()
        policy = await services.policies.of(tx, found.policy_ref)
        facts = GrantFacts(
            found.facts, release.version, held.expires_at, release.withdrawn_at, await held_since(tx, found)
        )
        decision = decide_redeem(facts, policy, now)
        await audit.record(
            tx, decision, actor=actor, action="download_redeem", license_id=found.id, activation_id=held.activation_id
        )
        if not decision.allowed:
            return refusal_of(decision)
        await downloads.use(tx, held.id, now)
    return RedeemedDownload(held.id, found.id, release, decision)


def granted_shown(done: GrantedDownload) -> dict[str, object]:
    """Return a granted download as its caller sees it, with the grant."""
    return {
        "download_id": str(done.download_id),
        "grant": done.grant,
        "version": done.release.version,
        "sha256": done.release.sha256,
        "size": done.release.size,
        "expires_at": done.decision.facts["expires_at"],
        **told_of(done.decision),
    }


def redeemed_shown(done: RedeemedDownload) -> dict[str, object]:
    """Return what a grant opens as the file's host sees it."""
    return {
        "download_id": str(done.download_id),
        "license_id": str(done.license_id),
        "version": done.release.version,
        "sha256": done.release.sha256,
        "size": done.release.size,
        "url": done.release.url,
        **told_of(done.decision),
    }


async def _grant(
    services: Services,
    tx: AsyncConnection,
    row: LicenseRow,
    policy: Policy,
    decision: Decision,
    activation_id: UUID | None,
    actor: str,
) -> GrantedDownload:
    assert policy.updates is not None, "the rule has looked"
    release, _ = await release_of(tx, UUID(str(decision.facts["release_id"])), EVERYTHING)
    word, now = secrets.token_urlsafe(), decision.evaluated_at
    made = DownloadRow(
        id=new_id(),
        license_id=row.id,
        release_id=release.id,
        activation_id=activation_id,
        grant_hash=services.pepper.hash_word(_USE, word),
        granted_at=now,
        expires_at=now + policy.updates.grant_lifetime,
        granted_by=actor,
    )
    await downloads.insert(tx, made)
    return GrantedDownload(made.id, word, release, made.expires_at, decision)


async def update_facts(tx: AsyncConnection, row: LicenseRow, asked: Asked, now: datetime) -> UpdateFacts:
    """Return what is on record about the releases that a license may have, and what was downloaded."""
    order = await orders.of_line(tx, row.order_line_id)
    sold = await products.by_id(tx, row.product_id)
    if order is None or sold is None:
        raise BrokenInvariant(f"license {row.id} is of no order or no product")
    bound = None if row.project_id is None else await projects.by_id(tx, row.project_id)
    return await facts_of(tx, row, Sold(order.paid_at, sold, bound, order.held_since), asked, now)


async def facts_of(tx: AsyncConnection, row: LicenseRow, sold: Sold, asked: Asked, now: datetime) -> UpdateFacts:
    """Return the same, for whoever holds already what the license is of."""
    had = await downloads.counted(tx, row.id, now)
    retired, offline = (one is not None and one <= now for one in (sold.product.retired_at, sold.product.offline_at))
    site = None if sold.project is None else sold.project.site
    return UpdateFacts(
        license=row.facts,
        bought_at=sold.paid_at,
        releases=await software_releases.of_license(tx, row.product_id, row.id),
        platform=asked.platform_version,
        installed=asked.installed_version,
        site=None if asked.site is None else canonical_site(asked.site),
        is_bound=sold.project is not None,
        bound_site=None if site is None else canonical_site(site),
        prereleases=asked.prereleases,
        downloads=had.ordinary,
        free_downloads=had.free,
        product="retired" if retired else "offline" if offline else "on_sale",
        order_held_at=sold.held_since,
    )


async def _check_activation(tx: AsyncConnection, row: LicenseRow, activation_id: UUID | None, scope: Scope) -> None:
    if activation_id is not None and (await activation_of(tx, activation_id, scope)).license_id != row.id:
        raise BadInput("activation", "is one of another license")


def _check(asked: Asked, version: str | None) -> None:
    """Raise BadInput, naming the field, for what no version is."""
    told = {
        "version": version,
        "platform_version": asked.platform_version,
        "installed_version": asked.installed_version,
    }
    for name, text in told.items():
        if text is not None:
            version_of(text, name)
