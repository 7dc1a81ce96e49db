"""The operator's guide is complete and its commands run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.support.server import Installation
from tillkey_server import settings
from tillkey_server.api import metrics
from tillkey_server.rules.audit import Flaw
from tillkey_server.rules.rate import LIMITS

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
_ROW = re.compile(r"^\| `(TILLKEY_[A-Z_]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_LIMIT = re.compile(r"^\| `([a-z_]+)` \| (?:address|license) \| (\d+) \| (\d+) s \|$", re.MULTILINE)
_BLOCK = re.compile(r"^<!-- test: backup -->\n```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_setting_is_in_the_guide_once_and_nothing_else_is():
    assert sorted(found[1] for found in _ROW.finditer(GUIDE)) == sorted(settings.VARIABLES)


def test_every_rate_limit_is_in_the_guide_with_its_numbers():
    told = [(scope, int(burst), int(seconds)) for scope, burst, seconds in _LIMIT.findall(GUIDE)]
    assert told == [(limit.scope, limit.burst, limit.interval.total_seconds()) for limit in LIMITS]


def test_every_figure_is_in_the_guide_and_nothing_else_is():
    told = re.findall(r"^\| `(tillkey_[a-z_]+)` \|", GUIDE, re.MULTILINE)
    assert sorted(told) == sorted(re.findall(r'"(tillkey_[a-z_]+)"', Path(metrics.__file__).read_text("utf-8")))


def test_every_flaw_of_the_audit_log_is_in_the_guide():
    section = GUIDE.partition("## The audit log")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE) == [flaw.value for flaw in Flaw]


def test_the_commands_of_backup_and_restore_run_as_they_stand(tmp_path):
    installation = Installation(tmp_path / "D").init()
    [block] = _BLOCK.findall(GUIDE)
    for line in block.splitlines():
        program, *words = shlex.split(line.removeprefix("$ "))
        assert program == "tillkey-server"
        done = subprocess.run(
            [sys.executable, "-m", "tillkey_server", *words],
            cwd=tmp_path,
            env=installation.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
