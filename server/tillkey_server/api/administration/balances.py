"""What customers have to their credit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Returned
from tillkey_server.api.administration.shapes import Answer, Id, Input, Line, Price, Time
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.refund_codes import RefundCode
from tillkey_server.usecases import balance

endpoints = Endpoints("customers")


class SpendBalance(Input):
    """What is paid for with a balance."""

    amount: Price
    reference: Annotated[Line, Field(max_length=200, description="What it pays for, as an order's number; once.")]


class PayOutBalance(Input):
    """What of a balance was paid out, by which payment."""

    amount: Price
    reference: Annotated[Line, Field(max_length=200, description="The payment's own number; it is noted once.")]


class BalanceOf(Answer):
    """A balance in one currency; a negative one is a debt."""

    currency: str
    amount: str


class BalanceEntry(Answer):
    """What came or went, and what moved it."""

    id: Id
    kind: str
    amount: str
    reference: str
    at: Time


class Balance(Answer):
    """A customer's balances, and the newest 200 entries that they are the sum of, the newest first."""

    customer_id: Id
    balances: list[BalanceOf]
    entries: list[BalanceEntry]


@endpoints.get(
    "/v1/customers/{customer_id}/balance",
    Permission.CUSTOMER_READ,
    answer=Balance,
    command="customer balance",
    refusals=("not_found",),
)
async def get_balance(call: Call) -> Mapping[str, object]:
    """Show what a customer has to the credit."""
    return await balance.get_balance(call.services, call.id("customer_id", "customer"), scope=call.scope)


@endpoints.post(
    "/v1/customers/{customer_id}/balance/spend",
    Permission.BALANCE_SPEND,
    body=SpendBalance,
    answer=Balance,
    command="customer spend",
    refusals=("not_found", RefundCode.BALANCE_TOO_LOW),
)
async def spend_balance(call: Call) -> Returned:
    """Take an amount from a customer's balance; told again under its reference it is taken once."""
    asked = call.asked(SpendBalance)
    return await balance.spend_balance(
        call.services,
        call.id("customer_id", "customer"),
        amount=parse(asked.amount),
        reference=asked.reference,
        actor=call.actor,
        scope=call.scope,
    )


@endpoints.post(
    "/v1/customers/{customer_id}/balance/pay-out",
    Permission.REFUND_PAYOUT,
    body=PayOutBalance,
    answer=Balance,
    command="customer pay-out",
    refusals=("not_found", RefundCode.BALANCE_TOO_LOW, Refusal.LEGAL_HOLD),
)
async def pay_out_balance(call: Call) -> Returned:
    """Note that an amount of a customer's balance was paid out; a legal hold keeps it back."""
    asked = call.asked(PayOutBalance)
    return await balance.pay_out_balance(
        call.services,
        call.id("customer_id", "customer"),
        amount=parse(asked.amount),
        reference=asked.reference,
        actor=call.actor,
        scope=call.scope,
    )
