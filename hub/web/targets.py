"""What a choice of place means at this instant: exact units, who hears, who does not, each with its reason.

A place is a unit or a group. A unit is ordered as it stands: what is registered below it later hears the rest
of the series too. A group is ordered unit by unit: members that could not play it (quiet hours, outside of
what was approved) are left out before anything is signed, and the page says so by name.

Bound: reads. The plan is asked by `hub.timetable`, groups are `hub.groups`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import g

from hub.groups import Group, Member, members
from hub.web import auth
from hub.web.choices import territories
from hub.web.tongue import gettext, ngettext
from hub.web.wall import touch
from hub.web.words import ago, hm, lang
from ledger.facts import at, covers, in_quiet_hours

if TYPE_CHECKING:
    from hub.queries import BulletinRow, StationRow
    from hub.timetable import Ahead

GROUP: Final = "nhom:"


@dataclass(frozen=True)
class Place:
    """units: what would be ordered. left_out: members of the group that would not, (unit, reason)."""

    units: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reach:
    """Who hears it, by unit. by_hand: FM stations, where a person plays it. unsure, wont: with the reason."""

    will: tuple[str, ...]
    by_hand: tuple[str, ...]
    unsure: tuple[tuple[str, str], ...]
    wont: tuple[tuple[str, str], ...]

    @property
    def hearing(self) -> int:
        """Stations that should sound by themselves."""
        return len(self.will)

    @property
    def total(self) -> int:
        return len(self.will) + len(self.by_hand) + len(self.unsure)


def roll() -> list[Member]:
    """Every station, as groups by rule look at it."""
    hub = auth.the_hub()
    with_boards = hub.queries.units_with_boards()
    return [
        Member(row.unit, row.kind, row.last_contact_at, row.unit in with_boards)
        for row in station_rows().values()
    ]


def station_rows() -> dict[str, StationRow]:
    """The wall by unit; read once per request, for a queue asks for every bulletin in it."""
    if "station_rows" not in g:
        g.station_rows = {row.unit: row for row in auth.the_hub().queries.stations(now=auth.now())}
    rows: dict[str, StationRow] = g.station_rows
    return rows


def group_members(group: Group) -> tuple[str, ...]:
    return members(group, roll(), auth.now())


def choices(territory: str) -> list[tuple[str, str]]:
    """(value, words) of every place that a bulletin approved for `territory` may be ordered for: the whole,
    groups, stations.
    """
    own = auth.officer().territory
    units = [one for one in territories(own) if covers(territory, one[0])]
    groups = [
        (f"{GROUP}{group.id}", gettext("Nhóm: %(name)s", name=group.name))
        for group in auth.the_hub().choices.groups.all(own)
    ]
    whole = [one for one in units if one[0] in (own, territory)]
    return whole + groups + [one for one in units if one not in whole]


def expand(choice: str, approved_for: str, days: Sequence[int], minute: int, length_s: int) -> Place:
    """The exact units. NotAllowed("group-unknown")."""
    if not choice.startswith(GROUP):
        return Place((choice,))
    hub = auth.the_hub()
    own = auth.officer().territory
    group = hub.choices.groups.one(int(choice.removeprefix(GROUP)))
    left_out: list[tuple[str, str]] = []
    units: list[str] = []
    for unit in group_members(group):
        hours = hub.facts.quiet_hours(unit)
        if not covers(own, unit) or not covers(approved_for, unit):
            left_out.append((unit, gettext("ngoài địa bàn đã duyệt")))
        elif days and in_quiet_hours(hours, at(days[0], minute), length_s):
            hours_said = gettext("giờ yên tĩnh %(first)s–%(last)s", first=hm(hours[0]), last=hm(hours[1]))
            left_out.append((unit, hours_said))
        else:
            units.append(unit)
    known = {unit for unit, _ in left_out} | set(units)
    left_out += [(unit, gettext("không còn là trạm")) for unit in group.units if unit not in known]
    return Place(tuple(units), tuple(left_out))


def reach(ahead: Ahead, place: Place) -> Reach:
    """What each station of the order will make of it, as far as it is known now."""
    now = auth.now()
    rows = station_rows()
    refused = {unit: why.say(lang()) for units, why in ahead.outlook.silent for unit in units}
    lost: dict[str, set[int]] = {}
    for met in ahead.outlook.yields:
        for unit in met.units:
            lost.setdefault(unit, set()).add(met.day)
    will: list[str] = []
    by_hand: list[str] = []
    unsure: list[tuple[str, str]] = []
    wont = list(place.left_out)
    for unit in ahead.stations:
        row = rows.get(unit)
        if unit in refused:
            wont.append((unit, refused[unit]))
        elif row is None or (word := touch(row, now)) == "waiting":
            wont.append((unit, gettext("chưa ghi danh")))
        elif len(lost.get(unit, ())) == ahead.outlook.days_looked:
            wont.append((unit, gettext("nhường bản tin khác trong mọi ngày đã kiểm tra")))
        elif word == "fm":
            by_hand.append(unit)
        elif word in ("never", "silent", "forked"):
            unsure.append((unit, _unsure(row, word, now)))
        else:
            will.append(unit)
    return Reach(tuple(will), tuple(by_hand), tuple(unsure), tuple(wont))


def _unsure(row: StationRow, word: str, now: int) -> str:
    if word == "forked":
        return gettext("có hai lịch sử ký khác nhau")
    if word == "never" or row.last_contact_at is None:
        return gettext("chưa từng liên lạc; chỉ phát nếu kịp nhận lịch")
    return gettext("liên lạc %(ago)s; chỉ phát nếu kịp nhận lịch", ago=ago(now - row.last_contact_at))


def counted(units: Iterable[str]) -> str:
    """`12 trạm`."""
    return ngettext("%(num)d trạm", "%(num)d trạm", len(set(units)))


def others(row: BulletinRow, ahead: Ahead, place: Place) -> int:
    """Stations that the approval covers and the choice does not."""
    asked = set(ahead.stations) | {unit for unit, _ in place.left_out}
    stations = list(auth.the_hub().facts.stations)
    return sum(1 for unit in stations if covers(row.territory, unit) and unit not in asked)
