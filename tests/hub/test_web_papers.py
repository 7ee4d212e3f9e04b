"""Documents down with their receipts, citizens' words up with their answers, as the pages show them."""

from __future__ import annotations

import io

import pytest
from hub_house import Box
from test_web_house import PASSWORDS, House, build, document, feedback

from ledger.facts import DirectiveRead, Granted, Right, at, papers, receipts
from ledger.log import SigningKey

TU_LE, XUAN_AI = "vn.yb.04630", "vn.yb.04441"
READER = SigningKey.from_seed(b"somebody who reads at the commun")


@pytest.fixture
def house() -> House:
    return build("papers")


def commune(house: House, label: str = "Hà Thị Mai") -> Box:
    """The station of Tú Lệ, where one person may correspond."""
    feedback(house, "khởi đầu")
    box: Box = house.shelf["box"]
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    now = house.clock[0]
    grant = Granted(now, READER.verify_key.raw, int(Right.CORRESPOND), TU_LE, 0, now + 10**8, 0, label)
    house.hub.ledger.append_sealed(admin.key, grant.encode())
    box.sync()
    return box


def test_a_directive_reaches_the_commune_and_its_receipt_comes_back_by_name(house: House) -> None:
    name = document(house)
    box = commune(house)
    (paper,) = papers(box.facts, TU_LE)
    assert paper.fact.number == "15/CV-STTTT"
    read = DirectiveRead(house.clock[0], paper.fact.directive, paper.manifest, TU_LE)
    box.ledger.append_sealed(READER, read.encode())
    box.sync()
    desk = house.browser("lanhdao").get(f"/van-ban/{name}")
    assert "Xã đã đọc 1/4" in desk.words
    assert "Hà Thị Mai" in desk.words
    assert desk.words.count("chưa xác nhận") == 3
    assert len(receipts(house.hub.facts, TU_LE, paper)) == 1


def test_a_new_version_asks_everybody_to_read_again(house: House) -> None:
    name = document(house)
    box = commune(house)
    (paper,) = papers(box.facts, TU_LE)
    read = DirectiveRead(house.clock[0], paper.fact.directive, paper.manifest, TU_LE)
    box.ledger.append_sealed(READER, read.encode())
    box.sync()
    boss = house.browser("lanhdao").get(f"/van-ban/moi?thay={name}")
    boss.press("/van-ban/moi", file=(io.BytesIO(b"%PDF-1.4 another"), "moi.pdf"))
    assert boss.path == f"/van-ban/{name}"
    assert "bản thứ 2" in boss.words
    assert "Xã đã đọc 0/4" in boss.words


def test_a_document_taken_back_stands_nowhere(house: House) -> None:
    name = document(house)
    box = commune(house)
    house.browser("lanhdao").get(f"/van-ban/{name}").press("/thu-hoi")
    box.sync()
    assert papers(box.facts, TU_LE) == []
    assert house.browser("lanhdao").get(f"/van-ban/{name}").status == 404
    assert "ma túy" not in house.browser("lanhdao").get("/van-ban").words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Chưa chọn tệp"),
        (b"\x00\x01\x02", "không phải PDF"),
        (b"%PDF-" + bytes(5_000), "Tệp quá lớn"),
    ],
)
def test_a_file_that_is_none_too_large_or_of_no_known_kind_is_refused_in_words(
    house: House, data: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.papers.FILE_BYTES_MAX", 5_000)
    before = house.hub.ledger.position()
    boss = house.browser("lanhdao").get("/van-ban/moi")
    boss.press("/van-ban/moi", title="Tên", category="khac", file=(io.BytesIO(data), "x.pdf"))
    assert boss.status == 422
    assert words in boss.words
    assert house.hub.ledger.position() == before


def test_the_file_is_what_was_sent_and_runs_nothing(house: House) -> None:
    name = document(house, file=(io.BytesIO("Kính gửi".encode()), "thu.txt"))
    answer = house.browser("bientap").client.get(f"/van-ban/{name}/tep")
    assert answer.data == "Kính gửi".encode()
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_documents_of_the_library_stay_when_old_recordings_are_swept(house: House) -> None:
    name = document(house)
    house.later(500 * 86_400)
    house.hub.tick()
    assert house.browser("lanhdao").client.get(f"/van-ban/{name}/tep").status_code == 200


def test_a_citizens_words_are_answered_here_and_the_answer_goes_down(house: House) -> None:
    name = feedback(house, sender="Lò Văn Pâng")
    desk = house.browser("bientap").get("/y-kien")
    assert "Đường vào bản Chao sạt lở." in desk.words
    assert "Xã Tú Lệ" in desk.words
    desk.get(f"/y-kien/{name}")
    assert "Lò Văn Pâng" in desk.words
    desk.press(f"/y-kien/{name}", text="Sở sẽ cho sửa trong tuần này.")
    assert "Nguyễn Thị Lan" in desk.words
    box: Box = house.shelf["box"]
    box.sync()
    (reply,) = box.facts.replies[bytes.fromhex(name)]
    assert reply.fact.text == "Sở sẽ cho sửa trong tuần này."
    assert "chưa trả lời" not in desk.get("/y-kien?loai=mo").words.split("Lọc")[1]


def test_an_empty_answer_is_refused_unless_the_letter_is_closed(house: House) -> None:
    name = feedback(house)
    desk = house.browser("bientap").get(f"/y-kien/{name}")
    assert desk.press(f"/y-kien/{name}").status == 422
    desk.get(f"/y-kien/{name}").press(f"/y-kien/{name}", closed="1")
    assert "đã đóng" in desk.words


def test_letters_and_documents_of_another_territory_are_not_seen(house: House) -> None:
    name, letter = document(house, territory=TU_LE), feedback(house)
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin, account="xuanai", name="Trần", role="editor", territory=XUAN_AI, password="xuan-ai-2022",
        now=house.clock[0],
    )  # fmt: skip
    desk = house.browser()
    desk.sign_in("xuanai", "xuan-ai-2022")
    for path in (f"/van-ban/{name}", f"/van-ban/{name}/tep", f"/y-kien/{letter}"):
        assert desk.get(path).status == 404, path
    assert "Đường vào bản" not in desk.get("/y-kien").words
    assert "ma túy" not in desk.get("/van-ban").words


def test_searching_needs_no_diacritics(house: House) -> None:
    document(house)
    feedback(house)
    desk = house.browser("bientap")
    assert "phòng, chống ma túy" in desk.get("/van-ban?tim=chong ma tuy").words
    assert "phòng, chống ma túy" not in desk.get("/van-ban?tim=giao thong").words
    assert "bản Chao" in desk.get("/y-kien?tim=ban chao").words


def test_a_rebuild_gives_the_same_letters(house: House) -> None:
    feedback(house)
    table = "SELECT * FROM feedback"
    before = [dict(row) for row in house.hub.projections.db.query(table)]
    house.hub.projections.rebuild()
    assert [dict(row) for row in house.hub.projections.db.query(table)] == before
    assert len(before) == 1


def test_a_due_day_that_has_passed_is_still_shown(house: House) -> None:
    name = document(house)
    house.later(30 * 86_400)
    assert "16/11/2022" in house.browser("lanhdao").get(f"/van-ban/{name}").words
    assert house.clock[0] > at(19_312)
