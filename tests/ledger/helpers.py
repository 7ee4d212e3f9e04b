"""Two real ledgers and everything that can go wrong between them; shared by the tests of this folder.

`LedgerPair` pushes through both ends: what a test calls a round is a request, an answer and an acceptance by
the real functions. `Fuse` cuts the power before or after any SQL statement.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Sequence

from ledger.log.codec import Value, decode, encode
from ledger.log.errors import CodecError
from ledger.log.keys import SigningKey
from ledger.log.memory_disk import Image, KeptConnection, MemoryStore
from ledger.log.store import Ledger
from ledger.log.sync import Accepted, Answer, accept_reply, answer, make_request

NODE_KEY = SigningKey.from_seed(b"station Tu Le, a key for tests..")
HUB_KEY = SigningKey.from_seed(b"hub of Yen Bai, a key for tests.")
OFFICER_KEY = SigningKey.from_seed(b"officer of culture, key for test")
OTHER_KEY = SigningKey.from_seed(b"station Xuan Ai, key for tests..")

ACK, DECISION = 16, 1
HERE, ELSEWHERE, PROVINCE = "vn.yb.04630", "vn.yb.04500", "vn.yb"
AUDIENCES = ("vn", PROVINCE, HERE)


def ack(n: int, filler: bytes = b"") -> bytes:
    """A machine event, told apart by `n`."""
    return encode((ACK, 1_667_955_600 + n, n, filler))


def decision(n: int, unit: str = HERE) -> bytes:
    """A human decision for a unit."""
    return encode((DECISION, 1_667_955_600 + n, unit, n))


def type_of(event: bytes) -> Value:
    try:
        return decode(event)[0]
    except CodecError:
        return None


def audience_of(events: Sequence[bytes]) -> str | None:
    """A lone decision is for the unit it names; anything else is for nobody in particular."""
    if len(events) != 1 or type_of(events[0]) != DECISION:
        return None
    unit = decode(events[0])[2]
    return unit if isinstance(unit, str) else None


class PowerCut(BaseException):
    """Not an Exception: nothing may catch it and go on."""


class Fuse:
    """Blows at the n-th statement: before it (`after=False`) or just after it. From then on nothing works."""

    def __init__(self) -> None:
        self.count = 0
        self.at: int | None = None
        self.after = False
        self.blown = False

    def arm(self, at: int, *, after: bool = False) -> None:
        self.count, self.at, self.after, self.blown = 0, at, after, False

    def disarm(self) -> int:
        self.at, self.blown = None, False
        return self.count

    def connection(self) -> type[KeptConnection]:
        fuse = self

        class Fused(KeptConnection):
            def execute(self, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
                if fuse.blown:
                    raise PowerCut
                fuse.count += 1
                last = fuse.count == fuse.at
                if last and not fuse.after:
                    fuse.blown = True
                    raise PowerCut
                cursor = super().execute(*args)  # type: ignore[arg-type]
                if last:
                    fuse.blown = True
                    raise PowerCut
                return cursor

        return Fused


class Desk:
    """One end: a disk, a key, and the ledger of the process that runs now."""

    def __init__(self, key: SigningKey, entropy: Callable[[int], bytes], now: Callable[[], int]) -> None:
        self.key = key
        self.fuse = Fuse()
        self.store = MemoryStore(connection=self.fuse.connection())
        self._entropy, self._now = entropy, now
        self.ledger = self.boot()

    def boot(self) -> Ledger:
        """Another process starts on this disk."""
        self.ledger = Ledger(
            self.store.open_db("ledger.db"), entropy=self._entropy, now=self._now, audience_of=audience_of
        )
        for key in (NODE_KEY, HUB_KEY, OFFICER_KEY, OTHER_KEY):
            self.ledger.trust(key.verify_key)
        return self.ledger

    def crash(self) -> Ledger:
        self.fuse.disarm()
        self.store.crash()
        return self.boot()

    def image(self) -> Image:
        return self.store.snapshot()

    def restore(self, image: Image) -> Ledger:
        self.store.restore(image)
        return self.boot()

    def dump(self) -> list[str]:
        """Everything in the database as text: equal before and after means nothing changed."""
        return list(self.store.open_db("ledger.db").iterdump())

    def writes(self) -> int:
        """Rows changed on the connection of this process so far."""
        return self.store.open_db("ledger.db").total_changes

    def events(self, key: SigningKey, *, pending: bool = False) -> list[bytes]:
        """Events of an author as stored here, in order of arrival, without what logs say about themselves."""
        found = [
            event
            for stored in self.ledger.since(0)
            if stored.segment.head.key_id == key.key_id
            for event in stored.segment.events
            if type_of(event) not in (0, 80, 81)
        ]
        if pending:
            found += self.ledger.tables.pending(key.key_id)
        return found

    def segments(self, key: SigningKey) -> dict[tuple[bytes, int], bytes]:
        """(log id, first seq) → bytes, of an author."""
        return {
            (s.segment.head.log_id, s.segment.head.first_seq): s.segment.raw
            for s in self.ledger.since(0)
            if s.segment.head.key_id == key.key_id
        }


class LedgerPair:
    """A station and its hub, and the wire between them in the test's hand."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.clock = 1_667_955_600
        self.node = Desk(NODE_KEY, self.rng.randbytes, self.now)
        self.hub = Desk(HUB_KEY, self.rng.randbytes, self.now)

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def ask(self, **limits: int) -> bytes:
        return make_request(
            self.node.ledger, NODE_KEY, nonce=self.rng.randbytes(8), now=self.now(), **limits
        )  # fmt: skip

    def answer(self, request: bytes) -> Answer:
        return answer(
            self.hub.ledger, HUB_KEY, request, now=self.now(), audiences_of=lambda key_id: AUDIENCES
        )  # fmt: skip

    def accept(self, request: bytes, reply: bytes) -> Accepted:
        return accept_reply(self.node.ledger, NODE_KEY, HUB_KEY.verify_key, request, reply)

    def round(self, **limits: int) -> Accepted:
        request = self.ask(**limits)
        return self.accept(request, self.answer(request).reply)

    def drain(self, rounds_max: int = 100, **limits: int) -> int:
        """Rounds until the hub says there is nothing more; how many it took."""
        for rounds in range(1, rounds_max + 1):
            if not self.round(**limits).more:
                return rounds
        raise AssertionError(f"no end after {rounds_max} rounds")

    def decide(self, n: int, unit: str = HERE) -> bytes:
        """An officer decides at the hub."""
        event = decision(n, unit)
        self.hub.ledger.append_sealed(OFFICER_KEY, event)
        return event

    def assert_agreed(self) -> None:
        """Both ends verify, hold the node's logs byte for byte alike, and the node has the receipts."""
        assert self.node.ledger.verify().problems == []
        assert self.hub.ledger.verify().problems == []
        mine, theirs = self.node.segments(NODE_KEY), self.hub.segments(NODE_KEY)
        assert all(theirs.get(place) == raw for place, raw in mine.items())
        assert self.node.ledger.unreceipted(NODE_KEY.key_id) == []
        for log, head in self.node.ledger.frontier(NODE_KEY.key_id).items():
            receipt = self.node.ledger.receipt(log)
            assert receipt is not None
            assert receipt.next_seq == head.next_seq
            assert receipt.head_hash == head.hash
