"""Answers that are genuine for somebody else, or signed by somebody else: nothing changes, and the retry ends well."""

import contextlib
import json

import pytest

from tests.support.proxy import (
    JSON,
    PROBLEM,
    dropped_after,
    dropped_before,
    misled,
    reply,
    resigned,
    rewritten,
    telling,
)
from tests.support.server import Installation
from tests.support.shop import PROJECT, picture, sells
from tests.support.till import seed_of
from tests.support.verbs import VERBS, missed, retried
from tillkey import LicenseClient, Refused, Unreachable
from tillkey.wire.keys import PrivateKey

STRANGER = PrivateKey.from_seed(seed_of("stranger"))


def signed_member(document):
    return "lease" if "lease" in document else "statement"


def resigning(key, **how):
    """Tell the till the server's answer, signed anew."""

    def change(document):
        member = signed_member(document)
        return {**document, member: resigned(document[member], key, **how)}

    return rewritten(change)


@pytest.fixture(scope="module")
def shop(shops):
    return shops("sqlite")


@pytest.fixture(scope="module")
def own_key(shop):
    """The key that the server signs with."""
    [path] = (shop.premises.installation.data_dir / "online-keys").iterdir()
    return PrivateKey.from_jwk(json.loads(path.read_bytes()))


@pytest.fixture(scope="module")
def strangers_server(tmp_path_factory):
    """Another vendor's license server."""
    installation = Installation(tmp_path_factory.mktemp("stranger") / "data", warm=True).init()
    with installation.serving() as server:
        yield server


FORGERIES = {
    "of another server with keys of its own": lambda own: resigning(STRANGER),
    "of another server that claims our key": lambda own: resigning(STRANGER, kid=own.public.thumbprint),
    "of another server that has our keys": lambda own: resigning(own, iss="another-issuer"),
    "for another installation": lambda own: resigning(own, cnf={"jkt": STRANGER.public.thumbprint}),
    "to another request": lambda own: resigning(own, rid="A" * 22),
}


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("name", VERBS)
def test_an_answer_that_is_not_the_servers_to_this_request_changes_nothing(shop, own_key, name, forgery):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    till = verb.ready(machine, sold)
    seq = machine.seq
    deed = FORGERIES[forgery](own_key)
    assert missed(machine, till, sold, verb, deed).kind == "bad_answer"
    retried(machine, sold, verb, seq)


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("reached", [False, True])
def test_an_answer_to_an_earlier_request_changes_nothing(shop, reached):
    machine, sold, verb = shop.machine(), shop.license(), VERBS["heartbeat"]
    till = machine.activated(sold)
    till.heartbeat()
    earlier = machine.line.passages[0].answer
    error = missed(machine, till, sold, verb, telling(earlier, reached=reached))
    assert error.kind == "bad_answer"
    retried(machine, sold, verb, seq=2)


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("name", ["activate", "heartbeat"])
def test_the_answer_to_another_installations_request_changes_nothing(shop, name):
    neighbor, machine, sold, verb = shop.machine("neighbor"), shop.machine(), shop.license(), VERBS[name]
    neighbor.activated(shop.license()).heartbeat()
    till = verb.ready(machine, sold)
    seq = machine.seq
    assert missed(machine, till, sold, verb, telling(neighbor.line.last.answer)).kind == "bad_answer"
    retried(machine, sold, verb, seq)


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("name", VERBS)
def test_a_till_that_is_led_to_another_server_changes_nothing(shop, strangers_server, name):
    machine, sold, verb = shop.machine(), shop.license(), VERBS[name]
    till = verb.ready(machine, sold)
    seq, before, rights = machine.seq, picture(till.check()), machine.rights()
    machine.line.next(misled(strangers_server.url))
    with pytest.raises((Refused, Unreachable)) as no:
        verb.ask(till, sold)
    assert getattr(no.value, "statement", None) is None
    assert picture(till.check()) == before
    assert machine.rights() == rights
    retried(machine, sold, verb, seq)


@pytest.mark.clause("X-03")
def test_a_lost_activation_whose_retry_is_led_astray_still_ends_as_one_activation_without_a_fork(
    shop, strangers_server
):
    machine, sold = shop.machine(), shop.license()
    machine.line.next(dropped_after, misled(strangers_server.url), misled(strangers_server.url))
    for ask in (lambda till: till.activate(sold.license_key, project=PROJECT), LicenseClient.heartbeat) * 2:
        with contextlib.suppress(Refused, Unreachable):
            ask(machine.till())
    assert sells(machine.till().check())
    assert len(set(machine.line.rids[:4])) == 1
    told = shop.explained(sold)
    assert (len(told.seats), told.events) == (1, [])


@pytest.mark.clause("X-02")
def test_an_activation_that_was_left_behind_does_not_keep_the_till_from_its_beats(shop, strangers_server):
    machine, sold, other = shop.machine(), shop.license(), shop.license()
    till = machine.activated(sold)
    machine.line.next(dropped_before, misled(strangers_server.url))
    with pytest.raises(Unreachable):
        till.activate(other.license_key, project=PROJECT)
    assert sells(till.heartbeat())
    assert machine.line.ops == ["activate", "activate", "activate", "heartbeat"]
    assert shop.seats(other) == []


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("code", ["license_revoked", "activation_superseded", "license_suspended"])
def test_an_end_that_nobody_signed_is_told_and_ends_nothing(shop, code):
    machine, sold, verb = shop.machine(), shop.license(), VERBS["heartbeat"]
    till = machine.activated(sold)
    before, rights = picture(till.check()), machine.rights()
    problem = {"type": f"urn:tillkey:problem:{code}", "status": 403, "code": code, "clauses": ["K-13"], "detail": "No."}
    machine.line.next(telling(reply(403, PROBLEM, json.dumps(problem).encode())))
    with pytest.raises(Refused) as refused:
        till.heartbeat()
    assert (refused.value.code, refused.value.clauses, refused.value.statement) == (code, ("K-13",), None)
    assert picture(machine.till().check()) == picture(till.check()) == before
    assert machine.rights() == rights
    retried(machine, sold, verb, seq=1)


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_end_that_the_server_did_not_sign_for_this_request_ends_nothing(shop, own_key, forgery):
    machine, sold, verb = shop.machine(), shop.license(), VERBS["heartbeat"]
    till = machine.activated(sold)
    shop.command("license", "suspend", sold.license_id, "--reason", "a test")
    deed = FORGERIES[forgery](own_key)
    assert missed(machine, till, sold, verb, deed).kind == "bad_answer"
    shop.command("license", "resume", sold.license_id, "--reason", "a test")
    retried(machine, sold, verb, seq=1)


@pytest.mark.clause("X-03")
def test_an_old_suspension_told_again_after_it_was_lifted_changes_nothing(shop):
    machine, sold, verb = shop.machine(), shop.license(), VERBS["heartbeat"]
    till = machine.activated(sold)
    shop.command("license", "suspend", sold.license_id, "--reason", "a test")
    with pytest.raises(Refused):
        till.heartbeat()
    assert till.check().status == "suspended"
    suspension = machine.line.last.answer
    shop.command("license", "resume", sold.license_id, "--reason", "a test")
    assert sells(till.heartbeat())
    seq = machine.seq
    assert missed(machine, till, sold, verb, telling(suspension)).kind == "bad_answer"
    retried(machine, sold, verb, seq)


@pytest.mark.clause("X-03")
def test_the_receipt_of_another_tills_release_frees_nothing(shop):
    neighbor, machine, sold = shop.machine("neighbor"), shop.machine(), shop.license()
    neighbor.activated(shop.license()).deactivate()
    till = machine.activated(sold)
    missed(machine, till, sold, VERBS["deactivate"], telling(neighbor.line.last.answer))
    assert [status for _, status in shop.seats(sold)] == ["active"]
    retried(machine, sold, VERBS["deactivate"], seq=1)


@pytest.mark.parametrize("document", [{}, {"lease": None}, {"lease": 5}, {"statement": "x.y.z"}, [], "lease"])
def test_a_success_without_a_lease_is_no_success(shop, document):
    machine, sold = shop.machine(), shop.license()
    deed = telling(reply(201, JSON, json.dumps(document).encode()))
    missed(machine, machine.till(), sold, VERBS["activate"], deed)
    assert sells(machine.till().activate(sold.license_key, project=PROJECT))
