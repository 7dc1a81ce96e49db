"""The sentences are those of `rules.update_dispute`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord
from tillkey_server.rules.update_dispute import Dispute, disputes_of, is_disputable, is_found_free, open_dispute

K = SupportEventKind
START, DAY = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(days=1)


def record(*told: tuple[SupportEventKind, dict[str, object]]) -> SupportRecord:
    events = tuple(SupportEvent(kind, START + day * DAY, details) for day, (kind, details) in enumerate(told))
    return SupportRecord(UUID(int=1), UUID(int=2), START, events=events)


def offer(version: str, *, paid: bool | None = True) -> tuple[SupportEventKind, dict[str, object]]:
    return K.UPDATE_OFFERED, {"version": version, "paid": paid}


def found(*, paid: bool) -> tuple[SupportEventKind, dict[str, object]]:
    return K.UPDATE_CLASSIFIED, {"paid": paid}


DISPUTED: tuple[SupportEventKind, dict[str, object]] = (K.UPDATE_DISPUTED, {})


@pytest.mark.clause("BC-16")
def test_an_offer_for_payment_is_disputed_once() -> None:
    """Sentence 1."""
    assert is_disputable(record(offer("2.0")))
    for told in ((), (offer("2.0", paid=False),), (offer("2.0", paid=None),), (offer("2.0"), DISPUTED)):
        assert not is_disputable(record(*told))
    assert is_disputable(record(offer("2.0"), DISPUTED, offer("2.1")))
    assert not is_disputable(record(offer("2.0"), DISPUTED, found(paid=False)))
    assert disputes_of(record(DISPUTED, found(paid=True))) == ()


@pytest.mark.clause("BC-16")
def test_a_person_decides_about_the_oldest_dispute_that_waits() -> None:
    """Sentence 2."""
    assert open_dispute(record(offer("2.0"))) is None
    both = (offer("2.0"), DISPUTED, offer("2.1"), DISPUTED)
    assert open_dispute(record(*both)) == Dispute("2.0", START + DAY)
    first = record(*both, found(paid=False))
    assert disputes_of(first) == (Dispute("2.0", START + DAY, START + 4 * DAY, False), Dispute("2.1", START + 3 * DAY))
    assert open_dispute(first) == Dispute("2.1", START + 3 * DAY)
    assert open_dispute(record(*both, found(paid=False), found(paid=True))) is None


@pytest.mark.clause("BC-16")
def test_what_was_found_free_is_so_until_somebody_finds_otherwise() -> None:
    """Sentence 3."""
    once = (offer("2.0"), DISPUTED)
    assert not is_found_free(record(*once), "2.0")
    assert not is_found_free(record(*once, found(paid=True)), "2.0")
    assert is_found_free(record(*once, found(paid=False)), "2.0")
    assert not is_found_free(record(*once, found(paid=False)), "2.1")
    assert is_found_free(record(*once, found(paid=False), offer("2.1"), DISPUTED), "2.0")
    assert not is_found_free(record(*once, found(paid=False), *once, found(paid=True)), "2.0")
