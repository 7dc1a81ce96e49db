"""`activation list | show | release | force-deactivate`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.license import ForceMajeure, OverrideReason, VendorFault
from tillkey_server.cli.lists import After, Customer, Limit, Machine, Product, Project, SortBy, shown_page
from tillkey_server.cli.output import moment
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Outcome,
    Reason,
    actor,
    decided_by,
    perform,
    refused_by,
)

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="See where licenses are used, and free them.", no_args_is_help=True)

_COLUMNS = ("id", "status", "product", "project", "environment", "last_seen_at", "lease_ends_at")

ActivationId = Annotated[UUID, typer.Argument(metavar="ID", help="The activation's id.", show_default=False)]
Evidence = Annotated[
    str | None,
    typer.Option(
        "--evidence",
        metavar="TEXT",
        help="What shows that the machine is gone; erased with the account.",
        show_default=False,
    ),
]


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="Of this license.")] = None,
    customer: Customer = None,
    product: Product = None,
    project: Project = None,
    environment: Annotated[
        str | None, typer.Option(metavar="ENV", help="production, staging or development.", show_default=False)
    ] = None,
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="STATUS", help="active, released or superseded.", show_default=False),
    ] = None,
    machine: Machine = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List activations, those that have ended too; by age unless sorted otherwise."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.activations import list_activations

        page = await list_activations(
            services,
            license_id=license_id,
            customer_id=customer,
            product=product,
            project_id=project,
            environment=environment,
            status=status,
            machine=machine,
            after=after,
            limit=limit,
            sort=sort,
        )
        return shown_page(page, _COLUMNS, "activations")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, activation_id: ActivationId, as_json: Json = False) -> None:
    """Show one activation."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.activations import get_activation

        found = await get_activation(services, activation_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("release")
def release(*, data_dir: DataDir, activation_id: ActivationId, reason: Reason, as_json: Json = False) -> None:
    """Give a license back on the customer's word. It is no forced deactivation and is not counted as one."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.cli.told import given_back
        from tillkey_server.usecases import release as releasing
        from tillkey_server.usecases.answers import RefusalAnswer, told_of

        done = await releasing.release(services, activation_id, actor=actor(), reason=reason)
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            "activation_id": str(done.activation_id),
            "license_id": str(done.license_id),
            "lease_ends_at": moment(done.lease_ends_at),
            **told_of(done.decision),
        }
        return Done(members, lambda output: output.say(given_back(done)))

    perform(data_dir, work, as_json=as_json)


@app.command("force-deactivate")
def force_deactivate(
    *,
    data_dir: DataDir,
    activation_id: ActivationId,
    reason: Reason,
    confirm: Annotated[bool, typer.Option("--confirm", help="Yes, although it was seen a short while ago.")] = False,
    vendor_fault: VendorFault = False,
    force_majeure: ForceMajeure = False,
    override_reason: OverrideReason = None,
    evidence: Evidence = None,
    as_json: Json = False,
) -> None:
    """Free a license whose machine is gone. Limited per license; the remaining count is always shown."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.cli.told import freed
        from tillkey_server.usecases import forced_deactivation
        from tillkey_server.usecases.answers import RefusalAnswer

        done = await forced_deactivation.force_deactivate(
            services,
            activation_id,
            actor=actor(),
            reason=reason,
            confirm=confirm,
            vendor_fault=vendor_fault,
            force_majeure=force_majeure,
            override_reason=override_reason,
            evidence=evidence,
        )
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            **{name: str(getattr(done, name)) for name in ("activation_id", "license_id")},
            "remaining": done.remaining,
            "lease_ends_at": moment(done.lease_ends_at),
            **decided_by(done.decision),
        }
        return Done(members, lambda output: output.say(freed(done)))

    perform(data_dir, work, as_json=as_json)
