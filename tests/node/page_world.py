"""A station of `station_world` with its page: real people, real keys, real forms, no network and no thread.

    page = Page(); lan = page.join("Nguyễn Thị Lan", "officer"); page.grant(lan.name)
    lan.get("/"); lan.press("/de-nghi/7", answer="accept")

`press` sends a form as a browser does: the hidden fields of the form on the page that was looked at last,
and what is typed. Nothing is posted that no form on that page has.
"""

from __future__ import annotations

import random
from html.parser import HTMLParser
from typing import Any, Protocol

from flask import Flask
from flask.testing import FlaskClient
from station_world import HUB, ROOT, World
from werkzeug.test import TestResponse

from ledger.content import TextIndex, pdf_reader
from ledger.facts import Right
from ledger.log import VerifyKey
from ledger.vault import Cost
from node.page.office import Office
from node.page.people import asked_rights
from node.page.reading import Reading
from node.web import create_app

QUICK = Cost(16, 1, 1)  # the work of a PIN is not what these tests are about
PIN = "phở bò 27"


class Page:
    """The page of a world's station. `boot` after every restart of the station."""

    def __init__(self, world: World | None = None, **config: Any) -> None:
        self.world = world or World(**config)
        self.boot()

    def boot(self) -> None:
        """The process of now: nobody is signed in."""
        self.office = Office(self.world.station, cost=QUICK)
        self.office.texts = TextIndex(self.world.store)
        read_pdf = pdf_reader()
        self.office.reads_pdf = read_pdf is not None
        self.reading = Reading(lambda question: question(self.office), self.office.texts, read_pdf)
        config = self.world.config
        drawn = random.Random(self.world.starts + 7)
        self.app = create_app(
            lambda question: question(self.office),
            entropy=drawn.randbytes,
            name=config.name,
            unit=config.unit,
        )

    def restart(self) -> None:
        """The power goes and comes back."""
        self.world.cut()
        self.world.boot()
        self.boot()

    def visitor(self, address: str = "192.168.1.20") -> Browser:
        """Somebody who is not signed in."""
        return Browser(self, address)

    def join(self, name: str, role: str, *, pin: str = PIN, address: str = "192.168.1.20") -> Browser:
        """Enters somebody at the console, who then chooses a PIN on the page; signed in."""
        row, code = self.office.add(name, role, None, "console")
        browser = self.visitor(address)
        browser.get("/lan-dau")
        browser.press("/lan-dau", person=str(row.id), code=code, pin=pin, again=pin)
        browser.name = name
        assert browser.path == "/toi", browser.text
        return browser

    def sync(self) -> None:
        """What was signed here goes up, what was decided there comes down."""
        self.world.station.agent.hurry(self.world.clock.mono_s, 0.0)
        self.world.station.look_soon()
        self.world.run(120)

    def read_documents(self) -> int:
        """What the thread beside the loop does in its own time; how many files were read."""
        return sum(1 for _ in iter(self.reading.turn, False))

    def grant(self, name: str, rights: int | None = None) -> None:
        """The province gives this person's key what their role asks for, for exactly this commune."""
        row = self.office.people.named(name)
        assert row is not None
        assert row.pub is not None
        world = self.world
        key = VerifyKey(row.pub)
        classes = int(asked_rights(row.role)) if rights is None else rights
        granted = world.hub.grant(_Public(key), classes, world.config.unit)  # type: ignore[arg-type]
        world.hub.sign(ROOT, granted)
        self.sync()


class _Public:
    """A key as `HubSide.grant` looks at it."""

    def __init__(self, key: VerifyKey) -> None:
        self.verify_key = key


class HasApp(Protocol):
    """Whatever has a page."""

    app: Flask


class Browser:
    """One browser with its cookies. path: without the question mark; status: of the last answer."""

    def __init__(self, page: HasApp, address: str) -> None:
        self._client: FlaskClient = page.app.test_client()
        self._address = address
        self.name = ""
        self.path = ""
        self.status = 0
        self.text = ""

    def get(self, path: str) -> Browser:
        return self._seen(
            self._client.get(path, follow_redirects=True, environ_base={"REMOTE_ADDR": self._address})
        )

    def press(self, action: str, **typed: Any) -> Browser:
        """Sends the form of this page whose action ends so. typed: as in the form, `_from` for `from`."""
        forms = [form for form in forms_of(self.text) if form.action.split("?")[0].endswith(action)]
        assert forms, (action, [form.action for form in forms_of(self.text)])
        form = forms[0]
        values = {name.lstrip("_"): value for name, value in typed.items()}
        strange = values.keys() - form.names
        assert not strange, f"the form has no {strange}, only {form.names}"
        return self.post(form.action, form.hidden | values)

    def post(self, path: str, values: dict[str, Any]) -> Browser:
        """Sends anything at all, as somebody might who is no browser."""
        return self._seen(
            self._client.post(
                path, data=values, follow_redirects=True, environ_base={"REMOTE_ADDR": self._address}
            )
        )

    @property
    def csrf(self) -> str:
        return forms_of(self.text)[-1].hidden["csrf"]

    def _seen(self, answer: TestResponse) -> Browser:
        self.status, self.path = answer.status_code, answer.request.path
        self.text = answer.data.decode(errors="replace")
        self.answer = answer
        return self

    def says(self, words: str) -> bool:
        """True when a person reads this on the page."""
        reader = _Reader()
        reader.feed(self.text)
        return words in " ".join(" ".join(reader.words).split())


class Form:
    def __init__(self, action: str) -> None:
        self.action = action
        self.hidden: dict[str, Any] = {}
        self.names: set[str] = set()


def forms_of(text: str) -> list[Form]:
    reader = _Forms()
    reader.feed(text)
    return reader.forms


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag == "form":
            self.forms.append(Form(found.get("action") or ""))
        elif name and self.forms and tag in ("input", "select", "textarea", "button"):
            self.forms[-1].names.add(name)
            if tag == "input" and found.get("type") == "hidden":
                self.forms[-1].hidden[name] = found.get("value") or ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


__all__ = ["HUB", "PIN", "QUICK", "Browser", "Page", "Right", "forms_of"]
