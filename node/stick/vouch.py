"""A person's word on the time, and the emergencies that wait for it.

An emergency that came over the network was told to us live: it was true a moment ago. One that came by stick
may be weeks old, and only a time that somebody else keeps can tell: an NTP daemon, or the hub in this very
process. A battery clock is the box's own opinion. So an emergency from a stick waits until there is such a
time, or until a person at the box was shown the order and the time and said that the time is right.

The word is good for the orders that were shown, in the life of the machine in which it was given, and while
its clocks run on together: whoever sets the clock afterwards, or lets the box sleep, has to ask again. It
raises no bound: a person may err, and nothing that is signed may come to hang on that.

Bound: what was said and what it covers. When to ask, and in which words, is `usb_words`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ledger.facts import ClockStepped, EmergencyOrdered, Facts, Standing, local_day, read
from ledger.log import CodecError, Ledger, SigningKey, pack, unpack
from node.clock import AGREE_S, DRIFT
from node.plays import Plays
from node.presence import Moment

BY_STICK: Final = "node.by_stick."  # and the event's id in hex: this emergency came by stick
WORD: Final = "node.word"
PERSON: Final = "person"  # the source that `clock.step` names
WORD_LIFE_S: Final = 86_400.0  # no emergency lives longer
ORDERS_MAX: Final = 64  # shown at once; nobody reads more
_WORD_BYTES_MAX: Final = 4_096


@dataclass(frozen=True)
class Waiting:
    """An emergency from a stick, as a person is shown it. event: its id; from_s, until_s: UTC."""

    event: bytes
    series: int
    kind: str
    level: int
    drill: bool
    text: str
    from_s: int
    until_s: int


@dataclass(frozen=True)
class Word:
    """What somebody said: at `mono_s` of this life of the machine it was `utc_s`. events: what was shown."""

    utc_s: int
    mono_ms: int
    boot: str
    events: tuple[bytes, ...]

    def encode(self) -> bytes:
        return pack([self.utc_s, self.mono_ms, self.boot, list(self.events)])

    @classmethod
    def decode(cls, data: bytes) -> Word | None:
        """None when these bytes are from another version: then nothing was said."""
        try:
            values = unpack(data, bytes_max=_WORD_BYTES_MAX)
        except CodecError:
            return None
        if not (isinstance(values, tuple) and len(values) == 4):
            return None
        utc_s, mono_ms, boot, events = values
        if not (isinstance(utc_s, int) and isinstance(mono_ms, int) and isinstance(boot, str)):
            return None
        if not isinstance(events, tuple):
            return None
        return cls(utc_s, mono_ms, boot, tuple(one for one in events if isinstance(one, bytes)))

    def holds(self, moment: Moment) -> bool:
        """True while the machine is in the same life and the time it goes by is the one that was said."""
        passed_s = moment.mono_s - self.mono_ms / 1000
        if not self.boot or moment.boot != self.boot or not 0 <= passed_s + 0.001 <= WORD_LIFE_S:
            return False
        return abs(moment.utc_s - self.utc_s - passed_s) <= AGREE_S + passed_s * DRIFT


class Vouch:
    """Over one ledger. The caller opens transactions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        kept = ledger.get(WORD)
        self._word = Word.decode(kept) if isinstance(kept, bytes) else None

    def came(self, position: int) -> None:
        """Marks the emergencies stored behind this position as brought by a stick. In its transaction."""
        assert self._ledger.in_transaction, "an order and where it came from are known together"
        for stored in self._ledger.since(position, decisions_only=True):
            for signed in read(stored):
                if isinstance(signed.fact, EmergencyOrdered):
                    self._ledger.put(BY_STICK + signed.id.hex(), 1)

    def by_stick(self, event: bytes) -> bool:
        return self._ledger.get(BY_STICK + event.hex()) is not None

    def may_begin(self, event: bytes, moment: Moment) -> bool:
        """False for an emergency that came by stick, while nobody but this box says what time it is."""
        return moment.synced or not self.by_stick(event) or self.is_given(event, moment)

    def is_given(self, event: bytes, moment: Moment) -> bool:
        """True when somebody at the box was shown this order, and the time was right."""
        word = self._word
        return word is not None and event in word.events and word.holds(moment)

    def is_open(self, moment: Moment) -> bool:
        """True while some word holds."""
        return self._word is not None and self._word.holds(moment)

    def confirm(self, key: SigningKey, word: Word) -> None:
        """Somebody says so. Durable, and in the record that `key` signs, on return."""
        with self._ledger.transaction():
            self._ledger.put(WORD, word.encode())
            self._ledger.append(key, ClockStepped(word.utc_s, word.utc_s, word.utc_s, PERSON).encode())
        self._word = word

    def deny(self) -> None:
        """Somebody says that the time is wrong: what was said before counts no more. Durable on return."""
        with self._ledger.transaction():
            self._ledger.put(WORD, b"")
        self._word = None


def waiting(vouch: Vouch, facts: Facts, plays: Plays, unit: str, low_s: float) -> list[Waiting]:
    """Emergencies from sticks that have not begun here and are not surely over, most urgent first.

    low_s: the newest signed time.
    """
    found: dict[bytes, Waiting] = {}
    for order in _orders(facts):
        fact = order.fact
        if fact.expires_at <= low_s or not facts.hears(unit, fact):
            continue
        if (fact.series, local_day(fact.not_before)) in plays or not vouch.by_stick(order.signed.id):
            continue
        if facts.withdrawal_of(order, unit) is None:
            found[order.signed.id] = Waiting(
                order.signed.id, fact.series, fact.kind, fact.level, fact.drill, fact.text, fact.not_before,
                fact.expires_at,
            )  # fmt: skip
    return sorted(found.values(), key=lambda one: (-one.level, one.from_s, one.event))[:ORDERS_MAX]


def _orders(facts: Facts) -> Iterable[Standing[EmergencyOrdered]]:
    for orders in facts.emergencies.values():
        yield from orders
