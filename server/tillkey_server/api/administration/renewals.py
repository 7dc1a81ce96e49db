"""Renewals of a license, its terms segment by segment, and whether its care is active."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.orders import Channel, Number
from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Id,
    Input,
    Language,
    Moment,
    PolicyNamed,
    Price,
    Spoken,
    Time,
)
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.renewal_codes import RenewalCode
from tillkey_server.usecases import care, renewal
from tillkey_server.usecases.answers import RefusalAnswer, answered_of

endpoints = Endpoints("renewals")

Months = Annotated[int | None, Field(ge=1, le=120, description="For how many months; null: the usual length.")]
_HTTP_OK = 200


class PreviewRenewal(Input):
    """A renewal that would be paid now."""

    months: Months = None
    channel: Annotated[Channel | None, Field(description="Where it would be paid; null: where it was bought.")] = None
    language: Language = "en"


class RenewLicense(Input):
    """A renewal that was paid: told again with the same number it happens once."""

    channel: Channel
    number: Number
    amount: Annotated[Price, Field(description="What was paid, without tax.")]
    months: Months = None
    paid_at: Annotated[Moment | None, Field(description="When the money came, which decides; null: now.")] = None
    tax: Annotated[Price | None, Field(description="The tax that was paid beside it; null: not told.")] = None


class Renewed(Answered):
    """A renewal on record; pending: the money came, and a person decides what becomes of it."""

    license_id: Id
    renewal_id: Id
    order_id: Id


class Segment(Answer):
    """One paid stretch of a clock, half-open; `end` null has no end. A renewal is appended or began a new chain."""

    kind: Literal["purchase", "renewal"]
    renewal_id: Id | None
    start: Time
    end: Time
    last_day: str | None
    appended: bool
    ended_early: bool


class Clock(Answer):
    """One clock of a license: where it ends, and by which segments."""

    until: Time
    last_day: str | None
    running: bool
    segments: list[Segment]


class Clocks(Answer):
    """The clocks that can be paid for."""

    use: Clock
    updates: Clock
    support: Clock


class PaidRenewal(Answer):
    """A renewal on record, refunded or not; `clocks` are those that it extends.

    What it was paid by is null where a former customer paid, whom the caller does not see.
    """

    id: Id
    order_id: Id | None
    channel: str | None
    number: str | None
    amount: str | None
    tax: str | None
    months: int
    clocks: list[str]
    paid_at: Time
    refunded_at: Time


class EarlyEnding(Answer):
    """When clocks were ended before their time, and why."""

    at: Time
    clocks: list[str]
    reason: str
    withdrawn_at: Time


class LicenseTerms(Answer):
    """What was paid for a license, and what that comes to; `expiry` is what an ended support means for its use."""

    license_id: Id
    policy: PolicyNamed
    timezone: str
    clocks: Clocks
    renewals: list[PaidRenewal]
    endings: list[EarlyEnding]
    expiry: Answered | None
    evaluated_at: Time


class CareQuery(Spoken):
    """At which instant."""

    at: Annotated[Moment | None, Field(description="When a request was opened; null: now.")] = None


@endpoints.post(
    "/v1/licenses/{license_id}/renewals/preview",
    Permission.LICENSE_READ,
    body=PreviewRenewal,
    answer=Answered,
    command="license renewal-preview",
    refusals=("not_found",),
)
async def preview_renewal(call: Call) -> Returned:
    """Tell where a license would end if it were renewed now, and what that costs; nothing is written."""
    asked = call.asked(PreviewRenewal)
    license_id = call.id("license_id", "license")
    decision = await renewal.preview(
        call.services, license_id, months=asked.months, channel=asked.channel, scope=call.scope
    )
    return answered_of(decision, asked.language)


@endpoints.post(
    "/v1/licenses/{license_id}/renewals",
    Permission.LICENSE_RENEW,
    body=RenewLicense,
    answer=Renewed,
    command="license renew",
    statuses=(201, 200),
    refusals=(
        "not_found",
        Refusal.ORDER_DIFFERS,
        Refusal.NOTHING_TO_RENEW,
        RenewalCode.RENEWAL_NOT_OFFERED,
        RenewalCode.RENEWAL_WRONG_CHANNEL,
        RenewalCode.RENEWAL_MONTHS_NOT_OFFERED,
    ),
)
async def renew_license(call: Call) -> Returned:
    """Record a paid renewal and extend the license; 200 where it was on record already."""
    asked = call.asked(RenewLicense)
    license_id = call.id("license_id", "license")
    tax = None if asked.tax is None else parse(asked.tax)
    told = renewal.Told(asked.channel, asked.number, parse(asked.amount), asked.months, asked.paid_at, tax)
    done = await renewal.renew(call.services, license_id, told, actor=call.actor, scope=call.scope)
    if isinstance(done, RefusalAnswer):
        return done
    members = {
        "license_id": str(license_id),
        "renewal_id": str(done.renewal_id),
        "order_id": str(done.order_id),
        **answered_of(done.decision),
    }
    return members if done.is_new else Reply(_HTTP_OK, members)


@endpoints.get(
    "/v1/licenses/{license_id}/terms",
    Permission.LICENSE_READ,
    answer=LicenseTerms,
    command="license terms",
    refusals=("not_found",),
)
async def get_license_terms(call: Call) -> Returned:
    """Return what was paid for a license, segment by segment."""
    return await care.terms_shown(call.services, call.id("license_id", "license"), scope=call.scope)


@endpoints.get(
    "/v1/licenses/{license_id}/care",
    Permission.LICENSE_READ,
    query=CareQuery,
    answer=Answered,
    command="license care",
    refusals=("not_found",),
)
async def get_license_care(call: Call) -> Returned:
    """Tell whether the after-sales service of a license is active, computed from its facts at this moment."""
    asked = call.asked(CareQuery)
    license_id = call.id("license_id", "license")
    decision = await care.care_status(call.services, license_id, at=asked.at, scope=call.scope)
    return answered_of(decision, asked.language)
