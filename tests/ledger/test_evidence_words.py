"""What the command line says of a confirmed time and of clusters; the page says it in the same words."""

from __future__ import annotations

import re

import pytest
from evidence_desk import HERE, NOON_S, Province, position_of
from helpers import NODE_KEY

from ledger.evidence import told
from ledger.facts import Acknowledged, ClockStepped, Cluster
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


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (b"\xb5\x2b\xb9\x90", "b52bb990 (18/20 cụm loa đã phát; không trả lời: #7, #20)"),
        (b"\xff", "ff (phần cụm loa không đọc được)"),
        (None, "None"),
    ],
)
def test_an_acknowledgment_says_which_clusters_were_not_playing(vector: bytes | None, said: str) -> None:
    province = Province()
    ack = Acknowledged(NOON_S, 41, 19_305, bytes(16), 0, 600, 1, 0, 3, 80, vector)
    province.station.append(NODE_KEY, ack.encode())
    province.round()
    _, found = province.evidence(province.hub, *position_of(province.hub, ack.encode()))
    assert f"  clusters: {said}" in told(found, "vi")


def test_the_page_names_the_states_of_clusters_as_the_command_line_does() -> None:
    words = (PAGE / "words.js").read_text("utf-8")
    named = words[words.index("const CLUSTERS") : words.index("const CLASSES")]
    assert re.findall(r'\["([^"]*)", "([^"]*)"\]', named) == [
        (one.say("vi"), one.say("en")) for one in Cluster
    ]
