"""A player with an ear: what it plays is listened for, and what was heard is the highest evidence there is.

It wraps a player and changes nothing of how it plays. While an item sounds, the levels of what the player
decodes and of what the capture device hears go to an `Ear`; at the end `signal_present` becomes `heard` when
the ear recognised at least half of what it could judge.

Not to hear proves little: the amplifier may be off, or the microphone, or a lorry stood in between. So the
outcome never changes, and the evidence is what it would be without an ear. But it is counted, and after the
second time in a row the station says so to whoever looks: somebody should go and see.

Bound: numbers only, and only while an item sounds. Which numbers is `mpv_ears`', what they prove `hearing`'s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from ledger.facts import Evidence, Outcome
from ledger.log import PlayerError
from node.sound.hearing import WINDOW, Ear, Verdict
from node.sound.mpv_ears import Source
from node.sound.player import Player, PlayItem, PlayReport

# Outcomes in which something sounded.
_SOUNDED: Final = frozenset({Outcome.PLAYED, Outcome.PARTIAL, Outcome.INTERRUPTED})
WORTH_SAYING: Final = 2
# Levels are dated by when they are looked at, and each look may have a window to judge.
LOOK_S: Final = 0.25


class HearingPlayer:
    """player: whose mpv writes into `reference`. capture: opens the device, raises PlayerError. device: its
    name, for people. Implements Player.
    """

    def __init__(
        self, player: Player, reference: Source, capture: Callable[[], Source], *, device: str
    ) -> None:
        self._player: Final = player
        self._reference: Final = reference
        self._capture: Final = capture
        self._device: Final = device
        self._microphone: Source | None = None
        self._ear: Ear | None = None
        self._deaf = ""
        self._missed = 0
        self.last: Verdict | None = None
        """What was heard of the last item that ended; None when nothing was listened to."""

    @property
    def name(self) -> str:
        return self._player.name

    @property
    def ceiling(self) -> Evidence:
        """`heard`, unless the device gave nothing the last time, or the player cannot even prove a signal."""
        inner = self._player.ceiling
        return Evidence.HEARD if inner is Evidence.SIGNAL_PRESENT and not self._deaf else inner

    @property
    def chimes(self) -> bool:
        return self._player.chimes

    @property
    def can_speak(self) -> bool:
        return self._player.can_speak

    @property
    def streamed_bytes(self) -> int:
        return int(getattr(self._player, "streamed_bytes", 0))

    @property
    def ear(self) -> str:
        """One clause for people: through what is listened."""
        return self.complaint or f"listens with {self._device}"

    @property
    def complaint(self) -> str:
        """Why somebody should go and look; "" when all is well."""
        if self._deaf:
            return f"the capture device {self._device} hears nothing: {self._deaf}"
        if self._missed >= WORTH_SAYING:
            return (
                f"{self._missed} items in a row sounded and {self._device} did not hear them: look at "
                "amplifier, cables, loudspeaker, microphone"
            )
        return ""

    def start(self, item: PlayItem, now_mono_s: float) -> None:
        """Begins; an ear that does not open keeps nothing from sounding. Raises PlayerError as the player."""
        self._player.start(item, now_mono_s)
        self.last = None
        self._reference.read()  # what is left of earlier items
        try:
            self._microphone = self._capture()
        except PlayerError as error:
            self._deaf = error.what
            return
        self._ear = Ear()

    def poll(self, now_mono_s: float) -> PlayReport | None:
        report = self._player.poll(now_mono_s)
        self._listen(now_mono_s)
        return None if report is None else self._heard(report)

    def stop(self, now_mono_s: float) -> PlayReport:
        report = self._player.stop(now_mono_s)
        self._listen(now_mono_s)
        return self._heard(report)

    def wait_s(self, now_mono_s: float) -> float:
        return min(self._player.wait_s(now_mono_s), LOOK_S)

    def close(self) -> None:
        """Ends the player, then the listening."""
        self._player.close()
        self._shut()
        self._reference.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _listen(self, now_mono_s: float) -> None:
        # Always emptied: a full pipe would hold the player up.
        decoded = self._reference.read()
        if self._ear is None or self._microphone is None:
            return
        for batch in decoded:
            self._ear.reference.add(batch.frames, now_mono_s, anew=batch.anew)
        try:
            captured = self._microphone.read()
        except PlayerError as error:
            self._deaf = error.what
            self._shut()
            return
        for batch in captured:
            self._deaf = ""
            self._ear.capture.add(batch.frames, now_mono_s, anew=batch.anew)
        self._ear.listen()

    def _heard(self, report: PlayReport) -> PlayReport:
        """The report, with what the ear adds to it."""
        ear = self._ear
        self._shut()
        if ear is not None and ear.reference.end - ear.reference.first >= WINDOW and not ear.capture.end:
            self._deaf = "not one level while an item sounded"
        if ear is None or report.outcome not in _SOUNDED or report.evidence is not Evidence.SIGNAL_PRESENT:
            return report
        self.last = verdict = ear.verdict()
        if verdict.heard:
            self._missed = 0
            return replace(report, evidence=Evidence.HEARD)
        self._missed += verdict.missed
        return report

    def _shut(self) -> None:
        self._ear = None
        if self._microphone is not None:
            with contextlib.suppress(OSError):
                self._microphone.close()
            self._microphone = None
