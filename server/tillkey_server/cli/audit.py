"""`audit`: read the log, prove that it is whole, and take checkpoints of it."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.output import note
from tillkey_server.cli.running import REFUSED, DataDir, Done, Json, Outcome, perform, time_of

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

_COLUMNS = ("id", "at", "actor", "action", "outcome", "code", "license_id")
_FLAWS = {
    "changed": "the row, or its seal, was changed",
    "removed": "the row was removed",
    "reordered": "another row stands in its place",
    "inserted": "the row was put between others that had been sealed",
    "seal_missing": "the seal is missing",
    "truncated": "the chain ends before the checkpoint",
    "rewritten": "the chain is not the one that the checkpoint was taken of",
}
app = typer.Typer(help="The audit log: every decision, chained by hash.", no_args_is_help=True)

Outcome_ = Annotated[
    str | None, typer.Option("--outcome", metavar="WORD", help="allow, deny or pend.", show_default=False)
]
Text = Annotated[str | None, typer.Option(metavar="TEXT", help="Exactly this.", show_default=False)]
Time = Annotated[str | None, typer.Option(metavar="TIME", help="As 2026-01-31T15:00:00Z.", show_default=False)]


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="About this license.")] = None,
    activation_id: Annotated[
        UUID | None, typer.Option("--activation", metavar="ID", help="About this activation.")
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option("--actor", metavar="TEXT", help="Exactly this, as api_key:<id>, cli:<user> or till:<thumbprint>."),
    ] = None,
    action: Text = None,
    outcome: Outcome_ = None,
    code: Text = None,
    since: Time = None,
    until: Time = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List decisions, the oldest first; `--sort=-id` begins with the newest."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.audit import AuditSearch, list_audit

        search = AuditSearch(
            license_id=license_id,
            activation_id=activation_id,
            actor=actor,
            action=action,
            outcome=outcome,
            code=code,
            since=time_of(since, "since"),
            until=time_of(until, "until"),
        )
        page = await list_audit(services, search, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "decisions")

    perform(data_dir, work, as_json=as_json)


@app.command()
def verify(
    *,
    data_dir: DataDir,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", metavar="FILE", help="A checkpoint, to see what was cut off or rewritten.", exists=True
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Prove that no sealed row was changed, removed or moved; names the first that was. Exit code 0 only then."""
    whole = True

    async def work(services: Services) -> Outcome:
        nonlocal whole
        from tillkey_server.usecases.audit import verify_audit

        progress = _progress if sys.stderr.isatty() else None
        found = await verify_audit(services, _read(checkpoint), progress=progress)
        if progress is not None:
            print(file=sys.stderr)  # noqa: T201 - ends the line of the progress
        whole = bool(found["ok"])
        return Done(found, lambda output: output.fields(_for_people(found)))

    perform(data_dir, work, as_json=as_json)
    if not whole:
        raise typer.Exit(REFUSED)


@app.command()
def checkpoint(
    *,
    data_dir: DataDir,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where to write it; it must not exist yet.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a signed checkpoint of the log, to be kept where nobody who can change the database can change it."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.audit import audit_checkpoint

        taken = await audit_checkpoint(services)
        if file is None:
            return Done(taken, lambda output: output.say(str(taken["checkpoint"])))
        _write(file, str(taken["checkpoint"]))
        note(f"Written to {file}: keep it on another machine.")
        return Done(taken, lambda output: output.fields({name: taken[name] for name in ("seq", "at", "unsealed")}))

    perform(data_dir, work, as_json=as_json)


def _read(file: Path | None) -> str | None:
    from tillkey_server.errors import BadInput

    if file is None:
        return None
    try:
        return file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            "checkpoint", f"{file} cannot be read as a checkpoint: name a file that `audit checkpoint` wrote"
        ) from error


def _write(file: Path, text: str) -> None:
    from tillkey_server.errors import BadInput

    try:
        with file.open("x", encoding="ascii") as target:
            target.write(f"{text}\n")
    except FileExistsError as error:
        raise BadInput(
            "file", f"{file} is there already, and a checkpoint is never overwritten: name another"
        ) from error
    except OSError as error:
        raise BadInput("file", f"{file}: {error.strerror}; name a file that this user may write") from error


def _progress(seen: int, last: int) -> None:
    print(f"\r{seen:,} of {last:,} seals", end="", file=sys.stderr, flush=True)  # noqa: T201 - for a terminal only


def _for_people(found: dict[str, Any]) -> dict[str, object]:
    bad = found["bad"]
    told: dict[str, object] = {"whole": found["ok"], "sealed": found["sealed"], "not yet sealed": found["unsealed"]}
    if bad is not None:
        told |= {"first bad seal": bad["seq"], "first bad row": bad["event_id"], "what": _FLAWS[bad["flaw"]]}
    if found["checkpoint"] is not None:
        told["checkpoint"] = found["checkpoint"]
    return told
