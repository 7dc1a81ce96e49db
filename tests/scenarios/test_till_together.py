"""Processes, products and licenses that share one state folder."""

import pytest

from tests.support.databases import DIALECTS
from tests.support.premises import OWNER, STRANGER
from tests.support.processes import Call, Processes
from tests.support.shop import PROJECT, sells
from tillkey import Refused


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, shops):
    return shops(request.param)


def beating(machine, sold, rounds):
    """One process that does everything a till does, again and again."""
    activate = ("activate", [sold.license_key], {"project": PROJECT})
    verbs = (("check", [], {}), activate, ("heartbeat", [], {}), ("check", [], {}))
    return Call(machine, verbs * rounds, options={"lock_timeout": 60})


def test_processes_that_hammer_one_folder_are_one_till_and_no_fork(shop):
    machine, sold = shop.machine(), shop.license()
    with Processes() as processes:
        told = processes.run(*[beating(machine, sold, rounds=5)] * 5)
    results = [result for one in told for result in one]
    assert len(results) == 5 * 5 * 4
    assert not any("error" in result for result in results)
    assert {result["status"] for one in told for result in one[1:]} == {"valid"}
    assert machine.line.ops == ["activate"] + ["heartbeat"] * (5 * 5 * 2 - 1)
    assert machine.seq == 5 * 5 * 2
    explained = shop.explained(sold)
    assert (len(explained.seats), explained.events) == (1, [])


def test_processes_that_do_not_wait_for_each_other_skip_and_do_no_harm(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold)
    verbs = (("heartbeat", [], {}), ("check", [], {})) * 6
    with Processes() as processes:
        told = processes.run(*[Call(machine, verbs, options={"lock_timeout": 0})] * 4)
    results = [result for one in told for result in one]
    errors = [result for result in results if "error" in result]
    assert all(error["error"] == "Busy" for error in errors)
    assert {result["status"] for result in results if "error" not in result} == {"valid"}
    assert sells(machine.till().heartbeat())
    explained = shop.explained(sold)
    assert (len(explained.seats), explained.events) == (1, [])


def test_a_process_learns_at_its_next_call_what_another_one_did(shop):
    machine, sold = shop.machine(), shop.license()
    one, other = machine.till(), machine.till()
    assert other.check().status == "unlicensed"
    one.activate(sold.license_key, project=PROJECT)
    assert sells(other.heartbeat())
    one.deactivate()
    assert sells(other.check())
    with pytest.raises(Refused) as refused:
        other.heartbeat()
    assert refused.value.code == "activation_released"
    assert other.check().status == "released"
    assert shop.explained(sold).suspicions == (0, 0)


def test_two_products_in_one_folder_are_one_installation(shop):
    machine, core, loyalty = shop.machine(), shop.license(), shop.license("pos-loyalty")
    machine.activated(core)
    assert sells(machine.till("pos-loyalty").activate(loyalty.license_key, project=PROJECT))
    told = [*shop.activations(core), *shop.activations(loyalty)]
    assert [one["product"] for one in told] == ["pos-core", "pos-loyalty"]
    assert len({one["installation"] for one in told}) == 1
    machine.till("pos-loyalty").deactivate()
    assert sells(machine.till().heartbeat())
    assert machine.till("pos-loyalty").check().status == "released"


@pytest.mark.clause("K-14")
def test_a_key_of_another_product_is_unknown_to_this_one(shop):
    machine, loyalty = shop.machine(), shop.license("pos-loyalty")
    with pytest.raises(Refused) as refused:
        machine.till().activate(loyalty.license_key, project=PROJECT)
    assert refused.value.code == "license_invalid"
    assert shop.seats(loyalty) == []


def test_a_second_customers_license_in_one_folder_gets_a_key_of_its_own(shop):
    machine, core = shop.machine(), shop.license("pos-core", OWNER)
    loyalty = shop.license("pos-loyalty", STRANGER)
    machine.activated(core)
    requests = len(machine.line.ops)
    assert sells(machine.till("pos-loyalty").activate(loyalty.license_key, project=PROJECT))
    assert machine.line.ops[requests:] == ["activate", "activate"]
    assert machine.line.passages[requests].document["code"] == "installation_key_in_use"
    told = [*shop.activations(core), *shop.activations(loyalty)]
    assert [one["status"] for one in told] == ["active", "active"]
    assert len({one["installation"] for one in told}) == 2
    assert sells(machine.till().heartbeat())
    assert sells(machine.till("pos-loyalty").heartbeat())


def test_a_second_license_of_one_product_gets_a_new_key_and_one_more_try(shop):
    machine, first, second = shop.machine(), shop.license(), shop.license()
    held = machine.activated(first).check()
    verdict = machine.till().activate(second.license_key, project=PROJECT)
    assert sells(verdict)
    assert machine.line.ops == ["activate", "activate", "activate"]
    assert machine.line.passages[1].document["code"] == "installation_key_in_use"
    assert len(set(machine.line.rids)) == 3
    assert shop.seats(first) == [(held.activation, "active")]
    assert shop.seats(second) == [(verdict.activation, "active")]
    assert sells(machine.till().heartbeat())


def test_a_new_key_that_is_refused_leaves_the_till_what_it_has(shop):
    machine, first, taken = shop.machine(), shop.license(), shop.license()
    shop.machine("other").activated(taken)
    held = machine.activated(first).check()
    with pytest.raises(Refused) as refused:
        machine.till().activate(taken.license_key, project=PROJECT)
    assert refused.value.code == "license_in_use"
    assert machine.till().check() == held or sells(machine.till().check())
    assert sells(machine.till().heartbeat())
    assert shop.seats(first) == [(held.activation, "active")]
    assert shop.explained(first).suspicions == (0, 0)
