"""What of an answer about support stands in the audit log: that is never erased, and names no place and nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.rules.decision import Decision
from tillkey_server.store import audit


async def note(tx: AsyncConnection, decision: Decision, *, actor: str, action: str, license_id: UUID | None) -> None:
    """Write a decision to the audit log: without the site, with how many files there were, and that evidence was told.

    Who asked is told all of it; a request that is on record keeps it until the account is erased.
    """
    kept = {name: fact for name, fact in decision.facts.items() if name != "evidence"}
    if decision.facts.get("evidence"):
        kept["has_evidence"] = True
    banner, files = kept.get("care_banner"), kept.get("files")
    if isinstance(banner, Mapping):
        kept["care_banner"] = {name: fact for name, fact in banner.items() if name != "site"}
    if isinstance(files, Mapping):
        kept["files"] = dict(Counter(files.values()))
    await audit.record(tx, replace(decision, facts=kept), actor=actor, action=action, license_id=license_id)
