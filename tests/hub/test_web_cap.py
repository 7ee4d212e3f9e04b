"""Warnings as files at the desk: handed in, shown, carried into the emergency form; and fetched."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from test_cap_reading import valid
from test_web_house import PASSWORDS, Browser, House, build

from hub.cap import handed, senders
from hub.cap.files import own_sender
from hub.cap.reading import FILE_BYTES_MAX, read_alert
from ledger.log import CAP, KeyRefused, NotAllowed, ProtocolError, SigningKey, StoreError

sys.path.append(str(Path(__file__).parent.parent / "vectors"))
from vector_cap import REFERENCE, WARNING, WORDS, changed, rejects, set_to

SENDER = "canhbao@kttv.example.vn"
KEY = SigningKey.from_seed(b"the key of an office of weather!")
OTHER = SigningKey.from_seed(b"the key of somebody else, at all")
TU_LE = "vn.yb.04630"


@pytest.fixture
def house() -> House:
    return build("cap-web")


def hand_in(house: House, text: str = WARNING, signature: str = "", account: str = "lanhdao") -> Browser:
    desk = house.browser(account).get("/khan-cap/cap")
    return desk.press(
        "/khan-cap/cap",
        file=(io.BytesIO(text.encode()), "canh-bao.xml"),
        signature=(io.BytesIO(signature.encode()), "canh-bao.xml.sig"),
    )


def order(house: House, **more: str) -> int:
    typed = {"text": "Diễn tập.", "kind": "khac", "mode": "drill", "hours": "1"} | more
    boss = house.browser("lanhdao").get("/khan-cap").press("/khan-cap", **typed)
    word = {} if typed["mode"] == "drill" else {"word": "PHÁT THẬT"}
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"], **word)
    return int(boss.path.rsplit("/", 1)[1])


def memory(house: House) -> bytes | None:
    return house.store.read(handed.HANDED_NAME)


# -- in ------------------------------------------------------------------------------------------------------


def test_a_file_fills_the_form_in_and_orders_nothing_by_itself(house: House) -> None:
    before = house.hub.ledger.position()
    desk = hand_in(house)
    assert desk.status == 200, desk.words
    assert "Đề nghị: lệnh thật" in desk.words
    desk.press("/khan-cap", "edit")
    fields = desk.form("/khan-cap").fields
    assert desk.path == "/khan-cap"
    assert fields["text"] == [WORDS]
    assert (fields["kind"], fields["level"], fields["mode"]) == (["lu-quet"], ["2"], ["real"])
    assert (fields["territory"], fields["hours"]) == ([TU_LE], ["6"])
    assert house.hub.ledger.position() == before
    assert not house.hub.facts.emergencies


def test_from_the_form_it_goes_on_air_only_with_the_word_and_the_password(house: House) -> None:
    desk = hand_in(house).press("/khan-cap", "edit").press("/khan-cap")
    desk.press("/ra-lenh", word="PHÁT THẬT", password="sai")
    assert not house.hub.facts.emergencies
    desk.press("/ra-lenh", word="PHÁT THẬT", password=PASSWORDS["lanhdao"])
    ((made,),) = house.hub.facts.emergencies.values()
    assert (made.fact.text, made.fact.territory, made.fact.drill) == (WORDS, TU_LE, False)


def test_an_exercise_becomes_a_drill(house: House) -> None:
    desk = hand_in(house, changed(set_to("status", "Exercise")))
    assert "Đề nghị: lệnh diễn tập" in desk.words
    assert desk.press("/khan-cap", "edit").form("/khan-cap").fields["mode"] == ["drill"]


@pytest.mark.parametrize(("name", "wrong", "code"), rejects(), ids=[name for name, _, _ in rejects()])
def test_a_refused_file_changes_nothing_and_says_what_where_whose_and_what_next(
    house: House, name: str, wrong: str | bytes, code: str
) -> None:
    before = house.hub.ledger.position()
    desk = house.browser("lanhdao").get("/khan-cap/cap")
    data = wrong if isinstance(wrong, bytes) else wrong.encode()
    desk.press("/khan-cap/cap", file=(io.BytesIO(data), f"{name}.xml"))
    assert desk.status == 422
    assert "chưa có gì thay đổi" in desk.words
    assert code in desk.words
    assert "Chỗ sai" in desk.words
    assert "nơi gửi hoặc đường truyền" in desk.words
    assert "Tệp CAP 1.2 (.xml) " in desk.words
    assert memory(house) is None
    assert house.hub.ledger.position() == before


def test_a_file_too_large_is_not_read_to_its_end(house: House) -> None:
    desk = hand_in(house, WARNING + " " * FILE_BYTES_MAX)
    assert desk.status == 422
    assert "cap-size" in desk.words


def test_without_a_file_the_page_asks_for_one(house: House) -> None:
    desk = house.browser("lanhdao").get("/khan-cap/cap").press("/khan-cap/cap")
    assert desk.status == 422
    assert "Hãy chọn tệp CAP" in desk.words


def test_who_may_not_order_an_emergency_hands_in_no_warning(house: House) -> None:
    for account in ("bientap", "admin"):
        desk = house.browser(account)
        assert desk.get("/khan-cap/cap").status == 403
        assert "/khan-cap/cap" not in desk.get("/khan-cap").html


def test_what_a_file_says_is_shown_as_text_and_never_as_a_page(house: House) -> None:
    desk = hand_in(house, changed(("120 mm", "&lt;script&gt;alert(1)&lt;/script&gt;")))
    assert desk.status == 200
    assert "<script>alert" not in desk.html
    assert "<script>alert(1)</script>" in desk.words


def test_with_no_place_of_ours_in_it_the_officer_chooses_and_nothing_is_chosen_before(house: House) -> None:
    desk = hand_in(house, changed((TU_LE, "vn.lc.02647")))
    assert "hãy tự chọn địa bàn" in desk.words
    assert desk.form("/khan-cap").fields["territory"] == [""]
    desk.press("/khan-cap", "edit")
    assert desk.status == 422
    assert desk.form("/khan-cap").fields["text"] == [WORDS]


def test_an_officer_of_one_commune_gets_their_own_part_of_a_provinces_warning(house: House) -> None:
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin, account="xa", name="Sùng A Chống", role="approver", territory=TU_LE, password="xa-tu-le-2022",
        now=house.clock[0],
    )  # fmt: skip
    desk = house.browser()
    desk.sign_in("xa", "xa-tu-le-2022")
    desk.get("/khan-cap/cap").press(
        "/khan-cap/cap", file=(io.BytesIO(changed((TU_LE, "vn.yb")).encode()), "a.xml")
    )
    assert "rộng hơn địa bàn của bạn" in desk.words
    assert desk.form("/khan-cap").fields["territory"] == [TU_LE]


# -- whose it is ---------------------------------------------------------------------------------------------


def test_an_unsigned_file_is_shown_as_unchecked(house: House) -> None:
    assert "Chưa kiểm được gì" in hand_in(house).words


def test_a_signature_of_a_known_sender_is_said_exactly_and_still_only_proposes(house: House) -> None:
    senders.trust(house.store, SENDER, "Đài Yên Bái", KEY.verify_key.raw)
    desk = hand_in(house, signature=KEY.sign(CAP, WARNING.encode()).hex())
    assert "khớp từng byte của tệp này, theo khóa đã nhận trước của Đài Yên Bái" in desk.words
    assert "Không kiểm: nội dung đúng hay sai" in desk.words
    assert not house.hub.facts.emergencies
    assert "Đài Yên Bái" in house.browser("lanhdao").get("/khan-cap/cap").words


def test_a_sender_who_signs_and_this_time_did_not_is_a_warning(house: House) -> None:
    senders.trust(house.store, SENDER, "Đài Yên Bái", KEY.verify_key.raw)
    assert "Cẩn thận: Đài Yên Bái vẫn ký" in hand_in(house).words


def test_a_signature_of_nobody_known_is_not_taken_for_one(house: House) -> None:
    desk = hand_in(house, signature=KEY.sign(CAP, WARNING.encode()).hex())
    assert "Không kiểm được" in desk.words


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (OTHER.sign(CAP, WARNING.encode()).hex(), "cap-signature"),
        (KEY.sign(CAP, WARNING.encode() + b" ").hex(), "cap-signature"),
        (bytes(64).hex(), "cap-signature"),
        ("abc", "cap-signature-form"),
        ("x" * 128, "cap-signature-form"),
        ("0" * 4096, "cap-signature-form"),
    ],
)
def test_a_signature_that_does_not_fit_refuses_the_file(house: House, signature: str, code: str) -> None:
    senders.trust(house.store, SENDER, "Đài Yên Bái", KEY.verify_key.raw)
    desk = hand_in(house, signature=signature)
    assert desk.status == 422
    assert code in desk.words
    assert memory(house) is None


def test_a_key_counts_for_the_sender_it_was_trusted_for_and_no_other() -> None:
    known = [senders.Sender("khac@example.vn", "Khác", KEY.verify_key.raw)]
    data = WARNING.encode()
    assert senders.check(known, SENDER, data, senders.signature_of(KEY, data)).state == senders.UNKNOWN


def test_a_signature_made_for_another_purpose_is_none_for_a_warning() -> None:
    from ledger.log import OFFER

    known = [senders.Sender(SENDER, "Đài", KEY.verify_key.raw)]
    with pytest.raises(ProtocolError) as caught:
        senders.check(known, SENDER, b"x", KEY.sign(OFFER, b"x").hex())
    assert caught.value.code == "cap-signature"


def test_the_list_of_senders_is_kept_replaced_and_shortened(house: House) -> None:
    senders.trust(house.store, SENDER, "Đài", KEY.verify_key.raw)
    senders.trust(house.store, SENDER, "Đài", OTHER.verify_key.raw)
    assert [one.public for one in senders.load_senders(house.store)] == [OTHER.verify_key.raw]
    senders.distrust(house.store, SENDER)
    assert senders.load_senders(house.store) == []
    with pytest.raises(NotAllowed):
        senders.distrust(house.store, SENDER)
    with pytest.raises(NotAllowed):
        senders.trust(house.store, "a b", "Đài", KEY.verify_key.raw)
    with pytest.raises(NotAllowed):
        senders.trust(house.store, SENDER, "Đài\nKhác", KEY.verify_key.raw)
    with pytest.raises(KeyRefused):
        senders.trust(house.store, SENDER, "Đài", bytes(32))


def test_a_damaged_list_of_senders_is_said_and_nothing_counts_as_verified(house: House) -> None:
    house.store.write(senders.SENDERS_NAME, b"[{}]")
    with pytest.raises(StoreError):
        senders.load_senders(house.store)
    assert "Danh sách khóa nơi gửi" in house.browser("lanhdao").get("/khan-cap/cap").words
    assert hand_in(house).status == 422


# -- again, changed, over ------------------------------------------------------------------------------------


def test_a_warning_that_comes_again_is_recognised_however_it_is_laid_out(house: House) -> None:
    assert "đã được nộp" not in hand_in(house).words
    house.later(600)
    again = hand_in(house, WARNING.replace("  <info>", "\n\n <info>"))
    assert "đã được nộp lúc 09/11/2022 08:00" in again.words
    assert "lanhdao" in again.words


def test_one_identifier_with_two_contents_is_refused_unless_the_sender_signed_it(house: House) -> None:
    hand_in(house)
    other = changed(("120 mm", "150 mm"))
    desk = hand_in(house, other)
    assert desk.status == 422
    assert "cap-reused" in desk.words
    senders.trust(house.store, SENDER, "Đài Yên Bái", KEY.verify_key.raw)
    signed = hand_in(house, other, KEY.sign(CAP, other.encode()).hex())
    assert signed.status == 200
    assert "đã được nộp" in signed.words


def test_when_its_order_is_in_force_already_the_page_says_so(house: House) -> None:
    desk = hand_in(house).press("/khan-cap", "edit").press("/khan-cap")
    desk.press("/ra-lenh", word="PHÁT THẬT", password=PASSWORDS["lanhdao"])
    assert "đừng ra lệnh lần nữa" in hand_in(house).words
    house.later(7 * 3600)
    late = changed(set_to("expires", "2022-11-09T16:00:00+07:00"), set_to("identifier", "VN-2"))
    assert "đừng ra lệnh lần nữa" not in hand_in(house, late).words


def test_an_update_and_a_cancel_lead_to_the_order_given_after_the_first_warning(house: House) -> None:
    first = changed(set_to("identifier", "VN-KTTV-YB-2022-0116"), set_to("sent", "2022-11-09T06:00:00+07:00"))
    desk = hand_in(house, first).press("/khan-cap", "edit").press("/khan-cap")
    desk.press("/ra-lenh", word="PHÁT THẬT", password=PASSWORDS["lanhdao"])
    (series,) = house.hub.facts.emergencies
    about = ("<scope>Public</scope>", f"<scope>Public</scope>\n  <references>{REFERENCE}</references>")
    update = hand_in(house, changed(set_to("msgType", "Update"), about, ("120 mm", "150 mm")))
    assert f"Lệnh số {series}" in update.words
    assert "Ra lệnh mới trước, rồi báo yên lệnh cũ" in update.words
    cancel = changed(set_to("msgType", "Cancel"), about, set_to("identifier", "VN-KTTV-YB-2022-0118"))
    ended = hand_in(house, cancel)
    assert f"Lệnh số {series}" in ended.words
    assert not ended.has_form("/khan-cap")
    assert not house.hub.facts.cancels


def test_a_cancel_of_what_nobody_ordered_says_that(house: House) -> None:
    about = ("<scope>Public</scope>", f"<scope>Public</scope>\n  <references>{REFERENCE}</references>")
    desk = hand_in(house, changed(set_to("msgType", "Cancel"), about))
    assert "Không tìm thấy lệnh nào" in desk.words


def test_the_memory_is_bounded_forgets_and_begins_anew_when_it_is_damaged(house: House) -> None:
    alert = read_alert(WARNING.encode())
    for n in range(handed.HANDED_MAX + 5):
        one = read_alert(changed(set_to("identifier", f"N{n}")).encode())
        handed.note(house.store, one, "", by="a", now=house.clock[0])
    kept = handed.load_handed(house.store, now=house.clock[0])
    assert len(kept) == handed.HANDED_MAX
    assert kept[0].identifier == "N5"
    assert handed.load_handed(house.store, now=house.clock[0] + handed.HANDED_LIFE_S) == []
    for damaged in (b"{", b"[{}]", b"\xff", b"7"):
        house.store.write(handed.HANDED_NAME, damaged)
        assert handed.earlier(house.store, alert, now=house.clock[0]) is None
    assert hand_in(house).status == 200


# -- out -----------------------------------------------------------------------------------------------------


def test_an_order_is_fetched_from_its_page_with_the_hubs_signature(house: House) -> None:
    series = order(house, text="Lên chỗ cao.")
    desk = house.browser("bientap").get(f"/khan-cap/{series}")
    assert f"/khan-cap/{series}/cap.xml" in desk.html
    assert "cap-bao-yen" not in desk.html
    data = desk.client.get(f"/khan-cap/{series}/cap.xml")
    told = desk.client.get(f"/khan-cap/{series}/cap.sig").get_data(as_text=True)
    assert valid(data.data)
    assert data.headers["Content-Type"].startswith("application/cap+xml")
    assert "attachment" in data.headers["Content-Disposition"]
    hub = house.hub
    known = [senders.Sender(own_sender(hub), "Yên Bái", hub.key.verify_key.raw)]
    assert senders.check(known, read_alert(data.data).sender, data.data, told).state == senders.VERIFIED
    assert desk.client.get(f"/khan-cap/{series}/cap-bao-yen.xml").status_code == 404


def test_an_all_clear_is_fetched_as_a_cancel(house: House) -> None:
    series = order(house)
    boss = house.browser("lanhdao")
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    house.hub.commands.cancel_emergency(officer, series, reason="Đã qua.", now=house.clock[0])
    assert f"/khan-cap/{series}/cap-bao-yen.xml" in boss.get(f"/khan-cap/{series}").html
    data = boss.client.get(f"/khan-cap/{series}/cap-bao-yen.xml").data
    assert valid(data)
    assert read_alert(data).msg_type == "Cancel"
    assert len(boss.client.get(f"/khan-cap/{series}/cap-bao-yen.sig").data) == 129


def test_an_order_out_of_sight_is_not_fetched(house: House) -> None:
    series = order(house)
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin, account="xa", name="Sùng A Chống", role="approver", territory=TU_LE, password="xa-tu-le-2022",
        now=house.clock[0],
    )  # fmt: skip
    elsewhere = order(house, territory="vn.yb.04441")
    desk = house.browser()
    desk.sign_in("xa", "xa-tu-le-2022")
    for name in ("cap.xml", "cap.sig", "cap-bao-yen.xml", "cap-bao-yen.sig"):
        assert desk.client.get(f"/khan-cap/{elsewhere}/{name}").status_code == 404
    assert desk.client.get(f"/khan-cap/{series}/cap.xml").status_code == 200
    assert desk.client.get("/khan-cap/999/cap.xml").status_code == 404


def test_one_hubs_drill_reaches_another_hub_as_the_same_drill(house: House) -> None:
    series = order(house, text="Diễn tập lũ quét.\nLên chỗ cao.", kind="lu-quet", level="3", hours="2")
    client = house.browser("lanhdao").client
    data = client.get(f"/khan-cap/{series}/cap.xml").get_data(as_text=True)
    signature = client.get(f"/khan-cap/{series}/cap.sig").get_data(as_text=True)
    other = build("cap-other")
    senders.trust(other.store, own_sender(house.hub), "Tỉnh bên", house.hub.key.verify_key.raw)
    desk = hand_in(other, data, signature)
    assert "theo khóa đã nhận trước của Tỉnh bên" in desk.words
    fields = desk.press("/khan-cap", "edit").form("/khan-cap").fields
    assert fields["text"] == ["Diễn tập lũ quét.\nLên chỗ cao."]
    assert (fields["kind"], fields["level"], fields["mode"]) == (["lu-quet"], ["3"], ["drill"])
