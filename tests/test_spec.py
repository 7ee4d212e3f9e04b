"""The specification is held to its tests: every MUST names one, and every refusal it lists occurs in one.

A rule is a sentence with *must*, whatever its case, or a table of refusals. It names its tests in an HTML
comment, which a reader of the page does not see:

    A reader must not reserve memory for what is declared. <!-- test: tests/ledger/test_codec.py::test_x -->

The comment stands after its sentence and before the next one with *must*; for a heading or a table, anywhere
until the next heading. Several tests are parted by commas. What a table lists under `code` or `reason` must
occur in a test or a vector, word for word.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "spec").glob("*.md"))
NAMED = re.compile(r"<!-- test: (.*?) -->", re.DOTALL)
MUST = re.compile(r"\bmust\b", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.:;!?*)])\s+(?=[A-Z*\"`(|\d])|\n(?=[-|\d])")
CODE = re.compile(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`")
COLUMNS = {"code", "reason"}


def page_name(path: Path) -> str:
    return path.name


def sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, what stands below it until the next heading), with code blocks left out."""
    text = (
        re.sub(r"^( {4}.*|```.*?^```)$", "", text, flags=re.MULTILINE | re.DOTALL) if "```" in text else text
    )
    text = re.sub(r"^ {4}\S.*$", "", text, flags=re.MULTILINE)
    heading, body = "", []
    for line in text.splitlines():
        if line.startswith("#"):
            yield heading, "\n".join(body)
            heading, body = line, []
        else:
            body.append(line)
    yield heading, "\n".join(body)


def tables(body: str) -> Iterator[list[list[str]]]:
    for found in re.findall(r"(?:^\|.*\|$\n?)+", body, re.MULTILINE):
        yield [[cell.strip() for cell in row.strip("|").split("|")] for row in found.strip().splitlines()]


def unnamed(text: str) -> list[str]:
    """The rules of a page that name no test."""
    missing = []
    for heading, body in sections(text):
        if MUST.search(heading) and not NAMED.search(body):
            missing.append(heading)
        if any(COLUMNS & set(table[0]) for table in tables(body)) and not NAMED.search(body):
            missing.append(f"{heading}: the table of refusals")
        for block in re.split(r"\n\s*\n", body):
            pieces = NAMED.split(block)[::2]  # text between the comments; the last has none behind it
            for at, piece in enumerate(pieces):
                rules = [s for s in SENTENCE.split(piece) if MUST.search(s)]
                missing += rules[:-1] if at < len(pieces) - 1 else rules
    return missing


@cache
def named_in(name: str) -> frozenset[str]:
    path = ROOT / name
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name if not isinstance(outer, ast.ClassDef) else f"{outer.name}::{node.name}"
        for outer in ast.walk(tree)
        if isinstance(outer, ast.Module | ast.ClassDef)
        for node in outer.body
        if isinstance(node, ast.FunctionDef)
    ) | frozenset(
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id.startswith("Test")  # a state machine's TestCase
    )


@cache
def all_tests() -> str:
    own = Path(__file__).name
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "tests" / "vectors").glob("*.json")]
    return "\n".join(path.read_text("utf-8") for path in files if path.name != own)


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_must_names_a_test(page: Path) -> None:
    assert unnamed(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    for names in NAMED.findall(page.read_text("utf-8")):
        for name in re.split(r",\s*", names.strip()):
            file, _, test = name.partition("::")
            assert test in named_in(file), f"{page.name} names {name}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_refusal_of_a_table_occurs_in_a_test_or_a_vector(page: Path) -> None:
    listed = {
        code
        for _, body in sections(page.read_text("utf-8"))
        for head, *rows in tables(body)
        for row in rows
        for name, cell in zip(head, row, strict=False)
        if name in COLUMNS
        for code in CODE.findall(cell)
    }
    assert sorted(code for code in listed if f'"{code}"' not in all_tests()) == []


def test_a_must_without_a_test_is_found() -> None:
    named = "<!-- test: tests/test_spec.py::test_a_must_without_a_test_is_found -->"
    assert unnamed("A reader must refuse it.") == ["A reader must refuse it."]
    assert unnamed(f"A reader must refuse it. {named}") == []
    assert unnamed(f"It must be so. And it MUST be thus. {named}") == ["It must be so."]
    assert unnamed(f"It must be so. {named} And it\nMUST NOT be thus.") == [" And it\nMUST NOT be thus."]
    assert unnamed(f"It must be so.\n\nElsewhere. {named}") == ["It must be so."]
    assert unnamed("- may\n- must\n- can") == ["- must"]
    assert unnamed("## Keys that must be refused\n\nThese.\n") == ["## Keys that must be refused"]
    assert unnamed(f"## Keys that must be refused\n\nThese. {named}\n") == []
    assert unnamed("# R\n\n| code | means |\n|---|---|\n| `a-b` | no |\n") == ["# R: the table of refusals"]
    assert unnamed("Mustard is no rule.\n\n    code must not count\n") == []
