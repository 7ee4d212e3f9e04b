"""The hub's own clock: it signs times for a whole province, so it is doubted before anybody else's is.

Stations learn the time from the hub's signature, and what they once learnt is a lower bound for them. So a
hub whose clock runs ahead silences emergencies that are then over for them, and one that runs behind signs
what it did before it. Three things are looked at: whether the kernel's clock is kept by NTP, whether it
stands before the newest time this hub signed, and whether it stands far beyond it.

    ahead or behind by more than a little   the hub does not start, and stops when it happens while it serves
    a little behind                         it waits: its time stands still until the clock has caught up
    not kept by NTP                         it says so, and goes on

The machine and the newest signed time are both witnesses; which of the two is wrong, a person must say.

Bound: no clock is read here; the shell hands them in.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Final

from ledger.facts import UTC_OFFSET_S, ClockStepped
from ledger.log import Ledger, SigningKey, StoreError, decode

BEHIND_MAX_S: Final = 120  # NTP sets a clock back by less; so much the hub waits
AHEAD_MAX_S: Final = 400 * 86_400  # a hub that rested longer than a year and a month is checked by a person
PERSON: Final = "person"  # the source of a step that a person answers for

_VIETNAM: Final = dt.timezone(dt.timedelta(seconds=UTC_OFFSET_S))
_HOW: Final = (
    "set this machine's clock (timedatectl), then start again; if the clock is right: "
    "loa hub serve --clock-checked (docs/how-to/operate-the-hub.md)"
)


def newest_signed(ledger: Ledger, key_id: bytes) -> int:
    """The time of the last event this hub signed, UTC s; 0 when it signed none."""
    head, _ = ledger.tables.last_own_log(key_id)
    if head is None:
        return 0
    stored = ledger.segments_of(head.log, head.next_seq - 1)
    ts = decode(stored[-1].segment.events[-1])[1] if stored else 0
    return ts if isinstance(ts, int) else 0


class HubClock:
    """Seconds that never go back behind what was signed. clock: the machine's, UTC s.

    synced: what the kernel says, None when it is not asked (accelerated time).
    """

    def __init__(self, clock: Callable[[], int], synced: Callable[[], bool] | None) -> None:
        self._clock = clock
        self._synced = synced
        self._guard = threading.Lock()
        self._floor_s = 0  # the newest time that was signed or given out; nothing earlier is

    def __call__(self) -> int:
        with self._guard:
            now_s = self._clock()
            if not self._is_far(now_s):
                self._floor_s = max(self._floor_s, now_s)
            return self._floor_s

    def follow(self, signed_s: int) -> None:
        """The newest signed time, at a start."""
        with self._guard:
            self._floor_s = signed_s

    def check(self) -> None:
        """Raises StoreError: `clock-behind`, `clock-ahead`."""
        now_s = self._clock()
        if now_s < self._floor_s - BEHIND_MAX_S:
            raise StoreError(
                "clock-behind",
                f"this machine's clock says {said(now_s)}, but this hub has signed {said(self._floor_s)}",
                hint=_HOW,
            )
        if self._is_far(now_s):
            raise StoreError(
                "clock-ahead",
                f"this machine's clock says {said(now_s)}, more than 400 days after {said(self._floor_s)}, "
                "when this hub signed last",
                hint=_HOW,
            )

    def doubts(self) -> list[str]:
        """What a person should know, in lines; empty when all is well."""
        found = []
        if self._synced is not None and not self._synced():
            found.append(
                "clock-unsynchronised: the kernel says that no NTP daemon keeps this clock. "
                "Stations take their time from it: timedatectl set-ntp true"
            )
        try:
            self.check()
        except StoreError as error:
            found.append(f"{error.code}: {error.what}. {error.hint}")
        return found

    @property
    def is_synced(self) -> bool | None:
        """What the kernel says; None when it is not asked."""
        return None if self._synced is None else self._synced()

    def accept(self, ledger: Ledger, key: SigningKey) -> bool:
        """A person has checked the clock: from here on it counts, and the log says so. False: no need was.

        The step is signed with both times, so everything the hub signed before can be timed anew.
        """
        try:
            self.check()
        except StoreError:
            now_s = self._clock()
            with self._guard:
                before_s, self._floor_s = self._floor_s, now_s
            with ledger.transaction():
                ledger.append(key, ClockStepped(now_s, before_s, now_s, PERSON).encode())
                ledger.seal(key)
            return True
        return False

    def _is_far(self, now_s: int) -> bool:
        return 0 < self._floor_s < now_s - AHEAD_MAX_S


def said(utc_s: int) -> str:
    """`17:05 23-11-2026`, Vietnam's time."""
    return f"{dt.datetime.fromtimestamp(utc_s, _VIETNAM):%H:%M %d-%m-%Y}"
