"""An emergency as the people at the desk meet it: two of them, the roll, whom to telephone, the end."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_web_house import PASSWORDS, Browser, House, build, tone
from test_web_machine import enrol

from hub.emergencies import OPEN_S, WAIT_S, how_ordered
from hub.emergency_texts import PREPARED
from hub.media import read_manifest
from hub.phonebook import Phonebook, read_list
from hub.roll import TO_CALL, Clear, Reply
from hub.schedules import EMERGENCY_CODES
from hub.web import auth, create_app
from hub.web.pages import answers
from ledger.content import Levelled
from ledger.facts import TEXT_CHARS_MAX, Outcome, Refused, WithdrawalSeen
from ledger.log import MemoryStore, NotAllowed
from ledger.spoken import read_aloud, reading_s

TU_LE, XUAN_AI, FM = "vn.yb.04630", "vn.yb.04441", "vn.yb.04249"
WORD = "PHÁT THẬT"


@pytest.fixture
def house() -> House:
    return with_two()


def with_two(seed: str = "two") -> House:
    made = build(seed)
    PASSWORDS.setdefault("pho", "pho-mat-khau-2022")
    admin = made.hub.accounts.login("admin", PASSWORDS["admin"], now=made.clock[0])
    assert admin is not None
    made.hub.commands.create_account(
        admin, account="pho", name="Lò Thị Mai", role="approver", territory="vn.yb",
        password=PASSWORDS["pho"], now=made.clock[0],
    )  # fmt: skip
    return made


def written(boss: Browser, **more: object) -> Browser:
    boss.get("/khan-cap?mau=lu-quet")
    return boss.press("/khan-cap", **{"mode": "real", **more})


def proposed(house: House, boss: Browser) -> int:
    written(boss).press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    assert re.fullmatch(r"/khan-cap/de-nghi/\d+", boss.path), boss.words
    return int(boss.path.rsplit("/", 1)[1])


def ordered(boss: Browser, mode: str = "drill") -> int:
    written(boss, mode=mode).press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    assert re.fullmatch(r"/khan-cap/\d+", boss.path), boss.words
    return int(boss.path.rsplit("/", 1)[1])


# -- two people ----------------------------------------------------------------------------------------------


def test_with_another_approver_at_work_a_real_order_waits_for_that_ones_signature(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    written(boss)
    assert "Cần hai người ký" in boss.words
    assert "Lò Thị Mai (đang làm việc)" in boss.words
    assert "Ký đề nghị, gửi người thứ hai" in boss.words
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    series = int(boss.path.rsplit("/", 1)[1])
    assert "Chưa có gì được phát" in boss.words
    assert house.hub.queries.all_series() == []
    assert "Cần bạn ký cùng: lệnh khẩn cấp" in second.get("/ban-tin").words, "at the top of every page"
    assert "Cần bạn ký cùng" not in boss.get("/ban-tin").words
    assert "Cần bạn ký cùng" not in house.browser("bientap").words
    second.get(f"/khan-cap/de-nghi/{series}")
    assert PREPARED["lu-quet"].text in second.words
    second.press("/ky", password="sai-mat-khau")
    assert second.status == 422
    assert house.hub.queries.all_series() == []
    second.press("/ky", password=PASSWORDS["pho"])
    assert second.path == f"/khan-cap/{series}"
    assert "Người đề nghị Giàng A Páo" in second.words
    (row,) = house.hub.queries.all_series()
    assert (row.series, row.by.name, row.drill) == (series, "Lò Thị Mai", False)
    assert how_ordered(house.hub.facts, series).second
    assert "Đã có người ký: lệnh đang lên sóng." in boss.get(f"/khan-cap/de-nghi/{series}").words


def test_the_author_goes_alone_after_the_wait_with_a_reason(house: House) -> None:
    boss, _second = house.browser("lanhdao"), house.browser("pho")
    series = proposed(house, boss)
    assert f"Còn {WAIT_S['when-available']} giây nữa" in boss.words
    assert not boss.has_form("/mot-minh")
    assert f'content="5; url=/khan-cap/de-nghi/{series}?{auth.REFRESHED}=1"' in boss.html
    house.later(WAIT_S["when-available"])
    boss.get(f"/khan-cap/de-nghi/{series}")
    assert "http-equiv" not in boss.html, "a page with a form stands still"
    boss.press("/mot-minh", password=PASSWORDS["lanhdao"])
    assert boss.status == 422
    assert house.hub.queries.all_series() == []
    boss.press("/mot-minh", password=PASSWORDS["lanhdao"], reason="Đã chờ, không ai ký.")
    assert boss.path == f"/khan-cap/{series}"
    assert "“Đã chờ, không ai ký.”" in boss.words


def test_when_the_other_one_leaves_nobody_waits(house: House) -> None:
    boss, _second = house.browser("lanhdao"), house.browser("pho")
    house.later(auth.AT_WORK_S + 1)
    boss.get("/khan-cap?mau=lu-quet")
    boss.press("/khan-cap", mode="real")
    assert "Cần hai người ký" not in boss.words
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    assert re.fullmatch(r"/khan-cap/\d+", boss.path)


def test_a_page_that_refreshes_itself_makes_nobody_look_present(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    for _ in range(10):
        house.later(60)
        for path in ("/khan-cap/goi?o=today.page", "/khan-cap/khung", f"/khan-cap?{auth.REFRESHED}=1"):
            assert second.client.get(path).status_code == 200
    written(boss)
    assert "Cần hai người ký" not in boss.words
    house.later(house.hub.config.session_idle_s)
    assert second.client.get("/khan-cap/goi").status_code == 302, "nor does it keep the session alive"


def test_who_pressed_for_two_never_orders_alone_by_that_press(house: House) -> None:
    boss, _second = house.browser("lanhdao"), house.browser("pho")
    written(boss)
    page = boss.page
    house.later(auth.AT_WORK_S + 1)
    boss.page = page
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    assert boss.path.startswith("/khan-cap/de-nghi/")
    assert "Đang làm việc không có ai" in boss.words
    assert boss.has_form("/mot-minh"), "nobody is there: no wait"


def test_a_second_person_who_comes_between_the_two_steps_is_asked(house: House) -> None:
    boss = written(house.browser("lanhdao"))
    assert "Cần hai người ký" not in boss.words
    house.browser("pho")
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], word=WORD)
    assert boss.path.startswith("/khan-cap/de-nghi/")


def test_a_drill_asks_nobody(house: House) -> None:
    house.browser("pho")
    assert ordered(house.browser("lanhdao"))


def test_a_proposal_that_ran_out_says_so_and_offers_no_button(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    series = proposed(house, boss)
    held = second.get(f"/khan-cap/de-nghi/{series}").page
    house.later(OPEN_S + 1)
    second.page = held
    second.press("/ky", password=PASSWORDS["pho"])
    assert second.status == 422
    assert "đã quá hạn" in second.words
    assert not second.has_form("/ky")
    boss.get(f"/khan-cap/de-nghi/{series}")
    assert "đã quá hạn vì không ai ký. Không có gì được phát" in boss.words
    assert not boss.has_form("/mot-minh")


def test_the_author_takes_a_proposal_back(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    series = proposed(house, boss)
    boss.press("/rut")
    assert "Đã rút đề nghị" in boss.words
    assert "Cần bạn ký cùng" not in second.get("/").words
    assert "Đề nghị đã được rút" in second.get(f"/khan-cap/de-nghi/{series}").words


def test_the_strip_alone_is_what_stands_on_the_page_and_unchanged_costs_nothing(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    empty = second.client.get("/khan-cap/goi?o=bulletins.page")
    assert not empty.get_data(as_text=True).strip()
    tag = {"If-None-Match": empty.headers["ETag"]}
    assert second.client.get("/khan-cap/goi?o=bulletins.page", headers=tag).status_code == 304
    series = proposed(house, boss)
    called = second.client.get("/khan-cap/goi?o=bulletins.page", headers=tag)
    assert f"/khan-cap/de-nghi/{series}" in called.get_data(as_text=True)
    frame = second.client.get("/khan-cap/khung")
    assert f"/khan-cap/de-nghi/{series}" in frame.get_data(as_text=True)
    assert "frame-ancestors 'self'" in frame.headers["Content-Security-Policy"]
    assert frame.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert second.client.get("/").headers["X-Frame-Options"] == "DENY"


def test_what_will_be_heard_can_be_listened_to_before_signing(house: House) -> None:
    boss, second = house.browser("lanhdao"), house.browser("pho")
    series = proposed(house, boss)
    sound = second.client.get(f"/khan-cap/de-nghi/{series}/am-thanh")
    assert sound.status_code in (200, 206)
    assert sound.get_data()[:4] == b"RIFF"


# -- words that are ready ------------------------------------------------------------------------------------


def test_prepared_words_fill_the_form_and_may_be_changed(house: House) -> None:
    boss = house.browser("lanhdao").get("/khan-cap?mau=xa-lu")
    assert PREPARED["xa-lu"].text in boss.html
    assert boss.form("/khan-cap").fields["kind"] == ["xa-lu"]
    boss.press("/khan-cap", text="Xả lũ Thác Bà lúc 14 giờ.", mode="drill")
    assert "Xả lũ Thác Bà lúc 14 giờ." in boss.words
    assert boss.get("/khan-cap?mau=khong-co").status == 200


@pytest.mark.parametrize("code", sorted(PREPARED))
def test_prepared_words_may_be_sent_as_they_stand(code: str) -> None:
    text = PREPARED[code].text
    assert code in EMERGENCY_CODES
    assert len(text) <= TEXT_CHARS_MAX
    assert not set("[]…_") & set(text), "no gap to fill"
    assert reading_s(read_aloud(text)) <= 30, "twice in a minute"


def test_without_a_recording_the_words_are_read_out_and_a_drill_says_that_it_is_one(house: House) -> None:
    asked: list[tuple[str, str]] = []

    def voice(words: str, language: str) -> bytes:
        asked.append((words, language))
        return tone(2.5)

    desk = Browser(
        create_app(house.hub, voice=voice, level=lambda data: Levelled(data, 2500, -16.0, 0.0)).test_client()
    ).sign_in("lanhdao")
    series = ordered(desk)
    (order,) = house.hub.facts.emergencies[series]
    sound = read_manifest(house.hub.blobs, order.fact.manifest).audio()
    assert sound is not None
    assert sound.duration_ms == 2500
    assert asked[0][0].startswith("Đây là diễn tập.")
    assert asked[0][0].endswith("Hết phần diễn tập.")
    ordered(desk, mode="real")
    assert "diễn tập" not in asked[1][0]
    assert "một trăm mười hai" in asked[1][0] or "một một hai" in asked[1][0], "numbers are read as words"


def test_a_voice_whose_sound_cannot_be_made_small_is_not_sent_down_a_thin_line(house: House) -> None:
    desk = Browser(create_app(house.hub, voice=lambda words, language: tone(9.0)).test_client())
    desk.sign_in("lanhdao")
    series = ordered(desk)
    (order,) = house.hub.facts.emergencies[series]
    sound = read_manifest(house.hub.blobs, order.fact.manifest).audio()
    assert sound is not None
    assert sound.duration_ms == 4000, "the signal"


def test_a_voice_that_fails_holds_no_emergency_up(house: House) -> None:
    def voice(words: str, language: str) -> bytes:
        raise NotAllowed("no-voice", "espeak-ng is gone", hint="install it")

    desk = Browser(
        create_app(house.hub, voice=voice, level=lambda data: Levelled(data, 2500, -16.0, 0.0)).test_client()
    ).sign_in("lanhdao")
    series = ordered(desk)
    (order,) = house.hub.facts.emergencies[series]
    sound = read_manifest(house.hub.blobs, order.fact.manifest).audio()
    assert sound is not None
    assert sound.duration_ms == 4000, "the signal"


# -- everywhere ----------------------------------------------------------------------------------------------


def test_every_page_says_that_a_drill_or_an_emergency_is_on_the_air(house: House) -> None:
    boss, editor = house.browser("lanhdao"), house.browser("bientap")
    series = ordered(boss)
    for path in ("/", "/ban-tin", "/tram", "/cho-duyet", "/danh-ba"):
        assert "Diễn tập đang phát" in editor.get(path).words, path
        assert editor.words.count("Diễn tập đang phát") == 1, path
    boss.get(f"/khan-cap/{series}/bao-yen").press("/bao-yen", password=PASSWORDS["lanhdao"])
    assert "Diễn tập đang phát" not in editor.get("/ban-tin").words


# -- the roll ------------------------------------------------------------------------------------------------


def test_the_roll_says_of_each_station_what_is_known_and_never_more(house: House) -> None:
    boss = house.browser("lanhdao")
    here, there = enrol(house, TU_LE), enrol(house, XUAN_AI)
    for station in (here, there):
        station.sync()
    series = ordered(boss)
    roll = house.hub.queries.roll
    states = {line.station.unit: line.reply for line in roll(series).lines}
    assert states == {
        TU_LE: Reply.LACKS, XUAN_AI: Reply.LACKS, "vn.yb.04510": Reply.SILENT, FM: Reply.FM,
    }  # fmt: skip
    for station in (here, there):
        station.sync()
        station.sync()
    states = {line.station.unit: line.reply for line in roll(series).lines}
    assert (states[TU_LE], states[XUAN_AI]) == (Reply.HOLDS, Reply.HOLDS)
    here.acknowledge(series)
    there.acknowledge(series, Outcome.MISSED)
    for station in (here, there):
        station.sync()
    house.hub.tick()
    lines = {line.station.unit: line for line in roll(series).lines}
    assert lines[TU_LE].reply is Reply.PLAYED
    assert lines[TU_LE].run is not None
    assert lines[XUAN_AI].reply is Reply.FAILED
    assert [line.station.unit for line in roll(series).to_call] == [XUAN_AI, "vn.yb.04510", FM]
    boss.get(f"/khan-cap/{series}")
    assert "không phát trọn" in boss.words
    assert "Danh sách gọi điện: 3 trạm" in boss.words
    assert sum(roll(series).counts.values()) == 4


def test_a_station_that_refuses_the_order_stands_first_with_its_reason(house: House) -> None:
    boss, station = house.browser("lanhdao"), enrol(house, TU_LE)
    station.sync()
    series = ordered(boss)
    (order,) = house.hub.facts.emergencies[series]
    station.ledger.append(station.key, Refused(house.clock[0], order.signed.id, "no-authority").encode())
    station.sync()
    house.hub.tick()
    first = house.hub.queries.roll(series).lines[0]
    assert (first.station.unit, first.reply, first.refusal) == (TU_LE, Reply.REFUSED, "no-authority")
    assert "người ký không có thẩm quyền" in boss.get(f"/khan-cap/{series}").words


def test_the_all_clear_has_its_own_column(house: House) -> None:
    boss, here, there = house.browser("lanhdao"), enrol(house, TU_LE), enrol(house, XUAN_AI)
    for station in (here, there):
        station.sync()
    series = ordered(boss)
    assert "Báo yên" in boss.words
    assert house.hub.queries.roll(series).clears == {"have": 0, "lack": 0}
    boss.get(f"/khan-cap/{series}/bao-yen").press("/bao-yen", password="sai")
    assert boss.status == 422
    assert not house.hub.facts.cancels
    boss.press("/bao-yen", password=PASSWORDS["lanhdao"])
    assert "đã báo yên" in boss.words
    assert house.hub.queries.roll(series).clears == {"have": 0, "lack": 3}
    here.sync()
    here.sync()
    here.ledger.append(here.key, WithdrawalSeen(house.clock[0], series, None, 1).encode())
    here.sync()
    house.hub.tick()
    roll = house.hub.queries.roll(series)
    lines = {line.station.unit: line.clear for line in roll.lines}
    assert (lines[TU_LE], lines[XUAN_AI]) == (Clear.AFTER, Clear.WAITS)
    assert roll.clears == {"have": 1, "lack": 2}
    assert "đã nhận, sau khi đã phát" in boss.get(f"/khan-cap/{series}").words


def test_the_all_clear_is_one_press_with_a_reason_that_stands_there(house: House) -> None:
    boss = house.browser("lanhdao")
    series = ordered(boss)
    boss.get(f"/khan-cap/{series}/bao-yen")
    assert boss.form("/bao-yen").fields["reason"] == ["Hết nguy hiểm"]
    boss.press("/bao-yen", password=PASSWORDS["lanhdao"])
    (row,) = house.hub.queries.all_series()
    assert row.state == "cancelled"


# -- whom to call --------------------------------------------------------------------------------------------


def test_the_call_list_says_whom_to_call_in_which_order(house: House) -> None:
    boss = house.browser("lanhdao")
    boss.get(f"/danh-ba/{TU_LE}").press(
        f"/danh-ba/{TU_LE}", people="Hà Văn Tú, Phó Chủ tịch xã, 0912 345 678\nLò Văn Bun, 0216.3.871.234"
    )
    assert "Đã lưu danh bạ của Xã Tú Lệ." in boss.words
    series = ordered(boss)
    boss.get(f"/khan-cap/{series}/goi-dien")
    assert 'href="tel:0912345678"' in boss.html
    assert boss.words.index("Hà Văn Tú") < boss.words.index("Lò Văn Bun")
    assert boss.words.count("chưa có số điện thoại") == 3
    order = [boss.words.index(name) for name in ("Xã Tú Lệ", "Phường Yên Thịnh")]
    assert order == sorted(order), "who is cut off before who never has a way back"
    assert TO_CALL[0] is Reply.REFUSED
    assert "Ghi lời người trực" in boss.html, "what was said is attested with the slot's code"


def test_a_long_call_list_goes_on_over_the_page_and_loses_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "CALLS_MAX", 3)
    boss = house.browser("lanhdao")
    series = ordered(boss)
    boss.get(f"/khan-cap/{series}/goi-dien")
    assert "và 1 trạm nữa" in boss.words
    assert "Phường Yên Thịnh" not in boss.words
    boss.get(f"/khan-cap/{series}/goi-dien?tu=3")
    assert "4 Phường Yên Thịnh" in boss.words
    assert "trạm nữa" not in boss.words
    assert boss.get(f"/khan-cap/{series}/goi-dien?tu=x").status == 200


def test_what_an_operator_said_takes_the_station_off_the_call_list(house: House) -> None:
    boss = house.browser("lanhdao")
    series = ordered(boss)
    boss.get(f"/khan-cap/{series}/goi-dien")
    link = re.search(r'href="(/xac-nhan\?[^"]+)"', boss.html)
    assert link is not None
    boss.get(link[1].replace("&amp;", "&")).press("/xac-nhan", said_by="Ông Sùng", outcome="1", detail="0")
    assert boss.status == 200, boss.words
    house.hub.tick()
    lines = {line.station.unit: line.reply for line in house.hub.queries.roll(series).lines}
    assert lines[FM] is Reply.TOLD
    assert "Phường Yên Thịnh" not in boss.get(f"/khan-cap/{series}/goi-dien").words


def test_telephone_numbers_come_from_a_file_all_or_none(house: House) -> None:
    desk = house.browser("bientap").get("/danh-ba")
    good = f"unit,name,role,telephone\n{TU_LE},Hà Văn Tú,Phó Chủ tịch,0912 345 678\n{TU_LE},Lò Bun,,113\n"
    bad = good + f"{XUAN_AI},Không Số,,gọi sau\n"
    desk.press("/danh-ba", file=(io.BytesIO(bad.encode()), "danh-ba.csv"))
    assert desk.status == 422
    assert "Dòng 4" in desk.words
    assert house.hub.phonebook.all() == {}
    desk.press("/danh-ba", file=(io.BytesIO(good.encode("utf-8-sig")), "danh-ba.csv"))
    assert "Đã nhận danh bạ của 1 nơi." in desk.words
    assert [one.name for one in house.hub.phonebook.of(TU_LE)] == ["Hà Văn Tú", "Lò Bun"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"unit,name\nvn.yb,a\n", "Dòng đầu phải có"),
        (b"unit,name,role,telephone\nvn.hn,a,b,113\n", "Dòng 2"),
        ("unit,name,role,telephone\nvn.yb,Hà,,113\n".encode("utf-16"), "CSV UTF-8"),
        (b"", "Dòng đầu phải có"),
        (b"unit,name,role,telephone\nvn.yb,\x00,x,113\n", ""),
    ],
)
def test_a_bad_file_of_numbers_is_refused_in_plain_words(house: House, data: bytes, words: str) -> None:
    desk = house.browser("bientap").get("/danh-ba")
    desk.press("/danh-ba", file=(io.BytesIO(data), "x.csv"))
    assert desk.status == 422
    assert words in desk.words
    assert house.hub.phonebook.all() == {}


@given(
    st.binary(max_size=200)
    | st.text('unit,name;role\n"telephone vn.yb0123456789', max_size=200).map(
        lambda text: f"unit,name,role,telephone\n{text}".encode()
    )
)
def test_any_bytes_are_a_list_of_numbers_or_a_refusal(data: bytes) -> None:
    try:
        people = read_list(data, {"vn.yb", TU_LE})
    except NotAllowed:
        return
    book = Phonebook(MemoryStore().open_db("phones.db"))
    try:
        book.put_all(people)
    except NotAllowed as refusal:
        assert refusal.code == "contacts-many"  # noqa: PT017 — the only rule about many lines together
    else:
        assert {unit: len(rows) for unit, rows in people.items()} == {
            unit: len(rows) for unit, rows in book.all().items()
        }


def test_an_erased_number_is_gone_from_the_file_too(house: House) -> None:
    desk = house.browser("bientap").get(f"/danh-ba/{TU_LE}")
    desk.press(f"/danh-ba/{TU_LE}", people="Hà Văn Tú, 0912 345 678")
    db = house.store.open_db("phones.db")
    assert b"0912 345 678" in db.serialize()
    desk.get(f"/danh-ba/{TU_LE}").press(f"/danh-ba/{TU_LE}", people="")
    assert "Đã xóa danh bạ" in desk.words
    assert b"0912 345 678" not in db.serialize()
    log = house.store.open_db("ledger.db").serialize()
    assert "Hà Văn Tú".encode() not in log, "nor was it ever in the log"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hà Văn Tú", "Dòng 1 cần có tên và số điện thoại"),
        ("Hà Văn Tú, 0912\nLò, mai gọi", "Số điện thoại chỉ gồm chữ số"),
        ("\n".join(f"Người {n}, 09123{n}" for n in range(10)), "nhiều nhất chín người"),
    ],
)
def test_what_is_no_name_with_a_number_is_refused_and_kept_on_the_page(
    house: House, text: str, words: str
) -> None:
    desk = house.browser("bientap").get(f"/danh-ba/{TU_LE}")
    desk.press(f"/danh-ba/{TU_LE}", people=text)
    assert desk.status == 422
    assert words in desk.words
    assert text.split("\n")[0] in desk.html
    assert desk.get("/danh-ba/vn.hn").status == 404
