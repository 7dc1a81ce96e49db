"""What every command that lists has in common: which page, in which order, and how a page is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.output import note
from tillkey_server.cli.running import Done

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.paging import Page

_MAX_PAGE = 200

After = Annotated[
    str | None, typer.Option("--after", metavar="NEXT", help="Go on where the last page ended.", show_default=False)
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", min=1, max=_MAX_PAGE, help="How many at most.")]
SortBy = Annotated[
    str | None,
    typer.Option(
        "--sort", metavar="NAME", help="The order: a name, with - before it for the reverse.", show_default=False
    ),
]

Customer = Annotated[UUID | None, typer.Option("--customer", metavar="ID", help="Of this customer.")]
Product = Annotated[str | None, typer.Option("--product", metavar="CODE", help="Of this product.", show_default=False)]
Project = Annotated[UUID | None, typer.Option("--project", metavar="ID", help="Of this project.")]
Machine = Annotated[
    str | None,
    typer.Option(
        "--machine",
        metavar="THUMBPRINT",
        help="Used by this installation: its thumbprint, or the first 4 or more symbols.",
        show_default=False,
    ),
]


def shown_page(page: Page, columns: Sequence[str], things: str) -> Done:
    """Return a page as a command's outcome: its document, and a table of these columns for people."""
    members = {"items": [dict(item) for item in page.items], "next": page.next}
    return Done(members, lambda output: _show(output, page, columns, things))


def _show(output: Output, page: Page, columns: Sequence[str], things: str) -> None:
    if not page.items:
        output.say(f"No {things}.")
        return
    output.table(columns, [[item[column] for column in columns] for item in page.items])
    if page.next is not None and not output.as_json:
        note(f"More with --after {page.next}")
