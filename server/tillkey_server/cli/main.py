"""`tillkey-server`: every command in its place."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

import typer

from tillkey_server.cli import (
    account,
    activation,
    api_key,
    audit,
    backup,
    claim,
    closure,
    customer,
    doctor,
    forced_deactivation,
    jobs,
    keys,
    licenses,
    move_ticket,
    order,
    policy,
    product,
    project,
    purchase,
    refund,
    rekey,
    renewal,
    review,
    serving,
    setup,
    software_release,
    support,
    transfer,
    trial,
    updates,
    warranty,
)
from tillkey_server.cli import license as license_commands

EPILOG = (
    "TILLKEY_DATABASE_URL names another database than SQLite's D/tillkey.sqlite: sqlite:///path or"
    " postgresql://user:password@host/database. Policy files of your own stand in D/policies; see `policy --help`."
)

app = typer.Typer(
    name="tillkey-server",
    help="The Tillkey license server: set it up, serve tills, and do what agents and operators do.",
    no_args_is_help=True,
    add_completion=False,
    # A defect's traceback with the values of its variables would show license keys.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("init", epilog=EPILOG)(setup.init)
app.command("migrate")(setup.migrate)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("serve", epilog=EPILOG)(serving.serve)
license_commands.app.command("list")(licenses.list_)
license_commands.app.command("search")(licenses.search)
license_commands.app.command("show")(licenses.show)
license_commands.app.command("rekey")(rekey.rekey)
license_commands.app.command("transfer")(transfer.transfer)
license_commands.app.command("trial")(trial.trial)
license_commands.app.command("renewal-preview")(renewal.preview)
license_commands.app.command("renew")(renewal.renew)
license_commands.app.command("terms")(renewal.terms)
license_commands.app.command("care")(renewal.care)
license_commands.app.command("subscribe")(renewal.subscribe)
license_commands.app.command("subscription")(renewal.subscription)
license_commands.app.command("cancel-renewal")(renewal.cancel)
license_commands.app.command("resume-renewal")(renewal.resume)
license_commands.app.command("import")(purchase.import_)
license_commands.app.command("reconcile")(purchase.reconcile)
project.app.command("entitlements")(purchase.entitlements)
order.app.command("preview")(review.preview)
order.app.command("hold")(review.hold)
order.app.command("release")(review.release)
order.app.command("refund")(review.refund)
license_commands.app.command("updates")(updates.updates)
license_commands.app.command("update-offer")(updates.update_offer)
license_commands.app.command("download")(updates.download)
app.add_typer(license_commands.app, name="license")
app.add_typer(activation.app, name="activation")
app.add_typer(support.app, name="support")
app.add_typer(closure.app, name="closure")
app.add_typer(forced_deactivation.app, name="forced-deactivation")
app.add_typer(move_ticket.app, name="move-ticket")
app.add_typer(api_key.app, name="api-key")
app.add_typer(product.app, name="product")
app.add_typer(customer.app, name="customer")
app.add_typer(account.app, name="account")
app.add_typer(purchase.app, name="install-credit")
app.add_typer(project.app, name="project")
app.add_typer(order.app, name="order")
app.add_typer(software_release.app, name="release")
claim.register(warranty.app)
app.add_typer(warranty.app, name="warranty")
app.add_typer(refund.app, name="refund")
app.add_typer(policy.app, name="policy")
app.add_typer(audit.app, name="audit")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")


def main() -> None:
    """Run the command that the shell asks for; exits with 0, 1, 2, 3 or, for a defect of ours, 70."""
    import sys
    import traceback

    from tillkey_server.cli.running import DEFECT

    try:
        app()
    except Exception:  # noqa: BLE001 - a defect must not look like a refusal
        traceback.print_exc()
        sys.exit(DEFECT)
