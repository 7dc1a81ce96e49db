"""`project add | list | show | rename | members | add-member | remove-member | site | move`."""

# ruff: noqa: PLC0415 - commands import what they need, so that `--help` is quick

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tillkey_server.cli.license import LicenseId
from tillkey_server.cli.lists import After, Limit, SortBy, shown_page
from tillkey_server.cli.running import DataDir, Done, Json, Outcome, Reason, actor, carried_out, perform, refused_by

if TYPE_CHECKING:
    from tillkey_server.usecases.services import Services

app = typer.Typer(help="The customers' shops and sites.", no_args_is_help=True)

ProjectId = Annotated[UUID, typer.Argument(metavar="ID", help="The project's id.", show_default=False)]
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="The project's name.", show_default=False)]
Member = Annotated[
    UUID, typer.Option("--customer", metavar="ID", help="The member's id as a customer.", show_default=False)
]
_MEMBERS = ("customer_id", "role", "added_at", "added_by", "removed_at")
_COLUMNS = ("id", "name", "site", "customer_id", "created_at")


@app.command("add")
def add(
    *,
    data_dir: DataDir,
    customer: Annotated[UUID, typer.Option("--customer", metavar="ID", help="The customer's id.", show_default=False)],
    name: Name,
    site: Annotated[str | None, typer.Option("--site", metavar="TEXT", help="Its address.", show_default=False)] = None,
    as_json: Json = False,
) -> None:
    """Make a customer's project of a name; one that is there stays as it is."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project import add_project

        added = await add_project(services, customer, name=name, site=site)
        return Done({**added.shown, "created": added.is_new}, lambda output: output.fields(added.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir,
    customer: Annotated[
        UUID | None, typer.Option("--customer", metavar="ID", help="Those of this customer.", show_default=False)
    ] = None,
    after: After = None,
    limit: Limit = 50,
    sort: SortBy = None,
    as_json: Json = False,
) -> None:
    """List projects."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project import list_projects

        page = await list_projects(services, customer_id=customer, after=after, limit=limit, sort=sort)
        return shown_page(page, _COLUMNS, "projects")

    perform(data_dir, work, as_json=as_json)


@app.command("show")
def show(*, data_dir: DataDir, project_id: ProjectId, as_json: Json = False) -> None:
    """Show one project."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project import get_project

        found = await get_project(services, project_id)
        return Done(found, lambda output: output.fields(found))

    perform(data_dir, work, as_json=as_json)


@app.command("rename")
def rename(*, data_dir: DataDir, project_id: ProjectId, name: Name, as_json: Json = False) -> None:
    """Give a project another name; it keeps its id, and the tills that use it go on."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer
        from tillkey_server.usecases.project import rename_project

        renamed = await rename_project(services, project_id, name=name, actor=actor())
        if isinstance(renamed, RefusalAnswer):
            return refused_by(renamed)
        return Done(renamed, lambda output: output.fields(renamed))

    perform(data_dir, work, as_json=as_json)


@app.command("members")
def members(*, data_dir: DataDir, project_id: ProjectId, as_json: Json = False) -> None:
    """List who may ask for a project's support beside its owner, and who could once."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project_member import list_members

        told = await list_members(services, project_id)
        return Done(
            told, lambda output: output.table(_MEMBERS, [[one[name] for name in _MEMBERS] for one in told["items"]])
        )

    perform(data_dir, work, as_json=as_json)


@app.command("add-member")
def add_member(*, data_dir: DataDir, project_id: ProjectId, customer: Member, as_json: Json = False) -> None:
    """Let another customer, as one of the owner's staff, ask for a project's support."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project_member import add_member

        added = await add_member(services, project_id, customer_id=customer, actor=actor())
        return Done({**added.shown, "created": added.is_new}, lambda output: output.fields(added.shown))

    perform(data_dir, work, as_json=as_json)


@app.command("remove-member")
def remove_member(*, data_dir: DataDir, project_id: ProjectId, customer: Member, as_json: Json = False) -> None:
    """End a membership: from now on he asks for nothing of the project."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.project_member import remove_member

        removed = await remove_member(services, project_id, customer_id=customer, actor=actor())
        return Done(removed, lambda output: output.fields(removed))

    perform(data_dir, work, as_json=as_json)


@app.command("site")
def change_site(
    *,
    data_dir: DataDir,
    project_id: ProjectId,
    site: Annotated[str, typer.Option("--site", metavar="TEXT", help="Its new address.", show_default=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Approve that a project moves to another site: its licenses are activated, updated and supported there."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases import project

        return carried_out(await project.change_site(services, project_id, site=site, reason=reason, actor=actor()))

    perform(data_dir, work, as_json=as_json)


@app.command("move")
def move(
    *,
    data_dir: DataDir,
    license_id: LicenseId,
    to: Annotated[UUID, typer.Option("--to", metavar="ID", help="The project's id.", show_default=False)],
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Bind a license to another project of its customer; support stays behind unless the terms let it move."""

    async def work(services: Services) -> Outcome:
        from tillkey_server.usecases.answers import RefusalAnswer, told_of
        from tillkey_server.usecases.project_move import move_to_project

        done = await move_to_project(services, license_id, project_id=to, reason=reason, actor=actor())
        if isinstance(done, RefusalAnswer):
            return refused_by(done)
        members = {"license_id": str(license_id), "project_id": str(to), **told_of(done)}
        return Done(members, lambda output: output.say(f"The license {license_id} is of project {to} now."))

    perform(data_dir, work, as_json=as_json)
