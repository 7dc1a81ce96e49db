"""The program of the key ceremony runs as it stands, and the server signs with what it made."""

import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.support.server import Installation
from tillkey_server.settings import Settings
from tillkey_server.signing.keyring import Keyring, KeyState

PAGE = (Path(__file__).parents[2] / "keys" / "README.md").read_text("utf-8")


def test_the_program_that_replaces_a_stolen_key_runs_and_the_server_then_signs_with_the_new_one(tmp_path):
    data = tmp_path / "D"
    Installation(data).init()
    [stolen] = [path.stem for path in (data / "online-keys").iterdir()]
    offline = tmp_path / "offline"
    offline.mkdir()
    for name in ("root-key.json", "keyset.json"):
        shutil.copy(data / name, offline / name)
    [program] = re.findall(r"^<!-- test: rotation -->\n```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=offline, env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    [new] = [path for path in offline.iterdir() if path.name not in {"root-key.json", "keyset.json", "keyset-2.json"}]
    shutil.copy(new, data / "online-keys" / new.name)
    shutil.copy(offline / "keyset-2.json", data / "keysets" / "2.json")
    shutil.copy(offline / "keyset-2.json", data / "keyset.json")

    now = datetime.now(UTC)
    keyring = Keyring.load(Settings.load(data, {}))
    assert keyring.signer(now).public.thumbprint == new.stem
    assert keyring.state(stolen, now) is KeyState.COMPROMISED
