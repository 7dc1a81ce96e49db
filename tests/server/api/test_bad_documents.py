"""Every bad document is refused by the HTTP interface for its own fault, with its code, and nothing is stored.

The server is the one that the golden vectors speak of: its keys, its issuer, the license and the till's activation at
step 7. Without its fault, each of the documents is granted there.
"""

import asyncio
import json
from dataclasses import replace
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from scripts.golden.documents import ACTIVATION, ISSUER, LICENSE, NOW, license_key, private, token
from tests.support.databases import DIALECTS
from tests.support.house import House, TurnedClock, furnished
from tests.support.vectors import bad_documents, good, read
from tillkey.wire.license_key import hint, normalize
from tillkey.wire.request import Activate, Project, sign_request
from tillkey_server.app import create_app
from tillkey_server.clock import from_epoch
from tillkey_server.money import Money
from tillkey_server.settings import Settings
from tillkey_server.signing.files import make_private_folder, write_new
from tillkey_server.signing.pepper import Pepper
from tillkey_server.store import licenses, tables
from tillkey_server.usecases import catalogue
from tillkey_server.usecases.services import open_services

PATHS = {vector["name"]: vector["path"] for vector in read("requests")}
STATUS = {"malformed": 400, "bad_signature": 401, "too_large": 413}
# The body that carries a request of 16 KiB is over 16 KiB itself.
PLACES = {"too_large": "body"}


def make_golden_keys(settings):
    """The server's files, of the golden keys: keyset 1 and its online key."""
    online, text = private("online-1"), good("keyset", "v1").encode()
    for folder in (settings.data_dir, settings.keysets_dir, settings.online_keys_dir):
        make_private_folder(folder)
    name = f"{online.public.thumbprint}.json"
    write_new(settings.online_keys_dir / name, json.dumps(online.jwk()).encode(), mode=0o600)
    write_new(settings.keysets_dir / "1.json", text, mode=0o644)
    write_new(settings.keyset_path, text, mode=0o644)
    Pepper.create(settings)


async def sell_the_golden_license(house):
    """A license of product `pos` with the golden id and key."""
    price = Money(5900, "EUR")
    await catalogue.add_product(
        house.services, code="pos", name="Till", key_prefix="POS", policy="default", price=price
    )
    sold = await house.license("pos")
    key = license_key("first")
    async with house.services.db.writing() as tx:
        row = await licenses.by_id(tx, UUID(str(sold.license_id)))
        mine = house.services.pepper.hash_key(normalize(key))
        await licenses.insert(
            tx, replace(row, id=UUID(LICENSE), position=row.position + 1, key_hash=mine, key_hint=hint(key))
        )


async def post(house, name, text):
    return await house.http.post(PATHS[name], json={"request": text})


async def bring_back_step_seven(house):
    """The golden lease is adopted, and its activation's chain set back to the step before it."""
    adopted = await post(house, "activate with the last lease", good("request", "activate with the last lease"))
    assert adopted.status_code == 201, adopted.text
    chain = tables.chain.c
    async with house.services.db.writing() as tx:
        await tx.execute(
            update(tables.chain)
            .where(chain.activation_id == UUID(ACTIVATION))
            .values(seq=7, nonce=token("nonce 7"), rid=token("step 7"))
        )
        await tx.execute(tables.lease.delete())


@pytest.fixture(params=DIALECTS)
async def house(request, fresh_database, tmp_path):
    url = await asyncio.to_thread(fresh_database, request.param, furnished)
    settings = Settings.load(tmp_path / "data", {"TILLKEY_DATABASE_URL": url})
    make_golden_keys(settings)
    services = await open_services(settings, TurnedClock(from_epoch(NOW + 60)))
    transport = httpx.ASGITransport(app=create_app(services))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://licenses.example") as http:
            opened = House(services, services.clock, http)
            await sell_the_golden_license(opened)
            await bring_back_step_seven(opened)
            yield opened
    finally:
        await services.close()


async def everything(house, *, but=()):
    """Every row of every table."""
    async with house.services.db.reading() as conn:
        return {
            table.name: sorted(str(row) for row in await conn.execute(select(table)))
            for table in tables.metadata.sorted_tables
            if table.name not in but
        }


def told(response):
    """Status, code and the place that is named."""
    problem = response.json()
    return response.status_code, problem["code"], problem["detail"].partition(": ")[0]


@pytest.mark.parametrize(
    "name", ["heartbeat", "move", "deactivate", "support", "a claim of a later version is ignored"]
)
async def test_the_good_request_is_granted(house, name):
    granted = await post(house, name, good("request", name))
    assert granted.status_code == 200, granted.text


async def test_the_good_activation_is_decided_by_the_rules(house):
    # It names another project than the one that holds the license: it was read, believed, decided and answered signed.
    name = "activate with the license key"
    answered = await post(house, name, good("request", name))
    assert (answered.status_code, answered.json()["code"]) == (409, "bound_to_other_project")
    assert "statement" in answered.json()


async def test_every_bad_request_is_refused_for_its_own_fault_and_nothing_is_stored(house):
    vectors = bad_documents("request")
    before = await everything(house)
    found = {v["name"]: told(await post(house, v["mended"], v["text"])) for v in vectors}
    assert found == {v["name"]: (STATUS[v["code"]], v["code"], PLACES.get(v["code"], v["field"])) for v in vectors}
    assert await everything(house) == before


async def test_no_answer_and_no_keyset_passes_for_a_request(house):
    before = await everything(house)
    for vector in (*bad_documents("lease", "statement", "keyset"), *read("answers"), *read("keysets")):
        refused = await post(house, "deactivate", vector["text"])
        assert told(refused)[:2] in {(400, "malformed"), (413, "too_large")}, vector["name"]
    assert await everything(house) == before


def rebind(text):
    """An `activate` that shows this text as its last lease."""
    body = Activate("pos", Project("Shop"), "production", {}, "2.4.1", lease=text)
    return sign_request(body, aud=ISSUER, rid=token("rebind"), keyset=1, iat=NOW, key=private("till-1"))


async def test_the_good_lease_rebinds(house):
    answered = await post(house, "activate with the license key", rebind(good("lease", "perpetual")))
    assert answered.status_code == 200, answered.text


async def test_no_bad_lease_rebinds_and_no_row_of_a_license_changes(house):
    vectors = bad_documents("lease", "statement", reader="anyone")
    texts = {vector["text"]: vector["name"] for vector in vectors if vector["text"] != good("lease", "perpetual")}
    before = await everything(house, but=("audit_event",))
    for text, name in texts.items():
        refused = await post(house, "activate with the license key", rebind(text))
        assert told(refused)[:2] in {(404, "license_invalid"), (400, "malformed")}, name
    assert await everything(house, but=("audit_event",)) == before


@pytest.mark.parametrize(
    ("address", "request_name", "field"),
    [
        ("/v1/activations", "deactivate", "request.op"),
        (PATHS["move"], "deactivate", "request.op"),
        (PATHS["deactivate"].replace(ACTIVATION, LICENSE), "deactivate", "request.activation"),
        (PATHS["deactivate"], "support", "request.op"),
        (PATHS["support"].replace(ACTIVATION, LICENSE), "support", "request.activation"),
        (PATHS["heartbeat"].replace(ACTIVATION, ACTIVATION.upper()), "heartbeat", "request.activation"),
    ],
)
async def test_a_good_request_at_another_address_is_malformed(house, address, request_name, field):
    refused = await house.http.post(address, json={"request": good("request", request_name)})
    assert told(refused) == (400, "malformed", field)
