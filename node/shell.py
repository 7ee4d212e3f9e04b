"""The loop around a station on a real machine: its clocks, its network thread, its signals, its sleep.

The only part of the node that knows the operating system. It builds the ports, calls `tick`, and sleeps
until the station wants to be called, the courier has a result, or somebody asks it to stop. SIGTERM ends it
cleanly; SIGKILL needs no help from here.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import signal
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final, TypeVar

from ledger.facts import Evidence
from ledger.kernel import synchronised
from ledger.log import DiskStore, LoaError, NotAllowed, Store, VerifyKey
from ledger.service import Manager
from ledger.tempo import TempoReader
from node.clock import Confidence, SystemClock, TempoClock
from node.clusters.driver import ClusterDriver
from node.clusters.listing import ClusterEntry
from node.config import StationConfig, load_config
from node.disk.ground import Ground
from node.link.courier import ThreadCourier
from node.link.doorbell import Doorbell
from node.link.transport import HttpTransport, Limits
from node.page.hatch import Hatch
from node.page.office import Office
from node.page.person_desk import manage
from node.service import status_line
from node.sound.player import NullPlayer, Player
from node.station import Station
from node.stick.desk import Desk
from node.wake import Wake

logger = logging.getLogger("loa.node")

# Under accelerated time: neither a busy loop nor a sleep through an anchor added meanwhile (real seconds).
TEMPO_SLEEP_MIN_S: Final = 0.005
TEMPO_SLEEP_MAX_S: Final = 0.5
# Accelerated seconds pass while a real exchange is under way: only real deadlines count then.
TEMPO_PATIENCE_S: Final = 30 * 86_400.0
QUIET_S: Final = 60.0  # nothing is due for so long: time to go home from memory to the disk
CONNECT_S: Final = 10.0  # to the doorbell: it tries again, later and later

_RTC: Final = "/sys/class/rtc/rtc0"
_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"

T = TypeVar("T")


def kernel_trust() -> Callable[[], Confidence]:
    """Asks the kernel whether an NTP daemon keeps its clock; else whether there is a battery clock."""
    fallback = Confidence.RTC if Path(_RTC).exists() else Confidence.UNKNOWN
    asked = synchronised()
    if asked is None:
        return lambda: fallback
    return lambda: Confidence.NTP if asked() else fallback


class OneThread(Executor):
    """One daemon thread, from the first job on: a process that is told to end does not wait for a slow line.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._started = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        if not self._started:
            self._started = True
            threading.Thread(target=self._work, name="helper", daemon=True).start()
        future: Future[T] = Future()
        self._jobs.put((future, lambda: fn(*args, **kwargs)))
        return future

    def _work(self) -> None:
        while True:
            future, job = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = job()
            except BaseException as error:
                future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                future.set_result(result)


@dataclass(frozen=True)
class Wishes:
    """What the command line asked for. player: "null", "mpv" or "" for what the machine has.

    page: where to serve the commune's page, before what station.toml says.
    """

    player: str = ""
    ao: str = "alsa"
    tempo: str = ""
    page: str = ""


def make_player(wishes: Wishes, capture: str = "") -> Player:
    """The player asked for, or the best there is, with an ear when there is a capture device.

    Raises PlayerError("mpv-missing").
    """
    import shutil

    if wishes.tempo and wishes.player == "mpv":
        raise NotAllowed(
            "tempo-mpv", "a real loudspeaker cannot follow an accelerated clock", hint="use --player null"
        )
    if wishes.player == "null" or (not wishes.player and (wishes.tempo or shutil.which("mpv") is None)):
        return NullPlayer()
    from node.sound.mpv import MpvPlayer

    if not capture:
        return MpvPlayer(ao=wishes.ao)
    from node.sound.listening import HearingPlayer
    from node.sound.mpv_ears import LevelPipe, Microphone, tapping

    levels = LevelPipe()
    player = MpvPlayer(ao=wishes.ao, extra=(tapping(levels.path),))
    return HearingPlayer(player, levels, lambda: Microphone(capture), device=capture)


def plain_words(player: Player) -> str:
    """One sentence on what this station can prove."""
    level = player.ceiling.name.lower()
    if player.ceiling <= Evidence.DELIVERED:
        return f"no loudspeaker is driven (player {player.name}): its evidence level is `{level}` at most"
    speaks = getattr(player, "can_speak", False)
    voice = "" if speaks else "; espeak-ng is not installed, so texts without a recording cannot be spoken"
    ear = getattr(player, "ear", "no capture device is set, so nobody here hears what the loudspeaker says")
    return f"player {player.name}: its evidence level is `{level}` at most{voice}; {ear}"


def run(folder: Path, wishes: Wishes, say: Callable[[str], None]) -> None:
    """Runs the station of this folder until SIGTERM or SIGINT. Raises LoaError.

    Ready, to people and to the service manager, is a station that has looked at its plan once: what is due
    sounds by then. No exchange is waited for.
    """
    manager = Manager.of(os.environ, os.getpid(), time.monotonic)
    wake = Wake()
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    ground = make_ground(folder)
    hatch = Hatch(wake.set)
    while True:
        try:
            _live(ground, wishes, say, manager, wake, asked, hatch)
        except (LoaError, sqlite3.Error, UnicodeDecodeError) as error:
            ground.failed(error)  # raises it when another life would not help
        if asked:
            return


def _live(
    ground: Ground, wishes: Wishes, say: Callable[[str], None], manager: Manager, wake: Wake,
    asked: list[int], hatch: Hatch,
) -> None:  # fmt: skip
    """One life: a station on one store, until it is asked to stop, or may go home to its disk."""
    store = ground.start()
    over = threading.Event()
    ends: list[Callable[[], None]] = [over.set]  # what this life began and nobody else ends
    try:
        config = load_config(store)
        player = make_player(wishes, config.capture)
        ends.append(player.close)
        clock = make_clock(wishes.tempo)
        if isinstance(clock, TempoClock):
            config = replace(config, stall_s=TEMPO_PATIENCE_S, job_deadline_s=TEMPO_PATIENCE_S)
        transport = HttpTransport(config.hub_url, mono=time.monotonic, limits=Limits())
        courier = ThreadCourier(transport, OneThread(), wake.set)
        station = Station(
            config, store, clock, courier, player, entropy=os.urandom, rng=random.SystemRandom(),
            clusters=_drive, storage=int(ground.footing),
        )  # fmt: skip
        if config.doorbell:
            _hold_doorbell(config, station, courier, over)
        office = Office(station)
        desk = Desk(
            station, OneThread().submit, lambda request: manage(office, request), lambda: office.stick_busy
        )
        office.desk_busy = lambda: desk.is_busy
        page = wishes.page or config.page
        if page and not hatch.is_open:
            _open_page(page, hatch, config)
        if page and not ground.footing:
            _hold_reading(store, office, hatch, over)

        def ready() -> None:
            if ground.told:
                say(f"NOTE {ground.told}")
            say(f"READY {config.unit} {config.name} → {config.hub_url}; {plain_words(player)}")
            if station.watch.problem is not None:
                say(station.watch.problem.explain())
            manager.ready()

        _loop(
            station, desk, clock, wake, asked, config, manager, ready,
            lambda: station.is_quiet(QUIET_S) and ground.wants_home(), lambda: hatch.serve(office),
        )  # fmt: skip
        if asked:
            manager.stopping()
        station.close()
        if asked:
            say(f"STOPPED {config.unit}")
    finally:
        for end in reversed(ends):
            end()
        ground.close()


def _loop(
    station: Station, desk: Desk, clock: SystemClock | TempoClock, wake: Wake, asked: list[int],
    config: StationConfig, manager: Manager, ready: Callable[[], None],
    goes_home: Callable[[], bool] = lambda: False,
    serve: Callable[[], bool] = lambda: False,
) -> None:  # fmt: skip
    first = True
    while not asked and not goes_home():
        desk_s = desk.look()
        page_s = 0.0 if serve() else float("inf")
        real_s = min(clock.real_wait_s(station.tick()), desk_s, page_s, manager.pause_s)
        if first:
            ready()
            first = False
        manager.turned(lambda: status_line(station.status()))
        if isinstance(clock, TempoClock):
            real_s = min(max(real_s, TEMPO_SLEEP_MIN_S), TEMPO_SLEEP_MAX_S)
        wake.wait(min(real_s, config.idle_cap_s))


def _drive(clusters: Sequence[ClusterEntry]) -> ClusterDriver:
    """The clusters of the list, over this machine's sockets."""
    from node.clusters.bringing import LineDriver
    from node.clusters.lines import Lines

    return LineDriver(clusters, Lines(clusters, time.monotonic), entropy=os.urandom)


def _open_page(address: str, hatch: Hatch, config: StationConfig) -> None:
    """The commune's page, once a process."""
    from node.page.page_server import hold_page

    def make_app() -> Any:
        from node.web import create_app

        return create_app(hatch.ask, entropy=os.urandom, name=config.name, unit=config.unit)

    hold_page(address, make_app, time.sleep)
    hatch.is_open = True


def _hold_reading(store: Store, office: Office, hatch: Hatch, over: threading.Event) -> None:
    """A daemon thread that reads documents for searching; a life in memory has other worries."""
    from ledger.content import TextIndex, pdf_reader
    from node.page.reading import Reading

    office.texts, read_pdf = TextIndex(store), pdf_reader()
    office.reads_pdf = read_pdf is not None
    reading = Reading(hatch.ask, office.texts, read_pdf)
    threading.Thread(target=reading.run, args=(over.wait,), name="reading", daemon=True).start()


def _hold_doorbell(
    config: StationConfig, station: Station, courier: ThreadCourier, over: threading.Event
) -> None:
    """A daemon thread: it has nothing to save."""
    bell = Doorbell(
        station.key, VerifyKey(config.hub_key), connect=lambda: _connected(config.doorbell),
        cursor=lambda: station.cursor, ring=courier.ring, pause=over.wait, mono=time.monotonic,
        rng=random.SystemRandom(),
    )  # fmt: skip
    threading.Thread(target=bell.run, name="doorbell", daemon=True).start()


def _connected(address: str) -> socket.socket:
    """A connection to a doorbell, named as in station.toml. Raises OSError."""
    secure = address.startswith("tls:")
    host, _, port = address.removeprefix("tls:").rpartition(":")
    host = host.strip("[]")
    line = socket.create_connection((host, int(port)), timeout=CONNECT_S)
    if not secure:
        return line
    from node.link.bounded import tls_context

    try:
        return tls_context().wrap_socket(line, server_hostname=host)
    except OSError:
        line.close()
        raise


def make_ground(folder: Path) -> Ground:
    """What the station of this folder stands on."""
    return Ground(
        disk=lambda: DiskStore(folder), look=lambda: DiskStore(folder, readonly=True),
        above=lambda: DiskStore(refuge_folder(folder)), boot=_boot(), entropy=os.urandom, mono=time.monotonic,
    )  # fmt: skip


def refuge_folder(folder: Path) -> Path:
    """Where in the machine's memory the station of this folder goes on when its disk fails.

    Systemd gives a folder that outlives the process; anybody else gets one that only they can read.
    """
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0] or "/run/loa"
    if os.access(given, os.W_OK):
        return Path(given) / name
    own = Path("/dev/shm") / f"loa-{os.getuid()}"  # noqa: S108 — made sure below that it is ours alone
    own.mkdir(mode=0o700, exist_ok=True)
    found = own.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise NotAllowed("refuge-folder", f"{own} belongs to somebody else, or others may look into it")
    return own / name


def make_clock(tempo: str) -> SystemClock | TempoClock:
    """The machine's clock, or the accelerated one that this file describes."""
    if not tempo:
        return SystemClock(time.time, time.monotonic, kernel_trust(), _boot())
    return TempoClock(TempoReader(Path(tempo).read_bytes, time.monotonic), _boot())


def _boot() -> str:
    """The kernel's name for this life of the machine; "" where it gives none."""
    try:
        return Path(_BOOT_ID).read_text("ascii").strip()[:64]
    except (OSError, UnicodeDecodeError):
        return ""
