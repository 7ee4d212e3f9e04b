"""The officers of the demo: an editor and an approver who use the hub's own pages, as a browser would.

No back door: each act fetches the page, takes the form that is on it (CSRF token, ticket, the version and the
manifest that were shown), fills in what a person would type, and sends it. What the page refuses is an error
here. A hub that is killed in the middle signs everybody out; then the officer signs in again and looks first
whether the act went through before doing it once more.

Bound: one officer's acts over HTTP. When they happen is the conductor's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import httpx2

from ledger.log import LoaError, TransportError
from sim.demo.day import DAY_ISO, Bulletin, Emergency

PATIENCE_S = 20.0
"""Real seconds an officer keeps trying while the hub is away: a restart takes one or two."""
PAUSE_S = 0.25
REQUEST_TIMEOUT_S = 15.0
LOGIN = "/dang-nhap"
VOID = frozenset({"input", "br", "hr", "img", "link", "meta", "source", "path", "rect", "circle", "line"})
"""Tags that stand alone on our pages (HTML's void elements and the shapes of SVG)."""
NOT_SENT = frozenset({"file", "submit", "button", "image", "reset"})
"""Inputs that send nothing unless they are chosen or pressed."""
T = TypeVar("T")


@dataclass
class Form:
    """One form as the page holds it: where it goes, and what it would send untouched."""

    action: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Page(HTMLParser):
    """Collects the forms of a page, the state of their controls, and the sentences marked as errors."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.said: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._option: str | None = None
        self._text: str | None = None
        self._problem = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        if tag not in VOID and (
            self._problem or given.get("role") == "alert" or "err" in classes or tag == "h1"
        ):
            self._problem += 1
        if tag == "form":
            self._form = Form(given.get("action", ""))
            self.forms.append(self._form)
        if self._form is None:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            kind = given.get("type", "text")
            if kind not in NOT_SENT and (kind not in ("radio", "checkbox") or "checked" in given):
                self._put(name, given.get("value", ""))
        elif tag == "select":
            self._select, self._option = name, None
        elif tag == "option" and self._select is not None:
            if "selected" in given or self._option is None:
                self._option = given.get("value", "")
        elif tag == "textarea":
            self._text = name
            self._put(name, "")

    def handle_endtag(self, tag: str) -> None:
        if self._problem and tag not in VOID:
            self._problem -= 1
        if tag == "form":
            self._form = None
        elif tag == "select":
            if self._select and self._option is not None:
                self._put(self._select, self._option)
            self._select = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None and self._form is not None:
            self._form.fields[self._text][-1] += data
        if self._problem and data.strip():
            self.said.append(" ".join(data.split()))

    def _put(self, name: str, value: str) -> None:
        assert self._form is not None
        self._form.fields.setdefault(name, []).append(value)


class Officer:
    """One signed-in person at one browser. base: where the hub answers; it may go away and come back."""

    def __init__(self, base: Callable[[], str], account: str, password: str) -> None:
        self._base, self.account, self._password = base, account, password
        self._client = httpx2.Client(timeout=REQUEST_TIMEOUT_S, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def sign_in(self) -> None:
        """Raises LoaError when the hub refuses the password."""
        self._send_form(LOGIN, LOGIN, {"account": self.account, "password": self._password})

    def draft(self, bulletin: Bulletin, audio: bytes) -> str:
        """Writes, uploads and submits; the new bulletin's id (hex)."""
        fields = {
            "title": bulletin.title, "category": bulletin.category, "klass": str(bulletin.klass),
            "territory": bulletin.territory, "from": DAY_ISO, "until": DAY_ISO, "text": bulletin.text,
            "do": "submit",
        }  # fmt: skip
        files = {"audio": (f"{bulletin.key}.wav", audio, "audio/wav")}
        return _last_part(self._send_form("/ban-tin/moi", "/ban-tin/moi", fields, files))

    def approve(self, bulletin: str) -> None:
        """Reads what the page shows and signs exactly that."""
        self._answer(bulletin, "/duyet", {"password": self._password})

    def give_back(self, bulletin: str, reason: str) -> None:
        self._answer(bulletin, "/tra-lai", {"reason": reason})

    def schedule(self, bulletin: str, clock: str) -> int:
        """The day of the demo at this local time, late by at most 15 minutes; the series."""
        fields = {"from": DAY_ISO, "until": DAY_ISO, "at": clock, "late": "15"}
        page = f"/ban-tin/{bulletin}/xep-lich"
        return self._persist(lambda: int(_last_part(self._in_two_steps(page, "/xep-lich", fields))))

    def withdraw(self, bulletin: str, reason: str) -> None:
        """Does nothing when it is withdrawn already."""
        page = f"/ban-tin/{bulletin}"

        def act() -> None:
            if any(form.action.endswith("/thu-hoi") for form in self._forms(page)):
                self._send_once(page, "/thu-hoi", {"reason": reason})

        self._persist(act)

    def order_emergency(self, emergency: Emergency) -> int:
        """Both steps; the series. An order in force already is not given twice."""

        def act() -> int:
            before = self._orders()
            if before:
                return before[0]
            fields = {
                "kind": emergency.kind, "level": str(emergency.level), "text": emergency.text, "hours": "2",
                "mode": "drill" if emergency.drill else "real",
            }  # fmt: skip
            return int(_last_part(self._in_two_steps("/khan-cap", "/khan-cap", fields)))

        return self._persist(act)

    # ---- pages and forms ----

    def _answer(self, bulletin: str, action: str, fields: Mapping[str, str]) -> None:
        """Does nothing when it does not wait any more: a hub may die after the ink and before its answer."""
        page = f"/cho-duyet/{bulletin}"

        def act() -> None:
            seen = self._look(page)
            if seen.status_code != 302 or _last_part(urlsplit(seen.headers["location"]).path) != bulletin:
                self._send_once(page, action, fields)

        self._persist(act)

    def _orders(self) -> list[int]:
        """Series of emergencies in force, as the page links them."""
        page = self._get("/khan-cap")
        numbers = []
        for part in page.text.split('href="/khan-cap/')[1:]:
            number = part.split('"', 1)[0]
            if number.isdecimal():
                numbers.append(int(number))
        return numbers

    def _send_form(
        self,
        page: str,
        action: str,
        fields: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> str:
        """Opens `page`, fills in its form that goes to `action`, sends it; the path it leads to."""
        return self._persist(lambda: self._send_once(page, action, fields, files))

    def _send_once(
        self,
        page: str,
        action: str,
        fields: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> str:
        return self._done(self._submit(self._form_on(page, action), fields, files))

    def _in_two_steps(self, page: str, action: str, fields: Mapping[str, str]) -> str:
        """What is asked for, read once more with its consequences, then the password; where it leads."""
        asked = self._submit(self._form_on(page, action), fields)
        confirmation = next((form for form in _forms(asked) if "password" in form.fields), None)
        if confirmation is None:
            raise _refused(page, asked)
        return self._done(self._submit(confirmation, {"password": self._password}))

    def _form_on(self, page: str, action: str) -> Form:
        for form in self._forms(page):
            if form.action.endswith(action):
                return form
        raise LoaError("form-missing", f"the page {page} offers {self.account} no form to {action}")

    def _forms(self, page: str) -> list[Form]:
        return _forms(self._get(page))

    def _get(self, path: str) -> httpx2.Response:
        answer = self._look(path)
        if answer.status_code != 200:
            raise _refused(path, answer)
        return answer

    def _look(self, path: str) -> httpx2.Response:
        """Whatever the hub answers, signed in again when its restart has ended the session."""
        answer = self._request("GET", path)
        if answer.status_code in (302, 303) and LOGIN in answer.headers.get("location", ""):
            self.sign_in()
            answer = self._request("GET", path)
        return answer

    def _submit(
        self,
        form: Form,
        fields: Mapping[str, str],
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
    ) -> httpx2.Response:
        sent: dict[str, str | list[str]] = {
            name: values if len(values) > 1 else values[0]
            for name, values in form.fields.items()
            if name not in (files or {})
        }
        sent.update(fields)
        return self._request("POST", form.action, data=sent, files=dict(files) if files else None)

    def _done(self, answer: httpx2.Response) -> str:
        if answer.status_code not in (302, 303):
            raise _refused(str(answer.request.url.path), answer)
        path = urlsplit(answer.headers["location"]).path
        if path == LOGIN:
            raise TransportError("office-signed-out", "the hub started again between the page and the press")
        return path

    def _request(self, method: str, path: str, **sent: object) -> httpx2.Response:
        try:
            answer = self._client.request(method, self._base() + path, **sent)  # type: ignore[arg-type]
        except httpx2.TransportError as error:
            raise TransportError(
                "office-offline", f"the hub does not answer {method} {path}: {error}"
            ) from error
        if answer.status_code == 503 or (answer.status_code == 400 and method == "POST"):
            # 400: a form of a session that a restart of the hub ended; the page has to be opened again.
            raise TransportError("office-again", str(_refused(path, answer)))
        return answer

    def _persist(self, act: Callable[[], T]) -> T:
        """Tries again while the hub is away; anything it says on purpose stands."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return act()
            except TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE_S)


def _parse(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    page.close()
    return page


def _forms(answer: httpx2.Response) -> list[Form]:
    """The forms of a page, each with the path it goes to."""
    here = answer.request.url.path
    forms = _parse(answer.text).forms
    for form in forms:
        form.action = urlsplit(urljoin(here, form.action or here)).path
    return forms


def _refused(path: str, answer: httpx2.Response) -> LoaError:
    said = " · ".join(_parse(answer.text).said[:6])
    return LoaError("office-refused", f"the hub answered {answer.status_code} to {path}: {said}")


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
