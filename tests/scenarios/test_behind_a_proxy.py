"""Behind a proxy that the operator trusts, limits count by the sender that it names."""

from pathlib import Path

from tests.support.server import Installation
from tillkey_server.rules.rate import LICENSE_KEY_GUESSES

QUESTION = {"license_key": "POS-00000-00000-00000-00000-0000000", "product": "pos-core"}
ASKED = LICENSE_KEY_GUESSES.burst * 2


async def asked(installation: Installation, headers: list[dict[str, str]]) -> set[int]:
    """Ask once with each of the headers, and return which statuses were answered."""
    with installation.serving() as server:
        async with server.client() as http:
            return {(await http.post("/v1/licenses/check", json=QUESTION, headers=one)).status_code for one in headers}


async def test_behind_a_trusted_proxy_each_sender_has_a_limit_of_its_own(tmp_path: Path):
    installation = Installation(
        tmp_path / "data", environment={"TILLKEY_TRUSTED_PROXIES": "127.0.0.0/8"}, warm=True
    ).init()
    many = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(ASKED)]
    assert await asked(installation, many) == {200}
    assert await asked(installation, [{"Forwarded": "for=203.0.113.1"}] * ASKED) == {200, 429}
