"""`api-key create | list | show | revoke`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, perform, time_of

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.api_key import CreatedKey
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Who may call the administration over HTTP.", no_args_is_help=True)

KeyId = Annotated[UUID, typer.Argument(metavar="ID", help="The API key's id.", show_default=False)]
_COLUMNS = ("id", "name", "role", "status", "expires_at", "last_used_at")


@app.command("create")
def create(
    *,
    data_dir: DataDir,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)],
    role: Annotated[
        str,
        typer.Option(
            "--role", metavar="ROLE", help="admin, supervisor, agent, integration or read_only.", show_default=False
        ),
    ],
    expires_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it ends, as 2027-01-31T15:00:00Z.", show_default=False)
    ] = None,
    customer: Annotated[
        list[UUID] | None, typer.Option(metavar="ID", help="Limit it to this customer; may be repeated.")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Limit it to this product; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once: only a keyed hash of it is stored."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.api_key import create_api_key

        made = await create_api_key(
            services,
            name=name,
            role=role,
            actor=actor(),
            expires_at=time_of(expires_at, "expires-at"),
            customer_ids=customer or None,
            product_codes=product or None,
        )
        return Done({**made.shown, "api_key": made.api_key}, lambda output: _show_created(output, made))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *, data_dir: DataDir, after: After = None, limit: Limit = 50, sort: SortBy = None, as_json: Json = False
) -> None:
    """List API keys, without their secrets."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.api_key import list_api_keys

        return shown_page(await list_api_keys(services, after=after, limit=limit, sort=sort), _COLUMNS, "API keys")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, key_id: KeyId, as_json: Json = False) -> None:
    """Show one API key, without its secret."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.api_key import get_api_key

        found = await get_api_key(services, key_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("revoke")
def revoke(*, data_dir: DataDir, key_id: KeyId, as_json: Json = False) -> None:
    """End an API key at once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.api_key import revoke_api_key

        found = await revoke_api_key(services, key_id, actor=actor())
        return Done(found, lambda output: output.say(f"The API key {key_id} is dead since {found['revoked_at']}."))

    perform(data_dir, work, as_json=as_json)


def _show_created(output: Output, made: CreatedKey) -> None:
    output.fields({"id": made.shown["id"], "role": made.shown["role"], "api key": made.api_key})
    note("Note the API key now: only its hash is stored, and nobody can show it again.")
