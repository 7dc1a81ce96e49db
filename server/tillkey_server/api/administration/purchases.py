"""What comes with a purchase: free installations, codes of other marketplaces, what a project may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    Answer,
    Answered,
    Clauses,
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
from tillkey_server.rules.imported import ImportCode, State
from tillkey_server.rules.install_credit import InstallCode
from tillkey_server.usecases import import_code, install_credit, project_licenses, reconciliation
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


class ListedCode(Input):
    """What a marketplace says of one of its codes today."""

    code: Annotated[Line, Field(max_length=80, description="The purchase code.")]
    state: Annotated[Literal["active", "refunded"], Field(description="What the marketplace says of it.")]
    supported_until: Annotated[Moment | None, Field(description="The marketplace's word on the end of support.")] = None


class ReconcileCodes(Input):
    """A marketplace's list of its codes."""

    channel: Annotated[Line, Field(max_length=32, description="The marketplace, as the terms name it.")]
    codes: Annotated[
        list[ListedCode], Field(min_length=1, max_length=150, description="Its codes, each once; tell more in parts.")
    ]
    whole: Annotated[bool, Field(description="The list is all of them, so that what it lacks is told.")] = True


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


class ReconciledCode(Answer):
    """What became of a line: `line` counts from 1; the code itself is not stored, and not told."""

    line: int
    outcome: Literal["ended", "prolonged", "unchanged", "ended_before", "ended_here_alone", "unknown"]
    license_id: Annotated[str | None, Field(json_schema_extra={"format": "uuid"})]
    support_until: Time
    clauses: Clauses


class ReconciledCodes(Answer):
    """What was done for each line, and the licenses whose codes the list lacks: told alone, never ended."""

    channel: str
    items: list[ReconciledCode]
    lacking: list[Id]
    lacking_count: int


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


@endpoints.post(
    "/v1/licenses/reconcile",
    Permission.LICENSE_REVOKE,
    body=ReconcileCodes,
    answer=ReconciledCodes,
    command="license reconcile",
)
async def reconcile_codes(call: Call) -> Returned:
    """Compare a marketplace's list of purchase codes with what is on record, and apply what differs; often or once."""
    asked = call.asked(ReconcileCodes)
    listed = [reconciliation.Listed(one.code, State(one.state), one.supported_until) for one in asked.codes]
    return await reconciliation.reconcile_codes(
        call.services, asked.channel, listed, whole=asked.whole, actor=call.actor, scope=call.scope
    )


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
