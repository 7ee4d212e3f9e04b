"""The plan as a calendar file (RFC 5545), for the telephones and desk calendars of those who must be there.

A copy, never the plan: it says when it was made and is not followed by what is signed later. Instants are in
UTC, so that no reader needs to know our zone; lines are folded at 75 octets and never inside a character; a
UID names (series, day, place) for ever, so that a second import replaces the first instead of doubling it.

Bound: bytes from values. What is on the plan is the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

LINE_OCTETS_MAX: Final = 75
MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_ESCAPED: Final = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


@dataclass(frozen=True)
class Entry:
    """One occurrence. unit: of the station, or of the territory that was ordered. start_s, signed_s: UTC s.

    gone: it was called off; a reader that imported it earlier takes it away.
    """

    series: int
    day: int
    unit: str
    start_s: int
    length_s: int
    title: str
    place: str
    words: str
    signed_s: int
    gone: bool = False


def calendar_file(entries: Iterable[Entry], *, name: str, host: str) -> bytes:
    """The whole file. name: of the calendar; host: of this hub, the right part of every UID."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Loa//Lich phat//VI",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        "X-WR-TIMEZONE:Asia/Ho_Chi_Minh",
    ]
    for one in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{one.series}-{one.day}-{one.unit}@{host}",
            f"DTSTAMP:{stamp(one.signed_s)}",
            f"DTSTART:{stamp(one.start_s)}",
            f"DURATION:PT{max(1, one.length_s)}S",
            f"SUMMARY:{escaped(one.title)}",
            f"LOCATION:{escaped(one.place)}",
            f"DESCRIPTION:{escaped(one.words)}",
            f"SEQUENCE:{int(one.gone)}",
            f"STATUS:{'CANCELLED' if one.gone else 'CONFIRMED'}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def stamp(utc_s: int) -> str:
    """20221109T100000Z."""
    return datetime.fromtimestamp(utc_s, tz=UTC).strftime("%Y%m%dT%H%M%SZ")


def escaped(text: str) -> str:
    """TEXT as RFC 5545 3.3.11 has it."""
    return text.translate(_ESCAPED)


def folded(line: str) -> bytes:
    """One content line with its CRLF, folded at 75 octets, never inside a character."""
    pieces: list[bytes] = []
    room, piece = LINE_OCTETS_MAX, b""
    for char in line:
        octets = char.encode()
        if len(piece) + len(octets) > room:
            pieces.append(piece)
            room, piece = LINE_OCTETS_MAX - 1, b""  # the space that begins a further line counts
        piece += octets
    pieces.append(piece)
    return b"\r\n ".join(pieces) + b"\r\n"
