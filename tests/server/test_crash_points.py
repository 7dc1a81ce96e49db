"""A server must never kill itself outside a test, and must die on the spot inside one."""

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tillkey_server
from tillkey_server import crash_points
from tillkey_server.errors import ConfigError
from tillkey_server.settings import Settings


@pytest.mark.parametrize("name", crash_points.POINTS)
def test_points_that_are_not_armed_do_nothing(name):
    crash_points.reach(name)


def test_a_variable_alone_is_refused_at_start(tmp_path):
    with pytest.raises(ConfigError, match="unset it"):
        Settings.load(tmp_path, {"TILLKEY_CRASH_AT": "after_commit"})


def test_the_word_that_it_is_a_test_alone_is_refused_at_start(tmp_path):
    with pytest.raises(ConfigError, match=crash_points.MARKER):
        Settings.load(tmp_path, {"TILLKEY_CRASH_AT": "after_commit", "TILLKEY_TESTING": "1"})


def test_the_marked_folder_alone_is_refused_at_start(tmp_path):
    (tmp_path / crash_points.MARKER).touch()
    with pytest.raises(ConfigError, match="unset it"):
        Settings.load(tmp_path, {"TILLKEY_CRASH_AT": "after_commit", "TILLKEY_TESTING": "0"})


@pytest.mark.parametrize("name", ["somewhere", ""])
def test_a_point_that_there_is_not_is_refused_even_in_a_test(tmp_path, name):
    (tmp_path / crash_points.MARKER).touch()
    with pytest.raises(ConfigError, match="before_commit"):
        Settings.load(tmp_path, {"TILLKEY_CRASH_AT": name, "TILLKEY_TESTING": "1"})


@pytest.mark.parametrize(("testing", "marked"), [(False, False), (True, False), (False, True)])
def test_arming_is_refused_outside_a_test(tmp_path, testing, marked):
    if marked:
        (tmp_path / crash_points.MARKER).touch()
    with pytest.raises(ConfigError):
        crash_points.arm("after_commit", testing=testing, data_dir=tmp_path)
    crash_points.reach("after_commit")


def test_an_armed_point_kills_the_process_without_a_word(tmp_path):
    (tmp_path / crash_points.MARKER).touch()
    script = (
        "import atexit, sys, pathlib\n"
        "from tillkey_server import crash_points\n"
        "atexit.register(print, 'goodbye')\n"
        "crash_points.arm('after_commit', testing=True, data_dir=pathlib.Path(sys.argv[1]))\n"
        "crash_points.reach('before_commit')\n"
        "print('alive', flush=True)\n"
        "crash_points.reach('after_commit')\n"
        "print('still alive', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "alive\n", "")


def _reached(path):
    """The points that a module reaches; anything but a plain text is a complaint of its own."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "reach":
            argument = node.args[0]
            yield argument.value if isinstance(argument, ast.Constant) else f"{path}:{node.lineno}"


def test_the_code_reaches_only_points_that_can_be_armed():
    package = Path(tillkey_server.__file__).parent
    reached = {point for path in package.rglob("*.py") for point in _reached(path)}
    assert reached <= set(crash_points.POINTS)
