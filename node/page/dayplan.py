"""What plays on a day here and why, line by line: for a person, and to be read aloud.

For what began or ended the station's own rows speak; for what is to come the same `explain` that the hub
asks. A line never says "will play" of a slot that another one keeps silent.

Bound: reads. Answers to offers and their order are `offers`; what sounds is `onair`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.facts import (
    DECIDES,
    Approved,
    Detail,
    Explanation,
    Klass,
    Outcome,
    Slot,
    Standing,
    Verdict,
    answers_to,
    at,
    explain,
    iso,
    order_of,
    slots,
    verdict,
)
from node.page.office import Office
from node.page.phrases import Words, clock, date, span, weekday
from node.plays import DONE, HELD, STARTED, PlayRow

CLASSES: Final = {
    Klass.FILLER: Words("chương trình lấp chỗ", "filler"),
    Klass.RELAY: Words("tiếp sóng", "relay"),
    Klass.NORMAL: Words("thông thường (đề nghị)", "normal (an offer)"),
    Klass.PRIORITY: Words("ưu tiên", "priority"),
    Klass.EMERGENCY: Words("khẩn cấp", "emergency"),
}
_LOOKS: Final = {
    Outcome.PLAYED: ("ok", "ok"), Outcome.PLAYED_LATE: ("ok", "ok"), Outcome.PARTIAL: ("part", "warn"),
    Outcome.INTERRUPTED: ("cut", "warn"), Outcome.SUPPRESSED: ("gone", "mute"),
    Outcome.MISSED: ("bad", "bad"),
    Outcome.DECLINED: ("gone", "mute"), Outcome.WITHDRAWN: ("gone", "mute"), Outcome.SILENT: ("quiet", "bad"),
    Outcome.UNKNOWN: ("unknown", "mute"),
}  # fmt: skip
_QUIETLY: Final = 60.0  # this long after its window a slot without a row is "not known", not "soon"


@dataclass(frozen=True)
class Line:
    """One slot. state: what became or will become of it; look: icon and class; why: in words, may be empty.

    live: it sounds, or is about to. to_play: nothing known here keeps it from playing.
    """

    slot: Slot
    state: Words
    look: tuple[str, str]
    why: Words
    live: bool = False
    to_play: bool = False

    @property
    def title(self) -> str:
        return self.slot.title or self.slot.text or f"#{self.slot.series}"

    @property
    def klass(self) -> Words:
        return CLASSES.get(Klass(self.slot.klass), Words("", ""))


def lines_of(office: Office, day: int) -> list[Line]:
    """Every slot of a local day, by its start."""
    station = office.station
    found = slots(station.facts, office.unit, at(day), at(day + 1))
    return [_line(office, slot) for slot in sorted(found, key=lambda one: (one.start_s, -one.klass))]


def slot_of(office: Office, series: int, day: int) -> Slot | None:
    """The slot of this name, wherever on the neighbouring days it was moved to."""
    found = slots(office.station.facts, office.unit, at(day - 1), at(day + 2))
    return next((slot for slot in found if slot.key == (series, day)), None)


def line_of(office: Office, slot: Slot) -> Line:
    return _line(office, slot)


def why(office: Office, slot: Slot) -> Explanation:
    """Winner and losers at the slot's start."""
    return explain(office.station.facts, office.unit, slot.start_s)


def approvals_of(office: Office, slot: Slot) -> list[Standing[Approved]]:
    """Who approved what it plays."""
    if slot.bulletin is None:
        return []
    known = office.station.facts.approvals.get(slot.bulletin, ())
    return [one for one in known if one.fact.manifest == slot.manifest]


def signer_of(office: Office, key_id: bytes) -> str:
    """A name for a key: a person of this station, else the label of its grant, else its number."""
    holder = office.people.holder(key_id)
    if holder is not None:
        return holder.name
    return office.station.facts.authority.label_of(key_id) or key_id.hex()


def orderer_of(office: Office, slot: Slot) -> str:
    """Who put it into the plan."""
    for order in office.station.facts.orders.get(slot.series, ()):
        if order.signed.id == slot.decision:
            return signer_of(office, order.signed.key_id)
    return ""


def aloud(lines: list[Line], day: int) -> Words:
    """The day in sentences."""
    vi, en = [], []
    for line in lines:
        at_ = clock(line.slot.start_s)
        vi.append(f"{at_}: {line.title}, {line.state.vi}{_after(line.why.vi)}.")
        en.append(f"{at_}: {line.title}, {line.state.en}{_after(line.why.en)}.")
    name = weekday(day)
    head_vi = f"Chương trình {name.vi} ngày {date(day)}, {len(lines)} mục."
    head_en = f"Programme of {name.en} {date(day)}, {len(lines)} items."
    if not lines:
        head_vi, head_en = f"{name.vi.capitalize()} {date(day)}: không có mục nào.", f"{iso(day)}: nothing."
    return Words(" ".join([head_vi, *vi]), " ".join([head_en, *en]))


def verdict_words(found: Verdict) -> Words:
    return Words(found.say("vi"), found.say("en"))


# -- how -----------------------------------------------------------------------------------------------------


def _line(office: Office, slot: Slot) -> Line:
    row = office.station.plays.get(slot.key)
    if row is not None:
        return _of_row(slot, row)
    now_s = office.now().utc_s
    found = verdict(office.station.facts, slot, max(now_s, slot.start_s) if slot.emergency else slot.start_s)
    if found is None:
        explanation = why(office, slot)
        found = next((lost for one, lost in explanation.losers if one.key == slot.key), None)
        winner = explanation.winner
        if found is not None and winner is not None and winner.key != slot.key:
            return _silent(slot, found, Words(f"lúc ấy phát: {winner.title}", f"plays then: {winner.title}"))
    if found is not None:
        said = _answer(office, slot) if found.outcome is Outcome.DECLINED else ""
        return _silent(slot, found, Words(said, said))
    if now_s < slot.start_s:
        moved = slot.moved_from_s
        reason = Words("", "")
        if moved is not None:
            reason = Words(f"xã đã dời từ {clock(moved)}", f"moved by the commune from {clock(moved)}")
        return Line(slot, Words("sẽ phát", "will play"), ("wait", "acc"), reason, to_play=True)
    if now_s < slot.begin_until_s + _QUIETLY:
        return Line(slot, Words("chờ phát", "about to play"), ("wait", "acc"), Words("", ""), True, True)
    return Line(
        slot, Words("chưa rõ", "not known"), _LOOKS[Outcome.UNKNOWN],
        Words("trạm chưa trả lời cho mục này", "the station has not answered for it yet"),
    )  # fmt: skip


def _answer(office: Office, slot: Slot) -> str:
    """Who declined it, and their reason."""
    facts = office.station.facts
    order = order_of(facts, slot)
    if order is None:
        return ""
    for answer, worth in answers_to(facts, order, slot.day, office.unit):
        if worth == DECIDES:
            reason = answer.fact.reason
            return f"{signer_of(office, answer.key_id)}{': ' if reason else ''}{reason}"
    return ""


def _silent(slot: Slot, found: Verdict, more: Words) -> Line:
    """Will not sound, and why. "Missed" is said of the past only."""
    words = Words(found.outcome.say("vi"), found.outcome.say("en"))
    if found.outcome is Outcome.SUPPRESSED:
        words = Words("không phát", "does not play")
    detail = _joined(Words(found.detail.say("vi"), found.detail.say("en")), more)
    return Line(slot, words, _LOOKS[found.outcome], detail)


def _of_row(slot: Slot, row: PlayRow) -> Line:
    if row.state == STARTED:
        began = clock(row.started_s or slot.start_s)
        return Line(
            slot, Words("đang phát", "on air"), ("play", "acc"), Words(f"từ {began}", f"since {began}"), True
        )
    if row.state == HELD:
        return Line(
            slot, Words("tạm ngắt, sẽ phát tiếp", "held, will go on"), ("cut", "warn"),
            Words(row.detail.say("vi"), row.detail.say("en")), True,
        )  # fmt: skip
    assert row.state == DONE
    parts = []
    if row.detail is not Detail.NONE:
        parts.append(Words(row.detail.say("vi"), row.detail.say("en")))
    if row.started_s is not None:
        began, length = clock(row.started_s), span(row.played_ds / 10)
        parts.append(Words(f"lúc {began}, dài {length.vi}", f"at {began}, for {length.en}"))
    state = Words(row.outcome.say("vi"), row.outcome.say("en"))
    return Line(slot, state, _LOOKS[row.outcome], _joined(*parts))


def _joined(*parts: Words) -> Words:
    return Words("; ".join(p.vi for p in parts if p.vi), "; ".join(p.en for p in parts if p.en))


def _after(text: str) -> str:
    return f", {text}" if text else ""
