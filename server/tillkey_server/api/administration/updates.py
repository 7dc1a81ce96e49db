"""What updates a license may have, and its downloads."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Answered, Decided, Id, Input, Line, Moment, Time
from tillkey_server.api.administration.software_releases import VersionText
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.update_code import UpdateCode
from tillkey_server.usecases import update
from tillkey_server.usecases.answers import RefusalAnswer, answered_of

endpoints = Endpoints("updates")

_BARRED = (
    Refusal.LEGAL_HOLD,
    Refusal.LICENSE_TERMINATED,
    Refusal.LICENSE_REVOKED,
    Refusal.LICENSE_SUSPENDED,
    Refusal.ORDER_UNDER_REVIEW,
)


class AskForUpdates(Input):
    """Where the update is for; with `version`, whether the license may have that one."""

    version: VersionText | None = None
    platform_version: Annotated[VersionText | None, Field(description="Of what the product runs on.")] = None
    installed_version: Annotated[VersionText | None, Field(description="Of the product, as it is there now.")] = None
    site: Annotated[Line | None, Field(description="The site that asks, where the terms tie updates to one.")] = None
    prereleases: Annotated[bool, Field(description="Unfinished versions too.")] = False


class OfferUpdate(Input):
    """An update in answer to a request for support."""

    version: VersionText
    requested_at: Moment
    paid: Annotated[bool | None, Field(description="Whether it costs; left out: nobody said.")] = None


class GrantDownload(Input):
    """Which release is to be downloaded, and where to."""

    version: VersionText
    platform_version: VersionText | None = None
    site: Annotated[Line | None, Field(description="The site that asks, where the terms tie updates to one.")] = None
    prereleases: bool = False
    activation: Annotated[UUID | None, Field(description="The installation that it is for.")] = None


class GrantedDownload(Decided):
    """A download that may begin; `grant` is shown this once, and the file's host redeems it."""

    download_id: Id
    grant: str
    version: str
    sha256: str
    size: int
    expires_at: Time


class RedeemDownload(Input):
    """The grant that was shown to the file's host."""

    grant: Annotated[str, Field(min_length=1, max_length=128)]


class RedeemedDownload(Decided):
    """The file that the grant opens."""

    download_id: Id
    license_id: Id
    version: str
    sha256: str
    size: int
    url: str


@endpoints.post(
    "/v1/licenses/{license_id}/updates/preview",
    Permission.LICENSE_READ,
    body=AskForUpdates,
    answer=Answered,
    command="license updates",
    refusals=("not_found",),
)
async def preview_updates(call: Call) -> Returned:
    """Tell which release is the best that a license may have now, or whether it may have a certain one."""
    asked = call.asked(AskForUpdates)
    about = update.Asked(asked.platform_version, asked.installed_version, asked.site, asked.prereleases)
    decision = await update.preview_updates(
        call.services, call.id("license_id", "license"), about, version=asked.version, scope=call.scope
    )
    return answered_of(decision)


@endpoints.post(
    "/v1/licenses/{license_id}/update-offers/preview",
    Permission.LICENSE_READ,
    body=OfferUpdate,
    answer=Answered,
    command="license update-offer",
    refusals=("not_found",),
)
async def preview_update_offer(call: Call) -> Returned:
    """Tell whether an update may be offered in answer to a request for support; an offer is no correction."""
    asked = call.asked(OfferUpdate)
    decision = await update.preview_offer(
        call.services,
        call.id("license_id", "license"),
        version=asked.version,
        requested_at=asked.requested_at,
        is_paid=asked.paid,
        scope=call.scope,
    )
    return answered_of(decision)


@endpoints.post(
    "/v1/licenses/{license_id}/downloads",
    Permission.DOWNLOAD_GRANT,
    body=GrantDownload,
    answer=GrantedDownload,
    command="license download",
    statuses=(201,),
    refusals=(
        "not_found",
        *_BARRED,
        UpdateCode.UPDATE_NONE_PUBLISHED,
        UpdateCode.UPDATE_NONE_FOR_PLATFORM,
        UpdateCode.UPDATE_SUPPORT_EXPIRED,
        UpdateCode.UPDATE_NOT_IN_SCOPE,
        UpdateCode.UPDATE_WITHDRAWN,
        UpdateCode.UPDATE_PRERELEASE,
        UpdateCode.UPDATE_SITE_NOT_BOUND,
        UpdateCode.UPDATE_DOWNLOAD_LIMIT,
        UpdateCode.UPDATE_NOT_OFFERED,
    ),
)
async def grant_download(call: Call) -> Returned:
    """Begin a download of one release for a license."""
    asked = call.asked(GrantDownload)
    done = await update.grant_download(
        call.services,
        call.id("license_id", "license"),
        update.Asked(asked.platform_version, None, asked.site, asked.prereleases),
        version=asked.version,
        actor=call.actor,
        activation_id=asked.activation,
        scope=call.scope,
    )
    if isinstance(done, RefusalAnswer):
        return done
    return update.granted_shown(done)


@endpoints.post(
    "/v1/downloads/redeem",
    Permission.DOWNLOAD_GRANT,
    body=RedeemDownload,
    answer=RedeemedDownload,
    command="release redeem",
    refusals=(*_BARRED, UpdateCode.DOWNLOAD_GRANT_INVALID),
)
async def redeem_download(call: Call) -> Returned:
    """Show a grant to learn which file to hand out; good until its end, so that a broken download goes on."""
    done = await update.redeem_download(
        call.services, call.asked(RedeemDownload).grant, actor=call.actor, scope=call.scope
    )
    if isinstance(done, RefusalAnswer):
        return done
    return update.redeemed_shown(done)
