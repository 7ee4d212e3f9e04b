"""Trusted time: what the wall clock says, what the hub signed, and which of them a station plays by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tempo import Tempo, TempoReader
from node import Confidence, Now, SystemClock, TempoClock, TrustedTime
from node.clock import DRIFT, RTC_AHEAD_MAX_S, SIGNED_LIFE_S

UTC = 1_667_950_000.0


def test_a_synchronised_clock_is_believed() -> None:
    assert TrustedTime().at(Now(UTC, 10.0, Confidence.NTP)) == (UTC, Confidence.NTP)


def test_a_clock_of_unknown_worth_is_worth_nothing_until_the_hub_speaks() -> None:
    time = TrustedTime()
    assert time.at(Now(UTC - 1e8, 10.0, Confidence.UNKNOWN))[1] is Confidence.UNKNOWN
    time.learn(UTC, 10.0, 11.0)
    utc_s, confidence = time.at(Now(UTC - 1e8, 71.0, Confidence.UNKNOWN))
    assert confidence is Confidence.SIGNED
    assert utc_s == pytest.approx(UTC + 61, abs=1.5)


def test_a_battery_clock_years_ahead_gives_way_to_a_live_signed_time() -> None:
    time = TrustedTime()
    time.learn(UTC, 10.0, 10.2)
    utc_s, confidence = time.at(Now(UTC + 1e8, 20.2, Confidence.RTC))
    assert confidence is Confidence.SIGNED
    assert utc_s == pytest.approx(UTC + 10, abs=1.5)


def test_a_clock_behind_the_newest_signed_time_is_not_believed_after_a_restart() -> None:
    time = TrustedTime(low_s=UTC)
    utc_s, confidence = time.at(Now(UTC - 86_400, 5.0, Confidence.RTC))
    assert confidence is Confidence.UNKNOWN
    assert utc_s >= UTC


def test_a_slow_reply_bounds_time_from_below_and_above_and_proves_no_more() -> None:
    time = TrustedTime()
    time.learn(UTC, 0.0, 3_600.0)
    assert time.at(Now(0.0, 3_600.0, Confidence.UNKNOWN))[1] is Confidence.UNKNOWN
    assert time.low(3_600.0) == UTC
    assert time.high(3_600.0) == UTC + 3_601


def test_a_slow_reply_does_not_blur_what_a_quick_one_said() -> None:
    time = TrustedTime()
    time.learn(UTC, 0.0, 0.1)
    before, _ = time.at(Now(0.0, 100.1, Confidence.UNKNOWN))
    time.learn(UTC + 60, 50.0, 150.0)
    after, _ = time.at(Now(0.0, 100.1, Confidence.UNKNOWN))
    assert before == after


def test_signed_time_grows_old() -> None:
    time = TrustedTime()
    time.learn(UTC, 0.0, 0.1)
    assert time.at(Now(0.0, SIGNED_LIFE_S, Confidence.UNKNOWN))[1] is Confidence.SIGNED
    assert time.at(Now(0.0, SIGNED_LIFE_S + 1, Confidence.UNKNOWN))[1] is Confidence.UNKNOWN


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["look", "learn"]),
            st.floats(0, 5_000),
            st.floats(-1e9, 1e9),
            st.sampled_from(Confidence),
            st.floats(0, 300),
        ),
        max_size=30,
    )
)
def test_time_never_falls_below_the_newest_signed_time(
    steps: list[tuple[str, float, float, Confidence, float]],
) -> None:
    time = TrustedTime()
    mono_s = truth_s = newest_s = 0.0
    truth_s = UTC
    for what, passed_s, skew_s, confidence, round_trip_s in steps:
        mono_s += passed_s
        truth_s += passed_s
        if what == "learn":
            signed_s = float(int(truth_s - round_trip_s / 2))
            time.learn(signed_s, mono_s - round_trip_s, mono_s)
            newest_s = max(newest_s, signed_s)
        utc_s, _ = time.at(Now(truth_s + skew_s, mono_s, confidence))
        assert utc_s >= newest_s - 1e-6
        # Both bounds hold for an honest hub, whatever the wall clock says.
        assert time.low(mono_s) <= truth_s + 1e-6
        assert time.high(mono_s) >= truth_s - passed_s * DRIFT - 1e-6


def test_the_system_clock_is_lost_before_the_software_existed() -> None:
    clock = SystemClock(lambda: 1_000.0, lambda: 5.0, lambda: Confidence.RTC)
    assert clock.now() == Now(1_000.0, 5.0, Confidence.UNKNOWN)


def test_accelerated_time_is_believed_like_a_synchronised_clock() -> None:
    mono_s = 100.0
    anchors = ((100.0, UTC), (110.0, UTC + 3_600))
    clock = TempoClock(TempoReader(lambda: Tempo(anchors).encode(), lambda: mono_s))
    assert clock.now() == Now(UTC, UTC, Confidence.NTP)
    mono_s = 105.0
    assert clock.now() == Now(UTC + 1_800, UTC + 1_800, Confidence.NTP)
    assert clock.real_wait_s(360.0) == pytest.approx(1.0)


# -- three witnesses -----------------------------------------------------------------------------------------


def agreed() -> TrustedTime:
    """Wall clock and hub have agreed at monotonic 10."""
    time = TrustedTime()
    time.at(Now(UTC, 9.9, Confidence.NTP))
    assert time.learn(UTC, 9.9, 10.0)
    assert time.at(Now(UTC + 0.1, 10.0, Confidence.NTP)) == (UTC + 0.1, Confidence.NTP)
    return time


def test_a_synchronised_clock_that_is_set_back_gives_way_to_the_signed_time() -> None:
    time = agreed()
    utc_s, confidence = time.at(Now(UTC - 3_600, 70.0, Confidence.NTP))
    assert confidence is Confidence.SIGNED
    assert utc_s == pytest.approx(UTC + 60, abs=1.5)


def test_a_clock_that_runs_ahead_of_the_monotonic_one_puts_both_in_doubt_until_the_hub_speaks() -> None:
    """It was set wrong, or we were suspended and it alone went on: no station can tell."""
    time = agreed()
    assert time.at(Now(UTC + 3_660, 70.0, Confidence.NTP))[1] is Confidence.UNKNOWN
    assert time.in_doubt
    assert time.high(70.0) == float("inf")
    assert time.learn(UTC + 3_661, 70.9, 71.0)  # we were suspended
    assert time.at(Now(UTC + 3_661, 71.0, Confidence.NTP))[1] is Confidence.NTP
    time = agreed()
    time.at(Now(UTC + 3_660, 70.0, Confidence.NTP))
    assert time.learn(UTC + 61, 70.9, 71.0)  # it was set
    utc_s, confidence = time.at(Now(UTC + 3_661, 71.0, Confidence.NTP))
    assert (confidence, utc_s) == (Confidence.SIGNED, pytest.approx(UTC + 61, abs=1.5))


def test_a_suspension_is_seen_by_a_clock_that_nobody_believes_too() -> None:
    time = TrustedTime()
    time.at(Now(1e9, 10.0, Confidence.UNKNOWN))
    time.learn(UTC, 10.0, 10.1)
    assert time.at(Now(1e9 + 60, 70.0, Confidence.UNKNOWN))[1] is Confidence.SIGNED
    assert time.at(Now(1e9 + 7_260, 70.5, Confidence.UNKNOWN))[1] is Confidence.UNKNOWN


def test_a_hub_alone_against_wall_clock_and_monotonic_clock_is_not_followed() -> None:
    time = agreed()
    low_s = time.low(100.0)
    assert not time.learn(UTC + 1e8, 99.9, 100.0)
    assert not time.learn(UTC - 86_400, 100.9, 101.0)
    assert time.low(100.0) == low_s
    assert time.at(Now(UTC + 91, 101.0, Confidence.NTP)) == (UTC + 91, Confidence.NTP)


def test_a_synchronised_clock_and_a_hub_that_never_agreed_silence_the_station() -> None:
    time = TrustedTime()
    time.at(Now(UTC, 9.9, Confidence.NTP))
    assert time.learn(UTC + 1e8, 9.9, 10.0)
    assert time.at(Now(UTC + 0.1, 10.0, Confidence.NTP))[1] is Confidence.UNKNOWN


def test_a_hub_that_signed_a_time_years_ahead_heals_what_it_did_with_the_next_right_one() -> None:
    for confidence in Confidence:
        time = TrustedTime(low_s=UTC - 86_400)
        time.at(Now(UTC, 9.9, confidence))
        time.learn(UTC + 1e8, 9.9, 10.0)
        again = TrustedTime(time.low(20.0), time.floor_s)  # after a power cut
        again.at(Now(UTC + 10, 4.9, confidence))
        assert again.learn(UTC + 10, 4.9, 5.0)
        utc_s, found = again.at(Now(UTC + 10.1, 5.0, confidence))
        assert found >= Confidence.SIGNED
        assert utc_s == pytest.approx(UTC + 10, abs=1.5)
        assert again.low(5.0) <= UTC + 11


def test_a_hub_cannot_take_time_back_below_what_a_wall_clock_confirmed() -> None:
    time = agreed()
    again = TrustedTime(time.low(10.0), time.floor_s)
    assert not again.learn(UTC - 86_400, 1.0, 1.1)
    assert again.low(1.1) >= UTC
    assert not TrustedTime().learn(1_000_000_000.0, 1.0, 1.1), "before the software existed"


def test_a_battery_clock_years_beyond_the_newest_signed_time_is_not_believed_offline() -> None:
    time = TrustedTime(low_s=UTC)
    assert time.at(Now(UTC + RTC_AHEAD_MAX_S - 60, 5.0, Confidence.RTC))[1] is Confidence.RTC
    assert time.at(Now(UTC + RTC_AHEAD_MAX_S + 60, 6.0, Confidence.RTC))[1] is Confidence.UNKNOWN
    assert TrustedTime().at(Now(UTC + 1e9, 5.0, Confidence.RTC))[1] is Confidence.RTC, (
        "nothing was ever signed"
    )


def test_a_hub_some_hours_ahead_of_both_clocks_may_be_right_after_a_pause() -> None:
    """A paused machine finds wall clock and monotonic clock stopped alike: they are one witness."""
    time = agreed()
    assert time.learn(UTC + 7_261, 60.9, 61.0)
    assert time.at(Now(UTC + 51, 61.0, Confidence.NTP))[1] is Confidence.UNKNOWN
    assert time.at(Now(UTC + 7_262, 61.5, Confidence.NTP))[1] is Confidence.NTP, "its daemon has caught up"


def test_a_slow_reply_ends_no_doubt() -> None:
    time = agreed()
    assert time.at(Now(UTC + 7_260, 70.0, Confidence.NTP))[1] is Confidence.UNKNOWN
    assert time.learn(UTC + 7_100, 71.0, 300.0)
    assert time.in_doubt


def test_suspensions_add_up_also_when_the_clock_was_set_back_between_them() -> None:
    """Each is too short to notice; together they are not, whatever the wall clock was set to meanwhile."""
    time = TrustedTime()
    time.learn(UTC, 10.0, 10.5)
    said = []
    for wall_s in (UTC + 1.0, UTC + 101.0, UTC - 3e7, UTC - 3e7 + 100.0):
        said.append(time.at(Now(wall_s, 11.0, Confidence.UNKNOWN, "boot"))[1])
    assert said == [Confidence.SIGNED] * 3 + [Confidence.UNKNOWN]
    assert time.in_doubt


def test_a_clock_nobody_vouches_for_does_not_end_a_doubt() -> None:
    time = TrustedTime()
    time.learn(UTC, 10.0, 10.5)
    time.at(Now(UTC - 3e7, 11.0, Confidence.UNKNOWN, "boot"))
    for wall_s in (UTC + 400.0, UTC + 1.0):  # set ahead, and then to what the time would be without a pause
        _, confidence = time.at(Now(wall_s, 12.0, Confidence.UNKNOWN, "boot"))
        assert confidence is Confidence.UNKNOWN
    time.learn(UTC + 300, 13.0, 13.5)
    assert time.at(Now(UTC + 1.0, 14.0, Confidence.UNKNOWN, "boot"))[1] is Confidence.SIGNED
