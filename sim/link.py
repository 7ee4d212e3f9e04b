"""A bad line between a station and the hub: an `httpx2` transport that loses, cuts, flips, repeats, lies.

It stands under the station's real `HttpTransport` and above the hub's real Flask app, so what it does to a
request or a reply meets the same code as on a real line. Each request has a number k on this line, and each
decision is keyed by (station, kind, k). Time does not move inside an exchange; `took_s` tells the courier how
long it would have lasted.

Bound: it knows bytes and HTTP, nothing of segments; whether a wrong answer was refused is for the checkers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx2

from sim.faults import Dice, Rates, moments

TIMEOUT_S = 30.0  # how long a station waits for an answer that never comes
GOING_ON = "/v1/sync/"  # where an exchange goes on with a request that broke off
BROKEN_BYTES_MIN = 512  # a body below this arrives in one packet or not at all
PORTAL = "<!doctype html><title>Wi-Fi miễn phí</title><h1>Mời đăng nhập để dùng Internet</h1>".encode()
# What a tester reads in the report for each kind of fault of a line.
FATES = {
    "cut_reply": "reply cut",
    "cut_request": "request cut",
    "flip_reply": "bit of a reply flipped",
    "flip_request": "bit of a request flipped",
    "duplicate": "request delivered twice",
    "stale_reply": "old reply replayed",
    "portal": "captive portal answered",
    "gateway": "gateway answered",
    "slow": "slow exchange",
}
GATEWAY = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Bytes(httpx2.SyncByteStream):
    """A body as it comes off the line, in pieces; `breaks` ends it the way a reset connection does."""

    def __init__(self, body: bytes, *, breaks: bool = False) -> None:
        self._body = body
        self._breaks = breaks

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 16_384):
            yield self._body[start : start + 16_384]
        if self._breaks:
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")


class Windows:
    """Stretches of time in which the line is in some state; asked by the present time."""

    def __init__(self, spans: list[tuple[float, float]]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def covers(self, now_s: float) -> bool:
        index = bisect_right(self._starts, now_s) - 1
        return index >= 0 and now_s < self._ends[index]


def windows(dice: Dice, station: str, kind: str, per_day: float, start_s: float, end_s: float) -> Windows:
    """Spans of 5 minutes to 3 hours, more short than long, that lie in [start, end)."""
    spans = []
    for k, at in moments(dice, station, kind, per_day, start_s, end_s):
        length_s = 300.0 * 36.0 ** dice.roll(station, kind + "/length", k)
        spans.append((at, min(at + length_s, end_s)))
    return Windows(spans)


@dataclass(frozen=True)
class Answer:
    """What came back for a request, whole, before the line does anything to it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def response(self, body: bytes, *, breaks: bool = False, mended: bool = False) -> httpx2.Response:
        """As the station meets it. mended: the length header tells the truth about a body that was cut."""
        headers = list(self.headers)
        if mended:
            headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
            headers.append((b"content-length", str(len(body)).encode()))
        return httpx2.Response(self.status, headers=headers, stream=Bytes(body, breaks=breaks))


class FaultyLink(httpx2.BaseTransport):
    """`deliver(request) -> Answer` is the hub; it raises httpx2.TransportError when nobody answers.

    `later(delay_s, act)` enters a repeated delivery; `partly(request, part)` gets what the hub's socket saw
    of a large request that was lost. After each exchange `took_s` is how long it lasted,
    `fate` the name of the last thing that befell it ("" when nothing did) and `true` whether what came back
    is the hub's own answer, undamaged. Faults strike only in [start, end) of true time.
    """

    def __init__(
        self,
        station: str,
        dice: Dice,
        rates: Rates,
        *,
        now: Callable[[], float],
        deliver: Callable[[httpx2.Request], Answer],
        later: Callable[[float, Callable[[], None]], object],
        partly: Callable[[httpx2.Request, bytes], None] = lambda _request, _part: None,
        start_s: float,
        end_s: float,
    ) -> None:
        self._station = station
        self._dice = dice
        self._rates = rates
        self._now = now
        self._deliver = deliver
        self._later = later
        self._partly = partly
        self._start_s = start_s
        self._end_s = end_s
        self._down = windows(dice, station, "down", rates.down_per_day, start_s, end_s)
        self._deaf = windows(dice, station, "deaf", rates.deaf_per_day, start_s, end_s)
        self._last: tuple[str, Answer] | None = None
        self.requests = 0
        self.took_s = 0.0
        self.fate = ""
        self.true = True

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        k = self.requests
        took_s = self._dice.between(0.08, 0.6, self._station, "latency", k)
        if request.url.path.startswith(GOING_ON):
            self.took_s += took_s  # of the same exchange, which goes on: what befell it stays in the report
        else:
            self.took_s, self.fate = took_s, ""
        self.true = True
        body = request.read()
        if not self._start_s <= self._now() < self._end_s:
            answer = self._fetched(request)
            return answer.response(answer.body)
        if self._down.covers(self._now()):
            self.fate = "line down"
            self.took_s = self._dice.between(0.1, 10.0, self._station, "refused", k)
            raise httpx2.ConnectError("network is unreachable", request=request)
        if self._strikes("slow", k):
            self.took_s = self._dice.between(1.0, 25.0, self._station, "slow/length", k)
        answered = self._false_answer(request, k)
        if answered is not None:
            return answered
        if self._strikes("drop_request", k):
            if len(body) >= BROKEN_BYTES_MIN:
                self._partly(request, body[: self._dice.below(len(body), self._station, "drop/part", k)])
            self._lost("request lost", request)
        if self._strikes("flip_request", k):
            request = _again(
                request, _flipped(body, self._dice.below(max(1, len(body) * 8), self._station, "flip", k))
            )
        elif self._strikes("cut_request", k):
            request = _again(request, body[: self._dice.below(len(body) + 1, self._station, "cut", k)])
        if self._strikes("duplicate", k):
            delay_s = self._dice.between(0.0, 900.0, self._station, "duplicate/when", k)
            twin = _again(request, request.read())
            self._later(delay_s, lambda: self._repeat(twin))
        answer = self._fetched(request)
        if self._deaf.covers(self._now()):
            self._lost("reply lost on a deaf line", request)
        for kind in ("drop_reply", "hang"):
            if self._strikes(kind, k):
                self._lost("reply lost", request)
        return self._damaged(answer, k)

    def _strikes(self, kind: str, k: int) -> bool:
        struck = self._dice.hit(self._station, kind, k, float(getattr(self._rates, kind)))
        if struck:
            self.fate = FATES.get(kind, kind)
        return struck

    def _lost(self, what: str, request: httpx2.Request) -> None:
        self.fate = what
        self.took_s = TIMEOUT_S
        raise httpx2.ReadTimeout("no answer in time", request=request)

    def _false_answer(self, request: httpx2.Request, k: int) -> httpx2.Response | None:
        """What is not the hub answers: a captive portal in three dresses, a gateway, an old copy."""
        self.true = False
        if self._strikes("portal", k):
            dress = self._dice.below(3, self._station, "portal/dress", k)
            if dress == 0:
                return _page(302, {"location": "http://dang-nhap.wifi/", "content-type": "text/html"}, b"")
            kind = "text/html; charset=utf-8" if dress == 1 else "application/x-loa"
            return _page(200, {"content-type": kind}, PORTAL)
        if self._strikes("gateway", k):
            return _page(502, {"content-type": "text/html"}, GATEWAY)
        if self._last is not None and self._last[0] == request.url.path and self._strikes("stale_reply", k):
            return self._last[1].response(self._last[1].body)
        self.true = True
        return None

    def _fetched(self, request: httpx2.Request) -> Answer:
        try:
            answer = self._deliver(request)
        except httpx2.TransportError:
            self.fate = "hub down"
            raise
        self._last = (request.url.path, answer)
        return answer

    def _damaged(self, answer: Answer, k: int) -> httpx2.Response:
        body = answer.body
        if body and self._strikes("cut_reply", k):
            self.true = False
            kept = body[: self._dice.below(len(body), self._station, "cut", k)]
            # Half of them end like a broken connection. The others pass a middlebox that ends the body early
            # and mends the length: only hashes and signatures can tell.
            breaks = self._dice.roll(self._station, "cut/how", k) < 0.5
            return answer.response(kept, breaks=breaks, mended=not breaks)
        if body and self._strikes("flip_reply", k):
            self.true = False
            body = _flipped(body, self._dice.below(len(body) * 8, self._station, "flip", k))
        return answer.response(body)

    def _repeat(self, request: httpx2.Request) -> None:
        """The network delivers an old request once more; nobody waits for the answer."""
        try:
            self._deliver(request)
        except httpx2.TransportError:
            return


def _flipped(body: bytes, bit: int) -> bytes:
    if not body:
        return body
    at = bit // 8
    return body[:at] + bytes([body[at] ^ (1 << bit % 8)]) + body[at + 1 :]


def _again(request: httpx2.Request, body: bytes) -> httpx2.Request:
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
    return httpx2.Request(request.method, request.url, headers=headers, content=body)


def _page(status: int, headers: dict[str, str], body: bytes) -> httpx2.Response:
    return httpx2.Response(status, headers={**headers, "content-length": str(len(body))}, stream=Bytes(body))
