"""The vocabulary: what is encoded comes back; whatever else arrives is Malformed with a reason."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import (
    Acknowledged,
    Approved,
    Attested,
    BoardShown,
    Cancelled,
    ClockStepped,
    ClustersListed,
    DaySummary,
    DirectiveIssued,
    DirectiveRead,
    Drafted,
    EmergencyOrdered,
    EmergencyProposed,
    Evidence,
    FeedbackAnswered,
    FeedbackReceived,
    Granted,
    KeyOffered,
    Klass,
    LogOpened,
    Malformed,
    OfferAnswered,
    Outcome,
    ProgrammeArranged,
    QuietHoursSet,
    Refused,
    Returned,
    Revoked,
    Right,
    RootsSet,
    Rotated,
    Scheduled,
    StationRegistered,
    Submitted,
    UnitMerged,
    WithdrawalSeen,
    acceptable_text,
    pack_pairs,
    parse,
    peek_type,
)
from ledger.facts.fields import Kind
from ledger.log import codec
from ledger.log.errors import CodecError

SECONDS = st.integers(0, (1 << 40) - 1)
DAYS = st.integers(0, 65_535)
MINUTES = st.integers(0, 1439)
SERIES = st.integers(1, (1 << 31) - 1)
IDS = st.binary(min_size=16, max_size=16)
HASHES = st.binary(min_size=32, max_size=32)
UNITS = st.sampled_from(["vn", "vn.yb", "vn.yb.04630", "vn.yb.04630.c12"])
COUNTS = st.integers(0, (1 << 53) - 1)
KEY_IDS = st.binary(min_size=8, max_size=8)
SEQS = st.integers(0, (1 << 63) - 1)
PAIRS = st.dictionaries(KEY_IDS.filter(any), SEQS, max_size=5).map(pack_pairs)
CHARS = st.characters(exclude_categories=["Cs"])


def text(low: int, high: int) -> st.SearchStrategy[str]:
    return st.text(CHARS, min_size=low, max_size=min(high, 60))


def ordered(low: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(low, low).map(lambda pair: (min(pair), max(pair)))


def content(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda ts, b, v, m, title, cat, klass, unit, days: kind(ts, b, v, m, title, cat, klass, unit, *days),
        SECONDS, IDS, st.integers(1, 65_535), HASHES, text(1, 200), text(0, 64), st.sampled_from(Klass),
        UNITS, ordered(DAYS),
    )  # fmt: skip


FACTS: dict[type[Kind], st.SearchStrategy[Any]] = {
    Approved: content(Approved),
    Drafted: content(Drafted),
    Scheduled: st.builds(
        Scheduled, SECONDS, SERIES, IDS, HASHES, DAYS, st.binary(min_size=1, max_size=46), MINUTES,
        st.integers(1, 14_400), UNITS, st.integers(0, 3), st.integers(0, 86_400), st.integers(0, 1),
        st.none() | text(0, 500),
    ),
    EmergencyOrdered: st.builds(
        lambda ts, series, kind, level, drill, m, words, unit, begin, life, plays: EmergencyOrdered(
            ts, series, kind, level, drill, m, words, unit, begin, begin + life, plays
        ),
        SECONDS, SERIES, text(1, 32), st.integers(1, 3), st.booleans(), HASHES, text(0, 2000), UNITS,
        st.integers(0, 1 << 39), st.integers(1, 86_400), st.integers(1, 100),
    ),
    EmergencyProposed: st.builds(
        lambda ts, series, kind, level, drill, m, words, unit, begin, life, plays, why: EmergencyProposed(
            ts, series, kind, level, drill, m, words, unit, begin + life, plays, int(bool(why)), begin, why
        ),
        SECONDS, SERIES, text(1, 32), st.integers(1, 3), st.booleans(), HASHES, text(0, 2000), UNITS,
        st.integers(0, 1 << 39), st.integers(0, 86_400), st.integers(1, 100), text(0, 500),
    ),
    Cancelled: st.one_of(
        st.builds(Cancelled, SECONDS, st.just(0), IDS, st.none(), UNITS, text(0, 500)),
        st.builds(Cancelled, SECONDS, st.just(1), st.none(), SERIES, UNITS, text(0, 500)),
    ),
    QuietHoursSet: st.builds(QuietHoursSet, SECONDS, UNITS, MINUTES, MINUTES),
    Submitted: st.builds(Submitted, SECONDS, IDS, st.integers(1, 65_535), HASHES),
    Returned: st.builds(Returned, SECONDS, IDS, st.integers(1, 65_535), text(0, 500)),
    StationRegistered: st.builds(
        StationRegistered, SECONDS, UNITS, text(1, 120), st.sampled_from(["it", "fm"])
    ),
    Acknowledged: st.builds(
        Acknowledged, SECONDS, SERIES, DAYS, IDS, st.integers(-(1 << 31) + 1, (1 << 31) - 1),
        st.integers(0, 864_000), st.sampled_from(Outcome), st.integers(0, 255), st.sampled_from(Evidence),
        st.integers(0, 100), st.none() | st.binary(min_size=1, max_size=64),
    ),
    DaySummary: st.builds(
        DaySummary, SECONDS, DAYS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.none() | HASHES
    ),
    ClockStepped: st.builds(ClockStepped, SECONDS, SECONDS, SECONDS, text(0, 64)),
    Refused: st.builds(Refused, SECONDS, IDS, text(1, 64)),
    WithdrawalSeen: st.one_of(
        st.builds(WithdrawalSeen, SECONDS, st.just(0), IDS, st.integers(0, 1)),
        st.builds(WithdrawalSeen, SECONDS, SERIES, st.none(), st.integers(0, 1)),
    ),
    OfferAnswered: st.one_of(
        st.builds(
            OfferAnswered, SECONDS, SERIES, st.none() | DAYS, st.integers(0, 1), st.none(), UNITS,
            text(0, 500),
        ),
        st.builds(OfferAnswered, SECONDS, SERIES, st.none() | DAYS, st.just(2), MINUTES, UNITS, text(0, 500)),
    ),
    ProgrammeArranged: st.builds(
        lambda ts, unit, day, series: ProgrammeArranged(
            ts, unit, day, b"".join(one.to_bytes(4, "big") for one in series)
        ),
        SECONDS, UNITS, DAYS, st.lists(SERIES, min_size=1, max_size=64, unique=True),
    ),
    DirectiveIssued: st.builds(
        DirectiveIssued, SECONDS, IDS, st.sampled_from(["directive", "document"]), text(0, 64), text(1, 120),
        DAYS, text(1, 200), text(0, 1000), text(0, 64), st.none() | HASHES, UNITS, st.none() | DAYS,
    ),
    Attested: st.builds(
        Attested, SECONDS, UNITS, SERIES, DAYS, IDS, st.sampled_from(Outcome), st.integers(0, 255),
        st.none() | SECONDS, st.integers(0, 864_000), st.integers(0, 2), text(0, 120),
    ),
    FeedbackAnswered: st.builds(
        FeedbackAnswered, SECONDS, IDS, UNITS, st.integers(0, 1), text(0, 2000), st.none() | IDS
    ),
    DirectiveRead: st.builds(DirectiveRead, SECONDS, IDS, HASHES, UNITS),
    FeedbackReceived: st.builds(FeedbackReceived, SECONDS, IDS, text(0, 64), text(1, 2000), text(0, 120)),
    KeyOffered: st.builds(
        KeyOffered, SECONDS, HASHES, st.binary(min_size=64, max_size=64), text(1, 120), st.integers(1, 16_383)
    ),
    BoardShown: st.builds(
        BoardShown, SECONDS, text(1, 32), IDS, IDS, HASHES, DAYS, st.integers(0, 86_400),
        st.sampled_from(Outcome), st.integers(0, 255),
    ),
    ClustersListed: st.builds(
        ClustersListed,
        SECONDS,
        st.lists(text(1, 60).filter(lambda name: "\n" not in name), max_size=90).map("\n".join),
    ),
    Granted: st.builds(
        lambda ts, pub, classes, unit, window, depth, label: Granted(
            ts, pub, classes, unit, window[0], window[1], depth, label
        ),
        SECONDS, HASHES, st.integers(1, 1023).map(Right), UNITS, ordered(SECONDS), st.integers(0, 4),
        text(0, 120),
    ),
    Rotated: st.builds(
        Rotated, SECONDS, UNITS, HASHES, st.binary(min_size=64, max_size=64), KEY_IDS, KEY_IDS, SEQS, PAIRS
    ),
    Revoked: st.builds(Revoked, SECONDS, KEY_IDS, UNITS, KEY_IDS, KEY_IDS, SEQS, PAIRS, text(0, 120)),
    UnitMerged: st.builds(
        lambda ts, day, name: UnitMerged(ts, "vn.yb.a", "vn.yb.n" if name else None, day, name or None),
        SECONDS, DAYS, text(0, 120),
    ),
    RootsSet: st.builds(
        RootsSet, SECONDS, UNITS, st.binary(min_size=1, max_size=200),
        st.integers(1, 3).flatmap(lambda n: st.binary(min_size=72 * n, max_size=72 * n)),
    ),
}  # fmt: skip

EXAMPLES: list[Kind] = [
    Approved(1, bytes(16), 1, bytes(32), "Phòng cháy", "an toàn", 2, "vn.yb", 10, 20),
    Scheduled(1, 7, bytes(16), bytes(32), 10, b"\x7f", 1020, 600, "vn.yb", 2, 600, 0, None),
    EmergencyOrdered(1, 8, "lũ quét", 3, False, bytes(32), "Sơ tán ngay", "vn.yb", 100, 200, 3),
    Cancelled(1, 1, None, 7, "vn.yb", "sai giờ"),
    QuietHoursSet(1, "vn.yb", 1290, 300),
    Drafted(1, bytes(16), 1, bytes(32), "Phòng cháy", "an toàn", 2, "vn.yb", 10, 20),
    Submitted(1, bytes(16), 1, bytes(32)),
    Returned(1, bytes(16), 1, "thiếu nguồn"),
    StationRegistered(1, "vn.yb.04630", "Tú Lệ", "it"),
    Acknowledged(1, 7, 10, bytes(16), -3, 2870, 1, 0, 3, 80, None),
    DaySummary(1, 10, 12, 1, 30, 2, 4096, 65536, None),
    ClockStepped(1, 5, 900, "ntp"),
    Refused(1, bytes(16), "no-authority"),
    WithdrawalSeen(1, 0, bytes(16), 1),
    Granted(1, bytes(32), 2, "vn.yb", 0, 10, 0, "Duyệt"),
    Rotated(1, "vn.yb", bytes(32), bytes(64), bytes(8), bytes(8), 0, b"log-id-8" + bytes(8)),
    Revoked(1, bytes(8), "vn.yb", bytes(8), bytes(8), 0, b"", "mất máy"),
    RootsSet(1, "vn", b"statement", bytes(72)),
    OfferAnswered(1, 7, None, 0, None, "vn.yb.04630", "trùng lễ"),
    ProgrammeArranged(1, "vn.yb.04630", 10, bytes(3) + b"\x07"),
    DirectiveIssued(
        1, bytes(16), "directive", "15/CV", "Sở", 10, "Tuyên truyền", "", "", bytes(32), "vn.yb", None
    ),
    Attested(1, "vn.yb.04630", 7, 10, bytes(16), 1, 0, 1, 10, 1, "Hà Thị Mai"),
    FeedbackAnswered(1, bytes(16), "vn.yb.04630", 0, "đã sửa", None),
    DirectiveRead(1, bytes(16), bytes(32), "vn.yb.04630"),
    FeedbackReceived(1, bytes(16), "đường", "sạt lở", ""),
    KeyOffered(1, bytes(32), bytes(64), "Hà Thị Mai", 15),
    BoardShown(1, "km5", bytes(16), bytes(16), bytes(32), 10, 60, 1, 0),
    ClustersListed(1, "Bản Chao\nBản Pom"),
    EmergencyProposed(1, 8, "lũ quét", 3, False, bytes(32), "Sơ tán", "vn.yb", 200, 3, 1, 150, "không ai"),
]
MERGED = UnitMerged(1, "vn.yb.a", "vn.yb.n", 20_270, "Xã Mới")
EXAMPLES.append(MERGED)
PROPOSED = next(one for one in EXAMPLES if isinstance(one, EmergencyProposed))
NUMBERS = {*range(1, 26), 64, 65, 66, 67, 68}


def test_every_kind_has_its_own_number_and_an_example() -> None:
    assert {type(example).TYPE for example in EXAMPLES} == NUMBERS == {kind.TYPE for kind in FACTS}


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_what_is_encoded_is_parsed_back_to_the_same_fact(kind: type[Kind], data: st.DataObject) -> None:
    fact = data.draw(FACTS[kind])
    event = fact.encode()
    assert parse(event) == fact
    assert peek_type(event) == kind.TYPE
    assert parse(event).encode() == event  # type: ignore[union-attr]


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_malformed_and_never_an_error(event: bytes) -> None:
    found = parse(event)
    if isinstance(found, Malformed):
        assert found.event == event
        assert found.reason
    peek_type(event)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=40)
    | st.text(CHARS, max_size=20)
)


@given(
    st.sampled_from(sorted(NUMBERS | {0, 17, 65, 66, 67, 80, 81, 99})),
    st.lists(VALUES, min_size=1, max_size=14),
)
def test_a_canonical_event_of_any_values_is_a_fact_or_malformed(
    number: int, values: list[codec.Value]
) -> None:
    event = codec.encode((number, *values))
    found = parse(event)
    assert peek_type(event) == number
    assert isinstance(found, Malformed) or found.encode() == event


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(EXAMPLES), st.data())
def test_a_field_of_another_type_is_named_in_the_reason(example: Kind, data: st.DataObject) -> None:
    values = list(codec.decode(example.encode()))
    index = data.draw(st.integers(1, len(values) - 1))
    wrong = {int: b"", bytes: 7, str: 7, bool: 1, type(None): 1.5}[type(values[index])]
    names = ["ts", *type(example).CHECKS]
    name = names[index - 1]
    if wrong == 1.5:
        wrong = True
    found = parse(codec.encode([*values[:index], wrong, *values[index + 1 :]]))  # type: ignore[list-item]
    assert found == Malformed(found.event, "bad-" + name.replace("_", "-"))  # type: ignore[union-attr]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_a_field_too_many_or_too_few_is_an_arity_and_no_error(example: Kind) -> None:
    values = codec.decode(example.encode())
    for other in (values[:-1], (*values, 0)):
        assert parse(codec.encode(other)) == Malformed(codec.encode(other), "bad-arity")


OUT_OF_RANGE: list[tuple[Kind, dict[str, Any], str]] = [
    (EXAMPLES[0], {"ts": -1}, "bad-ts"),
    (EXAMPLES[0], {"bulletin": bytes(15)}, "bad-bulletin"),
    (EXAMPLES[0], {"version": 0}, "bad-version"),
    (EXAMPLES[0], {"manifest": bytes(31)}, "bad-manifest"),
    (EXAMPLES[0], {"title": ""}, "bad-title"),
    (EXAMPLES[0], {"title": "a" * 201}, "bad-title"),
    (EXAMPLES[0], {"klass": 5}, "bad-klass"),
    (EXAMPLES[0], {"klass": True}, "bad-klass"),
    (EXAMPLES[0], {"territory": ""}, "bad-territory"),
    (EXAMPLES[0], {"territory": "vn.Yên Bái"}, "bad-territory"),
    (EXAMPLES[0], {"valid_from_day": 21}, "backward-validity"),
    (EXAMPLES[1], {"series": 0}, "bad-series"),
    (EXAMPLES[1], {"series": 1 << 31}, "bad-series"),
    (EXAMPLES[1], {"days": b""}, "bad-days"),
    (EXAMPLES[1], {"days": bytes(47)}, "bad-days"),
    (EXAMPLES[1], {"minute": 1440}, "bad-minute"),
    (EXAMPLES[1], {"length_s": 0}, "bad-length-s"),
    (EXAMPLES[1], {"klass": Klass.EMERGENCY}, "bad-klass"),
    (EXAMPLES[1], {"on_interrupt": 3}, "bad-on-interrupt"),
    (EXAMPLES[2], {"level": 0}, "bad-level"),
    (EXAMPLES[2], {"level": 4}, "bad-level"),
    (EXAMPLES[2], {"drill": 1}, "bad-drill"),
    (EXAMPLES[2], {"text": "a" * 2001}, "bad-text"),
    (EXAMPLES[2], {"expires_at": 100}, "backward-validity"),
    (EXAMPLES[2], {"expires_at": 100 + 86_401}, "too-long-validity"),
    (EXAMPLES[2], {"max_plays": 0}, "bad-max-plays"),
    (EXAMPLES[3], {"target": 2}, "bad-target"),
    (EXAMPLES[3], {"target": 0}, "bad-target"),
    (EXAMPLES[3], {"bulletin": bytes(16)}, "bad-target"),
    (EXAMPLES[3], {"series": None}, "bad-target"),
    (EXAMPLES[4], {"from_minute": 1440}, "bad-from-minute"),
    (EXAMPLES[8], {"kind": "am"}, "bad-kind"),
    (EXAMPLES[9], {"outcome": 10}, "bad-outcome"),
    (EXAMPLES[9], {"evidence": 6}, "bad-evidence"),
    (EXAMPLES[9], {"volume": 101}, "bad-volume"),
    (EXAMPLES[9], {"clusters": b""}, "bad-clusters"),
    (EXAMPLES[13], {"series": 3}, "bad-target"),
    (EXAMPLES[14], {"classes": 0}, "bad-classes"),
    (EXAMPLES[14], {"depth": 5}, "bad-depth"),
    (EXAMPLES[14], {"not_after": 0, "not_before": 1}, "backward-validity"),
    (EXAMPLES[15], {"possession": bytes(63)}, "bad-possession"),
    (EXAMPLES[15], {"hub_seq": -1}, "bad-hub-seq"),
    (EXAMPLES[15], {"exceptions": bytes(16)}, "bad-exceptions"),
    (EXAMPLES[16], {"subject": bytes(9)}, "bad-subject"),
    (EXAMPLES[16], {"exceptions": b"log-id-8" * 3}, "bad-exceptions"),
    (EXAMPLES[17], {"statement": b""}, "bad-statement"),
    (EXAMPLES[17], {"signatures": bytes(71)}, "bad-signatures"),
    (EXAMPLES[17], {"signatures": bytes(73)}, "bad-signatures"),
    (MERGED, {"into": "vn.yb"}, "bad-into"),
    (MERGED, {"into": "vn.yb.a.b"}, "bad-into"),
    (MERGED, {"into": None}, "bad-name"),
    (MERGED, {"name": None}, "bad-name"),
    (PROPOSED, {"step": 3}, "bad-step"),
    (PROPOSED, {"reason": ""}, "bad-reason"),
    (PROPOSED, {"step": 0}, "bad-reason"),
    (PROPOSED, {"open_until": 201}, "backward-validity"),
    (PROPOSED, {"expires_at": 151 + 86_400}, "too-long-validity"),
]


@pytest.mark.parametrize(("example", "change", "reason"), OUT_OF_RANGE)
def test_what_we_would_not_apply_we_do_not_sign(example: Kind, change: dict[str, Any], reason: str) -> None:
    wrong = dataclasses.replace(example, **change)
    with pytest.raises(CodecError) as refused:
        wrong.encode()
    assert refused.value.code == reason
    assert parse(codec.encode(wrong.values())) == Malformed(codec.encode(wrong.values()), reason)


def test_an_unknown_type_is_kept_as_malformed() -> None:
    for number in (26, 63, 69, 79, 127, 128, 255, 256, 1 << 40):
        event = codec.encode((number, 0))
        assert parse(event) == Malformed(event, "unknown-type")
    event = codec.encode(("1", 0))
    assert parse(event) == Malformed(event, "bad-type")


def test_bytes_that_are_no_event_carry_the_codecs_reason() -> None:
    assert parse(b"") == Malformed(b"", "codec-size")
    assert parse(b"\x81\x01\x02") == Malformed(b"\x81\x01\x02", "codec-not-array")
    not_shortest = b"\x92\xcc\x01\x00"
    assert parse(not_shortest) == Malformed(not_shortest, "codec-not-shortest")


def test_the_logs_own_events_are_facts_too() -> None:
    opened = LogOpened(1, 0, bytes(8), 0, bytes(32), 1, "loa/0.1.0")
    assert parse(opened.encode()) == opened
    wrong = codec.encode((0, 1, 0, bytes(7), 0, bytes(32), 1, "loa/0.1.0"))
    assert isinstance(parse(wrong), Malformed)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Ngày Pháp luật Việt Nam", None),
        ("", "empty"),
        ("   ", "empty"),
        ("a" * 201, "too-long"),
        ("Nga\u0300y Pháp luật", "not-nfc"),
        ("Phòng\x00cháy", "control-character"),
        ("Phòng\ncháy", "control-character"),
        ("Phòng\u2028cháy", "control-character"),
        ("duyệt \u202eđã", "bidi-character"),
        ("a\u200bb", "invisible-character"),
        ("\ud800", "surrogate"),
        (" Phòng cháy", "outer-space"),
    ],
)
def test_a_title_that_reads_differently_from_what_it_is_is_not_acceptable(
    words: str, reason: str | None
) -> None:
    assert acceptable_text(words, 200) == reason


def test_a_body_may_have_lines() -> None:
    assert acceptable_text("Dòng một\nDòng hai\n", 200, lines=True) is None
    assert acceptable_text("Dòng một\r\n", 200, lines=True) == "control-character"
