"""What is on air: beginning, interrupting, going on, ending; each with its durable row and acknowledgment.

The order is the whole point. The row is committed before the player starts, and the end and its
acknowledgment are one transaction. Whatever the power does in between, a slot is never begun twice and is
answered for once. Sound that is forbidden meanwhile stops: withdrawn, no longer approved, quiet hours begun.

An emergency that has begun is played to its end even when it expires meanwhile; a message cut off in mid-word
warns nobody. It never *begins* after its expiry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ledger.facts import (
    Acknowledged,
    Detail,
    Evidence,
    Facts,
    OnInterrupt,
    Outcome,
    Slot,
    Verdict,
)
from ledger.log import Ledger, PlayerError
from node.diary import Diary
from node.items import Items
from node.plays import HELD, STARTED, PlayRow, Plays
from node.presence import Moment, Presence
from node.silence import Rules
from node.sound.player import Player, PlayItem, PlayReport

JITTER_MAX_CS: Final = (1 << 31) - 1
PLAYED_MAX_DS: Final = 864_000
# A shorter part of an interrupted slot says nothing about the rest.
PART_DS: Final = 10
# (slot's key, outcome, evidence) → (what its receiver clusters did, evidence as far as they bear it out)
ClusterWord: TypeAlias = Callable[[tuple[int, int], Outcome, Evidence], tuple[bytes | None, Evidence]]


@dataclass(frozen=True)
class Running:
    """The sound of now. before_ds: heard of this slot in earlier runs; before: the evidence of that.

    volume: percent. lead_s: seconds of its chime, which come before the content.
    """

    slot: Slot
    row: PlayRow
    before_ds: int
    before: Evidence = Evidence.SIGNAL_PRESENT
    volume: int = 0
    lead_s: float = 0.0


@dataclass(frozen=True)
class Held:
    """Interrupted, and what was known of its sound until then. volume: it had, percent."""

    slot: Slot
    evidence: Evidence
    volume: int


class OnAir:
    """One output and its rows."""

    def __init__(
        self, ledger: Ledger, diary: Diary, plays: Plays, presence: Presence, items: Items, facts: Facts,
        player: Player, *, clusters: ClusterWord = lambda key, outcome, known: (None, known),
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._diary = diary
        self._plays = plays
        self._presence = presence
        self._items = items
        self._facts = facts
        self._player = player
        self._clusters = clusters
        self._held: dict[tuple[int, int], Held] = {}
        self._rules = Rules(facts)
        self.running: Running | None = None

    # -- the sound of now ------------------------------------------------------------------------------------

    def poll(self, moment: Moment) -> bool:
        """Looks after the running sound: its end, or a rule that ends it. True when it ended."""
        run = self.running
        if run is None:
            return False
        report = self._player.poll(moment.mono_s)
        if report is None:
            stop = self._rules.must_stop(run.slot, _began_s(run), moment, run.lead_s)
            if stop is None:
                return False
            report = self._stopped(run, moment, stop)
        self._end(run, report, moment)
        return True

    def interrupt(self, by: Slot, moment: Moment) -> None:
        """Something higher takes the air: what runs is held if it may go on later, else it ends here."""
        run = self.running
        assert run is not None
        detail = Detail.BY_EMERGENCY if by.emergency and not run.slot.emergency else Detail.BY_HIGHER
        if by.emergency and run.slot.emergency and by.level == run.slot.level:
            detail = Detail.BY_NEWER
        report = self._player.stop(moment.mono_s)
        if report.outcome is Outcome.INTERRUPTED and _comes_back(run.slot):
            with self._ledger.transaction():
                self._plays.hold(run.row, _heard_ds(run, report), detail)
                self._presence.mark(moment)
            self._held[run.slot.key] = Held(run.slot, self._known(run, report), run.volume)
            self.running = None
            return
        if report.outcome is Outcome.INTERRUPTED:
            report = replace(report, detail=detail)
        self._end(run, report, moment)

    def begin(self, slot: Slot, moment: Moment) -> bool:
        """Puts a slot on air. False when its content turned out to be damaged: it will be fetched again."""
        item = self._items.of(slot, moment, offset_ds=0)
        if item is None:
            return False
        with self._ledger.transaction():
            self._plays.begin(slot, moment.utc_s)
            self._presence.mark(moment)
        row = self._plays.get(slot.key)
        assert row is not None
        self._start(Running(slot, row, 0), item, moment)
        return True

    def resume(self, slot: Slot, moment: Moment) -> None:
        """Lets a held slot go on where it was interrupted, or begin again when its order says so."""
        row = self._plays.get(slot.key)
        assert row is not None
        assert row.state == HELD
        offset_ds = 0 if _restarts(slot) else row.played_ds
        item = self._items.of(slot, moment, offset_ds=offset_ds, began_s=row.started_s)
        held = self._held.pop(slot.key)
        if item is None:
            self._finish(held, row, row.played_ds, Outcome.INTERRUPTED, row.detail, moment)
            return
        with self._ledger.transaction():
            self._plays.resume(row)
            self._presence.mark(moment)
        row = self._plays.get(slot.key)
        assert row is not None
        self._start(Running(slot, row, row.played_ds, held.evidence), item, moment)

    def next_held(self, moment: Moment) -> Slot | None:
        """The held slot that should go on, and ends those that may not any more."""
        for held in list(self._held.values()):
            slot = held.slot
            row = self._plays.get(slot.key)
            assert row is not None
            forbidden = self._rules.verdict(slot, moment, whole=_restarts(slot))
            if forbidden is None and moment.utc_s < max(slot.end_s, slot.begin_until_s):
                continue
            detail = row.detail
            if forbidden is not None and forbidden.outcome is not Outcome.MISSED:
                detail = _detail_of(forbidden)
            del self._held[slot.key]
            self._finish(held, row, row.played_ds, Outcome.INTERRUPTED, detail, moment)
        waiting = [held.slot for held in self._held.values()]
        return max(waiting, key=lambda one: (one.klass, one.level, -one.start_s), default=None)

    def stop_for_good(self, moment: Moment) -> None:
        """The process ends: say exactly how far the sound came, as if the power had been cut here."""
        run = self.running
        if run is not None:
            report = self._player.stop(moment.mono_s)
            if report.outcome is Outcome.INTERRUPTED:
                report = replace(report, outcome=Outcome.PARTIAL, detail=Detail.POWER)
            self._end(run, report, moment)

    def cut_off(self, alive_s: int) -> None:
        """At a start: what had begun and not ended was cut off. alive_s: the last sign of life, UTC."""
        for row in self._plays.unfinished():
            started_s = row.started_s if row.started_s is not None else float(row.planned_s)
            heard_ds = row.played_ds
            if row.state == STARTED and heard_ds == 0:
                # The last sign of life may have been dated by a clock that was wrong.
                orders = self._facts.emergencies.get(row.series, ())
                rounds = max((order.fact.max_plays for order in orders), default=1)
                longest_ds = self._items.longest_ds(row.content, rounds)
                sounding_s = alive_s - started_s - self._items.lead_s(row.klass)
                heard_ds = min(max(0, int(sounding_s * 10)), longest_ds)
            with self._ledger.transaction():
                self._plays.end(row, heard_ds, Outcome.PARTIAL, Detail.POWER)
                volume = self._items.volume_of(row.klass, started_s, heard_ds / 10)
                self._diary.report(
                    self._ack(row, heard_ds, Outcome.PARTIAL, Detail.POWER, Evidence.DELIVERED, volume)
                )

    def answer(self, slot: Slot, said: Verdict, evidence: Evidence, moment: Moment) -> None:
        """Acknowledges a slot that never began."""
        with self._ledger.transaction():
            self._plays.answer(slot, said.outcome, said.detail)
            row = self._plays.get(slot.key)
            assert row is not None
            volume = self._items.volume(slot, slot.start_s)
            self._diary.report(self._ack(row, 0, said.outcome, said.detail, evidence, volume))
            if said.outcome is Outcome.SUPPRESSED and said.detail in _REFUSALS:
                self._diary.refuse(slot.decision, said.detail.name.lower().replace("_", "-"), moment)
            self._presence.mark(moment)

    def wait_s(self, moment: Moment) -> float:
        """Seconds until the player wants to be asked, or quiet hours begin over its sound; inf in silence."""
        run = self.running
        if run is None:
            return float("inf")
        wait_s = self._player.wait_s(moment.mono_s)
        if run.slot.emergency:
            return wait_s
        return min(wait_s, self._rules.quiet_in(run.slot, _began_s(run), moment, run.lead_s))

    @property
    def waiting(self) -> bool:
        """True while a held slot waits to go on."""
        return bool(self._held)

    # -- inside ----------------------------------------------------------------------------------------------

    def _start(self, run: Running, item: PlayItem, moment: Moment) -> None:
        self.running = run = replace(run, volume=item.volume, lead_s=item.chime.length_s)
        self._rules.begun()
        try:
            self._player.start(replace(item, goes_on=_comes_back(run.slot)), moment.mono_s)
        except PlayerError:
            outcome = Outcome.PARTIAL if run.before_ds else Outcome.MISSED
            self._end(run, PlayReport(outcome, Detail.DEVICE, 0, Evidence.DELIVERED), moment)

    def _end(self, run: Running, report: PlayReport, moment: Moment) -> None:
        self.running = None
        outcome = report.outcome
        if outcome is Outcome.PLAYED and run.slot.is_late(_began_s(run)):
            outcome = Outcome.PLAYED_LATE
        if outcome is Outcome.MISSED and run.before_ds:
            outcome = Outcome.PARTIAL
        known = Held(run.slot, self._known(run, report), run.volume)
        self._finish(known, run.row, _heard_ds(run, report), outcome, report.detail, moment)

    def _known(self, run: Running, report: PlayReport) -> Evidence:
        """Of the whole slot: no more than of its weakest part, and never more than this output can give.

        Of one that began again: of the run that came furthest, which is the one that counts.
        """
        known = min(report.evidence, self._player.ceiling)
        if _restarts(run.slot):
            return known if report.played_ds >= run.before_ds else run.before
        return min(known, run.before) if run.before_ds >= PART_DS else known

    def _finish(
        self, known: Held, row: PlayRow, heard_ds: int, outcome: Outcome, detail: Detail, moment: Moment
    ) -> None:
        with self._ledger.transaction():
            self._plays.end(row, heard_ds, outcome, detail)
            self._diary.report(self._ack(row, heard_ds, outcome, detail, known.evidence, known.volume))
            self._presence.mark(moment)

    def _ack(
        self, row: PlayRow, heard_ds: int, outcome: Outcome, detail: Detail, evidence: Evidence, volume: int
    ) -> Acknowledged:
        began = row.started_s is not None and outcome is not Outcome.MISSED
        started_s = row.started_s if began and row.started_s is not None else float(row.planned_s)
        jitter_cs = round((started_s - row.planned_s) * 100)
        clusters, evidence = self._clusters(row.key, outcome, evidence)
        return Acknowledged(
            max(0, int(started_s)),
            row.series,
            row.day,
            row.content[:16],
            max(-JITTER_MAX_CS, min(JITTER_MAX_CS, jitter_cs)),
            min(heard_ds, PLAYED_MAX_DS),
            int(outcome),
            int(detail),
            int(evidence),
            volume,
            clusters,
        )

    def _stopped(self, run: Running, moment: Moment, why: Verdict) -> PlayReport:
        report = self._player.stop(moment.mono_s)
        if report.outcome is not Outcome.INTERRUPTED:
            return report
        return replace(report, detail=_detail_of(why))


_REFUSALS: Final = frozenset(
    {
        Detail.UNAPPROVED,
        Detail.NO_AUTHORITY,
        Detail.WRONG_TERRITORY,
        Detail.WRONG_CLASS,
        Detail.SELF_APPROVED,
        Detail.WRONG_CONTENT,
    }
)


def _began_s(run: Running) -> float:
    assert run.row.started_s is not None, "what is on air has begun"
    return run.row.started_s


def _comes_back(slot: Slot) -> bool:
    """Does it sound again after something higher broke it off?"""
    return slot.emergency or slot.on_interrupt != OnInterrupt.DROP


def _restarts(slot: Slot) -> bool:
    """Does it then begin again, instead of going on where it was?"""
    return not slot.emergency and slot.on_interrupt == OnInterrupt.RESTART


def _heard_ds(run: Running, report: PlayReport) -> int:
    """Of the slot so far. What began again was heard as far as its longest run came, not twice as long."""
    if _restarts(run.slot):
        return max(run.before_ds, report.played_ds)
    return run.before_ds + report.played_ds


def _detail_of(why: Verdict) -> Detail:
    """A withdrawal has no detail of its own: OPERATOR says that people stopped it."""
    return Detail.OPERATOR if why.outcome is Outcome.WITHDRAWN else why.detail
