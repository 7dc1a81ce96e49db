"""The sentences of every language, read once from the files beside this module."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from tillkey_server.errors import BrokenInvariant

LANGUAGES = ("en", "fr", "it")
ENGLISH = "en"
SENTENCES, BECAUSE, STEPS, COUNTING, PHRASES = "sentences", "because", "steps", "counting", "phrases"
TABLES = (SENTENCES, BECAUSE, STEPS, COUNTING, PHRASES)


@cache
def texts(table: str, language: str = ENGLISH) -> Mapping[str, str]:
    """Return one table of a language, of all families. Raises BrokenInvariant for a text that is there twice."""
    found: dict[str, str] = {}
    for file in sorted(_folder(language).iterdir(), key=lambda one: one.name):
        for code, text in tomllib.loads(file.read_text("utf-8")).get(table, {}).items():
            if code in found:
                raise BrokenInvariant(f"{language}/{file.name}: {code} has two texts")
            found[code] = text
    return MappingProxyType(found)


def sentence(code: str, facts: Mapping[str, object], language: str = ENGLISH) -> str:
    """Return the sentence for a code; a fact that is missing reads as `unknown`.

    A text that a language lacks is told in English, never left out (X-12).
    """
    told = _text(SENTENCES, f"{code}{_variant(code, facts)}", language) or code.replace("_", " ") + "."
    unknown = _text(PHRASES, "unknown", language)
    known = {name: unknown if value is None else _listed(value) for name, value in facts.items()}
    if "because" in known:
        known["because"] = _text(BECAUSE, str(known["because"]), language) or known["because"]
    return told.format_map(defaultdict(lambda: unknown, {**known, "counting": _counting(facts, language)}))


def _listed(value: object) -> object:
    """Return a list as people read one, and anything else as it is."""
    return ", ".join(str(one) for one in value) if isinstance(value, list | tuple) else value


def phrase(name: str, language: str = ENGLISH, **parts: object) -> str:
    """Return a phrase of our own around sentences, with its parts filled in."""
    return _text(PHRASES, name, language).format_map(parts)


def _folder(language: str) -> Traversable:
    """Return a language's folder; of one that there is not, the English one."""
    return resources.files("tillkey_server.words") / (language if language in LANGUAGES else ENGLISH)


def _text(table: str, name: str, language: str) -> str:
    return texts(table, language).get(name) or texts(table).get(name, "")


def _variant(code: str, facts: Mapping[str, object]) -> str:
    """Return what tells an agent's act from a till's, where both have one code."""
    if code == "move_ticket_issued" and facts.get("kind") == "move_ticket":
        return "_by_agent"
    return "_on_word" if code == "activation_released" and facts.get("on_word") else ""


def _counting(facts: Mapping[str, object], language: str) -> str:
    """Return why an agent's act was not counted; empty where it was."""
    if facts.get("vendor_fault"):
        return _text(COUNTING, "vendor_fault", language)
    if facts.get("force_majeure"):
        return _text(COUNTING, "force_majeure", language)
    if facts.get("override"):
        told = {"override_reason": facts.get("override_reason", _text(PHRASES, "unknown", language))}
        return _text(COUNTING, "override", language).format_map(told)
    return ""
