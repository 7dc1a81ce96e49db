"""What `refund preview` and `refund request` are told alike."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.running import time_of

if TYPE_CHECKING:
    from tillkey_server.usecases.refund_asking import Asking

ReasonsOption = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="WORD", help="The customer's reason, in the terms' own word; as often as needed."),
]
FoundOption = Annotated[
    list[str] | None,
    typer.Option("--found", metavar="WORD", help="A reason or bar that one of ours found true."),
]
FindingsOption = Annotated[
    list[str] | None,
    typer.Option("--finding", metavar="WORD", help="What was found of the software, as `malfunction`."),
]
ItemOption = Annotated[
    str,
    typer.Option(
        metavar="WORD", help="What is asked back: product, renewal, tax, support, customization, extra_domain, service."
    ),
]
RenewalOption = Annotated[
    UUID | None,
    typer.Option("--renewal", metavar="ID", help="The one renewal that is asked back.", show_default=False),
]
SupportRequest = Annotated[
    UUID | None,
    typer.Option(
        "--support-request",
        metavar="ID",
        help="The request for support that it rests on; what came too late there counts only where it is named.",
        show_default=False,
    ),
]
ReceivedAt = Annotated[
    str | None, typer.Option("--received-at", metavar="TIME", help="When the message came.", show_default=False)
]
SenderVerified = Annotated[
    bool | None,
    typer.Option("--sender-verified/--sender-unknown", help="Whether it came from the official address."),
]
ByEmail = Annotated[bool, typer.Option("--by-email", help="It was asked for in writing.")]
OrderNumber = Annotated[
    str | None, typer.Option("--order-number", metavar="NUMBER", help="As the customer gave it.", show_default=False)
]
Explanation = Annotated[
    str | None, typer.Option("--explanation", metavar="TEXT", help="In the customer's words.", show_default=False)
]


def asking_from(**told: Any) -> Asking:
    """Return what the options of a command ask, by their names. Raises BadInput for a word that is none."""
    from tillkey_server.errors import BadInput
    from tillkey_server.rules.issue_facts import Finding
    from tillkey_server.rules.refund_facts import Item
    from tillkey_server.usecases.refund_asking import Asking, item_of

    for field, words, known in (("finding", told["findings"] or (), Finding), ("item", (told["item"],), Item)):
        unknown = [word for word in words if word not in set(known)]
        if unknown:
            raise BadInput(field, f"must be one of {', '.join(known)}")
    return Asking(
        reasons=tuple(told["reasons"] or ()),
        found=tuple(told["found"] or ()),
        findings=tuple(Finding(word) for word in told["findings"] or ()),
        item=item_of(Item(told["item"]), told["renewal"]),
        renewal_id=told["renewal"],
        support_request_id=told["support_request"],
        received_at=time_of(told["received_at"], "received_at"),
        sender_verified=told["sender_verified"],
        by_email=told["by_email"],
        order_number=told["order_number"],
        explanation=told["explanation"],
    )
