"""The state machine's verbs against a server that signs, over a network that loses and repeats."""

import pytest

from tests.sdk.license_server import DAY, HOUR, key_from
from tests.sdk.tills import PaperTill, PowerCut
from tillkey.effects import Granted, Nothing, Released, Reply, Send, Unreached
from tillkey.state import ACTIVATE
from tillkey.wire import strict_json


def lost_answer(till: PaperTill):
    """A network that delivers the request and loses the answer."""

    def send(effect: Send) -> Unreached:
        till.server.post(effect.path, effect.body)
        return Unreached("timeout")

    return send


def no_network(effect: Send) -> Unreached:
    return Unreached("dns")


def well(till: PaperTill):
    return lambda effect: till.server.post(effect.path, effect.body)


@pytest.mark.clause("NX-03")
def test_an_activation_stores_a_lease_and_forgets_the_license_key(server, till):
    key = server.sell()
    outcome = till.activate(key)
    assert isinstance(outcome.result, Granted)
    assert till.state.pending is None
    assert till.state.chain.activation == server.holder().id
    assert b"license_key" not in till.disk
    assert server.seen[0].body.license_key.encode() not in till.disk


def test_the_installation_key_is_first_saved_together_with_the_first_rid(server, till):
    key = server.sell()
    till.network = no_network
    till.activate(key)
    assert till.saves == 1
    assert till.state.seed is not None
    assert till.state.pending.kind == ACTIVATE


def test_the_rid_is_on_the_disk_before_the_request_leaves(server, till):
    key = server.sell()
    on_disk = []

    def watch(effect: Send):
        on_disk.append(till.state.pending.rid)
        return server.post(effect.path, effect.body)

    till.network = watch
    till.activate(key)
    till.heartbeat()
    assert on_disk == [request.rid for request in server.seen]
    assert len(set(on_disk)) == 2


def test_activating_again_for_the_same_license_project_and_environment_is_a_heartbeat(server, till):
    key = server.sell()
    till.activate(key)
    assert isinstance(till.activate(key.lower().replace("-", " "), project="  corner SHOP ").result, Granted)
    assert server.ops() == ["activate", "heartbeat"]
    assert server.holder().forks == 0


def test_another_environment_is_a_move_in_place(server, till):
    key = server.sell()
    till.activate(key, "staging")
    old = server.holder().id
    assert isinstance(till.activate(key, "production").result, Granted)
    assert server.ops() == ["activate", "activate"]
    assert till.state.environment == "production"
    assert till.state.chain.activation == server.holder().id != old


def test_a_lost_answer_is_asked_for_again_with_the_same_rid(server, till):
    key = server.sell()
    till.network = lost_answer(till)
    assert isinstance(till.activate(key).result, Unreached)
    till.network = well(till)
    assert isinstance(till.activate(key).result, Granted)
    assert len({request.rid for request in server.seen}) == 1
    assert len(server.books.activations) == 1
    assert till.state.chain.seq == 1


def test_an_activation_of_unknown_outcome_is_completed_by_the_next_beat(server, till):
    key = server.sell()
    till.network = lost_answer(till)
    till.activate(key)
    till.network = well(till)
    assert isinstance(till.heartbeat().result, Granted)
    assert till.state.pending is None
    assert server.ops() == ["activate", "activate"]


def test_changed_content_draws_a_new_rid(server, till):
    key = server.sell()
    till.network = no_network
    till.activate(key, project="Corner Shpo")
    first = till.state.pending.rid
    till.activate(key, project="Corner Shop")
    assert till.state.pending.rid != first
    assert till.state.pending.project == "Corner Shop"


def test_a_heartbeat_whose_answer_was_lost_makes_no_fork(server, till):
    till.activate(server.sell())
    till.network = lost_answer(till)
    for _ in range(3):
        till.heartbeat()
        till.clock.pass_time(HOUR)
    till.network = well(till)
    assert isinstance(till.heartbeat().result, Granted)
    assert server.holder().forks == 0
    assert till.state.chain.seq == server.holder().seq == 2


def test_a_pending_heartbeat_is_settled_before_a_move(server, till):
    till.activate(server.sell(), "staging")
    till.network = lost_answer(till)
    till.heartbeat()
    till.network = well(till)
    outcome = till.move("production")
    assert server.knows_ticket(outcome.result.ticket)
    assert server.ops() == ["activate", "heartbeat", "heartbeat", "move"]
    assert server.holder().forks == 0


def test_a_move_whose_answer_was_lost_gives_the_same_ticket_again(server, till):
    till.activate(server.sell(), "staging")
    till.network = lost_answer(till)
    till.move("production")
    till.network = well(till)
    assert server.knows_ticket(till.move("production").result.ticket)
    assert len(server.books.tickets) == 1


@pytest.mark.clause("NX-48")
def test_a_ticket_takes_the_license_to_another_machine_and_the_old_one_learns_it(server, till):
    key = server.sell()
    till.activate(key, "staging")
    ticket = till.move("production").result.ticket
    new = PaperTill(server, "new")
    assert isinstance(new.activate(key, ticket=ticket).result, Granted)
    assert till.heartbeat().result.code == "activation_superseded"
    assert till.state.statement is not None


def test_a_stale_request_is_dropped_and_asked_anew(server, till):
    till.activate(server.sell())
    till.network = lost_answer(till)
    till.heartbeat()
    old = till.disk
    till.network = well(till)
    till.heartbeat()
    till.heartbeat()
    till.disk = old  # a restored state folder: its pending rid is an older step's
    assert isinstance(till.heartbeat().result, Granted)
    assert server.holder().forks == 1
    assert till.state.chain.seq == server.holder().seq


def test_a_server_without_history_makes_the_till_rebind_with_its_lease(server, till):
    till.activate(server.sell())
    backup = server.snapshot()
    till.heartbeat()
    till.heartbeat()
    server.restore(backup)
    assert isinstance(till.heartbeat().result, Granted)
    assert server.ops()[-2:] == ["heartbeat", "rebind"]
    assert server.seen[-1].body.license_key is None
    assert till.state.chain.seq == 4
    assert server.holder().forks == 0


def test_an_installation_that_the_server_has_forgotten_rebinds(server, till):
    backup = server.snapshot()
    key = server.sell()
    backup.licenses = server.snapshot().licenses
    till.activate(key)
    activation = till.state.chain.activation
    server.restore(backup)
    assert isinstance(till.heartbeat().result, Granted)
    assert till.state.chain.activation == activation
    assert server.ops()[-2:] == ["heartbeat", "rebind"]


def test_a_genuine_answer_with_an_old_seq_makes_the_till_rebind(server, till):
    till.activate(server.sell())
    till.heartbeat()
    backup = server.snapshot()
    till.heartbeat()
    till.network = lost_answer(till)
    till.heartbeat()
    till.network = well(till)
    server.restore(backup)
    held = server.holder()
    held.nonce = till.state.chain.nonce  # a standby that promoted another history: the nonce fits, the seq does not
    assert held.seq < till.state.chain.seq
    before = till.state.pending.rid
    assert isinstance(till.heartbeat().result, Granted)
    assert server.ops()[-1] == "rebind"
    assert server.seen[-1].rid != before
    assert till.state.chain.seq > 3


def test_a_rebind_that_is_refused_falls_back_to_the_license_key_in_hand(server, till):
    key = server.sell()
    till.activate(key)
    server.books.activations.clear()
    new = key_from("online after a compromise")
    server.publish([new])
    assert isinstance(till.activate(key).result, Granted)
    assert server.ops() == ["activate", "heartbeat", "rebind", "activate"]


@pytest.mark.clause("NX-03")
def test_a_license_in_use_elsewhere_is_refused_with_a_statement(server, till):
    key = server.sell()
    PaperTill(server, "other").activate(key)
    outcome = till.activate(key)
    assert outcome.result.code == "license_in_use"
    assert outcome.result.statement.clauses == ("NX-03",)
    assert till.state.pending is None
    assert till.state.statement is None


def test_a_key_that_is_in_use_is_replaced_once_and_kept_when_granted(server, till):
    till.activate(server.sell(1))
    old_seed = till.state.seed
    assert isinstance(till.activate(server.sell(2)).result, Granted)
    assert server.ops() == ["activate", "activate", "activate"]
    assert till.state.seed != old_seed
    assert server.holder(2).jkt != server.holder(1).jkt


def test_a_key_that_is_in_use_is_kept_when_the_new_one_is_granted_nothing(server, till):
    till.activate(server.sell(1))
    old = till.state
    other = server.sell(2)
    PaperTill(server, "other").activate(other)
    assert till.activate(other).result.code == "license_in_use"
    assert till.state.seed == old.seed
    assert till.state.lease == old.lease
    assert isinstance(till.heartbeat().result, Granted)


@pytest.mark.clause("NX-50")
def test_a_deactivation_is_receipted_and_frees_the_seat(server, till):
    key = server.sell()
    till.activate(key)
    assert isinstance(till.deactivate().result, Released)
    assert server.is_free()
    assert isinstance(till.deactivate().result, Released)
    assert isinstance(PaperTill(server, "other").activate(key).result, Granted)


@pytest.mark.clause("NX-50")
def test_a_revoked_license_can_still_be_deactivated(server, till):
    till.activate(server.sell())
    server.end("license_revoked")
    assert isinstance(till.deactivate().result, Released)


def test_after_a_deactivation_the_license_key_activates_anew(server, till):
    key = server.sell()
    till.activate(key)
    first = till.state.chain.activation
    till.deactivate()
    assert isinstance(till.activate(key).result, Granted)
    assert till.state.chain.activation != first
    assert till.state.statement is None


def test_an_activation_of_unknown_outcome_is_settled_before_it_is_deactivated(server, till):
    till.network = lost_answer(till)
    till.activate(server.sell())
    till.network = well(till)
    assert isinstance(till.deactivate().result, Released)
    assert server.is_free()
    assert server.ops() == ["activate", "activate", "deactivate"]


def test_a_superseded_till_does_not_take_the_seat_back_by_itself(server, till):
    key = server.sell()
    till.activate(key)
    server.force()
    assert till.activate(key).result.code == "activation_superseded"
    assert server.ops() == ["activate", "heartbeat"]
    assert till.heartbeat().result.code == "activation_superseded"


def test_without_an_activation_there_is_nothing_to_beat_move_or_free(server, till):
    assert isinstance(till.heartbeat().result, Nothing)
    assert isinstance(till.move().result, Nothing)
    assert isinstance(till.deactivate().result, Nothing)
    assert till.saves == 0
    assert server.seen == []


def test_a_call_ends_after_four_requests(server, till):
    till.activate(server.sell())
    server.seen.clear()

    def always_stale(effect: Send) -> Reply:
        server.post(effect.path, effect.body)
        text = server.statement(server.seen[-1], "stale_request", server.holder().id)
        return Reply(409, "application/problem+json", strict_json.dumps({"code": "stale_request", "statement": text}))

    till.network = always_stale
    assert till.heartbeat().result.kind == "gave_up"
    assert len({request.rid for request in server.seen}) == 4


def test_a_product_adopts_the_installation_key_of_its_folder(server, till):
    till.spare_seed = b"\x07" * 32
    till.activate(server.sell())
    assert till.state.seed == b"\x07" * 32


@pytest.mark.parametrize("save", range(7))
def test_a_power_cut_at_any_save_costs_neither_the_seat_nor_a_fork(server, till, save):
    """Activate, beat, move, deactivate; the power goes before one of the saves; then everything is done again."""
    key = server.sell()
    till.cut_before_save = save

    def story() -> None:
        till.activate(key, "staging")
        till.heartbeat()
        till.move("production")
        till.heartbeat()

    with pytest.raises(PowerCut):
        story()
    till.cut_before_save = None
    story()
    assert till.state.pending is None
    assert len(server.books.activations) == 1
    assert server.holder().forks == 0
    assert server.holder().seq == till.state.chain.seq


def test_a_till_that_was_off_for_months_beats_on_with_its_old_lease(server, till):
    till.activate(server.sell())
    server.now += 200 * DAY
    till.clock.pass_time(200 * DAY)
    assert isinstance(till.heartbeat().result, Granted)
    assert server.ops() == ["activate", "heartbeat"]
