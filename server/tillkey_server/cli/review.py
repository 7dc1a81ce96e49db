"""`order preview | hold | release | refund`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.answered import answered
from tillkey_server.cli.order import Buyer, LineTexts, OrderId, Renews, line_of, show_order
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Outcome,
    Reason,
    actor,
    carried_out,
    perform,
    refused_by,
    time_of,
)
from tillkey_server.rules.order_line import CustomerType

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services


def preview(
    *,
    data_dir: DataDir,
    customer: Buyer,
    line: LineTexts,
    customer_type: Annotated[
        CustomerType | None, typer.Option("--customer-type", help="As what the customer buys.", show_default=False)
    ] = None,
    renews: Renews = None,
    paid_at: Annotated[
        str | None, typer.Option("--paid-at", metavar="TIME", help="When the payment is to come.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask whether a cart may be sold, before it is paid; nothing is written."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.sale import Cart, preview_order

        cart = Cart([line_of(one) for one in line], customer_type, renews or (), time_of(paid_at, "paid-at"))
        return answered(answered_of(await preview_order(services, cart, customer_email=customer)))

    perform(data_dir, work, as_json=as_json)


def hold(*, data_dir: DataDir, order_id: OrderId, reason: Reason, as_json: Json = False) -> None:
    """Put an order under review: no key is given and no till begins to use its licenses; what runs goes on."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.review import hold_order

        return carried_out(await hold_order(services, order_id, reason=reason, actor=actor()))

    perform(data_dir, work, as_json=as_json)


def release(*, data_dir: DataDir, order_id: OrderId, reason: Reason, as_json: Json = False) -> None:
    """Release an order that was under review and issue its licenses; each key is shown once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.review import release_order

        placed = await release_order(services, order_id, reason=reason, actor=actor())
        if isinstance(placed, RefusalAnswer):
            return refused_by(placed)
        return Done(placed.shown, lambda output: show_order(output, placed.shown))

    perform(data_dir, work, as_json=as_json)


def refund(*, data_dir: DataDir, order_id: OrderId, reason: Reason, as_json: Json = False) -> None:
    """Pay an order back that is under review and gave no license; no license ever comes of it."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.review import refund_order

        return carried_out(await refund_order(services, order_id, reason=reason, actor=actor()))

    perform(data_dir, work, as_json=as_json)
