"""What people on duty attested, as rows: beside the acknowledgments of stations and below them.

Every word is kept; of those that name a slot of the plan and its content the latest stands as the as-run row
of that slot, with evidence `operator_attested`, until the station itself says something. A word on a slot
that is not in the plan is refused; when the order arrives only later, as on a stick where one officer's log
came before another's, it is looked at again.

Bound: rows, in the order of the ledger. What a word may say is `ledger.facts.attesting`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from sqlite_utils import Database

from hub.as_run import AsRun
from ledger.facts import Attested, Facts, Signed, slot_at, wrong_with

NO_SLOT: Final = "slot-unknown"
_COLUMNS: Final = (
    "position, seq, key_id, log_id, unit, series, day, content, outcome, detail, began_at, played_ds, "
    "means, said_by, at, event_id, stands"
)


class Attestations:
    """facts: the fold of the projection at this decision. counted: of the batch at hand."""

    def __init__(self, db: Database, facts: Facts, as_run: AsRun, counted: Counter[str]) -> None:
        self._db = db
        self._facts = facts
        self._as_run = as_run
        self._counted = counted

    def take(self, signed: Signed, fact: Attested) -> None:
        """A word that its signer may say."""
        why = self._wrong(fact)
        self._db.execute(
            f"INSERT INTO attested ({_COLUMNS}) VALUES ({', '.join('?' * 17)})",  # noqa: S608 - marks only
            [
                signed.position, signed.seq, signed.key_id, signed.log_id, fact.territory, fact.series,
                fact.day, fact.content, fact.outcome, fact.detail, fact.began_at, fact.played_ds, fact.means,
                fact.said_by, fact.ts, signed.id, int(not why),
            ],
        )  # fmt: skip
        if why:
            self._judge(signed.position, why)
        else:
            self._show(fact.territory, fact.series, fact.day)

    def planned(self, series: int) -> None:
        """The plan of this series changed: what waited for that may stand now."""
        waiting = self._db.execute(
            "SELECT position, unit, series, day, content, outcome, detail, began_at, played_ds, means,"
            " said_by, at FROM attested WHERE series = ? AND stands = 0 ORDER BY position",
            [series],
        ).fetchall()
        for row in waiting:
            position, fact = int(row[0]), _fact(row[1:])
            if self._wrong(fact) is None:
                self._db.execute("UPDATE attested SET stands = 1 WHERE position = ?", [position])
                self._judge(position, "")
                self._show(fact.territory, fact.series, fact.day)

    def _wrong(self, fact: Attested) -> str | None:
        slot = slot_at(self._facts, fact.territory, fact.series, fact.day)
        return NO_SLOT if slot is None else wrong_with(fact, slot)

    def _judge(self, position: int, why: str) -> None:
        """The decision's own line: does it count, and if not, why."""
        self._db.execute(
            "UPDATE deeds SET applied = ?, why = ? WHERE position = ?", [int(not why), why, position]
        )
        self._counted["refused"] += 1 if why else -1

    def _show(self, unit: str, series: int, day: int) -> None:
        """The latest word becomes the row of its slot, unless the station has one of its own."""
        row = self._db.execute(
            "SELECT position, seq, key_id, log_id, outcome, detail, began_at, played_ds FROM attested "
            "WHERE unit = ? AND series = ? AND day = ? AND stands = 1 "
            "ORDER BY at DESC, event_id DESC LIMIT 1",
            [unit, series, day],
        ).fetchone()
        slot = slot_at(self._facts, unit, series, day)
        assert slot is not None, "only a word on a slot stands"
        position, seq, key_id, log_id, outcome, detail, began_at, played_ds = row
        begun = 0 if began_at is None else began_at - slot.start_s
        self._as_run.attest(
            unit, slot, (position, seq, key_id, log_id), begun=begun, played_ds=played_ds, outcome=outcome,
            detail=detail,
        )  # fmt: skip


def _fact(row: Any) -> Attested:
    unit, series, day, content, outcome, detail, began_at, played_ds, means, said_by, at = row
    return Attested(
        at, unit, series, day, bytes(content), outcome, detail, began_at, played_ds, means, said_by
    )
