"""A server from its backup, on this machine or another, on the same engine or the other.

1. The whole file is proved before anything is changed: format, every part's SHA-256, schema, keys, pepper, policies.
2. A folder or database that holds anything is refused, unless it is to be replaced. What is then in the folder is moved
   into a folder of its own, not deleted; PostgreSQL's tables are dropped in the transaction that fills them.
3. The former `keyset.json` goes first, then comes the database, in one transaction, and the new `keyset.json` last: a
   restore that was interrupted leaves a folder that `serve` refuses, and may be run again. Its own files bear names
   that no other run has: in a container every process has the same number.
4. An older schema is migrated to the newest; a newer one is refused.
5. The tills of after the backup are taken up when they return (PROTOCOL section 6, invariant I20): nothing here knows
   of them. The server that was backed up must not run again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from tillkey_server.clock import from_epoch, to_epoch
from tillkey_server.errors import BadInput, ConfigError
from tillkey_server.policies.loader import load_folder
from tillkey_server.settings import Settings
from tillkey_server.signing.files import make_private_folder, write_new
from tillkey_server.signing.keyring import Keyring
from tillkey_server.signing.mint import Mint
from tillkey_server.signing.pepper import Pepper
from tillkey_server.signing.sealed import Opening, is_sealed
from tillkey_server.store import archive, engines, load, migrate
from tillkey_server.store.dump import ColumnOutline, TableOutline
from tillkey_server.usecases.backup import DATABASE, FOLDER, Progress

_PRIVATE, _PUBLIC = 0o600, 0o644
_SIDE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; `kept` is where the folder's former files were moved, None where there were none."""

    issuer: str
    taken_at: datetime
    schema: str
    migrated_to: str
    rows: dict[str, int]
    kept: Path | None


@dataclass(frozen=True, slots=True)
class _Backup:
    """A backup that was proved; its rows are read again from the file."""

    file: Path
    passphrase: str | None
    issuer: str
    taken_at: datetime
    schema: str
    tables: tuple[TableOutline, ...]
    folder: dict[str, bytes]

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Give the rows: the table's name, and some of them."""
        with self.file.open("rb") as file:
            for name, content in archive.parts(_plain(file, self.passphrase)):
                room, *rest = name.split("/")
                if room == DATABASE:
                    yield rest[0], content


async def restore(
    settings: Settings, file: Path, *, passphrase: str | None, replacing: bool, now: datetime, progress: Progress
) -> Restored:
    """Put a backup into the settings' data folder and database; no server may run on them.

    Raises BadInput for a file that is no whole backup or whose passphrase is missing or wrong, ConfigError where there
    is something already and `replacing` is false, Unavailable where the database cannot be reached.
    """
    backup = await asyncio.to_thread(_proved, file, passphrase)
    if not replacing:
        await _refuse_what_is_there(settings)
    make_private_folder(settings.data_dir)
    staged = Path(tempfile.mkdtemp(prefix=".restoring-", dir=settings.data_dir))
    try:
        _stage(backup, replace(settings, data_dir=staged), now)
        target = _Target(settings, staged.name)
        aside = _Aside(settings, target, now)
        with aside.out_of_service():
            rows = await asyncio.to_thread(target.fill, backup, progress)
        kept = aside.take_rest()
        target.take_place()
        for name in (*sorted(set(backup.folder) - {settings.keyset_path.name}), settings.keyset_path.name):
            make_private_folder((settings.data_dir / name).parent)
            (staged / name).rename(settings.data_dir / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Restored(backup.issuer, backup.taken_at, backup.schema, migrate.head(), rows, kept)


class _Target:
    """The database that is filled: PostgreSQL in place, SQLite as a new file that takes the place of the old."""

    def __init__(self, settings: Settings, run: str) -> None:
        """Take the settings, and a name that no other run has."""
        self._url = engines.parse_url(settings.database_url)
        self.sqlite = migrate.path_of(self._url) if self._url.get_backend_name() == "sqlite" else None
        self._fresh = None if self.sqlite is None else self.sqlite.with_name(f"{run}.{self.sqlite.name}")

    def fill(self, backup: _Backup, progress: Progress) -> dict[str, int]:
        """Fill it, in a thread and event loop of its own, and return the rows of each table."""
        rows = dict.fromkeys((table.name for table in backup.tables), 0)

        def told(table: str, count: int) -> None:
            rows[table] += count
            progress(table, count)

        if self.sqlite is not None and self.sqlite.exists():
            load.refuse_open_file(self.sqlite)
        url = self._url if self._fresh is None else self._url.set(database=str(self._fresh))
        if self._fresh is not None:
            migrate.create_private(self._fresh)
        try:
            asyncio.run(
                migrate.with_connection(
                    url, lambda connection: load.fill(connection, backup.tables, backup.lines(), backup.schema, told)
                )
            )
        except BaseException:
            if self._fresh is not None:
                self._fresh.unlink()
            raise
        return rows

    def take_place(self) -> None:
        """Let the new SQLite file bear the database's name."""
        if self.sqlite is not None and self._fresh is not None:
            self._fresh.rename(self.sqlite)


class _Aside:
    """Where the former server's files go: a folder of their own, which is made when there is something to keep."""

    def __init__(self, settings: Settings, target: _Target, now: datetime) -> None:
        self._settings = settings
        self._target = target
        self._now = now
        self._folder: Path | None = None

    @contextmanager
    def out_of_service(self) -> Iterator[None]:
        """Move `keyset.json` for the block, so that no server starts on the one's keys and the other's rows.

        It comes back when the block fails.
        """
        keyset = self._settings.keyset_path
        moved = self._take(keyset) if keyset.exists() else None
        try:
            yield
        except BaseException:
            if moved is not None:
                moved.rename(keyset)
                moved.parent.rmdir()
            raise

    def take_rest(self) -> Path | None:
        """Move all other files; return the folder, None where there was nothing to keep."""
        files = [path for path in _parts_of(self._settings) if path.exists()]
        if self._target.sqlite is not None:
            files += [path for end in _SIDE_FILES if (path := Path(f"{self._target.sqlite}{end}")).exists()]
        for path in files:
            self._take(path)
        return self._folder

    def _take(self, path: Path) -> Path:
        self._folder = self._folder or self._new_folder()
        return Path(shutil.move(path, self._folder / path.name))

    def _new_folder(self) -> Path:
        """Make a folder that was not there: what an earlier run of the same second kept is not written over."""
        wanted = f"replaced-{to_epoch(self._now)}"
        folder = self._settings.data_dir / wanted
        for number in count(2):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
                break
            folder = self._settings.data_dir / f"{wanted}-{number}"
        return folder


def _proved(file: Path, passphrase: str | None) -> _Backup:
    """Read the whole file once, and return what it says. Raises BadInput."""
    about: dict[str, Any] = {}
    folder: dict[str, bytes] = {}
    try:
        opened = file.open("rb")
    except OSError as error:
        raise BadInput("file", f"{file}: {error.strerror}; name a file that `backup` wrote") from error
    with opened:
        for name, content in archive.parts(_plain(opened, passphrase)):
            room, _, rest = name.partition("/")
            if name == archive.ABOUT:
                about = json.loads(content)
            elif room == FOLDER:
                folder[rest] = content
            elif room != DATABASE:
                raise BadInput("file", "is damaged: it holds a part that no backup has; take another backup")
    backup = _described(about, file, passphrase, folder)
    if not migrate.known(backup.schema):
        raise BadInput("file", f"is of schema {backup.schema}, which a newer server made: restore it with that version")
    return backup


def _described(about: dict[str, Any], file: Path, passphrase: str | None, folder: dict[str, bytes]) -> _Backup:
    try:
        outlines = tuple(
            TableOutline(table["name"], tuple(ColumnOutline(**column) for column in table["columns"]))
            for table in about["tables"]
        )
        taken_at = from_epoch(about["taken_at"])
        return _Backup(file, passphrase, about["issuer"], taken_at, about["schema"], outlines, folder)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput("file", "is damaged: it does not describe itself; take another backup") from error


def _plain(file: BinaryIO, passphrase: str | None) -> archive.Source:
    if not is_sealed(file):
        return file
    if passphrase is None:
        raise BadInput(
            "passphrase",
            "is missing: the backup is encrypted; name its file by --passphrase-file, or set TILLKEY_BACKUP_PASSPHRASE",
        )
    return Opening(file, passphrase)


async def _refuse_what_is_there(settings: Settings) -> None:
    there = [path for path in _parts_of(settings) if path.exists()]
    if there:
        raise ConfigError(
            f"{settings.data_dir} holds a server already ({there[0].name}): restore into another folder,"
            " or say --replace"
        )
    if await load.holds_tables(settings.database_url):
        raise ConfigError(
            f"the database holds tables already ({engines.named(settings.database_url)}): name an empty one in"
            " TILLKEY_DATABASE_URL, or say --replace"
        )


def _parts_of(settings: Settings) -> tuple[Path, ...]:
    return (
        settings.keyset_path,
        settings.keysets_dir,
        settings.online_keys_dir,
        settings.pepper_path,
        settings.policies_dir,
        settings.root_key_path,
    )


def _stage(backup: _Backup, staged: Settings, now: datetime) -> None:
    """Write the folder's files beside their places, and prove that a server starts on them."""
    public = (staged.keyset_path.name, f"{staged.keysets_dir.name}/", f"{staged.policies_dir.name}/")
    for name, content in backup.folder.items():
        path = staged.data_dir / name
        make_private_folder(path.parent)
        write_new(path, content, mode=_PUBLIC if name.startswith(public) else _PRIVATE)
    keyring = Keyring.load(staged)
    Mint(keyring).prove(now)
    Pepper.load(staged)
    load_folder(staged.policies_dir)
    if keyring.issuer != backup.issuer:
        raise BadInput("file", "is damaged: its keys are another server's; take another backup")
