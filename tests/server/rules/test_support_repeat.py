"""The sentences are those of `rules.support_repeat`."""

from datetime import UTC, datetime, timedelta

import pytest

from tillkey_server.rules.support_record import SupportEvent, SupportEventKind
from tillkey_server.rules.support_repeat import self_inflicted

K = SupportEventKind
START, DAY = datetime(2026, 3, 2, 12, tzinfo=UTC), timedelta(days=1)


def closed(day: int, cause: str | None) -> SupportEvent:
    return SupportEvent(K.CLOSED, START + day * DAY, {} if cause is None else {"cause": cause})


@pytest.mark.clause("NX-29")
def test_each_closing_for_the_customers_own_doing_counts_in_the_order_of_time() -> None:
    """Sentence 1."""
    found = [closed(3, "customer_action"), closed(1, "customer_action"), closed(2, "a cable"), closed(4, None)]
    told = SupportEvent(K.INTERVENTION, START, {"cause": "customer_action"})
    assert self_inflicted([*found, told]) == (START + DAY, START + 3 * DAY)
    assert self_inflicted([]) == ()


@pytest.mark.clause("NX-29")
def test_what_the_vendor_brought_back_itself_begins_the_count_anew() -> None:
    """Sentence 2."""
    found = [closed(5, "customer_action"), closed(1, "customer_action"), closed(2, "vendor")]
    assert self_inflicted(found) == (START + 5 * DAY,)
