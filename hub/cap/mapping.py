"""Our kinds and levels in CAP's words, and back. The tables stand in docs/spec/cap.md.

Out, nothing is guessed: kind and level decide, and both are said again in codes of our own, so that another
hub of Loa reads exactly what this one meant. In, a stranger's words are read as well as they can be; a
person looks at the result and may choose otherwise.

Bound: words. Who may order what is the emergency form's business.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from hub.cap.values import Info
from hub.schedules import EMERGENCY_CODES

KIND_CODE: Final = "LOA-KIND"  # valueName of an eventCode: our slug of the situation
LEVEL_CODE: Final = "LOA-LEVEL"  # valueName of a parameter: 1, 2 or 3
UNIT_CODE: Final = "LOA-UNIT"  # valueName of a geocode: the path of a unit
# The five digits of the General Statistics Office's list as it stood in 2022, from which communes' labels
# were once assigned. The year belongs to the name: in 2025 the same digits were given to other areas.
COMMUNE_CODE: Final = "VN-DVHC-2022"

OTHER: Final = "khac"
CATEGORY_OF: Final[dict[str, tuple[str, ...]]] = {
    "lu-quet": ("Geo", "Met"),
    "bao-lu": ("Met",),
    "chay-rung": ("Fire",),
    "dich-benh": ("Health",),
    "xa-lu": ("Infra",),
    "an-ninh": ("Security",),
    "dong-dat": ("Geo",),
    OTHER: ("Other",),
}
ENGLISH: Final[dict[str, str]] = {
    "lu-quet": "Flash flood, landslide",
    "bao-lu": "Storm, flood",
    "chay-rung": "Forest fire, large fire",
    "dich-benh": "Epidemic",
    "xa-lu": "Reservoir discharge",
    "an-ninh": "Security, defence",
    "dong-dat": "Earthquake",
    OTHER: "Other",
}
# level → urgency, severity, certainty
GRADES: Final[dict[int, tuple[str, str, str]]] = {
    3: ("Immediate", "Extreme", "Observed"),
    2: ("Immediate", "Severe", "Likely"),
    1: ("Expected", "Moderate", "Likely"),
}
LEVEL_OF: Final[dict[str, int]] = {"Extreme": 3, "Severe": 2, "Moderate": 1, "Unknown": 1}
NOT_NOW: Final = ("Future", "Past")  # urgencies at which no siren sounds
KIND_OF_CATEGORY: Final = {"Fire": "chay-rung", "Health": "dich-benh", "Security": "an-ninh", "Met": "bao-lu"}
# The first line that is found in <event>, then in <headline>, decides: the narrower kinds come first.
_SAID: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("xa-lu", ("xả lũ", "hồ chứa", "vỡ đập", "dam failure", "dam break", "reservoir")),
    ("lu-quet", ("lũ quét", "lũ ống", "sạt lở", "trượt lở", "flash flood", "landslide", "debris flow")),
    ("dong-dat", ("động đất", "earthquake")),
    ("chay-rung", ("cháy", "wildfire", "forest fire")),
    ("dich-benh", ("dịch bệnh", "epidemic", "outbreak")),
    ("bao-lu", ("bão", "áp thấp nhiệt đới", "mưa lũ", "mưa lớn", "ngập lụt", "storm", "typhoon", "flood")),
)


def kind_of(info: Info) -> str:
    """The situation, as a slug of `hub.schedules.EMERGENCY_KINDS`."""
    for name, value in info.event_codes:
        if name == KIND_CODE and value in EMERGENCY_CODES:
            return value
    for text in (info.event, info.headline):
        plain = unicodedata.normalize("NFC", text).casefold()
        for kind, words in _SAID:
            if any(word in plain for word in words):
                return kind
    return next((KIND_OF_CATEGORY[one] for one in info.category if one in KIND_OF_CATEGORY), OTHER)


def level_of(info: Info) -> int:
    """1 to 3: said in our own code, else by the severity."""
    for name, value in info.parameters:
        if name == LEVEL_CODE and value in ("1", "2", "3"):
            return int(value)
    return LEVEL_OF[info.severity]


def is_loas(info: Info) -> bool:
    """True when this was written by a hub of Loa: its description and instruction are the words alone."""
    return any(name == KIND_CODE and value in EMERGENCY_CODES for name, value in info.event_codes)
