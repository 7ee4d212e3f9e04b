"""The house that the web tests live in: a founded hub on memory, its three officers, and a browser without
JavaScript.

`Browser` reads pages the way a person without JavaScript does: it presses the forms that are on the page,
with the hidden fields they carry, and follows where they lead. Nothing in it knows a token or a route by
heart.
"""

from __future__ import annotations

import hashlib
import io
import math
import sqlite3
import struct
import unicodedata
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hub_house import Box
from werkzeug.test import TestResponse

from hub import KDF_CHEAP, Hub, found
from hub.web import create_app
from ledger.facts import Condition, FeedbackReceived, KeyOffered, Right, at, day_from_iso
from ledger.log import OFFER, MemoryStore, SigningKey

LAW_DAY = day_from_iso("2022-11-09")
MORNING = at(LAW_DAY, 8 * 60)
PASSWORDS = {"admin": "quantri-2022", "bientap": "bientap-2022", "lanhdao": "lanhdao-2022"}
OFFICERS = tuple(PASSWORDS)  # of every house; a test that adds another officer adds a password
PLACES = (
    ("vn.yb.04630", "Xã Tú Lệ", "it"),
    ("vn.yb.04441", "Xã Xuân Ái", "it"),
    ("vn.yb.04510", "Xã Việt Thành", "it"),
    ("vn.yb.04249", "Phường Yên Thịnh", "fm"),
)


def entropy_from(seed: str) -> Callable[[int], bytes]:
    """Bytes that look random and are the same each run."""
    count = 0

    def entropy(size: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"{seed}/{count}".encode()).digest(size)

    return entropy


def tone(seconds: float = 2.0, rate: int = 8000) -> bytes:
    """A WAV that is really sound."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(
            b"".join(struct.pack("<h", round(9000 * math.sin(n / 4))) for n in range(round(seconds * rate)))
        )
    return out.getvalue()


@dataclass
class House:
    """A hub, its clock (settable), its application."""

    hub: Hub
    app: Flask
    clock: list[int]
    store: MemoryStore
    shelf: dict[str, Any] = field(default_factory=dict)  # what a fixture put there for its tests

    def databases(self) -> list[sqlite3.Connection]:
        """The connections this hub works on."""
        return [self.store.open_db(name) for name in ("ledger.db", "views.db", "accounts.db", "contacts.db")]

    def later(self, seconds: int) -> None:
        self.clock[0] += seconds

    def browser(self, account: str = "", **headers: str) -> Browser:
        made = Browser(self.app.test_client(), headers)
        if account:
            made.sign_in(account)
        return made


def build(seed: str = "web", *, stations: tuple[tuple[str, str, str], ...] = PLACES) -> House:
    clock = [MORNING]
    store = MemoryStore()
    entropy = entropy_from(seed)
    config = found(store, now=clock[0], entropy=entropy, password=PASSWORDS["admin"], kdf=KDF_CHEAP)
    hub = Hub(store, config=config, clock_now=lambda: clock[0], entropy=entropy)
    admin = hub.accounts.login("admin", PASSWORDS["admin"], now=clock[0])
    assert admin is not None
    for account, name, role in (
        ("bientap", "Nguyễn Thị Lan", "editor"),
        ("lanhdao", "Giàng A Páo", "approver"),
    ):
        hub.commands.create_account(
            admin,
            account=account,
            name=name,
            role=role,
            territory="vn.yb",
            password=PASSWORDS[account],
            now=clock[0],
        )
    hub.commands.register_stations(admin, stations, now=clock[0])
    hub.tick()
    app = create_app(hub)
    app.testing = True
    return House(hub, app, clock, store)


@dataclass
class FormSeen:
    """A form on a page: where it goes and what it holds before anybody touches it."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)  # name, value, formaction
    file_fields: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """Every form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[FormSeen] = []
        self.tags: list[str] = []
        self.text: list[str] = []
        self._form: FormSeen | None = None
        self._area: str | None = None
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        self.tags.append(tag)
        if tag == "form":
            self._form = FormSeen(a.get("action", ""), a.get("method", "get").lower())
            self.found.append(self._form)
        if self._form is None:
            return
        name = a.get("name", "")
        if tag == "input" and a.get("type") == "file":
            self._form.file_fields.append(name)
        elif tag == "input" and name:
            if a.get("type") in ("checkbox", "radio") and "checked" not in a:
                self._form.fields.setdefault(name, [])
            else:
                self._form.fields.setdefault(name, []).append(a.get("value", ""))
        elif tag == "textarea":
            self._area = name
            self._form.fields[name] = [""]
        elif tag == "select":
            self._select = name
            self._form.fields[name] = []
        elif tag == "option" and self._select:
            held = self._form.fields[self._select]
            if "selected" in a or not held:
                self._form.fields[self._select] = [a.get("value", "")]
        elif tag == "button":
            self._form.buttons.append((name, a.get("value", ""), a.get("formaction", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._form is not None and self._area is not None:
            self._form.fields[self._area][0] += data


@dataclass
class Browser:
    """A person at a desk: looks at pages, presses what is on them."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)
    page: TestResponse | None = None
    account: str = ""

    @property
    def html(self) -> str:
        assert self.page is not None
        return self.page.get_data(as_text=True)

    @property
    def words(self) -> str:
        """The text a person reads, whitespace collapsed."""
        return " ".join(" ".join(Forms(self.html).text).split())

    @property
    def path(self) -> str:
        assert self.page is not None
        return self.page.request.path

    @property
    def status(self) -> int:
        assert self.page is not None
        return self.page.status_code

    def get(self, path: str) -> Browser:
        self.page = self.client.get(path, headers=self.headers, follow_redirects=True)
        return self

    def form(self, action: str) -> FormSeen:
        """The form on this page whose action ends so ("" = the page's own)."""
        for seen in Forms(self.html).found:
            if seen.method == "post" and (seen.action.endswith(action) if action else not seen.action):
                return seen
        raise AssertionError(f"no form that goes to {action!r} on {self.path}")

    def has_form(self, action: str) -> bool:
        return any(f.method == "post" and f.action.endswith(action) for f in Forms(self.html).found)

    def press(self, action: str, button: str = "", /, **typed: object) -> Browser:
        """Fill the form's fields (`_from` stands for `from`) and press a button of it (by its value)."""
        seen = self.form(action)
        data: dict[str, object] = dict(seen.fields)
        for name, value in typed.items():
            data[name.lstrip("_")] = value
        target = seen.action or self.path
        for name, value, formaction in seen.buttons:
            if button and value == button:
                data[name] = value
                target = formaction if formaction and not formaction.startswith("#") else target
        self.page = self.client.post(
            target,
            data=data,
            headers={"Sec-Fetch-Site": "same-origin", **self.headers},
            follow_redirects=True,
            content_type="multipart/form-data" if seen.file_fields else None,
        )
        return self

    def sign_in(self, account: str, password: str = "") -> Browser:
        self.get("/dang-nhap")
        self.account = account
        return self.press("/dang-nhap", account=account, password=password or PASSWORDS[account])

    def plan(self, bulletin: str, **typed: object) -> Browser:
        """Both steps of scheduling; stops at the first when that is refused."""
        self.get(f"/ban-tin/{bulletin}/xep-lich").press("/xep-lich", **typed)
        return self.press("/ky", password=PASSWORDS[self.account]) if self.has_form("/ky") else self

    def draft(self, title: str = "Tiêm phòng cho trẻ em", button: str = "submit", **more: object) -> str:
        """Compose a bulletin as an editor does; its id."""
        self.get("/ban-tin/moi")
        typed: dict[str, object] = {
            "title": title,
            "category": "y-te",
            "klass": "3",
            "_from": "2022-11-09",
            "_until": "2022-11-16",
            "text": "Sáng mai trạm y tế xã tiêm phòng sởi cho trẻ từ 9 tháng đến 5 tuổi.",
            "audio": (io.BytesIO(tone()), "tiem.wav"),
        }
        typed.update(more)
        self.press("", button, **typed)
        assert self.status == 200, self.words
        return self.path.rsplit("/", 1)[1]


def approve(house: House, bulletin: str, account: str = "lanhdao") -> Browser:
    """Read and approve as the approver does."""
    boss = house.browser(account).get(f"/cho-duyet/{bulletin}")
    return boss.press("/duyet", password=PASSWORDS[account])


def stocked(seed: str) -> House:
    """A hub with something on every page: `shelf` says what is called how."""
    made = build(seed)
    editor = made.browser("bientap")
    for title in ("Đã duyệt", "Chờ duyệt"):
        made.shelf[title] = editor.draft(title)
    boss = approve(made, made.shelf["Đã duyệt"])
    boss.plan(made.shelf["Đã duyệt"], _from="2022-11-09", _until="2022-11-09", at="17:00")
    made.shelf["series"] = int(boss.path.rsplit("/", 1)[1])
    boss.get("/khan-cap").press("/khan-cap", text="Diễn tập.", kind="khac", mode="drill", hours="1")
    boss.press("/ra-lenh", password=PASSWORDS["lanhdao"])
    made.shelf["order"] = int(boss.path.rsplit("/", 1)[1])
    officer = made.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=made.clock[0])
    assert officer is not None
    made.shelf["proposal"] = made.hub.commands.propose_emergency(
        officer, kind="khac", level=1, text="Đề nghị.", territory="vn.yb", now=made.clock[0]
    )
    made.shelf["document"] = document(made)
    made.shelf["group"] = made.hub.choices.groups.keep(
        "Vùng cao", territory="vn.yb", units=["vn.yb.04630"], account="lanhdao", now=made.clock[0]
    )
    made.shelf["feedback"] = feedback(made)
    made.shelf["wish"] = wish(made)
    made.shelf["alert"] = alert(made)
    made.shelf["cleared"] = cleared(made)
    writing(made)
    return made


def document(house: House, title: str = "Tăng cường tuyên truyền phòng, chống ma túy", **more: object) -> str:
    """A directive of the province, sent by the approver's page; its id."""
    boss = house.browser("lanhdao").get("/van-ban/moi")
    typed: dict[str, object] = {
        "title": title, "category": "khac", "number": "15/CV-STTTT",
        "file": (io.BytesIO(b"%PDF-1.4 not much of one"), "cong-van.pdf"),
    } | more  # fmt: skip
    boss.press("/van-ban/moi", **typed)
    assert boss.status == 200, boss.words
    return boss.path.rsplit("/", 1)[1]


def feedback(house: House, text: str = "Đường vào bản Chao sạt lở.", sender: str = "") -> str:
    """A citizen's words, passed on by the station of Tú Lệ; their id."""
    box = house.shelf.get("box")
    if box is None:
        admin = house.hub.accounts.login("admin", PASSWORDS["admin"], now=house.clock[0])
        assert admin is not None
        token = house.hub.commands.new_station_token(admin, "vn.yb.04630", now=house.clock[0])
        box = house.shelf["box"] = Box(_Clocked(house), token.text)
    name = hashlib.sha256(text.encode()).digest()[:16]
    box.report(FeedbackReceived(house.clock[0], name, "Đường sá", text, sender).encode())
    box.sync()
    house.hub.tick()
    return name.hex()


def wish(house: House, name: str = "Lò Thị Mai") -> str:
    """A key that asks for rights at the station of Tú Lệ (after `feedback`); its id."""
    box = house.shelf["box"]
    key = SigningKey.from_seed(hashlib.sha256(name.encode()).digest())
    proof = key.sign(OFFER, box.key.key_id + key.verify_key.raw)
    box.report(KeyOffered(house.clock[0], key.verify_key.raw, proof, name, int(Right.PROGRAMME)).encode())
    box.sync()
    house.hub.tick()
    return key.key_id.hex()


def alert(house: House) -> str:
    """The memory card of Tú Lệ is full (after `feedback`); the alert's id."""
    house.shelf["box"].sync(Condition("mpv", 3, 2, house.clock[0], storage=1).encode())
    house.hub.tick()
    house.hub.alarms.look(house.clock[0])
    (found,) = house.hub.alarms.open()
    return found.id


def cleared(house: House) -> int:
    """A drill that an all-clear has ended; its series."""
    officer = house.hub.accounts.login("lanhdao", PASSWORDS["lanhdao"], now=house.clock[0])
    assert officer is not None
    series = house.hub.commands.order_emergency(
        officer, kind="khac", level=1, drill=True, text="Diễn tập.", territory="vn.yb", now=house.clock[0]
    )
    house.hub.commands.cancel_emergency(officer, series, reason="Hết.", now=house.clock[0])
    return series


def writing(house: House) -> None:
    """What lies on the editor's desk: a sample, a file on its way, words to listen to."""
    hub, now = house.hub, house.clock[0]
    house.shelf["sample"] = hub.samples.save(
        "", name="Họp thôn", title="Họp {thôn}", category="khac", klass=2, text="Mời bà con {thôn} họp.",
        territory="vn.yb", account="bientap", now=now,
    ).id  # fmt: skip
    made = hub.intake.begin("bientap", "audio", "a.wav", 4, "", bytes_max=9, now=now)
    house.shelf["parcel"] = hub.intake.settle("bientap", made.id, b"RIFF", "audio/wav", now=now).id
    house.shelf["words"] = hub.heard.put("vi", "Chữ.", now=now)


class _Clocked:
    """A house as `Box` looks at it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.hub = house.hub

    @property
    def now(self) -> int:
        return self._house.clock[0]


@pytest.fixture
def house() -> House:
    return build()


def test_a_fresh_hub_shows_every_page_of_the_menu_to_every_role(house: House) -> None:
    for account in OFFICERS:
        desk = house.browser(account)
        assert desk.path == "/", desk.words
        for path in ("/", "/ban-tin", "/cho-duyet", "/lich", "/vi-sao", "/khan-cap", "/tram"):
            assert desk.get(path).status == 200, (account, path, desk.words)
            assert unicodedata.is_normalized("NFC", desk.html)
