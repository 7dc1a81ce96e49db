"""A backup: one file with the database, the keys, the keysets, the pepper and the vendor's policies, while serving.

1. The rows are of one moment; the servers go on writing meanwhile.
2. The root key is never in it: it belongs offline, and whoever finds a backup must not be able to replace keys.
3. The file is its owner's alone (0600), appears under its name only when it is whole, and overwrites nothing.
4. What `folder_files` names is all that a server needs besides its settings, which are the environment's.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from tillkey_server.clock import from_epoch, to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.settings import Settings
from tillkey_server.signing.files import read_public, read_secret
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.pepper import Pepper
from tillkey_server.signing.sealed import Sealing
from tillkey_server.store import archive, dump
from tillkey_server.store.dump import Snapshot

DATABASE = "database"
FOLDER = "folder"
_PART_BYTES = 1024 * 1024
_RESTORE = "restore it from the backup"

Progress = Callable[[str, int], None]
"""Hears the name of a table and how many of its rows were done just now."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A backup that was written: its size in bytes, the schema's revision, and the rows of each table."""

    file: Path
    issuer: str
    schema: str
    encrypted: bool
    taken_at: datetime
    size: int
    rows: dict[str, int]


async def back_up(
    settings: Settings, file: Path, *, passphrase: str | None, now: datetime, progress: Progress
) -> BackedUp:
    """Write the backup of a server into `file`, which must not exist yet; sealed where there is a passphrase.

    Raises BadInput for a file that exists or cannot be written, ConfigError for a folder or database that is not whole,
    Unavailable where the database cannot be reached.
    """
    keyring, _ = Keyring.load(settings), Pepper.load(settings)
    with _whole_only(file) as sink:
        sealing = None if passphrase is None else Sealing(sink, passphrase)
        async with dump.snapshot(settings.database_url) as snapshot:
            if snapshot.revision is None:
                raise ConfigError(
                    "the database was never migrated, so there is nothing to back up: set TILLKEY_DATABASE_URL as the"
                    " server has it, or run `tillkey-server migrate`"
                )
            rows = await _write(settings, sealing or sink, snapshot, keyring.issuer, now, progress)
        if sealing is not None:
            sealing.close()
        size = sink.tell()
    _note(settings, now)
    return BackedUp(
        file=file,
        issuer=keyring.issuer,
        schema=snapshot.revision,
        encrypted=sealing is not None,
        taken_at=now,
        size=size,
        rows=rows,
    )


async def _write(
    settings: Settings, sink: archive.Sink, snapshot: Snapshot, issuer: str, now: datetime, progress: Progress
) -> dict[str, int]:
    """Write the archive, and return how many rows each table has. Raises ConfigError where the folder was changed."""
    files = dict(folder_files(settings))
    about = {
        "taken_at": to_epoch(now),
        "issuer": issuer,
        "schema": snapshot.revision,
        "tables": [table.document() for table in snapshot.tables],
    }
    with archive.writing(sink, about, to_epoch(now)) as writer:
        for name, content in files.items():
            writer.add(f"{FOLDER}/{name}", content)
        rows = await _write_rows(writer, snapshot, progress)
        if dict(folder_files(settings)) != files:
            raise ConfigError("the keys or policies were changed meanwhile: run the backup again")
    return rows


def last_backup(settings: Settings) -> datetime | None:
    """Return when the last backup of this folder was taken; None where none is known of."""
    try:
        return from_epoch(json.loads(_noted(settings).read_bytes())["taken_at"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _noted(settings: Settings) -> Path:
    return settings.data_dir / "last-backup.json"


def _note(settings: Settings, now: datetime) -> None:
    """Keep the time for the doctor; a folder that cannot be written to makes the backup no worse."""
    with contextlib.suppress(OSError):
        _noted(settings).write_text(json.dumps({"taken_at": to_epoch(now)}), "ascii")


def folder_files(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Give the files of the data folder that belong into a backup: their names within it, and their content."""
    yield "pepper", read_secret(settings.pepper_path, mend=_RESTORE)
    for path in sorted(settings.online_keys_dir.glob("*.json")):
        yield f"{settings.online_keys_dir.name}/{path.name}", read_secret(path, mend=_RESTORE)
    for folder, pattern in ((settings.keysets_dir, "*.json"), (settings.policies_dir, "*.toml")):
        for path in sorted(folder.glob(pattern)):
            yield f"{folder.name}/{path.name}", read_public(path, mend=_RESTORE)
    yield settings.keyset_path.name, read_public(settings.keyset_path, mend=_RESTORE)


async def _write_rows(writer: archive.ArchiveWriter, snapshot: Snapshot, progress: Progress) -> dict[str, int]:
    """Write every table in parts of about a mebibyte, and return how many rows each has."""
    rows: dict[str, int] = {}
    for table in snapshot.tables:
        waiting, number, rows[table.name] = bytearray(), 0, 0
        async for some in snapshot.rows(table):
            waiting += some
            lines = some.count(b"\n")
            rows[table.name] += lines
            progress(table.name, lines)
            if len(waiting) >= _PART_BYTES:
                writer.add(f"{DATABASE}/{table.name}/{number}.jsonl", bytes(waiting))
                waiting, number = bytearray(), number + 1
        if waiting:
            writer.add(f"{DATABASE}/{table.name}/{number}.jsonl", bytes(waiting))
    return rows


@contextlib.contextmanager
def _whole_only(file: Path) -> Iterator[BinaryIO]:
    """Give a new file beside `file`; it takes that name when the block ends cleanly, and is gone otherwise."""
    if file.exists():
        raise BadInput("file", f"{file} exists already, and a backup overwrites nothing: name another")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise BadInput(
            "file",
            f"{unfinished}: cannot be made: {error.strerror}; name a file in a folder that this user may write to",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        # A link, unlike a renaming, refuses a name that was taken meanwhile.
        os.link(unfinished, file)
    except FileExistsError as error:
        raise BadInput("file", f"{file} was made meanwhile, and a backup overwrites nothing: name another") from error
    except OSError as error:
        raise BadInput(
            "file", f"{file}: cannot be written: {error.strerror}; make room, or name a file elsewhere"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
