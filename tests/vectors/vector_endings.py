"""How keys end: revocations before, at and after a place, rotations, root sets; and the six words.

Every case is a list of signed segments in order of arrival and what follows from them: what each key may, at
a place in its logs or (place null) from now on, and which statements do not count, with their reasons.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from vector_grants import (
    ADMIN,
    APPROVE,
    CLERK,
    GRANT,
    NEIGHBOUR,
    OFFICER,
    OUTSIDER,
    PROVINCE,
    ROOT,
    SIGNERS,
    TU_LE,
    event,
)
from vector_keys import ORDER_REJECTS
from vector_parts import LAW_DAY, LOG, OTHER_LOG, STATION, ZERO, Json, body_of, head_of, signed

from ledger.facts import RootStatement, pack_pairs, possession_of, sign_roots
from ledger.log import keys
from ledger.log.chain import LogRef
from ledger.log.codec import Value, encode, pack
from ledger.log.journal import Ingested, LogOpened, OpenReason
from ledger.log.keys import SigningKey
from ledger.log.segment import SegmentHead
from ledger.log.words import WORDS, key_words, six_words

HUB = SigningKey.from_seed(bytes([0x67]) * 32)
NEW, R1, R2, R3, R4 = (SigningKey.from_seed(bytes([n]) * 32) for n in (0x68, 0x71, 0x72, 0x73, 0x74))
CAST = {**SIGNERS, "hub": HUB, "new": NEW, "root 1": R1, "root 2": R2, "root 3": R3, "root 4": R4}
HUB_LOG, HUB_NEXT = bytes.fromhex("4b0b000000000001"), bytes.fromhex("4b0b000000000002")


class Bench:
    """Signers with several logs each: every statement is the next segment of the log it stands in."""

    def __init__(self) -> None:
        self._ends: dict[tuple[bytes, bytes], tuple[int, bytes]] = {}
        self.segments: list[bytes] = []

    def say(self, key: SigningKey, *events: bytes, log: bytes = LOG) -> bytes:
        head = self.head(key, list(events), log)
        raw = signed(key, head, body_of(list(events)))
        self.segments.append(raw)
        return raw

    def head(self, key: SigningKey, events: list[bytes], log: bytes) -> SegmentHead:
        first_seq, prev = self._ends.get((key.key_id, log), (0, ZERO))
        head = head_of(key, events, log_id=log, first_seq=first_seq, prev=prev)
        self._ends[key.key_id, log] = (head.next_seq, head.hash)
        return head

    def chain(self) -> Bench:
        """root → admin (depth 3) → officer (depth 1) → clerk; a neighbour whom the admin granted too."""
        self.say(ROOT, event(ADMIN, APPROVE | GRANT, PROVINCE, 3))
        self.say(ADMIN, event(OFFICER, APPROVE | GRANT, PROVINCE, 1))
        self.say(OFFICER, event(CLERK, APPROVE, TU_LE))
        self.say(ADMIN, event(NEIGHBOUR, APPROVE | GRANT, PROVINCE, 1))
        return self


def revoke(ended: SigningKey, kept: dict[bytes, int] | bytes = b"", **changed: Value) -> bytes:
    fields: dict[str, Value] = {
        "type": 66, "ts": LAW_DAY, "subject": ended.key_id, "territory": PROVINCE, "hub_key": HUB.key_id,
        "hub_log": HUB_LOG, "hub_seq": 2, "exceptions": pack_pairs(kept) if isinstance(kept, dict) else kept,
        "reason": "mất máy",
    }  # fmt: skip
    return encode(list((fields | changed).values()))


def rotate(old: SigningKey, new: SigningKey, kept: dict[bytes, int] | None = None, **changed: Value) -> bytes:
    fields: dict[str, Value] = {
        "type": 65, "ts": LAW_DAY, "territory": PROVINCE, "new_pub": new.verify_key.raw,
        "possession": possession_of(new, old.verify_key.raw), "hub_key": HUB.key_id, "hub_log": HUB_LOG,
        "hub_seq": 2, "exceptions": pack_pairs(kept or {}),
    }  # fmt: skip
    return encode(list((fields | changed).values()))


def statement(version: int, threshold: int, roots: list[SigningKey], retired: Any = ()) -> bytes:
    raws = tuple(sorted(key.verify_key.raw for key in roots))
    rows = tuple(sorted((key.key_id, pack_pairs(kept)) for key, kept in retired))
    return RootStatement(version, threshold, raws, rows).encode()


def root_set(said: bytes, signers: list[SigningKey], rows: bytes | None = None) -> bytes:
    signatures = b"".join(sign_roots(key, said) for key in signers) if rows is None else rows
    return encode([67, LAW_DAY, "vn", said, signatures])


Asked = tuple[SigningKey, str, tuple[bytes, int] | None, bool]


def _case(name: str, roots: list[SigningKey], bench: Bench, may: list[Asked], reasons: Any = ()) -> Json:
    return {
        "name": name,
        "roots": [key.verify_key.raw.hex() for key in roots],
        "segments": [raw.hex() for raw in bench.segments],
        "may": [
            {
                "key": key.verify_key.raw.hex(), "classes": APPROVE, "territory": unit, "at": LAW_DAY,
                "place": None if place is None else {"log": place[0].hex(), "seq": place[1]}, "answer": yes,
            }
            for key, unit, place, yes in may
        ],
        "reasons": list(reasons),
    }  # fmt: skip


def _accepts() -> list[Json]:
    found = []

    def case(name: str, bench: Bench, may: list[Asked], reasons: Any = (), roots: Any = (ROOT,)) -> None:
        found.append(_case(name, list(roots), bench, may, reasons))

    b = Bench().chain()
    b.say(ADMIN, revoke(CLERK, {LOG: 4}))
    case("a revocation: before, at and after its exception, another log, and from now on", b, [
        (CLERK, TU_LE, (LOG, 3), True), (CLERK, TU_LE, (LOG, 4), True), (CLERK, TU_LE, (LOG, 5), False),
        (CLERK, TU_LE, (OTHER_LOG, 0), False), (CLERK, TU_LE, None, False), (OFFICER, TU_LE, None, True),
    ])  # fmt: skip
    b = Bench().chain()
    b.say(ROOT, revoke(CLERK, {LOG: 0, OTHER_LOG: 7}))
    case("a root revokes, with two logs excepted", b, [
        (CLERK, TU_LE, (LOG, 0), True), (CLERK, TU_LE, (LOG, 1), False), (CLERK, TU_LE, (OTHER_LOG, 7), True),
    ])  # fmt: skip
    b = Bench().chain()
    b.say(ADMIN, revoke(OFFICER))
    case("without exceptions, what the subject granted goes too", b,
         [(OFFICER, TU_LE, (LOG, 0), False), (CLERK, TU_LE, (LOG, 0), False)],
         ["grant-key-ended"])  # fmt: skip
    b = Bench().chain()
    b.say(ADMIN, revoke(OFFICER, {LOG: 0}))
    case("a grant of the revoked key that is excepted stays", b,
         [(OFFICER, TU_LE, None, False), (CLERK, TU_LE, None, True)])  # fmt: skip
    b = Bench()
    b.say(ADMIN, revoke(OFFICER, {LOG: 0}))
    late = b.segments[:]
    b.segments.clear()
    b.chain()
    b.segments[:0] = late
    case("a revocation that comes before the grants", b,
         [(OFFICER, TU_LE, None, False), (CLERK, TU_LE, None, True)])  # fmt: skip
    b = Bench().chain()
    b.say(ROOT, event(CLERK, APPROVE, TU_LE, label="from a root"))
    b.say(OFFICER, revoke(CLERK))
    case(
        "a grant from another chain goes on", b, [(CLERK, TU_LE, None, True), (CLERK, PROVINCE, None, False)]
    )
    b = Bench().chain()
    b.say(OFFICER, revoke(CLERK))
    b.say(ADMIN, revoke(OFFICER, {LOG: 0}))
    case("who is ended ends nobody: the clerk is given back", b,
         [(CLERK, TU_LE, None, True), (OFFICER, TU_LE, None, False)], ["revocation-key-ended"])  # fmt: skip
    b = Bench().chain()
    b.say(CLERK, event(OUTSIDER), log=OTHER_LOG)
    b.say(CLERK, rotate(CLERK, NEW, {OTHER_LOG: 0}))
    case("a rotation: its own log up to it, and an earlier log that it names", b, [
        (CLERK, TU_LE, (LOG, 0), True), (CLERK, TU_LE, (LOG, 1), False), (CLERK, TU_LE, (OTHER_LOG, 0), True),
        (CLERK, TU_LE, (OTHER_LOG, 1), False), (CLERK, TU_LE, None, False), (NEW, TU_LE, None, False),
    ], ["grant-without-right"])  # fmt: skip
    b = Bench().chain()
    b.say(CLERK, rotate(CLERK, NEW))
    b.say(OFFICER, event(NEW, APPROVE, TU_LE))
    case("its issuer grants to the new key", b, [(CLERK, TU_LE, None, False), (NEW, TU_LE, None, True)])
    b = Bench().chain()
    b.say(CLERK, rotate(CLERK, NEW), log=OTHER_LOG)
    b.say(OFFICER, revoke(CLERK, {LOG: 9}))
    case("a thief's rotation is void once the key is revoked", b,
         [(CLERK, TU_LE, (LOG, 9), True), (CLERK, TU_LE, (OTHER_LOG, 0), False)],
         ["rotation-key-ended"])  # fmt: skip

    given = (R1, R2, R3)
    b = Bench()
    b.say(R3, event(ADMIN, APPROVE | GRANT, PROVINCE, 3))
    b.say(ADMIN, root_set(statement(1, 2, [R1, R2, R4], [(R3, {LOG: 0})]), [R1, R2]))
    b.say(R4, event(OFFICER, APPROVE, PROVINCE))
    b.say(R3, event(OUTSIDER, APPROVE, PROVINCE))
    case("set 1 by two of three: one root leaves, one comes", b, [
        (R4, "vn", None, True), (R3, "vn", None, False), (R3, "vn", (LOG, 0), True),
        (R3, "vn", (LOG, 1), False),
        (ADMIN, PROVINCE, None, True), (OFFICER, PROVINCE, None, True), (OUTSIDER, PROVINCE, None, False),
    ], ["grant-key-ended"], given)  # fmt: skip
    b = Bench()
    b.say(R1, event(ADMIN, APPROVE | GRANT, PROVINCE, 3))
    b.say(ADMIN, root_set(statement(2, 2, [R1, R4, NEW], [(R2, {})]), [R1, R4]))
    b.say(ADMIN, root_set(statement(1, 2, [R1, R2, R4], [(R3, {})]), [R1, R2, R4]))
    case("set 2 comes before set 1", b, [
        (NEW, "vn", None, True), (R2, "vn", None, False), (R2, "vn", (LOG, 0), False),
    ], [], given)  # fmt: skip
    b = Bench()
    b.say(ROOT, event(ADMIN, APPROVE | GRANT, PROVINCE, 3))
    b.say(ADMIN, root_set(statement(1, 2, [R1, R2, R3], [(ROOT, {LOG: 0})]), [ROOT, R1, R3]))
    case("one given root hands over to three", b, [
        (R2, "vn", None, True), (ROOT, "vn", None, False), (ADMIN, PROVINCE, None, True),
    ])  # fmt: skip
    return found


def _rejects() -> list[Json]:
    found = []

    def case(
        name: str, key: SigningKey, events: bytes | list[bytes], code: str, roots: Any = (ROOT,)
    ) -> None:
        b = Bench().chain()
        held = b.segments[:]
        rows = events if isinstance(events, list) else [events]
        raw = b.say(key, *rows)
        found.append(
            {
                "name": name, "roots": [one.verify_key.raw.hex() for one in roots],
                "held": [one.hex() for one in held], "segment": raw.hex(), "code": code,
            }
        )  # fmt: skip

    case("a revocation by a key beside", NEIGHBOUR, revoke(CLERK), "revocation-not-above")
    case("by a key below", CLERK, revoke(OFFICER), "revocation-not-above")
    case("by a key that nobody granted anything", OUTSIDER, revoke(CLERK), "revocation-not-above")
    case("of oneself", OFFICER, revoke(OFFICER), "revocation-of-itself")
    case("of a root", ADMIN, revoke(ROOT), "revocation-of-root")
    case("of a key that holds nothing", ADMIN, revoke(OUTSIDER), "revocation-unknown-key")
    case("in another territory", ADMIN, revoke(CLERK, territory="vn.lc"), "revocation-unknown-key")
    case("beside another event", ADMIN, [revoke(CLERK), event(NEW)], "not-sealed-alone")
    pair = pack_pairs({LOG: 1})
    other = pack_pairs({OTHER_LOG: 1})
    case("exceptions of 15 bytes", ADMIN, revoke(CLERK, pair[:15]), "bad-exceptions")
    case("a log twice", ADMIN, revoke(CLERK, pair + pair), "bad-exceptions")
    case("logs out of order", ADMIN, revoke(CLERK, other + pair), "bad-exceptions")
    case("log zero", ADMIN, revoke(CLERK, bytes(16)), "bad-exceptions")
    case("a number of 2⁶³", ADMIN, revoke(CLERK, LOG + b"\x80" + bytes(7)), "bad-exceptions")
    many = b"".join((n + 1).to_bytes(8, "big") + bytes(8) for n in range(449))
    case("449 exceptions", ADMIN, revoke(CLERK, many), "bad-exceptions")
    case("a subject of 7 bytes", ADMIN, revoke(CLERK, subject=bytes(7)), "bad-subject")
    case("a reason of 121 characters", ADMIN, revoke(CLERK, reason="ă" * 121), "bad-reason")

    case(
        "a rotation without possession",
        CLERK,
        rotate(CLERK, NEW, possession=bytes(64)),
        "rotation-possession",
    )
    stolen = possession_of(NEW, OFFICER.verify_key.raw)
    case(
        "possession for another old key", CLERK, rotate(CLERK, NEW, possession=stolen), "rotation-possession"
    )
    as_segment = NEW.sign(keys.SEGMENT, CLERK.verify_key.raw + NEW.verify_key.raw)
    case("possession signed for another purpose", CLERK, rotate(CLERK, NEW, possession=as_segment),
         "rotation-possession")  # fmt: skip
    case("to itself", CLERK, rotate(CLERK, CLERK), "rotation-to-itself")
    case("by a root", ROOT, rotate(ROOT, NEW), "rotation-by-root")
    case("by a key that holds nothing", OUTSIDER, rotate(OUTSIDER, NEW), "rotation-unknown-key")
    for n, raw in enumerate(sorted(keys.SMALL_ORDER)[:3]):
        case(
            f"to a key of small order, {n + 1}",
            CLERK,
            rotate(CLERK, NEW, new_pub=raw),
            "rotation-key-refused",
        )
    mixed = bytes.fromhex(ORDER_REJECTS[0]["public"])
    case("to a key of mixed order", CLERK, rotate(CLERK, NEW, new_pub=mixed), "rotation-key-refused")

    three = (R1, R2, R3, ROOT)  # the fourth root carries the held grants; more than half of four is three
    good = statement(1, 3, [R1, R2, R3, R4], [(ROOT, {})])
    row = sign_roots(R1, good)

    def roots(
        name: str, said: bytes, signers: list[SigningKey], code: str, rows: bytes | None = None
    ) -> None:
        case(name, ADMIN, root_set(said, signers, rows), code, three)

    roots("two of the four before", good, [R1, R2, R4], "roots-threshold-old")
    low = statement(1, 4, [R1, R2, R3, R4], [(ROOT, {})])
    roots("three of the four after", low, [R1, R2, R3], "roots-threshold-new")
    roots("version 2", statement(2, 3, [R1, R2, R3, R4], [(ROOT, {})]), [R1, R2, R3], "roots-version")
    roots("version 0", good.replace(b"\x94\x01", b"\x94\x00", 1), [R1, R2, R3], "roots-form")
    roots("a key twice", statement(1, 3, [R1, R1, R2, R3], [(ROOT, {})]), [R1, R2, R3], "roots-key-twice")
    roots("a signature twice", good, [], "roots-signature-twice", row + row + sign_roots(R2, good))
    roots("one root three times", good, [], "roots-signature-twice", row * 3)
    roots("a foreign signature", good, [R1, R2, R3, OUTSIDER], "roots-signature-foreign")
    roots("a signature of other bytes", good, [], "roots-signature-bad",
          row + sign_roots(R2, good) + sign_roots(R3, low))  # fmt: skip
    swapped = R2.key_id + row[8:]
    roots("one root's signature under another's name", good, [], "roots-signature-bad",
          row + swapped + sign_roots(R3, good))  # fmt: skip
    half = statement(1, 2, [R1, R2, R3, R4], [(ROOT, {})])
    roots("half is no threshold", half, [R1, R2, R3], "roots-threshold-range")
    roots("a threshold of five of four", statement(1, 5, [R1, R2, R3, R4], [(ROOT, {})]), [R1, R2, R3],
          "roots-threshold-range")  # fmt: skip
    roots("a leaving root unnamed", statement(1, 3, [R1, R2, R3, R4]), [R1, R2, R3], "roots-retired")
    roots(
        "a staying root named", statement(1, 3, [R1, R2, R3, ROOT], [(R1, {})]), [R1, R2, R3], "roots-retired"
    )
    raws = sorted(key.verify_key.raw for key in (R1, R2, R3))
    unsorted = pack([1, 2, raws[::-1], [[ROOT.key_id, b""]]])
    roots("keys out of order", unsorted, [R1, R2, R3], "roots-form")
    leaving = sorted(k.key_id for k in (R1, R2, R3, ROOT) if k.verify_key.raw != raws[0])
    small = pack([1, 2, [min(keys.SMALL_ORDER), raws[0]], [[key_id, b""] for key_id in leaving]])
    roots("a root of small order", small, [R1, R2, R3], "roots-key-refused")
    roots("no message", b"\xc1", [R1, R2, R3], "roots-form")
    roots("five items", pack([1, 2, raws, [[ROOT.key_id, b""]], 0]), [R1, R2, R3], "roots-form")
    roots("a row of 71 bytes", good, [], "bad-signatures", bytes(143))
    return found


def _recorded() -> list[Json]:
    """A hub's journal over two of its processes, and whether it had recorded three segments by a cut."""
    b = Bench()
    reports = [b.head(STATION, [encode([16, LAW_DAY + n, n])], LOG) for n in range(3)]

    def arrived(head: SegmentHead) -> bytes:
        return Ingested(
            LAW_DAY, LogRef(head.key_id, head.log_id), head.first_seq, head.count, head.hash
        ).encode()

    journal = Bench()
    opened = LogOpened(LAW_DAY, OpenReason.START, bytes(8), 0, ZERO, 1, "loa/0").encode()
    journal.say(HUB, opened, arrived(reports[0]), log=HUB_LOG)
    journal.say(HUB, arrived(reports[1]), log=HUB_LOG)
    last = journal.head(HUB, [encode([80, 0])], HUB_LOG)  # signed by the hub, and no arrival
    again = LogOpened(LAW_DAY, OpenReason.START, HUB_LOG, last.first_seq, last.prev, 2, "loa/0").encode()
    journal.say(HUB, again, arrived(reports[2]), log=HUB_NEXT)
    cuts = [
        (HUB_LOG, 0, [False, False, False]), (HUB_LOG, 1, [True, False, False]),
        (HUB_LOG, 2, [True, True, False]),
        (HUB_NEXT, 0, [True, True, False]), (HUB_NEXT, 1, [True, True, True]), (bytes(8), 0, [False] * 3),
    ]  # fmt: skip
    return [
        {
            "hub": HUB.verify_key.raw.hex(), "journal": [raw.hex() for raw in journal.segments],
            "heads": [head.encode().hex() for head in reports],
            "cuts": [{"log": log.hex(), "seq": seq, "had": had} for log, seq, had in cuts],
        }
    ]  # fmt: skip


def ending_vectors() -> Json:
    return {
        "public": [key.verify_key.raw.hex() for key in CAST.values()],
        "accepts": _accepts(),
        "recorded": _recorded(),
        "rejects": _rejects(),
    }


def word_vectors() -> Json:
    messages = [(b"request", b"reply"), (b"", b""), (b"reply", b"request"), (b"requestreply", b"")]
    accepts = [
        {"request": one.hex(), "reply": other.hex(), "words": six_words(one, other)}
        for one, other in messages
    ]
    said = six_words(b"request", b"reply")
    wrong = [
        ("one bit of the request", b"requesu", b"reply"), ("one bit of the reply", b"request", b"replx"),
        ("a byte moved from one to the other", b"requestr", b"eply"), ("exchanged", b"reply", b"request"),
    ]  # fmt: skip
    device = bytes.fromhex("8d52a799fc142d38")
    person = SigningKey.from_seed(bytes(range(0x20, 0x40))).verify_key.raw
    return {
        "words": list(WORDS),
        "offered": [
            {"station": device.hex(), "public": person.hex(), "words": key_words(device, person)}
        ],
        "sha256_of_words": sha256("\n".join(WORDS).encode()).hexdigest(),
        "accepts": accepts,
        "rejects": [
            {"name": name, "request": one.hex(), "reply": other.hex(), "words": said}
            for name, one, other in wrong
        ],
    }
