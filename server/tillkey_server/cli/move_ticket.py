"""`move-ticket list`; an agent makes one with `license move-ticket`, a till by itself."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Json, Outcome, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Tickets with which another machine takes a license over.", no_args_is_help=True)

_COLUMNS = ("id", "status", "license_id", "environment", "issued_by", "expires_at", "used_at")


@app.callback()
def group() -> None:
    """Tickets with which another machine takes a license over."""


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="Of this license.")] = None,
    status: Annotated[
        str | None, typer.Option("--status", metavar="STATUS", help="open, used or expired.", show_default=False)
    ] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List move tickets, never what makes them work; by age unless sorted otherwise (created_at, expires_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.move_tickets import list_move_tickets

        page = await list_move_tickets(
            services, license_id=license_id, status=status, after=after, limit=limit, sort=sort
        )
        return shown_page(page, _COLUMNS, "move tickets")

    perform(data_dir, work, as_json=as_json)
