"""A commune's own bulletins, end to end: a real station, its people, a real hub, the real rounds between."""

from __future__ import annotations

import random
import sys
from itertools import permutations
from pathlib import Path

import pytest
from hub_house import DAY, MORNING, PROVINCE, TU_LE, VIET_THANH, XUAN_AI, House, dump, entropy_from

sys.path.insert(0, str(Path(__file__).parent.parent / "node"))  # the station's own world of the tests

from commune_office import CHEAP, PIN
from station_world import Loudspeaker, TestClock

from hub import Officer
from ledger.facts import Granted, Outcome, Right, at, booking
from ledger.log import (
    BlobError,
    Ledger,
    MemoryStore,
    NotAllowed,
    SigningKey,
    Stored,
    TransportError,
    VerifyKey,
    unpack,
)
from node import InlineCourier, Meter, Station
from node.config import load_config
from node.enrol import begin, finish
from node.page.bulletins import Bulletins
from node.page.office import CONSOLE, Office, Person
from node.page.people import ROLES

NINE = 9 * 60


class HubLine:
    """A station's line to a real hub."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.down = False
        self.meter = Meter()
        self.statuses: list[int] = []

    def _up(self) -> None:
        if self.down:
            raise TransportError("link", "the line is down")

    def exchange(self, body: bytes) -> bytes:
        self._up()
        status, reply = self.house.hub.sync(body)
        self.statuses.append(status)
        if status != 200:
            raise TransportError("refused", str(unpack(reply, bytes_max=4096)))
        return reply

    def enrol(self, body: bytes) -> bytes:
        self._up()
        return self.house.hub.enrol(body)[1]

    def fetch(self, sha256: bytes, offset: int, length: int) -> bytes:
        self._up()
        try:
            return self.house.hub.blob_range(sha256, offset, length)
        except BlobError as error:
            raise TransportError("blob-absent", error.what) from error


class Commune:
    """One station with Lan and Pao, both granted by the hub's administrator over the line."""

    def __init__(self, house: House, unit: str = TU_LE) -> None:
        self.house, self.unit = house, unit
        self.line = HubLine(house)
        self.clock = TestClock(float(house.now))
        self.store = MemoryStore()
        token = house.hub.commands.new_station_token(house.admin, unit, now=house.now)
        request = begin(self.store, token.text, entropy=entropy_from(f"enrol/{unit}"))
        finish(self.store, request, self.line.enrol(request), token=token.text, hub_url="http://hub")
        self.starts = 0
        self.tokens: dict[str, str] = {}
        self.boot()
        for name, role in (("Lan", "officer"), ("Pao", "approver")):
            row, code = self.office.add(name, role, None, CONSOLE)
            fresh = self.office.fresh(row.id)
            self.tokens[name] = self.office.begin(row.id, code, fresh, fresh.wrap(PIN), CONSOLE)
            self.grant(name, ROLES[role])
        self.run(1_800)

    def boot(self) -> None:
        self.starts += 1
        self.speaker = Loudspeaker(self.clock)
        self.station = Station(
            load_config(self.store), self.store, self.clock, InlineCourier(self.line), self.speaker,
            entropy=entropy_from(f"{self.unit}/{self.starts}"), rng=random.Random(self.starts),
        )  # fmt: skip
        self.office = Office(self.station, cost=CHEAP)

    def grant(self, name: str, rights: Right) -> None:
        row = self.office.people.named(name)
        assert row is not None
        assert row.pub is not None
        admin, now = self.house.admin, self.house.now
        label = f"{name} {self.unit}"
        fact = Granted(now, row.pub, int(rights), self.unit, now - 86_400, now + 400 * 86_400, 0, label)
        with self.house.hub.lock:
            self.house.hub.ledger.append_sealed(admin.key, fact.encode())
        self.house.hub.tick()

    def who(self, name: str) -> Person:
        found = self.office.person(self.tokens[name]) if name in self.tokens else None
        if found is None or not found.unlocked:
            row = self.office.people.named(name)
            assert row is not None
            self.tokens[name] = self.office.login(row.id, PIN)
            found = self.office.person(self.tokens[name])
        assert found is not None
        return found

    @property
    def desk(self) -> Bulletins:
        return Bulletins(self.office)

    def run(self, seconds: float) -> None:
        """Time passes for the station and the hub alike."""
        end_s = self.clock.utc_s + seconds
        for _ in range(200_000):
            self.house.now = int(self.clock.utc_s)
            wait_s = self.station.tick()
            left_s = end_s - self.clock.utc_s
            if left_s <= 0:
                self.house.hub.tick()
                return
            self.clock.pass_s(min(wait_s, left_s))
        raise AssertionError("the station asks to be called without end")

    def run_to(self, minute: int, day: int) -> None:
        self.run(at(day, minute) - self.clock.utc_s)

    def approved(self, title: str = "Lịch tiêm phòng") -> bytes:
        bulletin = self.desk.draft(
            self.who("Lan"), title=title, category="y-te", text="Mời bà con đến trạm y tế.", from_day=DAY,
            until_day=DAY + 30,
        )  # fmt: skip
        self.desk.submit(self.who("Lan"), bulletin)
        content = self.desk.life(bulletin).content
        self.desk.approve(self.who("Pao"), bulletin, version=1, manifest=content.manifest)
        return bulletin


@pytest.fixture
def house() -> House:
    return House()


def rebuilt_is_the_same(house: House) -> None:
    house.hub.tick()
    before = dump(house.hub)
    house.hub.rebuild()
    assert dump(house.hub) == before


def test_a_week_without_network_and_then_the_hub_has_the_decisions_their_signers_and_the_as_run(
    house: House,
) -> None:
    commune = Commune(house)
    commune.line.down = True
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.who("Lan"), bulletin, days=range(DAY + 1, DAY + 8), minute=NINE)
    commune.run_to(NINE + 30, DAY + 7)
    assert [one.series for one in commune.speaker.sounds] == [series] * 7
    assert house.hub.queries.bulletins(territory=TU_LE) == []
    commune.line.down = False
    commune.run(3_600)
    page = house.hub.queries.bulletin(bulletin.hex())
    assert [(deed.what, deed.who.name, deed.applied, deed.verified) for deed in page.deeds] == [
        ("drafted", f"Lan {TU_LE}", True, True),
        ("submitted", f"Lan {TU_LE}", True, True),
        ("approved", f"Pao {TU_LE}", True, True),
        ("scheduled", f"Lan {TU_LE}", True, True),
    ]
    assert (page.row.state, page.row.origin, page.row.here) == ("approved", "commune", False)
    assert page.row.author.name == f"Lan {TU_LE}"
    assert [(run.day, run.outcome) for run in reversed(page.as_run)] == [
        (day, Outcome.PLAYED) for day in range(DAY + 1, DAY + 8)
    ]
    counts = house.hub.queries.counts()
    assert (counts["refused"], counts["strays"], counts["malformed"], counts["queue"]) == (0, 0, 0, 0)
    assert house.hub.facts.refused == []
    assert set(commune.line.statuses) == {200}
    rebuilt_is_the_same(house)


def test_what_waits_at_a_commune_does_not_wait_at_the_hub(house: House) -> None:
    commune = Commune(house)
    bulletin = commune.desk.draft(
        commune.who("Lan"),
        title="Họp thôn",
        category="thong-bao",
        text="Tối mai.",
        from_day=DAY,
        until_day=DAY,
    )
    commune.desk.submit(commune.who("Lan"), bulletin)
    commune.run(3_600)
    assert house.hub.queries.bulletin(bulletin.hex()).row.state == "submitted"
    assert house.hub.queries.queue() == []
    with pytest.raises(NotAllowed) as refused:
        house.hub.commands.approve(
            house.approver, bulletin.hex(), version=1, manifest=b"m" * 32, now=house.now
        )
    assert refused.value.code == "bulletin-unknown"


def test_the_plan_of_the_hub_shows_a_communes_bulletin_as_the_station_does(house: House) -> None:
    commune = Commune(house)
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY + 1], minute=NINE)
    commune.run(3_600)
    said = house.hub.queries.explain(TU_LE, at(DAY + 1, NINE))
    assert said.winner is not None
    assert (said.winner.series, said.winner.title) == (series, "Lịch tiêm phòng")
    (cell,) = [one for one in house.hub.queries.week(DAY, unit=TU_LE) if one.series == series]
    assert cell.territory == TU_LE
    assert house.hub.queries.week(DAY, unit=XUAN_AI) == []


def test_the_province_withdraws_a_communes_bulletin_at_its_desk_once(house: House) -> None:
    commune = Commune(house)
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY + 1], minute=NINE)
    commune.run(3_600)
    house.hub.commands.withdraw(house.approver, bulletin.hex(), reason="Sai nội dung", now=house.now)
    with pytest.raises(NotAllowed) as refused:
        house.hub.commands.withdraw(house.approver, bulletin.hex(), reason="Sai nội dung", now=house.now)
    assert refused.value.code == "withdrawn"
    commune.run_to(NINE + 30, DAY + 1)
    assert commune.speaker.sounds == []
    assert commune.desk.life(bulletin).state == "withdrawn"
    page = house.hub.queries.bulletin(bulletin.hex())
    assert (page.row.state, [one.state for one in page.series]) == ("withdrawn", ["withdrawn"])
    assert page.removed == 1
    assert series in {one.series for one in page.series}
    rebuilt_is_the_same(house)


def test_the_province_calls_off_one_series_of_a_commune_and_the_bulletin_may_be_scheduled_again(
    house: House,
) -> None:
    commune = Commune(house)
    bulletin = commune.approved()
    first = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY + 1], minute=NINE)
    commune.run(3_600)
    house.hub.commands.cancel_schedule(house.approver, first, reason="Trùng giờ", now=house.now)
    commune.run(3_600)
    second = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY + 1], minute=NINE + 30)
    commune.run_to(NINE + 60, DAY + 1)
    assert [one.series for one in commune.speaker.sounds] == [second]
    states = {one.series: one.state for one in house.hub.queries.bulletin(bulletin.hex()).series}
    assert states == {first: "cancelled", second: "active"}


def test_an_editor_does_not_withdraw_a_communes_bulletin(house: House) -> None:
    commune = Commune(house)
    bulletin = commune.approved()
    commune.run(3_600)
    for officer in (house.editor, house.admin):
        with pytest.raises(NotAllowed) as refused:
            house.hub.commands.withdraw(officer, bulletin.hex(), reason="x", now=house.now)
        assert refused.value.code == "no-right"


def test_two_communes_with_one_series_number_keep_their_own_bulletins_and_results(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.page.bulletins.draw_series", lambda *_, **__: booking.COMMUNE_SERIES + 7)
    first, second = Commune(house, TU_LE), Commune(house, VIET_THANH)
    first.run(second.clock.utc_s - first.clock.utc_s)
    made = []
    for commune, minute in ((first, NINE), (second, NINE + 30)):
        bulletin = commune.approved(f"Tin của {commune.unit}")
        series = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY], minute=minute)
        made.append((commune, bulletin, series, minute))
    assert made[0][2] == made[1][2]
    for commune in (second, first):
        commune.run_to(NINE + 60, DAY)
    for commune, bulletin, series, minute in made:
        page = house.hub.queries.bulletin(bulletin.hex())
        (run,) = page.as_run
        assert (run.unit, run.title) == (commune.unit, f"Tin của {commune.unit}")
        assert run.planned_at == at(DAY, minute)
        assert {deed.territory for deed in page.deeds} <= {commune.unit, ""}
        assert house.hub.queries.series(series, unit=commune.unit).territory == commune.unit
        assert [row.unit for row in house.hub.queries.as_run(bulletin=bulletin.hex())] == [commune.unit]
    house.hub.commands.cancel_schedule(
        house.approver, made[0][2], reason="thôi", territory=VIET_THANH, now=house.now
    )
    states = {one.territory: one.state for one in house.hub.queries.all_series()}
    assert states == {TU_LE: "active", VIET_THANH: "cancelled"}
    rebuilt_is_the_same(house)


def test_what_one_person_called_off_after_another_ordered_it_is_called_off_at_the_hub_too(
    house: House,
) -> None:
    commune = Commune(house)
    commune.line.down = True
    commune.desk.withdraw(commune.who("Pao"), commune.approved("Cũ"), "để nhật ký của Páo có trước")
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.who("Lan"), bulletin, days=[DAY + 1], minute=NINE)
    commune.desk.cancel(commune.who("Pao"), series, "Trùng giờ")
    commune.line.down = False
    commune.run(3_600)
    assert commune.station.facts.withdrawal_of(commune.station.facts.orders[series][0], TU_LE) is not None
    assert house.hub.facts.withdrawal_of(house.hub.facts.orders[series][0], TU_LE) is not None
    assert house.hub.queries.series(series).state == "cancelled"


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_logs_of_a_commune_in_any_order_end_in_the_same_bulletin(
    house: House, order: tuple[int, ...]
) -> None:
    commune = Commune(house)
    commune.line.down = True
    bulletin = commune.approved()
    ledger: Ledger = commune.station.ledger
    logs: list[list[Stored]] = [
        [stored for log in ledger.frontier(commune.who(name).key_id) for stored in ledger.segments_of(log, 0)]
        for name in ("Lan", "Pao")
    ]
    with house.hub.lock:
        for nth in order:
            for stored in logs[nth]:
                house.hub.ledger.ingest(stored.segment.raw, source="test")
    house.hub.tick()
    page = house.hub.queries.bulletin(bulletin.hex())
    assert (page.row.state, page.row.author.name, page.row.title) == (
        "approved", f"Lan {TU_LE}", "Lịch tiêm phòng",
    )  # fmt: skip
    assert all(deed.applied for deed in page.deeds)
    rebuilt_is_the_same(house)


def test_an_approval_that_was_here_before_its_authors_own_draft_is_taken_back(house: House) -> None:
    commune = Commune(house)
    commune.grant("Lan", Right.DRAFT | Right.APPROVE)
    commune.run(1_800)
    commune.line.down = True
    lan = commune.who("Lan")
    bulletin = commune.desk.draft(
        lan, title="Một mình", category="khac", text="Tự duyệt.", from_day=DAY, until_day=DAY
    )
    life = commune.desk.life(bulletin)
    forged = life.then(life.submit(house.now), lan.key_id).approve(
        house.now, b"somebody", "x", version=1, manifest=life.content.manifest, account_of=lambda key: ""
    )
    draft = next(iter(commune.station.ledger.segments_of(*_last(commune.station.ledger, lan.key_id))))
    first = commune.office.sign(lan, forged)
    hub_ledger = house.hub.ledger
    held = [stored for log in commune.station.ledger.frontier(lan.key_id)
            for stored in commune.station.ledger.segments_of(log, 0)]  # fmt: skip
    with house.hub.lock:
        for stored in held:
            if stored.position not in (draft.position, first.position):
                hub_ledger.ingest(stored.segment.raw, source="test", feed=True)
        hub_ledger.ingest(first.segment.raw, source="test", feed=True)
        house.hub.tick()
        assert house.hub.queries.bulletin(bulletin.hex()).row.state == "approved"
        hub_ledger.ingest(draft.segment.raw, source="test", feed=True)
    house.hub.tick()
    page = house.hub.queries.bulletin(bulletin.hex())
    assert page.row.state == "draft"
    (approval,) = [deed for deed in page.deeds if deed.what == "approved"]
    assert (approval.applied, approval.why) == (False, "self-approved")
    rebuilt_is_the_same(house)


def _last(ledger: Ledger, key_id: bytes) -> tuple[object, int]:
    """The newest log of a key and its last number."""
    log, head = list(ledger.frontier(key_id).items())[-1]
    return log, head.next_seq - 1


__all__ = ["MORNING", "PROVINCE", "Officer", "SigningKey", "VerifyKey"]
