"""What became of every slot owed in a period, counted by station, category, bulletin and order.

What is owed comes from the plan, what became of it from the as-run rows, and what is in neither of the two is
nobody's success: a slot that no station reported is counted as unknown. A person's word is counted apart from
any station's own. So for each line: owed = what stations reported + what people attested + unknown.

Stations that owe the same of a day are counted once (`ledger.facts.Owing`), so the cost is that of reading
the rows.

Bound: one walk over the rows of the period. The other tables of a report are `reporting`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from hub.report_rows import Ask
from ledger.facts import Facts, Klass, Outcome, Owing

MISSED_MAX: Final = 5_000  # lines of the list of what was not heard; the counts have all of them
SOUNDED: Final = frozenset({Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED})
FAILED: Final = frozenset({Outcome.MISSED, Outcome.SILENT})

_ROWS: Final = (
    # what makes rows alike in one number: by a person, outcome, detail, evidence, each a byte
    "SELECT p.unit, a.day, a.series, "
    "((a.nth < 0) << 24) | (a.outcome << 16) | (a.detail << 8) | a.evidence, a.played_ds "
    "FROM places p CROSS JOIN as_run a ON a.place = p.n WHERE a.day BETWEEN ? AND ? "
    "ORDER BY p.n, a.day, a.series"
)


class Subject(NamedTuple):
    """What a slot is of: a bulletin under a category, or an emergency (bulletin b"")."""

    emergency: int  # the series, 0 for anything else
    bulletin: bytes
    category: str
    title: str


@dataclass
class Tally:
    """Counts of slots. own: stations' reports by outcome. attested: people's words by outcome."""

    owed: int = 0
    own: Counter[int] = field(default_factory=Counter)
    attested: Counter[int] = field(default_factory=Counter)
    sounded_ds: int = 0

    @property
    def unknown(self) -> int:
        """Nobody said anything of these, or the station itself does not know."""
        return self.owed - self.own.total() - self.attested.total() + self.own[Outcome.UNKNOWN]

    @property
    def seconds(self) -> int:
        return (self.sounded_ds + 5) // 10

    @property
    def sounded(self) -> int:
        return sum(self.own[one] for one in SOUNDED)

    def add(self, other: Tally) -> None:
        self.owed += other.owed
        self.own += other.own
        self.attested += other.attested
        self.sounded_ds += other.sounded_ds


class Missed(NamedTuple):
    """One slot that was to be heard and was not. start_s: planned, UTC s."""

    start_s: int
    unit: str
    title: str
    outcome: int
    detail: int


@dataclass
class Tallies:
    """stations: by unit, every registered one of the question. causes: detail → (slots, stations). evidence:
    level → (slots, tenths of a second). beyond: reported although not owed. Emergencies stand apart: their
    slots are in `orders` alone.
    """

    stations: dict[str, Tally] = field(default_factory=dict)
    categories: dict[str, dict[str, Tally]] = field(
        default_factory=dict
    )  # category → kind of station → tally
    bulletins: dict[bytes, tuple[Subject, dict[str, Tally]]] = field(default_factory=dict)  # likewise
    orders: dict[int, dict[str, Tally]] = field(default_factory=dict)  # series → kind of station → tally
    causes: Counter[int] = field(default_factory=Counter)
    cause_stations: dict[int, set[str]] = field(default_factory=dict)
    evidence: Counter[int] = field(default_factory=Counter)
    evidence_ds: Counter[int] = field(default_factory=Counter)
    beyond: int = 0
    missed: list[Missed] = field(default_factory=list)
    missed_more: int = 0


_Day = dict[int, tuple[int, int]]  # series → the number of its subject, and its start (UTC s)


def tally(
    execute: Callable[[str, list[Any]], Iterable[tuple[Any, ...]]], facts: Facts, ask: Ask, units: list[str]
) -> Tallies:
    """Counts for these stations. execute: SQL on the views. Asked under the hub's lock."""
    found, counting = Tallies(), _Counting(facts, ask, units)
    unheard = dict.fromkeys(units)
    for unit, rows in groupby(execute(_ROWS, [ask.first_day, ask.last_day]), key=itemgetter(0)):
        if unit in unheard:
            del unheard[unit]
            counting.station(found, unit, rows)
    for unit in unheard:
        counting.station(found, unit, ())
    found.stations = {unit: found.stations[unit] for unit in units}
    found.missed.sort()
    found.missed_more = max(0, len(found.missed) - MISSED_MAX)
    del found.missed[MISSED_MAX:]
    return found


class _Counting:
    """One report's walk: what it remembers between stations."""

    def __init__(self, facts: Facts, ask: Ask, units: list[str]) -> None:
        self._facts = facts
        self._ask = ask
        self._owing = Owing(facts)
        self._listed: list[Subject] = []
        self._lines_of: dict[tuple[int, str], list[Tally]] = {}
        self._numbers: dict[tuple[int, bytes], int | None] = {}
        # Held beside what they say, so that no other tuple can come to the same id.
        self._known: dict[int, tuple[object, _Day]] = {}
        self._totals: dict[tuple[int, ...], Counter[int]] = {}
        # Day by day through all stations: what they share of a day is at hand then.
        self._owed: dict[str, list[_Day]] = {unit: [] for unit in units}
        for day in range(ask.first_day, ask.last_day + 1):
            for unit in units:
                self._owed[unit].append(self._day(unit, day))

    def station(self, found: Tallies, unit: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Takes in all rows of one station in the period."""
        kind = self._facts.stations[unit].fact.kind
        owed = self._owed[unit]
        station = found.stations.setdefault(unit, Tally())
        lines: dict[int, list[Tally]] = {}
        for number, count in self._total(owed).items():
            lines[number] = self._lines(found, station, kind, number)
            for one in lines[number]:
                one.owed += count
        # The many are only counted here, as what makes them alike; the few that differ are taken apart below.
        alike: dict[int, list[int]] = {}
        first, beyond = self._ask.first_day, 0
        for _, day, series, said, played_ds in rows:
            at_hand = owed[day - first].get(series)
            if at_hand is None:
                beyond += 1
                continue
            key = at_hand[0] << 32 | said
            cell = alike.get(key)
            if cell is None:
                alike[key] = [1, played_ds]
            else:
                cell[0] += 1
                cell[1] += played_ds
            if said >> 16 in FAILED:
                subject = self._listed[at_hand[0]]
                if not subject.emergency:
                    outcome, detail = said >> 16, said >> 8 & 255
                    found.missed.append(Missed(at_hand[1], unit, subject.title, outcome, detail))
        if not self._ask.is_narrow:
            found.beyond += beyond
        for key, (count, played_ds) in alike.items():
            number, by_person = key >> 32, bool(key >> 24 & 1)
            outcome, detail, evidence = key >> 16 & 255, key >> 8 & 255, key & 255
            sounded = outcome in SOUNDED and not by_person
            for one in lines[number]:
                (one.attested if by_person else one.own)[outcome] += count
                one.sounded_ds += played_ds if sounded else 0
            if by_person or self._listed[number].emergency:
                continue
            if sounded:
                found.evidence[evidence] += count
                found.evidence_ds[evidence] += played_ds
            elif outcome in FAILED:
                found.causes[detail] += count
                found.cause_stations.setdefault(detail, set()).add(unit)

    def _lines(self, found: Tallies, station: Tally, kind: str, number: int) -> list[Tally]:
        """Every line of the report in which a slot of this subject at this kind of station is counted."""
        shared = self._lines_of.get((number, kind))
        if shared is None:
            subject = self._listed[number]
            if subject.emergency:
                parts = [found.orders.setdefault(subject.emergency, {})]
            else:
                _, bulletin = found.bulletins.setdefault(subject.bulletin, (subject, {}))
                parts = [found.categories.setdefault(subject.category, {}), bulletin]
            shared = self._lines_of[number, kind] = [part.setdefault(kind, Tally()) for part in parts]
        return shared if self._listed[number].emergency else [station, *shared]

    def _day(self, unit: str, day: int) -> _Day:
        outlines = self._owing.day(unit, day)
        known = self._known.get(id(outlines))
        if known is None:
            slots: _Day = {}
            for one in outlines:
                number = self._number(one.series, one.content, one.rank)
                if number is not None:
                    slots[one.series] = number, one.start_s
            known = self._known[id(outlines)] = outlines, slots
        return known[1]

    def _total(self, owed: list[_Day]) -> Counter[int]:
        name = tuple(map(id, owed))
        total = self._totals.get(name)
        if total is None:
            total = self._totals[name] = Counter(number for slots in owed for number, _ in slots.values())
        return total

    def _number(self, series: int, content: bytes, rank: int) -> int | None:
        """Where the slot's subject stands in `_listed`; None when the report is not about it."""
        key = series, content
        if key not in self._numbers:
            found = Subject(series, b"", "", "") if rank == -Klass.EMERGENCY else self._of(series, content)
            asked = self._is_asked(found)
            self._numbers[key] = len(self._listed) if asked else None
            if asked:
                self._listed.append(found)
        return self._numbers[key]

    def _of(self, series: int, content: bytes) -> Subject:
        for order in reversed(self._facts.schedules.get(series, ())):
            if order.fact.manifest[:16] != content:
                continue
            approved = [
                one.fact
                for one in self._facts.approvals.get(order.fact.bulletin, ())
                if one.fact.manifest == order.fact.manifest
            ]
            if approved:
                return Subject(0, order.fact.bulletin, approved[-1].category, approved[-1].title)
            return Subject(0, order.fact.bulletin, "", "")
        return Subject(0, b"", "", "")

    def _is_asked(self, subject: Subject) -> bool:
        ask = self._ask
        if not ask.is_narrow:
            return True
        if subject.emergency or (ask.category and subject.category != ask.category):
            return False
        return not ask.campaign or subject.bulletin.hex() in ask.bulletins
