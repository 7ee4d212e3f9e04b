"""The bookcase of a place: which word about a document stands, and who has read it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from facts_desk import NOW, Room

from ledger.facts import (
    DirectiveIssued,
    DirectiveRead,
    Right,
    library_manifests,
    paper_of,
    papers,
    receipts,
)

PROVINCE, HERE, THERE = "vn.yb", "vn.yb.04630", "vn.yb.04636"
NAME, ONE, TWO = b"D" * 16, b"1" * 32, b"2" * 32


def issued(**more: object) -> DirectiveIssued:
    fact = DirectiveIssued(
        NOW, NAME, "directive", "15/CV", "Sở TT&TT", 100, "Tăng cường tuyên truyền", "", "law", ONE, PROVINCE,
        120,
    )  # fmt: skip
    return replace(fact, **more)  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Room:
    found = Room()
    found.grant("root", "province", Right.ISSUE, PROVINCE)
    found.grant("root", "other", Right.ISSUE, HERE)
    found.grant("root", "reader", Right.CORRESPOND, HERE)
    return found


def test_a_document_stands_where_its_territory_covers_the_unit(desk: Room) -> None:
    desk.say("province", issued(territory=HERE))
    assert [one.fact.title for one in papers(desk.facts, HERE)] == ["Tăng cường tuyên truyền"]
    assert papers(desk.facts, THERE) == []


def test_a_newer_version_replaces_and_a_word_without_content_takes_back(desk: Room) -> None:
    desk.say("province", issued())
    desk.say("province", issued(manifest=TWO))
    paper = paper_of(desk.facts, HERE, NAME)
    assert paper is not None
    assert (paper.manifest, paper.versions) == (TWO, 2)
    desk.say("province", issued(manifest=None))
    assert paper_of(desk.facts, HERE, NAME) is None
    assert library_manifests(desk.facts, HERE) == set()
    assert library_manifests(desk.facts) == {ONE, TWO}


def test_a_lower_level_cannot_replace_or_take_back_what_the_province_issued(desk: Room) -> None:
    desk.say("province", issued())
    desk.say("other", issued(territory=HERE, manifest=TWO))
    desk.say("other", issued(territory=HERE, manifest=None))
    paper = paper_of(desk.facts, HERE, NAME)
    assert paper is not None
    assert paper.manifest == ONE


def test_a_document_by_a_key_without_the_right_does_not_stand(desk: Room) -> None:
    desk.say("reader", issued(territory=HERE))
    assert papers(desk.facts, HERE) == []
    assert [reason for _, reason in desk.facts.refused] == ["no-authority"]


def test_a_receipt_is_for_the_version_it_names_and_counts_once_for_each_person(desk: Room) -> None:
    desk.say("province", issued())
    desk.say("reader", DirectiveRead(NOW, NAME, ONE, HERE))
    desk.say("reader", DirectiveRead(NOW + 5, NAME, ONE, HERE))
    paper = paper_of(desk.facts, HERE, NAME)
    assert paper is not None
    assert len(receipts(desk.facts, HERE, paper)) == 1
    assert receipts(desk.facts, THERE, paper) == []
    desk.say("province", issued(manifest=TWO))
    newer = paper_of(desk.facts, HERE, NAME)
    assert newer is not None
    assert receipts(desk.facts, HERE, newer) == []


def test_nobody_reads_for_another_commune(desk: Room) -> None:
    desk.say("province", issued())
    desk.say("reader", DirectiveRead(NOW, NAME, ONE, THERE))
    paper = paper_of(desk.facts, THERE, NAME)
    assert paper is not None
    assert receipts(desk.facts, THERE, paper) == []
