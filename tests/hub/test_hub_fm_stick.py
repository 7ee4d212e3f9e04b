"""Rule 16: the stick of an FM station plays on anything, is what was approved, and brings words back."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hub_house import DAY, SOUND, TU_LE, YEN_THINH, House

from hub.enrolment import window_of
from hub.fm_stick import LEDGER, LIST, SHEET, SUMS, write_fm
from hub.usb import receive
from ledger.facts import Attested, Granted, Outcome, Right, Scheduled, parse, peek_type, slot_at, slot_code
from ledger.log import (
    Ledger,
    MemoryStore,
    NotAllowed,
    Segment,
    SigningKey,
    StoreError,
    bundle,
    open_segment,
    stick,
)
from ledger.log.bundle import Kind

MONDAY = DAY - 2
FOLDER = f"fm-{YEN_THINH}-2022-11-07"


@pytest.fixture
def house() -> House:
    """Three days of one recording at 17:00."""
    house = House("fm-stick")
    house.scheduled(days=[DAY, DAY + 1, DAY + 2])
    return house


def written(house: House) -> tuple[MemoryStore, dict[str, bytes]]:
    target = MemoryStore()
    write_fm(house.hub, YEN_THINH, target, MONDAY)
    found = {}
    for name in target.names(FOLDER + "/"):
        data = target.read(name)
        assert data is not None
        found[name.removeprefix(FOLDER + "/")] = data
    return target, found


def test_the_recordings_lie_in_the_order_of_play_and_are_exactly_what_was_approved(house: House) -> None:
    _, files = written(house)
    sounds = [name for name in sorted(files) if name.endswith(".wav")]
    assert sounds == [
        "001-t4-09-11-17h00-phong-chay-chua-chay-rung-mua-hanh-kho.wav",
        "002-t5-10-11-17h00-phong-chay-chua-chay-rung-mua-hanh-kho.wav",
        "003-t6-11-11-17h00-phong-chay-chua-chay-rung-mua-hanh-kho.wav",
    ]
    assert all(files[name] == SOUND for name in sounds)
    assert files[LIST].decode().splitlines() == ["#EXTM3U", *sounds]


def test_the_sums_name_every_file(house: House) -> None:
    _, files = written(house)
    listed = dict(reversed(line.split("  ")) for line in files[SUMS].decode().splitlines())
    assert set(listed) == set(files) - {SUMS}
    assert all(sha256(files[name]).hexdigest() == digest for name, digest in listed.items())


def test_the_sheet_beside_them_has_the_same_numbers_and_the_codes(house: House) -> None:
    _, files = written(house)
    page = files[SHEET].decode()
    (series,) = house.hub.facts.orders
    for number, day in enumerate((DAY, DAY + 1, DAY + 2), start=1):
        slot = slot_at(house.hub.facts, YEN_THINH, series, day)
        assert slot is not None
        assert slot_code(slot) in page
        assert f"{number:03d}" in page
    assert "Tệp số" in page


def test_the_decisions_lie_beside_as_signed(house: House) -> None:
    target, files = written(house)
    target.write("look.loa", files[LEDGER])
    facts = []
    for frame in bundle.Scan(stick.StickFile(target, "look.loa")).frames():
        if frame.kind == Kind.SEGMENT:
            segment: Segment = open_segment(frame.body, house.hub.ledger.key_of)
            facts += [parse(event) for event in segment.events]
    assert any(isinstance(fact, Scheduled) for fact in facts)
    assert all(peek_type(fact.encode()) != 6 for fact in facts), "drafts stay at the hub"


def test_what_is_not_at_this_hub_is_named_by_its_line(house: House) -> None:
    (order,) = next(iter(house.hub.facts.orders.values()))
    sound = next(
        one.sha256
        for one in house.hub.queries.bulletin(order.fact.bulletin.hex()).renditions  # type: ignore[union-attr]
        if one.kind == "audio"
    )
    house.hub.blobs.delete(bytes.fromhex(sound))
    done = write_fm(house.hub, YEN_THINH, MemoryStore(), MONDAY)
    assert (done.lines, done.absent) == (3, (1, 2, 3))


def test_a_full_stick_is_noticed_before_anything_is_written(house: House) -> None:
    class Small(MemoryStore):
        def free_bytes(self) -> int:
            return 4_096

    target = Small()
    with pytest.raises(StoreError) as refused:
        write_fm(house.hub, YEN_THINH, target, MONDAY)
    assert refused.value.code == "stick-full"
    assert target.names("") == []


def test_a_stick_that_gives_back_other_bytes_is_not_called_good(house: House) -> None:
    class Worn(MemoryStore):
        def read(self, name: str) -> bytes | None:
            data = super().read(name)
            return None if data is None else data[:-1] + bytes((data[-1] ^ 1,))

    with pytest.raises(StoreError) as refused:
        write_fm(house.hub, YEN_THINH, Worn(), MONDAY)
    assert refused.value.code == "stick-bad"


def test_an_unknown_station_gets_no_stick(house: House) -> None:
    with pytest.raises(NotAllowed) as refused:
        write_fm(house.hub, "vn.yb.00000", MemoryStore(), MONDAY)
    assert refused.value.code == "station-unknown"


def test_a_word_that_comes_back_on_a_stick_becomes_the_row_of_its_slot(house: House) -> None:
    """Signed at the commune by its own officer, whose right the province gave; no network was there."""
    (series,) = house.hub.facts.orders
    slot = slot_at(house.hub.facts, YEN_THINH, series, DAY)
    assert slot is not None
    duty = SigningKey.from_seed(b"D" * 32)
    window = window_of(house.hub.facts, house.admin.key.key_id, house.now)
    grant = Granted(house.now, duty.verify_key.raw, int(Right.ATTEST), YEN_THINH, *window, 0, "Bà Mỷ")
    house.hub.ledger.append_sealed(house.admin.key, grant.encode())
    house.now = slot.start_s + 3_600
    there = Ledger(MemoryStore().open_db("l.db"), entropy=lambda n: b"\7" * n, now=lambda: house.now)
    there.trust(duty.verify_key)
    there.append_sealed(
        duty,
        Attested(
            house.now,
            YEN_THINH,
            series,
            DAY,
            slot.manifest[:16],
            int(Outcome.PLAYED),
            0,
            slot.start_s,
            40,
            0,
            "",
        ).encode(),
    )
    source = MemoryStore()
    writer = bundle.Writer(duty.key_id, house.now)
    frames = [writer.add(bundle.frame(Kind.SEGMENT, stored.segment.raw)) for stored in there.since(0)]
    source.write("tu-xa.loa", b"".join([writer.begin, *frames, writer.end()]))
    done = receive(house.hub, source)
    assert (done.segments, dict(done.refused)) == (len(frames), {})
    (row,) = house.hub.queries.as_run(unit=YEN_THINH)
    assert (row.played_ds, row.means) == (40, 0)
    assert house.hub.queries.as_run(unit=TU_LE) == []
