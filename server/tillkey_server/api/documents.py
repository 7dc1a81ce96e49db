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
