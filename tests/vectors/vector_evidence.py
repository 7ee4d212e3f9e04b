"""Evidence files: one event with its grants and witnesses; what each proves, what is refused at which check.

The roots are named once; a reader knows nothing else. Refused files differ from a good one in one place, and
what is signed falsely is signed with a real key, so that each fails at the check it is meant for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vector_grants import (
    ACK,
    APPROVE,
    FROM,
    GRANT,
    PROVINCE,
    TU_LE,
    UNTIL,
    XUAN_AI,
    Bench,
)
from vector_grants import event as granted
from vector_parts import BULLETIN, CONTENT, LAW_DAY, STATION, ZERO, Json, body_of, head_of, signed

from ledger.evidence.file import MAGIC
from ledger.log.chain import LogRef
from ledger.log.codec import Value, encode, pack
from ledger.log.journal import Ingested, LogOpened
from ledger.log.keys import SigningKey
from ledger.log.proof import Proof, prove
from ledger.log.receipts import Receipt
from ledger.log.segment import Segment, SegmentHead, open_segment

ROOT, ADMIN, OFFICER, HUB, NEIGHBOUR_HUB, STRANGER = (
    SigningKey.from_seed(bytes([n]) * 32) for n in (0x71, 0x72, 0x73, 0x74, 0x75, 0x76)
)
EVERYBODY = {
    key.key_id: key.verify_key for key in (ROOT, ADMIN, OFFICER, HUB, NEIGHBOUR_HUB, STRANGER, STATION)
}
RECEIPT, INGEST, SCHEDULE, DRAFT = 64, 128, 4, 1
SEEN = LAW_DAY + 120  # when the hub took it in
HUB_LOG = bytes.fromhex("6875622d6c6f6738")
NONCE = b"nonce-08"
CHANGES = "\u202etrái\u202c"  # a label that turns the reading direction: shown, never obeyed


def approval(
    ts: Value = LAW_DAY, territory: Value = TU_LE, title: Value = "Ngày Pháp luật Việt Nam"
) -> bytes:
    return encode([1, ts, BULLETIN, 1, CONTENT, title, "phap-luat", 2, territory, 19305, 19311])


def ack(n: int, ts: int = LAW_DAY) -> bytes:
    return encode([16, ts + n, 41 + n, 19305, CONTENT[:16], 141, 8990, 1, 0, 2, 80, None])


def revocation(exceptions: bytes) -> bytes:
    return encode([66, LAW_DAY, OFFICER.key_id, PROVINCE, HUB.key_id, HUB_LOG, 7, exceptions, "mất khóa"])


def segment(
    key: SigningKey, events: list[bytes], *, log: bytes = b"evidence", after: SegmentHead | None = None
) -> Segment:
    first, prev = (0, ZERO) if after is None else (after.next_seq, after.hash)
    head = head_of(key, events, log_id=log, first_seq=first, prev=prev)
    return open_segment(signed(key, head, body_of(events)), EVERYBODY.get)


def arrival(head: SegmentHead, *, by: SigningKey = HUB, ts: int = SEEN, **changed: Any) -> Proof:
    fields: dict[str, Any] = {
        "log": LogRef(head.key_id, head.log_id), "first_seq": head.first_seq, "count": head.count,
        "head_hash": head.hash,
    }  # fmt: skip
    event = Ingested(ts, **(fields | changed)).encode()
    return prove(segment(by, [encode([80, ts, bytes(8), bytes(8), 0, 1, bytes(32)]), event], log=HUB_LOG), 1)


def receipt(head: SegmentHead, *, by: SigningKey = HUB, at: int = SEEN, **changed: Any) -> Receipt:
    fields: dict[str, Any] = {
        "log": LogRef(head.key_id, head.log_id), "next_seq": head.next_seq, "head_hash": head.hash,
        "hub_time": at, "hub_log": HUB_LOG, "hub_seq": 1, "nonce": NONCE,
    }  # fmt: skip
    return Receipt.sign(by, **(fields | changed))


class Grants:
    """The grants that stand in the vectors, each the next segment of its issuer's log."""

    def __init__(self) -> None:
        b = Bench()
        every = APPROVE | SCHEDULE | ACK | RECEIPT | INGEST | GRANT
        self.admin = b.grant(ROOT, ADMIN, every, PROVINCE, 3, label="Sở VHTTDL")
        self.officer = b.grant(ADMIN, OFFICER, APPROVE, PROVINCE, label="Phòng Văn hóa")
        self.hub = b.grant(ROOT, HUB, RECEIPT | INGEST | ACK | GRANT, PROVINCE, 2, label="Máy chủ Yên Bái")
        self.station = b.grant(HUB, STATION, ACK, TU_LE, label="Xã Tú Lệ")
        self.brief = b.grant(HUB, STATION, ACK, TU_LE, not_after=LAW_DAY + 60, label="Xã Tú Lệ, tạm")
        self.neighbour = b.grant(ROOT, NEIGHBOUR_HUB, RECEIPT | INGEST, XUAN_AI, label="Máy chủ khác")
        self.drafter = b.grant(ADMIN, OFFICER, SCHEDULE, PROVINCE, label="Phòng Văn hóa")
        self.commune = b.grant(ADMIN, OFFICER, APPROVE, XUAN_AI, label=CHANGES)
        self.expired = b.grant(ADMIN, OFFICER, APPROVE, PROVINCE, not_after=LAW_DAY - 1, label="hết hạn")
        self.wider = b.seal(OFFICER, granted(STATION, APPROVE, TU_LE))
        self.pair = b.seal(ADMIN, granted(OFFICER, APPROVE, PROVINCE), granted(HUB, APPROVE, PROVINCE))
        self.bad = b.seal(ADMIN, granted(OFFICER, 0, PROVINCE))
        self.no_grant = b.seal(ADMIN, approval())
        self.to_sign = b.seal(ADMIN, granted(OFFICER, APPROVE, TU_LE, label="cấp sau"))
        self.to_widen = b.seal(ADMIN, granted(OFFICER, DRAFT, TU_LE, label="quá quyền"))


G = Grants()
APPROVAL = segment(OFFICER, [approval()])
ACKS = segment(STATION, [LogOpened(LAW_DAY, 0, bytes(8), 0, ZERO, 1, "loa/0.1.0").encode(), ack(1), ack(2)])
NEXT = segment(STATION, [ack(3)], after=ACKS.head)
LAST = segment(STATION, [ack(4), ack(5)], after=NEXT.head)


def file(
    proof: Proof | Value,
    grants: Sequence[Value] = (),
    journal: Proof | Value = None,
    received: Receipt | Value = None,
    heads: Sequence[Value] = (),
    newest: Proof | Value = None,
    openings: Sequence[Proof | Value] = (),
    *,
    version: Value = 1,
    magic: bytes = MAGIC,
    more: bool = False,
) -> bytes:
    """more: eight fields in any case."""

    def raw(part: Any) -> Any:
        return part.encode() if isinstance(part, Proof | Receipt) else part

    fields = [version, raw(proof), list(grants), raw(journal), raw(received), list(heads)]
    if newest is not None or openings or more:
        fields += [raw(newest), [raw(opening) for opening in openings]]
    return magic + pack(fields)


def _accepts() -> list[Json]:
    from vector_evidence_endings import ending_accepts  # it leans on this file

    by_officer, by_station = [ADMIN, OFFICER], [HUB, STATION]
    found = []

    def case(name: str, data: bytes, author: SigningKey, seq: int, event: bytes, right: int | None,
             territory: str | None, chain: list[SigningKey], witnesses: list[tuple[str, SigningKey, int]],
             questions: list[str], *, endings: Sequence[int] = (), known: Any = None,
             root: SigningKey = ROOT) -> None:  # fmt: skip
        if known is None and witnesses:  # a witness's place in the hub's log is as far as the file goes
            known = {"hub": HUB, "log": HUB_LOG, "seq": 1, "at": max(at for _, _, at in witnesses)}
        if known is not None:
            known = {"hub": known["hub"].key_id.hex(), "log": known["log"].hex(), "seq": known["seq"],
                     "at": known["at"]}  # fmt: skip
        found.append({
            "name": name, "bytes": data.hex(), "key": author.verify_key.raw.hex(), "seq": seq,
            "event": event.hex(), "right": right, "territory": territory, "root": root.key_id.hex(),
            "chain": [key.key_id.hex() for key in chain],
            "witnesses": [{"kind": kind, "hub": hub.key_id.hex(), "at": at} for kind, hub, at in witnesses],
            "open": [*questions, "revoked", "person"], "endings": list(endings), "known": known,
        })  # fmt: skip

    lone, two = prove(APPROVAL, 0), prove(ACKS, 1)
    chain, line = [G.admin, G.officer], [G.hub, G.station]
    case("an approval with its two grants", file(lone, chain), OFFICER, 0, approval(), APPROVE, TU_LE,
         by_officer, [], ["time", "content", "later"])  # fmt: skip
    case("an approval that a hub took in", file(lone, [*chain, G.hub], arrival(APPROVAL.head)), OFFICER, 0,
         approval(), APPROVE, TU_LE, by_officer, [("journal", HUB, SEEN)],
         ["content", "later"])  # fmt: skip
    case("an acknowledgment with the receipt of its segment", file(two, line, None, receipt(ACKS.head)),
         STATION, 1, ack(1), ACK, TU_LE, by_station, [("receipt", HUB, SEEN)],
         ["content", "sound"])  # fmt: skip
    heads = [NEXT.head.encode(), LAST.head.encode()]
    case("an acknowledgment with the receipt of a later segment",
         file(two, line, None, receipt(LAST.head), heads), STATION, 1, ack(1), ACK, TU_LE, by_station,
         [("receipt", HUB, SEEN)], ["content", "sound"])  # fmt: skip
    case("both witnesses, the receipt a day later",
         file(two, line, arrival(ACKS.head), receipt(ACKS.head, at=SEEN + 86_400)), STATION, 1, ack(1), ACK,
         TU_LE, by_station, [("journal", HUB, SEEN), ("receipt", HUB, SEEN + 86_400)],
         ["content", "sound"])  # fmt: skip
    by_root = segment(ROOT, [approval(territory="vn")])
    case("a root signs by itself", file(prove(by_root, 0)), ROOT, 0, approval(territory="vn"), APPROVE, "vn",
         [], [], ["time", "content", "later"])  # fmt: skip
    strange = segment(OFFICER, [encode([200, LAW_DAY, "chưa biết"])])
    case("an event of a type that version 1 does not know", file(prove(strange, 0), chain), OFFICER, 0,
         strange.events[0], None, PROVINCE, by_officer, [], ["meaning", "time"])  # fmt: skip
    broken = segment(STATION, [b"\x92\x10\xcc\x05", ack(1)])
    case("an event that is not canonical, in a good segment", file(prove(broken, 0), line), STATION, 0,
         broken.events[0], None, TU_LE, by_station, [], ["meaning", "time"])  # fmt: skip
    case("the opening of a log", file(prove(ACKS, 0), line), STATION, 0, ACKS.events[0], None, TU_LE,
         by_station, [], ["time"])  # fmt: skip
    ending = segment(ADMIN, [revocation(b"log-one1" + bytes(8) + b"log-two2" + bytes(7) + b"\x05")])
    case("a revocation: signed, its effect left open", file(prove(ending, 0), [G.admin]), ADMIN, 0,
         ending.events[0], None, PROVINCE, [ADMIN], [], ["effect", "time"])  # fmt: skip
    unsorted = segment(ADMIN, [revocation(b"log-two2" + bytes(8) + b"log-one1" + bytes(8))])
    case("a revocation whose exceptions are not in order: malformed", file(prove(unsorted, 0), [G.admin]),
         ADMIN, 0, unsorted.events[0], None, PROVINCE, [ADMIN], [], ["meaning", "time"])  # fmt: skip
    grant = open_segment(G.to_sign, EVERYBODY.get)
    case("a grant as the event itself", file(prove(grant, 0), [G.admin]), ADMIN, grant.head.first_seq,
         grant.events[0], GRANT, TU_LE, [ADMIN], [], ["time", "later"])  # fmt: skip
    case("a right that had run out when the hub took it in",
         file(two, [G.hub, G.brief], None, receipt(ACKS.head)), STATION, 1, ack(1), ACK, TU_LE, by_station,
         [("receipt", HUB, SEEN)], ["late", "content", "sound"])  # fmt: skip
    case("a station whose clock is ahead of the hub's",
         file(two, line, None, receipt(ACKS.head, at=LAW_DAY)), STATION, 1, ack(1), ACK, TU_LE, by_station,
         [("receipt", HUB, LAW_DAY)], ["ahead", "content", "sound"])  # fmt: skip
    own = arrival(ACKS.head)
    entry = segment(HUB, [own.event], log=b"journal8")
    case("a hub's journal that only the hub itself witnesses",
         file(prove(entry, 0), [G.hub], arrival(entry.head, ts=SEEN + 1)), HUB, 0, own.event, INGEST,
         PROVINCE, [HUB], [("journal", HUB, SEEN + 1)], ["self-witness"])  # fmt: skip
    case("grants that nothing needs, of another commune", file(lone, [*chain, G.neighbour, G.commune]),
         OFFICER, 0, approval(), APPROVE, TU_LE, by_officer, [], ["time", "content", "later"])  # fmt: skip
    ending_accepts(case)
    return found


def _rejects() -> list[Json]:
    from vector_evidence_endings import ending_rejects

    lone, two = prove(APPROVAL, 0), prove(ACKS, 1)
    chain, line, hub = [G.admin, G.officer], [G.hub, G.station], G.hub
    good = file(lone, chain)
    seen, got = arrival(APPROVAL.head), receipt(ACKS.head)
    stranger = segment(STRANGER, [approval()])
    crowd = segment(OFFICER, [approval(), approval(LAW_DAY + 1)])
    heads = [NEXT.head.encode(), LAST.head.encode()]
    widen = open_segment(G.to_widen, EVERYBODY.get)
    by_root = [G.admin, G.officer, hub]
    other = segment(STATION, [ack(3)], log=b"otherlog", after=ACKS.head)
    flip = bytearray(lone.encode())
    flip[-1] ^= 1

    def line_with(proof: Proof = two, r: Any = got, h: Sequence[Value] = ()) -> bytes:
        return file(proof, line, None, r, h)

    cases: list[tuple[str, bytes, str]] = [
        ("nothing", b"", "evidence-magic"),
        ("a segment", APPROVAL.raw, "evidence-magic"),
        ("a bare proof", lone.encode(), "evidence-magic"),
        ("another version by its magic", file(lone, chain, magic=b"\xd7\x4c\x45\x02"), "evidence-magic"),
        ("the magic alone", MAGIC, "codec-size"),
        ("a trailing byte", good + b"\0", "codec-trailing"),
        ("cut short", good[:-1], "codec-truncated"),
        ("arrays too deep", MAGIC + pack([1, b"", [[b""]], None, None, []]), "codec-depth"),
        ("more values than a file may hold", MAGIC + pack([1, b"", [b""] * 329, None, None, []]),
         "codec-items"),
        ("version 2", file(lone, chain, version=2), "evidence-version"),
        ("true for version 1", file(lone, chain, version=True), "evidence-version"),
        ("five fields", MAGIC + pack([1, lone.encode(), chain, None, None]), "evidence-shape"),
        ("nine fields", MAGIC + pack([1, lone.encode(), chain, None, None, [], None, [], None]),
         "evidence-shape"),
        ("seven fields", MAGIC + pack([1, lone.encode(), chain, None, None, [], None]), "evidence-shape"),
        ("no array", MAGIC + pack(lone.encode()), "evidence-shape"),
        ("text for the proof", file("proof", chain), "evidence-shape"),
        ("a grant that is text", file(lone, [G.admin, "grant"]), "evidence-shape"),
        ("nil for the grants", MAGIC + pack([1, lone.encode(), None, None, None, []]), "evidence-shape"),
        ("false for the journal", file(lone, chain, False), "evidence-shape"),
        ("a receipt of 163 bytes", file(two, line, None, got.encode()[:163]), "evidence-shape"),
        ("heads without a receipt", file(two, line, None, None, heads), "evidence-shape"),
        ("a head of 103 bytes", line_with(r=receipt(LAST.head), h=[heads[0][:103]]), "evidence-shape"),
        ("193 heads", line_with(h=[heads[0]] * 193), "evidence-shape"),
        ("a proof of another version", file(pack([2, lone.head.encode(), lone.signature, 0, lone.event, []]),
                                            chain), "proof-version"),
        ("a head among the heads that is none", line_with(h=[b"\0" * 104]), "head-magic"),
        ("a receipt that is none", file(two, line, None, b"\0" * 164), "receipt-magic"),
        ("no grants", file(lone), "key-unknown"),
        ("the grant of the signer alone", file(lone, [G.officer]), "key-unknown"),
        ("the grants in the wrong order", file(lone, chain[::-1]), "key-unknown"),
        ("the signer's grant is missing", file(lone, [G.admin]), "key-unknown"),
        ("a grant with a changed signature", file(lone, [G.admin[:104] + b"\0" + G.admin[105:], G.officer]),
         "signature-bad"),
        ("a grant with a changed word", file(lone, [G.admin[:-1] + b"x", G.officer]), "root-mismatch"),
        ("a grant cut short", file(lone, [G.admin[:-1], G.officer]), "tail-length"),
        ("an empty grant", file(lone, [b"", *chain]), "segment-short"),
        ("two grants in one segment", file(lone, [G.admin, G.pair]), "not-sealed-alone"),
        ("a malformed grant", file(lone, [G.admin, G.bad]), "bad-classes"),
        ("an approval among the grants", file(lone, [*chain, G.no_grant]), "evidence-grant"),
        ("a grant by a key that may not grant", file(lone, [*chain, G.wider]), "grant-without-right"),
        ("a stranger's signature", file(prove(stranger, 0), chain), "key-unknown"),
        ("a damaged proof", file(bytes(flip), chain), "codec-truncated"),
        ("another event under the signature",
         file(Proof(lone.head, lone.signature, 0, approval(title="Khác"), ()), chain), "root-mismatch"),
        ("another signature", file(Proof(lone.head, two.signature, 0, lone.event, ()), chain),
         "signature-bad"),
        ("a place beyond the segment", file(Proof(two.head, two.signature, 3, two.event, two.path), line),
         "proof-index"),
        ("a path too short", file(Proof(two.head, two.signature, 1, two.event, two.path[:1]), line),
         "proof-path"),
        ("a decision beside another event", file(prove(crowd, 0), chain), "not-sealed-alone"),
        ("the right to schedule, for an approval", file(lone, [G.admin, G.drafter]), "no-authority"),
        ("the right in another commune", file(lone, [G.admin, G.commune]), "no-authority"),
        ("a right that had run out by the signer's own clock", file(lone, [G.admin, G.expired]),
         "no-authority"),
        ("an acknowledgment by an approver", file(prove(segment(OFFICER, [ack(1)]), 0), chain),
         "no-authority"),
        ("an arrival journalled by a station", file(prove(segment(STATION, [seen.event]), 0), line),
         "no-authority"),
        ("a grant of a right the signer does not have", file(prove(widen, 0), [G.admin]),
         "grant-wider-classes"),
        ("a journal of a hub nobody granted anything", file(lone, chain, seen), "key-unknown"),
        ("a journal signed by a station", file(lone, [*chain, *line], arrival(APPROVAL.head, by=STATION)),
         "witness-no-authority"),
        ("a journal of a hub of another commune",
         file(lone, [*chain, G.neighbour], arrival(APPROVAL.head, by=NEIGHBOUR_HUB)), "witness-no-authority"),
        ("a journal from before the hub's right", file(lone, by_root, arrival(APPROVAL.head, ts=FROM - 1)),
         "witness-no-authority"),
        ("a journal from after the hub's right", file(lone, by_root, arrival(APPROVAL.head, ts=UNTIL + 1)),
         "witness-no-authority"),
        ("a journal of another segment", file(lone, by_root, arrival(ACKS.head)), "witness-other"),
        ("a journal with another hash", file(lone, by_root, arrival(APPROVAL.head, head_hash=bytes(32))),
         "witness-other"),
        ("a journal with another count", file(lone, by_root, arrival(APPROVAL.head, count=2)),
         "witness-other"),
        ("a journal event that is no arrival",
         file(lone, by_root, prove(segment(HUB, [encode([81, SEEN, bytes(336)])]), 0)), "witness-event"),
        ("a journal event that is malformed",
         file(lone, by_root, prove(segment(HUB, [encode([80, SEEN, bytes(8)])]), 0)), "witness-event"),
        ("a journal with a changed signature",
         file(lone, by_root, Proof(seen.head, lone.signature, seen.index, seen.event, seen.path)),
         "signature-bad"),
        ("a receipt of a hub nobody granted anything", line_with(r=receipt(ACKS.head, by=STRANGER)),
         "key-unknown"),
        ("a receipt signed by the station itself", line_with(r=receipt(ACKS.head, by=STATION)),
         "witness-no-authority"),
        ("a receipt with a changed time", line_with(r=got.encode()[:75] + b"\1" + got.encode()[76:]),
         "signature-bad"),
        ("a receipt for a later segment, without the heads", line_with(r=receipt(LAST.head)),
         "witness-other"),
        ("a receipt for an earlier segment", line_with(prove(LAST, 0), got), "witness-other"),
        ("a receipt for the number alone", line_with(r=receipt(ACKS.head, head_hash=bytes(31) + b"\1")),
         "witness-other"),
        ("a head is missing between", line_with(r=receipt(LAST.head), h=heads[1:]), "witness-heads"),
        ("the heads in another order", line_with(r=receipt(LAST.head), h=heads[::-1]), "witness-heads"),
        ("a head of another log", line_with(r=receipt(other.head), h=[other.head.encode()]),
         "witness-heads"),
        ("heads beyond the receipt", line_with(h=heads[:1]), "witness-other"),
        ("a hub without RECEIPT over the territory",
         file(two, [*line, G.neighbour], None, receipt(ACKS.head, by=NEIGHBOUR_HUB)), "witness-no-authority"),
    ]  # fmt: skip
    return [
        {"name": name, "bytes": data.hex(), "code": code} for name, data, code in cases + ending_rejects()
    ]


def evidence_vectors() -> Json:
    return {
        "roots": [ROOT.verify_key.raw.hex()],
        "accepts": _accepts(),
        "rejects": _rejects(),
        "reject_too_long": {"name": "65,537 bytes", "length": 65_537, "code": "evidence-size"},
    }
