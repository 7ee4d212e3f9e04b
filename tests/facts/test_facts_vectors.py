"""The golden vectors of authority, read as a stranger would: signed segments in, who may do what out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from ledger.facts import Decision, Facts, Malformed, Report, audience_of
from ledger.facts.events import parse
from ledger.log.keys import VerifyKey
from ledger.log.segment import open_segment
from ledger.log.store import Stored

VECTORS = Path(__file__).parent.parent / "vectors"
GRANTS = json.loads((VECTORS / "grants.json").read_text("utf-8"))


def cases(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in GRANTS[part]]


class Reader:
    """Facts that hold the vectors' root and take in segments in order."""

    def __init__(self) -> None:
        self.facts = Facts([VerifyKey(bytes.fromhex(raw)) for raw in GRANTS["roots"]])
        known = [VerifyKey(bytes.fromhex(raw)) for raw in GRANTS["public"]]
        self._keys = {key.key_id: key for key in known}
        self._position = 0

    def take(self, raw: str) -> list[VerifyKey]:
        segment = open_segment(bytes.fromhex(raw), self._keys.get)
        self._position += 1
        return self.facts.admit(Stored(self._position, segment, audience_of(segment.events)))

    def answers(self) -> list[Any]:
        """Who holds what, as far as the vectors' keys go."""
        return [self.facts.authority.grants_of(key_id) for key_id in self._keys]


@pytest.mark.parametrize("case", cases("accepts"))
def test_a_chain_of_grants_introduces_these_keys_and_gives_these_answers(case: Any) -> None:
    reader = Reader()
    introduced = [key.raw.hex() for raw in case["grants"] for key in reader.take(raw)]
    assert list(dict.fromkeys(introduced)) == case["introduces"]
    assert reader.facts.refused == []
    for asked in case["may"]:
        key_id = VerifyKey(bytes.fromhex(asked["key"])).key_id
        answer = reader.facts.authority.may(key_id, asked["classes"], asked["territory"], asked["at"])
        assert answer is asked["answer"], asked


@pytest.mark.parametrize("case", cases("rejects"))
def test_a_grant_introduces_nobody_and_is_remembered_with_its_reason(case: Any) -> None:
    reader = Reader()
    for raw in case["held"]:
        assert len(reader.take(raw)) == 1
    assert reader.facts.refused == []
    before, known = reader.answers(), reader.facts.authority.keys()
    assert reader.take(case["grant"]) == []
    assert {reason for _, reason in reader.facts.refused} == {case["code"]}
    assert (reader.answers(), reader.facts.authority.keys()) == (before, known)


def test_the_events_named_after_a_type_are_well_formed() -> None:
    events = json.loads((VECTORS / "events.json").read_text("utf-8"))["accepts"]
    named = [case for case in events if case["name"].startswith(("the opening", "an ", "a "))]
    assert len(named) == 8
    for case in named:
        assert not isinstance(parse(bytes.fromhex(case["bytes"])), Malformed), case["name"]


VOCABULARY = json.loads((VECTORS / "vocabulary.json").read_text("utf-8"))


@pytest.mark.parametrize("case", VOCABULARY["accepts"], ids=lambda case: case["name"])
def test_each_type_of_the_vocabulary_is_read(case: Any) -> None:
    event = bytes.fromhex(case["bytes"])
    fact = parse(event)
    assert type(fact).__name__ == case["name"]
    assert fact.encode() == event  # type: ignore[union-attr]


@pytest.mark.parametrize("case", VOCABULARY["rejects"], ids=lambda case: case["name"])
def test_a_malformed_event_has_the_reason_of_the_vector(case: Any) -> None:
    event = bytes.fromhex(case["bytes"])
    assert parse(event) == Malformed(event, case["reason"])


def test_the_vocabulary_has_a_case_of_every_type_but_the_logs_own() -> None:
    kinds = {kind.__name__ for kind in (*get_args(Decision), *get_args(Report))}
    assert {case["name"] for case in VOCABULARY["accepts"]} == kinds
