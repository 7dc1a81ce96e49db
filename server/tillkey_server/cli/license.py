"""`license issue | explain | suspend | resume | revoke | hold | release-hold | move-ticket`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.output import moment, note
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Language,
    Outcome,
    Reason,
    Spoken,
    actor,
    decided_by,
    perform,
    refused_by,
    time_of,
)

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.license import Issued
    from tillkey_server.usecases.move import IssuedTicket
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Issue licenses, explain them, change how they stand.", no_args_is_help=True)

LicenseId = Annotated[UUID, typer.Argument(metavar="ID", help="The license's id.", show_default=False)]
VendorFault = Annotated[bool, typer.Option("--vendor-fault", help="It was our fault: free, and not counted.")]
ForceMajeure = Annotated[
    bool, typer.Option("--force-majeure", help="A flood, a war or the like: free, and not counted.")
]
OverrideReason = Annotated[
    str | None,
    typer.Option(
        "--override-reason", metavar="TEXT", help="A supervisor's reason to pass the limit.", show_default=False
    ),
]


@app.command("issue")
def issue(
    *,
    data_dir: DataDir,
    product: Annotated[str, typer.Option(metavar="CODE", help="The product's code.", show_default=False)],
    customer: Annotated[str, typer.Option(metavar="EMAIL", help="The buyer's e-mail address.", show_default=False)],
    quantity: Annotated[int, typer.Option(metavar="N", help="How many licenses the order line has.")] = 1,
    order: Annotated[
        str | None,
        typer.Option(metavar="REF", help="The order's number: told again, no more licenses.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Issue the licenses of one paid order line. Each key is shown once: only a keyed hash of it is stored."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.license import issue as issue_licenses

        issued = await issue_licenses(
            services, product=product, customer_email=customer, actor=actor(), quantity=quantity, order=order
        )
        if isinstance(issued, RefusalAnswer):
            return refused_by(issued)
        return Done(_issued(issued, product), lambda output: _show_issued(output, issued))

    perform(data_dir, work, as_json=as_json)


@app.command("explain")
def explain(*, data_dir: DataDir, license_id: LicenseId, language: Language = Spoken.EN, as_json: Json = False) -> None:
    """Tell how a license stands, where it is used, and why each decision about it was made."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.cli.told import explained
        from tillkey_server.usecases.explain import explain as explain_license

        told = await explain_license(services, license_id, language=language)
        return Done(told, lambda output: explained(output, told, language.value))

    perform(data_dir, work, as_json=as_json)


@app.command("suspend")
def suspend(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reason: Reason,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When it ends by itself, as 2026-01-31T15:00:00Z.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hold a license until somebody resumes it, or until a time."""
    _change(data_dir, license_id, "suspend", reason, until, as_json=as_json)


@app.command("resume")
def resume(*, data_dir: DataDir, license_id: LicenseId, reason: Reason, as_json: Json = False) -> None:
    """End a suspension."""
    _change(data_dir, license_id, "resume", reason, None, as_json=as_json)


@app.command("revoke")
def revoke(*, data_dir: DataDir, license_id: LicenseId, reason: Reason, as_json: Json = False) -> None:
    """Take a license away for good. Tells until when a till that cannot be reached keeps its full rights."""
    _change(data_dir, license_id, "revoke", reason, None, as_json=as_json)


@app.command("hold")
def hold(*, data_dir: DataDir, license_id: LicenseId, reason: Reason, as_json: Json = False) -> None:
    """Put a license on legal hold, above everything else."""
    _change(data_dir, license_id, "hold", reason, None, as_json=as_json)


@app.command("release-hold")
def release_hold(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reason: Reason,
    violation: Annotated[
        bool, typer.Option("--violation", help="The violation is confirmed: no refund of the order, for good.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Lift a legal hold; what lies beneath it shows again."""
    outcome = "violation_confirmed" if violation else "cleared"
    _change(data_dir, license_id, "release_hold", reason, None, outcome, as_json=as_json)


@app.command("move-ticket")
def move_ticket(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reason: Reason,
    environment: Annotated[str, typer.Option(metavar="ENV", help="Where the license goes.")] = "production",
    vendor_fault: VendorFault = False,
    force_majeure: ForceMajeure = False,
    override_reason: OverrideReason = None,
    as_json: Json = False,
) -> None:
    """Make a ticket for a staging machine that no longer exists. It counts like a forced deactivation."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.move import issue_move_ticket

        given = await issue_move_ticket(
            services,
            license_id,
            actor=actor(),
            reason=reason,
            environment=environment,
            vendor_fault=vendor_fault,
            force_majeure=force_majeure,
            override_reason=override_reason,
        )
        if isinstance(given, RefusalAnswer):
            return refused_by(given)
        members = {
            "ticket": given.ticket,
            "license_id": str(given.license_id),
            "environment": given.environment,
            "expires_at": moment(given.expires_at),
            "remaining": given.remaining,
            **decided_by(given.decision),
        }
        return Done(members, lambda output: _show_ticket(output, given))

    perform(data_dir, work, as_json=as_json)


def _show_ticket(output: Output, given: IssuedTicket) -> None:
    from tillkey_server.cli.told import ticket_made

    output.fields({"ticket": given.ticket})
    output.say(ticket_made(given))


def _change(
    data_dir: DataDir,
    license_id: UUID,
    event: str,
    reason: str,
    until: str | None,
    outcome: str | None = None,
    *,
    as_json: bool,
) -> None:
    async def work(services: Services) -> Outcome:
        from tillkey_server.cli.told import standing_changed
        from tillkey_server.usecases.license import change_standing

        end = time_of(until, "until")
        decision = await change_standing(
            services, license_id, event=event, actor=actor(), reason=reason, until=end, outcome=outcome
        )
        if not decision.allowed:
            return refused_by(decision)
        members = {"license_id": str(license_id), **decided_by(decision), "facts": dict(decision.facts)}
        return Done(members, lambda output: output.say(standing_changed(decision, end)))

    perform(data_dir, work, as_json=as_json)


def _issued(issued: Issued, product: str) -> dict[str, object]:
    """Return the licenses as a list, and the first of them at the top as well."""
    entries: list[dict[str, object]] = [
        {"license_id": str(one.license_id), "license_key": one.license_key, "key_hint": one.key_hint}
        for one in issued.licenses
    ]
    return {
        **entries[0],
        "product": product,
        "order_id": str(issued.order_id),
        "code": issued.decision_code,
        "licenses": entries,
    }


def _show_issued(output: Output, issued: Issued) -> None:
    rows = [(one.license_id, one.license_key or one.key_hint) for one in issued.licenses]
    output.table(("license", "key"), rows)
    if any(one.license_key is None for one in issued.licenses):
        note("These licenses were issued before: their keys were shown then and are not stored.")
    else:
        note("Note the keys now: only their hashes are stored, and nobody can show them again.")
