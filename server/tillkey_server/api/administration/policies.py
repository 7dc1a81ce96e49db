"""Policies: the terms that products are sold under. Nothing here changes them: they are files, reviewed like code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.shapes import Answer, Input, PolicyName, Time
from tillkey_server.rules.access import Permission
from tillkey_server.usecases import policy

endpoints = Endpoints("policies")

Source = Annotated[str, Field(min_length=1, max_length=16384, description="The text of a policy file.")]


class CheckPolicy(Input):
    """A text that may become a policy."""

    source: Source


class DiffPolicy(Input):
    """What to compare with: another policy by its name, or a text; one of the two."""

    other: PolicyName | None = None
    source: Source | None = None


class PolicyHead(Answer):
    """A version of a policy."""

    name: str
    version: int
    title: str
    effective_from: str
    timezone: str
    digest: str


class PolicyList(Answer):
    """The policies that are offered; all of them, since a vendor has few."""

    items: list[PolicyHead]
    next: None


class PolicyVersion(Answer):
    """A version on record, which licenses may have been sold under."""

    version: int
    digest: str
    recorded_at: Time


class PolicyShown(PolicyHead):
    """A policy with its text and the versions on record."""

    source: str
    versions: list[PolicyVersion]


class PolicyFault(Answer):
    """What is wrong with one key."""

    key: str
    reason: str


class PolicyChecked(Answer):
    """Whether a text could be used; `policy` is null where it cannot be read."""

    valid: bool
    policy: PolicyHead | None
    faults: list[PolicyFault]


class PolicyChange(Answer):
    """One key with another value; null where a policy does not have the key."""

    key: str
    before: Any
    after: Any


class PolicyDiff(Answer):
    """In what two policies differ."""

    before: PolicyHead
    after: PolicyHead
    changes: list[PolicyChange]


@endpoints.get("/v1/policies", Permission.POLICY_READ, answer=PolicyList, command="policy list")
async def list_policies(call: Call) -> Mapping[str, object]:
    """List the policies that products can be sold under."""
    return {"items": policy.offered(call.services.policies.files()), "next": None}


@endpoints.get(
    "/v1/policies/{policy_name}",
    Permission.POLICY_READ,
    answer=PolicyShown,
    command="policy show",
    refusals=("not_found",),
)
async def get_policy(call: Call) -> Mapping[str, object]:
    """Show a policy with its text and every version that licenses may have been sold under."""
    return await policy.get_policy(call.services, call.code("policy_name", "policy"))


@endpoints.post(
    "/v1/policies/check", Permission.POLICY_READ, body=CheckPolicy, answer=PolicyChecked, command="policy check"
)
async def check_policy(call: Call) -> Mapping[str, object]:
    """Judge a text as the server would judge the file; it changes nothing."""
    return await policy.check_policy(call.services, call.asked(CheckPolicy).source)


@endpoints.post(
    "/v1/policies/{policy_name}/diff",
    Permission.POLICY_READ,
    body=DiffPolicy,
    answer=PolicyDiff,
    command="policy diff",
    refusals=("not_found",),
)
async def diff_policy(call: Call) -> Mapping[str, object]:
    """Tell key by key in what another policy, or a text, differs from this one; it changes nothing."""
    asked = call.asked(DiffPolicy)
    files = call.services.policies.files()
    return policy.diff(files, call.code("policy_name", "policy"), other=asked.other, source=asked.source)
