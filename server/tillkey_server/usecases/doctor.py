"""The doctor: is everything well that a server rests on, and what mends what is not.

1. Each check says `ok`, `warn` (it works, and somebody should look) or `fail` (tills are or will be turned away, or a
   secret lies open). All of them run, whatever the others say, and none leaves a change behind.
2. A check that rests on one that failed says so instead of guessing.
3. The server may be running meanwhile or not.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from tillkey_server.clock import Clock, from_epoch, to_epoch
from tillkey_server.errors import TillkeyError, Unavailable
from tillkey_server.policies.loader import bundled_policies, load_folder
from tillkey_server.settings import Settings
from tillkey_server.signing.files import open_to_others
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import Mint
from tillkey_server.signing.pepper import Pepper
from tillkey_server.store import audit, migrate, seals
from tillkey_server.store.db import Database
from tillkey_server.store.engines import named, parse_url, sqlite_warning
from tillkey_server.store.migrate import Standing
from tillkey_server.usecases.audit import verify_audit
from tillkey_server.usecases.backup import last_backup
from tillkey_server.usecases.policy_book import PolicyBook
from tillkey_server.usecases.services import Services
from tillkey_server.usecases.terms import unlike_their_fold

KEY_ENDS_SOON = timedelta(days=30)
CERTIFICATE_ENDS_SOON = timedelta(days=14)
BACKUP_IS_OLD = timedelta(days=7)
CLOCK_SLACK = timedelta(seconds=5)
"""Servers of one database may differ by so much without a word."""
SEALED_WITHIN = timedelta(minutes=5)
PROVED_SEALS = 100_000
"""How long a chain the doctor walks along: some seconds."""
COMPARED_LICENSES = 2000
"""How many renewed licenses the doctor looks at: some seconds."""
_ANY_EVENT = 2**62
LOW_SPACE, NO_SPACE = 1024**3, 100 * 1024**2
_GROUP, _WORLD = stat.S_IRWXG, stat.S_IRWXO


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `detail` says how it stands, `mend` what to do; empty where it is well."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""


async def examine(settings: Settings, clock: Clock) -> tuple[Check, ...]:
    """Run every check; never raises for what is not well."""
    now = clock.now()
    if settings.data_dir.exists() and not os.access(settings.data_dir, os.R_OK | os.X_OK):
        mend = "run this as the user that the server runs as"
        return (Check("folder", Verdict.FAIL, f"{settings.data_dir} is not this user's to read", mend),)
    keyring, keys = _keys(settings, now)
    checks = [
        _folder(settings),
        *_secrets(settings),
        _root_key(settings),
        *_leftovers(settings),
        *keys,
        _policies(settings),
    ]
    if settings.tls_cert is not None:
        checks.append(_certificate(settings.tls_cert, now))
    database, newest = await _database(settings)
    checks += [*database, _sqlite_library(settings), _clock(keyring, newest, now)]
    if newest is not None:
        checks.append(await _terms(settings))
    if keyring is not None and newest is not None:
        checks.append(await _audit(settings, keyring, clock))
    return (*checks, *_disk(settings), _backup(settings, now))


def _folder(settings: Settings) -> Check:
    if not settings.keyset_path.is_file():
        mend = f"run `tillkey-server init --data-dir {settings.data_dir}`, or `restore`"
        return Check("folder", Verdict.FAIL, f"{settings.data_dir} is no Tillkey data folder", mend)
    mode = stat.S_IMODE(settings.data_dir.stat().st_mode) if os.name == "posix" else 0
    mend = f"run `chmod 700 {settings.data_dir}`"
    if mode & _WORLD:
        return Check("folder", Verdict.FAIL, f"everybody on this machine may enter it (mode {mode:o})", mend)
    if mode & _GROUP:
        return Check("folder", Verdict.WARN, f"its group may enter it (mode {mode:o})", mend)
    return Check("folder", Verdict.OK, str(settings.data_dir))


def _secrets(settings: Settings) -> Iterator[Check]:
    """Look at the modes of every secret; a missing one is told by the check that needs it."""
    paths = [settings.pepper_path, settings.root_key_path, *sorted(settings.online_keys_dir.glob("*.json"))]
    if settings.tls_key is not None:
        paths.append(settings.tls_key)
    there = [path for path in paths if path.exists()]
    open_ones = [path for path in there if open_to_others(path)]
    if settings.database_url.startswith("sqlite"):
        path = migrate.path_of(parse_url(settings.database_url))
        if path.exists() and open_to_others(path):
            yield Check("database_file", Verdict.WARN, f"{path}: others can read it", f"run `chmod 600 {path}`")
    for path in open_ones:
        yield Check("secrets", Verdict.FAIL, f"{path}: others can read or write it", f"run `chmod 600 {path}`")
    if not open_ones:
        yield Check("secrets", Verdict.OK, f"{len(there)} files, each its owner's alone")
    try:
        Pepper.load(settings)
    except TillkeyError as error:
        yield Check("pepper", Verdict.FAIL, str(error), "restore it from the backup")


def _root_key(settings: Settings) -> Check:
    if not settings.root_key_path.exists():
        return Check("root_key", Verdict.OK, "is not on this machine's data folder")
    detail = f"{settings.root_key_path} lies here: whoever takes over this machine could replace every key"
    return Check("root_key", Verdict.WARN, detail, "move it to a safe place offline, with a copy elsewhere")


def _leftovers(settings: Settings) -> Iterator[Check]:
    """Find what a restore moved aside or was interrupted with: it holds secrets that nothing needs."""
    for path in sorted(path for pattern in (".restoring-*", "replaced-*") for path in settings.data_dir.glob(pattern)):
        yield Check("leftovers", Verdict.WARN, f"{path} holds a former server's secrets", f"delete {path}")


def _keys(settings: Settings, now: datetime) -> tuple[Keyring | None, list[Check]]:
    """Load the keys, and sign and verify a canary with the key that signs now."""
    try:
        keyring = Keyring.load(settings)
    except TillkeyError as error:
        return None, [Check("keys", Verdict.FAIL, str(error), "restore the keys from the backup")]
    try:
        Mint(keyring).prove(now)
        signer = keyring.signer(now).public.thumbprint
    except TillkeyError as error:
        mend = f"see the check `clock`; if that is well, run `{_rotation(settings)} --starts-in 0`"
        return keyring, [Check("keys", Verdict.FAIL, str(error), mend)]
    online = keyring.keyset.find(signer)
    ends = None if online is None or online.not_after is None else from_epoch(online.not_after)
    detail = f"keyset version {keyring.keyset.version} of {keyring.issuer} signs with {signer}"
    if ends is not None and ends - now < KEY_ENDS_SOON:
        detail += f", until {ends:%Y-%m-%d}"
        return keyring, [Check("keys", Verdict.WARN, detail, f"run `{_rotation(settings)}`")]
    return keyring, [Check("keys", Verdict.OK, detail)]


def _rotation(settings: Settings) -> str:
    return f"tillkey-server keys rotate --data-dir {settings.data_dir} --root-key FILE"


def _policies(settings: Settings) -> Check:
    try:
        names = sorted({**bundled_policies(), **load_folder(settings.policies_dir)})
    except TillkeyError as error:
        mend = f"mend the file in {settings.policies_dir}; `tillkey-server policy check FILE` names every fault"
        return Check("policies", Verdict.FAIL, str(error), mend)
    return Check("policies", Verdict.OK, ", ".join(names))


def _certificate(path: Path, now: datetime) -> Check:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return Check("certificate", Verdict.FAIL, f"{path} cannot be read as PEM", "mend TILLKEY_TLS_CERT")
    ends = certificate.not_valid_after_utc
    mend = "renew it and restart the server; with several workers SIGHUP does without a pause"
    if not certificate.not_valid_before_utc <= now < ends:
        return Check("certificate", Verdict.FAIL, f"{path} is not valid now; it ends {ends:%Y-%m-%d}", mend)
    if ends - now < CERTIFICATE_ENDS_SOON:
        return Check("certificate", Verdict.WARN, f"{path} ends {ends:%Y-%m-%d}", mend)
    return Check("certificate", Verdict.OK, f"{path}, until {ends:%Y-%m-%d}")


_SCHEMAS = {
    Standing.CURRENT: (Verdict.OK, "the newest schema"),
    Standing.NEWER_SERVES: (Verdict.WARN, "a newer schema, which serves this version"),
    Standing.OLDER: (Verdict.FAIL, "a migration is missing"),
    Standing.NEWER: (Verdict.FAIL, migrate.TOO_NEW),
}
_SCHEMA_MENDS = {
    Standing.NEWER_SERVES: "finish the upgrade: install the newer version here too",
    Standing.NEWER: "install the newer version",
}


async def _database(settings: Settings) -> tuple[list[Check], datetime | None]:
    """Look at the database: reached, migrated, taking writes; and return the time of its newest audit row."""
    where = named(settings.database_url)
    try:
        standing = await migrate.standing(settings.database_url)
    except TillkeyError as error:
        mend = "start the database, or mend TILLKEY_DATABASE_URL"
        return [Check("database", Verdict.FAIL, f"{error}: {where}", mend)], None
    verdict, words = _SCHEMAS[standing]
    mend = _SCHEMA_MENDS.get(standing, f"run `tillkey-server migrate --data-dir {settings.data_dir}`")
    checks = [
        Check("database", Verdict.OK, where),
        Check("schema", verdict, words, "" if verdict is Verdict.OK else mend),
    ]
    if not standing.usable:
        return checks, None
    db = Database(settings.database_url)
    try:
        await db.ping_writable()
        checks.append(Check("writes", Verdict.OK, "the database takes writes"))
        async with db.reading() as tx:
            return checks, await audit.newest(tx)
    except Unavailable as error:
        mend = "look at the database's own log: a standby, a full disk, a lock that is held"
        return [*checks, Check("writes", Verdict.FAIL, str(error), mend)], None
    finally:
        await db.dispose()


async def _audit(settings: Settings, keyring: Keyring, clock: Clock) -> Check:
    """Look whether the audit log is sealed, and prove a chain that is short enough for that."""
    db = Database(settings.database_url)
    try:
        async with db.reading() as tx:
            head = await seals.head(tx)
            waiting = await seals.first_unsealed(tx, below=_ANY_EVENT, before=clock.now() - SEALED_WITHIN)
        if waiting is not None:
            mend = f"start the server, which seals, or run `tillkey-server jobs run --data-dir {settings.data_dir}`"
            return Check("audit", Verdict.WARN, f"decisions from number {waiting} on wait to be sealed", mend)
        sealed = 0 if head is None else head.seq
        if sealed > PROVED_SEALS:
            return Check("audit", Verdict.OK, f"{sealed} decisions are sealed; `audit verify` proves the chain")
        # Of the services the walk asks for the database, the keys and the time alone.
        services = Services(settings, db, clock, PolicyBook({}), keyring, Mint(keyring), Pepper.load(settings))
        told = await verify_audit(services)
    except TillkeyError as error:
        return Check("audit", Verdict.FAIL, str(error), "mend what the other checks name, and look again")
    finally:
        await db.dispose()
    if told["ok"]:
        return Check("audit", Verdict.OK, f"a chain of {sealed} sealed decisions, proved whole")
    detail = f"somebody changed the log: {told['bad']}"
    return Check("audit", Verdict.FAIL, detail, "see docs/operations.md: find out who wrote to the database")


async def _terms(settings: Settings) -> Check:
    """Compare the ends that licenses have with what was paid for them."""
    db = Database(settings.database_url)
    try:
        async with db.reading() as tx:
            wrong = await unlike_their_fold(tx, PolicyBook({}), COMPARED_LICENSES)
    except TillkeyError as error:
        return Check("terms", Verdict.FAIL, str(error), "mend what the other checks name, and look again")
    finally:
        await db.dispose()
    if not wrong:
        return Check("terms", Verdict.OK, "renewed licenses end where their payments say")
    detail = f"{len(wrong)} licenses end elsewhere than their payments say, as {wrong[0]}"
    return Check("terms", Verdict.FAIL, detail, "somebody changed the database by hand: see `license terms`")


def _sqlite_library(settings: Settings) -> Check:
    if not settings.database_url.startswith("sqlite"):
        return Check("sqlite_library", Verdict.OK, "SQLite is not used")
    warning = sqlite_warning(sqlite3.sqlite_version_info)
    if warning is None:
        return Check("sqlite_library", Verdict.OK, f"SQLite {sqlite3.sqlite_version}")
    detail, _, mend = warning.partition(". ")
    return Check("sqlite_library", Verdict.FAIL if settings.strict_sqlite else Verdict.WARN, detail, mend)


def _clock(keyring: Keyring | None, newest: datetime | None, now: datetime) -> Check:
    """Compare this machine's clock with what was written down: by the ceremonies, and by the newest decision."""
    told = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    mend = "set this machine's clock (NTP); leases that it signs now would bear a wrong time"
    behind = [newest] if newest is not None else []
    if keyring is not None:
        behind.append(from_epoch(keyring.keyset.issued_at))
        # A key may be published before its time; that the first one has come is certain.
        behind.append(from_epoch(min(online.not_before for online in keyring.keyset.keys)))
    latest = max(behind, default=now)
    if latest > now + CLOCK_SLACK:
        detail = f"{told} is behind {latest:%Y-%m-%dT%H:%M:%SZ}, which a server or a ceremony has written already"
        return Check("clock", Verdict.FAIL, detail, mend)
    return Check("clock", Verdict.OK, told)


def _disk(settings: Settings) -> Iterator[Check]:
    """Look at the space where the data folder is and, elsewhere, SQLite's file."""
    folders = [settings.data_dir]
    if settings.database_url.startswith("sqlite"):
        folders.append(migrate.path_of(parse_url(settings.database_url)).parent)
    there = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.is_dir()}
    for folder in there.values():
        free = shutil.disk_usage(folder).free
        verdict = Verdict.FAIL if free < NO_SPACE else Verdict.WARN if free < LOW_SPACE else Verdict.OK
        mend = "" if verdict is Verdict.OK else "make room: without it no till can be answered"
        yield Check("disk", verdict, f"{free // 1024**2} MiB free at {folder}", mend)


def _backup(settings: Settings, now: datetime) -> Check:
    taken = last_backup(settings)
    mend = f"run `tillkey-server backup --data-dir {settings.data_dir} FILE` every night, and keep FILE elsewhere"
    if taken is None:
        return Check("backup", Verdict.WARN, "none was made with `tillkey-server backup`", mend)
    if to_epoch(now) - to_epoch(taken) > BACKUP_IS_OLD.total_seconds():
        return Check("backup", Verdict.WARN, f"the last one is of {taken:%Y-%m-%d}", mend)
    return Check("backup", Verdict.OK, f"the last one is of {taken:%Y-%m-%dT%H:%M:%SZ}")
