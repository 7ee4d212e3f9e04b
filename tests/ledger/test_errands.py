"""A round by hand: requests that outlive restarts, replies in pages, and what a stick may do to them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256

import pytest
from helpers import (
    AUDIENCES,
    ELSEWHERE,
    HUB_KEY,
    NODE_KEY,
    OFFICER_KEY,
    OTHER_KEY,
    LedgerPair,
    PowerCut,
    ack,
    decision,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log import LogRef, ProtocolError, SignatureError, UnknownKeyError, errands, record_arrivals, seal
from ledger.log.errands import (
    Carried,
    Errand,
    accept_errand,
    answer_errand,
    make_errand,
    read_errand,
    to_carry,
)
from ledger.log.messages import FRAME_BYTES, Reply, Request
from ledger.log.sync import CURSOR


class Post(LedgerPair):
    """Station and hub, and a stick in the test's hand."""

    def send(self) -> tuple[bytes, list[bytes]]:
        """(request, segments) as a station's stick has them."""
        request = make_errand(self.node.ledger, NODE_KEY, nonce=self.rng.randbytes(8), now=self.now())
        return request, list(to_carry(self.node.ledger, NODE_KEY.key_id))

    def take_in(self, segments: Sequence[bytes]) -> None:
        opened = self.hub.ledger.open_all(segments)
        with self.hub.ledger.transaction():
            admissions = self.hub.ledger.admit_all(opened, source="usb")
            record_arrivals(self.hub.ledger, HUB_KEY, admissions, now=self.now())

    def reply(self, request: bytes) -> Errand:
        return answer_errand(
            self.hub.ledger, HUB_KEY, request, now=self.now(), audiences_of=lambda key_id: AUDIENCES
        )

    def carried(self, errand: Errand) -> dict[bytes, bytes]:
        raws = [self.hub.ledger.tables.segment_at(at)[1] for at in errand.positions]
        return {sha256(raw).digest(): raw for raw in raws}

    def receive(self, errand: Errand, lost: Sequence[bytes] = ()) -> Carried:
        on_stick = {sha: raw for sha, raw in self.carried(errand).items() if sha not in lost}
        replies = list(errand.replies)
        random.Random(len(replies)).shuffle(replies)  # where they lie on the stick says nothing
        return accept_errand(self.node.ledger, NODE_KEY, HUB_KEY.verify_key, replies, on_stick.get)

    def trip(self) -> Carried:
        request, segments = self.send()
        self.take_in(segments)
        self.node.boot()
        self.hub.boot()
        return self.receive(self.reply(request))

    def decisions(self) -> list[bytes]:
        return self.node.events(OFFICER_KEY)


def test_a_trip_brings_reports_up_and_decisions_and_receipts_down_over_restarts_of_both() -> None:
    post = Post()
    for n in range(5):
        post.node.ledger.append(NODE_KEY, ack(n))
    wanted = [post.decide(n) for n in range(4)]
    carried = post.trip()
    assert carried.missing == 0
    assert len(carried.accepted.receipts) == 1
    assert post.decisions() == wanted
    assert len(post.hub.events(NODE_KEY)) == 5
    post.assert_agreed()


def test_the_next_trip_carries_only_what_is_new() -> None:
    post = Post()
    post.node.ledger.append(NODE_KEY, ack(1))
    post.decide(1)
    post.trip()
    post.decide(2)
    request, segments = post.send()
    assert segments == []
    errand = post.reply(request)
    assert len(errand.positions) == 1
    post.receive(errand)
    assert len(post.decisions()) == 2


def test_stick_and_network_take_turns_without_loss_or_repetition() -> None:
    post = Post()
    for n in range(6):
        post.node.ledger.append(NODE_KEY, ack(n))
        post.decide(n)
        if n % 2:
            post.trip()
        else:
            post.drain()
    assert len(post.decisions()) == 6
    assert len(post.hub.events(NODE_KEY)) == 6
    post.drain()
    post.assert_agreed()


def test_an_answer_counts_once() -> None:
    post = Post()
    post.decide(1)
    request, _ = post.send()
    errand = post.reply(request)
    post.receive(errand)
    before = post.node.dump()
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(errand)
    assert post.node.dump() == before


def test_an_answer_counts_once_even_when_it_brought_nothing_and_nothing_stands_otherwise() -> None:
    post = Post()
    post.decide(1)
    post.drain()  # by network, so that this very process of the hub is known already
    errand = post.reply(post.send()[0])
    assert post.receive(errand).accepted.admitted == 0
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(errand)


def test_a_newer_answer_to_the_same_request_may_be_taken_when_the_older_stick_was_lost() -> None:
    post = Post()
    post.decide(1)
    request, _ = post.send()
    post.reply(request)  # this stick is lost
    post.decide(2)
    post.receive(post.reply(request))
    assert len(post.decisions()) == 2


def test_an_answer_is_void_once_the_network_was_quicker() -> None:
    post = Post()
    post.decide(1)
    request, _ = post.send()
    errand = post.reply(request)
    post.decide(2)
    post.drain()
    before = post.node.dump()
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(errand)
    assert post.node.dump() == before
    assert len(post.decisions()) == 2


def test_two_sticks_on_the_road_and_the_first_to_come_back_counts() -> None:
    post = Post()
    first, _ = post.send()
    post.node.boot()
    second, _ = post.send()
    post.decide(1)
    earlier, later = post.reply(first), post.reply(second)
    post.receive(earlier)
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(later)
    assert len(post.decisions()) == 1


def test_only_the_last_few_sticks_are_waited_for() -> None:
    post = Post()
    requests = [post.send()[0] for _ in range(errands.ERRANDS_MAX + 1)]
    post.decide(1)
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(post.reply(requests[0]))
    post.receive(post.reply(requests[1]))


def test_each_request_is_later_than_the_one_before_whatever_the_clock_says() -> None:
    post = Post()
    times = []
    for clock in (5_000, 100, 100, 9_000, 0):
        post.clock = clock
        times.append(read_errand(post.node.ledger, post.send()[0])[1].sent_at)
    assert times == sorted(set(times))


def test_a_request_that_the_network_waits_for_is_not_disturbed_by_a_stick() -> None:
    post = Post()
    post.decide(1)
    request = post.ask()
    post.send()
    post.accept(request, post.answer(request).reply)
    assert len(post.decisions()) == 1


# -- what does not count -------------------------------------------------------------------------------------


def hostile_replies() -> dict[str, tuple[Post, list[bytes]]]:
    """Name → (a station that waits, replies that are no answer to it)."""
    made: dict[str, tuple[Post, list[bytes]]] = {}
    for name in ("another station's", "another hub's", "changed", "of the network", "none"):
        post = Post()
        post.decide(1)
        request, _ = post.send()
        if name == "another station's":
            asked = Request.parse(request[FRAME_BYTES:]).sign(OTHER_KEY)
            replies = list(post.reply(asked).replies)
        elif name == "another hub's":
            said = Reply.parse(post.reply(request).replies[0][FRAME_BYTES:], 1 << 20)
            replies = [said.sign(OTHER_KEY, request)]
        elif name == "changed":
            raw = post.reply(request).replies[0]
            replies = [raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :] for at in range(len(raw))]
        elif name == "of the network":
            asked = post.ask()
            replies = [post.answer(asked).reply]
        else:
            replies = []
        made[name] = post, replies
    return made


@pytest.mark.parametrize("name", list(hostile_replies()))
def test_a_reply_changes_nothing_that_is(name: str) -> None:
    post, replies = hostile_replies()[name]
    before = post.node.dump()
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        accept_errand(post.node.ledger, NODE_KEY, HUB_KEY.verify_key, replies, lambda sha: None)
    assert post.node.dump() == before


def test_a_reply_made_for_a_stick_says_nothing_on_the_network() -> None:
    post = Post()
    post.decide(1)
    errand = post.reply(post.send()[0])
    request = post.ask()
    before = post.node.dump()
    for raw in errand.replies:
        with pytest.raises(ProtocolError, match="reply-signature"):
            post.accept(request, raw)
    assert post.node.dump() == before


def test_a_receipt_for_another_request_refuses_the_whole_reply() -> None:
    post = Post()
    post.node.ledger.append(NODE_KEY, ack(1))
    old, segments = post.send()
    post.take_in(segments)
    receipts = Reply.parse(post.reply(old).replies[0][FRAME_BYTES:], 1 << 20).receipts
    request, _ = post.send()
    said = Reply.parse(post.reply(request).replies[0][FRAME_BYTES:], 1 << 20)
    assert receipts
    mixed = Reply(**{n: getattr(said, n) for n in said.__slots__} | {"receipts": receipts}).sign(
        HUB_KEY, request
    )
    before = post.node.dump()
    with pytest.raises(ProtocolError, match="receipt-nonce"):
        accept_errand(post.node.ledger, NODE_KEY, HUB_KEY.verify_key, [mixed], lambda sha: None)
    assert post.node.dump() == before


def test_a_hub_refuses_what_no_station_of_it_signed() -> None:
    post = Post()
    request, _ = post.send()
    with pytest.raises(SignatureError):
        read_errand(post.hub.ledger, request[:-1] + bytes((request[-1] ^ 1,)))
    stranger = Request.parse(request[FRAME_BYTES:]).sign(type(NODE_KEY).from_seed(b"s" * 32))
    with pytest.raises(UnknownKeyError):
        read_errand(post.hub.ledger, stranger)
    with pytest.raises(ProtocolError, match="errand-segments"):
        read_errand(post.hub.ledger, post.ask())


# -- damage --------------------------------------------------------------------------------------------------


def test_decisions_are_taken_up_to_the_first_that_is_missing_and_the_rest_comes_next_time_in_order() -> None:
    post = Post()
    wanted = [post.decide(n) for n in range(6)]
    post.node.ledger.append(NODE_KEY, ack(1))
    request, segments = post.send()
    post.take_in(segments)
    errand = post.reply(request)
    third = list(post.carried(errand))[2]
    carried = post.receive(errand, lost=[third])
    assert carried.missing == len(errand.positions) - 2
    assert len(carried.accepted.receipts) == 1, "receipts do not suffer from a missing decision"
    held = post.decisions()
    assert held == wanted[: len(held)]
    assert len(held) < len(wanted)
    post.trip()
    assert post.decisions() == wanted, "in the order of the hub"


def test_a_segment_that_is_not_the_one_named_is_missing() -> None:
    post = Post()
    post.decide(1)
    errand = post.reply(post.send()[0])
    (other,) = [decision(7)]
    carried = accept_errand(
        post.node.ledger, NODE_KEY, HUB_KEY.verify_key, errand.replies, lambda sha: other
    )  # fmt: skip
    assert carried.missing == len(errand.positions)
    assert post.decisions() == []
    assert post.node.ledger.get(CURSOR) is None


def test_a_thiefs_segment_beside_the_answer_is_not_taken_even_where_it_would_fill_a_hole() -> None:
    """The station is sent decisions 1 and 3 of the log; the thief has the key and writes another 2."""
    post = Post()
    post.decide(1)
    hidden = post.decide(2, ELSEWHERE)
    post.decide(3)
    request, _ = post.send()
    errand = post.reply(request)
    logs = post.hub.ledger.frontier(OFFICER_KEY.key_id)
    (log,) = [ref for ref, head in logs.items() if head.next_seq > 2]
    before, after = (post.hub.ledger.segments_of(log, seq)[0].segment.head for seq in (1, 3))
    forged = seal(OFFICER_KEY, log.log_id, before.next_seq, before.hash, [decision(99)])
    assert forged.head.next_seq == after.first_seq
    lying_there = post.carried(errand) | {sha256(forged.raw).digest(): forged.raw}
    accept_errand(
        post.node.ledger, NODE_KEY, HUB_KEY.verify_key, [*errand.replies, forged.raw], lying_there.get
    )
    assert len(post.decisions()) == 2
    assert decision(99) not in post.decisions()
    assert hidden not in post.decisions()


def test_many_decisions_come_in_pages_and_none_can_be_left_out() -> None:
    post = Post()
    with post.hub.ledger.transaction():
        wanted = [post.decide(n) for n in range(600)]
    post.node.ledger.append(NODE_KEY, ack(1))
    request, segments = post.send()
    post.take_in(segments)
    errand = post.reply(request)
    assert len(errand.replies) >= 3
    assert [len(Reply.parse(raw[FRAME_BYTES:], 1 << 20).receipts) for raw in errand.replies] == [1, 0, 0]
    raws = post.carried(errand)

    def take(replies: Sequence[bytes]) -> Carried:
        return accept_errand(post.node.ledger, NODE_KEY, HUB_KEY.verify_key, replies, raws.get)

    image = post.node.image()
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        take(errand.replies[1:])
    assert post.decisions() == []
    take([errand.replies[0], errand.replies[2]])
    assert post.decisions() == wanted[: len(post.decisions())]
    assert 0 < len(post.decisions()) < 300
    post.node.restore(image)
    take(errand.replies)
    assert post.decisions() == wanted
    post.drain()
    assert post.decisions() == wanted


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_whatever_is_lost_on_the_way_later_trips_bring_everything_in_order(
    lost: list[int], seed: int
) -> None:
    post = Post(seed)
    wanted: list[bytes] = []
    for n in range(3):
        wanted += [post.decide(10 * n + k) for k in range(3)]
        post.node.ledger.append(NODE_KEY, ack(n))
        request, segments = post.send()
        post.take_in([raw for k, raw in enumerate(segments) if k not in lost])
        errand = post.reply(request)
        names = list(post.carried(errand))
        post.receive(errand, lost=[names[k] for k in lost if k < len(names)])
        assert post.decisions() == wanted[: len(post.decisions())]
    post.trip()
    post.trip()
    assert post.decisions() == wanted
    assert len(post.hub.events(NODE_KEY)) == 3
    post.assert_agreed()


# -- power and old cards -------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_the_power_may_go_at_every_statement_of_taking_in_an_answer(after: bool) -> None:
    at = 1
    while True:
        post = Post()
        post.node.ledger.append(NODE_KEY, ack(1))
        wanted = [post.decide(n) for n in range(3)]
        request, segments = post.send()
        post.take_in(segments)
        errand = post.reply(request)
        post.node.fuse.arm(at, after=after)
        try:
            post.receive(errand)
        except PowerCut:
            post.node.crash()
            assert post.decisions() in ([], wanted), "all or nothing"
            if not post.decisions():
                post.receive(errand)  # the stick is still here
        else:
            assert post.node.fuse.disarm() > 10
            break
        assert post.decisions() == wanted
        post.assert_agreed()
        at += 1


def test_a_station_restored_from_an_old_card_takes_no_answer_to_a_request_it_forgot() -> None:
    post = Post()
    image = post.node.image()
    post.decide(1)
    request, _ = post.send()
    errand = post.reply(request)
    post.node.restore(image)
    with pytest.raises(ProtocolError, match="reply-unawaited"):
        post.receive(errand)
    post.trip()
    assert len(post.decisions()) == 1


def test_a_hub_restored_from_a_backup_gets_back_by_stick_what_it_had_receipted_by_stick() -> None:
    post = Post()
    post.node.ledger.append(NODE_KEY, ack(1))
    image = post.hub.image()
    post.trip()
    post.assert_agreed()
    post.hub.restore(image)
    for _ in range(3):
        post.trip()
    assert len(post.hub.events(NODE_KEY)) == 1
    post.assert_agreed()


def test_what_a_station_sends_needs_nothing_that_the_hub_holds() -> None:
    post = Post()
    for n in range(4):
        post.node.ledger.append(NODE_KEY, ack(n))
        post.node.ledger.seal(NODE_KEY)
    _, segments = post.send()
    assert [raw[:4] for raw in segments] == [b"\xd7LS\x01"] * 4
    post.take_in(segments[:1] + segments[2:])  # one was damaged
    (head,) = post.hub.ledger.frontier(NODE_KEY.key_id).values()
    assert head.next_seq < post.node.ledger.frontier(NODE_KEY.key_id)[LogRef(*head.log)].next_seq
    post.take_in(segments[1:2])
    assert len(post.hub.events(NODE_KEY)) == 4
