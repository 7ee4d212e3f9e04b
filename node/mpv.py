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

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from ledger.facts import Evidence
from ledger.log import PlayerError
from node.mpv_item import NO_DEVICE, Run
from node.mpv_process import Conversation, MemoryFile, MpvProcess
from node.player import PlayItem, PlayReport
from node.speech import Speech, wav_duration_s

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
        deaf = not bench and set(ao.split(",")) <= NO_DEVICE
        self._ceiling: Final = Evidence.DELIVERED if deaf else Evidence.SIGNAL_PRESENT
        self._mpv: Conversation | None = None
        self._run: Run | None = None

    @property
    def ceiling(self) -> Evidence:
        """`signal_present`; with an output behind which there is no device, `delivered`."""
        return self._ceiling

    @property
    def can_speak(self) -> bool:
        """Whether texts without a recording can be made audible here."""
        return self._speaker is not None

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
        run = Run(item, now_mono_s, bench=self._bench)
        if item.stream:
            run.round_s = item.duration_ms / 1000
            run.begin_at(item.offset_ds / 10)
        elif item.sha256 is None:
            assert self._speaker is not None
            run.speech = Speech(self._speaker, item.text, item.language, now_mono_s)
        else:
            run.content = MemoryFile(item.read())
            run.round_s = item.duration_ms / 1000
            run.begin_at(item.offset_ds / 10)
        self._run = run
        if run.path is None:
            return
        try:
            self._attempt(run, now_mono_s)
        except PlayerError:
            # It may have died of old age between two items: one fresh start before giving up.
            self._drop()
            run.starts = 0
            try:
                self._attempt(run, now_mono_s)
            except PlayerError:
                run.close()
                self._run = None
                raise

    def poll(self, now_mono_s: float) -> PlayReport | None:
        """Looks at what mpv said and asks for more. None while it goes on."""
        run = self._run
        assert run is not None, "nothing was started"
        try:
            ended = self._step(run, now_mono_s)
        except PlayerError:
            ended = self._again(run, now_mono_s)
        if ended is None:
            return None
        return self._finish(run.report(ended, now_mono_s))

    def stop(self, now_mono_s: float) -> PlayReport:
        """Silence, now. What was heard so far is reported; the real end counts if it came first."""
        ended = self.poll(now_mono_s)
        if ended is not None:
            return ended
        run = self._run
        assert run is not None
        try:
            if self._mpv is not None:
                self._mpv.command("stop")
        except PlayerError:
            self._drop()  # whatever it still does, it does it no longer
        return self._finish(run.report("stop", now_mono_s))

    def wait_s(self, now_mono_s: float) -> float:
        return SOON_S if self._run is not None and self._run.awaited else POLL_S

    def close(self) -> None:
        """Ends mpv."""
        if self._run is not None:
            self._run.close()
            self._run = None
        self._drop()

    # -- the course of one item ------------------------------------------------------------------------------

    def _attempt(self, run: Run, now_mono_s: float) -> None:
        """Hands the current round to mpv, starting mpv when there is none. Raises PlayerError."""
        assert run.path is not None
        run.starts += 1
        if self._mpv is None or not self._mpv.alive:
            self._drop()
            self._mpv = self._connect()
        mpv = self._mpv
        mpv.events()  # what it said about earlier items
        mpv.command("set_property", "volume", run.item.volume)
        mpv.command("set_property", "mute", False)
        mpv.command("set_property", "start", "none" if run.item.stream else f"{run.from_s:.3f}")
        run.load = mpv.command("loadfile", run.path, "replace")
        run.loaded(now_mono_s)

    def _step(self, run: Run, now_mono_s: float) -> str | None:
        """One look. Returns how it ended: eof or error. Raises PlayerError when mpv is gone or stuck."""
        if run.speech is not None and run.content is None:
            data = run.speech.result(now_mono_s)
            if data is None:
                return None
            run.content = MemoryFile(data)
            run.round_s = wav_duration_s(data)
            run.begin_at(run.item.offset_ds / 10)
            self._attempt(run, now_mono_s)
        if run.again_s is not None:
            if now_mono_s >= run.again_s:
                self._attempt(run, now_mono_s)
            return None
        if self._mpv is None:
            raise PlayerError("mpv-gone", "mpv is not running")
        for event in self._mpv.events():
            run.take(event, now_mono_s)
        if run.is_over(now_mono_s):
            self._mpv.command("stop")
        if run.end is None:
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
        if run.path is None or run.starts >= STARTS_MAX or not run.may_go_on:
            return "error"
        run.resume_after_failure(now_mono_s)
        return None

    def _finish(self, report: PlayReport) -> PlayReport:
        assert self._run is not None
        self._run.close()
        self._run = None
        return replace(report, evidence=min(report.evidence, self._ceiling))

    def _drop(self) -> None:
        if self._mpv is not None:
            self._mpv.close()
            self._mpv = None
