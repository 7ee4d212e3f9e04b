"""The board's page as HTTP: open to all, changes nothing but what a screen may say, and names no address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from board_screen import Screened, post
from test_board import PNG, reports

from ledger.facts import Outcome


@pytest.fixture
def screen() -> Screened:
    found = Screened()
    post(found.world, "Tiêm chủng sáng thứ Sáu\n<b>8 giờ</b> tại trạm y tế", image=PNG)
    found.run(120)
    return found


def now(client: Any) -> dict[str, Any]:
    answer = client.get("/board/km5/now")
    assert answer.status_code == 200
    found = answer.get_json()
    assert isinstance(found, dict)
    return found


def test_a_board_needs_no_sign_in_and_shows_the_words_without_any_script(screen: Screened) -> None:
    text = screen.app.test_client().get("/board/km5").get_data(as_text=True)
    assert "<p>Tiêm chủng sáng thứ Sáu</p><p>&lt;b&gt;8 giờ&lt;/b&gt; tại trạm y tế</p>" in text
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in text


def test_without_a_script_each_thing_has_its_turn(screen: Screened) -> None:
    client = screen.app.test_client()
    seen = set()
    for _ in range(6):
        text = client.get("/board/km5").get_data(as_text=True)
        seen.add("words" if "Tiêm chủng" in text else "image" if 'id="picture"' in text else "nothing")
        screen.run(10)
    assert seen == {"words", "image"}


def test_nothing_on_the_page_comes_from_elsewhere(screen: Screened) -> None:
    answer = screen.app.test_client().get("/board/km5")
    text = answer.get_data(as_text=True)
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    assert "style=" not in text
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


def test_an_image_is_given_while_it_is_on_the_board_and_nothing_else(screen: Screened) -> None:
    client = screen.app.test_client()
    shown = next(face["shown"] for face in now(client)["faces"] if face["kind"] == "image")
    answer = client.get(f"/board/km5/{shown}")
    assert (answer.mimetype, answer.data) == ("image/png", PNG)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    text = next(face["shown"] for face in now(client)["faces"] if face["kind"] == "text")
    for path in (
        f"/board/km5/{text}",
        "/board/km5/zz",
        "/board/km6",
        "/board/km6/now",
        f"/board/km6/{shown}",
    ):
        assert client.get(path).status_code == 404, path


def test_what_a_screen_says_counts_only_with_the_token_of_its_own_page(screen: Screened) -> None:
    client = screen.app.test_client()
    said = now(client)
    face = said["faces"][0]
    claim = f"{face['bulletin']}:{face['shown']}:15000"
    refused = client.post("/board/km5/seen", data={"seen": claim})
    assert refused.status_code == 400
    foreign = client.post(
        "/board/km5/seen", data={"seen": claim, "csrf": said["csrf"]}, headers={"Origin": "http://elsewhere"}
    )
    assert foreign.status_code == 400
    screen.run(120)
    assert reports(screen.world) == []
    taken = client.post("/board/km5/seen", data={"seen": claim, "csrf": said["csrf"]})
    assert taken.status_code == 204
    screen.run(120)
    assert [Outcome(one.outcome) for one in reports(screen.world)] == [Outcome.PLAYED]


@pytest.mark.parametrize(
    "claim",
    ["", "::", "a:b:c", "{b}:{h}", "{b}:{h}:", "{b}:{h}:-5", "{b}:{h}:1e9", "{b}:{h}:٣", "{b}:{h}:1:2",
     "{b}:{h}x:5", "{h}:{b}:5", "{b}:{h}:99999999999"],
)  # fmt: skip
def test_a_claim_that_is_none_is_ignored(screen: Screened, claim: str) -> None:
    client = screen.app.test_client()
    said = now(client)
    face = said["faces"][0]
    text = claim.format(b=face["bulletin"], h=face["shown"])
    assert client.post("/board/km5/seen", data={"seen": text, "csrf": said["csrf"]}).status_code == 204
    screen.run(120)
    assert reports(screen.world) == []


def test_the_people_of_the_commune_see_whether_the_screen_speaks() -> None:
    screen = Screened()
    row, code = screen.office.add("Lan", "officer", None, "console")
    fresh = screen.office.fresh(row.id)
    token = screen.office.begin(row.id, code, fresh, fresh.wrap("481516"), "console")
    post(screen.world)
    screen.run(120)
    client = screen.app.test_client()
    assert client.get("/bang-tin").status_code == 303, "for people who are signed in"
    with client.session_transaction() as session:
        session["seat"] = token
    assert "chưa có màn hình nào báo về" in client.get("/bang-tin").get_data(as_text=True)
    said = now(client)
    face = said["faces"][0]
    client.post(
        "/board/km5/seen", data={"seen": f"{face['bulletin']}:{face['shown']}:15000", "csrf": said["csrf"]}
    )
    text = client.get("/bang-tin").get_data(as_text=True)
    assert "Màn hình đang báo về" in text
    assert "Tiêm chủng sáng thứ Sáu" in text
    screen.run(600)
    assert "Màn hình báo lần cuối cách đây" in client.get("/bang-tin").get_data(as_text=True)
