"""The administrator's commands, from files to a hub that has taken in what they signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import hub as hub_command
from ledger.cli import ledger as ledger_command
from ledger.facts import Right
from sim.main import loa

PASSWORD = "quantri-2022"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a founded hub, its demo officers, and three key files for new roots."""
    monkeypatch.chdir(tmp_path)
    run("hub init --dir hub --demo-accounts --cheap-kdf")
    for name in ("r1", "r2", "r3"):
        run(f"ledger keys new {name}.key")
    return tmp_path


def run(line: str, code: int = 0, **more: str) -> str:
    done = invoked(line, more)
    assert done.exit_code == code, done.output
    return done.output


def invoked(line: str, more: dict[str, str]) -> Result:
    words = line.split()
    group = {"hub": hub_command, "ledger": ledger_command}[words[0]]
    return CliRunner().invoke(group, [more.get(word, word) for word in words[1:]])


def refused(line: str, code: str, **more: str) -> None:
    """The command ends with two plain lines that begin with the refusal's code."""
    done = invoked(line, more)
    assert done.exit_code not in (0, 1, 2), done.output
    first, second = done.output.strip().splitlines()[-2:]
    assert first.startswith(code + ": "), done.output
    assert second.startswith("  → ")


def officer(name: str) -> str:
    rows = run("hub account list --dir hub").splitlines()
    return next(row.split()[3] for row in rows if row.startswith(name))


def test_a_key_file_is_for_its_owner_alone_and_never_written_over(desk: Path) -> None:
    assert (desk / "r1.key").stat().st_mode & 0o777 == 0o600
    shown = run("ledger keys show r1.key").split()
    assert run(f"ledger keys show {shown[1]}").split() == shown
    refused("ledger keys new r1.key", "file-exists")
    (desk / "no.key").write_text("abc")
    refused("ledger keys show no.key", "key-file")
    refused("ledger keys show abc", "key-form")
    refused("ledger keys show " + "00" * 32, "key-small-order")


def test_a_grant_signed_elsewhere_is_taken_in_once(desk: Path) -> None:
    line = (
        "ledger grant --key hub/root.key --to r1.key --rights approve,cancel --in vn.yb --label Trực --out g"
    )
    assert "Granted signed by" in run(line)
    assert "taken in: Granted" in run("hub admit --dir hub g")
    assert "known: a segment" in run("hub admit --dir hub g")
    refused(line.replace("approve,cancel", "sing"), "right-unknown")
    refused(line.replace("vn.yb", "VN"), "territory-unknown")
    refused(line, "file-exists")


def test_a_grant_by_somebody_without_the_right_is_taken_in_and_does_not_count(desk: Path) -> None:
    run("ledger grant --key hub/root.key --to r1.key --rights approve --in vn.yb --out g1")
    run("ledger grant --key r1.key --to r2.key --rights approve --in vn.yb --out g2")
    run("hub admit --dir hub g1")
    assert "does not count: grant-without-right" in run("hub admit --dir hub g2", code=20)


def test_a_revocation_is_made_from_the_hubs_folder_and_ends_the_key(desk: Path) -> None:
    run("ledger grant --key hub/root.key --to r1.key --rights approve --in vn.yb --out g")
    run("hub admit --dir hub g")
    said = run("ledger revoke --key hub/root.key --subject r1.key --dir hub --reason mất --out r")
    assert "void in vn.yb is all else" in said
    assert "taken in: Revoked" in run("hub admit --dir hub r")
    run("ledger revoke --key r2.key --subject r1.key --dir hub --reason mất --out r2", code=0)
    run("hub admit --dir hub r2", code=20)
    refused(
        "ledger revoke --key r2.key --subject r3.key --dir hub --reason x --out r3", "revocation-unknown-key"
    )
    refused(
        "ledger revoke --key r2.key --subject r1.key --dir hub --at 999 --reason x --out r3",
        "position-unknown",
    )


def test_an_administrator_revokes_an_officer_at_the_hub(desk: Path) -> None:
    editor, admin = officer("bientap"), officer("admin")
    line = f"hub revoke --dir hub --password {PASSWORD} --reason mất"
    assert "is revoked in vn.yb" in run(f"{line} {editor}")
    assert "Revoked" in run("ledger show --dir hub --limit 99")
    done = invoked(f"{line} {admin}", {})
    assert done.exit_code == 20
    assert "revocation-of-itself" in done.output
    assert invoked(f"{line} abc", {}).output.startswith("key-id-form")


def test_a_key_rotates_and_its_issuer_grants_to_the_new_one(desk: Path) -> None:
    run("ledger grant --key hub/root.key --to r1.key --rights approve --in vn.yb --out g")
    run("hub admit --dir hub g")
    assert "its issuer grants to" in run("ledger rotate --key r1.key --new r2.key --dir hub --out t")
    assert "taken in: Rotated" in run("hub admit --dir hub t")
    run("ledger grant --key hub/root.key --to r2.key --rights approve --in vn.yb --out g2")
    assert "taken in: Granted" in run("hub admit --dir hub g2")


def test_a_root_set_goes_round_and_takes_over(desk: Path) -> None:
    new = "ledger root new --version 1 --threshold 2 --keys r1.key --keys r2.key --keys r3.key"
    refused(f"{new} --leaving hub/root.key --out set", "leaving-unknown")
    run(f"{new} --leaving hub/root.key --dir hub --out set")
    for key in ("hub/root.key", "r1.key"):
        run(f"ledger root sign set --key {key}")
    refused("ledger root sign set --key r1.key", "roots-signature-twice")
    run("ledger root seal set --key hub/hub.key --out early")
    assert "roots-threshold-new" in run("hub admit --dir hub early", code=20)
    assert run("ledger root sign set --key r3.key").count("signed") == 3
    assert run("ledger root show set").count("signed") == 3
    run("ledger root seal set --key hub/hub.key --out set.loa")
    assert "taken in: RootsSet" in run("hub admit --dir hub set.loa")
    for key, code in (("hub/root.key", 20), ("r1.key", 0)):
        out = key.replace("/", "-") + ".loa"
        run(f"ledger grant --key {key} --to r2.key --rights approve --in vn.yb --out {out}")
        run(f"hub admit --dir hub {out}", code=code)


def test_a_set_that_two_halves_could_change_is_not_even_written(desk: Path) -> None:
    refused(
        "ledger root new --version 1 --threshold 1 --keys r1.key --keys r2.key --out set",
        "roots-threshold-range",
    )
    refused(
        "ledger root new --version 1 --threshold 2 --keys r1.key --keys r1.key --out set", "roots-key-twice"
    )
    assert not (desk / "set").exists()
    (desk / "junk").write_bytes(b"junk")
    refused("ledger root show junk", "paper-form")
    refused("hub admit --dir hub junk", "delivery-form")


def test_the_root_command_reaches_all_of_them() -> None:
    listed = CliRunner().invoke(loa, ["ledger", "--help"]).output
    assert all(f"  {name} " in listed for name in ("keys", "grant", "revoke", "rotate", "root"))
    given = CliRunner().invoke(loa, ["ledger", "grant", "--help"]).output.lower()
    assert all(name.lower() in given for name in Right.__members__)
