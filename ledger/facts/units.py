"""Units: who is under whom, written in the name itself.

A unit is a dot-separated path of labels that never change: `vn` (central), `vn.yb` (province),
`vn.yb.04630` (commune). The labels are the project's own ids, not the state's codes: communes merge and
codes are reassigned, a label is not. Territory is compared by whole label, never by prefix of text:
`vn.yb.0463` is not above `vn.yb.04630`.

Bound: this file knows nothing of what a unit is called or when it merged; that is a registry's business.
"""

from __future__ import annotations

import re
from functools import lru_cache

UNIT_CHARS_MAX = 80  # eight labels of ordinary length; keeps a territory below 2 % of an event
UNIT_LABELS_MAX = 8  # central, province, commune, cluster, and room for a level nobody has decreed yet

_LABEL = r"[a-z0-9][a-z0-9_-]{0,31}"
_UNIT = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """True when `text` is a well-formed unit path. The empty string is not a unit."""
    return len(text) <= UNIT_CHARS_MAX and text.count(".") < UNIT_LABELS_MAX and bool(_UNIT.fullmatch(text))


def covers(outer: str, inner: str) -> bool:
    """True when `inner` is `outer` itself or lies below it, label by label."""
    return inner == outer or (bool(outer) and inner.startswith(outer + "."))


@lru_cache(maxsize=4096)
def ancestors(unit: str) -> tuple[str, ...]:
    """The unit and everything above it, outermost first: `vn.yb.04630` → (`vn`, `vn.yb`, `vn.yb.04630`)."""
    labels = unit.split(".")
    return tuple(".".join(labels[: end + 1]) for end in range(len(labels)))


def parent(unit: str) -> str | None:
    """The unit directly above, or None for an outermost unit."""
    above, dot, _ = unit.rpartition(".")
    return above if dot else None


def label(unit: str) -> str:
    """The unit's own last label: `vn.yb.04630` → `04630`."""
    return unit.rpartition(".")[2]
