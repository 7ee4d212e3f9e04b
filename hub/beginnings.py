"""What came of a large request before its line broke, so that a station sends the rest and not all of it.

A signed request is its own name: eight bytes of its signature. The socket hands every piece of a large
request's body on as it comes in (`Upload.add`), also while the line only seems to be alive; a station whose
line broke asks how much is here and goes on behind it. Nothing is verified here and nothing believed: the
joined bytes are judged like any request, and a beginning that does not lead to a good one is dropped.

Why a beginning stays when its request was answered: the line may have broken under the answer, and then not a
byte of the request need come twice.

Bound: memory of one process. One beginning a key, none for keys nobody introduced, `BYTES_MAX` in all, for
`LIFE_S`; beyond that the oldest goes, which costs its station bytes and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

# A smaller request is cheaper sent again than asked about: question, answer and a second head are 250 bytes.
WORTH_BYTES: Final = 1_024
REQUEST_BYTES_MAX: Final = 1 << 20  # of one: a sync request's own bound
BYTES_MAX: Final = 8 << 20  # of all: a hub's memory is not a province's upload queue
LIFE_S: Final = 900.0  # an ordinary sync period: a station that stays away longer makes a new request
# magic 4 ‖ key id 8 ‖ signature 64 ‖ body: see docs/spec/sync.md
KEY_AT: Final = slice(4, 12)
NAME_AT: Final = slice(12, 20)
NAME_BYTES: Final = 8


def name_of(request: bytes) -> bytes:
    """The 8 bytes by which a request is named; shorter when it has not got so far."""
    return request[NAME_AT]


@dataclass
class _Beginning:
    name: bytes
    at_s: float
    data: bytearray = field(default_factory=bytearray)


class Beginnings:
    """By key, so that one station cannot push out another's. Every method may be called from any thread.

    ticks: seconds of a steady clock. knows: whether this key id is somebody's, without any cryptography.
    """

    def __init__(
        self, ticks: Callable[[], float], knows: Callable[[bytes], bool], *, bytes_max: int = BYTES_MAX
    ) -> None:
        self._ticks = ticks
        self._knows = knows
        self._bytes_max = bytes_max
        self._lock = Lock()
        self._kept: dict[bytes, _Beginning] = {}  # by key id, the longest untouched first
        self._keys: dict[bytes, bytes] = {}  # name → key id
        self._bytes = 0

    def held(self, name: bytes) -> int:
        """Bytes of the request of this name that are here; 0 when none."""
        with self._lock:
            found = self._find(name)
            return 0 if found is None else len(found.data)

    def join(self, name: bytes, offset: int, rest: bytes) -> bytes | None:
        """The whole request; None when less than `offset` bytes of it are here."""
        with self._lock:
            found = self._find(name)
            if found is None or len(found.data) < offset:
                return None
            return bytes(found.data[:offset]) + rest

    def drop(self, name: bytes) -> None:
        """What it led to was refused: going on with it would be refused again."""
        with self._lock:
            if name in self._keys:
                self._forget(self._keys[name])

    def upload(self, name: bytes = b"", offset: int = 0) -> Upload:
        """Where a socket puts the pieces of one body. name, offset: of the beginning it goes on with."""
        return Upload(self, name, offset)

    @property
    def total(self) -> int:
        """Bytes kept, of all requests."""
        return self._bytes

    def begin(self, head: bytes) -> bytes:
        """A request begins with these 20 bytes or more; its name, or b"" when it is not to be kept."""
        key, name = head[KEY_AT], name_of(head)
        with self._lock:
            if not self._knows(key) or self._keys.get(name, key) != key:
                return b""
            if name not in self._keys:
                self._forget(key)
                self._kept[key] = _Beginning(name, self._ticks())
                self._keys[name] = key
        return name

    def put(self, name: bytes, at: int, data: bytes) -> None:
        """`data` stands at `at` in the request of this name. What is here already is not written over."""
        with self._lock:
            one = self._find(name)
            if one is None or not at <= len(one.data) < at + len(data) <= REQUEST_BYTES_MAX:
                return
            fresh = data[len(one.data) - at :]
            one.data += fresh
            one.at_s = self._ticks()
            self._bytes += len(fresh)
            key = self._keys[name]
            self._kept[key] = self._kept.pop(key)
            while self._bytes > self._bytes_max:
                self._forget(next(iter(self._kept)))

    def _find(self, name: bytes) -> _Beginning | None:
        now_s = self._ticks()
        for key in list(self._kept):
            if now_s - self._kept[key].at_s <= LIFE_S:
                break
            self._forget(key)
        return self._kept.get(self._keys.get(name, b""))

    def _forget(self, key: bytes) -> None:
        one = self._kept.pop(key, None)
        if one is not None:
            del self._keys[one.name]
            self._bytes -= len(one.data)


class Upload:
    """One body on its way in. Used by one socket's thread."""

    def __init__(self, beginnings: Beginnings, name: bytes, offset: int) -> None:
        self._beginnings = beginnings
        self._name = name
        self._at = offset
        self._head: bytearray | None = None if name else bytearray()

    def add(self, data: bytes) -> None:
        """The next bytes off the socket."""
        if self._head is not None:
            self._head += data
            if len(self._head) < NAME_AT.stop:
                return
            data = bytes(self._head)
            self._head = None
            self._name = self._beginnings.begin(data)
        if self._name:
            self._beginnings.put(self._name, self._at, data)
        self._at += len(data)
