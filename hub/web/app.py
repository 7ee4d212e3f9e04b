"""The application factory: one Flask application for one hub, with the operators' pages and the signed sync
API.

Nothing is read from the environment and nothing is written to disk here. What a browser gets is shut by
default (`auth.wall`), what a machine gets is a function of signed bytes (`sync_api`). Every LoaError that
escapes a page becomes a plain page in the reader's language, never a traceback.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Request, g, render_template, request, url_for
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from hub.beginnings import Beginnings
from hub.web import acts, auth, names, roll_words, security, strip, words
from hub.web.pages import BLUEPRINTS, spoken
from hub.web.refusals import MISSING, say
from hub.web.slim import slim
from hub.web.sounds import LEVEL, Level
from hub.web.sync_api import machine, refused_http
from hub.web.tongue import gettext
from ledger.facts import local_day
from ledger.log import LoaError
from ledger.spoken import read_aloud

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from hub.hub import Hub

SECRET_BYTES: Final = 32
SESSION_S: Final = 12 * 3600  # the cookie's life; accounts end idle sessions earlier
FORM_FIELD_BYTES_MAX: Final = 256 * 1024  # text fields of one form together
FORM_PARTS_MAX: Final = 64
FORM_SLACK_BYTES: Final = 512 * 1024  # what a form may hold beside its audio file
STATIC_AGE_S: Final = 30 * 86400  # static files are named with their hash, so they may be kept

class NoMachineSession(SecureCookieSessionInterface):
    """Sessions for people only: a signed /v1/ request neither reads nor sets a cookie, nor gains `Vary:
    Cookie`.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(security.MACHINE):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: BaseResponse) -> None:
        if not request.path.startswith(security.MACHINE):
            super().save_session(app, session, response)  # type: ignore[arg-type]


def create_app(
    hub: Hub,
    *,
    ticks: Callable[[], float] | None = None,
    secure: bool = False,
    hosts: Sequence[str] = (),
    level: Level | None = None,
    voice: spoken.Say | None = None,
) -> Flask:
    """The web application of `hub`. `ticks`: seconds of a steady clock for session limits (default: the
    hub's clock).

    `secure`: behind TLS (`__Host-` cookie, HSTS). `hosts`: names it answers to; empty = any.
    `level`: makes recordings equally loud; None keeps them as they were handed in, and says so.
    `voice`: reads words out, to be heard before they are sent on; None: nobody can listen, and pages say so.
    """
    app = Flask("hub.web", root_path=str(Path(__file__).parent))
    app.config.update(
        SECRET_KEY=hub_secret(hub),
        SESSION_COOKIE_NAME="__Host-loa" if secure else "loa",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_S,
        MAX_CONTENT_LENGTH=hub.config.audio_bytes_max + FORM_SLACK_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_FIELD_BYTES_MAX,
        MAX_FORM_PARTS=FORM_PARTS_MAX,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_AGE_S,
        WTF_CSRF_TIME_LIMIT=None,  # a draft may take an afternoon; the token lives as long as the session
        BABEL_DEFAULT_LOCALE="vi",
        TRUSTED_HOSTS=list(hosts) or None,
    )
    app.session_interface = NoMachineSession()
    if secure:
        app.wsgi_app = reached_by_https(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions["loa_hub"] = hub
    app.extensions["loa_acts"] = acts.Acts()
    app.extensions[LEVEL] = level
    spoken.install(app, voice)
    app.extensions["loa_ticks"] = ticks if ticks is not None else hub.now
    app.extensions["loa_beginnings"] = Beginnings(app.extensions["loa_ticks"], hub.is_station)

    app.before_request(security.refuse_foreign_posts)
    csrf = CSRFProtect(app)
    csrf.exempt(machine)
    Babel(app, default_locale="vi", locale_selector=auth.pick_language)
    auth.install(app)
    app.register_blueprint(machine)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    words_for_templates(app)
    app.after_request(lambda response: security.harden(response, secure=secure))
    app.after_request(slim)
    app.register_error_handler(HTTPException, say_http)
    app.register_error_handler(CSRFError, say_csrf)
    app.register_error_handler(LoaError, say_refusal)
    return app


def reached_by_https(inner: WSGIApplication) -> WSGIApplication:
    """Behind a proxy that ends TLS the request arrives as http; people's addresses and origins say https."""

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = "https"
        return inner(environ, start_response)

    return outer


def hub_secret(hub: Hub) -> bytes:
    """The cookie secret: drawn per process from the hub's entropy, so that a restart ends every session."""
    return hub.entropy(SECRET_BYTES)


def words_for_templates(app: Flask) -> None:
    """Give every template the words, the names, and the few facts of the frame."""
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:8]
        for path in Path(app.static_folder or "").iterdir()
    }

    def asset(name: str) -> str:
        return url_for("static", filename=name, v=digests[name])

    app.jinja_env.globals.update(
        words.WORDS, asset=asset, ticket=acts.ticket, read_aloud=read_aloud, **names.NAMES
    )
    app.jinja_env.globals.update(strip.STRIP, **roll_words.WORDS)

    @app.context_processor
    def frame() -> dict[str, Any]:
        now = auth.now()
        return {
            "now": now,
            "today": local_day(now),
            "officer": auth.officer_or_none(),
            "place_name": auth.the_hub().config.name,
            "here": request.full_path.rstrip("?") if request.method == "GET" else "/",
            "errors": {},
        }


def page_of(status: int, title: str, text: str, hint: str = "") -> ResponseReturnValue:
    """An error page: what happened, what was not done, one way on."""
    return render_template("error.html", status=status, title=title, text=text, hint=hint), status


def say_csrf(_error: CSRFError) -> ResponseReturnValue:
    return page_of(
        400,
        gettext("Trang đã để quá lâu"),
        gettext("Mẫu này thuộc về một phiên đã kết thúc, hoặc không do trang này gửi. Chưa có gì được làm."),
        gettext("Quay lại, tải lại trang rồi gửi lần nữa."),
    )


def say_http(error: HTTPException) -> ResponseReturnValue:
    """Every other HTTP refusal. Machine routes answer for themselves (`sync_api`), this one is for people."""
    if error.response is not None:
        return error.response
    status = error.code or 500
    if request.path.startswith(security.MACHINE):  # a path or method that no machine route has
        return refused_http(error)
    title, text = {
        400: (
            gettext("Yêu cầu không đọc được"),
            gettext("Trình duyệt gửi một yêu cầu mà hệ thống không hiểu. Chưa có gì được làm."),
        ),
        401: (gettext("Chưa đăng nhập"), gettext("Phiên làm việc đã kết thúc. Chưa có gì được làm.")),
        403: (gettext("Không được phép"), names.why_not(getattr(g, "needed_roles", ()))),
        404: (
            gettext("Không có trang này"),
            gettext("Địa chỉ sai, hoặc mục này không thuộc địa bàn của bạn."),
        ),
        405: (gettext("Không làm theo cách này được"), gettext("Hãy dùng nút trên trang.")),
        413: (
            gettext("Tệp quá lớn"),
            gettext(
                "Tệp hoặc văn bản gửi lên vượt giới hạn (tệp âm thanh: %(size)s). Chưa có gì được lưu. "
                "Quay lại, chọn tệp nhỏ hơn rồi gửi lại.",
                size=words.size(auth.the_hub().config.audio_bytes_max),
            ),
        ),
    }.get(status, (gettext("Hệ thống gặp lỗi"), gettext("Việc này chưa làm xong. Hãy thử lại sau ít phút.")))
    return page_of(status, title, text)


def say_refusal(error: LoaError) -> ResponseReturnValue:
    """A rule's refusal that no form caught."""
    status = 404 if error.code in MISSING else error.status
    return page_of(status, gettext("Không làm được"), say(error))
