"""Reading a body or a query into its shape, and saying by name what is wrong with it."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from tillkey_server.api.administration.shapes import Input, Query
from tillkey_server.api.bodies import read_json
from tillkey_server.api.responses import Refused
from tillkey_server.rules.decision import Refusal

_SHOWN = 5
_MAX_NAME = 40
Shape = TypeVar("Shape", bound=BaseModel)


async def read_body(request: Request, shape: type[Input]) -> tuple[Input, bytes]:
    """Return the body in its shape, and its bytes. Raises `Refused` (400, 408, 413), naming every wrong member."""
    raw, document = await read_json(request)
    if not isinstance(document, dict):
        raise Refused(Refusal.MALFORMED, "body: must be an object")
    # Read again by pydantic, which in strict mode takes a time or an id from JSON's text and from no other text.
    return _shaped(shape, "body", json=raw), raw


def read_query(request: Request, shape: type[Query]) -> Query:
    """Return the query in its shape. Raises `Refused` (400), naming every wrong parameter."""
    pairs = request.query_params.multi_items()
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise Refused(Refusal.MALFORMED, f"query.{_told(twice[0])}: is there twice")
    if any("\0" in name + text for name, text in pairs):
        raise Refused(Refusal.MALFORMED, "query: has a NUL")
    return _shaped(shape, "query", plain=dict(pairs))


def refuse_query(request: Request) -> None:
    """Raise `Refused` where an endpoint that takes no query is given one."""
    if request.query_params:
        raise Refused(Refusal.MALFORMED, f"query.{_told(next(iter(request.query_params)))}: is unknown here")


def _shaped(shape: type[Shape], place: str, *, json: bytes | None = None, plain: dict[str, str] | None = None) -> Shape:
    try:
        return shape.model_validate(plain) if json is None else shape.model_validate_json(json)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        told = [_complaint(place, one, shape) for one in found[:_SHOWN]]
        raise Refused(Refusal.MALFORMED, "; ".join(told)) from None


def _complaint(place: str, found: Any, shape: type[BaseModel]) -> str:
    where = ".".join([place, *(_told(part) for part in found["loc"])])
    if found["type"] == "extra_forbidden":
        return f"{where}: is unknown; known are {', '.join(shape.model_fields)}"
    if found["type"] == "missing":
        return f"{where}: is missing"
    text = str(found["msg"]).removeprefix("Value error, ")
    return f"{where}: {text[:1].lower()}{text[1:]}"


def _told(part: object) -> str:
    """Return the name of a place; a caller's own name is cut and tamed, since it comes back to a screen."""
    text = str(part)[:_MAX_NAME]
    return text if text.isprintable() else "?"
