"""Reports: what a province answers for over a quarter, from the read models and the plan, and from nothing
else.

`report` asks the views at hand; `report_at` builds the same views in memory from the ledger as far as a
position, and asks those: so the figures of a report that was handed in can be had again at any time, whatever
arrived afterwards. Both run the same lines over the same tables, and the digests say so.

What a period counts ends with its last whole day: a slot of today may still be heard. Decisions, documents
and citizens' words are counted by the day on which they were signed.

Bound: reads. Words of a language are `hub.web.report_words`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from hub.config import VIEWS_DB
from hub.projections import Projections
from hub.report_rows import DAYS_MAX, Ask, Report
from hub.report_tables import Tables
from ledger.facts import Facts, local_day
from ledger.log import Ledger, MemoryStore, NotAllowed, Stored

if TYPE_CHECKING:
    from hub.hub import Hub


def ask_for(
    hub: Hub, *, first_day: int, last_day: int, now: int, territory: str, group: str = "",
    units: Iterable[str] = (), category: str = "", campaign: str = "",
    bulletins: Iterable[str] = (),
) -> Ask:  # fmt: skip
    """A question about whole days that are over. NotAllowed: `period-range`, `period-ahead`."""
    if not 0 <= first_day <= last_day or last_day - first_day >= DAYS_MAX:
        raise NotAllowed(
            "period-range", f"from {first_day} to {last_day} is no period", where="days",
            hint=f"the first day first, at most {DAYS_MAX} days",
        )  # fmt: skip
    through = min(last_day, local_day(now) - 1)
    if through < first_day:
        raise NotAllowed(
            "period-ahead", "no day of this period is over yet", where="days", hint="choose an earlier one"
        )
    return Ask(
        first_day, through, territory, group, frozenset(units), category, campaign, frozenset(bulletins)
    )


def report(hub: Hub, ask: Ask) -> Report:
    """The figures as the hub knows them now."""
    with hub.lock:
        hub.projections.catch_up()
        return _made(hub.projections, hub.facts, hub.ledger, hub.key.key_id, ask)


def report_at(hub: Hub, ask: Ask, position: int) -> Report:
    """The figures as they stood at a position of the ledger. It reads everything up to there: as long as
    `loa hub rebuild`. NotAllowed("position-unknown").
    """
    if not 1 <= position <= hub.ledger.position():
        raise NotAllowed(
            "position-unknown", f"the ledger has no position {position}", where="position",
            hint=f"from 1 to {hub.ledger.position()}, as a report's foot says",
        )  # fmt: skip
    with hub.lock:
        then = _Until(hub.ledger, position)
        facts = Facts(hub.config.root_keys)
        facts.load(then)
        shelf = MemoryStore()
        projections = Projections(
            then,  # type: ignore[arg-type]  # a ledger that ends there
            shelf.open_db(VIEWS_DB), lambda: Facts(hub.config.root_keys), lambda: facts,
        )  # fmt: skip
        projections.rebuild()
        return _made(projections, facts, hub.ledger, hub.key.key_id, ask)


class _Until:
    """The ledger as it was when it ended at a position: what projections ask of one."""

    def __init__(self, ledger: Ledger, position: int) -> None:
        self._ledger = ledger
        self._position = position

    def since(
        self, position: int, *, limit: int | None = None, decisions_only: bool = False
    ) -> Iterable[Stored]:
        more: dict[str, Any] = {} if limit is None else {"limit": limit}
        for stored in self._ledger.since(position, decisions_only=decisions_only, **more):
            if stored.position > self._position:
                return
            yield stored

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)


# -- one report ----------------------------------------------------------------------------------------------


def _made(projections: Projections, facts: Facts, ledger: Ledger, key_id: bytes, ask: Ask) -> Report:
    position = projections.cursor
    tables = Tables(lambda sql, args: projections.db.execute(sql, args), facts, ask).all()
    trail = ledger.hash_at(position) or b""
    return Report(ask, tables, position, trail, _head(ledger, key_id, position))


def _head(ledger: Ledger, key_id: bytes, position: int) -> tuple[bytes, int, bytes] | None:
    """The hub's own log that moved last, as far as `position`."""
    place = position
    while place > 0 and position - place < _HEAD_LOOK:
        for stored in ledger.since(place - 1, limit=1):
            head = stored.segment.head
            if head.key_id == key_id:
                return head.log_id, head.next_seq, head.hash
        place -= 1
    return None


_HEAD_LOOK: Final = 64  # each arrival is journalled at once: the hub's own segment is the next one or so
