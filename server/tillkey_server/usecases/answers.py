"""What a use case answers a till: a lease, a statement, what it asked to know, or a refusal (PROTOCOL section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tillkey_server.rules.decision import Code, Decision, Refusal, instant
from tillkey_server.words.catalogue import ENGLISH, sentence


@dataclass(frozen=True, slots=True)
class LeaseAnswer:
    """A signed lease; `created` where this step made the activation, `ticket` where the step was a move."""

    lease: str = field(repr=False)
    created: bool = False
    ticket: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """A signed statement that is a yes: the receipt of a release."""

    statement: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefusalAnswer:
    """A no: its code, the clauses behind it, what can be done.

    `statement` is the signed form, where the till may believe it; `decision` the rule's own, where a rule decided.
    """

    decision_code: Refusal | Code
    detail: str
    clauses: tuple[str, ...] = ()
    statement: str | None = field(default=None, repr=False)
    retry_at: datetime | None = None
    options: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    decision: Decision | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """What a till asked to know, ready for JSON: unsigned, since it changes no right."""

    told: Mapping[str, object]


Answer = LeaseAnswer | StatementAnswer | ToldAnswer | RefusalAnswer


def refusal_of(decision: Decision, *, detail: str = "", statement: str | None = None) -> RefusalAnswer:
    """Render a rule's no, with its signed form where there is one."""
    if decision.allowed or not isinstance(decision.code, Refusal | Code):
        msg = f"{decision.code} is no refusal"
        raise TypeError(msg)
    return RefusalAnswer(
        decision.code,
        detail,
        decision.clauses,
        statement,
        decision.retry_at,
        decision.options,
        decision.facts,
        decision,
    )


def told_of(decision: Decision) -> dict[str, object]:
    """Return a decision that was carried out as people and programs are told it: by which clauses, on which facts."""
    return {
        **ruled_of(decision),
        "code": decision.code.value,
        "clauses": list(decision.clauses),
        "facts": dict(decision.facts),
    }


def ruled_of(decision: Decision) -> dict[str, object]:
    """Return what every answer of a rule tells beside its code, whether yes or no (K-08)."""
    return {
        "decision": decision.outcome.value,
        "policy": {"name": decision.policy.name, "version": decision.policy.version},
        "evaluated_at": instant(decision.evaluated_at),
    }


def answered_of(decision: Decision, language: str = ENGLISH) -> dict[str, object]:
    """Return the answer to a question about the terms (K-08): yes, no or pending, why, and in words."""
    return {
        **told_of(decision),
        "retry_at": instant(decision.retry_at),
        "options": list(decision.options),
        "words": sentence(decision.code.value, decision.facts, language),
    }


@dataclass(frozen=True, slots=True)
class Conflict:
    """A no that no rule decides, as two different products of one code: its problem's code, and what differs."""

    code: str
    detail: str
