"""The versions of the terms, in memory: by name and version for a license, the newest in force for a sale.

Every version that was ever sold under stays in the database (K-09), so that a license keeps its terms when the file
changes. A version that another process recorded is read at the first question for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from tillkey_server.errors import BrokenInvariant, ConfigError, NotFound
from tillkey_server.policies.loader import LoadedPolicy, parse_recorded
from tillkey_server.rules.policy import Policy, PolicyRef
from tillkey_server.rules.policy_version import Recorded, version_at
from tillkey_server.store import policies as store


class PolicyBook:
    """Policies by name and version. Safe to share between tasks: entries are only added, and are frozen."""

    def __init__(self, offered: Mapping[str, LoadedPolicy]) -> None:
        """Take the files that are offered now, by policy name: the bundled ones and the vendor's own."""
        self._offered = dict(offered)
        self._known: dict[PolicyRef, Policy] = {}
        self._recorded_at: dict[PolicyRef, datetime] = {}

    async def record(self, connection: AsyncConnection, now: datetime) -> None:
        """Keep the offered versions in the database; raise ConfigError where a recorded version has another text."""
        marks = {(mark.name, mark.version): mark for mark in await store.marks(connection)}
        for loaded in self._offered.values():
            ref = loaded.policy.ref
            recorded: store.PolicyMark | store.PolicyVersionRow | None = marks.get((ref.name, ref.version))
            if recorded is None:
                row = store.PolicyVersionRow(ref.name, ref.version, loaded.digest, loaded.source, now)
                await store.record(connection, row)
                recorded = await store.get(connection, ref.name, ref.version)
            if recorded is None or recorded.digest != loaded.digest:
                msg = (
                    f"policy {ref.name}: version {ref.version} was recorded with another text;"
                    " give the changed file the next version"
                )
                raise ConfigError(msg)
            self._known[ref] = loaded.policy
            self._recorded_at[ref] = recorded.recorded_at

    def offered(self, name: str) -> Policy:
        """Return the version that a sale of today is made under; raise NotFound."""
        loaded = self._offered.get(name)
        if loaded is None:
            raise NotFound("policy", name)
        return loaded.policy

    async def in_force(self, connection: AsyncConnection, name: str, at: datetime) -> Policy:
        """Return the version that was offered at an instant, which is not ahead (K-09); raise NotFound.

        Nearly always that is today's, which is found without a question to the database.
        """
        policy = self.offered(name)
        if Recorded(policy, self._recorded_at.get(policy.ref, at)).is_offered_at(at):
            return policy
        rows = [row for row in await store.versions(connection, name) if row.version <= policy.version]
        found = [Recorded(await self.of(connection, PolicyRef(name, row.version)), row.recorded_at) for row in rows]
        return version_at(found, at) if found else policy

    async def today(self, connection: AsyncConnection, policy: Policy, now: datetime) -> Policy:
        """Return the version of the same terms that is in force now; itself, where the vendor took the file away."""
        return await self.in_force(connection, policy.name, now) if policy.name in self._offered else policy

    def files(self) -> Mapping[str, LoadedPolicy]:
        """Return what is offered now, by name."""
        return dict(self._offered)

    def names(self) -> tuple[str, ...]:
        """Return the names of the policies that are offered."""
        return tuple(sorted(self._offered))

    async def of(self, connection: AsyncConnection, ref: PolicyRef) -> Policy:
        """Return the version that a license was sold under."""
        known = self._known.get(ref)
        if known is None:
            recorded = await store.get(connection, ref.name, ref.version)
            if recorded is None:
                msg = f"policy {ref.name} version {ref.version} is not recorded, though a license was sold under it"
                raise BrokenInvariant(msg)
            known = parse_recorded(recorded.source, f"{ref.name}.toml")
            self._known[ref] = known
        return known
