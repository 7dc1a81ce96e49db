"""Properties are judged by what they find, not by how busy the machine is, and every decision of a test is whole."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import settings

from tillkey_server.rules.decision import Code, Decision, Grant, Outcome, Refusal
from tillkey_server.rules.policy import PolicyRef

settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")

WORD = re.compile(r"[a-z][a-z0-9_]*")


def words_of(facts: dict[str, object]) -> Iterator[str]:
    """The names of facts, those inside of lists of facts too; what is counted by product or by person names itself."""
    for name, value in facts.items():
        yield name
        for inner in value if isinstance(value, list | tuple) else ():
            if isinstance(inner, dict):
                yield from words_of(inner)


def complain(decision: Decision) -> None:
    """Fail for a decision that no caller could show, record or ask about later (K-08)."""
    assert isinstance(decision.outcome, Outcome)
    assert isinstance(decision.code, Refusal | Grant | Code)
    assert isinstance(decision.policy, PolicyRef)
    assert decision.evaluated_at.utcoffset() == timedelta(0), "when it was decided, in UTC"
    assert decision.clauses
    assert all(isinstance(clause, str) and clause for clause in decision.clauses)
    assert all(WORD.fullmatch(option) for option in decision.options), decision.options
    assert all(WORD.fullmatch(name) for name in words_of(dict(decision.facts))), decision.facts
    assert decision.retry_at is None or decision.retry_at > decision.evaluated_at
    json.dumps(dict(decision.facts))


@pytest.fixture(autouse=True, scope="module")
def every_decision_is_whole() -> Iterator[None]:
    """Whatever a test is about, no decision in it lacks its policy, its clauses or its time."""
    with pytest.MonkeyPatch.context() as patched:
        plain = Decision.__init__

        def checked(decision: Decision, *given: object, **named: object) -> None:
            plain(decision, *given, **named)
            complain(decision)

        patched.setattr(Decision, "__init__", checked)
        yield
