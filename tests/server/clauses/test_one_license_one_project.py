"""NX-01 to NX-06 and X-09 through the API: each decision names its clause."""

import pytest

from tests.support.callers import Callers
from tests.support.house import AGENT, House
from tests.support.till import fingerprint_of
from tillkey_server.usecases.explain import explain
from tillkey_server.usecases.license import issue

pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.clause("NX-01")
async def test_each_bought_item_has_a_license_and_a_key_of_its_own(house: House) -> None:
    issued = await issue(
        house.services, product="nexopos-multistore", customer_email="o@s.example", actor=AGENT, quantity=3
    )
    assert len({one.license_id for one in issued.licenses}) == 3
    assert len({one.license_key for one in issued.licenses}) == 3
    decision = await house.last_decision(issued.licenses[2])
    assert (decision["code"], "NX-01" in decision["clauses"]) == ("license_issued", True)


@pytest.mark.clause("NX-01")
async def test_an_order_told_twice_gives_the_same_licenses_and_no_new_key(house: House) -> None:
    first = await issue(
        house.services, product="pos-core", customer_email="o@s.example", actor=AGENT, quantity=2, order="A-1"
    )
    again = await issue(
        house.services, product="pos-core", customer_email="O@S.example", actor=AGENT, quantity=2, order="A-1"
    )
    assert again.decision_code == "license_already_issued"
    assert [one.license_id for one in again.licenses] == [one.license_id for one in first.licenses]
    assert [one.license_key for one in again.licenses] == [None, None]


@pytest.mark.clause("NX-02")
async def test_a_license_is_used_within_a_project(house: House) -> None:
    key = await house.key("nexopos-multistore")
    reply = await house.till(product="nexopos-multistore").activate(key, project="  ")
    assert (reply.status, reply.code, reply.body["clauses"]) == (422, "project_required", ["NX-02"])


@pytest.mark.clause("NX-02")
async def test_two_spellings_of_a_projects_name_are_one_project(house: House) -> None:
    key = await house.key()
    till = house.till()
    first = (await till.activate(key, project="Corner  Shop")).granted
    again = (await till.activate(key, project=" corner shop ")).granted
    assert (again.sub, again.project) == (first.sub, first.project)


@pytest.mark.clause("NX-03", "K-11")
async def test_a_second_installation_is_told_that_the_license_is_in_use(house: House) -> None:
    key = await house.key("nexopos-multistore")
    await house.till(product="nexopos-multistore").activate(key)
    reply = await house.till(product="nexopos-multistore").activate(key)
    assert (reply.status, reply.code, reply.body["clauses"]) == (409, "license_in_use", ["NX-03"])
    assert reply.statement is not None
    assert reply.statement.clauses == ("NX-03",)


@pytest.mark.clause("NX-03", "K-10")
async def test_the_same_installation_again_is_the_same_activation(house: House) -> None:
    key = await house.key()
    till = house.till()
    first = await till.activate(key)
    again = await till.activate(key)
    assert (first.status, again.status) == (201, 200)
    assert again.granted.sub == first.granted.sub


@pytest.mark.clause("NX-03", "NX-49")
async def test_the_same_machine_set_up_afresh_takes_its_own_seat_back(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    old = house.till("counter", product="nexopos-multistore")
    await old.activate(sold.license_key)
    fresh = house.till("counter", product="nexopos-multistore")
    reply = await fresh.activate(sold.license_key)
    assert reply.status == 201
    decision = await house.last_decision(sold)
    assert (decision["code"], decision["clauses"]) == ("activation_reattached", ["NX-03", "NX-49"])
    assert (await old.heartbeat()).code == "activation_superseded"


@pytest.mark.clause("NX-49")
async def test_two_set_ups_on_one_machine_are_two_installations(house: House) -> None:
    key = await house.key("nexopos-multistore")
    await house.till("counter", product="nexopos-multistore", location="/opt/one").activate(key)
    reply = await house.till("counter", product="nexopos-multistore", location="/opt/two").activate(key)
    assert (reply.code, reply.body["clauses"]) == ("license_in_use", ["NX-03"])


@pytest.mark.clause("NX-04")
async def test_production_is_refused_while_staging_holds_the_license(house: House) -> None:
    key = await house.key("nexopos-multistore")
    await house.till(product="nexopos-multistore").activate(key, environment="staging")
    reply = await house.till(product="nexopos-multistore").activate(key)
    assert (reply.status, reply.code) == (409, "staging_must_be_deactivated")
    assert reply.body["clauses"] == ["NX-04"]
    assert reply.body["options"] == ["move_ticket", "deactivate_staging", "move_ticket_by_agent"]


@pytest.mark.clause("NX-04")
async def test_a_move_in_place_releases_staging_and_activates_production_at_once(house: House) -> None:
    sold = await house.license("nexopos-multistore")
    till = house.till(product="nexopos-multistore")
    staging = (await till.activate(sold.license_key, environment="staging")).granted
    production = (await till.activate(sold.license_key)).granted
    assert (production.environment, production.sub != staging.sub) == ("production", True)
    decision = await house.last_decision(sold)
    assert (decision["code"], decision["clauses"]) == ("activation_moved", ["NX-04"])


@pytest.mark.clause("NX-04", "NX-48")
async def test_a_move_by_ticket_supersedes_staging(house: House) -> None:
    key = await house.key("nexopos-multistore")
    staging = house.till(product="nexopos-multistore")
    await staging.activate(key, environment="staging")
    ticket = (await staging.move("production")).ticket
    moved = await house.till(product="nexopos-multistore").activate(key, move_ticket=ticket)
    assert (moved.status, moved.granted.environment) == (201, "production")
    told = await staging.heartbeat()
    assert (told.code, told.body["clauses"]) == ("activation_superseded", ["NX-08", "NX-48"])


@pytest.mark.clause("NX-04")
async def test_a_move_ticket_is_used_once(house: House) -> None:
    key = await house.key()
    staging, production, third = house.till(), house.till(), house.till()
    await staging.activate(key, environment="staging")
    ticket = (await staging.move("production")).ticket
    await production.activate(key, move_ticket=ticket)
    reply = await third.activate(key, move_ticket=ticket)
    assert (reply.code, reply.body["facts"]["because"]) == ("move_ticket_invalid", "used")


@pytest.mark.clause("NX-04")
async def test_a_move_ticket_is_over_after_a_day(house: House) -> None:
    key = await house.key()
    staging, production = house.till(), house.till()
    await staging.activate(key, environment="staging")
    ticket = (await staging.move("production")).ticket
    house.clock.turn(hours=24)
    reply = await production.activate(key, move_ticket=ticket)
    assert (reply.code, reply.body["facts"]["because"]) == ("move_ticket_invalid", "expired")


@pytest.mark.clause("NX-04")
async def test_a_policy_that_exempts_staging_gives_it_a_slot_of_its_own_and_no_second_one(house: House) -> None:
    key = await house.key("prestashop-click-collect")
    tills = [house.till(product="prestashop-click-collect") for _ in range(4)]
    assert (await tills[0].activate(key, environment="staging")).status == 201
    assert (await tills[1].activate(key, environment="production")).status == 201
    assert (await tills[2].activate(key, environment="development")).code == "license_in_use"
    assert (await tills[3].activate(key, environment="production")).code == "license_in_use"


@pytest.mark.clause("NX-05")
async def test_one_project_may_hold_several_licenses_of_a_product(house: House) -> None:
    first, second = await house.key(), await house.key()
    one = (await house.till().activate(first)).granted
    other = (await house.till().activate(second)).granted
    assert (one.project, one.license != other.license) == (other.project, True)


@pytest.mark.clause("NX-06")
async def test_a_license_used_in_production_belongs_to_its_project_for_good(house: House) -> None:
    key = await house.key("nexopos-multistore")
    first, second = house.till(product="nexopos-multistore"), house.till(product="nexopos-multistore")
    await first.activate(key, project="Corner Shop")
    await first.deactivate()
    reply = await second.activate(key, project="Harbor Shop")
    assert (reply.status, reply.code, reply.body["clauses"]) == (409, "bound_to_other_project", ["NX-06"])


@pytest.mark.clause("NX-06")
async def test_staging_alone_does_not_tie_a_license_to_its_project(house: House) -> None:
    key = await house.key("nexopos-multistore")
    first, second = house.till(product="nexopos-multistore"), house.till(product="nexopos-multistore")
    await first.activate(key, project="Corner Shop", environment="staging")
    await first.deactivate()
    assert (await second.activate(key, project="Harbor Shop")).status == 201


@pytest.mark.clause("NX-06")
async def test_the_literal_reading_ties_a_license_from_its_first_activation(house: House) -> None:
    product = "prestashop-click-collect"
    key = await house.key(product)
    first, second = house.till(product=product), house.till(product=product)
    await first.activate(key, project="Corner Shop", environment="staging")
    await first.deactivate()
    reply = await second.activate(key, project="Harbor Shop")
    assert (reply.code, reply.body["clauses"]) == ("bound_to_other_project", ["BC-32"])


@pytest.mark.clause("X-06")
async def test_a_till_that_kept_its_key_may_change_every_part_and_is_known_by_the_new_ones_from_then_on(
    house: House,
) -> None:
    sold = await house.license()
    till = house.till(machine="the old machine")
    before = (await till.activate(sold.license_key)).granted
    till.fingerprint = fingerprint_of("the new machine", "/srv/till")
    after = (await till.heartbeat()).granted
    assert (after.sub, after.seq) == (before.sub, before.seq + 1)
    assert (await house.till(machine="the old machine").activate(sold.license_key)).code == "license_in_use"
    again = await house.till(machine="the new machine", location="/srv/till").activate(sold.license_key)
    assert (again.status, again.granted.sub == before.sub) == (201, False)


@pytest.mark.clause("X-06")
async def test_a_new_board_under_the_same_key_is_no_copy(house: House) -> None:
    sold = await house.license()
    till = house.till(machine="the old machine")
    before = (await till.activate(sold.license_key)).granted
    till.fingerprint = fingerprint_of("the new machine", "/srv/till")
    await till.heartbeat()
    rebound = (await till.activate(sold.license_key)).granted
    assert rebound.sub == before.sub
    assert (await till.heartbeat()).status == 200
    codes = [one["code"] for one in (await explain(house.services, sold.license_id))["decisions"]]  # type: ignore[attr-defined]
    assert codes == ["license_issued", "activation_granted", "activation_held"]


@pytest.mark.clause("X-09")
async def test_a_license_bought_again_has_a_new_key_and_new_clocks_and_no_old_till(house: House) -> None:
    first = await house.license()
    till = house.till()
    await till.activate(first.license_key)
    house.clock.turn(days=400)
    second = await house.license()
    reply = await house.till().activate(second.license_key)
    assert reply.status == 201
    assert (second.license_key != first.license_key, reply.granted.support_until is not None) == (True, True)
    assert (await till.activate(second.license_key)).code == "installation_key_in_use"


@pytest.mark.clause("NX-02")
async def test_a_project_that_is_renamed_stays_the_same_one_and_its_till_goes_on(
    house: House, callers: Callers
) -> None:
    admin = await callers.client()
    till = house.till()
    first = (await till.activate(await house.key(), project="Corner Shop")).granted
    renamed = await admin.patch(f"/v1/projects/{first.project}", json={"name": "Harbor Shop"})
    assert (renamed.status_code, renamed.json()["id"], renamed.json()["name"]) == (
        200,
        str(first.project),
        "Harbor Shop",
    )
    beat = await till.heartbeat()
    assert (beat.status, beat.granted.project) == (200, first.project)
    named = (await till.activate(project="harbor shop")).granted
    assert (named.sub, named.project) == (first.sub, first.project)


@pytest.mark.clause("NX-03")
async def test_a_refusal_for_a_license_in_use_names_the_vendors_page_if_the_terms_do(house: House) -> None:
    page = "https://vendor.example/my-licenses"
    facts = []
    await house.new_terms("default", ("\n[activation.clauses]\n", f'self_service = "{page}"\n\n[activation.clauses]\n'))
    for key in (await house.key(), await house.key("nexopos-multistore")):
        product = "pos-core" if not facts else "nexopos-multistore"
        await house.till(product=product).activate(key)
        refused = await house.till(product=product).activate(key)
        assert (refused.code, refused.body["clauses"]) == ("license_in_use", ["NX-03"])
        facts.append(refused.body["facts"])
    assert facts[0].pop("self_service") == page
    assert facts[0].keys() == facts[1].keys()


@pytest.mark.clause("NX-02")
async def test_two_projects_of_one_customer_do_not_share_a_name(house: House, callers: Callers) -> None:
    admin = await callers.client()
    [first, second] = [
        (await house.till().activate(await house.key(), project=name)).granted for name in ("One", "Two")
    ]
    taken = await admin.patch(f"/v1/projects/{second.project}", json={"name": " one "})
    assert (taken.status_code, taken.json()["code"], taken.json()["clauses"]) == (409, "name_taken", ["NX-02"])
    assert (await admin.get(f"/v1/projects/{second.project}")).json()["name"] == "Two"
    assert first.project != second.project
