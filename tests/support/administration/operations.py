"""The operations of the administration as openapi.yaml tells them, how one is asked for, and what it left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.administration.example import Example
from tillkey_server.rules.access import Permission

DOCUMENT = yaml.load((Path(__file__).parents[3] / "openapi.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)


@dataclass(frozen=True)
class Operation:
    """Where an operation is, and what the document says of it."""

    method: str
    path: str
    told: dict[str, Any]


OPERATIONS = {
    told["operationId"]: Operation(method.upper(), path, told)
    for path, item in DOCUMENT["paths"].items()
    for method, told in item.items()
    if "x-tillkey-permission" in told
}
NAMES = sorted(OPERATIONS)
WRITES = [name for name in NAMES if OPERATIONS[name].method != "GET"]
ADDRESSED = [name for name in NAMES if "{" in OPERATIONS[name].path]
LISTS = [name for name in NAMES if any(one["name"] == "limit" for one in OPERATIONS[name].told.get("parameters", []))]


def permission(name: str) -> Permission:
    """Return what a caller needs for an operation."""
    return Permission(OPERATIONS[name].told["x-tillkey-permission"])


def allowed(name: str) -> set[int]:
    """Return the statuses of success."""
    return {int(status) for status in OPERATIONS[name].told["responses"] if status.startswith("2")}


def shape(name: str) -> dict[str, Any]:
    """Return the schema of an operation's body."""
    schema = OPERATIONS[name].told["requestBody"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


async def ask(
    client: httpx.AsyncClient,
    name: str,
    example: Example,
    *,
    places: dict[str, str] | None = None,
    content: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Send an example, with other places in the address or another body where they are given."""
    operation = OPERATIONS[name]
    address = operation.path.format(**(example.path if places is None else places))
    body = json.dumps(example.body).encode() if content is None and example.body is not None else content
    kind = {} if body is None else {"Content-Type": "application/json"}
    return await client.request(
        operation.method, address, params=example.query, content=body, headers={**kind, **(headers or {})}
    )


async def send(client: httpx.AsyncClient, name: str, example: Example, places: dict[str, str]) -> int:
    """Send an example and return the status."""
    return (await ask(client, name, example, places=places)).status_code
