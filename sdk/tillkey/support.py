"""What the vendor's terms say to a request for support, as a till asks: yes, no or pending, why and until when.

It is advice, unsigned, and changes no right. What does not have exactly this form is no answer at all: nobody learned
anything, and a no is only what a license server said in these words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any, Optional, Union

from tillkey.effects import Declined, Reply, Unreached
from tillkey.exchange import document_of, hint_of
from tillkey.wire.errors import WireError, malformed
from tillkey.wire.fields import Claims

DECISIONS = ("allow", "deny", "pend")
_CLOCKS = ("ack", "reply", "resolve", "fix")
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_REFUSALS = 400
_MAX_TEXT = 2000
_WHERE = "answer"


@dataclass(frozen=True)
class SupportAnswer:
    """Whether a request for support is served, as the license server says it for this moment.

    ``decision`` is ``allow``, ``deny`` or ``pend`` (a person or a further fact decides), ``allowed`` whether it is yes;
    ``text`` a sentence for people, ``code`` and ``clauses`` why. ``charged`` is False where it is free, True where it
    is done for money, None where the terms do not say. ``acknowledge_by``, ``reply_by``, ``resolve_by`` and ``fix_by``
    are the deadlines of a request made now, aware UTC datetimes; None: none runs. ``missing`` is what the description
    needs, ``options`` what can be done instead, ``retry_at`` when asking again may help. ``care_active`` and
    ``care_until`` tell whether support runs, ``care_text`` the vendor's own words for it. ``as_of`` is the server's
    time.
    """

    decision: str
    allowed: bool
    code: str
    text: str
    clauses: tuple[str, ...]
    charged: Optional[bool]
    acknowledge_by: Optional[datetime]
    reply_by: Optional[datetime]
    resolve_by: Optional[datetime]
    fix_by: Optional[datetime]
    missing: tuple[str, ...]
    options: tuple[str, ...]
    retry_at: Optional[datetime]
    care_active: bool
    care_until: Optional[datetime]
    care_text: str
    policy_name: str
    policy_version: int
    as_of: datetime

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as JSON-able values; times as ISO 8601 with ``Z``."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def read(reply: Reply) -> Union[SupportAnswer, Declined, Unreached]:
    """Read what came: an answer, a refusal of this one request, or nothing that says anything."""
    document = document_of(reply)
    if isinstance(document, Unreached):
        return document
    if reply.status >= _REFUSALS:
        return hint_of(document)
    try:
        return _answer_of(document)
    except WireError as error:
        return Unreached("bad_answer", f"{error.field} {error.detail}")


def _answer_of(document: Mapping[str, Any]) -> SupportAnswer:
    told = Claims(document, _WHERE)
    facts, policy = told.nested("facts"), told.nested("policy")
    banner = facts.nested("care_banner")
    decision = told.text("decision")
    if decision not in DECISIONS:
        raise malformed(f"{_WHERE}.decision", f"must be one of {', '.join(DECISIONS)}")
    due = _deadlines(document["facts"].get("clocks"))
    options = told.codes("options")
    return SupportAnswer(
        decision=decision,
        allowed=decision == "allow",
        code=told.code("code"),
        text=_sentence(document.get("words"), "words"),
        clauses=told.clauses("clauses"),
        charged=_charged(facts, options),
        acknowledge_by=due["ack"],
        reply_by=due["reply"],
        resolve_by=due["resolve"],
        fix_by=due["fix"],
        missing=facts.codes("missing") if facts.has("missing") else (),
        options=options,
        retry_at=_moment(told, "retry_at"),
        care_active=banner.boolean("active"),
        care_until=_moment(banner, "until"),
        care_text=_sentence(document["facts"]["care_banner"].get("text") or "", "facts.care_banner.text"),
        policy_name=policy.code("name"),
        policy_version=policy.number("version"),
        as_of=_instant(told.text("evaluated_at"), "evaluated_at"),
    )


def _charged(facts: Claims, options: tuple[str, ...]) -> Optional[bool]:
    if facts.has("charge"):
        return facts.text("charge") != "free"
    return True if "paid_offer" in options else None


def _deadlines(clocks: Any) -> dict[str, Optional[datetime]]:
    """Return when each clock is due; a clock of a later version is ignored."""
    if not isinstance(clocks, list) or not all(isinstance(clock, dict) for clock in clocks):
        raise malformed(f"{_WHERE}.facts.clocks", "must be a list of objects")
    due: dict[str, Optional[datetime]] = dict.fromkeys(_CLOCKS)
    for clock in clocks:
        one = Claims(clock, f"{_WHERE}.facts.clocks")
        if one.text("clock") in due:
            due[one.text("clock")] = _moment(one, "due_at")
    return due


def _moment(claims: Claims, name: str) -> Optional[datetime]:
    return _instant(claims.text(name), name) if claims.has(name) else None


def _instant(text: str, name: str) -> datetime:
    try:
        return datetime.strptime(text, _INSTANT).replace(tzinfo=timezone.utc)
    except ValueError:
        raise malformed(f"{_WHERE}.{name}", "must be a time like 2026-01-31T15:00:00Z") from None


def _sentence(value: Any, name: str) -> str:
    """Return a text that people are shown: whatever a terminal would obey becomes a space."""
    if not isinstance(value, str):
        raise malformed(f"{_WHERE}.{name}", "must be a string")
    return "".join(symbol if symbol.isprintable() else " " for symbol in value[:_MAX_TEXT]).strip()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime(_INSTANT)
    return list(value) if isinstance(value, tuple) else value
