"""Releases and downloads where several servers are asked at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.money import Money
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.usecases import software_release, update
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.catalogue import add_product
from tillkey_server.usecases.license import issue
from tillkey_server.usecases.services import open_services
from tillkey_server.usecases.software_release import Publication
from tillkey_server.usecases.update import Asked

FEW = (
    bundled_policies()["default"]
    .source.replace('name = "default"', 'name = "few"')
    .replace('downloads_per_license = "no_end"  ', "downloads_per_license = 2  ")
)


def release(version="1.0", **more):
    told = {"kind": ReleaseKind.FEATURE, "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x"}
    return Publication(version, **(told | more))


@pytest.fixture
async def servers(house):
    """Two servers on one database, whose vendor gives two downloads to a license."""
    (house.services.settings.policies_dir / "few.toml").write_text(FEW, "utf-8")
    opened = [await open_services(house.services.settings, house.clock) for _ in range(2)]
    await add_product(opened[0], code="few", name="Few", key_prefix="FEW", policy="few", price=Money(0, "EUR"))
    yield opened
    for one in opened:
        await one.close()


@pytest.mark.clause("NX-51", "K-11")
async def test_two_servers_asked_at_once_give_no_download_more_than_the_terms_allow(servers):
    await software_release.publish(servers[0], "few", release(), actor="cli:test")
    issued = await issue(servers[0], product="few", customer_email="owner@shop.example", actor="cli:test")
    license_id = issued.licenses[0].license_id
    answers = await asyncio.gather(
        *[update.grant_download(one, license_id, Asked(), version="1.0", actor="cli:test") for one in servers * 3]
    )
    refused = [one.decision_code for one in answers if isinstance(one, RefusalAnswer)]
    assert refused == ["update_download_limit"] * 4
    servers[0].clock.turn(hours=2)
    again = await update.grant_download(servers[1], license_id, Asked(), version="1.0", actor="cli:test")
    assert not isinstance(again, RefusalAnswer), "a grant that was never used counts no more once it is over"


@pytest.mark.clause("NX-51")
async def test_what_is_free_for_all_uses_up_none_of_a_licenses_downloads(servers):
    await software_release.publish(servers[0], "few", release(), actor="cli:test")
    free = release("1.1", kind=ReleaseKind.SECURITY, always_free=True)
    await software_release.publish(servers[0], "few", free, actor="cli:test")
    issued = await issue(servers[0], product="few", customer_email="owner@shop.example", actor="cli:test")
    license_id = issued.licenses[0].license_id

    async def granted(version):
        done = await update.grant_download(servers[0], license_id, Asked(), version=version, actor="cli:test")
        return not isinstance(done, RefusalAnswer)

    assert [await granted(version) for version in ("1.1", "1.1", "1.0", "1.0", "1.0", "1.1")] == [
        *[True] * 4,
        False,
        True,
    ]


@pytest.mark.clause("K-10")
async def test_a_version_that_two_servers_publish_at_once_is_published_once(servers):
    answers = await asyncio.gather(
        *[software_release.publish(one, "few", release(), actor="cli:test") for one in servers * 3]
    )
    assert sorted(one.decision.code.value for one in answers) == [
        *["release_already_published"] * 5,
        "release_published",
    ]
    assert len({one.shown["id"] for one in answers}) == 1


async def test_what_no_release_can_be_is_refused_by_the_name_of_its_field(house):
    async def refused(field, product="pos-core", **more):
        with pytest.raises(BadInput) as caught:
            await software_release.publish(house.services, product, release(**more), actor="cli:test")
        assert caught.value.field == field

    await refused("version", version="one")
    await refused("sha256", sha256="AB" * 32)
    await refused("size", size=-1)
    await refused("url", url="https://files.example/x\n")
    await refused("platform_min", platform_min="x")
    await refused("platform_max", platform_min="8.1", platform_max="8.0")
    await refused("published_at", published_at=datetime(2027, 1, 1, tzinfo=UTC))
    sold = await house.license("pos-loyalty")
    at = house.clock.now()
    await refused("fixes", fixes=[(sold.license_id, at)])
    await refused("fixes", fixes=[(sold.license_id, at)] * 2)
    with pytest.raises(NotFound):
        await software_release.publish(house.services, "pos-core", release(fixes=[(new_id(), at)]), actor="cli:test")
    with pytest.raises(NotFound):
        await software_release.publish(house.services, "nothing", release(), actor="cli:test")
    wide = release(platform_min="8.1.3", platform_max="8.1")
    await software_release.publish(house.services, "pos-core", wide, actor="cli:test")
