"""What an operator sets, read once from the data folder's name and the environment, then frozen.

==============================  ==============================================================================
TILLKEY_DATABASE_URL            sqlite:///path or postgresql://…; default: tillkey.sqlite in the data folder
TILLKEY_LOG_LEVEL               debug, info (default), warning or error
TILLKEY_STRICT_SQLITE           1 refuses a SQLite library with a known bug instead of warning; default 0
TILLKEY_PUBLIC_URL              the address that tills use, such as https://licenses.example.com; shown, never guessed
TILLKEY_TLS_CERT                a PEM file with the certificate and its chain: `serve` then speaks HTTPS itself
TILLKEY_TLS_KEY                 a PEM file with that certificate's private key; goes with TILLKEY_TLS_CERT
TILLKEY_TRUSTED_PROXIES         addresses and networks of the proxies whose X-Forwarded-For or Forwarded is believed
TILLKEY_BACKUP_PASSPHRASE       encrypts what `backup` writes, and opens it for `restore`
TILLKEY_KEEP_LEASES_DAYS        how long the steps of a chain are kept: 60 (default) or more
TILLKEY_KEEP_FINGERPRINTS_DAYS  how long the fingerprint of an ended activation is kept: 1 or more, default 90
TILLKEY_METRICS                 who sees /metrics: local (default: this machine), open or off
TILLKEY_TESTING                 1 says that this is a test; default 0
TILLKEY_CRASH_AT                in a test, the point at which the server kills itself (`crash_points`)
==============================  ==============================================================================

A variable that looks like one of these misspelt is refused, since it would be silently without effect; any other that
begins with TILLKEY_ is somebody else's: a till's, or a vendor's own.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tillkey_server import crash_points
from tillkey_server.errors import ConfigError
from tillkey_server.rules.retention import FINGERPRINT_DAYS, MAX_DAYS, MIN_FINGERPRINT_DAYS, MIN_LEASE_DAYS

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX = "TILLKEY_"
VARIABLES = (
    "TILLKEY_DATABASE_URL",
    "TILLKEY_LOG_LEVEL",
    "TILLKEY_STRICT_SQLITE",
    "TILLKEY_PUBLIC_URL",
    "TILLKEY_TLS_CERT",
    "TILLKEY_TLS_KEY",
    "TILLKEY_TRUSTED_PROXIES",
    "TILLKEY_BACKUP_PASSPHRASE",
    "TILLKEY_KEEP_LEASES_DAYS",
    "TILLKEY_KEEP_FINGERPRINTS_DAYS",
    "TILLKEY_METRICS",
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
        "TILLKEY_PROXY",
        "TILLKEY_CA_FILE",
        # The Makefile's and the tests'.
        "TILLKEY_PORT",
        "TILLKEY_POSTGRES_BIN",
    }
)
METRICS = ("local", "open", "off")
OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""The standard variables of OpenTelemetry that name where traces go; without one there are none."""
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
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[Network, ...] = ()
    metrics: str = "local"
    traces: bool = False
    backup_passphrase: str | None = field(default=None, repr=False)
    keep_leases_days: int = MIN_LEASE_DAYS
    keep_fingerprints_days: int = FINGERPRINT_DAYS

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
        tls_cert, tls_key = _tls(env)
        return cls(
            data_dir=folder,
            database_url=_database_url(env, folder),
            log_level=_log_level(env),
            strict_sqlite=_flag(env, "TILLKEY_STRICT_SQLITE"),
            testing=testing,
            crash_at=crash_at,
            public_url=_public_url(env),
            tls_cert=tls_cert,
            tls_key=tls_key,
            trusted_proxies=_trusted_proxies(env),
            metrics=_metrics(env),
            traces=any(env.get(name) for name in OTLP_ENDPOINTS) and env.get("OTEL_SDK_DISABLED") != "true",
            backup_passphrase=env.get("TILLKEY_BACKUP_PASSPHRASE") or None,
            keep_leases_days=_days(env, "TILLKEY_KEEP_LEASES_DAYS", MIN_LEASE_DAYS, MIN_LEASE_DAYS),
            keep_fingerprints_days=_days(env, "TILLKEY_KEEP_FINGERPRINTS_DAYS", FINGERPRINT_DAYS, MIN_FINGERPRINT_DAYS),
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
            name.removeprefix(PREFIX), [known.removeprefix(PREFIX) for known in VARIABLES], n=1, cutoff=0.75
        )
        if near:
            raise ConfigError(f"{name}: there is no such setting; did you mean {PREFIX}{near[0]}?")


def _database_url(env: Mapping[str, str], folder: Path) -> str:
    """Return the database's URL; whether it can be used is for the store to say."""
    given = env.get("TILLKEY_DATABASE_URL")
    if given is None:
        if {"?", "%"} & set(str(folder)):
            raise ConfigError(
                f"{folder}: a data folder with ? or % in its path cannot hold the database: name another one, or"
                " TILLKEY_DATABASE_URL"
            )
        return f"sqlite+aiosqlite:///{folder / 'tillkey.sqlite'}"
    if not given.startswith(("sqlite", "postgres")):
        raise ConfigError("TILLKEY_DATABASE_URL: write sqlite:///path or postgresql://user:password@host/database")
    return given


def _metrics(env: Mapping[str, str]) -> str:
    """Return who sees the metrics."""
    who = env.get("TILLKEY_METRICS", "local").lower()
    if who not in METRICS:
        raise ConfigError(f"TILLKEY_METRICS: {who!r} is nobody; write one of {', '.join(METRICS)}")
    return who


def _log_level(env: Mapping[str, str]) -> str:
    """Return the log level in lower case."""
    level = env.get("TILLKEY_LOG_LEVEL", "info").lower()
    if level not in LOG_LEVELS:
        raise ConfigError(f"TILLKEY_LOG_LEVEL: {level!r} is no level; write one of {', '.join(LOG_LEVELS)}")
    return level


def _public_url(env: Mapping[str, str]) -> str | None:
    """Return the address that tills use, without a slash at its end."""
    given = env.get("TILLKEY_PUBLIC_URL")
    if given is None:
        return None
    try:
        parts = urlsplit(given)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    else:
        # An address is printed where anybody may read it: it carries no password, and tills append their own path.
        usable = usable and not (parts.username or parts.password or parts.query or parts.fragment)
    if not usable:
        raise ConfigError("TILLKEY_PUBLIC_URL: write an address as tills use it, such as https://licenses.example.com")
    return given.rstrip("/")


def _tls(env: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    """Return the files of the certificate and of its key: both or none."""
    given = {name: env.get(name) or None for name in ("TILLKEY_TLS_CERT", "TILLKEY_TLS_KEY")}
    absent = [name for name, path in given.items() if path is None]
    if len(absent) == 1:
        raise ConfigError(f"{absent[0]}: is missing; a certificate and its key are set together")
    cert, key = (None if path is None else Path(path).expanduser().resolve() for path in given.values())
    return cert, key


def _trusted_proxies(env: Mapping[str, str]) -> tuple[Network, ...]:
    """Return the networks whose word about the sender is believed."""
    networks: list[Network] = []
    for text in env.get("TILLKEY_TRUSTED_PROXIES", "").replace(",", " ").split():
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigError(
                f"TILLKEY_TRUSTED_PROXIES: {text!r} is no address or network; write 10.0.0.7 or 10.0.0.0/24,"
                " with commas between"
            ) from error
    return tuple(networks)


def _days(env: Mapping[str, str], name: str, default: int, least: int) -> int:
    """Return a number of days that is no less than what the rules need."""
    text = env.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_DAYS)) and least <= int(text) <= MAX_DAYS):
        raise ConfigError(f"{name}: {text!r} is no number of days from {least} to {MAX_DAYS}")
    return int(text)


def _flag(env: Mapping[str, str], name: str) -> bool:
    """Return a yes or no; absent is no."""
    text = env.get(name, "0").lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ConfigError(f"{name}: {text!r} is neither yes nor no; write 1 or 0")
