"""The facts of a request for support, for whoever decides about money or a warranty by them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.issue_facts import IssueFacts


async def issue_facts(tx: AsyncConnection, request_id: UUID, now: datetime) -> IssueFacts | None:  # noqa: ARG001 - the records come with their tables
    """Return what is on record about a request at `now`; None where there is none of that id."""
    return None
