"""What a page shows and what it costs: hostile text stays text, headers shut scripts out, errors speak
plainly, and every page keeps its budget of bytes and of questions to the databases.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from test_web_house import (
    LAW_DAY,
    PASSWORDS,
    Browser,
    House,
    alert,
    approve,
    build,
    document,
    feedback,
    stocked,
)
from test_web_machine import enrol
from test_web_walls import LOOK, ROLES, path_of, rules
from werkzeug.routing import Rule

from hub.web.slim import TYPES
from ledger.facts import Condition, at

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "{{ 7*7 }}{% print 1 %}",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>Xã</a>",
    "&lt;b&gt;đậm&lt;/b&gt;",
    "%(num)d %s {0}",
)
# What no browser shows as a page: files to keep.
KEPT = {"text/calendar", "text/csv", "text/plain", "application/cap+xml", "application/octet-stream"}


@pytest.fixture(scope="module")
def house() -> House:
    """One stocked hub for this file; its tests sign in anew and only look, or are refused."""
    return stocked("shown")


class Shown(HTMLParser):
    """Tags, attributes and text of a page as a browser would build them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_is_shown_as_text_on_every_page() -> None:
    house = build("xss")
    editor, boss, admin = house.browser("bientap"), house.browser("lanhdao"), house.browser("admin")
    ids = []
    for payload in PAYLOADS:
        bulletin = editor.draft(payload, text=payload)
        boss.get(f"/cho-duyet/{bulletin}")
        if len(ids) % 2:
            boss.press("/tra-lai", reason=payload)
        else:
            boss.press("/duyet", password=PASSWORDS["lanhdao"])
            boss.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00")
            assert boss.status == 200, boss.words
        ids.append(bulletin)
    admin.get("/tram/moi").press("", unit="vn.yb.09999", name=PAYLOADS[0], kind="it")
    boss.get("/khan-cap").press("/khan-cap", text=PAYLOADS[1], kind="khac", mode="drill", hours="1")
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    boss.get("/nhom/moi").press("/nhom/moi", name=PAYLOADS[0], by="rule", kind="it")
    admin.get("/ngay-le").press("/ngay-le", day="03/11/2022", name=PAYLOADS[1], source=PAYLOADS[0])
    editor.draft("Chờ " + PAYLOADS[0])
    for rule in rules(house, unsafe=False):
        for path in paths_of(house, rule, ids):
            answer = boss.client.get(path)
            if answer.mimetype in KEPT:
                assert answer.headers["Content-Disposition"].startswith("attachment"), path
                assert answer.headers["X-Content-Type-Options"] == "nosniff", path
                continue
            html = answer.get_data(as_text=True)
            seen = Shown(html)
            scripts = [attrs for tag, attrs in seen.tags if tag == "script"]
            assert all(attrs.get("src", "").startswith("/static/") for attrs in scripts), path
            for tag, attrs in seen.tags:
                assert not [name for name in attrs if name.startswith("on")], (path, tag, attrs)
                assert "style" not in attrs, (path, tag)
                for name in ("href", "src", "action", "formaction"):
                    assert not attrs.get(name, "").lower().startswith(("javascript:", "data:")), (path, tag)
                if rule.endpoint == "duty.sheet" and tag == "style":
                    continue  # a sheet to print is one file: its own style, pinned by its hash in its policy
                if tag == "iframe" and attrs.get("src") == "/khan-cap/khung":
                    continue  # this site's own strip
                assert tag not in ("img", "iframe", "object", "embed", "style"), (path, tag)
    assert PAYLOADS[0] in Shown(boss.get(f"/ban-tin/{ids[0]}").html).text
    assert "49" not in Shown(boss.get(f"/ban-tin/{ids[4]}").html).text.split("SHA-256")[0]
    echoed = boss.get("/ban-tin?chu=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").html
    assert "<script>alert" not in echoed


def paths_of(house: House, rule: Rule, ids: list[str]) -> Iterator[str]:
    if rule.endpoint in ("auth.login", "bulletins.audio", "bulletins.file"):
        return
    if {"sample", "parcel", "words"} & rule.arguments:
        return  # an editor's: test_a_sample_is_shown_as_text
    rows = house.hub.queries.all_series()
    if rule.endpoint in ("reports.page", "reports.file"):
        forms = ("", "/tep.csv", "/tep.txt") if "form" in rule.arguments else ("",)
        yield from (f"/bao-cao{form}?ky=2022-q4" for form in forms)
        yield "/bao-cao"
        return
    if {"unit", "key"} <= rule.arguments:
        return  # a wish for rights: test_web_wishes looks at what a station may write there
    if "document" in rule.arguments:
        house.shelf.setdefault("paper", document(house, PAYLOADS[0], number=PAYLOADS[1]))
    if "name" in rule.arguments:
        house.shelf.setdefault("letter", feedback(house, PAYLOADS[0], PAYLOADS[1]))
    if "alert" in rule.arguments:
        house.shelf.setdefault("alarm", alert(house))
    for arguments in (
        [{"alert": house.shelf["alarm"]}]
        if "alert" in rule.arguments
        else [{"document": house.shelf["paper"]}]
        if "document" in rule.arguments
        else [{"name": house.shelf["letter"]}]
        if "name" in rule.arguments
        else [{"bulletin": one} for one in ids]
        if "bulletin" in rule.arguments
        else [
            {"series": r.series} for r in rows if (r.kind == "emergency") == rule.rule.startswith("/khan-cap")
        ]
        if "series" in rule.arguments
        else [{"unit": "vn.yb.09999"}]
        if "unit" in rule.arguments
        else [{"number": group.id} for group in house.hub.choices.groups.all("vn.yb")]
        if "number" in rule.arguments
        else [{"key": row.key_id} for row in house.hub.accounts.rows()]
        if "key" in rule.arguments
        else [{}]
    ):
        yield house.app.url_map.bind("localhost").build(rule.endpoint, arguments)
    if rule.endpoint == "why.page":
        yield "/vi-sao?tram=vn.yb.09999&ngay=2022-11-09&luc=17:00"


def test_every_page_carries_the_headers_that_shut_scripts_and_frames_out(house: House) -> None:
    desk = house.browser("lanhdao")
    for rule in rules(house, unsafe=False):
        headers = desk.client.get(path_of(house, rule)).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"], rule.rule
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "no-store" in headers["Cache-Control"] or "private" in headers["Cache-Control"], rule.rule


def test_error_pages_speak_plain_vietnamese_and_show_no_entrails(house: House) -> None:
    desk = house.browser("bientap")
    for path, status in (
        ("/khong-co", 404),
        (f"/ban-tin/{'0' * 32}", 404),
        ("/ban-tin/khong-phai-ma", 404),
        ("/lich/999999", 404),
        ("/lich/99999999999999999999", 404),
        ("/khan-cap/999999", 404),
        ("/tram/vn.yb.00000", 404),
        ("/tram/vn.yb", 404),
    ):
        assert desk.get(path).status == status, path
        assert "Về trang Hôm nay" in desk.words
        assert not re.search(r"Traceback|\.py|sqlite|Error\b", desk.html)


def test_an_upload_beyond_the_cap_is_refused_before_it_is_read(house: House) -> None:
    desk = house.browser("bientap")
    answer = desk.client.post(
        "/ban-tin/moi",
        data=b"x",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(house.app.config["MAX_CONTENT_LENGTH"] + 1)},
    )
    assert answer.status_code == 413
    assert "Tệp quá lớn" in answer.get_data(as_text=True)


def test_a_field_the_page_never_had_is_refused(house: House) -> None:
    desk = house.browser("admin").get("/tram/moi")
    assert desk.press("", unit="vn.yb.04999", name="Xã", kind="it", role="admin").status == 400


def weight(desk: Browser, path: str) -> int:
    """Bytes of a GET's body as they go over the wire to a browser that takes gzip."""
    with desk.client.get(path, headers={"Accept-Encoding": "gzip, br"}) as answer:
        assert answer.status_code == 200, path
        assert ("Accept-Encoding" in answer.headers["Vary"]) is (answer.mimetype in TYPES)
        if answer.headers.get("Content-Encoding") == "gzip":
            assert b"</" in gzip.decompress(answer.data) or path.startswith("/static/")
        return len(answer.data)


def test_no_first_load_weighs_more_than_sixty_kilobytes(house: House) -> None:
    desk = house.browser("lanhdao")
    assets = 0
    for name, limit in (("loa.css", 9_000), ("loa.js", 3_584), ("loa.svg", 500)):
        assert weight(desk, f"/static/{name}") <= limit, name
        assets += weight(desk, f"/static/{name}")
    for rule in rules(house, unsafe=False):
        if ROLES["lanhdao"] in LOOK.get(rule.endpoint, {"approver"}) and rule.endpoint not in (
            "bulletins.audio",
            "bulletins.file",
            "bulletins.read_out",
            "spoken.script",
            "second.recording",
            "papers.file",
            "auth.login",
        ):
            assert weight(desk, path_of(house, rule)) + assets < 60_000, rule.rule


def test_a_province_of_three_hundred_stations_still_fits() -> None:
    many = tuple((f"vn.yb.{n:05d}", f"Xã Thử Nghiệm {n}", "it" if n % 2 else "fm") for n in range(300))
    desk = build("big", stations=many).browser("lanhdao")
    for path in ("/", "/tram", "/vi-sao", "/lich", "/khan-cap", "/ban-tin"):
        assert weight(desk, path) < 30_000, path


def test_a_browser_that_cannot_unpack_gets_the_page_plain(house: House) -> None:
    desk = house.browser("lanhdao")
    with desk.client.get("/tram", headers={"Accept-Encoding": "gzip;q=0"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert "Xã Tú Lệ" in answer.get_data(as_text=True)


def test_what_was_withdrawn_is_nowhere_shown_as_still_to_come() -> None:
    house = stocked("withdrawn")
    bulletin, series = house.shelf["Đã duyệt"], house.shelf["series"]
    boss = house.browser("lanhdao")
    assert "17:00 Đã duyệt" in boss.get("/").words
    boss.get(f"/ban-tin/{bulletin}").press("/thu-hoi", reason="Sai ngày tiêm")
    assert "Giàng A Páo thu hồi: “Sai ngày tiêm”" in boss.words
    assert "Đang hiệu lực" not in boss.words
    assert "17:00 Đã duyệt" not in boss.get("/").words
    assert "Đang hiệu lực" not in boss.get("/lich?tuan=09/11/2022").words
    house.later(24 * 3600)
    boss.sign_in("lanhdao").get(f"/lich/{series}")
    assert "Bản tin đã thu hồi nên lịch này thôi phát" in boss.words
    assert "chưa báo về" not in boss.words
    assert not boss.has_form("/huy")
    boss.get(f"/ban-tin/{bulletin}/xep-lich")
    assert "đã thu hồi nên không xếp lịch được nữa" in boss.words
    assert "Ký lịch phát" not in boss.words


def test_a_returned_bulletin_says_first_why_and_what_to_do_and_counts_no_station() -> None:
    house = build("returned")
    bulletin = house.browser("bientap").draft()
    house.browser("lanhdao").get(f"/cho-duyet/{bulletin}").press("/tra-lai", reason="Thiếu số điện thoại")
    desk = house.browser("bientap").get(f"/ban-tin/{bulletin}")
    assert "Giàng A Páo trả lại: “Thiếu số điện thoại” Người soạn sửa thành bản mới" in desk.words
    assert "Chưa duyệt nên chưa gửi đến trạm nào. Địa bàn có 3 trạm CNTT, 1 FM." in desk.words
    assert "chưa nhận" not in desk.words


def test_the_why_page_says_beside_the_plan_what_the_station_reported() -> None:
    house = stocked("why")
    asked = "/vi-sao?tram=vn.yb.04630&ngay=09/11/2022&luc=17:00"
    desk = house.browser("bientap")
    assert "Trạm chưa báo" not in desk.get(asked).words, "nobody can have reported the future"
    assert "Chọn trạm, ngày và giờ rồi bấm Hỏi" in desk.get("/vi-sao").words
    station = enrol(house, "vn.yb.04630")
    station.sync()
    house.clock[0] = at(LAW_DAY, 17 * 60 + 20)
    assert "Trạm chưa báo: chưa rõ" in desk.sign_in("bientap").get(asked).words
    station.acknowledge(house.shelf["series"])
    station.sync()
    house.hub.tick()
    assert "Trạm đã báo: đã phát · bằng chứng: đã đến trạm" in desk.get(asked).words


def test_a_stations_page_says_what_to_do_when_it_is_silent() -> None:
    house = build("silent")
    enrol(house, "vn.yb.04630").sync()
    house.hub.tick()
    house.later(2 * 3600)
    desk = house.browser("bientap").get("/tram/vn.yb.04630")
    assert "Hãy gọi người trực ở xã xem điện và mạng" in desk.words
    assert "Trạm chưa ghi danh nên chưa nhận gì" in desk.get("/tram/vn.yb.04510").words


@pytest.mark.parametrize(
    ("storage", "words"),
    [(0, "ghi được"), (1, "đầy: trạm chạy trong bộ nhớ"), (2, "không ghi được: trạm chạy trong bộ nhớ")],
)
def test_a_stations_page_says_how_its_memory_card_is(storage: int, words: str) -> None:
    house = build("card")
    feedback(house, "xin chào")
    house.shelf["box"].sync(Condition("mpv", 3, 2, house.clock[0], storage=storage).encode())
    assert f"Thẻ nhớ {words}" in house.browser("bientap").get("/tram/vn.yb.04630").words


def test_each_page_asks_the_databases_a_bounded_number_of_times() -> None:
    house = build("queries")
    editor = house.browser("bientap")
    few = statements(house)
    for n in range(12):
        bulletin = editor.draft(f"Bản tin số {n}")
        approve(house, bulletin)
    many = statements(house)
    for path, count in many.items():
        assert count <= 40, (path, count)
        assert count <= few[path] + 30, f"{path}: {few[path]} queries with nothing, {count} with 12 bulletins"


def test_no_page_asks_the_databases_more_often_because_there_are_more_stations() -> None:
    few, many = province(3), province(60)
    asked = statements(few)
    assert statements(many) == asked
    assert max(asked.values()) <= 40, asked
    wall = many.browser("lanhdao").get("/tram").words
    assert wall.count("liên lạc vừa xong") == 60
    assert wall.count("thiếu 2 đoạn ký") == 20, "every third one, of an approval and a drill"


def province(stations: int) -> House:
    """So many stations, all enrolled and in touch, every third of them behind with its decisions."""
    units = [f"vn.yb.{n:05d}" for n in range(stations)]
    house = build("wall", stations=tuple((unit, f"Xã {unit[-2:]}", "it") for unit in units))
    fields = [enrol(house, unit) for unit in units]
    for field in fields * 2:  # what a station holds is known when it asks the next time
        field.sync()
    boss = approve(house, house.browser("bientap").draft("Phòng cháy"))
    house.shelf["bulletin"] = boss.path
    boss.get("/khan-cap").press("/khan-cap", text="Diễn tập.", kind="khac", mode="drill", hours="1")
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    house.shelf |= {"order": boss.path, "answers": boss.path + "/tra-loi", "station": f"/tram/{units[0]}"}
    for n, field in enumerate(fields):
        if n % 3:
            field.sync()
            field.sync()
    house.hub.tick()
    return house


def statements(house: House) -> dict[str, int]:
    """Path, or name on the shelf of one → SQL statements run on the hub's databases to show it."""
    desk = house.browser("lanhdao")
    counted: dict[str, int] = {}
    databases = house.databases()
    for path in ("/", "/ban-tin", "/cho-duyet", "/lich", "/vi-sao", "/khan-cap", "/tram", *house.shelf):
        seen: list[str] = []
        for db in databases:
            db.set_trace_callback(seen.append)
        assert desk.get(house.shelf.get(path, path)).status == 200
        for db in databases:
            db.set_trace_callback(None)
        counted[path] = len(seen)
    return counted


def test_a_station_that_came_long_ago_is_out_of_touch_with_word_and_time() -> None:
    house = build("touch")
    enrol(house, "vn.yb.04630").sync()
    house.hub.tick()
    desk = house.browser("bientap")
    assert "đang liên lạc" in desk.get("/tram").words
    house.later(2 * 3600)
    desk.sign_in("bientap").get("/tram")
    assert "mất liên lạc" in desk.words
    assert "2 giờ trước" in desk.words
    assert "1 trạm mất liên lạc" in desk.get("/").words


def test_quiet_hours_do_not_hide_the_hour_of_the_page() -> None:
    house = build("night")
    house.clock[0] = at(LAW_DAY, 22 * 60)
    assert "22:00" in house.browser("bientap").words


def test_a_sample_is_shown_as_text() -> None:
    house = build("xss-samples")
    editor = house.browser("bientap")
    for payload in PAYLOADS:
        text = payload.replace("{", "").replace("}", "")
        editor.get("/ban-tin/mau/moi").press(
            "", name=text, title=text + "<b>{a}</b>", category="khac", klass="2", text=text
        )
    rows = house.hub.samples.rows()
    assert len(rows) == len(PAYLOADS)
    for row in rows:
        one = f"/ban-tin/mau/{row.id}"
        for path in ("/ban-tin/mau", one, f"{one}/sua", f"/ban-tin/moi?mau={row.id}"):
            seen = Shown(editor.get(path).html)
            scripts = [attrs.get("src", "") for tag, attrs in seen.tags if tag == "script"]
            assert all(src.startswith("/static/") for src in scripts)
            assert not [tag for tag, _ in seen.tags if tag in ("img", "b")], path
            assert not [name for _, attrs in seen.tags for name in attrs if name.startswith("on")], path
