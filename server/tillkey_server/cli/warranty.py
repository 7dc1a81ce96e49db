"""`warranty contract | preview | open | finding | decide | show | list`; the rest is in `cli.claim`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.answered import answered
from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, actor, perform, refused_by, time_of, word_of

if TYPE_CHECKING:
    from datetime import date

    from tillkey_server.usecases import warranty as usecase
    from tillkey_server.usecases.answers import RefusalAnswer
    from tillkey_server.usecases.services import Services


app = typer.Typer(help="Warranty claims: what is repaired free, and what is quoted first.", no_args_is_help=True)

ClaimId = Annotated[UUID, typer.Argument(metavar="CLAIM", help="The claim's id.", show_default=False)]
Serial = Annotated[
    str | None, typer.Option("--serial", metavar="SERIAL", help="The device's serial.", show_default=False)
]
ReportedAt = Annotated[
    str | None, typer.Option("--reported-at", metavar="TIME", help="When the fault was told; now.", show_default=False)
]
KnownBy = Annotated[
    str | None, typer.Option("--known-by", metavar="TEXT", help="What shows that: the mail or the ticket.")
]
Region = Annotated[str | None, typer.Option("--region", metavar="WORD", help="Where it is.", show_default=False)]
Fault = Annotated[str, typer.Option("--fault", metavar="TEXT", help="Which fault.", show_default=False)]
GroundWord = Annotated[str, typer.Option("--ground", metavar="WORD", help="What it comes from, as quality or misuse.")]
Caused = Annotated[bool, typer.Option("--caused", help="It was caused by that; else that is evidence only.")]
Cause = Annotated[
    str | None,
    typer.Option("--cause", metavar="WORD", help="The abnormal cause, or which software.", show_default=False),
]
WorkedBy = Annotated[
    str | None, typer.Option("--worked-by", metavar="WORD", help="Who worked on it.", show_default=False)
]
WorkedOn = Annotated[str | None, typer.Option("--worked-on", metavar="DATE", help="And when.", show_default=False)]
Withdrawn = Annotated[bool, typer.Option("--withdrawn", help="What was found of the same before is taken back.")]
Hardware = Annotated[bool, typer.Option("--hardware", help="A fault of the hardware is confirmed.")]

_COLUMNS = ("id", "license_id", "kind", "serial", "route", "reported_at")


@app.command("contract")
def contract(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    number: Annotated[str, typer.Option(metavar="TEXT", help="The contract's number.", show_default=False)],
    serial: Annotated[str, typer.Option("--serial", metavar="SERIAL", help="The device's serial.", show_default=False)],
    starts_on: Annotated[str, typer.Option(metavar="DATE", help="From when it runs.", show_default=False)],
    start_basis: Annotated[str, typer.Option(metavar="WORD", help="delivery, acceptance or invoice.")] = "delivery",
    months: Annotated[int | None, typer.Option(metavar="N", min=0, help="For how long; the terms say.")] = None,
    partner: Annotated[str | None, typer.Option(metavar="WORD", help="Who looks after the customer.")] = None,
    region: Region = None,
    contact: Annotated[list[str] | None, typer.Option(metavar="EMAIL", help="Who may accept a price.")] = None,
    as_json: Json = False,
) -> None:
    """Record what the sales contract says of a license's device; recorded again, the newest counts."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.rules.warranty_policy import StartBasis
        from tillkey_server.usecases import warranty

        told = warranty.Contract(
            number=number,
            serial=serial,
            starts_on=_day(starts_on, "starts_on"),
            basis=word_of(StartBasis, "start_basis", start_basis),
            months=months,
            partner=partner,
            region=region,
            contacts=tuple(contact or ()),
        )
        return concluded(await warranty.record_contract(services, license_id, told, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("preview")
def preview(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reported_at: ReportedAt = None,
    fault: Annotated[str | None, typer.Option(metavar="TEXT", help="A fault to suppose.", show_default=False)] = None,
    ground: GroundWord = "quality",
    caused: Caused = False,
    cause: Cause = None,
    worked_by: WorkedBy = None,
    worked_on: WorkedOn = None,
    as_json: Json = False,
) -> None:
    """Tell whether a device is under warranty, and what a finding would mean for a claim."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.rules.warranty_policy import Ground
        from tillkey_server.usecases import warranty
        from tillkey_server.usecases.answers import answered_of

        found: tuple[usecase.Finding, ...] = ()
        if fault is not None:
            named, day = word_of(Ground, "ground", ground), _optional_day(worked_on)
            found = (warranty.Finding(fault, named, "", caused, False, cause, worked_by, day),)
        at = time_of(reported_at, "reported_at")
        decision = await warranty.preview(services, license_id, reported_at=at, findings=found)
        return answered(answered_of(decision), ("until", "start_basis"))

    perform(data_dir, work, as_json=as_json)


@app.command("open")
def open_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", show_default=False)] = None,
    license_key: Annotated[str | None, typer.Option("--key", metavar="KEY", show_default=False)] = None,
    kind: Annotated[str, typer.Option(metavar="WORD", help="device or development.")] = "device",
    serial: Serial = None,
    symptoms: Annotated[str | None, typer.Option(metavar="TEXT", help="What is wrong.", show_default=False)] = None,
    diagnostics: Annotated[str | None, typer.Option(metavar="TEXT", help="The log.", show_default=False)] = None,
    region: Region = None,
    reported_at: ReportedAt = None,
    known_by: KnownBy = None,
    as_json: Json = False,
) -> None:
    """Open a claim for a fault of a device, or for development that is quoted."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.errors import BadInput
        from tillkey_server.rules.claim import KINDS
        from tillkey_server.usecases import warranty

        if kind not in KINDS:
            raise BadInput("kind", f"must be one of {', '.join(KINDS)}")
        at = time_of(reported_at, "reported_at")
        told = warranty.Report(kind, serial, symptoms, diagnostics, region, at, known_by)
        return concluded(
            await warranty.open_claim(services, told, actor=actor(), license_id=license_id, license_key=license_key)
        )

    perform(data_dir, work, as_json=as_json)


@app.command("finding")
def finding(
    *,
    data_dir: DataDir,
    claim_id: ClaimId,
    fault: Fault,
    evidence: Annotated[str, typer.Option(metavar="TEXT", help="What it is seen by.", show_default=False)],
    ground: GroundWord = "quality",
    caused: Caused = False,
    hardware: Hardware = False,
    cause: Cause = None,
    worked_by: WorkedBy = None,
    worked_on: WorkedOn = None,
    withdrawn: Withdrawn = False,
    as_json: Json = False,
) -> None:
    """Record what was found of a fault; of two findings about one cause of one fault the later counts."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.rules.warranty_policy import Ground
        from tillkey_server.usecases import warranty

        named, day = word_of(Ground, "ground", ground), _optional_day(worked_on)
        told = warranty.Finding(fault, named, evidence, caused, hardware, cause, worked_by, day, withdrawn)
        return concluded(await warranty.add_finding(services, claim_id, told, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("decide")
def decide(
    *,
    data_dir: DataDir,
    claim_id: ClaimId,
    signed: Annotated[str, typer.Argument(metavar="OUTCOME", help="free or chargeable.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Sign whether service is free or charged, as the facts give it; turned around once, upon new evidence."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases import warranty

        return concluded(await warranty.decide_claim(services, claim_id, signed=signed, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, claim_id: ClaimId, as_json: Json = False) -> None:
    """Show a claim with its findings, decisions, quotes and numbers, and what the terms say to the customer."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.claim import get_claim

        found = await get_claim(services, claim_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="Of this license.")] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List claims; by age unless sorted otherwise (reported_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.claim import list_claims

        page = await list_claims(services, license_id=license_id, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "claims")

    perform(data_dir, work, as_json=as_json)


def concluded(found: usecase.Done | RefusalAnswer) -> Outcome:
    """Return what was done with a claim as a command's outcome."""
    from tillkey_server.usecases.answers import RefusalAnswer, told_of
    from tillkey_server.words.catalogue import sentence

    if isinstance(found, RefusalAnswer):
        return refused_by(found)
    members = {
        "license_id": str(found.license_id),
        "claim_id": None if found.claim_id is None else str(found.claim_id),
        **told_of(found.decision),
    }
    told = {"claim": members["claim_id"], "code": members["code"]}
    told["why"] = sentence(found.decision.code.value, found.decision.facts)
    return Done(members, lambda output: output.fields(told))


def _optional_day(text: str | None) -> date | None:
    return None if text is None else _day(text, "worked_on")


def _day(text: str, field: str) -> date:
    """Read a date. Raises BadInput, naming the field."""
    from datetime import date

    from tillkey_server.errors import BadInput

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(field, "write a date as 2026-01-31") from error
