"""Projects: a customer's shops or sites. Matched within the customer by normalized name; a rename keeps the id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BadInput, NotFound, said_why
from tillkey_server.ids import new_id
from tillkey_server.rules.access import EVERYTHING, Scope
from tillkey_server.rules.decision import Decision, Grant, Outcome, Refusal, instant
from tillkey_server.rules.project import decide_site, normal_name
from tillkey_server.store import audit, projects, sales
from tillkey_server.store.projects import SORTS, ProjectRow
from tillkey_server.usecases.answers import RefusalAnswer
from tillkey_server.usecases.paging import DEFAULT_LIMIT, Page, page_of, paging_of
from tillkey_server.usecases.seen import living
from tillkey_server.usecases.services import Services

MAX_NAME = 200
"""Characters of a project's name and site, as in a till's request."""


@dataclass(frozen=True, slots=True)
class AddedProject:
    """A project, and whether the customer had none of that name before."""

    is_new: bool
    shown: Mapping[str, object]


async def add_project(
    services: Services, customer_id: UUID, *, name: str, site: str | None = None, scope: Scope = EVERYTHING
) -> AddedProject:
    """Return the customer's project of a name, made if none has it now. Raises NotFound and BadInput."""
    named, key = _name(name)
    if site is not None:
        _site(site)
    async with services.db.writing() as tx:
        await living(tx, customer_id, scope, lock=True)
        row = ProjectRow(new_id(), customer_id, named, key, site, services.clock.now())
        found = await projects.ensure(tx, row)
    return AddedProject(found.id == row.id, shown(found))


async def list_projects(
    services: Services,
    *,
    customer_id: UUID | None = None,
    after: str | None = None,
    limit: int = DEFAULT_LIMIT,
    sort: str | None = None,
    scope: Scope = EVERYTHING,
) -> Page:
    """Return a page of projects, of one customer where it is given. Raises BadInput."""
    paging = paging_of(after=after, limit=limit, sort=sort, sorts=SORTS)
    async with services.db.reading() as tx:
        found = await projects.page(tx, paging, scope, customer_id=customer_id)
    return page_of(found, paging, show=shown, key=lambda row: row.id, sorts=SORTS)


async def get_project(services: Services, project_id: UUID, *, scope: Scope = EVERYTHING) -> dict[str, object]:
    """Return one project. Raises NotFound."""
    async with services.db.reading() as tx:
        row = await projects.seen(tx, project_id, scope)
    if row is None:
        raise NotFound("project", str(project_id))
    return shown(row)


async def rename_project(
    services: Services, project_id: UUID, *, name: str, actor: str, scope: Scope = EVERYTHING
) -> dict[str, object] | RefusalAnswer:
    """Give a project another name; it keeps its id, and tills go on that use it and still say the former one (NX-02).

    Refused (`name_taken`) where the customer has another project of that name. Raises NotFound and BadInput.
    """
    named, key = _name(name)
    try:
        async with services.db.writing() as tx:
            former = await held_still(tx, project_id, scope)
            if former.name_key != key:
                await projects.had_name(tx, former, services.clock.now())
            await projects.rename(tx, project_id, name=named, name_key=key)
            await audit.append(
                tx,
                at=services.clock.now(),
                actor=actor,
                action="project_rename",
                outcome=Outcome.ALLOW.value,
                code=Grant.PROJECT_RENAMED.value,
                clauses=("NX-02",),
                facts={"project": str(project_id)},
            )
            row = await projects.by_id(tx, project_id)
    except IntegrityError:
        return RefusalAnswer(Refusal.NAME_TAKEN, "The customer has another project of this name.", ("NX-02",))
    assert row is not None, "the row was written"
    return shown(row)


async def change_site(
    services: Services, project_id: UUID, *, site: str, reason: str, actor: str, scope: Scope = EVERYTHING
) -> Decision:
    """Approve that a project moves to another site (BC-09); told again it is the same. Raises NotFound and BadInput."""
    named = _site(site)
    why = said_why(reason)
    async with services.db.writing() as tx:
        row = await held_still(tx, project_id, scope)
        held = [one.license for one in await sales.owned(tx, row.customer_id)]
        refs = dict.fromkeys(one.policy_ref for one in held if one.project_id == project_id)
        bound = [await services.policies.of(tx, ref) for ref in refs]
        offered = services.policies.offered(services.policies.names()[0])
        decision = decide_site(project_id, why, bound, offered, services.clock.now())
        await projects.set_site(tx, project_id, named)
        await audit.record(tx, decision, actor=actor, action="project_site")
    return decision


async def held_still(tx: AsyncConnection, project_id: UUID, scope: Scope, *others: UUID) -> ProjectRow:
    """Return a project, locked, with its customer and `others`, none of whom was erased. Raises NotFound.

    Customers are locked first, as whoever erases one does, and by id.
    """
    named = await projects.seen(tx, project_id, scope)
    if named is None:
        raise NotFound("project", str(project_id))
    for one in sorted({named.customer_id, *others}):
        await living(tx, one, scope, lock=True)
    row = await projects.seen(tx, project_id, scope, lock=True)
    if row is None:
        raise NotFound("project", str(project_id))
    return row


def shown(row: ProjectRow) -> dict[str, object]:
    """Return a project as people see it."""
    return {
        "id": str(row.id),
        "customer_id": str(row.customer_id),
        "name": row.name,
        "site": row.site,
        "created_at": instant(row.created_at),
    }


def _site(text: str) -> str:
    """Return a project's site as it is kept. Raises BadInput."""
    if not (text.strip() and len(text) <= MAX_NAME and text.isprintable()):
        raise BadInput("site", f"must be 1 to {MAX_NAME} printable characters")
    return text


def _name(text: str) -> tuple[str, str]:
    """Return a project's name and the form in which it is compared. Raises BadInput."""
    key = normal_name(text)
    if not key or len(text) > MAX_NAME or not text.isprintable():
        raise BadInput("name", f"must be 1 to {MAX_NAME} printable characters")
    return text.strip(), key
