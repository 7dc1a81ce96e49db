"""A third party's generator makes a client from openapi.yaml, and the main story runs with it."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.premises import cloned
from tests.support.till import RawTill, new_rid
from tests.support.volley import taking
from tillkey.wire.request import ClockReading, Heartbeat, Move

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "generated_tillkey"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The generator's package, made from openapi.yaml as it stands, without a word of complaint."""
    folder = tmp_path_factory.mktemp("generated")
    command = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--meta", "none"]
    done = subprocess.run(
        [*command, "--path", ROOT / "openapi.yaml", "--output-path", folder / PACKAGE],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


class Caller:
    """The generated client's functions and models, by their names."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def ask(self, tag: str, name: str, *arguments: Any, **named: Any) -> Any:
        module = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
        return module.sync_detailed(*arguments, client=self.client, **named)

    @staticmethod
    def model(name: str, members: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name).from_dict(members)


@pytest.fixture
def shop(databases, tmp_path_factory):
    with cloned("postgresql", databases, tmp_path_factory) as premises, premises.installation.serving() as server:
        made = premises.installation.command("api-key", "create", "--name", "generated", "--role", "supervisor")
        seller = premises.installation.command("api-key", "create", "--name", "shop", "--role", "integration")
        yield premises, server, made["api_key"], seller["api_key"]


def test_the_main_story_runs_with_a_generated_client(generated, shop) -> None:
    premises, server, agents_key, shops_key = shop
    with (
        generated.AuthenticatedClient(server.url, token=shops_key, raise_on_unexpected_status=True) as shops,
        generated.AuthenticatedClient(server.url, token=agents_key, raise_on_unexpected_status=True) as agents,
        httpx.Client() as http,
    ):
        _story(premises, Caller(shops), Caller(agents), http)


def _story(premises: Any, seller: Caller, agent: Caller, http: Any) -> None:
    order = {"number": "G-1", "customer": "owner@shop.example", "lines": [{"product": "pos-core"}]}
    placed = seller.ask("orders", "place_order", body=Caller.model("PlaceOrder", order), idempotency_key="g-1").parsed
    license_id, key = placed.licenses[0].license_id, placed.licenses[0].license_key

    staging, production = (RawTill(http, premises.keyset) for _ in range(2))

    def send(till: RawTill, name: str, body: Any, *place: str) -> Any:
        rid = new_rid()
        signed = Caller.model("SignedRequest", {"request": till.sign(body, rid=rid)})
        answer = seller.ask("activations", name, *place, body=signed)
        return till.read(
            httpx.Response(int(answer.status_code), headers=answer.headers, content=answer.content), rid=rid
        )

    assert send(staging, "activate", taking(staging, key, environment="staging")).status == 201
    held = staging.held
    moved = send(staging, "move", Move(held.sub, held.nonce, "production"), held.sub)
    assert send(production, "activate", taking(production, key, move_ticket=moved.ticket)).status == 201
    held = production.held
    clock = ClockReading(held.iat, 1000, "boot-1")
    beat = Heartbeat(held.sub, held.nonce, held.seq, production.fingerprint, "1.0", clock)
    assert send(production, "heartbeat", beat, held.sub).granted.seq == 2

    reason = Caller.model("ForceDeactivate", {"reason": "the machine burned down", "confirm": True})
    freed = agent.ask("activations", "force_deactivate", held.sub, body=reason).parsed
    assert str(freed.license_id) == str(license_id)
    third = RawTill(http, premises.keyset)
    assert send(third, "activate", taking(third, key)).status == 201
    told = agent.ask("licenses", "explain_license", license_id)
    assert int(told.status_code) == 200
    assert b"forced_deactivation_granted" in told.content
