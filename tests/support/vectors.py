"""The golden vectors as tests read them, and the till on paper that asked for what they answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts.golden.documents import ACTIVATION, ISSUER, NOW, keysets, seed, token
from tillkey import session, trust
from tillkey.effects import Draw, Fetch, Flow, Outcome, Reply, Save, Send
from tillkey.exchange import Exchange, Machine
from tillkey.state import Chain, State
from tillkey.timeline import TimeMemory
from tillkey.wire import strict_json
from tillkey.wire.answers import open_lease, open_statement
from tillkey.wire.keyset import step
from tillkey.wire.request import ClockReading, open_request

FOLDER = Path(__file__).parents[1] / "vectors"
PROBLEM = "application/problem+json"
_HELD = keysets()["v1"]

READERS: dict[str, Callable[[str], object]] = {
    "request": lambda text: open_request(text, aud=ISSUER),
    "lease": lambda text: open_lease(text, _HELD),
    "statement": lambda text: open_statement(text, _HELD),
    "keyset": lambda text: step(_HELD, text),
}
"""Who reads each kind of bad document, holding the first keyset."""


def read(name: str) -> list[dict[str, Any]]:
    """Return the vectors of a file."""
    made: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text("ascii"))
    return made


def bad_documents(*kinds: str, reader: str | None = None) -> list[dict[str, Any]]:
    """Return the bad documents of these kinds, or those of one reader."""
    return [
        vector for vector in read("bad_documents") if vector["kind"] in kinds and reader in {None, vector["reader"]}
    ]


def good(kind: str, name: str) -> str:
    """Return the good document that a bad one was."""
    file = {"request": "requests", "keyset": "keysets"}.get(kind, "answers")
    text: str = next(vector["text"] for vector in read(file) if vector["name"] == name)
    return text


def answer(kind: str, text: str) -> Reply:
    """Return the answer over HTTP that carries a lease, or a statement."""
    if kind == "lease":
        return Reply(200, "application/json", strict_json.dumps({"lease": text}))
    problem = {"code": "license_revoked", "detail": "It was revoked.", "statement": text}
    return Reply(403, PROBLEM, strict_json.dumps(problem))


class GoldenTill:
    """The till `till-1`: it holds step 7, and its heartbeat's `rid` is the one that the golden answers are for."""

    def __init__(self) -> None:
        pin = trust.pinned(good("keyset", "v1"))
        state = State(
            "pos",
            ISSUER,
            seed=seed("till-1"),
            chain=Chain(ACTIVATION, 7, token("nonce 7"), token("heartbeat of step 7")),
            environment="production",
            keysets=pin.texts,
            memory=TimeMemory(),
        )
        self.exchange = Exchange(state, pin, Machine("2.4.1", {}))
        self.asked: State | None = None

    @property
    def state(self) -> State:
        """What the state file holds."""
        return self.exchange.state

    def beat(self, reply: Reply, keyset: Reply | None = None) -> Outcome:
        """Send one heartbeat and get that answer; `keyset` is what the server gives for the next keyset."""
        flow: Flow = session.heartbeat(self.exchange)
        result: object = None
        while True:
            try:
                effect = flow.send(result)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            result = None
            if isinstance(effect, Send):
                # What a lost request leaves behind: all that the answer may change is compared with this.
                self.asked = self.asked or self.state
                result = reply
            elif isinstance(effect, Fetch):
                result = keyset or Reply(404, PROBLEM, b'{"code":"not_found"}')
            elif isinstance(effect, Draw):
                result = seed("heartbeat")[: effect.count]
            elif not isinstance(effect, Save):
                result = ClockReading(NOW + 60, 4711, "8c9f1e6a-0001")

    def unchanged(self) -> bool:
        """Tell whether the state is what it was when the request left, but for the request itself."""
        assert self.asked is not None, "nothing was asked"
        return replace(self.state, pending=None) == replace(self.asked, pending=None)
