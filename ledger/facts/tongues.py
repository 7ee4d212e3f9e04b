"""The languages of a bulletin, and which one a station plays: its own where it is there, else Vietnamese.

A province speaks to its people in Vietnamese and in the languages of those who live there (Decree 49/2024).
One bulletin carries a rendition for each, all under one approval; each station has one language of its own.
It plays and shows that one where the bulletin has it, and Vietnamese where not: a notice in the second
language is better than none.

Codes are BCP 47 (RFC 5646): the two-letter code of ISO 639-1 where there is one, else the three-letter code
of ISO 639-3. The names are those of Vietnam's list of peoples. No voice that a station has reads any of them
but Vietnamese: in the others a text is shown on boards and only a recording is heard.

Bound: a list and a choice. A language that is not on the list may stand in a manifest all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.facts.manifest import Manifest

MAIN: Final = "vi"


@dataclass(frozen=True)
class Tongue:
    """One language. name: in Vietnamese. english: for the second language of the pages."""

    code: str
    name: str
    english: str


TONGUES: Final = (
    Tongue("vi", "Tiếng Việt", "Vietnamese"),
    Tongue("tyz", "Tiếng Tày", "Tày"),
    Tongue("blt", "Tiếng Thái (Thái Đen)", "Thái (Black Tai)"),
    Tongue("twh", "Tiếng Thái Trắng", "White Tai"),
    Tongue("hmn", "Tiếng Mông", "Mông (Hmong)"),
    Tongue("ium", "Tiếng Dao", "Dao (Iu Mien)"),
    Tongue("mji", "Tiếng Dao (Kim Mùn)", "Dao (Kim Mun)"),
    Tongue("nut", "Tiếng Nùng", "Nùng"),
    Tongue("mtq", "Tiếng Mường", "Mường"),
    Tongue("pcc", "Tiếng Giáy", "Giáy (Bouyei)"),
    Tongue("mlc", "Tiếng Cao Lan", "Cao Lan"),
    Tongue("kjg", "Tiếng Khơ Mú", "Khơ Mú (Khmu)"),
    Tongue("hni", "Tiếng Hà Nhì", "Hà Nhì (Hani)"),
    Tongue("bru", "Tiếng Bru – Vân Kiều", "Bru"),
    Tongue("ktv", "Tiếng Cơ Tu", "Cơ Tu (Katu)"),
    Tongue("hre", "Tiếng Hrê", "Hrê"),
    Tongue("sed", "Tiếng Xơ Đăng", "Xơ Đăng (Sedang)"),
    Tongue("bdq", "Tiếng Ba Na", "Ba Na (Bahnar)"),
    Tongue("jra", "Tiếng Gia Rai", "Gia Rai (Jarai)"),
    Tongue("rad", "Tiếng Ê Đê", "Ê Đê (Rade)"),
    Tongue("cmo", "Tiếng Mnông", "Mnông"),
    Tongue("kpm", "Tiếng Cơ Ho", "Cơ Ho (Koho)"),
    Tongue("cjm", "Tiếng Chăm", "Chăm"),
    Tongue("km", "Tiếng Khmer", "Khmer"),
)
_MUTE: Final = frozenset(one.code for one in TONGUES if one.code != MAIN)


def preferred(language: str) -> tuple[str, ...]:
    """The languages of a station, the first the dearest: its own, then Vietnamese."""
    return tuple(dict.fromkeys((language, MAIN)))


def can_be_read_out(language: str) -> bool:
    """False for the languages of the list that no voice knows. Of others the voice itself will tell."""
    return language not in _MUTE


def voice_of(language: str) -> str:
    """The language in which a station of this one reads out what has no recording of its own."""
    return language if can_be_read_out(language) else MAIN


def heard_in(manifest: Manifest, language: str) -> str | None:
    """The first of the station's languages in which something of this manifest can be heard; None: in none.

    Something is a recording, a live relay, or a text that a voice can read out.
    """
    for one in preferred(language):
        if manifest.audio(one) is not None or manifest.stream(one) is not None:
            return one
        if manifest.text(one) is not None and can_be_read_out(one):
            return one
    return None
