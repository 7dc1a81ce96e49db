import dataclasses
from pathlib import Path

import pytest

from tillkey_server import settings as settings_module
from tillkey_server.crash_points import MARKER
from tillkey_server.errors import ConfigError
from tillkey_server.settings import FOREIGN, VARIABLES, Settings


def test_nothing_has_to_be_set(tmp_path):
    settings = Settings.load(tmp_path, {"PATH": "/bin"})
    assert settings == Settings(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/tillkey.sqlite")
    assert (settings.log_level, settings.strict_sqlite, settings.testing, settings.crash_at) == (
        "info",
        False,
        False,
        None,
    )


def test_the_data_folder_holds_everything(tmp_path):
    settings = Settings.load(tmp_path, {})
    assert settings.keyset_path == tmp_path / "keyset.json"
    assert settings.keysets_dir == tmp_path / "keysets"
    assert settings.online_keys_dir == tmp_path / "online-keys"
    assert settings.root_key_path == tmp_path / "root-key.json"
    assert settings.pepper_path == tmp_path / "pepper"
    assert settings.policies_dir == tmp_path / "policies"


def test_the_data_folder_may_be_relative_and_need_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings.load(Path("data"), {})
    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url.endswith(f"{tmp_path}/data/tillkey.sqlite")


def test_everything_can_be_set(tmp_path):
    (tmp_path / MARKER).touch()
    settings = Settings.load(
        tmp_path,
        {
            "TILLKEY_DATABASE_URL": "postgresql://till:secret@db/tillkey",
            "TILLKEY_LOG_LEVEL": "WARNING",
            "TILLKEY_STRICT_SQLITE": "yes",
            "TILLKEY_TESTING": "1",
            "TILLKEY_CRASH_AT": "after_commit",
        },
    )
    assert settings == Settings(tmp_path, "postgresql://till:secret@db/tillkey", "warning", True, True, "after_commit")


def test_what_stands_at_the_edge_can_be_set(tmp_path):
    settings = Settings.load(
        tmp_path,
        {
            "TILLKEY_PUBLIC_URL": "https://licenses.example.com/",
            "TILLKEY_TLS_CERT": str(tmp_path / "cert.pem"),
            "TILLKEY_TLS_KEY": str(tmp_path / "key.pem"),
            "TILLKEY_TRUSTED_PROXIES": "10.0.0.7, 10.1.0.0/16 ::1",
            "TILLKEY_BACKUP_PASSPHRASE": "a secret of some length",
        },
    )
    assert settings.public_url == "https://licenses.example.com"
    assert (settings.tls_cert, settings.tls_key) == (tmp_path / "cert.pem", tmp_path / "key.pem")
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.7/32", "10.1.0.0/16", "::1/128"]
    assert settings.backup_passphrase == "a secret of some length"
    assert "a secret" not in repr(settings)


def test_settings_are_frozen_and_show_no_password(tmp_path):
    settings = Settings.load(tmp_path, {"TILLKEY_DATABASE_URL": "postgresql://till:secret@db/tillkey"})
    assert "secret" not in repr(settings)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.log_level = "debug"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("TILLKEY_DATABASE_URI", "did you mean TILLKEY_DATABASE_URL?"),
        ("TILLKEY_LOGLEVEL", "did you mean TILLKEY_LOG_LEVEL?"),
        ("TILLKEY_CRASHAT", "did you mean TILLKEY_CRASH_AT?"),
    ],
)
def test_a_misspelt_variable_is_refused_with_a_hint(tmp_path, name, hint):
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path, {name: "postgresql://till:secret@db/tillkey"})
    assert str(caught.value).startswith(f"{name}: ")
    assert hint in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", [*sorted(FOREIGN), "TILLKEY_LICENSE_KEY"])
def test_variables_of_the_sdk_and_the_tools_are_let_through(tmp_path, name):
    Settings.load(tmp_path, {name: "x"})


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("TILLKEY_STRICT_SQLITE", "perhaps", "write 1 or 0"),
        ("TILLKEY_STRICT_SQLITE", "", "write 1 or 0"),
        ("TILLKEY_TESTING", "2", "write 1 or 0"),
        ("TILLKEY_LOG_LEVEL", "loud", "write one of debug, info, warning, error"),
        ("TILLKEY_PUBLIC_URL", "licenses.example.com", "write an address"),
        ("TILLKEY_PUBLIC_URL", "https://user:secret@licenses.example.com", "write an address"),
        ("TILLKEY_PUBLIC_URL", "https://[secret", "write an address"),
        ("TILLKEY_TRUSTED_PROXIES", "proxy.example.com", "write 10.0.0.7"),
        ("TILLKEY_TRUSTED_PROXIES", "10.0.0.1/8", "write 10.0.0.7"),
        ("TILLKEY_DATABASE_URL", "secret", "write sqlite:///path or postgresql://"),
    ],
)
def test_a_bad_value_names_the_variable_and_the_mend(tmp_path, name, value, mend):
    with pytest.raises(ConfigError) as caught:
        Settings.load(tmp_path, {name: value})
    assert str(caught.value).startswith(name)
    assert mend in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "missing"), [("TILLKEY_TLS_CERT", "TILLKEY_TLS_KEY"), ("TILLKEY_TLS_KEY", "TILLKEY_TLS_CERT")]
)
def test_a_certificate_and_its_key_are_set_together(tmp_path, given, missing):
    with pytest.raises(ConfigError, match=f"^{missing}: is missing"):
        Settings.load(tmp_path, {given: "file.pem"})


def test_a_data_folder_that_a_url_cannot_name_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="in its path"):
        Settings.load(tmp_path / "what?", {})


def test_the_modules_table_names_every_variable():
    described = settings_module.__doc__ or ""
    assert all(f"\n{name} " in described for name in VARIABLES)
