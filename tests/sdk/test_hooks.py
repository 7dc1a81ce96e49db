"""What a host is told, and what its log holds."""

import contextlib
import logging
import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from tillkey import LicenseClient, Unreachable
from tillkey.background import Background
from tillkey.hooks import Watch
from tillkey.testing import FakeServer

PATIENCE = 10


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture
def client(fake, tmp_path):
    def start(**options):
        return LicenseClient(fake.url, "pos-core", fake.keyset, tmp_path / "till", clock=fake.clock, **options)

    return start


def test_a_host_is_told_once_of_each_change(fake, client):
    seen = []
    till, key = client(on_change=lambda verdict: seen.append(verdict.status)), fake.license("pos-core")
    till.activate(key, project="Corner Shop")
    till.heartbeat()
    fake.suspend(key)
    with pytest.raises(Exception, match="suspended"):
        till.heartbeat()
    fake.resume(key)
    till.heartbeat()
    till.deactivate()
    assert seen == ["valid", "suspended", "valid", "released"]


def test_a_hook_that_raises_harms_nobody_and_is_logged_without_its_words(fake, client, caplog):
    def broken(_verdict):
        raise ValueError("the customer's name")

    till = client(on_change=broken)
    assert till.activate(fake.license("pos-core"), project="Corner Shop").usable
    assert "a hook of the host raised ValueError" in caplog.text
    assert "customer" not in caplog.text


@pytest.mark.clause("I16")
def test_the_log_tells_what_happened_and_no_secret(fake, client, caplog, tmp_path):
    caplog.set_level(logging.DEBUG, "tillkey")
    till, key = client(), fake.license("pos-core")
    till.activate(key, project="Corner Shop")
    ticket = till.move_ticket("staging")
    fake.go_down()
    with pytest.raises(Unreachable):
        till.heartbeat()
    held = (tmp_path / "till" / "tillkey-pos-core.json").read_text()
    assert "pos-core: valid" in caplog.text
    for secret in (key, key.replace("-", ""), ticket, fake.url, str(till.check().activation)):
        assert secret not in caplog.text
    tokens = {word for word in held.replace('"', " ").replace(".", " ").split() if len(word) >= 22}
    assert not [token for token in tokens if token in caplog.text]


@pytest.fixture
def verdict(client):
    """Return a verdict that is told apart from others by its reason."""
    plain = client().check()
    return lambda reason: replace(plain, reason=reason)


class Hook:
    """A host's hook that returns when it may; `told` are the reasons, `at` the event that it was called."""

    def __init__(self, *, free: bool = True) -> None:
        self.told, self.at, self.may_return = [], threading.Event(), threading.Event()
        if free:
            self.may_return.set()

    def __call__(self, verdict) -> None:
        self.told.append(verdict.reason)
        self.at.set()
        assert self.may_return.wait(PATIENCE)


class Meeting:
    """Entitlements whose comparison waits until two threads compare them, or one of them cannot come."""

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def __eq__(self, other) -> bool:
        with contextlib.suppress(threading.BrokenBarrierError):
            self.barrier.wait(0.3)
        return self is other

    __hash__ = None


def at_once(*work):
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def test_a_change_that_two_threads_find_at_once_is_told_once(verdict):
    hook = Hook()
    watch = Watch("pos-core", hook)
    before, after = (replace(verdict(reason), entitlements=Meeting()) for reason in ("before", "after"))
    watch.see(lambda: before, None, PATIENCE)
    at_once(*[lambda: watch.see(lambda: after, None, PATIENCE)] * 2)
    assert hook.told == ["before", "after"]


def test_two_threads_whose_verbs_are_their_first_tell_once(fake, client, monkeypatch):
    key, hook, both = fake.license("pos-core"), Hook(), threading.Barrier(2)

    class Met(Watch):
        def __init__(self, *arguments):
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.3)
            super().__init__(*arguments)

    client().activate(key, project="Corner Shop")
    monkeypatch.setattr("tillkey.hooks.Watch", Met)
    till = client(on_change=hook)
    at_once(*[lambda: till._watch_now(PATIENCE)] * 2)
    assert hook.told == ["lease_valid"]


def test_what_was_found_later_is_told_later(verdict):
    hook, looking, go_on = Hook(), threading.Event(), threading.Event()
    watch = Watch("pos-core", hook)

    def slow():
        looking.set()
        go_on.wait(PATIENCE)
        return verdict("earlier")

    def second():
        looking.wait(PATIENCE)
        threading.Timer(0.1, go_on.set).start()
        watch.see(lambda: verdict("later"), None, PATIENCE)

    at_once(lambda: watch.see(slow, None, PATIENCE), second)
    assert hook.told == ["earlier", "later"]


def test_a_hook_that_blocks_holds_up_no_verb_and_is_told_the_rest_when_it_returns(fake, client, monkeypatch):
    monkeypatch.setattr("tillkey.client.HOOK_PATIENCE", 0.0)
    hook, key = Hook(free=False), fake.license("pos-core")
    till = client(on_change=hook)
    till.activate(key, project="Corner Shop")
    assert hook.at.wait(PATIENCE)
    assert till.heartbeat().usable
    till.deactivate()
    till.activate(key, project="Corner Shop")
    assert hook.told == ["lease_valid"]
    teller = next(thread for thread in threading.enumerate() if thread.name == "tillkey-hook")
    hook.may_return.set()
    teller.join(PATIENCE)
    assert hook.told == ["lease_valid", "activation_released", "lease_valid"]


def test_a_hook_that_blocks_holds_up_no_background_beat(verdict):
    hook, ticked = Hook(free=False), threading.Semaphore(0)
    watch = Watch("pos-core", hook)

    class Beats:
        def tick(self):
            ticked.release()
            return 0.001

    background = Background(Beats(), lambda: watch.see(lambda: verdict("changed"), None))
    assert hook.at.wait(PATIENCE)
    assert all(ticked.acquire(timeout=PATIENCE) for _ in range(3))
    background.stop(PATIENCE)
    hook.may_return.set()
    assert hook.told == ["changed"]


def test_a_hook_may_call_the_client_itself(fake, client):
    seen, key = [], fake.license("pos-core")

    def told(verdict):
        seen.append(verdict.status)
        if verdict.status == "valid":
            till.deactivate()

    till = client(on_change=told)
    till.activate(key, project="Corner Shop")
    assert seen == ["valid", "released"]


def test_a_hook_that_ends_its_thread_is_told_the_next_change(verdict, caplog):
    seen = []

    def ends(told):
        seen.append(told.reason)
        raise SystemExit

    watch = Watch("pos-core", ends)
    for reason in ("one", "two"):
        watch.see(lambda reason=reason: verdict(reason), None, PATIENCE)
    assert seen == ["one", "two"]
    assert "a hook of the host raised SystemExit" in caplog.text


def test_without_a_thread_to_be_had_a_change_is_told_with_the_next(verdict, monkeypatch):
    hook = Hook()
    watch = Watch("pos-core", hook)

    def none_left(_thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", none_left)
        watch.see(lambda: verdict("one"), None, PATIENCE)
    watch.see(lambda: verdict("two"), None, PATIENCE)
    assert hook.told == ["one", "two"]


def test_a_child_of_fork_tells_its_own_changes_though_the_parent_s_hook_is_at_work(verdict, monkeypatch):
    hook, over = Hook(free=False), threading.Event()
    watch = Watch("pos-core", hook)
    watch.see(lambda: verdict("the parent's"), None)
    assert hook.at.wait(PATIENCE)
    held = threading.Thread(
        target=lambda: watch.see(lambda: over.wait(PATIENCE) and verdict("the parent's next"), None)
    )
    held.start()
    child = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: child)
    hook.may_return.set()
    watch.see(lambda: verdict("the child's"), None, PATIENCE)
    assert "the child's" in hook.told
    over.set()
    held.join(PATIENCE)


def test_a_host_without_logging_has_nothing_written_on_its_standard_error():
    program = "from tillkey.hooks import complain; complain(ValueError())"
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert told.stderr == ""
