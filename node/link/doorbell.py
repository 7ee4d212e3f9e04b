"""The station's end of the doorbell: a line it holds so that an emergency is fetched within seconds.

See docs/spec/doorbell.md. Nothing that comes over this line is believed: a byte means "ask now", and what is
asked is asked in the usual signed way. How often a ring may lead to an exchange is limited by `agent.py`; who
rings in a storm is hung up on. Without a doorbell, or while its line is down, the station keeps its schedule.

Bound: one line at a time, held by a thread of the shell. Sockets come in by `connect`, waiting by `pause`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.log import BELL, SigningKey, VerifyKey

logger = logging.getLogger("loa.node")

GREETING_MAGIC: Final = bytes.fromhex("d74c4301")
HELLO_MAGIC: Final = bytes.fromhex("d74c4201")
GREETING_BYTES: Final = 20
STILL, NEWS, URGENT = b".", b"+", b"!"
# Rings in one minute of a line; the hub keeps to two.
RINGS_MAX: Final = 40
FAILURES_MAX: Final = 20


class Socket(Protocol):
    """What of a connected socket is used here."""

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def settimeout(self, seconds: float, /) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Habits:
    """Seconds. A carrier forgets a silent line after two to thirty minutes; 55 s is below all of them."""

    still_s: float = 55.0
    jitter: float = 0.15
    answer_s: float = 20.0
    base_s: float = 2.0
    cap_s: float = 900.0
    good_s: float = 60.0  # a line that held so long was a good one


class Doorbell:
    """connect: a fresh connection to the hub's doorbell, or OSError. ring: told whether it is urgent.

    cursor: how far decisions were read, so that the hub rings for what came while the line was down. pause:
    waits so many seconds; True when it is time to end. mono: seconds of a steady clock.
    """

    def __init__(
        self, key: SigningKey, hub: VerifyKey, *, connect: Callable[[], Socket], cursor: Callable[[], int],
        ring: Callable[[bool], None], pause: Callable[[float], bool], mono: Callable[[], float],
        rng: random.Random, habits: Habits | None = None,
    ) -> None:  # fmt: skip
        self._key = key
        self._hub = hub
        self._connect = connect
        self._cursor = cursor
        self._ring = ring
        self._pause = pause
        self._mono = mono
        self._rng = rng
        self._habits = habits if habits is not None else Habits()
        self.connected = False

    def run(self) -> None:
        """Holds a line, and after it broke another, until `pause` says that it is time to end."""
        failures = 0
        while True:
            since_s = self._mono()
            try:
                self._hold(self._connect())
            except OSError as error:
                logger.info("the doorbell's line is down: %s", error)
            self.connected = False
            good = self._mono() - since_s >= self._habits.good_s
            failures = 1 if good else min(failures + 1, FAILURES_MAX)
            most_s = min(self._habits.cap_s, self._habits.base_s * 2.0**failures)
            if self._pause(self._rng.uniform(0.0, most_s)):
                return

    def _hold(self, line: Socket) -> None:
        """Returns when the hub hangs up or says what it cannot mean; OSError when the line breaks."""
        try:
            line.settimeout(self._habits.answer_s)
            greeting = b""
            while len(greeting) < GREETING_BYTES:
                part = line.recv(GREETING_BYTES - len(greeting))
                if not part:
                    return
                greeting += part
            if not greeting.startswith(GREETING_MAGIC):
                return
            line.sendall(make_hello(self._key, self._hub.key_id, greeting[4:], self._cursor()))
            self._listen(line)
        finally:
            line.close()

    def _listen(self, line: Socket) -> None:
        habits, awaiting = self._habits, True
        minute_s, rings = self._mono(), 0
        while True:
            spread = self._rng.uniform(1 - habits.jitter, 1.0)
            line.settimeout(habits.answer_s if awaiting else habits.still_s * spread)
            try:
                said = line.recv(16)
            except TimeoutError:
                if awaiting:
                    return
                line.sendall(STILL)
                awaiting = True
                continue
            if not said or said.strip(STILL + NEWS + URGENT):
                return
            if STILL in said:
                awaiting, self.connected = False, True
            if self._mono() - minute_s > 60.0:
                minute_s, rings = self._mono(), 0
            rings += len(said) - said.count(STILL)
            if rings > RINGS_MAX:
                return
            if URGENT in said or NEWS in said:
                self._ring(URGENT in said)


def make_hello(key: SigningKey, hub_key_id: bytes, nonce: bytes, cursor: int) -> bytes:
    """84 bytes by which a station names itself after a greeting with this nonce."""
    at = cursor.to_bytes(8, "big")
    return HELLO_MAGIC + key.key_id + at + key.sign(BELL, nonce + hub_key_id + at)
