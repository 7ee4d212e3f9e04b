"""A station as a service of systemd: the unit that describes it, and its line for people.

The loop says a sign of life after each whole turn and at no other place: a look at the plan that hangs, a
disk that does not answer or a deadlock starves the watchdog. How it is said: `ledger.service`.

Beyond what every service of ours keeps, a station keeps:

    char-alsa           the sound card; no other device
    no network wait     it plays what it has; it starts after the clock was set from what the machine knows

Bound: text. When to say what is the shell's, who may run it is the technician's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.service import unit_of
from node.status import Status, local_time

WATCHDOG_S: Final = 120  # a turn takes milliseconds; the slowest disk that still works, far less than this
STORAGE: Final = ("", "is full", "cannot be written")  # by `Condition.storage`


def status_line(found: Status) -> str:
    """One line for `systemctl status`."""
    live = found.live
    parts = []
    if live is not None:
        playing = live.playing_title or "an item without a title"
        parts.append("silent" if live.playing is None else f"playing “{playing}”")
        parts.append(f"clock {live.confidence.name.lower()}")
        if live.missing:
            parts.append(f"{live.missing} pieces of content missing")
        if live.failures:
            parts.append(f"{live.failures} exchanges in a row failed")
        if live.storage:
            parts.append(f"the disk {STORAGE[live.storage]}, everything is kept in memory")
        if live.ear:
            parts.append(live.ear)
    if found.outcomes:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(found.outcomes.items()))
        parts.append(f"today {counts}")
    parts.append(f"last good exchange {local_time(found.sync_ok_s)}")
    return f"{found.name} ({found.unit}): {', '.join(parts)}"


def unit_text(*, folder: str, command: Sequence[str], user: str, name: str, systemd: int = 0) -> str:
    """The systemd unit of the station in this folder. command: argv, an absolute path first. systemd: the
    version that will read it; 0: unknown.

    Raises NotAllowed when one of them cannot stand in a unit, or the user is root.
    """
    return unit_of(
        _UNIT, folder=folder, command=command, user=user, name=name, watchdog_s=WATCHDOG_S, systemd=systemd
    )


_UNIT: Final = """\
# Written by `loa node unit`. Changes of your own belong into `systemctl edit`, not here.
[Unit]
Description=Loa station {name}
# The clock as the machine itself can set it. Neither the network nor an NTP server is waited for.
After=local-fs.target sound.target time-set.target
RequiresMountsFor={folder}
# Never give up: nobody is there to start it by hand.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={argv}
User={user}
SupplementaryGroups=audio
WorkingDirectory={directory}
# In memory, and kept over restarts: where the station goes on while its disk is full or read-only.
RuntimeDirectory=loa
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
UMask=0077
# What a library puts into a home, PulseAudio's above all, is swept away with /tmp.
Environment=PYTHONUNBUFFERED=1 HOME=/tmp
UnsetEnvironment=LOA_TEMPO

# Ready takes a second or two; a store that was cut off verifies itself first.
TimeoutStartSec=300
WatchdogSec={watchdog_s}
# Told to end, the station stops its player itself and acknowledges how far the item came.
KillMode=mixed
TimeoutStopSec=30
{again}
MemoryHigh=256M
MemoryMax=384M
TasksMax=64
# A player that took too much is started again by the station; the station itself goes on.
OOMPolicy=continue

{hardened}ReadWritePaths={folder}
ProtectHome={home}
DevicePolicy=closed
DeviceAllow=char-alsa rw

[Install]
WantedBy=multi-user.target
"""
