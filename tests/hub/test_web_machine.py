"""The signed machine API through Flask: enrol, sync, acknowledge, fetch; what is refused, and how many
bytes it costs.

A `Field` is a station reduced to its ledger: it enrols with a real token, signs real acknowledgments and
reads real replies, so everything here crosses the same code as in the field.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from test_web_house import House, approve, build, entropy_from
from waitress import wasyncore

from hub.web import listen
from ledger.facts import Acknowledged, Detail, Evidence, Facts, Outcome, at, audience_of
from ledger.log import (
    Accepted,
    Ledger,
    MemoryStore,
    SigningKey,
    Token,
    VerifyKey,
    accept_reply,
    make_enrolment,
    make_request,
    read_enrolment_reply,
    unpack,
)

TYPE = "application/x-loa"


@dataclass
class Field:
    """A station's ledger in the field, talking to the hub through the test client."""

    house: House
    unit: str
    key: SigningKey
    ledger: Ledger
    facts: Facts
    hub: VerifyKey
    nonce: int = 0

    def request(self, **more: int) -> bytes:
        self.nonce += 1
        self.ledger.seal(self.key)
        return make_request(
            self.ledger, self.key, nonce=self.nonce.to_bytes(8, "big"), now=self.house.hub.now(), **more
        )

    def sync(self) -> Accepted:
        """Until there is no more."""
        client = self.house.app.test_client()
        while True:
            request = self.request()
            answer = client.post("/v1/sync", data=request, content_type=TYPE)
            assert answer.status_code == 200, answer.data
            accepted = accept_reply(self.ledger, self.key, self.hub, request, answer.data)
            if not accepted.more:
                return accepted

    def acknowledge(
        self, series: int, outcome: Outcome = Outcome.PLAYED, *, clusters: bytes | None = None
    ) -> None:
        order = self.facts.orders[series][-1].fact
        played = outcome is Outcome.PLAYED
        day = getattr(order, "first_day", self.house.clock[0] // 86400)
        start = at(day, order.minute) if hasattr(order, "minute") else order.not_before
        self.ledger.append(
            self.key,
            Acknowledged(
                ts=start,
                series=series,
                day=day,
                content=order.manifest[:16],
                jitter_cs=0,
                played_ds=20 if played else 0,
                outcome=int(outcome),
                detail=int(Detail.NONE if played else Detail.POWER),
                evidence=int(Evidence.DELIVERED),
                volume=80,
                clusters=clusters,
            ).encode(),
        )


def enrol(house: House, unit: str) -> Field:
    admin = house.browser("admin").get(f"/tram/{unit}").press("/ma")
    text = admin.html.split('class="code">')[1].split("<")[0]
    token, key = Token.parse(text), SigningKey.from_seed(entropy_from(unit)(32))
    request = make_enrolment(token, key, unit=unit, nonce=bytes(8))
    answer = house.app.test_client().post("/v1/enrol", data=request, content_type=TYPE)
    assert answer.status_code == 200, answer.data
    enrolled = read_enrolment_reply(token, key, request, answer.data)
    facts = Facts(enrolled.roots)
    ledger = Ledger(
        MemoryStore().open_db("ledger.db"),
        entropy=entropy_from(unit + "/log"),
        now=house.hub.now,
        audience_of=audience_of,
        on_admit=facts.admit,
        on_rollback=facts.reset,
    )
    ledger.trust(enrolled.hub)
    for root in enrolled.roots:
        ledger.trust(root)
    return Field(house, unit, key, ledger, facts, enrolled.hub)


@pytest.fixture
def house() -> House:
    return build("machine")


def planned(house: House) -> tuple[str, int]:
    """An approved bulletin on today's plan: (bulletin, series)."""
    bulletin = house.browser("bientap").draft()
    approve(house, bulletin)
    desk = house.browser("lanhdao")
    desk.plan(bulletin, _from="2022-11-09", _until="2022-11-09", at="17:00")
    assert "Đã ký lịch phát" in desk.words, desk.words
    return bulletin, int(desk.path.rsplit("/", 1)[1])


def test_a_station_enrols_syncs_plays_and_its_acknowledgment_is_on_every_page(house: House) -> None:
    bulletin, series = planned(house)
    station = enrol(house, "vn.yb.04630")
    station.sync()
    assert series in station.facts.orders
    house.later(10 * 3600)
    station.acknowledge(series)
    station.sync()
    house.hub.tick()
    desk = house.browser("bientap")
    for path in (f"/ban-tin/{bulletin}", f"/lich/{series}?ngay=09/11/2022", "/tram/vn.yb.04630", "/"):
        assert "đã phát" in desk.get(path).words, path
    assert "Xã Tú Lệ" in desk.get(f"/lich/{series}?ngay=09/11/2022").words


def test_the_blob_of_a_bulletin_is_served_in_ranges_that_fit_together(house: House) -> None:
    bulletin, _ = planned(house)
    sha = house.hub.queries.bulletin(bulletin).audio_sha256
    client = house.app.test_client()
    whole = client.get(f"/v1/blob/{sha}")
    assert (whole.status_code, whole.content_type) == (200, "application/octet-stream")
    assert whole.headers["Accept-Ranges"] == "bytes"
    size, etag = len(whole.data), whole.headers["ETag"]
    assert not etag.startswith("W/")
    pieces = b""
    while len(pieces) < size:
        part = client.get(
            f"/v1/blob/{sha}",
            headers={"Range": f"bytes={len(pieces)}-{len(pieces) + 9999}", "If-Range": etag},
        )
        end = len(pieces) + len(part.data) - 1
        assert part.status_code == 206
        assert part.headers["Content-Range"] == f"bytes {len(pieces)}-{end}/{size}"
        pieces += part.data
    assert pieces == whole.data
    outside = client.get(f"/v1/blob/{sha}", headers={"Range": f"bytes={size}-"})
    assert (outside.status_code, outside.headers["Content-Range"]) == (416, f"bytes */{size}")
    other = client.get(f"/v1/blob/{sha}", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (other.status_code, other.data) == (200, whole.data)
    assert client.get(f"/v1/blob/{sha}", headers={"If-None-Match": etag}).status_code == 304
    head = client.head(f"/v1/blob/{sha}")
    assert (head.status_code, head.data, head.content_length) == (200, b"", size)


@pytest.mark.parametrize("name", ["00" * 32, "zz" * 32, "00", "..", "%2e%2e%2fhub.key", "AA" * 33])
def test_a_blob_nobody_holds_is_not_found_and_says_so_in_loa(house: House, name: str) -> None:
    answer = house.app.test_client().get(f"/v1/blob/{name}")
    assert answer.status_code == 404
    if answer.content_type == TYPE:
        assert said(answer.data)[1] in ("blob-unknown", "path")


def said(body: bytes) -> list[str]:
    return [str(item) for item in unpack(body, bytes_max=4096)]


@pytest.mark.parametrize("path", ["/v1/sync", "/v1/enrol"])
@pytest.mark.parametrize("body", [b"", b"\x00", "<html>Wi-Fi miễn phí</html>".encode(), bytes(300)])
def test_bytes_that_are_no_request_are_refused_in_loa_and_change_nothing(
    house: House, path: str, body: bytes
) -> None:
    before = house.hub.ledger.position()
    answer = house.app.test_client().post(path, data=body, content_type=TYPE)
    assert 400 <= answer.status_code < 500
    assert answer.content_type == TYPE
    assert said(answer.data)[0] == "error"
    assert house.hub.ledger.position() == before


@pytest.mark.parametrize(("path", "size"), [("/v1/sync", (1 << 20) + 1), ("/v1/enrol", 4097)])
def test_a_body_beyond_the_cap_is_refused_before_it_is_looked_at(house: House, path: str, size: int) -> None:
    class Untouched:
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    client = house.app.test_client()
    refused = (413, "body-too-long")
    answer = client.post(path, data=bytes(size), content_type=TYPE)
    assert (answer.status_code, said(answer.data)[1]) == refused
    answer = client.post(
        path,
        content_type=TYPE,
        environ_overrides={"CONTENT_LENGTH": str(size), "wsgi.input": Untouched()},
    )
    assert (answer.status_code, said(answer.data)[1]) == refused


def test_a_wrong_method_on_a_machine_route_is_answered_in_loa(house: House) -> None:
    answer = house.app.test_client().get("/v1/sync")
    assert (answer.status_code, answer.content_type, said(answer.data)[1]) == (405, TYPE, "method")


def test_machine_routes_touch_no_cookie_and_carry_bare_headers(house: House) -> None:
    station = enrol(house, "vn.yb.04441")
    station.sync()
    client = house.app.test_client()
    client.set_cookie("loa", "whatever")
    answer = client.post("/v1/sync", data=station.request(), content_type=TYPE)
    assert sorted(answer.headers.keys()) == ["Content-Length", "Content-Type"]
    assert answer.content_type == TYPE
    untyped = client.post("/v1/sync", data=station.request(), headers={"Content-Type": ""})
    assert sorted(untyped.headers.keys()) == ["Content-Length"]
    refused = client.post("/v1/sync", data=b"x", headers={"Content-Type": ""})
    assert refused.content_type == TYPE


def test_an_idle_sync_over_a_real_socket_stays_small(house: House) -> None:
    """Start line and headers as waitress really sends them, plus both signed bodies, in one round trip."""
    station = enrol(house, "vn.yb.04510")
    station.sync()
    request = station.request()
    with served(house) as port:
        head = (
            f"POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(request)}\r\n\r\n"
        ).encode()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(head + request)
            answer = link.recv(65536)  # head and body come in one piece
    start, body = answer.split(b"\r\n\r\n", 1)
    assert start.startswith(b"HTTP/1.1 200")
    assert b"Server:" not in start
    assert b"Set-Cookie" not in start
    assert b"Date:" not in start
    assert len(start) + 4 <= 40, start
    assert len(head) + len(request) + len(answer) <= 350
    assert accept_reply(station.ledger, station.key, station.hub, request, body).admitted == 0


@contextmanager
def served(house: House) -> Iterator[int]:
    """The application behind waitress on a loopback port."""
    server = listen(house.app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield int(server.effective_port)
    finally:
        # In its own thread, connections that are kept alive too: then its loop has nothing left and ends.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(timeout=10)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()


def test_health_says_where_the_journal_stands_without_signing_in(house: House) -> None:
    answer = house.app.test_client().get("/healthz")
    assert (answer.status_code, answer.get_data(as_text=True)) == (
        200,
        f"ok {house.hub.ledger.position()}\n",
    )


def test_an_emergency_reaches_a_station_and_its_answer_reaches_the_live_list(house: House) -> None:
    station = enrol(house, "vn.yb.04630")
    station.sync()
    boss = house.browser("lanhdao").get("/khan-cap")
    boss.press("/khan-cap", text="Lũ quét: rời khỏi bờ suối ngay.", kind="lu-quet", mode="drill", hours="1")
    boss.press("/ra-lenh", password="lanhdao-2022")
    series = int(boss.path.rsplit("/", 1)[1])
    live = f"/khan-cap/{series}/tra-loi"
    before = boss.client.get(live)
    assert boss.client.get(live, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    station.sync()
    station.acknowledge(series)
    station.sync()
    house.hub.tick()
    after = boss.client.get(live, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "Xã Tú Lệ" in after.get_data(as_text=True)
    boss.get(f"/khan-cap/{series}/bao-yen").press(
        "/bao-yen", reason="Nước đã rút", password="lanhdao-2022"
    )
    assert "đã báo yên" in boss.words
