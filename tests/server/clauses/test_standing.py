"""X-01, X-03, K-01, K-08, K-12, K-13 and K-14 through the API."""

import pytest

from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tillkey_server.clock import to_epoch
from tillkey_server.store import outbox
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.license import change_standing


@pytest.mark.clause("X-01")
async def test_the_four_clocks_run_apart(house: House) -> None:
    sold = await house.license("01generator-price-import")
    clocks = (await explain(house.services, sold.license_id))["clocks"]
    assert isinstance(clocks, dict)
    assert {name: clock["last_day"] for name, clock in clocks.items()} == {
        "use": None,
        "updates": "2026-06-02",
        "support": "2026-06-02",
        "refund": "2026-04-01",
    }


@pytest.mark.clause("X-01")
async def test_the_end_of_support_ends_no_use(house: House) -> None:
    key = await house.key("01generator-price-import")
    till = house.till(product="01generator-price-import")
    await till.activate(key)
    house.clock.turn(days=200)
    lease = (await till.heartbeat()).granted
    assert lease.use_until is None
    assert lease.support_until is not None
    assert lease.support_until < to_epoch(house.clock.now())


@pytest.mark.clause("K-08", "K-01")
async def test_every_decision_is_on_record_with_its_facts_policy_and_clauses(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    await house.till(product="nexopos-multistore").activate(sold.license_key)
    await house.till(product="nexopos-multistore").activate(sold.license_key)
    decision = await house.last_decision(sold)
    assert decision["outcome"] == "deny"
    assert decision["code"] == "license_in_use"
    assert decision["clauses"] == ["NX-03"]
    assert decision["policy"] == {"name": "nexopos", "version": 3}
    assert decision["facts"]["held_since"] == "2026-03-02T09:00:00Z"
    assert "in use since 2026-03-02T09:00:00Z" in decision["words"]


@pytest.mark.clause("K-12")
async def test_a_revocation_tells_until_when_a_till_out_of_reach_works_on(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    till = house.till(product="nexopos-multistore")
    exp = (await till.activate(sold.license_key)).granted.exp
    house.clock.turn(days=1)
    decision = await change_standing(house.services, sold.license_id, event="revoke", actor=AGENT, reason="fraud")
    assert decision.facts["lease_ends_at"] == "2026-04-01T09:00:00Z"
    assert exp == to_epoch(house.clock.now()) + 29 * 86400


@pytest.mark.clause("K-12", "I2")
async def test_a_revocation_counts_the_lease_that_a_till_gave_back_since_a_copy_of_it_works_on(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    till = house.till(product="nexopos-multistore")
    await till.activate(sold.license_key)
    await till.deactivate()
    decision = await change_standing(house.services, sold.license_id, event="revoke", actor=AGENT, reason="fraud")
    assert decision.facts["lease_ends_at"] == "2026-04-01T09:00:00Z"


@pytest.mark.clause("X-04", "K-12")
async def test_a_revocation_reports_how_many_leases_are_still_live_and_until_when(
    house: House, callers: Callers
) -> None:
    sold = await house.license()
    admin = await callers.client()
    place = f"/v1/licenses/{sold.license_id}"

    async def shown() -> tuple[int, str | None]:
        told = (await admin.get(place)).json()
        explained = (await admin.get(f"{place}/explain")).json()["standing"]
        assert explained["leases_live"] == told["leases_live"]
        return told["leases_live"], told["effective_latest_at"]

    assert await shown() == (0, None)
    first, second = house.till(), house.till()
    await first.activate(sold.license_key)
    await first.deactivate()
    house.clock.turn(days=2)
    await second.activate(sold.license_key)
    house.clock.turn(days=1)
    await second.heartbeat()
    # The former till gave its lease back; a copy of its folder knows nothing of that (I2).
    live = (2, "2026-03-15T09:00:00Z")
    assert await shown() == live
    done = (await admin.post(f"{place}/revoke", json={"reason": "fraud"})).json()
    assert "X-04" in done["clauses"]
    assert (done["facts"]["leases_live"], done["facts"]["effective_latest_at"]) == live
    async with house.services.db.reading() as tx:
        [told] = [one.payload for one in await outbox.of_subject(tx, str(sold.license_id))]
    assert told == {
        "code": "license_revoked",
        "reason": "revocation",
        "revoked_at": "2026-03-05T09:00:00Z",
        "leases_live": 2,
        "effective_latest_at": "2026-03-15T09:00:00Z",
    }
    house.clock.turn(days=8)
    assert await shown() == (1, "2026-03-15T09:00:00Z")
    house.clock.turn(days=2)
    assert await shown() == (0, None)


@pytest.mark.clause("K-13", "X-03")
async def test_a_revoked_license_gets_a_signed_statement_and_no_lease(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    till = house.till(product="nexopos-multistore")
    await till.activate(sold.license_key)
    await change_standing(house.services, sold.license_id, event="revoke", actor=AGENT, reason="fraud")
    beat, anew = await till.heartbeat(), await house.till(product="nexopos-multistore").activate(sold.license_key)
    assert (beat.status, beat.code, beat.body["clauses"]) == (403, "license_revoked", ["NX-42", "K-13"])
    assert beat.statement is not None
    assert (anew.code, anew.statement is not None) == ("license_revoked", True)


@pytest.mark.clause("K-13")
async def test_a_resumption_never_lifts_a_revocation(house: House) -> None:
    sold = await house.license()
    for event in ("suspend", "revoke"):
        await change_standing(house.services, sold.license_id, event=event, actor=AGENT, reason="a test")
    decision = await change_standing(house.services, sold.license_id, event="resume", actor=AGENT, reason="a test")
    assert (decision.allowed, decision.code, "K-13" in decision.clauses) == (False, "license_revoked", True)


@pytest.mark.clause("K-13")
async def test_lifting_a_hold_uncovers_what_lay_beneath(house: House) -> None:
    sold = await house.license()
    till = house.till()
    await till.activate(sold.license_key)
    codes = []
    for event in ("suspend", "hold", "release_hold", "resume"):
        await change_standing(house.services, sold.license_id, event=event, actor=AGENT, reason="a test")
        codes.append((await till.heartbeat()).code)
    assert codes == ["license_suspended", "legal_hold", "license_suspended", None]


@pytest.mark.clause("K-13", "K-16")
async def test_a_suspension_with_an_end_lifts_itself_and_the_same_activation_goes_on(house: House) -> None:
    sold = await house.license()
    till = house.till()
    activation = (await till.activate(sold.license_key)).granted.sub
    until = house.clock.now().replace(day=5)
    await change_standing(house.services, sold.license_id, event="suspend", actor=AGENT, reason="a test", until=until)
    told = await till.heartbeat()
    assert (told.code, told.body["retry_at"]) == ("license_suspended", to_epoch(until))
    house.clock.turn(days=3)
    assert (await till.heartbeat()).granted.sub == activation


@pytest.mark.clause("K-14")
@pytest.mark.parametrize("typed", [str.lower, lambda key: key.replace("-", " "), lambda key: key.replace("0", "O")])
async def test_a_key_is_found_however_it_was_typed(house: House, typed) -> None:
    key = await house.key()
    assert (await house.till().activate(typed(key))).status == 201


@pytest.mark.clause("K-14")
async def test_an_unknown_key_and_another_products_key_are_told_alike(house: House) -> None:
    foreign = await house.key("pos-loyalty")
    unknown = await house.till().activate("POS-00000-00000-00000-00000-0000000")
    other = await house.till().activate(foreign)
    assert unknown.body == other.body
    assert (unknown.status, unknown.code, unknown.statement) == (404, "license_invalid", None)
