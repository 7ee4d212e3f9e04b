"""A station that is visited by a stick instead of a network: what it sends along, what it takes from one.

`send` puts onto the stick a request that stays good until it is answered, every report the hub is not known
to hold, and a list of the content that is here. `receive` takes the hub's answer: decisions, receipts, and
then the content that the plan names. Both run while the station's process stands still, on its own store.

The stick is believed in nothing. Decisions come in through the hub's signed answer to a request of this very
station, by the same door as over a network (`ledger.log.errands`); content is taken when a decision that
counts names it, chunk by chunk, each checked before it touches the disk. So a forged, foreign or old stick
changes nothing, and one that is pulled out leaves what was taken so far.

An answer by stick says what the time was when the hub wrote it: a lower bound, never the time. A box that
does not know the time plays nothing by itself because of a stick, emergencies included.

Bound: no clock, no file beyond the two stores. Words for people are in `usb_cli`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from ledger.facts import (
    Condition,
    EmergencyOrdered,
    Facts,
    Manifest,
    Rendition,
    ancestors,
    at,
    audience_of,
    covers,
    needed_manifests,
)
from ledger.log import (
    CHUNK,
    BlobError,
    Blobs,
    CodecError,
    Ledger,
    ProtocolError,
    Receipt,
    Store,
    VerifyKey,
    bundle,
    errands,
    pack,
    stick,
    unpack,
)
from node.config import load_config, load_key
from node.fetch import LIST_BYTES_MAX, NO_ROOM
from node.presence import LOW
from node.room import RESERVE_BYTES
from node.station import DB_NAME, SOFTWARE

FILE_END: Final = ".from-station" + stick.SUFFIX


@dataclass(frozen=True)
class Sent:
    """What was written. segments: of reports; bytes: of the file."""

    name: str
    segments: int
    bytes: int


@dataclass
class Received:
    """What a stick brought. refused: a stable code when its answer was not believed, else "".

    missing: decisions that wait for the next stick, because one before them was damaged. contents: whole
    ones that came; wanting: named by the plan and still not whole; no_room: pieces left on the stick for want
    of space.
    """

    files: int
    damages: int
    cut: int
    refused: str = ""
    hub_time: int = 0
    decisions: int = 0
    receipts: tuple[Receipt, ...] = ()
    missing: int = 0
    unread: int = 0
    contents: int = 0
    wanting: int = 0
    no_room: int = 0
    strange: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.refused or self.damages or self.cut or self.missing or self.unread or self.no_room)


class Visit:
    """One visit of a stick at a stopped station. now: UTC s of its clock, right or wrong.

    Raises StoreError.
    """

    def __init__(self, store: Store, *, now: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        self.config = load_config(store)
        self._store = store
        self._key = load_key(store)
        self._entropy = entropy
        self._clock_now = now
        roots = [VerifyKey(root) for root in self.config.roots]
        self._hub = VerifyKey(self.config.hub_key)
        self.facts = Facts(roots)
        self.ledger = Ledger(
            store.open_db(DB_NAME), entropy=entropy, now=self._now, software=SOFTWARE,
            audience_of=audience_of, on_admit=self.facts.admit, on_rollback=self._reload,
        )  # fmt: skip
        for key in (*roots, self._hub, self._key.verify_key):
            self.ledger.trust(key)
        self._reload()
        self._blobs = Blobs(store)

    def _reload(self) -> None:
        self.facts.load(self.ledger)

    def _low(self) -> int:
        low_s = self.ledger.get(LOW, 0)
        assert isinstance(low_s, int)
        return low_s

    def _now(self) -> int:
        """The clock's word, but never before the newest signed time."""
        return max(0, self._clock_now(), self._low())

    # -- away ------------------------------------------------------------------------------------------------

    def send(self, target: Store, name: str = "") -> Sent:
        """Writes this station's bundle onto a stick. name: of the file; by the unit when empty."""
        held = bundle.held_list(self._blobs.held())
        request = errands.make_errand(
            self.ledger, self._key, nonce=self._entropy(8), now=self._now(), status=self._status(held)
        )
        segments = list(errands.to_carry(self.ledger, self._key.key_id))
        messages = [bundle.frame(bundle.Kind.REQUEST, request), bundle.frame(bundle.Kind.HELD, held)]
        frames = [
            *messages, *(bundle.frame(bundle.Kind.SEGMENT, raw) for raw in segments), *messages,
        ]  # fmt: skip
        name = name or self.config.unit + FILE_END
        needed = sum(map(len, frames)) + 2 * bundle.HEAD_BYTES + 64
        size = stick.write(target, name, self._bound(frames), needed)
        return Sent(name, len(segments), size)

    def _bound(self, frames: Iterable[bytes]) -> Iterable[bytes]:
        writer = bundle.Writer(self._key.key_id, self._now())
        yield writer.begin
        for framed in frames:
            yield writer.add(framed)
        yield writer.end()

    def _status(self, held: bytes) -> bytes:
        """A station's condition as far as it shows at rest, and by what the list of contents is known."""
        condition = Condition(volume=self.config.volume, software=SOFTWARE)
        known = unpack(condition.encode(), bytes_max=256)
        assert isinstance(known, tuple)
        return pack([*known, bundle.mark_of(held)])

    # -- and back --------------------------------------------------------------------------------------------

    def receive(self, source: Store, only: str | None = None) -> Received:
        """Takes what a stick brings; every step is durable before the next. only: one file of it.

        What is damaged, foreign or old is told in the result. Raises StoreError for either disk.
        """
        cargo = stick.look(source, only)
        done = Received(cargo.files, len(cargo.damages), len(cargo.cut))
        self._take_answer(cargo, done)
        self._take_contents(cargo, done)
        return done

    def _take_answer(self, cargo: stick.Cargo, done: Received) -> None:
        try:
            with self.ledger.transaction():
                carried = errands.accept_errand(
                    self.ledger, self._key, self._hub, cargo.replies, cargo.segment
                )
                if carried.accepted.hub_time > self._low():
                    self.ledger.put(LOW, carried.accepted.hub_time)
        except ProtocolError as error:
            done.refused = error.code if cargo.replies else "stick-no-answer"
            return
        accepted = carried.accepted
        done.hub_time = accepted.hub_time
        done.decisions, done.receipts = accepted.admitted, accepted.receipts
        done.missing, done.unread = carried.missing, len(accepted.unread)
        done.strange = [log.log_id.hex() for log in accepted.strange]

    def _take_contents(self, cargo: stick.Cargo, done: Received) -> None:
        for name, urgent in self.wanted():
            try:
                whole = self._take_content(cargo, name, urgent, done)
            except BlobError:
                whole = (
                    False  # the disk holds something else under this hash: a later visit or sync repairs it
                )
            done.wanting += not whole

    def _take_content(self, cargo: stick.Cargo, name: bytes, urgent: bool, done: Received) -> bool:
        manifest = self._manifest(cargo, name)
        if manifest is None:
            return False
        # Every one, also behind one that is not whole.
        taken = [self._take_rendition(cargo, one, urgent, done) for one in manifest.renditions]
        return all(taken)

    def _manifest(self, cargo: stick.Cargo, name: bytes) -> Manifest | None:
        """The manifest of this hash, from here or from the stick."""
        if not self._blobs.has(name):
            data = _assembled(cargo, name)
            if data is None:
                return None
            self._blobs.put(data)
        try:
            return Manifest.decode(self._blobs.read(name))
        except CodecError:
            return None

    def _take_rendition(self, cargo: stick.Cargo, one: Rendition, urgent: bool, done: Received) -> bool:
        """Every piece that is here and not yet held, in order, each checked against the manifest."""
        name = one.sha256
        if self._blobs.has(name):
            return True
        while (offset := self._blobs.partial(name)) < one.size and self._blobs.begun(name) < one.size:
            places = cargo.pieces.get((name, offset), ())
            if places and not urgent and self._store.free_bytes() < RESERVE_BYTES + CHUNK:
                done.no_room += 1
                return False
            # Twice: a wrong beginning of this chunk, left by a broken line, is dropped by the first try.
            if not any(self._add(one, offset, place, done) for place in (*places, *places)):
                return False
        self._blobs.finish(name, one.chunk_hashes)
        done.contents += 1
        return True

    def _add(self, one: Rendition, offset: int, place: stick.Place, done: Received) -> bool:
        if place.length != min(CHUNK, one.size - offset):
            return False
        try:
            self._blobs.add(one.sha256, offset, place.read(), one.chunk_hashes, one.size)
        except BlobError:
            return False  # not what was approved: forged, or changed since it was looked at
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            done.no_room += 1
            return False
        return True

    def wanted(self) -> list[tuple[bytes, bool]]:
        """(manifest, is an emergency's) of every order for this unit that may still play, most urgent first.

        Judged by the newest signed time, not by the clock, which may be years wrong where a stick is used.
        """
        facts, unit = self.facts, self.config.unit
        needed = needed_manifests(facts, self._low(), unit)
        found: dict[bytes, tuple[int, int]] = {}
        for order in (order for orders in facts.orders.values() for order in orders):
            fact = order.fact
            if fact.manifest not in needed or not covers(fact.territory, unit):
                continue
            if isinstance(fact, EmergencyOrdered):
                urgency = -fact.level, fact.not_before
            elif self._is_approved(fact.bulletin, fact.manifest):
                urgency = 0, at(fact.first_day)
            else:
                continue
            if facts.withdrawal_of(order, unit) is None:
                found[fact.manifest] = min(urgency, found.get(fact.manifest, urgency))
        return [(name, found[name][0] < 0) for name in sorted(found, key=lambda name: (found[name], name))]

    def _is_approved(self, bulletin: bytes, manifest: bytes) -> bool:
        above = ancestors(self.config.unit)
        return any(
            one.fact.manifest == manifest and one.fact.territory in above
            for one in self.facts.approvals.get(bulletin, ())
        )


def _assembled(cargo: stick.Cargo, name: bytes) -> bytes | None:
    """A small content put together from its pieces, when they give exactly this hash."""
    data = b""
    while len(data) < LIST_BYTES_MAX and len(data) % CHUNK == 0:
        places = cargo.pieces.get((name, len(data)), ())
        if not places:
            return None
        pieces = [place.read() for place in places]
        for piece in pieces:
            if sha256(data + piece).digest() == name:
                return data + piece
        data += pieces[0]
    return None
