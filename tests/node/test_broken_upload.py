"""A large request over lines that break: a real hub behind its real web server, and a real transport."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.log import TransportError
from node import Begun, HttpTransport, HubBusy, Limits
from node.link.transport import WORTH_BYTES
from sim.bench.line import Line
from sim.bench.setting import NOW, Box, Setting
from sim.bench.workload import acknowledgments, programme

UNIT = "vn.yb.04630"
QUICK = Limits(connect_s=1.0, read_s=2.0, total_s=20.0)


@contextmanager
def laden(months: int = 10) -> Iterator[tuple[Setting, Box]]:
    """A station that has `months` thousand acknowledgments to say, in one request."""
    with Setting([UNIT]) as setting:
        plan = programme(3, 1_000)
        setting.plan(plan, UNIT)
        box = setting.station(UNIT)
        box.drain()
        for number in range(months):
            box.say(acknowledgments(plan, 3, number))
        yield setting, box
        box.close()


def test_a_backlog_crosses_a_line_that_dies_again_and_again_and_little_is_sent_twice() -> None:
    with laden() as (setting, box), Line(setting.port, dies_every=5_000) as line:
        before = line.up
        box.move(line.port)
        box.drain(retry=True)
        assert not box.ledger.unreceipted(box.key.key_id)
        size = line.up - before
        assert line.cuts >= 4
        # Of each stretch at most one piece of the line is lost; a question and a head go with each.
        assert size < 27_000 + line.cuts * (512 + 300)


def test_a_line_that_never_carries_the_whole_request_carries_it_in_stretches() -> None:
    with laden() as (setting, box), Line(setting.port, dies_every=5_000) as line:
        box.move(line.port)
        assert box.round().refused == []


def test_what_the_hub_has_whole_is_not_sent_again_for_a_lost_answer() -> None:
    with laden() as (setting, box):
        request = _request(box)
        _send_and_leave(setting.port, request)
        box.again = request
        with Line(setting.port) as line:
            box.move(line.port)
            box.line._begun = request[12:20]
            assert box.round().receipts
            assert line.up < 300


def test_a_hub_that_restarted_holds_nothing_and_the_request_goes_whole() -> None:
    with laden() as (setting, box), Line(setting.port) as line:
        request = _request(box)
        box.again = request
        box.move(line.port)
        box.line._begun = request[12:20]
        assert box.round().receipts
        assert line.up > len(request)


def test_a_line_that_is_down_keeps_the_request_for_later() -> None:
    with laden() as (_, box):
        spare = socket.create_server(("127.0.0.1", 0))
        box.move(spare.getsockname()[1])
        spare.close()
        with pytest.raises(Begun) as caught:
            box.round()
        assert not caught.value.moved
        assert len(box.again) > WORTH_BYTES


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v1/sync/00", 400, "begun-name"),
        ("GET", "/v1/sync/" + "0" * 16, 200, "0"),
        ("GET", "/v1/sync/" + "G" * 16, 400, "begun-name"),
        ("POST", "/v1/sync/" + "0" * 16 + "/5", 409, "begun-unknown"),
        ("POST", "/v1/sync/" + "0" * 16 + "/0", 409, "begun-unknown"),
        ("POST", "/v1/sync/" + "0" * 16 + "/99999999", 413, "request-size"),
        ("POST", "/v1/sync/" + "0" * 16 + "/-1", 404, "path"),
        ("POST", "/v1/sync/xx/5", 400, "begun-name"),
        ("PUT", "/v1/sync/" + "0" * 16, 405, "method"),
    ],
)
def test_what_is_no_beginning_is_said_so_by_code_and_status(
    method: str, path: str, status: int, said: str
) -> None:
    with Setting([UNIT]) as setting:
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
        answer = _raw(setting.port, head.encode() + b"abc")
        assert int(answer.split(b" ")[1]) == status, answer
        assert said.encode() in answer.split(b"\r\n\r\n")[1]


def test_garbage_that_goes_on_with_a_request_is_refused_and_ends_its_beginning() -> None:
    with laden() as (setting, box):
        request = _request(box)
        _send_and_leave(setting.port, request[:8_000], claim=len(request))
        name = request[12:20].hex()
        assert _held(setting.port, name) == 8_000
        before = setting.hub.ledger.position()
        head = f"POST /v1/sync/{name}/8000 HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n".encode()
        answer = _raw(setting.port, head + random.Random(1).randbytes(4_000))
        assert b" 403 " in answer.split(b"\r\n")[0]
        assert _held(setting.port, name) == 0
        assert setting.hub.ledger.position() == before


class Stub(HttpTransport):
    """A transport whose single exchanges are told beforehand: an answer, an error, or bytes the hub holds."""

    def __init__(self, *script: object) -> None:
        super().__init__("http://hub", mono=lambda: 0.0)
        self.script = list(script)
        self.asked: list[str] = []

    def _next(self, what: str) -> object:
        self.asked.append(what)
        found = self.script.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def _post(self, path: str, body: bytes) -> bytes:
        found = self._next(f"{path} {len(body)}")
        assert isinstance(found, bytes)
        return found

    def _held(self, name: bytes, size: int) -> int:
        found = self._next("held?")
        assert isinstance(found, int)
        return found


BODY = bytes(range(256)) * 40
NAME = BODY[12:20].hex()
CUT = TransportError("link", "cut")


def test_it_goes_on_as_long_as_that_brings_it_further() -> None:
    stub = Stub(CUT, 3_000, CUT, 6_000, b"reply")
    assert stub.exchange(BODY) == b"reply"
    assert stub.asked == [
        "/v1/sync 10240", "held?", f"/v1/sync/{NAME}/3000 7240", "held?", f"/v1/sync/{NAME}/6000 4240",
    ]  # fmt: skip


def test_it_stops_when_nothing_moves_and_goes_on_there_when_asked_again() -> None:
    stub = Stub(CUT, 3_000, CUT, 3_100, 3_100, b"reply")
    with pytest.raises(Begun) as caught:
        stub.exchange(BODY)
    assert caught.value.moved
    assert stub.exchange(BODY) == b"reply"
    assert stub.asked[-2:] == ["held?", f"/v1/sync/{NAME}/3100 7140"]


def test_nothing_at_the_hub_is_an_ordinary_failure() -> None:
    stub = Stub(CUT, 0)
    with pytest.raises(TransportError) as caught:
        stub.exchange(BODY)
    assert caught.value is CUT


def test_a_small_request_is_never_asked_about() -> None:
    stub = Stub(CUT)
    with pytest.raises(TransportError):
        stub.exchange(BODY[: WORTH_BYTES - 1])
    assert len(stub.asked) == 1


def test_a_refusal_ends_it_and_a_busy_hub_does_not() -> None:
    stub = Stub(TransportError("begun-unknown", "gone"), b"reply", HubBusy("busy", 5), 10_240, b"again")
    with pytest.raises(TransportError):
        stub.exchange(BODY)
    assert stub.exchange(BODY) == b"reply"
    with pytest.raises(HubBusy):
        stub.exchange(BODY)
    assert stub.exchange(BODY) == b"again"
    assert stub.asked[-2:] == ["held?", f"/v1/sync/{NAME}/10240 0"]


def _request(box: Box) -> bytes:
    from ledger.log import make_request

    return make_request(
        box.ledger, box.key, nonce=bytes(8), now=NOW, room=65_536, send_max=1 << 20, coder=box.coder
    )


def _send_and_leave(port: int, body: bytes, claim: int | None = None) -> None:
    """The body of a request, or its beginning, and then the line is gone."""
    length = len(body) if claim is None else claim
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(f"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() + body)
        deadline_s = time.monotonic() + 5
        name = body[12:20].hex()
        while _held(port, name) < len(body) and time.monotonic() < deadline_s:
            threading.Event().wait(0.02)


def _held(port: int, name: str) -> int:
    answer = _raw(port, f"GET /v1/sync/{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return int(answer.rpartition(b"\r\n")[2])


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(request)
        return line.recv(65_536)
