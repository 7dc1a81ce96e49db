"""What a situation is, what comes of it, and the facts from which each one changes what it is about.

A situation is a function from a policy to a decision; its docstring is the sentence, its name the name. The facts are
alike for all policies: what differs is what the policy makes of them, such as when its support ends. Where vendors have
a word of their own for the same thing, a situation tells all of the words, and those that the terms know are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from tests.server.rules.facts import DAY, LICENSE, NOW, a_license
from tests.server.rules.refund_facts import ISSUE, PAID
from tillkey_server.policies.loader import bundled_policies
from tillkey_server.rules.clocks import clocks_at_issue, last_day
from tillkey_server.rules.decision import Decision
from tillkey_server.rules.policy import Policy
from tillkey_server.rules.standing import LicenseFacts
from tillkey_server.rules.support_record import SupportEvent, SupportRecord
from tillkey_server.rules.term import History, Run, purchased
from tillkey_server.rules.term_policy import Clock

BOUGHT = PAID
PLAIN = "default"
"""The policy of nobody in particular: shown last, and not one of the vendors."""
_DATES = (("last_day", "last day"), ("until", "until"), ("due_at", "on"), ("ends_at", "ends"), ("stops_at", "stops"))

__all__ = ["BOUGHT", "DAY", "NOW", "PLAIN", "Answer", "Situation", "Topic", "about", "answered", "policies"]


@dataclass(frozen=True, slots=True)
class Situation:
    """One sentence, put to any policy; `section` is the part of the terms that would speak of it."""

    name: str
    sentence: str
    section: str
    ask: Callable[[Policy], Decision]


@dataclass(frozen=True, slots=True)
class Topic:
    """Situations that are shown in one table."""

    title: str
    situations: tuple[Situation, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell. `told` are its amount, dates and what else a reader needs; `silent`: the terms lack the section."""

    decision: str
    code: str
    clauses: tuple[str, ...]
    told: Mapping[str, str]
    silent: bool

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """Return what makes two answers alike or different."""
        return self.decision, self.code, self.clauses


def about(section: str) -> Callable[[Callable[[Policy], Decision]], Situation]:
    """Make a situation of a function; `section` is a field of the policy."""

    def made(ask: Callable[[Policy], Decision]) -> Situation:
        sentence = (ask.__doc__ or "").strip().removesuffix(".")
        return Situation(ask.__name__, " ".join(sentence.split()), section, ask)

    return made


def policies() -> Mapping[str, Policy]:
    """Return the vendors' policies by name, and the plain one last."""
    found = {name: loaded.policy for name, loaded in bundled_policies().items()}
    names = sorted(found, key=lambda name: (name == PLAIN, name))
    return MappingProxyType({name: found[name] for name in names})


def answered(situation: Situation, policy: Policy) -> Answer:
    """Put a situation to a policy."""
    found = situation.ask(policy)
    silent = getattr(policy, situation.section) is None
    return Answer(found.outcome.value, found.code.value, found.clauses, _told(found, policy), silent)


def _told(found: Decision, policy: Policy) -> dict[str, str]:
    facts = found.facts
    version, refusable = facts.get("version"), facts.get("may_refuse")
    told = {
        "amount": facts.get("amount", facts.get("price")),
        "version": version if isinstance(version, str) else None,
        "may be refused:": ", ".join(f"`{one}`" for one in refusable) if isinstance(refusable, list) else None,
        "left": facts.get("remaining"),
        "with": "the owner's consent" if facts.get("remote_access") else None,
    }
    name, label = next(((key, word) for key, word in _DATES if facts.get(key) is not None), ("", ""))
    if name:
        told[label] = _day(str(facts[name]), policy) if "T" in str(facts[name]) else facts[name]
    if "window_closed" in found.code.value and facts.get("window_ends_at") is not None:
        told["window ended"] = _day(str(facts["window_ends_at"]), policy)
    if found.retry_at is not None:
        told["again from"] = found.retry_at.astimezone(policy.timezone).date().isoformat()
    return {key: str(value) for key, value in told.items() if value is not None}


def _day(text: str, policy: Policy) -> str:
    """Return the last good day of an exclusive end, as people are told it."""
    return last_day(datetime.fromisoformat(text), policy.timezone).isoformat()


def day(number: int) -> datetime:
    """Return the instant so many days after the purchase."""
    return BOUGHT + number * DAY


def bought(policy: Policy, **facts: Any) -> LicenseFacts:
    """Return the license of the purchase, with the clocks that the policy gives it."""
    return a_license(**{"issued_at": BOUGHT, **asdict(clocks_at_issue(BOUGHT, policy)), **facts})


def history(policy: Policy) -> History:
    """Return the clocks of a purchase of a year, where the terms let the buyer choose."""
    return History(purchased(BOUGHT, policy, 12), (), (), policy.timezone)


def run_of(policy: Policy, clock: Clock) -> Run:
    """Return one clock of the purchase."""
    return history(policy).fold().of(clock)


def known(words: tuple[str, ...], listed: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of several words for one thing that a vendor has; without any the first one."""
    return tuple(word for word in words if word in listed) or words[:1]


def a_request(*events: SupportEvent, at: datetime = BOUGHT) -> SupportRecord:
    """Return a request for support about the license."""
    return SupportRecord(ISSUE, LICENSE, at, events=events)
