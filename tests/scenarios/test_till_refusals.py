"""What a refusal carries, and how a license key may be typed."""

import pytest

from tests.support.databases import DIALECTS
from tests.support.shop import PROJECT, picture, sells
from tillkey import ConfigurationError, Refused


@pytest.fixture(scope="module", params=DIALECTS)
def shop(request, shops):
    return shops(request.param)


def refusal(till, key, **options):
    with pytest.raises(Refused) as refused:
        till.activate(key, **{"project": PROJECT, **options})
    assert till.check().status == "unlicensed"
    return refused.value


TYPED = {
    "lower case": str.lower,
    "spaces for dashes": lambda key: key.replace("-", " "),
    "spaces around": lambda key: f"  {key}\t\n",
    "O for 0 and l for 1": lambda key: key.replace("0", "O").replace("1", "l"),
    "o for 0 and i for 1": lambda key: key.lower().replace("0", "o").replace("1", "i"),
    "no dashes": lambda key: key.replace("-", ""),
    "no-break spaces and long dashes": lambda key: key.replace("-", "\u00a0\u2013\u00a0"),
    "no prefix": lambda key: key.partition("-")[2],
}


@pytest.mark.clause("K-14")
def test_a_key_is_the_same_key_however_it_is_typed(shop):
    machine, sold = shop.machine(), shop.license()
    activated = {
        machine.till().activate(typed(sold.license_key), project=PROJECT).activation for typed in TYPED.values()
    }
    assert len(activated) == 1
    assert machine.line.ops == ["activate"] + ["heartbeat"] * (len(TYPED) - 1)
    assert shop.explained(sold).events == []


@pytest.mark.clause("K-14")
@pytest.mark.parametrize("typed", TYPED)
def test_a_key_typed_by_hand_activates_a_new_till(shop, typed):
    machine, sold = shop.machine(), shop.license()
    assert sells(machine.till().activate(TYPED[typed](sold.license_key), project=PROJECT))
    assert [status for _, status in shop.seats(sold)] == ["active"]


@pytest.mark.clause("K-14")
def test_a_mistyped_key_is_refused_at_once_and_a_well_formed_unknown_one_by_the_server(shop):
    machine, sold = shop.machine(), shop.license()
    swapped = "8" if sold.license_key[6] != "8" else "9"
    mistyped = refusal(machine.till(), sold.license_key[:6] + swapped + sold.license_key[7:])
    assert (mistyped.code, mistyped.clauses, mistyped.statement) == ("license_invalid", ("K-14",), None)
    assert machine.line.passages == []
    unknown = refusal(machine.till(), "POS-00000-00000-00000-00000-0000000")
    assert (unknown.code, unknown.statement) == ("license_invalid", None)
    assert machine.line.ops == ["activate"]
    assert sells(machine.till().activate(sold.license_key, project=PROJECT))
    assert len(set(machine.line.rids)) == 2


@pytest.mark.clause("NX-03")
def test_a_license_in_use_is_refused_with_its_clauses_and_a_statement(shop):
    machine, sold = shop.machine(), shop.license()
    shop.machine("holder").activated(sold)
    error = refusal(machine.till(), sold.license_key)
    assert (error.code, error.clauses) == ("license_in_use", ("NX-03",))
    assert (error.statement.code, error.statement.clauses) == ("license_in_use", ("NX-03",))
    assert (error.statement.iss, error.statement.rid) == (shop.premises.keyset.issuer, machine.line.last.rid)
    assert "move_ticket" in error.options
    assert "move it with a ticket" in str(error)
    assert len(shop.seats(sold)) == 1


@pytest.mark.clause("NX-06")
def test_a_second_project_is_refused_with_its_clause(shop):
    machine, other, sold = shop.machine(), shop.machine("other"), shop.license()
    machine.activated(sold).deactivate()
    error = refusal(other.till(), sold.license_key, project="Another Shop")
    assert (error.code, error.clauses, error.statement.code) == (
        "bound_to_other_project",
        ("NX-06",),
        "bound_to_other_project",
    )
    assert sells(other.till().activate(sold.license_key, project="  CORNER   shop "))


@pytest.mark.clause("NX-02")
def test_a_license_without_a_project_is_refused_with_its_clause(shop):
    error = refusal(shop.machine().till(), shop.license().license_key, project=None)
    assert (error.code, error.clauses, error.statement.code) == ("project_required", ("NX-02",), "project_required")


@pytest.mark.clause("K-13")
def test_a_revoked_license_activates_nowhere_and_ends_the_till_that_had_it(shop):
    machine, sold = shop.machine(), shop.license()
    till = machine.activated(sold)
    shop.command("license", "revoke", sold.license_id, "--reason", "charged back")
    error = refusal(shop.machine("other").till(), sold.license_key)
    assert error.code == error.statement.code == "license_revoked"
    assert sells(till.check())
    with pytest.raises(Refused) as refused:
        till.heartbeat()
    assert (refused.value.code, refused.value.statement.sub) == ("license_revoked", till.check().activation)
    for each in (till, machine.till()):
        verdict = each.check()
        assert (verdict.status, verdict.usable, verdict.entitlements) == ("revoked", False, ())


def test_a_refusal_leaves_nothing_to_be_sent_again(shop):
    machine, sold = shop.machine(), shop.license()
    shop.machine("holder").activated(sold)
    refusal(machine.till(), sold.license_key)
    assert machine.state().pending is None
    assert not any(sold.license_key.encode() in path.read_bytes() for path in machine.folder.iterdir())
    refusal(machine.till(), sold.license_key)
    assert len(set(machine.line.rids)) == 2


def test_an_activated_till_that_is_refused_another_license_keeps_its_own(shop):
    machine, sold, revoked = shop.machine(), shop.license(), shop.license()
    till = machine.activated(sold)
    before = picture(till.check())
    shop.command("license", "revoke", revoked.license_id, "--reason", "charged back")
    with pytest.raises(Refused) as refused:
        till.activate(revoked.license_key, project=PROJECT)
    assert refused.value.code == "license_revoked"
    assert picture(till.check()) == before
    assert sells(machine.till().heartbeat())


def test_an_argument_that_cannot_be_right_is_no_request(shop):
    machine, sold = shop.machine(), shop.license()
    for wrong in ({"environment": "live"}, {"project": ""}, {"project": "x" * 201}, {"site": "\n"}):
        with pytest.raises(ConfigurationError):
            machine.till().activate(sold.license_key, **wrong)
    assert machine.line.passages == []
