"""API keys: who may call the administration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.shapes import Answer, Id, Input, Line, Listing, Moment, ProductCode, Time, UUIDs
from tillkey_server.rules.access import Permission
from tillkey_server.usecases import api_key
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("api keys")

RoleName = Literal["admin", "supervisor", "agent", "integration", "read_only"]


class CreateApiKey(Input):
    """A new API key."""

    name: Annotated[Line, Field(max_length=api_key.MAX_NAME, description="What it is for, as people read it.")]
    role: RoleName
    expires_at: Moment | None = None
    customers: Annotated[UUIDs | None, Field(description="The customers that it sees; null: all.")] = None
    products: Annotated[
        list[ProductCode] | None,
        Field(description="The products that it sees, by code; null: all.", min_length=1, max_length=100),
    ] = None


class RevokeApiKey(Input):
    """Nothing is needed but an empty object."""


class ApiKey(Answer):
    """An API key without its secret."""

    id: Id
    name: str
    role: RoleName
    key_hint: str
    status: Literal["active", "expired", "revoked"]
    customers: list[Id] | None
    products: list[Id] | None
    created_at: Time
    created_by: str
    expires_at: Time
    revoked_at: Time
    last_used_at: Time


class CreatedApiKey(ApiKey):
    """A new API key with its secret, which is shown this once."""

    api_key: str


class ApiKeyPage(Answer):
    """A page of API keys."""

    items: list[ApiKey]
    next: str | None


class Caller(Answer):
    """Whoever asks: the role of the API key, all that it may do, and what it is limited to."""

    actor: str
    role: RoleName
    permissions: list[str]
    customers: list[Id] | None
    products: list[Id] | None


@endpoints.get("/v1/me", Permission.SELF_READ, answer=Caller)
async def who_am_i(call: Call) -> Mapping[str, object]:
    """Tell what the API key that asks may do."""
    caller = call.principal
    return {
        "actor": caller.actor,
        "role": caller.role.value,
        "permissions": [one.value for one in Permission if caller.may(one)],
        "customers": _sorted(caller.scope.customers),
        "products": _sorted(caller.scope.products),
    }


@endpoints.post(
    "/v1/api-keys",
    Permission.API_KEY_WRITE,
    body=CreateApiKey,
    answer=CreatedApiKey,
    command="api-key create",
    statuses=(201,),
    refusals=("not_found",),
)
async def create_api_key(call: Call) -> Mapping[str, object]:
    """Make an API key. Its secret is in this answer and nowhere else."""
    asked = call.asked(CreateApiKey)
    made = await api_key.create_api_key(
        call.services,
        name=asked.name,
        role=asked.role,
        actor=call.actor,
        expires_at=asked.expires_at,
        customer_ids=asked.customers,
        product_codes=asked.products,
    )
    return {**made.shown, "api_key": made.api_key}


@endpoints.get("/v1/api-keys", Permission.API_KEY_READ, query=Listing, answer=ApiKeyPage, command="api-key list")
async def list_api_keys(call: Call) -> Page:
    """List API keys, without their secrets."""
    asked = call.asked(Listing)
    return await api_key.list_api_keys(call.services, after=asked.after, limit=asked.limit, sort=asked.sort)


@endpoints.get(
    "/v1/api-keys/{api_key_id}",
    Permission.API_KEY_READ,
    answer=ApiKey,
    command="api-key show",
    refusals=("not_found",),
)
async def get_api_key(call: Call) -> Mapping[str, object]:
    """Show one API key, without its secret."""
    return await api_key.get_api_key(call.services, call.id("api_key_id", "api-key"))


@endpoints.post(
    "/v1/api-keys/{api_key_id}/revoke",
    Permission.API_KEY_WRITE,
    body=RevokeApiKey,
    answer=ApiKey,
    command="api-key revoke",
    refusals=("not_found",),
)
async def revoke_api_key(call: Call) -> Mapping[str, object]:
    """End an API key at once; a second time changes nothing."""
    return await api_key.revoke_api_key(call.services, call.id("api_key_id", "api-key"), actor=call.actor)


def _sorted(ids: frozenset[UUID] | None) -> list[str] | None:
    return None if ids is None else sorted(str(one) for one in ids)
