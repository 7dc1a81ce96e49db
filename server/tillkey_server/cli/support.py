"""`support preview | open | event | grant | hotfix | list | show`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.answered import answered, show_answer
from tillkey_server.cli.lists import After, Customer, Limit, SortBy, shown_page
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Language,
    Outcome,
    Spoken,
    actor,
    moment_of,
    perform,
    refused_by,
    time_of,
    word_of,
)
from tillkey_server.cli.support_options import (
    EVENTS,
    Cause,
    Described,
    Feature,
    Found,
    Installation,
    LicenseOption,
    Matter,
    OfCustomer,
    OfProduct,
    Platform,
    Presale,
    ProjectOption,
    Received,
    Reference,
    RefundProposed,
    RequestId,
    Site,
    Task,
    details_of,
    pairs_of,
    question_of,
)

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.answers import RefusalAnswer
    from tillkey_server.usecases.services import Services
    from tillkey_server.usecases.support import TakenRequest

app = typer.Typer(help="Requests for support: may they be served, and until when.", no_args_is_help=True)
_COLUMNS = ("id", "state", "task", "received_at", "license_id", "reference")


@app.command("preview")
def preview(
    *,
    data_dir: DataDir,
    task: Task,
    license_id: LicenseOption = None,
    product: OfProduct = None,
    customer: OfCustomer = None,
    project: ProjectOption = None,
    presale: Presale = False,
    site: Site = None,
    installation: Installation = None,
    platform: Platform = None,
    feature: Feature = None,
    cause: Cause = None,
    found: Found = None,
    described: Described = None,
    matter: Matter = None,
    received_at: Received = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Tell whether a request would be served, by which clauses, and until when; nothing is written."""
    told = dict(locals())

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.support import preview_support

        decision = await preview_support(services, question_of(told))
        return answered(answered_of(decision, language), ("charge", "missing", "guidance", "next_open_at"))

    perform(data_dir, work, as_json=as_json)


@app.command("open")
def open_(
    *,
    data_dir: DataDir,
    task: Task,
    license_id: LicenseOption = None,
    product: OfProduct = None,
    customer: OfCustomer = None,
    project: ProjectOption = None,
    presale: Presale = False,
    site: Site = None,
    installation: Installation = None,
    platform: Platform = None,
    feature: Feature = None,
    cause: Cause = None,
    found: Found = None,
    described: Described = None,
    matter: Matter = None,
    received_at: Received = None,
    reference: Reference = None,
    duplicate_of: Annotated[
        UUID | None, typer.Option("--duplicate-of", metavar="ID", help="The request that reported the same first.")
    ] = None,
    review: Annotated[
        str | None, typer.Option("--review", metavar="TEXT", help="Why a review takes it although a ground refuses.")
    ] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Put a request on record, if the terms take it; what its description lacks is waited for."""
    told = dict(locals())

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.support import open_support_request

        question = question_of(told)
        taken = await open_support_request(
            services, question, actor=actor(), reference=reference, duplicate_of=duplicate_of, review=review
        )
        return _outcome(taken, language)

    perform(data_dir, work, as_json=as_json)


@app.command("event", epilog=EVENTS)
def event(
    *,
    data_dir: DataDir,
    request_id: RequestId,
    kind: Annotated[str, typer.Option("--kind", metavar="WORD", help="What happened; see below.", show_default=False)],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When; left out, now.")] = None,
    detail: Annotated[
        list[str] | None,
        typer.Option("--detail", metavar="NAME=VALUE", help="What is told of it, as finding=malfunction; repeatable."),
    ] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Record what happened to a request: a reply, a refusal, a finding, an offer, its end."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.support_details import ToldEvent
        from tillkey_server.usecases.support_events import record_support_event

        told = ToldEvent(kind, time_of(at, "at"), details_of(detail))
        return _outcome(await record_support_event(services, request_id, told, actor=actor()), language)

    perform(data_dir, work, as_json=as_json)


@app.command("grant")
def grant(
    *,
    data_dir: DataDir,
    request_id: RequestId,
    granted_by: Annotated[
        UUID, typer.Option("--by", metavar="ID", help="The customer who consents.", show_default=False)
    ],
    allowed: Annotated[str, typer.Option("--scope", metavar="TEXT", help="What may be done.", show_default=False)],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Until when.", show_default=False)],
    starts_at: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when; left out, now.")] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Record the owner's consent to remote access; passwords and keys are never stored."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.support_events import grant_remote_access

        taken = await grant_remote_access(
            services,
            request_id,
            granted_by=granted_by,
            allowed=allowed,
            until=moment_of(until, "until"),
            starts_at=time_of(starts_at, "from"),
            actor=actor(),
        )
        return _outcome(taken, language)

    perform(data_dir, work, as_json=as_json)


@app.command("hotfix")
def hotfix(
    *,
    data_dir: DataDir,
    request_id: RequestId,
    severity: Annotated[
        str, typer.Option("--severity", metavar="WORD", help="severe, data_integrity or minor.", show_default=False)
    ],
    file: Annotated[
        list[str], typer.Option("--file", metavar="PATH=SHA256", help="A file as it was left.", show_default=False)
    ],
    activation: Annotated[UUID | None, typer.Option("--activation", metavar="ID", help="Where.")] = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Record files that were changed at once, so that they are no modification of the customer's later."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.rules.defect import Severity
        from tillkey_server.usecases.support_events import record_hotfix

        bad, files = word_of(Severity, "severity", severity), pairs_of(file, "file")
        taken = await record_hotfix(
            services, request_id, severity=bad, files=files, activation_id=activation, actor=actor()
        )
        return _outcome(taken, language)

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: LicenseOption = None,
    customer: Customer = None,
    reference: Reference = None,
    refund_proposed: RefundProposed = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List requests as they stand now, by age unless sorted otherwise (received_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.support import list_support_requests

        page = await list_support_requests(
            services,
            license_id=license_id,
            customer_id=customer,
            reference=reference,
            refund_proposed=refund_proposed,
            after=after,
            limit=limit,
            sort=sort,
        )
        return shown_page(page, _COLUMNS, "requests")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, request_id: RequestId, as_json: Json = False) -> None:
    """Tell how a request stands, with its clocks and everything that happened to it."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.support import get_support_request

        found = await get_support_request(services, request_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


def _outcome(taken: TakenRequest | RefusalAnswer, language: Spoken) -> Outcome:
    from tillkey_server.usecases.answers import RefusalAnswer, answered_of

    if isinstance(taken, RefusalAnswer):
        return refused_by(taken)
    answer = answered_of(taken.decision, language)
    shown = {"request": taken.shown["id"], "state": taken.shown["state"]}

    def show(output: Output) -> None:
        show_answer(output, answer, ("charge", "missing"))
        output.fields(shown)

    return Done({**answer, "request": taken.shown}, show)
