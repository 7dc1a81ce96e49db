"""`init` and `migrate`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.running import DataDir, Done, Json, Outcome, conclude, initialized, load_settings

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.setup import Initialized


def init(
    *,
    data_dir: DataDir,
    examples: Annotated[bool, typer.Option("--examples", help="Put the example products on sale.")] = False,
    issuer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The server's name in every document, for ever. Default: tillkey- and 8 random symbols.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the data folder: keys, keyset, database. A second time it says what it found and changes nothing."""

    def work() -> Outcome:
        from tillkey_server.clock import SystemClock
        from tillkey_server.usecases.services import naming_the_database
        from tillkey_server.usecases.setup import initialize

        settings = load_settings(data_dir)
        with naming_the_database(settings):
            made = asyncio.run(initialize(settings, issuer=issuer, examples=examples, clock=SystemClock()))
        members: dict[str, object] = {
            "data_dir": str(data_dir),
            "issuer": made.issuer,
            "created": list(made.created),
            "found": list(made.found),
            "keyset": str(settings.keyset_path),
            "root_key": str(settings.root_key_path) if settings.root_key_path.exists() else None,
            "products": list(made.products),
            "open_to_others": made.open_to_others,
            "public_url": settings.public_url,
        }
        return Done(members, lambda output: _show(output, made, members))

    conclude(work, as_json=as_json, log_level=logging.WARNING)


def migrate(*, data_dir: DataDir, as_json: Json = False) -> None:
    """Bring the database to the newest schema."""

    def work() -> Outcome:
        from tillkey_server.usecases.services import naming_the_database
        from tillkey_server.usecases.setup import migrate_database

        settings = initialized(data_dir)
        with naming_the_database(settings):
            moved = asyncio.run(migrate_database(settings))
        members = {"from": moved.before, "to": moved.after}
        words = "nothing to do" if moved.before == moved.after else "done"
        return Done(members, lambda output: output.say(f"The database is at revision {moved.after}: {words}."))

    conclude(work, as_json=as_json, log_level=logging.WARNING)


def _show(output: Output, made: Initialized, members: dict[str, object]) -> None:
    output.say(f"Tillkey data folder {members['data_dir']}, issuer {made.issuer}")
    for name in made.created:
        output.say(f"  created  {name}")
    for name in made.found:
        output.say(f"  found    {name}")
    if made.products:
        output.say(f"  on sale  {', '.join(made.products)}")
    output.say("Next:")
    if members["open_to_others"]:
        output.say(
            f"  Run `chmod 700 {members['data_dir']}`: the folder was there, and others than its owner may enter it."
        )
    if members["root_key"] is not None:
        output.say(f"  Move {members['root_key']} to a safe place away from this machine: the server never reads it,")
        output.say("  and whoever has it can sign keysets in your name. You need it again to change keys.")
    output.say(f"  Ship {members['keyset']} with your till: it is the public keyset that the SDK pins.")
    if members["public_url"] is not None:
        output.say(f"  Tills are given the server's address {members['public_url']} (TILLKEY_PUBLIC_URL).")
    output.say(
        f"  Start the server: tillkey-server serve --data-dir {members['data_dir']} --host 127.0.0.1 --port 8080"
    )
