"""Clusters over real sockets of this machine: datagrams and HTTP, dead ends, slow peers, floods."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cluster_room import ITEM, SOUND

from node import ClusterEntry, LineDriver, Lines, Said
from node.clusters.lines import HTTP_DEADLINE_S, HttpLine, http_message, http_request
from sim.cluster_server import BankServer
from sim.clusters import Bank, Ill
from sim.faults import Dice

PATIENCE_S = 20.0  # of a test on a busy machine; nothing is judged by it


@contextmanager
def bank_of(
    count: int, *drivers: str, ills: dict[int, Ill] | None = None
) -> Iterator[tuple[BankServer, LineDriver]]:
    server = BankServer(Bank(count, Dice(1), ills=ills), time.monotonic, drivers=drivers)
    server.start()
    entries = server.entries()
    driver = LineDriver(entries, Lines(entries, time.monotonic), entropy=os.urandom)
    try:
        yield server, driver
    finally:
        driver.close()
        server.stop()


def talk(driver: LineDriver, enough: Callable[[list[Said]], bool]) -> list[Said]:
    """Polls until that is enough; what was said."""
    said: list[Said] = []
    until_s = time.monotonic() + PATIENCE_S
    while not enough(said) and time.monotonic() < until_s:
        said += driver.poll(time.monotonic())
        time.sleep(0.01)
    return said


def playing(count: int) -> Callable[[list[Said]], bool]:
    return lambda said: len({one.nth for one in said if one.item == ITEM and one.audible}) == count


@pytest.mark.parametrize("drivers", [("udp",), ("http",), ("udp", "http")], ids="+".join)
def test_twenty_clusters_begin_and_stop_over_real_sockets(drivers: tuple[str, ...]) -> None:
    with bank_of(20, *drivers) as (server, driver):
        driver.begin(SOUND, time.monotonic())
        assert playing(20)(talk(driver, playing(20)))
        assert server.sounding() == [ITEM] * 20
        driver.stop(time.monotonic())
        talk(driver, lambda said: len({one.nth for one in said if one.item is None}) == 20)
        assert server.sounding() == [None] * 20


@pytest.mark.parametrize("driver_name", ["udp", "http"])
def test_the_dead_and_the_muted_are_told_apart_over_real_sockets(driver_name: str) -> None:
    ills = {1: Ill(dead=True), 2: Ill(muted=True)}
    with bank_of(4, driver_name, ills=ills) as (_, driver):
        driver.begin(SOUND, time.monotonic())
        said = talk(driver, playing(2))
        assert playing(2)(said)
        said += talk(driver, lambda more: any(one.nth == 2 and one.muted for one in said + more))
        assert 1 not in {one.nth for one in said}


def test_an_address_where_nobody_listens_stops_nothing() -> None:
    with bank_of(3, "udp", "http") as (server, _):
        entries = list(server.entries())
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
        for nth, name in ((0, "udp"), (1, "http")):
            entries[nth] = ClusterEntry(nth + 1, "hỏng", name, f"127.0.0.1:{port}", b"k" * 32)
        driver = LineDriver(entries, Lines(entries, time.monotonic), entropy=os.urandom)
        driver.begin(SOUND, time.monotonic())
        said = talk(driver, playing(1))
        assert {one.nth for one in said} == {2}
        driver.close()


class Peer:
    """A listening socket whose connections the test answers by hand."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        port = self.socket.getsockname()[1]
        self.entry = ClusterEntry(1, "chậm", "http", f"127.0.0.1:{port}", b"k" * 32)


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.socket.close()


def test_a_peer_that_never_ends_its_answer_is_given_up_at_the_deadline(peer: Peer) -> None:
    now = [0.0]
    line = HttpLine([peer.entry], lambda: now[0])
    line.send(0, b"x" * 64, asks=False)
    connection, _ = peer.socket.accept()
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    assert line.receive() is None
    line.send(0, b"y" * 64, asks=False)  # the first one is still under way
    now[0] = HTTP_DEADLINE_S + 1
    assert line.receive() is None
    assert not line._open
    connection.close()
    line.close()


def test_a_peer_that_says_too_much_is_cut_off(peer: Peer) -> None:
    line = HttpLine([peer.entry], lambda: 0.0)
    line.send(0, b"x" * 64, asks=True)
    connection, _ = peer.socket.accept()
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 8_192)
    until_s = time.monotonic() + PATIENCE_S
    while line._open and time.monotonic() < until_s:
        assert line.receive() is None
    assert not line._open
    connection.close()


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (b"", None),
        (b"HTTP/1.1 200 OK\r\nContent-Le", None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + b"m" * 63, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n" + b"m" * 64, b"m" * 64),
        (b"HTTP/1.0 200 OK\r\nCONTENT-LENGTH:64\r\n\r\n" + b"m" * 80, b"m" * 64),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"m" * 64, b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n", b""),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 64\r\n\r\n" + b"m" * 64, b""),
        (b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", b""),
        (b"<html>\r\n\r\n", b""),
    ],
)  # fmt: skip
def test_an_http_answer_is_taken_whole_or_not_at_all(got: bytes, message: bytes | None) -> None:
    assert http_message(got) == message


def test_a_question_is_a_get_and_an_order_a_post() -> None:
    assert http_request("10.0.0.8:80", b"\xab" * 64, asks=True).startswith(
        b"GET /loa/1/" + b"ab" * 64 + b" HTTP/1.1\r\n"
    )
    post = http_request("10.0.0.8:80", b"\xab" * 64, asks=False)
    assert post.startswith(b"POST /loa/1 HTTP/1.1\r\nHost: 10.0.0.8:80\r\n")
    assert post.endswith(b"Content-Length: 64\r\n\r\n" + b"\xab" * 64)


def test_a_flood_of_datagrams_ends_with_the_poll() -> None:
    with bank_of(1, "udp") as (_, driver):
        driver.ask(time.monotonic())
        line = driver._line._lines["udp"]._sockets[False]  # type: ignore[attr-defined]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(200):
                stranger.sendto(b"z" * 64, line.getsockname())
        said = talk(driver, bool)
        assert [one.nth for one in said] == [0]
        assert driver.refused > 0
