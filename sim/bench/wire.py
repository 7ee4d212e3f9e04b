"""Bytes: by segment size, on the socket, of nothing, and of a station's day. All counted, none computed.

`bytes_per_event` is the transit form of segments of n acknowledgments, as it stands in a request;
`held` beside it is the self-contained form in which they are stored, forwarded and proven. `w2` is everything
that crosses the socket, both ways, until the hub has a month of one station: HTTP, request, receipts, reply.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from hashlib import sha256
from math import e, log2, pi, sqrt
from typing import Any

from ledger.facts import AckCoder, Approved, Facts, Klass
from ledger.log import SigningKey, fold, prove, seal
from node import Limits
from sim.bench.held import measure as held_line
from sim.bench.line import Line
from sim.bench.setting import Setting
from sim.bench.tls import Front
from sim.bench.workload import (
    DEVIATION_S,
    FAILED,
    FAILURES,
    LONGER,
    OTHER_VOLUME,
    acknowledgments,
    programme,
)

SIZES = (1, 10, 100, 1000)
UNIT = "vn.yb.04630"
EVENTS = 1000
DAILY_SLOTS, DAILY_STEP, DAILY_SYNCS = 8, 120, 4
HOURS_S = 0.4  # stands for the hours between two calls: the connection is closed meanwhile


def measure(seed: int) -> dict[str, Any]:
    """One JSON object; see `docs/how-to/measure.md` for the keys."""
    with Setting([UNIT]) as setting:
        plan = programme(seed, EVENTS)
        decided = setting.plan(plan, UNIT)
        events = acknowledgments(plan, seed, 0)
        with Line(setting.port) as line:
            box = setting.station(UNIT, line.port)
            box.drain()  # the plan comes down
            sizes = _sizes(box.facts, events)
            idle_0 = line.up + line.down
            box.round()
            idle = line.up + line.down - idle_0
            before = line.up, line.down
            box.say(events)
            rounds = box.drain()
            w2_up, w2_down = line.up - before[0], line.down - before[1]
            box.say([events[-1]])
            before = line.up, line.down
            box.drain()
            isolated = line.up - before[0] + line.down - before[1]
            held, held_tls = (held_line(setting, box, secure=secure) for secure in (False, True))
            box.close()
        verified = setting.hub.ledger.verify()
    plain, plain_calls = _station_day(seed, secure=False)
    day, day_calls = _station_day(seed, secure=True)
    full, full_calls = _station_day(seed, secure=True, resume=False)
    return {
        "workload": {"seed": seed, "events": EVENTS, "decisions": decided},
        "bytes_per_event": {str(n): sizes[n][0] for n in SIZES},
        "held_bytes_per_event": {str(n): sizes[n][1] for n in SIZES},
        "canonical_bytes_per_event": round(sum(map(len, events)) / len(events), 2),
        "floor_bytes_per_event": floor(),
        "w2_bytes_per_event": round((w2_up + w2_down) / EVENTS, 2),
        "w2_bytes": {"up": w2_up, "down": w2_down, "rounds": rounds},
        "idle_bytes": idle,
        "idle_round_trips": 1,
        "isolated_ack_bytes": isolated,
        "held_bytes_per_min": held["minute"],
        "held_tls_bytes_per_min": held_tls["minute"],
        "held_come_bytes": held["come"],
        "held_come_tls_bytes": held_tls["come"],
        "station_day_bytes": day,
        "station_day_full_handshakes_bytes": full,
        "station_day_plain_bytes": plain,
        "tls_full_bytes": full_calls[-1] - plain_calls[-1],
        "tls_resumed_bytes": day_calls[-1] - plain_calls[-1],
        "approval_proof_bytes": _approval_proof(),
        "verify_failed": verified.failed,
    }


def _sizes(facts: Facts, events: list[bytes]) -> dict[int, tuple[float, float]]:
    """n → (transit, self-contained) bytes of an event in segments of n."""
    key, log, coder = SigningKey.from_seed(b"bench" + bytes(27)), b"bench-01", AckCoder(facts, UNIT)
    found = {}
    for n in SIZES:
        transit = held = first = 0
        prev = bytes(32)
        for at in range(0, len(events), n):
            segment = seal(key, log, first, prev, events[at : at + n])
            transit += len(fold(segment, 0, coder))
            held += len(segment.raw)
            first, prev = segment.head.next_seq, segment.head.hash
        found[n] = round(transit / len(events), 2), round(held / len(events), 2)
    return found


def floor() -> float:
    """What the distribution itself holds, in bytes of an acknowledgment, when plan and author are known."""
    def choice(*shares: float) -> float:
        return -sum(share * log2(share) for share in shares if share)

    deviation = log2(DEVIATION_S[1] * 100 * sqrt(2 * pi * e))
    total = sum(weight for weight, _, _ in FAILURES)
    kind = choice(FAILED, 1 - FAILED) + FAILED * choice(*(weight / total for weight, _, _ in FAILURES))
    broken = FAILED * sum(weight for weight, outcome, _ in FAILURES if outcome.name != "MISSED") / total
    length = (1 - FAILED) * choice(LONGER, 1 - LONGER) + broken * log2(460)
    volume = choice(OTHER_VOLUME, 1 - OTHER_VOLUME) + OTHER_VOLUME * log2(11)
    return round((deviation + kind + length + volume) / 8, 2)


def _approval_proof() -> int:
    fact = Approved(
        ts=1_793_600_000, bulletin=bytes(range(16)), version=1, manifest=sha256(b"m").digest(),
        title="Hưởng ứng Ngày Pháp luật Việt Nam", category="phap-luat", klass=Klass.NORMAL,
        territory="vn.yb", valid_from_day=20_760, valid_until_day=20_790,
    )  # fmt: skip
    key = SigningKey.from_seed(b"officer" + bytes(25))
    return len(prove(seal(key, b"bench-02", 0, bytes(32), [fact.encode()]), 0).encode())


def _station_day(seed: int, *, secure: bool, resume: bool = True) -> tuple[int, list[int]]:
    """(all bytes, bytes of each call) of a station that says eight acknowledgments and calls four times.

    Each call is a connection of its own, hours apart; resume: with the TLS session of the one before.
    """
    with Setting([UNIT]) as setting, ExitStack() as stack:
        plan = programme(seed, DAILY_SLOTS, DAILY_SLOTS, DAILY_STEP)
        setting.plan(plan, UNIT)
        events = acknowledgments(plan, seed, 0)
        front = stack.enter_context(Front(setting.port)) if secure else None
        line = stack.enter_context(Line(setting.port if front is None else front.port))
        trust = None if front is None else front.trust
        box = setting.station(UNIT)
        box.drain()
        each = len(events) // DAILY_SYNCS
        calls = []
        for call in range(DAILY_SYNCS):
            if call == 0 or not resume:
                box.move(line.port, trust, Limits(keepalive_s=HOURS_S / 2))
            before = line.up + line.down
            box.say(events[call * each : (call + 1) * each])
            box.drain()
            time.sleep(HOURS_S)
            calls.append(line.up + line.down - before)
        assert line.connections == DAILY_SYNCS, line.connections
        box.close()
        return sum(calls), calls
