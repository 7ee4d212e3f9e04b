"""Authority: chains of grants that hold, and grants that introduce nobody.

Every grant is a whole segment, sealed alone as its issuer would. Whether the issuer's key is known is not the
question here, so `public` names every key that signs: the segments open, and only authority decides.
"""

from __future__ import annotations

from typing import Any

from vector_keys import ORDER_REJECTS
from vector_parts import APPROVER, LAW_DAY, LOG, STATION, ZERO, Json, body_of, head_of, signed

from ledger.log import keys
from ledger.log.codec import Value, encode
from ledger.log.keys import SigningKey

ROOT, ADMIN, OFFICER, CLERK, NEIGHBOUR, OUTSIDER = (
    SigningKey.from_seed(bytes([n]) * 32) for n in (0x61, 0x62, 0x63, 0x64, 0x65, 0x66)
)
SIGNERS = {
    "root": ROOT,
    "admin": ADMIN,
    "officer": OFFICER,
    "clerk": CLERK,
    "neighbour": NEIGHBOUR,
    "outsider": OUTSIDER,
    "approver": APPROVER,
    "station": STATION,
}
PROVINCE, TU_LE, XUAN_AI = "vn.yb", "vn.yb.04630", "vn.yb.04402"
FROM, UNTIL = LAW_DAY - 86_400, LAW_DAY + 31_536_000
APPROVE, SCHEDULE, EMERGENCY, ACK, GRANT = 2, 4, 8, 32, 256
NEWER = 1 << 20  # a right that this version has no name for


class Bench:
    """The issuers' logs: each grant is the next segment of its signer's log."""

    def __init__(self) -> None:
        self._ends: dict[bytes, tuple[int, bytes]] = {}

    def seal(self, key: SigningKey, *events: bytes) -> bytes:
        first_seq, prev = self._ends.get(key.key_id, (0, ZERO))
        head = head_of(key, list(events), log_id=LOG, first_seq=first_seq, prev=prev)
        self._ends[key.key_id] = (head.next_seq, head.hash)
        return signed(key, head, body_of(list(events)))

    def grant(
        self, issuer: SigningKey, subject: SigningKey | bytes, *fields: Value, **changed: Value
    ) -> bytes:
        return self.seal(issuer, event(subject, *fields, **changed))


def event(
    subject: SigningKey | bytes,
    classes: Value = APPROVE,
    territory: Value = TU_LE,
    depth: Value = 0,
    *,
    not_before: Value = FROM,
    not_after: Value = UNTIL,
    label: Value = "cán bộ",
    ts: Value = LAW_DAY,
) -> bytes:
    public = subject if isinstance(subject, bytes) else subject.verify_key.raw
    return encode([64, ts, public, classes, territory, not_before, not_after, depth, label])


def _accepts() -> list[Json]:
    def case(
        name: str, grants: list[bytes], introduced: list[SigningKey], may: list[tuple[Any, ...]]
    ) -> Json:
        return {
            "name": name,
            "grants": [raw.hex() for raw in grants],
            "introduces": [key.verify_key.raw.hex() for key in introduced],
            "may": [
                {
                    "key": key.verify_key.raw.hex(),
                    "classes": right,
                    "territory": unit,
                    "at": at,
                    "answer": yes,
                }
                for key, right, unit, at, yes in may
            ],
        }

    b = Bench()
    lone = case(
        "a root grants",
        [b.grant(ROOT, ADMIN, APPROVE | GRANT, PROVINCE, 3)],
        [ADMIN],
        [
            (ROOT, APPROVE | NEWER, "vn", 0, True),
            (ADMIN, APPROVE, PROVINCE, FROM, True),
            (ADMIN, APPROVE, PROVINCE, UNTIL, True),
            (ADMIN, APPROVE | GRANT, TU_LE, LAW_DAY, True),
            (ADMIN, APPROVE, PROVINCE, FROM - 1, False),
            (ADMIN, APPROVE, PROVINCE, UNTIL + 1, False),
            (ADMIN, APPROVE | SCHEDULE, PROVINCE, LAW_DAY, False),
            (ADMIN, APPROVE, "vn", LAW_DAY, False),
            (ADMIN, APPROVE, "vn.yba", LAW_DAY, False),
            (OFFICER, APPROVE, PROVINCE, LAW_DAY, False),
        ],
    )
    b = Bench()
    chain = case(
        "four links, each as wide as the one above but in depth",
        [
            b.grant(ROOT, ADMIN, APPROVE | GRANT, PROVINCE, 3),
            b.grant(ADMIN, OFFICER, APPROVE | GRANT, PROVINCE, 2),
            b.grant(OFFICER, CLERK, APPROVE | GRANT, PROVINCE, 1),
            b.grant(CLERK, STATION, APPROVE | GRANT, PROVINCE, 0),
        ],
        [ADMIN, OFFICER, CLERK, STATION],
        [(STATION, APPROVE | GRANT, PROVINCE, LAW_DAY, True), (STATION, APPROVE, "vn", LAW_DAY, False)],
    )
    b = Bench()
    narrower = case(
        "each link narrower: fewer rights, a unit below, a shorter window",
        [
            b.grant(ROOT, ADMIN, APPROVE | ACK | GRANT, PROVINCE, 2),
            b.grant(ADMIN, STATION, ACK, TU_LE, 0, not_before=FROM + 1, not_after=UNTIL - 1),
        ],
        [ADMIN, STATION],
        [
            (STATION, ACK, TU_LE, FROM + 1, True),
            (STATION, ACK, TU_LE, FROM, False),
            (STATION, ACK, PROVINCE, LAW_DAY, False),
            (STATION, ACK, XUAN_AI, LAW_DAY, False),
            (STATION, APPROVE, TU_LE, LAW_DAY, False),
        ],
    )
    b = Bench()
    admin = b.grant(ROOT, ADMIN, APPROVE | GRANT, PROVINCE, 2)
    officer = b.grant(ADMIN, OFFICER, APPROVE, TU_LE)
    early = case(
        "a grant that comes before its issuer's",
        [officer, admin],
        [ADMIN, OFFICER],
        [(OFFICER, APPROVE, TU_LE, LAW_DAY, True)],
    )
    b = Bench()
    twice = case(
        "two grants to one key: each counts by itself",
        [
            b.grant(ROOT, OFFICER, APPROVE | GRANT, TU_LE, 1),
            b.grant(ROOT, OFFICER, SCHEDULE | GRANT, XUAN_AI, 1),
            b.grant(OFFICER, CLERK, SCHEDULE, XUAN_AI),
        ],
        [OFFICER, CLERK],
        [
            (OFFICER, APPROVE, TU_LE, LAW_DAY, True),
            (OFFICER, SCHEDULE, XUAN_AI, LAW_DAY, True),
            (OFFICER, SCHEDULE, TU_LE, LAW_DAY, False),
            (CLERK, SCHEDULE, XUAN_AI, LAW_DAY, True),
        ],
    )
    b = Bench()
    newer = case(
        "a right of a newer version is passed on",
        [b.grant(ROOT, ADMIN, NEWER | GRANT, PROVINCE, 1), b.grant(ADMIN, OFFICER, NEWER, TU_LE)],
        [ADMIN, OFFICER],
        [(OFFICER, NEWER, TU_LE, LAW_DAY, True)],
    )
    return [lone, chain, narrower, early, twice, newer]


def _held(b: Bench) -> list[bytes]:
    """What stands before each refused grant: an admin of the province, and who has what from there."""
    return [
        b.grant(ROOT, ADMIN, APPROVE | SCHEDULE | GRANT, PROVINCE, 2),
        b.grant(ADMIN, OFFICER, APPROVE, PROVINCE, 1),
        b.grant(ADMIN, CLERK, APPROVE | GRANT, TU_LE, 0),
        b.grant(ADMIN, NEIGHBOUR, APPROVE | GRANT, TU_LE, 1),
        b.grant(ADMIN, NEIGHBOUR, SCHEDULE | GRANT, XUAN_AI, 1),
    ]


def _rejects() -> list[Json]:
    anew = STATION.verify_key.raw
    narrow, at_root = (APPROVE, TU_LE), (APPROVE, "vn")
    cases: list[tuple[str, SigningKey, list[bytes], str]] = [
        ("a right the issuer does not hold", ADMIN, [event(anew, EMERGENCY)], "grant-wider-classes"),
        ("one right held, one not", ADMIN, [event(anew, APPROVE | EMERGENCY)], "grant-wider-classes"),
        ("a right of a newer version", ADMIN, [event(anew, APPROVE | NEWER)], "grant-wider-classes"),
        ("the level above", ADMIN, [event(anew, APPROVE, "vn")], "grant-wider-territory"),
        ("another province", ADMIN, [event(anew, APPROVE, "vn.lc")], "grant-wider-territory"),
        ("a label that begins alike", ADMIN, [event(anew, APPROVE, "vn.yba")], "grant-wider-territory"),
        ("a commune for its province", CLERK, [event(anew, APPROVE, PROVINCE)], "grant-wider-territory"),
        ("a second earlier", ADMIN, [event(anew, *narrow, not_before=FROM - 1)], "grant-wider-window"),
        ("a second longer", ADMIN, [event(anew, *narrow, not_after=UNTIL + 1)], "grant-wider-window"),
        ("the issuer's own depth", ADMIN, [event(anew, *narrow, 2)], "grant-too-deep"),
        ("more than the issuer's depth", ADMIN, [event(anew, *narrow, 3)], "grant-too-deep"),
        ("by an issuer of depth 0", CLERK, [event(anew, *narrow)], "grant-too-deep"),
        ("a root's own depth", ROOT, [event(anew, *at_root, 4)], "grant-too-deep"),
        ("by a key without GRANT", OFFICER, [event(anew, *narrow)], "grant-without-right"),
        ("by a key that nobody granted anything", OUTSIDER, [event(anew, *narrow)], "grant-unknown-issuer"),
        ("two halves of a right", NEIGHBOUR, [event(anew, APPROVE | SCHEDULE)], "grant-wider-classes"),
        ("a key to itself", ADMIN, [event(ADMIN, *narrow)], "grant-to-itself"),
        ("beside another event", ADMIN, [event(anew, *narrow), event(APPROVER, *narrow)], "not-sealed-alone"),
        ("no right at all", ADMIN, [event(anew, 0)], "bad-classes"),
        ("rights as true", ADMIN, [event(anew, True)], "bad-classes"),
        ("a territory that is no unit", ADMIN, [event(anew, APPROVE, "")], "bad-territory"),
        ("a territory with an empty label", ADMIN, [event(anew, APPROVE, "vn..04630")], "bad-territory"),
        ("a depth below zero", ADMIN, [event(anew, *narrow, -1)], "bad-depth"),
        ("depth 5", ROOT, [event(anew, *at_root, 5)], "bad-depth"),
        ("a label of 121 characters", ADMIN, [event(anew, *narrow, label="ă" * 121)], "bad-label"),
        ("a window that ends before it begins", ADMIN, [event(anew, *narrow, not_after=FROM - 1)],
         "backward-validity"),
        ("a time before 1970", ADMIN, [event(anew, *narrow, ts=-1)], "bad-ts"),
        ("a public key of 31 bytes", ADMIN, [event(anew[:31], *narrow)], "bad-subject-pub"),
        ("a field too few", ADMIN, [encode([64, LAW_DAY, anew, APPROVE, TU_LE, FROM, UNTIL, 0])],
         "bad-arity"),
        ("a field too many", ADMIN, [encode([64, LAW_DAY, anew, APPROVE, TU_LE, FROM, UNTIL, 0, "", 0])],
         "bad-arity"),
        ("an event that is not canonical", ADMIN, [b"\x92\x40\xcc\x05"], "codec-not-shortest"),
    ]  # fmt: skip
    for n, raw in enumerate(sorted(keys.SMALL_ORDER)):
        name = f"a public key of small order, encoding {n + 1} of 14"
        cases.append((name, ADMIN, [event(raw, *narrow)], "grant-key-refused"))
    cases.append(
        ("a public key that is not canonical", ADMIN, [event((keys.P + 3).to_bytes(32, "little"), *narrow)],
         "grant-key-refused")
    )  # fmt: skip
    for bad in ORDER_REJECTS:
        raw = bytes.fromhex(bad["public"])
        cases.append((f"a public key: {bad['name']}", ADMIN, [event(raw, *narrow)], "grant-key-refused"))
        cases.append(
            (f"a public key, by a root: {bad['name']}", ROOT, [event(raw, *narrow)], "grant-key-refused")
        )
    cases.append(
        ("a public key of mixed order, by a key that nobody granted anything", OUTSIDER,
         [event(bytes.fromhex(ORDER_REJECTS[0]["public"]), *narrow)], "grant-unknown-issuer")
    )  # fmt: skip
    found = []
    for name, issuer, events, code in cases:
        b = Bench()
        held = _held(b)
        found.append(
            {
                "name": name,
                "held": [raw.hex() for raw in held],
                "grant": b.seal(issuer, *events).hex(),
                "code": code,
            }
        )
    return found


def grant_vectors() -> Json:
    return {
        "roots": [ROOT.verify_key.raw.hex()],
        "public": [key.verify_key.raw.hex() for key in SIGNERS.values()],
        "accepts": _accepts(),
        "rejects": _rejects(),
    }
