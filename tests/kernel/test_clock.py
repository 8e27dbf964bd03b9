from sekisho.kernel.clock import SECOND_US, SetClock, SystemClock, rfc3339


def test_a_set_clock_stands_still_until_it_is_moved():
    clock = SetClock(5)
    assert clock.now_us() == clock.now_us() == 5
    clock.advance(SECOND_US)
    assert clock.now_us() == 1_000_005
    clock.set(1)
    assert clock.now_us() == 1


def test_the_machines_clock_is_past_the_day_this_was_written():
    assert SystemClock().now_us() > 1_700_000_000 * SECOND_US


def test_times_are_written_in_utc():
    assert rfc3339(0) == "1970-01-01T00:00:00Z"
    assert rfc3339(1_600_000_000_000_001) == "2020-09-13T12:26:40.000001Z"
