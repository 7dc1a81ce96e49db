"""What time it is for a license, whatever the clock of the machine says."""

import pytest

from tests.sdk.license_server import DAY, HOUR, START
from tillkey.timeline import Point, TimeMemory, confirm, effective, merge, observe
from tillkey.wire.request import ClockReading

BEGIN = ClockReading(START, 1000, "boot-1")
MEMORY = confirm(TimeMemory(), START, BEGIN, BEGIN)


def reading(wall: int = 0, boottime: int = 0, boot_id: str = "boot-1") -> ClockReading:
    return ClockReading(START + wall, 1000 + boottime, boot_id)


def at(*clocks) -> tuple[int, bool]:
    seen = effective(MEMORY, reading(*clocks))
    return seen.time - START, seen.clock_suspect


pytestmark = pytest.mark.clause("K-15")


def test_without_any_answer_the_wall_clock_is_all_there_is():
    assert effective(TimeMemory(), reading(5)).time == START + 5
    assert observe(TimeMemory(), reading(5)) == TimeMemory()


def test_clocks_that_agree_give_their_time():
    assert at(HOUR, HOUR) == (HOUR, False)


def test_a_clock_set_back_is_overruled_by_the_time_since_boot_and_suspect():
    assert at(-30 * DAY, HOUR) == (HOUR, True)


def test_a_clock_that_drifts_behind_by_minutes_is_not_suspect():
    assert at(HOUR - 299, HOUR) == (HOUR, False)
    assert at(HOUR - 301, HOUR) == (HOUR, True)


def test_a_clock_ahead_by_two_days_is_believed():
    assert at(48 * HOUR, 0) == (48 * HOUR, False)


def test_a_clock_ahead_by_more_is_not_believed():
    assert at(48 * HOUR + 1, 0) == (0, True)
    assert at(48 * HOUR + 1, HOUR) == (48 * HOUR + 1, False)


def test_after_a_restart_the_time_since_boot_proves_nothing_new():
    assert at(0, 90 * DAY, "boot-2") == (0, False)


def test_a_system_without_a_boot_id_proves_nothing_by_its_uptime():
    memory = confirm(TimeMemory(), START, reading(0, 0, ""), reading(0, 0, ""))
    assert effective(memory, reading(0, DAY, "")).time == START


def test_the_highest_time_seen_survives_a_restart_and_goes_on_from_there():
    memory = observe(MEMORY, reading(40 * HOUR, 0))
    assert effective(memory, reading(0, 0, "boot-2")).time == START + 40 * HOUR
    memory = observe(memory, reading(0, 0, "boot-2"))
    assert effective(memory, reading(0, HOUR, "boot-2")).time == START + 41 * HOUR


def test_a_timely_answer_sets_the_time_also_backwards():
    fast = observe(MEMORY, reading(40 * HOUR, 0))
    healed = confirm(fast, START + 100, reading(40 * HOUR, 100), reading(40 * HOUR, 160))
    assert healed.highest.time == START + 100
    assert effective(healed, reading(100, 160)).time == START + 100


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (reading(0, 0), reading(0, 61)),
        (reading(0, 0, "boot-1"), reading(0, 1, "boot-2")),
        (reading(0, 5), reading(0, 4)),
        (reading(0, 0, ""), reading(0, 0, "")),
    ],
)
def test_an_answer_that_was_not_timely_lowers_nothing(sent, received):
    fast = observe(MEMORY, reading(40 * HOUR, 0))
    kept = confirm(fast, START + 100, sent, received)
    assert kept.highest.time >= START + 40 * HOUR


def test_an_answer_that_was_not_timely_may_raise():
    raised = confirm(MEMORY, START + 90 * DAY, reading(0, 0), reading(0, 500))
    assert raised.anchor.time == START + 90 * DAY


def test_a_larger_jump_is_believed_once_an_answer_confirms_it():
    assert at(90 * DAY, 0, "boot-2") == (0, True)
    now = reading(90 * DAY, 0, "boot-2")
    confirmed = confirm(MEMORY, START + 90 * DAY, now, now)
    assert effective(confirmed, now) == effective(confirmed, reading(90 * DAY, 0, "boot-2"))
    assert effective(confirmed, now).clock_suspect is False


def test_what_a_process_saw_is_joined_with_the_file_after_the_same_answer_only():
    later = observe(MEMORY, reading(HOUR, HOUR))
    assert merge(MEMORY, later) == later
    assert merge(later, MEMORY) == later
    assert merge(MEMORY, TimeMemory()) == MEMORY
    newer = confirm(MEMORY, START + 5, reading(5, 5), reading(5, 5))
    assert merge(newer, later) == newer
    assert merge(TimeMemory(MEMORY.anchor), later) == later
    assert Point(1, 2, 3, "b").carried(ClockReading(0, 1, "b")) == 1
