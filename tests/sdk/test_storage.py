"""The state folder survives a crash at any step, and is one till's at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tillkey import platform
from tillkey.errors import Busy, StateError
from tillkey.state import Pending, State, encode
from tillkey.storage import StateFolder

OLDER = State("pos-core", "tillkey-test", project="older")
OLD = State("pos-core", "tillkey-test", project="old")
NEW = State("pos-core", "tillkey-test", project="new")


class Crash(BaseException):
    """The process ends here."""


@pytest.fixture
def folder(tmp_path):
    platform.make_folder(tmp_path)
    return StateFolder(tmp_path, "pos-core", "tillkey-test")


def names(folder):
    return sorted(path.name for path in folder.folder.iterdir())


def test_what_was_saved_is_loaded(folder):
    assert folder.load().state is None
    folder.save(OLD)
    folder.save(NEW)
    assert folder.load() == type(folder.load())(NEW)
    assert names(folder) == ["tillkey-pos-core.json", "tillkey-pos-core.json.previous"]


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("start", [[], [OLD], [OLDER, OLD]], ids=["empty", "one", "two"])
def test_a_crash_at_any_step_of_a_write_leaves_the_old_state_or_the_new_one(folder, monkeypatch, start, step):
    for state in start:
        folder.save(state)
    calls = []

    def crashing(function):
        def call(*arguments):
            if len(calls) == step:
                raise Crash
            calls.append(function.__name__)
            return function(*arguments)

        return call

    for name in ("write_durably", "replace_file", "sync_folder"):
        monkeypatch.setattr(platform, name, crashing(getattr(platform, name)))
    if step < 4:
        with pytest.raises(Crash):
            folder.save(NEW)
    else:
        folder.save(NEW)
    monkeypatch.undo()
    loaded = folder.load()
    assert loaded.state in ([start[-1] if start else None, NEW])
    assert loaded.problems == ()
    folder.set_aside(loaded)
    folder.save(NEW)
    assert folder.load().state == NEW
    assert not [name for name in names(folder) if name.endswith(".tmp")]


@pytest.mark.parametrize("written", [0, 10, 100])
def test_a_crash_in_the_middle_of_writing_bytes_leaves_the_old_state(folder, monkeypatch, written):
    folder.save(OLD)

    def torn(path, content):
        path.write_bytes(content[:written])
        raise Crash

    monkeypatch.setattr(platform, "write_durably", torn)
    with pytest.raises(Crash):
        folder.save(NEW)
    monkeypatch.undo()
    loaded = folder.load()
    assert loaded.state == OLD
    folder.set_aside(loaded)
    assert names(folder) == ["tillkey-pos-core.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 4096, encode(NEW)[:-20], encode(NEW).replace(b"new", b"nfw")])
def test_a_damaged_file_is_set_aside_and_the_previous_generation_used(folder, content):
    folder.save(OLD)
    folder.save(NEW)
    folder.file.write_bytes(content)
    loaded = folder.load()
    assert loaded.state == OLD
    assert "previous generation is used" in loaded.problems[0]
    folder.set_aside(loaded)
    [aside] = [path for path in folder.folder.iterdir() if ".damaged-" in path.name]
    assert aside.read_bytes() == content
    assert folder.load().state == OLD
    assert folder.load().problems == ()


def test_two_damaged_files_are_set_aside_under_different_names(folder):
    for _ in range(2):
        folder.file.write_bytes(b"damaged")
        folder.set_aside(folder.load())
    assert len(names(folder)) == 2


def test_with_both_generations_damaged_the_till_starts_anew_and_says_so(folder):
    folder.save(OLD)
    folder.save(NEW)
    folder.file.write_bytes(b"x")
    folder.previous.write_bytes(b"x")
    loaded = folder.load()
    assert loaded.state is None
    assert "no previous generation" in loaded.problems[0]


@pytest.mark.parametrize(
    ("foreign", "says"),
    [
        (State("pos-loyalty", "tillkey-test"), "belongs to the product 'pos-loyalty'"),
        (State("pos-core", "somebody"), "another license server"),
    ],
)
def test_a_foreign_file_is_not_used(folder, foreign, says):
    folder.file.write_bytes(encode(foreign))
    loaded = folder.load()
    assert loaded.state is None
    assert says in loaded.problems[0]


def test_a_newer_formats_file_is_neither_read_nor_moved(folder):
    folder.file.write_bytes(encode(NEW).replace(b'"format":1', b'"format":2'))
    with pytest.raises(StateError, match="update the program"):
        folder.load()
    assert names(folder) == ["tillkey-pos-core.json"]


def test_an_oversized_file_is_damaged_and_an_oversized_state_refused(folder, monkeypatch):
    monkeypatch.setattr("tillkey.storage.MAX_STATE_BYTES", 100)
    with pytest.raises(StateError, match="over 100 bytes"):
        folder.save(NEW)
    folder.file.write_bytes(b" " * 101)
    assert "over 100 bytes" in folder.load().problems[0]


def test_a_full_disk_raises_a_state_error_and_leaves_the_old_state(folder, monkeypatch):
    folder.save(OLD)

    def full(path, content):
        path.write_bytes(content[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(platform, "write_durably", full)
    with pytest.raises(StateError, match="No space left on device"):
        folder.save(NEW)
    monkeypatch.undo()
    assert folder.load().state == OLD
    assert names(folder) == ["tillkey-pos-core.json"]


def test_an_answered_secret_leaves_the_previous_generation_too(folder):
    folder.save(State("pos-core", "tillkey-test", pending=Pending("activate", "r", "c", license_key="TOPSECRET")))
    assert b"TOPSECRET" in folder.file.read_bytes()
    folder.save(NEW)
    for path in folder.folder.iterdir():
        assert b"TOPSECRET" not in path.read_bytes()


def test_the_key_of_another_product_of_the_same_server_is_found(folder, tmp_path):
    assert folder.spare_seed() is None
    StateFolder(tmp_path, "a-stranger", "somebody").save(State("a-stranger", "somebody", seed=b"\x09" * 32))
    StateFolder(tmp_path, "b-empty", "tillkey-test").save(State("b-empty", "tillkey-test"))
    (tmp_path / "tillkey-c-torn.json").write_bytes(b"torn")
    assert folder.spare_seed() is None
    StateFolder(tmp_path, "pos-loyalty", "tillkey-test").save(State("pos-loyalty", "tillkey-test", seed=b"\x08" * 32))
    assert folder.spare_seed() == b"\x08" * 32


def test_the_lock_excludes_another_thread_and_another_process(folder, tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from tillkey.storage import StateFolder; from tillkey.errors import Busy\n"
        "try:\n"
        "    with StateFolder(Path(sys.argv[1]), 'pos-loyalty', 'x').locked(0): print('got it')\n"
        "except Busy: print('busy')\n"
    )

    def other_process():
        command = [sys.executable, "-c", program, str(tmp_path)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    with folder.locked(0):
        assert other_process() == "busy"
        with pytest.raises(Busy), folder.locked(0):
            pass
    assert other_process() == "got it"


def test_the_lock_of_a_killed_process_is_free(folder, tmp_path):
    program = (
        "import sys, os; from pathlib import Path; from tillkey.storage import StateFolder\n"
        "with StateFolder(Path(sys.argv[1]), 'pos-core', 'x').locked(0): os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == 9
    with folder.locked(0):
        pass


def test_a_stamp_tells_that_another_process_has_written(folder):
    assert folder.stamp() == ()
    folder.save(OLD)
    before = folder.stamp()
    assert folder.stamp() == before
    folder.save(NEW)
    assert folder.stamp() != before


def test_a_folder_that_cannot_be_tidied_or_listed_is_told(folder, monkeypatch, tmp_path):
    assert StateFolder(tmp_path / "nowhere", "pos-core", "x").spare_seed() is None
    folder.file.write_bytes(b"x")
    loaded = folder.load()

    def denied(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(platform, "replace_file", denied)
    with pytest.raises(StateError, match="Permission denied"):
        folder.set_aside(loaded)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_what_is_no_regular_file_is_set_aside_and_the_previous_generation_used(folder, make):
    folder.save(OLD)
    folder.save(NEW)
    folder.file.unlink()
    make(folder.file)
    loaded = folder.load()
    assert (loaded.state, loaded.fault) == (OLD, "state_damaged")
    folder.set_aside(loaded)
    folder.save(NEW)
    assert folder.load().state == NEW
