"""Proofs of single events: every event of every segment can be shown, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log import codec, keys, merkle
from ledger.log.errors import CodecError, LimitError, LoaError, SegmentError, UnknownKeyError
from ledger.log.keys import SigningKey
from ledger.log.proof import PROOF_BYTES_MAX, Proof, check, prove
from ledger.log.segment import Segment, SegmentHead, seal

KEY = SigningKey.from_seed(b"a station's seed for these tests")
TRUSTED = {KEY.key_id: KEY.verify_key}.get
LOG = b"log-id-8"


def sealed(count: int, first_seq: int = 0) -> Segment:
    prev = bytes(32) if first_seq == 0 else b"\1" * 32
    return seal(KEY, LOG, first_seq, prev, [codec.encode([16, 1667955600 + n, n]) for n in range(count)])


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 100, 256])
def test_every_event_of_a_segment_can_be_proven(count: int) -> None:
    segment = sealed(count, first_seq=7)
    for index in range(count):
        read = Proof.decode(prove(segment, index).encode())
        check(read, TRUSTED)
        assert (read.event, read.seq) == (segment.events[index], 7 + index)


def test_a_signed_event_that_is_no_event_can_be_proven_like_any_other() -> None:
    segment = seal(KEY, LOG, 0, bytes(32), [b"\xc1 no msgpack", codec.encode([16, 0])])
    check(Proof.decode(prove(segment, 0).encode()), TRUSTED)


def test_the_largest_proof_fits_its_bound() -> None:
    events = [b"\x92\0\0"] * 4095 + [b"x" * 8192]
    segment = seal(KEY, LOG, 0, bytes(32), events)
    largest = prove(segment, 4095).encode()
    check(Proof.decode(largest), TRUSTED)
    assert len(largest) == PROOF_BYTES_MAX


def test_a_lone_decision_proves_itself_in_little_more_than_its_segment() -> None:
    segment = sealed(1)
    assert len(prove(segment, 0).encode()) <= len(segment.raw)


def test_every_single_bit_of_a_proof_counts() -> None:
    data = prove(sealed(5), 3).encode()
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((SegmentError, CodecError)):
            check(Proof.decode(bytes(flipped)), TRUSTED)


def test_a_proof_cut_anywhere_is_refused() -> None:
    data = prove(sealed(5), 3).encode()
    for end in range(len(data)):
        with pytest.raises(CodecError):
            Proof.decode(data[:end])


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_proof_or_refused(data: bytes) -> None:
    try:
        check(Proof.decode(data), TRUSTED)
    except LoaError:
        return
    pytest.fail("random bytes proved something")


fields = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.binary(max_size=120),
    st.lists(st.binary(max_size=33), max_size=13),
    st.none(),
    st.booleans(),
    st.text(max_size=5),
)


@settings(max_examples=300)
@given(st.integers(0, 5), fields)
def test_a_proof_with_any_field_replaced_is_refused(place: int, value: object) -> None:
    proof = prove(sealed(5), 3)
    parts: list[object] = [1, proof.head.encode(), proof.signature, 3, proof.event, list(proof.path)]
    if parts[place] == value and type(parts[place]) is type(value):
        return
    parts[place] = value
    with pytest.raises(LoaError):
        check(Proof.decode(codec.pack(parts)), TRUSTED)  # type: ignore[arg-type]


def test_a_stranger_proves_nothing() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        check(prove(sealed(2), 0), lambda _: None)
    assert caught.value.code == "key-unknown"
    assert caught.value.retry


def test_a_signed_head_beyond_the_limits_proves_nothing() -> None:
    """Not only `decode` looks at the head: a proof may come from a database."""
    event = b"\x92\0\0"
    head = SegmentHead(KEY.key_id, LOG, 0, 1, 2, bytes(32), merkle.leaf(KEY.key_id, LOG, 0, event))
    proof = Proof(head, KEY.sign(keys.SEGMENT, head.encode()), 0, event, ())
    with pytest.raises(LimitError) as caught:
        check(proof, TRUSTED)
    assert caught.value.code == "head-raw-len"
    with pytest.raises(LimitError):
        Proof.decode(proof.encode())


def test_a_proof_is_bound_to_its_segment() -> None:
    one, other = prove(sealed(4), 1), prove(sealed(4, first_seq=9), 1)
    assert one.event == other.event
    with pytest.raises(SegmentError) as caught:
        check(dataclasses.replace(one, head=other.head, signature=other.signature), TRUSTED)
    assert caught.value.code == "root-mismatch"
