"""What a unit is heard under: its own path, and since its mergers the paths of what it became part of.

A unit's path never changes, so without mergers its names are its ancestors. A merger of a unit, or of one
above it, gives it further names from a day on: those of the unit it was merged into. The old superiors keep
what they had signed before that day, and speak to it no more. So every name of a unit has a span: the first
local day for which orders under that name are heard here, and the instant from which what is signed under it
is not.

Names are found by following mergers upward from the unit alone. So a station that is sent what was signed
under its names comes to the same names as a hub that knows all mergers, whatever it is not told of others.

Bound: values and questions. Whether a merger counts is `state.py`; nothing here knows of rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from ledger.facts.calendar import at, local_day
from ledger.facts.units import ancestors, covers

if TYPE_CHECKING:
    from ledger.facts.merging import UnitMerged
    from ledger.facts.standing import Standing


class Span(NamedTuple):
    """from_day: the first local day heard under a name. until_s: UTC s; nothing signed from then on."""

    from_day: int
    until_s: float


ALWAYS: Final = Span(0, inf)


class Lineages:
    """The names of all units, by the mergers that count. With none, a name is an ancestor."""

    def __init__(self) -> None:
        self._words: dict[str, list[Standing[UnitMerged]]] = {}
        self._names: dict[str, dict[str, Span]] = {}

    def __bool__(self) -> bool:
        """True when there is any merger."""
        return bool(self._words)

    def clear(self) -> None:
        """Forgets all mergers."""
        self._words.clear()
        self._names.clear()

    def take(self, word: Standing[UnitMerged]) -> None:
        """Takes in a merger that counts, in order of position: it replaces what was to begin when it does."""
        fact = word.fact
        kept = [one for one in self._words.get(fact.unit, ()) if one.fact.from_day < fact.from_day]
        if fact.into is not None:
            kept.append(word)
        if kept:
            self._words[fact.unit] = kept
        else:
            self._words.pop(fact.unit, None)
        self._names.clear()

    def mergers(self) -> Iterator[Standing[UnitMerged]]:
        """Every merger that stands, by unit, then day."""
        for unit in sorted(self._words):
            yield from self._words[unit]

    def words_of(self, unit: str) -> Sequence[Standing[UnitMerged]]:
        """The mergers of exactly this unit that stand, by day."""
        return self._words.get(unit, ())

    def heard_of(self) -> set[str]:
        """Every unit that took another in."""
        return {one.fact.into for one in self.mergers() if one.fact.into is not None}

    def names(self, unit: str) -> Mapping[str, Span]:
        """Every name under which something may be heard at `unit`, nearest first: its own, then upward."""
        found = self._names.get(unit)
        if found is None:
            found = {}
            self._walk(unit, ALWAYS, found)
            self._names[unit] = found
        return found

    def _walk(self, unit: str, span: Span, found: dict[str, Span]) -> None:
        """Up from `unit`. Ends on any mergers: each step that goes on widens the span of a name."""
        from_day, until_s = span
        for name in reversed(ancestors(unit)):
            known = found.get(name)
            if known is None:
                found[name] = Span(from_day, until_s)
            elif known.from_day <= from_day and until_s <= known.until_s:
                return  # walked from here already, also when two units were merged into one another
            else:
                found[name] = Span(min(known.from_day, from_day), max(known.until_s, until_s))
            words = self._words.get(name)
            if words:
                for word, after in zip(words, [*words[1:], None], strict=True):
                    begins = max(from_day, word.fact.from_day)
                    ends_s = until_s if after is None else min(until_s, at(after.fact.from_day))
                    if word.fact.into is not None and at(begins) < ends_s:
                        self._walk(word.fact.into, Span(begins, ends_s), found)
                until_s = min(until_s, at(words[0].fact.from_day))

    def hears(self, unit: str, territory: str, ts: int, day: int | None = None) -> bool:
        """True when what was signed at `ts` for `territory` concerns `unit`, on a day or (None) ever."""
        if not self._words:
            return covers(territory, unit)
        span = self.names(unit).get(territory)
        return span is not None and ts < span.until_s and (day is None or span.from_day <= day)

    def since(self, unit: str, territory: str) -> int:
        """The first local day for which `unit` hears `territory`; 0 when it did so before any merger."""
        return self.names(unit).get(territory, ALWAYS).from_day

    def holds(self, outer: str, inner: str, at_s: float) -> bool:
        """True when `inner` belonged to `outer` at an instant (UTC s): a right over the one was over both."""
        if not self._words:
            return covers(outer, inner)
        span = self.names(inner).get(outer)
        return span is not None and at_s < span.until_s and span.from_day <= local_day(at_s)

    def seat(self, unit: str, day: int) -> str:
        """The unit that this one is part of on a local day, through all its mergers; itself when none."""
        met: list[str] = []
        while unit not in met:
            met.append(unit)
            begun = [one.fact for one in self._words.get(unit, ()) if one.fact.from_day <= day]
            if begun and begun[-1].into is not None:
                unit = begun[-1].into
        return unit
