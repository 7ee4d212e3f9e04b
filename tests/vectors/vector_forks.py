"""Evidence of forks as 336 bytes, the event that carries it, and histories that branch or do not."""

from __future__ import annotations

from typing import Any

from vector_parts import (
    APPROVER,
    LAW_DAY,
    LOG,
    OTHER_LOG,
    STATION,
    STRANGER,
    TRUSTED,
    ZERO,
    Json,
    body_of,
    head_of,
    numbered,
    patched,
    signed,
)

from ledger.log import keys
from ledger.log.codec import encode
from ledger.log.journal import LogOpened
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead

NO_LOG = bytes(8)
LOGS = [bytes.fromhex(f"5a17c0de000000{n:02x}") for n in range(16, 24)]


def fork_vectors() -> Json:
    events = numbered(4)
    opening = head_of(STATION, events[:1])
    rest = head_of(STATION, events[1:3], first_seq=1, prev=opening.hash)
    recut = head_of(STATION, events[1:2], first_seq=1, prev=opening.hash)
    twice = head_of(STATION, [b"\x92\0\0", b"\x92\0\1"], first_seq=1, prev=opening.hash)
    inside = head_of(STATION, events[1:], first_seq=2, prev=recut.hash)
    wrong_link = head_of(STATION, events[1:3], first_seq=1, prev=bytes(31) + b"\1")
    third = head_of(STATION, events[3:], first_seq=3, prev=rest.hash)

    def half(head: SegmentHead, key: SigningKey = STATION) -> bytes:
        return head.encode() + key.sign(keys.SEGMENT, head.encode())

    good = half(rest) + half(twice)
    other_log = head_of(STATION, [b"\x92\0\7"], log_id=OTHER_LOG)
    stranger = half(head_of(STRANGER, events[:1]), STRANGER) + half(head_of(STRANGER, events[1:2]), STRANGER)
    accepts = [
        ("the same range, other events", good, "fork-overlap"),
        ("the same two, the other one first", half(twice) + half(rest), "fork-overlap"),
        ("the same events, cut again", half(rest) + half(recut), "fork-overlap"),
        ("ranges that overlap in part", half(rest) + half(inside), "fork-overlap"),
        ("two beginnings", half(opening) + half(head_of(STATION, [b"\x92\0\7"])), "fork-overlap"),
        ("neighbours that do not link", half(opening) + half(wrong_link), "fork-broken-link"),
        ("the same, the later one first", half(wrong_link) + half(opening), "fork-broken-link"),
    ]
    rejects = [
        ("the same head twice", half(rest) * 2, "not-a-fork"),
        ("neighbours that link", half(opening) + half(rest), "not-a-fork"),
        ("a gap between", half(opening) + half(third), "not-a-fork"),
        ("two logs of one key, as a restored device has", half(opening) + half(other_log), "not-a-fork"),
        ("one log id under two keys", half(opening) + half(head_of(APPROVER, [b"\x92\0\7"]), APPROVER),
         "not-a-fork"),
        ("a key nobody introduced", stranger, "key-unknown"),
        ("a bit of the first signature changed", patched(good, 120, bytes([good[120] ^ 1])), "signature-bad"),
        ("a bit of the other signature changed", patched(good, 300, bytes([good[300] ^ 1])), "signature-bad"),
        ("a bit of a signed root changed", patched(good, 250, bytes([good[250] ^ 1])), "signature-bad"),
        ("the second signed by another key", half(rest) + half(twice, APPROVER), "signature-bad"),
        ("a head of another version", patched(good, 171, b"\x02"), "head-magic"),
        ("a head that covers no events", patched(good, 32, bytes(4)), "head-count"),
        ("one byte short", good[:-1], "evidence-length"),
        ("one byte more", good + b"\0", "evidence-length"),
        ("one head alone", half(rest), "evidence-length"),
        ("nothing", b"", "evidence-length"),
    ]  # fmt: skip
    return {
        "trusted": [trusted.raw.hex() for trusted in TRUSTED.values()],
        "accepts": [
            {"name": name, "bytes": pair.hex(), "code": code, "event": encode((81, LAW_DAY, pair)).hex()}
            for name, pair, code in accepts
        ],
        "rejects": [{"name": name, "bytes": pair.hex(), "code": code} for name, pair, code in rejects],
        "branches": branch_vectors(),
    }


class _Device:
    """Writes logs by hand. `as_of` is a card copied at that moment and started in another box."""

    def __init__(self, end: tuple[bytes, int, bytes] = (NO_LOG, 0, ZERO), count: int = 0) -> None:
        self.end, self.count = end, count

    def card(self) -> _Device:
        return _Device(self.end, self.count)

    def begin(self, log: bytes, at: int) -> bytes:
        self.count += 1
        opened = LogOpened(LAW_DAY + at, 0, *self.end, self.count, "loa/0.1.0").encode()
        return self._write(log, 0, ZERO, [opened, encode((16, LAW_DAY + at, at))])

    def go_on(self, at: int) -> bytes:
        log, next_seq, head = self.end
        return self._write(log, next_seq, head, [encode((16, LAW_DAY + at, at))])

    def _write(self, log: bytes, first_seq: int, prev: bytes, events: list[bytes]) -> bytes:
        head = head_of(STATION, events, log_id=log, first_seq=first_seq, prev=prev)
        self.end = (log, head.next_seq, head.hash)
        return signed(STATION, head, body_of(events))


def branch_vectors() -> list[Json]:
    def case(name: str, arrivals: list[bytes], *found: tuple[bytes, int, bool]) -> Json:
        said = [{"log": log.hex(), "ways": ways, "cloned": cloned} for log, ways, cloned in found]
        return {"name": name, "arrivals": [raw.hex() for raw in arrivals], "branches": said}

    cases: list[Any] = []

    one = _Device()
    life = [one.begin(LOGS[0], 0), one.go_on(10), one.begin(LOGS[1], 20), one.begin(LOGS[2], 30)]
    cases.append(case("restarts", life))
    cases.append(case("an older log's rest arrives last", [life[2], life[3], life[0], life[1]]))

    one = _Device()
    first = one.begin(LOGS[0], 0)
    card = one.card()
    went_on, back = one.go_on(10), card.begin(LOGS[1], 20)
    cases.append(case("an old card is put back", [first, went_on, back], (LOGS[0], 2, False)))
    cases.append(case("what was left behind arrives last", [first, back, went_on], (LOGS[0], 2, False)))
    both = one.go_on(30)
    cases.append(case("and the first box goes on too", [first, went_on, back, both], (LOGS[0], 2, True)))

    one = _Device()
    first = one.begin(LOGS[0], 0)
    card = one.card()
    left, right = one.begin(LOGS[1], 10), card.begin(LOGS[2], 20)
    again = one.begin(LOGS[3], 30)
    cases.append(case("two logs name one predecessor", [first, left, right], (LOGS[0], 2, False)))
    cases.append(case("and both go on in turn", [first, left, right, again], (LOGS[0], 2, True)))

    one = _Device()
    lost, back = one.card().begin(LOGS[1], 0), one.begin(LOGS[2], 10)
    arrivals = [back, one.go_on(20), lost, one.begin(LOGS[3], 30)]
    cases.append(
        case("a log of before the card was put back arrives on a stick", arrivals, (NO_LOG, 2, False))
    )

    left, right = _Device().begin(LOGS[1], 0), _Device().begin(LOGS[2], 10)
    cases.append(case("a device reset to its enrolment", [left, right], (NO_LOG, 2, False)))

    mute = signed(STATION, head_of(STATION, numbered(1)), body_of(numbered(1)))
    mute_too = head_of(STATION, numbered(1), log_id=OTHER_LOG)
    cases.append(
        case("logs that do not say how they opened", [mute, signed(STATION, mute_too, body_of(numbered(1)))])
    )
    assert LOG not in LOGS
    return cases
