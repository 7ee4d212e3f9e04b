"""What a live relay takes from the line is counted: against real streams of known length, and in words."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_world import Page
from station_world import DAY, World
from test_mpv import play, tone
from test_mpv_failures import relay

from ledger.facts import Outcome, iso
from ledger.log import pack
from node.cli import _lines
from node.diary import Counters
from node.page import stateview
from node.sound.mpv import MpvPlayer
from node.sound.mpv_bytes import StreamBytes
from node.status import status_of

needs_mpv = pytest.mark.skipif(
    shutil.which("mpv") is None or shutil.which("ffmpeg") is None, reason="mpv or ffmpeg is not installed"
)
SOUND_S = 40


def coded(*how: str) -> bytes:
    made = subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=440:d={SOUND_S}", *how, "-"],
        capture_output=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return made.stdout


class Live:
    """A radio in its own time: three seconds at once, then as it sounds. hang_up_s: then it breaks off.

    sent: bytes of the stream that were given to the line, over all calls.
    """

    def __init__(self, data: bytes, *, hang_up_s: float = SOUND_S) -> None:
        self._data, self._hang_up_s = data, hang_up_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/live"
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.sent = self.calls = 0
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            thread = threading.Thread(target=self._answer, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _answer(self, line: socket.socket) -> None:
        rate = len(self._data) / SOUND_S
        with line:
            try:
                line.recv(65_536)
                line.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: audio/x\r\n\r\n")
                began_s, done = time.monotonic(), 0
                while not self._over.is_set() and done < min(len(self._data), rate * self._hang_up_s):
                    due = int(rate * (time.monotonic() - began_s + 3.0))
                    line.sendall(self._data[done:due])
                    with self._lock:
                        self.sent += max(0, min(due, len(self._data)) - done)
                    done = due
                    self._over.wait(0.1)
            except OSError:
                return

    def close(self) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@contextmanager
def radio(data: bytes, **how: Any) -> Iterator[Live]:
    live = Live(data, **how)
    try:
        yield live
    finally:
        live.close()


@contextmanager
def player() -> Iterator[MpvPlayer]:
    made = MpvPlayer(ao="null", bench=True)
    try:
        yield made
    finally:
        made.close()


@needs_mpv
@pytest.mark.parametrize(
    "how",
    [("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"), ("-c:a", "libopus", "-b:a", "48k", "-f", "ogg"),
     ("-f", "wav")],
    ids=["mp3", "opus", "wav"],
)  # fmt: skip
def test_the_bytes_of_a_relay_are_counted_as_they_went_over_the_line(how: tuple[str, ...]) -> None:
    with radio(coded(*how)) as live, player() as mpv:
        report, _ = play(mpv, relay(live.url, 5.0))
        sent = live.sent
        assert report.outcome is Outcome.PLAYED
        assert 0.7 * sent <= mpv.streamed_bytes <= 1.15 * sent, (mpv.streamed_bytes, sent)


@needs_mpv
def test_a_relay_in_pieces_is_counted_too(tmp_path: Path) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"sine=440:d={SOUND_S}", "-c:a", "aac", "-b:a", "64k",
         "-f", "hls", "-hls_time", "4", "-hls_list_size", "0", str(tmp_path / "live.m3u8")],
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    sent = 0

    class Counting(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *said: object) -> None:
            """Silence."""

        def copyfile(self, source: Any, outputfile: Any) -> None:
            nonlocal sent
            data = source.read()
            sent += len(data)
            outputfile.write(data)

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Counting, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with player() as mpv:
            play(mpv, relay(f"http://127.0.0.1:{server.server_port}/live.m3u8", 5.0))
            # All of it comes within a second, faster than the rate that is told is renewed.
            assert 0.4 * sent <= mpv.streamed_bytes <= 2.0 * sent, (mpv.streamed_bytes, sent)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@needs_mpv
def test_a_stream_that_breaks_and_is_opened_again_is_counted_twice_and_its_recording_not_at_all() -> None:
    data = coded("-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3")
    with radio(data, hang_up_s=4.0) as live, player() as mpv:
        item = replace(relay(live.url, 12.0), fallback_ms=60_000, read=lambda: tone(60.0))
        report, _ = play(mpv, item)
        assert report.outcome is Outcome.PARTIAL
        assert live.calls >= 2
        assert 0.6 * live.sent <= mpv.streamed_bytes <= 1.2 * live.sent, (mpv.streamed_bytes, live.sent)


@needs_mpv
def test_what_is_no_relay_takes_nothing_from_the_line() -> None:
    with player() as mpv:
        play(mpv, replace(relay("", 1.0), sha256=bytes(32), read=lambda: tone(1.0)))
        assert mpv.streamed_bytes == 0


ANSWERS = st.tuples(
    st.sampled_from(["stream-pos", "demuxer-cache-state"]),
    st.none()
    | st.booleans()
    | st.text(max_size=3)
    | st.integers(-5, 1 << 70)
    | st.floats()
    | st.dictionaries(
        st.sampled_from(["raw-input-rate", "reader-pts", "cache-end"]),
        st.none() | st.text(max_size=2) | st.floats() | st.integers(-5, 1 << 70),
    ),
)


@given(st.lists(st.tuples(ANSWERS, st.floats(0, 5), st.booleans()), max_size=30))
def test_whatever_mpv_says_the_count_is_a_number_and_never_falls(
    said: list[tuple[tuple[str, Any], float, bool]],
) -> None:
    counted, now_s, before = StreamBytes(), 0.0, 0
    for (name, data), later_s, anew in said:
        now_s += later_s
        counted.take(name, data, now_s)
        if anew:
            counted.begins()
        assert counted.total >= before
        before = counted.total


# -- where it is told ----------------------------------------------------------------------------------------


def test_relays_stand_beside_what_the_hub_was_sent_and_not_in_it() -> None:
    world = World()
    page = Page(world)
    world.run(60)
    counted = world.station.status().traffic
    assert counted is not None
    world.speaker.streamed_bytes = 14_000_000  # type: ignore[attr-defined]
    world.run(1_300)
    status = status_of(world.station.ledger, world.station.config, world.station.key.key_id)
    assert status.traffic is not None
    assert status.traffic.relay == 14_000_000
    assert status.traffic.down < 100_000
    assert status.traffic.day == iso(DAY)
    assert any(line.endswith("live relays 14000000") for line in _lines(status))
    row = next(row for row in stateview.rows(page.office) if row.name.en == "Data over the line")
    assert row.value.vi.endswith("13,4 MB tiếp âm trực tiếp")
    assert " KB với tỉnh" in row.value.vi
    world.cut()
    world.boot()
    kept = world.station.status().traffic
    assert kept is not None
    assert kept.relay == 14_000_000


def test_counters_of_a_program_that_knew_no_relays_are_taken_over() -> None:
    assert Counters.decode(pack((7, 1, 2, 3, 4, 5))) == Counters(7, 1, 2, 3, 4, 5, 0)
    assert Counters.decode(Counters(7, 1, 2, 3, 4, 5, 6).encode()) == Counters(7, 1, 2, 3, 4, 5, 6)
    assert Counters.decode(pack((7, 1))) == Counters()
