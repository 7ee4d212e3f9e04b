"""What became of a slot at each receiver cluster: asked while it sounds, told in its one acknowledgment.

While something sounds the clusters are asked in rounds: the first of four seconds, then longer ones up to
half a minute. A round holds what each of them said last in it. At the end of the slot a cluster

    played something else   when it was heard so in a round that began ten seconds or more after the sound
    was playing             when it was heard playing this one in at least half of the rounds
    was silent              when it answered in more of the other rounds than not: without power, muted, still
    was not reached         when it did not
    is unknown              when there was no round: nobody could be asked, or the power went at the station

The station's outcome stays that of its player: sound left the station or it did not. But no slot counts as
heard of which no cluster was playing.

Bound: judging and the rhythm of questions. Talking to clusters is a `ClusterDriver`; the bytes of the vector
are `ledger.facts.clusters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger.facts import CLUSTER_OUTCOMES, Cluster, Evidence, Outcome, pack_clusters
from node.clusters.driver import ClusterDriver, Said, Sound
from node.clusters.listing import ClusterEntry

Key = tuple[int, int]

FIRST_ROUND_S: Final = 4.0
ROUND_MAX_S: Final = 30.0
ROUND_MIN_S: Final = 1.5  # cut off by the end of the slot: shorter says nothing
GRACE_S: Final = 10.0  # just told to begin, a cluster may still sound what came before
IDLE_ROUND_S: Final = 900.0  # when nothing sounds, so that a dead receiver is known before it is needed
PREPARE_S: Final = 20.0
# A receiver that hears no more of the station is silent this long after the planned end.
AFTER_S: Final = 60
KEPT_MAX: Final = 32  # slots that wait to go on; more are never held at once


@dataclass
class _Tally:
    """Rounds of one slot at one cluster."""

    nothing: int = 0
    silent: int = 0
    playing: int = 0
    other: int = 0

    def add(self, said: Cluster | None) -> None:
        if said is None:
            self.nothing += 1
        elif said is Cluster.PLAYING:
            self.playing += 1
        elif said is Cluster.WRONG_ITEM:
            self.other += 1
        else:
            self.silent += 1

    @property
    def verdict(self) -> Cluster:
        rounds = self.nothing + self.silent + self.playing + self.other
        if not rounds:
            return Cluster.UNKNOWN
        if self.other:
            return Cluster.WRONG_ITEM
        if 2 * self.playing >= rounds:
            return Cluster.PLAYING
        return Cluster.SILENT if self.silent > self.nothing else Cluster.NOT_REACHED


@dataclass(frozen=True)
class _OnAir:
    key: Key
    sound: Sound
    began_s: float


@dataclass(frozen=True)
class Shown:
    """One cluster for a page or a command. at_s: monotonic, None: it never answered this process."""

    entry: ClusterEntry
    said: Said | None
    at_s: float | None


class Clusters:
    """The clusters of one station. driver None: nobody asks them. listed: how many the station reported."""

    def __init__(
        self, clusters: Sequence[ClusterEntry], driver: ClusterDriver | None, *, listed: int
    ) -> None:
        self.entries = tuple(clusters)
        self._listed = listed
        self._driver = driver if self.entries else None
        self._on: _OnAir | None = None
        self._told = False  # the driver was told to begin, and not to stop since
        self._round: list[Cluster | None] = []
        self._round_from_s = float("-inf")
        self._round_s = FIRST_ROUND_S
        self._now_s = float("-inf")
        self._tallies: dict[Key, list[_Tally]] = {}
        self._prepared_until_s = float("-inf")
        self._idle_s = float("-inf")  # when to ask although nothing sounds
        self._shown: list[tuple[Said, float] | None] = [None] * len(self.entries)

    # -- what the station tells ------------------------------------------------------------------------------

    def look(self, now_mono_s: float) -> None:
        """Takes what clusters said; a round that is over is counted and another one begun."""
        self._now_s = now_mono_s
        if self._driver is None:
            return
        for said in self._driver.poll(now_mono_s):
            self._shown[said.nth] = (said, now_mono_s)
            if self._on is not None:
                self._round[said.nth] = self._state(said, self._on)
        if self._on is not None:
            if now_mono_s - self._round_from_s >= self._round_s:
                self._count(self._on)
                self._round_s = min(2 * self._round_s, ROUND_MAX_S)
                self._ask(now_mono_s)
        elif now_mono_s >= self._idle_s:
            self._ask(now_mono_s)

    def begins(self, key: Key, sound: Sound, now_mono_s: float) -> None:
        """This slot sounds from now on, or goes on after it was held."""
        self._now_s = now_mono_s
        if self._driver is None:
            return
        self._end_round()
        kept = self._tallies.pop(key, None)
        while len(self._tallies) >= KEPT_MAX:
            self._tallies.pop(next(iter(self._tallies)))
        self._tallies[key] = kept if kept is not None else [_Tally() for _ in self.entries]
        self._on = _OnAir(key, sound, now_mono_s)
        self._told = True
        self._round_s = FIRST_ROUND_S
        self._round_from_s = now_mono_s
        self._round = [None] * len(self.entries)
        self._driver.begin(sound, now_mono_s)

    def ends(self, now_mono_s: float) -> None:
        """Nothing sounds any more."""
        self._now_s = now_mono_s
        if not self._told or self._driver is None:
            return
        self._end_round()
        self._told = False
        self._idle_s = now_mono_s + IDLE_ROUND_S
        self._driver.stop(now_mono_s)

    def comes(self, in_s: float, now_mono_s: float) -> None:
        """Something is planned to sound in so many seconds (inf: nothing)."""
        if self._driver is None or self._on is not None or not 0 < in_s <= PREPARE_S:
            return
        if now_mono_s >= self._prepared_until_s:
            self._prepared_until_s = now_mono_s + in_s + AFTER_S
            self._driver.prepare(int(in_s) + AFTER_S, now_mono_s)

    @property
    def sounding(self) -> Key | None:
        """The slot that clusters were told of, until it was asked what became of it."""
        return None if self._on is None else self._on.key

    # -- what the station asks -------------------------------------------------------------------------------

    def word(self, key: Key, outcome: Outcome, evidence: Evidence) -> tuple[bytes | None, Evidence]:
        """(vector, evidence) of this slot's acknowledgment; what was kept of the slot is forgotten."""
        if self._on is not None and self._on.key == key:
            self._end_round()
        tallies = self._tallies.pop(key, None)
        if not self._listed or outcome not in CLUSTER_OUTCOMES:
            return None, evidence
        if tallies is None:
            states = [Cluster.UNKNOWN] * self._listed
        else:
            states = [tally.verdict for tally in tallies]
        if Cluster.PLAYING not in states:
            evidence = min(evidence, Evidence.SIGNAL_PRESENT)
        return pack_clusters(states), evidence

    def shown(self) -> list[Shown]:
        """Every cluster with what it last said."""
        return [
            Shown(entry, None, None) if last is None else Shown(entry, *last)
            for entry, last in zip(self.entries, self._shown, strict=True)
        ]

    def wait_s(self, now_mono_s: float, start_in_s: float) -> float:
        """Seconds until `look` or `comes` is worth a call."""
        if self._driver is None:
            return float("inf")
        wait_s = self._driver.wait_s(now_mono_s)
        if self._on is not None:
            return min(wait_s, max(0.0, self._round_from_s + self._round_s - now_mono_s))
        if PREPARE_S < start_in_s < float("inf"):
            wait_s = min(wait_s, start_in_s - PREPARE_S)
        return min(wait_s, max(0.0, self._idle_s - now_mono_s))

    def close(self) -> None:
        if self._driver is not None:
            self._driver.close()

    # -- inside ----------------------------------------------------------------------------------------------

    def _ask(self, now_s: float) -> None:
        assert self._driver is not None
        self._round_from_s = now_s
        self._round = [None] * len(self.entries)
        self._idle_s = now_s + IDLE_ROUND_S
        self._driver.ask(now_s)

    def _end_round(self) -> None:
        """The slot that sounds does so no more: the open round counts when it was long enough."""
        on, self._on = self._on, None
        if on is not None and self._now_s - self._round_from_s >= ROUND_MIN_S:
            self._count(on)

    def _count(self, on: _OnAir) -> None:
        early = self._round_from_s < on.began_s + GRACE_S
        for tally, said in zip(self._tallies[on.key], self._round, strict=True):
            tally.add(Cluster.SILENT if early and said is Cluster.WRONG_ITEM else said)

    @staticmethod
    def _state(said: Said, on: _OnAir) -> Cluster:
        if not said.audible:
            return Cluster.SILENT
        return Cluster.PLAYING if said.item == on.sound.item else Cluster.WRONG_ITEM
