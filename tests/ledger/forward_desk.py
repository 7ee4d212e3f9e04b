"""Stations, their hub, its superior and the superior's superior, over the real ledgers.

`Chain` has two stations at the lowest floor and three floors above them. A floor forwards to the one above by
the real `Forwarder` and answers the one below by the real `answer`; what is lost between them, doubled or
restored is in the test's hand.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from helpers import (
    ELSEWHERE,
    HERE,
    HUB_KEY,
    NODE_KEY,
    OFFICER_KEY,
    OTHER_KEY,
    PROVINCE,
    Desk,
    ack,
    audience_of,
    decision,
    type_of,
)

from ledger.log.answering import answer
from ledger.log.forwarding import Forwarder, audiences_here, history_of
from ledger.log.keys import SigningKey
from ledger.log.store import Ledger
from ledger.log.sync import Accepted, Answer, accept_reply, make_request
from ledger.log.witnessed import WitnessedLedger

CENTRAL_KEY = SigningKey.from_seed(b"central of the nation, for tests")
WORLD_KEY = SigningKey.from_seed(b"a floor above central, for tests")
MINISTER_KEY = SigningKey.from_seed(b"officer of the ministry, tests..")
KEYS = (NODE_KEY, OTHER_KEY, HUB_KEY, OFFICER_KEY, CENTRAL_KEY, WORLD_KEY, MINISTER_KEY)
FORWARDERS = {HUB_KEY.key_id: PROVINCE, CENTRAL_KEY.key_id: "vn"}
STATIONS = {NODE_KEY.key_id: HERE, OTHER_KEY.key_id: ELSEWHERE}


class Box(Desk):
    """A station that knows everybody."""

    def boot(self) -> Ledger:
        super().boot()
        self.ledger.trust(MINISTER_KEY.verify_key)
        return self.ledger


class Floor(Desk):
    """A hub on its disk: answers those below, forwards to the one above."""

    def __init__(
        self, key: SigningKey, above: SigningKey | None, entropy: Callable[[int], bytes],
        now: Callable[[], int], known: Sequence[SigningKey] = KEYS,
    ) -> None:  # fmt: skip
        self._above, self._known = above, known
        super().__init__(key, entropy, now)

    def boot(self) -> Ledger:
        self.ledger = WitnessedLedger(
            self.store.open_db("ledger.db"), hub_key=self.key, entropy=self._entropy, now=self._now,
            audience_of=audience_of,
        )  # fmt: skip
        for key in self._known:
            self.ledger.trust(key.verify_key)
        if self._above is not None:
            self.forwarder = Forwarder(self.ledger, self.key, self._above.verify_key)
        return self.ledger

    def ask(self, **limits: int) -> bytes:
        return self.forwarder.request(nonce=self._entropy(8), now=self._now(), **limits)

    def answer(self, request: bytes) -> Answer:
        return answer(
            self.ledger, self.key, request, now=self._now(), audiences_of=self.audiences_of,
            forwards=FORWARDERS.__contains__,
        )  # fmt: skip

    def audiences_of(self, key_id: bytes) -> list[str] | None:
        unit = STATIONS.get(key_id) or FORWARDERS.get(key_id)
        if unit is None:
            return None
        above = [".".join(unit.split(".")[: n + 1]) for n in range(unit.count(".") + 1)]
        if key_id in STATIONS:
            return above
        inside = [name for name in audiences_here(self.ledger) if name.startswith(unit + ".")]
        return sorted({*above, *inside})

    def raws(self, *, but: bytes = b"") -> dict[bytes, bytes]:
        """head hash → bytes of every segment here, those of the key `but` left out."""
        return {
            s.segment.head.hash: s.segment.raw for s in self.ledger.since(0) if s.segment.head.key_id != but
        }

    def journal(self, key: SigningKey) -> list[bytes]:
        """The head hashes that this key's journal names as held here, the first time each, in its order."""
        return list(dict.fromkeys(line.named.head_hash for line in history_of(self.ledger, key.key_id)))


class Chain:
    """Two stations, a hub, central, and one above; `now` goes on by itself."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.clock = 1_667_955_600
        self.node = Box(NODE_KEY, self.rng.randbytes, self.now)
        self.other = Box(OTHER_KEY, self.rng.randbytes, self.now)
        self.hub = Floor(HUB_KEY, CENTRAL_KEY, self.rng.randbytes, self.now)
        self.central = Floor(CENTRAL_KEY, WORLD_KEY, self.rng.randbytes, self.now)
        self.world = Floor(WORLD_KEY, None, self.rng.randbytes, self.now)

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def write(self, *numbers: int, desk: Desk | None = None, filler: bytes = b"") -> None:
        desk = desk or self.node
        for n in numbers:
            desk.ledger.append(desk.key, ack(n, filler))

    def station_round(self, desk: Desk | None = None) -> Accepted:
        """A station and its hub."""
        desk = desk or self.node
        request = make_request(desk.ledger, desk.key, nonce=self.rng.randbytes(8), now=self.now())
        reply = self.hub.answer(request).reply
        return accept_reply(desk.ledger, desk.key, HUB_KEY.verify_key, request, reply)

    def round(self, low: Floor | None = None, high: Floor | None = None, **limits: int) -> Accepted:
        """A floor and the one above it; without names, the hub and central."""
        low, high = low or self.hub, high or self.central
        request = low.ask(**limits)
        return low.forwarder.accept(request, high.answer(request).reply)

    def drain(
        self, low: Floor | None = None, high: Floor | None = None, rounds_max: int = 400, **limits: int
    ) -> int:
        for rounds in range(1, rounds_max + 1):
            if not self.round(low, high, **limits).more:
                return rounds
        raise AssertionError(f"no end after {rounds_max} rounds")

    def decide(self, n: int, unit: str = HERE, *, at: Floor | None = None) -> bytes:
        """An officer decides at the hub, or one of the ministry at central or above."""
        at = at or self.hub
        event = decision(n, unit)
        at.ledger.append_sealed(OFFICER_KEY if at is self.hub else MINISTER_KEY, event)
        return event

    def settle(self) -> None:
        """Stations, hub, central and above talk until nobody has news."""
        for _ in range(3):
            for desk in (self.node, self.other):
                while self.station_round(desk).more:
                    pass
            self.drain()
            self.drain(self.central, self.world)

    def assert_forwarded(
        self, low: Floor | None = None, high: Floor | None = None, *, restored: bool = False
    ) -> None:
        """The upper holds everything the lower does, byte for byte, once, in the lower's order.

        restored: the lower lost entries of its journal that the upper holds, so the orders may differ.
        """
        low, high = low or self.hub, high or self.central
        assert low.ledger.verify().problems == []
        assert high.ledger.verify().problems == []
        mine, theirs = low.raws(), high.raws()
        assert {h: theirs.get(h) for h in mine} == mine
        held = [s.segment.head.hash for s in high.ledger.since(0)]
        assert len(held) == len(set(held)), "a segment stands twice"
        assert restored or low.journal(low.key) == [h for h in high.journal(low.key) if h in mine]
        assert set(low.raws(but=low.key.key_id)) == set(low.journal(low.key)), "the journal names all"
        assert low.ledger.unreceipted(low.key.key_id) == []


def types_in(floor: Floor) -> list[object]:
    return [type_of(event) for s in floor.ledger.since(0) for event in s.segment.events]


def codes(answered: Answer) -> list[str]:
    return [error.code for error in answered.refused]
