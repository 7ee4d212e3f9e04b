"""Documents at a station: fetched after what is heard, found without diacritics, read and signed for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from page_world import PIN, Browser, Page
from paper_pdf import pdf_of
from station_world import DAY, ROOT, UNIT

from ledger.content import pdf_reader
from ledger.facts import DirectiveIssued, DirectiveRead, Manifest, Rendition
from ledger.log import Blobs, StoreError
from node.page.reading import Reading

LAW = "Luật Phòng, chống ma túy. Điều 1. Phạm vi điều chỉnh."
NAME = b"D" * 16


@dataclass
class Case:
    page: Page
    lan: Browser
    pao: Browser


@pytest.fixture
def case() -> Case:
    page = Page()
    lan = page.join("Nguyễn Thị Lan", "officer")
    pao = page.join("Giàng A Páo", "approver")
    for name in (lan.name, pao.name):
        page.grant(name)
    return Case(page, lan, pao)


def content(page: Page, text: str | bytes, media_type: str = "text/plain") -> bytes:
    hub = page.world.hub
    data = text.encode() if isinstance(text, str) else text
    manifest = Manifest((Rendition.of("document", media_type, data),))
    for one in (data, manifest.encode()):
        hub.blobs.put(one)
    return manifest.sha256


def issue(
    page: Page, text: str = LAW, *, name: bytes = NAME, manifest: bytes | None = None, **more: object
) -> bytes:
    given: dict[str, object] = {
        "kind": "directive", "number": "15/CV-STTTT", "issuer": "Sở Thông tin và Truyền thông",
        "issued_day": DAY - 3, "title": "Tuyên truyền phòng, chống ma túy", "summary": "",
        "category": "ma-tuy", "territory": "vn.yb", "due_day": DAY + 5,
    } | more  # fmt: skip
    manifest = manifest or content(page, text)
    page.world.hub.sign(
        ROOT,
        DirectiveIssued(page.world.hub.ts, name, manifest=manifest, **given),  # type: ignore[arg-type]
    )
    page.world.station.agent.hurry(page.world.clock.mono_s, 0.0)
    page.sync()
    return manifest


def test_a_document_of_the_province_is_read_here_and_found_without_diacritics(case: Case) -> None:
    issue(case.page)
    assert case.page.read_documents() == 1
    case.lan.get("/tai-lieu")
    assert case.lan.says("Tuyên truyền phòng, chống ma túy")
    for words in ("phong chong ma tuy", "15/CV", "dieu chinh", "SO THONG TIN"):
        assert case.lan.get(f"/tai-lieu?tim={words}").says("Tuyên truyền phòng"), words
    assert not case.lan.get("/tai-lieu?tim=giao thong").says("Tuyên truyền phòng")
    case.lan.get(f"/tai-lieu/{NAME.hex()}")
    assert case.lan.says("Điều 1. Phạm vi điều chỉnh.")


@pytest.mark.skipif(pdf_reader() is None, reason="pdftotext is not installed")
def test_the_words_inside_a_pdf_are_found_without_diacritics_and_shown_where_they_stand(case: Case) -> None:
    pdf = pdf_of("Điều 12. Trách nhiệm phòng cháy, chữa cháy của Ủy ban nhân dân xã")
    issue(case.page, manifest=content(case.page, pdf, "application/pdf"), title="Gửi các xã")
    case.lan.get("/tai-lieu?tim=trach nhiem")
    assert case.lan.says("Không tìm thấy")
    assert case.lan.says("Còn 1 tệp đang chờ đọc chữ bên trong")
    assert case.page.read_documents() == 1
    case.lan.get("/tai-lieu?tim=uy ban 15/cv")
    assert case.lan.says("Gửi các xã"), "a word inside and one of the number"
    case.lan.get("/tai-lieu?tim=trach nhiem")
    assert "12. <mark>Trách nhiệm</mark> phòng cháy" in case.lan.text
    assert not case.lan.says("đang chờ đọc")
    assert not case.lan.get("/tai-lieu?tim=trach nhiem giao thong").says("Gửi các xã")


def test_what_a_document_says_is_shown_as_words_and_never_as_a_page(case: Case) -> None:
    issue(case.page, "Xem <script>alert(1)</script> tại đây")
    case.page.read_documents()
    case.lan.get("/tai-lieu?tim=script")
    assert "&lt;<mark>script</mark>&gt;alert" in case.lan.text
    assert "<script>alert" not in case.lan.text


def test_a_document_that_was_replaced_is_found_by_its_new_words_only(case: Case) -> None:
    issue(case.page)
    case.page.read_documents()
    issue(case.page, "Bản sửa đổi về đuối nước.")
    case.page.read_documents()
    assert not case.lan.get("/tai-lieu?tim=dieu chinh").says("Tuyên truyền")
    assert case.lan.get("/tai-lieu?tim=duoi nuoc").says("Tuyên truyền")


def test_what_was_read_is_not_read_again_after_a_power_cut(case: Case) -> None:
    issue(case.page)
    assert case.page.read_documents() == 1
    case.page.restart()
    assert case.page.read_documents() == 0


def test_without_a_reader_pdfs_wait_and_the_page_says_why(case: Case) -> None:
    page = case.page
    assert page.office.texts is not None
    page.reading = Reading(lambda question: question(page.office), page.office.texts, None)
    page.office.reads_pdf = False
    issue(page, manifest=content(page, pdf_of("Điều 12"), "application/pdf"), title="Công văn")
    assert page.read_documents() == 0
    case.lan.get("/tai-lieu")
    assert case.lan.says("hộp trạm chưa có poppler-utils")
    assert not case.lan.says("đang chờ đọc")


def test_a_life_in_memory_searches_titles_and_says_so(case: Case) -> None:
    issue(case.page)
    case.page.office.texts = None
    assert case.lan.get("/tai-lieu?tim=ma tuy").says("Tuyên truyền")
    assert case.lan.says("Lúc này chữ bên trong tệp không được tìm")


def test_a_card_that_is_nearly_full_is_left_to_the_log(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(case.page)
    monkeypatch.setattr("node.page.reading.RESERVE_BYTES", 1 << 62)
    assert case.page.read_documents() == 0


def test_the_thread_that_reads_ends_with_its_life_and_waits_out_a_busy_loop(case: Case) -> None:
    issue(case.page)
    page, waits = case.page, list[float]()

    def busy(question: object) -> object:
        raise StoreError("station-busy", "the station did not answer")

    def pause(wait_s: float) -> bool:
        waits.append(wait_s)
        return len(waits) > 3

    assert page.office.texts is not None
    Reading(busy, page.office.texts, None).run(pause)  # type: ignore[arg-type]
    assert waits == [2.0, 60.0, 60.0, 60.0]
    waits.clear()
    page.reading.run(pause)
    assert waits == [2.0, 2.0, 60.0, 60.0], "one file, then nothing to do"


def test_a_read_receipt_is_signed_with_the_readers_own_key_and_reaches_the_province(case: Case) -> None:
    manifest = issue(case.page)
    assert case.lan.get("/").says("Tài liệu 1"), "the menu counts what I have not read"
    case.lan.get(f"/tai-lieu/{NAME.hex()}").press("/da-doc")
    assert case.lan.says("Đã ký xác nhận đã đọc.")
    case.page.sync()
    row = case.page.office.people.named(case.lan.name)
    assert row is not None
    (read,) = case.page.world.hub.facts.reads[NAME, UNIT]
    assert (read.key_id, read.fact.manifest, read.fact.territory) == (row.key_id, manifest, UNIT)
    assert not case.lan.get("/").says("Tài liệu 1")
    assert case.pao.get("/").says("Tài liệu 1"), "one person's reading is nobody else's"


def test_confirming_twice_signs_once(case: Case) -> None:
    issue(case.page)
    path = f"/tai-lieu/{NAME.hex()}"
    form = case.lan.get(path)
    manifest = case.page.world.hub.facts.directives[NAME][-1].fact.manifest
    hidden = {"csrf": form.csrf, "manifest": manifest.hex()}
    for _ in range(2):
        case.lan.post(f"{path}/da-doc", hidden)
    case.page.sync()
    assert len(case.page.world.hub.facts.reads[NAME, UNIT]) == 1


def test_what_has_changed_meanwhile_is_not_confirmed_unread(case: Case) -> None:
    issue(case.page)
    case.lan.get(f"/tai-lieu/{NAME.hex()}")
    issue(case.page, "Bản sửa đổi: Điều 2.")
    case.lan.press("/da-doc")
    assert case.lan.says("Đã có bản mới hơn.")
    assert (NAME, UNIT) not in case.page.world.station.facts.reads
    assert case.lan.says("bản thứ 2")


def test_a_document_that_was_taken_back_is_gone_from_the_list_and_from_the_card(case: Case) -> None:
    manifest = issue(case.page)
    blobs = Blobs(case.page.world.store)
    assert blobs.has(manifest)
    hub = case.page.world.hub
    taken = DirectiveIssued(
        hub.ts, NAME, "directive", "15/CV-STTTT", "Sở", DAY, "Thu hồi", "", "", None, "vn.yb", None
    )
    hub.sign(ROOT, taken)
    case.page.world.run(3 * 86_400)
    assert not case.lan.get("/tai-lieu").says("ma túy")
    assert not blobs.has(manifest)


def test_documents_are_fetched_after_what_is_heard(case: Case) -> None:
    page = case.page
    order: list[bytes] = []
    page.world.line.down = True
    document = content(page, "x" * 50_000)
    hub = page.world.hub
    hub.sign(
        ROOT,
        DirectiveIssued(hub.ts, NAME, "document", "", "Sở", DAY, "Tờ gấp", "", "", document, "vn.yb", None),
    )
    heard = hub.programme(17 * 60)
    sound = hub.facts.schedules[heard][-1].fact.manifest
    page.world.line.down = False
    blobs = Blobs(page.world.store)
    for _ in range(2_000):
        page.world.run(1)
        order += [name for name in (sound, document) if blobs.has(name) and name not in order]
        if len(order) == 2:
            break
    assert order == [sound, document]


def test_a_file_runs_nothing_on_the_page_and_unknown_kinds_are_downloads(case: Case) -> None:
    manifest = content(case.page, "<script>alert(1)</script>", "text/html")
    issue(case.page, manifest=manifest, title="Trang lạ")
    found = Manifest.decode(case.page.world.hub.blobs.read(manifest)).renditions[0]
    case.lan.get(f"/tai-lieu/{NAME.hex()}/{found.sha256.hex()}")
    assert case.lan.answer.headers["Content-Disposition"].startswith("attachment")
    assert case.lan.answer.mimetype == "application/octet-stream"
    assert "sandbox" in case.lan.answer.headers["Content-Security-Policy"]
    assert case.lan.text == "<script>alert(1)</script>"
    assert case.lan.get(f"/tai-lieu/{NAME.hex()}/{'00' * 32}").status == 404


def test_a_document_nobody_has_read_by_its_day_says_so(case: Case) -> None:
    issue(case.page, due_day=DAY - 1)
    assert case.pao.get("/tai-lieu").says("xã chưa ai đọc")
    case.pao.get("/tai-lieu?loai=unread")
    assert case.pao.says("Tuyên truyền phòng")


def test_whoever_has_no_right_reads_and_signs_nothing() -> None:
    page = Page()
    lan = page.join("Lan", "officer")
    issue(page)
    lan.get(f"/tai-lieu/{NAME.hex()}")
    assert lan.says("Khóa của bạn chưa có quyền xác nhận.")
    lan.post(
        f"/tai-lieu/{NAME.hex()}/da-doc",
        {"csrf": lan.csrf, "manifest": page.world.hub.facts.directives[NAME][-1].fact.manifest.hex()},
    )
    assert not page.world.hub.facts_of(DirectiveRead)
    assert (NAME, UNIT) not in page.world.station.facts.reads


def test_reading_works_without_a_network_and_the_receipt_goes_later(case: Case) -> None:
    issue(case.page)
    case.page.world.line.down = True
    case.page.world.run(600)
    case.lan.get(f"/tai-lieu/{NAME.hex()}").press("/da-doc", unlock_pin=PIN)
    assert case.lan.says("Đã ký xác nhận")
    assert (NAME, UNIT) not in case.page.world.hub.facts.reads
    case.page.world.line.down = False
    case.page.world.run(3_600)
    assert len(case.page.world.hub.facts.reads[NAME, UNIT]) == 1
