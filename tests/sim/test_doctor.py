"""`loa` and its doctor: what is missing is said in plain words, nothing is imported before it is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from ledger.log import KeyRefused
from sim import main as entrance
from sim.doctor import OPTIONAL, doctor, examine, in_words, wal_reset_fixed

ROOT = Path(__file__).parents[2]


def loa(*args: str, code: str = "from sim.main import main; main()") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_machine_with_nothing_is_told_what_it_loses() -> None:
    report = examine(which=lambda name: None, sqlite="3.40.1")
    text = "\n".join(in_words(report))
    for optional in OPTIONAL:
        assert f"{optional.title}: not here" in text
    assert "evidence level is `delivered`" in text
    assert "chime" in text
    assert "no column for mosquitto" in text
    assert "8 of 8 optional programs are missing" in text


def test_a_machine_with_everything_is_told_so() -> None:
    report = examine(which=lambda name: f"/usr/bin/{name}", ask=lambda path, flag: "9.9", sqlite="3.51.3")
    text = "\n".join(in_words(report))
    assert "mpv: present (9.9)" in text
    assert "nothing is missing" in text
    assert "one owner process" not in text


def test_a_program_is_found_under_any_of_its_names() -> None:
    report = examine(which=lambda name: "/x" if name == "google-chrome" else None, ask=lambda path, flag: "1")
    assert [finding.name for finding in report.findings if finding.present] == ["chromium"]


@pytest.mark.parametrize(
    ("version", "fixed"),
    [("3.40.1", False), ("3.44.5", False), ("3.44.6", True), ("3.45.0", False), ("3.50.7", True),
     ("3.51.2", False), ("3.51.3", True), ("3.52.0", True), ("4.0.0", True)],
)  # fmt: skip
def test_the_wal_reset_note_follows_the_library_version(version: str, fixed: bool) -> None:
    assert wal_reset_fixed(version) is fixed
    said = "one owner process" in "\n".join(in_words(examine(which=lambda name: None, sqlite=version)))
    assert said is not fixed


def test_the_doctor_ends_with_0_and_speaks_json_too() -> None:
    plain = CliRunner().invoke(doctor, [])
    assert plain.exit_code == 0
    assert "Python" in plain.output
    told = json.loads(CliRunner().invoke(doctor, ["--json"]).output)
    assert {finding["name"] for finding in told["findings"]} == {optional.title for optional in OPTIONAL}


def test_the_help_names_every_part_and_imports_none() -> None:
    code = (
        "import sys\nfrom sim.main import main\ntry:\n    main(['--help'])\nexcept SystemExit as end:\n"
        "    assert end.code == 0\n"
        "heavy = {'flask', 'httpx2', 'rich', 'eventsourcing', 'hub', 'node'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = loa(code=code)
    assert done.returncode == 0, done.stderr
    for name in ("hub", "node", "sim", "ledger", "doctor"):
        assert name in done.stdout


def test_a_refusal_is_two_lines_and_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def refuse() -> None:
        raise KeyRefused("key-small-order", "this key signs for everybody")

    monkeypatch.setattr(entrance.Doors, "get_command", lambda self, ctx, name: refuse)
    with pytest.raises(SystemExit) as end:
        entrance.main(["hub"])
    assert end.value.code == KeyRefused.exit_code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("key-small-order: this key signs for everybody")


@pytest.mark.parametrize("name", ["hub", "node", "sim"])
def test_a_missing_extra_is_named_with_the_command_that_brings_it(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def absent(module: str) -> Sequence[str]:
        raise ModuleNotFoundError("No module named 'flask'", name="flask")

    monkeypatch.setattr(entrance.importlib, "import_module", absent)
    with pytest.raises(SystemExit) as end:
        entrance.main([name])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert "needs flask" in said
    assert f"pip install 'loa[{name}]'" in said


def test_a_module_of_our_own_that_is_missing_is_a_bug_and_shows_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(module: str) -> object:
        raise ModuleNotFoundError("No module named 'hub.nothing'", name="hub.nothing")

    monkeypatch.setattr(entrance.importlib, "import_module", absent)
    with pytest.raises(ModuleNotFoundError):
        entrance.main(["hub"])


def test_an_unknown_part_is_refused_by_name() -> None:
    done = loa("radio")
    assert done.returncode == 2
    assert "No such command 'radio'" in done.stderr
