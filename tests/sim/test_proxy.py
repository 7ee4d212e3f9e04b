"""The fault proxy against a real loopback server: what goes through, what is cut where, what is counted."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.proxy import FairWeather, Fault, FaultProxy, Rates, SeededWeather, share

BODY = b"loa" * 1_000


class Hub(ThreadingHTTPServer):
    """A small real HTTP/1.1 server that remembers which bodies arrived whole."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A cut line is no news here."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(hub: Hub) -> Iterator[FaultProxy]:
    with FaultProxy() as running:
        running.upstream = ("127.0.0.1", hub.server_address[1])
        yield running


class Always:
    """The same fault for each exchange, or a line that is down."""

    def __init__(self, fault: Fault | None = None, *, down: bool = False) -> None:
        self._fault, self.down = fault, down

    def is_down(self, station: str) -> bool:
        return self.down

    def fault(self, station: str, exchange: int) -> Fault | None:
        return self._fault


def post(port: int, body: bytes = b"x" * 2_000) -> bytes:
    """One exchange on its own connection. Raises what http.client raises when the line fails."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("POST", "/v1/sync", body)
        return link.getresponse().read()
    finally:
        link.close()


BROKEN = (http.client.HTTPException, OSError)


def test_a_fair_line_carries_everything_and_counts_each_byte(proxy: FaultProxy, hub: Hub) -> None:
    port = proxy.open("a")
    assert post(port) == BODY
    assert hub.bodies == [b"x" * 2_000]
    meter = proxy.meters["a"]
    assert (meter.connections, meter.exchanges) == (1, 1)
    assert 2_000 < meter.up < 2_400
    assert len(BODY) < meter.down < len(BODY) + 400
    assert not meter.faults


def test_exchanges_on_one_kept_connection_are_counted_one_by_one(proxy: FaultProxy) -> None:
    link = http.client.HTTPConnection("127.0.0.1", proxy.open("a"), timeout=5)
    for _ in range(3):
        link.request("POST", "/", b"x")
        assert link.getresponse().read() == BODY
    link.close()
    assert proxy.meters["a"].connections == 1
    assert proxy.meters["a"].exchanges == 3


def test_a_line_that_is_down_answers_nobody_and_the_hub_hears_nothing(proxy: FaultProxy, hub: Hub) -> None:
    weather = Always(down=True)
    proxy.weather = weather
    port = proxy.open("a")
    with pytest.raises(BROKEN):
        post(port)
    assert hub.bodies == []
    weather.down = False
    assert post(port) == BODY


def test_a_cut_request_reaches_the_hub_in_part_only(proxy: FaultProxy, hub: Hub) -> None:
    proxy.weather = Always(Fault("cut_request", after_bytes=700))
    with pytest.raises(BROKEN):
        post(proxy.open("a"))
    assert hub.bodies == []
    assert proxy.meters["a"].faults == {"cut_request": 1}


def test_a_cut_answer_ends_after_the_bytes_it_names(proxy: FaultProxy, hub: Hub) -> None:
    proxy.weather = Always(Fault("cut_reply", after_bytes=1_234))
    with socket.create_connection(("127.0.0.1", proxy.open("a")), timeout=5) as link:
        link.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        got = b""
        try:
            while data := link.recv(65_536):
                got += data
        except ConnectionResetError:
            pass
    assert len(got) <= 1_234
    assert hub.bodies == [b"x"]
    assert proxy.meters["a"].down == 1_234


def test_a_lost_answer_means_the_hub_did_its_work_and_the_station_does_not_know(
    proxy: FaultProxy, hub: Hub
) -> None:
    proxy.weather = Always(Fault("lose_reply"))
    with pytest.raises(BROKEN):
        post(proxy.open("a"))
    assert hub.bodies == [b"x" * 2_000]
    assert proxy.meters["a"].down == 0


def test_a_late_answer_still_arrives(proxy: FaultProxy) -> None:
    proxy.weather = Always(Fault("delay", delay_s=0.05))
    assert post(proxy.open("a")) == BODY
    assert proxy.meters["a"].faults == {"delay": 1}


def test_a_hub_that_is_gone_is_a_failed_link_and_a_hub_that_is_back_is_found(
    proxy: FaultProxy, hub: Hub
) -> None:
    port, there = proxy.open("a"), proxy.upstream
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers
        proxy.upstream = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(BROKEN):
            post(port)
    proxy.upstream = there
    assert post(port) == BODY
    assert proxy.totals().faults == {"hub_absent": 1}


def test_the_proxy_leaves_no_thread_and_no_listener_behind(hub: Hub) -> None:
    before = threading.active_count()
    with FaultProxy() as proxy:
        proxy.upstream = ("127.0.0.1", hub.server_address[1])
        port = proxy.open("a")
        held = socket.create_connection(("127.0.0.1", port), timeout=5)  # a connection nobody ends
    assert not any(t.name == "fault-proxy" for t in threading.enumerate())
    assert threading.active_count() <= before + 1  # the hub's own handler may still be winding down
    held.close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


@given(st.integers(0, 2**32), st.text(max_size=20), st.sampled_from(["a", "b"]), st.integers(0, 10**6))
def test_luck_depends_on_seed_station_kind_and_exchange_alone(
    seed: int, station: str, kind: str, exchange: int
) -> None:
    one = share(seed, station, kind, exchange=exchange)
    assert 0 <= one < 1
    assert one == share(seed, station, kind, exchange=exchange)
    assert one != share(seed + 1, station, kind, exchange=exchange)


def test_seeded_weather_keeps_its_rates_its_windows_and_its_end() -> None:
    clock, stormy = [100.0], [True]
    rates = Rates(cut_request=0.1, cut_reply=0.1, lose_reply=0.1, delay=0.1)
    weather = SeededWeather(
        7, {"a": [(50, 60), (90, 110)]}, now=lambda: clock[0], is_stormy=lambda: stormy[0], rates=rates
    )
    assert weather.is_down("a")
    assert not weather.is_down("b")
    clock[0] = 110
    assert not weather.is_down("a")
    kinds = [fault.kind for k in range(4_000) if (fault := weather.fault("a", k)) is not None]
    assert 0.30 < len(kinds) / 4_000 < 0.39  # 1 − 0.9⁴ = 0.344
    assert set(kinds) == {"cut_request", "cut_reply", "lose_reply", "delay"}
    stormy[0] = False
    assert all(weather.fault("a", k) is None for k in range(200))
    assert FairWeather().fault("a", 1) is None
