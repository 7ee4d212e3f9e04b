"""The hub as a service of systemd: the unit that describes it, and what counts as its sign of life.

Two things must go on for a hub to be of use: the turn that keeps the views, which takes the hub's one lock
and its databases, and an answer of its web server. So a sign of life is said after a whole turn, and only
when the hub has just answered a request that it made to itself over a real socket. A deadlock, a disk that
hangs, a listener that is gone or workers that all wait starve the watchdog alike.

Ready is the same: the hub has answered once. Without a manager that asks, no such request is made.

Bound: text, and when to say what. How it is said: `ledger.service`; the request itself: `hub.serving`.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import Final

from ledger.service import Manager, unit_of

logger = logging.getLogger("loa.hub")

WATCHDOG_S: Final = 180  # the longest deed under the lock, a stick of many weeks, takes a part of it


class Pulse:
    """manager: who wants to hear. answers: asks the hub's own page, True when it answered, bounded in time.
    line: one line for people.
    """

    def __init__(self, manager: Manager, answers: Callable[[], bool], line: Callable[[], str]) -> None:
        self._manager = manager
        self._answers = answers
        self._line = line
        self._is_ready = self._is_mute = False

    def turned(self) -> None:
        """A whole turn of the upkeep is over."""
        if self._is_ready and not self._manager.is_due:
            return
        if not self._manager.is_heard or self._answered():
            if not self._is_ready:
                self._is_ready = True
                self._manager.ready()
            self._manager.turned(self._line)

    def _answered(self) -> bool:
        answered = self._answers()
        if not answered and not self._is_mute:
            logger.warning("the hub does not answer its own call")
        self._is_mute = not answered
        return answered


def status_line(name: str, province: str, events: int, doubts: Sequence[str]) -> str:
    """One line for `systemctl status`."""
    parts = [f"{events} segments in the ledger", *(doubt.partition(": ")[0] for doubt in doubts)]
    return f"{name} ({province}): {', '.join(parts)}"


def called_at(host: str) -> str:
    """Where a hub that listens on `host` hears a call from its own machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "127.0.0.1"
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "::1"
    return host


def unit_text(*, folder: str, command: Sequence[str], user: str, name: str, systemd: int = 0) -> str:
    """The systemd unit of the hub in this folder. command: argv, an absolute path first. systemd: the version
    that will read it; 0: unknown.

    Raises NotAllowed when one of them cannot stand in a unit, or the user is root.
    """
    return unit_of(
        _UNIT, folder=folder, command=command, user=user, name=name, watchdog_s=WATCHDOG_S, systemd=systemd
    )


_UNIT: Final = """\
# Written by `loa hub unit`. Changes of your own belong into `systemctl edit`, not here.
[Unit]
Description=Loa hub {name}
# No NTP server is waited for: the hub judges its clock itself, and says what it doubts.
After=local-fs.target network.target time-set.target
RequiresMountsFor={folder}
# Never give up. A hub that refused its clock starts by itself as soon as the clock is right.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={argv}
User={user}
WorkingDirectory={directory}
UMask=0077
# What a library puts into a home is swept away with /tmp.
Environment=PYTHONUNBUFFERED=1 HOME=/tmp
UnsetEnvironment=LOA_TEMPO LOA_PASSWORD LOA_NEW_PASSWORD

# Ready is a hub that has answered. Before that it may have to build its views from the whole ledger.
TimeoutStartSec=1800
WatchdogSec={watchdog_s}
KillMode=mixed
TimeoutStopSec=30
{again}
# Each station that holds a line to the doorbell is an open file.
LimitNOFILE=4096
TasksMax=256
# A recording that is too much for ffmpeg is refused; the hub itself goes on.
OOMPolicy=continue

{hardened}ReadWritePaths={folder}
ProtectHome={home}
PrivateDevices=yes
PrivateUsers=yes

[Install]
WantedBy=multi-user.target
"""
