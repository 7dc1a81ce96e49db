"""`make run` as a newcomer meets it: the real script, a real server process, real HTTP, in a folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import httpx
import pytest

from scripts.story import server as story_server
from scripts.story import terminal

ROOT = Path(__file__).parents[2]
STEPS = 9
PATIENCE = 180.0


class Run:
    """One run of the story, its output in a file, so that nothing ever waits for a reader."""

    def __init__(self, home, *words, **environment):
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.output = home / f"output-{time.monotonic_ns()}.txt"
        command = [sys.executable, str(ROOT / "scripts" / "run.py"), *words]
        command += ["--data-dir", str(home / "tillkey"), "--state-dir", str(home)]
        inherited = {name: text for name, text in os.environ.items() if not name.startswith(("TILLKEY_", "COLUMNS"))}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**inherited, "TILLKEY_PORT": str(free_port()), **environment},
                start_new_session=True,
            )

    @property
    def text(self):
        return self.output.read_text(encoding="utf-8")

    def wait(self):
        return self.process.wait(PATIENCE)

    def wait_for(self, words):
        deadline = time.monotonic() + PATIENCE
        while words not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def server_pid(self):
        return int((self.home / "server.pid").read_text())

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.wait()


@pytest.fixture
def run():
    runs = []

    def start(*arguments, **environment):
        runs.append(Run(*arguments, **environment))
        return runs[-1]

    yield start
    for one in runs:
        one.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The first run on a fresh machine, ended after the story."""
    first = Run(tmp_path_factory.mktemp("newcomer") / "var", "--once")
    try:
        first.exit_code = first.wait()
    finally:
        first.close()
    return first


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        return httpx.get(f"{url}/healthz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def address(text):
    return re.findall(r"^server: (http://\S+)$", text, re.MULTILINE)[-1]


def test_the_story_is_told_to_its_end(told):
    assert told.exit_code == 0, told.text
    assert re.findall(r"^\[(\d)/9\] ", told.text, re.MULTILINE) == [str(number) for number in range(1, STEPS + 1)]
    assert told.text.splitlines()[-2:] == [f"story: {STEPS} of {STEPS}", f"server: {address(told.text)}"]


@pytest.mark.clause("NX-04", "NX-06", "NX-08", "NX-09")
def test_the_story_shows_each_refusal_with_its_clauses_and_the_way_out(told):
    shown = re.findall(
        r"refused: +(\w+)\n.*why: +(\S.*)\n(?: +\|  .*\n)*.*clauses: +(.+)\n.*what to do: +(\S.*)", told.text
    )
    assert [(code, clauses) for code, _, clauses, _ in shown] == [
        ("staging_must_be_deactivated", "NX-04"),
        ("bound_to_other_project", "NX-06"),
    ]
    assert "confirmation_required" in told.text
    assert "Forced deactivations left for this license: 2." in told.text
    assert "license superseded | production of Corner Shop | activation_superseded" in told.text


def test_the_story_shows_what_the_agents_command_prints(told):
    burnt = told.text.split("[8/9]")[1].split("[9/9]")[0]
    assert "      | $ tillkey-server activation force-deactivate " in burnt
    assert "      | Refused: confirmation_required" in burnt
    (ends,) = re.findall(r"(\d{4}-\d\d-\d\dT[\d:]+Z)\.$", burnt, re.MULTILINE)
    assert ends in burnt.split("with --confirm the license is free")[0]


def test_the_till_sells_while_the_server_is_dead(told):
    dead = told.text.split("[5/9]")[1].split("[6/9]")[0]
    assert "ok  the server's process was killed" in dead
    assert re.findall(r"Receipt (\d+)", dead) == ["2", "3"]
    assert re.findall(r"TOTAL EUR +([\d.]+)", dead) == ["19.40", "8.90"]
    assert "license valid | production of Corner Shop" in dead


def test_no_line_is_longer_than_the_terminal_is_wide(told, run):
    assert too_long(told.text, terminal.MOST_COLUMNS) == []
    narrow = run(told.home, "--once", COLUMNS="80")
    assert narrow.wait() == 0, narrow.text
    assert too_long(narrow.text, 80) == []
    assert re.search(r"why: +\S.*\n      \|             \S", narrow.text)


def too_long(text, columns):
    """Lines that a person reads; paths and commands are left whole, however long this test's folders are."""
    return [line for line in text.splitlines() if len(line) > columns and "/" not in line]


@pytest.mark.parametrize("wide, columns", [(120, 92), (80, 80), (10, 40)])
def test_a_line_is_as_long_as_the_terminal_is_wide_within_bounds(monkeypatch, wide, columns):
    monkeypatch.setattr(terminal.shutil, "get_terminal_size", lambda _fallback: os.terminal_size((wide, 24)))
    assert terminal.columns() == columns


def test_colors_take_no_room_when_a_line_is_wrapped():
    painted = "[\x1b[32m#\x1b[0m] license valid | production | until today"
    assert terminal.wrap(painted, 46) == [painted]
    assert terminal.wrap(painted, 34) == ["[\x1b[32m#\x1b[0m] license valid | production", "until today"]


def test_a_wrapped_line_hangs_under_its_beginning_with_single_spaces():
    assert terminal.wrap("why:   one two three", 12, " " * 7) == ["why:   one", "       two", "       three"]


def test_a_word_that_is_too_long_is_left_whole():
    assert terminal.wrap("key: POS-7XK2M-7XK2M-7XK2M", 10) == ["key:", "POS-7XK2M-7XK2M-7XK2M"]


def test_a_pipe_gets_no_colors(told):
    assert "\x1b" not in told.text


def test_the_readme_shows_what_the_story_prints(told):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    excerpt = re.search(r"<!-- test: story -->\n```text\n(.*?)```", readme, re.DOTALL).group(1).splitlines()
    printed = iter(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8787", told.text).splitlines())
    missing = [line for line in excerpt if not any(line == other for other in printed)]
    assert missing == []


def test_after_the_story_nothing_is_left_running(told):
    assert not answers(address(told.text))
    assert not (told.home / "server.pid").exists()


def test_a_second_run_finds_its_data_and_a_crashed_runs_server_and_ends_with_ctrl_c(told, run):
    crashed = run(told.home)
    crashed.wait_for("[2/9]")
    leftover = crashed.server_pid()
    crashed.process.kill()
    crashed.wait()

    again = run(told.home)
    again.wait_for(f"story: {STEPS} of {STEPS}")
    assert f"A server of an earlier run was still up (process {leftover}); it is stopped now." in again.text
    assert "Found the data of an earlier run" in again.text
    assert "pos-core, pos-loyalty" in again.text
    assert "licenses activated so far: " in again.text
    assert "so a new one is issued for this run" in again.text
    again.wait_for("server: ")
    assert answers(address(again.text))

    meanwhile = run(told.home)
    assert meanwhile.wait() == 1
    assert "Another run has" in meanwhile.text
    assert f'make run ARGS="--state-dir {told.home}-2 --data-dir {told.home}-2/tillkey"' in meanwhile.text

    again.process.send_signal(signal.SIGINT)
    assert again.wait() == 0
    assert "nothing is left running" in again.text
    assert not answers(address(again.text))


def test_ctrl_c_in_the_middle_of_the_story_ends_it_cleanly(told, run):
    stopped = run(told.home)
    stopped.wait_for("[3/9]")
    stopped.process.send_signal(signal.SIGINT)
    assert stopped.wait() == 0
    assert "nothing is left running" in stopped.text
    assert "Traceback" not in stopped.text
    assert not (stopped.home / "server.pid").exists()
    assert not answers(re.search(r"up at (http://\S+);", stopped.text).group(1))


def test_ctrl_c_while_the_first_data_is_made_leaves_no_half_of_it(tmp_path, run):
    stopped = run(tmp_path / "var")
    stopped.wait_for("First run")
    stopped.process.send_signal(signal.SIGINT)
    assert stopped.wait() == 0
    data_dir = tmp_path / "var" / "tillkey"
    assert not data_dir.exists() or (data_dir / "keyset.json").exists()


@pytest.mark.clause("NX-04")
def test_a_server_that_lets_production_in_beside_staging_fails_the_second_step(tmp_path, run):
    data_dir = tmp_path / "var" / "tillkey"
    command = [story_server.COMMAND, "init", "--data-dir", str(data_dir), "--examples"]
    subprocess.run(command, check=True, capture_output=True)
    terms = (resources.files("tillkey_server") / "policies" / "default.toml").read_text(encoding="utf-8")
    lenient = terms.replace("staging_exempt = false", "staging_exempt = true").replace("version = 3\n", "version = 4\n")
    (data_dir / "policies").mkdir(exist_ok=True)
    (data_dir / "policies" / "default.toml").write_text(lenient, encoding="utf-8")

    failed = run(tmp_path / "var", "--once")
    assert failed.wait() == 1
    assert "FAILED  the server's answer" in failed.text
    assert "expected: a refusal" in failed.text
    assert "story: 1 of 9" in failed.text
    assert not (failed.home / "server.pid").exists()


def test_a_port_in_use_that_was_asked_for_is_told_and_ends_the_run(told, run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = run(told.home, "--once", TILLKEY_PORT=str(port))
        assert refused.wait() == 1
    assert f"Port {port} (TILLKEY_PORT) is in use." in refused.text


def test_another_port_is_taken_and_told_when_the_preferred_one_is_in_use(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(story_server, "PREFERRED_PORT", taken.getsockname()[1])
        port, remark = story_server.choose_port({})
        assert port != story_server.PREFERRED_PORT
        assert (
            remark
            == f"Port {story_server.PREFERRED_PORT} is in use, so the server takes {port} (TILLKEY_PORT chooses one)."
        )


@pytest.mark.parametrize("wish", ["http", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(wish):
    with pytest.raises(story_server.ServerTrouble, match="must be a number"):
        story_server.choose_port({"TILLKEY_PORT": wish})


def test_a_stranger_with_a_dead_servers_number_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (tmp_path / "server.pid").write_text(str(stranger.pid))
        assert story_server.stop_leftover(tmp_path / "tillkey", tmp_path) is None
        assert stranger.poll() is None
        stranger.communicate(b"\n")
    assert stranger.returncode == 0
