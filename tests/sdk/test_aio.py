"""`AsyncLicenseClient`: the loop is never held up, a cancelled verb is not torn, hooks run on the loop."""

import asyncio
import threading

import pytest

from tillkey import Busy, NotActivated
from tillkey.aio import AsyncLicenseClient
from tillkey.storage import StateFolder
from tillkey.testing import FakeServer


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
    beating = [thread for thread in threading.enumerate() if thread.name == "tillkey-heartbeat"]
    for thread in beating:
        await asyncio.to_thread(thread.join, 10)
    assert not [thread for thread in beating if thread.is_alive()]
