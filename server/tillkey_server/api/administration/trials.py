"""Trials: a product given for some days."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Decided, Email, Id, Input, ProductCode, Time
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal, instant
from tillkey_server.rules.sale import SaleCode
from tillkey_server.usecases import trial
from tillkey_server.usecases.answers import RefusalAnswer, told_of

endpoints = Endpoints("trials")


class StartTrial(Input):
    """Who tries what."""

    product: ProductCode
    customer: Annotated[Email, Field(description="The customer's e-mail address.")]


class StartedTrial(Decided):
    """A trial with its license key, which is shown this once; it ends by itself at `use_until`."""

    license_id: Id
    license_key: str
    key_hint: str
    order_id: Id
    use_until: Time


@endpoints.post(
    "/v1/licenses/trial",
    Permission.LICENSE_ISSUE,
    body=StartTrial,
    answer=StartedTrial,
    command="license trial",
    statuses=(201,),
    refusals=(
        "not_found",
        Refusal.TRIAL_NOT_OFFERED,
        Refusal.TRIAL_USED,
        SaleCode.PRODUCT_RETIRED,
        SaleCode.PRODUCT_NOT_ON_SALE,
    ),
)
async def start_trial(call: Call) -> Returned:
    """Give a customer a product for trial, where its terms offer that; once for each customer and product."""
    asked = call.asked(StartTrial)
    started = await trial.start_trial(
        call.services, product=asked.product, customer_email=asked.customer, actor=call.actor, scope=call.scope
    )
    if isinstance(started, RefusalAnswer):
        return started
    return {
        "license_id": str(started.license.license_id),
        "license_key": started.license.license_key,
        "key_hint": started.license.key_hint,
        "order_id": str(started.order_id),
        "use_until": instant(started.use_until),
        **told_of(started.decision),
    }
