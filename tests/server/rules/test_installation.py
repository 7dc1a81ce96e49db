"""The sentences are those of `rules.installation`."""

from tests.server.rules.facts import DAY, NEXOPOS, NOW
from tillkey_server.rules.decision import Refusal
from tillkey_server.rules.installation import blocked


def test_a_blocked_key_is_refused_with_since_when_and_who_can_lift_it():
    """Sentences 1 and 2."""
    decision = blocked(NOW - DAY, NEXOPOS, NOW)
    assert (decision.code, decision.options) == (Refusal.INSTALLATION_KEY_BLOCKED, ("ask_support",))
    assert decision.facts == {"blocked_since": "2026-03-09T12:00:00Z"}
    assert decision.clauses == NEXOPOS.activation.clauses.installation
