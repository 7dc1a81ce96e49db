"""Policies as people and programs see them: those that are offered, every version on record, and texts on trial."""

from __future__ import annotations

from collections.abc import Mapping

from tillkey_server.errors import BadInput, NotFound
from tillkey_server.policies.difference import differences
from tillkey_server.policies.loader import LoadedPolicy, PolicyError, parse_policy
from tillkey_server.rules.decision import instant
from tillkey_server.store import policies
from tillkey_server.usecases.services import Services

_ORIGIN = "source"


def offered(files: Mapping[str, LoadedPolicy]) -> list[dict[str, object]]:
    """Return what products can be sold under now, by name."""
    return [_head(files[name]) for name in sorted(files)]


def file_of(files: Mapping[str, LoadedPolicy], name: str) -> LoadedPolicy:
    """Return the policy of a name. Raises NotFound."""
    loaded = files.get(name)
    if loaded is None:
        raise NotFound("policy", name if name.isprintable() else "?")
    return loaded


async def get_policy(services: Services, name: str) -> dict[str, object]:
    """Return a policy with its text, and every version of it that was ever sold under (K-09). Raises NotFound."""
    loaded = file_of(services.policies.files(), name)
    async with services.db.reading() as tx:
        recorded = await policies.everything(tx)
    versions = [
        {"version": row.version, "digest": row.digest, "recorded_at": instant(row.recorded_at)}
        for row in recorded
        if row.name == name
    ]
    return {**_head(loaded), "source": loaded.source, "versions": versions}


async def check_policy(services: Services, source: str) -> dict[str, object]:
    """Judge a text as the server would judge the file: valid, or every fault with its key and reason."""
    try:
        loaded = parse_policy(source, _ORIGIN)
    except PolicyError as error:
        return _judged(None, [{"key": key, "reason": reason} for key, reason in error.faults])
    ref = loaded.policy.ref
    async with services.db.reading() as tx:
        row = await policies.get(tx, ref.name, ref.version)
    if row is not None and row.digest != loaded.digest:
        reason = f"{ref.version} was recorded with another text; take the next one"
        return _judged(loaded, [{"key": "version", "reason": reason}])
    return _judged(loaded, [])


def diff(
    files: Mapping[str, LoadedPolicy], name: str, *, other: str | None = None, source: str | None = None
) -> dict[str, object]:
    """Return in what another policy, or a text, differs from the policy of a name.

    Raises NotFound, and BadInput for both or neither and for a text that is no valid policy.
    """
    before = file_of(files, name)
    if (other is None) == (source is None):
        raise BadInput("other", "give the name of another policy, or the source of one")
    if other is not None:
        after = file_of(files, other)
    else:
        try:
            after = parse_policy(source or "", _ORIGIN)
        except PolicyError as error:
            raise BadInput("source", f"is no valid policy: {error.faults[0][0]}: {error.faults[0][1]}") from error
    changes = [
        {"key": one.key, "before": one.before, "after": one.after} for one in differences(before.source, after.source)
    ]
    return {"before": _head(before), "after": _head(after), "changes": changes}


def _judged(loaded: LoadedPolicy | None, faults: list[dict[str, str]]) -> dict[str, object]:
    return {"valid": not faults, "policy": None if loaded is None else _head(loaded), "faults": faults}


def _head(loaded: LoadedPolicy) -> dict[str, object]:
    policy = loaded.policy
    return {
        "name": policy.name,
        "version": policy.version,
        "title": policy.title,
        "effective_from": policy.effective_from.isoformat(),
        "timezone": policy.timezone.key,
        "digest": loaded.digest,
    }
