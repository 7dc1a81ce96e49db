"""The same raw requests to the fake server and to the real one, and what each of them said, made comparable.

Times are compared as they are, since both clocks stand at the same instant. Ids, nonces and tickets are drawn by each
server for itself: they become labels in the order in which they first appear, so that what names the same thing twice
in one world has to do so in the other.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from tests.support.proxy import claims_of
from tests.support.till import RawTill, Reply, seed_of
from tests.support.worlds import World
from tillkey.wire import b64
from tillkey.wire.keyset import open_keyset

_JWS = re.compile(r"[A-Za-z0-9_-]{40,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}\Z")
_DRAWN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z|[A-Za-z0-9_-]{22}\Z|MOVE(-[0-9A-Z]{5,7}){5}\Z")
_HEADERS = ("content-type", "cache-control", "retry-after", "allow")


class Told:
    """Everything that one world said in one story; `http` reaches it, `world` is worked by name."""

    def __init__(self, world: World, http: httpx.AsyncClient) -> None:
        self.world = world
        self.http = http
        self.keyset = open_keyset(world.keyset)
        self.heard: list[httpx.Response] = []

    def till(self, name: str = "till", **options: Any) -> RawTill:
        """Return a till whose key is the same in both worlds."""
        return _Listening(self, name, **options)

    async def ask(self, method: str, path: str, **options: Any) -> None:
        """Send what no till would."""
        self.heard.append(await self.http.request(method, path, **options))

    def plain(self) -> list[str]:
        """Return what was said, comparable, as text that shows well where it differs."""
        labels: dict[str, str] = {}
        said = enumerate(_plain(response, labels) for response in self.heard)
        return [json.dumps({"number": number, **one}, indent=1, sort_keys=True) for number, one in said]

    @property
    def codes(self) -> set[str]:
        """Return the refusals that were heard."""
        return {str(response.json()["code"]) for response in self.heard if response.status_code >= 400}


class _Listening(RawTill):
    def __init__(self, told: Told, name: str, **options: Any) -> None:
        super().__init__(told.http, told.keyset, seed=seed_of(name), **{"machine": name, **options})
        self._told = told

    def read(self, response: httpx.Response, *, rid: str) -> Reply:
        self._told.heard.append(response)
        return super().read(response, rid=rid)


def _plain(response: httpx.Response, labels: dict[str, str]) -> dict[str, Any]:
    headers = {name: response.headers.get(name) for name in _HEADERS}
    body = response.json() if "json" in str(headers["content-type"]) else response.text
    return {"status": response.status_code, "headers": headers, "body": _labelled(body, labels)}


def _labelled(value: Any, labels: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _labelled(value[name], labels) for name in sorted(value)}
    if isinstance(value, list):
        return [_labelled(member, labels) for member in value]
    if not isinstance(value, str):
        return value
    if _JWS.match(value):
        header = json.loads(b64.decode(value.split(".", maxsplit=1)[0]))
        return {"typ": header["typ"], "members": sorted(header), "claims": _labelled(claims_of(value), labels)}
    return labels.setdefault(value, f"drawn {len(labels)}") if _DRAWN.match(value) else value
