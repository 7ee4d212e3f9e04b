"""A key made at a commune gets its rights: the wish, six words at both ends, the grant, the refusal."""

from __future__ import annotations

import re

import pytest
from test_web_house import PASSWORDS, Browser
from two_ends import TU_LE, Pair

from hub.wishes import BEFORE_S, COMMUNAL, WISHES_PER_STATION, YEAR_S, rights_at, wish_of, wishes_of
from ledger.facts import KeyOffered, ProgrammeArranged, Right, local_day
from ledger.log import OFFER, NotAllowed, SigningKey

LAN = "Lò Thị Mai"


@pytest.fixture
def pair() -> Pair:
    return Pair("wishes")


def admin_of(pair: Pair) -> Browser:
    return pair.house.browser("admin")


def grant(pair: Pair, name: str = LAN, password: str = PASSWORDS["admin"]) -> Browser:
    desk = admin_of(pair).get(f"/khoa/xin-quyen/{pair.unit}/{pair.key_of(name)}")
    return desk.press(f"/{pair.key_of(name)}", years="2", password=password)


def offered(
    pair: Pair, *, station: SigningKey, key: SigningKey, classes: int = 1, label: str = "Ai đó"
) -> None:
    proof = key.sign(OFFER, station.key_id + key.verify_key.raw)
    fact = KeyOffered(pair.house.clock[0], key.verify_key.raw, proof, label, classes)
    pair.station.ledger.append(pair.station.key, fact.encode())


def test_a_wish_is_listed_with_the_six_words_that_the_commune_reads_out(pair: Pair) -> None:
    mai = pair.join(LAN, "officer")
    words = re.search(r'class="words">([^<]+)<', mai.text)
    assert words is not None
    assert len(words[1].split()) == 6
    pair.sync()
    desk = admin_of(pair).get("/")
    assert "1 khóa ở xã chờ trao quyền" in desk.words
    desk.get("/khoa")
    assert LAN in desk.words
    assert "Tú Lệ" in desk.words
    desk.get(f"/khoa/xin-quyen/{TU_LE}/{pair.key_of(LAN)}")
    assert words[1] in desk.words


def test_one_button_and_the_password_give_exactly_what_the_role_asks_for_exactly_there(pair: Pair) -> None:
    mai = pair.join(LAN, "officer")
    pair.sync()
    desk = grant(pair)
    assert desk.path == "/khoa"
    assert f"Đã trao quyền cho {LAN}" in desk.words
    assert "đã có quyền" in desk.words
    pair.sync()
    mai.get("/toi")
    assert mai.says("xếp chương trình của xã")
    assert not mai.says("Đang xin")
    (given,) = pair.station.facts.authority.grants_of(bytes.fromhex(pair.key_of(LAN)))
    assert given.territory == TU_LE
    assert given.depth == 0
    assert Right(given.classes) & (Right.GRANT | Right.EMERGENCY | Right.APPROVE | Right.ADMIN) == 0
    now = pair.house.clock[0]
    assert now - BEFORE_S - 1_000 < given.not_before <= now
    assert now < given.not_after <= now + 2 * YEAR_S


def test_what_the_person_signs_after_the_grant_counts_at_both_ends(pair: Pair) -> None:
    pair.join(LAN, "officer")
    pair.sync()
    who = pair.office.person(pair.office.login(1, "phở bò 27"))
    assert who is not None
    day = local_day(pair.house.clock[0])
    arranged = ProgrammeArranged(pair.office.now().ts, TU_LE, day, (7).to_bytes(4, "big"))
    with pytest.raises(NotAllowed, match="no-authority"):
        pair.office.sign(who, arranged)
    grant(pair)
    pair.sync()
    stored = pair.office.sign(who, arranged)
    pair.sync()
    hub = pair.house.hub
    assert hub.ledger.frontier(who.key_id), "the decision went up in the person's own log"
    assert not [reason for signed, reason in hub.facts.refused if signed.key_id == who.key_id]
    assert stored.audience == TU_LE


def test_a_wrong_password_grants_nothing(pair: Pair) -> None:
    pair.join(LAN, "officer")
    pair.sync()
    desk = grant(pair, password="not the password")
    assert desk.status == 422
    assert rights_at(pair.house.hub.facts, bytes.fromhex(pair.key_of(LAN)), TU_LE, pair.house.clock[0]) == 0


def test_only_an_administrator_sees_and_grants_wishes(pair: Pair) -> None:
    pair.join(LAN, "officer")
    pair.sync()
    for account in ("bientap", "lanhdao"):
        desk = pair.house.browser(account)
        assert desk.get(f"/khoa/xin-quyen/{TU_LE}/{pair.key_of(LAN)}").status == 403
        assert "chờ trao quyền" not in desk.get("/").words


def test_a_refused_wish_stays_without_rights_until_it_is_asked_again(pair: Pair) -> None:
    mai = pair.join(LAN, "officer")
    pair.sync()
    desk = admin_of(pair).get(f"/khoa/xin-quyen/{TU_LE}/{pair.key_of(LAN)}").press("/tu-choi")
    assert "Đã từ chối" in desk.words
    assert "chờ trao quyền" not in desk.get("/").words
    pair.house.hub.projections.rebuild()
    assert "chờ trao quyền" not in desk.get("/").words
    mai.get("/toi").press(
        "/toi/xin-quyen", **({"unlock_pin": "phở bò 27"} if "unlock_pin" in mai.text else {})
    )
    pair.sync()
    assert "1 khóa ở xã chờ trao quyền" in desk.get("/").words


def test_a_station_cannot_wish_for_a_key_whose_owner_did_not_sign_for_it(pair: Pair) -> None:
    pair.sync()
    victim, other = SigningKey.from_seed(b"V" * 32), SigningKey.from_seed(b"O" * 32)
    offered(pair, station=other, key=victim)  # signed for another station
    pair.sync()
    assert wishes_of(pair.house.hub, bytes(8)) == []
    offered(pair, station=pair.station.key, key=victim)
    pair.sync()
    assert [wish.label for wish in wishes_of(pair.house.hub, bytes(8))] == ["Ai đó"]


def test_a_name_that_reads_otherwise_than_it_is_written_is_not_shown(pair: Pair) -> None:
    for n, label in enumerate(("Lò\u202eiaM", "Lò\nThị Mai", "x" * 130, "\u200bMai")):
        if len(label) <= 120:
            offered(
                pair, station=pair.station.key, key=SigningKey.from_seed(bytes([n + 1]) * 32), label=label
            )
    pair.sync()
    assert wishes_of(pair.house.hub, bytes(8)) == []


def test_nothing_beyond_a_communes_rights_is_given_whatever_is_asked(pair: Pair) -> None:
    greedy = SigningKey.from_seed(b"G" * 32)
    offered(pair, station=pair.station.key, key=greedy, classes=(1 << 31) - 1)
    pair.sync()
    row = pair.house.hub.accounts.row("admin")
    assert row is not None
    wish = wish_of(pair.house.hub, bytes.fromhex(row.key_id), TU_LE, greedy.key_id.hex())
    assert wish is not None
    assert wish.givable == COMMUNAL


def test_what_the_administrators_own_key_does_not_hold_it_cannot_give(pair: Pair) -> None:
    greedy = SigningKey.from_seed(b"G" * 32)
    offered(pair, station=pair.station.key, key=greedy, classes=int(Right.APPROVE))
    pair.sync()
    hub = pair.house.hub
    editor = hub.accounts.row("bientap")
    assert editor is not None
    wish = wish_of(hub, bytes.fromhex(editor.key_id), TU_LE, greedy.key_id.hex())
    assert wish is not None
    assert not wish.givable
    admin = hub.accounts.login("admin", PASSWORDS["admin"], now=hub.now())
    assert admin is not None
    with pytest.raises(NotAllowed, match="nothing-to-give"):
        hub.commands.grant_wish(admin, wish, years=1, now=hub.now())


def test_a_flood_of_wishes_keeps_the_newest_of_its_station_only(pair: Pair) -> None:
    for n in range(WISHES_PER_STATION + 5):
        offered(pair, station=pair.station.key, key=SigningKey.from_seed(bytes([n]) * 32), label=f"Người {n}")
        pair.sync()
    kept = [wish.label for wish in wishes_of(pair.house.hub, bytes(8))]
    assert kept == [f"Người {n}" for n in range(WISHES_PER_STATION + 4, 4, -1)]


def test_a_new_key_of_the_same_person_points_to_the_old_one_to_be_revoked(pair: Pair) -> None:
    pair.join(LAN, "officer")
    pair.sync()
    grant(pair)
    pair.sync()
    before = pair.key_of(LAN)
    code = pair.office.give_code(1, None, "console")
    fresh = pair.office.fresh(1)
    pair.office.begin(1, code, fresh, fresh.wrap("bún chả 45"), "console")
    pair.sync()
    desk = admin_of(pair).get(f"/khoa/xin-quyen/{TU_LE}/{pair.key_of(LAN)}")
    assert "đã có khóa khác đang dùng" in desk.words
    assert before in desk.html
    assert admin_of(pair).get(f"/khoa/{before}").status == 200
