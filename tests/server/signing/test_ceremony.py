import json
import stat
from datetime import UTC, datetime

import pytest

from tillkey.wire.keys import PrivateKey
from tillkey.wire.keyset import open_keyset
from tillkey_server.clock import to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing import ceremony

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "licenses.example.com"


@pytest.fixture
def settings(tmp_path):
    return Settings.load(tmp_path / "data", {})


def _files(settings):
    return {path.relative_to(settings.data_dir): path for path in settings.data_dir.rglob("*") if path.is_file()}


def test_the_ceremony_makes_a_root_an_online_key_a_pepper_and_keyset_1(settings):
    made = ceremony.init(settings, issuer=ISSUER, now=NOW)
    keyset = open_keyset(settings.keyset_path.read_text())
    root = PrivateKey.from_jwk(json.loads(settings.root_key_path.read_text()))
    online = PrivateKey.from_jwk(json.loads((settings.online_keys_dir / f"{made.kid}.json").read_text()))
    assert (keyset.issuer, keyset.version, keyset.threshold, keyset.issued_at) == (ISSUER, 1, 1, to_epoch(NOW))
    assert keyset.roots == (root.public,)
    assert [key.key for key in keyset.keys] == [online.public]
    assert online.public.thumbprint == made.kid
    assert (settings.keysets_dir / "1.json").read_bytes() == settings.keyset_path.read_bytes()
    assert len(settings.pepper_path.read_bytes()) == 32
    assert len(_files(settings)) == 5


def test_private_files_are_their_owners_alone(settings):
    made = ceremony.init(settings, issuer=ISSUER, now=NOW)
    private = [settings.root_key_path, settings.pepper_path, settings.online_keys_dir / f"{made.kid}.json"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in private] == [0o600] * 3
    folders = [settings.data_dir, settings.online_keys_dir]
    assert [stat.S_IMODE(path.stat().st_mode) for path in folders] == [0o700] * 2


def test_the_operator_is_told_to_move_the_root_key_away(settings):
    made = ceremony.init(settings, issuer=ISSUER, now=NOW)
    assert str(settings.root_key_path) in made.advice
    assert "Move" in made.advice


def test_a_second_ceremony_changes_nothing(settings):
    ceremony.init(settings, issuer=ISSUER, now=NOW)
    before = {name: path.read_bytes() for name, path in _files(settings).items()}
    with pytest.raises(ConfigError, match="never overwritten"):
        ceremony.init(settings, issuer=ISSUER, now=NOW)
    assert {name: path.read_bytes() for name, path in _files(settings).items()} == before


@pytest.mark.parametrize("name", ["keyset.json", "keysets/1.json", "root-key.json", "pepper"])
def test_a_ceremony_over_any_old_file_makes_nothing(settings, name):
    path = settings.data_dir / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(ConfigError, match=path.name):
        ceremony.init(settings, issuer=ISSUER, now=NOW)
    assert list(_files(settings).values()) == [path]
    assert path.read_text() == "mine"


@pytest.mark.parametrize("issuer", ["", "two words", "lizenzen.bäcker.example", "x" * 201, "a\nb"])
def test_an_issuer_that_two_systems_could_write_differently_is_refused(settings, issuer):
    with pytest.raises(BadInput, match="issuer"):
        ceremony.init(settings, issuer=issuer, now=NOW)
    assert not settings.data_dir.exists()


def test_two_ceremonies_share_no_secret(tmp_path):
    made = []
    for name in ("a", "b"):
        settings = Settings.load(tmp_path / name, {})
        ceremony.init(settings, issuer=ISSUER, now=NOW)
        made.append((settings.pepper_path.read_bytes(), settings.root_key_path.read_bytes()))
    assert made[0][0] != made[1][0]
    assert made[0][1] != made[1][1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file"):
        ceremony.init(Settings.load(tmp_path / "file" / "data", {}), issuer=ISSUER, now=NOW)
