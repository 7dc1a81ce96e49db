"""The parts of the OpenAPI document that FastAPI cannot derive from routes that read their own bodies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from tillkey_server.api import documents, problems

TITLE = "Tillkey"
VERSION = "1.0.0"
DESCRIPTION = """\
Licenses for point-of-sale systems and shop add-ons.

A till's request is one signed document and so is the answer; HTTP only carries them. Every refusal is problem details
(RFC 9457) with a `code` from a closed list, the clauses of the vendor's terms that it follows and, where the till may
believe it, a signed `statement`. An unsigned refusal changes nothing for a till.
"""
API_KEY = "ApiKey"
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")

_named: dict[str, type[BaseModel]] = {}

_JSON = "application/json"
_MEDIA_TYPE = "x-media-type"
_COMPONENT = "#/components/schemas/{model}"
Responses = dict[int | str, dict[str, Any]]


def named_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the request body of a route that reads a JSON object of that shape, which gets a name in the document."""
    _named[model.__name__] = model
    schema = {"$ref": _COMPONENT.format(model=model.__name__)}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def place(name: str) -> dict[str, Any]:
    """Return the parameter for a place in an address; ids are UUIDs, codes are texts."""
    schema = {"type": "string", "format": "uuid"} if name.endswith("_id") else {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def parameters_of(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the parameters of a query of that shape; none is required."""
    described = []
    for name, schema in model.model_json_schema()["properties"].items():
        plain = _without_null(schema)
        described.append(
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": plain.pop("description", name),
                "schema": plain,
            }
        )
    return described


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter's schema: one that is left out is absent, and null is no text."""
    kept = {name: member for name, member in schema.items() if name not in {"anyOf", "default", "title"}}
    for one in schema.get("anyOf", []):
        if one != {"type": "null"}:
            kept |= one
    return kept


def success(
    status: int, model: type[BaseModel], description: str, *, media_type: str = _JSON, **more: Any
) -> Responses:
    """Return one successful response; `media_type` is JSON's unless it is a kind of JSON with a name of its own."""
    described = {"model": model, "description": description, **more}
    if media_type != _JSON:
        # FastAPI knows one media type for all answers of a route; `_finish` puts this one in its place.
        described[_MEDIA_TYPE] = media_type
    return {status: described}


def refusals(*codes: str) -> Responses:
    """Return the problem responses of a route from the codes that it gives; a defect can befall every one."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, problems.INTERNAL_ERROR)):
        by_status.setdefault(problems.kind_of(code).status, []).append(str(code))
    found: Responses = {}
    for status, listed in sorted(by_status.items()):
        found[status] = {"model": documents.Problem, "description": f"Refused: {_listed(listed)}."}
        if status in {429, 503}:
            found[status]["headers"] = {"Retry-After": _header("Seconds to wait.", {"type": "integer"})}
    return found


def cacheable() -> dict[str, Any]:
    """Return the headers of a document that may be kept and asked for again with If-None-Match."""
    return {
        "ETag": _header("The document's version; send it back as If-None-Match.", {"type": "string"}),
        "Cache-Control": _header("How long it may be kept.", {"type": "string"}),
    }


def install(app: FastAPI) -> None:
    """Make the application serve its finished document; it is built once."""

    def finished() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes)
            app.openapi_schema = _finish(document)
        return app.openapi_schema

    # FastAPI's documented way to extend the document.
    app.openapi = finished  # type: ignore[method-assign]


def _finish(document: dict[str, Any]) -> dict[str, Any]:
    """Give problems their media type, and take out the framework's own 422, which no route gives."""
    for operation in _operations(document):
        for status, response in list(operation["responses"].items()):
            if "HTTPValidationError" in str(response.get("content")):
                del operation["responses"][status]
            content = response.get("content", {})
            named = response.pop(_MEDIA_TYPE, None)
            if _JSON in content and status[0] in "45" and _is_problem(content[_JSON]):
                named = problems.MEDIA_TYPE
            if named is not None:
                response["content"] = {named: content[_JSON]}
    schemas = document["components"]["schemas"]
    for name, model in sorted(_named.items()):
        described = model.model_json_schema(ref_template=_COMPONENT)
        schemas |= described.pop("$defs", {})
        schemas[name] = described
    document["components"]["securitySchemes"] = {
        API_KEY: {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, made with `tillkey-server api-key create`.",
        }
    }
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    members = schemas["Problem"]["properties"]
    members["code"]["enum"] = problems.codes()
    for described in members.values():
        # A member that is not required is absent where there is nothing to say; it has no default.
        described.pop("default", None)
    return document


def _operations(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for item in document["paths"].values():
        yield from item.values()


def _is_problem(media: dict[str, Any]) -> bool:
    return bool(media.get("schema", {}).get("$ref", "").endswith("/Problem"))


def _listed(codes: list[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


def _header(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "schema": schema}
