from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillkey_server.clock import SystemClock, from_epoch, from_text, to_epoch
from tillkey_server.errors import BadInput, NotFound


@pytest.mark.clause("K-01")
def test_the_system_clock_tells_aware_utc_in_whole_seconds():
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond == 0


@pytest.mark.clause("K-01")
def test_an_instant_of_any_zone_is_counted_in_utc():
    athens = datetime(1970, 1, 1, 2, 0, 1, tzinfo=timezone(timedelta(hours=2)))
    assert to_epoch(athens) == 1


def test_a_fraction_of_a_second_is_dropped_also_before_1970():
    assert to_epoch(datetime(1970, 1, 1, 0, 0, 1, 999_999, tzinfo=UTC)) == 1
    assert to_epoch(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


def test_a_naive_datetime_is_refused_since_its_zone_would_be_a_guess():
    with pytest.raises(ValueError, match="naive"):
        to_epoch(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


@given(st.integers(0, 2**40 // 5))
def test_seconds_come_back_as_they_went(seconds):
    assert to_epoch(from_epoch(seconds)) == seconds


@pytest.mark.parametrize(
    "told", ["0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "3000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]
)
def test_a_time_that_nothing_could_be_counted_from_is_none(told: str):
    with pytest.raises(ValueError, match="1900 to 2999"):
        from_text(told)


def test_a_time_is_read_up_to_the_ends_of_what_is_taken():
    assert from_text("2999-12-31T23:59:59-14:00") == datetime(3000, 1, 1, 13, 59, 59, tzinfo=UTC)
    assert from_text("1900-01-01T00:00:00+14:00") == datetime(1899, 12, 31, 10, 0, tzinfo=UTC)


def test_errors_keep_what_they_are_about_and_say_it():
    assert str(BadInput("price", "too low")) == "price: too low"
    missing = NotFound("license", "42")
    assert (missing.what, missing.name, str(missing)) == ("license", "42", "license not found: 42")
