"""A bank of receiver clusters: what a maker's firmware does with the protocol, and what goes wrong on a pole.

`Receiver` is the other end of docs/spec/clusters.md, whole: it checks who speaks, follows an order once,
falls silent when the station is heard no more, and says what it sounds. `Ill` is what ails it. A bank stands
behind a link of its own, in virtual time (`BankLine`), or behind real sockets (`cluster_server`); the
station's code is the same in both.

Bound: no sound. `sounding(nth)` is the truth that a test holds a vector against.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ledger.log import LoaError
from node import ClusterAnswer, ClusterEntry, ClusterOrder, OrderWord
from sim.faults import Dice

SILENCE = bytes(16)
LIE = b"another item yet"  # what a receiver sounds that follows somebody else


@dataclass(frozen=True)
class Ill:
    """What ails one receiver. late_s: it follows so much later. loss: share of messages lost, each way.

    dead: no power. muted: its switch is off. lying: it sounds another item. flaps: it is dark every other
    period of so many seconds (0: never).
    """

    dead: bool = False
    muted: bool = False
    lying: bool = False
    late_s: float = 0.0
    loss: float = 0.0
    flaps_s: float = 0.0

    def dark(self, now_s: float) -> bool:
        return self.dead or (self.flaps_s > 0 and int(now_s / self.flaps_s) % 2 == 1)


WELL = Ill()


class Receiver:
    """One cluster. A life begins with `boot`; the order numbers and what it sounds are of that life."""

    def __init__(
        self, number: int, key: bytes, entropy: Callable[[int], bytes], ill: Ill = WELL, now_s: float = 0.0
    ) -> None:
        self.number = number
        self.key = key
        self.ill = ill
        self.orders = 0  # that it followed, over all lives
        self._entropy = entropy
        self._waiting: tuple[float, ClusterOrder] | None = None
        self._was_dark = False
        self.boot(now_s)

    def boot(self, now_s: float) -> None:
        """Power is back: a new life, silent."""
        self.life = self._entropy(8)
        self.seq = 0
        self.powered = False
        self.item = SILENCE
        self.volume = 0
        self.until_s = now_s
        self.since_s = now_s
        self._waiting = None

    def take(self, message: bytes, now_s: float) -> bytes | None:
        """The answer to a message; None for what is not authentic, and without power."""
        self._pass(now_s)
        if self.ill.dark(now_s):
            return None
        try:
            order = ClusterOrder.decode(message, self.key)
        except LoaError:
            return None
        if order.number != self.number:
            return None
        if order.boot == self.life and order.seq > self.seq:
            self.seq = order.seq
            due_s = now_s + self.ill.late_s
            if self._waiting is not None and _alike(self._waiting[1], order):
                due_s = self._waiting[0]  # it is at it already
            self._waiting = (due_s, order)
            self._pass(now_s)
        sounds = self.item != SILENCE
        said = LIE if sounds and self.ill.lying else self.item
        return ClusterAnswer(
            self.powered, self.ill.muted, sounds, self.volume, self.number, order.nonce, self.life, self.seq,
            said, int(now_s - self.since_s),
        ).encode(self.key)  # fmt: skip

    def sounding(self, now_s: float) -> bytes | None:
        """What comes out of the horns now."""
        self._pass(now_s)
        if self.ill.dark(now_s) or self.ill.muted or self.volume == 0 or self.item == SILENCE:
            return None
        return LIE if self.ill.lying else self.item

    def _pass(self, now_s: float) -> None:
        """What became of it until now: power, the order that it was slow to follow, the end it was told."""
        if self.ill.dark(now_s):
            self._was_dark = True
            return
        if self._was_dark:
            self._was_dark = False
            self.boot(now_s)
        if self._waiting is not None and now_s >= self._waiting[0]:
            at_s, order = self._waiting
            self._waiting = None
            self._follow(order, at_s)
        if now_s >= self.until_s and (self.powered or self.item != SILENCE):
            self.powered, self.item, self.since_s = False, SILENCE, self.until_s

    def _follow(self, order: ClusterOrder, at_s: float) -> None:
        self.orders += 1
        if order.word is OrderWord.STOP:
            item, self.until_s = SILENCE, at_s
        else:
            item, self.until_s = order.item, at_s + order.for_s
        if order.word is not OrderWord.PREPARE:
            self.volume = order.volume
        if item != self.item or not self.powered:
            self.since_s = at_s
        self.powered, self.item = order.word is not OrderWord.STOP, item


def _alike(one: ClusterOrder, other: ClusterOrder) -> bool:
    return (one.word, one.item, one.volume) == (other.word, other.item, other.volume)


class Bank:
    """`count` receivers with keys of their own, numbered from 1. ills: by place, from 0."""

    def __init__(
        self,
        count: int,
        dice: Dice,
        *,
        name: str = "bank",
        ills: dict[int, Ill] | None = None,
        now_s: float = 0.0,
    ) -> None:
        self.dice = dice
        self.sent = 0  # messages on its link, over all lives of its station
        self.name = name
        self.receivers = [
            Receiver(
                nth + 1,
                sha256(f"{dice.seed}/{name}/{nth}".encode()).digest(),
                dice.entropy(f"{name}/{nth}"),
                (ills or {}).get(nth, WELL),
                now_s,
            )
            for nth in range(count)
        ]

    def entries(self, address: Callable[[int], tuple[str, str]]) -> tuple[ClusterEntry, ...]:
        """The list for `clusters.toml`. address: place → (driver, `ip:port`)."""
        return tuple(
            ClusterEntry(one.number, f"Cụm loa {one.number}", *address(nth), one.key)
            for nth, one in enumerate(self.receivers)
        )

    def fall_ill(self, nth: int, **how: float | bool) -> None:
        """Changes what ails one of them; `Ill`'s fields by name."""
        one = self.receivers[nth]
        one.ill = replace(one.ill, **how)  # type: ignore[arg-type]  # the fields are checked by replace

    def sounding(self, now_s: float) -> list[bytes | None]:
        return [one.sounding(now_s) for one in self.receivers]


@dataclass(frozen=True)
class _Mail:
    due_s: float
    nth: int
    message: bytes
    to_station: bool


class BankLine:
    """The `Line` of a station to its bank in virtual time. now: the world's clock. delay_s: one way."""

    def __init__(self, bank: Bank, now: Callable[[], float], *, delay_s: float = 0.02) -> None:
        self._bank = bank
        self._now = now
        self._delay_s = delay_s
        self._mail: list[_Mail] = []
        self.messages = 0

    def send(self, nth: int, message: bytes, *, asks: bool) -> None:
        self.messages += 1
        self._post(_Mail(self._now() + self._delay_s, nth, message, to_station=False))

    def receive(self) -> tuple[int, bytes] | None:
        """In order of arrival; a message to a receiver is taken there when its time has come."""
        while due := [mail for mail in self._mail if mail.due_s <= self._now()]:
            first = min(due, key=lambda mail: mail.due_s)
            self._mail.remove(first)
            if first.to_station:
                return first.nth, first.message
            answer = self._bank.receivers[first.nth].take(first.message, first.due_s)
            if answer is not None:
                self._post(_Mail(first.due_s + self._delay_s, first.nth, answer, to_station=True))
        return None

    def inject(self, nth: int, message: bytes) -> None:
        """Somebody on the line sends this to the station, from the address of `nth` (−1: from elsewhere)."""
        self._mail.append(_Mail(self._now(), nth, message, to_station=True))

    def close(self) -> None:
        """Messages on the way arrive at their receivers all the same."""
        for mail in self._mail:
            if not mail.to_station:
                self._bank.receivers[mail.nth].take(mail.message, mail.due_s)
        self._mail.clear()

    def _post(self, mail: _Mail) -> None:
        bank = self._bank
        bank.sent += 1
        loss = bank.receivers[mail.nth].ill.loss
        if not bank.dice.hit(bank.name, "cluster", bank.sent, loss):
            self._mail.append(mail)


# A village's receivers by a roll: up to so much, and what ails those.
AILMENTS = (
    (0.05, Ill(dead=True)), (0.08, Ill(muted=True)), (0.10, Ill(lying=True)), (0.20, Ill(flaps_s=900.0)),
    (0.30, Ill(loss=0.2)), (0.40, Ill(late_s=2.0)),
)  # fmt: skip


def village(count: int, dice: Dice, unit: str) -> Bank:
    """A bank as a commune has it: most are well, some are dead, some come and go."""
    ills = {
        nth: next((ill for most, ill in AILMENTS if dice.roll(unit, "cluster/ill", nth) < most), WELL)
        for nth in range(count)
    }
    return Bank(count, dice, name=f"{unit}/bank", ills=ills)


def of_address(base: str, port: int, drivers: Sequence[str] = ("udp",)) -> Callable[[int], tuple[str, str]]:
    """Place → (driver, address): one port each from `port` on, the drivers by turns."""
    return lambda nth: (drivers[nth % len(drivers)], f"{base}:{port + nth}")
