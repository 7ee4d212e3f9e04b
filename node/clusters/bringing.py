"""The reference driver: brings each cluster to what is wanted of it, over a line that loses what it likes.

For each cluster it knows what the cluster last said and what is wanted of it. As long as the two differ it
sends the order again, a few times and then at the next round; a cluster that was switched on meanwhile says
a new life in its answer and gets the order for that. Nothing is believed that is not an authentic answer to
one of the last questions.

Bound: what is wanted comes in by `ClusterDriver`; what carries the 64 bytes is a `Line` (`cluster_lines`, or
the simulator's).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ledger.log import LoaError
from node.clusters.driver import Said, Sound
from node.clusters.listing import ClusterEntry
from node.clusters.wire import (
    NO_ITEM,
    NONCE_BYTES,
    SECONDS_MAX,
    SEQ_MAX,
    ClusterAnswer,
    ClusterOrder,
    OrderWord,
)

logger = logging.getLogger("loa.node")

RETRY_S: Final = 1.0
TRIES_MAX: Final = 4  # of a round; the next round tries again
NONCES_KEPT: Final = TRIES_MAX + 1
VOLUME_STEP: Final = 5  # percent: many amplifiers know twenty or thirty steps
POLL_S: Final = 0.25  # while an answer is awaited
TAKEN_MAX: Final = 1_024  # messages looked at in one poll: a flood does not hold a loudspeaker up


class Line(Protocol):
    """Carries messages to clusters by their place in the list. Never waits, never raises for a dead peer."""

    def send(self, nth: int, message: bytes, *, asks: bool) -> None: ...

    def receive(self) -> tuple[int, bytes] | None:
        """One message and whose place it came to, or None. Of any length up to some KiB, from anybody."""

    def close(self) -> None: ...


class _Link:
    """One cluster: what it said last, what is wanted, what is out."""

    def __init__(self, entry: ClusterEntry) -> None:
        self.entry = entry
        self.boot = b""
        self.seq = 0
        self.wish: tuple[OrderWord, Sound] | None = None
        self.done = True  # the last answer agrees with the wish
        self.heard = True  # it answered since the round began
        self.tries = 0
        self.next_s = float("inf")
        self.nonces: deque[bytes] = deque(maxlen=NONCES_KEPT)

    def start_round(self, now_s: float) -> None:
        self.heard = False
        self.tries = 0
        self.next_s = now_s

    def agrees(self, answer: ClusterAnswer) -> bool:
        """True when this answer shows what is wanted."""
        if self.wish is None:
            return True
        word, sound = self.wish
        if word is OrderWord.PREPARE:
            return answer.powered
        if word is OrderWord.STOP:
            return not answer.sounding
        near = abs(answer.volume - self.entry.volume) <= VOLUME_STEP
        return answer.audible and answer.item == sound.item and near


class LineDriver:
    """`ClusterDriver` by the messages of docs/spec/clusters.md. entropy: n → n random bytes."""

    def __init__(
        self, clusters: Sequence[ClusterEntry], line: Line, *, entropy: Callable[[int], bytes]
    ) -> None:
        self._links = [_Link(entry) for entry in clusters]
        self._line = line
        self._entropy = entropy
        self.refused = 0  # messages that were no answer to us; a number for whoever looks for a disturber

    def prepare(self, for_s: int, now_mono_s: float) -> None:
        self._want(OrderWord.PREPARE, Sound(b"", for_s), now_mono_s)

    def begin(self, sound: Sound, now_mono_s: float) -> None:
        self._want(OrderWord.BEGIN, sound, now_mono_s)

    def stop(self, now_mono_s: float) -> None:
        self._want(OrderWord.STOP, Sound(b"", 0), now_mono_s)

    def ask(self, now_mono_s: float) -> None:
        for link in self._links:
            link.start_round(now_mono_s)
        self._send_due(now_mono_s)

    def poll(self, now_mono_s: float) -> list[Said]:
        said = []
        for _ in range(TAKEN_MAX):
            came = self._line.receive()
            if came is None:
                break
            one = self._take(*came, now_mono_s)
            if one is not None:
                said.append(one)
        self._send_due(now_mono_s)
        return said

    def wait_s(self, now_mono_s: float) -> float:
        if all(link.next_s == float("inf") for link in self._links):
            return float("inf")
        return POLL_S

    def close(self) -> None:
        self._line.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _want(self, word: OrderWord, sound: Sound, now_s: float) -> None:
        for link in self._links:
            link.wish = (word, sound)
            link.done = False
        self.ask(now_s)

    def _take(self, nth: int, message: bytes, now_s: float) -> Said | None:
        if not 0 <= nth < len(self._links):
            self.refused += 1
            return None
        link = self._links[nth]
        try:
            answer = ClusterAnswer.decode(message, link.entry.key)
        except LoaError as refused:
            self.refused += 1
            logger.debug("cluster %s: %s", link.entry.name, refused)
            return None
        if answer.number != link.entry.number or answer.nonce not in link.nonces:
            self.refused += 1
            return None
        link.nonces.remove(answer.nonce)
        link.boot, link.seq = answer.boot, max(answer.seq, link.seq if answer.boot == link.boot else 0)
        link.done, link.heard = link.agrees(answer), True
        if link.done:
            link.next_s = float("inf")
        elif link.tries < TRIES_MAX:
            # It answered and is not where it should be: after a question the order goes out at once.
            link.next_s = min(link.next_s, now_s if link.tries == 1 else now_s + RETRY_S)
        item = answer.item if answer.sounding else None
        return Said(nth, answer.powered, answer.muted, answer.volume, item, answer.since_s)

    def _send_due(self, now_s: float) -> None:
        for nth, link in enumerate(self._links):
            if link.next_s > now_s:
                continue
            if link.tries >= TRIES_MAX:
                link.next_s = float("inf")  # nobody answers: the next round asks again
                continue
            link.tries += 1
            link.next_s = now_s + RETRY_S
            self._send(nth, link)

    def _send(self, nth: int, link: _Link) -> None:
        nonce = self._entropy(NONCE_BYTES)
        link.nonces.append(nonce)
        number = link.entry.number
        if link.wish is None or link.done or not link.boot or link.seq >= SEQ_MAX:
            order = ClusterOrder(OrderWord.ASK, 0, number, nonce)
        else:
            word, sound = link.wish
            link.seq += 1
            item = sound.item if word is OrderWord.BEGIN else NO_ITEM
            volume = link.entry.volume if word is OrderWord.BEGIN else 0
            for_s = min(max(sound.for_s, 0), SECONDS_MAX)
            order = ClusterOrder(word, volume, number, nonce, link.boot, link.seq, item, for_s)
        self._line.send(nth, order.encode(link.entry.key), asks=order.word is OrderWord.ASK)
