"""What every screen of the page works with: the question to the station, the person, the two languages.

    PAGE = Blueprint("offers", __name__)
    MENU = Words("Đề nghị", "Offers")                 the screen's name in the menu; None: not in it

    def waiting(office, person) -> int: ...            optional: a number beside the name

    @PAGE.get("/de-nghi")
    def page(): return render_template("offers.html", rows=ask(lambda office: offers.rows(office)))

    @PAGE.post("/de-nghi/<int:series>")
    def answer(series):
        if attempt(lambda office: offers.answer(office, who, series, …), Words("Đã nhận.", "Accepted.")):
            …
        return back("offers.page")

A view is for people who are signed in unless it is `@public`. Every POST carries the hidden field `csrf()`.
A signing form shows `pin_field()`; when the key is locked all the same, the page asks for the PIN and sends
the form again by itself, so a view need not think of it.

Bound: Flask's side. Nothing here knows the store.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from threading import Lock
from typing import Any, Final, TypeVar, cast

from flask import abort, current_app, flash, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from ledger.log import LoaError, NotAllowed
from node.page.hatch import Ask
from node.page.office import Challenge, Office, Person
from node.page.phrases import Words
from node.web.refusals import said

T = TypeVar("T")
View = TypeVar("View", bound=Callable[..., Any])

SEAT: Final = "seat"
CSRF: Final = "csrf"
LANG_COOKIE: Final = "loa_lang"
LANGUAGES: Final = ("vi", "en")
PIN_FIELD: Final = "unlock_pin"
PIN_CHARS_MAX: Final = 256

_one_at_a_time = Lock()  # stretching takes 16 MiB and a core


def ask(question: Callable[[Office], T], /) -> T:
    """Asks the station; waits for the answer. Raises what the question raises."""
    return cast(Ask, current_app.extensions["loa_ask"])(question)


def person() -> Person:
    """Who is signed in. On a public view there may be nobody: 401."""
    found = person_or_none()
    if found is None:
        abort(401)
    return found


def person_or_none() -> Person | None:
    return cast("Person | None", g.get("person"))


def public(view: View) -> View:
    """Marks a view that needs nobody to be signed in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def address() -> str:
    """Where the browser is."""
    return request.remote_addr or "?"


# -- languages -----------------------------------------------------------------------------------------------


def lang() -> str:
    """`vi` unless the reader chose English."""
    chosen = request.cookies.get(LANG_COOKIE, "vi")
    return chosen if chosen in LANGUAGES else "vi"


def t(vi: str | Words, en: str = "") -> str:
    """The one of the two that the reader wants."""
    words = vi if isinstance(vi, Words) else Words(vi, en)
    return words.in_(lang())


# -- forms ---------------------------------------------------------------------------------------------------


def csrf() -> str:
    """The token of this browser, made when first wanted."""
    if CSRF not in session:
        entropy = cast(Callable[[int], bytes], current_app.extensions["loa_entropy"])
        session[CSRF] = entropy(16).hex()
        session.permanent = True
    return cast(str, session[CSRF])


def is_from_here() -> bool:
    """True when an unsafe request carries this browser's token and no other site's origin."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return False
    kept = session.get(CSRF)
    return isinstance(kept, str) and hmac.compare_digest(kept, request.form.get(CSRF, ""))


def field(name: str, chars_max: int = 200) -> str:
    """A line of the form, trimmed."""
    return request.form.get(name, "").strip()[:chars_max]


def number(name: str) -> int | None:
    """A whole number of the form, or None."""
    text = field(name, 20)
    return int(text) if text.isascii() and text.isdigit() else None


# -- answers -------------------------------------------------------------------------------------------------


def flash_done(vi: str | Words, en: str = "") -> None:
    flash(t(vi, en), "ok")


def flash_said(words: Words, look: str) -> None:
    """look: `ok` or `bad`."""
    flash(t(words), look)


def flash_refused(error: LoaError) -> None:
    flash(refusal(error), "bad")


def refusal(error: LoaError) -> str:
    """The sentence for it on this screen, in the reader's language."""
    return t(refusal_words(error))


def refusal_words(error: LoaError) -> Words:
    tables = cast("dict[str, dict[str, Words]]", current_app.extensions["loa_refusals"])
    return said(error, tables.get(request.blueprint or ""))


def back(endpoint: str, **values: Any) -> Response:
    """See the outcome on a page of its own: a reload does nothing twice."""
    return redirect(url_for(endpoint, **values), code=303)


def attempt(question: Callable[[Office], Any], done: Words | None = None) -> bool:
    """Asks, and tells the person how it went. A locked key is not told: the page asks for the PIN then."""
    try:
        ask(question)
    except LoaError as error:
        if error.code in ("key-locked", "logged-out"):
            raise
        flash_refused(error)
        return False
    if done is not None:
        flash_done(done)
    return True


def unlock(pin: str) -> None:
    """Opens the key of whoever is signed in. NotAllowed: wrong-pin, login-delayed, logged-out."""
    who, token, where = person(), cast(str, session.get(SEAT, "")), address()
    challenge = ask(lambda office: office.challenge(who.id, where, inside=True))
    wrap = stretch(challenge, pin)
    ask(lambda office: office.unlock(token, challenge, wrap, where))


def stretch(challenge: Challenge, pin: str) -> bytes:
    """Slow work, in this request's own thread and not in the station's."""
    with _one_at_a_time:
        return challenge.wrap(pin[:PIN_CHARS_MAX])


def sit(token: str) -> None:
    """The browser keeps this seat. Whatever a cookie held before is gone."""
    session.clear()
    session[SEAT] = token
    session.permanent = True


def is_locked(error: LoaError) -> bool:
    return isinstance(error, NotAllowed) and error.code == "key-locked"
