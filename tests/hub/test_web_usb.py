"""The USB page: a station's bundle handed in by a browser, its answer fetched, everything else refused."""

from __future__ import annotations

import importlib
import io
import random
import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hub_usb import Afar
from test_web_house import PASSWORDS, Browser, House, build

from hub.web.handed import Handed
from ledger.log import MemoryStore, NotAllowed, StoreError, bundle, stick
from ledger.log.bundle import Kind, Scan

page: Any = importlib.import_module("hub.web.pages.usb")  # its package names the blueprint so
TU_LE, XUAN_AI = "vn.yb.04630", "vn.yb.04441"


@pytest.fixture
def house() -> House:
    return build("usb")


def afar(house: House, unit: str = TU_LE) -> Afar:
    """A station that was enrolled at the office and went home."""
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    office: Any = SimpleNamespace(hub=house.hub, admin=admin, now=house.clock[0], seed="usb")
    return Afar(office, unit)


def away(station: Afar) -> bytes:
    target = MemoryStore()
    station.export(target)
    (name,) = target.names("")
    data = target.read(name)
    assert data is not None
    return data


def hand_in(desk: Browser, data: bytes, name: str = "tram.loa") -> Browser:
    desk.get("/usb")
    return desk.press("/usb/nhan", bundle=(io.BytesIO(data), name))


def frames(data: bytes) -> list[tuple[int, bytes]]:
    store = MemoryStore()
    store.write("x.loa", data)
    return [(one.kind, one.body) for one in Scan(stick.StickFile(store, "x.loa")).frames()]


def bound(parts: list[tuple[int, bytes]]) -> bytes:
    writer = bundle.Writer(b"k" * 8, 0)
    told = b"".join(writer.add(bundle.frame(Kind(kind), body)) for kind, body in parts)
    return writer.begin + told + writer.end()


# -- the trip ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ["bientap", "lanhdao", "admin"])
def test_a_stick_comes_in_through_the_page_and_its_answer_goes_out_as_a_file(
    house: House, account: str
) -> None:
    station = afar(house)
    station.report(1)
    desk = house.browser(account)
    assert "Chưa có trạm nào gửi thư yêu cầu" in desk.get("/tram").get("/usb").words
    hand_in(desk, away(station))
    assert desk.status == 200
    assert "Có thư yêu cầu của" in desk.words
    assert "đoạn ký mới" in desk.words
    assert desk.form("/usb/tra-loi").fields["units"] == [TU_LE], "what was just handed in is ticked"
    desk.press("/usb/tra-loi")
    assert desk.page is not None
    assert desk.page.headers["Content-Disposition"] == f'attachment; filename="{TU_LE}.from-hub.loa"'
    assert desk.page.headers["Content-Type"] == "application/octet-stream"
    back = MemoryStore()
    back.write("back.loa", desk.page.get_data())
    desk.page.close()
    got = station.visit().receive(back)
    assert got.is_clean
    assert got.decisions > 0
    assert got.receipts
    assert house.store.names("outbox/") == [], "nothing is left lying"


def test_handing_in_the_same_file_again_changes_nothing_and_says_so(house: House) -> None:
    data = away(afar(house))
    desk = house.browser("bientap")
    hand_in(desk, data)
    before = house.hub.ledger.position()
    hand_in(desk, data)
    assert "1 thư yêu cầu đã có" in desk.words
    assert house.hub.ledger.position() == before


def test_a_damaged_file_is_taken_as_far_as_it_is_sound(house: House) -> None:
    station = afar(house)
    for series in range(1, 4):
        station.report(series)
        station.visit().send(MemoryStore())
    data = bytearray(away(station))
    at = data.index(bundle.MAGIC + bytes((1, Kind.SEGMENT))) + bundle.HEAD_BYTES + 40
    data[at] ^= 1
    desk = hand_in(house.browser("bientap"), bytes(data))
    assert desk.status == 200
    assert "Tệp hỏng một phần" in desk.words
    assert "Có thư yêu cầu của" in desk.words


# -- hostile -------------------------------------------------------------------------------------------------


def test_what_is_no_bundle_is_told_and_changes_nothing(house: House) -> None:
    desk = house.browser("bientap")
    before = house.hub.ledger.position()
    noise = random.Random(1).randbytes(300_000)
    for data in (b"", b"x", noise, bundle.MAGIC * 5_000, b"PK\x03\x04" + bytes(99)):
        hand_in(desk, data)
        assert desk.status == 422
        assert "không có gói nào của Loa" in desk.words
    desk.get("/usb").press("/usb/nhan", bundle=(io.BytesIO(b""), ""))
    assert (desk.status, "Hãy chọn tệp" in desk.words) == (422, True)
    assert house.hub.ledger.position() == before


def test_a_forged_request_and_a_foreign_segment_are_refused_by_name(house: House) -> None:
    station = afar(house)
    station.report(1)
    parts = frames(away(station))
    forged = []
    for kind, body in parts:
        raw = bytearray(body)
        if kind in (Kind.REQUEST, Kind.SEGMENT):
            raw[-1] ^= 1
        forged.append((kind, bytes(raw)))
    stranger: list[tuple[int, bytes]] = [(Kind.REQUEST, parts[1][1][:4] + b"S" * 8 + parts[1][1][12:])]
    before = house.hub.ledger.position()
    known = [(kind, body) for kind, body in forged if kind in (Kind.REQUEST, Kind.SEGMENT, Kind.HELD)]
    desk = hand_in(house.browser("bientap"), bound(known + stranger))
    assert desk.status == 200
    assert "Bị từ chối, và vì sao" in desk.words
    assert "signature-bad" in desk.words
    assert "key-unknown" in desk.words
    assert house.hub.ledger.position() == before
    assert not desk.has_form("/usb/tra-loi"), "nobody may be answered because of it"


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_damage_at_all_makes_the_page_fail(data: st.DataObject) -> None:
    house = build("usb-fuzz")
    station = afar(house)
    station.report(1)
    raw = bytearray(away(station))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(raw)))
    desk = hand_in(house.browser("bientap"), bytes(raw[:cut]) + bytes(raw[data.draw(st.integers(0, cut)) :]))
    assert desk.status in (200, 422)
    audit = house.hub.ledger.verify()
    assert (audit.failed, audit.problems) == (0, [])


def test_a_file_beyond_the_limit_is_refused_before_it_is_looked_at(house: House) -> None:
    house.app.config["MAX_CONTENT_LENGTH"] = 100_000
    desk = hand_in(house.browser("bientap"), bytes(200_000))
    assert desk.status == 413


def test_one_file_at_a_time_is_taken_in(house: House) -> None:
    desk = house.browser("bientap")
    data = away(afar(house))
    hand_in(desk, data)
    with house.app.app_context():
        now = page.traffic()
    with now.taking:
        hand_in(desk, data)
        assert (desk.status, "Đang nhận một tệp khác" in desk.words) == (503, True)
    assert hand_in(desk, data).status == 200


def test_what_was_handed_in_is_only_read() -> None:
    handed = Handed(io.BytesIO(b"0123456789"))
    assert (handed.names(""), handed.size("handed.loa"), handed.size("x")) == (["handed.loa"], 10, None)
    assert (handed.read_at("handed.loa", 3, 4), handed.read("handed.loa")) == (b"3456", b"0123456789")
    for act in (
        lambda: handed.write("a", b""), lambda: handed.append("a", b"", 0), lambda: handed.move("a", "b"),
        lambda: handed.delete("a"), lambda: handed.open_db("a"),
    ):  # fmt: skip
        with pytest.raises(StoreError, match="read-only"):
            act()


# -- who may -------------------------------------------------------------------------------------------------


def test_an_officer_gets_answers_and_names_of_their_own_territory_alone(house: House) -> None:
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin, account="xa", name="Lò Thị Mai", role="editor", territory=TU_LE, password="mot hai ba bon",
        now=house.clock[0],
    )  # fmt: skip
    own, other = afar(house, TU_LE), afar(house, XUAN_AI)
    desk = Browser(house.app.test_client()).sign_in("xa", "mot hai ba bon")
    hand_in(desk, away(other))
    assert "1 thư yêu cầu của trạm ngoài địa bàn" in desk.words
    assert XUAN_AI not in desk.html
    hand_in(desk, away(own))
    form = desk.form("/usb/tra-loi")
    assert form.fields["units"] == [TU_LE]
    desk.press("/usb/tra-loi", units=[XUAN_AI])
    assert desk.status == 404
    hand_in(desk, away(own)).press("/usb/tra-loi", units=[TU_LE, XUAN_AI])
    assert desk.status == 404
    boss = house.browser("lanhdao").get("/usb")
    boss.press("/usb/tra-loi", units=[TU_LE, XUAN_AI])
    assert boss.page is not None
    assert 'filename="stations.from-hub.loa"' in boss.page.headers["Content-Disposition"]
    boss.page.close()


def test_what_cannot_be_answered_is_said_on_the_page(house: House) -> None:
    desk = house.browser("lanhdao")
    hand_in(desk, away(afar(house)))
    desk.press("/usb/tra-loi", units=[])
    assert (desk.status, "Hãy chọn ít nhất một trạm" in desk.words) == (422, True)
    desk.press("/usb/tra-loi", units=[XUAN_AI])
    assert (desk.status, "chưa gửi thư yêu cầu" in desk.words) == (422, True)
    desk.press("/usb/tra-loi", units=["vn.yb.99999"])
    assert desk.status in (404, 422)
    hand_in(desk, b"").get("/usb").press("/usb/tra-loi", units=[TU_LE], days="400")
    assert desk.status == 422


def test_two_answers_lie_ready_at_most_and_what_was_left_is_swept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.store.write("outbox/left.loa", b"by a process before")
    desk = house.browser("lanhdao")
    hand_in(desk, away(afar(house)))
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.html)
    assert token is not None
    press = {"csrf_token": token[1], "units": TU_LE, "days": "7"}
    same = {"Sec-Fetch-Site": "same-origin"}
    under_way = [desk.client.post("/usb/tra-loi", data=press, headers=same, buffered=False) for _ in range(2)]
    assert [one.status_code for one in under_way] == [200, 200]
    assert len(house.store.names("outbox/")) == 2
    assert desk.client.post("/usb/tra-loi", data=press, headers=same).status_code == 503
    for one in under_way:
        one.close()
    assert house.store.names("outbox/") == []
    with pytest.raises(NotAllowed) as large:
        page.sticks.send(house.hub, [TU_LE], MemoryStore(), bytes_max=100)
    assert large.value.code == "usb-large"
    monkeypatch.setattr(page, "ANSWER_BYTES_MAX", 100)
    answer = desk.client.post("/usb/tra-loi", data=press, headers=same)
    assert (answer.status_code, "quá lớn" in answer.get_data(as_text=True)) == (422, True)
    house.store.free = 10
    monkeypatch.setattr(page, "ANSWER_BYTES_MAX", 1 << 20)
    answer = desk.client.post("/usb/tra-loi", data=press, headers=same)
    assert (answer.status_code, "không đủ chỗ" in answer.get_data(as_text=True)) == (422, True)
    assert house.store.names("outbox/") == []
