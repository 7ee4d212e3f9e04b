"""The player that makes sound: mpv, believed only as far as it can prove.

Programs lie about playing: a missing device, a mute sink or a cut stream can all end without an error. So the
reason of the end, the time that really passed and the level that was really decoded are all looked at:

    end-file error                     MISSED(DEVICE): nothing, or PARTIAL(DEVICE): not all, was accepted
    end too early                      PARTIAL(DEVICE)
    decoded, but below −60 dBFS        SILENT
    played to the end                  PLAYED, evidence device_accepted, signal_present when a level was seen
    the position stands still          kill mpv, start it again once from there; again: DEVICE

mpv starts with the first item and stays; everything is asked without blocking, at each poll.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

from ledger.facts import Evidence
from ledger.log import PlayerError
from node.mpv_item import Run
from node.mpv_process import MemoryFile, MpvProcess
from node.player import PlayItem, PlayReport
from node.speech import Speech, wav_duration_s

ASK_S: Final = 0.5
POLL_S: Final = 0.25
STARTS_MAX: Final = 2


class MpvPlayer:
    """ao: mpv's audio output ("alsa", "pulse", "null" for tests). program, speaker: paths of mpv and
    espeak-ng; None = search, "" = none.

    Raises PlayerError("mpv-missing") at construction when there is no mpv.
    """

    name = "mpv"
    ceiling = Evidence.SIGNAL_PRESENT

    def __init__(
        self,
        *,
        ao: str = "alsa",
        program: str | None = None,
        speaker: str | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        found = program or shutil.which("mpv")
        if found is None:
            raise PlayerError("mpv-missing", "mpv is not installed", hint="apt-get install mpv")
        self._program: Final = found
        self._speaker: Final = (shutil.which("espeak-ng") if speaker is None else speaker) or None
        self._ao: Final = ao
        self._extra: Final = tuple(extra)
        self._mpv: MpvProcess | None = None
        self._run: Run | None = None

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
        if item.sha256 is None and self._speaker is None:
            raise PlayerError(
                "cannot-speak",
                "this item is text without a recording and espeak-ng is not installed",
                hint="apt-get install espeak-ng",
            )
        run = Run(item, now_mono_s)
        if item.sha256 is None:
            assert self._speaker is not None
            run.speech = Speech(self._speaker, item.text, item.language, now_mono_s)
        else:
            run.content = MemoryFile(item.read())
            run.round_s = item.duration_ms / 1000
            run.begin_at(item.offset_ds / 10)
        self._run = run
        if run.content is None:
            return
        try:
            self._attempt(run, now_mono_s)
        except PlayerError:
            # It may have died of old age between two items: one fresh start before giving up.
            self._drop()
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
        return POLL_S

    def close(self) -> None:
        """Ends mpv."""
        if self._run is not None:
            self._run.close()
            self._run = None
        self._drop()

    # -- the course of one item ------------------------------------------------------------------------------

    def _attempt(self, run: Run, now_mono_s: float) -> None:
        """Hands the current round to mpv, starting mpv when there is none. Raises PlayerError."""
        assert run.content is not None
        if self._mpv is None or not self._mpv.alive:
            self._drop()
            self._mpv = MpvProcess(self._program, self._ao, self._extra)
        mpv = self._mpv
        mpv.events()  # what it said about earlier items
        mpv.command("set_property", "volume", run.item.volume)
        mpv.command("set_property", "mute", False)
        mpv.command("set_property", "start", f"{run.from_s:.3f}")
        run.load = mpv.command("loadfile", run.content.path, "replace")
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
        if self._mpv is None:
            raise PlayerError("mpv-gone", "mpv is not running")
        for event in self._mpv.events():
            run.take(event, now_mono_s)
        if run.end is None:
            run.check_pulse(now_mono_s)
            if now_mono_s - run.asked_s >= ASK_S:
                run.ask(self._mpv, now_mono_s)
            return None
        if run.end == "eof" and run.next_round(now_mono_s):
            self._attempt(run, now_mono_s)
            return None
        return run.end

    def _again(self, run: Run, now_mono_s: float) -> str | None:
        """mpv failed: a fresh one goes on where this one stood, once."""
        self._drop()
        if run.content is None or run.starts >= STARTS_MAX:
            return "error"
        run.resume_after_failure(now_mono_s)
        try:
            self._attempt(run, now_mono_s)
        except PlayerError:
            return "error"
        return None

    def _finish(self, report: PlayReport) -> PlayReport:
        assert self._run is not None
        self._run.close()
        self._run = None
        return report

    def _drop(self) -> None:
        if self._mpv is not None:
            self._mpv.close()
            self._mpv = None
