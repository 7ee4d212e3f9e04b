"""One random history of a station, its copies and its hub, over the real ledgers; judged as it goes.

The station writes, seals, calls its hub over a line that loses requests and replies, is restarted, loses
power with or without what its disk had promised to keep, is restored from old cards, is cloned, and puts
segments on sticks that arrive late or in another order. The hub loses power and is restored from backups. In
some histories a thief has the station's key and signs a log twice.

What is claimed, checked after each step with an oracle that shares no code with the ledger:

    nobody honest ever signs two histories, whatever was done to its disk
    evidence is kept against logs that the thief touched, and against no other
    it is kept as soon as the hub is shown a head that contradicts one it holds
    a device that was neither restored nor cloned is never noticed as such; one that was, shows
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from helpers import HUB_KEY, NODE_KEY, Desk, ack

from ledger.log.answering import answer, record_arrivals
from ledger.log.codec import encode
from ledger.log.forks import check
from ledger.log.journal import NO_HASH, LogOpened
from ledger.log.keys import SigningKey
from ledger.log.memory_disk import Image, MemoryStore
from ledger.log.messages import Request
from ledger.log.segment import Segment, SegmentHead, read_head, read_own, seal
from ledger.log.store import Ledger
from ledger.log.sync import accept_reply, make_request

STEPS = 30
DEVICES_MAX = 3
IMAGES_MAX = 3


@dataclass(frozen=True)
class Traits:
    """What may happen in this history."""

    restores: bool
    clones: bool
    lying_disk: bool
    hub_restores: bool
    thief: bool
    sticks: bool

    @classmethod
    def drawn(cls, rng: random.Random) -> Traits:
        return cls(*(rng.random() < share for share in (0.6, 0.4, 0.3, 0.15, 0.35, 0.5)))

    @property
    def plain(self) -> bool:
        """Nothing that a person should be told of."""
        return not (self.restores or self.clones or self.lying_disk or self.thief)


class Ready(Desk):
    """An end whose tables are there already: making them costs more than a whole history."""

    images: ClassVar[dict[bytes, Image]] = {}

    def __init__(self, key: SigningKey, entropy: Callable[[int], bytes], now: Callable[[], int]) -> None:
        if key.key_id not in self.images:
            self.images[key.key_id] = Desk(key, random.Random(0).randbytes, lambda: 0).image()
        self.key = key
        self.store = MemoryStore()
        self.store.restore(self.images[key.key_id])
        self._entropy, self._now = entropy, now
        self.boot()

    def crash(self) -> Ledger:
        self.store.crash()
        return self.boot()


class Device:
    """A box with the station's key. floor: the disk as it really is when the disk lies about syncing."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.floor: Image = desk.image()


class History:
    """`run` plays it; AssertionError when a claim does not hold."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock = 1_667_955_600
        self.traits = Traits.drawn(self.rng)
        self.count = 0
        self.seen: Counter[str] = Counter()
        self.hub = self.new_desk(HUB_KEY)
        self.devices = [Device(self.new_desk(NODE_KEY))]
        self.images: list[Image] = []
        self.hub_images: list[tuple[Image, dict[bytes, list[SegmentHead]]]] = []
        self.stick: list[bytes] = []
        self.signed: dict[bytes, dict[bytes, SegmentHead]] = {}  # honest heads: log id → hash → head
        self.shown: dict[bytes, list[SegmentHead]] = {}  # heads that reached this hub, verified
        self.touched: set[bytes] = set()  # logs in which the thief signed
        self.convinced: set[bytes] = set()  # evidence that a stranger's check accepted
        self.rewound = 0  # how often a device came back from an older disk, or as a copy
        self.watch_hub()

    # -- the machines ----------------------------------------------------------------------------------------

    def new_desk(self, key: SigningKey) -> Desk:
        return Ready(key, self.rng.randbytes, self.now)

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def watch_hub(self) -> None:
        """Notes every verified segment that is shown to this hub process."""
        ledger = self.hub.ledger
        admit_all: Callable[..., Any] = ledger.admit_all

        def watched(opened: Any, **more: Any) -> Any:
            for _, segment in opened:
                if isinstance(segment, Segment) and segment.head.key_id == NODE_KEY.key_id:
                    self.shown.setdefault(segment.head.log_id, []).append(segment.head)
            return admit_all(opened, **more)

        ledger.admit_all = watched  # type: ignore[method-assign]

    def heads_at(self, desk: Desk) -> dict[bytes, list[SegmentHead]]:
        """The station's heads stored at one end, by log, read past the ledger."""
        found: dict[bytes, list[SegmentHead]] = {}
        for (raw,) in desk.ledger.db.execute("SELECT raw FROM ledger_segments"):
            if raw[8:16] == NODE_KEY.key_id:
                found.setdefault(raw[16:24], []).append(read_head(raw)[0])
        return found

    # -- what happens ----------------------------------------------------------------------------------------

    def run(self) -> Counter[str]:
        steps = self.steps()
        for _ in range(STEPS):
            self.rng.choice(steps)()
            self.note_signed()
            self.check()
        self.settle()
        self.seen["histories"] += 1
        for desk in (self.hub, *(device.desk for device in self.devices)):
            desk.store.close()
        return self.seen

    def steps(self) -> list[Callable[[], None]]:
        traits = self.traits
        steps = [self.write] * 6 + [self.seal] * 3 + [self.sync] * 5 + [self.restart] * 2
        steps += [self.lose_reply, self.lose_reply, self.lose_request, self.power_cut, self.hub_power_cut]
        steps += [self.export, self.bring_stick] * traits.sticks
        steps += [self.copy_card, self.put_card_back] * traits.restores
        steps += [self.clone] * traits.clones
        steps += [self.flush, self.lose_unsynced] * traits.lying_disk
        steps += [self.back_up_hub, self.restore_hub] * traits.hub_restores
        steps += [self.steal] * (2 * traits.thief)
        return steps

    def one(self) -> Device:
        return self.rng.choice(self.devices)

    def write(self) -> None:
        desk = self.one().desk
        for _ in range(self.rng.randint(1, 3)):
            self.count += 1
            desk.ledger.append(NODE_KEY, encode((16, self.now(), self.count)))

    def seal(self) -> None:
        self.one().desk.ledger.seal(NODE_KEY)

    def ask(self, device: Device) -> bytes:
        send_max = self.rng.choice([1, 600, 262_144])
        return make_request(
            device.desk.ledger, NODE_KEY, nonce=self.rng.randbytes(8), now=self.now(), send_max=send_max
        )

    def told(self, request: bytes) -> bytes:
        return answer(
            self.hub.ledger, HUB_KEY, request, now=self.now(), audiences_of=lambda key_id: ("vn",)
        ).reply

    def round(self, device: Device) -> bool:
        request = self.ask(device)
        reply = self.told(request)
        return accept_reply(
            device.desk.ledger, NODE_KEY, HUB_KEY.verify_key, request, reply
        ).more  # fmt: skip

    def sync(self) -> None:
        device = self.one()
        while self.round(device) and self.rng.random() < 0.8:
            pass
        self.seen["syncs"] += 1

    def lose_reply(self) -> None:
        self.told(self.ask(self.one()))

    def lose_request(self) -> None:
        self.ask(self.one())

    def restart(self) -> None:
        self.one().desk.boot()

    def power_cut(self) -> None:
        self.one().desk.crash()
        self.seen["power cuts"] += 1

    def hub_power_cut(self) -> None:
        self.hub.crash()
        self.watch_hub()

    # -- old disks -------------------------------------------------------------------------------------------

    def copy_card(self) -> None:
        self.images = [*self.images, self.one().desk.image()][-IMAGES_MAX:]

    def put_card_back(self) -> None:
        if self.images:
            self.come_back(self.one(), self.rng.choice(self.images))
            self.seen["restores"] += 1

    def clone(self) -> None:
        if len(self.devices) < DEVICES_MAX:
            twin = Device(self.new_desk(NODE_KEY))
            self.come_back(twin, self.one().desk.image())
            self.devices.append(twin)
            self.seen["clones"] += 1

    def flush(self) -> None:
        device = self.one()
        device.floor = device.desk.image()

    def lose_unsynced(self) -> None:
        """Everything since the last real write to the medium is gone, although some of it was sent."""
        device = self.one()
        self.come_back(device, device.floor)
        self.seen["unsynced losses"] += 1

    def come_back(self, device: Device, image: Image) -> None:
        device.desk.restore(image)
        device.floor = image
        self.rewound += 1

    def back_up_hub(self) -> None:
        shown = {log: list(heads) for log, heads in self.shown.items()}
        self.hub_images = [*self.hub_images, (self.hub.image(), shown)][-2:]

    def restore_hub(self) -> None:
        if self.hub_images:
            image, shown = self.rng.choice(self.hub_images)
            self.hub.restore(image)
            self.shown = {log: list(heads) for log, heads in shown.items()}
            self.watch_hub()
            self.seen["hub restores"] += 1

    # -- sticks ----------------------------------------------------------------------------------------------

    def export(self) -> None:
        desk = self.one().desk
        desk.ledger.seal(NODE_KEY)
        raws = [raw for (raw,) in desk.ledger.db.execute("SELECT raw FROM ledger_segments")]
        self.stick += [raw for raw in raws if raw[8:16] == NODE_KEY.key_id][-6:]
        self.seen["exports"] += 1

    def bring_stick(self) -> None:
        raws = list(dict.fromkeys(self.stick))
        self.rng.shuffle(raws)
        for raw in raws[: self.rng.randint(0, len(raws))]:
            self.bring(raw)

    def bring(self, raw: bytes) -> None:
        """As a stick is imported: admitted, and written into the hub's own log, in one transaction."""
        with self.hub.ledger.transaction():
            admissions = self.hub.ledger.ingest_all([raw], source="stick")
            record_arrivals(self.hub.ledger, HUB_KEY, admissions, now=self.now())
        for admission in admissions:
            assert self.touched or admission.error is None, f"refused: {admission.error}"

    # -- the thief -------------------------------------------------------------------------------------------

    def steal(self) -> None:
        """Signs in a log a second time, and shows it to the hub by one way or the other."""
        forged = self.forged()
        self.touched.add(forged.head.log_id)
        self.seen["forged segments"] += 1
        way = self.rng.random()
        if way < 0.4:
            self.bring(forged.raw)
        elif way < 0.8:
            request = Request(self.rng.randbytes(8), self.now(), (), 0, b"", 4096, b"", (forged.raw,))
            self.told(request.sign(NODE_KEY))
        else:
            self.stick.append(forged.raw)

    def forged(self) -> Segment:
        known = [head for heads in self.signed.values() for head in heads.values()]
        if not known or self.rng.random() < 0.15:
            return self.written(self.rng.choice([b"thiefs-1", b"thiefs-2"]), 0, NO_HASH, 1)
        head = self.rng.choice(known)
        kind = self.rng.randrange(4)
        if kind == 0:  # other events in the same place
            return self.written(head.log_id, head.first_seq, head.prev, head.count)
        if kind == 1:  # cut otherwise
            return self.written(head.log_id, head.first_seq, head.prev, head.count + 1)
        if kind == 2:  # after it, but linked to something else
            return self.written(head.log_id, head.next_seq, self.rng.randbytes(32), 1)
        return self.written(head.log_id, head.next_seq, head.hash, 1)  # what the station will say next

    def written(self, log_id: bytes, first_seq: int, prev: bytes, count: int) -> Segment:
        events = [ack(10_000_000 + self.rng.randrange(1 << 30)) for _ in range(count)]
        return seal(NODE_KEY, log_id, first_seq, prev, events)

    # -- what must hold --------------------------------------------------------------------------------------

    def note_signed(self) -> None:
        for device in self.devices:
            for log_id, heads in self.heads_at(device.desk).items():
                for head in heads:
                    self.signed.setdefault(log_id, {})[head.hash] = head

    def check(self) -> None:
        for log_id, heads in self.signed.items():
            assert not self.contradictory(list(heads.values())), f"an honest device forked {log_id.hex()}"
        forks = self.hub.ledger.forks()
        accused = {kept.log.log_id for kept in forks}
        assert accused <= self.touched, "an honest log is accused"
        for kept in forks:
            if kept.pair not in self.convinced:
                assert check(kept.pair, self.hub.ledger.key_of) == kept.code
                self.convinced.add(kept.pair)
        for log_id, held in self.heads_at(self.hub).items():
            if log_id not in self.touched:
                continue
            shown = self.shown.get(log_id, [])
            if any(contradict(head, other) for head in held for other in shown):
                assert log_id in accused, "the hub was shown a fork and did not see it"

    @staticmethod
    def contradictory(heads: list[SegmentHead]) -> bool:
        heads = sorted(heads, key=lambda head: head.first_seq)
        return any(contradict(one, other) for one, other in pairwise(heads))

    def settle(self) -> None:
        """Every device calls until there is nothing more to say; then the whole is judged."""
        for device in (*self.devices, *self.devices):
            for _ in range(60):
                if not self.round(device):
                    break
        self.note_signed()
        self.check()
        at_hub = self.events(self.hub)
        for device in self.devices:
            assert device.desk.ledger.pending_count(NODE_KEY.key_id) == 0
            assert self.events(device.desk) <= at_hub, "something a device holds did not reach the hub"
        self.seen["forks found"] += len(self.hub.ledger.forks())
        self.seen["honest segments"] += sum(map(len, self.signed.values()))
        self.check_branches()

    def events(self, desk: Desk) -> set[bytes]:
        """What the station reported, as held here."""
        raws = [raw for (raw,) in desk.ledger.db.execute("SELECT raw FROM ledger_segments")]
        return {
            event
            for raw in raws
            if raw[8:16] == NODE_KEY.key_id
            for event in read_own(raw).events
            if event[1] == 16
        }

    def check_branches(self) -> None:
        noticed = {branch.log.log_id for branch in self.hub.ledger.branches(NODE_KEY.key_id)}
        if self.traits.plain:
            assert not noticed, "a device that was neither restored nor cloned is noticed"
        if self.rewound == 0:
            assert not noticed - self.touched
        if self.rewound <= 1 and not self.traits.clones and not self.traits.thief:
            assert not any(branch.cloned for branch in self.hub.ledger.branches())
        if not self.traits.thief:
            assert noticed == self.branched()
        self.seen["branches noticed"] += len(noticed)
        self.seen["clone alarms"] += sum(b.cloned for b in self.hub.ledger.branches(NODE_KEY.key_id))

    def branched(self) -> set[bytes]:
        """The same question asked of all that the hub holds, at once and naively."""
        ends: dict[bytes, int] = {}
        openings: list[LogOpened] = []
        for (raw,) in self.hub.ledger.db.execute("SELECT raw FROM ledger_segments"):
            if raw[8:16] == NODE_KEY.key_id:
                segment = read_own(raw)
                ends[segment.head.log_id] = max(ends.get(segment.head.log_id, 0), segment.head.next_seq)
                if segment.head.first_seq == 0:
                    openings.append(LogOpened.decode(segment.events[0]))
        named = Counter(opened.prev_log for opened in openings)
        twice = {log for log, count in named.items() if count > 1}
        return twice | {o.prev_log for o in openings if ends.get(o.prev_log, 0) > o.prev_next_seq}


def contradict(one: SegmentHead, other: SegmentHead) -> bool:
    """Written down once more, apart from the ledger's own: can both be honest?"""
    if one.hash == other.hash:
        return False
    low, high = (one, other) if one.first_seq < other.first_seq else (other, one)
    events = set(range(low.first_seq, low.first_seq + low.count))
    if events & set(range(high.first_seq, high.first_seq + high.count)):
        return True
    return low.first_seq + low.count == high.first_seq and high.prev != low.hash
