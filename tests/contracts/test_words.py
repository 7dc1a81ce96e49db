"""Every code has a sentence in each language, with the same facts; those of the terms have rows in docs/codes.md."""

import importlib
import pkgutil
import re
import string
from pathlib import Path

import pytest

from tillkey_server import rules
from tillkey_server.rules.decision import Code, Grant, Refusal
from tillkey_server.words.catalogue import ENGLISH, LANGUAGES, SENTENCES, TABLES, sentence, texts

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "codes.md").read_text("utf-8")
for module in pkgutil.iter_modules(rules.__path__):
    importlib.import_module(f"{rules.__name__}.{module.name}")
FAMILIES = sorted(Code.__subclasses__(), key=lambda family: family.__name__)
CODES = [code for family in FAMILIES for code in family]


def places(text: str) -> set[str]:
    """Return the facts that a text names."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", TABLES)
def test_every_language_has_every_text_with_the_same_facts(language: str, table: str) -> None:
    english, told = texts(table), texts(table, language)
    assert sorted(told) == sorted(english)
    assert {name: places(told[name]) for name in told} == {name: places(english[name]) for name in english}


def test_every_code_of_the_terms_has_a_sentence() -> None:
    assert [code.value for code in CODES if code.value not in texts(SENTENCES)] == []


def test_a_code_means_one_thing_whatever_its_family() -> None:
    everything = [one.value for one in (*CODES, *Refusal)]
    assert sorted({one for one in everything if everything.count(one) > 1}) == []


def test_every_code_of_the_terms_has_a_row_in_the_page_and_every_row_a_code() -> None:
    rows = re.findall(r"^\| `([a-z0-9_]+)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(code.value for code in CODES)


def test_a_text_that_a_language_lacks_is_told_in_english_and_an_unknown_code_by_its_name() -> None:
    assert sentence("license_revoked", {}, "xx") == sentence("license_revoked", {}, ENGLISH)
    assert sentence("never_heard_of", {}) == "never heard of."


def test_a_fact_that_is_missing_reads_as_unknown_in_each_language() -> None:
    assert [sentence("activation_granted", {}, language)[-9:-1].strip() for language in LANGUAGES] == [
        "unknown",
        "inconnu",
        "nosciuto",
    ]


def test_the_grants_have_sentences_too() -> None:
    untold = {Grant.PRODUCT_CHANGED, Grant.CUSTOMER_CHANGED, Grant.PROJECT_RENAMED}
    untold |= {Grant.API_KEY_CREATED, Grant.API_KEY_REVOKED}
    assert {one.value for one in set(Grant) - untold} - set(texts(SENTENCES)) == set()
