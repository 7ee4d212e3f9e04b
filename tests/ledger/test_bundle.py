"""Bundles: whatever happens to the bytes, what is undamaged is found, and nothing but a refusal comes out."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from helpers import NODE_KEY
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.log import (
    CHUNK,
    Ledger,
    MemoryStore,
    ProtocolError,
    SigningKey,
    StoreError,
    VerifyKey,
    bundle,
    errands,
    stick,
)
from ledger.log.bundle import HEAD_BYTES, MAGIC, Damage, Frame, Kind, Scan, Writer, frame

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Bytes:
    """A source in memory that counts what is read of it."""

    data: bytes
    asked: int = 0

    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        self.asked += length
        return self.data[offset : offset + length]


def scan(data: bytes) -> tuple[list[Frame], list[Damage], bool]:
    reading = Scan(Bytes(data))
    return list(reading.frames()), reading.damages, reading.whole


def bodies(data: bytes) -> list[tuple[int, bytes]]:
    return [(one.kind, one.body) for one in scan(data)[0]]


def bundled(framed: Sequence[bytes]) -> bytes:
    writer = Writer(NODE_KEY.key_id, 1_667_955_600)
    return b"".join((writer.begin, *map(writer.add, framed), writer.end()))


SMALL = [
    frame(Kind.REQUEST, b"request" * 9),
    frame(Kind.HELD, bytes(range(16))),
    frame(Kind.SEGMENT, b"segment" * 30),
    bundle.piece(sha256(b"content").digest(), 0, b"content" * 40),
    frame(Kind.SEGMENT, b"another" * 20),
    frame(Kind.REPLY, b"reply" * 20),
]
BUNDLE = bundled(SMALL)


def spans(data: bytes) -> list[tuple[int, int, tuple[int, bytes]]]:
    """(begin, end, what) of each frame of an undamaged bundle."""
    return [(f.at - HEAD_BYTES, f.at + len(f.body), (f.kind, f.body)) for f in scan(data)[0]]


def test_an_undamaged_bundle_gives_every_frame_in_order_and_is_whole() -> None:
    frames, damages, whole = scan(BUNDLE)
    assert [one.kind for one in frames] == [1, 2, 5, 4, 6, 4, 3, 7]
    assert damages == []
    assert whole
    assert bundle.read_manifest(frames[0].body) == (NODE_KEY.key_id, 1_667_955_600)


def test_any_single_wrong_byte_costs_exactly_the_frame_it_lies_in() -> None:
    places = spans(BUNDLE)
    for at in range(len(BUNDLE)):
        for flip in (0x01, 0x80):
            broken = BUNDLE[:at] + bytes((BUNDLE[at] ^ flip,)) + BUNDLE[at + 1 :]
            left = [what for begin, end, what in places if not begin <= at < end]
            frames, damages, whole = scan(broken)
            assert [(f.kind, f.body) for f in frames] == left, at
            assert len(damages) == 1
            assert damages[0].at <= at < damages[0].until
            assert not whole


@pytest.mark.parametrize("step", [64])
def test_a_bundle_cut_anywhere_gives_the_frames_before_the_cut_and_is_not_whole(step: int) -> None:
    places = spans(BUNDLE)
    for end_at in [*range(0, len(BUNDLE), step), *range(len(BUNDLE) - 40, len(BUNDLE))]:
        assert bodies(BUNDLE[:end_at]) == [what for _, end, what in places if end <= end_at]
        assert not scan(BUNDLE[:end_at])[2]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (BUNDLE.replace(b"\r\n", b"\n"), "bundle-magic"),
        (bytes(b & 0x7F for b in BUNDLE), "bundle-magic"),
        (BUNDLE[:8] + b"\x02" + BUNDLE[9:], "bundle-version"),
        (BUNDLE[:10] + b"\xff" + BUNDLE[11:], "bundle-length"),
        (BUNDLE[:20] + b"\xff" + BUNDLE[21:], "bundle-check"),
        (BUNDLE[:5], "bundle-cut"),
        (BUNDLE[:15], "bundle-cut"),
        (BUNDLE[:30], "bundle-cut"),
    ],
)
def test_what_is_no_frame_is_told_by_its_first_fault(broken: bytes, code: str) -> None:
    damages = scan(broken)[1]
    assert damages[0].at == 0
    assert damages[0].code == code


def test_a_frame_left_out_shows_although_every_other_is_undamaged() -> None:
    begin, end, _ = spans(BUNDLE)[3]
    _, damages, whole = scan(BUNDLE[:begin] + BUNDLE[end:])
    assert damages == []
    assert not whole


def test_two_bundles_in_one_file_are_whole_when_both_are() -> None:
    assert scan(BUNDLE + bundled(SMALL[:2]))[2]
    assert not scan(BUNDLE + bundled(SMALL[:2])[:-1])[2]
    assert not scan(BUNDLE + SMALL[0])[2]
    assert not scan(b"")[2]


def test_a_bundle_inside_a_damaged_frame_is_found_and_inside_an_undamaged_one_is_only_content() -> None:
    inner = bundle.piece(bytes(32), 0, SMALL[2])
    data = bundled([inner])
    assert [kind for kind, _ in bodies(data)] == [1, 6, 7]
    at = data.index(inner)
    assert (Kind.SEGMENT, b"segment" * 30) in bodies(data[: at + 14] + b"\0" + data[at + 15 :])


def test_a_frame_of_a_later_version_s_kind_is_stepped_over() -> None:
    data = bundled([SMALL[0], frame(200, b"later"), SMALL[2]])
    assert [kind for kind, _ in bodies(data)] == [1, 2, 4, 7]
    assert scan(data)[2]


def test_no_frame_is_written_that_no_reader_would_take() -> None:
    for kind, most in bundle.BODY_BYTES_MAX.items():
        if kind is not Kind.SEGMENT and most < 1 << 17:
            assert bodies(frame(kind, bytes(most))) == [(kind, bytes(most))]
        with pytest.raises(ProtocolError, match="bundle-length"):
            frame(kind, bytes(most + 1))


def test_a_file_of_nothing_but_beginnings_costs_bounded_work() -> None:
    lying = MAGIC + bytes((1, 3)) + (500_000).to_bytes(4, "big") + bytes(8)
    source = Bytes(lying * 60_000)  # 1.3 MB whose every 22 bytes claim half a megabyte
    reading = Scan(source)
    assert list(reading.frames()) == []
    assert [d.code for d in reading.damages] == ["bundle-work"]
    assert source.asked < 40 * source.size()


@given(st.binary(max_size=600), st.integers(0, len(BUNDLE)), st.integers(0, len(BUNDLE)))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_over_a_part_the_frames_outside_are_found(junk: bytes, a: int, b: int) -> None:
    begin, end = min(a, b), max(a, b)
    found = bodies(BUNDLE[:begin] + junk + BUNDLE[end:])
    for first, last, what in spans(BUNDLE):
        if last <= begin or (first >= end and MAGIC not in junk):
            assert what in found
    assert all(what in bodies(BUNDLE) for what in found)


@given(st.binary(max_size=2_000))
@settings(max_examples=200, deadline=None)
def test_any_bytes_at_all_are_read_without_an_error(data: bytes) -> None:
    scan(data)
    scan(MAGIC + data)
    for read in (bundle.read_manifest, bundle.read_piece, bundle.read_held):
        with suppress(ProtocolError):  # anything else that escapes is a bug
            read(data)


@pytest.mark.parametrize(
    ("read", "body", "code"),
    [
        (bundle.read_manifest, b"\x93\x02\xc4\x08" + bytes(8) + b"\0", "bundle-manifest"),
        (bundle.read_manifest, b"\x92\x01\xc4\x08" + bytes(8), "bundle-manifest"),
        (bundle.read_manifest, b"\xc1", "bundle-manifest"),
        (bundle.read_piece, bytes(40), "bundle-piece"),
        (bundle.read_piece, bytes(32) + (1).to_bytes(8, "big") + b"x", "bundle-piece"),
        (bundle.read_piece, bytes(32) + (1 << 40).to_bytes(8, "big") + b"x", "bundle-piece"),
        (bundle.read_held, bytes(9), "bundle-held"),
        (bundle.read_held, bytes(16), "bundle-held"),
        (bundle.read_held, b"\2" * 8 + b"\1" * 8, "bundle-held"),
    ],
)
def test_a_body_of_another_shape_is_refused(read: object, body: bytes, code: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        read(body)  # type: ignore[operator]
    assert caught.value.code == code


# -- sticks --------------------------------------------------------------------------------------------------


def test_a_stick_is_looked_at_by_frames_and_not_by_names() -> None:
    store = MemoryStore()
    store.write("anything.loa", BUNDLE)
    store.write("IMG_0001.jpg", BUNDLE)
    store.write("folder/deep.loa", BUNDLE)
    cargo = stick.look(store)
    assert (cargo.files, len(cargo.segments), len(cargo.requests), len(cargo.replies)) == (1, 2, 1, 1)
    assert stick.look(store, "IMG_0001.jpg").files == 1
    assert cargo.segment(sha256(b"segment" * 30).digest()) == b"segment" * 30
    store.write("anything.loa", bytes(len(BUNDLE)))
    assert cargo.segment(sha256(b"segment" * 30).digest()) is None


def test_an_empty_stick_and_one_with_too_many_bundles_are_refused() -> None:
    store = MemoryStore()
    with pytest.raises(StoreError, match="stick-empty"):
        stick.look(store)
    with pytest.raises(StoreError, match="stick-empty"):
        stick.look(store, "none.loa")
    for number in range(stick.FILES_MAX + 1):
        store.write(f"{number}.loa", b"x")
    with pytest.raises(StoreError, match="stick-files"):
        stick.look(store)


def test_a_full_stick_is_refused_before_anything_is_written() -> None:
    store = MemoryStore(free_bytes=stick.SPARE_BYTES + 99)
    with pytest.raises(StoreError, match="stick-full"):
        stick.write(store, "a.loa", [BUNDLE], 100)
    assert store.names("") == []
    assert stick.write(store, "a.loa", [BUNDLE[:99]], 99) == 99


class Pulled(MemoryStore):
    """A stick that is pulled out after so many operations."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def _touch(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")

    def append(self, name: str, data: bytes, at: int) -> None:
        self._touch()
        super().append(name, data, at)

    def move(self, name: str, to: str) -> None:
        self._touch()
        super().move(name, to)

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        self._touch()
        return super().read_at(name, offset, length)


@pytest.mark.parametrize("left", [0, 1, 2, 3])
def test_a_stick_pulled_out_while_it_is_written_keeps_the_older_bundle(left: int) -> None:
    store = Pulled(9)
    stick.write(store, "a.loa", [BUNDLE], len(BUNDLE))
    store.left = left
    big = [bundle.piece(bytes(32), at * CHUNK, bytes(CHUNK)) for at in range(40)]
    with pytest.raises(StoreError, match="stick-lost"):
        stick.write(store, "a.loa", big, sum(map(len, big)))
    assert store.read("a.loa") == BUNDLE
    store.left = 99
    assert stick.look(store).files == 1
    assert stick.write(store, "a.loa", big, sum(map(len, big))) == sum(map(len, big))
    assert store.names("") == ["a.loa"]


def test_a_stick_pulled_out_while_it_is_read_is_a_refusal() -> None:
    store = Pulled(9)
    stick.write(store, "a.loa", [BUNDLE], len(BUNDLE))
    store.left = 0
    with pytest.raises(StoreError, match="stick-lost"):
        stick.look(store)


def test_more_than_a_reader_keeps_is_left_out_and_counted() -> None:
    store = MemoryStore()
    same = bundle.piece(bytes(32), 0, b"x")
    requests = [frame(Kind.REQUEST, number.to_bytes(4, "big")) for number in range(stick.MESSAGES_MAX + 3)]
    store.write("a.loa", bundled([same] * 6 + requests + requests[:5] + [frame(Kind.PIECE, b"short")]))
    cargo = stick.look(store)
    assert len(cargo.requests) == stick.MESSAGES_MAX
    assert cargo.left_out == 2 + 3 + 1
    assert len(cargo.pieces[bytes(32), 0]) == stick.COPIES_MAX


# -- the vectors, read as a stranger would -------------------------------------------------------------------

VECTORS = json.loads((ROOT / "tests" / "vectors" / "bundle.json").read_text("utf-8"))


def cases(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[part]]


@pytest.mark.parametrize("case", cases("accepts") + cases("rejects"))
def test_a_bundle_gives_these_frames(case: Any) -> None:
    raw = bytes.fromhex(case["bytes"])
    reading = Scan(Bytes(raw))
    found = [{"kind": one.kind, "body": one.body.hex()} for one in reading.frames()]
    assert found == case["frames"]
    assert reading.fault == case.get("code", "")


@pytest.mark.parametrize("case", cases("body_rejects"))
def test_a_body_is_refused(case: Any) -> None:
    read = {1: bundle.read_manifest, 5: bundle.read_held, 6: bundle.read_piece}[case["kind"]]
    with pytest.raises(ProtocolError) as caught:
        read(bytes.fromhex(case["body"]))  # type: ignore[operator]
    assert caught.value.code == case["code"]


def answered(case: Any) -> Ledger:
    """A ledger of the station, which waits for an answer to the request, after these replies came."""
    station = SigningKey.from_seed(bytes.fromhex(VECTORS["station_seed"]))
    hub = VerifyKey(bytes.fromhex(VECTORS["hub"]))
    ledger = Ledger(MemoryStore().open_db("ledger.db"), entropy=bytes, now=lambda: 0)
    for raw in VECTORS["trusted"]:
        ledger.trust(VerifyKey(bytes.fromhex(raw)))
    request = bytes.fromhex(VECTORS["request"])
    with ledger.transaction():
        errands._keep(ledger, [errands._Errand(request, -1, True, b"", b"")])
    here = [bytes.fromhex(raw) for raw in case.get("on_stick", [])]
    replies = [bytes.fromhex(raw) for raw in case["replies"]]
    errands.accept_errand(ledger, station, hub, replies, {sha256(raw).digest(): raw for raw in here}.get)
    return ledger


@pytest.mark.parametrize("case", cases("answer_accepts"))
def test_an_answer_is_taken_as_far_as_it_is_here(case: Any) -> None:
    ledger = answered(case)
    assert [sha256(s.segment.raw).hexdigest() for s in ledger.since(0)] == case["taken"]
    cursor = ledger.get("sync.cursor", bytes(8))
    assert isinstance(cursor, bytes)
    assert int.from_bytes(cursor[:8], "big") == case["cursor"]


@pytest.mark.parametrize("case", cases("answer_rejects"))
def test_an_answer_is_refused(case: Any) -> None:
    with pytest.raises(ProtocolError) as caught:
        answered(case)
    assert caught.value.code == case["code"]


def test_every_refusal_of_a_bundle_stands_on_its_page_and_has_a_vector() -> None:
    page = (ROOT / "docs" / "spec" / "bundle.md").read_text("utf-8")
    vectors = json.dumps(VECTORS)
    for module in ("bundle", "stick", "errands"):
        source = (ROOT / "ledger" / "log" / f"{module}.py").read_text("utf-8")
        words = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
        codes = {w for w in words if isinstance(w, str) and re.fullmatch(r"(bundle|stick|errand)-[a-z-]+", w)}
        assert codes
        assert {code for code in codes if f"`{code}`" not in page} == set()
        if module == "bundle":
            # Work is bounded by the reader's own measure, and no vector is large enough to show it.
            assert {code for code in codes if f'"{code}"' not in vectors} == {"bundle-work"}
