"""Evidence files with endings: what stays in spite of them, and what is void or false because of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vector_endings import root_set, statement
from vector_evidence import (
    ACKS,
    ADMIN,
    APPROVAL,
    EVERYBODY,
    HUB,
    HUB_LOG,
    NEIGHBOUR_HUB,
    OFFICER,
    ROOT,
    SEEN,
    STRANGER,
    G,
    ack,
    approval,
    arrival,
    file,
    receipt,
    segment,
)
from vector_grants import ACK, APPROVE, PROVINCE, TU_LE
from vector_grants import event as granted
from vector_parts import LOG, STATION, ZERO

from ledger.facts import pack_pairs, possession_of
from ledger.log.codec import Value, encode
from ledger.log.journal import LogOpened
from ledger.log.keys import SigningKey
from ledger.log.proof import Proof, prove
from ledger.log.segment import Segment, SegmentHead

R1, R2, R3, R4 = (SigningKey.from_seed(bytes([n]) * 32) for n in (0x81, 0x82, 0x83, 0x84))
EVERYBODY[R2.key_id] = R2.verify_key
ENDINGS, LATER, NEXT_HUB_LOG = b"endings8", b"laterlog", b"hub-log9"
EVIDENCE_LOG = APPROVAL.head.log_id
TWO_DAYS = SEEN + 2 * 86_400


def revoked(
    subject: SigningKey, kept: dict[bytes, int] | bytes = b"", *, cut: tuple[bytes, int] = (HUB_LOG, 7),
    territory: Value = PROVINCE, reason: Value = "mất máy",
) -> bytes:  # fmt: skip
    pairs = pack_pairs(kept) if isinstance(kept, dict) else kept
    return encode([66, TWO_DAYS, subject.key_id, territory, HUB.key_id, *cut, pairs, reason])


def rotated(old: SigningKey, new: SigningKey, possession: bytes | None = None) -> bytes:
    proof = possession_of(new, old.verify_key.raw) if possession is None else possession
    return encode([65, TWO_DAYS, PROVINCE, new.verify_key.raw, proof, HUB.key_id, HUB_LOG, 7, b""])


def said(key: SigningKey, *events: bytes, log: bytes = ENDINGS, after: SegmentHead | None = None) -> bytes:
    return segment(key, list(events), log=log, after=after).raw


def opened(prev_log: bytes, length: int, *, by: SigningKey = HUB, log: bytes = NEXT_HUB_LOG) -> Proof:
    event = LogOpened(TWO_DAYS, 0, prev_log, length, ZERO, 2, "loa/0.1.0").encode()
    return prove(segment(by, [event, ack(9)], log=log), 0)


LATE = segment(OFFICER, [approval(title="Tin của kẻ trộm")], after=APPROVAL.head)
ELSEWHERE = segment(OFFICER, [approval()], log=LATER)
KEEPS = said(ADMIN, revoked(OFFICER, {EVIDENCE_LOG: 0}))
KEEPS_NOTHING = said(ADMIN, revoked(OFFICER))
SET_1 = said(ADMIN, root_set(statement(1, 2, [R1, R2, R3], [(ROOT, {LOG: 2})]), [ROOT, R1, R2]))
NEWEST = arrival(ACKS.head, ts=TWO_DAYS)
ENTRY = segment(HUB, [arrival(ACKS.head).event], log=b"journal8")

Case = Callable[..., None]


def ending_accepts(case: Case) -> None:
    """Adds the files that prove something. case: as in `vector_evidence`."""
    lone, two = prove(APPROVAL, 0), prove(ACKS, 1)
    chain, line = [G.admin, G.officer], [G.hub, G.station]
    by_officer, by_station = [ADMIN, OFFICER], [HUB, STATION]
    open_time, open_ack = ["time", "content", "later"], ["content", "sound"]

    def of_officer(name: str, data: bytes, *endings: int, known: Any = None) -> None:
        case(name, data, OFFICER, 0, approval(), APPROVE, TU_LE, by_officer, [], open_time,
             endings=endings, known=known)  # fmt: skip

    of_officer("an approval before the cut of its key's revocation", file(lone, [*chain, KEEPS]), 66)
    of_officer("a root revokes the issuer, whose grants stay",
               file(lone, [*chain, said(ROOT, revoked(ADMIN, {LOG: 0}))]), 66)  # fmt: skip
    of_officer("two revocations of one key, and both let it stay",
               file(lone, [*chain, KEEPS, said(ROOT, revoked(OFFICER, {EVIDENCE_LOG: 9, LATER: 3}))]),
               66, 66)  # fmt: skip
    rotation = said(OFFICER, rotated(OFFICER, STRANGER), log=EVIDENCE_LOG, after=APPROVAL.head)
    of_officer("a rotation behind the approval in the same log", file(lone, [*chain, rotation]), 65)
    of_officer("who revoked was revoked later, and the revocation stays",
               file(lone, [*chain, KEEPS, said(ROOT, revoked(ADMIN, {LOG: 0, ENDINGS: 0}))]),
               66, 66)  # fmt: skip
    of_officer("the root that granted left with a set, and its grants stay",
               file(lone, [*chain, SET_1]), 67)  # fmt: skip
    told = {"hub": HUB, "log": HUB_LOG, "seq": 1, "at": TWO_DAYS}
    of_officer("how far the maker of the file had read a hub's journal",
               file(lone, [*chain, G.hub], newest=NEWEST), known=told)  # fmt: skip
    by_new = segment(R2, [granted(OFFICER, APPROVE, PROVINCE, label="Phòng Văn hóa")], log=ENDINGS).raw
    after_set = file(prove(APPROVAL, 0), [G.admin, SET_1, by_new])
    case("a grant by a root that came with a set", after_set, OFFICER, 0, approval(), APPROVE, TU_LE,
         [OFFICER], [], open_time, endings=[67], root=R2)  # fmt: skip
    station_ends = said(HUB, revoked(STATION, cut=(HUB_LOG, 1)))
    case("a report of a key that ended, recorded at the cut",
         file(two, [*line, station_ends], arrival(ACKS.head)), STATION, 1, ack(1), ACK, TU_LE, by_station,
         [("journal", HUB, SEEN)], open_ack, endings=[66])  # fmt: skip
    later = said(HUB, revoked(STATION, cut=(NEXT_HUB_LOG, 0)))
    case("a report recorded in the log before that of the cut",
         file(two, [*line, later], arrival(ACKS.head), openings=[opened(HUB_LOG, 2)]), STATION, 1, ack(1),
         ACK, TU_LE, by_station, [("journal", HUB, SEEN)], open_ack, endings=[66])  # fmt: skip
    hub_kept = said(ROOT, revoked(HUB, {LOG: 9, HUB_LOG: 1}))
    case("the journal of a hub whose key ended later, at a place that stays",
         file(two, [*line, hub_kept], arrival(ACKS.head)), STATION, 1, ack(1), ACK, TU_LE, by_station,
         [("journal", HUB, SEEN)], open_ack, endings=[66])  # fmt: skip


def ending_rejects() -> list[tuple[str, bytes, str]]:
    """(name, file, code) of files that prove nothing."""
    lone, two, late = prove(APPROVAL, 0), prove(ACKS, 1), prove(LATE, 0)
    chain, line = [G.admin, G.officer], [G.hub, G.station]

    def ended(*endings: bytes, proof: Proof = lone) -> bytes:
        return file(proof, [*chain, *endings])

    changed = bytearray(KEEPS)
    changed[110] ^= 1
    by_set = said(ADMIN, root_set(statement(2, 2, [R1, R2, R4], [(R3, {})]), [R1, R2, R4]))
    no_share = statement(1, 2, [R1, R2, R3], [(ROOT, {})])
    reported: Sequence[bytes] = [*line, said(HUB, revoked(STATION, cut=(NEXT_HUB_LOG, 0)))]
    got = arrival(ACKS.head)

    def report(statements: Sequence[Value], *openings: Proof | Value, **more: Any) -> bytes:
        return file(two, statements, got, openings=openings, **more)

    def cut_at(log: bytes, seq: int) -> bytes:
        return said(HUB, revoked(STATION, cut=(log, seq)))

    other_event: Segment = segment(HUB, [ack(1), ack(2)], log=NEXT_HUB_LOG)
    second = segment(HUB, [ack(1), LogOpened(SEEN, 0, HUB_LOG, 2, ZERO, 2, "loa").encode()], log=NEXT_HUB_LOG)
    no_arrival = prove(segment(HUB, [encode([81, SEEN, bytes(336)])]), 0)
    return [
        ("an approval behind the cut", ended(KEEPS, proof=late), "key-ended"),
        ("an approval in a log of which nothing stays", ended(KEEPS, proof=prove(ELSEWHERE, 0)), "key-ended"),
        ("a revocation that lets nothing stay", ended(KEEPS_NOTHING), "key-ended"),
        ("of two revocations one lets nothing stay",
         ended(KEEPS, said(ROOT, revoked(OFFICER))), "key-ended"),
        ("an approval behind the rotation of its key",
         ended(said(OFFICER, rotated(OFFICER, STRANGER), log=LATER)), "key-ended"),
        ("the issuer was revoked and its grants do not stay", ended(said(ROOT, revoked(ADMIN))),
         "grant-key-ended"),
        ("the root that granted left with a set, and nothing of it stays",
         ended(said(ADMIN, root_set(no_share, [ROOT, R1, R2]))), "grant-key-ended"),
        ("a grant as the event, by a key that ended",
         file(prove(segment(ADMIN, [granted(STRANGER, APPROVE, TU_LE)], log=LATER), 0),
              [G.admin, said(ROOT, revoked(ADMIN, {LOG: 0}))]), "grant-key-ended"),
        ("a revocation by a stranger", ended(said(STRANGER, revoked(OFFICER))), "key-unknown"),
        ("a revocation by a key that is not above",
         file(lone, [*chain, G.neighbour, said(NEIGHBOUR_HUB, revoked(OFFICER))]), "revocation-not-above"),
        ("a revocation by the key below", ended(said(OFFICER, revoked(ADMIN))), "revocation-not-above"),
        ("a revocation of oneself", ended(said(OFFICER, revoked(OFFICER))), "revocation-of-itself"),
        ("a revocation of the root", ended(said(ADMIN, revoked(ROOT))), "revocation-of-root"),
        ("an ending of a key that is not in the file", ended(said(ROOT, revoked(STATION))),
         "revocation-unknown-key"),
        ("an ending in another territory", ended(said(ROOT, revoked(OFFICER, territory="vn.lc"))),
         "revocation-unknown-key"),
        ("a revocation by a key that had ended", ended(KEEPS, said(ROOT, revoked(ADMIN, {LOG: 0}))),
         "revocation-key-ended"),
        ("a revocation with a changed signature", ended(bytes(changed)), "signature-bad"),
        ("a revocation with a changed word", ended(KEEPS[:-1] + b"x"), "root-mismatch"),
        ("a revocation beside another event", ended(said(ADMIN, revoked(OFFICER), approval())),
         "not-sealed-alone"),
        ("exceptions of 15 bytes", ended(said(ADMIN, revoked(OFFICER, bytes(15)))), "bad-exceptions"),
        ("a reason of 121 characters", ended(said(ADMIN, revoked(OFFICER, reason="ă" * 121))), "bad-reason"),
        ("a rotation without possession", ended(said(OFFICER, rotated(OFFICER, STRANGER, bytes(64)))),
         "rotation-possession"),
        ("a rotation to itself", ended(said(OFFICER, rotated(OFFICER, OFFICER))), "rotation-to-itself"),
        ("a thief's rotation of a key that was revoked",
         ended(KEEPS, said(OFFICER, rotated(OFFICER, STRANGER), log=LATER)), "rotation-key-ended"),
        ("a root set that its threshold before did not sign",
         ended(said(ADMIN, root_set(no_share, [R1, R2]))), "roots-threshold-old"),
        ("a root set signed over other bytes",
         ended(said(ADMIN, root_set(no_share, [], b"".join(
             key.key_id + bytes(64) for key in (ROOT, R1, R2))))), "roots-signature-bad"),
        ("root set 2 without set 1", ended(by_set), "roots-version"),
        ("another root set 1 behind the first", ended(SET_1, said(ADMIN, root_set(
            statement(1, 2, [R1, R2, R4], [(ROOT, {LOG: 2})]), [ROOT, R1, R2]))), "roots-other"),
        ("an approval among the endings", ended(said(OFFICER, approval(), log=LATER)), "evidence-grant"),
        (
            "a hub's journal of a key that ended is no report: its own entry does not let it stay",
            file(
                prove(ENTRY, 0), [G.hub, said(ROOT, revoked(HUB, {LOG: 9}))], arrival(ENTRY.head, ts=SEEN + 1)
            ),
            "key-ended",
        ),
        ("a report recorded behind the cut", report([*line, cut_at(HUB_LOG, 0)]), "key-ended"),
        ("a report with a cut in zeros", report([*line, cut_at(bytes(8), 0)]), "key-ended"),
        ("a report of a key that ended, without a journal", file(two, reported), "key-ended"),
        ("a report recorded in an earlier log, without the opening between", report(reported), "key-ended"),
        ("an opening that says a shorter log before", report(reported, opened(HUB_LOG, 1)), "key-ended"),
        ("an opening by the station", report(reported, opened(HUB_LOG, 2, by=STATION)), "key-ended"),
        ("an opening by the station beside the right one",
         report(reported, opened(HUB_LOG, 2), opened(HUB_LOG, 2, by=STATION)), "witness-opening"),
        ("an event that opens nothing for an opening",
         report(reported, opened(HUB_LOG, 2), prove(other_event, 0)), "witness-opening"),
        ("an opening that is not the first event of its log",
         report([*line, cut_at(HUB_LOG, 1)], prove(second, 1)), "witness-opening"),
        ("an opening with a changed signature", report(reported, Proof(
            opened(HUB_LOG, 2).head, got.signature, 0, opened(HUB_LOG, 2).event, opened(HUB_LOG, 2).path)),
         "signature-bad"),
        ("openings without a journal", file(two, line, openings=[opened(HUB_LOG, 2)]), "evidence-shape"),
        ("65 openings", report(line, *[opened(HUB_LOG, 2)] * 65), "evidence-shape"),
        ("an opening that is text", report(line, "opened"), "evidence-shape"),
        ("the journal of a hub whose key ended before it",
         file(two, [*line, said(ROOT, revoked(HUB, {LOG: 9}))], got), "witness-no-authority"),
        ("a receipt of a hub whose key ended",
         file(two, [*line, said(ROOT, revoked(HUB, {LOG: 9, HUB_LOG: 9}))], None, receipt(ACKS.head)),
         "witness-no-authority"),
        ("the newest of a hub nobody granted anything", file(lone, chain, newest=NEWEST), "key-unknown"),
        ("the newest of a hub of another commune",
         file(lone, [*chain, G.neighbour], newest=arrival(ACKS.head, by=NEIGHBOUR_HUB)),
         "witness-no-authority"),
        ("the newest is no arrival", file(lone, [*chain, G.hub], newest=no_arrival), "witness-event"),
        ("the newest with a changed signature", file(lone, [*chain, G.hub], newest=Proof(
            NEWEST.head, got.signature, NEWEST.index, NEWEST.event, NEWEST.path)), "signature-bad"),
        ("text for the newest", file(lone, chain, newest="newest"), "evidence-shape"),
        ("eight fields, and the last two hold nothing", file(lone, chain, openings=[], more=True),
         "evidence-shape"),
        ("65 statements", file(lone, [G.admin] * 65), "evidence-shape"),
    ]  # fmt: skip
