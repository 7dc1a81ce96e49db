"""When a request for the free installation gives it back (NX-19); sentences are those of `rules.install_credit`."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tillkey_server.rules.install_credit import gave_back
from tillkey_server.rules.support_record import SupportEvent, SupportEventKind, SupportRecord

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.clause("NX-19")
@pytest.mark.parametrize(
    ("happened", "back"),
    [
        ((), False),
        (("refused",), True),
        (("refused", "accepted"), False),
        (("refused", "reopened"), False),
        (("intervention", "refused"), True),
        (("closed",), True),
        (("closed", "reopened"), False),
        (("intervention", "closed"), False),
        (("resolved", "closed"), False),
        (("resolved", "reopened", "refused"), False),
        (("refused", "resolved"), False),
    ],
)
def test_a_request_gives_back_what_was_not_done(happened: tuple[str, ...], back: bool) -> None:
    """Sentence 5."""
    events = tuple(SupportEvent(SupportEventKind(kind), NOW + timedelta(hours=n)) for n, kind in enumerate(happened))
    assert gave_back(SupportRecord(UUID(int=1), UUID(int=2), NOW, events=events)) is back
