"""The golden vectors of keys that end, read as a stranger would: in their order, and in the reverse of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ledger.facts import Cut, Facts, Place, Recorded, audience_of, read
from ledger.log import six_words
from ledger.log.keys import VerifyKey
from ledger.log.segment import SegmentHead, open_segment
from ledger.log.store import Stored
from ledger.log.words import WORDS

VECTORS = Path(__file__).parent.parent / "vectors"
ENDINGS = json.loads((VECTORS / "endings.json").read_text("utf-8"))
SPOKEN = json.loads((VECTORS / "words.json").read_text("utf-8"))
KEYS = {key.key_id: key for raw in ENDINGS["public"] for key in [VerifyKey(bytes.fromhex(raw))]}


def cases(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in ENDINGS[part]]


def stored(raw: str, position: int = 1) -> Stored:
    segment = open_segment(bytes.fromhex(raw), KEYS.get)
    return Stored(position, segment, audience_of(segment.events))


def told(roots: Iterable[str], segments: Iterable[str]) -> Facts:
    facts = Facts([VerifyKey(bytes.fromhex(raw)) for raw in roots])
    for position, raw in enumerate(segments, start=1):
        facts.admit(stored(raw, position))
    return facts


def answers(facts: Facts, case: Any) -> list[bool]:
    found = []
    for asked in case["may"]:
        place = asked["place"] and Place(bytes.fromhex(asked["place"]["log"]), asked["place"]["seq"])
        key_id = VerifyKey(bytes.fromhex(asked["key"])).key_id
        found.append(facts.authority.may(key_id, asked["classes"], asked["territory"], asked["at"], place))
    return found


@pytest.mark.parametrize("case", cases("accepts"))
def test_what_each_key_may_where_is_as_the_vector_says(case: Any) -> None:
    wanted = [asked["answer"] for asked in case["may"]]
    for segments in (case["segments"], case["segments"][::-1]):
        facts = told(case["roots"], segments)
        assert answers(facts, case) == wanted
        assert sorted(reason for _, reason in facts.refused) == sorted(case["reasons"])


@pytest.mark.parametrize("case", cases("rejects"))
def test_a_refused_statement_is_remembered_with_its_reason_and_changes_nothing(case: Any) -> None:
    facts = told(case["roots"], case["held"])
    assert facts.refused == []

    def state() -> Any:
        authority = facts.authority
        return (
            [authority.may(key_id, 2, "vn.yb.04630", 1667955600) for key_id in KEYS],
            [authority.is_root(key_id) for key_id in KEYS],
            [authority.grants_of(key_id) for key_id in KEYS],
        )

    before = state()
    assert facts.admit(stored(case["segment"], 99)) == []
    assert {reason for _, reason in facts.refused} == {case["code"]}
    assert state() == before


def test_every_refusal_of_an_ending_has_a_vector() -> None:
    codes = {case["code"] for case in ENDINGS["rejects"]}
    later = {case_reason for case in ENDINGS["accepts"] for case_reason in case["reasons"]}
    assert {code for code in codes if code.startswith("revocation")} | {"revocation-key-ended"} == {
        f"revocation-{what}" for what in ("not-above", "of-itself", "of-root", "unknown-key", "key-ended")
    }
    assert {"revocation-key-ended", "rotation-key-ended", "grant-key-ended"} <= later
    assert {code for code in codes if code.startswith("roots-")} == {
        f"roots-{what}"
        for what in (
            "form", "key-refused", "key-twice", "retired", "signature-bad", "signature-foreign",
            "signature-twice", "threshold-new", "threshold-old", "threshold-range", "version",
        )
    }  # fmt: skip


def test_a_journal_says_what_it_had_recorded_by_each_cut() -> None:
    (case,) = ENDINGS["recorded"]
    hub = VerifyKey(bytes.fromhex(case["hub"])).key_id
    heads = [SegmentHead.decode(bytes.fromhex(raw)) for raw in case["heads"]]
    for journal in (case["journal"], case["journal"][::-1]):
        recorded = Recorded({head.key_id for head in heads})
        for raw in journal:
            for signed in read(stored(raw)):
                recorded.take(signed)
        for cut in case["cuts"]:
            where = Cut(hub, bytes.fromhex(cut["log"]), cut["seq"])
            assert [recorded.had(where, head) for head in heads] == cut["had"], cut


@pytest.mark.parametrize("case", SPOKEN["accepts"], ids=lambda case: case["words"])
def test_the_words_of_two_messages_are_these(case: Any) -> None:
    assert six_words(bytes.fromhex(case["request"]), bytes.fromhex(case["reply"])) == case["words"]


@pytest.mark.parametrize("case", SPOKEN["rejects"], ids=lambda case: case["name"])
def test_other_messages_have_other_words(case: Any) -> None:
    assert six_words(bytes.fromhex(case["request"]), bytes.fromhex(case["reply"])) != case["words"]


def test_the_list_of_words_is_the_published_one() -> None:
    assert list(WORDS) == SPOKEN["words"]
