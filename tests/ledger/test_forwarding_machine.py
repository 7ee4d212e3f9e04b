"""Stations, hub, central and one floor above under every order of losses, doubles, crashes and old images.

Invariants after every step, at each floor: a journal names nothing that is not here; every segment is one
that was signed, byte for byte; nobody honest forks; a receipt given to a hub is true of what it names. At
the end the floor above holds exactly what the floor below does, in its order, nothing twice.
"""

from __future__ import annotations

from forward_desk import CENTRAL_KEY, Chain, Floor, codes
from helpers import ELSEWHERE, HERE, HUB_KEY, PROVINCE
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledger.log.errors import ProtocolError
from ledger.log.forwarding import history_of
from ledger.log.memory_disk import Image
from ledger.log.messages import FRAME_BYTES, REQUEST_BYTES_MAX, Reply
from ledger.log.receipts import Receipt

KEPT_MAX = 4  # requests and replies on their way that may still arrive
FLOORS = st.sampled_from(["hub", "central"])


class ForwardingMachine(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        self.chain = Chain(seed)
        self.count = 0
        self.requests: dict[str, list[bytes]] = {"hub": [], "central": []}
        self.replies: dict[str, list[tuple[bytes, bytes]]] = {"hub": [], "central": []}
        self.images: dict[str, list[Image]] = {"hub": [], "central": []}
        self.signed: dict[tuple[bytes, bytes, int], bytes] = {}
        self.restored = False

    def pair(self, name: str) -> tuple[Floor, Floor]:
        """A floor that forwards, and the one above it."""
        chain = self.chain
        return (chain.hub, chain.central) if name == "hub" else (chain.central, chain.world)

    # -- what people and machines do -------------------------------------------------------------------------

    @rule(count=st.integers(1, 3), other=st.booleans())
    def a_station_reports(self, count: int, other: bool) -> None:
        desk = self.chain.other if other else self.chain.node
        self.count += count
        self.chain.write(*range(self.count - count, self.count), desk=desk)
        self.chain.station_round(desk)

    @rule(unit=st.sampled_from([HERE, PROVINCE, ELSEWHERE]), above=st.booleans())
    def an_officer_decides(self, unit: str, above: bool) -> None:
        self.count += 1
        self.chain.decide(self.count, unit, at=self.chain.central if above else self.chain.hub)

    @rule(name=FLOORS, room=st.sampled_from([0, 1, 65536]), send_max=st.sampled_from([1, 700, 700_000]))
    def a_floor_asks(self, name: str, room: int, send_max: int) -> None:
        request = self.pair(name)[0].ask(room=room, send_max=send_max)
        self.requests[name] = [*self.requests[name], request][-KEPT_MAX:]

    @rule(name=FLOORS, pick=st.integers(0, KEPT_MAX - 1))
    def a_request_arrives_perhaps_again(self, name: str, pick: int) -> None:
        if self.requests[name]:
            request = self.requests[name][pick % len(self.requests[name])]
            high = self.pair(name)[1]
            answered = high.answer(request)
            assert set(codes(answered)) <= {"forward-missing", "parked-full"} | TRANSIT
            self.check_receipts(high, answered.reply)
            self.replies[name] = [*self.replies[name], (request, answered.reply)][-KEPT_MAX:]

    @rule(name=FLOORS, pick=st.integers(0, KEPT_MAX - 1))
    def a_reply_arrives_perhaps_late(self, name: str, pick: int) -> None:
        if self.replies[name]:
            request, reply = self.replies[name][pick % len(self.replies[name])]
            low = self.pair(name)[0]
            before = low.dump()
            try:
                low.forwarder.accept(request, reply)
            except ProtocolError:
                assert low.dump() == before

    @rule(name=FLOORS)
    def a_round_goes_well(self, name: str) -> None:
        self.chain.round(*self.pair(name))

    # -- what goes wrong -------------------------------------------------------------------------------------

    @rule(which=st.sampled_from(["node", "other", "hub", "central", "world"]))
    def somebody_loses_power(self, which: str) -> None:
        getattr(self.chain, which).crash()

    @rule(name=FLOORS)
    def a_backup_is_made(self, name: str) -> None:
        self.images[name] = [*self.images[name], self.pair(name)[0].image()][-2:]

    @rule(name=FLOORS, pick=st.integers(0, 1))
    def a_floor_is_restored_from_a_backup(self, name: str, pick: int) -> None:
        if self.images[name]:
            self.pair(name)[0].restore(self.images[name][pick % len(self.images[name])])
            self.restored = True

    # -- what must hold --------------------------------------------------------------------------------------

    def check_receipts(self, high: Floor, reply: bytes) -> None:
        for raw in Reply.parse(reply[FRAME_BYTES:], REQUEST_BYTES_MAX).receipts:
            receipt = Receipt.decode(raw)
            receipt.verify(high.key.verify_key)
            held = high.ledger.segments_of(receipt.log, 0)
            ends = {s.segment.head.next_seq: s.segment.head.hash for s in held}
            assert ends[receipt.next_seq] == receipt.head_hash
            numbers = [n for s in held for n in range(s.segment.head.first_seq, s.segment.head.next_seq)]
            assert numbers == list(range(numbers[-1] + 1)), "a receipt for a log with a hole"

    @invariant()
    def a_journal_names_nothing_that_is_not_here(self) -> None:
        if hasattr(self, "chain"):
            chain = self.chain
            for floor, key in ((chain.central, HUB_KEY), (chain.world, HUB_KEY), (chain.world, CENTRAL_KEY)):
                assert all(line.stored is not None for line in history_of(floor.ledger, key.key_id))

    @invariant()
    def every_segment_is_one_that_was_signed_and_nobody_forks(self) -> None:
        if hasattr(self, "chain"):
            chain = self.chain
            for desk in (chain.node, chain.other, chain.hub, chain.central, chain.world):
                for stored in desk.ledger.since(0):
                    head = stored.segment.head
                    place = (head.key_id, head.log_id, head.first_seq)
                    assert self.signed.setdefault(place, stored.segment.raw) == stored.segment.raw
                assert desk.ledger.forks() == []

    def teardown(self) -> None:
        if hasattr(self, "chain"):
            chain = self.chain
            chain.settle()
            chain.assert_forwarded(restored=self.restored)
            chain.assert_forwarded(chain.central, chain.world, restored=self.restored)
            for desk in (chain.node, chain.other):
                reports = [raw for _, raw in sorted(desk.segments(desk.key).items())]
                assert set(reports) <= set(chain.world.raws().values())
            for desk in (chain.node, chain.other, chain.hub, chain.central, chain.world):
                desk.store.close()


TRANSIT = {"transit-prev", "transit-mismatch"}
ForwardingMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestWhateverIsLostCentralEndsWithTheHubsJournal = ForwardingMachine.TestCase
