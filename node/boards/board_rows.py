"""What each board was to show, what its screen said it showed, and what was reported of it.

A row exists from the moment a thing is put on a board and is closed in the same transaction that reports it.
So after a power cut there are just two cases: an open row (its day goes on, or it is closed at the next look)
and a closed one (reported, never again). Seconds are counted in memory and kept with the alive mark: a power
cut may cost ten minutes of them, and never adds one.

    due    on the board, no screen said that it showed it
    shown  a screen did; reported once at that moment
    done   closed: reported with all its seconds, or as unknown

A screen is a browser on the commune's network without a key. It is believed in what it shows only as far as
we put it there, and in how long only as far as time has passed.

Bound: rows and reports of one station. What is on a board is `board.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ledger.facts import BoardShown, Detail, Outcome, local_day
from ledger.log import Ledger
from node.presence import Moment

DUE: Final = "due"
SHOWN: Final = "shown"
DONE: Final = "done"

EVENTS_DAY_MAX: Final = 400  # two reports for each of 32 notices on six boards; a 2G link carries that
CLAIMS_MAX: Final = 64  # in one message of a screen
FIRST_CLAIM_S: Final = 60.0  # a screen speaks every quarter of a minute; more was before we were here
SLACK_S: Final = 1.0  # its clock is another one
DAY_S: Final = 86_400
KEPT_DAYS: Final = 40
SAID: Final = "node.boards.said"  # reports of a day: day · 1000 + count

_TABLE: Final = """CREATE TABLE IF NOT EXISTS node_boards (
    board TEXT NOT NULL, bulletin BLOB NOT NULL, shown BLOB NOT NULL, day INTEGER NOT NULL,
    content BLOB NOT NULL, alarm INTEGER NOT NULL, state TEXT NOT NULL, shown_ms INTEGER NOT NULL,
    PRIMARY KEY (board, bulletin, shown, day)) STRICT, WITHOUT ROWID"""
_COLUMNS: Final = "board, bulletin, shown, day, content, alarm, state, shown_ms"


class Key(NamedTuple):
    """One thing that stands on the boards on one day."""

    bulletin: bytes
    shown: bytes
    day: int
    content: bytes
    alarm: bool


class Claim(NamedTuple):
    """A screen says: so many seconds of this, since I last said something."""

    bulletin: bytes
    shown: bytes
    seconds: float


@dataclass
class Row:
    """One thing on one board. shown_ms: as far as a screen said and we believe."""

    board: str
    key: Key
    state: str
    shown_ms: int = 0

    @property
    def shown_s(self) -> int:
        """Whole seconds; what was shown at all was shown for one."""
        return min(DAY_S, max(1, self.shown_ms // 1000)) if self.shown_ms else 0


class BoardRows:
    """report: appends one fact to the station's log, in the open transaction."""

    def __init__(self, ledger: Ledger, report: Callable[[BoardShown], None]) -> None:
        self._ledger = ledger
        self._report = report
        with ledger.transaction() as db:
            db.execute(_TABLE)
        found = ledger.db.execute(f"SELECT {_COLUMNS} FROM node_boards WHERE state <> ?", (DONE,))  # noqa: S608
        self._open = {(row.board, row.key): row for row in map(_row, found)}
        self._followed: tuple[frozenset[Key], bool, int] | None = None
        self._heard_s: dict[str, float] = {}  # board → when its screen last spoke, monotonic
        self._saved: dict[tuple[str, Key], int] = {place: row.shown_ms for place, row in self._open.items()}

    def open_rows(self) -> list[Row]:
        """What stands on the boards or waits to be closed, by board and day."""
        return [self._open[place] for place in sorted(self._open)]

    def follow(self, boards: Sequence[str], standing: Collection[Key], moment: Moment) -> bool:
        """Opens rows for what came, closes those of what left; True when something was reported.

        While the time is not trusted nothing is known of notices: their rows stay as they are.
        """
        day = local_day(moment.utc_s)
        asked = (frozenset(standing), moment.trusted, day if moment.trusted else -1)
        if asked == self._followed:
            return False
        wanted = {(board, key) for board in boards for key in standing}
        came = sorted(wanted - self._open.keys())
        left = sorted(place for place in self._open.keys() - wanted if moment.trusted or place[1].alarm)
        spoke = False
        if came or left:
            with self._ledger.transaction():
                for place in left:
                    spoke |= self._close(self._open[place], moment)
                for place in came:
                    self._begin(*place)
                if moment.trusted:
                    self._ledger.db.execute(
                        "DELETE FROM node_boards WHERE state = ? AND day < ?", (DONE, day - KEPT_DAYS)
                    )
            for place in left:
                self._open.pop(place)
                self._saved.pop(place, None)
        self._followed = asked
        return spoke

    def seen(self, board: str, claims: Sequence[Claim], moment: Moment) -> bool:
        """Counts what a screen says; True when something on it is new and was reported."""
        heard_s = self._heard_s.get(board)
        left_s = FIRST_CLAIM_S if heard_s is None else min(DAY_S, moment.mono_s - heard_s + SLACK_S)
        self._heard_s[board] = moment.mono_s
        spoke = False
        for claim in claims[:CLAIMS_MAX]:
            row = self._standing(board, claim)
            seconds = min(max(0.0, claim.seconds), max(0.0, left_s))
            if row is None or seconds <= 0:
                continue
            left_s -= seconds
            row.shown_ms += max(1, round(seconds * 1000))
            if row.state == DUE:
                with self._ledger.transaction():
                    row.state = SHOWN
                    spoke |= self._say(row, Outcome.PLAYED, moment)
                    self._write(row)
        return spoke

    def heard_s(self, board: str) -> float | None:
        """When this board's screen last spoke (monotonic s), since this process began."""
        return self._heard_s.get(board)

    def shown_s(self, board: str, day: int) -> int:
        """Seconds counted on a board for a day, closed rows and open ones."""
        closed = self._ledger.db.execute(
            "SELECT coalesce(sum(shown_ms), 0) FROM node_boards WHERE board = ? AND day = ? AND state = ?",
            (board, day, DONE),
        ).fetchone()
        running = sum(
            row.shown_ms for (name, key), row in self._open.items() if (name, key.day) == (board, day)
        )
        return (int(closed[0]) + running) // 1000

    def save(self) -> None:
        """Keeps the seconds, in the open transaction."""
        for place, row in self._open.items():
            if self._saved.get(place) != row.shown_ms:
                self._write(row)

    # -- inside ----------------------------------------------------------------------------------------------

    def _standing(self, board: str, claim: Claim) -> Row | None:
        """The newest open row of this thing: a screen may speak of the last seconds before midnight."""
        found = [
            row
            for (name, key), row in self._open.items()
            if name == board and (key.bulletin, key.shown) == (claim.bulletin, claim.shown)
        ]
        return max(found, key=lambda row: row.key.day, default=None)

    def _begin(self, board: str, key: Key) -> None:
        """A new row; or the old one again, for what left its board and came back on the same day."""
        found = self._ledger.db.execute(
            f"SELECT {_COLUMNS} FROM node_boards WHERE board = ? AND bulletin = ? AND shown = ? AND day = ?",  # noqa: S608
            (board, key.bulletin, key.shown, key.day),
        ).fetchone()
        row = Row(board, key, DUE) if found is None else _row(found)
        if row.state == DONE:
            row.state = SHOWN if row.shown_ms else DUE
        self._open[board, key] = row
        self._write(row)

    def _close(self, row: Row, moment: Moment) -> bool:
        """With the last report; of what nobody looked after the same is said once, not every day."""
        spoke = False
        if row.state == SHOWN:
            spoke = self._say(row, Outcome.PLAYED, moment)
        elif not self._was_unknown(row):
            spoke = self._say(row, Outcome.UNKNOWN, moment)
        row.state = DONE
        self._write(row)
        return spoke

    def _was_unknown(self, row: Row) -> bool:
        """True when this was closed on this board before, on any day, and no screen had said anything."""
        return (
            self._ledger.db.execute(
                "SELECT 1 FROM node_boards WHERE board = ? AND bulletin = ? AND shown = ? AND state = ? "
                "AND shown_ms = 0 LIMIT 1",
                (row.board, row.key.bulletin, row.key.shown, DONE),
            ).fetchone()
            is not None
        )

    def _say(self, row: Row, outcome: Outcome, moment: Moment) -> bool:
        """One report, unless this day had its share. In the open transaction."""
        day = local_day(moment.utc_s)
        kept = self._ledger.get(SAID, 0)
        said_day, count = divmod(kept if isinstance(kept, int) else 0, 1000)
        count = count if said_day == day else 0
        if count >= EVENTS_DAY_MAX:
            return False
        self._ledger.put(SAID, day * 1000 + count + 1)
        key = row.key
        self._report(
            BoardShown(
                moment.ts, row.board, key.bulletin, key.content, key.shown, key.day, row.shown_s,
                int(outcome), int(Detail.NONE),
            )
        )  # fmt: skip
        return True

    def _write(self, row: Row) -> None:
        assert self._ledger.in_transaction, "a board's row changes with its report or not at all"
        key = row.key
        self._ledger.db.execute(
            f"INSERT OR REPLACE INTO node_boards ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            (
                row.board, key.bulletin, key.shown, key.day, key.content, int(key.alarm), row.state,
                row.shown_ms,
            ),
        )  # fmt: skip
        self._saved[row.board, key] = row.shown_ms


def _row(values: tuple[Any, ...]) -> Row:
    """A row of the table; its columns are STRICT, so the types are those written."""
    board, bulletin, shown, day, content, alarm, state, shown_ms = values
    return Row(board, Key(bulletin, shown, day, content, bool(alarm)), state, shown_ms)
