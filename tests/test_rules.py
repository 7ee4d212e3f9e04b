"""The eighteen rules of the domain: docs/spec/rules.md gives each its sentence and, part by part, its tests.

A test that is renamed or taken away fails here, and so does a part that names none. What a rule asks and no
program does yet is marked *not yet* on the page, so that it cannot be taken for kept.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from test_spec import NAMED, named_in

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "spec" / "rules.md").read_text("utf-8")
RULES = {
    int(number): body
    for number, body in re.findall(r"^## (\d+)\. [^\n]+\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}


def parts_of(body: str) -> list[str]:
    """The lines of a rule that say what is kept."""
    return [line for line in body.splitlines() if line.startswith("- ") and "*not yet*" not in line]


@pytest.mark.parametrize("number", range(1, 19))
def test_every_rule_is_held_by_tests_that_exist(number: int) -> None:
    parts = parts_of(RULES[number])
    assert parts, f"rule {number} is held by nothing"
    for part in parts:
        named = [name for names in NAMED.findall(part) for name in re.split(r",\s*", names.strip())]
        assert named, f"rule {number} is held by no test: {part}"
        for name in named:
            file, _, test = name.partition("::")
            assert test in named_in(file), f"rule {number}: there is no {name}"


def test_there_are_eighteen_rules() -> None:
    assert sorted(RULES) == list(range(1, 19))


def test_a_part_without_a_test_is_found() -> None:
    assert parts_of("A sentence.\n\n- a part\n- *not yet*: another\n") == ["- a part"]
    assert NAMED.findall("- a part") == []
    assert "test_nothing_of_this_name" not in named_in("tests/test_rules.py")
    assert "test_there_are_eighteen_rules" in named_in("tests/test_rules.py")


def test_no_commune_or_district_stands_in_the_program() -> None:
    """Units come from grants, tokens and files; a merger must need no new program."""
    unit = re.compile(r"vn\.[a-z0-9_-]+(\.[a-z0-9_-]+)+|(Huyện|Quận|Thị xã) .{1,40}")
    stray = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value!r}"
        for package in ("ledger", "node", "hub")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and unit.fullmatch(node.value)
    ]
    assert stray == []
