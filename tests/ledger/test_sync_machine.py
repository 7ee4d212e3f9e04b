"""A station and its hub under every order of losses, doubles, crashes and old images that Hypothesis finds.

Invariants after every step: what is durable at either end stays (or went with a restored disk and nothing
else); the hub's copy of a log is byte for byte a beginning of what was signed; an honest station never forks;
no receipt is given for what the hub does not hold. At the end both ends converge.
"""

from __future__ import annotations

from helpers import ELSEWHERE, HERE, HUB_KEY, NODE_KEY, OFFICER_KEY, PROVINCE, LedgerPair, ack, type_of
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.log.chain import LogRef
from ledger.log.errors import ProtocolError
from ledger.log.memory_disk import Image
from ledger.log.messages import FRAME_BYTES, REQUEST_BYTES_MAX, Reply
from ledger.log.receipts import Receipt

KEPT_MAX = 8  # messages and images at hand at one time; older ones are thrown away


class SyncMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.pair = LedgerPair(seed)
        self.count = 0
        self.awaited = False  # does the station's process wait for a reply to its last request?
        self.signed: dict[tuple[bytes, int], bytes] = {}  # every segment of the station that ever existed
        self.node_has: set[bytes] = set()
        self.hub_has: set[bytes] = set()
        self.requests: list[bytes] = []
        self.replies: list[tuple[bytes, bytes]] = []
        self.node_images: list[tuple[Image, set[bytes]]] = []
        self.hub_images: list[tuple[Image, set[bytes]]] = []

    # -- what a station and its hub do -----------------------------------------------------------------------

    @rule(many=st.integers(1, 5))
    def the_station_writes(self, many: int) -> None:
        for _ in range(many):
            self.count += 1
            self.pair.node.ledger.append(NODE_KEY, ack(self.count))
            self.node_has.add(ack(self.count))

    @rule()
    def the_station_seals(self) -> None:
        self.pair.node.ledger.seal(NODE_KEY)
        self.remember_signed()

    @rule(unit=st.sampled_from([HERE, PROVINCE, ELSEWHERE]))
    def an_officer_decides(self, unit: str) -> None:
        self.count += 1
        self.pair.decide(self.count, unit)

    @rule(room=st.sampled_from([0, 1, 400, 65536]), send_max=st.sampled_from([1, 700, 262_144]))
    def the_station_asks(self, room: int, send_max: int) -> None:
        self.requests = [*self.requests, self.pair.ask(room=room, send_max=send_max)][-KEPT_MAX:]
        self.awaited = True
        self.remember_signed()

    @rule(pick=st.integers(0, KEPT_MAX - 1))
    def a_request_arrives_perhaps_again(self, pick: int) -> None:
        if self.requests:
            request = self.requests[pick % len(self.requests)]
            answered = self.pair.answer(request)
            assert answered.refused == []
            self.replies = [*self.replies, (request, answered.reply)][-KEPT_MAX:]
            self.hub_has |= set(self.pair.hub.events(NODE_KEY))
            self.check_receipts(answered.reply)

    @rule(pick=st.integers(0, KEPT_MAX - 1))
    def a_reply_arrives_perhaps_late(self, pick: int) -> None:
        if self.replies:
            request, reply = self.replies[pick % len(self.replies)]
            before = self.pair.node.dump()
            try:
                self.pair.accept(request, reply)
            except ProtocolError:
                assert request != self.requests[-1] or not self.awaited
                assert self.pair.node.dump() == before
            else:
                assert request == self.requests[-1]
                self.awaited = False

    @rule(pick=st.integers(0, KEPT_MAX - 1), flip=st.integers(0, 2**20))
    def a_changed_reply_changes_nothing(self, pick: int, flip: int) -> None:
        if self.replies:
            request, reply = self.replies[pick % len(self.replies)]
            bits = bytearray(reply)
            bits[flip // 8 % len(bits)] ^= 1 << flip % 8
            before = self.pair.node.dump()
            try:
                self.pair.accept(request, bytes(bits))
            except ProtocolError:
                assert self.pair.node.dump() == before
            else:
                raise AssertionError("a changed reply was believed")

    # -- what goes wrong -------------------------------------------------------------------------------------

    @rule()
    def the_station_loses_power(self) -> None:
        self.pair.node.crash()
        self.awaited = False

    @rule()
    def the_hub_loses_power(self) -> None:
        self.pair.hub.crash()

    @rule()
    def the_stations_card_is_copied(self) -> None:
        self.node_images = [*self.node_images, (self.pair.node.image(), set(self.node_has))][-2:]

    @rule()
    def the_hub_is_backed_up(self) -> None:
        self.hub_images = [*self.hub_images, (self.pair.hub.image(), set(self.hub_has))][-2:]

    @rule(pick=st.integers(0, 1))
    def the_station_gets_an_old_card(self, pick: int) -> None:
        if self.node_images:
            image, had = self.node_images[pick % len(self.node_images)]
            self.pair.node.restore(image)
            self.awaited = False
            self.node_has = set(had)

    @rule(pick=st.integers(0, 1))
    def the_hub_is_restored_from_a_backup(self, pick: int) -> None:
        if self.hub_images:
            image, had = self.hub_images[pick % len(self.hub_images)]
            self.pair.hub.restore(image)
            self.hub_has = set(had)

    # -- what must hold --------------------------------------------------------------------------------------

    def remember_signed(self) -> None:
        for place, raw in self.pair.node.segments(NODE_KEY).items():
            assert self.signed.setdefault(place, raw) == raw, "a range of a log was signed twice"

    def check_receipts(self, reply: bytes) -> None:
        for raw in Reply.parse(reply[FRAME_BYTES:], REQUEST_BYTES_MAX).receipts:
            receipt = Receipt.decode(raw)
            receipt.verify(HUB_KEY.verify_key)
            held = self.pair.hub.ledger.segments_of(receipt.log, 0)
            ends = {s.segment.head.next_seq: s.segment.head.hash for s in held}
            assert ends[receipt.next_seq] == receipt.head_hash

    @invariant()
    def what_is_durable_stays(self) -> None:
        assert self.node_has <= set(self.pair.node.events(NODE_KEY, pending=True))
        assert self.hub_has <= set(self.pair.hub.events(NODE_KEY))

    @invariant()
    def the_hubs_copy_is_a_beginning_of_what_was_signed(self) -> None:
        ends: dict[bytes, int] = {}
        for (log_id, first_seq), raw in self.pair.hub.segments(NODE_KEY).items():
            assert self.signed[log_id, first_seq] == raw
            assert ends.get(log_id, 0) == first_seq
            ends[log_id] = self.pair.hub.ledger.segments_of(
                LogRef(NODE_KEY.key_id, log_id), first_seq
            )[0].segment.head.next_seq  # fmt: skip

    @invariant()
    def nobody_honest_forks(self) -> None:
        assert self.pair.hub.ledger.forks() == []
        assert self.pair.node.ledger.forks() == []

    def teardown(self) -> None:
        if not hasattr(self, "pair"):
            return
        pair = self.pair
        pair.drain()
        pair.drain()
        alive = self.node_has | self.hub_has
        assert alive <= set(pair.hub.events(NODE_KEY))
        pair.assert_agreed()
        told = [e for e in pair.hub.events(OFFICER_KEY) if type_of(e) == 1 and ELSEWHERE.encode() not in e]
        assert set(told) <= set(pair.node.events(OFFICER_KEY))
        assert not any(ELSEWHERE.encode() in e for e in pair.node.events(OFFICER_KEY))
        for desk in (pair.node, pair.hub):
            desk.store.close()


SyncMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAStationAndItsHubConverge = SyncMachine.TestCase
