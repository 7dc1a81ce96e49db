"""The operator's guide is complete and its commands run."""

import re
from pathlib import Path

from tests.support.guide import run_block
from tests.support.server import Installation
from tillkey_server import settings
from tillkey_server.api import metrics
from tillkey_server.cli import keys
from tillkey_server.rules.audit import Flaw
from tillkey_server.rules.effect import Effect
from tillkey_server.rules.rate import LIMITS

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
SERVER = Path(settings.__file__).parent
FROM_CODES = {
    Effect.REFUND_ATTESTED,
    Effect.REFUND_PAID_OUT,
    Effect.REFUND_PAYOUT_FAILED,
    Effect.RENEWAL_CANCELLED_PRODUCT_RETIRED,
    Effect.TERMINATION_SCHEDULED,
    Effect.ACCOUNT_TERMINATED_BY_VENDOR,
}
"""Written under the code of a decision."""
_ROW = re.compile(r"^\| `(TILLKEY_[A-Z_]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_LIMIT = re.compile(r"^\| `([a-z_]+)` \| (?:address|license) \| (\d+) \| (\d+) s \|$", re.MULTILINE)


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


def test_whatever_the_code_puts_into_the_outbox_is_in_the_guide_once_and_nothing_else_is():
    section = GUIDE.partition("## What is put into the outbox")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([a-z_.]+)` \|", section, re.MULTILINE) == [effect.value for effect in Effect]


def test_every_effect_is_written_somewhere():
    code = "".join(path.read_text("utf-8") for path in (SERVER / "usecases").glob("*.py"))
    from_codes = {name for name in Effect if f"Effect.{name.name}" not in code}
    assert from_codes == FROM_CODES


def test_the_commands_of_backup_and_restore_run_as_they_stand(tmp_path):
    run_block(GUIDE, "backup", Installation(tmp_path / "D").init())


def test_the_commands_that_replace_a_key_run_as_they_stand(tmp_path):
    installation = Installation(tmp_path / "D").init()
    (tmp_path / "D" / "root-key.json").rename(tmp_path / "root-key.json")
    run_block(GUIDE, "keys", installation)
    assert installation.command("keys", "list")["version"] == 2


def test_every_command_about_keys_is_in_the_guide():
    told = re.findall(r"^\| `tillkey-server keys ([a-z-]+) ", GUIDE, re.MULTILINE)
    assert sorted(told) == sorted(command.name for command in keys.app.registered_commands)
