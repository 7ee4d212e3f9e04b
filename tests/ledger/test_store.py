"""The ledger: what is durable when, who may write which log, and what becomes of a segment that arrives."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from helpers import (
    DECISION,
    ELSEWHERE,
    HERE,
    HUB_KEY,
    NODE_KEY,
    OFFICER_KEY,
    OTHER_KEY,
    PROVINCE,
    Desk,
    LedgerPair,
    PowerCut,
    ack,
    audience_of,
    decision,
    type_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log.chain import LogRef
from ledger.log.codec import decode, encode
from ledger.log.disk import DiskStore
from ledger.log.errors import (
    CodecError,
    ForkError,
    KeyRefused,
    LimitError,
    SegmentError,
    SignatureError,
    StoreError,
    UnknownKeyError,
)
from ledger.log.forks import check as check_fork
from ledger.log.journal import LogOpened, OpenReason
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.segment import Segment, seal
from ledger.log.store import Ledger, Outcome, Stored


@pytest.fixture
def desk() -> Desk:
    return LedgerPair().node


def opened(segment: Segment) -> LogOpened:
    return LogOpened.decode(segment.events[0])


def history(
    sizes: list[int], key: SigningKey = OTHER_KEY, log_id: bytes = b"log-id-8", start: int = 0
) -> list[Segment]:
    """One log of acks cut into segments of these sizes."""
    made: list[Segment] = []
    seq, prev, n = 0, bytes(32), start
    for size in sizes:
        made.append(seal(key, log_id, seq, prev, [ack(n + i) for i in range(size)]))
        seq, prev, n = made[-1].head.next_seq, made[-1].head.hash, n + size
    return made


class Undone(Exception):
    """What goes wrong in a caller's transaction."""


@contextmanager
def undone(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """A transaction whose caller fails at its end."""
    with suppress(Undone), ledger.transaction() as db:
        yield db
        raise Undone


# -- appending and sealing -----------------------------------------------------------------------------------


def test_an_appended_event_survives_a_power_cut(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    ledger = desk.crash()
    assert ledger.pending_count(NODE_KEY.key_id) == 1
    ledger.seal(NODE_KEY)
    assert desk.events(NODE_KEY) == [ack(1)]


@pytest.mark.parametrize(
    "event", [b"", b"\x93\x01\x02", encode((16, 1)) + b"\0", b"\x92\xcd\x00\x01\x02", b"\x91\x01"]
)
def test_we_never_sign_a_malformed_event(desk: Desk, event: bytes) -> None:
    for act in (desk.ledger.append, desk.ledger.append_sealed, lambda k, e: desk.ledger.seal(k, [e])):
        with pytest.raises(CodecError):
            act(NODE_KEY, event)
    assert desk.ledger.position() == 0
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 0


def test_sealing_nothing_opens_no_log(desk: Desk) -> None:
    assert desk.ledger.seal(NODE_KEY) == []
    assert desk.ledger.frontier() == {}


def test_the_first_event_of_a_log_opens_it(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    (segment,) = desk.ledger.seal(NODE_KEY)
    assert segment.head.first_seq == 0
    assert opened(segment).prev_log == bytes(8)
    assert opened(segment).boot_count == 1
    assert segment.events[1:] == (ack(1),)
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 0


def test_one_process_writes_one_log_per_author(desk: Desk) -> None:
    logs = set()
    for n in range(3):
        desk.ledger.append(NODE_KEY, ack(n))
        (segment,) = desk.ledger.seal(NODE_KEY)
        logs.add(segment.head.log_id)
        assert segment.head.log_id == desk.ledger.live_log(NODE_KEY.key_id)
    assert len(logs) == 1
    assert desk.ledger.live_log(OFFICER_KEY.key_id) not in logs


def test_a_new_process_writes_a_new_log_that_names_the_last_head(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    (first,) = desk.ledger.seal(NODE_KEY)
    ledger = desk.boot()
    ledger.append(NODE_KEY, ack(2))
    (second,) = ledger.seal(NODE_KEY)
    assert second.head.log_id != first.head.log_id
    assert second.head.first_seq == 0
    link = opened(second)
    assert link.prev_log == first.head.log_id
    assert (link.prev_next_seq, link.prev_head) == (first.head.next_seq, first.head.hash)
    assert (link.boot_count, link.reason) == (2, OpenReason.START)


def test_two_processes_from_the_same_image_write_different_logs(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    image = desk.image()
    segments = []
    for _ in range(3):
        ledger = desk.restore(image)
        segments += ledger.seal(NODE_KEY)
    assert len({s.head.log_id for s in segments}) == 3


def test_a_decision_is_sealed_alone_and_at_once(desk: Desk) -> None:
    stored = desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    assert stored.segment.events == (decision(1),)
    assert stored.audience == HERE
    before = next(iter(desk.ledger.since(0)))
    assert type_of(before.segment.events[0]) == 0
    assert len(before.segment.events) == 1
    assert desk.ledger.append_sealed(OFFICER_KEY, decision(2)).segment.head.first_seq == 2


def test_what_was_pending_goes_before_a_decision(desk: Desk) -> None:
    desk.ledger.append(OFFICER_KEY, ack(1))
    stored = desk.ledger.append_sealed(OFFICER_KEY, decision(2))
    assert desk.events(OFFICER_KEY) == [ack(1), decision(2)]
    assert stored.segment.events == (decision(2),)


def test_a_long_queue_is_sealed_in_segments_of_at_most_256_events(desk: Desk) -> None:
    for n in range(600):
        desk.ledger.append(NODE_KEY, ack(n))
    segments = desk.ledger.seal(NODE_KEY)
    assert [s.head.count for s in segments] == [256, 256, 89]
    assert desk.events(NODE_KEY) == [ack(n) for n in range(600)]


def test_large_events_are_sealed_in_segments_that_open(desk: Desk) -> None:
    pair = LedgerPair()
    for n in range(80):
        desk.ledger.append(NODE_KEY, ack(n, pair.rng.randbytes(8000)))
    segments = desk.ledger.seal(NODE_KEY)
    assert len(segments) > 2
    assert desk.ledger.verify().problems == []


def test_authors_do_not_share_a_queue(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    desk.ledger.append(OFFICER_KEY, ack(2))
    desk.ledger.seal(NODE_KEY)
    assert desk.events(NODE_KEY) == [ack(1)]
    assert desk.ledger.pending_count(OFFICER_KEY.key_id) == 1


def test_a_rolled_back_signature_ends_its_log_so_that_no_range_is_signed_twice(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    (kept,) = desk.ledger.seal(NODE_KEY)
    signed: list[Segment] = []
    with undone(desk.ledger):
        desk.ledger.append(NODE_KEY, ack(2))
        signed += desk.ledger.seal(NODE_KEY)
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 0
    desk.ledger.append(NODE_KEY, ack(3))
    (after,) = desk.ledger.seal(NODE_KEY)
    assert signed[0].head.log_id == kept.head.log_id
    assert after.head.log_id != kept.head.log_id
    assert opened(after).prev_head == kept.head.hash
    assert opened(after).reason == OpenReason.ROLLBACK
    assert desk.ledger.verify().problems == []


def test_a_rollback_without_signatures_ends_no_log(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    (one,) = desk.ledger.seal(NODE_KEY)
    with undone(desk.ledger):
        desk.ledger.append(NODE_KEY, ack(2))
    desk.ledger.append(NODE_KEY, ack(3))
    (two,) = desk.ledger.seal(NODE_KEY)
    assert two.head.log_id == one.head.log_id
    assert two.head.prev == one.head.hash


def test_a_log_id_is_never_zero_and_never_drawn_twice() -> None:
    pair = LedgerPair()
    drawn = [bytes(8), b"AAAAAAAA", b"AAAAAAAA", b"BBBBBBBB"]
    desk = Desk(NODE_KEY, lambda n: drawn.pop(0), pair.now)
    desk.ledger.append_sealed(NODE_KEY, ack(1))
    desk.boot().append_sealed(NODE_KEY, ack(2))
    assert {log.log_id for log in desk.ledger.frontier()} == {b"AAAAAAAA", b"BBBBBBBB"}


# -- transactions --------------------------------------------------------------------------------------------


def test_other_tables_join_the_ledgers_transaction(desk: Desk) -> None:
    desk.ledger.db.execute("CREATE TABLE plays (n INTEGER)")
    with desk.ledger.transaction() as db:
        db.execute("INSERT INTO plays VALUES (1)")
        desk.ledger.append(NODE_KEY, ack(1))
    with undone(desk.ledger) as db:
        db.execute("INSERT INTO plays VALUES (2)")
        desk.ledger.append(NODE_KEY, ack(2))
    assert desk.ledger.db.execute("SELECT n FROM plays").fetchall() == [(1,)]
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 1


def test_an_error_inside_dooms_the_whole_transaction_even_when_it_is_caught(desk: Desk) -> None:
    def careless() -> None:
        with desk.ledger.transaction():
            desk.ledger.append(NODE_KEY, ack(1))
            with undone(desk.ledger):
                pass

    with pytest.raises(StoreError) as refused:
        careless()
    assert refused.value.code == "transaction-doomed"
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 0
    desk.ledger.append(NODE_KEY, ack(2))
    assert desk.ledger.pending_count(NODE_KEY.key_id) == 1


def test_a_rollback_is_told_only_when_something_was_admitted() -> None:
    pair = LedgerPair()
    told: list[str] = []

    def on_admit(stored: Stored) -> list[VerifyKey]:
        told.append(f"admitted {stored.position}")
        return []

    ledger = Ledger(
        pair.node.store.open_db("other.db"), entropy=pair.rng.randbytes, now=pair.now,
        on_admit=on_admit, on_rollback=lambda: told.append("rolled back"),
    )  # fmt: skip
    with undone(ledger):
        ledger.append(NODE_KEY, ack(1))
    assert told == []
    ledger.append_sealed(NODE_KEY, ack(1))
    with undone(ledger):
        ledger.append_sealed(NODE_KEY, ack(2))
    assert told == ["admitted 1", "admitted 2", "admitted 3", "rolled back"]
    with undone(ledger):
        pass
    assert told[-1] == "rolled back"
    assert len(told) == 4


def test_an_error_of_on_admit_undoes_the_arrival() -> None:
    pair = LedgerPair()

    def on_admit(stored: Stored) -> list[VerifyKey]:
        raise RuntimeError("a bug in a fold")

    ledger = Ledger(
        pair.node.store.open_db("o.db"), entropy=pair.rng.randbytes, now=pair.now, on_admit=on_admit
    )
    ledger.trust(OTHER_KEY.verify_key)
    with pytest.raises(RuntimeError):
        ledger.ingest(history([1])[0].raw, source="test")
    assert ledger.position() == 0
    assert ledger.frontier() == {}


def test_after_an_error_of_the_disk_nothing_is_written_until_somebody_opens_it_anew(tmp_path: Path) -> None:
    pair = LedgerPair()

    class Failing(sqlite3.Connection):
        broken = False

        def execute(self, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
            if self.broken and str(args[0]).startswith("COMMIT"):
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR
                raise error
            return super().execute(*args)  # type: ignore[arg-type]

    db = sqlite3.connect(f"{tmp_path}/x.db", isolation_level=None, factory=Failing)
    ledger = Ledger(db, entropy=pair.rng.randbytes, now=pair.now)
    db.broken = True
    with pytest.raises(StoreError) as refused:
        ledger.append(NODE_KEY, ack(1))
    assert refused.value.code == "db-failed"
    db.broken = False
    with pytest.raises(StoreError) as refused:
        ledger.append(NODE_KEY, ack(1))
    assert refused.value.code == "store-stopped"
    again = Ledger(db, entropy=pair.rng.randbytes, now=pair.now)
    again.append(NODE_KEY, ack(1))
    assert again.pending_count(NODE_KEY.key_id) == 1
    db.close()


def work(desk: Desk, promised: list[bytes], left: list[bytes]) -> None:
    """A station's evening: whatever returned is promised, whatever was sealed may have left the house."""
    for n in range(2):
        desk.ledger.append(NODE_KEY, ack(n))
        promised.append(ack(n))
    left += [s.raw for s in desk.ledger.seal(NODE_KEY)]
    desk.ledger.append(NODE_KEY, ack(2))
    promised.append(ack(2))
    left.append(desk.ledger.append_sealed(NODE_KEY, ack(3)).segment.raw)
    promised.append(ack(3))
    for segment in history([2, 1]):
        desk.ledger.ingest(segment.raw, source="test")
        left.append(segment.raw)


def statements_of(scenario: Callable[[Desk], None]) -> int:
    desk = LedgerPair().node
    desk.fuse.arm(-1)
    scenario(desk)
    return desk.fuse.disarm()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_power_cut_at_any_statement_loses_nothing_durable_and_resends_the_same_bytes(after: bool) -> None:
    statements = statements_of(lambda desk: work(desk, [], []))
    assert statements > 40
    for at in range(1, statements + 1):
        desk = LedgerPair().node
        promised: list[bytes] = []
        left: list[bytes] = []
        desk.fuse.arm(at, after=after)
        with pytest.raises(PowerCut):
            work(desk, promised, left)
        ledger = desk.crash()
        assert ledger.verify().problems == []
        stored = [s.segment.raw for s in ledger.since(0)]
        assert set(left) <= set(stored), f"cut at statement {at}"
        ledger.seal(NODE_KEY)
        found = desk.events(NODE_KEY)
        assert found[: len(promised)] == promised, f"cut at statement {at}"
        assert len(found) == len(set(found)) <= len(promised) + 1
        assert ledger.forks() == []


# -- others' segments ----------------------------------------------------------------------------------------


def test_a_segment_is_admitted_once_and_known_from_then_on(desk: Desk) -> None:
    (segment,) = history([3])
    assert desk.ledger.ingest(segment.raw, source="test") is Outcome.ADMITTED
    assert desk.ledger.ingest(segment.raw, source="test") is Outcome.KNOWN
    assert desk.ledger.position() == 1


def test_a_strangers_segment_is_refused_and_leaves_no_trace(desk: Desk) -> None:
    (segment,) = history([1], SigningKey.from_seed(b"a stranger's key, 32 bytes long."))
    before = desk.dump()
    with pytest.raises(UnknownKeyError):
        desk.ledger.ingest(segment.raw, source="test")
    assert desk.dump() == before


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_damaged_segment_changes_nothing(data: st.DataObject) -> None:
    desk = LedgerPair().node
    raw = bytearray(history([20])[0].raw)
    match data.draw(st.sampled_from(["cut", "flip", "longer"])):
        case "cut":
            raw = raw[: data.draw(st.integers(0, len(raw) - 1))]
        case "flip":
            bit = data.draw(st.integers(0, 177 * 8 - 1))
            raw[bit // 8] ^= 1 << bit % 8
        case _:
            raw += data.draw(st.binary(min_size=1, max_size=9))
    before = desk.dump()
    with pytest.raises(SegmentError):
        desk.ledger.ingest(bytes(raw), source="test")
    assert desk.dump() == before


def test_a_segment_signed_with_another_key_is_refused(desk: Desk) -> None:
    head = history([1])[0]
    forged = head.raw[:104] + NODE_KEY.sign(b"loa-seg/v1\0", head.raw[:104]) + head.raw[168:]
    with pytest.raises(SignatureError):
        desk.ledger.ingest(forged, source="test")


@pytest.mark.parametrize("order", [[1, 0], [2, 1, 0], [1, 2, 0], [2, 0, 1]])
def test_segments_out_of_order_are_parked_and_admitted_when_the_gap_closes(
    desk: Desk, order: list[int]
) -> None:
    segments = history([2, 3, 1])
    outcomes = [desk.ledger.ingest(segments[i].raw, source="test") for i in order]
    assert outcomes[0] is Outcome.PARKED
    assert desk.ledger.ingest(segments[order[0]].raw, source="test") is Outcome.KNOWN
    expected = sum(s.head.count for s in segments[: len(order)])
    assert [len(desk.events(OTHER_KEY)), desk.ledger.tables.parked_count()] == [expected, 0]
    assert desk.events(OTHER_KEY) == [ack(n) for n in range(expected)]
    assert desk.ledger.verify().problems == []


def test_parking_the_same_segment_twice_keeps_it_once(desk: Desk) -> None:
    segments = history([1, 1])
    assert desk.ledger.ingest(segments[1].raw, source="test") is Outcome.PARKED
    assert desk.ledger.ingest(segments[1].raw, source="test") is Outcome.PARKED
    assert desk.ledger.tables.parked_count() == 1


def test_what_is_parked_survives_a_power_cut(desk: Desk) -> None:
    segments = history([1, 1])
    desk.ledger.ingest(segments[1].raw, source="test")
    desk.crash().ingest(segments[0].raw, source="test")
    assert desk.events(OTHER_KEY) == [ack(0), ack(1)]


def test_an_author_may_park_64_segments_and_others_are_not_touched_by_it(desk: Desk) -> None:
    segments = history([1] * 70)
    for segment in segments[1:65]:
        assert desk.ledger.ingest(segment.raw, source="test") is Outcome.PARKED
    with pytest.raises(LimitError) as refused:
        desk.ledger.ingest(segments[65].raw, source="test")
    assert refused.value.code == "parked-full"
    other = history([1, 1], NODE_KEY)
    assert desk.ledger.ingest(other[1].raw, source="test") is Outcome.PARKED
    desk.ledger.ingest(segments[0].raw, source="test")
    assert desk.events(OTHER_KEY) == [ack(n) for n in range(65)]


def test_an_author_may_park_8_mib(desk: Desk) -> None:
    pair = LedgerPair()
    seq, prev, parked = 0, bytes(32), 0
    for _ in range(64):
        events = [ack(n, pair.rng.randbytes(8100)) for n in range(31)]
        segment = seal(OTHER_KEY, b"log-id-8", seq, prev, events)
        seq, prev = segment.head.next_seq, segment.head.hash
        if segment.head.first_seq == 0:
            continue
        if parked + len(segment.raw) > 8 * 1024 * 1024:
            with pytest.raises(LimitError):
                desk.ledger.ingest(segment.raw, source="test")
            break
        assert desk.ledger.ingest(segment.raw, source="test") is Outcome.PARKED
        parked += len(segment.raw)
    else:
        raise AssertionError("8 MiB were never reached")
    assert parked > 7 * 1024 * 1024


def test_a_key_introduced_by_a_segment_opens_the_segments_after_it() -> None:
    pair = LedgerPair()
    new = SigningKey.from_seed(b"a new officer's key, 32 bytes...")

    def on_admit(stored: Stored) -> list[VerifyKey]:
        return [new.verify_key] if stored.segment.events == (decision(64),) else []

    ledger = Ledger(
        pair.node.store.open_db("o.db"), entropy=pair.rng.randbytes, now=pair.now,
        audience_of=audience_of, on_admit=on_admit,
    )  # fmt: skip
    ledger.trust(OFFICER_KEY.verify_key)
    grant = seal(OFFICER_KEY, b"log-id-8", 0, bytes(32), [decision(64)])
    act = seal(new, b"log-id-9", 0, bytes(32), [decision(65)])
    admissions = ledger.ingest_all([act.raw, grant.raw, act.raw], source="test")
    assert isinstance(admissions[0].error, UnknownKeyError)
    assert [a.outcome for a in admissions[1:]] == [Outcome.ADMITTED, Outcome.ADMITTED]
    assert ledger.key_of(new.key_id) == new.verify_key


def test_from_the_hubs_feed_a_strangers_segment_waits_for_its_key(desk: Desk) -> None:
    new = SigningKey.from_seed(b"a new officer's key, 32 bytes...")
    act = seal(new, b"log-id-9", 4, bytes([1] * 32), [decision(65)])
    assert desk.ledger.ingest(act.raw, source="feed", feed=True) is Outcome.PARKED
    assert desk.ledger.ingest(act.raw, source="feed", feed=True) is Outcome.PARKED
    assert desk.events(new) == []
    desk.crash().trust(new.verify_key)
    assert desk.events(new) == [decision(65)]
    assert desk.ledger.tables.parked_count() == 0
    assert desk.ledger.verify().problems == []


def test_a_key_that_came_with_an_undone_transaction_is_not_trusted(desk: Desk) -> None:
    new = SigningKey.from_seed(b"a new officer's key, 32 bytes...")
    with undone(desk.ledger):
        desk.ledger.trust(new.verify_key)
    assert desk.ledger.key_of(new.key_id) is None


def test_an_id_belongs_to_one_key(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    twin = SigningKey.from_seed(b"a new officer's key, 32 bytes...").verify_key
    monkeypatch.setattr(twin, "key_id", OTHER_KEY.key_id)
    with pytest.raises(KeyRefused):
        desk.ledger.trust(twin)
    assert desk.ledger.key_of(OTHER_KEY.key_id) == OTHER_KEY.verify_key


def test_a_second_key_with_a_taken_id_is_not_trusted_and_wedges_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = LedgerPair()
    twin = SigningKey.from_seed(b"a new officer's key, 32 bytes...").verify_key
    monkeypatch.setattr(twin, "key_id", OTHER_KEY.key_id)
    ledger = Ledger(
        pair.node.store.open_db("o.db"), entropy=pair.rng.randbytes, now=pair.now, on_admit=lambda s: [twin]
    )
    ledger.trust(OTHER_KEY.verify_key)
    assert ledger.ingest(history([1])[0].raw, source="test") is Outcome.ADMITTED
    assert ledger.key_of(OTHER_KEY.key_id) == OTHER_KEY.verify_key


MALFORMED = [
    b"not msgpack",
    b"\xc1\xc1\xc1",
    encode((999, 1, "unknown type")),
    encode((16, 1)),
    b"\x93\x01\xcd\x00\x05\x01",
]


@pytest.mark.parametrize("event", MALFORMED)
def test_a_malformed_but_signed_event_never_wedges_a_log(desk: Desk, event: bytes) -> None:
    first = seal(OTHER_KEY, b"log-id-8", 0, bytes(32), [ack(0), event, ack(1)])
    second = seal(OTHER_KEY, b"log-id-8", 3, first.head.hash, [ack(2)])
    for segment in (first, second):
        assert desk.ledger.ingest(segment.raw, source="test") is Outcome.ADMITTED
    kept = [e for s in desk.ledger.since(0) for e in s.segment.events]
    assert kept == [ack(0), event, ack(1), ack(2)]
    assert desk.ledger.verify().problems == []


# -- forks ---------------------------------------------------------------------------------------------------


def same_range() -> tuple[list[Segment], Segment, str]:
    return history([2, 2]), history([2, 2], start=100)[0], "fork-overlap"


def recut() -> tuple[list[Segment], Segment, str]:
    return history([2, 2]), history([3])[0], "fork-overlap"


def inside() -> tuple[list[Segment], Segment, str]:
    honest = history([1, 3, 1])
    return honest, seal(OTHER_KEY, b"log-id-8", 2, honest[0].head.hash, [ack(77)]), "fork-overlap"


def broken_link() -> tuple[list[Segment], Segment, str]:
    return history([2, 2]), seal(OTHER_KEY, b"log-id-8", 4, b"?" * 32, [ack(77)]), "fork-broken-link"


FORKS = pytest.mark.parametrize("case", [same_range, recut, inside, broken_link], ids=lambda f: f.__name__)


@FORKS
def test_two_histories_of_one_log_are_kept_as_evidence_that_convinces_a_stranger(
    desk: Desk, case: Callable[[], tuple[list[Segment], Segment, str]]
) -> None:
    honest, other, code = case()
    for segment in honest:
        desk.ledger.ingest(segment.raw, source="test")
    with pytest.raises(ForkError) as refused:
        desk.ledger.ingest(other.raw, source="stick of Tu Le")
    assert refused.value.code == code
    ledger = desk.crash()
    (evidence,) = ledger.forks()
    assert evidence.code == code
    assert evidence.log == LogRef(OTHER_KEY.key_id, b"log-id-8")
    assert evidence.received == other.raw
    assert evidence.other == other.raw[:168]
    assert evidence.held in {s.raw[:168] for s in honest}
    assert evidence.source == "stick of Tu Le"
    assert evidence.at > 0
    assert len(evidence.pair) == 336
    assert check_fork(evidence.pair, {OTHER_KEY.key_id: OTHER_KEY.verify_key}.get) == code


@FORKS
def test_a_forked_log_is_frozen_where_it_stands_and_no_other_log_is(
    desk: Desk, case: Callable[[], tuple[list[Segment], Segment, str]]
) -> None:
    honest, other, _ = case()
    for segment in honest:
        desk.ledger.ingest(segment.raw, source="test")
    with pytest.raises(ForkError):
        desk.ledger.ingest(other.raw, source="test")
    end = honest[-1].head
    later = seal(OTHER_KEY, b"log-id-8", end.next_seq, end.hash, [ack(50)])
    for again in (other, later):
        with pytest.raises(ForkError) as refused:
            desk.ledger.ingest(again.raw, source="test")
        assert refused.value.code == "log-frozen"
    assert desk.ledger.ingest(honest[0].raw, source="test") is Outcome.KNOWN
    assert len(desk.ledger.forks()) == 1
    assert desk.ledger.frontier()[LogRef(OTHER_KEY.key_id, b"log-id-8")].next_seq == end.next_seq
    for key, log_id in ((OTHER_KEY, b"log-id-9"), (NODE_KEY, b"log-id-8")):
        assert desk.ledger.ingest(history([1], key, log_id)[0].raw, source="test") is Outcome.ADMITTED
    assert desk.ledger.verify().problems == []


def test_a_fork_among_parked_segments_is_found_when_the_gap_closes(desk: Desk) -> None:
    honest = history([1, 1, 1])
    false = seal(OTHER_KEY, b"log-id-8", 1, honest[0].head.hash, [ack(77)])
    for segment in (false, honest[1], honest[2]):
        assert desk.ledger.ingest(segment.raw, source="test") is Outcome.PARKED
    assert desk.ledger.ingest(honest[0].raw, source="test") is Outcome.ADMITTED
    assert [e.code for e in desk.ledger.forks()] == ["fork-overlap"]
    assert desk.ledger.tables.parked_count() == 0


def test_a_fork_of_our_own_live_log_makes_us_write_another(desk: Desk) -> None:
    desk.ledger.append(NODE_KEY, ack(1))
    (ours,) = desk.ledger.seal(NODE_KEY)
    forged = seal(NODE_KEY, ours.head.log_id, 0, bytes(32), [ack(66)])  # a thief has our key
    with pytest.raises(ForkError):
        desk.ledger.ingest(forged.raw, source="test")
    desk.ledger.append(NODE_KEY, ack(2))
    (after,) = desk.ledger.seal(NODE_KEY)
    assert after.head.log_id != ours.head.log_id


def test_two_heads_that_can_both_be_honest_are_no_evidence() -> None:
    one, two, three = history([1, 1, 1])
    elsewhere = history([1], log_id=b"log-id-9")[0]
    key_of = {OTHER_KEY.key_id: OTHER_KEY.verify_key}.get
    for pair in ((one, two), (one, three), (one, one), (one, elsewhere)):
        with pytest.raises(SegmentError) as refused:
            check_fork(b"".join(s.raw[:168] for s in pair), key_of)
        assert refused.value.code == "not-a-fork"
    forged = bytearray(one.raw[:168] + history([2])[0].raw[:168])
    forged[200] ^= 1
    with pytest.raises(SegmentError):
        check_fork(bytes(forged), key_of)
    for other in (b"", bytes(forged)[:-1], bytes(forged) + b"\0"):
        with pytest.raises(SegmentError) as refused:
            check_fork(other, key_of)
        assert refused.value.code == "evidence-length"


# -- a log of which only parts come --------------------------------------------------------------------------


def decisions(count: int) -> list[Segment]:
    made: list[Segment] = []
    prev = bytes(32)
    for n in range(count):
        made.append(seal(OFFICER_KEY, b"officer8", n, prev, [decision(n)]))
        prev = made[-1].head.hash
    return made


def test_from_a_feed_a_log_may_have_holes(desk: Desk) -> None:
    segments = decisions(6)
    for n in (1, 4, 5):
        assert desk.ledger.ingest(segments[n].raw, source="feed", feed=True) is Outcome.ADMITTED
    assert desk.events(OFFICER_KEY) == [decision(n) for n in (1, 4, 5)]
    assert desk.ledger.verify().problems == []
    assert desk.ledger.ingest(segments[4].raw, source="feed", feed=True) is Outcome.KNOWN
    for n in (2, 0, 3):
        assert desk.ledger.ingest(segments[n].raw, source="feed", feed=True) is Outcome.ADMITTED
    assert sorted(desk.events(OFFICER_KEY)) == sorted(decision(n) for n in range(6))
    assert desk.ledger.frontier()[LogRef(OFFICER_KEY.key_id, b"officer8")].next_seq == 6
    assert desk.ledger.verify().problems == []


def fits_before_not_after(held: list[Segment]) -> Segment:
    return seal(OFFICER_KEY, b"officer8", 2, held[1].head.hash, [decision(66)])


def fits_after_not_before(held: list[Segment]) -> Segment:
    return seal(OFFICER_KEY, b"officer8", 4, b"?" * 32, [decision(66)])


def reaches_into_what_is_held(held: list[Segment]) -> Segment:
    return seal(OFFICER_KEY, b"officer8", 0, bytes(32), [decision(65), decision(66)])


def stands_where_another_does(held: list[Segment]) -> Segment:
    return seal(OFFICER_KEY, b"officer8", 3, held[2].head.hash, [decision(66)])


@pytest.mark.parametrize(
    "case",
    [fits_before_not_after, fits_after_not_before, reaches_into_what_is_held, stands_where_another_does],
    ids=lambda f: f.__name__,
)
def test_holes_hide_no_fork(desk: Desk, case: Callable[[list[Segment]], Segment]) -> None:
    segments = decisions(6)
    for n in (1, 3):
        desk.ledger.ingest(segments[n].raw, source="feed", feed=True)
    with pytest.raises(ForkError):
        desk.ledger.ingest(case(segments).raw, source="feed", feed=True)
    assert len(desk.ledger.forks()) == 1


# -- reading -------------------------------------------------------------------------------------------------


def test_segments_are_read_back_in_order_of_arrival(desk: Desk) -> None:
    for segment in (*history([1] * 130), *history([1], NODE_KEY)):
        desk.ledger.ingest(segment.raw, source="test")
    desk.ledger.append_sealed(OFFICER_KEY, decision(1))
    read = list(desk.ledger.since(0))
    assert [s.position for s in read] == list(range(1, 134))
    assert desk.ledger.position() == 133
    assert [s.position for s in desk.ledger.since(120, limit=5)] == [121, 122, 123, 124, 125]
    assert list(desk.ledger.since(133)) == []
    assert [s.audience for s in desk.ledger.since(0, decisions_only=True)] == [HERE]


def test_a_reader_may_write_while_it_walks(desk: Desk) -> None:
    for n in range(3):
        desk.ledger.append_sealed(OFFICER_KEY, decision(n))
    for stored in desk.ledger.since(0, decisions_only=True):
        desk.ledger.append_sealed(NODE_KEY, ack(stored.position))
    assert len(desk.events(NODE_KEY)) == 3


def test_decisions_for_a_place_are_those_for_it_and_for_the_units_above(desk: Desk) -> None:
    for n, unit in enumerate([HERE, ELSEWHERE, PROVINCE, HERE]):
        desk.ledger.append_sealed(OFFICER_KEY, decision(n, unit))
    found, position, more = desk.ledger.for_audience(("vn", PROVINCE, HERE), 0, 65536)
    assert [decode(s.segment.events[0])[3] for s in found] == [0, 2, 3]
    assert (position, more) == (found[-1].position, False)
    assert desk.ledger.for_audience(("vn", PROVINCE, HERE), position, 65536) == ([], position, False)
    assert desk.ledger.for_audience((), 0, 65536) == ([], 0, False)


def test_a_small_room_is_filled_in_several_rounds_and_never_wedges(desk: Desk) -> None:
    for n in range(5):
        desk.ledger.append_sealed(OFFICER_KEY, decision(n))
    position, got, rounds = 0, [], 0
    more = True
    while more:
        found, position, more = desk.ledger.for_audience((HERE,), position, 450)
        got += found
        rounds += 1
    assert [s.segment.events[0] for s in got] == [decision(n) for n in range(5)]
    assert rounds == 3
    assert len(desk.ledger.for_audience((HERE,), 0, 1)[0]) == 1
    assert desk.ledger.for_audience((HERE,), 0, 0) == ([], 0, True)


def test_a_logs_segments_are_found_from_any_number(desk: Desk) -> None:
    for segment in history([2, 3, 1]):
        desk.ledger.ingest(segment.raw, source="test")
    log = LogRef(OTHER_KEY.key_id, b"log-id-8")
    firsts = {seq: [s.segment.head.first_seq for s in desk.ledger.segments_of(log, seq)] for seq in range(7)}
    assert firsts == {0: [0, 2, 5], 1: [0, 2, 5], 2: [2, 5], 3: [2, 5], 4: [2, 5], 5: [5], 6: []}
    assert desk.ledger.segments_of(LogRef(OTHER_KEY.key_id, b"no-log-8"), 0) == []


def test_the_hash_at_a_position_names_everything_that_came_before_it() -> None:
    one, two = LedgerPair().node, LedgerPair().node
    a, b, c = (history([1], OTHER_KEY, log)[0].raw for log in (b"log-id-a", b"log-id-b", b"log-id-c"))
    for desk, order in ((one, (a, b, c)), (two, (b, a, c))):
        for raw in order:
            desk.ledger.ingest(raw, source="test")
    assert one.ledger.hash_at(0) == two.ledger.hash_at(0) == bytes(32)
    assert one.ledger.hash_at(3) != two.ledger.hash_at(3), (
        "the same segment at the same place, another history"
    )
    assert one.ledger.hash_at(4) is None


def test_small_values_are_kept_by_name_in_the_same_transaction(desk: Desk) -> None:
    assert desk.ledger.get("plan", 7) == 7
    for value in (b"\0\1", 5, "Tú Lệ"):
        desk.ledger.put("plan", value)
        assert desk.crash().get("plan") == value
    with undone(desk.ledger):
        desk.ledger.put("plan", "undone")
    assert desk.ledger.get("plan") == "Tú Lệ"


# -- checking ------------------------------------------------------------------------------------------------


def filled() -> Desk:
    desk = LedgerPair().node
    for segment in history([2, 3]):
        desk.ledger.ingest(segment.raw, source="test")
    desk.ledger.append(NODE_KEY, ack(1))
    desk.ledger.seal(NODE_KEY)
    assert desk.ledger.verify().problems == []
    assert desk.ledger.verify().verified == 3
    return desk


DAMAGE = [
    "UPDATE ledger_segments SET raw = CAST(substr(raw, 1, length(raw) - 1) || x'55' AS BLOB) WHERE log = 1",
    "UPDATE ledger_segments SET raw = (SELECT raw FROM ledger_segments WHERE log = 2) WHERE position = 1",
    "UPDATE ledger_segments SET trail = zeroblob(32) WHERE position = 2",
    "DELETE FROM ledger_segments WHERE position = 1",
    "UPDATE ledger_logs SET next_seq = next_seq + 1 WHERE n = 1",
    "UPDATE ledger_logs SET hash = zeroblob(32) WHERE n = 2",
    "INSERT INTO ledger_pending (key_id, event) VALUES (zeroblob(8), x'c1')",
    "DELETE FROM ledger_keys WHERE key_id = (SELECT key_id FROM ledger_logs WHERE n = 1)",
]


@pytest.mark.parametrize("statement", DAMAGE)
def test_the_auditor_finds_what_was_changed_behind_the_ledgers_back(statement: str) -> None:
    desk = filled()
    desk.ledger.db.execute("PRAGMA foreign_keys=OFF")
    desk.ledger.db.execute(statement)
    if "ledger_keys" in statement:
        desk.ledger = Ledger(desk.store.open_db("ledger.db"), entropy=bytes, now=lambda: 7)
    assert desk.ledger.verify().problems != []
    assert not desk.ledger.verify().ok


@pytest.mark.parametrize("raw", ["zeroblob(32)", "x'07'", "(SELECT max(raw) FROM ledger_keys)"])
def test_a_start_finds_a_key_that_the_disk_made_another_of(raw: str) -> None:
    desk = filled()
    lowest = "(SELECT min(raw) FROM ledger_keys)"
    desk.ledger.db.execute(f"UPDATE ledger_keys SET raw = {raw} WHERE raw = {lowest}")
    with pytest.raises(StoreError) as refused:
        Ledger(desk.store.open_db("ledger.db"), entropy=bytes, now=lambda: 7)
    assert refused.value.code == "db-damaged"


def test_what_is_looked_at_in_portions_is_all_of_it() -> None:
    desk = filled()
    seen = [0]
    while (until := desk.ledger.recheck(seen[-1], 2)) != seen[-1]:
        seen.append(until)
    assert seen == [0, 2, 3]
    desk.ledger.db.execute("UPDATE ledger_segments SET trail = zeroblob(32) WHERE position = 2")
    with pytest.raises(StoreError) as found:
        desk.ledger.recheck(0, 2)
    assert found.value.code == "segment-damaged"


@pytest.mark.parametrize("statement", [s for s in DAMAGE if "ledger_logs SET" in s])
def test_a_start_checks_the_end_of_every_log(statement: str) -> None:
    desk = filled()
    desk.ledger.db.execute(statement)
    with pytest.raises(StoreError) as refused:
        desk.boot()
    assert refused.value.code == "db-damaged"


def test_a_damaged_segment_is_not_read_as_if_it_were_whole() -> None:
    desk = filled()
    desk.ledger.db.execute(DAMAGE[0])
    with pytest.raises(StoreError) as refused:
        list(desk.ledger.since(0))
    assert refused.value.code == "segment-damaged"


def test_a_file_of_a_newer_program_is_left_alone() -> None:
    desk = filled()
    desk.ledger.db.execute("UPDATE ledger_named SET value = 99 WHERE name = 'ledger.schema'")
    with pytest.raises(StoreError) as refused:
        desk.boot()
    assert refused.value.code == "schema-version"


def test_an_auditor_reads_a_ledger_beside_its_owner(tmp_path: Path) -> None:
    pair = LedgerPair()
    store = DiskStore(tmp_path)
    owner = Ledger(store.open_db("ledger.db"), entropy=pair.rng.randbytes, now=pair.now)
    owner.append_sealed(NODE_KEY, ack(1))
    looker = DiskStore(tmp_path, readonly=True)
    auditor = Ledger(looker.open_db("ledger.db"), entropy=pair.rng.randbytes, now=pair.now)
    assert auditor.verify().verified == 2
    owner.append_sealed(HUB_KEY, ack(2))
    assert auditor.verify().verified == auditor.position() == 4
    assert auditor.verify().ok
    assert len(list(auditor.since(0))) == 4
    looker.close()
    store.close()


def test_an_empty_database_is_no_ledger_for_an_auditor(tmp_path: Path) -> None:
    pair = LedgerPair()
    store = DiskStore(tmp_path)
    store.open_db("ledger.db").execute("CREATE TABLE t (a)")
    looker = DiskStore(tmp_path, readonly=True)
    with pytest.raises(StoreError) as refused:
        Ledger(looker.open_db("ledger.db"), entropy=pair.rng.randbytes, now=pair.now)
    assert refused.value.code == "no-ledger"
    looker.close()
    store.close()


def test_the_type_of_a_decision_is_what_the_tests_think() -> None:
    assert type_of(decision(1)) == DECISION
    assert audience_of([decision(1), decision(2)]) is None
