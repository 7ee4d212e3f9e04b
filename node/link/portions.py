"""How much content is asked for at once, how much in a day, and how much a station says in one request.

`Pace`: one chunk an answer while the line is bad, up to sixteen while it is good. A large answer saves round
trips and disk writes, but what is under way when the power goes is lost, and an emergency must wait for its
end. So it grows only after several answers in a row came whole and quickly, and is one chunk again after
anything else.

`Budget`: the daily cap of a metered SIM. Bytes are charged on the disk *before* they are asked for, in lots,
so that a power cut can make a day's budget smaller and never larger. A day begins when a trusted clock says
so; a clock that steps back keeps what was used, and without a trusted clock no day ends.

`Portion`: segments in the next request. An emergency in the reply waits for the request's end, so on a slow
line it is small, and small as well where requests are lost whole. Short of that it is large: a request costs
half a kilobyte besides its segments.

Bound: numbers only. Emergencies are charged too, and asked for all the same; `fetch.py` sees to that.
"""

from __future__ import annotations

from typing import Final

from ledger.facts import local_day
from ledger.log import CHUNK, CodecError, Ledger, pack, unpack
from node.presence import Moment

CHUNKS_MAX: Final = 16
# An answer must have taken less than this for the next to be larger: an emergency waits for twice of it.
QUICK_S: Final = 5.0
# More than this, and the next answer is half as large.
SLOW_S: Final = 20.0
WHOLE_BEFORE_MORE: Final = 4
# Of segments in a request: a month of acknowledgments is 3 kB; 32 kB are 16 s at 2 kB/s.
PORTION_BYTES: Final = 32_768
PORTION_BYTES_MIN: Final = 4_096
PORTION_BYTES_MAX: Final = 262_144
# What a request for content and the head of its answer cost, TLS and TCP aside; see docs/spec/blobs.md.
HEADS_BYTES: Final = 512
# Of a budget of d bytes a day, d/64 are charged at once: a power cut costs at most that.
LOTS_A_DAY: Final = 64
LOT_BYTES_MAX: Final = 1 << 20
RECORD_BYTES_MAX: Final = 64

BUDGET: Final = "node.fetch.budget"


class Pace:
    """Chunks in the next answer."""

    def __init__(self) -> None:
        self.chunks = 1
        self._whole = 0

    @property
    def length(self) -> int:
        """Bytes to ask for, when the beginning lies on a chunk's border."""
        return self.chunks * CHUNK

    def came(self, asked: int, got: int, took_s: float) -> None:
        """An answer of `got` bytes to a request for `asked`, took_s seconds after it."""
        if got < asked:
            self.broke()
            return
        if took_s > SLOW_S:
            self.chunks = max(1, self.chunks // 2)
            self._whole = 0
            return
        self._whole += 1
        if self._whole >= WHOLE_BEFORE_MORE and took_s < QUICK_S:
            self.chunks = min(CHUNKS_MAX, self.chunks * 2)

    def broke(self) -> None:
        """Less than was asked for, or nothing."""
        self.chunks = 1
        self._whole = 0


class Portion:
    """Bytes of segments in the next request; one segment goes in any case."""

    def __init__(self) -> None:
        self.bytes = PORTION_BYTES

    def came(self, size: int, took_s: float) -> None:
        """A request of `size` bytes was answered, took_s seconds after it was first sent."""
        if took_s > SLOW_S:
            self.bytes = max(PORTION_BYTES_MIN, self.bytes // 2)
        elif took_s < QUICK_S and 2 * size >= self.bytes:
            self.bytes = min(PORTION_BYTES_MAX, self.bytes * 2)

    def broke(self) -> None:
        """A request was lost, and nothing of it is at the hub."""
        self.bytes = max(PORTION_BYTES_MIN, self.bytes // 2)


class Budget:
    """cap_bytes: of content, its heads included, in a local day; 0 = no cap, and nothing is written down."""

    def __init__(self, ledger: Ledger, cap_bytes: int) -> None:
        self._ledger = ledger
        self._cap_bytes = cap_bytes
        self._lot = max(1, min(LOT_BYTES_MAX, cap_bytes // LOTS_A_DAY))
        self._day, self._charged = _read(ledger.get(BUDGET))
        self._used = self._charged  # what of the last lot was used before the power went is not known

    def room(self, moment: Moment) -> int | None:
        """Bytes of content that may still be asked for today in one answer; None without a cap."""
        if not self._cap_bytes:
            return None
        self._turn(moment)
        return max(0, self._cap_bytes - self._used - HEADS_BYTES)

    def charge(self, length: int, moment: Moment) -> None:
        """Durably sets `length` bytes and their heads aside before they are asked for; again is free."""
        if not self._cap_bytes:
            return
        self._turn(moment)
        needed = self._used + length + HEADS_BYTES
        if needed > self._charged:
            self._charged = max(needed, min(needed + self._lot, self._cap_bytes))
            self._save()

    def used(self, length: int) -> None:
        """So many bytes of content came."""
        self._used += length + HEADS_BYTES

    def _turn(self, moment: Moment) -> None:
        if not moment.trusted:
            return
        day = local_day(moment.utc_s)
        if day > self._day >= 0:
            self._used = self._charged = 0
        if day != self._day:
            self._day = day
            self._save()

    def _save(self) -> None:
        self._ledger.put(BUDGET, pack([self._day, self._charged]))


def _read(kept: object) -> tuple[int, int]:
    """(local day, bytes charged) of the record; a day long ago when there is none."""
    if isinstance(kept, bytes):
        try:
            values = unpack(kept, bytes_max=RECORD_BYTES_MAX)
        except CodecError:
            values = ()
        match values:
            case (int(day), int(charged)) if charged >= 0:
                return day, charged
    return -1, 0
