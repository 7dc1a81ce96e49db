"""What is not an answer of a use case: unknown addresses, other methods, defects, an unreachable database."""

import io
import json
import logging
from dataclasses import replace

import httpx
import pytest

from tests.support.till import PROBLEM
from tillkey_server.api import health, keysets, licenses, logs
from tillkey_server.app import create_app
from tillkey_server.errors import BrokenInvariant, Unavailable
from tillkey_server.settings import Settings

SECRET = "POS-7XK2M-owner@shop.example"
# Nothing tells by its look that this is a customer's.
NAME = "Corner Shop"
MESSAGE = f"{NAME}: {SECRET}"


@pytest.fixture
def log_lines():
    """Collect this process's log as `serve` would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root = logging.getLogger("tillkey_server")
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/activations/", "/docs", "/redoc", "/v1/activations/x/y", "/%00"])
async def test_an_unknown_address_is_not_found(bare_http, path):
    response = await bare_http.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == PROBLEM
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize(
    "method, path, allowed",
    [("GET", "/v1/licenses/check", "POST"), ("DELETE", "/v1/keyset", "GET"), ("POST", "/healthz", "GET")],
)
async def test_another_method_is_refused_with_those_that_are_allowed(bare_http, method, path, allowed):
    response = await bare_http.request(method, path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == allowed


async def test_head_answers_as_get_does(bare_http):
    response = await bare_http.head("/healthz")
    assert response.status_code == 200
    assert (await bare_http.head("/v1/licenses/check")).status_code == 405


@pytest.mark.parametrize("error", [RuntimeError(MESSAGE), BrokenInvariant(MESSAGE), KeyError(MESSAGE)])
async def test_a_defect_tells_the_caller_a_number_and_the_log_where_but_nobody_the_secret(
    bare_http, monkeypatch, log_lines, error
):
    async def broken(*_arguments):
        raise error

    monkeypatch.setattr(licenses, "check", broken)
    response = await bare_http.post("/v1/licenses/check", json={"license_key": SECRET, "product": "pos-core"})
    assert response.status_code == 500
    assert response.headers["content-type"] == PROBLEM
    assert response.json()["code"] == "internal_error"
    number = response.json()["instance"]
    assert number.startswith("urn:uuid:")
    told = [line for line in log_lines() if line.get("instance") == number]
    assert len(told) == 1
    assert any("test_errors.py" in frame for frame in told[0]["exception"])
    for told_to_nobody in (SECRET, NAME):
        assert told_to_nobody not in response.text
        assert told_to_nobody not in json.dumps(log_lines())


async def test_an_unreachable_database_is_a_503_that_says_when_to_come_back(bare_http, monkeypatch, log_lines):
    async def unreachable(*_arguments):
        raise Unavailable("the database is unavailable (postgresql)")

    monkeypatch.setattr(licenses, "check", unreachable)
    response = await bare_http.post("/v1/licenses/check", json={"license_key": "x", "product": "pos-core"})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert "postgresql" not in response.text
    assert any("postgresql" in line["message"] for line in log_lines())


async def test_every_request_is_one_log_line_without_its_query_and_its_body(bare_http, log_lines):
    await bare_http.post(
        "/v1/activations/0192/heartbeat?license_key=" + SECRET, json={"request": SECRET}, headers={"X-Secret": SECRET}
    )
    lines = [line for line in log_lines() if line["message"] == "request"]
    assert len(lines) == 1
    assert lines[0]["route"] == "/v1/activations/{activation_id}/heartbeat"
    assert (lines[0]["method"], lines[0]["status"], lines[0]["code"]) == ("POST", 400, "malformed")
    assert lines[0]["ms"] >= 0
    assert SECRET not in json.dumps(log_lines())


async def test_an_app_that_opens_its_own_services_closes_them(services, monkeypatch):
    app = create_app(services.settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tillkey.test") as http:
            assert (await http.get("/readyz")).json()["ready"] is True


async def test_the_openapi_document_is_served(bare_http):
    served = (await bare_http.get("/openapi.json")).json()
    assert served["paths"].keys() >= {"/v1/activations", "/readyz"}


async def test_readiness_names_each_need_with_its_state(http, services):
    response = await http.get("/readyz")
    assert response.status_code == 200
    assert response.json()["ready"] is True
    assert [check["name"] for check in response.json()["checks"]] == ["migrated", "keys", "database"]
    assert all(check["ok"] and check["detail"] for check in response.json()["checks"])


async def test_a_server_whose_database_is_gone_is_alive_and_not_ready(http, services, monkeypatch, tmp_path):
    gone = replace(services, settings=Settings.load(tmp_path / "nowhere", {}))
    monkeypatch.setattr(health, "services_of", lambda _request: gone)
    response = await http.get("/readyz")
    assert response.status_code == 503
    checks = {check["name"]: check for check in response.json()["checks"]}
    assert response.json()["ready"] is False
    assert not checks["migrated"]["ok"]
    assert "tillkey-server migrate" in checks["migrated"]["detail"]
    assert (await http.get("/healthz")).json() == {"status": "alive"}


@pytest.mark.parametrize("path", ["/v1/keyset", "/v1/keyset/1", "/.well-known/jwks.json"])
async def test_public_keys_are_kept_by_caches_and_asked_for_again_by_etag(bare_http, path):
    first = await bare_http.get(path)
    assert first.status_code == 200
    assert "public" in first.headers["cache-control"]
    etag = first.headers["etag"]
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await bare_http.get(path, headers={"If-None-Match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert (await bare_http.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


async def test_the_keyset_is_the_one_that_tills_are_shipped_with(bare_http, bare):
    text = bare.settings.keyset_path.read_text("ascii")
    for path in ("/v1/keyset", "/v1/keyset/1"):
        response = await bare_http.get(path)
        assert response.text == text
        assert response.headers["content-type"] == keysets.JOSE_JSON


@pytest.mark.parametrize("version", ["0", "2", "01", "-1", "x", "1e3", "9" * 400, "%31%00", "\uff11"])
async def test_a_version_that_is_none_is_not_found(bare_http, version):
    response = await bare_http.get(f"/v1/keyset/{version}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_the_jwks_holds_the_public_halves_of_the_online_keys(bare_http, bare):
    response = await bare_http.get("/.well-known/jwks.json")
    assert response.headers["content-type"] == keysets.JWK_SET
    keys = response.json()["keys"]
    assert [key["kid"] for key in keys] == [online.key.thumbprint for online in bare.keyring.keyset.keys]
    assert all(set(key) == {"kty", "crv", "x", "kid", "alg", "use"} for key in keys)
