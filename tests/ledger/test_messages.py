"""The shape of requests and replies, field by field: what a signed body may hold and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from helpers import HUB_KEY, NODE_KEY
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.codec import INT_MIN, pack
from ledger.log.errors import ProtocolError
from ledger.log.messages import (
    CLAIMS_MAX,
    REQUEST_BYTES_MAX,
    ROOM_BYTES_MAX,
    SEGMENTS_MAX,
    SEQ_MAX,
    STATUS_BYTES_MAX,
    Claim,
    Refusal,
    Reply,
    Request,
)

LOG, HASH = b"log-id-8", b"h" * 32
NONCE, SENT_AT, HEADS, CURSOR, CURSOR_HASH, ROOM, STATUS, SEGMENTS = range(1, 9)
HUB_TIME, HUB_LOG, RECEIPTS, LESS, REFUSED, SEEN, SEEN_HASH, MORE, FEED = range(1, 10)
REQUEST: list[Any] = [1, b"nonce-08", 7, [[LOG, 1, HASH]], 5, b"trail-08", 65536, b"status", [b"segment"]]
REPLY: list[Any] = [
    1, 7, b"hub-log8", [b"r" * 164], [[LOG, 0]], [[LOG, 0, "code"]], 5, b"trail-08", True, [b"segment"],
]  # fmt: skip


def a_request(body: bytes) -> Request:
    return Request.parse(body)


def a_reply(body: bytes) -> Reply:
    return Reply.parse(body, REQUEST_BYTES_MAX)


def code_of(parse: Callable[[bytes], object], tree: Any) -> str:
    with pytest.raises(ProtocolError) as refused:
        parse(pack(tree, depth_max=8))
    return refused.value.code.partition("-")[2]


def with_field(tree: list[Any], index: int, value: object) -> list[Any]:
    return [*tree[:index], value, *tree[index + 1 :]]


def test_the_good_ones_are_read_as_they_were_written() -> None:
    request = Request(b"nonce-08", 7, (Claim(LOG, 1, HASH),), 5, b"trail-08", 65536, b"status", (b"segment",))
    assert a_request(pack(REQUEST)) == request
    assert Request.open(request.sign(NODE_KEY), lambda _: NODE_KEY.verify_key) == (NODE_KEY.key_id, request)
    reply = Reply(
        7, b"hub-log8", (b"r" * 164,), ((LOG, 0),), (Refusal(LOG, 0, "code"),), 5, b"trail-08", True,
        (b"segment",),
    )  # fmt: skip
    assert a_reply(pack(REPLY)) == reply
    assert Reply.open(reply.sign(HUB_KEY, b"q"), b"q", HUB_KEY.verify_key, 4096) == reply


@pytest.mark.parametrize(
    ("index", "value"),
    [(SENT_AT, INT_MIN), (SENT_AT, SEQ_MAX), (HEADS, [[LOG, SEQ_MAX, HASH[:8]]]), (ROOM, 0),
     (ROOM, ROOM_BYTES_MAX),
     (HEADS, [[b"%08d" % n, 1, HASH] for n in range(CLAIMS_MAX)]), (STATUS, b"s" * STATUS_BYTES_MAX),
     (SEGMENTS, [b""] * SEGMENTS_MAX), (CURSOR, SEQ_MAX)],
)  # fmt: skip
def test_a_request_may_hold_what_its_limits_allow(index: int, value: object) -> None:
    a_request(pack(with_field(REQUEST, index, value)))


@pytest.mark.parametrize(
    ("index", "value"),
    [(NONCE, "nonce-08"), (NONCE, b"nonce-009"), (SENT_AT, True), (SENT_AT, b"now"),
     (HEADS, 5), (HEADS, b""), (HEADS, [5]), (HEADS, [b"abc"]), (HEADS, [[LOG, 1]]),
     (HEADS, [[LOG, 1, HASH, 0]]),
     (HEADS, [["log-id-8", 1, HASH]]), (HEADS, [[LOG + b"9", 1, HASH]]), (HEADS, [[LOG, 0, HASH]]),
     (HEADS, [[LOG, True, HASH]]), (HEADS, [[LOG, "1", HASH]]), (HEADS, [[LOG, 1, "h" * 32]]),
     (HEADS, [[LOG, 1, "h" * 8]]), (HEADS, [[LOG, 1, b""]]), (HEADS, [[LOG, 1, HASH], [LOG, 2, HASH]]),
     (HEADS, [[b"%08d" % n, 1, HASH] for n in range(CLAIMS_MAX + 1)]),
     (CURSOR, True), (CURSOR, -1), (CURSOR, 0), (CURSOR_HASH, b""), (CURSOR_HASH, "trail-08"),
     (CURSOR_HASH, b"short"),
     (ROOM, True), (ROOM, -1), (ROOM, ROOM_BYTES_MAX + 1), (STATUS, "status"), (STATUS, None),
     (STATUS, b"s" * (STATUS_BYTES_MAX + 1)), (SEGMENTS, [5]), (SEGMENTS, ["segment"]), (SEGMENTS, [[]]),
     (SEGMENTS, b""),
     (SEGMENTS, [b""] * (SEGMENTS_MAX + 1))],
)  # fmt: skip
def test_a_request_may_hold_nothing_else(index: int, value: object) -> None:
    assert code_of(a_request, with_field(REQUEST, index, value)) == "shape"


@pytest.mark.parametrize(
    ("index", "value"),
    [(HUB_TIME, True), (HUB_TIME, -1), (HUB_LOG, "hub-log8"), (HUB_LOG, b"hub-log"),
     (RECEIPTS, b""), (RECEIPTS, [b"r" * 163]), (RECEIPTS, ["r" * 164]),
     (RECEIPTS, [b"r" * 164] * (CLAIMS_MAX + 1)),
     (LESS, 5), (LESS, [5]), (LESS, [b"ab"]), (LESS, [[LOG]]), (LESS, [[LOG, 0, 0]]),
     (LESS, [["log-id-8", 0]]),
     (LESS, [[b"log", 0]]), (LESS, [[LOG, -1]]), (LESS, [[LOG, True]]), (LESS, [[LOG, "0"]]),
     (LESS, [[LOG, 0]] * (CLAIMS_MAX + 1)),
     (REFUSED, [[LOG, 0]]), (REFUSED, [["log-id-8", 0, "code"]]), (REFUSED, [[b"log", 0, "code"]]),
     (REFUSED, [[LOG, -1, "code"]]), (REFUSED, [[LOG, True, "code"]]), (REFUSED, [[LOG, "0", "code"]]),
     (REFUSED, [[LOG, 0, b"code"]]), (REFUSED, [[LOG, 0, "c" * 33]]),
     (REFUSED, [[LOG, 0, "c"]] * (SEGMENTS_MAX + 1)),
     (SEEN, True), (SEEN, 0), (SEEN, -1), (SEEN_HASH, b""), (SEEN_HASH, "trail-08"), (MORE, 1), (MORE, None),
     (FEED, [5]), (FEED, ["segment"]), (FEED, [b""] * (SEGMENTS_MAX + 1))],
)  # fmt: skip
def test_a_reply_may_hold_nothing_else(index: int, value: object) -> None:
    assert code_of(a_reply, with_field(REPLY, index, value)) == "shape"


@pytest.mark.parametrize(
    ("parse", "good"), [(a_request, REQUEST), (a_reply, REPLY)], ids=["request", "reply"]
)
def test_a_body_is_an_array_of_its_fields_in_its_version(
    parse: Callable[[bytes], object], good: list[Any]
) -> None:
    for tree in ([], 5, b"", "text", None, [1], good[:-1], [*good, 0]):
        assert code_of(parse, tree) == "shape", tree
    for version in (0, 2, True, None, b"\1", "1", [1]):
        assert code_of(parse, with_field(good, 0, version)) == "version", version
    for tree in ([[[[1]]]], with_field(good, 1, [[[[]]]]), [1, *range(8192)]):
        assert code_of(parse, tree) == "codec"


@given(st.data())
def test_any_tree_of_the_right_length_is_read_or_refused(data: st.DataObject) -> None:
    """Whoever signs may sign anything: no value in any place ends in another error than ours."""
    values = st.recursive(
        st.none()
        | st.booleans()
        | st.integers(INT_MIN, SEQ_MAX)
        | st.binary(max_size=40)
        | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=6,
    )
    for parse, good in ((a_request, REQUEST), (a_reply, REPLY)):
        tree = with_field(good, data.draw(st.integers(0, len(good) - 1)), data.draw(values))
        try:
            parse(pack(tree, depth_max=8))
        except ProtocolError as refused:
            assert refused.code.partition("-")[2] in ("shape", "version", "codec")  # noqa: PT017


def test_a_request_larger_than_a_hub_reads_is_not_signed() -> None:
    fits = Request(b"nonce-08", 7, (), 0, b"", 0, b"", (bytes(REQUEST_BYTES_MAX - 120),))
    assert len(fits.sign(NODE_KEY)) <= REQUEST_BYTES_MAX
    with pytest.raises(ProtocolError) as refused:
        Request(b"nonce-08", 7, (), 0, b"", 0, b"", (bytes(REQUEST_BYTES_MAX - 100),)).sign(NODE_KEY)
    assert (refused.value.code, refused.value.status) == ("request-size", 413)
