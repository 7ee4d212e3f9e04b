"""A real station on a disk in memory, a real hub-side ledger, and a clock that the test turns.

Nothing here stands in for anything but the machine: the wire bytes, signatures, databases and the plan are
the real ones. A power cut is `World.cut()`: the station object is abandoned and the disk loses what was
open.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from ledger.facts import (
    AckCoder,
    Acknowledged,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Evidence,
    Fact,
    Facts,
    Granted,
    Manifest,
    Rendition,
    Right,
    Scheduled,
    Signed,
    Slot,
    ancestors,
    at,
    audience_of,
    pack_days,
    read,
    slots,
)
from ledger.log import (
    BlobError,
    Blobs,
    Ledger,
    LoaError,
    MemoryStore,
    SigningKey,
    TransportError,
    answer,
)
from node import (
    Confidence,
    InlineCourier,
    Meter,
    Now,
    NullPlayer,
    PlayerError,
    PlayItem,
    PlayReport,
    Station,
    StationConfig,
)
from node.config import save_key

UNIT = "vn.yb.04630"
DAY = 19_305  # 2022-11-09, Law Day
MORNING = at(DAY, 5 * 60 + 30)

ROOT = SigningKey.from_seed(b"R" * 32)
HUB = SigningKey.from_seed(b"H" * 32)
APPROVER = SigningKey.from_seed(b"A" * 32)
NODE = SigningKey.from_seed(b"N" * 32)


class TestClock:
    """Wall, monotonic and confidence, all in the test's hands."""

    __test__ = False

    def __init__(self, utc_s: float) -> None:
        self.utc_s = utc_s  # the truth
        self.mono_s = 1_000.0
        self.skew_s = 0.0  # what the box's wall clock is wrong by
        self.confidence = Confidence.NTP
        self.boots = 1

    def now(self) -> Now:
        return Now(self.utc_s + self.skew_s, self.mono_s, self.confidence, f"boot {self.boots}")

    def pass_s(self, seconds: float) -> None:
        self.utc_s += seconds
        self.mono_s += seconds

    def reboot(self) -> None:
        self.mono_s = 5.0
        self.boots += 1


class HubSide:
    """The hub's ledger and content, answering as `hub/ingest.py` does."""

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.store = MemoryStore()
        self.facts = Facts([ROOT.verify_key])
        self._random = random.Random(7)
        self.ledger = Ledger(
            self.store.open_db("hub.db"),
            entropy=self._random.randbytes,
            now=lambda: int(clock.utc_s),
            audience_of=audience_of,
            on_admit=self.facts.admit,
            on_rollback=self._reload,
        )
        for key in (ROOT, HUB, APPROVER):
            self.ledger.trust(key.verify_key)
        self.blobs = Blobs(self.store)
        self.stations = {NODE.key_id: UNIT}
        self.answered: list[bytes] = []
        self.delay_s = 0.0
        office = Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL | Right.ADMIN
        self.sign(ROOT, self.grant(APPROVER, int(office), "vn.yb"))
        self.sign(ROOT, self.grant(HUB, int(Right.GRANT | Right.ACK | Right.RECEIPT), "vn.yb", depth=1))
        self.series = 0

    def _reload(self) -> None:
        self.facts.load(self.ledger)

    @property
    def ts(self) -> int:
        return int(self.clock.utc_s)

    def grant(self, key: SigningKey, rights: int, territory: str, *, depth: int = 0) -> Granted:
        return Granted(self.ts, key.verify_key.raw, rights, territory, MORNING - 86_400, 2**33, depth, "")

    def enrol(self, key: SigningKey = NODE, unit: str = UNIT) -> None:
        self.stations[key.key_id] = unit
        self.sign(HUB, self.grant(key, int(Right.ACK), unit))

    def sign(self, key: SigningKey, fact: Fact) -> None:
        self.ledger.append_sealed(key, fact.encode())

    def content(self, seconds: float, *, text: str = "Thông báo", size: int = 3_000) -> bytes:
        """Audio and board text of a bulletin; returns the manifest's hash."""
        sound = random.Random(f"{seconds}/{text}").randbytes(size)
        words = text.encode()
        manifest = Manifest(
            (
                Rendition.of("audio", "audio/ogg", sound, duration_ms=int(seconds * 1000)),
                Rendition.of("board-text", "text/plain", words),
            )
        )
        for data in (sound, words, manifest.encode()):
            self.blobs.put(data)
        return manifest.sha256

    def approve(
        self, manifest: bytes, *, bulletin: bytes = b"B" * 16, klass: int = 3, days: int = 30,
        territory: str = "vn.yb",
    ) -> None:  # fmt: skip
        self.sign(
            APPROVER,
            Approved(
                self.ts, bulletin, 1, manifest, "Ngày Pháp luật", "law", klass, territory, DAY, DAY + days
            ),
        )

    def schedule(
        self, manifest: bytes, minutes: int, *, bulletin: bytes = b"B" * 16, klass: int = 2,
        length_s: int = 60, late_s: int = 600, days: tuple[int, ...] = (DAY,), on_interrupt: int = 0,
        territory: str = "vn.yb",
    ) -> int:  # fmt: skip
        self.series += 1
        self.sign(
            APPROVER,
            Scheduled(
                self.ts, self.series, bulletin, manifest, days[0], pack_days(days[0], days), minutes,
                length_s, territory, klass, late_s, on_interrupt, None,
            ),
        )  # fmt: skip
        return self.series

    def programme(self, minute: int, *, seconds: float = 60, **more: object) -> int:
        """Content, approval and schedule of one bulletin of its own at a minute of DAY."""
        bulletin = sha256(f"{minute}/{self.series}".encode()).digest()[:16]
        manifest = self.content(seconds, text=f"bulletin {minute} {self.series}")
        self.approve(manifest, bulletin=bulletin)
        return self.schedule(
            manifest,
            minute,
            bulletin=bulletin,
            length_s=max(1, int(seconds)),
            **more,  # type: ignore[arg-type]
        )

    def emergency(
        self, *, seconds: float = 20, level: int = 2, life_s: int = 7_200, max_plays: int = 1,
        not_before: int | None = None,
    ) -> int:  # fmt: skip
        self.series += 1
        start = self.ts if not_before is None else not_before
        manifest = self.content(seconds, text=f"Khẩn cấp {self.series}")
        self.sign(
            APPROVER,
            EmergencyOrdered(
                self.ts, self.series, "flood", level, False, manifest, "Lũ quét", "vn.yb", start,
                start + life_s, max_plays,
            ),
        )  # fmt: skip
        return self.series

    def cancel(self, series: int) -> None:
        self.sign(APPROVER, Cancelled(self.ts, 1, None, series, "vn.yb", "thu hồi"))

    def answer(self, request: bytes) -> bytes:
        told = answer(
            self.ledger,
            HUB,
            request,
            now=self.ts,
            audiences_of=lambda key: ancestors(self.stations[key]) if key in self.stations else None,
            coder_of=lambda key: AckCoder(self.facts, self.stations[key]) if key in self.stations else None,
        )
        self.answered.append(told.status)
        return told.reply

    def restart(self) -> None:
        """Another hub process on the same disk."""
        self.facts = Facts([ROOT.verify_key])
        self.ledger = Ledger(
            self.store.open_db("hub.db"),
            entropy=self._random.randbytes,
            now=lambda: int(self.clock.utc_s),
            audience_of=audience_of,
            on_admit=self.facts.admit,
            on_rollback=self._reload,
        )
        self.facts.load(self.ledger)

    # -- what the hub knows ----------------------------------------------------------------------------------

    def facts_of(self, kind: type[object], key: SigningKey = NODE) -> list[Signed]:
        found = [signed for stored in self.ledger.since(0) for signed in read(stored)]
        return [one for one in found if one.key_id == key.key_id and isinstance(one.fact, kind)]

    def acks(self, key: SigningKey = NODE) -> list[Acknowledged]:
        return [one.fact for one in self.facts_of(Acknowledged, key) if isinstance(one.fact, Acknowledged)]

    def planned(self, until_s: float) -> list[Slot]:
        return slots(self.facts, UNIT, at(DAY) - 86_400, until_s)


@dataclass
class Line:
    """The link of one station as its `Transport`. `down`: nothing passes. `hook` sees each exchange first."""

    hub: HubSide
    meter: Meter = field(default_factory=Meter)
    down: bool = False
    lose_replies: bool = False
    hook: Callable[[], None] = lambda: None
    exchanges: int = 0
    fetched: list[tuple[bytes, int, int]] = field(default_factory=list)

    def exchange(self, body: bytes) -> bytes:
        self.hook()
        self.exchanges += 1
        if self.down:
            raise TransportError("link", "the line is down")
        self.meter.up += len(body)
        try:
            reply = self.hub.answer(body)
        except LoaError as error:
            raise TransportError(error.code, error.what) from error
        if self.lose_replies:
            raise TransportError("link", "the reply was lost")
        self.meter.down += len(reply)
        return reply

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        self.hook()
        if self.down:
            raise TransportError("link", "the line is down")
        try:
            data = self.hub.blobs.read_range(sha256, offset, length)
        except BlobError as error:
            raise TransportError("blob-absent", error.what) from error
        self.fetched.append((sha256, offset, length))
        return data

    def enrol(self, body: bytes) -> bytes:
        raise TransportError("link", "not in this test")


@dataclass(frozen=True)
class Sound:
    """One start of the player."""

    series: int
    day: int
    utc_s: float
    offset_ds: int
    repeat: int


class Loudspeaker:
    """The timed player, watched; `broken` refuses, over all its lives."""

    name = "watched"
    ceiling = Evidence.DELIVERED
    chimes = False
    can_speak = False

    def __init__(self, clock: TestClock) -> None:
        self.clock = clock
        self.sounds: list[Sound] = []
        self.broken = False
        self.hook: Callable[[], None] = lambda: None
        self._inner = NullPlayer()

    def power_cut(self) -> None:
        self._inner = NullPlayer()

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        self.hook()
        if self.broken:
            raise PlayerError("device-refused", "no sound device")
        assert item.sha256 is None or sha256(item.read()).digest() == item.sha256
        self.sounds.append(Sound(item.series, item.day, self.clock.utc_s, item.offset_ds, item.repeat))
        self._inner.start(item, now_mono_s)
        self.hook()

    def poll(self, now_mono_s: float) -> PlayReport | None:
        return self._inner.poll(now_mono_s)

    def stop(self, now_mono_s: float) -> PlayReport:
        return self._inner.stop(now_mono_s)

    def wait_s(self, now_mono_s: float) -> float:
        return self._inner.wait_s(now_mono_s)

    def close(self) -> None:
        self._inner.close()


class World:
    """One station, one hub, one line, one loudspeaker."""

    def __init__(
        self,
        *,
        utc_s: float = MORNING,
        store: MemoryStore | None = None,
        enrolled: bool = True,
        **config: object,
    ) -> None:
        self.clock = TestClock(utc_s)
        self.hub = HubSide(self.clock)
        self.line = Line(self.hub)
        self.speaker = Loudspeaker(self.clock)
        self.store = store if store is not None else MemoryStore()
        save_key(self.store, NODE)
        self.config = StationConfig(
            unit=UNIT, name="Tú Lệ", hub_url="http://hub", hub_key=HUB.verify_key.raw,
            roots=(ROOT.verify_key.raw,), **config,  # type: ignore[arg-type]
        )  # fmt: skip
        self.starts = 0
        if enrolled:
            self.hub.enrol()
        self.station = self.boot()

    def boot(self) -> Station:
        """A process starts."""
        self.starts += 1
        drawn = random.Random(self.starts)
        self.station = Station(
            self.config, self.store, self.clock, InlineCourier(self.line), self.speaker,
            entropy=drawn.randbytes, rng=random.Random(self.starts + 100),
        )  # fmt: skip
        return self.station

    def cut(self) -> None:
        """The power goes: the process is gone, its transaction too, its sound stops."""
        self.store.crash()
        self.speaker.power_cut()

    def run(self, seconds: float, *, step_max_s: float = 1e9) -> None:
        """Lets time pass, calling the station whenever it asked to be called."""
        end_s = self.clock.utc_s + seconds
        for _ in range(200_000):
            wait_s = min(self.station.tick(), step_max_s)
            left_s = end_s - self.clock.utc_s
            if left_s <= 0:
                return
            self.clock.pass_s(min(wait_s, left_s))
        raise AssertionError("the station asks to be called without end")

    def run_to(self, minute: float, day: int = DAY) -> None:
        """Lets time pass until this local minute."""
        self.run(at(day) + minute * 60 - self.clock.utc_s)

    def off(self, seconds: float) -> None:
        """Without power for so long; then a process starts."""
        self.cut()
        self.clock.pass_s(seconds)
        self.clock.reboot()
        self.boot()

    def outcomes(self) -> dict[tuple[int, int], tuple[str, str]]:
        """(series, day) → (outcome, detail) by the station's own rows."""
        return {row.key: (row.outcome.name, row.detail.name) for row in self.station.plays.rows()}
