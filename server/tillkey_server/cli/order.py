"""`order add | list | show`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.output import note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, perform, refused_by, time_of
from tillkey_server.rules.order_line import MANUAL, CustomerType

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.cart import Line
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="What was paid for.", no_args_is_help=True)

OrderId = Annotated[UUID, typer.Argument(metavar="ID", help="The order's id.", show_default=False)]
Renews = Annotated[
    list[UUID] | None,
    typer.Option("--renews", metavar="ID", help="A license that the same payment renews; may be repeated."),
]
LINE_HELP = (
    "N pieces of a product; may be repeated. More about it after commas, as"
    ' "pos-core:2,price=49.90 EUR,list_price=99.80 EUR,tax=9.98 EUR,coupon=5.00 EUR,months=6", or, bought beside the'
    ' first line, "pos-core,kind=support,beside=0,price=20.00 EUR".'
)
Buyer = Annotated[
    str, typer.Option("--customer", metavar="EMAIL", help="The buyer's e-mail address.", show_default=False)
]
LineTexts = Annotated[list[str], typer.Option("--line", metavar="CODE[:N]", help=LINE_HELP, show_default=False)]
UnderReview = Annotated[bool, typer.Option("--under-review", help="A check still runs: no key before `order release`.")]
_COLUMNS = ("id", "channel", "number", "customer_id", "paid_at")


@app.command("add")
def add(
    *,
    data_dir: DataDir,
    number: Annotated[str, typer.Option("--number", metavar="REF", help="The order's number.", show_default=False)],
    customer: Buyer,
    line: LineTexts,
    channel: Annotated[str, typer.Option("--channel", metavar="NAME", help="Whose number it is.")] = MANUAL,
    paid_at: Annotated[
        str | None, typer.Option("--paid-at", metavar="TIME", help="When the money came.", show_default=False)
    ] = None,
    customer_type: Annotated[
        CustomerType | None, typer.Option("--customer-type", help="As what the customer bought.", show_default=False)
    ] = None,
    renews: Renews = None,
    under_review: UnderReview = False,
    as_json: Json = False,
) -> None:
    """Record a paid order and issue its licenses. Each key is shown once: only a keyed hash of it is stored."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.order import place_order

        placed = await place_order(
            services,
            number=number,
            customer_email=customer,
            lines=[line_of(one) for one in line],
            actor=actor(),
            channel=channel,
            paid_at=time_of(paid_at, "paid-at"),
            customer_type=customer_type,
            renews=renews or (),
            under_review=under_review,
        )
        if isinstance(placed, RefusalAnswer):
            return refused_by(placed)
        return Done({**placed.shown, "created": placed.is_new}, lambda output: show_order(output, placed.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    customer: Annotated[
        UUID | None, typer.Option("--customer", metavar="ID", help="Those of this customer.", show_default=False)
    ] = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Those of this channel.", show_default=False)
    ] = None,
    number: Annotated[
        str | None, typer.Option("--number", metavar="REF", help="The one with this number.", show_default=False)
    ] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List orders."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.order import list_orders

        page = await list_orders(
            services, customer_id=customer, channel=channel, number=number, after=after, limit=limit, sort=sort
        )
        return shown_page(page, _COLUMNS, "orders")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, order_id: OrderId, as_json: Json = False) -> None:
    """Show one order with its lines and their licenses."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.order import get_order

        found = await get_order(services, order_id)
        return Done(found, lambda output: show_order(output, found))

    perform(data_dir, work, as_json=as_json)


def line_of(text: str) -> Line:
    """Read a line, as `pos-core`, `pos-core:2` or `pos-core,kind=support,beside=0`. Raises BadInput."""
    from tillkey_server.errors import BadInput
    from tillkey_server.usecases.cart import Line

    head, *more = text.split(",")
    code, colon, pieces = head.partition(":")
    if colon and not (pieces.isascii() and pieces.isdigit()):
        raise BadInput("line", "write a product's code, or its code and how many, as pos-core:2")
    told: dict[str, Any] = {}
    for part in more:
        name, _, value = part.partition("=")
        if name.strip() not in _PARTS:
            raise BadInput("line", f"{name.strip()!r} is none of {', '.join(_PARTS)}")
        told[name.strip()] = _part(name.strip(), value.strip())
    return Line(code, int(pieces[:9]) if colon else 1, **told)


_PARTS = ("price", "list_price", "tax", "coupon", "kind", "beside", "months")


def _part(name: str, value: str) -> object:
    from tillkey_server.errors import BadInput
    from tillkey_server.money import parse
    from tillkey_server.rules.order_line import LineKind

    if name == "kind":
        if value not in set(LineKind):
            raise BadInput("line", f"the kind is one of {', '.join(LineKind)}")
        return LineKind(value)
    if name in {"beside", "months"}:
        if not (value.isascii() and value.isdigit()):
            raise BadInput("line", "beside is the position of a line, from 0; months is a number")
        return int(value[:9])
    return parse(value)


def show_order(output: Output, order: dict[str, Any]) -> None:
    """Show an order with its lines and licenses to a person."""
    apart = {"lines", "licenses", "decision", "reviews", "under_review"}
    output.fields({name: value for name, value in order.items() if name not in apart})
    decision = order.get("decision")
    if decision:
        output.say(f"{decision['code']} ({', '.join(decision['clauses'])})")
    if order.get("under_review"):
        output.say("It is under review: nothing was issued. `order release` or a refund ends that.")
    output.table(
        ("product", "kind", "quantity", "price", "licenses"),
        [[line[name] for name in ("product", "kind", "quantity", "price", "license_ids")] for line in order["lines"]],
    )
    given = order.get("licenses", [])
    if given:
        output.table(("license", "key"), [(one["license_id"], one["license_key"] or one["key_hint"]) for one in given])
    if any(one["license_key"] for one in given):
        note("Note the keys now: only their hashes are stored, and nobody can show them again.")
