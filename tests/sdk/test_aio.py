"""`AsyncLicenseClient`: the loop is never held up, a cancelled verb is not torn, hooks run on the loop."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from tillkey import Busy, NotActivated, Refused
from tillkey.aio import AsyncLicenseClient
from tillkey.storage import StateFolder
from tillkey.testing import FakeServer

FORKED = """
import asyncio, os, sys
from tillkey.aio import AsyncLicenseClient

async def beat(client):
    await client.start()
    await client.heartbeat()
    await client.stop()
    return client.check().status

async def activate(client):
    await client.activate(sys.argv[3], project="Corner Shop")

client = AsyncLicenseClient(sys.argv[1], "pos-core", sys.argv[2], "state")
asyncio.run(activate(client))
child = os.fork()
if child == 0:
    print("child", asyncio.run(asyncio.wait_for(beat(client), 10)), flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print("parent", asyncio.run(beat(client)))
"""


def beating():
    return [thread for thread in threading.enumerate() if thread.name == "tillkey-heartbeat"]


async def none_beats_soon():
    """Wait until no heartbeat is left; a start that was begun in a thread may come first."""
    async with asyncio.timeout(10):
        while beating():  # noqa: ASYNC110 - a thread's end has no event on the loop
            await asyncio.sleep(0.01)
    return True


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


@pytest.fixture
def make(fake, tmp_path):
    def start(name="till", **options):
        options = {"clock": fake.clock, "machine_traits": {"hardware": name}, **options}
        return AsyncLicenseClient(fake.url, "pos-core", fake.keyset, tmp_path / name, **options)

    return start


async def test_a_verb_does_not_hold_the_loop_up_while_another_process_holds_the_folder(fake, make):
    client = make(lock_timeout=2.0)
    await client.activate(fake.license("pos-core"), project="Corner Shop")
    turned = 0
    with StateFolder(client.state_dir, "pos-core", "x").locked(0):
        waiting = asyncio.create_task(client.heartbeat())
        while not waiting.done():
            await asyncio.sleep(0.01)
            turned += 1
    with pytest.raises(Busy):
        await waiting
    assert turned > 20


async def test_a_cancelled_activation_is_seen_through_and_the_next_one_goes_on_from_it(fake, make):
    client, key = make(), fake.license("pos-core")
    begun = asyncio.create_task(client.activate(key, project="Corner Shop"))
    await asyncio.sleep(0)
    begun.cancel()
    with pytest.raises(asyncio.CancelledError):
        await begun
    verdict = await client.activate(key, project="Corner Shop")
    assert verdict.status == "valid"
    assert make().check().activation == verdict.activation


async def test_verbs_at_once_run_one_after_another_and_none_is_busy(fake, make):
    client, key = make(lock_timeout=0.0), fake.license("pos-core")
    verdicts = await asyncio.gather(client.activate(key, project="Shop"), *(client.heartbeat() for _ in range(5)))
    assert [verdict.status for verdict in verdicts] == ["valid"] * 6
    assert len({verdict.activation for verdict in verdicts}) == 1


async def test_a_refusal_comes_back_as_it_does_without_asyncio(make):
    with pytest.raises(NotActivated):
        await make().heartbeat()


@pytest.mark.parametrize("is_coroutine", [False, True])
async def test_a_hook_is_called_on_the_loop_with_what_changed(fake, make, is_coroutine):
    seen, done = [], asyncio.Event()

    def told(verdict):
        seen.append((verdict.status, threading.current_thread() is threading.main_thread()))
        done.set()

    async def told_later(verdict):
        await asyncio.sleep(0)
        told(verdict)

    client = make(on_change=told_later if is_coroutine else told)
    await client.activate(fake.license("pos-core"), project="Corner Shop")
    await asyncio.wait_for(done.wait(), 10)
    assert seen == [("valid", True)]


async def test_a_coroutine_hook_that_raises_is_logged_and_harms_nobody(fake, make, caplog):
    async def broken(_verdict):
        raise RuntimeError("of the host's own")

    client = make(on_change=broken)
    assert (await client.activate(fake.license("pos-core"), project="Corner Shop")).usable
    async with asyncio.timeout(10):
        while "RuntimeError" not in caplog.text:  # noqa: ASYNC110 - the log has no event to wait for
            await asyncio.sleep(0.01)
    assert "a hook of the host raised RuntimeError" in caplog.text


async def test_background_beats_begin_and_end_with_the_block(fake, make):
    async with make() as client:
        await client.activate(fake.license("pos-core"), project="Corner Shop")
        names = {thread.name for thread in threading.enumerate()}
        assert "tillkey-heartbeat" in names
    assert "tillkey-heartbeat" not in {thread.name for thread in threading.enumerate()}
    assert client.last_error is None


async def test_a_stop_that_is_cancelled_still_ends_the_beats(fake, make):
    client = make()
    await client.activate(fake.license("pos-core"), project="Corner Shop")
    await client.start()
    stopping = asyncio.create_task(client.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert await none_beats_soon()


async def test_a_stop_that_is_cancelled_while_a_start_is_under_way_still_ends_the_beats(make, monkeypatch):
    client, begun, go_on = make(), threading.Event(), threading.Event()
    start = client._client.start

    def slow():
        begun.set()
        assert go_on.wait(10)
        start()

    monkeypatch.setattr(client._client, "start", slow)
    starting = asyncio.create_task(client.start())
    await asyncio.to_thread(begun.wait, 10)
    stopping = asyncio.create_task(client.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    go_on.set()
    await starting
    assert await none_beats_soon()


async def test_a_block_that_is_not_entered_leaves_no_beats_behind(make, monkeypatch):
    client, begun, go_on, over = make(), threading.Event(), threading.Event(), threading.Event()
    start, stop = client._client.start, client._client.stop

    def slow():
        begun.set()
        assert go_on.wait(10)
        start()

    def stopped(wait=None):
        stop(wait)
        over.set()

    monkeypatch.setattr(client._client, "start", slow)
    monkeypatch.setattr(client._client, "stop", stopped)

    async def entered():
        async with client:
            raise AssertionError("the block was entered")

    entering = asyncio.create_task(entered())
    await asyncio.to_thread(begun.wait, 10)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    go_on.set()
    assert await asyncio.to_thread(over.wait, 10)
    assert await none_beats_soon()


async def test_a_block_that_raises_ends_the_beats_and_the_client_begins_again(fake, make):
    client, key = make(), fake.license("pos-core")

    async def raises():
        async with client:
            await client.activate(key, project="Corner Shop")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await raises()
    assert beating() == []
    await client.stop()
    async with client:
        assert len(beating()) == 1
        assert (await client.heartbeat()).usable


def test_a_client_goes_on_in_the_next_loop_and_its_hook_is_called_there(fake, make):
    told = []

    async def hook(verdict):
        told.append((verdict.status, asyncio.get_running_loop()))

    async def asked(verb, *arguments, **options):
        await verb(*arguments, **options)
        await asyncio.sleep(0.05)
        return asyncio.get_running_loop()

    client = make(on_change=hook)
    first = asyncio.run(asked(client.activate, fake.license("pos-core"), project="Corner Shop"))
    second = asyncio.run(asked(client.deactivate))
    assert told == [("valid", first), ("released", second)]


def test_a_change_after_the_loop_has_ended_is_nobody_s_and_no_fault(fake, make, caplog):
    client, key = make(on_change=lambda _: None), fake.license("pos-core")
    asyncio.run(client.activate(key, project="Corner Shop"))
    fake.release(key)
    with pytest.raises(Refused):
        client._client.heartbeat()
    assert "a hook of the host" not in caplog.text


async def test_coroutine_hooks_run_one_after_another_in_the_order_of_the_changes(fake, make):
    seen, done = [], asyncio.Event()

    async def slower_at_first(verdict):
        await asyncio.sleep(0.1 if verdict.status == "valid" else 0)
        seen.append(verdict.status)
        if verdict.status == "released":
            done.set()

    client = make(on_change=slower_at_first)
    await client.activate(fake.license("pos-core"), project="Corner Shop")
    await client.deactivate()
    await asyncio.wait_for(done.wait(), 10)
    assert seen == ["valid", "released"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_of_fork_has_a_thread_of_its_own(tmp_path):
    with FakeServer(starts_at=datetime.now(UTC)) as server:
        command = [sys.executable, "-c", FORKED, server.url, server.keyset, server.license("pos-core")]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
    assert ran.stdout.split() == ["child", "valid", "parent", "valid"], ran.stderr


async def test_a_client_that_is_dropped_without_a_stop_leaves_no_thread(fake, make):
    client = make(on_change=lambda _: None)
    await client.activate(fake.license("pos-core"), project="Corner Shop")
    (thread,) = client._thread._threads
    del client
    await asyncio.sleep(0.05)
    gc.collect()
    await asyncio.to_thread(thread.join, 10)
    assert not thread.is_alive()
