"""`customer add | list | show | change | balance | spend | pay-out`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="The buyers' records.", no_args_is_help=True)

CustomerId = Annotated[UUID, typer.Argument(metavar="ID", help="The customer's id.", show_default=False)]
Address = Annotated[str, typer.Argument(metavar="EMAIL", help="The e-mail address.", show_default=False)]
_COLUMNS = ("id", "email", "created_at")


@app.command("add")
def add(*, data_dir: DataDir, email: Address, as_json: Json = False) -> None:
    """Make the customer of an address; one that is there stays as it is."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.customer import add_customer

        added = await add_customer(services, email)
        return Done({**added.shown, "created": added.is_new}, lambda output: output.fields(added.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    email: Annotated[
        str | None, typer.Option("--email", metavar="EMAIL", help="The one with this address.", show_default=False)
    ] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List customers."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.customer import list_customers

        page = await list_customers(services, email=email, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "customers")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Show one customer."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.customer import get_customer

        found = await get_customer(services, customer_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("change")
def change(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    email: Annotated[str, typer.Option("--email", metavar="EMAIL", help="The new address.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Give a customer another e-mail address."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.customer import change_customer

        changed = await change_customer(services, customer_id, email=email, actor=actor())
        if isinstance(changed, RefusalAnswer):
            return refused_by(changed)
        return Done(changed, lambda output: output.fields(changed))

    perform(data_dir, work, as_json=as_json)


@app.command("balance")
def balance(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Show what a customer has to the credit."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.balance import get_balance

        return _balance(await get_balance(services, customer_id))

    perform(data_dir, work, as_json=as_json)


@app.command("spend")
def spend(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    amount: Annotated[
        str, typer.Option("--amount", metavar="AMOUNT", help="How much, as `20 EUR`.", show_default=False)
    ],
    reference: Annotated[
        str,
        typer.Option(
            "--reference", metavar="TEXT", help="What it pays for, as an order's number; once.", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Take an amount from a customer's balance; told again under its reference it is taken once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.balance import spend_balance

        done = await spend_balance(services, customer_id, amount=parse(amount), reference=reference, actor=actor())
        return _balance(done) if isinstance(done, dict) else refused_by(done)

    perform(data_dir, work, as_json=as_json)


@app.command("pay-out")
def pay_out(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    amount: Annotated[
        str, typer.Option("--amount", metavar="AMOUNT", help="How much, as `20 EUR`.", show_default=False)
    ],
    reference: Annotated[
        str,
        typer.Option(
            "--reference", metavar="TEXT", help="The payment's own number; it is noted once.", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Note that an amount of a customer's balance was paid out; a legal hold keeps it back."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.balance import pay_out_balance

        done = await pay_out_balance(services, customer_id, amount=parse(amount), reference=reference, actor=actor())
        return _balance(done) if isinstance(done, dict) else refused_by(done)

    perform(data_dir, work, as_json=as_json)


def _balance(found: dict[str, Any]) -> Done:
    rows = [(one["at"], one["kind"], one["amount"], one["reference"]) for one in found["entries"]]
    told = ", ".join(one["amount"] for one in found["balances"]) or "nothing"

    def show(output: Output) -> None:
        output.fields({"customer": found["customer_id"], "balance": told})
        output.table(("at", "kind", "amount", "reference"), rows)

    return Done(found, show)
