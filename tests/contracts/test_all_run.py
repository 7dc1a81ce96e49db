"""Under CI a run in which a test stood aside is red."""

from pathlib import Path

import pytest

from tests.support.all_run import wanted

CONFTEST = """
import pytest
from tests.support.all_run import AllRun

def pytest_configure(config):
    config.pluginmanager.register(AllRun(), "all-run")
"""
GREEN = "def test_green(): pass\n"
ASIDE = {
    "skip_mark": "@pytest.mark.skip\ndef test_aside(): pass\n",
    "skip_call": "def test_aside(): pytest.skip('no')\n",
    "skip_file": "pytest.skip('no', allow_module_level=True)\n",
    "missing_module": "pytest.importorskip('no_such_module_at_all')\n",
    "xfail": "@pytest.mark.xfail\ndef test_aside(): assert False\n",
    "xpass": "@pytest.mark.xfail\ndef test_aside(): pass\n",
    "skip_fixture": "@pytest.fixture\ndef x(): pytest.skip('no')\ndef test_aside(x): pass\n",
}


SUMMARY = ["*under CI every test must run*"]


@pytest.fixture
def run(pytester):
    pytester.makeconftest(CONFTEST)
    settings = f"pythonpath = {Path(__file__).parents[2]}\nasyncio_default_fixture_loop_scope = function\n"
    pytester.makeini(f"[pytest]\n{settings}")
    return lambda *options: pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)


@pytest.fixture
def run_on_two_workers(run, pytester):
    return lambda *options: pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2", *options)


def test_a_run_in_which_every_test_ran_is_green(run, pytester):
    pytester.makepyfile(GREEN)
    result = run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line(*SUMMARY)


def test_a_parallel_run_in_which_every_test_ran_is_green(run_on_two_workers, pytester):
    pytester.makepyfile(GREEN)
    result = run_on_two_workers()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line(*SUMMARY)


@pytest.mark.parametrize("how", ASIDE)
def test_a_test_that_stands_aside_turns_the_run_red(run, pytester, how):
    pytester.makepyfile(test_green=GREEN, test_aside="import pytest\n" + ASIDE[how])
    result = run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(SUMMARY)


def test_a_parallel_run_names_every_test_that_stood_aside(run_on_two_workers, pytester):
    pytester.makepyfile(test_green=GREEN)
    pytester.makepyfile(**{f"test_{how}": "import pytest\n" + text for how, text in ASIDE.items()})
    result = run_on_two_workers()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([*SUMMARY, *(f"*: test_{how}.py*" for how in sorted(ASIDE))])


def test_a_deselected_test_turns_the_run_red(run, pytester):
    pytester.makepyfile(GREEN + "def test_other(): pass\n")
    result = run("-k", "green")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["deselected: 1"])


def test_a_deselected_test_turns_a_parallel_run_red(run_on_two_workers, pytester):
    pytester.makepyfile(GREEN + "def test_other(): pass\n")
    result = run_on_two_workers("-k", "green")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["deselected: 1"])


def test_a_failing_run_keeps_its_own_code(run, pytester):
    pytester.makepyfile(GREEN + "def test_red(): assert False\n")
    assert run().ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    ("value", "strict"), [("true", True), ("1", True), ("", False), ("false", False), ("0", False)]
)
def test_ci_is_on_for_any_word_that_does_not_deny_it(value, strict):
    assert wanted({"CI": value}) is strict


def test_without_ci_a_test_may_be_left_out():
    assert wanted({}) is False
