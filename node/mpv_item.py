"""One item on its way through mpv: rounds, positions, levels, and what may be claimed of it in the end.

It reads mpv's events and answers, never sends anything but questions, and counts what was audible: from the
moment playback began to the moment the device had drained (`idle`, not `end-file`, which comes half a second
early). Offsets of interrupted items are whole rounds plus a position.
"""

from __future__ import annotations

import math
from typing import Any, Final

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node.mpv_process import MemoryFile, MpvProcess
from node.player import PlayItem, PlayReport
from node.speech import Speech

SILENCE_DB: Final = -60.0
# A cold start from a slow card and a sound device that wakes up.
START_S: Final = 15.0
# The position of a healthy player moves several times a second.
STALL_S: Final = 8.0
# Encoders pad and devices drain: a good end may come this much before the planned one.
EARLY_S: Final = 1.5
EARLY_SHARE: Final = 0.03


class Run:
    """One item on its way: rounds, positions, levels."""

    def __init__(self, item: PlayItem, now_mono_s: float) -> None:
        self.item = item
        self.content: MemoryFile | None = None
        self.speech: Speech | None = None
        self.round_s = 0.0
        self.rounds_left = 0
        self.from_s = 0.0
        self.load = 0
        self._entry: int | None = None  # mpv's number for what we loaded; events of older items are not ours
        self.starts = 0
        self.end: str | None = None
        self.asked_s = now_mono_s
        self._heard_s = 0.0  # of ended rounds and attempts
        self._sounding_s: float | None = None  # since when this attempt makes sound
        self._reason: str | None = None
        self._position_s = 0.0
        self._moved_s = now_mono_s
        self._loudest_db = -math.inf
        self._levels = 0
        self._position_ask = 0
        self._level_ask = 0
        self._accepted = False

    def begin_at(self, offset_s: float) -> None:
        """Where to begin after an interruption: whole rounds are over, the rest is a position."""
        rounds = max(1, self.item.repeat)
        done = int(offset_s // self.round_s) if self.round_s > 0 else 0
        done = min(done, rounds - 1)
        self.rounds_left = rounds - done
        self.from_s = max(0.0, min(offset_s - done * self.round_s, self.round_s))

    def loaded(self, now_mono_s: float) -> None:
        self.starts += 1
        self._entry = None
        self.end = self._reason = self._sounding_s = None
        self._moved_s = self.asked_s = now_mono_s
        self._position_s = self.from_s

    def ask(self, mpv: MpvProcess, now_mono_s: float) -> None:
        self.asked_s = now_mono_s
        self._position_ask = mpv.command("get_property", "time-pos")
        self._level_ask = mpv.command("get_property", "af-metadata/m")

    def take(self, event: dict[str, Any], now_mono_s: float) -> None:
        """One event or answer of mpv's."""
        kind = event.get("event")
        answer = event.get("request_id")
        if answer == self.load and isinstance(event.get("data"), dict):
            self._entry = event["data"].get("playlist_entry_id")
        elif kind is not None and self._entry is None:
            return
        elif kind == "playback-restart":
            self._accepted = True
            if self._sounding_s is None:
                self._sounding_s = self._moved_s = now_mono_s
        elif kind == "end-file" and event.get("playlist_entry_id") == self._entry:
            if event.get("reason") not in ("eof", "error"):
                return
            self._reason = str(event["reason"])
            if self._reason == "error":
                self._settle(now_mono_s)
        elif kind == "idle" and self._reason == "eof":
            # Only now the device has drained: end-file comes while the last half second still sounds.
            self._settle(now_mono_s)
        elif answer == self._position_ask:
            position = event.get("data")
            if isinstance(position, int | float) and position != self._position_s:
                self._position_s, self._moved_s = float(position), now_mono_s
        elif answer == self._level_ask:
            self._level(event.get("data"))

    def check_pulse(self, now_mono_s: float) -> None:
        """Raises PlayerError when nothing has moved for too long."""
        limit_s = START_S if self._sounding_s is None else STALL_S
        if now_mono_s - self._moved_s > limit_s:
            raise PlayerError("mpv-stalled", "the position of the player stands still")

    def next_round(self, now_mono_s: float) -> bool:
        """After a good end: True when another round follows."""
        if self._ended_early() or self.rounds_left <= 1:
            return False
        self.rounds_left -= 1
        self.from_s = 0.0
        self.starts = 0
        return True

    def resume_after_failure(self, now_mono_s: float) -> None:
        if self._sounding_s is not None:
            self._heard_s += max(0.0, self._position_s - self.from_s)
            self._sounding_s = None
        self.from_s = self._position_s

    def report(self, ended: str, now_mono_s: float) -> PlayReport:
        """What can be claimed. ended: eof, error or stop."""
        if self._sounding_s is not None:
            self._settle(now_mono_s)
        played_ds = int(self._heard_s * 10)
        evidence = Evidence.DELIVERED
        if self._accepted:
            loud = self._loudest_db > SILENCE_DB and self.item.volume > 0
            evidence = Evidence.SIGNAL_PRESENT if loud else Evidence.DEVICE_ACCEPTED
        if ended == "stop":
            return PlayReport(Outcome.INTERRUPTED, Detail.NONE, played_ds, evidence)
        if ended == "error":
            outcome = Outcome.PARTIAL if played_ds > 0 and self._accepted else Outcome.MISSED
            return PlayReport(
                outcome, Detail.DEVICE, played_ds if outcome is Outcome.PARTIAL else 0, evidence
            )
        if self._ended_early():
            return PlayReport(Outcome.PARTIAL, Detail.DEVICE, played_ds, evidence)
        if self.item.volume == 0 or (self._levels > 0 and self._loudest_db <= SILENCE_DB):
            return PlayReport(Outcome.SILENT, Detail.DEVICE, played_ds, evidence)
        return PlayReport(Outcome.PLAYED, Detail.NONE, played_ds, evidence)

    def close(self) -> None:
        if self.content is not None:
            self.content.close()
        if self.speech is not None:
            self.speech.close()

    def _settle(self, now_mono_s: float) -> None:
        """This attempt is over: what it made audible is counted once."""
        self.end = self._reason
        if self._sounding_s is not None:
            sounded_s = max(0.0, now_mono_s - self._sounding_s)
            self._heard_s += min(sounded_s, max(0.0, self.round_s - self.from_s) + EARLY_S)
            self._round_heard_s = sounded_s
            self._sounding_s = None
        else:
            self._round_heard_s = 0.0

    _round_heard_s = 0.0

    def _ended_early(self) -> bool:
        wanted_s = max(0.0, self.round_s - self.from_s)
        return self._round_heard_s < wanted_s - max(EARLY_S, EARLY_SHARE * wanted_s)

    def _level(self, data: Any) -> None:
        if not isinstance(data, dict):
            return
        try:
            level_db = float(data["lavfi.astats.Overall.RMS_level"])
        except (KeyError, TypeError, ValueError):
            return
        self._levels += 1
        if not math.isnan(level_db):
            self._loudest_db = max(self._loudest_db, level_db)
