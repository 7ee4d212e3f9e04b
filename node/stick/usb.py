"""A station that is visited by a stick instead of a network: what it sends along, what it takes from one.

`send` puts onto the stick a request that stays good until it is answered, every report the hub is not known
to hold, and a list of the content that is here. `receive` takes the hub's answer: decisions, receipts, and
then the content that the plan names. Both work on a stopped station's store (`alone`), and piece by piece
between the looks of a running one (`beside`; who carries the stick there is `desk`).

The stick is believed in nothing. Decisions come in through the hub's signed answer to a request of this very
station, by the same door as over a network (`ledger.log.errands`); content is taken when a decision that
counts names it, chunk by chunk, each checked before it touches the disk. So a forged, foreign or old stick
changes nothing, and one that is pulled out leaves what was taken so far.

An answer by stick says what the time was when the hub wrote it: a lower bound, never the time. An emergency
from a stick begins when somebody besides this box says what time it is; `question` is what a person is asked.

Bound: no file beyond the two stores. Words for people are in `usb_words`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.facts import (
    Condition,
    Facts,
    audience_of,
)
from ledger.log import (
    Blobs,
    Ledger,
    ProtocolError,
    SigningKey,
    Store,
    VerifyKey,
    bundle,
    errands,
    pack,
    stick,
    unpack,
)
from node.clock import Clock, TrustedTime
from node.config import StationConfig, load_config, load_key
from node.plays import Plays, prepare
from node.presence import FLOOR, LOW, Moment, moment_of
from node.station import DB_NAME, SOFTWARE
from node.stick.usb_content import Received, Unloading
from node.stick.vouch import Vouch, Waiting, Word, waiting

if TYPE_CHECKING:
    from node.station import Station

FILE_END: Final = ".from-station" + stick.SUFFIX


@dataclass(frozen=True)
class Sent:
    """What was written. segments: of reports; bytes: of the file."""

    name: str
    segments: int
    bytes: int


@dataclass(frozen=True)
class Question:
    """What a person at the box is asked: these orders wait, and is it this time?

    word: what a "yes" would say. behind: the clock is surely wrong; then nobody need be asked.
    """

    word: Word
    behind: bool
    orders: tuple[Waiting, ...]


class Visit:
    """One visit of a stick. Made by `alone` and `beside`."""

    def __init__(
        self, store: Store, config: StationConfig, key: SigningKey, ledger: Ledger, facts: Facts, *,
        clock: Clock, time: TrustedTime, vouch: Vouch, plays: Plays, entropy: Callable[[int], bytes],
    ) -> None:  # fmt: skip
        self.config = config
        self.ledger = ledger
        self.facts = facts
        self._store = store
        self._key = key
        self._hub = VerifyKey(config.hub_key)
        self._clock = clock
        self._time = time
        self._vouch = vouch
        self._plays = plays
        self._entropy = entropy
        self._blobs = Blobs(store)
        self._unloading = Unloading(store, self._blobs, facts, config.unit)

    def _low(self) -> int:
        return _number(self.ledger, LOW)

    def _now(self) -> int:
        return self._moment().ts

    def _moment(self) -> Moment:
        return moment_of(self._time, self._clock.now())

    # -- away ------------------------------------------------------------------------------------------------

    def send(self, target: Store, name: str = "") -> Sent:
        """Writes this station's bundle onto a stick. name: of the file; by the unit when empty."""
        held = bundle.held_list(self._blobs.held())
        request = errands.make_errand(
            self.ledger, self._key, nonce=self._entropy(8), now=self._now(), status=self._status(held)
        )
        segments = list(errands.to_carry(self.ledger, self._key.key_id))
        messages = [bundle.frame(bundle.Kind.REQUEST, request), bundle.frame(bundle.Kind.HELD, held)]
        frames = [
            *messages, *(bundle.frame(bundle.Kind.SEGMENT, raw) for raw in segments), *messages,
        ]  # fmt: skip
        name = name or self.config.unit + FILE_END
        needed = sum(map(len, frames)) + 2 * bundle.HEAD_BYTES + 64
        size = stick.write(target, name, self._bound(frames), needed)
        return Sent(name, len(segments), size)

    def _bound(self, frames: Iterable[bytes]) -> Iterable[bytes]:
        writer = bundle.Writer(self._key.key_id, self._now())
        yield writer.begin
        for framed in frames:
            yield writer.add(framed)
        yield writer.end()

    def _status(self, held: bytes) -> bytes:
        """A station's condition as far as it shows at rest, and by what the list of contents is known."""
        condition = Condition(volume=self.config.volume, software=SOFTWARE)
        known = unpack(condition.encode(), bytes_max=256)
        assert isinstance(known, tuple)
        return pack([*known, bundle.mark_of(held)])

    # -- and back --------------------------------------------------------------------------------------------

    def receive(self, source: Store, only: str | None = None) -> Received:
        """Takes what a stick brings; every step is durable before the next. only: one file of it.

        What is damaged, foreign or old is told in the result. Raises StoreError for either disk.
        """
        cargo = stick.look(source, only)
        done = Received(cargo.files, len(cargo.damages), len(cargo.cut))
        for _ in self.taking(cargo, done):
            pass
        return done

    def taking(self, cargo: stick.Cargo, done: Received) -> Iterator[None]:
        """The same in steps, each a small one: between two of them a running station may look after itself.

        `done` is filled meanwhile.
        """
        self._take_answer(cargo, done)
        yield
        yield from self._unloading.taking(cargo, done, self._low())

    def _take_answer(self, cargo: stick.Cargo, done: Received) -> None:
        try:
            with self.ledger.transaction():
                position = self.ledger.position()
                carried = errands.accept_errand(
                    self.ledger, self._key, self._hub, cargo.replies, cargo.segment
                )
                self._vouch.came(position)
                if carried.accepted.hub_time > self._low():
                    self.ledger.put(LOW, carried.accepted.hub_time)
        except ProtocolError as error:
            done.refused = error.code if cargo.replies else "stick-no-answer"
            return
        accepted = carried.accepted
        self._time.raise_low(accepted.hub_time, self._clock.now().mono_s)
        done.hub_time = accepted.hub_time
        done.decisions, done.receipts = accepted.admitted, accepted.receipts
        done.missing, done.unread = carried.missing, len(accepted.unread)
        done.strange = [log.log_id.hex() for log in accepted.strange]

    def wanted(self) -> list[tuple[bytes, bool]]:
        """(manifest, is an emergency's) of what a stick should bring, most urgent first."""
        return self._unloading.wanted(self._low())

    # -- a person's word -------------------------------------------------------------------------------------

    def question(self) -> Question | None:
        """What must be asked now: None when no emergency from a stick waits for a word on the time."""
        now = self._clock.now()
        moment = moment_of(self._time, now)
        if moment.synced:
            return None
        low_s = self._time.low(now.mono_s)
        orders = waiting(self._vouch, self.facts, self._plays, self.config.unit, low_s)
        if all(self._vouch.is_given(one.event, moment) for one in orders):
            return None
        behind = not self._time.is_live(now.mono_s) and self._time.is_behind(now)
        events = tuple(one.event for one in orders)
        return Question(Word(moment.ts, int(now.mono_s * 1000), now.boot, events), behind, tuple(orders))

    def take_word(self, word: Word) -> bool:
        """Somebody said yes to a question. True when it counts; then it is durable, and in the record.

        It counts while the clocks stand as they stood when it was asked, and for orders that wait still.
        """
        now = self.question()
        if now is None or now.behind or not word.holds(self._moment()):
            return False
        events = tuple(event for event in now.word.events if event in word.events)
        if not events:
            return False
        self._vouch.confirm(self._key, Word(word.utc_s, word.mono_ms, word.boot, events))
        return True

    def deny(self) -> None:
        """Somebody said that the time is wrong. Durable on return."""
        self._vouch.deny()


def alone(store: Store, *, clock: Clock, entropy: Callable[[int], bytes]) -> Visit:
    """A visit at a stopped station, on the store that this process owns now. Raises StoreError."""
    config, key = load_config(store), load_key(store)
    roots = [VerifyKey(root) for root in config.roots]
    facts = Facts(roots)
    ledger = Ledger(
        store.open_db(DB_NAME), entropy=entropy, now=lambda: visit._now(), software=SOFTWARE,
        audience_of=audience_of, on_admit=facts.admit, on_rollback=lambda: _load(facts, ledger),
    )  # fmt: skip
    for trusted in (*roots, VerifyKey(config.hub_key), key.verify_key):
        ledger.trust(trusted)
    prepare(ledger)
    _load(facts, ledger)
    low_s = _number(ledger, LOW)
    visit = Visit(
        store, config, key, ledger, facts, clock=clock, time=TrustedTime(low_s, _number(ledger, FLOOR)),
        vouch=Vouch(ledger), plays=Plays(ledger, low_s // 86_400), entropy=entropy,
    )  # fmt: skip
    return visit


def beside(station: Station) -> Visit:
    """A visit at a running station, in its own process and between its looks."""
    return Visit(
        station.store, station.config, station.key, station.ledger, station.facts, clock=station.clock,
        time=station.presence.time, vouch=station.vouch, plays=station.plays, entropy=station.entropy,
    )  # fmt: skip


def _load(facts: Facts, ledger: Ledger) -> None:
    facts.load(ledger)


def _number(ledger: Ledger, name: str) -> int:
    value = ledger.get(name, 0)
    assert isinstance(value, int)
    return value
