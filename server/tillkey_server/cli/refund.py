"""`refund preview | request | decide | attest | payout | payout-failed | list | show`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from tillkey_server.cli.answered import show_answer
from tillkey_server.cli.lists import After, Customer, Limit, SortBy, shown_page
from tillkey_server.cli.refund_asked import (
    ByEmail,
    Explanation,
    FindingsOption,
    FoundOption,
    ItemOption,
    OrderNumber,
    ReasonsOption,
    ReceivedAt,
    RenewalOption,
    SenderVerified,
    SupportRequest,
    asking_from,
)
from tillkey_server.cli.running import (
    DataDir,
    Done,
    Json,
    Language,
    Outcome,
    Reason,
    Spoken,
    actor,
    perform,
    refused_by,
)

if TYPE_CHECKING:
    from tillkey_server.cli.output import Output
    from tillkey_server.usecases.answers import RefusalAnswer
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Refunds: what the terms say, who asked, what was decided and paid.", no_args_is_help=True)

LicenseId = Annotated[UUID, typer.Argument(metavar="LICENSE", help="The license's id.", show_default=False)]
RefundId = Annotated[UUID, typer.Argument(metavar="ID", help="The refund's id.", show_default=False)]
_COLUMNS = ("id", "license_id", "status", "code", "asked_at", "decided_by")
_SHOWN = ("id", "license_id", "status", "code", "words", "clauses", "asked_at", "decided_at", "decided_by", "reason")


class Choice(StrEnum):
    """What somebody decides."""

    GRANT = "grant"
    DENY = "deny"


@app.command("preview")
def preview(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reasons: ReasonsOption = None,
    found: FoundOption = None,
    findings: FindingsOption = None,
    item: ItemOption = "product",
    renewal: RenewalOption = None,
    support_request: SupportRequest = None,
    received_at: ReceivedAt = None,
    sender_verified: SenderVerified = None,
    by_email: ByEmail = False,
    order_number: OrderNumber = None,
    explanation: Explanation = None,
    language: Language = Spoken.EN,
    as_json: Json = False,
) -> None:
    """Tell what the terms say of a refund, and what comes of each reason named; nothing is written.

    Without a reason what the records show is looked at; `license explain` asks for each reason that the terms know.
    """

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.refund import preview_refund

        asked = asking_from(
            reasons=reasons,
            found=found,
            findings=findings,
            item=item,
            renewal=renewal,
            support_request=support_request,
            received_at=received_at,
            sender_verified=sender_verified,
            by_email=by_email,
            order_number=order_number,
            explanation=explanation,
        )
        members = answered_of(await preview_refund(services, license_id, asked), language)
        return Done(members, lambda output: _previewed(output, members))

    perform(data_dir, work, as_json=as_json)


@app.command("request")
def request(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    reasons: ReasonsOption = None,
    found: FoundOption = None,
    findings: FindingsOption = None,
    item: ItemOption = "product",
    renewal: RenewalOption = None,
    support_request: SupportRequest = None,
    received_at: ReceivedAt = None,
    sender_verified: SenderVerified = None,
    by_email: ByEmail = False,
    order_number: OrderNumber = None,
    explanation: Explanation = None,
    as_json: Json = False,
) -> None:
    """Ask for a refund: it is granted and carried out at once, or pending until a fact or a person decides."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refund import request_refund

        asked = asking_from(
            reasons=reasons,
            found=found,
            findings=findings,
            item=item,
            renewal=renewal,
            support_request=support_request,
            received_at=received_at,
            sender_verified=sender_verified,
            by_email=by_email,
            order_number=order_number,
            explanation=explanation,
        )
        return _told(await request_refund(services, license_id, asked, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("decide")
def decide(
    *,
    data_dir: DataDir,
    refund_id: RefundId,
    decision: Annotated[Choice, typer.Argument(metavar="grant|deny", help="What is decided.", show_default=False)],
    reason: Reason,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="AMOUNT", help="A part of the price, as `20 EUR`.", show_default=False),
    ] = None,
    as_platform: Annotated[
        bool, typer.Option("--as-platform", help="The marketplace decides what its seller left unanswered.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Grant or deny a refund that is pending, with a reason."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.refund import decide_pending

        return _told(
            await decide_pending(
                services,
                refund_id,
                grant=decision is Choice.GRANT,
                reason=reason,
                amount=None if amount is None else parse(amount),
                as_platform=as_platform,
                actor=actor(),
            )
        )

    perform(data_dir, work, as_json=as_json)


@app.command("attest")
def attest(
    *,
    data_dir: DataDir,
    refund_id: RefundId,
    statement: Annotated[
        str, typer.Option("--statement", metavar="TEXT", help="The customer's statement.", show_default=False)
    ],
    vouched: Annotated[bool, typer.Option("--vouched", help="We know that no copy runs any more.")] = False,
    as_json: Json = False,
) -> None:
    """Note the customer's statement that every copy is destroyed."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refund_payout import attest_destruction

        return _told(await attest_destruction(services, refund_id, statement=statement, vouched=vouched, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("payout")
def payout(
    *,
    data_dir: DataDir,
    refund_id: RefundId,
    provider_refund_id: Annotated[
        str | None,
        typer.Option(
            "--provider-refund-id", metavar="ID", help="The payment provider's number of it.", show_default=False
        ),
    ] = None,
    to_balance: Annotated[
        bool, typer.Option("--to-balance", help="The original method is closed: credit the customer's balance.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Note that a granted refund was paid out; refused while it waits for the customer."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refund_payout import pay_out

        number = provider_refund_id
        paid = await pay_out(services, refund_id, provider_refund_id=number, to_balance=to_balance, actor=actor())
        return _told(paid)

    perform(data_dir, work, as_json=as_json)


@app.command("payout-failed")
def payout_failed(
    *,
    data_dir: DataDir,
    refund_id: RefundId,
    failure: Annotated[str, typer.Option("--failure", metavar="TEXT", help="Why it failed.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Note that the money never arrived: the license comes back if it is still refunded by this refund."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refund_payout import payout_failed as fail

        return _told(await fail(services, refund_id, failure=failure, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    license_id: Annotated[UUID | None, typer.Option("--license", metavar="ID", help="Of this license.")] = None,
    customer: Customer = None,
    decision: Annotated[
        str | None,
        typer.Option("--decision", metavar="WORD", help="Decided so: allow, deny or pend.", show_default=False),
    ] = None,
    payout: Annotated[
        str | None,
        typer.Option("--payout", metavar="WORD", help="Still to be paid: open, or late alone.", show_default=False),
    ] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List refunds that were asked for, by age unless sorted otherwise (recorded_at)."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refunds import list_refunds

        page = await list_refunds(
            services,
            license_id=license_id,
            customer_id=customer,
            decision=decision,
            payout=payout,
            after=after,
            limit=limit,
            sort=sort,
        )
        return shown_page(page, _COLUMNS, "refunds")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, refund_id: RefundId, as_json: Json = False) -> None:
    """Show one refund with its decision and what became of it."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.refunds import get_refund

        return _told(await get_refund(services, refund_id))

    perform(data_dir, work, as_json=as_json)


def _previewed(output: Output, members: dict[str, Any]) -> None:
    """Show an answer, and under it what came of each reason."""
    show_answer(output, members, ("amount", "missing"))
    grounds = members["facts"].get("grounds")
    if grounds:
        columns = ("reason", "decision", "code", "clauses")
        output.table(columns, [[one[column] for column in columns] for one in grounds])


def _told(done: dict[str, Any] | RefusalAnswer) -> Outcome:
    """Return a refund, or why there is none, as a command's outcome."""
    if not isinstance(done, dict):
        return refused_by(done)
    granted = done["granted"] or {}
    shown = {name: done[name] for name in _SHOWN} | {
        name: value for name, value in granted.items() if value is not None
    }
    return Done(done, lambda output: output.fields(shown))
