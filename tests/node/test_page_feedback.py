"""Citizens' words: given without signing in, read by people first, signed, answered, found by their code."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_world import Browser, Page
from station_world import NODE, ROOT, UNIT

from ledger.facts import FeedbackAnswered, FeedbackReceived
from node.page.feedback import ADDRESS_AN_HOUR_MAX, AN_HOUR_MAX, Feedback, code_of

WORDS = "Đường vào bản Chao sạt lở, xe không qua được."


@dataclass
class Case:
    page: Page
    lan: Browser

    def give(self, text: str = WORDS, *, address: str = "192.168.1.70", **more: str) -> str:
        citizen = self.page.visitor(address)
        citizen.get("/y-kien").press("/y-kien", text=text, category="Đường sá, thủy lợi", **more)
        found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", citizen.text)
        assert found, citizen.text
        return found[0]

    @property
    def box(self) -> Feedback:
        return Feedback(self.page.office)

    def at_the_hub(self) -> list[FeedbackReceived]:
        self.page.sync()
        return [
            one.fact
            for one in self.page.world.hub.facts_of(FeedbackReceived)
            if isinstance(one.fact, FeedbackReceived)
        ]


@pytest.fixture
def case() -> Case:
    page = Page()
    lan = page.join("Nguyễn Thị Lan", "officer")
    page.grant(lan.name)
    return Case(page, lan)


def test_nothing_a_citizen_wrote_is_signed_before_somebody_read_it(case: Case) -> None:
    code = case.give()
    assert case.at_the_hub() == []
    row = case.box.look_up(code)
    case.lan.get("/phan-anh")
    assert case.lan.says(WORDS)
    case.lan.get(f"/phan-anh/{row.id}").press("/nhan")
    (fact,) = case.at_the_hub()
    assert (fact.feedback.hex(), fact.text, fact.sender) == (row.id, WORDS, "")


def test_name_and_telephone_stay_in_the_commune_unless_the_citizen_agrees(case: Case) -> None:
    for address, share in (("192.168.1.70", ""), ("192.168.1.71", "1")):
        more = {"share": share} if share else {}
        code = case.give(address=address, sender="Lò Văn Pâng 0912345678", **more)
        case.lan.get(f"/phan-anh/{case.box.look_up(code).id}").press("/nhan")
    assert [fact.sender for fact in case.at_the_hub()] == ["", "Lò Văn Pâng 0912345678"]


def test_spam_goes_nowhere(case: Case) -> None:
    row = case.box.look_up(case.give("Mua điện thoại giá rẻ"))
    case.lan.get(f"/phan-anh/{row.id}").press("/bo")
    assert case.at_the_hub() == []
    assert not case.lan.get("/phan-anh").says("Mua điện thoại")
    assert case.lan.get("/phan-anh?loai=dropped").says("Mua điện thoại")


def test_the_communes_answer_is_a_persons_signature_and_the_code_finds_it(case: Case) -> None:
    code = case.give()
    row = case.box.look_up(code)
    said = "Xã đã cho máy xúc lên, chiều nay thông đường."
    case.lan.get(f"/phan-anh/{row.id}").press("/tra-loi", text=said)
    case.page.sync()
    (reply,) = case.page.world.hub.facts.replies[bytes.fromhex(row.id)]
    person = case.page.office.people.named(case.lan.name)
    assert person is not None
    assert reply.key_id == person.key_id
    assert [fact.feedback.hex() for fact in case.at_the_hub()] == [row.id], "what is answered was taken up"
    citizen = case.page.visitor().get(f"/y-kien/tra-loi?ma={code.lower().replace('-', ' ')}")
    assert citizen.says("chiều nay thông đường")
    assert not citizen.says("0912345678")


def test_the_provinces_answer_comes_down_to_the_citizen(case: Case) -> None:
    code = case.give()
    row = case.box.look_up(code)
    case.lan.get(f"/phan-anh/{row.id}").press("/nhan")
    case.page.sync()
    hub = case.page.world.hub
    hub.sign(ROOT, FeedbackAnswered(hub.ts, bytes.fromhex(row.id), UNIT, 0, "Sở Giao thông sẽ sửa.", None))
    case.page.world.station.agent.hurry(case.page.world.clock.mono_s, 0.0)
    case.page.sync()
    assert case.page.visitor().get(f"/y-kien/tra-loi?ma={code}").says("Sở Giao thông sẽ sửa.")


def test_words_told_over_the_counter_are_signed_at_once(case: Case) -> None:
    said = "Loa bản Pom không kêu"
    case.lan.get("/phan-anh/ghi").press("/phan-anh/ghi", text=said, category="Loa, giờ phát")
    assert [fact.text for fact in case.at_the_hub()] == [said]


def test_one_telephone_cannot_fill_the_box_nor_can_many(case: Case) -> None:
    for _ in range(ADDRESS_AN_HOUR_MAX):
        case.give()
    citizen = case.page.visitor("192.168.1.70")
    citizen.get("/y-kien").press("/y-kien", text=WORDS)
    assert citizen.status == 422
    assert citizen.says("thử lại sau một giờ")
    assert citizen.says(WORDS), "what was typed is not lost"
    for n in range(AN_HOUR_MAX - ADDRESS_AN_HOUR_MAX):
        case.give(address=f"192.168.2.{n}")
    other = case.page.visitor("192.168.3.1")
    assert other.get("/y-kien").press("/y-kien", text=WORDS).status == 422
    case.page.world.run(3_700)
    case.give()


def test_an_empty_or_invisible_text_is_refused_in_plain_words(case: Case) -> None:
    citizen = case.page.visitor()
    assert citizen.get("/y-kien").press("/y-kien", text=" \n ").says("Chưa có chữ nào")
    assert citizen.get("/y-kien").press("/y-kien", text="a\u202eb").says("không nhìn thấy được")
    assert case.box.rows() == []


def test_an_unknown_code_finds_nothing_and_says_so(case: Case) -> None:
    citizen = case.page.visitor().get("/y-kien/tra-loi?ma=ABCD-EFGH")
    assert citizen.status == 404
    assert citizen.says("Không có ý kiến nào mang mã này")


def test_only_who_may_correspond_takes_up_drops_or_answers() -> None:
    page = Page()
    lan = page.join("Lan", "officer")
    case = Case(page, lan)
    row = case.box.look_up(case.give())
    lan.get(f"/phan-anh/{row.id}")
    assert lan.says("chưa có quyền trả lời")
    for deed in ("nhan", "bo", "tra-loi"):
        lan.post(f"/phan-anh/{row.id}/{deed}", {"csrf": lan.csrf, "text": "x"})
    assert case.box.one(row.id).state == "new"
    assert case.at_the_hub() == []
    stranger = page.visitor()
    assert stranger.get(f"/phan-anh/{row.id}").path == "/dang-nhap"


def test_a_power_cut_keeps_what_was_given(case: Case) -> None:
    code = case.give()
    case.page.restart()
    assert case.box.look_up(code).text == WORDS


@given(st.binary(min_size=16, max_size=16))
def test_a_code_has_eight_characters_that_nobody_mixes_up(feedback: bytes) -> None:
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", code_of(feedback))


def test_the_station_signs_what_it_passes_on(case: Case) -> None:
    case.lan.get("/phan-anh/ghi").press("/phan-anh/ghi", text="a")
    case.page.sync()
    (signed,) = case.page.world.hub.facts_of(FeedbackReceived)
    assert signed.key_id == NODE.key_id
