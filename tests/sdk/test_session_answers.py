"""What the state machine believes: a signed answer to this request of this installation, and nothing else."""

import pytest

from tests.sdk.license_server import LicenseServer, key_from
from tests.sdk.tills import PaperTill
from tillkey.effects import Declined, Granted, Reply, Send, Unreached
from tillkey.state import HEARTBEAT
from tillkey.wire import strict_json
from tillkey.wire.answers import open_lease, sign_lease


def test_a_statement_about_another_license_ends_nothing_here(server, till):
    till.activate(server.sell(1))
    outcome = till.activate(server.sell(2, ended="license_revoked"))
    assert outcome.result.code == "license_revoked"
    assert till.state.statement is None


@pytest.mark.clause("X-03")
@pytest.mark.parametrize("code", ["license_revoked", "license_suspended", "legal_hold", "license_expired"])
def test_a_signed_end_is_stored_and_a_later_lease_lifts_it(server, till, code):
    till.activate(server.sell())
    server.end(code)
    assert till.heartbeat().result.code == code
    assert till.state.statement is not None
    server.end(None)
    assert isinstance(till.heartbeat().result, Granted)
    assert till.state.statement is None


@pytest.mark.clause("X-03")
def test_an_unsigned_end_is_told_and_changes_nothing(server, till):
    till.activate(server.sell())
    before = till.state
    till.network = lambda effect: Reply(403, "application/problem+json", b'{"code": "license_revoked"}')
    outcome = till.heartbeat()
    assert isinstance(outcome.result, Declined)
    assert outcome.result.statement is None
    assert till.state.lease == before.lease
    assert till.state.statement is None
    assert till.state.pending.kind == HEARTBEAT


@pytest.mark.parametrize("code", ["stale_request", "rebind_required"])
def test_an_unsigned_hint_to_drop_a_rid_is_not_followed(server, till, code):
    till.activate(server.sell())
    till.network = lambda effect: Reply(409, "application/problem+json", strict_json.dumps({"code": code}))
    assert till.heartbeat().result.kind == "bad_answer"
    assert till.state.pending.kind == HEARTBEAT


def test_an_unsigned_refusal_of_an_activation_takes_the_license_key_off_the_disk(server, till):
    key = server.sell()
    till.network = lambda effect: Reply(404, "application/problem+json", b'{"code": "license_invalid"}')
    assert till.activate(key).result.code == "license_invalid"
    assert till.state.pending is None
    assert till.state.seed is not None


def rewritten(till: PaperTill, **changes):
    """A network whose leases are signed by the right server but say something else."""

    def send(effect: Send) -> Reply:
        reply = till.server.post(effect.path, effect.body)
        document = strict_json.loads(reply.body)
        lease = open_lease(document["lease"], till.server.mint.keyset)
        document["lease"] = sign_lease(type(lease)(**{**vars(lease), **changes}), till.server.mint.online)
        return Reply(200, "application/json", strict_json.dumps(document))

    return send


@pytest.mark.clause("X-03")
@pytest.mark.parametrize(
    "changes",
    [
        {"rid": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"jkt": key_from("somebody").public.thumbprint},
        {"aud": "pos-loyalty"},
        {"iss": "another-server"},
        {"sub": "00000000-0000-0000-0000-00000000000f"},
    ],
    ids=["rid", "jkt", "aud", "iss", "sub"],
)
def test_an_answer_for_something_else_changes_nothing(server, till, changes):
    till.activate(server.sell())
    before = till.state
    till.network = rewritten(till, **changes)
    assert till.heartbeat().result.kind == "bad_answer"
    assert (till.state.lease, till.state.chain, till.state.statement) == (before.lease, before.chain, None)
    assert till.state.pending.kind == HEARTBEAT


@pytest.mark.clause("NX-03")
def test_a_refusal_that_names_a_page_is_the_same_refusal_to_the_till(server, till):
    till.activate(server.sell())
    outcomes = []
    for facts in ({}, {"facts": {"held_by": "production abcd…", "self_service": "https://vendor.example/my-licenses"}}):
        problem = strict_json.dumps({"code": "license_in_use", **facts})
        till.network = lambda effect, text=problem: Reply(409, "application/problem+json", text)
        outcomes.append(till.activate(server.sell(2)).result)
    assert outcomes[0] == outcomes[1]
    assert (type(outcomes[0]), outcomes[0].code) == (Declined, "license_in_use")


@pytest.mark.clause("X-03")
def test_a_statement_by_a_foreign_key_ends_nothing(server, till):
    till.activate(server.sell())
    stranger = LicenseServer("another-server")

    def send(effect: Send) -> Reply:
        server.post(effect.path, effect.body)
        text = stranger.statement(server.seen[-1], "license_revoked", iss=server.issuer)
        return Reply(403, "application/problem+json", strict_json.dumps({"code": "license_revoked", "statement": text}))

    till.network = send
    assert till.heartbeat().result.kind == "bad_answer"
    assert till.state.statement is None


@pytest.mark.clause("X-02")
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, "text/html", b"<html>Log in to the Wi-Fi</html>"), "not_json"),
        (Reply(200, "application/json", b'{"lease": "ey'), "not_json"),
        (Reply(200, "application/json", b'{"lease": "ey.ey.ey"}'), "bad_answer"),
        (Reply(200, "application/json", b"{}"), "bad_answer"),
        (Reply(200, "application/json", b"[]"), "not_json"),
        (Reply(302, "text/html", b""), "redirected"),
        (Reply(403, "text/html", b"<html>WAF</html>"), "http_4xx"),
        (Reply(404, "application/problem+json", b"{}"), "http_4xx"),
        (Reply(404, "application/json", b'{"code": "license_revoked"}'), "http_4xx"),
        (Reply(429, "application/problem+json", b'{"code": "rate_limited"}', 17), "rate_limited"),
        (Reply(500, "text/plain", b"oops"), "http_5xx"),
        (Reply(503, "application/problem+json", b'{"code": "unavailable"}', 60), "http_5xx"),
        (Reply(200, "application/json", b"[" * 9 + b"]" * 9), "not_json"),
        (Reply(200, "application/json", b'{"a": 1, "a": 2}'), "not_json"),
    ],
)
def test_what_proves_nothing_is_unreachable_and_the_request_stays_pending(server, till, reply, kind):
    till.activate(server.sell())
    before = till.state
    till.network = lambda effect: reply
    result = till.heartbeat().result
    assert (result.kind, result.retry_after) == (kind, reply.retry_after)
    assert (till.state.lease, till.state.statement) == (before.lease, None)
    assert till.state.pending.kind == HEARTBEAT


def test_a_new_signing_key_is_reached_by_walking_the_keysets(server, till):
    till.activate(server.sell())
    first = server.mint.online
    server.publish([first, key_from("second")])
    server.publish([key_from("second"), key_from("third")])
    assert isinstance(till.heartbeat().result, Granted)
    assert server.keyset_fetches == [2, 3, 4]
    assert len(till.state.keysets) == 3
    till.heartbeat()
    assert server.seen[-1].keyset == 3


def test_a_keyset_that_the_lease_wishes_for_is_fetched(server, till):
    key = server.sell()
    server.publish([server.mint.online], wished=True)
    till.activate(key)
    assert len(till.state.keysets) == 2


def test_a_keyset_that_the_root_did_not_sign_is_not_followed(server, till):
    till.activate(server.sell())
    stranger = LicenseServer(server.issuer)
    stranger.mint.root = key_from("not the root")
    stranger.keysets.clear()
    stranger.publish([server.mint.online])
    server.keysets[2] = stranger.publish([key_from("evil")])
    server.mint.online = key_from("evil")
    assert till.heartbeat().result.kind == "bad_answer"
    assert len(till.state.keysets) == 1


def test_a_key_is_not_replaced_on_an_unsigned_word(server, till):
    key = server.sell()
    till.network = lambda effect: Reply(409, "application/problem+json", b'{"code": "installation_key_in_use"}')
    asked = till.activate(key)
    assert (asked.result.code, till.saves) == ("installation_key_in_use", 1)
    assert till.state.pending.seed is None


def test_a_key_made_as_a_replacement_is_not_replaced_again(server, till):
    till.activate(server.sell(1))
    other = server.sell(2)
    lost = []

    def loses_the_second(effect: Send):
        reply = server.post(effect.path, effect.body)
        lost.append(effect)
        return reply if len(lost) == 1 else Unreached("timeout")

    till.network = loses_the_second
    till.activate(other)
    assert till.state.pending.seed is not None

    def always_in_use(effect: Send):
        server.post(effect.path, effect.body)
        text = server.statement(server.seen[-1], "installation_key_in_use")
        problem = {"code": "installation_key_in_use", "statement": text}
        return Reply(409, "application/problem+json", strict_json.dumps(problem))

    server.seen.clear()
    till.network = always_in_use
    assert till.activate(other).result.code == "installation_key_in_use"
    assert len(server.seen) == 1


@pytest.mark.clause("NX-48")
def test_a_rebind_that_learns_of_the_end_does_not_take_the_seat_back(server, till):
    key = server.sell()
    till.activate(key)
    server.force()

    def forgets_heartbeats(effect: Send):
        if effect.path.endswith("/heartbeat"):
            return Reply(409, "application/problem+json", b'{"code": "unknown_installation"}')
        return server.post(effect.path, effect.body)

    till.network = forgets_heartbeats
    assert till.activate(key).result.code == "activation_superseded"
    assert server.ops() == ["activate", "rebind"]
