"""What makes sound: the port, and the timed player that makes none.

A player is told when to start and is asked again and again how it goes; it never blocks and never decides
what to play. It reports what it can prove and no more: `ceiling` is the highest evidence level it can ever
give. `NullPlayer` takes exactly as long as the content and proves nothing beyond "the content was here": a
station without mpv says so in every acknowledgment.

All times are monotonic seconds passed in by the station; played time is in deciseconds (ds).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node.sound.chime import Chime

# Text without audio: an unhurried reader needs about this long for a character of Vietnamese.
TEXT_CHAR_MS = 60
# Nothing on the air may last longer: a damaged duration must not block a station for days.
DURATION_MAX_MS = 6 * 3600 * 1000
# Even an empty item takes a moment, so that start and end are two different moments.
DURATION_MIN_MS = 100


def _nothing() -> bytes:
    raise PlayerError("content-unreadable", "this item carries no audio")


@dataclass(frozen=True)
class PlayItem:
    """One thing to make audible. manifest and sha256: 32 bytes; sha256 None = text only, to be spoken.

    offset_ds > 0: an interrupted item goes on from there (the same slot; it is not played twice).
    repeat: how many rounds one start makes. read: verified content; raises LoaError when the disk lost it.
    goes_on: after the device was lost in mid-play it may go on from there. stream: an http(s) address instead
    of bytes, sounding for duration_ms; then `read` gives a recording of fallback_ms that fills in for it, if
    that is not 0. chime: sounds first and is counted nowhere. words: what a voice is to say, made when asked;
    None = the text as it stands.
    """

    series: int
    day: int
    manifest: bytes
    sha256: bytes | None
    media_type: str
    duration_ms: int
    volume: int
    text: str
    language: str
    offset_ds: int = 0
    repeat: int = 1
    klass: int = 2
    goes_on: bool = True
    stream: str = ""
    fallback_ms: int = 0
    chime: Chime = Chime.NONE
    words: Callable[[], str] | None = field(default=None, compare=False, repr=False)
    read: Callable[[], bytes] = field(default=_nothing, compare=False, repr=False)

    @property
    def planned_ds(self) -> int:
        """How long all rounds take when nothing goes wrong, without what was played before."""
        recorded = self.sha256 is not None or self.stream
        round_ms = self.duration_ms if recorded else len(self.text) * TEXT_CHAR_MS
        total_ms = min(max(round_ms, DURATION_MIN_MS) * max(self.repeat, 1), DURATION_MAX_MS)
        return max(total_ms // 100 - self.offset_ds, 1)


@dataclass(frozen=True)
class PlayReport:
    """How one start ended. played_ds: of this run only, without the item's offset."""

    outcome: Outcome
    detail: Detail
    played_ds: int
    evidence: Evidence


class Player(Protocol):
    """One output. At most one item at a time.

    chimes: whether it makes the chime of an item sound. can_speak: whether it reads texts out.
    """

    @property
    def name(self) -> str: ...

    @property
    def ceiling(self) -> Evidence: ...

    @property
    def chimes(self) -> bool: ...

    @property
    def can_speak(self) -> bool: ...

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        """Begins. Raises PlayerError when the device cannot."""

    def poll(self, now_mono_s: float) -> PlayReport | None:
        """None while it goes on; the report once it has ended."""

    def stop(self, now_mono_s: float) -> PlayReport:
        """Ends it now: INTERRUPTED with what was played, or the real end if that came first."""

    def wait_s(self, now_mono_s: float) -> float:
        """Seconds until poll() is worth a call."""

    def close(self) -> None: ...


class NullPlayer:
    """Silent, and exactly as long as the content: it makes no sound, so it makes no chime either."""

    name = "null"
    ceiling = Evidence.DELIVERED
    chimes = False
    can_speak = False

    def __init__(self) -> None:
        self._started_s = 0.0
        self._planned_ds: int | None = None

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        """Notes the time. Raises PlayerError while another item is under way."""
        if self._planned_ds is not None:
            raise PlayerError("player-busy", "the player was not stopped before the next item")
        self._started_s = now_mono_s
        self._planned_ds = item.planned_ds

    def poll(self, now_mono_s: float) -> PlayReport | None:
        assert self._planned_ds is not None, "nothing was started"
        if self._elapsed_ds(now_mono_s) < self._planned_ds:
            return None
        played_ds, self._planned_ds = self._planned_ds, None
        return PlayReport(Outcome.PLAYED, Detail.NONE, played_ds, self.ceiling)

    def stop(self, now_mono_s: float) -> PlayReport:
        ended = self.poll(now_mono_s)
        if ended is not None:
            return ended
        self._planned_ds = None
        return PlayReport(Outcome.INTERRUPTED, Detail.NONE, self._elapsed_ds(now_mono_s), self.ceiling)

    def wait_s(self, now_mono_s: float) -> float:
        assert self._planned_ds is not None, "nothing was started"
        return max(0.0, self._planned_ds / 10 - (now_mono_s - self._started_s))

    def close(self) -> None:
        self._planned_ds = None

    def _elapsed_ds(self, now_mono_s: float) -> int:
        # The grain keeps 30.0 s from being counted as 29.9 s after float arithmetic.
        return max(0, int((now_mono_s - self._started_s) * 10 + 1e-6))
