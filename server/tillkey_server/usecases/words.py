"""A row of the audit log in a sentence that a shop's owner understands; the facts behind it stand beside it."""

from __future__ import annotations

from tillkey_server.store.audit import AuditRow
from tillkey_server.words.catalogue import ENGLISH, STEPS, phrase, sentence, texts

NEXT_STEPS = texts(STEPS)
"""What can be done about a license now, for people; the names are those of `next_steps`."""


def in_words(row: AuditRow, language: str = ENGLISH) -> str:
    """Return the sentence for a decision; a fact that is missing reads as `unknown`."""
    refused = row.outcome == "deny" and row.action.startswith("license_")
    told = sentence(row.code, row.facts, language)
    if not refused:
        return told
    asked = str(row.facts.get("event") or row.action.removeprefix("license_")).replace("_", " ")
    return phrase("refused", language, asked=asked, told=told)
