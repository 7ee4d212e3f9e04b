"""Which content a plan still needs: the one rule by which stations and hubs throw content away.

An order needs its manifest until its last occurrence is over and its late window closed, whether it may
play or not: a withdrawn bulletin may be approved again, an order that was replaced may be the one that
speaks for another day. So this is more than the plan plays and never less, and it asks nothing but the
orders: no horizon beyond which a plan would be forgotten. An offer may be moved to any minute of its day.

Bound: names of manifests. What they list, and the files, are the business of whoever holds them.
"""

from __future__ import annotations

from ledger.facts.calendar import at
from ledger.facts.decisions import EmergencyOrdered, Scheduled
from ledger.facts.offers import is_offer
from ledger.facts.state import Facts


def needed_manifests(facts: Facts, from_s: float, unit: str | None = None) -> set[bytes]:
    """The manifests of all orders that are not over at `from_s`, at one unit or (None) anywhere."""
    return {
        order.fact.manifest
        for orders in facts.orders.values()
        for order in orders
        if over_s(order.fact) > from_s and (unit is None or facts.hears(unit, order.fact))
    }


def over_s(order: Scheduled | EmergencyOrdered) -> int:
    """UTC seconds from which on nothing of this order can begin or sound any more."""
    if isinstance(order, EmergencyOrdered):
        return order.expires_at
    last = order.first_day + int.from_bytes(order.days, "little").bit_length() - 1
    begins_s = at(last + 1) if is_offer(order) else at(last, order.minute)
    return begins_s + order.late_s + order.length_s
