"""`loa node …` as a program of an earlier version: without the types and values that came later.

Run as a process of its own, because tables are taken away before the station is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ledger.facts import decisions, events, standing, state
from ledger.facts.fields import whole

LATER_TYPES = (*range(10, 16), 17, *range(22, 26))
SOFTWARE = "loa/0.0.9"


@contextmanager
def older() -> Iterator[None]:
    """Inside, this program knows what a version before it knew."""
    kinds: dict[int, Any] = events._KINDS
    kept = dict(kinds)
    types = standing.DECISION_TYPES
    checks: dict[str, Any] = decisions.Scheduled.CHECKS  # type: ignore[assignment]
    on_interrupt = checks["on_interrupt"]
    for number in LATER_TYPES:
        kinds.pop(number, None)
    for module in (standing, state):
        module.DECISION_TYPES = types - set(LATER_TYPES)  # type: ignore[attr-defined]
    checks["on_interrupt"] = whole(0, 1)
    try:
        yield
    finally:
        kinds.clear()
        kinds.update(kept)
        for module in (standing, state):
            module.DECISION_TYPES = types  # type: ignore[attr-defined]
        checks["on_interrupt"] = on_interrupt


if __name__ == "__main__":
    with older():
        from node import station

        station.SOFTWARE = SOFTWARE  # type: ignore[misc]
        from node.cli import node

        node()
