"""Blobs: seen only when whole and checked; a fetch goes on where the power left it."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log.blobs import BLOB_BYTES_MAX, CHUNK, Blobs, chunk_hashes
from ledger.log.errors import BlobError
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
