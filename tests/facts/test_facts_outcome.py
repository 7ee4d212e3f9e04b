"""The words for what became of a slot: every code has them, in both languages, written as Vietnamese is."""

from __future__ import annotations

import unicodedata

import pytest

from ledger.facts import Detail, Evidence, Outcome, Right, Verdict, say_detail


@pytest.mark.parametrize("words", [Outcome, Evidence, Detail], ids=lambda words: words.__name__)
def test_every_code_has_words_in_both_languages(words: type[Outcome] | type[Evidence] | type[Detail]) -> None:
    for lang in ("vi", "en"):
        said = [code.say(lang) for code in words]
        assert len(set(said)) == len(said)
        assert all(said) or (words is Detail and Detail.NONE.say(lang) == "")
        assert all(unicodedata.is_normalized("NFC", word) for word in said)


def test_the_codes_that_travel_never_change() -> None:
    assert [code.name for code in Outcome] == [
        "UNKNOWN", "PLAYED", "PLAYED_LATE", "PARTIAL", "INTERRUPTED",
        "SUPPRESSED", "MISSED", "DECLINED", "WITHDRAWN", "SILENT",
    ]  # fmt: skip
    assert [code.name for code in Evidence] == [
        "PLANNED", "DELIVERED", "DEVICE_ACCEPTED", "SIGNAL_PRESENT", "HEARD", "OPERATOR_ATTESTED",
    ]  # fmt: skip
    assert [code.name for code in Detail][:8] == [
        "NONE", "POWER", "NOT_DELIVERED", "CLOCK_UNKNOWN", "DEVICE", "EXPIRED", "QUIET", "BY_EMERGENCY",
    ]  # fmt: skip
    for codes in (Outcome, Evidence, Detail):
        assert [int(code) for code in codes] == list(range(len(codes)))


def test_only_played_counts_as_heard() -> None:
    assert [code for code in Outcome if code.heard] == [Outcome.PLAYED, Outcome.PLAYED_LATE]


def test_a_verdict_says_what_and_why() -> None:
    assert Verdict(Outcome.SUPPRESSED, Detail.QUIET).say() == "không được phép phát (giờ yên tĩnh)"
    assert Verdict(Outcome.WITHDRAWN, Detail.NONE).say("en") == "withdrawn"


def test_a_detail_of_a_newer_station_is_shown_by_its_number() -> None:
    assert say_detail(200) == "lý do số 200"
    assert say_detail(200, "en") == "reason 200"
    assert say_detail(Detail.POWER) == "mất điện"


def test_rights_are_said_as_officers_say_them() -> None:
    assert (Right.APPROVE | Right.CANCEL).say() == "duyệt tin, thu hồi"
    assert all(right.say("en") for right in Right)
