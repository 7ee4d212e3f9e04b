"""Who is at the desk: signing in and out, the session, and proving the password again before a decision.

The cookie holds a signed random token and nothing else; what it stands for lives in `hub.accounts`, which
forgets a session that is idle, too old, or whose account was disabled. The cookie's own signing secret is
drawn anew by every process, so a restart of the hub signs everybody out. There is no "remember me": the
session opens an officer's signing key. Session limits run on `ticks` (a steady clock), not on the hub's
clock, which a demonstration speeds up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user, login_user, logout_user

from hub.web.refusals import say
from hub.web.tongue import gettext
from ledger.facts import covers
from ledger.log import NotAllowed

if TYPE_CHECKING:
    from hub.accounts import Officer
    from hub.hub import Hub

LANGUAGES: Final = ("vi", "en")
LANG_COOKIE: Final = "loa_lang"
LANG_COOKIE_S: Final = 365 * 86400
ACCOUNT_CHARS_MAX: Final = 64
PASSWORD_CHARS_MAX: Final = (
    256  # argon2 hashes what it is given; a megabyte of password is an attack, not a password
)
PUBLIC: Final = frozenset({"static", "auth.login", "auth.language", "machine.health"})

# What a page asks for by itself. It keeps no session alive and makes nobody look present.
BY_ITSELF: Final = frozenset({"emergency.live", "second.live", "second.strip_bar", "second.frame"})
REFRESHED: Final = "tu-dong"  # the argument of an address that a page without scripts goes to by itself
AT_WORK_S: Final = 300  # who did something within five minutes sits at the desk

auth = Blueprint("auth", __name__)


class Desk:
    """One signed-in officer at one browser, in the shape Flask-Login asks for."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, token: str, officer: Officer) -> None:
        self.token = token
        self.officer = officer

    def get_id(self) -> str:
        return self.token


def the_hub() -> Hub:
    """The one hub this application was made for."""
    return cast("Hub", current_app.extensions["loa_hub"])


def now() -> int:
    """One instant per request (UTC seconds), so that a page never contradicts itself."""
    if "now" not in g:
        g.now = the_hub().now()
    return cast(int, g.now)


def ticks() -> int:
    """Seconds of the steady clock that session limits run on."""
    return int(cast(Callable[[], float], current_app.extensions["loa_ticks"])())


def officer_or_none() -> Officer | None:
    """The officer at this desk; None on the sign-in page and on machine routes."""
    return current_user.officer if current_user and current_user.is_authenticated else None


def officer() -> Officer:
    """The officer at this desk. 401 when there is none (the wall before every page makes that rare)."""
    found = officer_or_none()
    if found is None:
        abort(401)
    return found


def needs(*roles: str) -> Officer:
    """The officer, whose role must be one of these; otherwise 403 and a page that says whose act it is."""
    found = officer()
    if found.role not in roles:
        g.needed_roles = roles
        abort(403)
    return found


def in_sight(territory: str) -> bool:
    """An officer sees what lies in their territory and what their superiors send into it."""
    own = officer().territory
    return covers(own, territory) or covers(territory, own)


def at_work() -> frozenset[str]:
    """The accounts whose people did something here within the last minutes."""
    return the_hub().accounts.at_work(now=ticks(), within_s=AT_WORK_S)


def prove_again(password: str) -> Officer:
    """The same officer, the password proven at this instant. NotAllowed: wrong-password, login-delayed."""
    hub = the_hub()
    proven = hub.accounts.prove(officer(), password[:PASSWORD_CHARS_MAX], now=now())
    hub.accounts.note_proof(current_user.token, now=now())
    return proven


def local_path(target: str) -> str:
    """`target` if it is a path on this site, else the first page: no open redirect through a sign-in link."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain else url_for("today.page")


@auth.get("/dang-nhap")
def login() -> ResponseReturnValue:
    if officer_or_none() is not None:
        return redirect(url_for("today.page"))
    return render_template("login.html", values={"account": ""}, errors={}, to=request.args.get("tiep", "/"))


@auth.post("/dang-nhap")
def login_post() -> ResponseReturnValue:
    hub = the_hub()
    account = request.form.get("account", "").strip()[:ACCOUNT_CHARS_MAX]
    password = request.form.get("password", "")[:PASSWORD_CHARS_MAX]
    to = local_path(request.form.get("to", "/"))
    problem, status = gettext("Tên đăng nhập hoặc mật khẩu không đúng."), 401
    try:
        found = hub.accounts.login(account, password, now=now())
    except NotAllowed as refusal:
        found, problem, status = None, say(refusal), 429
    if found is None:
        return render_template(
            "login.html", values={"account": account}, errors={"account": problem}, to=to
        ), status
    token = hub.accounts.start_session(found, now=ticks())
    session.clear()  # a planted cookie keeps nothing: new token, new CSRF secret
    session.permanent = True
    login_user(Desk(token, found))
    return redirect(to, code=303)


@auth.post("/dang-xuat")
def logout() -> ResponseReturnValue:
    if officer_or_none() is not None:
        the_hub().accounts.end_session(current_user.token)
    logout_user()
    session.clear()
    flash(gettext("Đã đăng xuất. Khóa ký của bạn đã được khóa lại."), "ok")
    return redirect(url_for("auth.login"), code=303)


@auth.post("/ngon-ngu")
def language() -> ResponseReturnValue:
    chosen = request.form.get("lang", "")
    if chosen not in LANGUAGES:
        abort(400)
    answer = cast(Response, redirect(local_path(request.form.get("to", "/")), code=303))
    answer.set_cookie(
        LANG_COOKIE,
        chosen,
        max_age=LANG_COOKIE_S,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
    return answer


def pick_language() -> str:
    """Vietnamese unless the reader switched, whatever the browser asks for."""
    chosen = request.cookies.get(LANG_COOKIE, "vi")
    return chosen if chosen in LANGUAGES else "vi"


def wall() -> ResponseReturnValue | None:
    """before_request: every route is shut unless it is listed as public or signed (/v1/*). Default deny."""
    endpoint = request.endpoint
    if (
        endpoint is None
        or endpoint in PUBLIC
        or endpoint == "auth.login_post"
        or request.blueprint == "machine"
    ):
        return None
    if officer_or_none() is not None:
        return None
    if request.method not in ("GET", "HEAD"):
        abort(401)
    return redirect(url_for("auth.login", tiep=request.full_path.rstrip("?")))


def install(app: Flask) -> None:
    """Give the application its sign-in."""
    manager = LoginManager(app)
    # Flask-Login's own protection ties a session to an address; offices behind 4G change theirs hourly. What
    # guards decisions is the password asked again.
    manager.session_protection = None

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> Desk | None:
        by_itself = request.endpoint in BY_ITSELF or REFRESHED in request.args
        found = the_hub().accounts.session(token, now=ticks(), seen=not by_itself)
        return Desk(token, found) if found is not None else None

    app.register_blueprint(auth)
    app.before_request(wall)
