"""`loa node clusters`: what it says of a list, and what it refuses. How it talks is tried in tests/sim."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from node import ClusterEntry, clusters_toml
from node.cli import node

ENTRIES = (
    ClusterEntry(7, "Bản Xa", "udp", "127.0.0.1:9", bytes(range(32)), "cột trước nhà văn hoá"),
    ClusterEntry(9, "Bản Lủ", "http", "127.0.0.1:9", bytes(range(1, 33)), volume=60),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "clusters.toml"
    file.write_text(clusters_toml(ENTRIES), "utf-8")
    file.chmod(0o600)
    return tmp_path


def loa(*words: str | Path) -> Result:
    return CliRunner().invoke(node, ["clusters", *map(str, words)])


def test_the_list_is_shown_in_the_order_of_the_vector_and_without_its_keys(folder: Path) -> None:
    said = loa("list", "--dir", folder)
    assert said.exit_code == 0
    assert said.output.splitlines() == [
        "    7  Bản Xa (cột trước nhà văn hoá)  udp 127.0.0.1:9", "    9  Bản Lủ  http 127.0.0.1:9",
    ]  # fmt: skip
    found = json.loads(loa("list", "--dir", folder, "--json").output)
    assert [(row["place_in_vector"], row["number"], row["volume"]) for row in found] == [
        (0, 7, 100),
        (1, 9, 60),
    ]
    assert "0102030405" not in said.output + str(found)


def test_keys_that_others_may_read_are_pointed_out(folder: Path) -> None:
    (folder / "clusters.toml").chmod(0o644)
    assert "chmod 600" in loa("list", "--dir", folder).output


def test_a_folder_without_clusters_says_where_to_read_on(tmp_path: Path) -> None:
    said = loa("list", "--dir", tmp_path)
    assert said.exit_code == 21
    assert "cluster-list-none" in said.output
    assert "run-a-station.md" in said.output


def test_what_is_wrong_with_the_list_is_two_lines_and_an_exit_code(folder: Path) -> None:
    (folder / "clusters.toml").write_text("[[cluster]]\nnumbr = 7\n", "utf-8")
    said = loa("check", "--dir", folder)
    assert said.exit_code == 21
    assert "there is no setting 'numbr'" in said.output


def test_a_number_that_is_not_on_the_list_is_refused(folder: Path) -> None:
    said = loa("test", "8", "--dir", folder)
    assert said.exit_code != 0
    assert "no cluster here has the number 8" in said.output


def test_a_key_is_drawn_anew_each_time() -> None:
    first, second = loa("key").output.strip(), loa("key").output.strip()
    assert len(bytes.fromhex(first)) == len(bytes.fromhex(second)) == 32
    assert first != second
