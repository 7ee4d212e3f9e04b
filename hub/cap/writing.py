"""An order, or the all-clear that ends it, as a CAP 1.2 file: the same bytes for the same event, each time.

The identifier follows from the event's id, so whoever holds the ledger finds the signed event behind a file.
The words are not divided by meaning, which no program knows: the first line is the description, the lines
after it are the instruction.

Bound: pure. What the events mean is `hub.schedules`, which of them a page may hand out is the page's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from hub.cap.mapping import CATEGORY_OF, ENGLISH, GRADES, KIND_CODE, LEVEL_CODE, OTHER, UNIT_CODE
from hub.cap.values import NAMESPACE
from hub.schedules import EMERGENCY_KINDS
from ledger.facts import UTC_OFFSET_S, Cancelled, EmergencyOrdered

IDENTIFIER: Final = "loa."  # and the event's id, 32 hex digits
HEADLINE_CHARS_MAX: Final = 160  # what CAP recommends
_WORDS: Final = dict(EMERGENCY_KINDS)
_DRILL: Final = "DIỄN TẬP"


def identifier(event_id: bytes) -> str:
    return IDENTIFIER + event_id.hex()


def event_id_of(name: str) -> bytes | None:
    """The event that an identifier of ours names; None for any other."""
    digits = name.removeprefix(IDENTIFIER)
    if not name.startswith(IDENTIFIER) or len(digits) != 32 or set(digits) - set("0123456789abcdef"):
        return None
    return bytes.fromhex(digits)


def sender_of(province: str, key_id: bytes) -> str:
    """How this hub calls itself in a file."""
    return f"loa.{province}.{key_id.hex()}"


def when(at_s: int) -> str:
    """UTC s → 2022-11-09T08:00:00+07:00."""
    local = datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s + UTC_OFFSET_S)
    return f"{local:%Y-%m-%dT%H:%M:%S}+07:00"


def alert_of(
    order: EmergencyOrdered, event_id: bytes, *, sender: str, sender_name: str, area: str, english: str = ""
) -> bytes:
    """The order as msgType Alert. area: what people call its territory. english: the same words, if any."""
    lines = [
        *_head(identifier(event_id), sender, order.ts, order.drill, "Alert"),
        *_info(order, "vi-VN", order.text, sender_name, area),
    ]
    if english:
        lines += _info(order, "en-US", english, sender_name, area)
    return _file(lines)


def cancel_of(
    cancel: Cancelled,
    cancel_id: bytes,
    order: EmergencyOrdered,
    order_id: bytes,
    *,
    sender: str,
    sender_name: str,
    area: str,
) -> bytes:
    """The all-clear as msgType Cancel, which names the order's alert."""
    reference = f"{sender},{identifier(order_id)},{when(order.ts)}"
    kind = order.kind if order.kind in CATEGORY_OF else OTHER
    return _file(
        [
            *_head(identifier(cancel_id), sender, cancel.ts, order.drill, "Cancel", reference),
            "  <info>",
            _line(4, "language", "vi-VN"),
            *(_line(4, "category", one) for one in CATEGORY_OF[kind]),
            _line(4, "event", _WORDS[kind]),
            _line(4, "responseType", "AllClear"),
            _line(4, "urgency", "Past"),
            _line(4, "severity", "Minor"),
            _line(4, "certainty", "Observed"),
            *_pair("eventCode", KIND_CODE, kind),
            _line(4, "senderName", sender_name),
            _line(4, "headline", _headline("Báo yên", _WORDS[kind], area, order.drill)),
            _line(4, "description", cancel.reason),
            *_area(area, order.territory),
            "  </info>",
        ]
    )


def _head(name: str, sender: str, at_s: int, drill: bool, msg_type: str, references: str = "") -> list[str]:
    return [
        _line(2, "identifier", name),
        _line(2, "sender", sender),
        _line(2, "sent", when(at_s)),
        _line(2, "status", "Exercise" if drill else "Actual"),
        _line(2, "msgType", msg_type),
        _line(2, "source", "Loa"),
        _line(2, "scope", "Public"),
        *([_line(2, "note", _DRILL)] if drill else []),
        *([_line(2, "references", references)] if references else []),
    ]


def _info(order: EmergencyOrdered, language: str, text: str, sender_name: str, area: str) -> list[str]:
    kind = order.kind if order.kind in CATEGORY_OF else OTHER
    word = _WORDS[kind] if language == "vi-VN" else ENGLISH[kind]
    urgency, severity, certainty = GRADES[order.level]
    description, _, instruction = text.partition("\n")
    return [
        "  <info>",
        _line(4, "language", language),
        *(_line(4, "category", one) for one in CATEGORY_OF[kind]),
        _line(4, "event", word),
        _line(4, "urgency", urgency),
        _line(4, "severity", severity),
        _line(4, "certainty", certainty),
        *_pair("eventCode", KIND_CODE, kind),
        _line(4, "effective", when(order.ts)),
        _line(4, "onset", when(order.not_before)),
        _line(4, "expires", when(order.expires_at)),
        _line(4, "senderName", sender_name),
        _line(4, "headline", _headline(word, "", area, order.drill, english=language != "vi-VN")),
        _line(4, "description", description),
        *([_line(4, "instruction", instruction)] if instruction else []),
        *_pair("parameter", LEVEL_CODE, str(order.level)),
        *_area(area, order.territory),
        "  </info>",
    ]


def _headline(first: str, then: str, area: str, drill: bool, *, english: bool = False) -> str:
    said = f"{first}: {then}, {area}" if then else f"{first}: {area}"
    mark = f"{'DRILL' if english else _DRILL}. " if drill else ""
    whole = mark + said
    return whole if len(whole) <= HEADLINE_CHARS_MAX else whole[: HEADLINE_CHARS_MAX - 1] + "…"


def _area(area: str, unit: str) -> list[str]:
    code = [line.replace("    ", "      ", 1) for line in _pair("geocode", UNIT_CODE, unit)]
    return ["    <area>", _line(6, "areaDesc", area), *code, "    </area>"]


def _pair(name: str, value_name: str, value: str) -> list[str]:
    inner = f"<valueName>{_text(value_name)}</valueName><value>{_text(value)}</value>"
    return [f"    <{name}>{inner}</{name}>"]


def _line(indent: int, name: str, text: str) -> str:
    return f"{' ' * indent}<{name}>{_text(text)}</{name}>"


def _text(text: str) -> str:
    """Escaped. What XML 1.0 cannot hold at all becomes the sign for a letter that is missing."""
    kept = "".join(c if c in "\n\t\r" or _allowed(ord(c)) else "\ufffd" for c in text)
    return escape(kept, quote=False).replace("\r", "&#13;")


def _allowed(point: int) -> bool:
    return 0x20 <= point <= 0xD7FF or 0xE000 <= point <= 0xFFFD or 0x10000 <= point <= 0x10FFFF


def _file(lines: list[str]) -> bytes:
    head = ['<?xml version="1.0" encoding="UTF-8"?>', f'<alert xmlns="{NAMESPACE}">']
    return ("\n".join([*head, *lines, "</alert>"]) + "\n").encode()
