"""`license renewal-preview | renew | terms | care | subscribe | subscription | cancel-renewal | resume-renewal`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.answered import answered
from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Language,
    Outcome,
    Spoken,
    actor,
    perform,
    refused_by,
    time_of,
)
from tillkey_server.rules.order_line import MANUAL

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.rules.decision import Decision
    from tillkey_server.usecases.services import Services

Months = Annotated[
    int | None, typer.Option("--months", metavar="N", help="For how long; else the usual length.", show_default=False)
]
Channel = Annotated[str, typer.Option("--channel", metavar="NAME", help="Where it was paid.")]
Amount = Annotated[str, typer.Option("--amount", metavar="PRICE", help="Without tax.", show_default=False)]
_COLUMNS = ("kind", "start", "last_day", "appended", "ended_early", "renewal_id")


def preview(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    months: Months = None,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Where it would be paid.", show_default=False)
    ] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Tell where a license would end if it were renewed now, and what that costs; nothing is written."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.renewal import preview as ask

        decision = await ask(services, license_id, months=months, channel=channel)
        return answered(answered_of(decision, language.value))

    perform(data_dir, work, as_json=as_json)


def renew(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    number: Annotated[str, typer.Option("--number", metavar="REF", help="The payment's number.", show_default=False)],
    amount: Amount,
    months: Months = None,
    channel: Channel = MANUAL,
    paid_at: Annotated[
        str | None, typer.Option("--paid-at", metavar="TIME", help="When the money came.", show_default=False)
    ] = None,
    tax: Annotated[
        str | None, typer.Option("--tax", metavar="PRICE", help="The tax beside it.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Record a paid renewal and extend the license; told again with the same number it happens once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases import renewal
        from tillkey_server.usecases.answers import RefusalAnswer, answered_of

        given = None if tax is None else parse(tax)
        told = renewal.Told(channel, number, parse(amount), months, time_of(paid_at, "paid-at"), given)
        done = await renewal.renew(services, license_id, told, actor=actor())
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {
            "license_id": str(license_id),
            "renewal_id": str(done.renewal_id),
            "order_id": str(done.order_id),
            **answered_of(done.decision),
        }
        return answered(members)

    perform(data_dir, work, as_json=as_json)


def terms(*, data_dir: DataDir, license_id: LicenseId, as_json: Json = False) -> None:
    """Show what was paid for a license, segment by segment."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.care import terms_shown

        told = await terms_shown(services, license_id)
        return Done(told, lambda output: _show_terms(output, told))

    perform(data_dir, work, as_json=as_json)


def care(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="TIME", help="When a request was opened; else now.", show_default=False),
    ] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Tell whether the after-sales service of a license is active."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.care import care_status

        decision = await care_status(services, license_id, at=time_of(at, "at"))
        return answered(answered_of(decision, language.value))

    perform(data_dir, work, as_json=as_json)


def subscribe(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    months: Annotated[int, typer.Option("--months", metavar="N", help="How long a period is.", show_default=False)],
    channel: Channel = MANUAL,
    price: Annotated[
        str | None,
        typer.Option("--price", metavar="PRICE", help="Of a period; else that of the terms.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Renew a license by itself from now on; each period's renewal falls due once."""

    async def change(services: Services) -> Decision:
        from tillkey_server.money import parse
        from tillkey_server.usecases.subscription import start_subscription

        agreed = None if price is None else parse(price)
        return await start_subscription(
            services, license_id, months=months, channel=channel, price=agreed, actor=actor()
        )

    _change(data_dir, license_id, change, as_json=as_json)


def subscription(*, data_dir: DataDir, license_id: LicenseId, as_json: Json = False) -> None:
    """Show the automatic renewals of a license, with what fell due."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.subscription import subscription_shown

        told = await subscription_shown(services, license_id)
        return Done(told, lambda output: _show_subscription(output, told))

    perform(data_dir, work, as_json=as_json)


def cancel(*, data_dir: DataDir, license_id: LicenseId, as_json: Json = False) -> None:
    """Cancel automatic renewals with the end of the period that is paid for."""

    async def change(services: Services) -> Decision:
        from tillkey_server.usecases.subscription import cancel_subscription

        return await cancel_subscription(services, license_id, actor=actor())

    _change(data_dir, license_id, change, as_json=as_json)


def resume(*, data_dir: DataDir, license_id: LicenseId, as_json: Json = False) -> None:
    """Take up automatic renewals again that were cancelled, before the period ends."""

    async def change(services: Services) -> Decision:
        from tillkey_server.usecases.subscription import resume_subscription

        return await resume_subscription(services, license_id, actor=actor())

    _change(data_dir, license_id, change, as_json=as_json)


def _change(
    data_dir: DataDir, license_id: UUID, change: Callable[[Services], Awaitable[Decision]], *, as_json: bool
) -> None:
    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import told_of
        from tillkey_server.words.catalogue import sentence

        decision = await change(services)
        if not decision.allowed:
            return refused_by(decision)
        said = sentence(decision.code.value, decision.facts)
        return Done({"license_id": str(license_id), **told_of(decision)}, lambda output: output.say(said))

    perform(data_dir, work, as_json=as_json)


def _show_terms(output: Output, told: dict[str, Any]) -> None:
    for name, clock in told["clocks"].items():
        output.say(f"{name}: until {clock['last_day'] or 'no end'}")
        output.table(_COLUMNS, [[one[column] for column in _COLUMNS] for one in clock["segments"]])
    if told["expiry"] is not None:
        output.say(told["expiry"]["words"])


def _show_subscription(output: Output, told: dict[str, Any]) -> None:
    if told["subscription"] is None:
        output.say("Nothing is renewed by itself.")
        return
    output.fields(told["subscription"])
    columns = ("period", "due_at", "price", "paid", "dropped_at")
    output.table(columns, [[one[column] for column in columns] for one in told["renewals"]])


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
