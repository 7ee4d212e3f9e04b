"""Who did what here, and when: what people signed, from the signed log; who came and failed, from the audit.

The first cannot be changed by anybody without it being seen; the second is this box's own note. Both are
shown in one list, newest first, and each line says which it is.

Bound: reads, and a bounded number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ledger.facts import (
    Approved,
    Attested,
    Cancelled,
    Decision,
    DirectiveRead,
    Drafted,
    FeedbackAnswered,
    OfferAnswered,
    ProgrammeArranged,
    Returned,
    Scheduled,
    Submitted,
    read,
)
from node.page.office import CONSOLE, Office
from node.page.people import Note
from node.page.phrases import Words

LINES_MAX: Final = 200
LOGS_MAX: Final = 40  # of one key; a station opens one at every start in which its owner signs
SEGMENTS_MAX: Final = 100  # of one log

_DEEDS: Final[dict[type[Any], Words]] = {
    OfferAnswered: Words("trả lời đề nghị", "answered an offer"),
    ProgrammeArranged: Words("xếp thứ tự phát", "arranged the programme"),
    Drafted: Words("soạn bản tin", "wrote a bulletin"),
    Submitted: Words("gửi duyệt", "submitted a bulletin"),
    Returned: Words("trả lại bản tin", "returned a bulletin"),
    Approved: Words("duyệt bản tin", "approved a bulletin"),
    Scheduled: Words("xếp lịch phát", "scheduled a bulletin"),
    Cancelled: Words("thu hồi", "withdrew"),
    Attested: Words("xác nhận kết quả phát", "attested a broadcast"),
    FeedbackAnswered: Words("trả lời phản ánh", "answered feedback"),
    DirectiveRead: Words("đã đọc văn bản", "read a document"),
}
_SIGNED: Final = Words("đã ký", "signed")
_ACTS: Final = {
    "login": Words("đăng nhập", "signed in"),
    "login-failed": Words("nhập sai mã PIN", "wrong PIN"),
    "unlock": Words("mở khóa ký", "opened the key"),
    "unlock-failed": Words("nhập sai mã PIN khi ký", "wrong PIN while signing"),
    "logout": Words("đăng xuất", "signed out"),
    "pin-changed": Words("đổi mã PIN", "changed the PIN"),
    "code-made": Words("cấp mã dùng một lần cho", "made a one-time code for"),
    "code-used": Words("dùng mã một lần, tạo khóa mới", "used the one-time code, made a key"),
    "code-failed": Words("nhập sai mã dùng một lần", "wrong one-time code"),
    "person-added": Words("thêm người", "entered somebody:"),
    "person-off": Words("tắt", "turned off"),
    "person-on": Words("bật lại", "turned on"),
    "time-yes": Words("xác nhận giờ đúng", "said that the time is right"),
    "time-no": Words("báo giờ sai", "said that the time is wrong"),
    "time-open": Words("xác nhận giờ, nhưng đồng hồ vừa đổi", "confirmed the time; the clock had changed"),
    "stick-in": Words("nhận tệp USB", "took in a stick"),
    "stick-out": Words("lấy tệp USB", "took the file for a stick"),
}
_WARN: Final = frozenset({"login-failed", "unlock-failed", "code-failed", "time-no"})


@dataclass(frozen=True)
class Entry:
    """One line. signed: it stands in the signed log; counts: it has effect. sure: the clock was trusted."""

    at_s: int
    who: str
    what: Words
    detail: str
    address: str
    signed: bool
    counts: bool = True
    sure: bool = True
    warns: bool = False


def entries(office: Office) -> list[Entry]:
    """Newest first, at most LINES_MAX."""
    names = {row.id: row.name for row in office.people.rows()}
    found = [*_signed(office, names), *(_noted(note, names) for note in office.people.notes(LINES_MAX))]
    return sorted(found, key=lambda one: -one.at_s)[:LINES_MAX]


def _noted(note: Note, names: dict[int, str]) -> Entry:
    who = names.get(note.person, "")
    what = _ACTS.get(note.act, Words(note.act, note.act))
    address = "" if note.address == CONSOLE else note.address
    if note.address == CONSOLE and not who:
        who = CONSOLE
    return Entry(
        note.at_s, who, what, note.detail, address, False, sure=note.sure, warns=note.act in _WARN
    )  # fmt: skip


def _signed(office: Office, names: dict[int, str]) -> Iterator[Entry]:
    ledger, facts = office.station.ledger, office.station.facts
    for key_id, person in office.people.every_key():
        heads = list(ledger.frontier(key_id).values())[-LOGS_MAX:]
        for head in heads:
            for stored in ledger.segments_of(head.log, max(0, head.next_seq - SEGMENTS_MAX)):
                for signed in read(stored):
                    fact = signed.fact
                    if isinstance(fact, Decision):
                        counts = facts.refusal_of(signed) is None
                        deed, who = _DEEDS.get(type(fact), _SIGNED), names.get(person, "")
                        yield Entry(fact.ts, who, deed, _detail(fact), "", True, counts)


def _detail(fact: Any) -> str:
    """A word on what it was about."""
    for name in ("title", "reason", "text", "said_by"):
        text = getattr(fact, name, None)
        if isinstance(text, str) and text:
            return text[:100]
    return ""
