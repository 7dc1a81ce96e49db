"""A license changes its place: in place, with a ticket, with an agent's ticket, by force; released and taken anew."""

import pytest

from tests.support.databases import DIALECTS
from tests.support.proxy import dropped_after
from tests.support.shop import PROJECT, picture, sells
from tillkey import NotActivated, Refused, Unreachable


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, shops):
    return shops(request.param)


def is_superseded(till):
    """A till learns at its next beat that another one holds the license, and that it may sell no more."""
    with pytest.raises(Refused) as refused:
        till.heartbeat()
    assert refused.value.code == refused.value.statement.code == "activation_superseded"
    verdict = till.check()
    assert (verdict.status, verdict.usable, verdict.entitlements) == ("superseded", False, ())
    assert "Another installation" in verdict.notice


@pytest.mark.clause("NX-04")
def test_the_same_installation_moves_from_staging_to_production_in_place(shop):
    machine, sold = shop.machine(), shop.license()
    staged = machine.activated(sold, environment="staging").check()
    verdict = machine.till().activate(sold.license_key, project=PROJECT, environment="production")
    assert sells(verdict)
    assert verdict.environment == "production"
    assert shop.seats(sold) == [(staged.activation, "superseded"), (verdict.activation, "active")]
    assert sells(machine.till().heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("NX-04")
def test_production_waits_until_staging_gives_the_seat_back(shop):
    staging, production, sold = shop.machine("staging"), shop.machine("production"), shop.license()
    staged = staging.activated(sold, environment="staging")
    with pytest.raises(Refused) as refused:
        production.till().activate(sold.license_key, project=PROJECT)
    assert (refused.value.code, refused.value.clauses) == ("staging_must_be_deactivated", ("NX-04",))
    assert production.till().check().status == "unlicensed"
    assert sells(staged.check())
    assert staged.deactivate().status == "released"
    assert sells(production.till().activate(sold.license_key, project=PROJECT))


@pytest.mark.clause("NX-04", "NX-48")
def test_a_ticket_moves_the_license_and_the_staging_machine_learns_it_was_superseded(shop):
    staging, production, sold = shop.machine("staging"), shop.machine("production"), shop.license()
    staged = staging.activated(sold, environment="staging")
    ticket = staged.move_ticket("production")
    assert sells(staged.check())
    verdict = production.till().activate(sold.license_key, project=PROJECT, move_ticket=ticket.lower())
    assert sells(verdict)
    assert shop.seats(sold) == [(staged.check().activation, "superseded"), (verdict.activation, "active")]
    assert sells(staged.check())
    is_superseded(staged)
    assert staging.till().check().status == "superseded"
    assert sells(production.till().heartbeat())
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("NX-04")
def test_a_move_whose_answer_is_lost_is_finished_by_the_same_request(shop):
    staging, production, sold = shop.machine("staging"), shop.machine("production"), shop.license()
    ticket = staging.activated(sold, environment="staging").move_ticket("production")
    production.line.next(dropped_after)
    with pytest.raises(Unreachable):
        production.till().activate(sold.license_key, project=PROJECT, move_ticket=ticket)
    verdict = production.till().activate(sold.license_key, project=PROJECT, move_ticket=ticket)
    assert sells(verdict)
    assert len(set(production.line.rids)) == 1
    assert [status for _, status in shop.seats(sold)] == ["superseded", "active"]
    assert ticket.replace("-", "").encode() not in b"".join(
        path.read_bytes().replace(b"-", b"") for path in production.folder.iterdir()
    )


@pytest.mark.clause("NX-04")
def test_a_ticket_works_once_and_for_its_license_alone(shop):
    staging, production, sold, other = shop.machine("staging"), shop.machine(), shop.license(), shop.license()
    ticket = staging.activated(sold, environment="staging").move_ticket("production")
    shop.machine("neighbor").activated(other, environment="staging")
    with pytest.raises(Refused) as refused:
        shop.machine().till().activate(other.license_key, project=PROJECT, move_ticket=ticket)
    assert refused.value.code == "move_ticket_invalid"
    production.activated(sold, move_ticket=ticket)
    late = shop.machine("late").till()
    with pytest.raises(Refused) as refused:
        late.activate(sold.license_key, project=PROJECT, move_ticket=ticket)
    assert refused.value.code in {"move_ticket_invalid", "license_in_use"}
    assert refused.value.statement is not None
    assert [status for _, status in shop.seats(sold)] == ["superseded", "active"]


@pytest.mark.clause("NX-04", "NX-08")
def test_a_lost_staging_machine_is_replaced_by_an_agents_ticket_and_learns_it_when_it_comes_back(shop):
    staging, production, sold = shop.machine("staging"), shop.machine("production"), shop.license()
    lost = staging.activated(sold, environment="staging")
    reason = ("--reason", "the staging machine was stolen")
    given = shop.premises.installation.command("license", "move-ticket", sold.license_id, *reason)
    assert given["remaining"] == 2
    verdict = production.till().activate(sold.license_key, project=PROJECT, move_ticket=given["ticket"])
    assert sells(verdict)
    assert sells(lost.check())
    is_superseded(staging.till())
    with pytest.raises(Refused) as refused:
        staging.till().activate(sold.license_key, project=PROJECT, environment="staging")
    assert refused.value.statement is not None
    assert shop.seats(sold) == [(lost.check().activation, "superseded"), (verdict.activation, "active")]


@pytest.mark.clause("NX-08", "NX-09")
def test_a_burnt_machine_is_freed_by_an_agent_and_never_takes_the_seat_back(shop):
    burnt, fresh, sold = shop.machine("burnt"), shop.machine("fresh"), shop.license()
    old = burnt.activated(sold)
    words = ("activation", "force-deactivate", old.check().activation, "--reason", "fire")
    assert shop.command(*words, exit_code=1)["code"] == "confirmation_required"
    shop.command(*words, "--confirm")
    assert sells(old.check())
    verdict = fresh.activated(sold).check()
    is_superseded(burnt.till())
    with pytest.raises(Refused) as refused:
        burnt.till().activate(sold.license_key, project=PROJECT)
    assert refused.value.code == "license_in_use"
    assert burnt.till().check().status == "superseded"
    assert shop.seats(sold) == [(old.check().activation, "superseded"), (verdict.activation, "active")]


@pytest.mark.clause("NX-07", "NX-50")
def test_deactivate_then_activate_anew_is_a_new_activation_of_the_same_installation(shop):
    machine, sold = shop.machine(), shop.license()
    first = machine.activated(sold).check()
    released = machine.till().deactivate()
    assert (released.status, released.usable, released.entitlements) == ("released", False, ())
    second = machine.till().activate(sold.license_key, project=PROJECT)
    assert sells(second)
    assert shop.seats(sold) == [(first.activation, "released"), (second.activation, "active")]
    assert len({one["installation"] for one in shop.activations(sold)}) == 1
    assert shop.explained(sold).suspicions == (0, 0)


@pytest.mark.clause("NX-50")
def test_a_second_deactivation_says_the_same_and_frees_nobody_else(shop):
    machine, other, sold = shop.machine(), shop.machine("other"), shop.license()
    till = machine.activated(sold)
    assert till.deactivate().status == "released"
    holder = other.activated(sold).check()
    assert machine.till().deactivate().status == "released"
    assert shop.seats(sold)[-1] == (holder.activation, "active")
    assert sells(other.till().heartbeat())


@pytest.mark.clause("NX-50")
def test_deactivation_works_under_a_suspension(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    shop.command("license", "suspend", sold.license_id, "--reason", "unpaid")
    with pytest.raises(Refused):
        till.heartbeat()
    assert till.check().status == "suspended"
    assert till.deactivate().status == "released"
    assert [status for _, status in shop.seats(sold)] == ["released"]


@pytest.mark.clause("X-03")
def test_a_suspension_ends_with_the_beat_after_it_was_lifted(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    before = picture(till.check())
    shop.command("license", "suspend", sold.license_id, "--reason", "unpaid")
    assert picture(till.check()) == before
    with pytest.raises(Refused) as refused:
        till.heartbeat()
    assert refused.value.statement.code == "license_suspended"
    assert (till.check().status, till.check().usable) == ("suspended", False)
    shop.command("license", "resume", sold.license_id, "--reason", "paid")
    assert picture(till.heartbeat()) == before
    assert shop.explained(sold).suspicions == (0, 0)


def test_a_move_ticket_is_not_given_to_a_till_that_holds_nothing(shop):
    machine, sold = shop.machine(), shop.license()
    machine.activated(sold, environment="staging").deactivate()
    with pytest.raises((Refused, NotActivated)):
        machine.till().move_ticket("production")
    assert machine.till().check().status == "released"
