"""The golden vectors of forwarding: a superior is played from the JSON file alone, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.facts import audience_of
from ledger.log.errors import LoaError
from ledger.log.forwarding import FORWARD_MISSING
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.memory_disk import Image, MemoryStore
from ledger.log.messages import FRAME_BYTES, REQUEST_BYTES_MAX, Reply
from ledger.log.store import Ledger
from ledger.log.sync import answer

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "central.json").read_text("utf-8"))
CENTRAL = SigningKey.from_seed(bytes.fromhex(VECTORS["hub_seed"]))
HUBS = {bytes.fromhex(key): units for key, units in VECTORS["hubs"].items()}
KNOWN = {bytes.fromhex(key): units for key, units in VECTORS["stations"].items()} | HUBS


def cases(rows: list[Any]) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in rows]


class Superior:
    """Begins empty; every step is a request, or the disk of an earlier step under a new process."""

    def __init__(self, steps: list[Any]) -> None:
        self.store = MemoryStore()
        self.logs = iter(bytes.fromhex(log) for log in VECTORS["hub_logs"])
        self.clock = VECTORS["now"]
        self.boot()
        images: list[Image] = [self.store.snapshot()]
        for step in steps:
            if "restored" in step:
                self.store.restore(images[step["restored"]])
                self.boot()
            else:
                self.answer(step)
            images.append(self.store.snapshot())

    def boot(self) -> None:
        log = next(self.logs)
        self.ledger = Ledger(
            self.store.open_db("ledger.db"), entropy=lambda n: log[:n], now=lambda: self.clock,
            software=VECTORS["software"], audience_of=audience_of,
        )  # fmt: skip
        for raw in VECTORS["trusted"]:
            self.ledger.trust(VerifyKey(bytes.fromhex(raw)))

    def answer(self, step: Any) -> bytes:
        self.clock = step["now"]
        return answer(
            self.ledger, CENTRAL, bytes.fromhex(step["request"]), now=step["now"],
            audiences_of=KNOWN.get, forwards=HUBS.__contains__,
        ).reply  # fmt: skip


@pytest.mark.parametrize("case", cases(VECTORS["accepts"]))
def test_a_superior_answers_a_hub_so(case: Any) -> None:
    reply = Superior(case["before"]).answer(case)
    assert reply.hex() == case["reply"]


@pytest.mark.parametrize("case", cases(VECTORS["rejects"]))
def test_a_superior_refuses_a_hub_so(case: Any) -> None:
    superior = Superior(case["before"])
    if "reply" in case:
        reply = superior.answer(case)
        assert reply.hex() == case["reply"]
        said = Reply.parse(reply[FRAME_BYTES:], REQUEST_BYTES_MAX)
        assert [row.code for row in said.refused] == [case["code"]] == [FORWARD_MISSING]
    else:
        with pytest.raises(LoaError) as caught:
            superior.answer(case)
        error = caught.value
        assert (error.code, error.status, error.retry) == (case["code"], case["status"], case["again"])


def test_there_are_as_many_refusals_as_acceptances() -> None:
    assert len(VECTORS["rejects"]) >= len(VECTORS["accepts"]) >= 10
