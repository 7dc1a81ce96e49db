"""What bodies, queries and answers of the administration are made of.

Input is closed and strict: an unknown member, a text where a number belongs, or a time without a zone is refused by its
name. Answers are closed too, so that what is answered and what openapi.yaml says cannot drift apart.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from tillkey_server.clock import from_text
from tillkey_server.errors import BadInput
from tillkey_server.money import parse
from tillkey_server.usecases.paging import DEFAULT_LIMIT, MAX_LIMIT, MAX_WORD

MAX_REASON = 2000
MAX_TEXT = 255


def _moment(value: object) -> datetime:
    """Read a time; a number would be a guess at its unit."""
    return from_text(value if isinstance(value, str) else "")


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


def _price(value: str) -> str:
    try:
        parse(value)
    except BadInput as error:
        raise ValueError(error.detail) from error
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    Field(description="A time with its zone, as 2026-01-31T15:00:00Z (RFC 3339)."),
]
Line = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_one_line)]
Reason = Annotated[
    str, Field(min_length=1, max_length=MAX_REASON, description="Why; in the audit log for good: name nobody.")
]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_one_line)]
Price = Annotated[str, Field(max_length=32), AfterValidator(_price)]
"""An amount with its currency, as `49.90 EUR`."""
PolicyName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="The name of the vendor's terms.")]
ProductCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Time = Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]
"""A time in an answer; null: it has not happened, or there is no end."""
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Facts = Annotated[dict[str, Any], Field(description="What the decision rests on.")]
Clauses = Annotated[list[str], Field(description="The clauses of the vendor's terms that were followed.")]


class Input(BaseModel):
    """What a caller sends: closed and strict."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """What a caller asks for in the address: closed; everything is a text there, so numbers are read from texts."""

    model_config = ConfigDict(extra="forbid")


Severity = Literal["severe", "data_integrity", "minor"]
"""How bad a defect is that a hotfix mends."""
Language = Annotated[Literal["en", "fr", "it"], Field(description="The language of the sentences.")]


class Spoken(Query):
    """In which language people are told."""

    language: Language = "en"


class Listing(Query):
    """Which page of a list."""

    after: Annotated[
        str | None,
        Field(description="The `next` of the page before.", max_length=MAX_WORD, pattern=r"^[A-Za-z0-9_-]*$"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most.")] = DEFAULT_LIMIT
    sort: Annotated[
        str | None, Field(description="The order: a name, with - before it for the reverse.", max_length=64)
    ] = None


class Answer(BaseModel):
    """What is answered: closed."""

    model_config = ConfigDict(extra="forbid")


class PolicyNamed(Answer):
    """Which version of which terms."""

    name: str
    version: int


class Decided(Answer):
    """A decision that was carried out: what was decided, by which clauses of which terms, on which facts (K-08).

    `decision` is allow, deny or pend (a person or a further fact decides).
    """

    decision: Literal["allow", "deny", "pend"]
    code: str
    clauses: Clauses
    policy: PolicyNamed
    evaluated_at: Time
    facts: Facts


class Answered(Decided):
    """The answer to a question about the terms.

    `retry_at` is when it is worth asking again, `options` are what can be done instead.
    """

    retry_at: Time
    options: list[str]
    words: str


UUIDs = Annotated[list[UUID], Field(min_length=1, max_length=100)]
