"""From what a form says to values, or plain words for each field that says something else.

Only shapes are checked here (a date is a date, a choice is one of the choices); rules are the commands'
business and come back as `NotAllowed`. What was typed is kept and shown again, whatever was wrong. A field
that the page did not offer is refused outright: nobody sets a property through a form that never had it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from flask import abort
from werkzeug.datastructures import MultiDict

from hub.media import Relay
from hub.web.tongue import gettext
from hub.web.words import EPOCH, nfc, number
from ledger.facts import ADDRESS_CHARS_MAX, TITLE_CHARS_MAX, Klass

ALWAYS: Final = frozenset({"csrf_token", "act", "do"})
LINE_CHARS_MAX: Final = 300
TIME: Final = re.compile(r"([01]?\d|2[0-3])[:.hg]([0-5]\d)", re.ASCII)
DMY: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})", re.ASCII)


def day_of(text: str) -> int | None:
    """A local day number from 2022-11-09 (a date field) or 09/11/2022 (typed); None when it is neither."""
    text = text.strip()
    found = DMY.fullmatch(text)
    try:
        when = date(int(found[3]), int(found[2]), int(found[1])) if found else date.fromisoformat(text)
    except ValueError:
        return None
    return (when - EPOCH).days


def minute_of(text: str) -> int | None:
    """A minute of the day from 17:05, 17h05 or 17.05."""
    found = TIME.fullmatch(text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


@dataclass
class Reader:
    """One submitted form. `values`: what was typed, to show again; `errors`: field → sentence."""

    form: MultiDict[str, str]
    known: Collection[str]
    values: dict[str, object] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(self.form) - set(self.known) - ALWAYS:
            abort(400)

    def line(self, name: str, *, chars_max: int = LINE_CHARS_MAX, required: bool = True) -> str:
        """One line of text, NFC, trimmed."""
        return self.text(name, chars_max=chars_max, required=required).replace("\r", " ").replace("\n", " ")

    def text(self, name: str, *, chars_max: int, required: bool = True) -> str:
        """Text with its line breaks as \\n."""
        raw = nfc(self.form.get(name, "")).replace("\r\n", "\n").replace("\r", "\n").strip()
        self.values[name] = raw
        if required and not raw:
            self.errors[name] = gettext("Cần có chữ ở đây.")
        elif len(raw) > chars_max:
            self.errors[name] = gettext(
                "Dài %(have)s ký tự, chỉ được %(most)s; hãy rút gọn.",
                have=number(len(raw)),
                most=number(chars_max),
            )
        return raw

    def secret(self, name: str) -> str:
        """A password: taken as typed, never kept for showing again."""
        raw = self.form.get(name, "")
        if not raw:
            self.errors[name] = gettext("Hãy nhập mật khẩu của bạn.")
        return raw

    def choice(self, name: str, options: Collection[str]) -> str:
        raw = self.form.get(name, "")
        self.values[name] = raw
        if raw not in options:
            self.errors[name] = gettext("Hãy chọn một mục trong danh sách.")
        return raw

    def choices(self, name: str, options: Collection[str]) -> list[str]:
        raw = self.form.getlist(name)
        self.values[name] = raw
        if not raw or set(raw) - set(options):
            self.errors[name] = gettext("Hãy chọn ít nhất một mục.")
        return raw

    def whole(self, name: str, least: int, most: int) -> int:
        raw = self.form.get(name, "").strip()
        self.values[name] = raw
        if not (raw.isascii() and raw.isdigit() and least <= int(raw[:9]) <= most):
            self.errors[name] = gettext("Hãy nhập một số từ %(least)d đến %(most)d.", least=least, most=most)
            return least
        return int(raw)

    def day(self, name: str) -> int:
        """A local day number; the typed text stays in `values`."""
        raw = self.form.get(name, "")
        self.values[name] = raw
        found = day_of(raw)
        if found is None or found < 0:
            self.errors[name] = gettext("Hãy nhập ngày dạng 09/11/2022.")
            return 0
        return found

    def minute(self, name: str) -> int:
        raw = self.form.get(name, "")
        self.values[name] = raw
        found = minute_of(raw)
        if found is None:
            self.errors[name] = gettext("Hãy nhập giờ dạng 17:05, từ 00:00 đến 23:59.")
            return 0
        return found


@dataclass(frozen=True)
class BulletinIn:
    """What an editor filled in. Days are local day numbers."""

    title: str
    category: str
    klass: int
    territory: str
    valid_from_day: int
    valid_until_day: int
    text: str
    relay: Relay | None


BULLETIN_FIELDS: Final = (
    "title",
    "category",
    "klass",
    "territory",
    "from",
    "until",
    "text",
    "version",
    "keep_audio",
    "stream",
    "minutes",
)
RELAY: Final = str(int(Klass.RELAY))
RELAY_MINUTES_MAX: Final = 240


def bulletin(
    reader: Reader, *, categories: Collection[str], territories: Collection[str], chars_max: int
) -> BulletinIn:
    """The compose form."""
    klass = reader.choice("klass", ("2", "3", RELAY))
    filled = BulletinIn(
        title=reader.line("title", chars_max=TITLE_CHARS_MAX),
        category=reader.choice("category", categories),
        klass=int(klass) if klass in ("2", "3", RELAY) else 2,
        territory=reader.choice("territory", territories),
        valid_from_day=reader.day("from"),
        valid_until_day=reader.day("until"),
        text=reader.text("text", chars_max=chars_max),
        relay=_relay(reader, klass == RELAY),
    )
    if not {"from", "until"} & set(reader.errors) and filled.valid_until_day < filled.valid_from_day:
        reader.errors["until"] = gettext("Ngày hết hiệu lực phải sau hoặc bằng ngày bắt đầu.")
    return filled


def _relay(reader: Reader, wanted: bool) -> Relay | None:
    """The address and the length of a relay. A bulletin of another class has neither."""
    address = reader.line("stream", chars_max=ADDRESS_CHARS_MAX, required=wanted)
    reader.values["minutes"] = reader.form.get("minutes", "")
    if not wanted:
        if address:
            reader.errors["stream"] = gettext("Có địa chỉ tiếp sóng thì loại bản tin phải là tiếp sóng.")
        return None
    minutes = reader.whole("minutes", 1, RELAY_MINUTES_MAX)
    return Relay(address, minutes * 60_000)


def weekday_of(day: int) -> int:
    """0 = Monday; 1 January 1970 was a Thursday."""
    return (day + 3) % 7


@dataclass(frozen=True)
class EmergencyIn:
    """An order before it is signed. `hours`: until it expires."""

    kind: str
    level: int
    drill: bool
    text: str
    territory: str
    hours: int


EMERGENCY_FIELDS: Final = (
    "kind", "level", "mode", "text", "territory", "hours", "word", "password", "second"
)  # fmt: skip
EXPIRY_HOURS_DEFAULT: Final = 2
EXPIRY_HOURS_MAX: Final = 24


def emergency(
    reader: Reader, *, kinds: Collection[str], territories: Collection[str], chars_max: int
) -> EmergencyIn:
    """The emergency form, first step: everything but the confirmation."""
    level = reader.choice("level", ("1", "2", "3"))
    return EmergencyIn(
        kind=reader.choice("kind", kinds),
        level=int(level) if level in ("1", "2", "3") else 1,
        drill=reader.choice("mode", ("drill", "real")) == "drill",
        text=reader.text("text", chars_max=chars_max),
        territory=reader.choice("territory", territories),
        hours=reader.whole("hours", 1, EXPIRY_HOURS_MAX),
    )
