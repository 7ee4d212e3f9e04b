"""The lists that forms offer: categories, situations, and the territories an officer may name.

The lists themselves belong to the aggregates; here they get the reader's language. Their Vietnamese words
are msgids of the catalogue like any other, though they stand in no template.
"""

from __future__ import annotations

from hub.bulletins import CATEGORIES
from hub.schedules import EMERGENCY_KINDS
from hub.web import names
from hub.web.tongue import gettext
from ledger.facts import covers


def categories() -> list[tuple[str, str]]:
    """Slug, word."""
    return [(slug, gettext(word)) for slug, word in CATEGORIES]


def emergency_kinds() -> list[tuple[str, str]]:
    """The situations an order may name: slug, word."""
    return [(slug, gettext(word)) for slug, word in EMERGENCY_KINDS]


def territories(above: str) -> list[tuple[str, str]]:
    """Every place at or under `above`: unit, name; the whole first, then stations in the order of their
    units.
    """
    known = names.unit_names()
    inside = [(unit, name) for unit, name in known.items() if covers(above, unit) and unit != above]
    return [(above, known.get(above, above)), *sorted(inside)]
