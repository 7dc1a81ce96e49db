"""What `support` commands are told, and how it is read."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.running import time_of

if TYPE_CHECKING:
    from tillkey_server.usecases.support_facts import SupportQuestion

_FLAGS = frozenset({"in_tool", "paid", "remote", "unanswered"})
_YES_OR_NO = {"yes": True, "true": True, "no": False, "false": False}

EVENTS = """\b
What happens to a request, and the details that may be told of each (* must be):
  human_reply           in_tool
  automatic_reply       -
  accepted              in_tool, author
  refused               code*, evidence, files, manifest, in_tool, author
  waiting_for_customer  missing
  customer_answered     -
  info_complete         -
  attempt_offered       in_tool
  attempt_declined      -
  update_offered        version*, paid, published_at, in_tool
  update_disputed       evidence
  update_classified     paid*, evidence*
  finding               finding*, evidence*
  intervention          cause, prevention, note_language, remote
  resolved              in_tool, fixed_in_release
  closed                cause, no_intervention_reason, unanswered
  reopened              evidence
  converted             license_id*
  recategorized         task*
"""

RequestId = Annotated[UUID, typer.Argument(metavar="ID", help="The request's id.", show_default=False)]
Task = Annotated[
    str, typer.Option("--task", metavar="WORD", help="What is asked for, as the terms name it.", show_default=False)
]
LicenseOption = Annotated[UUID | None, typer.Option("--license", metavar="ID", help="About this license.")]
OfProduct = Annotated[
    str | None, typer.Option("--product", metavar="CODE", help="Before a purchase: what.", show_default=False)
]
OfCustomer = Annotated[UUID | None, typer.Option("--customer", metavar="ID", help="Before a purchase: who asks.")]
ProjectOption = Annotated[UUID | None, typer.Option("--project", metavar="ID", help="For this project.")]
Presale = Annotated[bool, typer.Option("--presale", help="Asked before a purchase.")]
Site = Annotated[str | None, typer.Option("--site", metavar="TEXT", help="The site it is about.", show_default=False)]
Installation = Annotated[
    str | None, typer.Option("--installation", metavar="THUMBPRINT", help="The installation it is about.")
]
Platform = Annotated[
    str | None, typer.Option("--platform-version", metavar="TEXT", help="The platform's version.", show_default=False)
]
Feature = Annotated[str | None, typer.Option("--feature", metavar="WORD", help="The feature it is about.")]
Cause = Annotated[
    list[str] | None, typer.Option("--cause", metavar="WORD", help="What caused it: product, or another; repeatable.")
]
Found = Annotated[
    list[str] | None,
    typer.Option("--found", metavar="GROUND=EVIDENCE", help="A ground that somebody found; repeatable."),
]
Described = Annotated[
    list[str] | None,
    typer.Option("--described", metavar="WORD", help="A part that the description has; repeatable."),
]
Matter = Annotated[str | None, typer.Option("--matter", metavar="TEXT", help="Your name for the matter.")]
Received = Annotated[str | None, typer.Option("--received-at", metavar="TIME", help="When it came; left out, now.")]
Reference = Annotated[
    str | None, typer.Option("--reference", metavar="TEXT", help="The conversation's name in the help desk.")
]
RefundProposed = Annotated[
    bool | None,
    typer.Option("--refund-proposed/--no-refund-proposed", help="Those that came too late and propose a refund."),
]


def question_of(told: Mapping[str, Any]) -> SupportQuestion:
    """Return the question made of a command's options, by their names. Raises BadInput."""
    from tillkey_server.usecases.support_facts import SupportQuestion

    return SupportQuestion(
        task=told["task"],
        license_id=told["license_id"],
        product=told["product"],
        customer_id=told["customer"],
        project_id=told["project"],
        presale=told["presale"],
        site=told["site"],
        installation=told["installation"],
        platform_version=told["platform"],
        feature=told["feature"],
        causes=tuple(told["cause"] or ()),
        found=pairs_of(told["found"], "found"),
        described=tuple(told["described"] or ()),
        matter=told["matter"],
        received_at=time_of(told["received_at"], "received_at"),
    )


def pairs_of(texts: list[str] | None, field: str) -> dict[str, str]:
    """Read `name=value` options. Raises BadInput."""
    from tillkey_server.errors import BadInput

    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise BadInput(field, "write it as name=value")
        found[name] = value
    return found


def details_of(texts: list[str] | None) -> dict[str, object]:
    """Read the details of an event: yes or no, times, lists and files where they belong. Raises BadInput."""
    from tillkey_server.errors import BadInput

    found: dict[str, object] = dict(pairs_of(texts, "detail"))
    for name, value in found.items():
        text = str(value)
        if name in _FLAGS:
            if text not in _YES_OR_NO:
                raise BadInput(name, "must be yes or no")
            found[name] = _YES_OR_NO[text]
        elif name == "published_at":
            found[name] = time_of(text, name)
        elif name == "missing":
            found[name] = text.split(",")
        elif name in {"files", "manifest"}:
            found[name] = pairs_of(text.split(","), name)
        elif name == "license_id":
            found[name] = _id(text)
    return found


def _id(text: str) -> UUID:
    from tillkey_server.errors import BadInput

    try:
        return UUID(text)
    except ValueError as error:
        raise BadInput("license_id", "is no id") from error
