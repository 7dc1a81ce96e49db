"""Valid requests about renewals, terms and automatic renewals."""

from uuid import UUID

from tests.support.administration.example import NOBODY, Example, Make, Shelf
from tests.support.administration.licenses import CONCERNS, about, licensed
from tillkey_server.ids import new_token
from tillkey_server.usecases.subscription import cancel_subscription, start_subscription


async def _renew(shelf: Shelf) -> Example:
    place = {"license_id": await licensed(shelf)}
    body = {"channel": "shop", "number": new_token(), "amount": "59.60 EUR"}
    return Example(place, body=body, missing={"license_id": NOBODY}, concerns=CONCERNS)


def _subscribed(*, cancelled: bool) -> Make:
    async def make(shelf: Shelf) -> Example:
        sold = await licensed(shelf)
        services = shelf.house.services
        await start_subscription(services, UUID(sold), months=12, channel="shop", actor="cli:test")
        if cancelled:
            await cancel_subscription(services, UUID(sold), actor="cli:test")
        return Example({"license_id": sold}, body={}, missing={"license_id": NOBODY}, concerns=CONCERNS)

    return make


EXAMPLES: dict[str, Make] = {
    "preview_renewal": about({}),
    "renew_license": _renew,
    "get_license_terms": about(),
    "get_license_care": about(),
    "start_subscription": about({"months": 12, "channel": "shop"}),
    "get_subscription": about(),
    "cancel_subscription": _subscribed(cancelled=False),
    "resume_subscription": _subscribed(cancelled=True),
}
