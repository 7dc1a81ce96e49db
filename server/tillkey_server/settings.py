"""What an operator sets, read once from the data folder's name and the environment, then frozen.

=======================  ================================================================================
TILLKEY_DATABASE_URL     sqlite:///path or postgresql://…; default: tillkey.sqlite in the data folder
TILLKEY_LOG_LEVEL        debug, info (default), warning or error
TILLKEY_STRICT_SQLITE    1 refuses a SQLite library with a known bug instead of warning; default 0
TILLKEY_TESTING          1 says that this is a test; default 0
TILLKEY_CRASH_AT         in a test, the point at which the server kills itself (`crash_points`)
=======================  ================================================================================

A variable that looks like one of these misspelt is refused, since it would be silently without effect; any other that
begins with TILLKEY_ is somebody else's: a till's, or a vendor's own.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tillkey_server import crash_points
from tillkey_server.errors import ConfigError

PREFIX = "TILLKEY_"
VARIABLES = (
    "TILLKEY_DATABASE_URL",
    "TILLKEY_LOG_LEVEL",
    "TILLKEY_STRICT_SQLITE",
    "TILLKEY_TESTING",
    "TILLKEY_CRASH_AT",
)
FOREIGN = frozenset(
    {
        # The SDK's: a till may run on the server's machine.
        "TILLKEY_SERVER",
        "TILLKEY_PRODUCT",
        "TILLKEY_KEYSET",
        "TILLKEY_STATE_DIR",
        # The Makefile's and the tests'.
        "TILLKEY_PORT",
        "TILLKEY_POSTGRES_BIN",
    }
)
LOG_LEVELS = ("debug", "info", "warning", "error")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set, and where the data folder keeps what. The URL may hold a password: not in `repr`."""

    data_dir: Path
    database_url: str = field(repr=False)
    log_level: str = "info"
    strict_sqlite: bool = False
    testing: bool = False
    crash_at: str | None = None

    @classmethod
    def load(cls, data_dir: Path, env: Mapping[str, str]) -> Settings:
        """Read the settings from an environment.

        In: the data folder, which need not exist yet, and for instance `os.environ`. Raises ConfigError, naming the
        variable and what to write instead; values that may be secret are not repeated.
        """
        _refuse_unknown(env)
        folder = data_dir.expanduser().resolve()
        testing = _flag(env, "TILLKEY_TESTING")
        crash_at = env.get("TILLKEY_CRASH_AT")
        if crash_at is not None:
            crash_points.permit(crash_at, testing=testing, data_dir=folder)
        return cls(
            data_dir=folder,
            database_url=_database_url(env, folder),
            log_level=_log_level(env),
            strict_sqlite=_flag(env, "TILLKEY_STRICT_SQLITE"),
            testing=testing,
            crash_at=crash_at,
        )

    @property
    def keyset_path(self) -> Path:
        """The newest keyset, signed: what a till is shipped with."""
        return self.data_dir / "keyset.json"

    @property
    def keysets_dir(self) -> Path:
        """Every version of the keyset, `1.json` and on."""
        return self.data_dir / "keysets"

    @property
    def online_keys_dir(self) -> Path:
        """The private keys that sign answers, named by thumbprint."""
        return self.data_dir / "online-keys"

    @property
    def root_key_path(self) -> Path:
        """Where `init` leaves the root key, to be moved away; `serve` never reads it."""
        return self.data_dir / "root-key.json"

    @property
    def pepper_path(self) -> Path:
        """The secret under which license keys are hashed."""
        return self.data_dir / "pepper"

    @property
    def policies_dir(self) -> Path:
        """The vendor's own policies."""
        return self.data_dir / "policies"


def _refuse_unknown(env: Mapping[str, str]) -> None:
    """Raise ConfigError for a variable that looks like one of ours misspelt."""
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in VARIABLES or name in FOREIGN:
            continue
        # Compared without the prefix, which all of them share.
        near = difflib.get_close_matches(
            name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in VARIABLES], n=1
        )
        if near:
            raise ConfigError(f"{name}: there is no such setting; did you mean {PREFIX}{near[0]}?")


def _database_url(env: Mapping[str, str], folder: Path) -> str:
    """Return the database's URL; whether it can be used is for the store to say."""
    given = env.get("TILLKEY_DATABASE_URL")
    if given is None:
        if {"?", "%"} & set(str(folder)):
            raise ConfigError(f"{folder}: a data folder with ? or % in its path cannot hold the database")
        return f"sqlite+aiosqlite:///{folder / 'tillkey.sqlite'}"
    if not given.startswith(("sqlite", "postgres")):
        raise ConfigError("TILLKEY_DATABASE_URL: write sqlite:///path or postgresql://user:password@host/database")
    return given


def _log_level(env: Mapping[str, str]) -> str:
    """Return the log level in lower case."""
    level = env.get("TILLKEY_LOG_LEVEL", "info").lower()
    if level not in LOG_LEVELS:
        raise ConfigError(f"TILLKEY_LOG_LEVEL: {level!r} is no level; write one of {', '.join(LOG_LEVELS)}")
    return level


def _flag(env: Mapping[str, str], name: str) -> bool:
    """Return a yes or no; absent is no."""
    text = env.get(name, "0").lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ConfigError(f"{name}: {text!r} is neither yes nor no; write 1 or 0")
