"""`product add | list | show | change`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Refused, actor, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="What is on sale.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The product's code.", show_default=False)]
_COLUMNS = ("code", "name", "key_prefix", "policy", "price")


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
        from tillkey_server.usecases.catalogue import add_product, differing

        added = await add_product(
            services, code=code, name=name, key_prefix=key_prefix, policy=policy, price=parse(price)
        )
        if added.differing:
            return Refused(problems.document(problems.PRODUCT_DIFFERS, detail=differing(code, added)))
        words = "is on sale" if added.is_new else "was there already and stays as it is"
        return Done({"code": code, "created": added.is_new}, lambda output: output.say(f"{code} {words}."))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *, data_dir: DataDir, after: After = None, limit: Limit = 50, sort: SortBy = None, as_json: Json = False
) -> None:
    """List what is on sale."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.catalogue import list_products

        return shown_page(await list_products(services, after=after, limit=limit, sort=sort), _COLUMNS, "products")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, code: Code, as_json: Json = False) -> None:
    """Show one product."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.catalogue import get_product

        found = await get_product(services, code)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("change")
def change(
    *,
    data_dir: DataDir,
    code: Code,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Its new name.", show_default=False)
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="MONEY", help='Its new price, as "49.90 EUR".', show_default=False)
    ] = None,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="NAME", help="Its new terms.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a product from the next sale on; what was sold keeps its terms."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.catalogue import change_product

        money = None if price is None else parse(price)
        changed = await change_product(services, code, actor=actor(), name=name, price=money, policy=policy)
        return Done(changed, lambda output: output.fields(changed))

    perform(data_dir, work, as_json=as_json)
