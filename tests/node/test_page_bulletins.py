"""“Bản tin của xã” and “Duyệt”, as two people use them: forms, no JavaScript, no network."""

from __future__ import annotations

import io
import shutil
import struct
import wave

import pytest
from page_world import PIN, Browser, Page, forms_of
from station_world import DAY

from ledger.facts import calendar
from ledger.log import Blobs
from node.page import local_views
from node.page.bulletins import Bulletins
from node.page.sessions import OPEN_S
from node.web.bulletins import levels

TEXT = "UBND xã mời 45 hộ họp lúc 7h30 ngày 12/11."


def a_wav(seconds: float = 1.0) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(b"".join(struct.pack("<h", n % 999) for n in range(round(seconds * 8_000))))
    return out.getvalue()


@pytest.fixture(scope="module")
def office() -> tuple[Page, Browser, Browser]:
    page = Page()
    page.world.run(60)
    lan, pao = page.join("Nguyễn Thị Lan", "officer"), page.join("Giàng A Páo", "approver")
    page.grant(lan.name)
    page.grant(pao.name)
    page.world.line.down = True
    return page, lan, pao


def seated(page: Page, browser: Browser) -> Browser:
    """With the key open: a PIN typed some minutes ago is asked for again."""
    browser.get("/ban-tin")
    if "/dang-nhap" in browser.path:
        row = page.office.people.named(browser.name)
        assert row is not None
        browser.press("/dang-nhap", person=str(row.id), pin=PIN)
    return browser


def sign(browser: Browser, action: str, **typed: object) -> None:
    """Presses a button that signs, with the PIN when the form asks for it."""
    (form,) = [form for form in forms_of(browser.text) if form.action.endswith(action)]
    if "unlock_pin" in form.names:
        typed["unlock_pin"] = PIN
    browser.press(action, **typed)


def write(lan: Browser, title: str, **more: object) -> str:
    """Saves a draft; returns its id."""
    given: dict[str, object] = {
        "title": title, "category": "y-te", "text": TEXT, "_from": calendar.iso(DAY),
        "until": calendar.iso(DAY + 9),
    } | more  # fmt: skip
    sign(lan.get("/ban-tin/moi"), "/ban-tin/moi", **given)
    return lan.path.rpartition("/")[2]


def last(page: Page) -> local_views.Row:
    return local_views.rows(page.office)[0]


def test_two_people_bring_a_bulletin_from_a_text_to_the_loudspeaker(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, pao = office
    name = write(seated(page, lan), "Họp dân")
    assert lan.says("Đã lưu và ký bản nháp")
    assert lan.says("mời bốn mươi lăm hộ họp"), "how it is read aloud is not shown"
    sign(lan, f"/{name}/gui")
    assert lan.says("Chờ người thứ hai duyệt")
    seated(page, pao).get("/duyet")
    assert pao.says("Duyệt 1"), "the menu does not say that something waits"
    sign(pao.get(f"/duyet/{name}"), f"/{name}/duyet")
    assert pao.says("Đã duyệt và ký")
    sign(lan.get(f"/ban-tin/{name}"), f"/{name}/lich", day=str(DAY), at="09:00")
    assert lan.says("Đã ký lịch phát")
    assert lan.says("09:00")
    before = len(page.world.speaker.sounds)
    page.world.run_to(9 * 60 + 5)
    assert len(page.world.speaker.sounds) == before + 1


def test_a_recording_is_taken_as_a_file_heard_by_ranges_and_bad_ones_are_refused_with_the_form_kept(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, _ = office
    name = write(seated(page, lan), "Ghi âm", text="", recorded=(io.BytesIO(a_wav(3)), "ghi.wav"))
    assert last(page).has_sound
    shown = local_views.page(page.office, bytes.fromhex(name))
    sound = Blobs(page.world.store).read(bytes.fromhex(shown.sound))
    assert shown.media_type == ("audio/ogg" if levels() else "audio/wav")
    lan.get("/ban-tin/moi")
    assert lan.says("cùng độ to") == bool(levels()), "the page does not say whether recordings are levelled"
    heard = lan._client.get(f"/ban-tin/{name}/am-thanh", headers={"Range": "bytes=0-43"})
    assert (heard.status_code, heard.data, heard.mimetype) == (206, sound[:44], shown.media_type)
    write(lan, "Tệp hỏng", sound=(io.BytesIO(b"PK\x03\x04 no sound"), "x.mp3"))
    assert lan.status == 422
    assert lan.says("Tệp này không phải bản ghi âm")
    assert 'value="Tệp hỏng"' in lan.text
    assert last(page).title == "Ghi âm"


def test_a_recording_survives_a_key_that_locked_itself_meanwhile(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, _ = office
    seated(page, lan).get("/ban-tin/moi")
    form, page_text = "/ban-tin/moi", lan.text
    page.world.clock.mono_s += OPEN_S + 1
    lan.text = page_text
    lan.press(
        form, title="Còn giữ", category="khac", text="", _from=calendar.iso(DAY), until=calendar.iso(DAY),
        recorded=(io.BytesIO(a_wav(2)), "r.wav"),
    )  # fmt: skip
    assert lan.status == 403
    assert lan.says("Bản ghi đã lên đến trạm")
    lan.press(
        form, title="Còn giữ", category="khac", text="", _from=calendar.iso(DAY), until=calendar.iso(DAY),
        unlock_pin=PIN,
    )  # fmt: skip
    assert lan.says("Đã lưu và ký bản nháp")
    assert (last(page).title, last(page).has_sound) == ("Còn giữ", True)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="the station's voice is not installed")
def test_the_stations_own_voice_is_heard_before_anybody_submits(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, _ = office
    name = write(seated(page, lan), "Nghe thử")
    said = lan._client.get(f"/ban-tin/{name}/giong-doc")
    assert said.mimetype == "audio/wav"
    with wave.open(io.BytesIO(said.data)) as sound:
        assert sound.getnframes() / sound.getframerate() > 3


def test_what_changed_since_the_page_was_opened_is_not_approved(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, pao = office
    name = write(seated(page, lan), "Đổi ngày")
    sign(lan, f"/{name}/gui")
    seated(page, pao).get(f"/duyet/{name}")
    seen = pao.text
    sign(
        lan.get(f"/ban-tin/{name}/sua"), f"/{name}/sua", title="Đổi ngày", category="khac",
        text="Ngày 13/11.", _from=calendar.iso(DAY),
        until=calendar.iso(DAY + 1),
    )  # fmt: skip
    sign(lan, f"/{name}/gui")
    pao.text = seen
    sign(pao, f"/{name}/duyet")
    assert pao.says("đã có bản mới")
    assert last(page).state == "submitted"
    assert pao.says("Khác gì bản 1")
    sign(pao, f"/{name}/tra-lai", reason="Thiếu giờ họp")
    assert pao.says("Đã trả lại kèm lý do")
    lan.get(f"/ban-tin/{name}")
    assert lan.says("Thiếu giờ họp")


def test_an_author_is_offered_no_button_to_approve_and_cannot_press_one_that_is_not_there(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, _ = office
    name = write(seated(page, lan), "Tự duyệt")
    sign(lan, f"/{name}/gui")
    lan.get(f"/duyet/{name}")
    assert lan.says("Bạn đã soạn bản tin này")
    row = last(page)
    lan.post(f"/duyet/{name}/duyet", {"csrf": lan.csrf, "version": "1", "manifest": row.manifest})
    assert lan.says("Không ai duyệt bản tin do chính mình soạn")
    assert last(page).state == "submitted"


def test_a_schedule_that_cannot_be_keeps_what_was_chosen_and_says_why(
    office: tuple[Page, Browser, Browser],
) -> None:
    page, lan, pao = office
    names = []
    for title in ("Thứ nhất", "Thứ hai"):
        names.append(write(seated(page, lan), title))
        sign(lan, f"/{names[-1]}/gui")
        sign(seated(page, pao).get(f"/duyet/{names[-1]}"), f"/{names[-1]}/duyet")
    day = str(DAY + 1)
    sign(seated(page, lan).get(f"/ban-tin/{names[0]}"), f"/{names[0]}/lich", day=day, at="17:00")
    sign(lan.get(f"/ban-tin/{names[1]}"), f"/{names[1]}/lich", day=day, at="17:00")
    assert lan.status == 422
    assert lan.says("Giờ này đã có mục khác: 2022-11-10 “Thứ nhất”")
    assert f'value="{day}" checked' in lan.text
    assert 'value="17:00"' in lan.text
    sign(lan, f"/{names[1]}/lich", day=day, at="23:00")
    assert lan.says("giờ yên tĩnh")
    series = str(Bulletins(page.office).office and local_views.rows(page.office)[1].series[0].series)
    sign(lan.get(f"/ban-tin/{names[0]}"), f"/{names[0]}/huy-lich", series=series, reason="Nhường giờ")
    assert lan.says("Đã hủy lịch")
    sign(lan, f"/{names[0]}/thu-hoi", reason="Không cần nữa")
    assert lan.says("Đã thu hồi")
    lan.get("/ban-tin")
    assert lan.says("đã thu hồi")


@pytest.mark.parametrize("path", ["/ban-tin/x", "/ban-tin/" + "0" * 32, "/duyet/zz", "/ban-tin/../toi"])
def test_an_address_that_names_no_bulletin_says_so(office: tuple[Page, Browser, Browser], path: str) -> None:
    page, lan, _ = office
    seated(page, lan).get(path)
    assert lan.status in (403, 404) or lan.path == "/toi"


def test_the_pages_speak_english_too(office: tuple[Page, Browser, Browser]) -> None:
    page, lan, _ = office
    seated(page, lan).press("/ngon-ngu", lang="en")
    lan.get("/ban-tin/moi")
    assert lan.says("Write a bulletin")
    assert lan.says("food safety")
    lan.press("/ngon-ngu", lang="vi")
