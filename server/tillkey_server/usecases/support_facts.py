"""What is on record about a license when support is asked for, put together for the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound
from tillkey_server.rules.access import Scope
from tillkey_server.rules.binding import PRODUCTION
from tillkey_server.rules.install_credit import CreditFacts, next_of
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.site import canonical_site
from tillkey_server.rules.support_asked import SupportAsked
from tillkey_server.rules.support_policy import Ground
from tillkey_server.rules.support_repeat import self_inflicted
from tillkey_server.rules.support_versions import as_of_today
from tillkey_server.rules.term_policy import Clock
from tillkey_server.store import (
    activations,
    downloads,
    install_credits,
    orders,
    products,
    project_members,
    projects,
    support,
    support_extras,
)
from tillkey_server.store.activations import ActivationRow
from tillkey_server.store.licenses import LicenseRow
from tillkey_server.store.products import ProductRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases.changed_hands import changed_hands
from tillkey_server.usecases.files import files_of
from tillkey_server.usecases.install_credit import facts_of
from tillkey_server.usecases.issue_facts import event_of, records_of
from tillkey_server.usecases.seen import license_of, living
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.support_details import text_of
from tillkey_server.usecases.support_views import site_of
from tillkey_server.usecases.terms import terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportQuestion:
    """What is asked: about a license, or before a purchase about a `product` by a `customer_id`.

    `found` are grounds with the evidence of whoever looked, `files` the changed files by path and SHA-256, `manifest`
    the same files as they were delivered. `described` names the parts that a description has; what stands in them is
    the help desk's.
    """

    task: str
    license_id: UUID | None = None
    product: str | None = None
    customer_id: UUID | None = None
    project_id: UUID | None = None
    asked_by: UUID | None = None
    presale: bool = False
    site: str | None = None
    installation: str | None = None
    platform_version: str | None = None
    feature: str | None = None
    causes: tuple[str, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, str] = field(default_factory=dict)
    described: tuple[str, ...] = ()
    matter: str | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standpoint:
    """What a question stands on: whose it is, under which terms, its facts for the rule, and the license's `site`."""

    customer_id: UUID
    product: ProductRow
    license: LicenseRow | None
    project_id: UUID | None
    policy: Policy
    asked: SupportAsked
    site: str | None = None

    @property
    def credit_id(self) -> UUID | None:
        """Return the free installation that a request for one would use, if one is left."""
        found = next_of(self.asked.credits)
        return None if found is None else found.id


async def standpoint_of(
    services: Services,
    tx: AsyncConnection,
    question: SupportQuestion,
    now: datetime,
    scope: Scope,
    *,
    lock: bool = False,
) -> Standpoint:
    """Return what a question stands on; `lock` the license to decide by it. Raises NotFound, and BadInput."""
    received_at = question.received_at or now
    if received_at > now:
        raise BadInput("received_at", "is still to come")
    found = {_ground(code): text_of(evidence, "found") for code, evidence in question.found.items()}
    for name, told in (("files", question.files), ("manifest", question.manifest)):
        if told:
            files_of(told, name)
    if question.license_id is None:
        return await _before_purchase(services, tx, question, received_at, scope)
    row = await license_of(tx, question.license_id, scope, lock=lock)
    product = await products.by_id(tx, row.product_id)
    if product is None:
        raise BrokenInvariant(f"license {row.id} has no product")
    sold_under = await services.policies.of(tx, row.policy_ref)
    policy, lifted = as_of_today(sold_under, await services.policies.today(tx, sold_under, now))
    project = await _project(tx, question, row, scope)
    at = Standpoint(
        row.customer_id,
        product,
        row,
        None if project is None else project.id,
        policy,
        SupportAsked(question.task, received_at, row.facts, found=found, lifted=lifted),
        await site_of(tx, row),
    )
    asked = await _asked(tx, question, at, row, project)
    return replace(at, asked=replace(asked, credits=await _credits(tx, row, now, lock=lock)))


async def _before_purchase(
    services: Services, tx: AsyncConnection, question: SupportQuestion, received_at: datetime, scope: Scope
) -> Standpoint:
    if not question.presale or question.product is None or question.customer_id is None:
        raise BadInput("license_id", "is needed, or presale with product and customer_id")
    product = await products.by_code(tx, question.product)
    if product is None or not scope.admits_product(product.id):
        raise NotFound("product", question.product)
    await living(tx, question.customer_id, scope)
    policy = services.policies.offered(product.policy_name)
    asked = SupportAsked(task=question.task, received_at=received_at, presale=True)
    return Standpoint(question.customer_id, product, None, None, policy, asked)


async def _asked(
    tx: AsyncConnection, question: SupportQuestion, at: Standpoint, row: LicenseRow, project: ProjectRow | None
) -> SupportAsked:
    supported = row.support_project_id or row.project_id or await _first_asked_for(tx, row, at.asked.received_at)
    line = await orders.line(tx, row.order_line_id)
    order = None if line is None else await orders.by_id(tx, line.order_id)
    held = await activations.active_of_license(tx, row.id)
    owned = project is None or project.customer_id == row.customer_id
    return replace(
        at.asked,
        presale=question.presale,
        project=None if project is None else str(project.id),
        supported_project=None if supported is None else str(supported),
        by_owner=owned and question.asked_by in {None, row.customer_id},
        by_member=owned and await _is_member(tx, project, question.asked_by, at.asked.received_at),
        changed_hands=bool(await changed_hands(tx, (row,), at.asked.received_at)),
        same_site=_same_site(question.site, project, held, at.policy),
        licensed_install=_licensed(question.installation, held),
        platform_version=question.platform_version,
        feature=question.feature,
        advertised=None if line is None else line.advertised,
        advertised_today=at.product.advertised,
        causes=question.causes,
        modified_files=question.files,
        delivered_files=question.manifest,
        hotfixed_files=await hotfixed_files(tx, row.id),
        described=question.described,
        self_inflicted=await _self_inflicted(tx, row.customer_id, question.matter),
        bought_at=row.issued_at if order is None else order.paid_at,
        support_ended_at=await support_ended_before(tx, row, at.policy, at.asked.received_at),
    )


async def support_ended_before(tx: AsyncConnection, row: LicenseRow, policy: Policy, at: datetime) -> datetime | None:
    """Return when a license's support had ended that did not run at an instant (BC-17); `policy`: of its sale."""
    return (await terms_of(tx, row, policy)).of(Clock.SUPPORT).ended_before(at)


async def _first_asked_for(tx: AsyncConnection, row: LicenseRow, now: datetime) -> UUID | None:
    """Return the project that its owner first asked for, by a request that does not stand refused (NX-17)."""
    earlier = [one for one in await support.of_license(tx, row.id) if one.customer_id == row.customer_id]
    records = await records_of(tx, [one for one in earlier if one.project_id is not None], now)
    return next((one.project_id for one in earlier if one.id in records and not records[one.id].is_refused), None)


async def _is_member(tx: AsyncConnection, project: ProjectRow | None, asked_by: UUID | None, at: datetime) -> bool:
    """Tell whether who asks is a member of the project now, and was one when the request came in (NX-18)."""
    if project is None or asked_by is None:
        return False
    found = await project_members.current(tx, project.id, asked_by)
    return found is not None and found.added_at <= at


async def _self_inflicted(tx: AsyncConnection, customer_id: UUID, matter: str | None) -> tuple[datetime, ...]:
    """Return when requests about a matter were closed as the customer's own doing."""
    found = () if matter is None else await support.of_matter(tx, customer_id, matter)
    return self_inflicted(event_of(one) for one in await support.events_of(tx, *[request.id for request in found]))


async def hotfixed_files(tx: AsyncConnection, license_id: UUID) -> frozenset[str]:
    """Return the digests that the vendor's own hotfixes left: told by whoever applied one, or downloaded (NX-27)."""
    applied = await support_extras.hotfixes_of(tx, license_id)
    told = frozenset(digest for one in applied for digest in one.files.values())
    return told | await downloads.hotfixes_of(tx, license_id)


async def _project(tx: AsyncConnection, question: SupportQuestion, row: LicenseRow, scope: Scope) -> ProjectRow | None:
    """Return the project that is named; else the one that it can only be (NX-16)."""
    if question.project_id is not None:
        named = await projects.seen(tx, question.project_id, scope)
        if named is None:
            raise NotFound("project", str(question.project_id))
        return named
    if row.project_id is not None:
        return await projects.by_id(tx, row.project_id)
    owned = await projects.of_customer(tx, row.customer_id)
    return owned[0] if len(owned) == 1 else None


def _ground(code: str) -> Ground:
    try:
        return Ground(code)
    except ValueError as error:
        raise BadInput("found", f"{code} is no ground") from error


async def _credits(tx: AsyncConnection, row: LicenseRow, now: datetime, *, lock: bool) -> tuple[CreditFacts, ...]:
    """Return the free installation that came with a license's line; its licenses share it (NX-19)."""
    held = await install_credits.of_line(tx, row.order_line_id, lock=lock)
    return await facts_of(tx, held, now)


def _same_site(
    told: str | None, project: ProjectRow | None, held: tuple[ActivationRow, ...], policy: Policy
) -> bool | None:
    """Tell whether a site is the one of the purchase; None where nobody told it, or none is on record."""
    asked = None if told is None else canonical_site(told)
    if asked is None:
        return None
    staging_counts = policy.support is not None and policy.support.staging_is_site
    known = {one.site for one in held if one.environment == PRODUCTION or staging_counts}
    known.add(None if project is None else project.site)
    sites = {canonical_site(site) for site in known if site is not None} - {None}
    return asked in sites if sites else None


def _licensed(installation: str | None, held: tuple[ActivationRow, ...]) -> bool | None:
    return None if installation is None else any(one.jkt == installation for one in held)
