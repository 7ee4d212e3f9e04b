"""A station as a service of systemd: the unit that describes it, and what the process tells its manager.

The manager starts it at boot, again after every end, and again when it no longer turns. So the loop says a
sign of life after each whole turn and at no other place: a look at the plan that hangs, a disk that does not
answer or a deadlock starves the watchdog, and a thread of its own would hide exactly that.

What is said is one datagram a time to the socket that `$NOTIFY_SOCKET` names (`sd_notify`): `READY=1`,
`STATUS=…`, `WATCHDOG=1`, `STOPPING=1`. Nobody listening is no error, and a full socket holds nothing up.

The unit takes from the process whatever it does not use. What it must keep, and why:

    adjtimex            reads whether NTP keeps the clock; nobody here has the right to set it
    /proc/sys           the kernel's name for this boot; so /proc is not cut down to processes
    char-alsa           the sound card; no other device
    no network wait     it plays what it has; it starts after the clock was set from what the machine knows

Bound: text and datagrams. When to say what is the shell's, who may run it is the technician's.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from ledger.log import NotAllowed
from node.status import Status, local_time

logger = logging.getLogger("loa.node")

WATCHDOG_S: Final = 120  # a turn takes milliseconds; the slowest disk that still works, far less than this
STORAGE: Final = ("", "is full", "cannot be written")  # by `Condition.storage`
SIGNS: Final = 3  # signs of life within the time the manager allows: one may come late
STATUS_CHARS_MAX: Final = 300
_HOMES: Final = ("/home", "/root", "/run/user")


class Manager:
    """Whoever started us and wants to hear how it goes. address: of its datagram socket; "" for nobody.

    watchdog_s: real seconds within which it wants signs of life; 0 for none. mono: monotonic seconds.
    """

    def __init__(self, address: str, watchdog_s: float, mono: Callable[[], float]) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._mono = mono
        self._signed_s = float("-inf")
        self._status = ""
        self._owes_ready = self._failing = False
        wants = bool(address) and watchdog_s > 0
        self.pause_s: Final = watchdog_s / SIGNS if wants else float("inf")
        """The loop may sleep so long at most."""

    @classmethod
    def of(cls, environ: MutableMapping[str, str], pid: int, mono: Callable[[], float]) -> Manager:
        """As the environment says; its variables are taken out, so that no child speaks in our name."""
        address = environ.pop("NOTIFY_SOCKET", "")
        period_us = environ.pop("WATCHDOG_USEC", "")
        meant = environ.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")):
            address = ""
        ours = meant in ("", str(pid)) and period_us.isascii() and period_us.isdigit()
        ours = ours and len(period_us) <= 20
        return cls(address, int(period_us) / 1e6 if ours else 0.0, mono)

    def ready(self) -> None:
        """The station can play what it has."""
        self._owes_ready = not self._tell("READY=1")

    def turned(self, status: Callable[[], str]) -> None:
        """A whole turn of the loop is over. status: asked only when something is to be said."""
        if self._owes_ready:
            self.ready()
        now_s = self._mono()
        # Without a watchdog the line for people is kept fresh all the same.
        if not self._address or now_s - self._signed_s < min(self.pause_s / 2, WATCHDOG_S / SIGNS):
            return
        self._signed_s = now_s
        said = "" if self.pause_s == float("inf") else "WATCHDOG=1\n"
        line = " ".join(status().split())[:STATUS_CHARS_MAX]
        if line != self._status:
            said += f"STATUS={line}\n"
        if said and self._tell(said):
            self._status = line

    def stopping(self) -> None:
        """An end was asked for; what sounds is being acknowledged."""
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> bool:
        """False when somebody should have heard it and did not."""
        if not self._address:
            return True
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)
                line.sendto(words.encode(), self._address)
        except OSError as error:
            if not self._failing:
                logger.warning("the service manager does not hear us: %s", error)
            self._failing = True
            return False
        self._failing = False
        return True


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
    parts.append(f"last good exchange {local_time(found.sync_ok_s)}")
    return f"{found.name} ({found.unit}): {', '.join(parts)}"


def unit_text(*, folder: str, command: Sequence[str], user: str, name: str) -> str:
    """The systemd unit of the station in this folder. command: argv, an absolute path first.

    Raises NotAllowed when one of them cannot stand in a unit, or the user is root.
    """
    for text in (folder, name, *command, user):
        if any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in text):
            raise NotAllowed("unit-text", f"{text!r} cannot stand in a unit: it holds a control character")
    if user in ("root", "0", ""):
        raise NotAllowed("unit-root", "a station does not run as root", hint="useradd --system loa")
    for path in (folder, command[0]):
        if not PurePosixPath(path).is_absolute():
            raise NotAllowed("unit-path", f"{path} is not an absolute path")
    paths = PurePosixPath(folder), PurePosixPath(command[0])
    at_home = any(path.is_relative_to(home) for path in paths for home in _HOMES)
    argv = " ".join(_quoted(word, command=True) for word in command)
    return _UNIT.format(
        name=name.replace("%", "%%"), argv=argv, user=_quoted(user), folder=_quoted(folder),
        home="read-only" if at_home else "yes", watchdog_s=WATCHDOG_S,
        directory=folder.replace("%", "%%"),
    )  # fmt: skip


def _quoted(word: str, *, command: bool = False) -> str:
    """A word as it must stand in a unit. command: in one, where a dollar sign means a variable."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        word = word.replace("$", "$$")
    return f'"{word}"' if any(sign in word for sign in " '\"\\;") else word


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
Environment=PYTHONUNBUFFERED=1
UnsetEnvironment=LOA_TEMPO

# Ready takes a second or two; a store that was cut off verifies itself first.
TimeoutStartSec=300
WatchdogSec={watchdog_s}
# Told to end, the station stops its player itself and acknowledges how far the item came.
KillMode=mixed
TimeoutStopSec=30
Restart=always
# Ten seconds; where systemd is 254 or newer, in six steps up to five minutes.
RestartSec=10
RestartSteps=6
RestartMaxDelaySec=300

MemoryHigh=256M
MemoryMax=384M
TasksMax=64
# A player that took too much is started again by the station; the station itself goes on.
OOMPolicy=continue

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ReadWritePaths={folder}
ProtectHome={home}
PrivateTmp=yes
PrivateMounts=yes
DevicePolicy=closed
DeviceAllow=char-alsa rw
ProtectProc=invisible
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectHostname=yes
# Not ProtectClock: it forbids to read whether NTP keeps the clock. Without capabilities nobody can set it.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources @privileged @keyring
SystemCallFilter=adjtimex clock_adjtime clock_adjtime64
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
