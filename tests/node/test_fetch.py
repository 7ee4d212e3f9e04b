"""What a station keeps of its content whatever happens to it: damage, lies, a full card, a day's budget."""

from __future__ import annotations

import errno
import random
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from station_world import DAY, MORNING, UNIT, World

from ledger.facts import Manifest, Rendition, local_day, slots, verdict
from ledger.log import CHUNK, Blobs, Ledger, MemoryStore, StoreError, TransportError
from node.clock import Confidence
from node.link.portions import CHUNKS_MAX, HEADS_BYTES, LOT_BYTES_MAX, WHOLE_BEFORE_MORE, Budget, Pace
from node.presence import Moment
from node.room import LOG_RESERVE_BYTES, RESERVE_BYTES
from sim.power import PowerCut, PoweredStore

SIZE = 5 * CHUNK + 1_000


def part(sha: bytes) -> str:
    return f"partial/{sha.hex()}"


def whole(sha: bytes) -> str:
    return f"blobs/{sha.hex()[:2]}/{sha.hex()}"


def audio_of(world: World, manifest: bytes) -> bytes:
    found = Manifest.decode(world.hub.blobs.read(manifest)).audio()
    assert found is not None
    return found.sha256


def planned(
    world: World, size: int = SIZE, minute: int = 420, days: tuple[int, ...] = (DAY,)
) -> tuple[int, bytes]:
    """(series, hash of the sound) of a bulletin that the station must fetch."""
    manifest = world.hub.content(60, size=size, text=f"{minute}")
    bulletin = sha256(b"%d" % minute).digest()[:16]
    world.hub.approve(manifest, bulletin=bulletin)
    return world.hub.schedule(manifest, minute, bulletin=bulletin, late_s=3_000, days=days), audio_of(
        world, manifest
    )


def asked(world: World, sha: bytes) -> list[tuple[int, int]]:
    return [(offset, length) for name, offset, length in world.line.fetched if name == sha]


def came(world: World) -> int:
    """Bytes of content that crossed the line."""
    sizes = world.hub.blobs.size
    return sum(min(length, (sizes(sha) or 0) - offset) for sha, offset, length in world.line.fetched)


def rot(store: MemoryStore, name: str, *offsets: int) -> None:
    data = bytearray(store.read(name) or b"")
    for offset in offsets:
        data[offset] ^= 0x40
    store.write(name, bytes(data))


# -- damage --------------------------------------------------------------------------------------------------


def test_of_a_blob_that_the_disk_damaged_only_the_damaged_chunks_are_fetched_again() -> None:
    world = World()
    series, sha = planned(world)
    world.run_to(400)
    assert Blobs(world.store).has(sha)
    rot(world.store, whole(sha), CHUNK + 7, 3 * CHUNK)
    world.line.fetched.clear()
    world.run_to(470)
    assert asked(world, sha) == [(CHUNK, CHUNK), (3 * CHUNK, CHUNK)]
    assert [sound.series for sound in world.speaker.sounds] == [series]
    assert world.store.names("partial/") == []


def test_of_a_beginning_that_the_disk_damaged_only_the_damaged_chunks_are_fetched_again() -> None:
    world = World()
    _, sha = planned(world)
    passed = 0

    def break_at_the_last() -> None:
        nonlocal passed
        passed += 1
        if passed == 7:
            rot(world.store, part(sha), 5, 2 * CHUNK + 5)
            raise ConnectionAbortedError

    world.line.hook = break_at_the_last
    with pytest.raises(ConnectionAbortedError):
        world.run(600)
    world.line.hook = lambda: None
    assert Blobs(world.store).begun(sha) == 4 * CHUNK
    world.off(5)
    world.line.fetched.clear()
    world.run_to(420)
    assert Blobs(world.store).read(sha)
    again = [offset for offset, _ in asked(world, sha) if offset < 4 * CHUNK]
    assert again == [0, 2 * CHUNK]


def test_a_power_cut_while_a_damaged_file_is_mended_loses_nothing_of_it() -> None:
    world = World()
    _, sha = planned(world)
    world.run_to(400)
    rot(world.store, whole(sha), 4 * CHUNK)
    blobs = Blobs(world.store)
    blobs.set_aside(sha)
    manifest = Manifest.decode(
        world.hub.blobs.read(next(iter(world.station.facts.schedules.values()))[0].fact.manifest)
    )
    sound = manifest.audio()
    assert sound is not None
    assert blobs.recover(sha, sound.chunk_hashes, sound.size) == 4 * CHUNK
    world.off(5)
    world.line.fetched.clear()
    world.run_to(410)
    assert blobs.read(sha)
    assert asked(world, sha) == [(4 * CHUNK, CHUNK)]


# -- lies ----------------------------------------------------------------------------------------------------


def lying(world: World, claim: Rendition) -> None:
    manifest = Manifest((claim,))
    world.hub.blobs.put(manifest.encode())
    world.hub.approve(manifest.sha256, bulletin=b"L" * 16)
    world.hub.schedule(manifest.sha256, 450, bulletin=b"L" * 16)


def claim(sound: bytes, **false: object) -> Rendition:
    true = Rendition.of("audio", "audio/ogg", sound, duration_ms=20_000)
    values = {name: getattr(true, name) for name in true.__dataclass_fields__}
    return Rendition(**(values | false))  # type: ignore[arg-type]


def test_a_manifest_whose_chunks_make_another_whole_is_believed_once_even_over_restarts() -> None:
    world = World()
    sound = random.Random(3).randbytes(SIZE)
    world.hub.blobs.put(sound)
    other = sha256(b"another").digest()
    world.hub.store.write(whole(other), sound)  # a hub that plays along
    lying(world, claim(sound, sha256=other))
    world.run_to(360)
    came = sum(length for _, length in asked(world, other))
    assert came == SIZE
    world.off(5)
    world.run_to(440)
    assert sum(length for _, length in asked(world, other)) == SIZE, "fetched again although proven false"
    assert world.store.names("partial/") == []


@pytest.mark.parametrize("size", [SIZE - 900, SIZE + 900])
def test_a_manifest_that_lies_about_the_size_wastes_no_more_than_its_last_chunk(size: int) -> None:
    world = World()
    sound = random.Random(3).randbytes(SIZE)
    sha = world.hub.blobs.put(sound)
    lying(world, claim(sound, size=size))
    world.run(1_800)
    assert not Blobs(world.store).has(sha)
    assert len(asked(world, sha)) <= 5 + 6
    assert sum(length for _, length in asked(world, sha)) < SIZE + 6 * 2_000 + CHUNK


def test_a_claim_of_64_mib_is_refused_before_the_card_is_touched_when_it_does_not_fit() -> None:
    world = World()
    world.run(60)
    world.store.free = RESERVE_BYTES + 1_000_000
    sound = random.Random(3).randbytes(CHUNK)
    sha = world.hub.blobs.put(sound)
    size = 64 * 1024 * 1024
    lying(world, claim(sound, size=size, chunk_hashes=(sha256(sound).digest(),) * (size // CHUNK)))
    small, small_sha = planned(world, 3_000, 420)
    world.run_to(425)
    assert asked(world, sha) == []
    assert world.store.names("partial/") == []
    assert Blobs(world.store).has(small_sha), "what fits is not held up"
    assert [one.series for one in world.speaker.sounds] == [small]


# -- the line ------------------------------------------------------------------------------------------------


def test_the_beginning_of_a_chunk_is_kept_over_a_power_cut_and_only_the_rest_is_asked_for() -> None:
    world = World()
    _, sha = planned(world)
    real = world.line.fetch

    def breaks(name: bytes, offset: int, length: int) -> bytes:
        if name != sha:
            return real(name, offset, length)
        if world.hub.store.read("broken") is None:
            world.hub.store.write("broken", b"1")
            return real(name, offset, length)[:20_000]
        raise TransportError("link", "the line is down")

    world.line.fetch = breaks  # type: ignore[method-assign]
    world.run(120)
    assert Blobs(world.store).begun(sha) == 20_000
    world.off(5)
    world.line.fetch = real  # type: ignore[method-assign]
    world.line.fetched.clear()
    world.run_to(420)
    assert asked(world, sha)[0] == (20_000, CHUNK - 20_000)
    assert Blobs(world.store).read(sha)


def test_a_false_beginning_costs_its_own_chunk_and_no_other() -> None:
    world = World()
    _, sha = planned(world)
    real = world.line.fetch
    lied: list[int] = []

    def lies_once(name: bytes, offset: int, length: int) -> bytes:
        data = real(name, offset, length)
        if name == sha and offset == 2 * CHUNK and not lied:
            lied.append(offset)
            return bytes(30_000)
        return data

    world.line.fetch = lies_once  # type: ignore[method-assign]
    world.run_to(420)
    assert Blobs(world.store).read(sha)
    offsets = [offset for offset, _ in asked(world, sha)]
    assert offsets[:5] == [0, CHUNK, 2 * CHUNK, 2 * CHUNK + 30_000, 2 * CHUNK]


def test_a_long_manifest_goes_on_where_the_line_broke() -> None:
    world = World()
    sounds = [Rendition.of("document", f"text/x-{n}", bytes([n]) * 10, language="vi") for n in range(15)]
    hashes = tuple(sha256(b"%d" % n).digest() for n in range(600))
    manifest = Manifest((*sounds, claim(b"x", size=600 * CHUNK, chunk_hashes=hashes)))
    data = manifest.encode()
    assert 19_000 < len(data) < 32_768
    world.hub.blobs.put(data)
    world.hub.approve(manifest.sha256)
    world.hub.schedule(manifest.sha256, 420)
    real, broken = world.line.fetch, []

    def breaks(name: bytes, offset: int, length: int) -> bytes:
        got = real(name, offset, length)
        if name == manifest.sha256 and not broken:
            broken.append(1)
            return got[:9_000]
        return got

    world.line.fetch = breaks  # type: ignore[method-assign]
    world.run(300)
    assert [offset for offset, _ in asked(world, manifest.sha256)] == [0, 9_000]
    assert Blobs(world.store).has(manifest.sha256)


def test_answers_grow_while_they_come_whole_and_quickly_and_shrink_at_once() -> None:
    pace = Pace()
    for _ in range(WHOLE_BEFORE_MORE - 1):
        pace.came(CHUNK, CHUNK, 0.1)
    assert pace.chunks == 1
    for _ in range(10):
        pace.came(pace.length, pace.length, 0.1)
    assert pace.chunks == CHUNKS_MAX
    pace.came(pace.length, pace.length, 30.0)
    assert pace.chunks == CHUNKS_MAX // 2
    pace.came(pace.length, pace.length - 1, 0.1)
    assert pace.chunks == 1
    for _ in range(20):
        pace.came(CHUNK, CHUNK, 10.0)
    assert pace.chunks == 1, "a slow line keeps its emergencies waiting for one chunk only"


def test_what_airs_first_comes_first_and_what_is_only_shown_after_everything_heard() -> None:
    world = World(sync_period_s=60)
    later, soon = planned(world, 3 * CHUNK, 500), planned(world, 3 * CHUNK, 400)
    world.run_to(345)
    names = [name for name, _, _ in world.line.fetched]
    assert names.index(soon[1]) < names.index(later[1])
    for series, _ in (later, soon):
        manifest = world.station.facts.schedules[series][0].fact.manifest
        words = Manifest.decode(world.hub.blobs.read(manifest)).text()
        assert words is not None
        assert names.index(words.sha256) > names.index(later[1])


def test_power_cut_before_any_operation_of_the_disk_costs_at_most_one_answer_and_never_the_content() -> None:
    """The power goes before the n-th operation after the first chunk, for each n, then it stays."""
    cuts = 0
    for number in range(1, 60):
        store = PoweredStore()
        world = World(store=store)
        _, sha = planned(world, 3 * CHUNK)
        blobs = Blobs(store)
        armed = False

        def watch(number: int = number, store: PoweredStore = store, blobs: Blobs = blobs) -> None:
            nonlocal armed
            if not armed and blobs.begun(sha) >= CHUNK:  # noqa: B023 — called within this round only
                armed = True
                store.fuse.arm(number)

        world.line.hook = watch
        try:
            world.run_to(360)
        except PowerCut:
            cuts += 1
            store.fuse.reset()
            world.off(5)
            world.run_to(360)
        store.fuse.reset()
        assert blobs.read(sha)
        assert sum(length for _, length in asked(world, sha)) <= 4 * CHUNK, f"cut before operation {number}"
        assert store.names("partial/") == []
    assert cuts > 20


# -- the card ------------------------------------------------------------------------------------------------


class Tight(MemoryStore):
    """A card that finds no room for content once `left` bytes were written, as a real one says it."""

    left = 1 << 40

    def append(self, name: str, data: bytes, at: int) -> None:
        if len(data) > self.left:
            took, self.left = self.left, 0
            super().append(name, data[:took], at)  # what a full disk still took
            failed = StoreError("disk-failed", "OSError: No space left on device", where=name)
            failed.errno = errno.ENOSPC
            raise failed
        self.left -= len(data)
        super().append(name, data, at)


def test_a_card_that_is_full_in_the_middle_of_a_chunk_keeps_what_is_there_and_the_station_on_air() -> None:
    store = Tight()
    world = World(store=store, sync_period_s=300)
    here = world.hub.programme(350)
    world.run_to(345)
    store.left = 2 * CHUNK + 500
    _, sha = planned(world)
    world.run_to(380)
    assert [sound.series for sound in world.speaker.sounds] == [here]
    assert Blobs(store).begun(sha) == 2 * CHUNK + 500
    store.left = 1 << 40
    world.line.fetched.clear()
    world.run_to(425)
    assert asked(world, sha)[0][0] == 2 * CHUNK + 500
    assert Blobs(store).read(sha)


def test_a_card_that_fails_otherwise_ends_the_process_so_that_the_store_is_verified() -> None:
    class Failing(MemoryStore):
        def append(self, name: str, data: bytes, at: int) -> None:
            failed = StoreError("disk-failed", "OSError: Input/output error", where=name)
            failed.errno = errno.EIO
            raise failed

    world = World(store=Failing())
    planned(world)
    with pytest.raises(StoreError, match=r"^disk-failed"):
        world.run(600)


def test_an_emergency_may_use_the_reserve_but_not_what_the_log_needs() -> None:
    world = World(sync_period_s=60)
    world.run(60)
    world.store.free = LOG_RESERVE_BYTES + 1_000
    world.hub.emergency()
    world.run(300)
    assert world.speaker.sounds == []
    world.store.free = LOG_RESERVE_BYTES + 300_000
    world.run(1_200)
    assert len(world.speaker.sounds) == 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_an_order_still_needs_is_never_swept_and_what_none_needs_is(data: st.DataObject) -> None:
    """Random plans, withdrawals and ages: after a sweep all that may still play is here, and no old thing."""
    world = World()
    hub, day = world.hub, st.integers(-60, 400)
    contents: dict[int, tuple[list[int], bytes, bytes]] = {}
    shared = hub.content(10, text="shared")
    for number in range(data.draw(st.integers(1, 6))):
        manifest = shared if data.draw(st.booleans()) else hub.content(10, text=f"{number}")
        first = data.draw(day)
        days = sorted({first, first + data.draw(st.integers(0, 300))})
        bulletin = bytes([number]) * 16
        hub.approve(manifest, bulletin=bulletin, days=700)
        series = hub.schedule(manifest, 400, bulletin=bulletin, days=tuple(DAY + one for one in days))
        contents[series] = (days, manifest, audio_of(world, manifest))
        if data.draw(st.booleans()):
            hub.cancel(series)
    world.run(120)
    blobs = Blobs(world.store)
    for name in hub.blobs.held():
        blobs.put(hub.blobs.read(name))
    stray = blobs.put(b"nobody names this")
    world.store.append(part(sha256(b"a beginning").digest()), b"never ordered", 0)
    behind_days = data.draw(st.sampled_from([1, 30]))
    world.station._fetcher._room.sweep(world.station._moment, behind_days * 86_400)
    keep_from = -behind_days
    for days, manifest, sound in contents.values():
        if max(days) >= keep_from:
            assert blobs.has(manifest), (days, "is still needed")
            assert blobs.has(sound), (days, "is still needed")
        elif not any(m == manifest and max(d) >= keep_from for d, m, _ in contents.values()):
            assert not blobs.has(manifest), (days, "is over")
            assert not blobs.has(sound), (days, "is over")
    assert not blobs.has(stray)
    assert world.store.names("partial/") == []
    facts = world.station.facts
    for slot in slots(facts, UNIT, MORNING - 86_400, MORNING + 700 * 86_400):
        if verdict(facts, slot, slot.start_s) is None and slot.begin_until_s > MORNING:
            assert blobs.has(slot.manifest), "the plan would play this"


def test_nothing_is_swept_while_the_time_is_not_known_or_a_list_is_damaged() -> None:
    world = World()
    _, sha = planned(world)
    world.run_to(400)
    room, moment = world.station._fetcher._room, world.station._moment
    blind = Moment(moment.utc_s + 900 * 86_400, moment.mono_s + 1e6, Confidence.UNKNOWN)
    world.store.free = 0
    assert not room.has_for(1, blind, urgent=False)
    room.tidy(blind)
    assert Blobs(world.store).has(sha)
    manifest = next(iter(world.station.facts.schedules.values()))[0].fact.manifest
    rot(world.store, whole(manifest), 3)
    world.station._fetcher._contents.forget(manifest)
    assert room.sweep(moment, 86_400) == []
    assert Blobs(world.store).has(sha), "its list is lost, so nobody can say that it is not needed"


def test_what_has_been_over_for_a_month_goes_by_itself() -> None:
    world = World(sync_period_s=7_200)
    _, sha = planned(world)
    world.run_to(500)
    assert Blobs(world.store).has(sha)
    world.off(29 * 86_400)
    world.run(3_600)
    assert Blobs(world.store).has(sha)
    world.off(3 * 86_400)
    world.run(3_600)
    assert not Blobs(world.store).has(sha)


# -- the budget ----------------------------------------------------------------------------------------------


def test_a_cap_holds_over_power_cuts_and_ends_with_the_local_day() -> None:
    cap = 3 * CHUNK
    world = World(fetch_day_bytes=cap, sync_period_s=600)
    planned(world, 10 * CHUNK, 20 * 60, (DAY, DAY + 1))
    for _ in range(30):
        world.run(400)
        world.off(5)
    first_day = came(world)
    assert CHUNK < first_day <= cap
    world.line.fetched.clear()
    world.run_to(10, DAY + 1)  # ten past midnight, local time
    assert 0 < came(world) <= cap


class Sim(RuleBasedStateMachine):
    """A budget under power cuts and any clock: between two new days never more than the cap is asked for."""

    CAP = 40 * CHUNK

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.utc_s = float(MORNING)
        self.trusted = True
        self.since_new_day = 0
        self.day = -1
        self.boot()

    def boot(self) -> None:
        ledger = Ledger(self.store.open_db("ledger.db"), entropy=random.Random(1).randbytes, now=lambda: 0)
        self.budget = Budget(ledger, self.CAP)

    def moment(self) -> Moment:
        return Moment(self.utc_s, 0.0, Confidence.NTP if self.trusted else Confidence.UNKNOWN)

    @rule(length=st.integers(1, 16 * CHUNK), share=st.floats(0, 1), cut=st.booleans())
    def fetch(self, length: int, share: float, cut: bool) -> None:
        moment = self.moment()
        if self.trusted:
            day = local_day(self.utc_s)
            if day > self.day:
                self.since_new_day = 0
            self.day = day
        room = self.budget.room(moment)
        assert room is not None
        length = min(length, room)
        if length <= 0:
            return
        self.budget.charge(length, moment)
        self.since_new_day += int(length * share) + HEADS_BYTES
        if cut:
            self.cut()
        else:
            self.budget.used(int(length * share))

    @rule()
    def cut(self) -> None:
        self.store.crash()
        self.boot()

    @rule(days=st.floats(-400, 400))
    def step(self, days: float) -> None:
        self.utc_s = max(0.0, self.utc_s + days * 86_400)

    @rule()
    def trust(self) -> None:
        self.trusted = not self.trusted

    @precondition(lambda self: self.trusted)
    @rule()
    def a_new_day_opens_the_whole_budget(self) -> None:
        self.budget.room(self.moment())
        self.utc_s += 86_400
        assert self.budget.room(self.moment()) == self.CAP - HEADS_BYTES
        self.day, self.since_new_day = local_day(self.utc_s), 0

    @invariant()
    def never_more_than_the_cap(self) -> None:
        assert self.since_new_day <= self.CAP


TestBudget = Sim.TestCase
TestBudget.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_only_a_trusted_clock_that_goes_on_opens_a_new_budget() -> None:
    store = MemoryStore()
    ledger = Ledger(store.open_db("ledger.db"), entropy=random.Random(1).randbytes, now=lambda: 0)
    budget = Budget(ledger, 10 * CHUNK)

    def room(days: float, confidence: Confidence = Confidence.NTP) -> int | None:
        return budget.room(Moment(MORNING + days * 86_400, 0.0, confidence))

    budget.charge(6 * CHUNK, Moment(MORNING, 0.0, Confidence.NTP))
    budget.used(6 * CHUNK)
    left = 4 * CHUNK - 2 * HEADS_BYTES
    assert room(0) == left
    assert room(5, Confidence.UNKNOWN) == left
    assert room(-400, Confidence.UNKNOWN) == left
    assert room(-3) == left, "set back: what was used stays used"
    assert room(-2) == 10 * CHUNK - HEADS_BYTES, "and the next day is a new one"


def test_a_power_cut_costs_at_most_one_lot_of_the_budget() -> None:
    store = MemoryStore()
    cap = 200 * LOT_BYTES_MAX
    now = Moment(MORNING, 0.0, Confidence.NTP)
    before = cap - HEADS_BYTES
    for _ in range(5):
        ledger = Ledger(store.open_db("ledger.db"), entropy=random.Random(1).randbytes, now=lambda: 0)
        budget = Budget(ledger, cap)
        room = budget.room(now)
        assert room is not None
        assert before - room <= LOT_BYTES_MAX + CHUNK + HEADS_BYTES
        before = room
        budget.charge(CHUNK, now)
        store.crash()
