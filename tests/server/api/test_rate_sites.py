"""Who is one asker."""

import logging

import pytest

from tillkey_server.api.logs import configure
from tillkey_server.usecases.rate import site_of


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_an_address_is_counted_as_one_asker_however_it_is_written(address, site):
    assert site_of(address) == site


@pytest.mark.clause("I16")
def test_debug_logging_never_opens_other_libraries_mouths():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure("debug")
        assert logging.getLogger("tillkey_server.api").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("aiosqlite").isEnabledFor(logging.DEBUG)
        assert not logging.getLogger("asyncpg").isEnabledFor(logging.DEBUG)
    finally:
        root.handlers[:], root.level = handlers, level
        logging.getLogger("tillkey_server").setLevel(logging.NOTSET)
