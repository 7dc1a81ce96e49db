"""Projects: a customer's shops or sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tillkey_server.api.administration.endpoint import Call, Endpoints, Reply, Returned
from tillkey_server.api.administration.shapes import Answer, Decided, Id, Input, Line, Listing, Reason, Time
from tillkey_server.rules.access import Permission
from tillkey_server.rules.decision import Refusal
from tillkey_server.usecases import project, project_member, project_move
from tillkey_server.usecases.answers import RefusalAnswer, told_of
from tillkey_server.usecases.paging import Page

endpoints = Endpoints("projects")

Name = Annotated[Line, Field(max_length=project.MAX_NAME)]


class AddProject(Input):
    """A project of a customer."""

    customer_id: UUID
    name: Name
    site: Name | None = None


class RenameProject(Input):
    """The project's new name."""

    name: Name


class NameMember(Input):
    """Who is meant, by his id as a customer; he needs to have bought nothing."""

    customer_id: UUID


class Member(Answer):
    """A customer who may ask for the support of another one's project, or could until `removed_at`."""

    id: Id
    project_id: Id
    customer_id: Id
    role: Literal["support"]
    added_at: Time
    added_by: str
    removed_at: Time
    removed_by: str | None


class Members(Answer):
    """A project's members, in the order in which they were added."""

    items: list[Member]


class MoveProject(Input):
    """The project's new site, and why it is approved."""

    site: Name
    reason: Reason


class ProjectMoved(Decided):
    """A project that has another site."""


class MoveLicense(Input):
    """A license is bound to another project of the same customer."""

    project_id: UUID
    reason: Reason


class LicenseMoved(Decided):
    """Where the license is now; what runs goes on."""

    license_id: Id
    project_id: Id


class ProjectListing(Listing):
    """Which projects."""

    customer_id: Annotated[UUID | None, Field(description="Those of this customer.")] = None


class Project(Answer):
    """A project."""

    id: Id
    customer_id: Id
    name: str
    site: str | None
    created_at: Time


class ProjectPage(Answer):
    """A page of projects."""

    items: list[Project]
    next: str | None


@endpoints.get(
    "/v1/projects", Permission.PROJECT_READ, query=ProjectListing, answer=ProjectPage, command="project list"
)
async def list_projects(call: Call) -> Page:
    """List projects; sort by `created_at` or `name`."""
    asked = call.asked(ProjectListing)
    return await project.list_projects(
        call.services,
        customer_id=asked.customer_id,
        after=asked.after,
        limit=asked.limit,
        sort=asked.sort,
        scope=call.scope,
    )


@endpoints.post(
    "/v1/projects",
    Permission.PROJECT_WRITE,
    body=AddProject,
    answer=Project,
    command="project add",
    statuses=(201, 200),
    refusals=("not_found",),
)
async def add_project(call: Call) -> Reply:
    """Return the customer's project of a name, made if there is none."""
    asked = call.asked(AddProject)
    added = await project.add_project(
        call.services, asked.customer_id, name=asked.name, site=asked.site, scope=call.scope
    )
    return Reply(201 if added.is_new else 200, added.shown)


@endpoints.get(
    "/v1/projects/{project_id}",
    Permission.PROJECT_READ,
    answer=Project,
    command="project show",
    refusals=("not_found",),
)
async def get_project(call: Call) -> Mapping[str, object]:
    """Show one project."""
    return await project.get_project(call.services, call.id("project_id", "project"), scope=call.scope)


@endpoints.patch(
    "/v1/projects/{project_id}",
    Permission.PROJECT_WRITE,
    body=RenameProject,
    answer=Project,
    command="project rename",
    refusals=("not_found", Refusal.NAME_TAKEN),
)
async def rename_project(call: Call) -> Mapping[str, object] | RefusalAnswer:
    """Give a project another name; it keeps its id, and the tills that use it go on."""
    return await project.rename_project(
        call.services,
        call.id("project_id", "project"),
        name=call.asked(RenameProject).name,
        actor=call.actor,
        scope=call.scope,
    )


@endpoints.get(
    "/v1/projects/{project_id}/members",
    Permission.PROJECT_READ,
    answer=Members,
    command="project members",
    refusals=("not_found",),
)
async def list_project_members(call: Call) -> Mapping[str, object]:
    """List who may ask for a project's support beside its owner, and who could once."""
    return await project_member.list_members(call.services, call.id("project_id", "project"), scope=call.scope)


@endpoints.post(
    "/v1/projects/{project_id}/members",
    Permission.PROJECT_WRITE,
    body=NameMember,
    answer=Member,
    command="project add-member",
    statuses=(201, 200),
    refusals=("not_found",),
)
async def add_project_member(call: Call) -> Reply:
    """Let another customer, as one of the owner's staff, ask for a project's support."""
    project_id, who = call.id("project_id", "project"), call.asked(NameMember).customer_id
    added = await project_member.add_member(
        call.services, project_id, customer_id=who, actor=call.actor, scope=call.scope
    )
    return Reply(201 if added.is_new else 200, added.shown)


@endpoints.post(
    "/v1/projects/{project_id}/members/remove",
    Permission.PROJECT_WRITE,
    body=NameMember,
    answer=Member,
    command="project remove-member",
    refusals=("not_found",),
)
async def remove_project_member(call: Call) -> Mapping[str, object]:
    """End a membership: from now on he asks for nothing of the project."""
    project_id, who = call.id("project_id", "project"), call.asked(NameMember).customer_id
    return await project_member.remove_member(
        call.services, project_id, customer_id=who, actor=call.actor, scope=call.scope
    )


@endpoints.post(
    "/v1/projects/{project_id}/site",
    Permission.PROJECT_WRITE,
    body=MoveProject,
    answer=ProjectMoved,
    command="project site",
    refusals=("not_found",),
)
async def change_site(call: Call) -> Returned:
    """Approve that a project moves to another site: its licenses are activated, updated and supported there."""
    asked = call.asked(MoveProject)
    decision = await project.change_site(
        call.services,
        call.id("project_id", "project"),
        site=asked.site,
        reason=asked.reason,
        actor=call.actor,
        scope=call.scope,
    )
    return told_of(decision)


@endpoints.post(
    "/v1/licenses/{license_id}/project",
    Permission.LICENSE_TRANSFER,
    body=MoveLicense,
    answer=LicenseMoved,
    command="project move",
    refusals=(
        "not_found",
        Refusal.REASON_REQUIRED,
        Refusal.LEGAL_HOLD,
        Refusal.LICENSE_TERMINATED,
        Refusal.LICENSE_REVOKED,
        Refusal.NOTHING_TO_MOVE,
    ),
)
async def move_license(call: Call) -> Returned:
    """Bind a license to another project of its customer; support stays behind unless the terms let it move."""
    asked = call.asked(MoveLicense)
    license_id = call.id("license_id", "license")
    done = await project_move.move_to_project(
        call.services,
        license_id,
        project_id=asked.project_id,
        reason=asked.reason,
        actor=call.actor,
        scope=call.scope,
    )
    if isinstance(done, RefusalAnswer):
        return done
    return {"license_id": str(license_id), "project_id": str(asked.project_id), **told_of(done)}
