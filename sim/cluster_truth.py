"""The promise about clusters (I20), asked at the end of a run: what the hub says of them is what they were.

A receiver without power, muted or sounding something else is never told as playing; one that is well is
never told as dead or as sounding something else; every slot that sounded says something of each receiver.
What comes and goes or is slow may be told either way, but not as sounding something else. What is hard to
reach may do that in truth: nobody could tell it that the item is another one now.

Bound: what ails a receiver does not change in a run; `sim.clusters` says what does in between.
"""

from __future__ import annotations

from hub import Hub
from ledger.facts import CLUSTER_OUTCOMES, Cluster
from sim.checkers import Violation
from sim.clusters import WELL, Bank, Ill


def judge(hub: Hub, unit: str, bank: Bank) -> int:
    """How many rows were judged. Raises Violation for one that cannot be."""
    judged = 0
    for row in hub.queries.as_run(unit=unit, limit=5_000):
        if row.outcome not in CLUSTER_OUTCOMES:
            continue
        said, slot = row.clusters, f"series {row.series} of day {row.day}"
        if said is None or not said.readable or len(said.states) != len(bank.receivers):
            raise Violation("I20", f"{slot} says nothing of its {len(bank.receivers)} clusters", unit)
        for receiver, state in zip(bank.receivers, said.states, strict=True):
            if state not in possible(receiver.ill):
                raise Violation(
                    "I20", f"{slot}: cluster {receiver.number} is told as {state.say('en')}", unit
                )
        judged += 1
    return judged


def possible(ill: Ill) -> frozenset[Cluster]:
    """What may be said of a receiver with this ailment. Unknown always: nobody was there to ask it."""
    if ill.dead:
        return frozenset({Cluster.UNKNOWN, Cluster.NOT_REACHED})
    if ill.muted:
        return frozenset({Cluster.UNKNOWN, Cluster.SILENT})
    if ill.lying:  # not held against it in the first seconds
        return frozenset({Cluster.UNKNOWN, Cluster.SILENT, Cluster.WRONG_ITEM})
    if ill == WELL:
        return frozenset({Cluster.UNKNOWN, Cluster.PLAYING})
    return frozenset(Cluster) - (frozenset() if ill.loss else {Cluster.WRONG_ITEM})
