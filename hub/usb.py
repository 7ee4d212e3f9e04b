"""The hub's end of a stick: takes in what stations sent, and writes what they are to get.

`receive` takes in every segment through the same door as a sync, each batch in one transaction with its
entries in the hub's journal, and keeps the newest request of each station. `send` answers the kept requests
of chosen stations: one stick may serve many. Beside the answers lie the decisions they name and the content
that the plan of these stations needs, less what every one of them holds.

The hub goes on meanwhile: its lock is taken for a batch of segments and for the making of an answer, not for
what is read from a stick or written to it.

Nothing about a stick is believed: segments are signed, requests are signed, the list of what a station holds
is named in its request. An old request, or one that was brought before, changes nothing.

Bound: acts. Frames and files are `ledger.log`, words for people `usb_cli`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ledger.facts import Manifest, Right, papers, slots, verdict
from ledger.log import (
    CHUNK,
    BlobError,
    CodecError,
    LoaError,
    LogRef,
    NotAllowed,
    Outcome,
    ProtocolError,
    SegmentError,
    Store,
    bundle,
    errands,
    read_head,
    record_arrivals,
    stick,
    unpack,
)

if TYPE_CHECKING:
    from hub.hub import Hub

FILE_END: Final = ".from-hub" + stick.SUFFIX
MANY: Final = "stations"  # the file's name when it is for more than one
DAYS_AHEAD: Final = 35  # a stick comes once a month, with some days to spare
BEHIND_S: Final = 86_400
BATCH_SEGMENTS: Final = 1024  # in one transaction
BATCH_BYTES: Final = 16 << 20
REQUEST: Final = "usb.request."  # and the key's id in hex: its newest request
HELD: Final = "usb.held."  # what it held then


@dataclass
class Received:
    """What came on a stick. segments: stored because of it; parked: kept until what is before them comes.

    requests: unit → stations' fresh requests now kept. refused: code → count. stale: requests not newer than
    what is kept.
    """

    files: int
    damages: int
    cut: int
    segments: int = 0
    known: int = 0
    parked: int = 0
    stale: int = 0
    requests: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sent:
    """What was written. absent: contents the plan needs and this hub lacks."""

    name: str
    stations: int
    decisions: int
    contents: int
    absent: int
    bytes: int


# -- in ------------------------------------------------------------------------------------------------------


def receive(hub: Hub, source: Store, only: str | None = None) -> Received:
    """Takes in a stick, or one file of it. Raises StoreError when stick or disk fails: repeat then."""
    cargo = stick.look(source, only)
    done = Received(cargo.files, len(cargo.damages), len(cargo.cut))
    for batch in _batches(cargo, done):
        with hub.lock:
            opened = hub.ledger.open_all(_new(hub, batch, done))
            with hub.ledger.transaction():
                admissions = hub.ledger.admit_all(opened, source="usb")
                record_arrivals(hub.ledger, hub.key, admissions, now=hub.now())
        for admission in admissions:
            done.segments += len(admission.stored)
            done.known += admission.outcome is Outcome.KNOWN
            done.parked += admission.outcome is Outcome.PARKED
            if admission.error is not None:
                done.refused[admission.error.code] += 1
    with hub.lock:
        for request in cargo.requests:
            try:
                _keep(hub, request, cargo.held, done)
            except (ProtocolError, SegmentError) as error:
                done.refused[error.code] += 1
        hub.tick()
    return done


def _batches(cargo: stick.Cargo, done: Received) -> Iterator[list[bytes]]:
    """Segments with a readable head, in the stick's order, some at a time."""
    batch: list[bytes] = []
    size = 0
    for sha in cargo.segments:
        raw = cargo.segment(sha)
        if raw is None:
            continue  # the stick changed since it was looked at
        try:
            read_head(raw)
        except LoaError as error:
            done.refused[error.code] += 1
            continue
        batch.append(raw)
        size += len(raw)
        if len(batch) >= BATCH_SEGMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _new(hub: Hub, batch: Sequence[bytes], done: Received) -> list[bytes]:
    """Those that are not here yet: opening the others would cost a signature each."""
    found: list[bytes] = []
    for raw in batch:
        head = read_head(raw)[0]
        if hub.ledger.end_hash(LogRef(head.key_id, head.log_id), head.next_seq) == head.hash:
            done.known += 1
        else:
            found.append(raw)
    return found


def _keep(hub: Hub, request: bytes, held: Sequence[bytes], done: Received) -> None:
    """Keeps a station's request when it is newer than the one kept, and notes that the station came."""
    key_id, asked = errands.read_errand(hub.ledger, request)
    units = hub.facts.authority.units_of(key_id, Right.ACK)
    if not units:
        raise ProtocolError("key-no-station", "this key is no station's", where=key_id.hex(), status=403)
    kept = _kept(hub, key_id)
    if kept is not None and errands.read_errand(hub.ledger, kept)[1].sent_at >= asked.sent_at:
        done.stale += 1
        return
    hub.ingest.exchange(request, now=hub.now())
    with hub.ledger.transaction():
        hub.ledger.put(REQUEST + key_id.hex(), request)
        mark = _mark(asked.status)
        hub.ledger.put(HELD + key_id.hex(), next((h for h in held if bundle.mark_of(h) == mark), b""))
    done.requests.append(units[0])


def _kept(hub: Hub, key_id: bytes) -> bytes | None:
    request = hub.ledger.get(REQUEST + key_id.hex())
    return request if isinstance(request, bytes) else None


def _mark(status: bytes) -> bytes | None:
    """By what a station's status names the list of what it holds: its last item, when it is such a mark."""
    try:
        said = unpack(status, bytes_max=256)
    except CodecError:
        return None
    last = said[-1] if isinstance(said, tuple) and said else None
    return last if isinstance(last, bytes) and len(last) == bundle.MARK_BYTES else None


@dataclass(frozen=True)
class Asked:
    """A station whose request is kept. at: UTC s of the station's clock, when it was made."""

    unit: str
    at: int


def asked(hub: Hub) -> list[Asked]:
    """Stations that can be answered by stick, the newest request of each, by unit."""
    found: dict[str, int] = {}
    with hub.lock:
        for key in hub.facts.authority.keys():  # noqa: SIM118 — not a mapping
            request = _kept(hub, key.key_id)
            if request is None:
                continue
            sent_at = errands.read_errand(hub.ledger, request)[1].sent_at
            for unit in hub.facts.authority.units_of(key.key_id, Right.ACK):
                if unit in hub.facts.stations:
                    found[unit] = max(sent_at, found.get(unit, 0))
    return [Asked(unit, found[unit]) for unit in sorted(found)]


# -- out -----------------------------------------------------------------------------------------------------


@dataclass
class _Load:
    """What a stick will carry. contents: SHA-256 → bytes."""

    replies: list[bytes] = field(default_factory=list)
    positions: dict[int, None] = field(default_factory=dict)
    contents: dict[bytes, int] = field(default_factory=dict)
    absent: set[bytes] = field(default_factory=set)


def send(
    hub: Hub, units: Iterable[str], target: Store, name: str = "", *, days: int = DAYS_AHEAD,
    bytes_max: int = stick.FILE_BYTES_MAX,
) -> Sent:  # fmt: skip
    """Writes one bundle for these stations. days: how far ahead their content is wanted.

    NotAllowed: `station-unknown`; `usb-unasked` when a station's request never came; `usb-large` beyond
    bytes_max. StoreError: `stick-full`, `stick-lost`. Then nothing was written.
    """
    wanted = list(dict.fromkeys(units))
    with hub.lock:
        asked = {unit: _newest_request(hub, unit) for unit in wanted}
        unasked = [unit for unit, request in asked.items() if request is None]
        if unasked:
            raise NotAllowed(
                "usb-unasked", f"no request of {', '.join(unasked)} ever came here",
                hint="first carry a stick from the station: loa node usb export, then loa hub usb import",
            )  # fmt: skip
        load = _Load()
        for unit, request in asked.items():
            assert request is not None
            _add_station(hub, load, unit, request, days)
        segments = [
            bundle.frame(bundle.Kind.SEGMENT, hub.ledger.tables.segment_at(position)[1])
            for position in load.positions
        ]
        messages = [bundle.frame(bundle.Kind.REPLY, reply) for reply in load.replies]
        # What is small and dear lies at the beginning and at the end: one scratch does not reach both.
        small = [*messages, *segments]
        pieces = sum(-(-size // CHUNK) for size in load.contents.values())
        needed = (
            2 * sum(map(len, small))
            + stick.framed_bytes(sum(load.contents.values()) + pieces * bundle.PIECE_HEAD_BYTES, pieces)
            + 4 * bundle.HEAD_BYTES
            + 128
        )
    if needed > bytes_max:
        raise NotAllowed(
            "usb-large", f"{needed} bytes, at most {bytes_max}", hint="fewer stations, or fewer days"
        )
    name = name or (wanted[0] if len(wanted) == 1 else MANY) + FILE_END
    size = stick.write(target, name, _frames(hub, load, small), needed)
    return Sent(name, len(wanted), len(segments), len(load.contents), len(load.absent), size)


def _newest_request(hub: Hub, unit: str) -> bytes | None:
    """The newest kept request of a key that speaks for this station. NotAllowed("station-unknown")."""
    if unit not in hub.facts.stations:
        raise NotAllowed(
            "station-unknown", f"{unit!r} is no registered station", hint="see the list of stations"
        )
    found: list[tuple[int, bytes]] = []
    for key in hub.facts.authority.keys():  # noqa: SIM118 — not a mapping
        request = _kept(hub, key.key_id)
        if request is not None and unit in hub.facts.authority.units_of(key.key_id, Right.ACK):
            found.append((errands.read_errand(hub.ledger, request)[1].sent_at, request))
    return max(found)[1] if found else None


def _add_station(hub: Hub, load: _Load, unit: str, request: bytes, days: int) -> None:
    errand = errands.answer_errand(
        hub.ledger, hub.key, request, now=hub.now(), audiences_of=hub.ingest.audiences_of
    )
    load.replies += errand.replies
    load.positions |= dict.fromkeys(errand.positions)
    kept = hub.ledger.get(HELD + errands.read_errand(hub.ledger, request)[0].hex())
    try:
        held = bundle.read_held(kept) if isinstance(kept, bytes) else frozenset()
    except ProtocolError:
        held = frozenset()  # the station signed the mark of something that is no list: it gets everything
    for name in _manifests(hub, unit, days):
        for sha in _contents(hub, name, load.absent):
            if sha[: bundle.HELD_BYTES] not in held:
                size = hub.blobs.size(sha)
                if size is None:
                    load.absent.add(sha)
                else:
                    load.contents[sha] = size


def _manifests(hub: Hub, unit: str, days: int) -> list[bytes]:
    """What the station's plan names from yesterday on, most urgent first; then its documents."""
    now = hub.now()
    found = [
        slot
        for slot in slots(hub.facts, unit, now - BEHIND_S, now + days * 86_400)
        if slot.begin_until_s > now and verdict(hub.facts, slot, max(now, slot.start_s)) is None
    ]
    found.sort(key=lambda slot: (-slot.level if slot.emergency else 0, slot.start_s, slot.series))
    documents = (paper.manifest for paper in papers(hub.facts, unit))
    return list(dict.fromkeys([*(slot.manifest for slot in found), *documents]))


def _contents(hub: Hub, name: bytes, absent: set[bytes]) -> list[bytes]:
    """A manifest and everything it names."""
    try:
        manifest = Manifest.decode(hub.blobs.read(name))
    except (BlobError, CodecError):
        absent.add(name)
        return []
    return [name, *(one.sha256 for one in manifest.renditions)]


def _frames(hub: Hub, load: _Load, small: Sequence[bytes]) -> Iterator[bytes]:
    writer = bundle.Writer(hub.key.key_id, hub.now())
    yield writer.begin
    for framed in small:
        yield writer.add(framed)
    for sha, size in load.contents.items():
        for offset in range(0, size, CHUNK):
            try:
                data = hub.blobs.read_range(sha, offset, min(CHUNK, size - offset))
            except BlobError:
                load.absent.add(sha)  # dropped meanwhile: nothing needs it any more
                break
            yield writer.add(bundle.piece(sha, offset, data))
    for framed in small:
        yield writer.add(framed)
    yield writer.end()
