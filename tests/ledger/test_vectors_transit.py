"""The golden vectors of transit forms, read as a stranger would: from the JSON file alone."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ledger.facts import AckCoder, Facts, audience_of
from ledger.log import CodecError, LoaError, Stored, VerifyKey, open_segment
from ledger.log.segment import Segment
from ledger.log.transit import read, unfold

ROOT = Path(__file__).parent.parent.parent
SPEC = (ROOT / "docs" / "spec" / "transit.md").read_text("utf-8")
VECTORS = json.loads((ROOT / "tests" / "vectors" / "transit.json").read_text("utf-8"))
FORMS = VECTORS
ACKS = {name.removeprefix("acks_"): value for name, value in VECTORS.items() if name.startswith("acks_")}


def cases(rows: list[Any]) -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in rows]


def unfolded(case: Any) -> Segment:
    return unfold(
        read(bytes.fromhex(case["bytes"]), 1),
        log_id=bytes.fromhex(case["log_id"]),
        prev=bytes.fromhex(case["prev"]),
        key=VerifyKey(bytes.fromhex(case["author"])),
        coder=None,
    )


@pytest.mark.parametrize("case", cases(FORMS["accepts"]))
def test_a_form_gives_this_segment(case: Any) -> None:
    segment = unfolded(case)
    assert segment.head.hash.hex() == case["head_hash"]
    assert [event.hex() for event in segment.events] == case["events"]
    key = VerifyKey(bytes.fromhex(case["author"]))
    assert open_segment(segment.raw, {key.key_id: key}.get).events == segment.events


@pytest.mark.parametrize("case", cases(FORMS["rejects"]))
def test_a_form_is_refused(case: Any) -> None:
    with pytest.raises(LoaError) as refused:
        unfolded(case)
    assert refused.value.code == case["code"]


@pytest.fixture(scope="module")
def coder() -> AckCoder:
    root = VerifyKey(bytes.fromhex(ACKS["root"]))
    facts = Facts([root])
    for position, raw in enumerate(ACKS["decisions"], start=1):
        segment = open_segment(bytes.fromhex(raw), {root.key_id: root}.get)
        facts.admit(Stored(position, segment, audience_of(segment.events)))
    assert not facts.refused
    return AckCoder(facts, ACKS["unit"])


@pytest.mark.parametrize("case", cases(ACKS["accepts"]))
def test_packed_acknowledgments_are_these(coder: AckCoder, case: Any) -> None:
    events = coder.unpack(bytes.fromhex(case["bytes"]), len(case["events"]))
    assert [event.hex() for event in events] == case["events"]
    packed = coder.pack(events)
    assert packed is not None
    assert coder.unpack(packed, len(events)) == events
    assert len(packed) <= len(bytes.fromhex(case["bytes"]))


@pytest.mark.parametrize("case", cases(ACKS["rejects"]))
def test_packed_bytes_are_refused(coder: AckCoder, case: Any) -> None:
    with pytest.raises(CodecError) as refused:
        coder.unpack(bytes.fromhex(case["bytes"]), case["count"])
    assert refused.value.code == case["code"]


def test_there_are_more_refusals_than_acceptances() -> None:
    assert len(FORMS["rejects"]) > len(FORMS["accepts"])
    assert len(ACKS["rejects"]) > len(ACKS["accepts"])


def test_every_refusal_stands_on_the_page_and_those_of_bytes_have_a_vector() -> None:
    codes = set()
    for module in ("log/transit", "log/arrivals", "facts/transit"):
        tree = ast.parse((ROOT / "ledger" / f"{module}.py").read_text("utf-8"))
        words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        codes |= {w for w in words if isinstance(w, str) and re.fullmatch(r"(transit|acks)-[a-z]+", w)}
    assert len(codes) >= 10
    assert {code for code in codes if f"`{code}`" not in SPEC} == set()
    # What a hub holds decides about the first; the others need more bytes than a vector is worth.
    needs_more = {"transit-prev", "transit-size", "transit-long", "acks-number"}
    text = json.dumps(VECTORS)
    assert {code for code in codes - needs_more if f'"{code}"' not in text} == set()


def test_the_bytes_shown_on_the_page_are_those_of_the_vectors() -> None:
    shown = re.findall(r"\b[0-9a-f]{16,}\b", SPEC)
    assert shown
    text = json.dumps(VECTORS)
    assert [piece for piece in shown if piece not in text] == []
