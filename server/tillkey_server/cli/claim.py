"""`warranty rma | quote | accept | start | replace`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillkey_server.cli.output import moment, note
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, perform, refused_by, time_of
from tillkey_server.cli.warranty import ClaimId, Serial, concluded

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.services import Services


def rma(*, data_dir: DataDir, claim_id: ClaimId, as_json: Json = False) -> None:
    """Give a claim a number under which its device is sent in, or the one that lives."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.claim import issue_rma

        return concluded(await issue_rma(services, claim_id, actor=actor()))

    perform(data_dir, work, as_json=as_json)


def quote(
    *,
    data_dir: DataDir,
    claim_id: ClaimId,
    amount: Annotated[str, typer.Option(metavar="MONEY", help='The price, as "49.90 EUR".', show_default=False)],
    reason: Reason,
    valid_until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until when it stands; by the terms.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell a price; it takes the place of an older one, and work waits for its acceptance."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.answers import RefusalAnswer, told_of
        from tillkey_server.usecases.claim import send_quote

        until = time_of(valid_until, "valid_until")
        sent = await send_quote(
            services, claim_id, amount=parse(amount), reason=reason, actor=actor(), valid_until=until
        )
        if isinstance(sent, RefusalAnswer):
            return refused_by(sent)
        members = {
            "claim_id": str(sent.claim_id),
            "quote_id": str(sent.quote_id),
            "version": sent.version,
            "amount": sent.amount.display(),
            "valid_until": moment(sent.valid_until),
            "token": sent.token,
            **told_of(sent.decision),
        }

        def show(output: Output) -> None:
            output.fields({name: members[name] for name in ("version", "amount", "valid_until", "token")})
            note("Send the token to an authorized contact now: only its hash is stored.")

        return Done(members, show)

    perform(data_dir, work, as_json=as_json)


def accept(
    *,
    data_dir: DataDir,
    claim_id: ClaimId,
    token: Annotated[str, typer.Option(metavar="WORD", help="The word that was sent.", show_default=False)],
    contact: Annotated[str, typer.Option(metavar="EMAIL", help="Who accepts.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Accept a price with the word that was sent, once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.claim import accept_quote

        return concluded(await accept_quote(services, claim_id, token=token, contact=contact, actor=actor()))

    perform(data_dir, work, as_json=as_json)


def start(*, data_dir: DataDir, claim_id: ClaimId, serial: Serial = None, as_json: Json = False) -> None:
    """Begin work, or go on under an accepted newer price."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.claim import start_work

        return concluded(await start_work(services, claim_id, actor=actor(), serial=serial))

    perform(data_dir, work, as_json=as_json)


def replace(
    *,
    data_dir: DataDir,
    claim_id: ClaimId,
    new_serial: Annotated[str, typer.Argument(metavar="SERIAL", help="The new device's.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Put another device in the place of the claim's: its license is free there at once, and no limit counts that."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, told_of
        from tillkey_server.usecases.claim import replace_device

        found = await replace_device(services, claim_id, new_serial=new_serial, actor=actor())
        if isinstance(found, RefusalAnswer):
            return refused_by(found)
        members = {
            "claim_id": str(found.claim_id),
            "license_id": str(found.license_id),
            "activations": [str(one) for one in found.activations],
            **told_of(found.decision),
        }
        return Done(members, lambda output: output.say(f"{new_serial} has the license now; activate it there."))

    perform(data_dir, work, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add these commands to those of `warranty`."""
    for name, command in (("rma", rma), ("quote", quote), ("accept", accept), ("start", start), ("replace", replace)):
        app.command(name)(command)
