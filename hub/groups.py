"""Groups of stations: a name for a choice that is made often, kept at this desk and signed nowhere.

A group is either a list of units somebody wrote down, or a rule (kind of station, boards, silent for so many
days) that is asked anew each time. What is signed always names exact units, so an edit of a group moves
nothing that was ordered, and no station has to know what a group is.

Bound: names, lists, rules and who they are made of now. What a group is used for is the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import RLock
from typing import Any

from sqlite_utils import Database

from hub.media import accept_line
from ledger.facts import NAME_CHARS_MAX, covers, is_unit
from ledger.log import NotAllowed

GROUPS_MAX = 200
UNITS_MAX = 400  # of one group, and of one order by group: each is one signed event
DAY_S = 86_400
SILENT_DAYS_MAX = 365

SCHEMA = """
CREATE TABLE IF NOT EXISTS groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, territory TEXT NOT NULL,
  kind TEXT NOT NULL, boards INTEGER NOT NULL, silent_days INTEGER NOT NULL, units TEXT NOT NULL,
  account TEXT NOT NULL, at INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class GroupRule:
    """kind: "it", "fm" or "" for both. boards: a board has reported from there. silent_days: not heard from
    for at least so many days, or never; 0 asks nothing. A rule that asks nothing holds every station.
    """

    kind: str = ""
    boards: bool = False
    silent_days: int = 0


@dataclass(frozen=True)
class Group:
    """territory: below which it was made; nothing outside ever belongs to it. units: of a list; rule: None
    then.

    at: UTC s of the last edit, by account.
    """

    id: int
    name: str
    territory: str
    units: tuple[str, ...]
    rule: GroupRule | None
    account: str
    at: int


@dataclass(frozen=True)
class Member:
    """What a rule may ask of a station. heard_at: UTC s of its last contact, None for never."""

    unit: str
    kind: str
    heard_at: int | None
    boards: bool


def members(group: Group, stations: Sequence[Member], now: int) -> tuple[str, ...]:
    """The units of the group at this instant, in the order of units; those no longer registered fall out."""
    inside = [one for one in stations if covers(group.territory, one.unit)]
    if group.rule is None:
        listed = set(group.units)
        return tuple(sorted(one.unit for one in inside if one.unit in listed))
    return tuple(sorted(one.unit for one in inside if _fits(group.rule, one, now)))


def _fits(rule: GroupRule, one: Member, now: int) -> bool:
    if rule.kind and one.kind != rule.kind:
        return False
    if rule.boards and not one.boards:
        return False
    if not rule.silent_days:
        return True
    return one.heard_at is None or now - one.heard_at >= rule.silent_days * DAY_S


class Groups:
    """db: of the desk's choices. lock: around it."""

    def __init__(self, db: Database, lock: RLock) -> None:
        self._db = db
        self._lock = lock

    def all(self, territory: str) -> list[Group]:
        """Those made at or below `territory`, by name."""
        with self._lock:
            rows = list(self._db.query("SELECT * FROM groups ORDER BY name, id"))
        return [_group(row) for row in rows if covers(territory, row["territory"])]

    def one(self, number: int) -> Group:
        """NotAllowed("group-unknown")."""
        with self._lock:
            rows = list(self._db.query("SELECT * FROM groups WHERE id = ?", [number]))
        if not rows:
            raise NotAllowed("group-unknown", f"there is no group {number}", hint="look at the list")
        return _group(rows[0])

    def keep(
        self,
        name: str,
        *,
        territory: str,
        units: Collection[str] = (),
        rule: GroupRule | None = None,
        number: int = 0,
        account: str,
        now: int,
    ) -> int:
        """Makes a group, or writes group `number` anew; its number.

        NotAllowed: text-…, group-exists, group-units, group-rule, table-full.
        """
        name = accept_line(name, what="name", chars_max=NAME_CHARS_MAX)
        wrong = [unit for unit in units if not is_unit(unit) or not covers(territory, unit)]
        if wrong or len(set(units)) > UNITS_MAX or not (rule or units):
            raise NotAllowed(
                "group-units", f"a group has 1 to {UNITS_MAX} units below {territory}",
                where=wrong[0] if wrong else "", hint="choose from the list",
            )  # fmt: skip
        if rule and (rule.kind not in ("", "it", "fm") or not 0 <= rule.silent_days <= SILENT_DAYS_MAX):
            raise NotAllowed("group-rule", "this rule cannot be asked", hint="choose from the list")
        row: dict[str, Any] = {
            "name": name, "territory": territory, "kind": rule.kind if rule else "-",
            "boards": int(rule.boards) if rule else 0, "silent_days": rule.silent_days if rule else 0,
            "units": json.dumps(sorted(set(units)) if rule is None else []), "account": account, "at": now,
        }  # fmt: skip
        with self._lock, self._db.atomic():
            same = list(self._db.query("SELECT id FROM groups WHERE name = ?", [name]))
            if same and same[0]["id"] != number:
                raise NotAllowed("group-exists", f"there is a group {name!r}", hint="choose another name")
            if number:
                self._db.table("groups").update(number, row)
                return number
            if self._db.table("groups").count >= GROUPS_MAX:
                raise NotAllowed("table-full", f"{GROUPS_MAX} groups at most", hint="take old ones out")
            made = self._db.table("groups").insert(row).last_pk
            assert isinstance(made, int), "an integer key"
            return made

    def drop(self, number: int) -> None:
        """Forgets a group. What was ordered through it stands."""
        with self._lock, self._db.atomic():
            self._db.execute("DELETE FROM groups WHERE id = ?", [number])


def _group(row: dict[str, Any]) -> Group:
    by_rule = row["kind"] != "-"
    rule = GroupRule(row["kind"], bool(row["boards"]), row["silent_days"]) if by_rule else None
    units = tuple(json.loads(row["units"]))
    return Group(row["id"], row["name"], row["territory"], units, rule, row["account"], row["at"])
