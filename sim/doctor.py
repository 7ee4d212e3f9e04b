"""`loa doctor`: which optional programs this machine has, and what is lost without each.

Loa needs none of them to run. So the doctor only reports, always ends with 0, and says the loss in plain
words: a missing program must never look like a fault, nor its absence go unnoticed.

Bound: it looks, it changes nothing, and it starts programs only to ask them their version.
"""

from __future__ import annotations

import json
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

ASK_TIMEOUT_S = 5.0
"""A program that does not tell its version in this time is there, version unknown."""

PYTHON_NEEDED = (3, 11)
# The WAL-reset bug: two connections that write or checkpoint at once may corrupt the file; mended in 3.51.3
# and in the branches 3.50 and 3.44 (sqlite.org/wal.html).
WAL_RESET_FIXED = (3, 51, 3)
WAL_RESET_BACKPORTS = {(3, 50): 7, (3, 44): 6}


@dataclass(frozen=True)
class Optional:
    """names: the program under the names it goes by; loss: what is not possible without it."""

    title: str
    names: tuple[str, ...]
    ask: str
    use: str
    loss: str


OPTIONAL = (
    Optional(
        "mpv", ("mpv",), "--version",
        "plays bulletins on the sound card and reports what the device did",
        "a node plays to no device: bulletins are timed, and the evidence level is `delivered`, never more",
    ),
    Optional(
        "espeak-ng", ("espeak-ng",), "--version",
        "speaks Vietnamese text, for emergencies without a recording and for the demo's audio",
        "text is not spoken: a bulletin needs a recording, and the demo uses a chime made by Python",
    ),
    Optional(
        "ffmpeg", ("ffmpeg",), "-version",
        "makes uploaded recordings equally loud before they are approved",
        "recordings are approved and broadcast as loud as they were uploaded, and the pages say so",
    ),
    Optional(
        "pdftotext", ("pdftotext",), "-v",
        "reads the words inside PDFs, so that documents are found by them (Debian: poppler-utils)",
        "PDFs are found by number, title and summary only, and the pages say so",
    ),
    Optional(
        "chromium", ("chromium", "chromium-browser", "google-chrome"), "--version",
        "runs the page tests in a real browser",
        "the page tests in a browser are skipped; pages are tested without one",
    ),
    Optional(
        "postgresql", ("postgres", "psql", "pg_config"), "--version",
        "is not used by this version, whose hub keeps everything in its embedded SQLite",
        "nothing is lost in this version: the hub keeps everything in its embedded SQLite",
    ),
    # Debian puts servers where a person's PATH does not look.
    Optional(
        "nats-server", ("nats-server", "/usr/sbin/nats-server"), "--version",
        "is measured beside Loa by `./dev bench peers`",
        "`./dev bench peers` has no column for NATS JetStream; nothing else is lost",
    ),
    Optional(
        "mosquitto", ("mosquitto", "/usr/sbin/mosquitto"), "-h",
        "is measured beside Loa by `./dev bench peers`",
        "`./dev bench peers` has no column for mosquitto; nothing else is lost",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    name: str
    present: bool
    version: str
    use: str
    loss: str


@dataclass(frozen=True)
class Report:
    python: str
    python_ok: bool
    sqlite: str
    sqlite_wal_reset_fixed: bool
    findings: tuple[Finding, ...]


def examine(
    which: Callable[[str], str | None] = shutil.which,
    ask: Callable[[str, str], str] | None = None,
    sqlite: str = sqlite3.sqlite_version,
) -> Report:
    """Looks around. `which` finds a program, `ask(path, flag)` gives what it says of itself."""
    ask = ask or _first_line
    findings = []
    for optional in OPTIONAL:
        path = next((found for name in optional.names if (found := which(name))), None)
        version = ask(path, optional.ask) if path else ""
        findings.append(Finding(optional.title, path is not None, version, optional.use, optional.loss))
    version_info = tuple(int(part) for part in platform.python_version_tuple()[:2])
    return Report(
        platform.python_version(),
        version_info >= PYTHON_NEEDED,
        sqlite,
        wal_reset_fixed(sqlite),
        tuple(findings),
    )


def wal_reset_fixed(version: str) -> bool:
    """Whether this SQLite is free of the WAL-reset bug."""
    parts = tuple(int(part) for part in version.split("."))
    branch = WAL_RESET_BACKPORTS.get((parts[0], parts[1]))
    return parts >= WAL_RESET_FIXED or (branch is not None and parts[2] >= branch)


def in_words(report: Report) -> list[str]:
    needed = ".".join(map(str, PYTHON_NEEDED))
    lines = [
        f"Python {report.python}: {'good' if report.python_ok else f'too old, Loa needs {needed} or later'}",
        f"SQLite {report.sqlite}: good",
    ]
    if not report.sqlite_wal_reset_fixed:
        lines[-1] = (
            f"SQLite {report.sqlite}: good with one owner process per database, as in Loa. Before 3.51.3 "
            "two writers may corrupt a WAL file: let nothing else write to a live hub's or node's database."
        )
    for finding in report.findings:
        if finding.present:
            lines.append(
                f"{finding.name}: present ({finding.version or 'version unknown'}); it {finding.use}"
            )
        else:
            lines.append(f"{finding.name}: not here. Without it {finding.loss}")
    lost = sum(not finding.present for finding in report.findings)
    lines.append(
        f"Nothing is wrong. {lost} of {len(report.findings)} optional programs are missing." if lost
        else "Nothing is wrong, and nothing is missing."
    )  # fmt: skip
    return lines


def _first_line(path: str, flag: str) -> str:
    try:
        said = subprocess.run(
            (path, flag), capture_output=True, timeout=ASK_TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = (said.stdout or said.stderr).decode("utf-8", "replace").strip().splitlines()
    return words[0][:60] if words else ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def doctor(as_json: bool) -> None:
    """Say which optional programs are present and what is lost without each. Always ends with 0."""
    report = examine()
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    for line in in_words(report):
        click.echo(line)
