"""The shapes of requests and answers, as the OpenAPI document shows them.

They describe; `bodies` and `tillkey.wire` do the reading, since they refuse what no schema can express.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

COMPACT_JWS = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"

Jws = Annotated[str, Field(pattern=COMPACT_JWS)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignedRequest(_Closed):
    """A till's request: one compact JWS, typ `tillkey-request+jwt`, signed by the installation's key."""

    request: Annotated[str, Field(pattern=COMPACT_JWS, max_length=16384)]


class LeaseBody(BaseModel):
    """A signed lease, typ `tillkey-lease+jwt`."""

    lease: Jws


class TicketBody(BaseModel):
    """A move ticket, which works once, and the lease of this step."""

    ticket: str
    lease: Jws


class StatementBody(BaseModel):
    """A signed statement, typ `tillkey-statement+jwt`, with the code `activation_released`."""

    statement: Jws


Moment = Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]


class ToldClock(_Closed):
    """One deadline of a request that came now; `due_at` null: it stands still, or has not begun."""

    clock: Literal["ack", "reply", "resolve", "fix"]
    code: str
    due_at: Moment
    clauses: list[str]
    timezone: str
    calendar: str


class ToldBanner(_Closed):
    """Whether support runs at this moment, and until when; null: no end, or none was ever paid for."""

    active: bool
    text: str | None
    until: Moment
    product: str
    clauses: list[str]
    as_of: Moment


class ToldFacts(BaseModel):
    """What the answer rests on; a member that does not matter is absent. Nobody is named."""

    received_at: Moment
    timezone: str
    care_banner: ToldBanner
    clocks: list[ToldClock]
    task: str = ""
    charge: Annotated[Literal["free"], Field(description="Where the request is taken.")] = "free"
    missing: Annotated[list[str], Field(description="What has to be told first.")] = []
    covered: Annotated[list[str], Field(description="The tasks that support covers.")] = []
    grounds: Annotated[list[str], Field(description="The grounds of the terms that refuse it.")] = []
    may_refuse: Annotated[list[str], Field(description="Grounds on which a person may refuse it.")] = []
    support_until: Moment = None
    next_open_at: Annotated[Moment, Field(description="When somebody is at work again.")] = None


class ToldTerms(_Closed):
    """Which version of which terms."""

    name: str
    version: int


class SupportBody(_Closed):
    """The terms' answer to a till: `deny` and `pend` (a person or a further fact decides) are answers like `allow`.

    `options` are what can be done instead; `paid_offer`: it is done for money.
    """

    decision: Literal["allow", "deny", "pend"]
    code: str
    clauses: list[str]
    policy: ToldTerms
    evaluated_at: Moment
    facts: ToldFacts
    retry_at: Moment
    options: list[str]
    words: Annotated[str, Field(description="The answer as a sentence, in the language asked for.")]


class CheckRequest(_Closed):
    """A license key as its owner typed it, and the product's code."""

    license_key: Annotated[str, Field(min_length=1, max_length=100)]
    product: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]


class CheckBody(BaseModel):
    """Whether the key is known for this product and may be used; an unknown key and another product's look alike."""

    known: bool
    usable: bool
    code: Annotated[str | None, Field(description="Why it may not be used; null where it may, or is not known.")]


class KeysetSignature(BaseModel):
    """One root's signature (RFC 7515 section 7.2.1)."""

    protected: str
    signature: str


class KeysetBody(BaseModel):
    """A keyset: a JWS in the general JSON serialisation, typ `tillkey-keyset+jwt`, signed by a threshold of roots."""

    payload: str
    signatures: list[KeysetSignature]


class Jwk(BaseModel):
    """One online key (RFC 7517, RFC 8037, RFC 9864)."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: str
    kid: str
    alg: Literal["Ed25519"]
    use: Literal["sig"]


class JwksBody(BaseModel):
    """The online keys of the newest keyset (RFC 7517 section 5)."""

    keys: list[Jwk]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["alive"]


class Check(BaseModel):
    """One need of the server and its state."""

    name: Literal["migrated", "keys", "database"]
    ok: bool
    detail: str


class Readiness(BaseModel):
    """Whether the server can answer tills, and what stands in the way."""

    ready: bool
    checks: list[Check]


class Problem(BaseModel):
    """Problem details (RFC 9457). `docs/problems.md` explains every code."""

    type: Annotated[str, Field(pattern=r"^urn:tillkey:problem:[a-z_]+$")]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    clauses: Annotated[list[str], Field(description="The clauses of the vendor's terms that the answer follows.")]
    decision: Annotated[
        Literal["allow", "deny", "pend"],
        Field(description="What a rule answered; with the next two it is told to who has an API key, never to a till."),
    ] = "deny"
    policy: Annotated[dict[str, Any], Field(description="The terms it followed: their name and version.")] = {}
    evaluated_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] = ""
    instance: Annotated[str, Field(description="The number of a defect, which stands in the server's log.")] = ""
    statement: Annotated[str, Field(description="The refusal signed, which alone the till believes.")] = ""
    retry_at: Annotated[int, Field(description="When to ask again, seconds since the epoch.")] = 0
    options: Annotated[list[str], Field(description="What can be done instead.")] = []
    facts: Annotated[dict[str, Any], Field(description="What the decision rests on.")] = {}
