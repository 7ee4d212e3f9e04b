"""The walls around the pages, each tested by walking all routes: CSRF, origin, sign-in, roles, territory.

A new route is met by these tests without anybody remembering to add it: they iterate the application's own
url map.
"""

from __future__ import annotations

import re

import pytest
from test_web_house import LAW_DAY, OFFICERS, PASSWORDS, Browser, House, build, stocked
from werkzeug.routing import Rule

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
ROLES = {"admin": "admin", "bientap": "editor", "lanhdao": "approver"}


@pytest.fixture(scope="module")
def house() -> House:
    """One stocked hub for this file; its tests sign in anew and only look, or are refused."""
    return stocked("walls")


def rules(house: House, *, unsafe: bool) -> list[Rule]:
    """Routes for people, safe or unsafe."""
    return [
        rule
        for rule in house.app.url_map.iter_rules()
        if bool(UNSAFE & (rule.methods or set())) is unsafe
        and not rule.rule.startswith("/v1/")
        and rule.endpoint not in ("static", "machine.health")
    ]


def key_of(house: House) -> str:
    """An officer's key."""
    row = house.hub.accounts.row("lanhdao")
    assert row is not None
    return row.key_id


def path_of(house: House, rule: Rule) -> str:
    """A path of this rule that names something that is there."""
    series = house.shelf["order" if rule.rule.startswith("/khan-cap") else "series"]
    if rule.endpoint.startswith("second."):
        series = house.shelf["proposal"]
    if rule.endpoint in ("cap.cancel_xml", "cap.cancel_sig"):
        series = house.shelf["cleared"]
    bulletin = house.shelf["Chờ duyệt" if "cho-duyet" in rule.rule else "Đã duyệt"]
    values = {"document": house.shelf["document"], "name": house.shelf["feedback"]}
    key = house.shelf["wish"] if "xin-quyen" in rule.rule else key_of(house)
    values |= {"number": house.shelf["group"], "day": LAW_DAY}
    values |= {name: house.shelf[name] for name in ("sample", "parcel", "words", "alert")}
    found = house.hub.queries.bulletin(house.shelf["Đã duyệt"])
    values |= {"offset": 0, "sha256": found.audio_sha256}
    values |= {"bulletin": bulletin, "series": series, "unit": "vn.yb.04630", "key": key, "form": "txt"}
    asked = {"ky": "2022-q4"} if rule.endpoint == "reports.file" else {}
    with house.app.test_request_context():
        built = house.app.url_map.bind("localhost").build(
            rule.endpoint, {name: values[name] for name in rule.arguments} | asked, method=None
        )
    return str(built)


def token_of(desk: Browser) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', desk.get("/").html)
    assert found is not None
    return found[1]


def test_every_unsafe_route_refuses_a_press_without_the_sessions_token(house: House) -> None:
    for account in OFFICERS:
        desk = house.browser(account)
        for rule in rules(house, unsafe=True):
            before = house.hub.ledger.position()
            for data in ({}, {"csrf_token": "forged"}):
                answer = desk.client.post(path_of(house, rule), data=data)
                assert answer.status_code == 400, (account, rule.rule)
            assert house.hub.ledger.position() == before


def test_every_unsafe_route_refuses_a_press_that_comes_from_another_site(house: House) -> None:
    desk = house.browser("lanhdao")
    token = token_of(desk)
    elsewhere = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    )
    for rule in rules(house, unsafe=True):
        for headers in elsewhere:
            answer = desk.client.post(path_of(house, rule), data={"csrf_token": token}, headers=headers)
            assert answer.status_code == 403, (rule.rule, headers)


def test_a_token_of_one_session_opens_nothing_in_another(house: House) -> None:
    stolen = token_of(house.browser("lanhdao"))
    desk = house.browser("bientap")
    path = f"/ban-tin/{house.shelf['Đã duyệt']}/gui"
    assert desk.client.post(path, data={"csrf_token": stolen}).status_code == 400


def test_every_page_asks_a_stranger_to_sign_in_and_leads_back_after(house: House) -> None:
    client = house.app.test_client()
    for rule in rules(house, unsafe=False):
        path = path_of(house, rule)
        answer = client.get(path)
        if rule.endpoint == "auth.login":
            assert answer.status_code == 200
        else:
            assert answer.status_code == 302, rule.rule
            assert answer.headers["Location"].startswith("/dang-nhap?tiep="), rule.rule


def test_a_stranger_with_a_valid_token_may_press_nothing_but_the_sign_in_and_the_language(
    house: House,
) -> None:
    desk = house.browser()
    desk.get("/dang-nhap")
    token = re.search(r'name="csrf_token" value="([^"]+)"', desk.html)[1]  # type: ignore[index]
    for rule in rules(house, unsafe=True):
        if rule.endpoint in ("auth.login_post", "auth.language"):
            continue
        answer = desk.client.post(path_of(house, rule), data={"csrf_token": token})
        assert answer.status_code == 401, rule.rule


# Who may press what: everything not listed is for nobody. 403 = refused by role before anything was read.
PRESS = {
    "auth.login_post": {"editor", "approver", "admin"},
    "auth.logout": {"editor", "approver", "admin"},
    "auth.language": {"editor", "approver", "admin"},
    "bulletins.new_post": {"editor"},
    "bulletins.edit_post": {"editor"},
    "bulletins.submit": {"editor"},
    "bulletins.withdraw": {"approver"},
    "handing.begin": {"editor"},
    "handing.piece": {"editor"},
    "handing.done": {"editor"},
    "handing.drop": {"editor"},
    "samples.new_post": {"editor"},
    "samples.edit_post": {"editor"},
    "samples.delete": {"editor"},
    "queue.approve": {"approver"},
    "queue.give_back": {"approver"},
    "queue.choose": {"approver"},
    "queue.many": {"approver"},
    "schedule.new_post": {"editor", "approver"},
    "schedule.sign": {"editor", "approver"},
    "schedule.ask": {"editor", "approver"},
    "groups.new_post": {"editor", "approver", "admin"},
    "groups.one_post": {"editor", "approver", "admin"},
    "groups.drop": {"editor", "approver", "admin"},
    "holidays.add": {"admin"},
    "holidays.strike": {"admin"},
    "holidays.restore": {"admin"},
    "schedule.cancel": {"approver"},
    "emergency.confirm": {"approver"},
    "emergency.order": {"approver"},
    "emergency.all_clear": {"approver"},
    "cap.take_in": {"approver"},
    "alerts.acknowledge": {"editor", "approver", "admin"},
    "second.sign": {"approver"},
    "second.alone": {"approver"},
    "second.drop": {"approver"},
    "phonebook.save": {"editor", "approver", "admin"},
    "phonebook.take_in": {"editor", "approver", "admin"},
    "stations.token": {"admin"},
    "stations.new_post": {"admin"},
    "wishes.grant": {"admin"},
    "wishes.refuse": {"admin"},
    "keys.confirm": {"admin"},
    "keys.end": {"admin"},
    "usb.take_in": {"editor", "approver", "admin"},
    "usb.put_out": {"editor", "approver", "admin"},
    "papers.new_post": {"approver"},
    "papers.withdraw": {"approver"},
    "papers.answer": {"editor", "approver"},
    "duty.sign": {"editor", "approver"},
}
LOOK = {
    "bulletins.new": {"editor"},
    "bulletins.edit": {"editor"},
    "handing.state": {"editor"},
    "handing.look": {"editor"},
    "samples.page": {"editor"},
    "samples.new": {"editor"},
    "samples.one": {"editor"},
    "samples.edit": {"editor"},
    "schedule.new": {"editor", "approver"},
    "groups.new": {"editor", "approver", "admin"},
    "groups.one": {"editor", "approver", "admin"},
    "stations.new": {"admin"},
    "papers.new": {"approver"},
    "duty.page": {"editor", "approver"},
    "cap.page": {"approver"},
    "emergency.clear": {"approver"},
    "keys.page": {"admin"},
    "keys.one": {"admin"},
    "wishes.one": {"admin"},
}


def test_the_table_of_roles_names_every_route_that_changes_something(house: House) -> None:
    assert {rule.endpoint for rule in rules(house, unsafe=True)} == set(PRESS)


@pytest.mark.parametrize("account", sorted(ROLES))
def test_each_role_may_press_what_the_table_says_and_nothing_else(house: House, account: str) -> None:
    desk = house.browser(account)
    token = token_of(desk)
    for rule in rules(house, unsafe=True):
        if rule.endpoint in ("groups.drop", "holidays.strike", "holidays.restore"):
            continue  # as these
        if rule.endpoint == "second.drop":
            continue  # as these
        if rule.endpoint in ("auth.logout", "stations.token", "wishes.refuse", "papers.withdraw"):
            continue  # they act without another field; they have tests of their own
        if rule.endpoint in ("samples.delete", "handing.drop"):
            continue  # as these
        before = house.hub.ledger.position()
        # An empty form: where the role may, the form is what refuses (422, 400, or a new look at the page).
        answer = desk.client.post(path_of(house, rule), data={"csrf_token": token})
        allowed = ROLES[account] in PRESS[rule.endpoint]
        assert (answer.status_code == 403) is not allowed, (rule.rule, answer.status_code)
        assert house.hub.ledger.position() == before, "nothing was signed"


@pytest.mark.parametrize("account", sorted(ROLES))
def test_each_role_sees_what_the_table_says_and_no_button_of_others(house: House, account: str) -> None:
    desk = house.browser(account)
    for rule in rules(house, unsafe=False):
        path = path_of(house, rule)
        if rule.endpoint in ("bulletins.audio", "bulletins.file", "second.recording"):
            continue
        if rule.endpoint in ("bulletins.read_out", "spoken.script"):
            continue  # there is no voice here; test_web_writing listens
        answer = desk.client.get(path)
        allowed = ROLES[account] in LOOK.get(rule.endpoint, {"editor", "approver", "admin"})
        wanted = {302} if rule.endpoint == "auth.login" else {200} if allowed else {403}
        assert answer.status_code in wanted, (path, answer.status_code)
        for form in re.findall(r"<form[^>]*>", answer.get_data(as_text=True)):
            if (found := re.search(r'action="([^"]+)"', form)) is None:
                continue  # to its own page
            asks = 'method="get"' in form
            adapter = house.app.url_map.bind("localhost")
            endpoint, _ = adapter.match(found[1], method="GET" if asks else "POST")
            allowed_there = LOOK.get(endpoint, set(ROLES.values())) if asks else PRESS[endpoint]
            assert ROLES[account] in allowed_there, f"{path} shows {account} a form to {found[1]}"


def test_a_403_says_whose_act_it_is(house: House) -> None:
    answer = house.browser("bientap").get("/tram/moi")
    assert answer.status == 403
    assert "Việc này dành cho: quản trị." in answer.words


# -- territory -------------------------------------------------------------------------------------------


def test_an_officer_of_one_commune_sees_nothing_of_another() -> None:
    house = build("commune")
    admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
    assert admin is not None
    house.hub.commands.create_account(
        admin,
        account="tule",
        name="Lò Văn Tú",
        role="editor",
        territory="vn.yb.04630",
        password="tu-le-2022-xa",
        now=house.clock[0],
    )
    province = house.browser("bientap")
    theirs = province.draft("Của Xuân Ái", territory="vn.yb.04441")
    whole = province.draft("Của toàn tỉnh")
    commune = house.browser()
    commune.sign_in("tule", "tu-le-2022-xa")
    for path in (
        f"/ban-tin/{theirs}",
        f"/cho-duyet/{theirs}",
        f"/ban-tin/{theirs}/am-thanh",
        "/tram/vn.yb.04441",
    ):
        assert commune.get(path).status == 404, path
    assert "Của Xuân Ái" not in commune.get("/ban-tin").words
    assert "Của toàn tỉnh" in commune.words, "what a superior sends in is seen"
    assert commune.get(f"/ban-tin/{whole}").status == 200
    assert "Xã Xuân Ái" not in commune.get("/tram").words
    commune.get("/ban-tin/moi")
    assert "vn.yb.04441" not in commune.html
    commune.press("", "draft", title="Lén", text="Lén", category="khac", territory="vn.yb.04441")
    assert commune.status == 422
