"""Automatic renewals of a license: begun, shown, cancelled with the period's end, and taken up again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.orders import Channel
from tillkey_server.api.administration.shapes import Answer, Decided, Id, Input, Price, Time
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Decision, Refusal
from tillkey_server.rules.renewal_codes import RenewalCode, SubscriptionCode
from tillkey_server.usecases import subscription
from tillkey_server.usecases.answers import told_of

endpoints = Endpoints("renewals")


class StartSubscription(Input):
    """What is renewed by itself from now on."""

    months: Annotated[int, Field(ge=1, le=120, description="How long a period is.")]
    channel: Channel
    price: Annotated[
        Price | None, Field(description="What a period costs, without tax, where the terms name no price.")
    ] = None


class ChangeSubscription(Input):
    """Nothing more needs to be said: it is cancelled without notice."""


class SubscriptionChanged(Decided):
    """What was decided about the automatic renewals of a license."""

    license_id: Id


class Subscription(Answer):
    """Automatic renewals that go on, or were cancelled and last until the end of the period."""

    id: Id
    months: int
    price: Annotated[str, Field(description="What the next renewal costs that is to be paid, without tax.")]
    channel: str
    started_at: Time
    next_due_at: Time
    cancelled_at: Time
    cancel_reason: str | None
    notices: Annotated[list[str], Field(description="What has to be said of the renewal to come: codes.")]


class DueRenewal(Answer):
    """The renewal of one period; one that is neither paid nor dropped is to be charged."""

    period: int
    due_at: Time
    price: Annotated[
        str | None,
        Field(description="What it costs without tax, as it was told when it fell due; null: not known."),
    ]
    paid: bool
    dropped_at: Time


class LicenseSubscription(Answer):
    """The automatic renewals of a license; null: it has none."""

    license_id: Id
    subscription: Subscription | None
    renewals: list[DueRenewal]


@endpoints.post(
    "/v1/licenses/{license_id}/subscription",
    Permission.LICENSE_RENEW,
    body=StartSubscription,
    answer=SubscriptionChanged,
    command="license subscribe",
    statuses=(201,),
    refusals=(
        "not_found",
        Refusal.NOTHING_TO_RENEW,
        SubscriptionCode.SUBSCRIPTION_NOT_OFFERED,
        SubscriptionCode.SUBSCRIPTION_ALREADY_STARTED,
        RenewalCode.RENEWAL_PRODUCT_RETIRED,
        RenewalCode.RENEWAL_MONTHS_NOT_OFFERED,
    ),
)
async def start_subscription(call: Call) -> Returned:
    """Renew a license by itself from now on; each period's renewal falls due once."""
    asked = call.asked(StartSubscription)
    license_id = call.id("license_id", "license")
    decision = await subscription.start_subscription(
        call.services,
        license_id,
        months=asked.months,
        channel=asked.channel,
        price=None if asked.price is None else parse(asked.price),
        actor=call.actor,
        scope=call.scope,
    )
    return _told(license_id, decision)


@endpoints.get(
    "/v1/licenses/{license_id}/subscription",
    Permission.LICENSE_READ,
    answer=LicenseSubscription,
    command="license subscription",
    refusals=("not_found",),
)
async def get_subscription(call: Call) -> Returned:
    """Return the automatic renewals of a license, with what fell due."""
    return await subscription.subscription_shown(call.services, call.id("license_id", "license"), scope=call.scope)


@endpoints.post(
    "/v1/licenses/{license_id}/subscription/cancel",
    Permission.SUBSCRIPTION_CHANGE,
    body=ChangeSubscription,
    answer=SubscriptionChanged,
    command="license cancel-renewal",
    refusals=("not_found", SubscriptionCode.SUBSCRIPTION_NONE),
)
async def cancel_subscription(call: Call) -> Returned:
    """Cancel automatic renewals with the end of the period that is paid for; what is paid for goes on until then."""
    license_id = call.id("license_id", "license")
    decision = await subscription.cancel_subscription(call.services, license_id, actor=call.actor, scope=call.scope)
    return _told(license_id, decision)


@endpoints.post(
    "/v1/licenses/{license_id}/subscription/resume",
    Permission.SUBSCRIPTION_CHANGE,
    body=ChangeSubscription,
    answer=SubscriptionChanged,
    command="license resume-renewal",
    refusals=(
        "not_found",
        SubscriptionCode.SUBSCRIPTION_NONE,
        SubscriptionCode.RENEWAL_NOT_CANCELLED,
        RenewalCode.RENEWAL_PRODUCT_RETIRED,
    ),
)
async def resume_subscription(call: Call) -> Returned:
    """Take up automatic renewals again that were cancelled, before the period ends."""
    license_id = call.id("license_id", "license")
    decision = await subscription.resume_subscription(call.services, license_id, actor=call.actor, scope=call.scope)
    return _told(license_id, decision)


def _told(license_id: UUID, decision: Decision) -> Returned:
    if not decision.allowed:
        return decision
    told: Mapping[str, object] = {"license_id": str(license_id), **told_of(decision)}
    return told
