"""`license list | search | show`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.lists import After, Customer, Limit, Machine, Product, Project, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

_COLUMNS = ("id", "status", "in_use", "product", "customer_email", "order", "key_hint", "issued_at")

Text = Annotated[
    str | None,
    typer.Argument(
        metavar="[TEXT]",
        help=(
            "An e-mail address, a license key, an id, an order, part of a key's hint, or a machine; - reads it"
            " from stdin, as you should with a key, since command lines are kept."
        ),
        show_default=False,
    ),
]
Email = Annotated[
    str | None, typer.Option("--email", metavar="EMAIL", help="Of the customer of this address.", show_default=False)
]
Order = Annotated[
    str | None,
    typer.Option("--order", metavar="REF", help="Of this order: the seller's number, or its id.", show_default=False),
]
KeyHint = Annotated[
    str | None,
    typer.Option("--key-hint", metavar="TEXT", help="With this in its key's hint, 4 symbols or more."),
]
Status = Annotated[
    str | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="legal_hold, terminated, revoked, refunded, suspended, expired or active.",
        show_default=False,
    ),
]


def list_(
    *,
    data_dir: DataDir,
    customer: Customer = None,
    product: Product = None,
    project: Project = None,
    order: Order = None,
    key_hint: KeyHint = None,
    machine: Machine = None,
    status: Status = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List licenses, by age unless sorted otherwise (issued_at)."""
    wanted = {
        "customer_id": customer,
        "product": product,
        "project_id": project,
        "order": order,
        "key_hint": key_hint,
        "machine": machine,
        "status": status,
    }
    _listed(data_dir, wanted, after, limit, sort, as_json=as_json)


def search(
    *,
    data_dir: DataDir,
    text: Text = None,
    email: Email = None,
    customer: Customer = None,
    product: Product = None,
    project: Project = None,
    order: Order = None,
    key_hint: KeyHint = None,
    machine: Machine = None,
    status: Status = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """Find licenses by what is in hand; whatever else is given must match too."""
    wanted = {
        "text": sys.stdin.readline().strip() if text == "-" else text,
        "email": email,
        "customer_id": customer,
        "product": product,
        "project_id": project,
        "order": order,
        "key_hint": key_hint,
        "machine": machine,
        "status": status,
    }
    _listed(data_dir, wanted, after, limit, sort, as_json=as_json)


def show(*, data_dir: DataDir, license_id: LicenseId, as_json: Json = False) -> None:
    """Show one license, without its key; `license explain` tells more."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.licenses import get_license

        found = await get_license(services, license_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


def _listed(
    data_dir: DataDir, wanted: dict[str, Any], after: str | None, limit: int, sort: str | None, *, as_json: bool
) -> None:
    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.licenses import LicenseSearch, list_licenses

        page = await list_licenses(services, LicenseSearch(**wanted), after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "licenses")

    perform(data_dir, work, as_json=as_json)
