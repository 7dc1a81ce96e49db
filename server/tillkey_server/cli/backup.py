"""`backup` and `restore`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.output import moment, note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, conclude, initialized, load_settings

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.settings import Settings
    from tillkey_server.usecases.backup import BackedUp
    from tillkey_server.usecases.restore import Restored

_PROGRESS_SECONDS = 2.0

PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="PATH",
        help="A file whose first line is the passphrase. Default: TILLKEY_BACKUP_PASSPHRASE.",
        show_default=False,
    ),
]


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file; made for your eyes alone (0600).")],
    *,
    data_dir: DataDir,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Write one file with database, keys, pepper and policies, while serving. The root key is not in it.

    With a passphrase the file is encrypted; without, whoever reads it can sign in your name.
    """

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases.backup import back_up
        from tillkey_server.usecases.services import naming_the_database

        settings = initialized(data_dir)
        given = _passphrase(settings, passphrase_file)
        with naming_the_database(settings):
            made = asyncio.run(
                back_up(settings, file, passphrase=given, now=SystemClock().now(), progress=_progress("written"))
            )
        return Done(_backed_up(made), lambda output: _show_backup(output, made))

    conclude(work, as_json=as_json, log_level=logging.WARNING)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup` wrote, on either database.")],
    *,
    data_dir: DataDir,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is in the folder and the database; stop its servers first.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: Json = False,
) -> None:
    """Make a server of a backup: D and the database (TILLKEY_DATABASE_URL) must be empty, or say --replace.

    The file is proved as a whole before anything is changed. An older schema is migrated. The server that was backed up
    must not run again.
    """

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases import restore as restoring
        from tillkey_server.usecases.services import naming_the_database

        settings = load_settings(data_dir)
        given = _passphrase(settings, passphrase_file)
        with naming_the_database(settings):
            done = asyncio.run(
                restoring.restore(
                    settings,
                    file,
                    passphrase=given,
                    replacing=replace,
                    now=SystemClock().now(),
                    progress=_progress("restored"),
                )
            )
        return Done(_restored(done), lambda output: _show_restore(output, done, data_dir))

    conclude(work, as_json=as_json, log_level=logging.WARNING)


def _passphrase(settings: Settings, file: Path | None) -> str | None:
    """Return the passphrase: of the file, else of the setting, else none."""
    from tillkey_server.errors import BadInput

    if file is None:
        return settings.backup_passphrase
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("passphrase-file", f"{file} cannot be read") from error
    if not lines or not lines[0]:
        raise BadInput("passphrase-file", "its first line is empty")
    return lines[0]


def _progress(verb: str) -> Callable[[str, int], None]:
    """Return what tells a person now and then how far long work is."""
    rows, last = 0, time.monotonic()

    def tell(table: str, count: int) -> None:
        nonlocal rows, last
        rows += count
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            note(f"{rows} rows {verb}, now {table}")

    return tell


def _backed_up(made: BackedUp) -> dict[str, object]:
    return {
        "file": str(made.file),
        "bytes": made.size,
        "encrypted": made.encrypted,
        "taken_at": moment(made.taken_at),
        "issuer": made.issuer,
        "schema": made.schema,
        "rows": made.rows,
    }


def _show_backup(output: Output, made: BackedUp) -> None:
    output.fields({**_backed_up(made), "rows": sum(made.rows.values())})
    if not made.encrypted:
        note("The file holds the signing keys and the pepper in clear: keep it as you keep those, or set a passphrase.")
    note("The root key is not in it: keep that offline, with a copy elsewhere.")


def _restored(done: Restored) -> dict[str, object]:
    return {
        "issuer": done.issuer,
        "taken_at": moment(done.taken_at),
        "schema": done.schema,
        "migrated_to": done.migrated_to,
        "rows": done.rows,
        "kept": None if done.kept is None else str(done.kept),
    }


def _show_restore(output: Output, done: Restored, data_dir: Path) -> None:
    output.fields({**_restored(done), "rows": sum(done.rows.values())})
    if done.kept is not None:
        note(f"What was there before lies in {done.kept}: delete it when you no longer need it; it holds secrets.")
    note("Whoever was erased after the backup is back: erase them again with `account erase-again` before you serve.")
    note(f"Next: tillkey-server doctor --data-dir {data_dir}, then serve. Never start the server that was backed up.")
