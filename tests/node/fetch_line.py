"""A real hub behind a real web server, a line that breaks, and a station: content over loopback HTTP.

The station's clock is the test's, so that waiting costs nothing; bytes are counted where they leave the
line for the station's socket.
"""

from __future__ import annotations

import io
import random
import select
import socket
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from station_world import DAY, MORNING, UNIT, TestClock
from waitress import wasyncore
from waitress.server import create_server

from hub import KDF_CHEAP, Hub, Upload, found
from hub.web import WAITRESS, create_app
from ledger.log import DiskStore

SIZE = 20_000_000
DIES_EVERY = 200_000
HEAD_BYTES = 200  # of an answer with content: 190 to 210
PASSWORDS = {"admin": "quantri-2022", "bientap": "bientap-2022", "lanhdao": "lanhdao-2022"}


def recording(size: int, seed: int = 1) -> bytes:
    """A WAV of noise, so that no two of its chunks are alike."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(random.Random(seed).randbytes((size - 44) // 2 * 2))
    return out.getvalue()


class ServedHub:
    """One province's hub on a real disk behind waitress. `restart` is another process, on another port."""

    def __init__(self, folder: Path, clock: TestClock) -> None:
        self.clock = clock
        self._folder = folder
        self._lives = 0
        self._store = DiskStore(folder)
        found(
            self._store, now=self._now(), entropy=random.Random(1).randbytes, password=PASSWORDS["admin"],
            kdf=KDF_CHEAP,
        )  # fmt: skip
        self._serve()

    def _now(self) -> int:
        return int(self.clock.utc_s)

    def _serve(self) -> None:
        from hub import load_config as load_hub

        self._lives += 1
        self.hub = Hub(
            self._store, config=load_hub(self._store), clock_now=self._now,
            entropy=random.Random(100 + self._lives).randbytes,
        )  # fmt: skip
        self._sockets: dict[int, object] = {}
        app = create_app(self.hub, ticks=time.monotonic, secure=False)
        self._server = create_server(app, map=self._sockets, host="127.0.0.1", port=0, **WAITRESS)
        self.port = int(self._server.effective_port)  # type: ignore[union-attr]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=0.02, map=self._sockets, count=1)
        wasyncore.close_all(self._sockets)

    def stop(self) -> None:
        """The process is gone, with every connection it had."""
        self._stopping.set()
        self._thread.join(5)
        self._server.task_dispatcher.shutdown()
        self._store.close()

    def restart(self) -> None:
        self.stop()
        self._store = DiskStore(self._folder)
        self._serve()

    def programme(self, sound: bytes, minute: int = 8 * 60) -> bytes:
        """Station, bulletin, approval and schedule, by the officers' own acts; returns the sound's hash."""
        commands, now = self.hub.commands, self._now()

        def officer(account: str) -> object:
            return self.hub.accounts.login(account, PASSWORDS[account], now=now)

        admin = officer("admin")
        for account, role in (("bientap", "editor"), ("lanhdao", "approver")):
            commands.create_account(
                admin, account=account, name=account, role=role, territory="vn.yb",  # type: ignore[arg-type]
                password=PASSWORDS[account], now=now,
            )  # fmt: skip
        commands.register_stations(admin, [(UNIT, "Xã Tú Lệ", "it")], now=now)  # type: ignore[arg-type]
        editor, approver = officer("bientap"), officer("lanhdao")
        bulletin = commands.draft_bulletin(
            editor, title="Pháp luật", category="chay-no", klass=2, territory="vn.yb",  # type: ignore[arg-type]
            valid_from_day=DAY, valid_until_day=DAY + 5, text="Ngày Pháp luật", audio=Upload(sound), now=now,
        )  # fmt: skip
        commands.submit(editor, bulletin, now=now)  # type: ignore[arg-type]
        row = self.hub.queries.bulletin(bulletin).row
        commands.approve(
            approver, bulletin, version=row.version, manifest=row.manifest, now=now,  # type: ignore[arg-type]
        )  # fmt: skip
        commands.schedule(
            editor,
            bulletin,
            territory="vn.yb",
            days=[DAY],
            minute=minute,
            now=now,  # type: ignore[arg-type]
        )
        return bytes.fromhex(self.hub.queries.bulletin(bulletin).audio_sha256)

    def token(self) -> str:
        admin = self.hub.accounts.login("admin", PASSWORDS["admin"], now=self._now())
        assert admin is not None
        return str(self.hub.commands.new_station_token(admin, UNIT, now=self._now()).text)


class Cutter:
    """A line that dies whenever `every` bytes have come down it: in turn closed, reset, and gone silent.

    down, up: bytes that reached the other end. content: `down` without the heads of answers.
    at: (`down`, what happens then).
    """

    def __init__(self, port: int, *, every: int | None = None, delay_s: float = 0.0) -> None:
        self.port = port
        self.every = every
        self.delay_s = delay_s
        self.down = self.up = self.requests = self.deaths = 0
        self.at: list[tuple[int, Callable[[], None]]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._left = every
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def content(self) -> int:
        return self.down - HEAD_BYTES * self.requests

    def forget(self) -> None:
        """Counts from here on."""
        self.down = self.up = self.requests = 0

    def __enter__(self) -> Cutter:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with near, suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2) as far:
                near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._pump(near, far)

    def _pump(self, near: socket.socket, far: socket.socket) -> None:
        while True:
            for side in select.select([near, far], [], [])[0]:
                room = 65_536 if self._left is None or side is near else min(65_536, self._left)
                data = side.recv(room)
                if not data:
                    return
                if side is near:
                    self.up += len(data)
                    self.requests += 1  # ours fit one packet
                    time.sleep(self.delay_s)
                    far.sendall(data)
                    continue
                self.down += len(data)  # before it is sent: who has read it may ask for the figure at once
                near.sendall(data)
                while self.at and self.down >= self.at[0][0]:
                    self.at.pop(0)[1]()
                if self._left is not None:
                    self._left -= len(data)
                    if self._left <= 0:
                        self._left = self.every
                        self.deaths += 1
                        self._die(near, far)
                        return

    def _die(self, near: socket.socket, far: socket.socket) -> None:
        far.close()
        if self.deaths % 3 == 1:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif self.deaths % 33 == 2:
            with suppress(OSError):  # silent: until the station gives up
                near.settimeout(2.0)
                near.recv(1)


@contextmanager
def province(folder: Path, size: int) -> Iterator[tuple[ServedHub, bytes, bytes]]:
    """(hub, the recording that was approved and scheduled, its hash)."""
    hub = ServedHub(folder, TestClock(MORNING))
    try:
        sound = recording(size)
        yield hub, sound, hub.programme(sound)
    finally:
        hub.stop()
