"""`jobs`: the background work, now and by hand."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tillkey_server.cli.running import DataDir, Done, Json, Outcome, perform

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="The background work that `serve` does by itself.", no_args_is_help=True)


@app.command()
def run(*, data_dir: DataDir, as_json: Json = False) -> None:
    """Seal the audit log, forget what has to be, see to renewals, accounts, orders and refunds; harmless always."""

    async def work(services: Services) -> Outcome:
        from dataclasses import asdict

        from tillkey_server.usecases.late_payouts import tell_late_payouts
        from tillkey_server.usecases.refund_proposal import propose_for_breaches
        from tillkey_server.usecases.renewals_due import create_due
        from tillkey_server.usecases.retention import sweep
        from tillkey_server.usecases.retirement import cancel_of_retired
        from tillkey_server.usecases.review import propose_refunds
        from tillkey_server.usecases.sealing import seal
        from tillkey_server.usecases.termination import end_due_accounts

        done: dict[str, object] = {
            "sealed": await seal(services),
            "forgotten": asdict(await sweep(services)),
            "refunds_proposed": await propose_for_breaches(services),
            "renewals": {"cancelled": await cancel_of_retired(services), **await create_due(services)},
            "accounts": {"ended": await end_due_accounts(services)},
            "orders": {"refund_proposed": await propose_refunds(services)},
            "payouts": {"told_late": await tell_late_payouts(services)},
        }
        return Done(done, lambda output: output.fields(done))

    perform(data_dir, work, as_json=as_json)
