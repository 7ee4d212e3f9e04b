"""Trusted time: what the wall clock says, what the hub signed, and which of them a station plays by."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.tempo import Tempo, TempoReader
from node import Confidence, Now, SystemClock, TempoClock, TrustedTime
from node.clock import DRIFT, SIGNED_LIFE_S

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
