"""The golden vectors of content, read from their JSON file through the public readers."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from hub.web.ranges import Span, Unsatisfiable, read_range
from ledger.facts import Manifest
from ledger.log import Blobs, MemoryStore
from ledger.log.errors import BlobError, CodecError

ROOT = Path(__file__).parent.parent.parent
VECTORS = json.loads((ROOT / "tests" / "vectors" / "blobs.json").read_text("utf-8"))
PAGES = "".join(
    (ROOT / "docs" / "spec" / f"{name}.md").read_text("utf-8") for name in ("blobs", "vocabulary")
)
SIZE, TAG = VECTORS["content"]["size"], VECTORS["content"]["tag"]
HASHES = tuple(bytes.fromhex(one) for one in VECTORS["content"]["chunks"])
AUDIO = b"".join(sha256(n.to_bytes(8, "big")).digest() for n in range(-(-SIZE // 32)))[:SIZE]


def named(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[part]]


@pytest.mark.parametrize("case", named("accepts"))
def test_a_manifest_reads_and_writes_to_these_bytes(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["manifest"])
    manifest = Manifest.decode(data)
    assert manifest.encode() == data
    assert manifest.sha256.hex() == case["sha256"]


@pytest.mark.parametrize("case", named("rejects"))
def test_what_is_no_manifest_is_refused_by_the_code_that_the_page_names(case: dict[str, Any]) -> None:
    with pytest.raises(CodecError) as caught:
        Manifest.decode(bytes.fromhex(case["manifest"]))
    assert caught.value.code == case["code"]
    assert f"`{case['code']}`" in PAGES or case["code"].startswith("codec-")


@pytest.mark.parametrize("case", named("fetches"))
def test_pieces_of_content_are_kept_or_refused_as_written(case: dict[str, Any]) -> None:
    blobs, sha = Blobs(MemoryStore()), sha256(AUDIO).digest()
    for step in case["steps"]:
        offset, length = step["offset"], step["length"]
        data = bytearray((AUDIO + b"?")[offset : offset + length])
        if step["false_byte"] is not None:
            data[step["false_byte"] - offset] ^= 1
        code = None
        try:
            blobs.add(sha, offset, bytes(data), HASHES, SIZE)
        except BlobError as error:
            code = error.code
        assert (code, blobs.begun(sha)) == (step["code"], step["here"])
        assert code is None or f"`{code}`" in PAGES
    assert case["accepts"] == all(step["code"] is None for step in case["steps"])
    if blobs.begun(sha) == SIZE:
        blobs.finish(sha, HASHES)
        assert blobs.read(sha) == AUDIO


@pytest.mark.parametrize("case", VECTORS["ranges"], ids=lambda one: f"{one['range']} if {one['if_range']}")
def test_a_range_is_answered_as_written(case: dict[str, Any]) -> None:
    try:
        span = read_range(case["range"], case["if_range"], TAG, SIZE)
    except Unsatisfiable:
        assert (case["status"], case["content_range"]) == (416, f"bytes */{SIZE}")
        return
    if span is None:
        assert (case["status"], case["content_range"]) == (200, None)
        return
    assert isinstance(span, Span)
    last = span.offset + span.length - 1
    assert (case["status"], case["content_range"]) == (206, f"bytes {span.offset}-{last}/{SIZE}")


def test_refusals_are_at_least_as_many_as_acceptances() -> None:
    assert len(VECTORS["rejects"]) >= len(VECTORS["accepts"])
    accepted = [case["accepts"] for case in VECTORS["fetches"]]
    assert accepted.count(False) >= accepted.count(True)
    whole = [case["status"] == 206 for case in VECTORS["ranges"]]
    assert whole.count(False) >= whole.count(True)
