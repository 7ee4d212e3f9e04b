"""The port to receiver clusters: told what will sound, what sounds and that it ended; asked how they are.

Nothing here waits: every call returns at once, and what clusters say is there at a later `poll`. A maker
whose receivers speak something else writes another driver; the reference one is `cluster_link`.

All times are monotonic seconds passed in by the station. A cluster is named by its place in the station's
list, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Sound:
    """One thing to make audible. item: 16 bytes of its manifest's hash.

    How loud is in the sound already: a cluster is set to what its entry in the list says. for_s: a receiver
    that hears nothing more of the station falls silent after so many seconds.
    """

    item: bytes
    for_s: int


@dataclass(frozen=True)
class Said:
    """What one cluster said of itself, authentic. item: None unless something sounds there."""

    nth: int
    powered: bool
    muted: bool
    volume: int
    item: bytes | None
    since_s: int

    @property
    def audible(self) -> bool:
        """True when something comes out of the horns."""
        return self.powered and not self.muted and self.volume > 0 and self.item is not None


class ClusterDriver(Protocol):
    """The clusters of one station."""

    def prepare(self, for_s: int, now_mono_s: float) -> None:
        """Something sounds within `for_s` seconds: amplifiers may be switched on."""

    def begin(self, sound: Sound, now_mono_s: float) -> None:
        """It sounds from now on; a sound that went on before is over."""

    def stop(self, now_mono_s: float) -> None:
        """Nothing sounds any more."""

    def ask(self, now_mono_s: float) -> None:
        """Asks all clusters how they are."""

    def poll(self, now_mono_s: float) -> Sequence[Said]:
        """What clusters said since the last call, in order of arrival. Also the moment to ask once more."""

    def wait_s(self, now_mono_s: float) -> float:
        """Seconds until poll() is worth a call; inf when nothing is awaited."""

    def close(self) -> None: ...
