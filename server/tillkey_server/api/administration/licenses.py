"""Licenses: listed, found, shown and explained.

An e-mail address and a license key are never part of an address, which proxies and browsers keep in their logs: who
searches by one sends it in a body, to /v1/licenses/search.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.shapes import (
    MAX_TEXT,
    Answer,
    Id,
    Input,
    Listing,
    PolicyNamed,
    ProductCode,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.usecases import licenses
from tillkey_server.usecases.licenses import LicenseSearch
from tillkey_server.usecases.paging import DEFAULT_LIMIT, MAX_LIMIT, Page

endpoints = Endpoints("licenses")

Status = Literal["legal_hold", "terminated", "revoked", "refunded", "suspended", "expired", "active"]
Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Order = Annotated[Text | None, Field(description="The seller's number of the order, or its id.")]
KeyHint = Annotated[Text | None, Field(description="Some part of the key's hint, at least 4 symbols.")]
Machine = Annotated[
    Text | None,
    Field(description="The thumbprint of an installation that uses or used it, or its first 4 or more symbols."),
]


class LicenseListing(Listing):
    """Which licenses."""

    customer: UUID | None = None
    product: ProductCode | None = None
    project: UUID | None = None
    order: Order = None
    key_hint: KeyHint = None
    machine: Machine = None
    status: Status | None = None


class SearchLicenses(Input):
    """What a license must match, all of it; `text` is whatever is in hand, and what it may be is found out."""

    text: Annotated[
        Text | None,
        Field(description="An e-mail address, a license key, an id, an order, part of a key's hint, or a machine."),
    ] = None
    email: Text | None = None
    license_key: Text | None = None
    customer: UUID | None = None
    product: ProductCode | None = None
    project: UUID | None = None
    order: Order = None
    key_hint: KeyHint = None
    machine: Machine = None
    status: Status | None = None
    after: Annotated[str | None, Field(description="The `next` of the page before.", max_length=2048)] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most.")] = DEFAULT_LIMIT
    sort: Annotated[str | None, Field(description="The order: id or issued_at, with - for the reverse.")] = None


class License(Answer):
    """A license without its key, which nobody can show again.

    `in_use`: an activation holds it. The order is null where it is a customer's that the caller does not see.
    """

    id: Id
    status: Status
    in_use: bool
    product: str
    key_hint: str
    customer_id: Id
    customer_email: str
    order_id: Id | None
    channel: str | None
    order: str | None
    project_id: Id | None
    project: str | None
    bound_at: Time
    policy: PolicyNamed
    issued_at: Time
    use_until: Time
    updates_until: Time
    support_until: Time
    refund_until: Time
    legal_hold_at: Time
    terminated_at: Time
    revoked_at: Time
    refunded_at: Time
    suspended_at: Time
    suspended_until: Time


class LicenseShown(License):
    """One license, with how many of its leases are still live.

    A till that cannot be reached may believe one until `effective_latest_at` at the latest, whatever became of the
    license; null: none is live.
    """

    leases_live: int
    effective_latest_at: Time


class LicensePage(Answer):
    """A page of licenses."""

    items: list[License]
    next: str | None


@endpoints.get(
    "/v1/licenses", Permission.LICENSE_READ, query=LicenseListing, answer=LicensePage, command="license list"
)
async def list_licenses(call: Call) -> Page:
    """List licenses; by e-mail address or license key they are found at /v1/licenses/search."""
    asked = call.asked(LicenseListing)
    return await _matching(call, asked, LicenseSearch())


@endpoints.post(
    "/v1/licenses/search",
    Permission.LICENSE_READ,
    body=SearchLicenses,
    answer=LicensePage,
    command="license search",
)
async def search_licenses(call: Call) -> Page:
    """Find licenses by what is in hand. It changes nothing; the body keeps what is personal or secret out of logs."""
    asked = call.asked(SearchLicenses)
    return await _matching(
        call, asked, LicenseSearch(text=asked.text, email=asked.email, license_key=asked.license_key)
    )


async def _matching(call: Call, asked: LicenseListing | SearchLicenses, kept_out_of_logs: LicenseSearch) -> Page:
    wanted = replace(
        kept_out_of_logs,
        customer_id=asked.customer,
        product=asked.product,
        project_id=asked.project,
        order=asked.order,
        key_hint=asked.key_hint,
        machine=asked.machine,
        status=asked.status,
    )
    return await licenses.list_licenses(
        call.services, wanted, scope=call.scope, after=asked.after, limit=asked.limit, sort=asked.sort
    )


@endpoints.get(
    "/v1/licenses/{license_id}",
    Permission.LICENSE_READ,
    answer=LicenseShown,
    command="license show",
    refusals=("not_found",),
)
async def get_license(call: Call) -> Mapping[str, object]:
    """Show one license, without its key."""
    return await licenses.get_license(call.services, call.id("license_id", "license"), scope=call.scope)
