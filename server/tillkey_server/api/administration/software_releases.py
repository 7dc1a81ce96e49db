"""Software releases: published, withdrawn, listed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Decided,
    Id,
    Input,
    Line,
    Listing,
    Moment,
    ProductCode,
    Reason,
    Severity,
    Time,
)
from tillkey_server.rules import defect
from tillkey_server.rules.access import Permission
from tillkey_server.rules.release_version import PATTERN
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.usecases import software_release
from tillkey_server.usecases.answers import RefusalAnswer, told_of
from tillkey_server.usecases.files import DIGEST
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("releases")

VersionText = Annotated[
    str, Field(pattern=PATTERN, max_length=64, description="One to four numbers, as 1.7.8.11 or 2.0.0-rc.1.")
]
Kind = Literal["feature", "security", "compatibility", "corrective", "hotfix"]


class ReportedDefect(Input):
    """For which license, and when, was reported what the release mends."""

    license_id: UUID
    reported_at: Moment


class PublishRelease(Input):
    """One release of a product; the file itself stands where `url` says, and is known by its hash."""

    version: VersionText
    kind: Kind
    sha256: Annotated[str, Field(pattern=DIGEST)]
    size: Annotated[int, Field(ge=0, lt=software_release.MAX_SIZE, description="Bytes.")]
    url: Annotated[Line, Field(description="Where the file stands, for whoever hands it out.")]
    severity: Annotated[Severity | None, Field(description="Of the defect, for a hotfix.")] = None
    platform_min: Annotated[VersionText | None, Field(description="The first platform version it runs on.")] = None
    platform_max: Annotated[VersionText | None, Field(description="The last one; 8.1 takes 8.1.5 in.")] = None
    always_free: Annotated[bool, Field(description="For all, whatever their clocks say, as a security fix.")] = False
    prerelease: Annotated[bool, Field(description="Unfinished: only for whoever asks for it.")] = False
    notes: Annotated[str | None, Field(max_length=20000)] = None
    published_at: Annotated[Moment | None, Field(description="When it came out; now, if left out.")] = None
    fixes: Annotated[
        list[ReportedDefect],
        Field(
            default_factory=list,
            max_length=software_release.MAX_FIXES,
            description="What was reported and is mended by it.",
        ),
    ]


class Release(Answer):
    """One release; a withdrawn one is downloaded by nobody."""

    id: Id
    product: str
    version: str
    kind: Kind
    severity: Severity | None
    platform_min: str | None
    platform_max: str | None
    always_free: bool
    prerelease: bool
    sha256: str
    size: int
    url: str
    notes: str | None
    published_at: Time
    withdrawn_at: Time


class PublishedRelease(Decided):
    """A release on record, and how many customers a fix concerns: all who may have it, whoever reported the defect."""

    release: Release
    owners: int


class WithdrawRelease(Input):
    """Why it is withdrawn."""

    reason: Reason


class WithdrawnRelease(Decided):
    """A release that nobody downloads any more."""

    release: Release


class ReleaseListing(Listing):
    """Which releases."""

    product: ProductCode | None = None


class ReleasePage(Answer):
    """A page of releases."""

    items: list[Release]
    next: str | None


@endpoints.post(
    "/v1/products/{product_code}/releases",
    Permission.RELEASE_WRITE,
    body=PublishRelease,
    answer=PublishedRelease,
    command="release publish",
    statuses=(201, 200),
    refusals=(
        "not_found",
        UpdateCode.RELEASE_DIFFERS,
        UpdateCode.HOTFIX_NOT_JUSTIFIED,
        UpdateCode.UPDATE_NOT_OFFERED,
    ),
)
async def publish_release(call: Call) -> Returned:
    """Publish a release of a product: 201, or 200 where the same one was published before."""
    asked = call.asked(PublishRelease)
    told = asked.model_dump(exclude={"kind", "severity", "fixes"})
    what = software_release.Publication(
        **told,
        kind=ReleaseKind(asked.kind),
        severity=None if asked.severity is None else defect.Severity(asked.severity),
        fixes=[(one.license_id, one.reported_at) for one in asked.fixes],
    )
    done = await software_release.publish(
        call.services, call.code("product_code", "product"), what, actor=call.actor, scope=call.scope
    )
    if isinstance(done, RefusalAnswer):
        return done
    members = {"release": done.shown, "owners": len(done.owners), **told_of(done.decision)}
    return Reply(201 if done.is_new else 200, members)


@endpoints.post(
    "/v1/releases/{release_id}/withdraw",
    Permission.RELEASE_WRITE,
    body=WithdrawRelease,
    answer=WithdrawnRelease,
    command="release withdraw",
    refusals=("not_found",),
)
async def withdraw_release(call: Call) -> Returned:
    """Withdraw a release for good; downloads that were granted end with it."""
    asked = call.asked(WithdrawRelease)
    shown, decision = await software_release.withdraw(
        call.services, call.id("release_id", "release"), actor=call.actor, reason=asked.reason, scope=call.scope
    )
    return {"release": shown, **told_of(decision)}


@endpoints.get(
    "/v1/releases",
    Permission.RELEASE_READ,
    query=ReleaseListing,
    answer=ReleasePage,
    command="release list",
    refusals=("not_found",),
)
async def list_releases(call: Call) -> Page:
    """List releases, withdrawn ones included; by age unless sorted otherwise (published_at)."""
    asked = call.asked(ReleaseListing)
    return await software_release.list_releases(
        call.services,
        product=asked.product,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )
