"""The pages of the specification say what the code does: types, fields, rights, codes, words, reasons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.facts import Cluster, Detail, Evidence, Outcome, Right, decisions, events, reports, slot, state

SPEC = Path(__file__).parent.parent.parent / "docs" / "spec"
VOCABULARY = (SPEC / "vocabulary.md").read_text("utf-8")
AUTHORITY = (SPEC / "authority.md").read_text("utf-8")
PLAN = (SPEC / "plan.md").read_text("utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the table under the line that begins with `heading`."""
    table = re.split(r"\n\n(?!\|)", page[page.index(heading) :].split("\n|", 1)[1])[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in ("|" + table).splitlines()[2:]]


def test_the_table_of_types_is_the_table_the_reader_uses() -> None:
    written = {
        int(number): (name, re.findall(r"`(\w+)`", fields))
        for number, name, nature, fields in rows(VOCABULARY, "## Types")
        if nature in ("decision", "report")
    }
    used = {number: (kind.__name__, list(kind.CHECKS)) for number, kind in events._KINDS.items()}
    assert written == used


def test_every_field_is_described() -> None:
    described = {name for row in rows(VOCABULARY, "## Fields") for name in re.findall(r"`(\w+)`", row[0])}
    used = {name for kind in events._KINDS.values() for name in kind.CHECKS}
    assert described == used


@pytest.mark.parametrize(
    ("heading", "codes"), [("Outcome: what", Outcome), ("Detail: why", Detail), ("Evidence: how", Evidence)]
)
def test_the_words_of_the_codes_are_the_words_on_the_page(
    heading: str, codes: type[Outcome] | type[Detail] | type[Evidence]
) -> None:
    written = {int(code): (vi, en) for code, vi, en in rows(VOCABULARY, heading)}
    assert written == {int(code): (code.say("vi"), code.say("en")) for code in codes}


def test_the_states_of_clusters_are_the_words_on_the_page() -> None:
    page = (SPEC / "clusters.md").read_text("utf-8")
    written = {int(code): (vi, en) for code, vi, en in rows(page, "`clusters` of an acknowledgment")}
    assert written == {int(state): (state.say("vi"), state.say("en")) for state in Cluster}


def test_the_rights_on_the_page_are_the_bits_in_use() -> None:
    assert {int(bit): name for bit, name, _ in rows(AUTHORITY, "## Rights")} == {
        int(r): r.name for r in Right
    }


def test_every_reason_the_code_gives_stands_on_a_page() -> None:
    source = "".join(
        (Path(state.__file__).parent / name).read_text("utf-8")
        for name in (
            "authority.py",
            "links.py",
            "roots.py",
            "endings.py",
            "standing.py",
            "decisions.py",
            "reports.py",
            "events.py",
            "manifest.py",
        )
    )
    given = set(
        re.findall(
            r'"((?:grant|revocation|rotation|roots|key|manifest|bad|backward|too-long|no|self|series|not|unknown)-[a-z-]+)"',
            source,
        )
    )
    assert len(given) > 20
    for reason in given - {"grant-not-a-grant"}:
        assert f"`{reason}`" in VOCABULARY + AUTHORITY, reason


def test_the_numbers_on_the_pages_are_the_limits_in_the_code() -> None:
    for number in (decisions.SLOT_LENGTH_MAX_S, decisions.LATE_MAX_S, reports.PLAYED_MAX_DS):
        assert f"{number:,}" in VOCABULARY
    assert f"at least {slot.ON_TIME_S}, seconds" in PLAN
    assert f"At most {state.REFUSED_PER_KEY_MAX} refusals" in AUTHORITY
    assert "21:30–05:00" in PLAN
    assert state.QUIET_DEFAULT == (21 * 60 + 30, 5 * 60)
