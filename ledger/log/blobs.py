"""Content by its hash: audio, texts, manifests; resumable chunk by chunk over a link that breaks.

A blob is named by the SHA-256 of its bytes and is seen only when whole and checked. A fetch in progress is a
`partial/` file that grows in chunks of 64 KiB, each verified against the manifest's chunk hash before it
touches the disk, so a broken link costs at most one chunk and a lying server nothing. After a power cut the
length of the partial file says where to go on; what is not a whole chunk is fetched again.

Which blob is wanted, and what a manifest is, lies beyond this file.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ledger.log.disk import Store
from ledger.log.errors import BlobError

CHUNK: Final = 65536  # bytes; half a minute of a 2 kB/s line, and one hash in a manifest
BLOB_BYTES_MAX: Final = 64 * 1024 * 1024  # about an hour of programme at 128 kbit/s; a node's card is small
_READ: Final = 1024 * 1024  # bytes hashed at once, so that a large blob is never twice in memory


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
        data = self._store.read(_whole(sha))
        if data is None:
            raise BlobError("blob-missing", "no such blob here", where=sha.hex())
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
        self._store.delete(_whole(sha))
        self._store.delete(_part(sha))

    def held(self) -> list[bytes]:
        """The hashes of all whole blobs, sorted."""
        return [bytes.fromhex(name.rsplit("/", 1)[1]) for name in self._store.names("blobs/")]

    # -- fetching --------------------------------------------------------------------------------------------

    def partial(self, sha: bytes) -> int:
        """Bytes of whole chunks already here of a blob that is being fetched; always a multiple of CHUNK."""
        return (self._store.size(_part(sha)) or 0) // CHUNK * CHUNK

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

    def finish(self, sha: bytes) -> None:
        """All chunks are here: verify the whole and make it a blob. An empty blob needs no chunk.

        Raises BlobError("blob-damaged") and drops what was fetched when the whole has another hash.
        """
        if self.has(sha):
            self._store.delete(_part(sha))
            return
        size = self._store.size(_part(sha))
        if size is None:
            if sha256(b"").digest() != sha:
                raise BlobError("blob-missing", "nothing of it was fetched", where=sha.hex())
            self._store.write(_whole(sha), b"")
            return
        whole = sha256()
        for at in range(0, size, _READ):
            whole.update(self._store.read_at(_part(sha), at, _READ))
        if whole.digest() != sha:
            self._store.delete(_part(sha))
            raise BlobError(
                "blob-damaged", "the chunks together have another hash; fetch anew", where=sha.hex()
            )
        self._store.move(_part(sha), _whole(sha))


def _whole(sha: bytes) -> str:
    return f"blobs/{_hex(sha)[:2]}/{_hex(sha)}"


def _part(sha: bytes) -> str:
    return f"partial/{_hex(sha)}"


def _hex(sha: bytes) -> str:
    if len(sha) != 32:
        raise BlobError("blob-name", f"a blob is named by 32 bytes, not {len(sha)}")
    return sha.hex()
