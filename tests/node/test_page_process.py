"""The page of a real process: people entered at the box, signed in over HTTP, and no reason for silence."""

from __future__ import annotations

import http.cookiejar
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loopback_hub import TOKEN, serving
from station_world import UNIT, TestClock
from test_station_process import environment, loa_node, run

from ledger.facts import KeyOffered, peek_type

LAN = "Lò Thị Mai"
PIN = "phở bò 27"


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port: int = line.getsockname()[1]
        return port


@contextmanager
def station(folder: Path, page: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        loa_node("run", "--dir", str(folder), "--player", "null", "--page", page),
        env=environment(None), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith(f"READY {UNIT}"), (line, process.stderr and process.stderr.read())
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=20)


class Telephone:
    def __init__(self, port: int) -> None:
        self._site = f"http://127.0.0.1:{port}"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)
        self.text = ""

    def get(self, path: str) -> str:
        for _ in range(100):  # the page's thread comes up beside the loop
            try:
                return self._kept(self._opener.open(self._site + path, timeout=20).read())
            except urllib.error.URLError as error:
                if isinstance(error, urllib.error.HTTPError):
                    raise
                time.sleep(0.1)
        raise AssertionError("nobody serves the page")

    def post(self, path: str, **typed: str) -> str:
        token = re.search(r'name="csrf" value="(\w+)"', self.text)
        assert token is not None
        body = urllib.parse.urlencode({"csrf": token[1], **typed}).encode()
        return self._kept(self._opener.open(self._site + path, body, timeout=20).read())

    def _kept(self, data: bytes) -> str:
        self.text = data.decode()
        return self.text


def test_from_a_code_at_the_box_to_a_key_that_the_province_hears_of(tmp_path: Path) -> None:
    folder, port = tmp_path / "station", free_port()
    with serving(TestClock(time.time())) as (hub, url, lock):
        assert run("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text).returncode == 0
        with station(folder, f"127.0.0.1:{port}") as process:
            added = run("person", "add", LAN, "--role", "officer", "--dir", str(folder))
            assert added.returncode == 0, added.stderr
            found = re.search(r"CODE (\d{5} \d{5})", added.stdout)
            assert found is not None
            phone = Telephone(port)
            assert LAN in phone.get("/lan-dau")
            phone.post("/lan-dau", person="1", code=found[1], pin=PIN, again=PIN)
            words = re.search(r'class="words">([^<]+)<', phone.text)
            assert words is not None
            assert words[1] in run("person", "list", "--dir", str(folder)).stdout
            assert "Hôm nay phát gì" in phone.get("/")
            for _ in range(100):
                with lock:
                    events = [event for one in hub.ledger.since(0) for event in one.segment.events]
                offers = [event for event in events if peek_type(event) == KeyOffered.TYPE]
                if offers:
                    break
                time.sleep(0.1)
            assert offers, "the wish went up soon"
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=20)
            assert f"STOPPED {UNIT}" in out, err
            assert process.returncode == 0


def test_a_port_that_is_taken_silences_nobody_and_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "station"
    with serving(TestClock(time.time())) as (_hub, url, _lock), socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text).returncode == 0
        with station(folder, f"127.0.0.1:{taken.getsockname()[1]}") as process:
            time.sleep(1)
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            _, err = process.communicate(timeout=20)
            assert process.returncode == 0
            assert "the page cannot be served" in err


@pytest.mark.parametrize("page", ["8080", "0.0.0.0:99999"])
def test_an_address_that_is_none_is_two_lines_and_an_exit_code(tmp_path: Path, page: str) -> None:
    folder = tmp_path / "station"
    with serving(TestClock(time.time())) as (_hub, url, _lock):
        assert run("init", "--dir", str(folder), "--hub", url, "--token", TOKEN.text).returncode == 0
    done = run("run", "--dir", str(folder), "--player", "null", "--page", page)
    assert done.returncode == 21
    assert "config-range" in done.stderr
    assert "Traceback" not in done.stderr
