"""A warm start comes out as a cold one."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from tests.support.server import Installation
from tests.support.zygote import Forked, suits

FACTS = ("Cpus_allowed", "SigCgt", "SigIgn", "SigBlk", "Umask", "NoNewPrivs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Installation(tmp_path_factory.mktemp("zygote") / "data").init(examples=False).data_dir


@pytest.mark.parametrize(
    "words",
    [("policy", "check", "--json"), ("policy", "chekc"), ("audit", "verify", "--json"), ("license", "show", "nowhere")],
)
def test_a_command_answers_alike_whether_it_starts_warm_or_cold(folder, words):
    warm, cold = (Installation(folder, warm=warm).run(*words) for warm in (True, False))
    assert (warm.exit_code, warm.stdout, warm.stderr) == (cold.exit_code, cold.stdout, cold.stderr)


def test_the_environment_of_one_start_is_not_the_next_ones(folder):
    nowhere = {"TILLKEY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    warm = Installation(folder, warm=True)
    assert warm.run("license", "list", environment=nowhere).exit_code == 3
    assert warm.run("license", "list").exit_code == 0


def test_a_killed_process_tells_the_signal_and_one_that_runs_nothing(folder):
    with Installation(folder, warm=True).serving() as server:
        assert (server.alive, isinstance(server._process, Forked)) == (True, True)
        assert server.kill() == -signal.SIGKILL
        server.restart()
        assert server.stop() == 0


def test_a_warm_server_has_the_signals_limits_and_descriptors_of_a_cold_one(folder):
    found = []
    for warm in (True, False):
        with Installation(folder, warm=warm).serving() as server:
            process = Path(f"/proc/{server._process.pid}")
            facts = [line for line in (process / "status").read_text().splitlines() if line.startswith(FACTS)]
            files = {str(one.readlink()) for one in (process / "fd").iterdir()}
            found.append((facts, {name for name in files if name.startswith("/") and "serve-" not in name}))
    assert found[0] == found[1]


def test_what_another_python_or_workers_would_change_starts_cold():
    assert suits(["serve"], dict(os.environ))
    assert not suits(["serve", "--workers", "2"], dict(os.environ))
    assert not suits(["serve"], {**os.environ, "PYTHONPATH": tempfile.gettempdir()})
