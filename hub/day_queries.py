"""Questions about days: what is planned, what plays now and why, what was reported, what a day came to.

The figures of a day come from the ledger alone: what was owed from the plan (`facts.plan.expected`), what
became of it from acknowledgments. What nobody reported is unreported, never played.

Bound: reads; the plan itself is `ledger.facts`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from hub import rows
from hub.lookups import ROWS_MAX, Lookups, Where, id_bytes
from hub.series_rows import together
from ledger.facts import (
    Detail,
    Outcome,
    Slot,
    at,
    cluster_report,
    covers,
    has_day,
    listed_names,
    local_day,
    minute_of_day,
    plan,
)
from ledger.log import NotAllowed

# heard, if not all of it
SOUNDED = (Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED)
WEEK_DAYS = 7

_AS_RUN = (
    "p.unit, a.*, d.said_by, d.means, f.first_seq, f.key_id, f.log_id, t.name AS station, s.title, "
    "s.bulletin, "
    "(SELECT names FROM listings l WHERE l.place = a.place AND (l.position, l.nth) < (a.position, a.nth) "
    "ORDER BY l.position DESC, l.nth DESC LIMIT 1) AS listed "
    "FROM {rows} JOIN arrivals f ON f.position = a.position "
    "LEFT JOIN attested d ON d.position = a.position AND a.nth < 0 "
    "LEFT JOIN stations t ON t.unit = p.unit LEFT JOIN series s ON s.series = a.series AND s.territory = ("
    # Two communes may come to one number: the series is that of the place, or of the nearest unit above it.
    "SELECT x.territory FROM series x WHERE x.series = a.series AND substr(p.unit || '.', 1, "
    "length(x.territory) + 1) = x.territory || '.' ORDER BY length(x.territory) DESC LIMIT 1)"
)
_BY_KEY = "as_run a JOIN places p ON p.n = a.place"
# A day lies together within each place: CROSS JOIN says from where to look it up.
_BY_PLACE = "places p CROSS JOIN as_run a ON a.place = p.n"
_OF_DAY = (
    "SELECT p.unit, a.series, a.day, a.outcome, a.detail, a.nth "  # noqa: S608 - our own words
    f"FROM {_BY_PLACE} WHERE a.day = ?"
)


class DayQueries(Lookups):
    """Asked under the hub's lock."""

    # -- plan ------------------------------------------------------------------------------------------------

    def series(self, series: int, *, unit: str = "") -> rows.SeriesRow:
        """One series; of several communes' with this number, the one that `unit` hears, else the newest.

        NotAllowed("series-unknown").
        """
        with self._lock:
            where = Where().add("series = ?", series)
            found = together(self._select("* FROM series", where, "position DESC"))
            heard = [r for r in found if any(covers(t, unit) for t in r["units"] or [r["territory"]])]
            for row in heard or found:
                return self._series_row(row)
        raise NotAllowed("series-unknown", f"there is no series {series}", hint="look at the plan")

    def all_series(self, *, active_only: bool = False) -> list[rows.SeriesRow]:
        """Newest first."""
        where = Where().equal("state", "active" if active_only else "")
        with self._lock:
            found = self._select("* FROM series", where, "position DESC LIMIT ?", ROWS_MAX)
            return [self._series_row(row) for row in together(found)]

    def week(self, first_day: int, *, territory: str = "", unit: str = "") -> list[rows.WeekCell]:
        """Scheduled slots of seven days. territory: orders at or below it; unit: what one station gets."""
        where = Where().add("kind = 'schedule'").add("first_day < ?", first_day + WEEK_DAYS)
        where.add("first_day + 8 * length(days) > ?", first_day).below("territory", territory)
        with self._lock:
            found = self._select("* FROM series", where, "series")
        found = together(row for row in found if not unit or covers(row["territory"], unit))
        cells = [
            rows.WeekCell(
                day=day,
                minute=row["minute"],
                series=row["series"],
                title=row["title"],
                klass=row["klass"],
                length_s=row["length_s"],
                territory=row["territory"],
                bulletin=bytes(row["bulletin"]).hex(),
                state=row["state"],
                units=row["units"],
            )
            for row in found
            for day in range(first_day, first_day + WEEK_DAYS)
            if has_day(row["first_day"], bytes(row["days"]), day)
        ]
        if unit in self._facts.stations:
            with self._lock:
                cells = [self._answered(cell, unit) for cell in cells]
        return sorted(cells, key=lambda cell: (cell.day, cell.minute, -cell.klass, cell.series))

    def _answered(self, cell: rows.WeekCell, unit: str) -> rows.WeekCell:
        """With what the station's commune answered to it."""
        found = plan.slots(self._facts, unit, at(cell.day), at(cell.day + 1))
        slot = next((one for one in found if one.key == (cell.series, cell.day)), None)
        if slot is None or (slot.moved_from_s is None and not slot.declined):
            return cell
        minute = minute_of_day(slot.start_s)
        ordered = None if slot.moved_from_s is None else cell.minute
        return replace(cell, minute=minute, declined=slot.declined, ordered_minute=ordered)

    def explain(self, unit: str, instant_s: int) -> rows.ExplainRow:
        """What plays at this station at this instant, and why not the others: the station's own answer."""
        with self._lock:
            said = plan.explain(self._facts, unit, instant_s)
        return rows.ExplainRow(
            instant_s,
            unit,
            None if said.winner is None else _plan_slot(said.winner),
            tuple(
                (_plan_slot(slot), int(why.outcome), int(why.detail), why.say("vi"))
                for slot, why in said.losers
            ),
        )

    def _series_row(self, row: dict[str, Any]) -> rows.SeriesRow:
        days = bytes(row["days"])
        first_day = int(row["first_day"])
        return rows.SeriesRow(
            series=row["series"],
            bulletin=bytes(row["bulletin"]).hex(),
            title=row["title"],
            kind=row["kind"],
            territory=row["territory"],
            klass=row["klass"],
            first_day=first_day if days else local_day(row["not_before"]),
            days=tuple(d for d in range(first_day, first_day + 8 * len(days)) if has_day(first_day, days, d)),
            minute=row["minute"],
            length_s=row["length_s"],
            late_s=row["late_s"],
            state=row["state"],
            at=row["at"],
            by=self.person(bytes(row["key_id"])),
            level=row["level"],
            drill=bool(row["drill"]),
            not_before=row["not_before"],
            expires_at=row["expires_at"],
            text=row["text"],
            manifest=bytes(row["manifest"]).hex(),
            units=row["units"],
        )

    # -- as-run ----------------------------------------------------------------------------------------------

    def as_run(
        self,
        *,
        unit: str = "",
        series: int = 0,
        day: int | None = None,
        bulletin: str = "",
        limit: int = 1000,
        offset: int = 0,
    ) -> list[rows.AsRunRow]:
        """What was reported, the latest day first and the latest planned of a day."""
        where = Where().equal("p.unit", unit).equal("a.series", series)
        if day is not None:
            where.add("a.day = ?", day)
        if bulletin:
            where.add("a.series IN (SELECT series FROM series WHERE bulletin = ?)", id_bytes(bulletin))
            where.add("s.bulletin = ?", id_bytes(bulletin))
        of = _BY_KEY if unit or series or bulletin else _BY_PLACE
        with self._lock:
            return self._as_run(of, where, min(limit, ROWS_MAX), offset)

    def _as_run_of(self, bulletin: bytes, series: list[int]) -> list[rows.AsRunRow]:
        where = Where().add("a.series IN (SELECT value FROM json_each(?))", json.dumps(series))
        where.add("s.bulletin = ?", bulletin)
        return self._as_run(_BY_KEY, where, ROWS_MAX, 0)

    def _as_run(self, of: str, where: Where, limit: int, offset: int) -> list[rows.AsRunRow]:
        order = "a.day DESC, a.planned DESC, p.unit, a.series LIMIT ? OFFSET ?"
        found = self._select(_AS_RUN.format(rows=of), where, order, limit, offset)
        return [
            rows.AsRunRow(
                unit=row["unit"],
                station=row["station"] or row["unit"],
                series=row["series"],
                day=row["day"],
                title=row["title"] or "",
                bulletin=bytes(row["bulletin"] or b"").hex(),
                planned_at=at(row["day"]) + row["planned"],
                started_at=at(row["day"]) + row["planned"] + row["begun"],
                outcome=row["outcome"],
                detail=row["detail"],
                evidence=row["evidence"],
                played_ds=row["played_ds"],
                volume=row["volume"],
                key_id=bytes(row["key_id"]).hex(),
                log_id=bytes(row["log_id"]).hex(),
                seq=row["first_seq"] + max(0, row["nth"]),
                position=row["position"],
                clusters=cluster_report(row["clusters"], row["outcome"], listed_names(row["listed"] or "")),
                said_by=row["said_by"] or "",
                means=-1 if row["means"] is None else row["means"],
            )
            for row in found
        ]

    def summary(self, day: int) -> rows.Summary:
        """One local day of the whole province, from the plan and the acknowledgments."""
        with self._lock:
            stations = self._facts.stations
            it = [unit for unit, one in stations.items() if one.fact.kind == "it"]
            planned = {(slot.unit, *slot.key): slot for slot in plan.expected(self._facts, it, day)}
            fm = [unit for unit, one in stations.items() if one.fact.kind == "fm"]
            duty = {(slot.unit, *slot.key) for slot in plan.expected(self._facts, fm, day)}
            every = self._rows(_OF_DAY, [day])
        # A person's word is counted apart: it proves less than any station's own.
        words = {(str(row["unit"]), int(row["series"]), int(row["day"])) for row in every if row["nth"] < 0}
        found = [row for row in every if row["nth"] >= 0]
        said = {(str(row["unit"]), int(row["series"]), int(row["day"])): row for row in found}
        outcomes, missed_by = Counter[str](), Counter[str]()
        for key, row in said.items():
            if key in planned:
                outcomes[Outcome(row["outcome"]).name.lower()] += 1
                if row["outcome"] == Outcome.MISSED:
                    missed_by[_detail_name(row["detail"])] += 1
        emergencies = [key for key, slot in planned.items() if slot.emergency]
        reached = sum(1 for key in emergencies if key in said and said[key]["outcome"] in SOUNDED)
        return rows.Summary(
            day=day,
            stations=len(stations),
            it=len(it),
            fm=len(stations) - len(it),
            planned=len(planned),
            outcomes=dict(sorted(outcomes.items())),
            missed_by=dict(sorted(missed_by.items())),
            unreported=len(planned.keys() - said.keys()),
            unplanned=len(said.keys() - planned.keys()),
            emergency_targets=len(emergencies),
            emergency_reached=reached,
            acks=len(said),
            as_of=self._now(),
            fm_planned=len(duty),
            fm_attested=len(duty & (words | said.keys())),
        )


def _plan_slot(slot: Slot) -> rows.PlanSlot:
    return rows.PlanSlot(
        slot.series, slot.day, slot.start_s, slot.length_s, slot.title, slot.klass, slot.emergency,
        slot.moved_from_s,
    )


def _detail_name(code: int) -> str:
    try:
        return Detail(code).name.lower()
    except ValueError:
        return f"detail_{code}"
