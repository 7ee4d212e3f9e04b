"""What the command line says of a time that a person confirmed; the page says it in the same words."""

from __future__ import annotations

import re

import pytest
from evidence_desk import HERE, NOON_S, Province, position_of
from helpers import NODE_KEY

from ledger.evidence import told
from ledger.facts import ClockStepped
from ledger.verifier import HERE as PAGE

SAID = {"vi": "Người tại trạm xác nhận giờ này là đúng", "en": "A person at the box confirmed this time"}


def line_about(step: ClockStepped, lang: str) -> str:
    province = Province()
    province.station.append(NODE_KEY, step.encode())
    province.round()
    _, found = province.evidence(province.hub, *position_of(province.hub, step.encode()))
    assert found.chain[-1].territory == HERE
    return next(line for line in told(found, lang) if "ClockStepped" in line)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_time_that_a_person_confirmed_is_not_told_as_a_step(lang: str) -> None:
    line = line_about(ClockStepped(NOON_S, NOON_S, NOON_S, "person"), lang)
    assert line.endswith(f": ClockStepped: {SAID[lang]}")


@pytest.mark.parametrize(
    ("old_s", "source"),
    [(NOON_S - 1, "person"), (NOON_S + 400, "person"), (NOON_S, "ntp"), (NOON_S, "Person")],
)
def test_a_step_is_told_as_a_step_whoever_made_it(old_s: int, source: str) -> None:
    for lang in SAID:
        assert line_about(ClockStepped(NOON_S, old_s, NOON_S, source), lang).endswith(": ClockStepped")


def test_the_page_says_it_in_the_same_words() -> None:
    words = (PAGE / "words.js").read_text("utf-8")
    assert re.findall(r'^const CONFIRMED = \["([^"]*)", "([^"]*)"\];$', words, re.MULTILINE) == [
        tuple(SAID.values())
    ]
