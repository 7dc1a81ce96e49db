"""The sentences are those of `rules.chain`; the rows are the protocol's."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.rules.facts import NOW, SECOND
from tillkey_server.errors import BrokenInvariant
from tillkey_server.rules.chain import (
    ChainFacts,
    ChainVerdict,
    IssuedNonce,
    NonceState,
    Op,
    Presented,
    Row,
    SeenRid,
    judge,
    judge_rid,
    lease_stays,
)
from tillkey_server.rules.decision import Refusal

TILL, OTHER = UUID(int=1), UUID(int=2)
TIP = ChainFacts(TILL, 7, "tip")


def _beat(nonce="tip", op=Op.HEARTBEAT):
    return Presented(op, TILL, nonce)


def _seen(**facts):
    return SeenRid(**({"is_last": True, "op": "heartbeat", "activation_id": TILL, "same_key": True} | facts))


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize("nonce", ["tip", "older", "unknown"])
@pytest.mark.parametrize("issued", [None, IssuedNonce(NonceState.LIVE), IssuedNonce(NonceState.TOMBSTONE)])
def test_the_last_steps_rid_is_the_same_step_again_whatever_nonce_it_shows(nonce, issued):
    """Row a, sentence 1: nothing is written, no fork and no switch."""
    verdict = judge(TIP, _beat(nonce), _seen(), issued)
    assert verdict == ChainVerdict(Row.REPLAY, seq=7)
    assert (verdict.is_step, verdict.refusal) == (False, None)


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize(
    "seen",
    [
        _seen(is_last=False),
        _seen(op="move"),
        _seen(op="activate"),
        _seen(activation_id=OTHER),
        _seen(same_key=False),
        _seen(is_last=False, op="move", activation_id=OTHER, same_key=False),
    ],
)
@pytest.mark.parametrize("nonce", ["tip", "older"])
def test_any_other_known_rid_is_stale_even_with_the_current_nonce(seen, nonce):
    """Row b, sentence 2: no alarm and no step."""
    verdict = judge(TIP, _beat(nonce), seen, IssuedNonce(NonceState.TOMBSTONE))
    assert verdict == ChainVerdict(Row.STALE)
    assert verdict.refusal is Refusal.STALE_REQUEST


@pytest.mark.clause("PROTOCOL-5")
def test_a_known_rid_of_an_activation_that_this_installation_no_longer_holds_is_stale():
    """The fine print: an `activate` with the license key and the rid of an ended activation."""
    by_key = Presented(Op.ACTIVATE, None)
    assert judge_rid(None, by_key, _seen(op="activate")) == ChainVerdict(Row.STALE)
    assert judge_rid(TIP, by_key, _seen(op="activate")) == ChainVerdict(Row.STALE)
    assert judge_rid(None, Presented(Op.ACTIVATE, TILL), _seen(op="activate")) == ChainVerdict(Row.STALE)


@pytest.mark.clause("PROTOCOL-5")
def test_a_replayed_activate_with_the_license_key_is_told_again():
    by_key = Presented(Op.ACTIVATE, TILL)
    assert judge(TIP, by_key, _seen(op="activate"), None) == ChainVerdict(Row.REPLAY, seq=7)
    assert judge_rid(TIP, by_key, None) is None


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize("op", list(Op))
@pytest.mark.parametrize("issued", [None, IssuedNonce(NonceState.LIVE)])
def test_the_current_nonce_is_a_step_for_every_op(op, issued):
    """Row c, sentence 3; the tip's own record as an issued nonce changes nothing."""
    verdict = judge(TIP, _beat(op=op), None, issued)
    assert verdict == ChainVerdict(Row.STEP, seq=8)
    assert verdict.is_step


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize(
    "state,consumed,switch",
    [(NonceState.LIVE, None, False), (NonceState.TOMBSTONE, "older", True), (NonceState.CONSUMED, None, False)],
)
@pytest.mark.parametrize("op", list(Op))
def test_an_earlier_nonce_is_a_fork_and_a_step_and_only_a_tombstone_a_switch(op, state, consumed, switch):
    """Row d, sentences 4 and 5."""
    verdict = judge(TIP, _beat("older", op), None, IssuedNonce(state))
    assert verdict == ChainVerdict(Row.FORK, seq=8, tombstone="tip", consumed=consumed, fork=True, switch=switch)
    assert (verdict.is_step, verdict.refusal) == (True, None)


@pytest.mark.clause("PROTOCOL-5")
def test_the_holder_activating_with_the_license_key_is_a_fork_and_a_step():
    """Sentence 6."""
    verdict = judge(TIP, Presented(Op.ACTIVATE, TILL), None, None)
    assert verdict == ChainVerdict(Row.FORK, seq=8, tombstone="tip", fork=True)


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize("op", [Op.HEARTBEAT, Op.MOVE])
def test_an_unknown_nonce_is_told_to_rebind(op):
    """Row e, sentence 7."""
    verdict = judge(TIP, _beat("unknown", op), None, None)
    assert verdict == ChainVerdict(Row.REBIND)
    assert (verdict.is_step, verdict.refusal) == (False, Refusal.REBIND_REQUIRED)


@pytest.mark.clause("PROTOCOL-5")
@pytest.mark.parametrize("chain,lease_seq,seq", [(TIP, 20, 21), (TIP, 7, 8), (TIP, 3, 8), (None, 20, 21)])
def test_a_lease_that_the_database_does_not_know_is_adopted_one_above_both(chain, lease_seq, seq):
    """Sentence 8: no fork, no switch, nobody is blamed."""
    verdict = judge(chain, Presented(Op.ACTIVATE, TILL, "unknown", lease_seq), None, None)
    assert verdict == ChainVerdict(Row.ADOPT, seq=seq)
    assert verdict.is_step


@pytest.mark.parametrize(
    "chain,presented",
    [
        (None, _beat()),
        (None, Presented(Op.ACTIVATE, TILL)),
        (TIP, Presented(Op.ACTIVATE, TILL, "unknown")),
    ],
)
def test_nothing_but_an_activate_with_a_lease_is_adopted(chain, presented):
    with pytest.raises(BrokenInvariant):
        judge(chain, presented, None, None)


@pytest.mark.clause("PROTOCOL-5")
def test_of_two_leases_the_later_one_stays_and_at_the_same_second_the_one_that_was_lost():
    """Sentence 9."""
    assert lease_stays(NOW + SECOND, NOW)
    assert lease_stays(NOW, NOW)
    assert not lease_stays(NOW - SECOND, NOW)


class _Server:
    """The chain of one activation in memory, written exactly as the verdicts say."""

    def __init__(self):
        self.seq, self.nonce, self.number = 1, "n1", 1
        self.states = {"n1": NonceState.LIVE}
        self.steps = {}
        self.forks = self.switches = 0

    def beat(self, rid, nonce):
        """Return the nonce of the answer, or None for a refusal."""
        known = self.steps.get(rid)
        seen = None if known is None else _seen(is_last=known == self.seq)
        state = self.states.get(nonce)
        verdict = judge(
            ChainFacts(TILL, self.seq, self.nonce),
            _beat(nonce),
            seen,
            None if state is None else IssuedNonce(state),
        )
        if verdict.is_step:
            self._write(verdict, rid)
        return None if verdict.refusal else self.nonce

    def _write(self, verdict, rid):
        if verdict.tombstone:
            self.states[verdict.tombstone] = NonceState.TOMBSTONE
        if verdict.consumed:
            self.states[verdict.consumed] = NonceState.CONSUMED
        self.number += 1
        self.seq, self.nonce = verdict.seq, f"n{self.number}"
        self.states[self.nonce] = NonceState.LIVE
        self.steps[rid] = self.seq
        self.forks += verdict.fork
        self.switches += verdict.switch


class _Till:
    """A till that saves before it sends, as the protocol wants: its state is the nonce held and the rid under way."""

    def __init__(self, server, name):
        self.server, self.name, self.count = server, name, 0
        self.nonce, self.rid = "n1", None

    def beat(self, *, answer_lost=False):
        if self.rid is None:
            self.count += 1
            self.rid = f"{self.name}{self.count}"
        answer = self.server.beat(self.rid, self.nonce)
        if answer_lost:
            return
        self.rid = None
        self.nonce = answer or self.nonce


@pytest.mark.clause("PROTOCOL-5")
@given(st.lists(st.booleans(), max_size=60))
def test_an_honest_till_that_loses_answers_never_forks(losses):
    """Invariant I9."""
    server = _Server()
    till = _Till(server, "t")
    for lost in losses:
        till.beat(answer_lost=lost)
    assert (server.forks, server.switches) == (0, 0)


@pytest.mark.clause("PROTOCOL-5")
@given(st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=8))
def test_a_till_restored_from_fresh_backups_forks_at_most_once_a_restore_and_never_switches(lives):
    """Invariant I9: each restore goes back to a backup that was made after the restore before it."""
    server = _Server()
    till = _Till(server, "t")
    for number, (beats, answer_lost) in enumerate(lives):
        backup = (till.nonce, till.rid)
        for _ in range(beats):
            till.beat()
        till.beat(answer_lost=answer_lost)
        till.nonce, till.rid = backup
        till.name = f"restored{number}-"
        till.beat()
    assert server.switches == 0
    assert server.forks <= len(lives)


@pytest.mark.clause("PROTOCOL-5", "X-05")
@given(st.integers(0, 9), st.lists(st.integers(1, 4), min_size=10, max_size=10))
def test_two_living_copies_are_told_by_two_switches_within_five_alternations(before, turns):
    """Invariant I10: an alternation is a turn of each copy, of any number of beats."""
    server = _Server()
    one = _Till(server, "a")
    for _ in range(before):
        one.beat()
    two = _Till(server, "b")
    two.nonce = one.nonce
    for number, beats in enumerate(turns):
        till = (one, two)[number % 2]
        for _ in range(beats):
            till.beat()
    assert server.switches >= 2


@pytest.mark.clause("PROTOCOL-5")
@given(
    st.integers(1, 2**31),
    st.sampled_from(list(Op)),
    st.none() | st.sampled_from(["tip", "older"]),
    st.none() | st.builds(_seen, is_last=st.booleans(), same_key=st.booleans()),
    st.none() | st.builds(IssuedNonce, st.sampled_from(list(NonceState))),
    st.integers(0, 2**31),
)
def test_a_step_is_always_exactly_above_the_tip_and_only_forks_leave_a_tombstone(seq, op, nonce, seen, issued, lease):
    chain = ChainFacts(TILL, seq, "tip")
    verdict = judge(chain, Presented(op, TILL, nonce, lease), seen, issued)
    if verdict.is_step:
        assert verdict.seq == (max(seq, lease) + 1 if verdict.row is Row.ADOPT else seq + 1)
    assert (verdict.tombstone == "tip") == verdict.fork == (verdict.row is Row.FORK)
    assert not verdict.switch or verdict.fork
    assert (verdict.consumed is not None) == verdict.switch
    assert (verdict.refusal is None) == (verdict.seq is not None)
