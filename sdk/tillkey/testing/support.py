"""What the fake server says to a till that asks about support: what the test said, or that the terms are silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Optional

from tillkey.testing.chain import refuse_standing
from tillkey.testing.refusals import Refused, instant
from tillkey.testing.terms import seconds_of
from tillkey.wire.fields import LANGUAGES

if TYPE_CHECKING:
    from tillkey.testing.books import License
    from tillkey.wire.request import Support

CODES = MappingProxyType(
    {"allow": "support_task_ok", "deny": "support_task_not_covered", "pend": "support_pending_review"}
)
# In the order of LANGUAGES, word for word as the server says it.
_SENTENCES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "support_task_ok": (
            "The request is taken; it is free of charge.",
            "La demande est prise en charge, gratuitement.",
            "La richiesta viene presa in carico, gratuitamente.",
        ),
        "support_task_not_covered": (
            "Support does not cover this.",
            "L'assistance ne couvre pas cela.",
            "L'assistenza non copre questo.",
        ),
        "support_pending_review": (
            "The terms do not say it; a person decides.",
            "Les conditions ne le disent pas ; une personne décide.",
            "Le condizioni non lo dicono; decide una persona.",
        ),
    }
)
_SILENT = ("X-01", "K-05", "K-06")


@dataclass(frozen=True)
class Said:
    """What a test lets the vendor's terms say; the deadlines count from the question."""

    decision: str
    code: str
    text: str
    clauses: tuple[str, ...]
    options: tuple[str, ...]
    acknowledge_within: Optional[timedelta]
    fix_within: Optional[timedelta]


def answer(sold: License, asked: Support, now: int) -> dict[str, Any]:
    """Return the answer as it travels."""
    terms, said = sold.terms, sold.support
    facts: dict[str, Any] = {
        "received_at": instant(now),
        "timezone": "UTC",
        "care_banner": _banner(sold, now),
        "clocks": [] if said is None else _clocks(sold, said, now),
    }
    if said is not None:
        facts["task"] = asked.task
    if said is not None and said.decision == "allow":
        facts["charge"] = "free"
    code = CODES["pend"] if said is None else said.code
    return {
        "decision": "pend" if said is None else said.decision,
        "code": code,
        "clauses": list(_SILENT if said is None else said.clauses),
        "policy": {"name": terms.name, "version": terms.version},
        "evaluated_at": instant(now),
        "facts": facts,
        "retry_at": None,
        "options": ["review"] if said is None else list(said.options),
        "words": (said.text if said is not None else "") or _sentence(code, asked.language),
    }


def _sentence(code: str, language: str) -> str:
    known = _SENTENCES.get(code)
    return f"{code.replace('_', ' ')}." if known is None else known[LANGUAGES.index(language)]


def _clocks(sold: License, said: Said, now: int) -> list[dict[str, Any]]:
    within = (("ack", said.acknowledge_within), ("fix", said.fix_within))
    return [
        {
            "clock": name,
            "code": f"sla_{name}_due",
            "due_at": instant(now + seconds_of(span)),
            "clauses": list(said.clauses),
            "timezone": "UTC",
            "calendar": f"{sold.terms.name} {sold.terms.version}",
        }
        for name, span in within
        if span is not None
    ]


def _banner(sold: License, now: int) -> dict[str, Any]:
    until = sold.support_until
    return {
        "active": (until is None or now < until) and _is_served(sold, now),
        "text": None,
        "until": instant(until),
        "product": sold.product,
        "clauses": [],
        "as_of": instant(now),
    }


def _is_served(sold: License, now: int) -> bool:
    """Tell whether a license is served; the end of its use right is another clock."""
    try:
        refuse_standing(sold, now)
    except Refused as no:
        return no.code == "license_expired"
    return True
