"""Accounts: how one stands, suspending it, ending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import (
    MAX_REASON,
    Answer,
    Answered,
    Id,
    Input,
    Listing,
    Moment,
    Price,
    Reason,
    Time,
)
from tillkey_server.money import parse
from tillkey_server.rules.access import Permission
from tillkey_server.rules.account import AccountCode
from tillkey_server.rules.decision import Decision, Outcome
from tillkey_server.usecases import account, appeal, erasure, suspension, termination
from tillkey_server.usecases.answers import answered_of, refusal_of
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("accounts")

Behavior = Annotated[str, Field(pattern=r"^pb_[a-z_]{1,40}$", description="Of the list in the terms.")]
Evidence = Annotated[str, Field(max_length=MAX_REASON, description="What shows it; erased with the account.")]
_BY_LIST = (AccountCode.ACCOUNT_TERMS_SILENT, AccountCode.BEHAVIOR_NOT_LISTED, AccountCode.EVIDENCE_REQUIRED)


class SuspendAccount(Input):
    """What somebody did."""

    behavior: Behavior
    evidence: Evidence
    until: Annotated[Moment | None, Field(description="When it is over; null: as the behavior says.")] = None


class LiftSuspension(Input):
    """Why."""

    reason: Reason


class AskTermination(Input):
    """A question without more."""


class RequestTermination(Input):
    """The customer's own request."""

    verified: Annotated[bool, Field(description="It is proven that the customer asks.")]
    reason: Annotated[str, Field(max_length=MAX_REASON, description="Optional, always.")] = ""


class TerminateAccount(Input):
    """What somebody did, for which the vendor ends the account."""

    behavior: Behavior
    evidence: Evidence
    automatic: Annotated[bool, Field(description="No person looked at it.")] = False


class TakeBack(Input):
    """Why the vendor takes his own end back."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON, description="Why; name nobody.")]


class DecideAppeal(TakeBack):
    """What a supervisor decides about an appeal."""

    granted: Annotated[bool, Field(description="The end is taken back; else it goes on.")]


class WaiveBalance(Input):
    """What the customer waives."""

    amount: Price
    verified: Annotated[bool, Field(description="It is proven that the customer waives it.")] = False


class EraseAgain(Input):
    """Customers whom a backup brought back."""

    customers: Annotated[list[UUID], Field(min_length=1, max_length=erasure.MAX_AGAIN)]


class AccountAnswered(Answered):
    """What was decided about an account, and whether somebody else has to decide first (`pend`)."""


class ShownSuspension(Answer):
    """One suspension."""

    behavior: str
    severity: str
    fraud: bool
    proposed_at: Time
    approved_at: Time
    stops_at: Time
    until: Time
    lifted_at: Time


class ShownTermination(Answer):
    """A termination that is neither taken back nor carried out, and what would block it now."""

    by: str
    behavior: str | None
    requested_at: Time
    due_at: Time
    blocked: Answered | None


class Account(Answer):
    """How an account stands; `contact` is what its owner is told before leaving."""

    customer_id: Id
    suspended: bool
    contact: str | None
    suspensions: list[ShownSuspension]
    termination: ShownTermination | None
    erased_at: Time


class ErasedCustomer(Answer):
    """A customer that was erased."""

    customer_id: Id
    erased_at: Time


class ErasedPage(Answer):
    """A page of erased customers."""

    items: list[ErasedCustomer]
    next: str | None


class ErasedAgain(Answer):
    """Who was erased again, who was already, whom a legal hold keeps as it is, and whom the database does not know."""

    erased: list[Id]
    already: list[Id]
    held: list[Id]
    unknown: list[Id]


def _done(decision: Decision) -> Returned:
    if decision.outcome is Outcome.DENY:
        return refusal_of(decision)
    return Reply(200 if decision.allowed else 201, answered_of(decision))


@endpoints.get(
    "/v1/customers/{customer_id}/account",
    Permission.CUSTOMER_READ,
    answer=Account,
    command="account show",
    refusals=("not_found",),
)
async def get_account(call: Call) -> Mapping[str, object]:
    """Show how an account stands, and what its owner is told before leaving."""
    return await account.get_account(call.services, call.id("customer_id", "customer"), scope=call.scope)


@endpoints.post(
    "/v1/customers/{customer_id}/suspend",
    Permission.ACCOUNT_SUSPEND,
    body=SuspendAccount,
    answer=AccountAnswered,
    command="account suspend",
    statuses=(200, 201),
    refusals=("not_found", *_BY_LIST),
)
async def suspend_account(call: Call) -> Returned:
    """Suspend all licenses of a customer for a prohibited behavior; 201 where a second person has to agree."""
    asked = call.asked(SuspendAccount)
    decision = await suspension.suspend_account(
        call.services,
        call.id("customer_id", "customer"),
        behavior=asked.behavior,
        evidence=asked.evidence,
        actor=call.actor,
        until=asked.until,
        scope=call.scope,
    )
    return _done(decision)


@endpoints.post(
    "/v1/customers/{customer_id}/lift-suspension",
    Permission.ACCOUNT_SUSPEND,
    body=LiftSuspension,
    answer=AccountAnswered,
    command="account lift",
    refusals=("not_found", AccountCode.ACCOUNT_NOT_SUSPENDED),
)
async def lift_suspension(call: Call) -> Returned:
    """Lift an account's suspensions; stronger states of its licenses stay."""
    asked = call.asked(LiftSuspension)
    customer_id = call.id("customer_id", "customer")
    return _done(
        await suspension.lift_suspension(
            call.services, customer_id, reason=asked.reason, actor=call.actor, scope=call.scope
        )
    )


@endpoints.post(
    "/v1/customers/{customer_id}/termination/preview",
    Permission.CUSTOMER_READ,
    body=AskTermination,
    answer=AccountAnswered,
    command="account preview-end",
    refusals=("not_found",),
)
async def preview_termination(call: Call) -> Returned:
    """Ask what the end of an account would mean: when, what runs, what is left of the balance, whom to talk to."""
    customer_id = call.id("customer_id", "customer")
    return answered_of(await termination.preview_termination(call.services, customer_id, scope=call.scope))


@endpoints.post(
    "/v1/customers/{customer_id}/termination",
    Permission.ACCOUNT_REQUEST,
    body=RequestTermination,
    answer=AccountAnswered,
    command="account request-end",
    statuses=(200, 201),
    refusals=("not_found", AccountCode.ACCOUNT_TERMS_SILENT),
)
async def request_termination(call: Call) -> Returned:
    """Schedule the end of an account on its customer's word; 201 while it is not proven who asks."""
    asked = call.asked(RequestTermination)
    decision = await termination.request_termination(
        call.services,
        call.id("customer_id", "customer"),
        verified=asked.verified,
        reason=asked.reason,
        actor=call.actor,
        scope=call.scope,
    )
    return _done(decision)


@endpoints.post(
    "/v1/customers/{customer_id}/termination/cancel",
    Permission.ACCOUNT_REQUEST,
    body=AskTermination,
    answer=AccountAnswered,
    command="account cancel-end",
    refusals=("not_found", AccountCode.TERMINATION_NOT_OPEN),
)
async def cancel_termination(call: Call) -> Returned:
    """Take a customer's own request back while it is not carried out."""
    customer_id = call.id("customer_id", "customer")
    return _done(await termination.cancel_termination(call.services, customer_id, actor=call.actor, scope=call.scope))


@endpoints.post(
    "/v1/customers/{customer_id}/termination/take-back",
    Permission.ACCOUNT_TERMINATE,
    body=TakeBack,
    answer=AccountAnswered,
    command="account take-back-end",
    refusals=("not_found", AccountCode.TERMINATION_NOT_OPEN),
)
async def take_termination_back(call: Call) -> Returned:
    """Take the vendor's own end back while it is not carried out."""
    customer_id, reason = call.id("customer_id", "customer"), call.asked(TakeBack).reason
    return _done(
        await appeal.take_termination_back(
            call.services, customer_id, reason=reason, actor=call.actor, scope=call.scope
        )
    )


@endpoints.post(
    "/v1/customers/{customer_id}/termination/appeal",
    Permission.ACCOUNT_REQUEST,
    body=AskTermination,
    answer=AccountAnswered,
    command="account appeal",
    refusals=("not_found", AccountCode.TERMINATION_NOT_OPEN),
)
async def appeal_termination(call: Call) -> Returned:
    """Put the customer's appeal against the vendor's end on record; the end waits until it is decided."""
    customer_id = call.id("customer_id", "customer")
    return _done(await appeal.appeal_termination(call.services, customer_id, actor=call.actor, scope=call.scope))


@endpoints.post(
    "/v1/customers/{customer_id}/termination/appeal/decide",
    Permission.ACCOUNT_TERMINATE,
    body=DecideAppeal,
    answer=AccountAnswered,
    command="account decide-appeal",
    refusals=("not_found", AccountCode.TERMINATION_NOT_OPEN),
)
async def decide_termination_appeal(call: Call) -> Returned:
    """Decide an appeal: granted, the end is taken back; rejected, it goes on."""
    asked = call.asked(DecideAppeal)
    decision = await appeal.decide_termination_appeal(
        call.services,
        call.id("customer_id", "customer"),
        granted=asked.granted,
        reason=asked.reason,
        actor=call.actor,
        scope=call.scope,
    )
    return _done(decision)


@endpoints.post(
    "/v1/customers/{customer_id}/termination/waive-balance",
    Permission.ACCOUNT_REQUEST,
    body=WaiveBalance,
    answer=AccountAnswered,
    command="account waive-balance",
    statuses=(200, 201),
    refusals=("not_found", AccountCode.TERMINATION_NOT_OPEN),
)
async def waive_balance(call: Call) -> Returned:
    """Note that the customer waives so much of what is left of the balance; 201 while it is not proven who waives."""
    asked = call.asked(WaiveBalance)
    customer_id = call.id("customer_id", "customer")
    return _done(
        await termination.waive_balance(
            call.services,
            customer_id,
            amount=parse(asked.amount),
            verified=asked.verified,
            actor=call.actor,
            scope=call.scope,
        )
    )


@endpoints.post(
    "/v1/customers/{customer_id}/terminate",
    Permission.ACCOUNT_TERMINATE,
    body=TerminateAccount,
    answer=AccountAnswered,
    command="account terminate",
    statuses=(200, 201),
    refusals=("not_found", *_BY_LIST),
)
async def terminate_account(call: Call) -> Returned:
    """End an account for a prohibited behavior; 201 where another person has to decide."""
    asked = call.asked(TerminateAccount)
    decision = await termination.terminate_account(
        call.services,
        call.id("customer_id", "customer"),
        behavior=asked.behavior,
        evidence=asked.evidence,
        actor=call.actor,
        automatic=asked.automatic,
        scope=call.scope,
    )
    return _done(decision)


@endpoints.get(
    "/v1/accounts/erased", Permission.ACCOUNT_ERASED, query=Listing, answer=ErasedPage, command="account erased"
)
async def list_erased(call: Call) -> Page:
    """List the customers that were erased, by id: a restored backup may bring them back; sort by `at`."""
    asked = call.asked(Listing)
    return await erasure.list_erased(call.services, after=asked.after, limit=asked.limit, sort=asked.sort)


@endpoints.post(
    "/v1/accounts/erase-again",
    Permission.ACCOUNT_ERASED,
    body=EraseAgain,
    answer=ErasedAgain,
    command="account erase-again",
)
async def erase_again(call: Call) -> Mapping[str, object]:
    """Erase customers again whom a restored backup brought back, but those under a legal hold, which are `held`."""
    done = await erasure.erase_again(call.services, call.asked(EraseAgain).customers, actor=call.actor)
    return done.shown()
