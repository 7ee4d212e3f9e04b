"""The tables of a report, one after the other, in slugs and numbers.

FM stations stand apart throughout: their operators' words prove less than a station's own, and adding them up
would make both worthless. An emergency's slots are counted in its own line and never among the programme's.

Bound: from counts and rows to `Table`s; nothing here knows a language, a clock or an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from hub.bulletins import CATEGORIES
from hub.report_rows import Ask, Cell, Table
from hub.tallies import Tally, tally
from ledger.facts import Detail, Evidence, Facts, Outcome, at, covers, paper_of, receipts

Execute = Callable[[str, list[Any]], Iterable[tuple[Any, ...]]]

IT: Final = (
    "owed", "played", "late", "partial", "interrupted", "silent", "missed", "suppressed", "declined",
    "withdrawn", "attested", "unknown", "seconds",
)  # fmt: skip
FM: Final = ("owed", "said_played", "said_partial", "said_missed", "own", "unsaid")
DEEDS: Final = ("drafted", "submitted", "approved", "returned", "scheduled", "cancelled", "withdrawn")
_OWN: Final = (
    Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED, Outcome.SILENT,
    Outcome.MISSED, Outcome.SUPPRESSED, Outcome.DECLINED, Outcome.WITHDRAWN,
)  # fmt: skip
_ORDER: Final = {slug: place for place, (slug, _) in enumerate(CATEGORIES)}
_DEEDS: Final = (
    "SELECT d.what, d.at, d.bulletin, d.series, d.territory, d.detail, b.category, b.territory, b.title, "
    "(SELECT kind FROM series s WHERE s.series = d.series ORDER BY position LIMIT 1), "
    "(SELECT title FROM series s WHERE s.series = d.series ORDER BY position LIMIT 1) "
    "FROM deeds d LEFT JOIN bulletins b ON b.id = d.bulletin "
    "WHERE d.applied = 1 AND d.at >= ? AND d.at < ? ORDER BY d.position, d.seq"
)
_SEEN: Final = "SELECT unit, series, bulletin, state FROM withdrawals_seen"
_FEEDBACK: Final = "SELECT id, unit, category FROM feedback WHERE at >= ? AND at < ?"


class _Deed(NamedTuple):
    what: str
    at: int
    bulletin: bytes
    series: int
    place: str
    reason: str
    category: str
    title: str
    of_emergency: bool


class Tables:
    """One report's. execute: SQL on the views. Asked under the hub's lock."""

    def __init__(self, execute: Execute, facts: Facts, ask: Ask) -> None:
        self._execute = execute
        self._facts = facts
        self._ask = ask
        self._span = [at(ask.first_day), at(ask.last_day + 1)]
        self._units = [
            unit for unit in sorted(facts.stations)
            if covers(ask.territory, unit) and (not ask.group or unit in ask.units)
        ]  # fmt: skip
        self._counted = tally(execute, facts, ask, self._units)
        self._deeds = self._read_deeds()

    def all(self) -> tuple[Table, ...]:
        """In the order in which a reader wants them."""
        narrow = self._ask.is_narrow
        return tuple(
            table
            for table in (
                self._totals(),
                self._causes(),
                self._evidence(),
                self._stations("it"),
                self._stations("fm"),
                self._categories(),
                self._bulletins(),
                None if narrow else self._emergencies(),
                self._withdrawals(),
                None if self._ask.campaign else self._documents(),
                None if narrow else self._feedback(),
                self._missed(),
            )
            if table is not None
        )

    # -- slots -----------------------------------------------------------------------------------------------

    def _totals(self) -> Table:
        kinds = Counter(self._kind(unit) for unit in self._units)
        whole = {"it": Tally(), "fm": Tally()}
        for unit, one in self._counted.stations.items():
            whole[self._kind(unit)].add(one)
        rows: list[tuple[Cell, ...]] = [("stations_it", kinds["it"]), ("stations_fm", kinds["fm"])]
        rows += [(f"it_{name}", count) for name, count in zip(IT, _it(whole["it"]), strict=True)]
        rows += [(f"fm_{name}", count) for name, count in zip(FM, _fm(whole["fm"]), strict=True)]
        rows.append(("beyond", self._counted.beyond))
        done = Counter(deed.what for deed in self._deeds if not deed.of_emergency)
        rows += [(f"deeds_{what}", done[what]) for what in DEEDS]
        rows.append(("missed_more", self._counted.missed_more))
        return Table("totals", ("figure", "count"), tuple(rows))

    def _causes(self) -> Table:
        causes = self._counted.causes
        rows = (
            (detail_slug(one), causes[one], len(self._counted.cause_stations[one])) for one in sorted(causes)
        )
        return Table("causes", ("cause", "slots", "stations"), tuple(rows))

    def _evidence(self) -> Table:
        levels = [one for one in Evidence if one is not Evidence.OPERATOR_ATTESTED]
        counted, tenths = self._counted.evidence, self._counted.evidence_ds
        rows = ((one.name.lower(), counted[one], (tenths[one] + 5) // 10) for one in levels)
        return Table("evidence", ("level", "slots", "seconds"), tuple(rows))

    def _stations(self, kind: str) -> Table:
        columns, line = (IT, _it) if kind == "it" else (FM, _fm)
        rows = tuple(
            (unit, self._name(unit), *line(one))
            for unit, one in self._counted.stations.items()
            if self._kind(unit) == kind
        )
        return Table("stations" if kind == "it" else "fm", ("unit", "name", *columns), rows)

    def _categories(self) -> Table:
        approved = Counter(deed.category for deed in self._deeds if deed.what == "approved")
        known = self._counted.categories
        slugs = sorted({*known, *approved}, key=lambda slug: (_ORDER.get(slug, len(_ORDER)), slug))
        rows = tuple((slug, approved[slug], *_both(known.get(slug, {}))) for slug in slugs)
        return Table("categories", ("category", "approved", *IT, "fm_owed", "fm_said"), rows)

    def _bulletins(self) -> Table:
        known = sorted(self._counted.bulletins.items(), key=lambda one: (one[1][0].title, one[0]))
        rows = tuple(
            (bulletin.hex(), subject.title, subject.category, *_both(kinds))
            for bulletin, (subject, kinds) in known
        )
        return Table("bulletins", ("bulletin", "title", "category", *IT, "fm_owed", "fm_said"), rows)

    def _missed(self) -> Table:
        rows = tuple(
            (one.unit, self._name(one.unit), one.start_s, one.title, Outcome(one.outcome).name.lower(),
             detail_slug(one.detail))
            for one in self._counted.missed
        )  # fmt: skip
        return Table("missed", ("unit", "name", "start", "title", "outcome", "cause"), rows)

    def _emergencies(self) -> Table:
        ended = {deed.series for deed in self._deeds if deed.of_emergency and deed.what == "cancelled"}
        rows: list[tuple[Cell, ...]] = []
        for series, orders in sorted(self._facts.emergencies.items()):
            fact = orders[-1].fact
            if not (self._span[0] <= fact.not_before < self._span[1] and self._concerns(fact.territory)):
                continue
            kinds = self._counted.orders.get(series, {})
            it, fm = kinds.get("it", Tally()), kinds.get("fm", Tally())
            rows.append(
                (fact.not_before, series, fact.kind, fact.level, int(fact.drill), fact.territory, it.owed,
                 it.sounded, it.own.total() - it.sounded - it.own[Outcome.UNKNOWN], it.unknown, fm.owed,
                 fm.attested.total(), int(series in ended))
            )  # fmt: skip
        return Table(
            "emergencies",
            ("start", "series", "kind", "level", "drill", "territory", "targets", "reached", "failed",
             "unknown", "fm_owed", "fm_said", "ended"),
            tuple(sorted(rows)),
        )  # fmt: skip

    # -- decisions, documents, words -------------------------------------------------------------------------

    def _read_deeds(self) -> list[_Deed]:
        found = []
        for row in self._execute(_DEEDS, self._span):
            what, signed_s, bulletin, series, place, reason, category, territory, title, kind, of_series = row
            deed = _Deed(
                what, signed_s, bytes(bulletin), series, place or territory or "", reason, category or "",
                title or of_series or "", kind == "emergency",
            )  # fmt: skip
            asked = self._ask
            if asked.category and deed.category != asked.category:
                continue
            if asked.campaign and deed.bulletin.hex() not in asked.bulletins:
                continue
            if deed.place and self._concerns(deed.place):
                found.append(deed)
        return found

    def _withdrawals(self) -> Table:
        taken = [
            deed for deed in self._deeds if deed.what in ("withdrawn", "cancelled") and not deed.of_emergency
        ]
        seen: Counter[tuple[bytes | int, int]] = Counter()
        if taken:
            here = set(self._units)
            for unit, series, bulletin, state in self._execute(_SEEN, []):
                if unit in here:
                    seen[bytes(bulletin) if bulletin else series, state] += 1
        rows: list[tuple[Cell, ...]] = []
        for deed in taken:
            target: bytes | int = deed.bulletin if deed.what == "withdrawn" else deed.series
            units = sum(self._kind(unit) == "it" and covers(deed.place, unit) for unit in self._units)
            rows.append(
                (deed.at, deed.what, deed.title, deed.reason, units, seen[target, 0], seen[target, 1])
            )
        return Table(
            "withdrawals", ("at", "what", "title", "reason", "stations", "removed", "already"), tuple(rows)
        )

    def _documents(self) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for name, words in self._facts.directives.items():
            first = words[0].fact
            if not (self._span[0] <= first.ts < self._span[1] and self._concerns(first.territory)):
                continue
            if self._ask.category and first.category != self._ask.category:
                continue
            paper = paper_of(self._facts, first.territory, name)
            latest = words[-1].fact if paper is None else paper.fact
            units = [] if paper is None else [unit for unit in self._units if covers(latest.territory, unit)]
            asks = 0 if paper is None else int(paper.asks_receipt)
            read = sum(self._has_read(name, unit) for unit in units) if asks else 0
            state = "withdrawn" if paper is None else "standing"
            rows.append((first.ts, latest.number, latest.title, latest.issuer, state, asks, len(units), read))
        return Table(
            "documents", ("at", "number", "title", "issuer", "state", "asks", "communes", "read"),
            tuple(sorted(rows)),
        )  # fmt: skip

    def _has_read(self, name: bytes, unit: str) -> bool:
        paper = paper_of(self._facts, unit, name)
        return paper is not None and bool(receipts(self._facts, unit, paper))

    def _feedback(self) -> Table:
        here = set(self._units)
        counted: dict[str, Counter[str]] = {}
        for name, unit, category in self._execute(_FEEDBACK, self._span):
            if unit in here:
                line = counted.setdefault(category, Counter())
                line["received"] += 1
                states = {reply.fact.state for reply in self._facts.replies.get(bytes(name), ())}
                line["answered" if 0 in states else "closed" if states else "open"] += 1
        columns = ("received", "answered", "closed", "open")
        rows: list[tuple[Cell, ...]] = [
            (topic, *(counted[topic][one] for one in columns)) for topic in sorted(counted)
        ]
        return Table("feedback", ("topic", *columns), tuple(rows))

    # -- small -----------------------------------------------------------------------------------------------

    def _kind(self, unit: str) -> str:
        return self._facts.stations[unit].fact.kind

    def _name(self, unit: str) -> str:
        return self._facts.stations[unit].fact.name

    def _concerns(self, place: str) -> bool:
        """Whether a decision for `place` is for, above or within what is asked about."""
        if self._ask.group:
            return any(covers(place, unit) for unit in self._units)
        return covers(place, self._ask.territory) or covers(self._ask.territory, place)


def detail_slug(code: int) -> str:
    """The name of a cause, as it stands in rows."""
    return Detail(code).name.lower() if code in Detail._value2member_map_ else f"detail_{code}"


def _it(one: Tally) -> tuple[Cell, ...]:
    own = tuple(one.own[outcome] for outcome in _OWN)
    return (one.owed, *own, one.attested.total(), one.unknown, one.seconds)


def _fm(one: Tally) -> tuple[Cell, ...]:
    said = one.attested
    heard = said[Outcome.PLAYED] + said[Outcome.PLAYED_LATE]
    missed = said.total() - heard - said[Outcome.PARTIAL]
    own = one.own.total()
    return one.owed, heard, said[Outcome.PARTIAL], missed, own, one.owed - said.total() - own


def _both(kinds: dict[str, Tally]) -> tuple[Cell, ...]:
    fm = kinds.get("fm", Tally())
    return (*_it(kinds.get("it", Tally())), fm.owed, fm.attested.total())
