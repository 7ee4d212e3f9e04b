"""Stations that never had a network, a hub, and a stick between them: both real, the stick in memory."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hub_house import DAY, SOUND, TU_LE, VIET_THANH, XUAN_AI, House, entropy_from
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import usb as hub_usb
from hub.media import Upload
from hub.usb import Received, Sent
from ledger.facts import Acknowledged, Evidence, Outcome, at, papers, read
from ledger.log import Blobs, Image, LoaError, MemoryStore, NotAllowed, StoreError, bundle, stick
from ledger.log.bundle import HEAD_BYTES, Kind, Scan
from node import Confidence, SystemClock, begin, finish
from node.stick.usb import Visit, alone


class Afar:
    """A station's store, visited by sticks only; it was enrolled at the office and taken home."""

    def __init__(self, house: House, unit: str = TU_LE) -> None:
        self.house = house
        self.unit = unit
        self.store = MemoryStore()
        self.visits = 0
        token = house.hub.commands.new_station_token(house.admin, unit, now=house.now).text
        request = begin(self.store, token, entropy=entropy_from(f"afar/{house.seed}/{unit}"))
        status, reply = house.hub.enrol(request)
        assert status == 200
        finish(self.store, request, reply, token=token, hub_url="http://never.example")

    def visit(self) -> Visit:
        """Somebody starts the command: another process."""
        self.visits += 1
        return alone(
            self.store,
            clock=SystemClock(lambda: self.house.now, lambda: self.visits, lambda: Confidence.UNKNOWN),
            entropy=entropy_from(f"{self.house.seed}/{self.unit}/{self.visits}"),
        )

    def report(self, series: int, day: int = DAY) -> None:
        fact = Acknowledged(
            ts=at(day, 17 * 60) + 1, series=series, day=day, content=bytes(16), jitter_cs=100, played_ds=40,
            outcome=int(Outcome.PLAYED), detail=0, evidence=int(Evidence.DELIVERED), volume=80, clusters=None,
        )  # fmt: skip
        visit = self.visit()
        visit.ledger.append(visit._key, fact.encode())

    def export(self, target: MemoryStore) -> None:
        self.visit().send(target)

    def decisions(self) -> list[bytes]:
        visit = self.visit()
        return [e for s in visit.ledger.since(0, decisions_only=True) for e in s.segment.events]

    def unreceipted(self) -> int:
        visit = self.visit()
        return len(visit.ledger.unreceipted(visit._key.key_id)) + visit.ledger.pending_count(
            visit._key.key_id
        )

    def dump(self) -> list[str]:
        return [*self.store.open_db("ledger.db").iterdump(), *self.store.names("")]


def hub_dump(house: House) -> list[str]:
    return list(house.store.open_db("ledger.db").iterdump())


def reports(house: House) -> list[int]:
    """The series of every acknowledgment at the hub."""
    facts = [signed.fact for stored in house.hub.ledger.since(0) for signed in read(stored)]
    return [fact.series for fact in facts if isinstance(fact, Acknowledged)]


def to_hub(house: House, source: MemoryStore) -> Received:
    house.restart()
    return hub_usb.receive(house.hub, source)


def to_stations(house: House, *units: str, target: MemoryStore | None = None) -> tuple[MemoryStore, Sent]:
    house.restart()
    target = MemoryStore() if target is None else target
    return target, hub_usb.send(house.hub, units, target)


def asked(house: House, *stations: Afar) -> None:
    """A first stick of each of these came to the hub."""
    there = MemoryStore()
    for one in stations:
        one.export(there)
    done = to_hub(house, there)
    assert sorted(done.requests) == sorted(one.unit for one in stations)


@pytest.fixture
def house() -> House:
    return House("usb")


def test_one_stick_serves_two_stations_that_never_had_a_network(house: House) -> None:
    first, second = Afar(house), Afar(house, XUAN_AI)
    here = house.scheduled(house.approved(territory=TU_LE), territory=TU_LE)
    everywhere = house.scheduled()
    there = MemoryStore()
    for station, series in ((first, 5), (second, 6)):
        station.report(series)
        station.export(there)
    done = to_hub(house, there)
    assert (done.segments, done.known, done.parked, done.damages, done.cut) == (2, 0, 0, 0, 0)
    assert done.requests == [XUAN_AI, TU_LE]
    assert sorted(reports(house)) == [5, 6]

    stick_back, sent = to_stations(house, TU_LE, XUAN_AI)
    assert (sent.stations, sent.absent, sent.name) == (2, 0, "stations.from-hub.loa")
    for station in (first, second):
        got = station.visit().receive(stick_back)
        assert got.is_clean
        assert got.decisions > 0
        assert len(got.receipts) == 1
        assert station.unreceipted() == 0
        assert got.wanting == 0
        visit = station.visit()
        assert (here in visit.facts.schedules) == (station is first)
        assert everywhere in visit.facts.schedules
        for name, _ in visit.wanted():
            assert Blobs(station.store).has(name)
    assert SOUND in [Blobs(first.store).read(sha) for sha in Blobs(first.store).held()]
    assert house.hub.ledger.verify().problems == []


def test_a_document_and_its_file_come_by_stick_too(house: House) -> None:
    station = Afar(house)
    house.hub.commands.issue_document(
        house.approver, kind="directive", number="15/CV", issuer="Sở", issued_day=DAY, title="Tuyên truyền",
        summary="", category="", file=Upload(b"%PDF-1.4 a letter"), territory="vn.yb", due_day=None,
        now=house.now,
    )  # fmt: skip
    asked(house, station)
    back, _ = to_stations(house, TU_LE)
    assert station.visit().receive(back).is_clean
    (paper,) = papers(station.visit().facts, TU_LE)
    held = Blobs(station.store)
    assert held.has(paper.manifest)
    assert b"%PDF-1.4 a letter" in [held.read(sha) for sha in held.held()]


def test_the_second_trip_carries_only_new_decisions_and_only_content_that_is_lacking(house: House) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    station.visit().receive(to_stations(house, TU_LE)[0])
    held = len(Blobs(station.store).held())
    house.scheduled(house.approved(text="Tin mới", audio=SOUND), days=[DAY + 1])
    asked(house, station)
    back, sent = to_stations(house, TU_LE)
    assert sent.decisions == 2, "an approval and a schedule"
    assert sent.contents == 2, "a manifest and a text; the sound is there already"
    got = station.visit().receive(back)
    assert got.is_clean
    assert len(Blobs(station.store).held()) == held + 2


def test_grants_withdrawals_and_revocations_are_learnt_by_stick(house: House) -> None:
    station = Afar(house)
    bulletin = house.approved()
    house.scheduled(bulletin)
    asked(house, station)
    station.visit().receive(to_stations(house, TU_LE)[0])
    assert station.visit().wanted()

    house.hub.commands.create_account(
        house.admin, account="moi", name="Lò Thị Mai", role="approver", territory="vn.yb",
        password="matkhau-2022", now=house.now,
    )  # fmt: skip
    newcomer = house.hub.accounts.unlock("moi", "matkhau-2022", now=house.now).key_id
    house.hub.commands.withdraw(house.approver, bulletin, reason="sai", now=house.now)
    gone = house.officer("bientap").key.key_id
    house.later(10)
    house.hub.commands.revoke_key(house.admin, gone.hex(), reason="mất máy", hub=house.hub.key, now=house.now)
    assert station.visit().facts.authority.key(newcomer) is None
    asked(house, station)
    station.visit().receive(to_stations(house, TU_LE)[0])
    facts = station.visit().facts
    assert facts.authority.key(newcomer) is not None
    assert facts.authority.endings_of(gone)
    assert all(facts.withdrawal_of(one, TU_LE) for one in facts.approvals[bytes.fromhex(bulletin)])


def test_a_station_that_never_asked_cannot_be_answered_and_the_hub_says_so(house: House) -> None:
    Afar(house)
    with pytest.raises(NotAllowed, match="usb-unasked"):
        to_stations(house, TU_LE)
    with pytest.raises(NotAllowed, match="station-unknown"):
        to_stations(house, "vn.yb.99999")


def test_what_came_by_stick_is_journalled_and_seen_as_if_it_had_come_by_network(house: House) -> None:
    station = Afar(house)
    station.report(5)
    house.later(3_600)
    asked(house, station)
    (own,) = [s for s in house.hub.ledger.since(0) if s.segment.head.key_id == station.visit()._key.key_id]
    assert house.hub.ledger.tables.journal(own.position) is not None
    assert house.hub.queries.station(TU_LE).last_contact_at == house.now


# -- damage --------------------------------------------------------------------------------------------------


def loaded(house: House, reported: int = 3) -> tuple[Afar, bytes]:
    """A station with reports in several segments, and its bundle."""
    station = Afar(house)
    for series in range(1, reported + 1):
        station.report(series)
        visit = station.visit()
        visit.ledger.seal(visit._key)
    there = MemoryStore()
    station.export(there)
    (name,) = there.names("")
    data = there.read(name)
    assert data is not None
    return station, data


class Memory:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


def places(data: bytes, kind: Kind) -> list[tuple[int, int]]:
    return [(f.at - HEAD_BYTES, f.at + len(f.body)) for f in Scan(Memory(data)).frames() if f.kind == kind]


def one_file(data: bytes) -> MemoryStore:
    store = MemoryStore()
    store.write("any-name.loa", data)
    return store


def test_a_damaged_byte_at_the_hub_costs_the_segment_it_lies_in_and_nothing_else(house: House) -> None:
    station, data = loaded(house)
    image = house.store.snapshot()
    spots = {
        f"{kind.name} {part}": begin + offset
        for kind in Kind
        for begin, end in places(data, kind)[:2]
        for part, offset in (("magic", 1), ("length", 12), ("check", 15), ("body", (end - begin) // 2 + 11))
    }
    segments = places(data, Kind.SEGMENT)
    assert len(segments) == 3
    for name, spot in spots.items():
        house.store.restore(image)
        broken = data[:spot] + bytes((data[spot] ^ 0x10,)) + data[spot + 1 :]
        done = to_hub(house, one_file(broken))
        hit = [begin <= spot < end for begin, end in segments]
        assert done.damages == 1, name
        assert done.segments == 3 - sum(hit), name
        assert sorted(reports(house)) == [n + 1 for n in range(3) if not hit[n]], name
        assert done.requests == [TU_LE], f"{name}: the request lies there twice"
        assert not done.refused
    asked(house, station)
    assert sorted(set(reports(house))) == [1, 2, 3]


def test_a_bundle_cut_at_every_64_bytes_gives_exactly_the_segments_before_the_cut(house: House) -> None:
    _, data = loaded(house)
    image = house.store.snapshot()
    segments = places(data, Kind.SEGMENT)
    for end_at in range(0, len(data), 64):
        house.store.restore(image)
        done = to_hub(house, one_file(data[:end_at]))
        assert done.segments == sum(end <= end_at for _, end in segments)
        assert done.cut == 1


def test_a_segment_lost_on_the_way_is_sent_again_with_the_next_stick(house: House) -> None:
    station, data = loaded(house)
    begin, end = places(data, Kind.SEGMENT)[1]
    to_hub(house, one_file(data[:begin] + bytes(end - begin) + data[end:]))
    assert sorted(reports(house)) == [1, 3], "each start of a process writes a log of its own"
    back, _ = to_stations(house, TU_LE)
    got = station.visit().receive(back)
    assert len(got.receipts) == 2
    assert station.unreceipted() == 1
    asked(house, station)
    assert sorted(reports(house)) == [1, 2, 3]


@given(st.floats(0, 1), st.integers(0, 400), st.binary(max_size=60))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_to_the_bytes_the_hub_takes_the_undamaged_segments_and_only_refuses(
    where: float, length: int, junk: bytes
) -> None:
    house, raw, image = prepared()
    house.store.restore(image)
    begin = round(where * len(raw))
    end = min(len(raw), begin + length)
    broken = raw[:begin] + junk + raw[end:]
    done = to_hub(house, one_file(broken))
    assert done.segments == sum(raw[first:last] in broken for first, last in places(raw, Kind.SEGMENT))
    assert house.hub.ledger.verify().problems == []


_PREPARED: list[tuple[House, bytes, Image]] = []


def prepared() -> tuple[House, bytes, Image]:
    if not _PREPARED:
        house = House("damage")
        _, raw = loaded(house)
        _PREPARED.append((house, raw, house.store.snapshot()))
    return _PREPARED[0]


# -- old, foreign, forged ------------------------------------------------------------------------------------


def test_a_stick_that_was_taken_in_before_changes_nothing_at_the_hub(house: House) -> None:
    station = Afar(house)
    station.report(5)
    old, new = MemoryStore(), MemoryStore()
    station.export(old)
    house.later(60)
    station.report(6)
    station.export(new)
    to_hub(house, new)
    seen = house.hub.queries.station(TU_LE)
    before = hub_dump(house)
    house.later(60)
    for stale in (old, new, old):
        done = to_hub(house, stale)
        assert (done.segments, done.stale, done.requests) == (0, 1, [])
    assert hub_dump(house) == before
    assert house.hub.queries.station(TU_LE).last_contact_at == seen.last_contact_at


def test_a_stick_for_another_station_changes_nothing_at_this_one(house: House) -> None:
    first, second = Afar(house), Afar(house, XUAN_AI)
    house.scheduled()
    asked(house, first, second)
    back, _ = to_stations(house, XUAN_AI)
    before = first.dump()
    got = first.visit().receive(back)
    assert got.refused == "reply-unawaited"
    assert first.dump() == before


def test_a_stick_of_another_hub_changes_nothing_at_station_or_hub(house: House) -> None:
    other = House("another province")
    station, foreign = Afar(house), Afar(other)
    other.scheduled()
    asked(other, foreign)
    back, _ = to_stations(other, TU_LE)
    asked(house, station)
    before = station.dump()
    assert station.visit().receive(back).refused == "reply-unawaited"
    assert station.dump() == before
    there = MemoryStore()
    foreign.report(5)
    foreign.export(there)
    at_hub = hub_dump(house)
    done = to_hub(house, there)
    assert set(done.refused) == {"key-unknown"}
    assert hub_dump(house) == at_hub


def test_a_stick_taken_in_twice_changes_nothing_the_second_time(house: House) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    back, _ = to_stations(house, TU_LE)
    assert station.visit().receive(back).is_clean
    before = station.dump()
    assert station.visit().receive(back).refused == "reply-unawaited"
    assert station.dump() == before


def test_content_that_no_decision_names_or_that_is_not_what_it_names_is_left_on_the_stick(
    house: House,
) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    back, sent = to_stations(house, TU_LE)
    (name,) = back.names("")
    data = back.read(name)
    assert data is not None
    sound = sha256(SOUND).digest()
    back.write("forged.loa", bundle.piece(sound, 0, b"x" * 65_536) + bundle.piece(bytes(32), 0, b"other"))
    got = station.visit().receive(back)
    assert got.wanting == 0
    assert got.contents >= 2
    assert len(Blobs(station.store).held()) == sent.contents, "nothing besides what the plan names"
    assert Blobs(station.store).read(sound) == SOUND


def test_segments_without_the_hub_s_answer_are_not_taken_because_their_order_is_not_known(
    house: House,
) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    back, _ = to_stations(house, TU_LE)
    (name,) = back.names("")
    data = back.read(name)
    assert data is not None
    loose = b"".join(data[begin:end] for begin, end in reversed(places(data, Kind.SEGMENT)))
    before = station.dump()
    got = station.visit().receive(one_file(loose))
    assert got.refused == "stick-no-answer"
    assert station.dump() == before


def test_a_list_of_what_is_held_that_its_station_did_not_sign_for_is_ignored(house: House) -> None:
    station = Afar(house)
    house.scheduled()
    there = MemoryStore()
    station.export(there)
    names = sorted(sha for sha in house.hub.blobs.held())
    there.write("forged.loa", bundle.frame(Kind.HELD, bundle.held_list(names)))
    to_hub(house, there)
    _, sent = to_stations(house, TU_LE)
    assert sent.contents > 0


# -- pulled out ----------------------------------------------------------------------------------------------


class Pulled(MemoryStore):
    """A stick that is gone after so many reads."""

    left = 1 << 30

    def read_at(self, name: str, offset: int, length: int) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError(5, "Input/output error")
        return super().read_at(name, offset, length)


def pulled(source: MemoryStore, left: int) -> Pulled:
    broken = Pulled()
    for name in source.names(""):
        data = source.read(name)
        assert data is not None
        broken.write(name, data)
    broken.left = left
    return broken


def at_every_read(act: Callable[[Pulled], object], source: MemoryStore) -> int:
    """Calls `act` with a stick that is gone after 0, 1, 2 … reads until it is not gone."""
    for left in range(200):
        try:
            act(pulled(source, left))
        except StoreError as error:
            if error.code != "stick-lost":
                raise
        else:
            return left
    raise AssertionError("no end")


def test_a_stick_pulled_out_at_any_moment_loses_nothing_at_the_hub(house: House) -> None:
    _, data = loaded(house)
    image = house.store.snapshot()

    def act(broken: Pulled) -> None:
        house.store.restore(image)
        house.restart()
        try:
            hub_usb.receive(house.hub, broken)
        finally:
            house.store.crash()
            to_hub(house, one_file(data))
            assert sorted(reports(house)) == [1, 2, 3]

    assert at_every_read(act, one_file(data)) >= 3


def test_a_stick_pulled_out_at_any_moment_loses_nothing_at_the_station(house: House) -> None:
    station = Afar(house)
    house.scheduled(house.approved(audio=long_sound()))
    asked(house, station)
    back, _ = to_stations(house, TU_LE)
    image = station.store.snapshot()
    wanted: list[list[bytes]] = []

    def act(broken: Pulled) -> None:
        station.store.restore(image)
        try:
            station.visit().receive(broken)
        finally:
            station.store.crash()
            station.visit().receive(back)  # put in again: an answer counts once, content goes on
            wanted.append(station.decisions())
            assert wanted[-1] == wanted[0] != []
            assert all(Blobs(station.store).has(name) for name, _ in station.visit().wanted())
            assert len(Blobs(station.store).held()) == 3

    assert at_every_read(act, back) >= 5


def long_sound() -> bytes:
    """A recording of some chunks that passes for one."""
    rate, seconds = 8_000, 30
    pcm = random.Random(1).randbytes(rate * seconds)
    head = b"RIFF" + (36 + len(pcm)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = (1).to_bytes(2, "little") * 2 + rate.to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return head + form + (8).to_bytes(2, "little") + b"data" + len(pcm).to_bytes(4, "little") + pcm


def test_a_damaged_piece_costs_its_content_the_rest_of_the_trip_and_the_next_stick_ends_it(
    house: House,
) -> None:
    station = Afar(house)
    house.scheduled(house.approved(audio=long_sound()))
    asked(house, station)
    back, _ = to_stations(house, TU_LE)
    (name,) = back.names("")
    data = back.read(name)
    assert data is not None
    sound = sha256(long_sound()).digest()
    third = data.index(sound + (2 * 65_536).to_bytes(8, "big"))
    got = station.visit().receive(one_file(data[: third + 500] + b"????" + data[third + 504 :]))
    assert (got.wanting, got.damages, got.missing) == (1, 1, 0)
    assert Blobs(station.store).begun(sound) == 2 * 65_536
    asked(house, station)
    assert station.visit().receive(to_stations(house, TU_LE)[0]).wanting == 0
    assert Blobs(station.store).read(sound) == long_sound()


def test_a_stick_that_is_too_small_is_refused_and_stays_as_it_was(house: House) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    small = MemoryStore(free_bytes=stick.SPARE_BYTES + 1_000)
    with pytest.raises(StoreError, match="stick-full"):
        to_stations(house, TU_LE, target=small)
    assert small.names("") == []


def test_a_hub_that_lost_a_content_says_so_and_sends_the_rest(house: House) -> None:
    station = Afar(house)
    house.scheduled()
    asked(house, station)
    house.hub.blobs.delete(sha256(SOUND).digest())
    _, sent = to_stations(house, TU_LE)
    assert sent.absent == 1
    assert sent.contents == 2


@given(st.binary(max_size=3_000))
@settings(max_examples=20, deadline=None)
def test_any_file_at_all_is_only_refused(data: bytes) -> None:
    house, _, image = prepared()
    house.store.restore(image)
    try:
        done = to_hub(house, one_file(data))
    except LoaError:
        return
    assert (done.segments, done.requests) == (0, [])


# -- the commands --------------------------------------------------------------------------------------------


def test_the_commands_carry_a_stick_from_a_station_to_the_hub_and_back(tmp_path: Path) -> None:
    import json

    from click.testing import CliRunner

    from hub.cli import hub
    from ledger.log import DiskStore
    from node.cli import node

    def run(group: object, *words: str | Path) -> str:
        done = CliRunner().invoke(group, [str(w) for w in words], env={"LOA_PASSWORD": "quantri-2022"})  # type: ignore[arg-type]
        assert done.exit_code == 0, done.output
        return done.output

    office, box, usb = tmp_path / "hub", tmp_path / "box", tmp_path / "usb"
    run(hub, "init", "--dir", office, "--demo-accounts", "--cheap-kdf")
    table = tmp_path / "stations.csv"
    table.write_text(f"unit,name,kind\n{TU_LE},Xã Tú Lệ,it\n", "utf-8")
    run(hub, "stations", "import", "--dir", office, table)
    (token,) = json.loads(run(hub, "token", "--dir", office, "--json", TU_LE))
    from hub import Hub, load_config

    store, station = DiskStore(office), DiskStore(box)
    house = Hub(
        store, config=load_config(store), clock_now=lambda: int(time.time()), entropy=entropy_from("cli")
    )
    request = begin(station, token["token"], entropy=entropy_from("box"))
    finish(station, request, house.enrol(request)[1], token=token["token"], hub_url="http://never.example")
    store.close()
    station.close()

    assert f"{TU_LE}.from-station.loa" in run(node, "usb", "export", "--dir", box, usb)
    assert f"{TU_LE} asks" in run(hub, "usb", "import", "--dir", office, usb)
    assert "1 stations" in run(hub, "usb", "export", "--dir", office, "--station", TU_LE, usb)
    said = json.loads(run(node, "usb", "import", "--dir", box, "--json", usb))
    assert said["decisions"] > 0
    assert (said["refused"], said["damages"], said["cut"]) == ("", 0, 0)
    again = CliRunner().invoke(node, ["usb", "import", "--dir", str(box), str(usb)])
    assert again.exit_code == 20
    assert "Carry a fresh request" in again.output
    one = usb / "one.loa"
    run(node, "usb", "export", "--dir", box, one)
    assert one.exists()
    assert VIET_THANH not in run(hub, "usb", "import", "--dir", office, one)
