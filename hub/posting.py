"""Letters of the outbox by mail and by webhook: tried until they arrive, and never by whoever does upkeep.

Delivery is at least once: a try that broke off may have arrived, so each letter carries a key that is the
same for every try, as the Message-ID of the mail and in the body and a header of the webhook. Between tries
the wait doubles; after three days a letter is given up, and the page says so.

The settings hold passwords: they are one file of the store, mode 600, written by `loa hub alerts`. Nothing
goes out unencrypted but to this very machine.

Bound: one letter at a time over SMTP or HTTP. What it says is `notices`, what is due `alarms`.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import smtplib
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from hub.alarms import Alarms, Letter
from hub.notices import mail_text
from ledger.log import Store, StoreError, TransportError

SETTINGS_NAME: Final = "alerts.json"
TIMEOUT_S: Final = 15.0  # of one word of the other side
ANSWER_BYTES_MAX: Final = 4_096
FIRST_WAIT_S: Final = 30
LAST_WAIT_S: Final = 3_600
GIVE_UP_S: Final = 3 * 86_400
PAUSE_S: Final = 1.0
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_AUTHENTICATED: Final = 235
SECURITIES: Final = ("starttls", "tls", "none")


@dataclass(frozen=True)
class Mail:
    """security: starttls, tls, or none (this machine only). ca: a file of further roots, "" for none."""

    host: str
    port: int
    security: str
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = ""
    ca: str = ""


@dataclass(frozen=True)
class Hook:
    """secret: of the signature in the header `X-Loa-Signature`."""

    url: str
    secret: str
    ca: str = ""


@dataclass(frozen=True)
class Settings:
    """site: the address of the pages, for links; "" when nobody said."""

    site: str = ""
    mail: Mail | None = None
    hook: Hook | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        return tuple(way for way, one in (("mail", self.mail), ("hook", self.hook)) if one is not None)


def load_settings(store: Store) -> Settings:
    """From the store; nothing set up when there is no file. StoreError("alerts-settings")."""
    data = store.read(SETTINGS_NAME)
    if data is None:
        return Settings()
    try:
        plain = json.loads(data)
        mail, hook = plain["mail"], plain["hook"]
        found = Settings(
            plain["site"],
            None if mail is None else Mail(**(mail | {"to": tuple(mail["to"])})),
            None if hook is None else Hook(**hook),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise _wrong(f"{SETTINGS_NAME} cannot be read: {error}") from error
    check(found)
    return found


def save_settings(store: Store, settings: Settings) -> None:
    """Mode 600. StoreError("alerts-settings") for what would send in the clear."""
    check(settings)
    data = json.dumps(asdict(settings), ensure_ascii=False, indent=2, sort_keys=True)
    store.write(SETTINGS_NAME, data.encode() + b"\n", private=True)


def check(settings: Settings) -> None:
    """StoreError("alerts-settings") when they cannot be used, or would send secrets in the clear."""
    mail, hook = settings.mail, settings.hook
    if mail is not None:
        if mail.security not in SECURITIES or not mail.host or not mail.to or not 0 < mail.port < 65_536:
            raise _wrong("the mail server is not said fully")
        if mail.security == "none" and mail.host not in LOOPBACK:
            raise _wrong("mail without encryption goes to this machine only")
        if any("\n" in one or "\r" in one or "@" not in one for one in (mail.sender, *mail.to)):
            raise _wrong("an address of the mail is none")
    if hook is not None:
        parts = urlsplit(hook.url)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username:
            raise _wrong("the webhook's address is none")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise _wrong("a webhook without encryption goes to this machine only")
        if len(hook.secret) < 16:
            raise _wrong("the webhook's secret is shorter than 16 characters")


class Way(Protocol):
    """Sends one letter once. TransportError when it did not arrive, or nobody knows whether it did."""

    def __call__(self, letter: Letter, now: int) -> None: ...


def by_mail(mail: Mail, *, province: str, site: str) -> Way:
    """Over SMTP, one connection a letter."""

    def send(letter: Letter, now: int) -> None:
        subject, text = mail_text(letter.body, province=province, site=site)
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = mail.sender
        message["To"] = ", ".join(mail.to)
        message["Date"] = formatdate(letter.made_at)
        message["Message-ID"] = f"<{letter.key}@{mail.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            _over_smtp(mail, message)
        except smtplib.SMTPException as error:
            code = getattr(error, "smtp_code", None)
            raise TransportError("mail-refused", f"{type(error).__name__} {code or ''}".strip()) from error
        except (OSError, ssl.SSLError) as error:
            raise TransportError("mail-unreachable", f"{type(error).__name__}: {error}") from error

    return send


def _over_smtp(mail: Mail, message: EmailMessage) -> None:
    trust = ssl.create_default_context(cafile=mail.ca or None)
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=trust)
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    with server:
        if mail.security == "starttls":
            server.starttls(context=trust)
        if mail.user:
            _log_in(server, mail)
        server.send_message(message)


def _log_in(server: smtplib.SMTP, mail: Mail) -> None:
    """smtplib knows ASCII passwords only; PLAIN is UTF-8 (RFC 4616)."""
    if mail.user.isascii() and mail.password.isascii():
        server.login(mail.user, mail.password)
        return
    server.ehlo_or_helo_if_needed()
    said = b"\0".join((b"", mail.user.encode(), mail.password.encode()))
    code, answer = server.docmd("AUTH", f"PLAIN {b64encode(said).decode()}")
    if code != _AUTHENTICATED:
        raise smtplib.SMTPAuthenticationError(code, answer)


def by_hook(hook: Hook) -> Way:
    """One POST of JSON, signed with the secret (docs/spec/webhook.md). Redirections are not followed."""
    parts = urlsplit(hook.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def send(letter: Letter, now: int) -> None:
        body = json.dumps(letter.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "loa-hub",
            "Idempotency-Key": letter.key,
            "X-Loa-Time": str(now),
            "X-Loa-Signature": signature(hook.secret, now, body),
        }
        host = parts.hostname or ""
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=hook.ca or None)
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, parts.port, timeout=TIMEOUT_S, context=trust
            )
        else:
            line = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S)
        try:
            line.request("POST", path, body, headers)
            answer = line.getresponse()
            answer.read(ANSWER_BYTES_MAX)
            if not 200 <= answer.status < 300:
                raise TransportError("hook-refused", f"HTTP {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            raise TransportError("hook-unreachable", f"{type(error).__name__}: {error}") from error
        finally:
            line.close()

    return send


def signature(secret: str, sent_at: int, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA-256 over the time in decimal, a full stop, and the body."""
    made = hmac.new(secret.encode(), f"{sent_at}.".encode() + body, hashlib.sha256)
    return f"sha256={made.hexdigest()}"


class Post:
    """Empties the outbox. ways: how, by name."""

    def __init__(self, alarms: Alarms, ways: dict[str, Way], now: Callable[[], int]) -> None:
        self._alarms = alarms
        self._ways = ways
        self._now = now

    def run_once(self) -> int:
        """Tries what is due; returns how many arrived."""
        arrived = 0
        for letter in self._alarms.due(self._now()):
            way = self._ways.get(letter.way)
            error = "no-such-way"
            if way is not None:
                try:
                    way(letter, self._now())
                    error = ""
                except TransportError as failed:
                    error = f"{failed.code}: {failed.what}"[:200]
            now = self._now()
            next_at: int | None = None
            if not error:
                arrived += 1
            elif now - letter.made_at < GIVE_UP_S:
                next_at = now + min(LAST_WAIT_S, FIRST_WAIT_S << min(letter.tries, 16))
            self._alarms.tried(letter, error=error, next_at=next_at, now=now)
        return arrived

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.wait(PAUSE_S):
            self.run_once()


def post_of(alarms: Alarms, settings: Settings, *, province: str, now: Callable[[], int]) -> Post:
    """The post of a hub with these settings; from now on alerts are put into its outbox."""
    ways: dict[str, Way] = {}
    if settings.mail is not None:
        ways["mail"] = by_mail(settings.mail, province=province, site=settings.site)
    if settings.hook is not None:
        ways["hook"] = by_hook(settings.hook)
    alarms.ways = settings.ways
    return Post(alarms, ways, now)


def _wrong(what: str) -> StoreError:
    return StoreError("alerts-settings", what, hint="`loa hub alerts` says how to set it up")


def shown(settings: Settings) -> dict[str, Any]:
    """The settings without their secrets."""
    plain = asdict(settings)
    for way, secret in (("mail", "password"), ("hook", "secret")):
        if plain[way] is not None:
            plain[way][secret] = "…" if plain[way][secret] else ""
    return plain
