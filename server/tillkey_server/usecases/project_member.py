"""Members of a project: the owner's staff, say, who ask for its support as the owner does (NX-18)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Grant, Outcome, instant
from tillkey_server.store import audit, project_members, projects
from tillkey_server.store.project_members import MemberRow
from tillkey_server.store.projects import ProjectRow
from tillkey_server.usecases.project import held_still
from tillkey_server.usecases.services import Services

SUPPORT = "support"
"""The one role there is: who has it asks for support."""


@dataclass(frozen=True, slots=True)
class AddedMember:
    """A member, and whether he was none before."""

    is_new: bool
    shown: Mapping[str, object]


async def add_member(
    services: Services, project_id: UUID, *, customer_id: UUID, actor: str, scope: Scope = EVERYTHING
) -> AddedMember:
    """Let another customer ask for a project's support; told again he stays as he is. Raises NotFound and BadInput."""
    async with services.db.writing() as tx:
        project = await held_still(tx, project_id, scope, customer_id)
        if customer_id == project.customer_id:
            raise BadInput("customer_id", "owns the project, and asks for its support anyway")
        known = await project_members.current(tx, project_id, customer_id)
        if known is not None:
            return AddedMember(is_new=False, shown=_shown(known))
        row = MemberRow(new_id(), project_id, customer_id, SUPPORT, services.clock.now(), actor)
        await project_members.insert(tx, row)
        await _audited(services, tx, row, Grant.PROJECT_MEMBER_ADDED, "project_member_add", actor)
    return AddedMember(is_new=True, shown=_shown(row))


async def remove_member(
    services: Services, project_id: UUID, *, customer_id: UUID, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object]:
    """End a membership at once. Raises NotFound, for who is no member too."""
    async with services.db.writing() as tx:
        await _project(tx, project_id, scope, lock=True)
        row = await project_members.current(tx, project_id, customer_id)
        if row is None:
            raise NotFound("member", str(customer_id))
        now = services.clock.now()
        await project_members.end(tx, row.id, at=now, by=actor)
        await _audited(services, tx, row, Grant.PROJECT_MEMBER_REMOVED, "project_member_remove", actor)
    return _shown(replace(row, removed_at=now, removed_by=actor))


async def list_members(
    services: Services, project_id: UUID, *, scope: Scope = EVERYTHING
) -> dict[str, list[dict[str, object]]]:
    """Return a project's members, the former ones too, in the order in which they were added. Raises NotFound."""
    async with services.db.reading() as tx:
        await _project(tx, project_id, scope)
        found = await project_members.of_project(tx, project_id)
    return {"items": [_shown(row) for row in found]}


async def _project(tx: AsyncConnection, project_id: UUID, scope: Scope, *, lock: bool = False) -> ProjectRow:
    row = await projects.seen(tx, project_id, scope, lock=lock)
    if row is None:
        raise NotFound("project", str(project_id))
    return row


async def _audited(
    services: Services, tx: AsyncConnection, row: MemberRow, code: Grant, action: str, actor: str
) -> None:
    await audit.append(
        tx,
        at=services.clock.now(),
        actor=actor,
        action=action,
        outcome=Outcome.ALLOW.value,
        code=code.value,
        clauses=("NX-18",),
        facts={"project": str(row.project_id), "member": str(row.customer_id), "role": row.role},
    )


def _shown(row: MemberRow) -> dict[str, object]:
    """Return a member as people see him."""
    return {
        "id": str(row.id),
        "project_id": str(row.project_id),
        "customer_id": str(row.customer_id),
        "role": row.role,
        "added_at": instant(row.added_at),
        "added_by": row.added_by,
        "removed_at": instant(row.removed_at),
        "removed_by": row.removed_by,
    }
