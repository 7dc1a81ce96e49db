"""What a decision has to be told of is in the outbox with it, and in no outbox when it is rolled back (law 5)."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.server.clauses.test_accounts import DONE, FRAUD, account
from tests.server.clauses.test_updates import publish
from tests.server.clauses.test_warranty import OWNER, claimed
from tests.support.callers import Callers
from tests.support.house import House
from tests.support.picture import picture
from tests.support.renewing import local, only_retired, renew, sell
from tillkey_server.rules.effect import Effect
from tillkey_server.store import outbox
from tillkey_server.usecases.late_payouts import tell_late_payouts
from tillkey_server.usecases.renewals_due import create_due
from tillkey_server.usecases.retirement import cancel_of_retired

CARE, SOLD = "prestashop-click-collect", "nexopos-multistore"
Act = Callable[[], Awaitable[Any]]
Story = Callable[[House, httpx.AsyncClient], Awaitable[tuple[Act, set[str]]]]


async def _fixed(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    """A fix, which concerns two owners."""
    sold = [await house.license(SOLD, f"{name}@shop.example") for name in ("one", "two")]
    owners = {(await http.get(f"/v1/licenses/{one.license_id}")).json()["customer_id"] for one in sold}
    reports = [{"license_id": str(sold[0].license_id), "reported_at": "2026-03-02T09:00:00Z"}]
    body = {"kind": "corrective", "sha256": "ab" * 32, "size": 1, "url": "https://files.example/x", "fixes": reports}
    await publish(http, SOLD, "1.0")
    return lambda: http.post(f"/v1/products/{SOLD}/releases", json={"version": "1.1", **body}), owners


async def _flipped(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    claim = await claimed(house, http, "quality")
    await claim.do("decide", signed="free")
    await claim.find("misuse")
    return lambda: http.post(f"{claim.path}/decide", json={"signed": "chargeable"}), {claim.path.split("/")[-1]}


async def _quoted(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    claim = await claimed(house, http, "misuse")
    await claim.do("decide", signed="chargeable")
    body = {"amount": "120.00 CNY", "reason": "a new board"}
    return lambda: http.post(f"{claim.path}/quotes", json=body), {claim.path.split("/")[-1]}


async def _renewed(_house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    sold = await sell(http, CARE)
    return lambda: renew(http, sold), {sold}


async def _subscribed(house: House, http: httpx.AsyncClient) -> str:
    house.clock.instant = local("2025-03-10", "Europe/Paris")
    sold = await sell(http, CARE)
    begun = await http.post(f"/v1/licenses/{sold}/subscription", json={"months": 12, "channel": "shop"})
    assert begun.status_code in {200, 201}, begun.text
    return sold


async def _due(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    sold = await _subscribed(house, http)
    house.clock.instant = local("2026-03-10", "Europe/Paris")
    return lambda: create_due(house.services), {sold}


async def _retired(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    """Cancellations that follow a retirement which is on record."""
    subscribed = {await _subscribed(house, http) for _ in range(2)}
    await sell(http, CARE)
    await only_retired(house, CARE)
    return lambda: cancel_of_retired(house.services), subscribed


async def _of_account(house: House, http: httpx.AsyncClient, *steps: tuple[str, dict[str, Any]]) -> Any:
    """Take all steps but the last on an account, which is the act."""
    await house.license(SOLD)
    path = await account(house)
    for verb, body in steps[:-1]:
        assert (await http.post(f"{path}/{verb}", json=body)).status_code == 200
    verb, body = steps[-1]
    return lambda: http.post(f"{path}/{verb}", json=body), {path.split("/")[-1]}


async def _suspended(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    return await _of_account(house, http, ("suspend", DONE))


async def _lifted(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    return await _of_account(house, http, ("suspend", DONE), ("lift-suspension", {"reason": "a mistake"}))


async def _leaving(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    return await _of_account(house, http, ("termination", {"verified": True, "reason": "Hannah retires"}))


async def _terminated(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    return await _of_account(house, http, ("terminate", FRAUD))


async def _ordered(http: httpx.AsyncClient, *, under_review: bool) -> str:
    body = {"number": "A-1", "customer": OWNER, "lines": [{"product": SOLD}], "under_review": under_review}
    placed = await http.post("/v1/orders", json=body)
    assert placed.status_code == 201, placed.text
    return str(placed.json()["id"])


async def _held(_house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    order = await _ordered(http, under_review=False)
    return lambda: http.post(f"/v1/orders/{order}/hold", json={"reason": "Hannah's card is odd"}), {order}


async def _released(_house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    order = await _ordered(http, under_review=True)
    return lambda: http.post(f"/v1/orders/{order}/release", json={"reason": "Hannah called"}), {order}


async def _put_on_hold(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    sold = str((await house.license(SOLD)).license_id)
    return lambda: http.post(f"/v1/licenses/{sold}/hold", json={"reason": "Hannah's forum post"}), {sold}


async def _late(house: House, http: httpx.AsyncClient) -> tuple[Act, set[str]]:
    sold = str((await house.license("crmjetty-customer-portal")).license_id)
    path, asked = f"/v1/licenses/{sold}/refunds", {"reasons": ["third_party"], "sender_verified": True}
    pending = (await http.post(path, json=asked)).json()["id"]
    for verb, body in (("decide", {"decision": "grant", "reason": "Hannah"}), ("attest", {"statement": "Hannah"})):
        assert (await http.post(f"/v1/refunds/{pending}/{verb}", json=body)).status_code == 200
    house.clock.turn(days=9)
    return lambda: tell_late_payouts(house.services), {sold}


STORIES: dict[Effect, Story] = {
    Effect.FIX_RELEASED: _fixed,
    Effect.SERVICE_DECISION_FLIPPED: _flipped,
    Effect.QUOTE_SENT: _quoted,
    Effect.LICENSE_RENEWED: _renewed,
    Effect.RENEWAL_CREATED: _due,
    Effect.RENEWAL_CANCELLED_PRODUCT_RETIRED: _retired,
    Effect.ACCOUNT_SUSPENSION_SET: _suspended,
    Effect.ACCOUNT_SUSPENSION_LIFTED: _lifted,
    Effect.TERMINATION_SCHEDULED: _leaving,
    Effect.ACCOUNT_TERMINATED_BY_VENDOR: _terminated,
    Effect.ORDER_UNDER_REVIEW: _held,
    Effect.ORDER_RELEASED: _released,
    Effect.LICENSE_HELD: _put_on_hold,
    Effect.REFUND_PAYOUT_LATE: _late,
}


AGAIN = {Effect.QUOTE_SENT, Effect.LICENSE_RENEWED, Effect.ACCOUNT_SUSPENSION_SET}
"""What may happen twice, and is told twice then; all else was done already."""


async def _rows(house: House, kind: Effect) -> list[outbox.OutboxRow]:
    async with house.services.db.reading() as tx:
        return [row for row in await outbox.waiting(tx) if row.kind == kind]


@pytest.mark.clause("I19", "NX-26", "NX-40", "NP-14", "BC-23", "BC-30", "CJ-02", "CJ-30")
@pytest.mark.parametrize("kind", STORIES)
async def test_an_effect_is_in_the_outbox_with_its_decision_and_not_without_it(
    house: House, callers: Callers, monkeypatch: pytest.MonkeyPatch, kind: Effect
) -> None:
    http = await callers.client()
    act, subjects = await STORIES[kind](house, http)
    before = await picture(house)

    def failing(add: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def fail(tx: Any, *listed: Any, **told: Any) -> None:
            await add(tx, *listed, **told)
            raise RuntimeError

        return fail

    with monkeypatch.context() as patched, contextlib.suppress(RuntimeError):
        for name in ("add", "add_each"):
            patched.setattr(outbox, name, failing(getattr(outbox, name)))
        await act()
    assert await picture(house) == before
    await act()
    found = await _rows(house, kind)
    assert sorted(row.subject for row in found) == sorted(subjects)
    written = json.dumps([dict(row.payload) for row in found])
    assert [word for word in ("@", "Hannah", "forum", "chargebacks", "board") if word in written] == []
    await act()
    assert len(await _rows(house, kind)) == len(found) * (2 if kind in AGAIN else 1)


async def test_the_word_that_accepts_a_quote_is_in_no_outbox(house: House, callers: Callers) -> None:
    act, _ = await _quoted(house, await callers.client())
    token = (await act()).json()["token"]
    [row] = await _rows(house, Effect.QUOTE_SENT)
    assert token not in json.dumps(dict(row.payload))
