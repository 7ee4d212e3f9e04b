"""A process of ours as a service of systemd: what it tells its manager, and the words of a unit file.

The manager starts it at boot, again after every end, and again when it no longer turns. What counts as a turn
the one who drives the loop decides; it is said there and at no other place, for a thread of its own would
hide exactly what the watchdog is for.

What is said is one datagram a time to the socket that `$NOTIFY_SOCKET` names (`sd_notify`): `READY=1`,
`STATUS=…`, `WATCHDOG=1`, `STOPPING=1`. Nobody listening is no error, and a full socket holds nothing up.

`HARDENED` is what station and hub have in common of a unit: it takes from the process whatever neither uses.
What it must keep, and why:

    adjtimex            reads whether NTP keeps the clock; nobody here has the right to set it
    /proc/sys           the kernel's name for this boot; so /proc is not cut down to processes

Bound: text and datagrams, and one look at which systemd is here. What runs, and when it is alive, is the
station's and the hub's.
"""

from __future__ import annotations

import logging
import re
import socket
import subprocess
from collections.abc import Callable, MutableMapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from ledger.log import NotAllowed

logger = logging.getLogger("loa.service")

SIGNS: Final = 3  # signs of life within the time the manager allows: one may come late
STATUS_EVERY_S: Final = 40.0  # the line for people where nobody wants signs of life
STATUS_CHARS_MAX: Final = 300
BACKING_OFF: Final = 254  # the first systemd that waits longer after each end
_HOMES: Final = ("/home", "/root", "/run/user")
_VERSION: Final = re.compile(r"systemd (\d{1,6})\b", re.ASCII)


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

    @property
    def is_heard(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._address)

    @property
    def is_due(self) -> bool:
        """Whether the next turn will be told."""
        # Without a watchdog the line for people is kept fresh all the same.
        waits_s = min(self.pause_s / 2, STATUS_EVERY_S)
        return bool(self._address) and self._mono() - self._signed_s >= waits_s

    def ready(self) -> None:
        """It does what it is for."""
        self._owes_ready = not self._tell("READY=1")

    def turned(self, status: Callable[[], str]) -> None:
        """A whole turn of the loop is over. status: asked only when something is to be said."""
        if self._owes_ready:
            self.ready()
        if not self.is_due:
            return
        self._signed_s = self._mono()
        said = "" if self.pause_s == float("inf") else "WATCHDOG=1\n"
        line = " ".join(status().split())[:STATUS_CHARS_MAX]
        if line != self._status:
            said += f"STATUS={line}\n"
        if said and self._tell(said):
            self._status = line

    def stopping(self) -> None:
        """An end was asked for, and takes a moment."""
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


def version_of(said: str) -> int:
    """The version by what `systemctl --version` says; 0 when it does not say one."""
    found = _VERSION.match(said)
    return 0 if found is None else int(found[1])


def version_here() -> int:
    """The version of this machine's systemd; 0 where there is none."""
    try:
        asked = subprocess.run(
            ["systemctl", "--version"], capture_output=True, text=True, errors="replace", timeout=10,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return version_of(asked.stdout)


def checked(*, folder: str, command: Sequence[str], user: str, name: str) -> None:
    """Raises NotAllowed when one of them cannot stand in a unit, or the user is root."""
    for text in (folder, name, *command, user):
        if any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in text):
            raise NotAllowed("unit-text", f"{text!r} cannot stand in a unit: it holds a control character")
    if user in ("root", "0", ""):
        raise NotAllowed("unit-root", "a service of Loa does not run as root", hint="useradd --system")
    for path in (folder, command[0]):
        if not PurePosixPath(path).is_absolute():
            raise NotAllowed("unit-path", f"{path} is not an absolute path")


def unit_of(
    template: str, *, folder: str, command: Sequence[str], user: str, name: str, watchdog_s: int,
    systemd: int = 0,
) -> str:  # fmt: skip
    """A unit file from its template: whatever station and hub fill in alike, quoted as systemd reads it.

    command: argv, an absolute path first. systemd: the version that will read it; 0: unknown.
    Raises NotAllowed when one of them cannot stand in a unit, or the user is root.
    """
    checked(folder=folder, command=command, user=user, name=name)
    return template.format(
        name=name.replace("%", "%%"), argv=" ".join(quoted(word, command=True) for word in command),
        user=quoted(user), folder=quoted(folder), directory=folder.replace("%", "%%"),
        home="read-only" if at_home(folder, command[0]) else "yes", watchdog_s=watchdog_s,
        again=again(systemd), hardened=HARDENED,
    )  # fmt: skip


def program_of(argv0: str, executable: str, is_file: Callable[[PurePosixPath], bool]) -> list[str]:
    """How this installation is called by somebody who has no PATH and no virtual environment.

    As it was called now, where that is a whole path: a link to the version in use stays a link.
    """
    for found in (PurePosixPath(argv0), PurePosixPath(executable).parent / "loa"):
        if found.is_absolute() and found.name == "loa" and is_file(found):
            return [str(found)]
    return [executable, "-m", "sim.main"]


def at_home(*paths: str) -> bool:
    """Whether one of them lies where people keep their own things."""
    return any(PurePosixPath(path).is_relative_to(home) for path in paths for home in _HOMES)


def quoted(word: str, *, command: bool = False) -> str:
    """A word as it must stand in a unit. command: in one, where a dollar sign means a variable."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if command:
        word = word.replace("$", "$$")
    return f'"{word}"' if any(sign in word for sign in " '\"\\;") else word


def again(systemd: int) -> str:
    """The lines that start a service again after any end. systemd: its version; an unknown one is 0."""
    lines = "Restart=always\nRestartSec=10\n"
    if systemd >= BACKING_OFF:  # an older one would complain of both at every boot
        lines += "# In six steps up to five minutes.\nRestartSteps=6\nRestartMaxDelaySec=300\n"
    return lines


HARDENED: Final = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
PrivateTmp=yes
PrivateMounts=yes
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
"""
