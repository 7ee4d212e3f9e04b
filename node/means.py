"""What a station has to prove with, and why no more; which of its receiver clusters answer.

Only the running process knows this. It keeps it with its sign of life, which is written anyway, so that
`loa node status` can say it from the database, beside the station or after it, as of that sign. The
commune's page and the command take both from here and say the same.

Bound: values and their words. Nothing here asks a device.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from ledger.facts import Evidence
from node.clusters.slots import IDLE_ROUND_S, Shown
from node.sound.player import Player

KEPT: Final = "node.means"
CLUSTER_STALE_S: Final = 2 * IDLE_ROUND_S + 60.0  # whoever said nothing for so long is silent
# Why the ceiling is where it is: Vietnamese, English.
WHY: Final = {
    "no-loudspeaker": ("không điều khiển loa nào", "no loudspeaker is driven"),
    "no-ear": (
        "chưa đặt thiết bị thu, không ai ở đây nghe lại loa",
        "no capture device is set, so nobody here hears what the loudspeaker says",
    ),
    "ear-failed": ("thiết bị thu không nghe được gì", "the capture device hears nothing"),
    "": ("có thiết bị thu nghe lại loa", "a capture device listens to the loudspeaker"),
}  # fmt: skip


@dataclass(frozen=True)
class Means:
    """ceiling: an evidence level's name; why: a key of WHY. ear: what is wrong with hearing, "" for nothing.

    clusters: how many are listed; answering: how many of them answered lately, None before they were asked;
    silent: the names of the others.
    """

    player: str
    ceiling: str
    why: str
    ear: str = ""
    speaks: bool = False
    clusters: int = 0
    answering: int | None = None
    silent: tuple[str, ...] = ()

    def say_proof(self, lang: str) -> str:
        """The ceiling and why, as a clause."""
        level = Evidence[self.ceiling.upper()].say(lang)
        return f"{level} ({WHY[self.why][lang == 'en']})"


def means_of(player: Player, shown: Sequence[Shown], now_mono_s: float, up_s: float) -> Means:
    """up_s: since this process began; before the clusters were asked once, none of them is called silent."""
    ear = getattr(player, "complaint", "")
    why = ""
    if player.ceiling <= Evidence.DELIVERED:
        why = "no-loudspeaker"
    elif player.ceiling < Evidence.HEARD:
        why = "ear-failed" if ear else "no-ear"
    away = silent(shown, now_mono_s)
    asked = len(away) < len(shown) or up_s >= CLUSTER_STALE_S
    return Means(
        player.name, player.ceiling.name.lower(), why, ear, player.can_speak, len(shown),
        len(shown) - len(away) if asked else None, tuple(away) if asked else (),
    )  # fmt: skip


def silent(shown: Sequence[Shown], now_mono_s: float) -> list[str]:
    """The names of the clusters that said nothing lately."""
    return [one.entry.name for one in shown if one.at_s is None or now_mono_s - one.at_s > CLUSTER_STALE_S]


def packed(means: Means) -> str:
    """As it is kept."""
    return json.dumps(asdict(means), ensure_ascii=False)


def unpacked(text: object) -> Means | None:
    """What was kept; None for nothing, and for what another version kept."""
    try:
        plain = json.loads(text) if isinstance(text, str) else None
        found = Means(**plain | {"silent": tuple(plain["silent"])}) if isinstance(plain, dict) else None
    except (ValueError, TypeError, KeyError):
        return None
    if found is None or found.why not in WHY or found.ceiling.upper() not in Evidence.__members__:
        return None
    return found
