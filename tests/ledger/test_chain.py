"""Chains: a log grows in one line, and two lines of one log are evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log import codec
from ledger.log.chain import Head, LogRef, conflict, extend
from ledger.log.errors import ForkError, GapError
from ledger.log.keys import SigningKey
from ledger.log.segment import Segment, SegmentHead, open_segment, seal

KEY = SigningKey.from_seed(b"a station's seed for these tests")
LOG, OTHER_LOG = b"log-id-8", b"log-id-9"


def event(n: int) -> bytes:
    return codec.encode([16, 1667955600, n])


def history(cuts: list[int], log_id: bytes = LOG) -> list[Segment]:
    """One honest log: the events 0, 1, 2, … cut into segments of these sizes."""
    made: list[Segment] = []
    seq, prev = 0, bytes(32)
    for size in cuts:
        made.append(seal(KEY, log_id, seq, prev, [event(seq + n) for n in range(size)]))
        seq, prev = made[-1].head.next_seq, made[-1].head.hash
    return made


cuts = st.lists(st.integers(1, 4), min_size=1, max_size=5)


@given(cuts)
def test_an_honest_log_extends_segment_by_segment(sizes: list[int]) -> None:
    head: Head | None = None
    for segment in history(sizes):
        head = extend(head, open_segment(segment.raw, {KEY.key_id: KEY.verify_key}.get).head)
        assert head == Head(LogRef(KEY.key_id, LOG), segment.head.next_seq, segment.head.hash)
    assert head is not None
    assert head.next_seq == sum(sizes)


@given(cuts)
def test_no_two_segments_of_an_honest_log_are_evidence(sizes: list[int]) -> None:
    heads = [segment.head for segment in history(sizes)]
    assert not any(conflict(one, other) for one in heads for other in heads)


@given(cuts, cuts)
def test_the_same_events_cut_in_two_ways_are_evidence(one: list[int], other: list[int]) -> None:
    """Segments are never re-cut: two ways to cut one log cannot both come from an honest author."""
    first, second = history(one), history(other)
    pairs = [conflict(a.head, b.head) for a in first for b in second]
    shared = min(len(one), len(other))
    if one[:shared] == other[:shared]:
        assert not any(pairs)
    else:
        assert "fork-overlap" in pairs


def test_a_missing_segment_is_a_gap_and_worth_another_try() -> None:
    first, _, third = history([1, 2, 1])
    head = extend(None, first.head)
    with pytest.raises(GapError) as caught:
        extend(head, third.head)
    assert caught.value.retry
    assert caught.value.what == "events 1 to 2 are missing"
    with pytest.raises(GapError):
        extend(None, third.head)


def test_a_segment_recut_by_its_own_author_is_a_fork() -> None:
    honest, recut = history([1, 3]), history([1, 2])
    head = extend(extend(None, honest[0].head), honest[1].head)
    with pytest.raises(ForkError) as caught:
        extend(head, recut[1].head)
    assert caught.value.code == "fork-overlap"
    assert not caught.value.retry
    assert conflict(honest[1].head, recut[1].head) == "fork-overlap"


def test_a_segment_that_names_another_predecessor_is_a_fork() -> None:
    first, second = history([2, 1])
    head = Head(LogRef(KEY.key_id, LOG), 2, b"\1" * 32)
    with pytest.raises(ForkError) as caught:
        extend(head, second.head)
    assert caught.value.code == "fork-broken-link"
    liar = seal(KEY, LOG, 2, b"\1" * 32, [event(2)])
    assert conflict(first.head, liar.head) == conflict(liar.head, first.head) == "fork-broken-link"


def test_a_second_beginning_is_a_fork_of_its_log_and_no_fork_of_another() -> None:
    head = extend(None, history([2])[0].head)
    with pytest.raises(ForkError):
        extend(head, history([1])[0].head)
    elsewhere = history([1], OTHER_LOG)[0].head
    assert extend(None, elsewhere).log == LogRef(KEY.key_id, OTHER_LOG)
    assert conflict(history([2])[0].head, elsewhere) is None


heads = st.builds(
    SegmentHead,
    key_id=st.just(KEY.key_id),
    log_id=st.sampled_from([LOG, OTHER_LOG]),
    first_seq=st.integers(0, 6),
    count=st.integers(1, 4),
    raw_len=st.just(12),
    prev=st.sampled_from([bytes(32), b"\1" * 32]),
    root=st.sampled_from([b"\2" * 32, b"\3" * 32]),
)


@given(heads, heads)
def test_a_contradiction_is_one_from_either_side(one: SegmentHead, other: SegmentHead) -> None:
    assert conflict(one, other) == conflict(other, one)
    assert conflict(one, one) is None


@given(heads, heads)
def test_what_extends_a_log_is_no_evidence_against_it_and_a_fork_is(
    one: SegmentHead, other: SegmentHead
) -> None:
    if one.log_id != other.log_id or one == other:
        return
    head = Head(LogRef(one.key_id, one.log_id), one.next_seq, one.hash)
    try:
        extend(head, other)
    except GapError:
        assert other.first_seq > one.next_seq
    except ForkError:
        # A head before `one` may overlap an earlier segment instead; against `one` alone it may stay silent.
        assert conflict(one, other) or other.next_seq <= one.first_seq
    else:
        assert conflict(one, other) is None


def test_a_log_is_named_in_hex() -> None:
    assert str(LogRef(b"\x01" * 8, b"\xab" * 8)) == "0101010101010101/abababababababab"
