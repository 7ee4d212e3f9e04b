"""One item on its way through mpv: rounds, positions, levels, and what may be claimed of it in the end.

It reads mpv's events and answers, never sends anything but questions, and counts what was audible: from the
moment playback began to the moment the device had drained (`idle`, not `end-file`, which comes half a second
early). Offsets of interrupted items are whole rounds plus a position.

mpv says `playback-restart` and measures levels even when there is no device, just before it says so. So a
device counts as opened only when `current-ao` names it *and* the position moved, or the sound ended well.
"""

from __future__ import annotations

from typing import Any, Final

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import PlayerError
from node.sound import mpv_bytes
from node.sound.mpv_bytes import StreamBytes
from node.sound.mpv_level import Meter
from node.sound.mpv_process import Conversation, MemoryFile
from node.sound.player import PlayItem, PlayReport
from node.sound.speech import Speech

# A cold start from a slow card and a sound device that wakes up.
START_S: Final = 15.0
# The position of a healthy player moves several times a second.
STALL_S: Final = 8.0
# Encoders pad and devices drain: a good end may come this much before the planned one.
EARLY_S: Final = 1.5
EARLY_SHARE: Final = 0.03
# What sounded since the last known position: no more than this, however long nobody asked.
UNSEEN_S: Final = 1.0
# What went away needs a moment to come back: a plug that slipped, a sound server that starts again.
RETURN_S: Final = 2.0
# Behind a chime the first levels are still the chime's.
SETTLE_S: Final = 0.7
# Outputs behind which there is no device: what they take proves nothing.
NO_DEVICE: Final = frozenset({"null", "pcm"})
ASKED: Final = ("current-ao", "ao-mute", "ao-volume", "time-pos", "af-metadata/m")
# mpv's words for content that it cannot make sense of; its other errors are of the device.
_UNREADABLE: Final = frozenset(
    {"unrecognized file format", "loading failed", "no audio or video data played", "nothing to play"}
)


class Run:
    """One item on its way: rounds, positions, levels. bench: an output without a device counts as one.

    streamed: where the bytes of a stream are counted.
    """

    def __init__(
        self, item: PlayItem, now_mono_s: float, *, bench: bool = False, streamed: StreamBytes | None = None
    ) -> None:
        self.item = item
        self.content: MemoryFile | None = None
        self.speech: Speech | None = None
        self.round_s = 0.0
        self.rounds_left = 0
        self.from_s = 0.0
        self.load = 0
        self.starts = 0
        self.announced = 0  # pieces before the item that have begun to sound
        self.again_s: float | None = None  # when to begin afresh after a loss
        self.end: str | None = None
        self.asked_s = now_mono_s
        self.meter = Meter()
        self._bench = bench
        self._streamed = streamed if item.stream else None
        self._entry: int | None = None  # mpv's number for what we loaded; events of older items are not ours
        self._playing: int | None = None  # mpv's number for what it has opened
        self._led_s = 0.0  # seconds of what was handed over before this attempt
        self._levels_from_s = 0.0
        self._heard_s = 0.0  # of ended rounds and attempts
        self._round_heard_s = 0.0
        self._sounding_s: float | None = None  # since when this attempt makes sound
        self._reason: str | None = None
        self._error = ""
        self._position_s = self._stood_s = 0.0
        self._moved_s = now_mono_s
        self._moved = False  # in this attempt
        self._open = False  # in this attempt: there is an output, and it takes sound
        self._output = ""  # mpv's name of it, once open
        self._muted = False
        self._questions: dict[int, str] = {}
        self._accepted = False  # in any attempt
        self._hollow = False  # an output was none of a device

    @property
    def path(self) -> str | None:
        """What mpv is to open; None while the text is still being spoken into a file."""
        return self.item.stream or (None if self.content is None else self.content.path)

    @property
    def awaited(self) -> bool:
        """True until the device is known to play: worth asking often."""
        return not self._open

    def begin_at(self, offset_s: float) -> None:
        """Where to begin after an interruption: whole rounds are over, the rest is a position."""
        rounds = max(1, self.item.repeat)
        done = int(offset_s // self.round_s) if self.round_s > 0 else 0
        done = min(done, rounds - 1)
        self.rounds_left = rounds - done
        self.from_s = max(0.0, min(offset_s - done * self.round_s, self.round_s))

    def loaded(self, now_mono_s: float, *, led_s: float = 0.0) -> None:
        """Handed to mpv. led_s: behind so much that is sounding still and is not of this item."""
        if self._streamed is not None:
            self._streamed.begins()
        self._entry = self.again_s = None
        self._led_s = led_s
        self.end = self._reason = self._sounding_s = None
        self._error = self._output = ""
        self._moved = self._muted = self._open = False
        self._questions.clear()
        self._moved_s = self.asked_s = now_mono_s
        self._position_s = self._stood_s = self.from_s

    def ask(self, mpv: Conversation, now_mono_s: float) -> None:
        """Position, level, output and whether it is shut."""
        self.asked_s = now_mono_s
        self._questions = {
            mpv.command("get_property", name): name
            for name in (*ASKED, *(() if self._streamed is None else mpv_bytes.ASKED))
        }

    def take(self, event: dict[str, Any], now_mono_s: float) -> None:
        """One event or answer of mpv's."""
        kind = event.get("event")
        answer = event.get("request_id")
        if kind is None:
            if answer == self.load and isinstance(event.get("data"), dict):
                self._entry = event["data"].get("playlist_entry_id")
            elif isinstance(answer, int) and answer in self._questions:
                self._answer(self._questions.pop(answer), event.get("data"), now_mono_s)
        elif kind == "start-file":
            self._playing = event.get("playlist_entry_id")
        elif self._entry is None:
            self.announced += kind == "playback-restart"
        elif kind == "playback-restart":
            ours = not self._led_s or self._playing == self._entry
            if ours and self._sounding_s is None and self._reason is None:
                self._sounding_s = self._moved_s = now_mono_s
                self.asked_s = float("-inf")
                self._levels_from_s = now_mono_s + (SETTLE_S if self._led_s else 0.0)
                self.meter.begin(self._levels_from_s)
        elif kind == "end-file" and event.get("playlist_entry_id") == self._entry:
            if event.get("reason") not in ("eof", "error") or self._reason is not None:
                return
            self._reason = str(event["reason"])
            if self._reason == "error":
                self._error = str(event.get("file_error", ""))
                self._settle(now_mono_s)
        elif kind == "idle" and self._reason == "eof" and self.end is None:
            # Only now the device has drained: end-file comes while the last half second still sounds.
            self._settle(now_mono_s)

    def check_pulse(self, now_mono_s: float) -> None:
        """Raises PlayerError when nothing has moved for too long."""
        limit_s = START_S + self._led_s if self._sounding_s is None else STALL_S
        if now_mono_s - self._moved_s > limit_s:
            raise PlayerError("mpv-stalled", "the position of the player stands still")

    def is_over(self, now_mono_s: float) -> bool:
        """True when a stream, which has no end of its own, has sounded as long as planned; it ends here."""
        if not self.item.stream or self.end is not None or not self._open or self._reason is not None:
            return False
        if self._moved_s - (self._sounding_s or 0.0) < self.round_s - self.from_s:
            return False
        self._reason = "eof"
        self._settle(now_mono_s)
        return True

    def next_round(self) -> bool:
        """After a good end: True when another round follows."""
        if self._ended_early() or self.rounds_left <= 1:
            return False
        self.rounds_left -= 1
        self.from_s = 0.0
        self.starts = 0
        return True

    @property
    def lost(self) -> bool:
        """After an end: True when the device was there and then was not, or a stream broke: begin afresh."""
        if self.item.stream and (self.end == "eof" or self._error in _UNREADABLE):
            return self.end == "error" or self._ended_early()
        return self.end == "error" and self._open and self._error not in _UNREADABLE

    @property
    def may_go_on(self) -> bool:
        """False for an item that has been heard in part and is not to be continued."""
        return self.item.goes_on or not self._accepted

    def resume_after_failure(self, now_mono_s: float) -> None:
        """From where it stood; a stream goes on at its own now, for the rest of the time."""
        if self._sounding_s is not None:
            self._stood_s = self.from_s + self._seen_s()
            self._heard_s += self._seen_s()
            self._sounding_s = None
        self.from_s = min(self._heard_s if self.item.stream else self._stood_s, self.round_s)
        self.again_s = now_mono_s + (RETURN_S if self._open else 0.0)

    def report(self, ended: str, now_mono_s: float) -> PlayReport:
        """What can be claimed. ended: eof, error or stop."""
        if self._sounding_s is not None:
            self._reason = self._reason or ended
            self._settle(now_mono_s)
        played_ds = int(self._heard_s * 10)
        evidence = self._evidence()
        if ended == "stop":
            return PlayReport(Outcome.INTERRUPTED, Detail.NONE, played_ds, evidence)
        if ended == "error":
            if played_ds > 0 and self._accepted:
                return PlayReport(Outcome.PARTIAL, self._blame(), played_ds, evidence)
            return PlayReport(Outcome.MISSED, self._blame(), 0, evidence)
        if self._ended_early():
            return PlayReport(Outcome.PARTIAL, self._blame(), played_ds, evidence)
        if self.item.volume == 0 or self.meter.silent:
            shut = self.item.volume == 0 or self.meter.muted
            return PlayReport(Outcome.SILENT, Detail.DEVICE if shut else Detail.NONE, played_ds, evidence)
        return PlayReport(Outcome.PLAYED, Detail.NONE, played_ds, evidence)

    def close(self) -> None:
        if self.content is not None:
            self.content.close()
        if self.speech is not None:
            self.speech.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _answer(self, name: str, data: Any, now_mono_s: float) -> None:
        """What mpv says of itself; an answer without data means that it does not know now."""
        if self._streamed is not None and name in mpv_bytes.ASKED:
            self._streamed.take(name, data, now_mono_s)
            return
        if self._sounding_s is None:
            return
        if name == "current-ao":
            self._output = data if isinstance(data, str) else self._output
        elif name == "ao-mute":
            self._muted = data is True
        elif name == "ao-volume":
            self._muted |= _is_number(data) and data <= 0
        elif name == "time-pos":
            if _is_number(data) and float(data) != self._position_s:
                self._position_s, self._moved_s = float(data), now_mono_s
                self._moved = True
        elif now_mono_s >= self._levels_from_s:
            self.meter.take(data, now_mono_s, muted=self._muted)
        if self._output and self._moved:
            self._open = True
            self._accept()

    def _accept(self) -> None:
        self._accepted = True
        self._hollow |= self._output in NO_DEVICE and not self._bench

    def _settle(self, now_mono_s: float) -> None:
        """This attempt is over: what it made audible is counted once."""
        self.end = self._reason
        self._round_heard_s = 0.0
        if self._sounding_s is None:
            return
        self._stood_s = self.from_s + self._seen_s()
        sounded_s = max(0.0, now_mono_s - self._sounding_s)
        if self._reason == "eof" and not self.item.stream:
            # It drained into an output that was there: short sounds end before anybody asked for its name.
            if self._output:
                self._accept()
        else:
            sounded_s = min(sounded_s, self._seen_s() + (UNSEEN_S if self._reason != "error" else 0.0))
        left_s = max(0.0, self.round_s - self.from_s)
        # A sound server may drain for seconds: nobody heard more than there is.
        self._heard_s += min(sounded_s, left_s)
        self._round_heard_s = sounded_s
        self._sounding_s = None

    def _seen_s(self) -> float:
        """Seconds of this attempt that the device is known to have taken."""
        if not self._open or self._sounding_s is None:
            return 0.0
        by_clock_s = min(max(0.0, self._moved_s - self._sounding_s), max(0.0, self.round_s - self.from_s))
        # A stream's position counts from wherever the stream stands.
        return by_clock_s if self.item.stream else min(by_clock_s, max(0.0, self._position_s - self.from_s))

    def _ended_early(self) -> bool:
        wanted_s = max(0.0, self.round_s - self.from_s)
        return self._round_heard_s < wanted_s - max(EARLY_S, EARLY_SHARE * wanted_s)

    def _evidence(self) -> Evidence:
        if not self._accepted or self._hollow:
            return Evidence.DELIVERED
        loud = self.meter.present and self.item.volume > 0
        return Evidence.SIGNAL_PRESENT if loud else Evidence.DEVICE_ACCEPTED

    def _blame(self) -> Detail:
        """Why it did not play, or not to its end."""
        if self.item.stream:
            of_device = self._error not in _UNREADABLE and self._error != ""
            return Detail.DEVICE if of_device else Detail.NOT_DELIVERED
        if self._error in _UNREADABLE:
            return Detail.WRONG_CONTENT
        if self.end == "eof" and not self._reached_end():
            return Detail.WRONG_CONTENT  # all of it was decoded, and it is less than its manifest says
        return Detail.DEVICE

    def _reached_end(self) -> bool:
        wanted_s = max(0.0, self.round_s - self.from_s)
        return self._position_s - self.from_s >= wanted_s - max(EARLY_S, EARLY_SHARE * wanted_s)


def _is_number(data: Any) -> bool:
    return isinstance(data, int | float) and not isinstance(data, bool)
