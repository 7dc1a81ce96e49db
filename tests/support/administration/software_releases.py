"""Valid requests about software releases, updates and downloads."""

from typing import Any
from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.administration.licenses import CONCERNS, licensed
from tillkey_server.rules.update_policy import ReleaseKind
from tillkey_server.usecases.software_release import Publication, publish
from tillkey_server.usecases.update import Asked, GrantedDownload, grant_download

SHA256 = "ab" * 32
RELEASE = {"version": "2.1.0", "kind": "feature", "sha256": SHA256, "size": 1024, "url": "https://files.example/2.1.0"}


async def published(shelf: Shelf, version: str = "1.0") -> str:
    """Publish a release of the shelf's product and return its id."""
    what = Publication(version, ReleaseKind.FEATURE, SHA256, 1024, f"https://files.example/{version}")
    done: Any = await publish(shelf.house.services, shelf.product, what, actor="cli:test")
    return str(done.shown["id"])


async def _publish(shelf: Shelf) -> Example:
    reported = {"license_id": await licensed(shelf), "reported_at": "2026-03-01T10:00:00Z"}
    body = {**RELEASE, "platform_min": "8.0", "platform_max": "8.1", "notes": "Faster.", "fixes": [reported]}
    place = {"product_code": shelf.product}
    return Example(place, body, missing={"product_code": "nothing"}, concerns=("product",))


async def _withdraw(shelf: Shelf) -> Example:
    place = {"release_id": await published(shelf)}
    return Example(place, {"reason": "it loses sales"}, missing={"release_id": NOBODY}, concerns=("product",))


async def _list(shelf: Shelf) -> Example:
    await published(shelf)
    return Example(query={"product": shelf.product})


async def _asked(shelf: Shelf) -> Example:
    await published(shelf)
    body = {"version": "1.0", "platform_version": "8.1.2", "installed_version": "0.9", "site": "shop.example"}
    return Example({"license_id": await licensed(shelf)}, body, missing={"license_id": NOBODY}, concerns=CONCERNS)


async def _offered(shelf: Shelf) -> Example:
    await published(shelf)
    body = {"version": "1.0", "requested_at": "2026-03-02T10:00:00Z", "paid": False}
    return Example({"license_id": await licensed(shelf)}, body, missing={"license_id": NOBODY}, concerns=CONCERNS)


async def _download(shelf: Shelf) -> Example:
    await published(shelf)
    body = {"version": "1.0", "platform_version": "8.1.2", "site": "shop.example"}
    return Example({"license_id": await licensed(shelf)}, body, missing={"license_id": NOBODY}, concerns=CONCERNS)


async def _redeem(shelf: Shelf) -> Example:
    await published(shelf, "1.0")
    license_id = UUID(await licensed(shelf))
    granted = await grant_download(shelf.house.services, license_id, Asked(), version="1.0", actor="cli:test")
    assert isinstance(granted, GrantedDownload)
    return Example(body={"grant": granted.grant})


EXAMPLES: dict[str, Make] = {
    "publish_release": _publish,
    "withdraw_release": _withdraw,
    "list_releases": _list,
    "preview_updates": _asked,
    "preview_update_offer": _offered,
    "grant_download": _download,
    "redeem_download": _redeem,
}
