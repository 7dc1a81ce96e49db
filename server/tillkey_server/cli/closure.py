"""`closure add | withdraw | list`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, moment_of, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="When the vendor is closed, and since when its customers know.", no_args_is_help=True)
_COLUMNS = ("id", "starts_at", "ends_at", "notified_at", "withdrawn_at", "reason")


@app.command("add")
def add(
    *,
    data_dir: DataDir,
    policy: Annotated[str, typer.Option(metavar="NAME", help="The terms that are cited.", show_default=False)],
    notified_at: Annotated[str, typer.Option(metavar="TIME", help="Since when they know.", show_default=False)],
    starts_at: Annotated[str, typer.Option(metavar="TIME", help="The beginning.", show_default=False)],
    ends_at: Annotated[str, typer.Option(metavar="TIME", help="The end, which is not in it.", show_default=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Record a time in which the vendor is closed, with the notice that its customers had."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, answered_of
        from tillkey_server.usecases.closure import add_closure

        added = await add_closure(
            services,
            policy=policy,
            notified_at=moment_of(notified_at, "notified_at"),
            starts_at=moment_of(starts_at, "starts_at"),
            ends_at=moment_of(ends_at, "ends_at"),
            reason=reason,
            actor=actor(),
        )
        if isinstance(added, RefusalAnswer):
            return refused_by(added)
        members = {**answered_of(added.decision), "closure": added.shown}
        return Done(members, lambda output: output.fields(added.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("withdraw")
def withdraw(
    *,
    data_dir: DataDir,
    closure_id: Annotated[UUID, typer.Argument(metavar="ID", help="The closure's id.", show_default=False)],
    policy: Annotated[str, typer.Option(metavar="NAME", help="The terms that are cited.", show_default=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Take a closure back: it pauses nothing from now on, and what it paused before is not undone."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, answered_of
        from tillkey_server.usecases.closure import withdraw_closure

        done = await withdraw_closure(services, closure_id, policy=policy, reason=reason, actor=actor())
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {**answered_of(done.decision), "closure": done.shown}
        return Done(members, lambda output: output.fields(done.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *, data_dir: DataDir, after: After = None, limit: Limit = 50, sort: SortBy = None, as_json: Json = False
) -> None:
    """List the vendor's closures, by age unless sorted otherwise (starts_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.closure import list_closures

        page = await list_closures(services, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "closures")

    perform(data_dir, work, as_json=as_json)
