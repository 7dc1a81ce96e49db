"""The commands of the key ceremony run as they stand, and the server signs with what they made."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.guide import run_block
from tests.support.server import Installation
from tillkey_server.settings import Settings
from tillkey_server.signing.keyring import Keyring, KeyState

PAGE = (Path(__file__).parents[2] / "keys" / "README.md").read_text("utf-8")
LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)


@pytest.fixture
def installation(tmp_path):
    """A server whose root key was moved away."""
    made = Installation(tmp_path / "D").init(examples=False)
    (tmp_path / "D" / "root-key.json").rename(tmp_path / "root-key.json")
    return made


@pytest.mark.parametrize("name", ["rotation", "apart", "roots"])
def test_the_commands_replace_the_key_and_the_server_then_signs_with_the_new_one(installation, name):
    [former] = [path.stem for path in (installation.data_dir / "online-keys").iterdir()]
    run_block(PAGE, name, installation)
    keyring = Keyring.load(Settings.load(installation.data_dir, {}))
    assert keyring.keyset.version == 2
    assert keyring.signer(LATER).public.thumbprint != former
    assert keyring.state(former, LATER) is KeyState.RETIRED
    assert (keyring.keyset.threshold, len(keyring.keyset.roots)) == ((2, 3) if name == "roots" else (1, 1))


def test_every_state_of_a_key_is_on_the_page():
    section = PAGE.partition("## States")[2].partition("\n## ")[0]
    told = re.findall(r"^\| ([a-z]+) \|", section, re.MULTILINE)
    assert told == ["state", "prepared", *(state.value for state in KeyState)]
