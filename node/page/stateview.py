"""How everything at a station stands, row by row, each with what it was known from: the quiet screen.

    rows(office) -> [Row(name, value, look, more)]

Quiet: nothing here blinks or asks; what must be done is the one line of `trouble`. Each row is a state in
words with a shape, and says as of when where that is not now.

A further part of the station gives a further function in `PARTS`.

Bound: words about what is known. No judgement of what matters most: that is `trouble`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ledger.facts import Evidence, Outcome, day_from_iso
from node.clock import Confidence
from node.means import Means
from node.page.office import Office
from node.page.phrases import Words, date, span, stamp
from node.station import SOFTWARE
from node.status import Live, Status

Look: TypeAlias = tuple[str, str]
GOOD: Final = ("ok", "ok")
CARE: Final = ("warn", "warn")
BAD: Final = ("bad", "bad")
MUTE: Final = ("dot", "mute")

_CLOCK: Final = {
    Confidence.UNKNOWN: (Words("không biết", "unknown"), BAD),
    Confidence.SIGNED: (Words("theo thời gian tỉnh đã ký, chỉ là cận dưới", "not below signed time"), CARE),
    Confidence.RTC: (Words("theo đồng hồ pin của hộp", "by the battery clock"), GOOD),
    Confidence.NTP: (Words("chính xác, theo mạng", "right, kept by the network"), GOOD),
}  # fmt: skip
_STORAGE: Final = {
    1: Words("thẻ đầy: đang chạy trong bộ nhớ", "the card is full: running in memory"),
    2: Words("thẻ không ghi được: đang chạy trong bộ nhớ", "the card takes no writes: running in memory"),
}
_MB: Final = 1 << 20
NAMES_MAX: Final = 6
NOTHING: Final = Words("", "")


@dataclass(frozen=True)
class Row:
    """name: of the part; value: its state; more: a second line, may be empty."""

    name: Words
    value: Words
    look: Look
    more: Words = NOTHING


@dataclass(frozen=True)
class View:
    """What the rows are made of."""

    office: Office
    status: Status
    live: Live
    means: Means
    now_s: float


def rows(office: Office) -> list[Row]:
    """Every part, in a fixed order."""
    status = office.station.status()
    assert status.live is not None
    now = office.now()
    view = View(office, status, status.live, office.station.means(now.mono_s), now.utc_s)
    return [row for part in PARTS for row in part(view)]


def _sound(view: View) -> Iterator[Row]:
    live = view.live
    now = Words("đang im", "silent")
    if live.playing is not None:
        title = live.playing_title or "…"
        now = Words(f"đang phát: {title}", f"on air: {title}")
    driven = live.ceiling > Evidence.DELIVERED
    means = view.means
    proof = Words(
        f"Bằng chứng cao nhất trạm đưa ra được: {means.say_proof('vi')}",
        f"The best this station can prove: {means.say_proof('en')}",
    )
    if not driven:
        now = Words("không điều khiển loa nào", "no loudspeaker is driven")
    yield Row(Words("Loa", "Loudspeaker"), now, GOOD if driven else BAD, proof)
    if live.ear:
        yield Row(Words("Tai nghe lại", "Ear"), Words(live.ear, live.ear), CARE)
    volumes = view.office.station.config.volumes
    loud = Words(f"{volumes.percent} %", f"{volumes.percent} %")
    evening = Words("", "")
    if volumes.evening_percent < volumes.percent:
        least = volumes.evening_percent
        evening = Words(f"buổi tối nhiều nhất {least} %", f"in the evening {least} % at most")
    yield Row(Words("Âm lượng", "Volume"), loud, GOOD if volumes.percent else BAD, evening)


def _time(view: View) -> Iterator[Row]:
    words, look = _CLOCK[view.live.confidence]
    at = stamp(view.now_s)
    yield Row(
        Words("Đồng hồ", "Clock"), words, look, Words(f"trạm cho là {at}", f"the station takes it to be {at}")
    )


def _hub(view: View) -> Iterator[Row]:
    ok_s = view.status.sync_ok_s
    if not ok_s:
        value, look = Words("chưa lần nào", "never"), CARE
    else:
        ago = span(view.now_s - ok_s)
        value = Words(f"{ago.vi} trước ({stamp(ok_s)})", f"{ago.en} ago ({stamp(ok_s)})")
        look = GOOD if view.now_s - ok_s < 86_400 else CARE
    failures = view.live.failures
    more = Words("", "")
    if failures:
        more = Words(f"{failures} lần gọi liên tiếp không được", f"{failures} calls in a row failed")
    yield Row(Words("Liên lạc với tỉnh", "Province reached"), value, look, more)
    traffic = view.status.traffic
    if traffic is not None:
        hub, relay = amount(traffic.up + traffic.down), amount(traffic.relay)
        value = Words(
            f"{hub.vi} với tỉnh, {relay.vi} tiếp âm trực tiếp",
            f"{hub.en} with the province, {relay.en} of live relays",
        )
        day = date(day_from_iso(traffic.day))
        counted = Words(f"đếm cho ngày {day}", f"counted for {day}")
        yield Row(Words("Dữ liệu qua mạng", "Data over the line"), value, MUTE, counted)
    waiting = view.status.pending + view.status.unreceipted_logs
    value = Words("tỉnh đã nhận hết", "all received by the province") if not waiting else Words(
        f"{view.status.pending} báo cáo chưa gửi, {view.status.unreceipted_logs} sổ chờ tỉnh xác nhận",
        f"{view.status.pending} reports not sent, {view.status.unreceipted_logs} logs not receipted",
    )  # fmt: skip
    yield Row(Words("Báo cáo", "Reports"), value, MUTE if waiting else GOOD)


def _content(view: View) -> Iterator[Row]:
    missing = view.live.missing
    value = Words(f"còn thiếu {missing} tệp", f"{missing} files are missing")
    if not missing:
        value = Words("đủ cho chương trình đã biết", "all that the known plan needs is here")
    yield Row(Words("Nội dung", "Contents"), value, CARE if missing else GOOD)
    free = view.office.station.store.free_bytes() // _MB
    stored = _STORAGE.get(view.live.storage)
    room = Words(f"còn {free} MB", f"{free} MB free")
    yield Row(
        Words("Thẻ nhớ", "Card"), stored or room, BAD if stored else GOOD if free >= 256 else CARE,
        room if stored else Words("", ""),
    )  # fmt: skip
    kept_s = view.status.kept_s
    if kept_s:
        yield Row(Words("Bản sao dự phòng", "Own backup"), Words(stamp(kept_s), stamp(kept_s)), GOOD)


def _clusters(view: View) -> Iterator[Row]:
    """Receiver clusters that answered lately; nothing where none are listed."""
    name, watch = Words("Cụm loa", "Clusters"), view.office.station.watch
    if watch.problem is not None:
        wrong = Words("danh sách cụm loa không đọc được", "the list of clusters cannot be read")
        yield Row(name, wrong, BAD, Words(watch.problem.what, watch.problem.what))
    means = view.means
    if not means.clusters:
        return
    if means.answering is None:
        asked = Words(f"{means.clusters} cụm, đang hỏi", f"{means.clusters} clusters, being asked")
        yield Row(name, asked, MUTE)
        return
    away = means.silent
    value = Words(
        f"{means.answering} trên {means.clusters} cụm trả lời",
        f"{means.answering} of {means.clusters} clusters answer",
    )
    names = ", ".join(away[:NAMES_MAX]) + (" …" if len(away) > NAMES_MAX else "")
    yield Row(name, value, CARE if away else GOOD, Words(names, names))


def _boards(view: View) -> Iterator[Row]:
    """What each board shows is on its own page; here, that there are some."""
    names = ", ".join(view.office.station.config.boards)
    if names:
        yield Row(Words("Bảng tin", "Boards"), Words(names, names), MUTE)


def _stick(view: View) -> Iterator[Row]:
    question = view.office.tray.question()
    if question is not None and question.orders:
        value, look = Words("tin khẩn cấp chờ xác nhận giờ", "an emergency waits for the time"), BAD
    elif view.office.desk_busy() or view.office.stick_busy:
        value, look = Words("đang đọc", "being read"), MUTE
    else:
        value, look = Words("không có gì chờ", "nothing waits"), GOOD
    yield Row(Words("USB", "USB"), value, look)


def _station(view: View) -> Iterator[Row]:
    counted = [(Outcome[name.upper()], count) for name, count in sorted(view.status.outcomes.items())]
    told = Words(
        ", ".join(f"{count} {one.say('vi')}" for one, count in counted) or "chưa có gì",
        ", ".join(f"{count} {one.say('en')}" for one, count in counted) or "nothing yet",
    )
    yield Row(Words("Kết quả hôm nay", "Today came to"), told, MUTE)
    yield Row(Words("Phần mềm", "Software"), Words(SOFTWARE, SOFTWARE), MUTE)
    name = f"{view.status.name} · {view.status.unit}"
    yield Row(
        Words("Trạm", "Station"), Words(name, name), MUTE, Words(view.status.hub_url, view.status.hub_url)
    )


def amount(count: int) -> Words:
    """Bytes as people pay for them: "13,4 MB", below one MB "120 KB"."""
    said = f"{count / _MB:.1f} MB" if count >= _MB else f"{-(-count // 1024)} KB"
    return Words(said.replace(".", ","), said)


PARTS: Final[tuple[Callable[[View], Iterator[Row]], ...]] = (
    _sound,
    _time,
    _hub,
    _content,
    _clusters,
    _boards,
    _stick,
    _station,
)
