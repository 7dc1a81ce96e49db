"""Why a license stands as it does, for people and programs (X-13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from tillkey_server.api.administration.activations import Activation
from tillkey_server.api.administration.endpoint import Call, Endpoints
from tillkey_server.api.administration.licenses import Status
from tillkey_server.api.administration.renewals import Segment
from tillkey_server.api.administration.shapes import Answer, Answered, Clauses, Facts, Id, Spoken, Time
from tillkey_server.rules.access import Permission
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.possible import Action

endpoints = Endpoints("licenses")


class TermsNamed(Answer):
    """The terms that a license was sold under; which of their texts prevails where a translation says otherwise."""

    name: str
    version: int
    title: str
    effective_from: str
    authoritative_language: str | None
    authoritative_statement: str | None


class ExplainedLicense(Answer):
    """Which license."""

    id: Id
    key_hint: str
    product: str
    issued_at: Time
    policy: TermsNamed


class ExplainedStanding(Answer):
    """Whether the license may be used; `code` is what a till is told otherwise, `words` what people are.

    `lease_ends_at`: until when a till that cannot be reached has full rights; `leases_live`: how many leases may still
    be believed.
    """

    status: Status
    usable: bool
    code: str | None
    clauses: Clauses
    retry_at: Time
    lease_ends_at: Time
    leases_live: int
    words: str


class ExplainedProject(Answer):
    """The project that the license belongs to."""

    id: Id
    name: str
    site: str | None


class ExplainedPayment(Answer):
    """What a stretch was paid by, without tax; `months` null: what the terms include."""

    order_id: Id
    channel: str
    number: str
    amount: str
    months: int | None
    paid_at: Time


class ExplainedSegment(Segment):
    """One stretch with its payment; null where that was another customer's."""

    payment: ExplainedPayment | None


class TakenOut(Answer):
    """A payment that went back, as if it had never been made."""

    renewal_id: Id
    payment: ExplainedPayment | None
    refunded_at: Time


class EndedEarly(Answer):
    """What ended a clock before its time; one that was withdrawn counts no more."""

    at: Time
    reason: str
    withdrawn_at: Time


class ExplainedPause(Answer):
    """A suspension of the account that paused a clock; without an end, it moves nothing yet."""

    starts_at: Time
    ends_at: Time


class ExplainedClock(Answer):
    """One of the four clocks, and what it follows from; `last_day` is counted where the vendor's dates are."""

    until: Time
    last_day: Annotated[str | None, Field(json_schema_extra={"format": "date"})]
    running: bool
    clauses: Clauses
    words: str
    pauses: list[ExplainedPause]
    segments: list[ExplainedSegment]
    taken_out: list[TakenOut]
    endings: list[EndedEarly]


class ExplainedClocks(Answer):
    """The four clocks, none of which implies another."""

    use: ExplainedClock
    updates: ExplainedClock
    support: ExplainedClock
    refund: ExplainedClock


class ExplainedNotice(Answer):
    """What people should be told about the license now."""

    code: str
    activation_id: Id
    since: Time
    clauses: Clauses
    words: str


class ExplainedForce(Answer):
    """What an agent who frees the license would be told now."""

    allowed_now: bool
    code: str
    limit: int
    window_days: int
    used: int
    remaining: int
    retry_at: Time
    clauses: Clauses


class Possible(Answer):
    """Something that could be done now, and what the terms say to that.

    The answer is the one that the topic's own preview gives for `asked`; where the terms want a request in a certain
    form, it is taken as made so, and `asked` shows it.
    """

    action: Action
    asked: Annotated[dict[str, Any], Field(description="What was asked, in the words of the preview's body.")]
    answer: Answered


class ChainEvent(Answer):
    """A sign of a copy, or of a history that was lost."""

    at: Time
    kind: Literal["fork", "switch", "adopted", "conflict"]
    activation_id: Id
    seq: int
    detail: str


class ExplainedChain(Answer):
    """What the heartbeats show."""

    forks: int
    switches: int
    events: list[ChainEvent]


class DecidedBy(Answer):
    """Which terms a decision followed; null for one that needed none."""

    name: str | None
    version: int | None


class ExplainedDecision(Answer):
    """One decision of the audit log, with its sentence."""

    at: Time
    actor: str
    action: str
    outcome: Literal["allow", "deny", "pend"]
    code: str
    clauses: Clauses
    policy: DecidedBy
    activation_id: Id | None
    facts: Facts
    words: str


class Explanation(Answer):
    """All that is known about a license."""

    license: ExplainedLicense
    standing: ExplainedStanding
    project: ExplainedProject | None
    bound_at: Time
    clocks: ExplainedClocks
    activations: list[Activation]
    notices: list[ExplainedNotice]
    forced_deactivations: ExplainedForce
    next_steps: list[str]
    possible: list[Possible]
    chain: ExplainedChain
    decisions: list[ExplainedDecision]
    evaluated_at: Time


@endpoints.get(
    "/v1/licenses/{license_id}/explain",
    Permission.LICENSE_READ,
    query=Spoken,
    answer=Explanation,
    command="license explain",
    refusals=("not_found",),
)
async def explain_license(call: Call) -> Mapping[str, object]:
    """Tell how a license stands, where it is used, what could be done, and why each decision about it was made."""
    license_id = call.id("license_id", "license")
    return await explain(call.services, license_id, language=call.asked(Spoken).language, scope=call.scope)
