"""What is wrong here and what to do: at most one sentence, the most important one.

    trouble(signs) -> Trouble | None

A pure function of what the station knows of itself. Causes stand in order of what they take from people:
first what keeps the loudspeaker silent, then what keeps others from knowing, then what is only untidy. Each
says what is wrong and one thing that somebody in a commune's office can do about it.

A further cause is one more function in `CAUSES`, in its place; a further sign one more field of `Signs`.

Bound: judgement. Where the signs come from is `signs`; how it looks is the page's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ledger.facts import Evidence
from node.clock import Confidence
from node.page.phrases import Words, span

LOW_DISK_BYTES: Final = 256 << 20
STALE_HUB_S: Final = 86_400.0
SOON_S: Final = 2 * 3_600.0


@dataclass(frozen=True)
class Signs:
    """What the station knows of itself. hub_age_s: None when the hub was never reached.

    silent_today: slots that made no sound for want of a device, or by a level of silence. missing_soon:
    titles of what is to play within two hours and is not here. wishes_open: whose key waits for the province.
    """

    confidence: Confidence = Confidence.NTP
    waits_for_word: bool = False
    player: str = "mpv"
    ceiling: Evidence = Evidence.DEVICE_ACCEPTED
    silent_today: int = 0
    missed_power: int = 0
    missing_soon: tuple[str, ...] = ()
    missing: int = 0
    disk_free: int = 1 << 40
    hub_age_s: float | None = 0.0
    hub_failures: int = 0
    unreceipted: int = 0
    volume: int = 80
    people: int = 1
    wishes_open: tuple[str, ...] = ()
    is_fm: bool = False


@dataclass(frozen=True)
class Trouble:
    """look: `bad` when something is not heard because of it, else `warn`.

    screen: the endpoint of the page where it is done, or "".
    """

    code: str
    look: str
    what: Words
    do: Words
    screen: str = ""


def trouble(signs: Signs) -> Trouble | None:
    """The most important one, or None when nothing is wrong."""
    return next((found for cause in CAUSES if (found := cause(signs)) is not None), None)


def troubles(signs: Signs) -> list[Trouble]:
    """All of them, most important first."""
    return [found for cause in CAUSES if (found := cause(signs)) is not None]


# -- what keeps the loudspeaker silent -----------------------------------------------------------------------


def _waits_for_word(signs: Signs) -> Trouble | None:
    if not signs.waits_for_word:
        return None
    return Trouble(
        "word",
        "bad",
        Words(
            "Có tin khẩn cấp từ USB đang chờ bạn xác nhận giờ.",
            "An emergency from a stick waits until somebody says that the time is right.",
        ),
        Words(
            "Xem đồng hồ, mở trang USB và trả lời.",
            "Look at a watch, open the page USB and answer.",
        ),
        "usb.page",
    )


def _clock(signs: Signs) -> Trouble | None:
    if signs.confidence >= Confidence.SIGNED:
        return None
    return Trouble(
        "clock",
        "bad",
        Words(
            "Trạm không biết bây giờ là mấy giờ, nên không phát theo lịch.",
            "The station does not know the time, so it plays nothing of the plan.",
        ),
        Words(
            "Cắm lại dây mạng hoặc SIM: có mạng thì trạm tự lấy giờ. Không có mạng: gọi kỹ thuật đặt giờ.",
            "Reconnect the network: the station takes the time from it. Without one, call the technician.",
        ),
    )


def _no_player(signs: Signs) -> Trouble | None:
    if signs.ceiling > Evidence.DELIVERED or signs.is_fm:
        return None
    return Trouble(
        "no-player",
        "bad",
        Words(
            "Trạm không điều khiển loa nào: không ai nghe thấy gì.",
            "No loudspeaker is driven: nobody hears anything.",
        ),
        Words(
            "Gọi kỹ thuật cài chương trình phát (mpv) và nối âm ly.",
            "Call the technician to install the player (mpv) and connect the amplifier.",
        ),
    )


def _volume(signs: Signs) -> Trouble | None:
    if signs.volume > 0 or signs.is_fm:
        return None
    return Trouble(
        "volume",
        "bad",
        Words("Âm lượng của trạm đang là 0.", "The volume of the station is 0."),
        Words(
            "Gọi kỹ thuật đặt lại âm lượng (volume trong station.toml).",
            "Call the technician to set it (volume in station.toml).",
        ),
    )


def _silent(signs: Signs) -> Trouble | None:
    if not signs.silent_today:
        return None
    return Trouble(
        "silent",
        "bad",
        Words(
            f"Hôm nay có {signs.silent_today} mục phát mà không ra tiếng.",
            f"{signs.silent_today} items of today made no sound.",
        ),
        Words(
            "Kiểm tra: âm ly đã bật chưa, dây tiếng đã cắm chặt chưa, núm âm lượng có bị vặn nhỏ không.",
            "Check that the amplifier is on, the sound cable sits firmly, the knob is not turned down.",
        ),
    )


def _missing_soon(signs: Signs) -> Trouble | None:
    if not signs.missing_soon:
        return None
    first = signs.missing_soon[0]
    return Trouble(
        "missing",
        "bad",
        Words(f"Chưa nhận được nội dung sắp phát: {first}.", f"What is to play soon is not here: {first}."),
        Words(
            "Kiểm tra mạng. Không có mạng: mang USB từ tỉnh về và cắm vào.",
            "Check the network. Without one, bring a stick from the province.",
        ),
        "usb.page",
    )


# -- what keeps others from knowing, and what is untidy ------------------------------------------------------


def _disk(signs: Signs) -> Trouble | None:
    if signs.disk_free >= LOW_DISK_BYTES:
        return None
    free = signs.disk_free >> 20
    return Trouble(
        "disk",
        "warn",
        Words(f"Thẻ nhớ sắp đầy: còn {free} MB.", f"The card is nearly full: {free} MB are free."),
        Words(
            "Gọi kỹ thuật thay thẻ lớn hơn hoặc dọn thẻ.",
            "Call the technician to clear the card or to bring a larger one.",
        ),
    )


def _hub(signs: Signs) -> Trouble | None:
    if signs.is_fm or (signs.hub_age_s is not None and signs.hub_age_s < STALE_HUB_S):
        return None
    what = Words("Trạm chưa liên lạc được với tỉnh lần nào.", "The station has never reached the province.")
    if signs.hub_age_s is not None:
        age = span(signs.hub_age_s)
        what = Words(
            f"Đã {age.vi} trạm không liên lạc được với tỉnh.", f"The province was not reached for {age.en}."
        )
    return Trouble(
        "hub",
        "warn",
        what,
        Words(
            "Loa vẫn phát những gì đã nhận. Kiểm tra dây mạng, SIM, tiền trong SIM; hoặc mang USB lên tỉnh.",
            "It plays what it has. Check the cable, the SIM and its credit; or carry a stick.",
        ),
        "usb.page",
    )


def _power(signs: Signs) -> Trouble | None:
    if not signs.missed_power:
        return None
    return Trouble(
        "power",
        "warn",
        Words(
            f"Hôm nay mất điện làm lỡ {signs.missed_power} mục.",
            f"A power cut cost {signs.missed_power} items of today.",
        ),
        Words(
            "Nếu hay mất điện, hãy xin một bộ lưu điện cho trạm.",
            "If it happens often, ask for a battery for the box.",
        ),
    )


def _nobody(signs: Signs) -> Trouble | None:
    if signs.people:
        return None
    return Trouble(
        "nobody",
        "warn",
        Words("Trạm chưa có người nào đặt mã PIN.", "Nobody has a PIN at this station."),
        Words("Tại máy của trạm, gõ: loa node person add.", "At the box, type: loa node person add."),
    )


def _wishes(signs: Signs) -> Trouble | None:
    if not signs.wishes_open:
        return None
    name = signs.wishes_open[0]
    return Trouble(
        "wish",
        "warn",
        Words(
            f"Khóa của {name} chưa được tỉnh cấp quyền, nên chưa ký được.",
            f"The province has not granted {name}'s key yet, so it cannot sign.",
        ),
        Words(
            "Gọi tỉnh và đọc sáu từ ở trang “Khóa và mã PIN của tôi”.",
            "Call the province and read them the six words on “My key and PIN”.",
        ),
        "people.me",
    )


CAUSES: Final[tuple[Callable[[Signs], Trouble | None], ...]] = (
    _waits_for_word,
    _clock,
    _no_player,
    _volume,
    _silent,
    _missing_soon,
    _disk,
    _hub,
    _power,
    _nobody,
    _wishes,
)
