"""What a command changes, a running server does within five seconds, here: at once, since both read the same rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import Installation, Serving
from tests.support.store import migrated
from tests.support.till import RawTill
from tillkey_server.policies.loader import bundled_policies


@pytest.fixture(params=["sqlite", "postgresql"])
def premises(request: pytest.FixtureRequest, fresh_database: Callable[..., str], tmp_path: Path):
    """A server that runs before anything is sold."""
    installation = Installation(
        tmp_path / "data", database_url=fresh_database(request.param, migrated), warm=True
    ).init()
    with installation.serving() as server:
        yield installation, server


def own_policy(folder: Path) -> None:
    """Write a vendor's own terms: the default's, with staging in a slot of its own."""
    folder.mkdir()
    source = bundled_policies()["default"].source
    changed = source.replace('name = "default"', 'name = "house"').replace(
        "staging_exempt = false", "staging_exempt = true"
    )
    assert changed.count("house") == 1
    (folder / "house.toml").write_text(changed, "utf-8")


@pytest.mark.clause("K-09")
async def test_a_policy_and_a_product_added_by_a_command_rule_a_running_server(premises: tuple[Installation, Serving]):
    installation, server = premises
    own_policy(installation.data_dir / "policies")
    words = ("pos-new", "--name", "New", "--key-prefix", "NEW", "--policy", "house", "--price", "10.00 EUR")
    installation.command("product", "add", *words)
    key = installation.issue("pos-new").license_key
    async with server.client() as http:
        staging = RawTill(http, installation.keyset, product="pos-new")
        production = RawTill(http, installation.keyset, product="pos-new")
        assert (await staging.activate(key, environment="staging")).granted.policy_name == "house"
        assert (await production.activate(key)).status == 201


@pytest.mark.clause("K-13")
async def test_a_suspension_by_a_command_meets_the_next_heartbeat(premises: tuple[Installation, Serving]):
    installation, server = premises
    sold = installation.issue()
    async with server.client() as http:
        till = RawTill(http, installation.keyset)
        await till.activate(sold.license_key)
        installation.command("license", "suspend", sold.license_id, "--reason", "unpaid")
        assert (await till.heartbeat()).code == "license_suspended"
        installation.command("license", "resume", sold.license_id, "--reason", "paid")
        assert (await till.heartbeat()).status == 200
