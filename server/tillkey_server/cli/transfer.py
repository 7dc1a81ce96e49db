"""`license transfer`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services
    from tillkey_server.usecases.transfer import Transferred


def transfer(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    customer: Annotated[
        str, typer.Option(metavar="WHO", help="The new customer's id or e-mail address.", show_default=False)
    ],
    reason: Reason,
    along: Annotated[
        list[UUID] | None,
        typer.Option(metavar="ID", help="Another license of the old customer that goes along; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give a license to another customer, as when a shop is sold; a till that runs goes on selling."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases import transfer as transferring
        from tillkey_server.usecases.answers import RefusalAnswer, told_of

        done = await transferring.transfer(
            services, license_id, customer=customer, actor=actor(), reason=reason, along=along or ()
        )
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            "license_id": str(done.license_id),
            "customer_id": str(done.customer_id),
            "licenses": [str(one) for one in done.licenses],
            "activations": [str(one) for one in done.activations],
            **told_of(done.decision),
        }
        return Done(members, lambda output: output.say(_said(done)))

    perform(data_dir, work, as_json=as_json)


def _said(done: Transferred) -> str:
    count = len(done.licenses)
    what = f"The license {done.license_id} is" if count == 1 else f"{count} licenses are"
    return f"{what} customer {done.customer_id}'s now; {len(done.activations)} activations go on undisturbed."
