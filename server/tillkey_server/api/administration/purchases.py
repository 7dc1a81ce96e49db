"""What comes with a purchase: free installations, codes of other marketplaces, what a project may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Decided,
    Email,
    Id,
    Input,
    Line,
    Moment,
    ProductCode,
    Time,
)
from tillkey_server.rules.access import Permission
from tillkey_server.rules.imported import ImportCode
from tillkey_server.rules.install_credit import InstallCode
from tillkey_server.usecases import import_code, install_credit, project_licenses
from tillkey_server.usecases.answers import RefusalAnswer, answered_of, refusal_of, told_of

endpoints = Endpoints("purchases")


class UseInstallCredit(Input):
    """An installation was done."""

    credit_id: Annotated[UUID | None, Field(description="Which free installation it was; left out, the oldest.")] = None


class ImportLicense(Input):
    """A purchase code of another marketplace."""

    channel: Annotated[Line, Field(max_length=32, description="The marketplace, as the terms name it.")]
    code: Annotated[Line, Field(max_length=80, description="The code; only a keyed hash of it is stored.")]
    product: ProductCode
    customer: Annotated[Email, Field(description="Who brings it.")]
    support_months: Annotated[int, Field(ge=1, le=120, description="The support that was chosen there.")]
    purchased_at: Annotated[Moment, Field(description="When it was bought there.")]
    supported_until: Annotated[Moment | None, Field(description="The marketplace's word on the end of support.")] = None


class InstallCredit(Answer):
    """A free installation: `open`, `used` or `void`."""

    id: Id
    state: str
    granted_at: Time
    used_at: Time


class InstallCredits(Answer):
    """A customer's free installations."""

    items: list[InstallCredit]


class InstallCreditUsed(Decided):
    """A free installation that was used."""


class ImportedLicense(Decided):
    """The license that a code stands for; its key is in the answer that made it and in no other."""

    license_id: Id
    license_key: str | None
    key_hint: str


@endpoints.get(
    "/v1/customers/{customer_id}/install-credits",
    Permission.CUSTOMER_READ,
    answer=InstallCredits,
    command="install-credit list",
    refusals=("not_found",),
)
async def list_install_credits(call: Call) -> Mapping[str, object]:
    """List a customer's free installations, and which of them are left."""
    customer_id = call.id("customer_id", "customer")
    return await install_credit.list_install_credits(call.services, customer_id, scope=call.scope)


@endpoints.post(
    "/v1/customers/{customer_id}/install-credits/use",
    Permission.INSTALL_CREDIT_USE,
    body=UseInstallCredit,
    answer=InstallCreditUsed,
    command="install-credit use",
    refusals=("not_found", InstallCode.INSTALL_CREDIT_NONE),
)
async def use_install_credit(call: Call) -> Returned:
    """Use a customer's free installation, since it was done: the one that is named, else the oldest."""
    customer_id = call.id("customer_id", "customer")
    named = call.asked(UseInstallCredit).credit_id
    decision = await install_credit.use_install_credit(
        call.services, customer_id, actor=call.actor, credit_id=named, scope=call.scope
    )
    return told_of(decision) if decision.allowed else refusal_of(decision)


@endpoints.post(
    "/v1/licenses/import",
    Permission.LICENSE_ISSUE,
    body=ImportLicense,
    answer=ImportedLicense,
    command="license import",
    statuses=(201, 200),
    refusals=("not_found", ImportCode.PURCHASE_CODE_ALREADY_CLAIMED, ImportCode.PURCHASE_CODE_NOT_TAKEN),
)
async def import_license(call: Call) -> Returned:
    """Turn a purchase code of another marketplace into a license, once; told again it is the same license."""
    asked = call.asked(ImportLicense)
    brought = import_code.PurchaseCode(
        channel=asked.channel,
        code=asked.code,
        product=asked.product,
        months=asked.support_months,
        purchased_at=asked.purchased_at,
        supported_until=asked.supported_until,
    )
    made = await import_code.import_purchase_code(
        call.services, brought, customer_email=asked.customer, actor=call.actor, scope=call.scope
    )
    if isinstance(made, RefusalAnswer):
        return made
    members = {
        "license_id": str(made.license.license_id),
        "license_key": made.license.license_key,
        "key_hint": made.license.key_hint,
        **told_of(made.decision),
    }
    return Reply(201 if made.is_new else 200, members)


@endpoints.get(
    "/v1/projects/{project_id}/entitlements",
    Permission.PROJECT_READ,
    answer=Answered,
    command="project entitlements",
    refusals=("not_found",),
)
async def project_entitlements(call: Call) -> Mapping[str, object]:
    """Tell what a project may use by all of its licenses, and which license an installation is to use next."""
    project_id = call.id("project_id", "project")
    return answered_of(await project_licenses.project_entitlements(call.services, project_id, scope=call.scope))
