"""Software releases: published once, withdrawn for good, and told to whom they concern (NX-26, BC-30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, BrokenInvariant, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, allow, instant
from tillkey_server.rules.defect import Severity
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.release_version import Version
from tillkey_server.rules.software_release import OwnerFacts, PublishFacts, decide_publish, owners_to_tell
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.store import audit, licenses, outbox, products, software_releases, support
from tillkey_server.store.products import ProductRow
from tillkey_server.store.software_releases import SORTS, FixRow, ListedRelease, SoftwareReleaseRow
from tillkey_server.usecases.answers import RefusalAnswer, refusal_of
from tillkey_server.usecases.channel import check_past
from tillkey_server.usecases.files import digest_of
from tillkey_server.usecases.issue_facts import records_of
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.services import Raced, Services, settled

MAX_FIXES = 100
MAX_SIZE = 2**53
"""Bytes; a number that every reader of JSON holds exactly."""
MAX_URL = 255
_BATCH = 500
_COMPARED = ("kind", "severity", "platform_min", "platform_max", "always_free", "prerelease", "sha256", "size", "url")


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published; `fixes` are the licenses whose owners reported what it mends, and when.

    `published_at` None is now. `size` is in bytes, `sha256` in hexadecimal.
    """

    version: str
    kind: ReleaseKind
    sha256: str
    size: int
    url: str
    severity: Severity | None = None
    platform_min: str | None = None
    platform_max: str | None = None
    always_free: bool = False
    prerelease: bool = False
    notes: str | None = None
    published_at: datetime | None = None
    fixes: Sequence[tuple[UUID, datetime]] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """A release on record, whether it is new, and whom it concerns: the customers who may have a fix."""

    is_new: bool
    shown: dict[str, object]
    owners: tuple[UUID, ...]
    decision: Decision


@dataclass(frozen=True, slots=True)
class Fixes:
    """What a release mends beside what is on record: when each license's owner reported it; `mended`: anything was."""

    added: Mapping[UUID, datetime]
    mended: bool


async def publish(
    services: Services, product: str, what: Publication, *, actor: str, scope: Scope = EVERYTHING
) -> Published | RefusalAnswer:
    """Publish a release of a product.

    Raises NotFound for the product or a license of `fixes`, BadInput, naming the field.
    """
    _check(what)

    async def attempt() -> Published | RefusalAnswer:
        now = services.clock.now()
        if what.published_at is not None:
            check_past("published_at", what.published_at, now, "publish it when its time has come")
        # All licenses of the product are read before anything is locked: a sale waits for no release.
        async with services.db.reading() as tx:
            row = _row(await _product(tx, product, scope), what, now)
            known = await software_releases.by_version(tx, row.product_id, row.version_key)
            fixes = await fixes_of(tx, known or row, what.fixes, now)
            owners = await _owners(services, tx, known or row, fixes, now)
        async with services.db.writing() as tx:
            sold = await _product(tx, product, scope)
            known = await software_releases.by_version(tx, sold.id, row.version_key)
            if fixes != await fixes_of(tx, known or row, what.fixes, now):
                raise Raced
            facts = _facts(what, known, row, fixes)
            decision = decide_publish(facts, services.policies.offered(sold.policy_name), now)
            if not decision.allowed:
                await audit.record(tx, decision, actor=actor, action="release_publish")
                return refusal_of(decision)
            await _insert(tx, sold, known, row, fixes, what, scope)
            await _tell(tx, known or row, product, owners, now)
            decision = replace(decision, facts={**decision.facts, "product": product, "owners": len(owners)})
            await audit.record(tx, decision, actor=actor, action="release_publish")
        return Published(known is None, shown(ListedRelease(known or row, product)), owners, decision)

    return await settled(attempt)


def _facts(what: Publication, known: SoftwareReleaseRow | None, row: SoftwareReleaseRow, fixes: Fixes) -> PublishFacts:
    return PublishFacts(
        version=what.version,
        kind=what.kind,
        severity=what.severity,
        is_known=known is not None,
        differing=() if known is None else _differing(known, row),
        fixes=bool(fixes.added),
    )


async def withdraw(
    services: Services, release_id: UUID, *, actor: str, reason: str, scope: Scope = EVERYTHING
) -> tuple[dict[str, object], Decision]:
    """Withdraw a release for good: nobody downloads it any more, live grants included.

    Raises NotFound, and BadInput for a missing reason.
    """
    why = said_why(reason)
    async with services.db.writing() as tx:
        row, sold = await release_of(tx, release_id, scope, lock=True)
        now = services.clock.now()
        await software_releases.withdraw(tx, row.id, now)
        policy = services.policies.offered(sold.policy_name)
        cited = policy.clocks.clauses.updates if policy.updates is None else policy.updates.clauses.window
        facts = {"version": row.version, "product": sold.code, "reason": why}
        decision = allow(UpdateCode.RELEASE_WITHDRAWN, clauses=cited, policy=policy.ref, now=now, facts=facts)
        await audit.record(tx, decision, actor=actor, action="release_withdraw")
        after, _ = await release_of(tx, release_id, scope)
    return shown(ListedRelease(after, sold.code)), decision


async def list_releases(
    services: Services,
    *,
    product: str | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of releases, withdrawn ones included. Raises BadInput, and NotFound for the product."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        product_id = None if product is None else (await _product(tx, product, scope)).id
        found = await software_releases.page(tx, paging, scope, product_id=product_id)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=SORTS)


async def release_of(
    tx: AsyncConnection, release_id: UUID, scope: Scope, *, lock: bool = False
) -> tuple[SoftwareReleaseRow, ProductRow]:
    """Return a release with its product. Raises NotFound, for what the caller does not see too."""
    row = await software_releases.by_id(tx, release_id, lock=lock)
    if row is None or not scope.admits_product(row.product_id):
        raise NotFound("release", str(release_id))
    sold = await products.by_id(tx, row.product_id)
    if sold is None:
        raise BrokenInvariant(f"release {release_id} is of no product")
    return row, sold


def shown(listed: ListedRelease) -> dict[str, object]:
    """Return a release as people see it."""
    row = listed.release
    return {
        "id": str(row.id),
        "product": listed.product,
        "version": row.version,
        **{name: getattr(row, name) for name in _COMPARED},
        "notes": row.notes,
        "published_at": instant(row.published_at),
        "withdrawn_at": instant(row.withdrawn_at),
    }


def version_of(text: str, field: str) -> Version:
    """Read a version. Raises BadInput, naming the field."""
    try:
        return Version(text)
    except ValueError as error:
        raise BadInput(field, "must be one to four numbers with dots, and a word after a dash if any") from error


def _check(what: Publication) -> None:
    """Raise BadInput, naming the field, for what no release can be."""
    version_of(what.version, "version")
    digest_of(what.sha256, "sha256")
    if not 0 <= what.size < MAX_SIZE:
        raise BadInput("size", "must be a number of bytes from 0 on, below 2 to the power of 53")
    if not (0 < len(what.url) <= MAX_URL and what.url.isprintable()):
        raise BadInput("url", f"must be one line of 1 to {MAX_URL} printable characters")
    ends = [
        None if one is None else version_of(one, name)
        for name, one in (("platform_min", what.platform_min), ("platform_max", what.platform_max))
    ]
    lowest, highest = ends
    if lowest is not None and highest is not None and highest < lowest and not lowest.begins_with(highest):
        raise BadInput("platform_max", "is below platform_min")
    if len(what.fixes) > MAX_FIXES or len({one for one, _ in what.fixes}) != len(what.fixes):
        raise BadInput("fixes", f"must name at most {MAX_FIXES} licenses, each once")


def _row(sold: ProductRow, what: Publication, now: datetime) -> SoftwareReleaseRow:
    at = now if what.published_at is None else what.published_at
    told: dict[str, Any] = {name: getattr(what, name) for name in _COMPARED}
    told["kind"] = what.kind.value
    told["severity"] = None if what.severity is None else what.severity.value
    return SoftwareReleaseRow(
        id=new_id(),
        product_id=sold.id,
        version=what.version,
        version_key=Version(what.version).canonical,
        notes=what.notes,
        published_at=at,
        created_at=now,
        **told,
    )


async def fixes_of(
    tx: AsyncConnection, row: SoftwareReleaseRow, named: Sequence[tuple[UUID, datetime]], now: datetime
) -> Fixes:
    """Return what a release mends beside what is on record with it: what is `named`, and what solutions promised."""
    reported = dict(named)
    promised = [one for one, version in await support.fixed_in_releases(tx, row.product_id) if _is(version, row)]
    for record in (await records_of(tx, promised, now)).values():
        if record.license_id is not None:
            reported.setdefault(record.license_id, record.begun_at)
    before = await software_releases.fixed_licenses(tx, row.id)
    return Fixes({one: at for one, at in reported.items() if one not in before}, bool(before))


def _is(version: str, row: SoftwareReleaseRow) -> bool:
    try:
        return Version(version).canonical == row.version_key
    except ValueError:
        return False


async def _insert(
    tx: AsyncConnection,
    sold: ProductRow,
    known: SoftwareReleaseRow | None,
    row: SoftwareReleaseRow,
    fixes: Fixes,
    what: Publication,
    scope: Scope,
) -> None:
    """Put a release on record, unless it is `known`, with what it mends. Raises NotFound and BadInput for `fixes`."""
    if known is None:
        await software_releases.insert(tx, row)
    held = await licenses.by_ids(tx, {license_id for license_id, _ in what.fixes})
    for license_id, _ in what.fixes:
        found = held.get(license_id)
        if found is None or not scope.admits(customer=found.customer_id, product=found.product_id):
            raise NotFound("license", str(license_id))
        if found.product_id != sold.id:
            raise BadInput("fixes", f"{license_id} is a license of another product")
    await software_releases.insert_fixes(tx, [FixRow((known or row).id, one, at) for one, at in fixes.added.items()])


async def _owners(
    services: Services, tx: AsyncConnection, row: SoftwareReleaseRow, fixes: Fixes, now: datetime
) -> tuple[UUID, ...]:
    """Return the customers whom a fix concerns: all that may have it, whoever reported the defect (NX-26, BC-30)."""
    if not fixes.added or row.withdrawn_at is not None:
        return ()
    concerned: set[UUID] = set()
    after: UUID | None = None
    while batch := await licenses.of_product(tx, row.product_id, after=after, limit=_BATCH):
        told = [one for one in batch if one.id in fixes.added or not fixes.mended]
        terms = {one.policy_ref: await services.policies.of(tx, one.policy_ref) for one in told}
        owners = [
            OwnerFacts(one.facts, one.customer_id, terms[one.policy_ref], fixes.added.get(one.id)) for one in told
        ]
        concerned.update(owners_to_tell(row.facts(), owners, now))
        after = batch[-1].id
    return tuple(sorted(concerned))


async def _tell(
    tx: AsyncConnection, row: SoftwareReleaseRow, product: str, owners: Sequence[UUID], now: datetime
) -> None:
    """Tell every owner who may have a fix that it is there (NX-26, BC-30)."""
    told = {"release_id": str(row.id), "product": product, "version": row.version}
    subjects = [str(customer_id) for customer_id in owners]
    await outbox.add_each(tx, kind=Effect.FIX_RELEASED, subjects=subjects, payload=told, now=now)


def _differing(known: SoftwareReleaseRow, row: SoftwareReleaseRow) -> tuple[str, ...]:
    return tuple(name for name in _COMPARED if getattr(known, name) != getattr(row, name))


async def _product(tx: AsyncConnection, code: str, scope: Scope) -> ProductRow:
    row = await products.by_code(tx, code)
    if row is None or not scope.admits_product(row.id):
        raise NotFound("product", code)
    return row
