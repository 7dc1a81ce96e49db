"""When background beats are due, and what they do about failures; no test waits."""

import contextlib
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.license_server import DAY, HOUR, START
from tests.sdk.tills import Clock
from tillkey import Busy, Refused, Unreachable
from tillkey.background import Background, Beater
from tillkey.effects import Reply
from tillkey.schedule import Due, backoff, delay, spread
from tillkey.storage import StateFolder

LEASE = Due(issued_at=START, refresh_at=START + 6 * HOUR)


@given(draw=st.floats(0, 1, exclude_max=True))
def test_a_beat_comes_within_a_fifth_of_the_interval_around_its_time(draw):
    assert 4.8 * HOUR <= delay(LEASE, START, draw) <= 7.2 * HOUR


def test_under_a_statement_a_till_beats_daily():
    under = Due(issued_at=START, refresh_at=START + 6 * HOUR, under_statement=True)
    assert delay(under, START, 0.5) == DAY


def test_a_lease_that_wishes_for_no_time_is_renewed_every_six_hours():
    assert delay(Due(issued_at=START, refresh_at=START), START, 0.5) == 6 * HOUR


def test_without_an_activation_there_is_nothing_to_beat_and_what_is_pending_is_due():
    assert delay(Due(), START, 0.5) is None
    assert delay(Due(pending=True), START, 0.5) == 0
    assert delay(LEASE, START + 9 * HOUR, 0.5) < 0
    assert 0 <= spread(0.99) < 60


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1, exclude_max=True))
def test_backoff_is_full_jitter_up_to_a_day(failures, draw):
    assert 1 <= backoff(failures, None, draw) <= DAY


def test_backoff_doubles_its_bound():
    assert [backoff(failures, None, 0.5) for failures in (1, 2, 3)] == [30, 60, 120]


@given(asked=st.integers(0, 10 * DAY), draw=st.floats(0, 1, exclude_max=True))
def test_the_servers_wish_is_honored_up_to_a_day(asked, draw):
    assert min(asked, DAY) <= backoff(1, asked, draw) <= DAY


class FakeHeart:
    """A client on paper: `ends` are what the next beats come to."""

    def __init__(self, clock: Clock, ends=()) -> None:
        self.clock, self.ends, self.beats, self.known = clock, list(ends), 0, LEASE

    def refresh(self) -> None:
        pass

    def due(self):
        return self.known, self.clock.wall

    def beat(self) -> None:
        self.beats += 1
        end = self.ends.pop(0) if self.ends else None
        if end is not None:
            raise end
        self.known = Due(issued_at=self.clock.wall, refresh_at=self.clock.wall + 6 * HOUR)


def run(beater: Beater, clock: Clock, seconds: int) -> None:
    """Let the time pass as the thread would."""
    end = clock.wall + seconds
    while clock.wall < end:
        wait = beater.tick()
        assert 0 <= wait <= 60
        clock.pass_time(max(1, int(wait)))


@pytest.fixture
def clock():
    return Clock()


def beater_of(heart: FakeHeart, draw: float = 0.5) -> Beater:
    return Beater(heart, heart.clock, lambda: draw)


def test_a_day_has_four_beats(clock):
    heart = FakeHeart(clock)
    run(beater_of(heart), clock, DAY + HOUR)
    assert heart.beats == 4


def test_after_failures_the_waits_grow_and_a_success_ends_them(clock):
    heart = FakeHeart(clock, [Unreachable("timeout"), Unreachable("timeout"), Unreachable("timeout")])
    beater = beater_of(heart)
    run(beater, clock, 6 * HOUR + 40)
    assert heart.beats == 1
    assert beater.last_error.kind == "timeout"
    run(beater, clock, 300)
    assert heart.beats == 4
    assert beater.last_error is None


def test_retry_after_holds_the_next_beat_back(clock):
    heart = FakeHeart(clock, [Unreachable("rate_limited", retry_after=2 * HOUR)])
    beater = beater_of(heart)
    run(beater, clock, 6 * HOUR + 60)
    run(beater, clock, 2 * HOUR - 60)
    assert heart.beats == 1
    run(beater, clock, HOUR)
    assert heart.beats == 2


def test_a_stored_statement_is_an_answer_and_another_refusal_is_not(clock):
    heart = FakeHeart(clock, [Refused("license_in_use")])
    beater = beater_of(heart)
    run(beater, clock, 6 * HOUR + 40)
    assert beater._failures == 1
    heart.ends = [Refused("license_revoked")]
    beat = heart.beat

    def stores():
        heart.known = Due(issued_at=clock.wall, under_statement=True)
        beat()

    heart.beat = stores
    run(beater, clock, 120)
    assert (heart.beats, beater._failures) == (2, 0)
    run(beater, clock, 20 * HOUR)
    assert heart.beats == 2


def test_a_skipped_beat_is_tried_again_and_another_processs_lease_counts(clock):
    heart = FakeHeart(clock, [Busy("held")])
    beater = beater_of(heart)
    run(beater, clock, 6 * HOUR + 35)
    assert heart.beats == 1
    heart.known = Due(issued_at=clock.wall, refresh_at=clock.wall + 6 * HOUR)
    run(beater, clock, 5 * HOUR)
    assert heart.beats == 1


def test_a_restart_of_the_machine_begins_the_wait_anew(clock):
    heart = FakeHeart(clock, [Unreachable("dns", retry_after=600)])
    beater = beater_of(heart)
    run(beater, clock, 6 * HOUR + 60)
    clock.boot_id, clock.boottime = "boot-2", 5
    assert beater.tick() == 60


def test_the_thread_survives_a_fault_and_stops_when_told():
    ticked = threading.Event()

    class Faulty:
        def tick(self):
            ticked.set()
            raise RuntimeError

    background = Background(Faulty())
    assert ticked.wait(5)
    assert background.running
    background.stop(5)
    assert not background.running


def test_a_start_after_a_stop_begins_anew_though_the_last_beat_is_still_under_way(client, monkeypatch):
    under_way, over = threading.Event(), threading.Event()
    monkeypatch.setattr(Beater, "tick", lambda _: (under_way.set(), over.wait(10), 60.0)[2])
    client.start()
    first = client._background
    assert under_way.wait(5)
    client.stop(wait=0)
    client.start()
    assert client._background is not first
    assert client._background.running
    over.set()
    client.stop()


def test_two_threads_that_start_at_once_begin_one_background(client, monkeypatch):
    made, both = [], threading.Barrier(2)

    class Counted(Background):
        def __init__(self, *arguments):
            made.append(self)
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.3)
            super().__init__(*arguments)

    monkeypatch.setattr("tillkey.background.Background", Counted)
    threads = [threading.Thread(target=client.start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    client.stop()
    assert len(made) == 1


def test_a_client_beats_in_the_background(server, client, clock):
    client.activate(server.sell(), project="Corner Shop")
    beaten = threading.Event()
    post = server.post

    def watched(path, body):
        beaten.set()
        return post(path, body)

    server.post = watched
    clock.pass_time(8 * HOUR)
    server.now += 8 * HOUR
    beater = Beater(client._driver, clock, lambda: 0.0)
    with client:
        client.start()
        beater.tick()
        assert beaten.is_set()
    assert client.check().status == "valid"
    assert client.last_error is None
    client.stop()


def test_the_background_learns_what_another_process_did(server, client, make_client, clock):
    heart = client._driver
    heart.refresh()
    assert heart.due()[0] == Due()
    assert client.check().status == "unlicensed"
    make_client().activate(server.sell(), project="Corner Shop")
    heart.refresh()
    assert heart.due()[0].issued_at == server.now
    assert client.check().status == "valid"


def test_the_background_skips_its_beat_while_another_process_holds_the_folder(server, client, folder):
    client.activate(server.sell(), project="Corner Shop")
    server.seen.clear()
    with StateFolder(folder, "pos-core", server.issuer).locked(0), pytest.raises(Busy):
        client._driver.beat()
    assert server.seen == []


def test_the_background_completes_an_activation_of_unknown_outcome(server, http, client):
    def loses(handler, body):
        server.post(handler.path, body)
        return Reply(502, "text/html", b"<html>Bad Gateway</html>")

    http.answer = loses
    with pytest.raises(Unreachable):
        client.activate(server.sell(), project="Corner Shop")
    http.serve(server)
    client._driver.beat()
    assert client.check().usable
    assert len(server.books.activations) == 1


def test_after_a_fork_the_child_has_no_thread_and_does_not_stop_the_parents(monkeypatch):
    class Idle:
        def tick(self):
            return 60.0

    background = Background(Idle())
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert not background.running
    background.stop(5)
    monkeypatch.undo()
    assert background.running
    background.stop(5)
    assert not background.running
