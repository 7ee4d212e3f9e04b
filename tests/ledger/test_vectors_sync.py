"""The golden vectors of rounds: both ends are played from the JSON file alone, and compared byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.facts import audience_of
from ledger.log.errors import LoaError
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.memory_disk import Image, MemoryStore
from ledger.log.store import Ledger
from ledger.log.sync import accept_reply, answer, make_request

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "sync.json").read_text("utf-8"))
HUB = SigningKey.from_seed(bytes.fromhex(VECTORS["hub_seed"]))
STATION = SigningKey.from_seed(bytes.fromhex(VECTORS["station_seed"]))
TRUSTED = [VerifyKey(bytes.fromhex(raw)) for raw in VECTORS["trusted"]]
STATIONS = {bytes.fromhex(key): units for key, units in VECTORS["stations"].items()}


def cases(rows: list[Any]) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in rows]


def whole(case: Any, name: str) -> bytes:
    """The bytes of a case; a large one is told by its beginning, zeros follow."""
    raw = bytes.fromhex(case[name])
    return raw.ljust(case.get("zeros_to", 0), b"\0")


class Player:
    """An end that begins empty. Its logs have the ids that the vectors give, one for each process."""

    def __init__(self, logs: list[str]) -> None:
        self.store = MemoryStore()
        self.logs = iter(bytes.fromhex(log) for log in logs)
        self.clock = VECTORS["now"]
        self.boot()

    def boot(self) -> None:
        log = next(self.logs)
        self.ledger = Ledger(
            self.store.open_db("ledger.db"), entropy=lambda n: log[:n], now=lambda: self.clock,
            software=VECTORS["software"], audience_of=audience_of,
        )  # fmt: skip
        for key in TRUSTED:
            self.ledger.trust(key)


def hub_after(steps: list[Any]) -> Player:
    hub = Player(VECTORS["hub_logs"])
    images: list[Image] = [hub.store.snapshot()]
    for step in steps:
        if "request" in step:
            answered(hub, bytes.fromhex(step["request"]), step["now"])
        elif "restart" in step:
            hub.boot()
        else:
            hub.store.restore(images[step["restored"]])
            hub.boot()
        images.append(hub.store.snapshot())
    return hub


def answered(hub: Player, request: bytes, now: int) -> bytes:
    hub.clock = now
    return answer(hub.ledger, HUB, request, now=now, audiences_of=STATIONS.get).reply


@pytest.mark.parametrize("case", cases(VECTORS["accepts"]))
def test_a_hub_answers_so(case: Any) -> None:
    hub = hub_after(case["before"])
    reply = answered(hub, bytes.fromhex(case["request"]), case["now"])
    assert reply.hex() == case["reply"]


@pytest.mark.parametrize("case", cases(VECTORS["rejects"]))
def test_a_request_is_refused_as_a_whole(case: Any) -> None:
    hub = hub_after([])
    with pytest.raises(LoaError) as caught:
        answered(hub, whole(case, "request"), VECTORS["now"])
    error = caught.value
    assert (error.code, error.status, error.retry) == (case["code"], case["status"], case["again"])
    assert hub.ledger.position() == 0


def station_after(steps: list[Any]) -> tuple[Player, bytes]:
    """The station and its last request."""
    station, request = Player(VECTORS["station_logs"]), b""
    for step in steps:
        if "append" in step:
            for event in step["append"]:
                station.ledger.append(STATION, bytes.fromhex(event))
        elif "ask" in step:
            request = asked(station, step)
        elif "restart" in step:
            station.boot()
        else:
            accept_reply(station.ledger, STATION, TRUSTED[0], request, bytes.fromhex(step["reply"]))
    return station, request


def asked(station: Player, step: Any) -> bytes:
    nonce = bytes.fromhex(step["nonce"])
    request = make_request(station.ledger, STATION, nonce=nonce, now=VECTORS["now"], beside=True)
    assert request.hex() == step["ask"]
    return request


@pytest.mark.parametrize("case", cases(VECTORS["reply_accepts"]))
def test_a_station_makes_this_of_a_reply_and_asks_so_next(case: Any) -> None:
    station, request = station_after(case["before"])
    accepted = accept_reply(station.ledger, STATION, TRUSTED[0], request, bytes.fromhex(case["reply"]))
    assert {
        "hub_time": accepted.hub_time,
        "admitted": accepted.admitted,
        "receipts": len(accepted.receipts),
        "refused": [[ref.log_id.hex(), first_seq, code] for ref, first_seq, code in accepted.refused],
        "strange": [ref.log_id.hex() for ref in accepted.strange],
        "more": accepted.more,
    } == case["then"]
    asked(station, case["next"])


@pytest.mark.parametrize("case", cases(VECTORS["reply_rejects"]))
def test_a_reply_is_refused_and_changes_nothing(case: Any) -> None:
    station, request = station_after(case["before"])
    before = list(station.store.open_db("ledger.db").iterdump())
    with pytest.raises(LoaError) as caught:
        accept_reply(station.ledger, STATION, TRUSTED[0], request, whole(case, "reply"))
    assert caught.value.code == case["code"]
    assert list(station.store.open_db("ledger.db").iterdump()) == before


def test_there_are_as_many_refusals_as_acceptances() -> None:
    for prefix in ("", "reply_"):
        assert len(VECTORS[f"{prefix}rejects"]) >= len(VECTORS[f"{prefix}accepts"]) >= 15
