"""`license trial`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.output import moment, note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.services import Services
    from tillkey_server.usecases.trial import StartedTrial


def trial(
    *,
    data_dir: DataDir,
    product: Annotated[str, typer.Option(metavar="CODE", help="The product's code.", show_default=False)],
    customer: Annotated[str, typer.Option(metavar="EMAIL", help="The customer's e-mail address.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Give a customer a product for trial, where its terms offer that; once for each customer and product."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, told_of
        from tillkey_server.usecases.trial import start_trial

        started = await start_trial(services, product=product, customer_email=customer, actor=actor())
        if isinstance(started, RefusalAnswer):
            return refused_by(started)
        members = {
            "license_id": str(started.license.license_id),
            "license_key": started.license.license_key,
            "key_hint": started.license.key_hint,
            "order_id": str(started.order_id),
            "use_until": moment(started.use_until),
            **told_of(started.decision),
        }
        return Done(members, lambda output: _show(output, started))

    perform(data_dir, work, as_json=as_json)


def _show(output: Output, started: StartedTrial) -> None:
    given = started.license
    output.fields({"license": given.license_id, "key": given.license_key, "ends": moment(started.use_until)})
    note("Note the key now: only its hash is stored, and nobody can show it again.")
