"""The frame around the story: options, data, server, signals, and an end without leftovers."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from .agent import Agent, CommandFailed
from .machines import next_run
from .server import Server, ServerTrouble, choose_port, stop_leftover
from .steps import STEPS, Scene
from .stopping import Stopped, Stopping
from .terminal import StepFailed, Terminal

PRODUCT = "pos-core"
CUSTOMER = "owner@corner-shop.example"
_WATCH = 0.5
DONE, FAILED = 0, 1


def main(root: Path, arguments: list[str]) -> int:
    """Run everything and return the exit code."""
    asked = _options(root, arguments)
    stopping = Stopping()
    stopping.listen()
    _reach_local_servers_directly()
    out = Terminal()
    data_dir, state_dir = asked.data_dir.resolve(), asked.state_dir.resolve()
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(state_dir / "run.lock", timeout=0):
            return _run(out, stopping, root, data_dir, state_dir, once=asked.once)
    except Timeout:
        out.warn(f"Another run has {state_dir} open. Stop it first (Ctrl-C there), or give this one its own folders:")
        out.copyable(f'make run ARGS="--state-dir {state_dir}-2 --data-dir {state_dir}-2/tillkey"')
        return FAILED
    except (ServerTrouble, CommandFailed) as trouble:
        out.warn(str(trouble))
        return FAILED
    except Stopped:
        out.say("Stopped; nothing is left running.")
        return DONE
    except BrokenPipeError:
        # The reader went away, as `head` does. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _options(root: Path, arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description="Start the server and let the till tell its story.")
    parser.add_argument("--once", action="store_true", help="end after the story instead of leaving the server up")
    parser.add_argument("--data-dir", type=Path, default=root / "var" / "tillkey", help="the server's data folder")
    parser.add_argument("--state-dir", type=Path, default=root / "var", help="the tills, the log and the lock")
    return parser.parse_args(arguments)


def _reach_local_servers_directly() -> None:
    """Keep a proxy of the environment out of a story that is told on this machine alone."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), "127.0.0.1,localhost")))


def _run(out: Terminal, stopping: Stopping, root: Path, data_dir: Path, state_dir: Path, *, once: bool) -> int:
    leftover = stop_leftover(data_dir, state_dir)
    if leftover is not None:
        out.warn(f"A server of an earlier run was still up (process {leftover}); it is stopped now.")
    port, remark = choose_port(os.environ)
    if remark:
        out.warn(remark)
    agent = Agent(data_dir)
    _prepare(out, agent, data_dir)
    server = Server(data_dir, state_dir, port, stopping)
    try:
        server.start()
        out.say(f"The server is up at {server.url}; its log is {server.log}.")
        scene = _scene(out, server, agent, data_dir, state_dir)
        if not _tell(out, scene):
            return FAILED
        _farewell(out, root, scene, once=once)
        return DONE if once else _watch(out, server)
    finally:
        server.stop()


def _prepare(out: Terminal, agent: Agent, data_dir: Path) -> None:
    """Make the data, or find it; say which."""
    database = "the one of TILLKEY_DATABASE_URL" if os.environ.get("TILLKEY_DATABASE_URL") else "SQLite"
    found = (data_dir / "keyset.json").exists()
    if not found:
        out.say(f"First run: making keys, the database ({database}) and an example catalogue in {data_dir} ...")
    agent.init()
    products = agent.products()
    if found:
        activations = list(agent.activations())
        known = {one["license_id"] for one in activations}
        held = {one["license_id"] for one in activations if one["status"] == "active"}
        out.say(f"Found the data of an earlier run in {data_dir}; database: {database}.")
        out.say(f"  products: {', '.join(str(one['code']) for one in products)}")
        out.say(f"  licenses activated so far: {len(known)}, in use now: {len(held)}")
    else:
        out.say(f"{len(products)} products are on sale: {', '.join(str(one['code']) for one in products)}.")


def _scene(out: Terminal, server: Server, agent: Agent, data_dir: Path, state_dir: Path) -> Scene:
    run = next_run(state_dir / "tills")
    sold = agent.issue(PRODUCT, CUSTOMER)
    if run.name != "run-1":
        out.say("The license of the last run is bound to its till, so a new one is issued for this run.")
    out.say(f"A shop buys {PRODUCT}. Its license key, shown once: {sold['license_key']}")
    return Scene(out, server, agent, run, data_dir / "keyset.json", sold["license_id"], sold["license_key"])


def _tell(out: Terminal, scene: Scene) -> bool:
    """Tell the steps in order and return whether all were as promised; the first that is not ends the story."""
    for number, (title, step) in enumerate(STEPS, start=1):
        out.step(number, len(STEPS), title)
        try:
            step(scene)
        except StepFailed as failure:
            out.failed(failure)
        except Exception as error:  # noqa: BLE001 - whatever a step meets is a failed step, told like one
            out.failed(StepFailed("the step's course", "no error", f"{type(error).__name__}: {error}"))
        else:
            continue
        out.warn(f"story: {number - 1} of {len(STEPS)}; the server's log is {scene.server.log}")
        return False
    return True


def _farewell(out: Terminal, root: Path, scene: Scene, *, once: bool) -> None:
    """Say what to try next, and end with the two lines that everybody looks for."""
    till = scene.machine("new-counter").folder
    out.say()
    if not once:
        shown = till.relative_to(root) if till.is_relative_to(root) else till
        out.say("The replacement's till is yours to play with, in a second terminal:")
        out.copyable(f"PYTHONPATH=examples .venv/bin/python -m till --folder {shown}")
        out.say("Ctrl-C here stops the server.")
    out.done(f"story: {len(STEPS)} of {len(STEPS)}")
    out.say(f"server: {scene.server.url}")


def _watch(out: Terminal, server: Server) -> int:
    """Stay until a signal comes, or until the server ends by itself, which is told."""
    while server.alive:
        time.sleep(_WATCH)
    out.warn(f"The server has ended by itself; its log is {server.log}.")
    return FAILED
