"""What the roll of an emergency is called on the page, and which shape goes with which word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hub.roll import Clear, Reply
from hub.web.tongue import gettext

LOOKS: Final = {
    Reply.REFUSED: ("gone", "bad"),
    Reply.FAILED: ("part", "bad"),
    Reply.SILENT: ("bad", "bad"),
    Reply.FM: ("fm", "mute"),
    Reply.LACKS: ("wait", "warn"),
    Reply.HOLDS: ("seal", "acc"),
    Reply.PLAYING: ("play", "acc"),
    Reply.PLAYED: ("ok", "ok"),
    Reply.TOLD: ("fm", "ok"),
}
CLEAR_LOOKS: Final = {
    Clear.NONE: ("", "mute"),
    Clear.WAITS: ("wait", "warn"),
    Clear.HOLDS: ("ok", "ok"),
    Clear.BEFORE: ("ok", "ok"),
    Clear.AFTER: ("ok", "ok"),
}


def reply_look(reply: Reply) -> tuple[str, str]:
    return LOOKS[reply]


def reply_name(reply: Reply) -> str:
    """One word for one state, the same in the counts, in the table and on paper."""
    return {
        Reply.REFUSED: gettext("từ chối lệnh"),
        Reply.FAILED: gettext("không phát trọn"),
        Reply.SILENT: gettext("mất liên lạc, chưa nhận lệnh"),
        Reply.FM: gettext("FM, không có đường về"),
        Reply.LACKS: gettext("chưa nhận lệnh"),
        Reply.HOLDS: gettext("đã nhận lệnh, chưa trả lời"),
        Reply.PLAYING: gettext("đang phát"),
        Reply.PLAYED: gettext("đã phát"),
        Reply.TOLD: gettext("đã phát, người trực xác nhận"),
    }[reply]


def clear_look(clear: Clear) -> tuple[str, str]:
    return CLEAR_LOOKS[clear]


def clear_name(clear: Clear) -> str:
    return {
        Clear.NONE: "–",
        Clear.WAITS: gettext("chưa nhận báo yên"),
        Clear.HOLDS: gettext("đã nhận báo yên"),
        Clear.BEFORE: gettext("đã nhận, trước khi phát"),
        Clear.AFTER: gettext("đã nhận, sau khi đã phát"),
    }[clear]


WORDS: Final[dict[str, Callable[..., Any]]] = {
    f.__name__: f for f in (reply_look, reply_name, clear_look, clear_name)
}
