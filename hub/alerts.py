"""What a person must be told, and when: from troubles of stations to few alerts. A pure state machine.

An outage of a province is one thing and not seventy, a station that comes and goes is not news each time, and
nobody looks at a list that cries all day. So:

* troubles of one kind and cause are rolled up: three stations or more become one alert of their area, and
  two such areas one alert of the whole; what was rolled up stays so until it is over;
* an alert is told only when it has stood for a while, and again only when it has doubled;
* it is over when its cause has been gone for a while, by itself; coming back soon after reopens it silently,
  and each time it must stand twice as long to be told again;
* what is in the past, a missed broadcast, stays for a day after the station played again, or until somebody
  has acknowledged it.

Every trouble is in exactly one open alert, and there are never more than three of one kind and cause, however
many stations fail. Both are properties under test.

Bound: no clock, no store, no words. Where troubles come from is `alert_watch`; who is told how, `posting`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

# In the order in which a person wants them.
KINDS: Final = ("emergency", "missed", "late", "forked", "storage", "clock")
WHOLE_AT_ONCE: Final = frozenset({"emergency"})  # one order is one alert
GROUP: Final = "group:"  # of an area that is a group of stations, with its number
MANY: Final = 3  # stations that make an area's alert
ALERTS_MAX: Final = 3  # of one kind and cause
SETTLE_S: Final = {"emergency": 0, "missed": 600, "late": 900, "forked": 0, "storage": 600, "clock": 1_800}
HOLD_S: Final = {"emergency": 0, "missed": 0, "late": 900, "forked": 0, "storage": 600, "clock": 900}
KEEP_S: Final = 86_400  # how long a missed broadcast of a station that plays again stays in its alert
FLAP_S: Final = 6 * 3_600  # coming back within this is the same alert
FLAPS_MAX: Final = 5  # doublings of the settling time
ANEW_S: Final = 86_400  # after a day, what came since an acknowledgment wants another
CLOSED_KEPT_S: Final = 30 * 86_400

Key = tuple[str, str, str, str]


class Trouble(NamedTuple):
    """One thing wrong at one station. item: which broadcast, of a missed one. since: UTC s, as far as known.
    over: it is in the past, and the station has played since.
    """

    kind: str
    cause: str
    unit: str
    item: str = ""
    since: int = 0
    over: bool = False

    @property
    def key(self) -> Key:
        return self.kind, self.cause, self.unit, self.item


@dataclass(frozen=True)
class Member:
    """A trouble in an alert. seen_at: when it was first seen here."""

    unit: str
    item: str
    since: int
    seen_at: int


@dataclass(frozen=True)
class Alert:
    """scope: a station, or (rolled) an area or the whole. begun_at: when it last began to stand. told: how
    many stations when it was last told, 0 for not yet. into: the alert that took its members over.
    """

    id: str
    kind: str
    cause: str
    scope: str
    opened_at: int
    begun_at: int
    members: tuple[Member, ...] = ()
    peak: int = 0
    told: int = 0
    told_at: int = 0
    flaps: int = 0
    gone_at: int | None = None
    closed_at: int | None = None
    into: str = ""
    rolled: bool = False
    acked_at: int | None = None
    acked_by: str = ""
    note: str = ""

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(sorted({one.unit for one in self.members}))

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def name(self) -> tuple[str, str, str]:
        return self.kind, self.cause, self.scope


class Notice(NamedTuple):
    """What is to be told. what: opened, grown or resolved. key: the same for the same telling, for ever."""

    what: str
    alert: Alert
    key: str


@dataclass(frozen=True)
class State:
    """done: troubles that were let go although they are still seen: somebody knows, or a day has passed."""

    alerts: tuple[Alert, ...] = ()
    done: frozenset[Key] = field(default_factory=frozenset)

    @property
    def open(self) -> tuple[Alert, ...]:
        return tuple(one for one in self.alerts if one.is_open)


def step(
    state: State, seen: Iterable[Trouble], now: int, *, area_of: Callable[[str], str], whole: str
) -> tuple[State, list[Notice]]:
    """The next state, and what is to be told now. area_of: a unit's roll-up area; whole: of all areas."""
    found = {trouble.key: trouble for trouble in seen}
    standing, done = _standing(state, found, now)
    by_cause: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in sorted(standing.values()):
        by_cause.setdefault((trouble.kind, trouble.cause), []).append(trouble)
    scoped: dict[tuple[str, str, str], list[Trouble]] = {}
    for (kind, cause), troubles in by_cause.items():
        held = {one.scope: one.rolled for one in state.open if (one.kind, one.cause) == (kind, cause)}
        for trouble, scope in _scopes(troubles, held, area_of, whole):
            scoped.setdefault((kind, cause, scope), []).append(trouble)
    seen_at = {
        (one.kind, one.cause, member.unit, member.item): member.seen_at
        for one in state.open
        for member in one.members
    }
    alerts: list[Alert] = []
    notices: list[Notice] = []
    taken = _opened(state, scoped, seen_at, now)
    for alert in (*state.alerts, *(one for one in taken.values() if one.id not in _ids(state))):
        stood = taken.get(alert.name)
        if stood is not None and stood.id == alert.id:
            alert, notice = _told(stood, now)
        elif alert.is_open:
            alert, notice = _gone(alert, taken, now)
        else:
            notice = None
        if alert.is_open or now - (alert.closed_at or 0) < CLOSED_KEPT_S:
            alerts.append(alert)
        if notice is not None:
            notices.append(notice)
    return State(tuple(alerts), done), notices


def acknowledged(state: State, alert_id: str, *, by: str, note: str, now: int) -> State:
    """With an alert that somebody says they know of. KeyError when it is not open."""
    found = next((one for one in state.open if one.id == alert_id), None)
    if found is None:
        raise KeyError(alert_id)
    known = replace(found, acked_at=now, acked_by=by, note=note, told=max(found.told, len(found.units)))
    return replace(state, alerts=tuple(known if one.id == alert_id else one for one in state.alerts))


# -- how -----------------------------------------------------------------------------------------------------


def _standing(
    state: State, found: Mapping[Key, Trouble], now: int
) -> tuple[dict[Key, Trouble], frozenset[Key]]:
    """What stands, and what was let go."""
    held = {
        (one.kind, one.cause, member.unit, member.item): (one, member.seen_at)
        for one in state.open
        for member in one.members
    }
    standing: dict[Key, Trouble] = {}
    done = set(state.done & found.keys())
    for key, trouble in found.items():
        if key in done:
            continue
        alert, seen_at = held.get(key, (None, now))
        known = alert is not None and alert.acked_at is not None and seen_at <= alert.acked_at
        if trouble.over and (known or now - seen_at >= KEEP_S):
            done.add(key)
        else:
            standing[key] = trouble
    return standing, frozenset(done)


def _scopes(
    troubles: list[Trouble], held: Mapping[str, bool], area_of: Callable[[str], str], whole: str
) -> list[tuple[Trouble, str]]:
    """Which alert each trouble of one kind and cause belongs to. held: scopes open now, and if rolled up."""
    if whole in held or troubles[0].kind in WHOLE_AT_ONCE:
        return [(one, whole) for one in troubles]
    areas: dict[str, set[str]] = {}
    for one in troubles:
        areas.setdefault(area_of(one.unit), set()).add(one.unit)
    rolled = {area for area, units in areas.items() if area in held or len(units) >= MANY}
    alone = {unit for area, units in areas.items() if area not in rolled for unit in units}
    ending = held.keys() - {one.unit for one in troubles} - rolled  # stations that fail one after the other
    too_many = len(rolled) > 1 or len(rolled) + len(alone) > ALERTS_MAX
    if too_many or (alone and len(alone) + len(ending) >= MANY):
        return [(one, whole) for one in troubles]
    return [(one, one.unit if one.unit in alone else area_of(one.unit)) for one in troubles]


def _opened(
    state: State, scoped: Mapping[tuple[str, str, str], list[Trouble]], seen_at: Mapping[Key, int], now: int
) -> dict[tuple[str, str, str], Alert]:
    """The alert of each scope with its members: the open one, one that closed lately, or a new one."""
    latest = {one.name: one for one in state.alerts if not one.into}
    found: dict[tuple[str, str, str], Alert] = {}
    for name, troubles in scoped.items():
        members = tuple(Member(one.unit, one.item, one.since, seen_at.get(one.key, now)) for one in troubles)
        alert = latest.get(name)
        if alert is None or (alert.closed_at is not None and now - alert.closed_at >= FLAP_S):
            digest = hashlib.sha256(f"{name}{now}".encode()).hexdigest()
            alert = Alert(digest[:12], *name, now, now)
        elif alert.closed_at is not None:
            flaps = min(FLAPS_MAX, alert.flaps + 1)
            alert = replace(alert, closed_at=None, begun_at=now, flaps=flaps, told=0, told_at=0)
        units = {one.unit for one in members}
        found[name] = replace(
            alert, members=members, gone_at=None, peak=max(alert.peak, len(units)),
            rolled=name[2] not in units,
        )  # fmt: skip
    return found


def _told(alert: Alert, now: int) -> tuple[Alert, Notice | None]:
    """An alert that stands: is there something to tell of it?"""
    units = len(alert.units)
    acked_at = alert.acked_at
    anew = acked_at is not None and any(one.seen_at > acked_at for one in alert.members)
    if anew and now - (acked_at or 0) >= ANEW_S:
        alert = replace(alert, acked_at=None, acked_by="", note="", told=0, begun_at=now)
    settle = SETTLE_S[alert.kind] << alert.flaps
    if alert.told == 0:
        if alert.acked_at is not None or now - alert.begun_at < settle:
            return alert, None
        what = "opened"
    elif units >= 2 * alert.told and units >= alert.told + MANY:
        what = "grown"
    else:
        return alert, None
    alert = replace(alert, told=units, told_at=now)
    return alert, Notice(what, alert, f"{alert.id}-{what}-{now}")


def _gone(alert: Alert, taken: Mapping[tuple[str, str, str], Alert], now: int) -> tuple[Alert, Notice | None]:
    """An open alert none of whose troubles stand in it any more."""
    heirs = [
        one for one in taken.values()
        if (one.kind, one.cause) == (alert.kind, alert.cause) and set(alert.units) <= set(one.units)
    ]  # fmt: skip
    if heirs and alert.members:
        return replace(alert, members=(), closed_at=now, gone_at=now, into=heirs[0].id), None
    gone_at = alert.gone_at if alert.gone_at is not None else now
    if now - gone_at < HOLD_S[alert.kind]:
        return replace(alert, members=(), gone_at=gone_at), None
    closed = replace(alert, members=(), gone_at=gone_at, closed_at=now)
    if not alert.told_at:
        return closed, None
    return closed, Notice("resolved", closed, f"{alert.id}-resolved-{now}")


def _ids(state: State) -> frozenset[str]:
    return frozenset(one.id for one in state.alerts)
