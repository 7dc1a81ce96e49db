"""The sentences are those of `rules.modification`."""

from uuid import UUID

import pytest

from tests.server.rules.facts import NOW, POLICIES
from tillkey_server.rules.modification import Happened, modified, shown_files, what_happened
from tillkey_server.rules.support_event import EventFacts, decide_event
from tillkey_server.rules.support_policy import SupportPolicy
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

ADDON = POLICIES["01generator"].support
assert ADDON is not None
TERMS: SupportPolicy = ADDON
A, B, C = ("1" * 64, "2" * 64, "3" * 64)


def happened(files: dict[str, str], delivered: dict[str, str] | None = None, *hotfixed: str) -> dict[str, str]:
    found = what_happened(files, delivered or {}, frozenset(hotfixed), TERMS)
    assert shown_files(found) == ({"files": found} if found else {})
    return {path: one.value for path, one in found.items()}


@pytest.mark.clause("ZG-12", "BC-14")
def test_without_what_was_delivered_a_file_that_is_told_was_changed() -> None:
    """Sentence 1."""
    assert happened({"src/b.php": B, "src/a.php": A}) == {"src/a.php": "changed", "src/b.php": "changed"}
    assert happened({}) == {}


@pytest.mark.clause("ZG-12", "BC-14")
def test_beside_what_was_delivered_a_file_was_changed_removed_or_added() -> None:
    """Sentence 2."""
    delivered = {"src/a.php": A, "src/b.php": B, "src/c.php": C}
    now = {"src/a.php": A, "src/b.php": C, "src/own.php": C}
    assert happened(now, delivered) == {"src/b.php": "changed", "src/c.php": "removed", "src/own.php": "added"}
    assert happened(delivered, delivered) == {}
    assert happened({}, {"src/a.php": A}) == {"src/a.php": "removed"}


@pytest.mark.clause("ZG-12", "NX-27")
def test_settings_translations_and_the_vendors_own_hotfix_are_nobodys_modification() -> None:
    """Sentence 3."""
    delivered = {"src/a.php": A, "config/shop.php": A, "translations/it.php": A}
    now = {"src/a.php": B, "config/shop.php": B}
    assert happened(now, delivered, B) == {
        "config/shop.php": "own_hotfix",
        "src/a.php": "own_hotfix",
        "translations/it.php": "excepted",
    }
    assert happened({"src/new.php": B}, delivered | {"src/new.php": A}, B)["src/new.php"] == "own_hotfix"
    assert happened({"config/shop.php": B}) == {"config/shop.php": "excepted"}


@pytest.mark.clause("ZG-12", "BC-14")
def test_what_was_changed_or_removed_is_a_modification_and_nothing_else() -> None:
    """Sentence 4."""
    found = {one: modified({"a": one}) for one in Happened}
    assert {one for one, counts in found.items() if counts} == {Happened.CHANGED, Happened.REMOVED}
    assert modified({"a": Happened.ADDED, "b": Happened.REMOVED})
    assert not modified({})


@pytest.mark.clause("ZG-12", "BC-14")
def test_a_refusal_for_files_of_which_none_is_a_modification_is_not_permitted() -> None:
    """Added beside the product, excepted by the terms, or as they were delivered."""
    for files in ({"own.php": B, "src/a.php": A}, {"src/a.php": A, "config/shop.php": B}, {"src/a.php": A}):
        details = {"code": "nosup_code_modified", "evidence": "x", "files": files, "manifest": {"src/a.php": A}}
        told = SupportEvent(SupportEventKind.REFUSED, NOW, details)
        found = decide_event(SupportRecord(UUID(int=1), None, NOW), told, EventFacts(), POLICIES["01generator"], NOW)
        assert (found.code.value, found.facts["because"]) == ("refusal_not_permitted", "files_do_not_count")
        assert found.clauses == ("ZG-12", "NX-22")
