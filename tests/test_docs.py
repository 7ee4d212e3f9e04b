"""Documents that can be run are run: README commands, the commands that pages name, links between pages."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import click
import pytest

from sim.main import loa

REPO = Path(__file__).parent.parent
PAGES = [REPO / "README.md", REPO / "CHANGELOG.md", *sorted((REPO / "docs").rglob("*.md"))]

DEMO_LIMIT_S = 240  # the promise is under a minute of work; the bound only ends a run that hangs


def page_name(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def commands_in(text: str) -> list[list[str]]:
    """`./dev loa …`, `./dev …` and `loa …` as they stand in code spans and console blocks."""
    found = []
    for span in re.findall(r"`([^`\n]+)`", text) + re.findall(r"^\$ (.+)$", text, re.MULTILINE):
        words = span.strip().split()
        if words[:2] == ["./dev", "loa"]:
            found.append(words[2:])
        elif words[:1] == ["loa"]:
            found.append(words[1:])
        elif words[:1] == ["./dev"] and words[1:2] == ["demo"]:
            found.append(["sim", *words[1:]])
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_a_page_names_exists(page: Path) -> None:
    for words in commands_in(page.read_text("utf-8")):
        command: click.Command = loa
        for word in words:
            if not isinstance(command, click.Group) or not re.fullmatch(r"[a-z][a-z0-9-]*", word):
                break
            following = command.get_command(click.Context(command), word)
            assert following is not None, f"{page_name(page)}: no such command: loa {' '.join(words)}"
            command = following
        options = {opt for p in command.params for opt in (*p.opts, *p.secondary_opts)} | {"--help"}
        for word in words:
            if word.startswith("--"):
                assert word.split("=")[0] in options, f"{page_name(page)}: loa {' '.join(words)}: no {word}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page_name(page)} links to {target}"


@pytest.mark.parametrize(
    "path",
    [p for package in ("ledger", "node", "hub", "sim") for p in sorted((REPO / package).rglob("*.py"))
     if ">>> " in p.read_text("utf-8")],
    ids=page_name,
)  # fmt: skip
def test_the_examples_in_a_docstring_give_what_they_say(path: Path) -> None:
    name = page_name(path).removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


def readme_commands() -> list[str]:
    return re.findall(r"^\$ (.+)$", (REPO / "README.md").read_text("utf-8"), re.MULTILINE)


def test_the_readme_promises_the_two_commands() -> None:
    assert {"./dev demo", "./dev test"} <= set(readme_commands())


RUN_ELSEWHERE = ("./dev demo", "./dev test")
"""The demo with its page has a test of its own below; the test command is what runs this."""


@pytest.mark.parametrize(
    "line", [c for c in readme_commands() if c not in RUN_ELSEWHERE and not c.startswith("git ")]
)
def test_readme_commands_run_as_printed(line: str) -> None:
    done = subprocess.run(
        shlex.split(line), cwd=REPO, capture_output=True, text=True, timeout=DEMO_LIMIT_S, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_dev_demo_ends_with_a_summary_and_keeps_the_ui_up_until_interrupted(tmp_path: Path) -> None:
    said = tmp_path / "said"
    with said.open("w") as out:
        child = subprocess.Popen(["./dev", "demo"], cwd=REPO, stdout=out, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + DEMO_LIMIT_S
        while "Ctrl-C" not in said.read_text("utf-8"):
            assert child.poll() is None, said.read_text("utf-8")[-4000:]
            assert time.monotonic() < deadline, said.read_text("utf-8")[-4000:]
            time.sleep(0.2)
        address = re.findall(r"http://127\.0\.0\.1:\d+", said.read_text("utf-8"))[-1]
        with urllib.request.urlopen(address, timeout=20) as page:
            assert page.status == 200
            assert "Đăng nhập" in page.read().decode("utf-8")
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=60) == 0, said.read_text("utf-8")[-4000:]
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
