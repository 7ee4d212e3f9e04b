"""The bad line, under the station's real HTTP transport: each fault alone, and what it must look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import httpx2
import pytest

from ledger.log import TransportError
from node import HttpTransport
from sim.faults import Dice, Rates
from sim.link import PORTAL, TIMEOUT_S, Answer, FaultyLink

NONE = Rates().scaled(0.0)
BODY = bytes(range(256)) * 8


class Hub:
    """Answers with the body it got; notes what arrived."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def __call__(self, request: httpx2.Request) -> Answer:
        body = request.read()
        self.got.append(body)
        answer = b"reply to " + body
        length = str(len(answer)).encode()
        return Answer(200, ((b"content-type", b"application/x-loa"), (b"content-length", length)), answer)


def line(
    rates: Rates, hub: Hub, *, seed: int = 1, now: float = 50.0
) -> tuple[FaultyLink, HttpTransport, list[Callable[[], None]]]:
    late: list[Callable[[], None]] = []
    link = FaultyLink(
        "vn.yb.04630",
        Dice(seed),
        rates,
        now=lambda: now,
        deliver=hub,
        later=lambda delay_s, act: late.append(act),
        start_s=0.0,
        end_s=100.0,
    )
    client = httpx2.Client(transport=link, trust_env=False)
    return link, HttpTransport("http://hub.loa.invalid", mono=lambda: now, client=client), late


def test_a_good_line_carries_every_byte() -> None:
    hub = Hub()
    link, transport, _ = line(NONE, hub)
    assert transport.exchange(BODY) == b"reply to " + BODY
    assert hub.got == [BODY]
    assert link.fate == ""
    assert 0.0 < link.took_s < 1.0


def test_faults_strike_only_in_their_time() -> None:
    hub = Hub()
    _, transport, _ = line(replace(NONE, drop_request=1.0), hub, now=100.0)
    assert transport.exchange(BODY) == b"reply to " + BODY


@pytest.mark.parametrize("kind", ["drop_request", "portal", "gateway"])
def test_a_request_that_does_not_arrive_is_a_failure_and_reaches_no_hub(kind: str) -> None:
    hub = Hub()
    _, transport, _ = line(replace(NONE, **{kind: 1.0}), hub)
    dressed_up = 0
    for _ in range(20):
        try:
            answer = transport.exchange(BODY)
        except TransportError:
            continue
        assert kind == "portal"
        assert answer == PORTAL, "a portal that even lies about the type: signatures must refuse it"
        dressed_up += 1
    assert hub.got == []
    assert dressed_up < 20


@pytest.mark.parametrize("kind", ["drop_reply", "hang"])
def test_a_lost_reply_reached_the_hub_and_costs_the_station_its_patience(kind: str) -> None:
    hub = Hub()
    link, transport, _ = line(replace(NONE, **{kind: 1.0}), hub)
    with pytest.raises(TransportError):
        transport.exchange(BODY)
    assert hub.got == [BODY, b""]  # then it asked how much of it is there
    assert link.fate == "reply lost"
    assert link.took_s == TIMEOUT_S


def test_a_cut_reply_is_an_error_or_honestly_shorter() -> None:
    hub = Hub()
    _, transport, _ = line(replace(NONE, cut_reply=1.0), hub)
    whole = b"reply to " + BODY
    broken = 0
    for _ in range(30):
        try:
            got = transport.exchange(BODY)
        except TransportError:
            broken += 1
        else:
            assert got != whole
            assert whole.startswith(got)
    assert 0 < broken < 30


@pytest.mark.parametrize(("kind", "where"), [("flip_request", 0), ("flip_reply", 1)])
def test_a_flip_changes_exactly_one_bit_on_one_way(kind: str, where: int) -> None:
    hub = Hub()
    _, transport, _ = line(replace(NONE, **{kind: 1.0}), hub)
    answer = transport.exchange(BODY)
    ways = [(BODY, hub.got[0]), (b"reply to " + hub.got[0], answer)]
    bits = [sum((a ^ b).bit_count() for a, b in zip(sent, got, strict=True)) for sent, got in ways]
    assert bits == [1 - where, where]


def test_a_duplicate_reaches_the_hub_again_later_and_nobody_waits_for_it() -> None:
    hub = Hub()
    _, transport, late = line(replace(NONE, duplicate=1.0), hub)
    assert transport.exchange(BODY) == b"reply to " + BODY
    assert hub.got == [BODY]
    for act in late:
        act()
    assert hub.got == [BODY, BODY]


def test_a_stale_reply_is_the_one_to_the_request_before() -> None:
    hub = Hub()
    _, transport, _ = line(replace(NONE, stale_reply=1.0), hub)
    assert transport.exchange(b"first") == b"reply to first"
    assert transport.exchange(b"second") == b"reply to first"
    assert hub.got == [b"first"]


def test_a_line_that_is_down_fails_and_a_deaf_one_delivers_but_hears_nothing() -> None:
    for kind, reached in (("down_per_day", False), ("deaf_per_day", True)):
        hub = Hub()
        rates = replace(
            NONE, **{kind: 144.0}
        )  # one window every ten minutes: 0 to 100 s is covered for some seed
        struck = 0
        for seed in range(12):
            link, transport, _ = line(rates, hub, seed=seed, now=99.0)
            before = len(hub.got)
            try:
                transport.exchange(BODY)
            except TransportError:
                struck += 1
                assert (len(hub.got) > before) is reached
                assert link.fate == ("reply lost on a deaf line" if reached else "line down")
        assert struck


def test_every_fault_of_a_line_stands_in_the_rates() -> None:
    names = {field.name for field in fields(Rates)}
    assert {"drop_request", "drop_reply", "cut_reply", "cut_request", "flip_reply", "flip_request"} <= names
