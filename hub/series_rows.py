"""The rows of a series that was ordered for a group, read as the one order they are.

The log holds one event for each unit of the group, and so do the views. People ordered once: the list, the
week and the series' page show one line with its units. Rows are one order when they share the number, the
signer, the content and the time; two communes that came to one number by chance share the number alone.

Bound: rows already read; the queries are `hub.day_queries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ledger.facts import ancestors, covers

_ALIKE = ("series", "kind", "key_id", "bulletin", "manifest", "first_day", "days", "minute", "length_s", "at")


def nearest_above(units: Sequence[str]) -> str:
    """The nearest unit that covers all of these; "" when there is none."""
    first, *others = units
    above = (unit for unit in reversed(ancestors(first)) if all(covers(unit, one) for one in others))
    return next(above, "")


def together(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row an order, where its first stood; `units` are its territories, () for an order of one.

    Its territory is the nearest above them all; it is active as long as one of them is.
    """
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in _ALIKE), []).append(row)
    return [_one(same) for same in found.values()]


def _one(same: list[dict[str, Any]]) -> dict[str, Any]:
    if len(same) == 1:
        return same[0] | {"units": ()}
    units = tuple(sorted(row["territory"] for row in same))
    active = [row for row in same if row["state"] == "active"]
    return (active or same)[0] | {"units": units, "territory": nearest_above(units)}
