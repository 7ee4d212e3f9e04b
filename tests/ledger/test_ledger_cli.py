"""The auditor at the command line: what the files hold, whether it is true, and one event for a stranger."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledger.cli import ledger as command
from ledger.facts import Acknowledged, Evidence, Outcome, day_from_iso
from ledger.log import DiskStore, Ledger, SigningKey, encode

KEY = SigningKey.from_seed(b"station Tu Le, a key for tests..")
NOON_S = 1_667_969_100  # 2022-11-09 11:45 +07
DAY = day_from_iso("2022-11-09")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger of one author: its opening with two acknowledgments, and an event nobody can read."""
    store = DiskStore(tmp_path / "box")
    try:
        kept = Ledger(store.open_db("ledger.db"), entropy=lambda count: b"e" * count, now=lambda: NOON_S)
        for series in (7, 8):
            kept.append(KEY, acknowledgment(series))
        kept.seal(KEY)
        kept.append_sealed(KEY, encode((16, NOON_S, "neither an acknowledgment nor anything else")))
    finally:
        store.close()
    return tmp_path / "box"


def acknowledgment(series: int) -> bytes:
    return Acknowledged(
        ts=NOON_S, series=series, day=DAY, content=bytes(16), jitter_cs=4, played_ds=900,
        outcome=Outcome.PLAYED, detail=0, evidence=Evidence.DELIVERED, volume=80, clusters=None,
    ).encode()  # fmt: skip


def loa(*words: str | Path) -> Result:
    result = CliRunner().invoke(command, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_show_prints_every_event_in_order_with_its_author_and_local_time(folder: Path) -> None:
    lines = loa("show", "--dir", folder).output.splitlines()
    assert len(lines) == 4
    assert [line.split()[:2] for line in lines] == [
        ["1", f"{KEY.key_id.hex()[:8]}/656565#0"],
        ["1", f"{KEY.key_id.hex()[:8]}/656565#1"],
        ["1", f"{KEY.key_id.hex()[:8]}/656565#2"],
        ["2", f"{KEY.key_id.hex()[:8]}/656565#3"],
    ]
    assert "09/11/2022 11:45:00 Acknowledged series=7" in lines[1]
    assert "malformed" in lines[3], "an unreadable event is shown as that, and hides nothing behind it"


def test_show_as_json_gives_one_object_a_line_and_starts_where_told(folder: Path) -> None:
    told = [json.loads(line) for line in loa("show", "--dir", folder, "--json").output.splitlines()]
    assert [line["seq"] for line in told] == [0, 1, 2, 3]
    assert told[1]["fields"]["series"] == 7
    assert told[1]["key"] == KEY.key_id.hex()
    later = loa("show", "--dir", folder, "--since", "1", "--json").output.splitlines()
    assert [json.loads(line)["position"] for line in later] == [2]


def test_verify_ends_with_zero_only_when_everything_holds(folder: Path) -> None:
    assert loa("verify", "--dir", folder).output == "2 segments verified, 0 failed\n"
    with sqlite3.connect(folder / "ledger.db") as db:
        raw = bytearray(db.execute("SELECT raw FROM ledger_segments WHERE position = 1").fetchone()[0])
        raw[-1] ^= 1
        db.execute("UPDATE ledger_segments SET raw = ? WHERE position = 1", (bytes(raw),))
    db.close()
    found = loa("verify", "--dir", folder, "--json")
    assert found.exit_code == 12
    told = json.loads(found.output)
    assert told["failed"] == 1
    assert len(told["problems"]) >= 1


def test_a_proof_is_checked_by_somebody_who_has_nothing_but_the_key(folder: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    made = loa("prove", "--dir", folder, 1, 2, "--plain", "--out", proof)
    assert made.output == f"{proof}: {proof.stat().st_size} bytes\n"
    checked = loa("check", proof, "--key", KEY.verify_key.raw.hex())
    assert checked.exit_code == 0
    assert checked.output.startswith(f"true: key {KEY.key_id.hex()} signed event 2 ")


def test_a_proof_is_refused_for_another_key_and_when_one_bit_differs(folder: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    loa("prove", "--dir", folder, 1, 1, "--plain", "--out", proof)
    other = SigningKey.from_seed(b"o" * 32)
    assert loa("check", proof, "--key", other.verify_key.raw.hex()).exit_code != 0
    whole = proof.read_bytes()
    for at in range(len(whole)):
        proof.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        refused = loa("check", proof, "--key", KEY.verify_key.raw.hex())
        assert refused.exit_code != 0, f"byte {at}"
        assert "Traceback" not in refused.output


def test_evidence_is_verified_by_somebody_who_has_nothing_but_the_root(folder: Path, tmp_path: Path) -> None:
    file, root = tmp_path / "evidence", KEY.verify_key.raw.hex()
    made = loa("prove", "--dir", folder, 1, 1, "--out", file)
    assert made.output.splitlines() == [
        f"{file}: {file.stat().st_size} bytes, 0 grants to the signer, witness: no",
        f"  true under the root {root}",
    ]
    english = loa("verify", file, "--root", root)
    assert english.exit_code == 0
    assert english.output.startswith("TRUE")
    for words in ("Acknowledged", "series: 7", "acknowledge", "09/11/2022 11:45:00 +07", "NOT proven", root):
        assert words in english.output
    vietnamese = loa("verify", file, "--root", root, "--lang", "vi").output
    for words in ("ĐÚNG", "báo kết quả phát", "KHÔNG chứng minh được", "đã phát"):
        assert words in vietnamese


def test_evidence_as_json_says_what_holds_and_what_is_open(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    loa("prove", "--dir", folder, 1, 1, "--out", file)
    told = json.loads(loa("verify", file, "--root", KEY.verify_key.raw.hex(), "--json").output)
    assert (told["true"], told["kind"], told["seq"]) == (True, "Acknowledged", 1)
    assert told["not_proven"] == ["time", "content", "sound", "revoked", "person"]
    stranger = SigningKey.from_seed(b"o" * 32).verify_key.raw.hex()
    refused = loa("verify", file, "--root", stranger, "--json")
    assert refused.exit_code == 12
    told = json.loads(refused.output)
    assert (told["true"], told["code"]) == (False, "key-unknown")


def test_evidence_that_is_not_true_ends_with_twelve_and_two_lines(folder: Path, tmp_path: Path) -> None:
    file, root = tmp_path / "evidence", KEY.verify_key.raw.hex()
    loa("prove", "--dir", folder, 1, 1, "--out", file)
    whole = file.read_bytes()
    for data in (
        b"",
        whole[:-1],
        whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        whole + bytes(70_000),
        b"\0" * 70_000,
    ):
        file.write_bytes(data)
        refused = loa("verify", file, "--root", root)
        assert refused.exit_code == 12
        assert refused.output.startswith("NOT TRUE: ")
        assert len(refused.output.strip().splitlines()) == 2


def test_verify_takes_a_file_or_a_ledger_and_a_file_only_with_a_root(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "evidence"
    loa("prove", "--dir", folder, 1, 1, "--out", file)
    for words, said in (
        (("verify",), "or a ledger with --dir"),
        (("verify", str(file), "--dir", str(folder)), "or a ledger with --dir"),
        (("verify", str(file)), "--root HEX"),
        (("verify", str(file), "--root", "tú lệ"), "64 hex digits"),
    ):
        refused = loa(*words)
        assert refused.exit_code == 2
        assert said in refused.output
    weak = loa("verify", file, "--root", "00" * 32)
    assert weak.exit_code == 11
    assert "key-small-order" in weak.output


def test_evidence_under_a_root_that_does_not_lead_to_the_signer_is_not_written(
    folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "evidence"
    stranger = SigningKey.from_seed(b"o" * 32).verify_key.raw.hex()
    refused = loa("prove", "--dir", folder, 1, 1, "--out", file, "--root", stranger)
    assert refused.exit_code == 20
    assert "no-authority" in refused.output
    assert not file.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("prove", 9, "--out", "x"), "nothing stands at position 9"),
        (("prove", 1, 3, "--out", "x"), "has 3 events"),
        (("prove", 1, -1, "--out", "x"), ""),
    ],
)
def test_an_event_that_is_not_there_is_said_to_be_missing(
    folder: Path, words: tuple[str | int, ...], said: str
) -> None:
    refused = loa(*map(str, words[:1]), "--dir", folder, *map(str, words[1:]))
    assert refused.exit_code == 2
    assert said in refused.output


def test_what_is_not_a_key_is_refused_in_words(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    proof.write_bytes(b"x")
    assert "64 hex digits" in loa("check", proof, "--key", "tú lệ").output
    refused = loa("check", proof, "--key", "00" * 31)
    assert refused.exit_code not in (0, 1)


def test_a_folder_without_a_ledger_is_named_and_nothing_is_made_in_it(tmp_path: Path) -> None:
    refused = loa("verify", "--dir", tmp_path)
    assert refused.exit_code not in (0, 1)
    assert len(refused.output.strip().splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


def test_the_package_runs_as_a_module(folder: Path) -> None:
    argv = [sys.executable, "-m", "ledger", "verify", "--dir", str(folder)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "2 segments verified, 0 failed\n")
