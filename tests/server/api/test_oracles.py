"""Two implementations of JOSE by others believe what the server really answers, by the keys that it publishes."""

import json

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from tests.support.house import house  # noqa: F401 - fixture
from tests.support.jose import ask
from tillkey.wire.answers import LEASE_TYP, STATEMENT_TYP
from tillkey.wire.request import Activate, Project
from tillkey_server.clock import to_epoch


async def answered(house):  # noqa: F811
    """One of each: a lease, a lease with a ticket, a refusal's statement, a release's receipt."""
    key = await house.key()
    till, other = house.till(), house.till()
    granted = await till.activate(key)
    moved = await till.move("staging")
    refused = await other.activate(key)
    released = await till.deactivate()
    assert moved.ticket is not None
    return {
        "lease": granted.body["lease"],
        "lease with a ticket": moved.body["lease"],
        "statement of a refusal": refused.body["statement"],
        "statement of a release": released.body["statement"],
    }


@pytest.fixture
async def documents(house):  # noqa: F811
    return await answered(house)


@pytest.fixture
async def jwks(house):  # noqa: F811
    return (await house.http.get("/.well-known/jwks.json")).json()


async def test_joserfc_believes_them_by_the_published_keys(documents, jwks):
    keys = KeySet.import_key_set(jwks)
    read = {name: jws.deserialize_compact(text, keys, algorithms=["Ed25519"]) for name, text in documents.items()}
    types = {name: document.headers()["typ"] for name, document in read.items()}
    assert types == {name: LEASE_TYP if name.startswith("lease") else STATEMENT_TYP for name in documents}
    assert json.loads(read["statement of a refusal"].payload)["code"] == "license_in_use"


async def test_jose_believes_them_by_the_published_keys(house, documents, jwks):  # noqa: F811
    common = {"jwks": jwks, "issuer": house.keyset.issuer, "audience": "pos-core", "now": to_epoch(house.clock.now())}
    told = ask(
        [
            {
                "ask": name.split(" ")[0],
                "text": text,
                "typ": LEASE_TYP if name.startswith("lease") else STATEMENT_TYP,
                **common,
            }
            for name, text in documents.items()
        ]
    )
    refused = [name for name, answer in zip(documents, told, strict=True) if "refused" in answer]
    assert refused == []


async def test_jose_verifies_the_published_keyset_by_its_root(house):  # noqa: F811
    document = (await house.http.get("/v1/keyset")).json()
    roots = [{**root.jwk(), "kid": root.thumbprint} for root in house.keyset.roots]
    [told] = ask([{"ask": "keyset", "document": document, "roots": roots}])
    assert told["payload"]["version"] == house.keyset.version


async def test_jose_believes_what_a_till_asks(house):  # noqa: F811
    till = house.till()
    body = Activate("pos-core", Project("Corner Shop"), "production", till.fingerprint, "1.0", license_key="POS-1")
    text = till.sign(body, rid="A" * 21 + "Q")
    [told] = ask([{"ask": "request", "text": text, "typ": "tillkey-request+jwt"}])
    assert told["payload"]["op"] == "activate"
