"""Errors at the command line name the database and never its password."""

from pathlib import Path

import pytest

from tillkey_server.errors import Unavailable
from tillkey_server.settings import Settings
from tillkey_server.store.engines import named
from tillkey_server.usecases.services import naming_the_database


@pytest.mark.parametrize(
    "url, shown",
    [
        ("sqlite:////srv/tillkey.sqlite", "SQLite file /srv/tillkey.sqlite"),
        ("postgresql://till:s3cret@db.example:5433/shop", "postgresql://till@db.example:5433/shop"),
        ("postgres://till@db.example/shop?password=s3cret", "postgresql://till@db.example/shop"),
    ],
)
def test_a_database_is_named_without_password_and_options(url, shown):
    assert named(url) == shown


def unavailable() -> Unavailable:
    """Return the error as it comes from a driver that wraps the system's own."""
    refused, wrapped, error = ConnectionRefusedError("s3cret"), RuntimeError("s3cret"), Unavailable("out of reach")
    error.__cause__, wrapped.__cause__ = wrapped, refused
    return error


def test_the_innermost_cause_is_named_by_its_class_alone(tmp_path: Path):
    settings = Settings.load(tmp_path, {"TILLKEY_DATABASE_URL": "postgresql://till:s3cret@db.example/shop"})
    with pytest.raises(Unavailable) as told, naming_the_database(settings):
        raise unavailable()
    assert str(told.value) == "out of reach: postgresql://till@db.example/shop, ConnectionRefusedError"


def test_without_a_cause_the_database_alone_is_named(tmp_path: Path):
    settings = Settings.load(tmp_path, {})
    with pytest.raises(Unavailable) as told, naming_the_database(settings):
        raise Unavailable("every connection to the database stayed busy")
    assert str(told.value).endswith(f"stayed busy: SQLite file {tmp_path / 'tillkey.sqlite'}")
