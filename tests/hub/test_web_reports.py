"""Báo cáo by hand: asked with one form, and the same rows on the screen, in XLSX and in CSV."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_web_house import PASSWORDS, Browser, House, build
from test_web_machine import enrol

from hub.web.report_files import FORMULA, guarded
from ledger.facts import Outcome, at, day_from_iso, local_day

QUARTER = "?ky=2022-q4"
EVIL = '=HYPERLINK("http://x.example";"Bấm vào đây")'


def lively(seed: str, *, title: str = "Tiêm phòng sởi cho trẻ", place: str = "Xã Tú Lệ") -> House:
    """Tú Lệ played on Law Day, Xuân Ái lost its power, Việt Thành is silent; then two months pass."""
    house = build(
        seed,
        stations=(
            ("vn.yb.04630", place, "it"), ("vn.yb.04441", "Xã Xuân Ái", "it"),
            ("vn.yb.04510", "Xã Việt Thành", "it"), ("vn.yb.04249", "Phường Yên Thịnh", "fm"),
        ),
    )  # fmt: skip
    stations = [enrol(house, unit) for unit in ("vn.yb.04630", "vn.yb.04441")]
    bulletin = house.browser("bientap").draft(title)
    boss = house.browser("lanhdao")
    boss.get(f"/cho-duyet/{bulletin}").press("/duyet", password=PASSWORDS["lanhdao"])
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    today = local_day(house.clock[0])
    series = house.hub.commands.schedule(
        officer, bulletin, territory="vn.yb", days=[today], minute=17 * 60, now=house.clock[0]
    )
    house.clock[0] = at(today, 18 * 60)
    for station in stations:
        station.sync()
    stations[0].acknowledge(series)
    stations[1].acknowledge(series, Outcome.MISSED)
    for station in stations:
        station.sync()
    house.clock[0] = at(day_from_iso("2023-01-10"), 9 * 60)
    house.hub.tick()
    return house


@pytest.fixture(scope="module")
def quarter() -> House:
    """For tests that only look."""
    return lively("quarter")


def ready(house: House, account: str = "lanhdao") -> Browser:
    return house.browser(account).get("/bao-cao")


def book_of(browser: Browser) -> Any:
    return openpyxl.load_workbook(io.BytesIO(download(browser, "xlsx")))


def link(browser: Browser, form: str) -> str:
    found = re.search(rf'href="(/bao-cao/tep\.{form}[^"]*)"', browser.html)
    assert found is not None
    return found[1].replace("&amp;", "&")


def download(browser: Browser, form: str) -> bytes:
    answer = browser.client.get(link(browser, form))
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    return answer.get_data()


def table_on(browser: Browser, title: str) -> list[list[str]]:
    """The cells of a table on the screen, by the title above it."""
    part = browser.html.split(f">{title}</h2>", 1)[1].split("</section>", 1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_the_form_proposes_the_quarter_at_hand_and_shows_nothing_before_it_is_asked(quarter: House) -> None:
    browser = ready(quarter)
    assert browser.status == 200
    assert "Quý 1/2023" in browser.words
    assert "Chỉ tính những ngày đã qua hết" in browser.words
    assert "Mã số liệu" not in browser.words


def test_screen_xlsx_and_csv_hold_the_same_rows(quarter: House) -> None:
    browser = ready(quarter).get("/bao-cao" + QUARTER)
    assert browser.status == 200
    screen = table_on(browser, "Theo trạm CNTT")
    assert screen[0][:4] == ["Trạm", "Lượt phát theo lịch", "Đã phát", "Phát trễ"]
    assert [row[:3] for row in screen[1:]] == [
        ["Xã Xuân Ái", "1", "0"], ["Xã Việt Thành", "1", "0"], ["Xã Tú Lệ", "1", "1"],
    ]  # fmt: skip
    sheet = book_of(browser)["Theo trạm CNTT"]
    in_file = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert [[str(cell) for cell in row[1:]] for row in in_file] == screen
    text = download(browser, "csv").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    begin = rows.index(["Theo trạm CNTT"]) + 1
    assert [row[1:] for row in rows[begin : begin + 4]] == screen


def test_counts_in_xlsx_are_numbers_and_words_are_texts(quarter: House) -> None:
    book = book_of(ready(quarter).get("/bao-cao" + QUARTER))
    assert [sheet.title for sheet in book][:2] == ["Tổng hợp", "Vì sao không phát được"]
    rows = list(book["Theo trạm CNTT"].iter_rows(min_row=2))
    assert {cell.data_type for row in rows for cell in row[:2]} == {"s"}
    assert {cell.data_type for row in rows for cell in row[2:]} == {"n"}
    assert "Cách hiểu số liệu" in book.sheetnames


def test_the_csv_begins_with_a_mark_by_which_excel_knows_vietnamese(quarter: House) -> None:
    data = download(ready(quarter).get("/bao-cao" + QUARTER), "csv")
    assert data.startswith(b"\xef\xbb\xbf")
    assert "Trạm CNTT: lượt phát theo lịch,3\r\n" in data.decode("utf-8-sig")


def test_what_looks_like_a_formula_runs_in_neither_file() -> None:
    house = lively("evil", title=EVIL, place="+Xã Tú Lệ")
    browser = ready(house).get("/bao-cao" + QUARTER)
    assert EVIL.replace('"', "&#34;") in browser.html
    book = book_of(browser)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert EVIL in {cell.value for cell in cells}, "and XLSX keeps the words as they were written"
    assert not any(sheet._hyperlinks for sheet in book)
    rows = list(csv.reader(io.StringIO(download(browser, "csv").decode("utf-8-sig"))))
    found = [cell for row in rows for cell in row if "HYPERLINK" in cell or "Tú Lệ" in cell]
    assert found
    assert not [cell for row in rows for cell in row if cell[:1] in FORMULA]


@given(st.text(max_size=20))
def test_no_csv_cell_begins_as_a_formula_does(text: str) -> None:
    shown = guarded(text)
    assert shown.lstrip(" \u00a0\ufeff\u200b")[:1] not in FORMULA
    assert shown in (text, "'" + text)


def test_the_foot_says_what_the_figures_mean_and_how_they_come_again() -> None:
    house = lively("foot")
    browser = ready(house).get("/bao-cao" + QUARTER)
    assert "Không bao giờ được tính là đã phát." in browser.words
    assert "Không phải số người nghe." in browser.words
    digest = re.search(r"Mã số liệu \(SHA-256\) ([0-9a-f]{64})", browser.words)
    assert digest is not None
    assert hashlib.sha256(download(browser, "txt")).hexdigest() == digest[1]
    assert f"Vị trí trong sổ của trung tâm {house.hub.ledger.position()} " in browser.words
    house.hub.rebuild()
    browser.client.application.extensions.pop("loa_reports")
    assert digest[1] in browser.get("/bao-cao" + QUARTER).words


def test_a_file_is_of_the_report_on_the_screen_though_more_arrived_meanwhile() -> None:
    house = lively("meanwhile")
    browser = ready(house).get("/bao-cao" + QUARTER)
    before = table_on(browser, "Theo trạm CNTT")
    later = enrol(house, "vn.yb.04510")
    later.sync()
    series = next(iter(house.hub.facts.schedules))
    later.acknowledge(series)
    later.sync()
    house.hub.tick()
    sheet = book_of(browser)["Theo trạm CNTT"]
    assert [[str(cell.value) for cell in row[1:]] for row in sheet.iter_rows()] == before
    assert table_on(browser.get("/bao-cao" + QUARTER), "Theo trạm CNTT") != before


def test_a_period_of_ones_own_is_typed_and_a_wrong_one_is_said_at_its_field(quarter: House) -> None:
    browser = ready(quarter)
    found = browser.get("/bao-cao?ky=&tu=09/11/2022&den=09/11/2022")
    assert "09/11/2022 – 09/11/2022" in found.words
    assert found.get("/bao-cao?ky=&tu=31/02/2022&den=09/11/2022").status == 422
    assert "Hãy nhập ngày dạng 09/11/2022." in found.words
    assert 'value="31/02/2022"' in found.html, "what was typed is still there"
    assert found.get("/bao-cao?ky=&tu=10/11/2022&den=09/11/2022").status == 422
    assert "Ngày đầu phải trước ngày cuối" in found.words
    assert found.get("/bao-cao?ky=&tu=09/02/2024&den=10/02/2024").status == 422
    assert "chưa có ngày nào qua hết" in found.words
    assert found.get("/bao-cao?ky=2022-q5").status == 422


def test_a_territory_that_is_not_the_officers_is_no_choice(quarter: House) -> None:
    house = quarter
    assert ready(house).get(f"/bao-cao{QUARTER}&diaban=vn.yb.04630").status == 200
    assert ready(house).get(f"/bao-cao{QUARTER}&diaban=vn.lc").status == 422
    assert ready(house).get("/bao-cao/tep.xlsx" + QUARTER + "&diaban=vn.lc").status == 400
    assert ready(house).get("/bao-cao/tep.exe" + QUARTER).status == 404
    assert house.browser().get("/bao-cao/tep.xlsx" + QUARTER).path == "/dang-nhap"


@pytest.mark.parametrize("query", ["&linhvuc=y-te", "&linhvuc=chay-no"])
def test_a_category_narrows_every_table(quarter: House, query: str) -> None:
    browser = ready(quarter).get("/bao-cao" + QUARTER + query)
    assert browser.status == 200
    assert "Khẩn cấp và diễn tập" not in browser.words.split("Cách hiểu số liệu")[0]
    assert ("Tiêm phòng sởi cho trẻ" in browser.words) == query.endswith("y-te")


def test_the_print_view_shows_every_row_open() -> None:
    house = lively("print")
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.register_stations(
        admin, [(f"vn.yb.{10000 + n}", f"Xã {n:03}", "it") for n in range(20)], now=house.clock[0]
    )
    house.hub.tick()
    browser = ready(house).get("/bao-cao" + QUARTER)
    assert "<details>" in browser.html
    browser.get("/bao-cao" + QUARTER + "&in=1")
    assert "<details>" not in browser.html
    assert "Xã 019" in browser.words


def test_a_group_is_one_of_the_places_and_the_report_names_its_stations() -> None:
    house = lively("group")
    house.hub.choices.groups.keep(
        "Mạng A", territory="vn.yb", units=["vn.yb.04630", "vn.yb.04249"], account="admin", now=house.clock[0]
    )
    browser = ready(house)
    value = re.search(r'<option value="(nhom:\d+)">Nhóm: Mạng A', browser.html)
    assert value is not None
    browser.get(f"/bao-cao{QUARTER}&diaban={value[1]}")
    assert [row[0] for row in table_on(browser, "Theo trạm CNTT")[1:]] == ["Xã Tú Lệ"]
    assert "Mạng A (2)" in [row[1] for row in csv_rows(browser) if row[:1] == ["Nhóm trạm"]]
    assert "group\tMạng A\tvn.yb.04249 vn.yb.04630\n" in download(browser, "txt").decode()
    assert browser.get(f"/bao-cao{QUARTER}&diaban=nhom:99").status == 422


def test_a_campaign_is_asked_for_by_its_name() -> None:
    house = lively("campaign")
    named = house.browser("bientap").draft("Ngày Pháp luật", "save", campaign="Ngày Pháp luật 9/11")
    browser = ready(house)
    assert "<option>Ngày Pháp luật 9/11</option>" in browser.html
    browser.get(f"/bao-cao{QUARTER}&dot=Ngày Pháp luật 9/11")
    assert browser.status == 200
    assert "Tiêm phòng" not in browser.words
    assert f"campaign\tNgày Pháp luật 9/11\t{named}\n" in download(browser, "txt").decode()
    assert browser.get(f"/bao-cao{QUARTER}&dot=không có").status == 422


def csv_rows(browser: Browser) -> list[list[str]]:
    return list(csv.reader(io.StringIO(download(browser, "csv").decode("utf-8-sig"))))
