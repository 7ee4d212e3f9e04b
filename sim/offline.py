"""Thirty days without a line, with power cuts: one station, its plan, and what became of each slot.

The real `Station` on a disk that may be cut before any of its operations. It gets a month's plan on its first
morning, with everything that is in one: priority and normal items, some that overlap, emergencies ordered for
later, offers that the commune declined or moved. Then the line is gone. The power goes at moments drawn from
the seed, half of them inside a tick; what the box's clock is worth after a cut is drawn, too. After the month
the line is back for a few hours.

Truth is kept beside it: when the box had power, when it knew the time, and what the loudspeaker really did.
`judge` holds every acknowledgment against that record, and nothing the station says of itself is used for it.

Bound: one station and a hub that only takes in. A province with a line is `sim.world`.
"""

from __future__ import annotations

import random
from hashlib import sha256

from ledger.facts import (
    AckCoder,
    Answer,
    Approved,
    EmergencyOrdered,
    Evidence,
    Fact,
    Facts,
    Granted,
    Manifest,
    OfferAnswered,
    Outcome,
    Rendition,
    Right,
    Scheduled,
    ancestors,
    at,
    audience_of,
    pack_days,
)
from ledger.log import BlobError, Blobs, Ledger, LoaError, MemoryStore, SigningKey, TransportError, answer
from node import (
    Confidence,
    InlineCourier,
    Meter,
    Now,
    NullPlayer,
    PlayItem,
    PlayReport,
    Station,
    StationConfig,
    save_config,
    save_key,
)
from sim.offline_truth import FIRST_DAY, UNIT, Sound, Told, Truth, judge
from sim.power import PowerCut, PoweredStore

CLOCKS = ("battery", "tired battery", "none")  # what the box's clock is worth after a power cut
FACTORY_WALL_S = 1_577_836_800.0
CUTS_PER_DAY = 2.0
WINDOW_S = 600
OPERATIONS = 24  # the power goes before one of so many on the card: as many as in twenty quiet minutes
IDLE_CAP_S = 900.0
BACK_S = 6 * 3_600.0  # with the line again, at the end
# minute, seconds, class, on_interrupt: the days of the month are alike
DAY_PLAN = (
    (5 * 60 + 15, 240, 3, 0), (5 * 60 + 30, 300, 2, 1), (11 * 60, 180, 2, 0), (16 * 60 + 58, 300, 2, 1),
    (17 * 60, 200, 3, 0), (17 * 60 + 2, 120, 2, 0), (19 * 60, 240, 2, 0),
)  # fmt: skip
DRILLS = (2, 9, 16, 27)  # days on which an emergency ordered on the first morning begins


class Month:
    """One run. Everything is a function of the seed."""

    def __init__(self, seed: int, days: int = 30) -> None:
        self.seed, self.days = seed, days
        self.dice = random.Random(f"loa-offline/{seed}")  # noqa: S311 — it must repeat
        self.clock_kind = CLOCKS[0] if seed % 3 else self.dice.choice(CLOCKS)
        self.now_s = float(at(FIRST_DAY, 4 * 60))
        self.truth = Truth()
        self.down = False
        self.meter = Meter()
        self._boots = 0
        self._boot_s = self.now_s
        self._skew_s = 0.0
        self._confidence = Confidence.NTP
        self.keys = {n: SigningKey.from_seed(sha256(f"{seed}/{n}".encode()).digest()) for n in _KEYS}
        self._hub()
        self.store = PoweredStore()
        save_key(self.store, self.keys["node"])
        self.config = StationConfig(
            unit=UNIT, name="Tú Lệ", hub_url="http://hub.loa.invalid",
            hub_key=self.keys["hub"].verify_key.raw, roots=(self.keys["root"].verify_key.raw,),
            idle_cap_s=IDLE_CAP_S, backoff_cap_s=7_200.0,
        )  # fmt: skip
        save_config(self.store, self.config)
        self.station: Station | None = None

    # -- the hub's side --------------------------------------------------------------------------------------

    def _hub(self) -> None:
        self.facts = Facts([self.keys["root"].verify_key])
        self.ledger = Ledger(
            MemoryStore().open_db("hub.db"), entropy=random.Random(self.seed).randbytes,  # noqa: S311
            now=lambda: int(self.now_s), audience_of=audience_of, on_admit=self.facts.admit,
        )  # fmt: skip
        for key in self.keys.values():
            self.ledger.trust(key.verify_key)
        self.blobs = Blobs(MemoryStore())
        office = Right.APPROVE | Right.SCHEDULE | Right.EMERGENCY | Right.CANCEL | Right.ADMIN
        self._grant("office", int(office), "vn.yb")
        self._grant("hub", int(Right.ACK | Right.RECEIPT), "vn.yb")
        self._grant("node", int(Right.ACK), UNIT)
        self._grant("commune", int(Right.PROGRAMME), UNIT)
        for number, (minute, length_s, klass, on_interrupt) in enumerate(DAY_PLAN):
            series, bulletin = number + 1, bytes([number + 1]) * 16
            manifest = self._content(length_s, f"bản tin {number}")
            self._sign(
                "office",
                Approved(
                    int(self.now_s), bulletin, 1, manifest, f"Bản tin {number}", "law", klass, "vn.yb",
                    FIRST_DAY, FIRST_DAY + self.days,
                ),
            )  # fmt: skip
            days = tuple(range(FIRST_DAY, FIRST_DAY + self.days))
            self._sign(
                "office",
                Scheduled(
                    int(self.now_s), series, bulletin, manifest, FIRST_DAY, pack_days(FIRST_DAY, days),
                    minute, length_s, "vn.yb", klass, WINDOW_S, on_interrupt, None,
                ),
            )  # fmt: skip
        for number, day in enumerate(day for day in DRILLS if day < self.days):
            from_s = at(FIRST_DAY + day, 5 * 60 + 31)
            text = f"Diễn tập {number}"
            self._sign(
                "office",
                EmergencyOrdered(
                    int(self.now_s), 100 + number, "flood", 2, True, self._content(20, text), text, "vn.yb",
                    from_s, from_s + 7_200, 2,
                ),
            )  # fmt: skip
        said = int(self.now_s)
        self._sign("commune", OfferAnswered(said, 3, FIRST_DAY + 1, int(Answer.DECLINED), None, UNIT, "bận"))
        self._sign("commune", OfferAnswered(said, 7, FIRST_DAY + 2, int(Answer.MOVED), 20 * 60, UNIT, ""))

    def _grant(self, name: str, rights: int, territory: str) -> None:
        raw = self.keys[name].verify_key.raw
        said = int(self.now_s)
        self._sign("root", Granted(said, raw, rights, territory, said - 86_400, 2**33, 0, name))

    def _sign(self, name: str, fact: Fact) -> None:
        self.ledger.append_sealed(self.keys[name], fact.encode())

    def _content(self, length_s: int, text: str) -> bytes:
        sound = sha256(text.encode()).digest() * 60
        manifest = Manifest((Rendition.of("audio", "audio/ogg", sound, duration_ms=length_s * 1_000),))
        for data in (sound, manifest.encode()):
            self.blobs.put(data)
        return manifest.sha256

    # -- ports of the station --------------------------------------------------------------------------------

    name, ceiling, chimes, can_speak = "sim", Evidence.DELIVERED, False, False

    def now(self) -> Now:
        wall_s = self.now_s + self._skew_s
        return Now(wall_s, self.now_s - self._boot_s, self._confidence, f"boot {self._boots}")

    def exchange(self, body: bytes) -> bytes:
        if self.down:
            raise TransportError("link", "there is no line")
        try:
            told = answer(
                self.ledger, self.keys["hub"], body, now=int(self.now_s),
                audiences_of=lambda key: ancestors(UNIT) if key == self.keys["node"].key_id else None,
                coder_of=lambda key: AckCoder(self.facts, UNIT),
            )  # fmt: skip
        except LoaError as error:
            raise TransportError(error.code, error.what) from error
        return told.reply

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        if self.down:
            raise TransportError("link", "there is no line")
        try:
            return self.blobs.read_range(sha256, offset, length)
        except BlobError as error:
            raise TransportError("blob-absent", error.what) from error

    def enrol(self, body: bytes) -> bytes:
        raise TransportError("link", "the station is enrolled")

    # -- lives -----------------------------------------------------------------------------------------------

    def run(self) -> Told:
        self._boot()
        self._until(at(FIRST_DAY, 5 * 60))
        self.down = True
        end_s = float(at(FIRST_DAY + self.days))
        for cut_s in sorted(self.dice.uniform(self.now_s, end_s) for _ in range(self._drawn_cuts())):
            self._until(cut_s)
            if self.dice.random() < 0.5:
                self.store.fuse.arm(1 + self.dice.randrange(OPERATIONS))
                self._until(self.now_s + 1_200)
            if self.store.fuse.armed or self.truth.powered[-1][1] == float("inf"):
                self._cut()
            self._until(self.now_s)
        self._until(end_s)
        self.down, self._confidence, self._skew_s = False, Confidence.NTP, 0.0
        self._until(end_s + BACK_S)
        self._end_of_power()
        return judge(self)

    def _drawn_cuts(self) -> int:
        return max(1, round(self.dice.gauss(CUTS_PER_DAY * self.days, self.days**0.5)))

    def _until(self, end_s: float) -> None:
        while self.now_s < end_s:
            assert self.station is not None
            try:
                wait_s = self.station.tick()
            except PowerCut:
                self.truth.cuts_inside += 1
                self._cut()
                continue
            self._look()
            self.now_s += min(wait_s, end_s - self.now_s)

    def _boot(self) -> None:
        self._boots += 1
        self._boot_s = self.now_s
        self.truth.powered.append((self.now_s, float("inf")))
        self._knew = False
        self._player = Ear(self)
        drawn = random.Random(f"{self.seed}/{self._boots}")  # noqa: S311
        try:
            self.station = Station(
                self.config, self.store, self, InlineCourier(self), self._player, entropy=drawn.randbytes,
                rng=drawn,
            )  # fmt: skip
        except PowerCut:
            self._cut()

    def _look(self) -> None:
        """Does the box know the time since this look?"""
        assert self.station is not None
        knows = self.station.presence.time.at(self.now())[1] >= Confidence.SIGNED
        if knows and not self._knew:
            self.truth.knowing.append((self.now_s, float("inf")))
        elif self._knew and not knows:
            self.truth.knowing[-1] = (self.truth.knowing[-1][0], self.now_s)
        self._knew = knows

    def _end_of_power(self) -> None:
        for intervals in (self.truth.powered, self.truth.knowing):
            if intervals and intervals[-1][1] == float("inf"):
                intervals[-1] = (intervals[-1][0], self.now_s)
        self._player.silence()

    def _cut(self) -> None:
        """The power goes now and comes back after 20 seconds to 4 hours."""
        self.truth.cuts += 1
        self._end_of_power()
        self.store.fuse.reset()
        self.store.crash()
        self.now_s += 20.0 * 720.0 ** self.dice.random()
        lost = self.down and {"battery": 0.0, "tired battery": 0.3, "none": 1.0}[self.clock_kind]
        if self.dice.random() < lost:
            self._confidence, self._skew_s = Confidence.UNKNOWN, FACTORY_WALL_S - self.now_s
        else:
            self._confidence, self._skew_s = Confidence.RTC, self.dice.uniform(-2.0, 2.0)
        self._boot()


_KEYS = ("root", "hub", "office", "commune", "node")


class Ear:
    """The timed player, and the record of what it did."""

    name, ceiling, chimes, can_speak = "sim", Evidence.DELIVERED, False, False

    def __init__(self, month: Month) -> None:
        self._month = month
        self._inner = NullPlayer()
        self._now: Sound | None = None

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        self._now = Sound(item.series, item.day, self._month.now_s, item.offset_ds)
        self._month.truth.sounds.append(self._now)
        self._inner.start(item, now_mono_s)

    def poll(self, now_mono_s: float) -> PlayReport | None:
        report = self._inner.poll(now_mono_s)
        if report is not None:
            self.silence(whole=True)
        return report

    def stop(self, now_mono_s: float) -> PlayReport:
        report = self._inner.stop(now_mono_s)
        self.silence(whole=report.outcome is Outcome.PLAYED)
        return report

    def silence(self, *, whole: bool = False) -> None:
        if self._now is not None:
            self._now.until_s, self._now.whole = self._month.now_s, whole
            self._now = None

    def wait_s(self, now_mono_s: float) -> float:
        return self._inner.wait_s(now_mono_s)

    def close(self) -> None:
        self._inner.close()
