"""What officers do, walked through the pages as they stand: every act is a form on a page, pressed without
JavaScript.
"""

from __future__ import annotations

import io
import re

import pytest
from test_web_house import LAW_DAY, PASSWORDS, Browser, House, approve, build, tone

from ledger.facts import at

TITLE = "Tuyên truyền Ngày Pháp luật 9/11"


@pytest.fixture
def house() -> House:
    return build("flows")


def emergency(boss: Browser, **typed: object) -> Browser:
    """The first step of an order."""
    boss.get("/khan-cap")
    fields: dict[str, object] = {
        "text": "Lũ quét ở thượng nguồn. Rời bờ suối ngay, lên chỗ cao.",
        "kind": "lu-quet",
        "level": "3",
        "mode": "real",
        "hours": "2",
        "territory": "vn.yb",
    }
    return boss.press("/khan-cap", **{**fields, **typed})


def test_a_bulletin_walks_from_draft_over_approval_to_the_week(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    assert "Chờ duyệt" in editor.words
    boss = house.browser("lanhdao").get("/cho-duyet")
    assert TITLE in boss.words
    boss.get(f"/cho-duyet/{bulletin}")
    assert "tiêm phòng sởi" in boss.words
    boss.press("/duyet", password=PASSWORDS["lanhdao"])
    assert boss.path == f"/ban-tin/{bulletin}"
    assert "Đã duyệt và ký bản 1" in boss.words
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-15", at="17:00")
    assert "Đã ký lịch phát 7 ngày: 09/11, 10/11, 11/11, 12/11, 13/11 …" in boss.words
    week = boss.get("/lich?tuan=2022-11-09").words
    assert TITLE in week
    assert "17:00" in week
    assert TITLE in boss.get("/").words


def test_a_schedule_keeps_to_the_weekdays_that_were_ticked(house: House) -> None:
    bulletin = house.browser("bientap").draft(TITLE)
    boss = approve(house, bulletin)
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-16", weekdays=["0", "4"], at="06:30")
    assert "Đã ký lịch phát 2 ngày: 11/11, 14/11." in boss.words


def test_a_schedule_into_quiet_hours_is_refused_in_plain_words_and_keeps_what_was_typed(house: House) -> None:
    bulletin = house.browser("bientap").draft(TITLE)
    boss = approve(house, bulletin)
    boss.plan(bulletin, _from="2022-11-10", _until="2022-11-10", at="22:15")
    assert boss.status == 422
    assert "giờ yên tĩnh" in boss.words
    assert "Giờ yên tĩnh: 21:30–05:00." in boss.words
    assert 'value="22:15"' in boss.html
    assert 'href="#f-at"' in boss.html
    assert house.hub.queries.all_series() == []


def test_an_unapproved_bulletin_is_not_scheduled_by_anybody(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    editor.get(f"/ban-tin/{bulletin}/xep-lich")
    assert "chưa được duyệt" in editor.words
    assert "Ký lịch phát" not in editor.words, "no form that can only be refused"
    # A form that was opened while an earlier version was approved can still be sent.
    other = editor.draft("Đã duyệt")
    approve(house, other)
    editor.get(f"/ban-tin/{other}/xep-lich").press("/xep-lich", _from="2022-11-10", _until="2022-11-10")
    seen = editor.form("/ky")
    editor.get(f"/ban-tin/{bulletin}/xep-lich").press("/xep-lich", _from="2022-11-10", _until="2022-11-10")
    seal = editor.form("/de-nghi").fields["seal"]
    before = house.hub.ledger.position()
    answer = editor.client.post(
        f"/ban-tin/{bulletin}/xep-lich/ky",
        data=dict(seen.fields) | {"seal": seal, "password": PASSWORDS["bientap"]},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 422
    assert "chưa được duyệt" in answer.get_data(as_text=True)
    assert house.hub.ledger.position() == before


def test_an_edit_makes_a_new_version_that_needs_its_own_approval(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    approve(house, bulletin)
    editor.get(f"/ban-tin/{bulletin}/sua")
    assert "phải duyệt lại" in editor.words
    editor.press("", "submit", text="Nội dung mới.")
    page = house.hub.queries.bulletin(bulletin)
    assert (page.row.version, page.row.state, page.text) == (2, "submitted", "Nội dung mới.")
    assert page.row.has_audio, "the recording was kept, as ticked"


def test_unticking_keep_drops_the_recording_of_the_new_version(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "draft", keep_audio=[])
    assert not house.hub.queries.bulletin(bulletin).row.has_audio


def test_an_approver_approves_only_what_the_page_showed(house: House) -> None:
    editor, boss = house.browser("bientap"), house.browser("lanhdao")
    bulletin = editor.draft(TITLE)
    boss.get(f"/cho-duyet/{bulletin}")
    stale = boss.page
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "submit", text="Lời đã đổi.")
    boss.page = stale
    boss.press("/duyet", password=PASSWORDS["lanhdao"])
    assert boss.status == 422
    assert "Nội dung đã đổi từ lúc bạn mở trang" in boss.words
    assert "Lời đã đổi." in boss.words, "the new version is there to be read"
    assert house.hub.queries.bulletin(bulletin).row.state == "submitted"


def test_an_author_cannot_send_an_approval_past_the_missing_button(house: House) -> None:
    """An editor who became an approver since: the role would allow it, the authorship does not."""
    bulletin = house.browser("bientap").draft(TITLE)
    boss = house.browser("lanhdao").get(f"/cho-duyet/{bulletin}")
    fields = boss.form("/duyet").fields
    account = house.hub.accounts.row("bientap")
    assert account is not None
    house.store.open_db("accounts.db").execute(
        "UPDATE accounts SET role = 'approver' WHERE account = 'bientap'"
    )
    author = house.browser("bientap").get(f"/cho-duyet/{bulletin}")
    assert not author.has_form("/duyet")
    before = house.hub.ledger.position()
    token = author.form("/dang-xuat").fields["csrf_token"]
    answer = author.client.post(
        f"/cho-duyet/{bulletin}/duyet",
        data=dict(fields) | {"csrf_token": token, "password": PASSWORDS["bientap"]},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 422
    assert "chưa có gì được lưu hay ký" in answer.get_data(as_text=True)
    assert house.hub.ledger.position() == before
    assert house.hub.queries.bulletin(bulletin).row.state == "submitted"


def test_an_upload_beyond_the_limit_is_turned_away_with_the_limit_and_the_way_on(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    token = editor.form("").fields["csrf_token"][0]
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="audio"; filename="dai.wav"\r\n\r\n'
    )
    body = parts.encode() + bytes(house.hub.config.audio_bytes_max + (2 << 20)) + b"\r\n--b--\r\n"
    before = house.hub.ledger.position()
    editor.page = editor.client.post(
        "/ban-tin/moi",
        data=body,
        content_type="multipart/form-data; boundary=b",
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    assert editor.status == 413
    assert "vượt giới hạn (tệp âm thanh: 33,6 MB). Chưa có gì được lưu. Quay lại" in editor.words
    assert house.hub.ledger.position() == before


def test_a_week_that_cannot_be_read_is_said_and_not_silently_another(house: House) -> None:
    desk = house.browser("lanhdao")
    for typed in ("31/02/2022", "mai", "99/99/9999"):
        assert "Không đọc được ngày đã nhập; đang hiện tuần này." in desk.get(f"/lich?tuan={typed}").words
    for path in ("/lich", "/lich?tuan=", "/lich?tuan=01/12/2022"):
        assert "Không đọc được ngày" not in desk.get(path).words


def test_a_wrong_password_approves_nothing(house: House) -> None:
    bulletin = house.browser("bientap").draft(TITLE)
    boss = house.browser("lanhdao").get(f"/cho-duyet/{bulletin}").press("/duyet", password="sai-mat-khau")
    assert boss.status == 422
    assert "Mật khẩu không đúng. Chưa có gì được ký." in boss.words
    assert house.hub.queries.bulletin(bulletin).row.state == "submitted"


def test_a_returned_bulletin_comes_back_with_the_reason_and_only_as_a_new_version(house: House) -> None:
    editor, boss = house.browser("bientap"), house.browser("lanhdao")
    bulletin = editor.draft(TITLE)
    boss.get(f"/cho-duyet/{bulletin}").press("/tra-lai", reason="Thiếu địa điểm tiêm.")
    assert boss.path == "/cho-duyet"
    assert TITLE in editor.get("/").words, "the author is told on the first page"
    editor.get(f"/ban-tin/{bulletin}")
    assert "Thiếu địa điểm tiêm." in editor.words
    assert not editor.has_form("/gui")
    editor.get(f"/ban-tin/{bulletin}/sua").press("", "submit", text="Tiêm ở trạm y tế xã.")
    assert house.hub.queries.bulletin(bulletin).row.state == "submitted"


def test_the_page_says_why_the_approve_button_is_absent(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    editor.get(f"/cho-duyet/{bulletin}")
    assert not editor.has_form("/duyet")
    assert "chính bạn soạn bản tin này" in editor.words
    admin = house.browser("admin").get(f"/cho-duyet/{bulletin}")
    assert not admin.has_form("/duyet")
    assert "không có quyền duyệt" in admin.words


def test_a_withdrawn_bulletin_says_so_and_its_schedule_plays_no_more(house: House) -> None:
    bulletin = house.browser("bientap").draft(TITLE)
    boss = approve(house, bulletin)
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00")
    boss.get(f"/ban-tin/{bulletin}").press("/thu-hoi", reason="Sai ngày tiêm.")
    assert "Đã thu hồi" in boss.words
    answer = boss.get("/vi-sao?tram=vn.yb.04630&ngay=2022-11-09&luc=17:00").words
    assert "KHÔNG PHÁT GÌ" in answer
    assert "đã thu hồi" in answer


def test_a_cancelled_schedule_is_struck_out_in_word_too(house: House) -> None:
    bulletin = house.browser("bientap").draft(TITLE)
    boss = approve(house, bulletin)
    boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00").press(
        "/huy", reason="Trùng giờ họp dân"
    )
    assert "Đã hủy" in boss.words
    assert "(Đã hủy)" in boss.get("/lich?tuan=2022-11-09").words


def test_what_plays_at_five_and_why_names_the_winner_and_every_loser(house: House) -> None:
    editor, ids = house.browser("bientap"), []
    for title, klass in (("Tin ưu tiên", "3"), ("Tin thường", "2")):
        ids.append(editor.draft(title, klass=klass))
        boss = approve(house, ids[-1])
        boss.plan(ids[-1], _from="2022-11-09", _until="2022-11-09", at="17:00")
    editor.get("/vi-sao?tram=vn.yb.04630&ngay=09/11/2022&luc=17h00")
    assert re.search(r"PHÁT Tin ưu tiên", editor.words)
    loser = editor.words.split("Không được phát lúc này")[1]
    assert "Tin thường" in loser
    assert "nhường tin ưu tiên hơn" in loser


def test_the_why_page_asks_again_for_what_is_no_time(house: House) -> None:
    desk = house.browser("bientap").get("/vi-sao?tram=vn.yb.04630&ngay=2022-11-09&luc=25:00")
    assert desk.status == 422
    assert "17:05" in desk.words


def test_search_finds_a_bulletin_typed_without_marks(house: House) -> None:
    editor = house.browser("bientap")
    editor.draft("Phòng chống đuối nước mùa mưa")
    editor.draft("Lịch cắt điện")
    found = editor.get("/ban-tin?chu=duoi+nuoc").words
    assert "Phòng chống đuối nước" in found
    assert "Lịch cắt điện" not in found
    assert "Không có bản tin nào khớp bộ lọc" in editor.get("/ban-tin?chu=không+có").words


def test_a_real_emergency_needs_the_typed_word_and_the_password(house: House) -> None:
    boss = house.browser("lanhdao")
    emergency(boss)
    assert re.search(r"trạm CNTT trong địa bàn\s*3", boss.words)
    assert re.search(r"đang mất liên lạc\s*3", boss.words), "nobody has called in yet"
    assert re.search(r"FM: sẽ KHÔNG nhận\s*1", boss.words)
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    assert boss.status == 422
    assert "Hãy gõ đúng: PHÁT THẬT" in boss.words
    boss.press("/ra-lenh", password="sai-mat-khau", word="PHÁT THẬT")
    assert boss.status == 422
    assert house.hub.queries.all_series() == []
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], word="phát thật")
    assert re.fullmatch(r"/khan-cap/\d+", boss.path)
    assert "đang hiệu lực" in boss.words
    row = house.hub.queries.all_series()[0]
    assert (row.kind, row.drill, row.level, row.expires_at) == ("emergency", False, 3, house.clock[0] + 7200)
    assert "Lệnh khẩn cấp đang hiệu lực" in house.browser("bientap").words, (
        "the first page of everybody says so"
    )


def test_a_drill_needs_the_password_but_no_typed_word(house: House) -> None:
    boss = emergency(house.browser("lanhdao"), mode="drill")
    assert "Gõ" not in boss.words
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    assert house.hub.queries.all_series()[0].drill
    assert "Diễn tập" in boss.words


@pytest.mark.parametrize("hours", ["0", "25", "", "-1", "1.5", "hai"])
def test_an_emergency_without_a_proper_end_is_refused_in_the_form(house: House, hours: str) -> None:
    boss = emergency(house.browser("lanhdao"), hours=hours)
    assert boss.status == 422
    assert "từ 1 đến 24" in boss.words
    assert "Lũ quét ở thượng nguồn" in boss.html, "the text is kept"


def test_going_back_to_edit_keeps_the_order_as_it_was_written(house: House) -> None:
    boss = emergency(house.browser("lanhdao")).press("/ra-lenh", "edit")
    assert boss.path == "/khan-cap"
    assert "Bước 1 trên 2" in boss.words
    assert "Lũ quét ở thượng nguồn" in boss.html


def test_pressing_twice_drafts_once_and_orders_once(house: House) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    page = editor.page
    for _ in range(2):
        editor.page = page
        editor.press(
            "",
            "draft",
            title=TITLE,
            category="phap-luat",
            _from="2022-11-09",
            _until="2022-11-10",
            text="Một.",
        )
    assert len(house.hub.queries.bulletins()) == 1
    boss = emergency(house.browser("lanhdao"), mode="drill")
    page = boss.page
    for _ in range(2):
        boss.page = page
        boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    assert len(house.hub.queries.all_series()) == 1


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("tin.wav", b"", "rỗng"),
        ("tin.mp3", b"<script>alert(1)</script>" * 9, "Không nhận ra tệp âm thanh"),
        ("../../hub.key", b"%PDF-1.7 not sound", "Không nhận ra tệp âm thanh"),
        ("tin.wav", tone()[:40], "âm thanh"),
    ],
)
def test_a_bad_recording_is_refused_in_plain_words_and_the_text_is_kept(
    house: House, name: str, data: bytes, words: str
) -> None:
    editor = house.browser("bientap").get("/ban-tin/moi")
    editor.press(
        "",
        "draft",
        title=TITLE,
        category="y-te",
        text="Giữ lại lời này.",
        _from="2022-11-09",
        _until="2022-11-10",
        audio=(io.BytesIO(data), name),
    )
    assert editor.status == 422, editor.words
    assert words in editor.words
    assert "Giữ lại lời này." in editor.html
    assert house.hub.queries.bulletins() == []


def test_what_is_missing_in_a_form_is_listed_at_its_top_with_links(house: House) -> None:
    editor = (
        house.browser("bientap")
        .get("/ban-tin/moi")
        .press("", "draft", title=" ", text="", _until="2022-01-01")
    )
    assert editor.status == 422
    for field in ("title", "text", "until"):
        assert f'href="#f-{field}"' in editor.html
        assert f'id="f-{field}"' in editor.html
    assert "Tiêu đề: Cần có chữ ở đây. Văn bản: Cần có chữ ở đây." in editor.words, "each names its field"
    assert "chưa có gì được lưu hay ký" in editor.words
    assert "<title>Lỗi ·" in editor.html


def test_text_is_stored_in_its_composed_form_however_it_was_typed(house: House) -> None:
    editor = house.browser("bientap")
    decomposed = "Tiêm phòng"
    bulletin = editor.draft(decomposed, text="Tiêm vắc xin")
    page = house.hub.queries.bulletin(bulletin)
    assert page.row.title == "Tiêm phòng"
    assert page.text == "Tiêm vắc xin"


def test_the_recording_is_played_from_its_own_address_with_ranges(house: House) -> None:
    editor = house.browser("bientap")
    bulletin = editor.draft(TITLE)
    answer = editor.client.get(f"/ban-tin/{bulletin}/am-thanh", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.data, answer.content_type) == (206, b"RIFF", "audio/wav")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_administrator_registers_a_station_and_prints_its_code_once(house: House) -> None:
    admin = house.browser("admin").get("/tram/moi")
    admin.press("", unit="vn.yb.04700", name="Xã Mới", kind="it")
    assert admin.path == "/tram/vn.yb.04700"
    admin.press("/ma")
    assert 'class="code"' in admin.html
    assert "12/11/2022 08:00 +07" in admin.words, "until when the code may be used"
    fm = admin.get("/tram/vn.yb.04249")
    assert not fm.has_form("/ma")
    assert "không phải là sự cố" in fm.words


def test_an_fm_station_never_raises_an_alarm(house: House) -> None:
    house.later(30 * 86400)
    desk = house.browser("bientap").get("/tram?loai=fm")
    assert "FM, không có đường về" in desk.words
    assert "mất liên lạc" not in desk.words


def test_the_first_page_counts_from_the_ledger_and_says_as_of_when(house: House) -> None:
    desk = house.browser("bientap")
    assert "09/11/2022 08:00 +07" in desk.words
    assert "Không có việc gì đang chờ." in desk.words
    desk.draft(TITLE)
    assert "1 bản tin chờ duyệt" in desk.get("/").words


def test_the_language_is_vietnamese_whatever_the_browser_asks_and_english_by_the_switch(house: House) -> None:
    desk = house.browser("bientap")
    desk.headers["Accept-Language"] = "en-US,en;q=0.9"
    assert 'lang="vi"' in desk.get("/").html
    desk.press("/ngon-ngu", "en")
    assert 'lang="en"' in desk.html
    assert "Waiting for approval" in desk.words
    assert desk.get("/lich").html.count("Friday") >= 0
    desk.press("/ngon-ngu", "vi")
    assert 'lang="vi"' in desk.html


def test_times_of_the_page_are_vietnamese_even_on_a_machine_elsewhere(house: House) -> None:
    house.clock[0] = at(LAW_DAY, 23 * 60 + 59)
    assert "Thứ Tư 09/11/2022 · 23:59" in house.browser("bientap").words
