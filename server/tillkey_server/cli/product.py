"""`product add | list`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Refused, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="What is on sale.", no_args_is_help=True)


@app.command("add")
def add(
    *,
    data_dir: DataDir,
    code: Annotated[str, typer.Argument(metavar="CODE", help="Its code, as tills name it.", show_default=False)],
    name: Annotated[str, typer.Option(metavar="TEXT", help="Its name, as people read it.", show_default=False)],
    key_prefix: Annotated[
        str, typer.Option(metavar="PREFIX", help="What its license keys begin with: 1 to 12 of A-Z and 0-9.")
    ],
    price: Annotated[str, typer.Option(metavar="MONEY", help='Its price, as "49.90 EUR".', show_default=False)],
    policy: Annotated[str, typer.Option(metavar="NAME", help="The terms it is sold under.")] = "default",
    as_json: Json = False,
) -> None:
    """Put a product on sale; one that is there stays as it is, and other values for it are refused."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.api import problems
        from tillkey_server.money import parse
        from tillkey_server.usecases.catalogue import add_product

        added = await add_product(
            services, code=code, name=name, key_prefix=key_prefix, policy=policy, price=parse(price)
        )
        if added.differing:
            detail = f"{code} is on sale with other values for: {', '.join(added.differing)}."
            return Refused(problems.document(problems.PRODUCT_DIFFERS, detail=detail))
        words = "is on sale" if added.is_new else "was there already and stays as it is"
        return Done({"code": code, "created": added.is_new}, lambda output: output.say(f"{code} {words}."))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(*, data_dir: DataDir, as_json: Json = False) -> None:
    """List what is on sale."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import Money
        from tillkey_server.usecases.catalogue import list_products

        items: list[dict[str, object]] = [
            {
                "code": row.code,
                "name": row.name,
                "key_prefix": row.key_prefix,
                "policy": row.policy_name,
                "price": Money(row.price_minor, row.currency).display(),
            }
            for row in await list_products(services)
        ]
        columns = ("code", "name", "key_prefix", "policy", "price")
        rows = [[item[column] for column in columns] for item in items]
        return Done({"items": items, "next": None}, lambda output: output.table(columns, rows))

    perform(data_dir, work, as_json=as_json)
