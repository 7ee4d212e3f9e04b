"""Acknowledgments told against the plan: they come back byte for byte, or are not told that way at all."""

from __future__ import annotations

from typing import Any

import pytest
from facts_desk import LAW_DAY, NOW, OFFICER, PROVINCE, TU_LE, XUAN_AI, Room, approved, scheduled
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import AckCoder, Acknowledged, Detail, Evidence, Facts, Outcome, at, slots
from ledger.facts.transit import PLAIN, ZIPPED
from ledger.log import CodecError, encode
from ledger.log.varint import put, zigzag

DAYS = range(LAW_DAY, LAW_DAY + 5)
MINUTES = (330, 660, 1020, 1021, 1140)


def room() -> Room:
    """A plan of five slots a day for five days."""
    found = Room()
    found.grant("root", "lead", OFFICER, PROVINCE)
    for number, minute in enumerate(MINUTES, start=1):
        found.say("lead", approved(number))
        found.say(
            "lead", scheduled(1000 + number, number, minute=minute, days=list(DAYS), length_s=60 * number)
        )
    return found


FACTS = room().facts
PLAN = list(slots(FACTS, TU_LE, at(LAW_DAY, 0), at(LAW_DAY + 5, 0)))


def ack(slot: Any = None, **fields: Any) -> bytes:
    """An acknowledgment of a slot played to the second and in full, but for what `fields` says."""
    slot = slot or PLAN[0]
    values: dict[str, Any] = {
        "series": slot.series, "day": slot.day, "content": slot.manifest[:16], "jitter_cs": 140,
        "played_ds": slot.length_s * 10, "outcome": int(Outcome.PLAYED), "detail": 0,
        "evidence": int(Evidence.SIGNAL_PRESENT), "volume": 80, "clusters": None,
    } | fields  # fmt: skip
    values.setdefault("ts", max(0, slot.start_s + values["jitter_cs"] // 100))
    return Acknowledged(**values).encode()


coder = AckCoder(FACTS, TU_LE)


def test_the_plan_has_the_slots_that_these_tests_speak_of() -> None:
    assert len(PLAN) == 25


def test_a_day_as_planned_costs_little_more_than_its_deviations() -> None:
    events = [ack(slot, jitter_cs=100 + 7 * n) for n, slot in enumerate(PLAN)]
    packed = coder.pack(events)
    assert packed is not None
    assert coder.unpack(packed, len(events)) == events
    assert len(packed) < 2 * len(events) + 30
    assert sum(map(len, events)) > 12 * len(packed)


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"content": b"x" * 16},
        {"outcome": int(Outcome.MISSED), "detail": int(Detail.POWER), "played_ds": 0},
        {"jitter_cs": -1}, {"jitter_cs": 32_767}, {"jitter_cs": -32_768}, {"jitter_cs": 32_768},
        {"jitter_cs": 2**31 - 1}, {"ts": 0}, {"ts": NOW}, {"played_ds": 0}, {"played_ds": 864_000},
        {"volume": 0}, {"clusters": b"\x01"}, {"clusters": b"c" * 64}, {"series": 7}, {"series": 2**31 - 1},
        {"day": 0}, {"day": LAW_DAY - 1}, {"day": LAW_DAY + 400},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_unusual_comes_back(fields: dict[str, Any]) -> None:
    events = [ack(), ack(**fields), ack(PLAN[2]), ack(PLAN[1]), ack(PLAN[24])]
    packed = coder.pack(events)
    assert packed is not None
    assert coder.unpack(packed, len(events)) == events


acks = st.builds(
    lambda slot, fields: ack(slot, **fields),
    st.sampled_from(PLAN),
    st.fixed_dictionaries(
        {},
        optional={
            "ts": st.integers(0, 2**32), "series": st.integers(1, 2**31 - 1), "day": st.integers(0, 30_000),
            "content": st.binary(min_size=16, max_size=16), "jitter_cs": st.integers(-(2**31) + 1, 2**31 - 1),
            "played_ds": st.integers(0, 864_000), "outcome": st.integers(0, 9), "detail": st.integers(0, 255),
            "evidence": st.integers(0, 5), "volume": st.integers(0, 100),
            "clusters": st.none() | st.binary(min_size=1, max_size=64),
        },
    ),
)  # fmt: skip
others = st.builds(lambda n: encode((4096, n, "khác")), st.integers(0, 2**40))


@given(st.lists(acks | others, max_size=60))
def test_any_events_come_back_or_are_not_packed(events: list[bytes]) -> None:
    packed = coder.pack(events)
    if packed is not None:
        assert coder.unpack(packed, len(events)) == events
    assert (packed is None) == (not any(event[1] == Acknowledged.TYPE for event in events))


def test_events_that_only_look_like_acknowledgments_travel_as_they_are() -> None:
    odd = encode((Acknowledged.TYPE, NOW, "odd"))
    assert coder.pack([odd]) is None
    packed = coder.pack([ack(), odd])
    assert packed is not None
    assert coder.unpack(packed, 2) == [ack(), odd]


def test_with_another_plan_other_events_come_out_or_none() -> None:
    events = [ack(slot) for slot in PLAN]
    packed = coder.pack(events)
    assert packed is not None
    for other in (AckCoder(FACTS, XUAN_AI), AckCoder(Facts([]), TU_LE)):
        try:
            assert other.unpack(packed, len(events)) != events or other._unit == XUAN_AI
        except CodecError:
            continue


@given(st.binary(max_size=200), st.integers(1, 40))
def test_any_bytes_give_that_many_events_or_a_codec_error(junk: bytes, count: int) -> None:
    try:
        assert len(coder.unpack(junk, count)) == count
    except CodecError:
        return


def plain(flags: bytes, lows: bytes = b"", highs: bytes = b"", more: bytes = b"") -> bytes:
    return bytes((PLAIN,)) + flags + lows + highs + more


def numbers(*values: int) -> bytes:
    out = bytearray()
    for value in values:
        put(out, value)
    return bytes(out)


FIRST = numbers(zigzag(LAW_DAY), 1, 1, 0, 4, 80, 0)  # day, place, kind, volume


@pytest.mark.parametrize(
    ("packed", "count", "code"),
    [
        (b"", 1, "varint-truncated"),
        (b"\x02", 1, "acks-mode"),
        (bytes((ZIPPED,)) + b"\x05abcde", 1, "zstd-frame"),
        (bytes((ZIPPED,)) + b"\x04abc", 1, "varint-truncated"),
        (plain(b"\x00"), 2, "varint-truncated"),
        (plain(b"\x03"), 1, "varint-truncated"),
        (plain(b"\x03", b"\x00", b"\x00", b"\x00"), 1, "acks-flags"),
        (plain(b"\x02", b"\x00", b"\x00", FIRST[:4]), 1, "acks-kind"),
        (plain(b"\x0a", b"\x00", b"\x00", FIRST[:7]), 1, "acks-volume"),
        (plain(b"\x8a", b"\x00", b"\x00", FIRST + b"\x00"), 1, "varint-trailing"),
        (plain(b"\x8a", b"\x00", b"\x00", numbers(zigzag(LAW_DAY), 99)), 1, "varint-range"),
        (plain(b"\x01", b"", b"", numbers(9000)), 1, "varint-range"),
        (
            plain(b"\xaa", b"\x00", b"\x00", numbers(zigzag(LAW_DAY), 1, 1, 0, 4, 2**64 - 1)),
            1,
            "varint-truncated",
        ),
    ],
)
def test_bytes_that_nobody_packs_are_refused_by_name(packed: bytes, count: int, code: str) -> None:
    with pytest.raises(CodecError) as refused:
        coder.unpack(packed, count)
    assert refused.value.code == code
