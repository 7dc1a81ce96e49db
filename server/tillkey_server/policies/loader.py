"""From a policy file to a frozen `Policy`, or a refusal that names file, key and reason.

1. A file is TOML in UTF-8; an unknown or missing key, another type, a bad duration, an unknown time zone and a missing
   or ill-formed clause reference are refused (`schema`).
2. So is what contradicts itself: see `_contradictions`.
3. A file is named after its policy, so that nobody edits the wrong one.
4. The digest is the SHA-256 of the file's bytes, without a byte order mark. The text is kept with the first license
   that is sold under it and read again with `parse_recorded`, so that a later edit never rewrites what was sold (K-09),
   and no contradiction that a later server learned to see takes its terms away.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from tillkey_server.errors import ConfigError
from tillkey_server.policies import (
    account_form,
    deadline_form,
    refund_form,
    sale_form,
    support_form,
    term_form,
    warranty_form,
)
from tillkey_server.policies.freezing import freeze
from tillkey_server.policies.schema import PolicyDocument
from tillkey_server.rules import policy as rules
from tillkey_server.rules.clocks import add_months

_BYTE_ORDER_MARK = "\ufeff"  # editors on Windows put it first; TOML knows none
WHOLE_FILE = "(file)"
"""Stands for the key where the whole file is at fault."""


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy with where it came from: `digest` is hexadecimal SHA-256 of `source`'s UTF-8."""

    policy: rules.Policy
    digest: str
    source: str


class PolicyError(ConfigError):
    """A policy file that cannot be used: one line `file: key: reason` for each fault, all of them in `faults`."""

    def __init__(self, origin: str, faults: tuple[tuple[str, str], ...]) -> None:
        """Keep the faults as (key, reason), in the file's order of sections."""
        super().__init__("\n".join(f"{origin}: {key}: {reason}" for key, reason in faults))
        self.origin = origin
        self.faults = faults


def load_policy(path: Path) -> LoadedPolicy:
    """Read one policy file. Raises `PolicyError`."""
    try:
        text = path.read_bytes().decode("utf-8").removeprefix(_BYTE_ORDER_MARK)
    except OSError as error:
        raise PolicyError(path.name, ((WHOLE_FILE, f"cannot be read: {error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise PolicyError(path.name, ((WHOLE_FILE, "is not UTF-8"),)) from error
    return _named(parse_policy(text, path.name), path.name)


@lru_cache(maxsize=64)
def parse_policy(text: str, origin: str) -> LoadedPolicy:
    """Read a policy's text, the same one once; `origin` is what an error calls it. Raises `PolicyError`."""
    document = _document(text, origin)
    faults = tuple(_contradictions(document))
    if faults:
        raise PolicyError(origin, faults)
    return LoadedPolicy(_frozen(document), hashlib.sha256(text.encode()).hexdigest(), text)


@lru_cache(maxsize=64)
def parse_recorded(text: str, origin: str) -> rules.Policy:
    """Read a text that something was sold under, the same one once, whatever it says together. Raises `PolicyError`."""
    return _frozen(_document(text, origin))


def _document(text: str, origin: str) -> PolicyDocument:
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Beside TOML's own errors: a number of thousands of digits, and brackets within brackets without end.
        reason = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "has a value that nobody can mean"
        raise PolicyError(origin, ((WHOLE_FILE, f"is not TOML: {reason}"),)) from error
    try:
        return PolicyDocument.model_validate(raw)
    except ValidationError as error:
        raise PolicyError(origin, tuple(_faults(error))) from error


def load_folder(folder: Path) -> dict[str, LoadedPolicy]:
    """Read every `*.toml` of a folder, by policy name; none for a folder that does not exist. Raises `PolicyError`."""
    loaded = (load_policy(path) for path in sorted(folder.glob("*.toml")))
    return {one.policy.name: one for one in loaded}


@cache
def bundled_policies() -> Mapping[str, LoadedPolicy]:
    """Read the policies that come with the server, by name, once for the process. Raises `PolicyError`."""
    with resources.as_file(resources.files("tillkey_server.policies")) as folder:
        return MappingProxyType(load_folder(folder))


def _named(loaded: LoadedPolicy, file_name: str) -> LoadedPolicy:
    if file_name != f"{loaded.policy.name}.toml":
        raise PolicyError(file_name, (("name", f"{loaded.policy.name!r} belongs into {loaded.policy.name}.toml"),))
    return loaded


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(str(part) for part in fault["loc"] if part not in _BRANCHES)
        yield key, _REASONS.get(fault["type"], fault["msg"].removeprefix("Value error, "))


# Of a value that may be a number or a word pydantic names the branch it tried; the file knows no such key.
_BRANCHES = frozenset({"constrained-int", "literal['no_end']"})
# Bytes of JSON, three for each word's quotes and comma: what a lease of 4 KiB leaves with its longest other claims.
MAX_ENTITLEMENTS = 1900
MAX_NAMES = 64
# No run of months is longer than the one from July on that ends after a leap day.
_LONGEST_FROM = date(2027, 7, 1)
_REASONS = {"extra_forbidden": "is no key of a policy", "missing": "is missing"}


def _contradictions(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what no two values may say together."""
    forced, takeover = document.forced_deactivation, document.takeover
    if forced.gap > forced.window:
        yield "forced_deactivation.gap", "is longer than the window"
    if takeover.threshold > len(rules.KNOWN_COMPONENTS):
        known = ", ".join(sorted(rules.KNOWN_COMPONENTS))
        yield "takeover.threshold", f"can never be reached: the components are {known}"
    if len(takeover.required) > takeover.threshold:
        yield "takeover.required", "names more components than the threshold asks for"
    yield from _lengths(document)
    yield from _days(document)
    yield from _topics(document)
    if document.clocks.refund_days is not None and document.clocks.refund_months is not None:
        yield "clocks.refund_months", "stands beside refund_days: a window has one length"
    if document.clocks.refund_months is not None and document.clocks.window_boundary == "elapsed":
        yield "clocks.window_boundary", "counts hours, and months have none: a window in months ends with its last day"
    words = [*document.entitlements.granted, *document.entitlements.degraded]
    if sum(len(word) + 3 for word in words) > MAX_ENTITLEMENTS or len(document.entitlements.granted) > MAX_NAMES:
        yield "entitlements.granted", "is more than a lease of 4 KiB can carry: fewer words, or shorter ones"
    left = [word for word in document.entitlements.degraded if word not in document.entitlements.granted]
    if left:
        yield "entitlements.degraded", f"{left[0]!r} is not granted"


def _topics(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what the sections about one topic each may not say."""
    yield from term_form.contradictions(document)
    if document.deadlines is not None:
        covered = None if document.support is None else document.support.tasks
        yield from deadline_form.contradictions(document.deadlines, covered)
    if document.support is not None:
        yield from support_form.contradictions(document.support)
    if document.sale is not None:
        yield from sale_form.contradictions(document.sale)
    if document.account is not None:
        yield from account_form.contradictions(document.account)
    yield from refund_form.contradictions(document.refund, document.deadlines)
    if document.warranty is not None:
        yield from warranty_form.contradictions(document.warranty, document.quotes)


def _days(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what a calendar may not say together."""
    days = document.calendar
    if days is None:
        return
    if len(days.weekend) == len(rules.Weekday):
        yield "calendar.weekend", "is the whole week: no deadline would ever come"
    if (days.opens is None) != (days.closes is None):
        yield "calendar.closes", "office hours have both ends: opens and closes"
    elif days.opens is not None and days.closes is not None and days.opens >= days.closes:
        yield "calendar.closes", "is not after opens"
    both = sorted(set(days.holidays) & set(days.extra_working_days))
    if both:
        yield "calendar.holidays", f"{both[0]} is an extra working day too"


def _lengths(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """Yield what the lengths around a lease may not say together."""
    lease = document.lease
    if document.heartbeat.every >= lease.soft:
        yield "heartbeat.every", "is not shorter than lease.soft"
    if lease.soft >= lease.full:
        yield "lease.soft", "is not shorter than lease.full"
    if lease.soft >= lease.full_while_refundable:
        yield "lease.soft", "is not shorter than lease.full_while_refundable"
    if lease.full_while_refundable > lease.full:
        yield "lease.full_while_refundable", "is longer than lease.full"
    term = document.clocks.use_months
    if term and lease.full > add_months(_LONGEST_FROM, term) - _LONGEST_FROM:
        yield "lease.full", "is longer than the term in clocks.use_months: no grace outlasts the right"
    unseen_after = document.activation.release_unseen_after
    if unseen_after is not None and unseen_after < lease.full:
        reason = "is shorter than lease.full: a till that still sells offline would lose its seat"
        yield "activation.release_unseen_after", reason


def _frozen(document: PolicyDocument) -> rules.Policy:
    """Return the rules' form of a file; what is named here has another name or unit there."""
    ticket_lifetime = timedelta(hours=document.move.ticket_hours)
    return freeze(
        document,
        rules.Policy,
        issue_clauses=tuple(document.issue.clauses),
        move=freeze(document.move, rules.MovePolicy, ticket_lifetime=ticket_lifetime),
        standing=freeze(document.standing.clauses, rules.StandingClauses),
    )
