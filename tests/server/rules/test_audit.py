"""The chain's rule: what a hash covers, and what each flaw is called."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tillkey_server.rules.audit import GENESIS, LATE, LINK, BadRow, Flaw, Sealed, advance, fits, is_late, link, start

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
EVENT = {"id": 7, "at": 1, "facts": {"b": 1, "a": "\u00e9"}}


def _sealed(position, seq=1, event_id=7, at=NOON, sealed_at=NOON):
    return Sealed(seq, event_id, link(position.hash, seq, sealed_at, EVENT), sealed_at, EVENT, at)


def test_the_first_hash_is_made_of_the_issuer():
    assert start("house").hash == hashlib.sha256(GENESIS + b"house").digest()


def test_a_link_is_the_hash_of_what_the_guide_says():
    seconds = int(NOON.timestamp())
    text = f'{{"event":{{"at":1,"facts":{{"a":"\\u00e9","b":1}},"id":7}},"sealed_at":{seconds},"seq":3}}'
    assert link(b"p" * 32, 3, NOON, EVENT) == hashlib.sha256(LINK + b"p" * 32 + text.encode()).digest()


def test_a_seal_that_fits_is_the_next_place():
    position = start("house")
    sealed = _sealed(position)
    found = advance(position, sealed)
    assert (found.seq, found.hash, found.highest_event) == (1, sealed.hash, 7)


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"seq": 2}, BadRow(Flaw.SEAL_MISSING, 1, None)),
        ({"event": None}, BadRow(Flaw.REMOVED, 1, 7)),
        ({"event": {**EVENT, "at": 2}}, BadRow(Flaw.CHANGED, 1, 7)),
        ({"hash": bytes(32)}, BadRow(Flaw.CHANGED, 1, 7)),
        ({"sealed_at": NOON + timedelta(seconds=1)}, BadRow(Flaw.CHANGED, 1, 7)),
    ],
)
def test_a_seal_that_does_not_fit_is_named(change, flaw):
    position = start("house")
    assert advance(position, replace(_sealed(position), **change)) == flaw


def test_the_same_row_under_another_issuer_does_not_fit():
    assert advance(start("other"), _sealed(start("house"))) == BadRow(Flaw.CHANGED, 1, 7)


def test_a_late_row_of_the_same_round_is_judged_by_the_round_before():
    before = start("house")
    first = replace(before, highest_event=9, sealed_at=NOON, sealed_before=NOON - LATE)
    sealed = _sealed(first, at=NOON - LATE)
    assert advance(first, sealed).seq == 1
    assert advance(replace(first, sealed_at=NOON + timedelta(seconds=1)), sealed) == BadRow(Flaw.INSERTED, 1, 7)


@pytest.mark.parametrize(
    ("event_id", "ago", "worked", "late"),
    [
        (5, LATE + timedelta(seconds=1), True, True),
        (5, LATE, True, False),
        (9, LATE * 2, True, False),
        (5, LATE * 2, False, False),
    ],
)
def test_only_a_lower_number_after_the_sealer_was_long_at_work_is_late(event_id, ago, worked, late):
    assert is_late(event_id, NOON - ago, highest=9, worked_at=NOON if worked else None) is late


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", NOON])
def test_a_row_that_json_cannot_say_was_never_sealed(value):
    position = start("house")
    sealed = _sealed(position)
    assert fits(position.hash, sealed, EVENT)
    assert not fits(position.hash, sealed, {**EVENT, "facts": value})
