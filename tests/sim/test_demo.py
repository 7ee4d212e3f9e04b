"""The demo as a user starts it: a process of its own, its words, its exit code, and what it leaves behind.

The day is real time and cannot be hurried, so there are few runs here and each is looked at from all sides.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import unicodedata
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ledger.facts import Outcome
from sim.demo.day import NAMED, PROVINCE, Stage, script
from sim.demo.faults import plan
from sim.demo.news import NEWS, summary_lines
from sim.demo.office import _parse
from sim.demo.sound import recording
from sim.demo.view import WORDS, Lines, Picture, Table
from sim.demo.watch import Reading, StationTally
from sim.report import LATE_START

ROOT = Path(__file__).parents[2]
STATIONS = 6
RUN_TIMEOUT_S = 200
KEYS = {
    "seed", "stations", "it", "fm", "converged", "slots", "unapproved_played", "played_twice", "events",
    "segments", "signatures", "bytes", "emergency",
}  # fmt: skip
SLOTS = {"planned", "played", "played_late", "missed", "suppressed", "partial", "interrupted", "withdrawn"}


@contextmanager
def demo(folder: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """`loa sim demo --headless --json` in a directory of its own; ended, and waited for, whatever happens."""
    argv = [
        sys.executable, "-c", "from sim.main import main; main()", "sim", "demo", "--headless", "--json",
        "--stations", str(STATIONS), "--dir", str(folder / "day"), *more,
    ]  # fmt: skip
    env = {**os.environ, "TMPDIR": str(folder)}
    with (folder / "stderr").open("w") as err:
        running = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=err, text=True)
        try:
            yield running
        finally:
            if running.poll() is None:
                running.send_signal(signal.SIGTERM)
                running.wait(30)
            assert running.stdout is not None
            running.stdout.close()


def ended(running: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    """The object on its last line, after an exit with 0."""
    said, _ = running.communicate(timeout=RUN_TIMEOUT_S)
    news = (folder / "stderr").read_text()
    assert running.returncode == 0, news[-3_000:] + said
    last = said.rstrip().splitlines()[-1]
    told = json.loads(last)
    assert isinstance(told, dict)
    return told


def processes_of(folder: Path) -> list[str]:
    """Command lines of living processes that name this directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in line and int(path.parent.name) != os.getpid():
            found.append(line)
    return found


def pids(folder: Path) -> dict[str, int]:
    path = folder / "day" / "pids.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def wait_for_news(folder: Path, words: str, timeout_s: float = 90) -> None:
    end = time.monotonic() + timeout_s
    while words not in (folder / "stderr").read_text():
        assert time.monotonic() < end, f"no {words!r} in: " + (folder / "stderr").read_text()[-3_000:]
        time.sleep(0.1)


def check_promises(told: dict[str, Any]) -> None:
    assert told.keys() >= KEYS
    assert told["slots"].keys() >= SLOTS
    assert (told["stations"], told["it"], told["fm"]) == (STATIONS + 103, STATIONS, 103)
    assert told["converged"] is True
    assert told["unapproved_played"] == told["played_twice"] == told["signatures"]["failed"] == 0
    assert told["signatures"]["verified"] == told["segments"] > 0
    slots = told["slots"]
    assert sum(count for name, count in slots.items() if name != "planned") == slots["planned"]
    assert slots["unknown"] == 0, "every slot of the day has an acknowledgment or a reason"
    assert slots["played"] + slots["played_late"] > slots["planned"] / 2
    assert told["emergency"]["targets"] == STATIONS
    assert 0 < told["emergency"]["reached"] <= STATIONS
    assert told["bytes"]["up"] > 10_000
    assert told["bytes"]["down"] > STATIONS * 500_000  # the recordings went over the line


@pytest.mark.timeout(RUN_TIMEOUT_S + 40)
def test_a_day_ends_with_one_json_object_and_leaves_nothing_running(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        told = ended(running, tmp_path)
    check_promises(told)
    slots = told["slots"]
    assert slots["withdrawn"] + slots["suppressed"] > 0, "one bulletin was withdrawn before its slot"
    assert slots["interrupted"] + slots["partial"] > 0, (
        "the emergency and a power cut hit something on the air"
    )
    assert told["starts"]["hub"] == 2, "the hub was killed once and started again"
    assert told["evidence"].keys() == {"delivered"}, "nothing made a sound, and nothing claims more"
    assert processes_of(tmp_path) == []
    assert pids(tmp_path) == {}
    assert {path.name for path in tmp_path.iterdir()} == {"day", "stderr"}, "no temporary directory is left"


@pytest.mark.timeout(RUN_TIMEOUT_S + 40)
def test_a_hub_and_a_node_killed_by_somebody_else_converge_all_the_same(tmp_path: Path) -> None:
    with demo(tmp_path, "--seed", "7") as running:
        for words, victim in (("Power on", "vn.yb.04630"), ("Emergency order", "hub")):
            wait_for_news(tmp_path, words)
            pid = pids(tmp_path)[victim]
            os.kill(pid, signal.SIGKILL)
        told = ended(running, tmp_path)
    check_promises(told)
    assert told["starts"]["vn.yb.04630"] == 2
    assert told["starts"]["hub"] == 3
    assert processes_of(tmp_path) == []


@pytest.mark.timeout(120)
def test_an_interrupted_demo_ends_its_processes_and_removes_its_directory(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "from sim.main import main; main()", "sim", "demo", "--stations", "3"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "out").open("w") as out:
        running = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=out, stderr=out)
        try:
            end = time.monotonic() + 60
            while "The hub runs at" not in (tmp_path / "out").read_text():
                assert running.poll() is None, (tmp_path / "out").read_text()
                assert time.monotonic() < end
                time.sleep(0.1)
            assert processes_of(tmp_path), "the hub names its directory"
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 0
        finally:
            if running.poll() is None:
                running.kill()
                running.wait()
    assert processes_of(tmp_path) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_directory_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    done = subprocess.run(
        [sys.executable, "-c", "from sim.main import main; main()", "sim", "demo", "--dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 21
    assert "folder-not-empty" in done.stderr
    assert (tmp_path / "mine").read_text() == "keep"


# ---- the parts that need no day ----


def picture(**more: Any) -> Picture:
    reading = Reading(segments=7_777, events=12_345)
    reading.stations["a"] = StationTally(Counter({Outcome.PLAYED: 8, Outcome.MISSED: 1}), 1_667_988_201)
    fields: dict[str, Any] = {
        "clock_s": 1_667_988_201.0, "speed": 50.0, "hub_pid": 4_242,
        "named": [("a", "Tú Lệ", 4_243), ("b", "Xuân Ái", 0)],
        "simulated": [f"s{number}" for number in range(67)], "dark": {"b", "s1"}, "offline": {"s2", "s3"},
        "reading": reading, "fm": 103, "up": 123_456, "down": 98_765_432, "faults": 77,
    }  # fmt: skip
    return Picture(**{**fields, **more})


def drawn(shown: Picture, width: int, lang: str) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False, color_system=None)
    table = Table(lang, console)
    table.tell(shown.clock_s, "news " * 60)
    table.close()
    out.truncate(0)
    console.print(table.draw(shown))
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "vi"])
@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_80_and_120_columns_and_cuts_no_word_of_its_own(width: int, lang: str) -> None:
    text = drawn(picture(), width, lang)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    for word in ("title", "online", "dark", "played", "late", "part", "lost", "other"):
        assert WORDS[lang][word] in text
    assert "17:03:21 +07" in text
    assert "Tú Lệ (4243)" in text
    assert "Xuân Ái (–)" in text
    assert text.count("●") - text.count("● thông") - text.count("● on line") == 67 - 3 + 1
    assert (WORDS[lang]["last"] in text) == (width >= 100)


def test_sparse_lines_say_the_news_at_once_and_the_state_once_an_hour() -> None:
    out = io.StringIO()
    lines = Lines(out, "en")
    for minute in range(0, 180, 5):
        lines.show(picture(clock_s=1_667_988_000.0 + minute * 60))
    lines.tell(1_667_988_201.0, "The hub is back")
    said = out.getvalue().splitlines()
    assert len(said) == 4
    assert said[0].startswith("17:00  on time 8, late 0, part 0, missed 1, other 0")
    assert said[-1] == "17:03  The hub is back"


def test_both_languages_say_the_same_things() -> None:
    assert NEWS["vi"].keys() == NEWS["en"].keys()
    assert WORDS["vi"].keys() == WORDS["en"].keys()


def test_the_programme_is_proper_vietnamese_for_known_places() -> None:
    told = script()
    keys = [bulletin.key for bulletin in told.bulletins]
    assert len(set(keys)) == len(keys)
    for bulletin in told.bulletins:
        assert unicodedata.is_normalized("NFC", bulletin.title + bulletin.text)
        assert bulletin.territory in (PROVINCE, *NAMED)
        assert bulletin.fate in ("approved", "withdrawn", "returned")
        assert "  " not in bulletin.text
        assert "\n" not in bulletin.text
    assert Counter(bulletin.fate for bulletin in told.bulletins)["withdrawn"] == 1
    assert "diễn tập" in told.emergency.text


def test_the_day_is_slow_around_each_start_and_takes_less_than_three_quarters_of_a_minute() -> None:
    stage = Stage()
    starts = [bulletin.clock for bulletin in script().bulletins if bulletin.fate == "approved"]
    beats = list(stage.beats(stage.power_on_s, starts))
    assert sum(beat.real_s for beat in beats) < 45
    assert beats[-1].until_s == stage.end_s
    here = stage.power_on_s
    for beat in beats:
        speed = (beat.until_s - here) / beat.real_s
        for clock in starts:
            if here < stage.at(clock) + 50 and beat.until_s > stage.at(clock) - 10:
                assert speed <= 61
        here = beat.until_s


def test_every_fault_is_over_before_the_calm_and_no_kind_is_forgotten() -> None:
    stage, units = Stage(), [f"vn.yb.{number:05d}" for number in range(4)]
    for seed in range(60):
        faults = plan(seed, units, stage)
        windows = [window for unit in units for window in faults.windows.get(unit, ())]
        cuts = [cut for unit in units for cut in faults.cuts.get(unit, ())]
        assert cuts
        assert any(start < stage.power_on_s for start, _ in windows), "somebody misses the morning"
        assert any(start < stage.at("14:00") < end for start, end in windows), "somebody misses the emergency"
        assert all(start < end <= stage.calm_s for start, end in windows)
        assert all(cut.from_s < cut.until_s <= stage.calm_s for cut in cuts)
        assert plan(seed, units, stage) == faults


def test_a_recording_without_a_voice_is_a_small_chime_of_its_own() -> None:
    one, other = (recording(key, "Tựa", "Lời.", 14, None) for key in ("a", "b"))
    assert one != other
    assert len(one) < 65_536
    with wave.open(io.BytesIO(one)) as sound:
        assert sound.getnframes() / sound.getframerate() == 14


def test_an_officer_reads_forms_as_a_browser_would() -> None:
    page = _parse(
        """<h1>Bản tin</h1><form action="/a"><input name="csrf_token" value="t">
        <input type="checkbox" name="w" value="0" checked>
        <input type="checkbox" name="w" value="1" checked><input type="checkbox" name="no" value="1">
        <select name="s"><option value="1">một<option value="2" selected>hai</select>
        <select name="d"><option value="x">x</option><option value="y">y</option></select>
        <textarea name="text">cũ</textarea></form>
        <div role="alert"><svg><path d=""/></svg>Chưa <b>duyệt</b></div>
        <form><input type="hidden" name="v" value="3"></form>"""
    )
    assert [form.action for form in page.forms] == ["/a", ""]
    assert page.forms[0].fields == {
        "csrf_token": ["t"], "w": ["0", "1"], "s": ["2"], "d": ["x"], "text": ["cũ"]
    }  # fmt: skip
    assert page.forms[1].fields == {"v": ["3"]}
    assert page.said == ["Bản tin", "Chưa", "duyệt"]


@pytest.mark.parametrize("lang", ["en", "vi"])
def test_the_end_is_told_in_words_with_every_figure(lang: str) -> None:
    slots = dict.fromkeys(SLOTS | {"declined", "silent", "unknown"}, 0)
    told = {
        "it": 70, "fm": 103, "slots": {**slots, "planned": 640, "played": 601, "missed": 39},
        "why": {"power cut": 39}, "why_late": {LATE_START: 17},
        "unapproved_played": 0, "played_twice": 0, "events": 4_321, "converged": False,
        "not_converged": "vn.yb.04630: no power", "signatures": {"verified": 987, "failed": 0},
        "evidence": {"delivered": 601}, "emergency": {"targets": 70, "reached": 61}, "exchanges": 4_000,
        "bytes": {"up": 1_234_567, "down": 45_678_901}, "faults": {"cut_reply": 12},
        "power_cuts": 8, "kills": 2,
        "wall_s": 55.2, "cpu_s": {"hub": 9.0, "conductor": 20.0},
    }  # fmt: skip
    text = "\n".join(line for _, lines in summary_lines(told, lang) for line in lines)
    for figure in (
        "640",
        "601",
        "39",
        "987",
        "4321",
        "61",
        "70",
        "103",
        "1.2 MB",
        "45.7 MB",
        "12",
        "55",
        "29",
    ):
        assert figure in text
    assert {"vi": "bắt đầu sau giờ 17", "en": "began after its time 17"}[lang] in text
    assert {"vi": "mất điện 39", "en": "power cut 39"}[lang] in text
    assert "vn.yb.04630: no power" in text
