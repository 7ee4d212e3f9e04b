"""The figures of a run, computed from the hub's ledger alone, and the words for them.

Nothing the workload or the checkers know enters here. Each stored segment is opened again from its raw bytes
with keys that come only from the roots and the grants found on the way; each log is walked link by link; the
facts are folded anew; and a slot's outcome is what its station signed. The same function serves the
simulator, the demo with its real processes, and anybody with a copy of `ledger.db` and the root keys.

Bound: the ledger says what stations said. That a station told the truth is what the simulator's checkers are
for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ledger.facts import (
    Acknowledged,
    Approved,
    Detail,
    Facts,
    Outcome,
    Right,
    Slot,
    at,
    covers,
    owed,
    read,
    say_detail,
    slots,
)
from ledger.log import ChainError, Head, Ledger, LoaError, LogRef, Stored, VerifyKey, extend, open_segment

SLOT_NAMES = (
    "played",
    "played_late",
    "partial",
    "interrupted",
    "suppressed",
    "missed",
    "declined",
    "withdrawn",
    "silent",
    "unknown",
)
SOUNDED = frozenset({Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED})
LATE_EMERGENCY = "an emergency, as soon as the order arrived"
LATE_START = "began after its time"
HEARD_WHOLE = frozenset({Outcome.PLAYED, Outcome.PLAYED_LATE})
BATCH = 500  # rows read at once


@dataclass(frozen=True)
class Figures:
    """`slots` has `planned` and every name of SLOT_NAMES.

    why, why_late: reasons (in English) of slots not heard whole, and of those heard whole but late.

    targets, reached: pairs of an emergency and a station it was ordered for, and those that sounded.
    unplanned: acknowledgments of slots that no decision in this ledger speaks of.
    """

    stations: int
    it: int
    fm: int
    slots: dict[str, int]
    why: dict[str, int]
    why_late: dict[str, int]
    unapproved_played: int
    played_twice: int
    unplanned: int
    events: int
    segments: int
    verified: int
    failed: int
    targets: int
    reached: int


@dataclass
class _Reading:
    """The ledger read once, front to back."""

    facts: Facts
    events: int = 0
    segments: int = 0
    verified: int = 0
    failed: int = 0
    heads: dict[LogRef, Head] = field(default_factory=dict)
    acks: dict[tuple[str, int, int], list[Acknowledged]] = field(default_factory=lambda: defaultdict(list))
    approvals: dict[bytes, list[Approved]] = field(default_factory=lambda: defaultdict(list))

    def take(self, position: int, audience: str | None, raw: bytes) -> None:
        self.segments += 1
        try:
            segment = open_segment(raw, self.facts.authority.key)
            log = LogRef(segment.head.key_id, segment.head.log_id)
            self.heads[log] = extend(self.heads.get(log), segment.head)
        except (ChainError, LoaError):
            self.failed += 1
            return
        self.verified += 1
        self.events += len(segment.events)
        stored = Stored(position, segment, audience)
        self.facts.admit(stored)
        for signed in read(stored):
            if isinstance(signed.fact, Acknowledged):
                for unit in self.facts.authority.units_of(signed.key_id, Right.ACK):
                    self.acks[unit, signed.fact.series, signed.fact.day].append(signed.fact)

    def approved(self, unit: str, ack: Acknowledged) -> bool:
        """True when this content was approved for this unit and day, or ordered as an emergency."""
        for order in self.facts.emergencies.get(ack.series, ()):
            if covers(order.fact.territory, unit) and order.fact.manifest[:16] == ack.content:
                return True
        return any(
            covers(fact.territory, unit) and fact.valid_from_day <= ack.day <= fact.valid_until_day
            for fact in self.approvals.get(ack.content, ())
        )


def _read_all(ledger: Ledger, roots: Iterable[VerifyKey]) -> _Reading:
    reading = _Reading(Facts(roots))
    position = 0
    while rows := ledger.tables.segments_after(position, BATCH, told_only=False):
        for position, audience, raw in rows:
            reading.take(position, audience, raw)
    for standing in reading.facts.approvals.values():
        for approval in standing:
            reading.approvals[approval.fact.manifest[:16]].append(approval.fact)
    return reading


def figures(
    ledger: Ledger, *, roots: Iterable[VerifyKey], first_day: int, days: int, until_s: float
) -> Figures:
    """What can be counted from this ledger of slots that start in the days given, up to `until_s`.

    Days are local days since 1970-01-01, until_s UTC s. Slots are those of every registered `it` station.
    """
    reading = _read_all(ledger, roots)
    facts = reading.facts
    kinds = {unit: standing.fact.kind for unit, standing in facts.stations.items()}
    counts: Counter[str] = Counter()
    why: Counter[str] = Counter()
    why_late: Counter[str] = Counter()
    planned: set[tuple[str, int, int]] = set()
    targets = reached = 0
    end_s = min(float(at(first_day + days, 0)), until_s + 1.0)
    for unit in sorted(unit for unit, kind in kinds.items() if kind == "it"):
        for slot in slots(facts, unit, at(first_day, 0), end_s):
            planned.add((unit, slot.series, slot.day))
            acks = reading.acks.get((unit, slot.series, slot.day), [])
            outcome, detail = _outcome(facts, slot, acks)
            counts[outcome.name.lower()] += 1
            if outcome not in HEARD_WHOLE and detail != Detail.NONE:
                why[say_detail(detail, "en")] += 1
            if outcome is Outcome.PLAYED_LATE:
                why_late[_late_because(slot, detail)] += 1
            if slot.emergency:
                targets += 1
                reached += any(ack.outcome in SOUNDED for ack in acks)
    inside = range(first_day, first_day + days)
    sounded = {
        key: [ack for ack in acks if ack.outcome in SOUNDED]
        for key, acks in reading.acks.items()
        if key[2] in inside
    }
    return Figures(
        stations=len(kinds),
        it=sum(kind == "it" for kind in kinds.values()),
        fm=sum(kind == "fm" for kind in kinds.values()),
        slots={"planned": counts.total(), **{name: counts[name] for name in SLOT_NAMES}},
        why=dict(sorted(why.items())),
        why_late=dict(sorted(why_late.items())),
        unapproved_played=sum(
            not reading.approved(key[0], ack) for key, acks in sounded.items() for ack in acks
        ),
        played_twice=sum(len({ack.ts for ack in acks}) > 1 for acks in sounded.values()),
        unplanned=sum(key[2] in inside and key not in planned for key in reading.acks),
        events=reading.events,
        segments=reading.segments,
        verified=reading.verified,
        failed=reading.failed,
        targets=targets,
        reached=reached,
    )


def _outcome(facts: Facts, slot: Slot, acks: list[Acknowledged]) -> tuple[Outcome, int]:
    """What the station said became of the slot; said twice (an old card), what was heard counts first."""
    if not acks:
        return (Outcome.UNKNOWN if owed(facts, slot) else Outcome.WITHDRAWN), Detail.NONE
    best = min(acks, key=lambda ack: (Outcome(ack.outcome) not in SOUNDED, ack.ts))
    return Outcome(best.outcome), best.detail


def _late_because(slot: Slot, detail: int) -> str:
    if detail != Detail.NONE:
        return say_detail(detail, "en")
    return LATE_EMERGENCY if slot.emergency else LATE_START


def summary(
    found: Figures, *, seed: int, converged: bool, up: int, down: int, **more: object
) -> dict[str, object]:
    """The JSON object of a run; `more` adds keys at its end. up, down: HTTP bytes of the stations."""
    return {
        "seed": seed,
        "stations": found.stations,
        "it": found.it,
        "fm": found.fm,
        "converged": converged,
        "slots": dict(found.slots),
        "why": dict(found.why),
        "why_late": dict(found.why_late),
        "unapproved_played": found.unapproved_played,
        "played_twice": found.played_twice,
        "unplanned": found.unplanned,
        "events": found.events,
        "segments": found.segments,
        "signatures": {"verified": found.verified, "failed": found.failed},
        "bytes": {"up": up, "down": down},
        "emergency": {"targets": found.targets, "reached": found.reached},
        **more,
    }


def in_words(said: Mapping[str, object]) -> list[str]:
    """What a person wants to know first, a sentence a line. said: as `summary` gives it."""
    numbers = _numbers(said, "slots")
    signatures, traffic, emergency = (_numbers(said, name) for name in ("signatures", "bytes", "emergency"))
    why = ", ".join(f"{reason} {count:,}" for reason, count in _numbers(said, "why").items())
    late = ", ".join(f"{reason} {count:,}" for reason, count in _numbers(said, "why_late").items())
    planned = numbers["planned"]
    rest = ", ".join(
        f"{name.replace('_', ' ')} {numbers[name]:,}" for name in SLOT_NAMES[2:] if numbers[name]
    )
    lines = [
        f"{said['stations']} stations: {said['it']} with a return path,"
        f" {said['fm']} by FM alone (not counted below).",
        f"Of {planned:,} planned slots {numbers['played']:,} were played on time"
        f" and {numbers['played_late']:,} late"
        f" ({_percent(numbers['played'] + numbers['played_late'], planned)})"
        + (f"; {rest}." if rest else "."),
    ]
    if late:
        lines.append(f"Why late: {late}.")
    if why:
        lines.append(f"Why not heard, or not whole: {why}.")
    lines += [
        f"Played without approval: {said['unapproved_played']}. Played twice: {said['played_twice']}.",
        f"Emergencies: {emergency['reached']:,} of {emergency['targets']:,} station orders were heard.",
        f"{said['events']:,} events in {said['segments']:,} signed segments at the hub;"
        f" {signatures['verified']:,} verify, {signatures['failed']:,} do not.",
        f"On the wire: {traffic['up']:,} bytes up, {traffic['down']:,} bytes down.",
        "Everything the stations wrote is at the hub."
        if said["converged"]
        else "NOT everything arrived at the hub.",
    ]
    return lines


def _numbers(said: Mapping[str, object], name: str) -> dict[str, int]:
    value = said.get(name, {})
    assert isinstance(value, dict)
    return value


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none planned"
