"""`forced-deactivation list`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Customer, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Json, Outcome, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="What agents freed by force, and the tickets they made.", no_args_is_help=True)

_COLUMNS = ("id", "kind", "license_id", "at", "actor", "counted", "reason")


@app.callback()
def group() -> None:
    """What agents freed by force, and the tickets they made."""


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="Of this license.")] = None,
    customer: Customer = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List forced deactivations and agents' move tickets, by age unless sorted otherwise (at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.forced_deactivations import list_forced_deactivations

        page = await list_forced_deactivations(
            services, license_id=license_id, customer_id=customer, after=after, limit=limit, sort=sort
        )
        return shown_page(page, _COLUMNS, "forced deactivations")

    perform(data_dir, work, as_json=as_json)
