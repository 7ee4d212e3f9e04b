"""The doorbell: a line a station holds, over which the hub says nothing but "come" (docs/spec/doorbell.md).

A ring carries no content and changes nothing; the station then asks in its usual signed way. So nothing here
is trusted by anybody: a hello is signed over this hub's fresh greeting only so that one station cannot take
another's place, and whoever forges a ring on the way causes an exchange some minutes early.

One thread with a selector holds all lines; a held line costs a socket and a row. Waitress could not do
this: an answer that waits occupies one of its eight threads.

Bound: who is rung, and limits. What is news for whom is asked of the hub (`missed`, `ring`).
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Final

from ledger.facts import ancestors
from ledger.log import BELL, SignatureError, VerifyKey

logger = logging.getLogger("loa.hub")

GREETING_MAGIC: Final = bytes.fromhex("d74c4301")
HELLO_MAGIC: Final = bytes.fromhex("d74c4201")
NONCE_BYTES: Final = 16
# magic 4 ‖ key id 8 ‖ cursor 8 ‖ signature 64
HELLO_BYTES: Final = 84
CURSOR_MAX: Final = 2**63 - 1  # what a position can be
STILL, NEWS, URGENT = b".", b"+", b"!"
EVERYBODY: Final = "*"  # the audience of what every station gets
ACCEPTS_A_STEP: Final = 64
STEP_S: Final = 1.0


@dataclass(frozen=True)
class Limits:
    """Lines and seconds."""

    lines: int = 2_000  # one for each station of a large province twice; below a process's usual files
    strangers: int = 64  # lines without a hello yet; beyond that the oldest of them goes
    hello_s: float = 10.0
    silent_s: float = 150.0  # a station says it is there every 55 s
    still_gap_s: float = 5.0  # and not more often than this
    news_gap_s: float = 60.0  # an office that signs twenty decisions rings once, and once more at the end
    urgent_gap_s: float = 2.0


class _Line:
    """One station's. came_s: when it connected; heard_s: its last sign of life; rung_s: the last ring."""

    def __init__(self, peer: socket.socket, nonce: bytes, now_s: float) -> None:
        self.peer = peer
        self.nonce = nonce
        self.came_s = self.heard_s = now_s
        self.rung_s = float("-inf")
        self.got = b""
        self.key_id = b""
        self.units: frozenset[str] = frozenset()
        self.due = b""


class Doorbell:
    """key_of: a key introduced to this hub. units_of: what it acknowledges for. missed: what a station with
    this cursor should be rung for at once (b"", NEWS or URGENT). lock: free again when a decision is on disk.

    ticks: seconds of a steady clock. entropy: n → n random bytes. `ring` may be called from any thread.
    """

    def __init__(
        self, hub: VerifyKey, *, key_of: Callable[[bytes], VerifyKey | None],
        units_of: Callable[[bytes], Sequence[str]], missed: Callable[[bytes, int], bytes],
        lock: AbstractContextManager[object], ticks: Callable[[], float], entropy: Callable[[int], bytes],
        limits: Limits | None = None,
    ) -> None:  # fmt: skip
        self._hub_key_id = hub.key_id
        self._key_of = key_of
        self._units_of = units_of
        self._stale = False
        self._missed = missed
        self._lock = lock
        self._ticks = ticks
        self._entropy = entropy
        self._limits = limits if limits is not None else Limits()
        self._selector = selectors.DefaultSelector()
        self._news: deque[tuple[str, bool]] = deque(maxlen=256)
        self._waker, self._wake = socket.socketpair()
        for end in (self._waker, self._wake):
            end.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._door: socket.socket | None = None
        self._closed_until_s = float("inf")  # the door is shut until then
        self._strangers: dict[_Line, None] = {}  # oldest first
        self._held: dict[bytes, _Line] = {}
        self.signs = 0  # of life, answered

    def listen(self, host: str, port: int) -> int:
        """The port it listens on; 0 takes any free one. Raises OSError."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._door = socket.create_server((host, port), family=family, backlog=512)
        self._door.setblocking(False)
        self._selector.register(self._door, selectors.EVENT_READ, None)
        return int(self._door.getsockname()[1])

    def ring(self, unit: str, *, urgent: bool) -> None:
        """There is news for every station under `unit`. Returns at once."""
        self._news.append((unit, urgent))
        with suppress(BlockingIOError):  # full of wakes already
            self._waker.send(b"\0")

    def run(self, stop: Callable[[], bool]) -> None:
        """Serves until `stop` says so, then hangs up."""
        while not stop():
            self.step(STEP_S)
        self.close()

    def step(self, wait_s: float) -> None:
        """What happened on the lines within wait_s, and what is due."""
        for ready, _ in self._selector.select(wait_s):
            if ready.data is not None:
                self._read(ready.data)
            elif ready.fileobj is self._wake:
                with suppress(BlockingIOError):
                    self._wake.recv(4_096)
            else:
                self._accept()
        self._spread()
        self._sweep()

    def close(self) -> None:
        """Hangs up on everybody."""
        for line in [*self._strangers, *self._held.values()]:
            self._drop(line)
        for end in (self._door, self._waker, self._wake):
            if end is not None:
                end.close()
        self._selector.close()

    @property
    def held(self) -> int:
        """Stations on the line."""
        return len(self._held)

    # -- coming ----------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        assert self._door is not None
        for _ in range(ACCEPTS_A_STEP):
            try:
                peer, _address = self._door.accept()
            except BlockingIOError:
                return
            except OSError as error:  # gone again, or no file left: nobody comes in for a moment
                logger.warning("the doorbell could not take a line: %s", error)
                self._selector.unregister(self._door)
                self._closed_until_s = self._ticks() + STEP_S
                return
            while self._strangers and (
                len(self._strangers) >= self._limits.strangers
                or len(self._strangers) + len(self._held) >= self._limits.lines
            ):
                self._drop(next(iter(self._strangers)))
            if len(self._held) >= self._limits.lines:
                peer.close()
                continue
            peer.setblocking(False)
            line = _Line(peer, self._entropy(NONCE_BYTES), self._ticks())
            self._strangers[line] = None
            self._selector.register(peer, selectors.EVENT_READ, line)
            self._say(line, GREETING_MAGIC + line.nonce)

    def _read(self, line: _Line) -> None:
        if line.peer.fileno() < 0:
            return  # hung up earlier in this step
        try:
            data = line.peer.recv(HELLO_BYTES + 1)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(line)
        elif not line.key_id:
            line.got += data
            if len(line.got) >= HELLO_BYTES or not HELLO_MAGIC.startswith(line.got[:4]):
                self._greet(line)
        elif data == STILL and self._ticks() - line.heard_s >= self._limits.still_gap_s:
            line.heard_s = self._ticks()
            self.signs += 1
            self._say(line, STILL)
        else:
            self._drop(line)

    def _greet(self, line: _Line) -> None:
        """Whoever is no station is hung up on, without a word."""
        key_id, units = line.got[4:12], self._units_of(line.got[4:12])
        cursor = read_hello(line.got, line.nonce, self._hub_key_id, self._key_of if units else _nobody)
        if cursor is None:
            self._drop(line)
            return
        if key_id in self._held:
            self._drop(self._held[key_id])  # it came again: the old line is dead and does not know yet
        del self._strangers[line]
        line.key_id, line.got = key_id, b""
        line.units = _reached(units)
        line.heard_s = self._ticks()
        self._held[key_id] = line
        self._say(line, STILL)
        line.due = self._missed(key_id, cursor)

    # -- ringing ---------------------------------------------------------------------------------------------

    def ask_again(self) -> None:
        """Units merged: which units each line stands for is asked again before the next ring. Any thread."""
        self._stale = True

    def _spread(self) -> None:
        if self._stale:
            self._stale = False
            for key_id, line in self._held.items():
                line.units = _reached(self._units_of(key_id))
        if self._news:
            with self._lock:  # whoever rang was inside: now it is on the disk
                news = [self._news.popleft() for _ in range(len(self._news))]
            urgent = {unit for unit, hurry in news if hurry}
            units = {unit for unit, _ in news}
            for line in self._held.values():
                if not line.units.isdisjoint(urgent):
                    line.due = URGENT
                elif not line.units.isdisjoint(units):
                    line.due = line.due or NEWS
        now_s = self._ticks()
        for line in [line for line in self._held.values() if line.due]:
            gap_s = self._limits.urgent_gap_s if line.due == URGENT else self._limits.news_gap_s
            if now_s - line.rung_s >= gap_s:
                due, line.due, line.rung_s = line.due, b"", now_s
                self._say(line, due)

    def _sweep(self) -> None:
        now_s = self._ticks()
        if self._door is not None and self._closed_until_s <= now_s < float("inf"):
            self._closed_until_s = float("inf")
            self._selector.register(self._door, selectors.EVENT_READ, None)
        late = [line for line in self._strangers if now_s - line.came_s > self._limits.hello_s]
        late += [line for line in self._held.values() if now_s - line.heard_s > self._limits.silent_s]
        for line in late:
            self._drop(line)

    def _say(self, line: _Line, words: bytes) -> None:
        """Never waits: who does not take twenty bytes off the line is not there."""
        try:
            whole = line.peer.send(words) == len(words)
        except OSError:
            whole = False
        if not whole:
            self._drop(line)

    def _drop(self, line: _Line) -> None:
        self._strangers.pop(line, None)
        if self._held.get(line.key_id) is line:
            del self._held[line.key_id]
        if line.peer.fileno() >= 0:
            self._selector.unregister(line.peer)
            line.peer.close()


def read_hello(
    hello: bytes, nonce: bytes, hub_key_id: bytes, key_of: Callable[[bytes], VerifyKey | None]
) -> int | None:
    """The cursor that a station told this hub after this greeting; None for anything else.

    Length, magic, cursor, key, signature, in this order: no cryptography for strangers.
    """
    cursor = int.from_bytes(hello[12:20], "big")
    if len(hello) != HELLO_BYTES or not hello.startswith(HELLO_MAGIC) or cursor > CURSOR_MAX:
        return None
    key = key_of(hello[4:12])
    if key is None:
        return None
    try:
        key.verify(BELL, nonce + hub_key_id + hello[12:20], hello[20:])
    except SignatureError:
        return None
    return cursor


def _nobody(_key_id: bytes) -> None:
    return None


def _reached(units: Iterable[str]) -> frozenset[str]:
    """The audiences that concern a station of these units."""
    return frozenset([EVERYBODY, *(above for unit in units for above in ancestors(unit))])
