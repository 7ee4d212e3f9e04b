"""The golden vectors of receipts and enrolment, read as a stranger would: from the JSON files alone."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.log.chain import LogRef
from ledger.log.enrol import (
    Enrolled,
    Token,
    TokenRecord,
    holds_token,
    make_enrolment,
    make_enrolment_reply,
    read_enrolment,
    read_enrolment_reply,
)
from ledger.log.errors import LoaError, NotAllowed
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.receipts import Receipt

ROOT = Path(__file__).parent.parent.parent
SPEC = ROOT / "docs" / "spec"


def load(name: str) -> Any:
    return json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text("utf-8"))


RECEIPTS, ENROLMENT = load("receipts"), load("enrolment")


def cases(rows: list[Any]) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in rows]


def whole(json_value: Any) -> int:
    return int(json_value["int"]) if isinstance(json_value, dict) else int(json_value)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(LoaError) as caught:
        act()
    return caught.value.code


# --- receipts -----------------------------------------------------------------------------------------------

HUB = VerifyKey(bytes.fromhex(RECEIPTS["hub"]))


@pytest.mark.parametrize("case", cases(RECEIPTS["accepts"]))
def test_a_receipt_says_this(case: Any) -> None:
    raw = bytes.fromhex(case["bytes"])
    receipt = Receipt.decode(raw)
    receipt.verify(HUB)
    assert receipt.encode() == raw
    assert receipt.hub.hex() == case["hub"]
    assert receipt.log == LogRef(bytes.fromhex(case["author"]), bytes.fromhex(case["log_id"]))
    assert (receipt.next_seq, receipt.head_hash.hex()) == (whole(case["next_seq"]), case["head_hash"])
    assert (receipt.hub_time, receipt.hub_log.hex()) == (whole(case["hub_time"]), case["hub_log"])
    assert (receipt.hub_seq, receipt.nonce.hex()) == (whole(case["hub_seq"]), case["nonce"])
    again = Receipt.sign(
        SigningKey.from_seed(bytes.fromhex(RECEIPTS["hub_seed"])), log=receipt.log, next_seq=receipt.next_seq,
        head_hash=receipt.head_hash, hub_time=receipt.hub_time, hub_log=receipt.hub_log,
        hub_seq=receipt.hub_seq, nonce=receipt.nonce,
    )  # fmt: skip
    assert again.encode() == raw


@pytest.mark.parametrize("case", cases(RECEIPTS["rejects"]))
def test_a_receipt_is_refused(case: Any) -> None:
    assert refusal(lambda: Receipt.decode(bytes.fromhex(case["bytes"])).verify(HUB)) == case["code"]


# --- enrolment ----------------------------------------------------------------------------------------------

TOKEN = Token(bytes.fromhex(ENROLMENT["token"]["secret"]))
DEVICE = SigningKey.from_seed(bytes.fromhex(ENROLMENT["device_seed"]))


@pytest.mark.parametrize("case", cases(ENROLMENT["token_accepts"]))
def test_a_typed_token_has_this_secret(case: Any) -> None:
    assert Token.parse(case["text"]).secret.hex() == case["secret"]


@pytest.mark.parametrize("case", cases(ENROLMENT["token_rejects"]))
def test_a_text_is_no_token(case: Any) -> None:
    assert refusal(lambda: Token.parse(case["text"])) == case["code"]


def test_a_token_gives_these_values() -> None:
    given = ENROLMENT["token"]
    assert given["text"] == TOKEN.text
    assert (TOKEN.id.hex(), TOKEN.reply_key.hex()) == (given["id"], given["reply_key"])
    assert TOKEN.key.verify_key.raw.hex() == given["public"]


def as_a_hub_reads(request: bytes) -> None:
    """The page's checks that need no register of tokens: one token is known, and nobody used it."""
    given = ENROLMENT["token"]
    record = TokenRecord(*(bytes.fromhex(given[name]) for name in ("id", "public", "reply_key")))
    read = read_enrolment(request)
    if not holds_token(read, record):
        raise NotAllowed("token-refused", "this token enrols nobody")
    read.key.prove_order()


@pytest.mark.parametrize("case", cases(ENROLMENT["accepts"]))
def test_a_request_of_a_device_is_accepted(case: Any) -> None:
    raw, nonce = bytes.fromhex(case["bytes"]), bytes.fromhex(case["nonce"])
    as_a_hub_reads(raw)
    read = read_enrolment(raw)
    assert (read.unit, read.nonce, read.key.raw.hex()) == (case["unit"], nonce, case["public"])
    assert make_enrolment(TOKEN, DEVICE, unit=case["unit"], nonce=nonce) == raw


@pytest.mark.parametrize("case", cases(ENROLMENT["rejects"]))
def test_a_request_of_a_device_is_refused(case: Any) -> None:
    assert refusal(lambda: as_a_hub_reads(bytes.fromhex(case["bytes"]))) == case["code"]


@pytest.mark.parametrize("case", cases(ENROLMENT["reply_accepts"]))
def test_a_reply_of_a_hub_is_believed(case: Any) -> None:
    request, reply = bytes.fromhex(case["request"]), bytes.fromhex(case["bytes"])
    roots = tuple(VerifyKey(bytes.fromhex(raw)) for raw in case["roots"])
    hub = VerifyKey(bytes.fromhex(case["hub"]))
    said = Enrolled(roots, hub, case["unit"], case["station"], case["province"], case["hub_time"])
    assert read_enrolment_reply(TOKEN, DEVICE, request, reply) == said
    again = make_enrolment_reply(
        TOKEN.record, request, roots=roots, hub=hub, unit=said.unit, name=said.name,
        province=said.province, hub_time=said.hub_time,
    )  # fmt: skip
    assert again == reply


@pytest.mark.parametrize("case", cases(ENROLMENT["reply_rejects"]))
def test_a_reply_of_a_hub_is_not_believed(case: Any) -> None:
    request, reply = bytes.fromhex(ENROLMENT["reply_request"]), bytes.fromhex(case["bytes"])
    assert refusal(lambda: read_enrolment_reply(TOKEN, DEVICE, request, reply)) == case["code"]


# --- the specification beside them --------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "page"), [("receipts", "receipts"), ("enrol", "enrolment")])
def test_every_refusal_stands_on_its_page_and_has_a_vector(module: str, page: str) -> None:
    source = (ROOT / "ledger" / "log" / f"{module}.py").read_text("utf-8")
    words = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    codes = {w for w in words if isinstance(w, str) and re.fullmatch(r"(receipt|enrol|token)-[a-z-]+", w)}
    assert len(codes) >= 4
    text, vectors = (SPEC / f"{page}.md").read_text("utf-8"), json.dumps(load(page))
    assert {code for code in codes if f"`{code}`" not in text} == set()
    assert {code for code in codes if f'"{code}"' not in vectors} == set()
