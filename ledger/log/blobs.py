"""Content by its hash: audio, texts, manifests; resumable byte by byte over a link that breaks.

A blob is named by the SHA-256 of its bytes and is seen only when whole and checked. A fetch in progress is a
`partial/` file that only grows: chunks of 64 KiB, each verified against the manifest's hash before it touches
the disk, and behind them the beginning of the next chunk, kept unverified so that a broken link costs no
byte twice, and verified when its chunk is complete. After a power cut the length of the file says where to
go on; one answer is one write, however many chunks it brought.

A disk may damage what was verified. The check of the whole finds it out; then the file is set aside
(`….old`), a new one takes every chunk from it that is still good, and only the others are asked of the
network again.

Which blob is wanted, and what a manifest is, lies beyond this file.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Container, Sequence
from hashlib import sha256
from typing import Final

from ledger.log.disk import Store
from ledger.log.errors import BlobError, StoreError

CHUNK: Final = 65536  # bytes; half a minute of a 2 kB/s line, and one hash in a manifest
BLOB_BYTES_MAX: Final = 64 * 1024 * 1024  # about an hour of programme at 128 kbit/s; a node's card is small
_READ: Final = 16 * CHUNK  # bytes hashed or copied at once, so that a large blob is never twice in memory
_NAME: Final = re.compile(r"(?:blobs/[0-9a-f]{2}|partial)/([0-9a-f]{64})(?:\.old)?")


def chunk_hashes(data: bytes) -> tuple[bytes, ...]:
    """The SHA-256 of each 64 KiB of `data`, the last one of what is left."""
    return tuple(sha256(data[at : at + CHUNK]).digest() for at in range(0, len(data), CHUNK))


class Blobs:
    """The blobs of one store. Raises BlobError for content, StoreError for the disk."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, data: bytes) -> bytes:
        """Keep `data` and return its hash. Putting it again writes nothing."""
        if len(data) > BLOB_BYTES_MAX:
            raise BlobError("blob-size", f"a blob has at most {BLOB_BYTES_MAX} bytes, not {len(data)}")
        sha = sha256(data).digest()
        if self.size(sha) != len(data):
            self._store.write(_whole(sha), data)
        return sha

    def has(self, sha: bytes) -> bool:
        return self._store.size(_whole(sha)) is not None

    def size(self, sha: bytes) -> int | None:
        """Bytes of a whole blob, or None."""
        return self._store.size(_whole(sha))

    def read(self, sha: bytes) -> bytes:
        """The whole blob, verified. Raises BlobError("blob-missing"), BlobError("blob-damaged")."""
        size = self._store.size(_whole(sha))
        if size is None:
            raise BlobError("blob-missing", "no such blob here", where=sha.hex())
        data = self._at(_whole(sha), 0, size)
        if sha256(data).digest() != sha:
            raise BlobError("blob-damaged", "the bytes on disk are not those of this hash", where=sha.hex())
        return data

    def read_range(self, sha: bytes, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`, unverified: the reader has the chunk hashes. BlobError."""
        size = self.size(sha)
        if size is None:
            raise BlobError("blob-missing", "no such blob here", where=sha.hex())
        if offset < 0 or length < 0 or offset > size:
            error = BlobError(
                "blob-range", f"no bytes {offset} + {length} in a blob of {size}", where=sha.hex()
            )
            error.status = 416
            raise error
        return self._store.read_at(_whole(sha), offset, length)

    def delete(self, sha: bytes) -> None:
        """Drop the blob and what was fetched of it. Dropping it again is no error."""
        for name in (_whole(sha), _part(sha), _old(sha)):
            self._store.delete(name)

    def held(self) -> list[bytes]:
        """The hashes of all whole blobs, sorted."""
        return self._named("blobs/")

    def sweep(self, keep: Container[bytes]) -> list[bytes]:
        """Drop every blob, whole or begun, whose hash is not in `keep`; returns the hashes dropped."""
        dropped = [sha for sha in sorted({*self.held(), *self._named("partial/")}) if sha not in keep]
        for sha in dropped:
            self.delete(sha)
        return dropped

    # -- fetching --------------------------------------------------------------------------------------------

    def begun(self, sha: bytes) -> int:
        """Bytes already here of a blob that is being fetched: where to go on."""
        return self._store.size(_part(sha)) or 0

    def partial(self, sha: bytes) -> int:
        """Those of them that are whole chunks; always a multiple of CHUNK."""
        return self.begun(sha) // CHUNK * CHUNK

    def add(self, sha: bytes, offset: int, data: bytes, hashes: Sequence[bytes], size: int) -> int:
        """Take bytes of the blob from `offset` on, durable on return; returns how many are here now.

        hashes, size: what a manifest says of the blob. Bytes already here are left alone. Raises
        BlobError("blob-size") when hashes and size contradict each other, ("chunk-size") when the bytes lie
        outside the blob, ("chunk-order") when there is a gap before them, ("chunk-hash") when a chunk is
        not what the manifest names: chunks before it are kept, its own beginning is dropped.
        """
        _check_size(sha, hashes, size)
        if not data or offset < 0 or offset + len(data) > size:
            raise BlobError("chunk-size", f"{len(data)} bytes at {offset} of {size}", where=sha.hex())
        begun = self.begun(sha)
        if offset > begun:
            raise BlobError("chunk-order", f"bytes at {offset} came, {begun} are next", where=sha.hex())
        data = data[begun - offset :]
        if not data:
            return begun
        good, wrong = self._verified(sha, begun, data, hashes, size)
        if good > begun:
            self._store.append(_part(sha), data[: good - begun], begun)
        elif good < begun:
            self._store.append(_part(sha), b"", good)
        if wrong is not None:
            raise BlobError("chunk-hash", f"chunk {wrong} is not what the manifest names", where=sha.hex())
        return good

    def fits(self, sha: bytes, data: bytes, hashes: Sequence[bytes], size: int) -> bool:
        """True unless `add` of these bytes at the end of what is here would find their first chunk wrong."""
        begun = self.begun(sha)
        _check_size(sha, hashes, size)
        first = data[: CHUNK - begun % CHUNK]
        return begun + len(first) <= size and self._verified(sha, begun, first, hashes, size)[1] is None

    def add_chunk(self, sha: bytes, index: int, data: bytes, expected_chunk_hash: bytes) -> None:
        """Append chunk `index`, durable on return. A chunk already here is left alone.

        Raises BlobError("chunk-size"), ("chunk-hash"), ("chunk-order") when an earlier chunk is missing.
        """
        if not 0 < len(data) <= CHUNK or index < 0 or index * CHUNK + len(data) > BLOB_BYTES_MAX:
            raise BlobError("chunk-size", f"chunk {index} of {len(data)} bytes", where=sha.hex())
        if sha256(data).digest() != expected_chunk_hash:
            raise BlobError("chunk-hash", f"chunk {index} is not what the manifest names", where=sha.hex())
        have = self.partial(sha) // CHUNK
        if index > have:
            raise BlobError("chunk-order", f"chunk {index} came, chunk {have} is next", where=sha.hex())
        if index == have:
            self._store.append(_part(sha), data, index * CHUNK)

    def finish(self, sha: bytes, hashes: Sequence[bytes] = ()) -> None:
        """All bytes are here: verify the whole and make it a blob. An empty blob needs no chunk.

        When the whole has another hash: with `hashes`, BlobError("blob-damaged") if the disk damaged chunks
        (the file is set aside for `recover`), else BlobError("blob-chunks"): each chunk is what the manifest
        names and the whole is not, so the manifest lies, and what was fetched is dropped. Without `hashes`
        it is dropped as "blob-damaged".
        """
        if self.has(sha):
            self._drop_begun(sha)
            return
        size = self._store.size(_part(sha))
        if size is None:
            if sha256(b"").digest() != sha:
                raise BlobError("blob-missing", "nothing of it was fetched", where=sha.hex())
            self._store.write(_whole(sha), b"")
            return
        whole, damaged = sha256(), 0
        for at in range(0, size, _READ):
            data = self._at(_part(sha), at, min(_READ, size - at))
            whole.update(data)
            if hashes:
                damaged += _differing(data, hashes[at // CHUNK : (at + _READ) // CHUNK])
        if whole.digest() == sha:
            self._store.move(_part(sha), _whole(sha))
            self._store.delete(_old(sha))
        elif damaged:
            self._store.move(_part(sha), _old(sha))
            raise BlobError("blob-damaged", f"{damaged} chunks were damaged on disk", where=sha.hex())
        else:
            self._drop_begun(sha)
            if hashes:
                raise BlobError("blob-chunks", "its chunks are as named, the whole is not", where=sha.hex())
            raise BlobError("blob-damaged", "the chunks together have another hash", where=sha.hex())

    # -- damage ----------------------------------------------------------------------------------------------

    def set_aside(self, sha: bytes) -> None:
        """A whole blob turned out damaged: it is a blob no more, and its good chunks wait for `recover`."""
        if self.has(sha):
            self._store.move(_whole(sha), _old(sha))

    def mending(self, sha: bytes) -> bool:
        """True while a file set aside is there: what is missing is single chunks, not all that follows."""
        return self._store.size(_old(sha)) is not None

    def recover(self, sha: bytes, hashes: Sequence[bytes], size: int) -> int:
        """Go on with chunks of the file set aside, up to its next damaged one; returns what `begun` says."""
        begun = self.begun(sha)
        if begun % CHUNK or not self.mending(sha):
            return begun
        _check_size(sha, hashes, size)
        while begun < size:
            data = self._at(_old(sha), begun, min(_READ, size - begun))
            good, wrong = self._verified(sha, begun, data, hashes, size)
            good = good if good == size else good // CHUNK * CHUNK
            if good > begun:
                self._store.append(_part(sha), data[: good - begun], begun)
            if wrong is not None or good == begun:
                return good
            begun = good
        return begun

    # -- inside ----------------------------------------------------------------------------------------------

    def _verified(
        self, sha: bytes, begun: int, data: bytes, hashes: Sequence[bytes], size: int
    ) -> tuple[int, int | None]:
        """Up to where the bytes may stay when `data` follows the `begun` ones, and the first wrong chunk."""
        first = begun // CHUNK
        start = first * CHUNK
        head = self._at(_part(sha), start, begun - start) if begun > start else b""
        if len(head) != begun - start:
            return start, first
        bytes_ = memoryview(head + data)
        end = start + len(bytes_)
        for index in range(first, len(hashes)):
            at, until = index * CHUNK, min(size, (index + 1) * CHUNK)
            if until > end:
                break
            if sha256(bytes_[at - start : until - start]).digest() != hashes[index]:
                return at, index
        return end, None

    def _at(self, name: str, offset: int, length: int) -> bytes:
        """Bytes of a file; none where the medium cannot read them any more: damage like any other."""
        try:
            return self._store.read_at(name, offset, length)
        except StoreError as error:
            if error.errno != errno.EIO:
                raise
            return b""

    def _drop_begun(self, sha: bytes) -> None:
        self._store.delete(_part(sha))
        self._store.delete(_old(sha))

    def _named(self, prefix: str) -> list[bytes]:
        found = (_NAME.fullmatch(name) for name in self._store.names(prefix))
        return sorted({bytes.fromhex(match[1]) for match in found if match})


def _check_size(sha: bytes, hashes: Sequence[bytes], size: int) -> None:
    if not 0 < size <= BLOB_BYTES_MAX or len(hashes) != -(-size // CHUNK):
        raise BlobError("blob-size", f"{size} bytes in {len(hashes)} chunks", where=sha.hex())


def _differing(data: bytes, hashes: Sequence[bytes]) -> int:
    """How many of these chunks are not what they should be, or should not be at all."""
    found = chunk_hashes(data)
    wrong = sum(found[index : index + 1] != (named,) for index, named in enumerate(hashes))
    return wrong + max(0, len(found) - len(hashes))


def _whole(sha: bytes) -> str:
    return f"blobs/{_hex(sha)[:2]}/{_hex(sha)}"


def _part(sha: bytes) -> str:
    return f"partial/{_hex(sha)}"


def _old(sha: bytes) -> str:
    return f"partial/{_hex(sha)}.old"


def _hex(sha: bytes) -> str:
    if len(sha) != 32:
        raise BlobError("blob-name", f"a blob is named by 32 bytes, not {len(sha)}")
    return sha.hex()
