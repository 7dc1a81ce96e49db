"""An endpoint of the administration as a row of a table: address, permission, shapes, and the use case behind it.

The routes, openapi.yaml, the table of roles in the documentation and the tests of every endpoint with every role are
all made from these rows, so that none of them can forget one.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from tillkey_server.api.administration.shapes import Answer, Input, Query
from tillkey_server.errors import NotFound
from tillkey_server.rules.access import Permission, Principal, Scope
from tillkey_server.rules.decision import Decision
from tillkey_server.usecases.answers import Conflict, RefusalAnswer
from tillkey_server.usecases.paging import Page
from tillkey_server.usecases.services import Services

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CODE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated, permitted and well-formed request."""

    services: Services
    principal: Principal
    path: Mapping[str, str]
    body: Input | None = None
    query: Query | None = None

    @property
    def actor(self) -> str:
        """Return who calls, for the audit log."""
        return self.principal.actor

    @property
    def scope(self) -> Scope:
        """Return what the caller sees."""
        return self.principal.scope

    def id(self, name: str, kind: str) -> UUID:
        """Return the id at a place of the address; what is no id names nothing. Raises NotFound."""
        text = self.path[name]
        if _UUID.fullmatch(text) is None:
            raise NotFound(kind, text if text.isprintable() else "?")
        return UUID(text)

    def code(self, name: str, kind: str) -> str:
        """Return the code at a place of the address. Raises NotFound for what no code can be."""
        text = self.path[name]
        if _CODE.fullmatch(text) is None:
            raise NotFound(kind, text if text.isprintable() else "?")
        return text

    def asked(self, shape: type[Model]) -> Model:
        """Return the body or the query, which the endpoint's row promised to be of this shape."""
        found = self.body if issubclass(shape, Input) else self.query
        assert isinstance(found, shape), "the endpoint's row names another shape"
        return found


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with another status than the endpoint's own, as 200 for what was there already."""

    status: int
    members: Mapping[str, object]


Returned = Mapping[str, object] | Page | Reply | RefusalAnswer | Conflict | Decision
Run = Callable[[Call], Awaitable[Returned]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row.

    `command` is the same thing at the command line; `statuses` are those of success, the usual one first; `refusals`
    are the codes beyond those that every endpoint can answer.
    """

    method: str
    path: str
    permission: Permission
    answer: type[Answer]
    run: Run
    body: type[Input] | None = None
    query: type[Query] | None = None
    command: str | None = None
    statuses: tuple[int, ...] = (200,)
    refusals: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return its operation id."""
        return self.run.__name__

    @property
    def writes(self) -> bool:
        """Tell whether it changes anything."""
        return self.method != "GET"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the names of the places in its address."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The endpoints of one kind of thing; `tag` groups them in the document."""

    tag: str
    rows: list[Endpoint] = field(default_factory=list)

    def get(self, path: str, permission: Permission, *, answer: type[Answer], **more: Any) -> Callable[[Run], Run]:
        """Make the decorated function the endpoint that reads at `path`."""
        return self._add("GET", path, permission, answer=answer, **more)

    def post(
        self, path: str, permission: Permission, *, body: type[Input], answer: type[Answer], **more: Any
    ) -> Callable[[Run], Run]:
        """Make the decorated function the endpoint that does something at `path`."""
        return self._add("POST", path, permission, body=body, answer=answer, **more)

    def patch(
        self, path: str, permission: Permission, *, body: type[Input], answer: type[Answer], **more: Any
    ) -> Callable[[Run], Run]:
        """Make the decorated function the endpoint that changes some members of what is at `path`."""
        return self._add("PATCH", path, permission, body=body, answer=answer, **more)

    def _add(self, method: str, path: str, permission: Permission, **more: Any) -> Callable[[Run], Run]:
        def note(run: Run) -> Run:
            self.rows.append(Endpoint(method, path, permission, run=run, **more))
            return run

        return note
