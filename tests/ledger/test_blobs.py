"""Blobs: seen only when whole and checked; a fetch goes on where the power left it."""

from __future__ import annotations

import errno
import os
import random
import resource
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.log.blobs import BLOB_BYTES_MAX, CHUNK, Blobs, chunk_hashes
from ledger.log.disk import DiskStore
from ledger.log.errors import BlobError, StoreError
from ledger.log.memory_disk import MemoryStore

AUDIO = bytes(range(251)) * 700  # two chunks and a rest
SHA = sha256(AUDIO).digest()


def chunk(index: int) -> bytes:
    return AUDIO[index * CHUNK : (index + 1) * CHUNK]


def fetch(blobs: Blobs, until: int = 3) -> None:
    for index in range(until):
        blobs.add_chunk(SHA, index, chunk(index), chunk_hashes(AUDIO)[index])


def refused(code: str) -> object:
    return pytest.raises(BlobError, match=f"^{code}:")


def test_a_blob_is_named_by_its_hash_and_read_back_whole_or_in_part() -> None:
    blobs = Blobs(MemoryStore())
    assert blobs.put(AUDIO) == SHA
    assert blobs.put(AUDIO) == SHA
    assert blobs.has(SHA)
    assert blobs.size(SHA) == len(AUDIO)
    assert blobs.read(SHA) == AUDIO
    assert blobs.read_range(SHA, CHUNK, CHUNK) == chunk(1)
    assert blobs.read_range(SHA, len(AUDIO), 10) == b""
    assert blobs.held() == [SHA]


def test_what_is_not_here_is_missing() -> None:
    blobs = Blobs(MemoryStore())
    assert not blobs.has(SHA)
    assert blobs.size(SHA) is None
    for act in (lambda: blobs.read(SHA), lambda: blobs.read_range(SHA, 0, 1), lambda: blobs.finish(SHA)):
        with refused("blob-missing"):
            act()


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1), (len(AUDIO) + 1, 1)])
def test_a_range_outside_the_blob_is_refused_as_http_says(offset: int, length: int) -> None:
    blobs = Blobs(MemoryStore())
    blobs.put(AUDIO)
    with refused("blob-range") as caught:
        blobs.read_range(SHA, offset, length)
    assert caught.value.status == 416


def test_a_blob_appears_only_when_all_chunks_are_here_and_checked() -> None:
    blobs = Blobs(MemoryStore())
    assert blobs.partial(SHA) == 0
    fetch(blobs, 2)
    assert blobs.partial(SHA) == 2 * CHUNK
    assert not blobs.has(SHA)
    fetch(blobs)
    blobs.finish(SHA)
    assert blobs.read(SHA) == AUDIO
    assert blobs.partial(SHA) == 0
    blobs.finish(SHA)


def test_a_fetch_goes_on_after_a_power_cut_and_a_torn_chunk_is_fetched_again() -> None:
    store = MemoryStore()
    fetch(Blobs(store), 1)
    store.append(f"partial/{SHA.hex()}", b"torn, half a chunk", CHUNK)
    store.crash()
    blobs = Blobs(store)
    assert blobs.partial(SHA) == CHUNK
    fetch(blobs)
    blobs.finish(SHA)
    assert blobs.read(SHA) == AUDIO


def test_a_chunk_that_is_here_already_is_left_alone() -> None:
    blobs = Blobs(MemoryStore())
    fetch(blobs, 2)
    blobs.add_chunk(SHA, 0, chunk(0), chunk_hashes(AUDIO)[0])
    assert blobs.partial(SHA) == 2 * CHUNK


def test_a_wrong_chunk_never_touches_the_disk() -> None:
    store = MemoryStore()
    blobs = Blobs(store)
    with refused("chunk-hash"):
        blobs.add_chunk(SHA, 0, chunk(1), chunk_hashes(AUDIO)[0])
    with refused("chunk-order"):
        blobs.add_chunk(SHA, 1, chunk(1), chunk_hashes(AUDIO)[1])
    with refused("chunk-size"):
        blobs.add_chunk(SHA, 0, b"", sha256(b"").digest())
    with refused("chunk-size"):
        blobs.add_chunk(SHA, 0, bytes(CHUNK + 1), sha256(bytes(CHUNK + 1)).digest())
    with refused("chunk-size"):
        blobs.add_chunk(SHA, BLOB_BYTES_MAX // CHUNK, b"x", sha256(b"x").digest())
    with refused("chunk-size"):
        blobs.add_chunk(SHA, -1, chunk(0), chunk_hashes(AUDIO)[0])
    assert store.names("") == []


def test_chunks_that_together_are_another_blob_are_dropped() -> None:
    blobs = Blobs(MemoryStore())
    for index in (0, 0, 1):
        blobs.add_chunk(SHA, blobs.partial(SHA) // CHUNK, chunk(index), chunk_hashes(AUDIO)[index])
    with refused("blob-damaged"):
        blobs.finish(SHA)
    assert blobs.partial(SHA) == 0
    assert not blobs.has(SHA)


def test_a_damaged_blob_is_not_read() -> None:
    store = MemoryStore()
    blobs = Blobs(store)
    blobs.put(AUDIO)
    store.write(f"blobs/{SHA.hex()[:2]}/{SHA.hex()}", AUDIO[:-1] + b"?")
    with refused("blob-damaged"):
        blobs.read(SHA)


def test_a_blob_has_a_greatest_size() -> None:
    with refused("blob-size"):
        Blobs(MemoryStore()).put(bytes(BLOB_BYTES_MAX + 1))


def test_a_name_that_is_no_hash_is_refused() -> None:
    with refused("blob-name"):
        Blobs(MemoryStore()).has(b"../../etc/passwd")


def test_dropping_a_blob_drops_its_beginning_too() -> None:
    blobs = Blobs(MemoryStore())
    fetch(blobs, 1)
    blobs.put(AUDIO)
    blobs.delete(SHA)
    blobs.delete(SHA)
    assert not blobs.has(SHA)
    assert blobs.partial(SHA) == 0


@given(st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]), st.binary(min_size=1, max_size=8))
def test_chunks_and_finish_make_what_put_makes(size: int, seed: bytes) -> None:
    data = (seed * (size // len(seed) + 1))[:size]
    sha = sha256(data).digest()
    blobs = Blobs(MemoryStore())
    for index, expected in enumerate(chunk_hashes(data)):
        blobs.add_chunk(sha, index, data[index * CHUNK : (index + 1) * CHUNK], expected)
    blobs.finish(sha)
    assert blobs.read(sha) == data
    assert blobs.put(data) == sha


# -- any bytes, any cuts -------------------------------------------------------------------------------------

PART = f"partial/{SHA.hex()}"
HASHES = chunk_hashes(AUDIO)


def add(blobs: Blobs, offset: int, data: bytes) -> int:
    return blobs.add(SHA, offset, data, HASHES, len(AUDIO))


def test_bytes_are_taken_wherever_the_line_broke_and_one_answer_is_one_write() -> None:
    store = MemoryStore()
    writes: list[int] = []
    real = store.append
    store.append = lambda name, data, at: (writes.append(len(data)), real(name, data, at))[1]  # type: ignore
    blobs = Blobs(store)
    assert add(blobs, 0, AUDIO[:10_000]) == 10_000
    assert add(blobs, 10_000, AUDIO[10_000 : CHUNK + 9]) == CHUNK + 9
    assert blobs.partial(SHA) == CHUNK
    assert add(blobs, CHUNK + 9, AUDIO[CHUNK + 9 :]) == len(AUDIO)
    assert len(writes) == 3
    assert sum(writes) == len(AUDIO), "no byte is written twice"
    blobs.finish(SHA, HASHES)
    assert blobs.read(SHA) == AUDIO


def test_what_is_here_already_is_left_alone_and_a_gap_is_refused() -> None:
    blobs = Blobs(MemoryStore())
    add(blobs, 0, AUDIO[:100])
    assert add(blobs, 50, AUDIO[50:100]) == 100
    assert add(blobs, 50, AUDIO[50:200]) == 200
    with refused("chunk-order"):
        add(blobs, 201, b"x")
    for offset, data in ((-1, b"x"), (0, b""), (len(AUDIO), b"x"), (len(AUDIO) - 1, b"xx")):
        with refused("chunk-size"):
            add(blobs, offset, data)
    assert blobs.begun(SHA) == 200


@pytest.mark.parametrize(
    ("hashes", "size"),
    [(HASHES[:-1], len(AUDIO)), (HASHES, 2 * CHUNK), (HASHES, 3 * CHUNK + 1), (HASHES, 0), ((), 0)],
)
def test_a_size_that_contradicts_the_chunks_is_refused_before_the_disk_is_touched(
    hashes: tuple[bytes, ...], size: int
) -> None:
    store = MemoryStore()
    with refused("blob-size"):
        Blobs(store).add(SHA, 0, AUDIO[:10], hashes, size)
    huge = BLOB_BYTES_MAX + CHUNK
    with refused("blob-size"):
        Blobs(store).add(SHA, 0, AUDIO[:10], HASHES[:1] * (huge // CHUNK), huge)
    assert store.names("") == []
    with refused("blob-size"):
        Blobs(store).fits(SHA, AUDIO[:10], hashes, size)
    blobs = Blobs(store)
    blobs.put(AUDIO)
    blobs.set_aside(SHA)
    kept = store.names("")
    with refused("blob-size"):
        blobs.recover(SHA, hashes, size)
    assert store.names("") == kept


def test_what_came_by_another_way_meanwhile_needs_no_beginning_any_more() -> None:
    store = MemoryStore()
    blobs = Blobs(store)
    blobs.put(AUDIO)
    blobs.set_aside(SHA)
    add(blobs, 0, AUDIO[:100])
    blobs.put(AUDIO)
    assert len(store.names("")) == 3, "the blob, what was begun of it, and what was set aside"
    blobs.finish(SHA, HASHES)
    assert store.names("") == [f"blobs/{SHA.hex()[:2]}/{SHA.hex()}"]


def test_a_wrong_chunk_in_a_long_answer_costs_itself_and_what_follows_it() -> None:
    blobs = Blobs(MemoryStore())
    wrong = AUDIO[: CHUNK + 5] + b"?" + AUDIO[CHUNK + 6 :]
    with refused("chunk-hash"):
        add(blobs, 0, wrong)
    assert blobs.begun(SHA) == CHUNK
    add(blobs, CHUNK, bytes(30))  # a false beginning cannot be told yet
    assert not blobs.fits(SHA, AUDIO[CHUNK + 30 :], HASHES, len(AUDIO))
    with refused("chunk-hash"):
        add(blobs, CHUNK + 30, AUDIO[CHUNK + 30 :])
    assert blobs.begun(SHA) == CHUNK, "it goes as soon as its chunk is complete"
    assert blobs.fits(SHA, AUDIO[CHUNK:], HASHES, len(AUDIO))
    add(blobs, CHUNK, AUDIO[CHUNK:])
    blobs.finish(SHA, HASHES)


def test_a_manifest_that_lies_is_told_from_a_disk_that_damages() -> None:
    store = MemoryStore()
    blobs, other = Blobs(store), sha256(b"other").digest()
    blobs.add(other, 0, AUDIO, HASHES, len(AUDIO))
    with refused("blob-chunks"):
        blobs.finish(other, HASHES)
    assert store.names("") == []
    add(blobs, 0, AUDIO)
    store.write(PART, AUDIO[:CHUNK] + bytes(CHUNK) + AUDIO[2 * CHUNK :])
    with refused("blob-damaged"):
        blobs.finish(SHA, HASHES)
    assert blobs.mending(SHA)
    assert blobs.recover(SHA, HASHES, len(AUDIO)) == CHUNK
    assert add(blobs, CHUNK, chunk(1)) == 2 * CHUNK
    assert blobs.recover(SHA, HASHES, len(AUDIO)) == len(AUDIO)
    blobs.finish(SHA, HASHES)
    assert store.names("") == [f"blobs/{SHA.hex()[:2]}/{SHA.hex()}"]


def test_garbage_behind_the_last_chunk_is_damage_and_no_lie_of_the_manifest() -> None:
    data = AUDIO[: 2 * CHUNK]
    sha, hashes = sha256(data).digest(), chunk_hashes(data)
    store = MemoryStore()
    blobs = Blobs(store)
    blobs.add(sha, 0, data, hashes, len(data))
    store.append(f"partial/{sha.hex()}", b"what a power cut left", len(data))
    with refused("blob-damaged"):
        blobs.finish(sha, hashes)
    assert blobs.recover(sha, hashes, len(data)) == len(data)
    blobs.finish(sha, hashes)
    assert blobs.read(sha) == data


def test_a_sector_that_cannot_be_read_is_damage_like_any_other() -> None:
    class Scratched(MemoryStore):
        def read_at(self, name: str, offset: int, length: int) -> bytes:
            if ".old" not in name and offset <= CHUNK < offset + length:
                error = StoreError("disk-failed", "OSError: Input/output error", where=name)
                error.errno = errno.EIO
                raise error
            return super().read_at(name, offset, length)

    blobs = Blobs(Scratched())
    blobs.put(AUDIO)
    with refused("blob-damaged"):
        blobs.read(SHA)
    blobs.set_aside(SHA)
    assert not blobs.has(SHA)
    assert blobs.recover(SHA, HASHES, len(AUDIO)) == len(AUDIO)


def test_a_disk_that_fails_otherwise_is_no_damaged_content() -> None:
    class Failing(MemoryStore):
        def read_at(self, name: str, offset: int, length: int) -> bytes:
            error = StoreError("disk-failed", "OSError: Permission denied", where=name)
            error.errno = errno.EACCES
            raise error

    blobs = Blobs(Failing())
    add(blobs, 0, AUDIO)
    with pytest.raises(StoreError, match="disk-failed"):
        blobs.finish(SHA, HASHES)
    assert blobs.begun(SHA), "what was fetched is still there"


def test_a_sweep_drops_whole_and_begun_blobs_alike_and_no_stranger_s_file() -> None:
    store = MemoryStore()
    blobs = Blobs(store)
    kept, gone = blobs.put(b"kept"), blobs.put(b"gone")
    add(blobs, 0, AUDIO[:10])
    store.write("blobs/README", b"not ours")
    store.write("partial/x.old", b"not ours")
    assert blobs.sweep({kept}) == sorted([gone, SHA])
    assert blobs.held() == [kept]
    assert store.names("partial/") == ["partial/x.old"]


def test_a_disk_that_takes_no_more_says_why_and_keeps_what_it_took(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "station")
    blobs = Blobs(store)
    add(blobs, 0, chunk(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK + 1_000, hard))
    try:
        with pytest.raises(StoreError, match=r"^disk-failed") as caught:
            add(blobs, CHUNK, AUDIO[CHUNK:])
        with pytest.raises(StoreError, match=r"^disk-failed"):
            store.write("big", AUDIO)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert not [name for name in os.listdir(tmp_path / "station") if "half" in name]
    begun = blobs.begun(SHA)
    assert begun == CHUNK + 1_000
    add(blobs, begun, AUDIO[begun:])
    blobs.finish(SHA, HASHES)
    assert blobs.read(SHA) == AUDIO
    store.close()


class Fetching(RuleBasedStateMachine):
    """Any pieces, lies, power cuts and rot: a blob is whole and right or not there, and it gets there."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.blobs = Blobs(self.store)

    @rule(length=st.integers(1, 3 * CHUNK), false=st.booleans(), at=st.integers(0, 3 * CHUNK))
    def piece(self, length: int, false: bool, at: int) -> None:
        if self.blobs.has(SHA):
            return
        begun = self.blobs.recover(SHA, HASHES, len(AUDIO))
        data = bytearray(AUDIO[begun : begun + length])
        if data and false:
            data[at % len(data)] ^= 1
        try:
            if data:
                begun = add(self.blobs, begun, bytes(data))
            if begun == len(AUDIO):
                self.blobs.finish(SHA, HASHES)
        except BlobError as error:
            if error.code not in ("chunk-hash", "blob-damaged"):
                raise

    @rule(torn=st.binary(max_size=40))
    def power_cut(self, torn: bytes) -> None:
        part = self.store.read(PART)
        if part is not None:
            self.store.write(PART, part + torn)
        self.store.crash()
        self.blobs = Blobs(self.store)

    @rule(at=st.integers(0, 10**6), which=st.integers(0, 2))
    def rot(self, at: int, which: int) -> None:
        names = self.store.names("")
        if names:
            name = names[which % len(names)]
            data = bytearray(self.store.read(name) or b"")
            if data:
                data[at % len(data)] ^= 0x10
                self.store.write(name, bytes(data))

    @precondition(lambda self: self.blobs.has(SHA))
    @rule()
    def look(self) -> None:
        try:
            assert self.blobs.read(SHA) == AUDIO
        except BlobError as error:
            if error.code != "blob-damaged":
                raise
            self.blobs.set_aside(SHA)

    @rule()
    def arrive(self) -> None:
        for _ in range(12):
            if self.blobs.has(SHA):
                break
            self.piece(3 * CHUNK, False, 0)
        assert self.blobs.has(SHA)

    @invariant()
    def only_our_files(self) -> None:
        assert set(self.store.names("")) <= {PART, f"{PART}.old", f"blobs/{SHA.hex()[:2]}/{SHA.hex()}"}


TestFetching = Fetching.TestCase
TestFetching.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_any_split_of_a_blob_arrives_and_costs_each_byte_once() -> None:
    rng = random.Random(11)
    for _ in range(20):
        blobs, at = Blobs(MemoryStore()), 0
        while at < len(AUDIO):
            piece = AUDIO[at : at + rng.choice((1, 700, CHUNK - 1, CHUNK, 2 * CHUNK))]
            at = add(blobs, at, piece)
        blobs.finish(SHA, HASHES)
        assert blobs.read(SHA) == AUDIO
