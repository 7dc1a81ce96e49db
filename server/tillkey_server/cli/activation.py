"""`activation list | release | force-deactivate`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.license import OverrideReason, VendorFault
from tillkey_server.cli.lists import After, Limit, shown_page
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


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    after: After = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List activations by age."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.activations import list_activations

        return shown_page(await list_activations(services, after=after, limit=limit), _COLUMNS, "activations")

    perform(data_dir, work, as_json=as_json)


@app.command("force-deactivate")
def force_deactivate(
    *,
    data_dir: DataDir,
    activation_id: ActivationId,
    reason: Reason,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Yes, although the installation was seen a short while ago.")
    ] = False,
    vendor_fault: VendorFault = False,
    override_reason: OverrideReason = None,
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
            override_reason=override_reason,
        )
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            "activation_id": str(done.activation_id),
            "license_id": str(done.license_id),
            "remaining": done.remaining,
            "lease_ends_at": moment(done.lease_ends_at),
            **decided_by(done.decision),
        }
        return Done(members, lambda output: output.say(freed(done)))

    perform(data_dir, work, as_json=as_json)
