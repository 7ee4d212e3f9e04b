"""What stations reported of their boards, as rows.

A station says at most twice a day what was on a board, first and last; the one with the most seconds holds,
whichever arrives first. A board that nobody looked after is `unknown` and never counted as shown.

Bound: rows. Which station a key speaks for is `projections`; the questions are `board_queries`.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from ledger.facts import BoardShown, Signed

# `<> 0` is: something else than unknown. Everything is compared, so that the order of arrival is nothing.
_TAKE: Final = """
INSERT INTO board_shown AS known VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (unit, board, bulletin, shown, day) DO UPDATE SET
  content = excluded.content, shown_s = excluded.shown_s, outcome = excluded.outcome,
  detail = excluded.detail, at = excluded.at, position = excluded.position, seq = excluded.seq
WHERE (excluded.outcome <> 0, excluded.shown_s, excluded.at, excluded.content, excluded.outcome)
    > (known.outcome <> 0, known.shown_s, known.at, known.content, known.outcome)
"""


def take_board(db: Database, unit: str, signed: Signed, fact: BoardShown) -> None:
    """One report of a station becomes a row, or a better one."""
    db.execute(
        _TAKE,
        [
            unit, fact.board, fact.bulletin, fact.shown, fact.day, fact.content, fact.shown_s, fact.outcome,
            fact.detail, fact.ts, signed.position, signed.seq,
        ],
    )  # fmt: skip
