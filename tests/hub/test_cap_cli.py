"""`loa hub cap …` on a real disk: two hubs that know each other's keys, and files between them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_cap_reading import valid
from test_hub_cli import loa

from hub import Hub
from hub.config import load_config
from ledger.log import DiskStore

UNIT = "vn.yb.04630"


def founded(folder: Path) -> Path:
    assert loa("init", "--dir", folder, "--demo-accounts", "--cheap-kdf").exit_code == 0
    table = folder.parent / f"{folder.name}.csv"
    table.write_text(f"unit,name,kind\n{UNIT},Xã Tú Lệ,it\n", "utf-8")
    assert loa("stations", "import", "--dir", folder, table).exit_code == 0
    return folder


def ordered(folder: Path, *, end: bool) -> int:
    """A drill of this hub, as the emergency page gives it."""
    store = DiskStore(folder)
    try:
        clock = [0]
        house = Hub(store, config=load_config(store), clock_now=lambda: clock[0], entropy=os.urandom)
        clock[0] = max(one.fact.ts for one in house.facts.stations.values())
        officer = house.accounts.login("lanhdao", "lanhdao-2022", now=clock[0])
        assert officer is not None
        series = house.commands.order_emergency(
            officer, kind="lu-quet", level=3, text="Lên chỗ cao.", territory=UNIT, drill=True, now=clock[0]
        )
        if end:
            house.commands.cancel_emergency(officer, series, reason="Đã qua.", now=clock[0])
        house.close()
        return series
    finally:
        store.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("cap")
    return founded(root / "one"), founded(root / "other")


def test_a_warning_goes_from_hub_to_hub_and_is_verified_there(two: tuple[Path, Path], tmp_path: Path) -> None:
    one, other = two
    series = ordered(one, end=True)
    file = tmp_path / "alert.xml"
    done = loa("cap", "export", "--dir", one, "--out", file, series)
    assert done.exit_code == 0, done.output
    assert valid(file.read_bytes())
    own = json.loads(loa("cap", "senders", "--dir", one, "--json").output)[0]
    assert "trust" not in own
    told = loa("cap", "trust", "--dir", other, "--name", "Tỉnh bên", own["sender"], own["public"])
    assert told.exit_code == 0, told.output
    assert "Tỉnh bên" in loa("cap", "senders", "--dir", other).output
    beside = tmp_path / "alert.xml.sig"
    got = loa("cap", "import", "--dir", other, "--json", "--signature", beside, file)
    assert got.exit_code == 0, got.output
    said = json.loads(got.output)
    assert (said["signature"], said["kind"], said["level"], said["drill"]) == ("verified", "lu-quet", 3, True)
    assert said["territories"] == [UNIT]
    assert "Nothing was ordered" in loa("cap", "import", "--dir", other, file).output
    ended = tmp_path / "clear.xml"
    assert loa("cap", "export", "--dir", one, "--all-clear", "--out", ended, series).exit_code == 0
    cancel = json.loads(loa("cap", "import", "--dir", other, "--json", ended).output)
    assert cancel["type"] == "Cancel"
    assert cancel["references"] == [said["identifier"]]
    assert loa("cap", "distrust", "--dir", other, own["sender"]).exit_code == 0
    again = loa("cap", "import", "--dir", other, "--json", "--signature", beside, file)
    assert json.loads(again.output)["signature"] == "unknown"


def test_the_shell_says_what_it_refuses_in_two_lines(two: tuple[Path, Path], tmp_path: Path) -> None:
    one, _ = two
    bad = tmp_path / "bad.xml"
    bad.write_bytes(b"<alert/>")
    refused = loa("cap", "import", "--dir", one, bad)
    assert refused.exit_code == 19
    assert "cap-namespace" in refused.output
    assert "→ ask the sender" in refused.output
    series = ordered(one, end=False)
    file = tmp_path / "x.xml"
    assert "no-all-clear" in loa("cap", "export", "--dir", one, "--all-clear", "--out", file, series).output
    assert not file.exists()
    assert "key-length" in loa("cap", "trust", "--dir", one, "--name", "X", "x@example.vn", "zz").output
    old = Path(__file__).parent.parent / "vectors" / "cap" / "accepts-warning.xml"
    assert "cap-over" in loa("cap", "import", "--dir", one, old).output
