"""The page's application: one Flask application for one station, served on the commune's own network.

Shut by default: a view is for people who are signed in unless it says otherwise, and every unsafe request
proves that it comes from this page. Nothing comes from anywhere else (`default-src 'self'`); everything works
without JavaScript. What is drawn anew at every start (the cookie's secret, the seats) signs everybody out.

Screens are modules of this folder, in the order of the menu; what a screen gives is told in `parts`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from flask import Flask, current_app, g, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ledger.log import LoaError
from node.page import phrases
from node.page.hatch import Ask
from node.page.office import Office, Person
from node.page.phrases import Words
from node.presence import Moment
from node.web import parts
from node.web.parts import ask, back, is_from_here, lang, t

# In the order of the menu: Hôm nay phát gì · Đề nghị · Bản tin của xã · Duyệt · Tài liệu · Phản ánh · USB ·
# Tình trạng · Bảng tin · Xác nhận phát · Người dùng · Nhật ký.
SCREENS: Final = (
    "today",
    "offers",
    "arrange",
    "bulletins",
    "approvals",
    "library",
    "feedback",
    "usb",
    "status",
    "board",
    "attest",
    "people",
    "journal",
    "login",
)

COOKIE: Final = "loa_page"
SESSION_S: Final = 12 * 3_600
FORM_BYTES_MAX: Final = 24 << 20  # a recording of half an hour, or a leaflet
FORM_FIELD_BYTES_MAX: Final = 256 * 1024
FORM_PARTS_MAX: Final = 200
STATIC_AGE_S: Final = 30 * 86_400  # named with their hash
CSP: Final = "; ".join(
    (
        "default-src 'self'", "img-src 'self' data: blob:", "media-src 'self' blob:", "object-src 'none'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip


def create_app(ask: Ask, *, entropy: Callable[[int], bytes], name: str, unit: str) -> Flask:
    """ask: how the page asks its station. name, unit: the station's."""
    app = Flask("node.web", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=entropy(32),
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_S,
        MAX_CONTENT_LENGTH=FORM_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_FIELD_BYTES_MAX,
        MAX_FORM_PARTS=FORM_PARTS_MAX,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_AGE_S,
    )
    app.extensions["loa_ask"] = ask
    app.extensions["loa_entropy"] = entropy
    app.extensions["loa_refusals"] = {}
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    screens = [import_module(f"node.web.{screen}") for screen in SCREENS]
    for screen in screens:
        app.register_blueprint(screen.PAGE)
        app.extensions["loa_refusals"][screen.PAGE.name] = getattr(screen, "REFUSALS", {})
    _words_for_templates(app, screens, name, unit)
    app.before_request(_wall)
    app.after_request(_harden)
    app.register_error_handler(HTTPException, _say_http)
    app.register_error_handler(LoaError, _say_refusal)
    return app


# -- before a view -------------------------------------------------------------------------------------------


def _wall() -> ResponseReturnValue | None:
    g.person = None
    if request.endpoint == "static":
        return None
    token = session.get(parts.SEAT)
    if isinstance(token, str):
        g.person, g.moment = ask(lambda office: (office.person(token), office.now()))
    if request.method not in ("GET", "HEAD", "OPTIONS") and not is_from_here():
        return page_of(
            400,
            Words("Trang đã để quá lâu", "The page was open for too long"),
            Words(
                "Mẫu này thuộc về một phiên đã kết thúc. Chưa có gì được làm. Hãy mở lại trang, gửi lại.",
                "This form belongs to a session that ended. Nothing was done. Open the page again.",
            ),
        )
    view = None if request.endpoint is None else current_app.view_functions.get(request.endpoint)
    if g.person is None and view is not None and not getattr(view, "is_public", False):
        to = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return back("login.page", tiep=to)
    if g.person is not None and parts.PIN_FIELD in request.form and request.form[parts.PIN_FIELD]:
        try:
            parts.unlock(request.form[parts.PIN_FIELD])
        except LoaError as error:
            return _ask_for_pin(parts.refusal(error))
        again = cast(str, session[parts.SEAT])
        g.person = ask(lambda office: office.person(again))
    return None


def _harden(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


# -- templates -----------------------------------------------------------------------------------------------


def _words_for_templates(app: Flask, screens: list[ModuleType], name: str, unit: str) -> None:
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        for path in Path(app.static_folder or "").iterdir()
    }
    menu = [
        (f"{screen.PAGE.name}.page", screen.MENU, getattr(screen, "waiting", None))
        for screen in screens
        if getattr(screen, "MENU", None) is not None
    ]

    def asset(file: str) -> str:
        return url_for("static", filename=file, v=digests[file])

    app.jinja_env.globals.update(
        t=t, lang=lang, csrf_token=parts.csrf, asset=asset, station_name=name, station_unit=unit,
        clock=phrases.clock, stamp=phrases.stamp, date=phrases.date, weekday=phrases.weekday,
        span=phrases.span, pin_field_name=parts.PIN_FIELD,
    )  # fmt: skip

    def numbers(office: Office, who: Person) -> tuple[Moment, list[int]]:
        return office.now(), [0 if count is None else count(office, who) for _, _, count in menu]

    @app.context_processor
    def frame() -> dict[str, Any]:
        who = parts.person_or_none()
        if who is None:
            return {"person": None, "menu": [], "now": None, "here": "/"}
        moment: Moment | None
        try:
            moment, counts = ask(lambda office: numbers(office, who))
        except LoaError:  # an error page about a station that does not answer must not ask it again
            moment, counts = None, [0] * len(menu)
        rows = [(endpoint, words, n) for (endpoint, words, _), n in zip(menu, counts, strict=True)]
        return {
            "person": who,
            "menu": rows,
            "now": moment,
            "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
        }


# -- what went wrong -----------------------------------------------------------------------------------------


def page_of(status: int, title: Words, text: Words) -> ResponseReturnValue:
    """A page that says what happened, what was not done, and one way on."""
    return render_template("error.html", title=t(title), text=t(text)), status


def _ask_for_pin(problem: str) -> ResponseReturnValue:
    """Shows the form that could not be signed once more, as one field for the PIN."""
    left_out = {parts.CSRF, parts.PIN_FIELD}
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in left_out]
    with_files = any(file.filename for file in request.files.values())
    path = request.full_path.rstrip("?")
    return render_template("pin.html", fields=fields, path=path, problem=problem, with_files=with_files), 403


def _say_refusal(error: LoaError) -> ResponseReturnValue:
    if parts.is_locked(error) and request.method == "POST":
        return _ask_for_pin("")
    if error.code == "logged-out":
        return back("login.page")
    return page_of(error.status, Words("Không làm được", "Not done"), parts.refusal_words(error))


def _say_http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    title, text = _HTTP.get(status, _HTTP[500])
    return page_of(status, title, text)


_HTTP: Final = {
    400: (
        Words("Yêu cầu không đọc được", "Not understood"),
        Words("Trình duyệt gửi điều trạm không hiểu. Chưa có gì được làm.", "Nothing was done."),
    ),
    401: (
        Words("Chưa đăng nhập", "Not signed in"),
        Words("Phiên đã kết thúc. Chưa có gì được làm.", "The session ended. Nothing was done."),
    ),
    404: (
        Words("Không có trang này", "No such page"),
        Words("Địa chỉ sai, hoặc mục này không còn.", "The address is wrong, or what was there is gone."),
    ),
    405: (
        Words("Không làm theo cách này được", "Not in this way"),
        Words("Hãy dùng nút trên trang.", "Use the buttons of the page."),
    ),
    413: (
        Words("Tệp quá lớn", "The file is too large"),
        Words(
            "Tệp vượt 24 MB. Chưa có gì được lưu. Hãy chọn tệp nhỏ hơn.",
            "The file is larger than 24 MB. Nothing was stored. Choose a smaller one.",
        ),
    ),
    500: (
        Words("Trang gặp lỗi", "The page failed"),
        Words(
            "Việc này chưa làm xong. Loa vẫn phát như thường. Hãy thử lại; nếu vẫn lỗi, báo kỹ thuật.",
            "This was not done. The loudspeaker goes on. Try again; tell the technician if it stays.",
        ),
    ),
}
