"""Customers: the buyers' records."""

from __future__ import annotations

from collections.abc import Mapping

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply
from tillkey_server.api.administration.shapes import Answer, Email, Id, Input, Listing, Time
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases import customer
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("customers")


class AddCustomer(Input):
    """A customer, known by the e-mail address."""

    email: Email


class ChangeCustomer(Input):
    """The customer's new e-mail address."""

    email: Email


class FindCustomer(Input):
    """The address that somebody wrote; it is in the body, since an address of HTTP stands in proxies' logs."""

    email: Email


class Customer(Answer):
    """A customer. The address is personal data."""

    id: Id
    email: str
    created_at: Time


class CustomerPage(Answer):
    """A page of customers."""

    items: list[Customer]
    next: str | None


@endpoints.get("/v1/customers", Permission.CUSTOMER_READ, query=Listing, answer=CustomerPage, command="customer list")
async def list_customers(call: Call) -> Page:
    """List customers; sort by `created_at` or `email`. By address one is found at /v1/customers/search."""
    asked = call.asked(Listing)
    return await customer.list_customers(
        call.services, after=asked.after, limit=asked.limit, sort=asked.sort, scope=call.scope
    )


@endpoints.post(
    "/v1/customers/search",
    Permission.CUSTOMER_READ,
    body=FindCustomer,
    answer=CustomerPage,
    command="customer list",
)
async def search_customers(call: Call) -> Page:
    """Find the customer of an address. It changes nothing; the body keeps what is personal out of logs."""
    return await customer.list_customers(call.services, email=call.asked(FindCustomer).email, scope=call.scope)


@endpoints.post(
    "/v1/customers",
    Permission.CUSTOMER_WRITE,
    body=AddCustomer,
    answer=Customer,
    command="customer add",
    statuses=(201, 200),
    refusals=("not_found",),
)
async def add_customer(call: Call) -> Reply:
    """Return the customer of an address, made if there is none."""
    added = await customer.add_customer(call.services, call.asked(AddCustomer).email, scope=call.scope)
    return Reply(201 if added.is_new else 200, added.shown)


@endpoints.get(
    "/v1/customers/{customer_id}",
    Permission.CUSTOMER_READ,
    answer=Customer,
    command="customer show",
    refusals=("not_found",),
)
async def get_customer(call: Call) -> Mapping[str, object]:
    """Show one customer."""
    return await customer.get_customer(call.services, call.id("customer_id", "customer"), scope=call.scope)


@endpoints.patch(
    "/v1/customers/{customer_id}",
    Permission.CUSTOMER_WRITE,
    body=ChangeCustomer,
    answer=Customer,
    command="customer change",
    refusals=("not_found", Refusal.NAME_TAKEN),
)
async def change_customer(call: Call) -> Mapping[str, object] | RefusalAnswer:
    """Give a customer another e-mail address."""
    return await customer.change_customer(
        call.services,
        call.id("customer_id", "customer"),
        email=call.asked(ChangeCustomer).email,
        actor=call.actor,
        scope=call.scope,
    )
