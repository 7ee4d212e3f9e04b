"""The verifier page as a file: small, whole, with nothing from elsewhere and nobody's licence forgotten."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import get_args

from click.testing import CliRunner

from ledger.cli import ledger as command
from ledger.evidence import Question, refused
from ledger.facts import Decision, Report, Right
from ledger.facts.events import Journal
from ledger.log import SegmentError
from ledger.verifier import HERE, VENDORED, page, squeezed


def test_the_page_in_one_file_is_below_80_kb() -> None:
    assert len(page().encode()) < 80_000


def test_the_page_in_one_file_loads_nothing_and_lets_only_its_own_scripts_run() -> None:
    text = page()
    policy = re.findall(r'Security-Policy" content="([^"]*)"', text)
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none';")
    assert policy[0].count("'sha256-") == text.count("<script>") == 2
    assert "script src" not in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), "no address in it but the name of SVG"
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|localStorage|innerHTML|eval)\b", text)


def test_the_vendored_library_is_the_one_its_notice_names() -> None:
    notice = (HERE / "NOTICE").read_text("utf-8")
    assert sha256((HERE / VENDORED).read_bytes()).hexdigest() in notice
    assert "version 0.1.1" in notice
    assert "MIT License" in notice
    assert (HERE / VENDORED).read_text("utf-8") in page()


def test_squeezing_touches_no_text() -> None:
    assert (
        squeezed('const a = "x  = y // z";  // why\n\n  b (`  ${c}  `);')
        == 'const a="x  = y // z";\nb(`  ${c}  `);'
    )
    for script in sorted(HERE.glob("*.js")):
        if script.name != VENDORED:
            code = script.read_text("utf-8")
            assert len(code.splitlines()) <= 300, f"{script.name}: one idea each"
            assert all(
                text in squeezed(code) for text in re.findall(r'"[^"\n]*"', re.sub(r"// .*", "", code))
            )


def test_the_page_has_words_for_all_that_the_command_line_can_say() -> None:
    words = (HERE / "words.js").read_text("utf-8")
    facts = (HERE / "facts.js").read_text("utf-8")
    named = set(re.findall(r'^ *"?([\w-]+)"?: \[', words, re.MULTILINE)) | set(
        re.findall(r'\], (\w+): \["', words)
    )
    assert {question.value for question in Question} <= named
    kinds = {kind.__name__ for kind in (*get_args(Decision), *get_args(Report), *get_args(Journal))}
    assert kinds <= named
    assert kinds == set(re.findall(r'^ *\d+: \["(\w+)"', facts, re.MULTILINE))
    assert {str(right.name) for right in Right} <= named


def test_the_page_and_the_command_line_say_a_refusal_in_the_same_words() -> None:
    rows = re.findall(
        r'^  \["([a-z-]*)", "([^"]*)", "([^"]*)"\],$', (HERE / "words.js").read_text("utf-8"), re.MULTILINE
    )
    assert len(rows) > 8
    for code, vi, en in rows:
        for lang, said in (("vi", vi), ("en", en)):
            if code == "key-":
                continue  # the command line names a bad root before it reads the file
            told = refused(SegmentError(code, ""), lang)[0].split(": ", 1)[1]
            plain = said.lower().replace(". ", "; ").rstrip(".")
            assert told.lower().rstrip(".") == plain, code


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    out = tmp_path / "kiem-chung.html"
    done = CliRunner().invoke(command, ["page", "--out", str(out)])
    assert done.output == f"{out}: {len(page().encode())} bytes\n"
    assert out.read_text("utf-8") == page()
