"""`install-credit list | use`, `license import | reconcile`, `project entitlements`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.account import CustomerId
from tillkey_server.cli.answered import answered
from tillkey_server.cli.output import Output, note
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Outcome,
    actor,
    carried_out,
    moment_of,
    perform,
    refused_by,
    time_of,
)
from tillkey_server.errors import BadInput

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Free installations that come with a core.", no_args_is_help=True)


@app.command("list")
def list_(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """List a customer's free installations, and which of them are left."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.install_credit import list_install_credits

        found = await list_install_credits(services, customer_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("use")
def use(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    credit: Annotated[
        UUID | None, typer.Option("--credit", metavar="ID", help="Which free installation it was.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Use a customer's free installation, since it was done: the one that is named, else the oldest."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.install_credit import use_install_credit

        return carried_out(await use_install_credit(services, customer_id, actor=actor(), credit_id=credit))

    perform(data_dir, work, as_json=as_json)


def import_(
    *,
    data_dir: DataDir,
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="The marketplace, as the terms name it.")],
    code: Annotated[str, typer.Option("--code", metavar="CODE", help="The purchase code.", show_default=False)],
    product: Annotated[str, typer.Option("--product", metavar="CODE", help="The product.", show_default=False)],
    customer: Annotated[str, typer.Option("--customer", metavar="EMAIL", help="Who brings it.", show_default=False)],
    support_months: Annotated[int, typer.Option("--support-months", help="The support that was chosen there.")],
    purchased_at: Annotated[
        str, typer.Option("--purchased-at", metavar="TIME", help="When it was bought there.", show_default=False)
    ],
    supported_until: Annotated[
        str | None, typer.Option("--supported-until", metavar="TIME", help="The marketplace's word on its end.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Turn a purchase code of another marketplace into a license, once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, told_of
        from tillkey_server.usecases.import_code import PurchaseCode, import_purchase_code

        until = time_of(supported_until, "supported-until")
        brought = PurchaseCode(channel, code, product, support_months, moment_of(purchased_at, "purchased-at"), until)
        made = await import_purchase_code(services, brought, customer_email=customer, actor=actor())
        if isinstance(made, RefusalAnswer):
            return refused_by(made)
        members = {
            "license_id": str(made.license.license_id),
            "license_key": made.license.license_key,
            "key_hint": made.license.key_hint,
            **told_of(made.decision),
        }
        if made.is_new:
            note("Note the key now: only its hash is stored, and nobody can show it again.")
        return Done(members, lambda output: output.fields(members))

    perform(data_dir, work, as_json=as_json)


def reconcile(
    *,
    data_dir: DataDir,
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="The marketplace, as the terms name it.")],
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Lines of code,state,supported_until; state is active or refunded.", show_default=False
        ),
    ],
    part: Annotated[bool, typer.Option("--part", help="The list is not all: what it lacks is not told.")] = False,
    as_json: Json = False,
) -> None:
    """Compare a marketplace's list of purchase codes with what is on record, and apply what differs."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.reconciliation import listed_in, reconcile_codes

        try:
            listed = listed_in(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput("file", f"cannot be read: {error}") from error
        told = await reconcile_codes(services, channel, listed, whole=not part, actor=actor())

        def show(output: Output) -> None:
            columns = ("line", "outcome", "license_id", "support_until")
            items = told["items"]
            assert isinstance(items, list)
            output.table(columns, [[one[name] for name in columns] for one in items])
            output.fields({"lacking": told["lacking_count"]})

        return Done(told, show)

    perform(data_dir, work, as_json=as_json)


def entitlements(
    *,
    data_dir: DataDir,
    project_id: Annotated[UUID, typer.Argument(metavar="ID", help="The project's id.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Tell what a project may use by all of its licenses, and which license an installation is to use next."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.project_licenses import project_entitlements

        told = await project_entitlements(services, project_id)
        return answered(answered_of(told), tuple(told.facts))

    perform(data_dir, work, as_json=as_json)
