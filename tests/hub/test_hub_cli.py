"""`loa hub …` on a real disk: founding, importing, tokens, looking, serving, and being killed."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result

from hub.cli import hub
from ledger.log import (
    Ledger,
    MemoryStore,
    SigningKey,
    Token,
    accept_reply,
    make_enrolment,
    make_request,
    read_enrolment_reply,
)
from sim.bench.line import Line

PASSWORD = {"LOA_PASSWORD": "quantri-2022"}


def loa(*words: str | Path, env: dict[str, str] | None = None, typed: str | None = None) -> Result:
    result = CliRunner().invoke(hub, [str(word) for word in words], env=PASSWORD | (env or {}), input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A founded hub with a few stations."""
    folder = tmp_path_factory.mktemp("cli") / "hub"
    assert loa("init", "--dir", folder, "--demo-accounts", "--cheap-kdf").exit_code == 0
    table = folder.parent / "stations.csv"
    table.write_text(
        "unit,name,kind\nvn.yb.04630,Xã Tú Lệ,it\nvn.yb.04441,Xã Xuân Ái,it\n"
        "vn.yb.04249,Phường Yên Thịnh,fm\n",
        "utf-8",
    )
    imported = loa("stations", "import", "--dir", folder, table)
    assert imported.output == "3 stations registered or changed, 3 in all.\n"
    return folder


def test_founding_says_where_the_root_key_lies_and_that_it_must_leave(tmp_path: Path) -> None:
    folder = tmp_path / "moi"
    result = loa("init", "--dir", folder, "--cheap-kdf", "--province", "vn.lc", "--name", "Lào Cai")
    assert result.exit_code == 0
    assert (
        f"{folder}/root.key is the root of all authority: move it to a stick in a safe, now." in result.output
    )
    for name in ("root.key", "hub.key", "accounts.db", "ledger.db"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert json.loads(loa("status", "--dir", folder, "--json").output)["name"] == "Lào Cai"


def test_the_demo_accounts_are_printed_with_a_warning(tmp_path: Path) -> None:
    result = loa("init", "--dir", tmp_path / "x", "--demo-accounts", "--cheap-kdf")
    assert "lanhdao / lanhdao-2022" in result.output
    assert "These passwords are public." in result.output


def test_importing_again_changes_nothing(province: Path) -> None:
    table = province.parent / "stations.csv"
    assert loa("stations", "import", "--dir", province, table).output.startswith("0 stations")


@pytest.mark.parametrize("text", ["", "unit,name\nvn.yb.1,X\n", "\xff\xfe", "unit;name;kind\na;b;it\n"])
def test_a_file_that_is_no_table_of_stations_is_refused(province: Path, tmp_path: Path, text: str) -> None:
    table = tmp_path / "bad.csv"
    table.write_bytes(text.encode("latin-1"))
    result = loa("stations", "import", "--dir", province, table)
    if text == "":
        assert result.exit_code == 0
        assert result.output.startswith("0 stations")
    else:
        assert result.exit_code == 20
        assert "table-form" in result.stderr
        assert "Traceback" not in result.stderr


def test_tokens_are_made_for_every_station_with_a_return_path(province: Path) -> None:
    made = json.loads(loa("token", "--dir", province, "--all-it", "--json").output)
    assert [one["unit"] for one in made] == ["vn.yb.04441", "vn.yb.04630"]
    assert all(Token.parse(one["token"]) for one in made)
    one = loa("token", "--dir", province, "vn.yb.04630").output
    assert re.fullmatch(r"vn\.yb\.04630  [A-Z2-7-]{32}\n", one)


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("init", "--demo-accounts"), "already-founded", 21),
        (("token", "vn.yb.9"), "station-unknown", 20),
        (("token", "--as", "bientap", "--password", "bientap-2022", "vn.yb.04630"), "no-right", 20),
        (("token", "--password", "sai", "vn.yb.04630"), "wrong-password", 20),
        (("quiet", "vn.yb", "21:30", "25:00"), "minute-range", 20),
        (("quiet", "Yên Bái", "21:30", "05:00"), "territory-unknown", 20),
        (("account", "disable", "ai"), "account-unknown", 20),
    ],
)
def test_a_refusal_is_two_lines_and_an_exit_code(
    province: Path, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    place = 2 if words[0] == "account" else 1
    result = loa(*words[:place], "--dir", province, *words[place:])
    assert result.exit_code == exit_code
    assert result.stderr.startswith(f"{code}: ")
    assert result.stderr.count("\n") == 2
    assert "  → " in result.stderr


def test_a_directory_without_a_hub_is_named(tmp_path: Path) -> None:
    assert loa("rebuild", "--dir", tmp_path / "leer").exit_code == 21
    assert "not-founded" in loa("rebuild", "--dir", tmp_path / "leer").stderr
    assert loa("status", "--dir", tmp_path / "nichts").exit_code == 21


def test_people_are_added_listed_and_disabled(province: Path) -> None:
    added = loa(
        "account", "add", "--dir", province, "tule", "--name", "Giàng A Páo", "--role", "approver",
        "--territory", "vn.yb.04630", env={"LOA_NEW_PASSWORD": "mat-khau-dai"},
    )  # fmt: skip
    assert added.exit_code == 0, added.stderr
    assert "tule (Giàng A Páo) is approver of vn.yb.04630" in added.output
    loa("account", "disable", "--dir", province, "tule")
    listed = json.loads(loa("account", "list", "--dir", province, "--json").output)
    assert {row["account"]: row["enabled"] for row in listed}["tule"] is False
    assert "(disabled)" in loa("account", "list", "--dir", province).output


def test_looking_verifies_everything_and_finds_a_changed_byte(province: Path) -> None:
    assert loa("quiet", "--dir", province, "vn.yb", "22:00", "04:30").exit_code == 0
    assert "segments read" in loa("rebuild", "--dir", province).output
    assert re.match(r"\d+ signatures verified, 0 failed\.", loa("verify", "--dir", province).output)
    assert "position" in loa("status", "--dir", province).output


def test_a_changed_ledger_does_not_verify(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    loa("init", "--dir", folder, "--demo-accounts", "--cheap-kdf")
    with sqlite3.connect(folder / "ledger.db") as db:
        raw = bytearray(db.execute("SELECT raw FROM ledger_segments WHERE position = 2").fetchone()[0])
        raw[110] ^= 1
        db.execute("UPDATE ledger_segments SET raw = ? WHERE position = 2", [bytes(raw)])
    db.close()
    result = loa("verify", "--dir", folder)
    assert result.exit_code == 1
    assert "1 failed" in result.output


# -- serving
# -----------------------------------------------------------------------------------------------------


class Served:
    """`python -m hub serve` as a process of its own."""

    def __init__(self, folder: Path, port: int = 0, *, doorbell: bool = False) -> None:
        argv = [sys.executable, "-m", "hub", "serve", "--dir", str(folder), "--port", str(port)]
        argv += ["--doorbell-port", "0"] if doorbell else []
        self.process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | PASSWORD
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if doorbell:
            rings = re.fullmatch(r"DOORBELL 127\.0\.0\.1:(\d+)\n", line)
            assert rings, line
            self.doorbell, line = int(rings[1]), self.process.stdout.readline()
        match = re.fullmatch(r"LISTENING (http://127\.0\.0\.1:(\d+))\n", line)
        assert match, line + (self.process.stderr.read() if self.process.stderr else "")
        self.url, self.port = match[1], int(match[2])

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(20)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "hub"
    loa("init", "--dir", folder, "--demo-accounts", "--cheap-kdf")
    table = tmp_path / "stations.csv"
    table.write_text("unit,name,kind\nvn.yb.04630,Xã Tú Lệ,it\n", "utf-8")
    loa("stations", "import", "--dir", folder, table)
    return folder


def test_a_hub_killed_while_serving_has_lost_nothing_it_gave_a_receipt_for(folder: Path) -> None:
    token = Token.parse(json.loads(loa("token", "--dir", folder, "--all-it", "--json").output)[0]["token"])
    key = SigningKey.from_seed(b"s" * 32)
    served = Served(folder)
    enrol = make_enrolment(token, key, unit="", nonce=b"nonce-01")
    reply = post(f"{served.url}/v1/enrol", enrol)
    enrolled = read_enrolment_reply(token, key, enrol, reply)
    ledger = Ledger(MemoryStore().open_db("ledger.db"), entropy=os.urandom, now=lambda: int(time.time()))
    for known in (key.verify_key, enrolled.hub, *enrolled.roots):
        ledger.trust(known)
    for n in range(3):
        ledger.append(key, b"\x93\x63\x01" + bytes([n]))
        request = make_request(ledger, key, nonce=bytes([n] * 8), now=int(time.time()))
        accepted = accept_reply(ledger, key, enrolled.hub, request, post(f"{served.url}/v1/sync", request))
        assert accepted.receipts
        served.end(signal.SIGKILL)
        assert "0 failed" in loa("verify", "--dir", folder).output
        served = Served(folder, served.port)
    status = json.loads(loa("status", "--dir", folder, "--json").output)
    assert status["forks"] == 0
    request = make_request(ledger, key, nonce=b"nonce-99", now=int(time.time()))
    accepted = accept_reply(ledger, key, enrolled.hub, request, post(f"{served.url}/v1/sync", request))
    assert accepted.refused == []
    assert ledger.unreceipted(key.key_id) == []
    assert served.end(signal.SIGTERM) == 0


def test_a_served_hub_is_not_opened_a_second_time_but_can_be_looked_at(folder: Path) -> None:
    served = Served(folder)
    try:
        busy = loa("token", "--dir", folder, "--all-it")
        assert busy.exit_code == 21
        assert "store-busy" in busy.stderr
        assert loa("status", "--dir", folder).exit_code == 0
        assert loa("verify", "--dir", folder).exit_code == 0
        other = tmp_hub(folder)
        taken = subprocess.run(
            [sys.executable, "-m", "hub", "serve", "--dir", str(other), "--port", str(served.port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert taken.returncode == 21
        assert "\naddress-busy: " in f"\n{taken.stderr}"
        assert "Traceback" not in taken.stderr
    finally:
        assert served.end(signal.SIGTERM) == 0


def test_a_station_process_holds_the_doorbell_of_a_served_hub(
    folder: Path, tmp_path: Path
) -> None:
    token = json.loads(loa("token", "--dir", folder, "--all-it", "--json").output)[0]["token"]
    served, home = Served(folder, doorbell=True), tmp_path / "station"
    try:
        station_says("init", "--dir", home, "--hub", served.url, "--token", token)
        with Line(served.doorbell) as line:
            settings = home / "station.toml"
            settings.write_text(f'{settings.read_text("utf-8")}doorbell = "127.0.0.1:{line.port}"\n', "utf-8")
            argv = [sys.executable, "-m", "node", "run", "--dir", str(home), "--player", "null"]
            station = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=os.environ | {"LOA_TEMPO": ""})
            try:
                assert until(lambda: line.down >= 21), "a greeting, and a word that it is known"
                assert (line.up, line.connections) == (84, 1)
            finally:
                station.send_signal(signal.SIGTERM)
                assert station.wait(20) == 0
    finally:
        assert served.end(signal.SIGTERM) == 0


def until(true: Callable[[], bool]) -> bool:
    ends_s = time.monotonic() + 20
    while not true() and time.monotonic() < ends_s:
        time.sleep(0.05)
    return true()


def station_says(*words: str | Path) -> None:
    argv = [sys.executable, "-m", "node", *map(str, words)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)


def tmp_hub(folder: Path) -> Path:
    other = folder.parent / "other"
    loa("init", "--dir", other, "--demo-accounts", "--cheap-kdf")
    return other


def post(url: str, body: bytes) -> bytes:
    answer = httpx2.post(url, content=body, headers={"Content-Type": "application/x-loa"}, timeout=20)
    assert answer.status_code == 200, answer.content
    return answer.content


def test_the_run_sheet_of_an_fm_station_is_a_page_and_its_stick_a_folder_of_plain_files(
    province: Path, tmp_path: Path
) -> None:
    shown = loa("sheet", "--dir", province, "vn.yb.04249", "--week", "2022-11-09", "--telephone", "0216 3850")
    assert shown.exit_code == 0
    assert "Lịch phát Phường Yên Thịnh, 07/11/2022 – 13/11/2022" in shown.output
    assert "điện thoại 0216 3850" in shown.output
    page = tmp_path / "to.html"
    told = loa("sheet", "--dir", province, "vn.yb.04249", "--out", page)
    assert told.output == f"{page}: print it from any browser.\n"
    assert page.read_text("utf-8").startswith("<!doctype html>")

    stick = tmp_path / "stick"
    stick.mkdir()
    done = loa("usb", "fm", "--dir", province, "--station", "vn.yb.04249", "--week", "2022-11-09", stick)
    assert done.output.startswith("fm-vn.yb.04249-2022-11-07: 0 slots, 4 files, ")
    assert (stick / "fm-vn.yb.04249-2022-11-07" / "000-lich-phat.html").is_file()
    for words in (("sheet", "--dir", province, "vn.yb.1"), ("sheet", "--dir", province, "x", "--week", "m")):
        assert loa(*words).exit_code != 0
