"""`account show | suspend | lift | preview-end | request-end | cancel-end | waive-balance | terminate | erased …`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.answered import answered
from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, carried_out, perform, time_of

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="Suspending and ending customers' accounts.", no_args_is_help=True)

CustomerId = Annotated[UUID, typer.Argument(metavar="ID", help="The customer's id.", show_default=False)]
Behavior = Annotated[
    str, typer.Option("--behavior", metavar="CODE", help="Of the list in the terms.", show_default=False)
]
Evidence = Annotated[
    str, typer.Option("--evidence", metavar="TEXT", help="What shows it; erased with the account.", show_default=False)
]


@app.command("show")
def show(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Show how an account stands, and what its owner is told before leaving."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.account import get_account

        found = await get_account(services, customer_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("suspend")
def suspend(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    behavior: Behavior,
    evidence: Evidence,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it is over.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Suspend all licenses of a customer for a prohibited behavior."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.suspension import suspend_account

        end = time_of(until, "until")
        return carried_out(
            await suspend_account(services, customer_id, behavior=behavior, evidence=evidence, actor=actor(), until=end)
        )

    perform(data_dir, work, as_json=as_json)


@app.command("lift")
def lift(*, data_dir: DataDir, customer_id: CustomerId, reason: Reason, as_json: Json = False) -> None:
    """Lift an account's suspensions; stronger states of its licenses stay."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.suspension import lift_suspension

        return carried_out(await lift_suspension(services, customer_id, reason=reason, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("preview-end")
def preview_end(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Ask what the end of an account would mean; nothing is written."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import answered_of
        from tillkey_server.usecases.termination import preview_termination

        return answered(answered_of(await preview_termination(services, customer_id)))

    perform(data_dir, work, as_json=as_json)


@app.command("request-end")
def request_end(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    verified: Annotated[bool, typer.Option("--verified", help="It is proven that the customer asks.")] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Optional, always.")] = "",
    as_json: Json = False,
) -> None:
    """Schedule the end of an account on its customer's word."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.termination import request_termination

        return carried_out(
            await request_termination(services, customer_id, verified=verified, reason=reason, actor=actor())
        )

    perform(data_dir, work, as_json=as_json)


@app.command("cancel-end")
def cancel_end(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Take a customer's own request back while it is not carried out."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.termination import cancel_termination

        return carried_out(await cancel_termination(services, customer_id, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("take-back-end")
def take_back_end(*, data_dir: DataDir, customer_id: CustomerId, reason: Reason, as_json: Json = False) -> None:
    """Take the vendor's own end back while it is not carried out."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.appeal import take_termination_back

        return carried_out(await take_termination_back(services, customer_id, reason=reason, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("appeal")
def appeal(*, data_dir: DataDir, customer_id: CustomerId, as_json: Json = False) -> None:
    """Put the customer's appeal against the vendor's end on record; the end waits until it is decided."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.appeal import appeal_termination

        return carried_out(await appeal_termination(services, customer_id, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("decide-appeal")
def decide_appeal(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    granted: Annotated[bool, typer.Option("--granted/--rejected", help="The end is taken back, or goes on.")],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Decide an appeal: granted, the end is taken back; rejected, it goes on."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.appeal import decide_termination_appeal

        done = await decide_termination_appeal(services, customer_id, granted=granted, reason=reason, actor=actor())
        return carried_out(done)

    perform(data_dir, work, as_json=as_json)


@app.command("waive-balance")
def waive_balance(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    amount: Annotated[
        str, typer.Option("--amount", metavar="MONEY", help='How much, as "4.90 EUR".', show_default=False)
    ],
    verified: Annotated[bool, typer.Option("--verified", help="It is proven that the customer waives it.")] = False,
    as_json: Json = False,
) -> None:
    """Note that the customer waives so much of what is left of the balance."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.money import parse
        from tillkey_server.usecases.termination import waive_balance as waive

        return carried_out(await waive(services, customer_id, amount=parse(amount), verified=verified, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("terminate")
def terminate(
    *,
    data_dir: DataDir,
    customer_id: CustomerId,
    behavior: Behavior,
    evidence: Evidence,
    as_json: Json = False,
) -> None:
    """End an account for a prohibited behavior; the background work carries it out.

    Its licenses end and its data are erased for good, at once unless the terms leave time for an appeal.
    """

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.termination import terminate_account

        return carried_out(
            await terminate_account(services, customer_id, behavior=behavior, evidence=evidence, actor=actor())
        )

    perform(data_dir, work, as_json=as_json)


@app.command("erased")
def erased(
    *, data_dir: DataDir, after: After = None, limit: Limit = 50, sort: SortBy = None, as_json: Json = False
) -> None:
    """List the customers that were erased: a restored backup may bring them back."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.erasure import list_erased

        page = await list_erased(services, after=after, limit=limit, sort=sort)
        return shown_page(page, ("customer_id", "erased_at"), "customers")

    perform(data_dir, work, as_json=as_json)


@app.command("erase-again")
def erase_again(
    *,
    data_dir: DataDir,
    customer: Annotated[
        list[UUID],
        typer.Option("--customer", metavar="ID", help="May be repeated; see `account erased`.", show_default=False),
    ],
    as_json: Json = False,
) -> None:
    """Erase customers again whom a restored backup brought back, but those under a legal hold, which are `held`."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.erasure import erase_again as again

        done = await again(services, customer, actor=actor())
        members = done.shown()
        return Done(members, lambda output: output.fields(members))

    perform(data_dir, work, as_json=as_json)
