"""`product add | list | show | change`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Refused, actor, carried_out, perform
from tillkey_server.rules.product import ProductKind, ProductState

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="What is on sale.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(metavar="CODE", help="The product's code.", show_default=False)]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Its new name.", show_default=False)]
NewPrice = Annotated[
    str | None, typer.Option("--price", metavar="MONEY", help='Its new price, as "49.90 EUR".', show_default=False)
]
Terms = Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Its new terms.", show_default=False)]
Requires = Annotated[
    list[str] | None,
    typer.Option("--requires", metavar="CODE", help="What a buyer must hold; may be repeated; '' for nothing."),
]
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
    name: Name = None,
    price: NewPrice = None,
    policy: Terms = None,
    kind: Annotated[ProductKind | None, typer.Option("--kind", help="What it is.", show_default=False)] = None,
    family: Annotated[
        str | None, typer.Option("--family", metavar="CODE", help="Of which product it is an edition.")
    ] = None,
    requires: Requires = None,
    part: Annotated[
        list[str] | None, typer.Option("--part", metavar="CODE", help="What a bundle sells; may be repeated.")
    ] = None,
    advertised: Annotated[
        str | None, typer.Option("--advertised", metavar="JSON", help="What its page promises today.")
    ] = None,
    refund_days: Annotated[int | None, typer.Option("--refund-days", help="Its own refund window.")] = None,
    as_json: Json = False,
) -> None:
    """Change a product from the next sale on; what was sold keeps its terms."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.catalogue import change_product
        from tillkey_server.usecases.product_facts import Told

        told = Told(kind, family, _codes(requires), _codes(part), _advertised(advertised), refund_days)
        money = None if price is None else parse(price)
        changed = await change_product(services, code, actor=actor(), name=name, price=money, policy=policy, told=told)
        return Done(changed, lambda output: output.fields(changed))

    perform(data_dir, work, as_json=as_json)


@app.command("offline")
def offline(*, data_dir: DataDir, code: Code, as_json: Json = False) -> None:
    """Take a product off sale for a time; what was sold goes on in everything."""
    perform(data_dir, lambda services: _state(services, code, ProductState.OFFLINE), as_json=as_json)


@app.command("online")
def online(*, data_dir: DataDir, code: Code, as_json: Json = False) -> None:
    """Put a product on sale again."""
    perform(data_dir, lambda services: _state(services, code, ProductState.ONLINE), as_json=as_json)


@app.command("retire")
def retire(*, data_dir: DataDir, code: Code, as_json: Json = False) -> None:
    """End a product's sale for good; what was sold goes on to the end of what was paid."""
    perform(data_dir, lambda services: _state(services, code, ProductState.RETIRE), as_json=as_json)


async def _state(services: Services, code: str, to: ProductState) -> Outcome:
    from tillkey_server.usecases.product_facts import set_state

    return carried_out(await set_state(services, code, to, actor=actor()))


def _codes(told: list[str] | None) -> list[str] | None:
    """Return the codes that were given; an empty one takes away what was said."""
    return None if told is None else [one for one in told if one]


def _advertised(text: str | None) -> dict[str, object] | None:
    """Read what a product's page promises. Raises BadInput."""
    from tillkey_server.errors import BadInput

    try:
        told = None if text is None else json.loads(text)
    except ValueError as error:
        raise BadInput("advertised", "is not JSON") from error
    if told is not None and not isinstance(told, dict):
        raise BadInput("advertised", "must be a JSON object")
    return told
