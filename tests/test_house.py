"""The house rules as tests: who may import whom, where time and randomness enter, how big a room may grow.

Each failure says in words where the stray line belongs, so that nobody has to know the rule beforehand.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("ledger", "node", "hub", "sim")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))

# The outermost shells: the only rooms that may take time, randomness and files from the machine itself.
SHELLS = {
    "ledger/cli.py",
    "ledger/keyring_cli.py",
    "ledger/roots_cli.py",
    "ledger/log/disk.py",
    "node/cli.py",
    "node/sound/say_cli.py",
    "node/shell.py",
    "node/sound/speech.py",
    "hub/cli.py",
    "sim/cli.py",
    "sim/clusters_cli.py",
    "sim/main.py",
    "sim/doctor.py",
    "sim/processes.py",
    "sim/proxy.py",
    "sim/tempo.py",
}
SHELL_PREFIXES = ("sim/bench/", "sim/demo/", "node/sound/mpv")

MACHINE_CALLS = {
    "time.time", "time.monotonic", "time.time_ns", "time.sleep", "time.perf_counter",
    "datetime.now", "datetime.utcnow", "datetime.datetime.now", "datetime.datetime.utcnow",
    "date.today", "datetime.date.today",
    "random.random", "random.randint", "random.choice", "random.shuffle", "random.uniform",
    "os.urandom", "secrets.token_bytes", "secrets.token_hex", "secrets.token_urlsafe", "uuid.uuid4", "uuid4",
}  # fmt: skip

# Another package is entered by one of its faces; what lies behind a face may be rebuilt without asking.
FACES = {
    "ledger", "ledger.log", "ledger.facts", "ledger.recorder", "ledger.tempo", "ledger.kernel", "ledger.cli",
    "ledger.sheet", "ledger.spoken", "ledger.vault", "ledger.content", "ledger.service",
    "node", "node.cli", "hub", "hub.cli", "hub.web", "sim.main",
}  # fmt: skip

LINES_MAX = 400


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_shell(path: Path) -> bool:
    name = name_of(path)
    return name in SHELLS or name.startswith(SHELL_PREFIXES)


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def calls(path: Path) -> Iterator[tuple[int, str, ast.Call]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, dotted(node.func), node


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_its_role_in_its_head(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), f"{name_of(path)}: say in a docstring what this room is for"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_time_and_randomness_enter_only_through_the_shells(path: Path) -> None:
    if is_shell(path):
        return
    stray = [f"{name_of(path)}:{line} {name}()" for line, name, _ in calls(path) if name in MACHINE_CALLS]
    assert not stray, f"take `now`, a Clock, `rng` or `entropy` as an argument instead: {stray}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_are_written_through_the_store_only(path: Path) -> None:
    if is_shell(path):
        return
    stray = []
    for line, name, call in calls(path):
        if name == "open":
            mode = call.args[1] if len(call.args) > 1 else None
            text = mode.value if isinstance(mode, ast.Constant) else "r"
            if not isinstance(text, str) or any(c in text for c in "wax+"):
                stray.append(f"{name_of(path)}:{line}")
        elif name.endswith((".write_bytes", ".write_text", ".unlink", ".mkdir")) or name == "sqlite3.connect":
            stray.append(f"{name_of(path)}:{line} {name}()")
    assert not stray, f"disk goes through ledger.log.disk.Store: {stray}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_error_is_swallowed_by_a_broad_except(path: Path) -> None:
    stray = [
        f"{name_of(path)}:{node.lineno}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or dotted(node.type) in {"Exception", "BaseException"})
        and not any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(node))
    ]
    assert not stray, f"catch the error you expect; anything else must end the run: {stray}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_another_package_is_entered_by_its_face(path: Path) -> None:
    own = name_of(path).split("/")[0]
    stray = []
    for node in ast.walk(tree_of(path)):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            package = name.split(".")[0]
            if package in PACKAGES and package != own and name not in FACES:
                stray.append(f"{name_of(path)}:{node.lineno} {name}")
    assert not stray, f"import the name from the package's face instead: {stray}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_file_holds_one_idea(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    head = ast.get_docstring(tree_of(path)) or ""
    assert lines <= LINES_MAX or "why this file is long" in head.lower(), (
        f"{name_of(path)} has {lines} lines: two ideas in one room? Split it, "
        "or say in its head 'Why this file is long: …'"
    )


def test_the_top_level_stays_as_drawn() -> None:
    import subprocess

    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    top = {name.split("/")[0] for name in tracked}
    expected = {
        "ledger", "node", "hub", "sim", "tests", "docs", "pyproject.toml", "uv.lock",
        "README.md", "CHANGELOG.md", "LICENSE", "dev", ".ci", ".gitignore",
    }  # fmt: skip
    assert top <= expected, f"these belong inside one of the rooms: {sorted(top - expected)}"


def test_all_text_is_nfc() -> None:
    kinds = {".py", ".md", ".html", ".css", ".toml", ".csv", ".po", ".json", ".js"}
    for folder in (*PACKAGES, "docs", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in kinds and path.is_file():
                text = path.read_text("utf-8")
                if name_of(path).startswith("tests/"):
                    continue  # tests hold decomposed text on purpose
                assert unicodedata.is_normalized("NFC", text), f"{name_of(path)} holds text that is not NFC"
    assert unicodedata.is_normalized("NFC", (ROOT / "README.md").read_text("utf-8"))


def test_the_lock_file_names_public_hosts_only() -> None:
    import re

    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text("utf-8")))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}, hosts


def test_no_gpl_library_is_imported() -> None:
    forbidden = {"mutagen", "mpv", "piper", "lunardate", "num2words"}
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            bad = [n for n in names if n.split(".")[0] in forbidden]
            assert not bad, f"{name_of(path)} imports {bad}: GPL programs run as child processes only"
