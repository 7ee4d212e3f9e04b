"""The player that makes sound: mpv, believed only as far as it can prove.

Programs lie about playing: a missing device, a mute sink or a cut stream can all end without an error. So the
reason of the end, the time that really passed and the level that was really decoded are all looked at:

    what was seen                                       outcome(detail), evidence at most
    no device (no current-ao)                           MISSED(DEVICE), delivered
    a device that was there and went, or hangs          kill mpv, start it again once from there; again:
                                                        PARTIAL(DEVICE), or MISSED when nothing was heard
    bytes that are no sound                             MISSED(WRONG_CONTENT), delivered
    all of it decoded, and it is shorter than promised  PARTIAL(WRONG_CONTENT)
    a stream that does not come, stops or ends          once more, then MISSED or PARTIAL(NOT_DELIVERED)
    no signal in the content                            SILENT, device_accepted
    volume 0, or the output is muted                    SILENT(DEVICE), device_accepted
    to the end                                          PLAYED, device_accepted; signal_present when levels
                                                        lay above −50 dBFS for half of the time

mpv starts with the first item and stays; everything is asked without blocking, at each poll.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ledger.facts import Detail, Evidence, Outcome
from ledger.log import LoaError, PlayerError
from node.sound.chime import Chime, wav
from node.sound.mpv_bytes import StreamBytes
from node.sound.mpv_item import NO_DEVICE, Run
from node.sound.mpv_process import Conversation, MemoryFile, MpvProcess
from node.sound.mpv_relay import fills_in, together
from node.sound.mpv_signs import DRAIN_S, Signs
from node.sound.player import PlayItem, PlayReport
from node.sound.speech import Speech, wav_duration_s

logger = logging.getLogger("loa.node")

ASK_S: Final = 0.25
POLL_S: Final = 0.25
# Until the device plays, and while a text is turned into speech: an emergency waits for nobody's round.
SOON_S: Final = 0.05
STARTS_MAX: Final = 2


class MpvPlayer:
    """ao: mpv's audio output ("alsa", "pulse", "null" for tests). program, speaker: paths of mpv and
    espeak-ng; None = search, "" = none. bench: an output without a device stands for one (tests only).
    connect: how to get an mpv; None = start the program.

    Raises PlayerError("mpv-missing") at construction when there is no mpv.
    """

    name = "mpv"

    def __init__(
        self,
        *,
        ao: str = "alsa",
        program: str | None = None,
        speaker: str | None = None,
        extra: Sequence[str] = (),
        bench: bool = False,
        connect: Callable[[], Conversation] | None = None,
    ) -> None:
        found = program or shutil.which("mpv") or ""
        if not found and connect is None:
            raise PlayerError("mpv-missing", "mpv is not installed", hint="apt-get install mpv")
        self._speaker: Final = (shutil.which("espeak-ng") if speaker is None else speaker) or None
        self._connect: Final = connect or (lambda: MpvProcess(found, ao, tuple(extra)))
        self._bench: Final = bench
        self._streamed: Final = StreamBytes()
        deaf = not bench and set(ao.split(",")) <= NO_DEVICE
        self._ceiling: Final = Evidence.DELIVERED if deaf else Evidence.SIGNAL_PRESENT
        self._mpv: Conversation | None = None
        self._run: Run | None = None
        self._signs: Signs | None = None
        self._began_s = self._until_s = 0.0  # until: when the slot of this item is over
        self._relay: PlayReport | None = None  # how it failed, while its recording fills in
        # The report, when the last words are over at the latest, and whether they have begun.
        self._closing: tuple[PlayReport, float, bool] | None = None
        for chime in Chime:  # an emergency does not wait for its chime to be made
            if chime is not Chime.NONE:
                wav(chime)

    @property
    def ceiling(self) -> Evidence:
        """`signal_present`; with an output behind which there is no device, `delivered`."""
        return self._ceiling

    @property
    def chimes(self) -> bool:
        return True

    @property
    def can_speak(self) -> bool:
        """Whether texts without a recording can be made audible here."""
        return self._speaker is not None

    @property
    def streamed_bytes(self) -> int:
        """What live relays have brought over the line since this player was made."""
        return self._streamed.total

    @property
    def child_pid(self) -> int | None:
        """The process id of the mpv under way, if any."""
        return self._mpv.pid if self._mpv is not None else None

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        """Begins. Raises PlayerError: no mpv, unreadable content, or nobody to speak it."""
        if self._run is not None:
            raise PlayerError("player-busy", "the player was not stopped before the next item")
        if item.stream and not item.stream.startswith(("http://", "https://")):
            raise PlayerError("stream-address", "a stream's address begins with http:// or https://")
        if item.sha256 is None and not item.stream and self._speaker is None:
            raise PlayerError(
                "cannot-speak",
                "this item is text without a recording and espeak-ng is not installed",
                hint="apt-get install espeak-ng",
            )
        run = Run(item, now_mono_s, bench=self._bench, streamed=self._streamed)
        self._run, self._signs = run, Signs(item.chime, item.language, self._speaker, now_mono_s)
        self._relay = self._closing = None
        self._began_s = now_mono_s
        left_s = item.duration_ms / 1000 - item.offset_ds / 10
        self._until_s = now_mono_s + item.chime.length_s + left_s
        try:
            if self._signs.waits:
                self._twice(run, self._announce, now_mono_s)
            self._provide(run, now_mono_s)
            if run.path is not None and not self._signs.begun:
                self._twice(run, self._attempt, now_mono_s)
            else:
                self._queue(run, now_mono_s)
        except LoaError:
            self._let_go()
            self._drop()
            raise

    def poll(self, now_mono_s: float) -> PlayReport | None:
        """Looks at what mpv said and asks for more. None while it goes on."""
        if self._closing is not None:
            return self._closed(now_mono_s)
        run = self._run
        assert run is not None, "nothing was started"
        try:
            ended = self._step(run, now_mono_s)
        except PlayerError:
            ended = self._again(run, now_mono_s)
        if ended is None:
            return None
        report = run.report(ended, now_mono_s)
        if self._relay is not None:
            cut = ended == "stop"  # by the plan: it has filled the slot
            report = together(self._relay, replace(report, outcome=Outcome.PLAYED) if cut else report)
        elif self._filled_in(run, report, now_mono_s):
            return None
        return self._finish(report, now_mono_s)

    def stop(self, now_mono_s: float) -> PlayReport:
        """Silence, now. What was heard so far is reported; the real end counts if it came first."""
        if self._closing is None:
            ended = self.poll(now_mono_s)
            if ended is not None:
                return ended
        try:
            if self._mpv is not None:
                self._mpv.command("stop")
        except PlayerError:
            self._drop()  # whatever it still does, it does it no longer
        if self._closing is not None:
            report, self._closing = self._closing[0], None
        else:
            assert self._run is not None
            report = self._run.report("stop", now_mono_s)
            report = report if self._relay is None else together(self._relay, report)
        self._let_go()
        return replace(report, evidence=min(report.evidence, self._ceiling))

    def wait_s(self, now_mono_s: float) -> float:
        return SOON_S if self._run is not None and self._run.awaited else POLL_S

    def close(self) -> None:
        """Ends mpv."""
        self._let_go()
        self._drop()

    # -- the course of one item ------------------------------------------------------------------------------

    def _provide(self, run: Run, now_mono_s: float) -> None:
        """Gets the content ready, or sets a voice to make it. Raises what reading it raises."""
        item = run.item
        if not item.stream and item.sha256 is None:
            assert self._speaker is not None
            words = None if item.words is None else item.words()
            run.speech = Speech(self._speaker, item.text, item.language, now_mono_s, words=words)
            return
        if not item.stream:
            run.content = MemoryFile(item.read())
        run.round_s = item.duration_ms / 1000
        run.begin_at(item.offset_ds / 10)

    def _announce(self, run: Run, now_mono_s: float) -> None:
        """The first sound of all. Raises PlayerError."""
        assert self._signs is not None
        mpv = self._fresh(run)
        mpv.command("set_property", "start", "none")
        chime = self._signs.next(now_mono_s)
        if chime is not None:
            mpv.command("loadfile", chime, "replace")

    def _queue(self, run: Run, now_mono_s: float) -> None:
        """What is still announced, and the content, as soon as each is ready. Raises PlayerError."""
        signs = self._signs
        assert signs is not None
        if not signs.begun or self._mpv is None:
            signs.skip()
            if run.path is not None:
                self._attempt(run, now_mono_s)
            return
        while (path := signs.next(now_mono_s)) is not None:
            self._mpv.command("loadfile", path, "append-play")
        if signs.waits or run.path is None:
            return
        if run.from_s > 0:
            # mpv knows one place to begin, for all it opens: it must not be told before the chime has begun.
            if run.announced < signs.pieces:
                if now_mono_s - self._began_s > signs.length_s + DRAIN_S:
                    self._attempt(run, now_mono_s)
                return
            self._mpv.command("set_property", "start", f"{run.from_s:.3f}")
        run.starts += 1
        run.load = self._mpv.command("loadfile", run.path, "append-play")
        run.loaded(now_mono_s, led_s=signs.length_s)

    def _attempt(self, run: Run, now_mono_s: float) -> None:
        """Hands the current round to mpv, starting mpv when there is none. Raises PlayerError."""
        assert run.path is not None
        run.starts += 1
        mpv = self._fresh(run)
        mpv.command("set_property", "start", "none" if run.item.stream else f"{run.from_s:.3f}")
        run.load = mpv.command("loadfile", run.path, "replace")
        run.loaded(now_mono_s)

    def _fresh(self, run: Run) -> Conversation:
        """An mpv that lives, has been listened to and has our volume. Raises PlayerError."""
        if self._mpv is None or not self._mpv.alive:
            self._drop()
            self._mpv = self._connect()
        self._mpv.events()  # what it said about earlier items
        self._mpv.command("set_property", "volume", run.item.volume)
        self._mpv.command("set_property", "mute", False)
        return self._mpv

    def _twice(self, run: Run, begin: Callable[[Run, float], None], now_mono_s: float) -> None:
        """mpv may have died of old age between two items: one fresh start before giving up."""
        try:
            begin(run, now_mono_s)
        except PlayerError:
            self._drop()
            run.starts = 0
            begin(run, now_mono_s)

    def _step(self, run: Run, now_mono_s: float) -> str | None:
        """One look. Returns how it ended: eof or error; stop when a slot is filled. Raises PlayerError."""
        if run.speech is not None and run.content is None:
            data = run.speech.result(now_mono_s)
            if data is not None:
                run.content = MemoryFile(data)
                run.round_s = wav_duration_s(data)
                run.begin_at(run.item.offset_ds / 10)
        if run.load == 0:
            self._queue(run, now_mono_s)
            if run.load == 0 and self._mpv is None:
                return None
        if run.again_s is not None:
            if now_mono_s >= run.again_s:
                self._attempt(run, now_mono_s)
            return None
        if self._mpv is None:
            raise PlayerError("mpv-gone", "mpv is not running")
        for event in self._mpv.events():
            run.take(event, now_mono_s)
        if run.load == 0:
            return None
        if run.is_over(now_mono_s):
            self._mpv.command("stop")
        if run.end is None:
            if self._relay is not None and now_mono_s >= self._until_s:
                self._mpv.command("stop")
                return "stop"
            run.check_pulse(now_mono_s)
            if now_mono_s - run.asked_s >= ASK_S:
                run.ask(self._mpv, now_mono_s)
            return None
        if run.lost:
            raise PlayerError("output-lost", "the device or the stream went away in mid-play")
        if run.end == "eof" and run.next_round():
            self._attempt(run, now_mono_s)
            return None
        return run.end

    def _again(self, run: Run, now_mono_s: float) -> str | None:
        """mpv or its output failed: a fresh one goes on where this one stood, once, in a moment."""
        self._drop()
        if run.load == 0 and run.starts < STARTS_MAX and self._signs is not None:
            run.starts += 1  # it went while it announced: the content comes first now
            self._signs.skip()
            return None
        if run.path is None or run.starts >= STARTS_MAX or not run.may_go_on:
            return "error"
        run.resume_after_failure(now_mono_s)
        return None

    def _filled_in(self, run: Run, report: PlayReport, now_mono_s: float) -> bool:
        """A relay failed: True when its recording goes on in its place."""
        item = fills_in(run.item, report, self._until_s - now_mono_s)
        if item is None:
            return False
        filler = Run(item, now_mono_s, bench=self._bench)
        try:
            self._provide(filler, now_mono_s)
            self._attempt(filler, now_mono_s)
        except LoaError:
            filler.close()
            self._drop()
            return False
        run.close()
        self._run, self._relay = filler, report
        return True

    def _finish(self, report: PlayReport, now_mono_s: float) -> PlayReport | None:
        """The end of the item; None while the words after a drill are still said."""
        report = replace(report, evidence=min(report.evidence, self._ceiling))
        if report.detail is Detail.DEVICE:  # somebody at the box can do something about it, now
            said = "an item is %s: the sound device failed, or its volume is 0 (aplay -l, alsamixer)"
            logger.warning(said, report.outcome.name.lower())
        assert self._signs is not None
        last = self._signs.last(now_mono_s) if report.outcome is not Outcome.MISSED else None
        if last is not None and self._mpv is not None:
            try:
                self._mpv.command("set_property", "start", "none")
                self._mpv.command("loadfile", last[0], "replace")
            except PlayerError:
                self._drop()
            else:
                self._closing = report, now_mono_s + last[1] + DRAIN_S, False
                return None
        self._let_go()
        return report

    def _closed(self, now_mono_s: float) -> PlayReport | None:
        """The report, once the last words have been said or have had their time."""
        assert self._closing is not None
        report, until_s, begun = self._closing
        try:
            for event in [] if self._mpv is None else self._mpv.events():
                begun |= event.get("event") == "start-file"
                if begun and event.get("event") == "idle":
                    until_s = now_mono_s
        except PlayerError:
            self._drop()
        if self._mpv is not None and now_mono_s < until_s:
            self._closing = report, until_s, begun
            return None
        self._let_go()
        return report

    def _let_go(self) -> None:
        for part in (self._run, self._signs):
            if part is not None:
                part.close()
        self._run = self._signs = self._relay = self._closing = None

    def _drop(self) -> None:
        if self._mpv is not None:
            self._mpv.close()
            self._mpv = None
