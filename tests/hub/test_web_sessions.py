"""Sessions and passwords at the door: what a cookie opens, until when, and how slowly a guesser may guess."""

from __future__ import annotations

import re

import pytest
from test_web_house import PASSWORDS, Browser, House, build

from hub.web import create_app


@pytest.fixture
def house() -> House:
    return build("door")


def test_signing_in_changes_the_session_and_signing_out_kills_the_cookie() -> None:
    house = build("session")
    desk = house.browser()
    desk.get("/dang-nhap")
    planted = desk.client.get_cookie("loa")
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.html)
    assert token is not None
    desk.sign_in("bientap")
    held = desk.client.get_cookie("loa")
    assert planted is not None
    assert held is not None
    assert planted.value != held.value
    known_before = desk.client.post("/ngon-ngu", data={"csrf_token": token[1], "lang": "en"})
    assert known_before.status_code == 400, "a token that somebody planted before opens nothing after"
    desk.get("/").press("/dang-xuat")
    assert desk.path == "/dang-nhap"
    thief = house.app.test_client()
    thief.set_cookie("loa", held.value)
    assert thief.get("/").status_code == 302, "a cookie replayed after signing out opens nothing"


def test_a_disabled_account_is_out_at_once() -> None:
    house = build("disabled")
    desk = house.browser("bientap")
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.disable_account(admin, "bientap", now=house.clock[0])
    assert desk.get("/").path == "/dang-nhap"


def test_a_session_ends_when_idle_and_when_the_hub_restarts() -> None:
    house = build("restart")
    desk = house.browser("bientap")
    again = create_app(house.hub).test_client()
    again.set_cookie("loa", desk.client.get_cookie("loa").value)  # type: ignore[union-attr]
    assert again.get("/").status_code == 302, "another process draws another secret"
    house.later(house.hub.config.session_idle_s + 1)
    assert desk.get("/").path == "/dang-nhap"


def test_a_hurried_clock_of_a_demonstration_signs_nobody_out() -> None:
    house = build("tempo")
    app = create_app(house.hub, ticks=lambda: 1000.0)
    desk = Browser(app.test_client())
    desk.sign_in("bientap")
    house.later(86400)
    assert desk.get("/").path == "/"


def test_cookies_are_kept_from_scripts_and_from_other_sites() -> None:
    house = build("cookies")
    desk = house.browser("bientap")
    assert desk.page is not None
    set_cookie = [v for r in desk.page.history for k, v in r.headers if k == "Set-Cookie" and "loa=" in v]
    assert set_cookie
    assert all("HttpOnly" in v and "SameSite=Lax" in v for v in set_cookie)
    secure = create_app(house.hub, secure=True).test_client().get("/dang-nhap", base_url="https://hub.test")
    cookie = secure.headers["Set-Cookie"]
    assert cookie.startswith("__Host-loa=")
    assert "Secure" in cookie
    assert "max-age=63072000" in secure.headers["Strict-Transport-Security"]


def test_behind_tls_a_press_names_its_https_origin_and_another_one_is_refused() -> None:
    house = build("tls")
    client = create_app(house.hub, secure=True).test_client()
    # As a proxy that ends TLS hands it on: plain http, the host as people typed it.
    html = client.get("/dang-nhap", base_url="http://hub.test").get_data(as_text=True)
    data = {
        "csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', html)[1],  # type: ignore[index]
        "account": "bientap",
        "password": PASSWORDS["bientap"],
        "to": "/",
    }
    for origin, status in (("https://hub.test", 303), ("http://hub.test", 403), ("https://evil.test", 403)):
        answer = client.post(
            "/dang-nhap",
            data=data,
            base_url="http://hub.test",
            headers={"Origin": origin, "Referer": origin + "/dang-nhap"},
        )
        assert answer.status_code == status, origin


def test_wrong_passwords_are_answered_alike_and_slowed_down() -> None:
    house = build("throttle")
    desk = house.browser()
    for account in ("khong-co", "bientap"):
        desk.get("/dang-nhap")
        desk.press("/dang-nhap", account=account, password="sai-mat-khau")
        assert desk.status == 401
        assert "Tên đăng nhập hoặc mật khẩu không đúng." in desk.words
    for _ in range(6):
        desk.get("/dang-nhap").press("/dang-nhap", account="bientap", password="sai-mat-khau")
    assert desk.status == 429
    assert "Hãy thử lại sau" in desk.words
    house.later(60)
    assert desk.sign_in("bientap").path == "/"


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y", "evil"]
)
def test_a_sign_in_link_leads_nowhere_else(house: House, to: str) -> None:
    desk = house.browser()
    desk.get("/dang-nhap").press("/dang-nhap", account="bientap", password=PASSWORDS["bientap"], to=to)
    assert desk.path == "/"
