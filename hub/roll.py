"""The roll of one emergency: for every station meant, whether the order is there, what the loudspeaker did,
and whether the all-clear is there.

A station holds a decision when its own cursor, confirmed by its next request, has passed it; that it plays is
its own word in a status, that it played its signed report. What nobody has said is never counted as played:
it stands on the list of those to telephone.

Bound: reads. Telephone numbers are `hub.phonebook`; the words on the page are `hub.web`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub import rows
from hub.day_queries import DayQueries
from hub.lookups import ROWS_MAX
from hub.station_queries import StationQueries
from ledger.facts import Cancelled, Evidence, Facts, Outcome, Standing, WithdrawalState, covers
from ledger.log import NotAllowed

CONTACT_S: Final = 1_800  # twice the ordinary interval of a station: after that it is out of touch


class Reply(StrEnum):
    """What is known of one station, in the order in which a person should look."""

    REFUSED = "refused"  # its own word: it does not follow the order
    FAILED = "failed"  # its own word: not heard, or not whole
    SILENT = "silent"  # the order is not there and nothing was heard from it lately
    FM = "fm"  # no return path: nobody can know but by asking
    LACKS = "lacks"  # in touch, the order is not there yet
    HOLDS = "holds"  # the order is there, no word yet
    PLAYING = "playing"
    PLAYED = "played"
    TOLD = "told"  # somebody there said so by telephone or on paper


TO_CALL: Final = (Reply.REFUSED, Reply.FAILED, Reply.SILENT, Reply.FM, Reply.LACKS)
"""Not reached, in the order in which to telephone: who surely heard nothing, who is cut off, who never can be
asked by wire, who will probably answer in a moment."""


class Clear(StrEnum):
    """Whether the all-clear is at a station."""

    NONE = "none"  # there is none
    WAITS = "waits"  # given, not there yet
    HOLDS = "holds"
    BEFORE = "before"  # there before anything was played
    AFTER = "after"  # there after it had begun


@dataclass(frozen=True)
class Line:
    """One station. refusal: its reason code; run: its report, or somebody's word for it."""

    station: rows.StationRow
    reply: Reply
    clear: Clear
    run: rows.AsRunRow | None = None
    refusal: str = ""


@dataclass(frozen=True)
class Roll:
    """Every station meant, those to look at first. as_of: UTC s."""

    lines: tuple[Line, ...]
    as_of: int
    cleared: bool

    def of(self, *replies: Reply) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.reply in replies)

    @property
    def counts(self) -> dict[str, int]:
        """Every reply with its number of stations, also none."""
        found = Counter(line.reply for line in self.lines)
        return {reply.value: found[reply] for reply in Reply}

    @property
    def to_call(self) -> tuple[Line, ...]:
        """Whom to telephone, in this order."""
        return tuple(
            sorted(self.of(*TO_CALL), key=lambda line: (TO_CALL.index(line.reply), line.station.name))
        )

    @property
    def clears(self) -> dict[str, int]:
        """Stations that have the all-clear, and those that do not, where there is a return path."""
        it = [line for line in self.lines if line.station.kind == "it"]
        have = sum(line.clear not in (Clear.NONE, Clear.WAITS) for line in it)
        return {"have": have, "lack": len(it) - have if self.cleared else 0}


class RollQueries(StationQueries, DayQueries):
    """Asked under the hub's lock."""

    def roll(self, series: int, *, now: int | None = None) -> Roll:
        """NotAllowed("series-unknown") when no emergency has this number."""
        with self._lock:
            as_of = self._now() if now is None else now
            orders = self._facts.emergencies.get(series, ())
            if not orders:
                raise NotAllowed("series-unknown", f"there is no emergency {series}", hint="look at the list")
            order = orders[-1]
            found = [row for row in self.stations(now=as_of) if covers(order.fact.territory, row.unit)]
            runs = {run.unit: run for run in reversed(self.as_run(series=series, limit=ROWS_MAX))}
            refusals = self._refusals_of(order.signed.id)
            seen = self._clears_of(series)
            lines = []
            for row in found:
                run, refusal = runs.get(row.unit), refusals.get(row.unit, "")
                cancel = self._facts.withdrawal_of(order, row.unit)
                reply = reply_of(row, order.position, run, refusal, series, as_of)
                lines.append(Line(row, reply, clear_of(row, cancel, seen.get(row.unit)), run, refusal))
            order_of = list(Reply)
            lines.sort(key=lambda line: (order_of.index(line.reply), line.station.unit))
            return Roll(tuple(lines), as_of, cancelled(self._facts, series))

    def _refusals_of(self, event_id: bytes) -> dict[str, str]:
        sql = "SELECT unit, reason FROM refusals WHERE event_id = ? ORDER BY position, seq"
        return {row["unit"]: row["reason"] for row in self._rows(sql, [event_id])}

    def _clears_of(self, series: int) -> dict[str, int]:
        sql = "SELECT unit, state FROM withdrawals_seen WHERE series = ? ORDER BY position"
        return {row["unit"]: int(row["state"]) for row in self._rows(sql, [series])}


def reply_of(
    row: rows.StationRow, position: int, run: rows.AsRunRow | None, refusal: str, series: int, now: int
) -> Reply:
    """position: of the order in the ledger."""
    if run is not None and Outcome(run.outcome).heard:
        return Reply.TOLD if run.evidence == Evidence.OPERATOR_ATTESTED else Reply.PLAYED
    if run is not None:
        return Reply.FAILED
    if refusal:
        return Reply.REFUSED
    if row.kind != "it":
        return Reply.FM
    lately = row.last_contact_at is not None and now - row.last_contact_at <= CONTACT_S
    if lately and row.playing == series:
        return Reply.PLAYING
    if row.cursor >= position:
        return Reply.HOLDS
    return Reply.LACKS if lately else Reply.SILENT


def clear_of(row: rows.StationRow, cancel: Standing[Cancelled] | None, seen: int | None) -> Clear:
    if cancel is None:
        return Clear.NONE
    if seen is not None:
        return Clear.AFTER if seen == WithdrawalState.ALREADY_PLAYED else Clear.BEFORE
    return Clear.HOLDS if row.cursor >= cancel.position else Clear.WAITS


def cancelled(facts: Facts, series: int) -> bool:
    """True when the newest order of a series was called off in all its territory."""
    orders = facts.emergencies.get(series) or []
    return bool(orders) and facts.withdrawal_of(orders[-1], orders[-1].fact.territory) is not None
