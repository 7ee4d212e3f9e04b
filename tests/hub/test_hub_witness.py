"""What officers sign at the hub has a witness of its time, the hub's journal, and a stranger can check it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hub_house import House, dump, entropy_from

from hub.config import ROOT_KEY_NAME, load_key
from ledger.cli import ledger as command
from ledger.facts import Approved, Facts, Granted, Malformed, audience_of, read
from ledger.log import (
    DiskStore,
    Ingested,
    Ledger,
    MemoryStore,
    SigningKey,
    Stored,
    answer,
    forwarding,
)


def loa(*words: object) -> str:
    result = CliRunner().invoke(command, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def decided(house: House) -> list[Stored]:
    """Every segment with a lone decision that the hub did not sign itself."""
    return [
        stored
        for stored in house.hub.ledger.since(0, decisions_only=True)
        if stored.segment.head.key_id != house.hub.key.key_id
    ]


@pytest.fixture
def house() -> House:
    return House()


def test_every_decision_of_a_day_at_the_hub_stands_in_its_journal_once(house: House) -> None:
    house.station().sync()
    house.scheduled()
    bulletin = house.submitted()
    house.hub.commands.return_bulletin(house.approver, bulletin, reason="sai ngày", now=house.now)
    house.restart()
    house.hub.commands.withdraw(house.approver, house.approved(), reason="nhầm", now=house.now)
    journal = [
        signed.fact.head_hash
        for stored in house.hub.ledger.since(0)
        for signed in read(stored)
        if isinstance(signed.fact, Ingested)
    ]
    assert len(journal) == len(set(journal))
    made = decided(house)
    assert len(made) >= 15
    assert {type(read(stored)[0].fact) for stored in made} >= {Granted, Approved}
    assert {stored.segment.head.hash for stored in made} <= set(journal)
    assert all(house.hub.ledger.tables.journal(stored.position) is not None for stored in made)


def test_the_hubs_journal_begins_behind_the_grant_that_introduces_its_key(house: House) -> None:
    everything = list(house.hub.ledger.since(0))
    known = next(stored.position for stored in everything if hub_is_subject(stored, house.hub.key))
    own = [one.position for one in everything if one.segment.head.key_id == house.hub.key.key_id]
    assert known < min(own)


def hub_is_subject(stored: Stored, hub: SigningKey) -> bool:
    fact = read(stored)[-1].fact
    return isinstance(fact, Granted) and fact.subject_pub == hub.verify_key.raw


def test_stations_are_sent_no_byte_of_the_journal(house: House) -> None:
    box = house.station()
    house.scheduled()
    box.sync()
    sent = list(box.ledger.since(0))
    assert sent
    assert not any(isinstance(signed.fact, Ingested) for stored in sent for signed in read(stored))
    assert [s for s in sent if s.segment.head.key_id == house.hub.key.key_id and s.audience is None] == []
    before = len(sent)
    box.sync()
    assert len(list(box.ledger.since(0))) == before
    assert not any(
        isinstance(signed.fact, Malformed) for stored in house.hub.ledger.since(0) for signed in read(stored)
    )


def test_a_superior_gets_every_decision_of_the_officers_with_the_journal_that_names_it(house: House) -> None:
    """A journal is taken when all that it names is there: also the openings of the officers' logs."""
    house.station().sync()
    house.scheduled()
    house.restart()
    house.approved()
    superior = SigningKey.from_seed(b"a superior's key, for this test.")
    entropy = entropy_from("superior")
    above = Ledger(
        MemoryStore().open_db("ledger.db"), entropy=entropy, now=lambda: house.now, audience_of=audience_of,
        on_admit=Facts(house.config.root_keys).admit,
    )  # fmt: skip
    for key in (*house.config.root_keys, house.hub.key.verify_key):
        above.trust(key)
    line = forwarding.Forwarder(house.hub.ledger, house.hub.key, superior.verify_key)
    for _ in range(10):
        request = line.request(nonce=entropy(8), now=house.now)
        done = answer(above, superior, request, now=house.now, audiences_of=lambda key_id: ("vn",))
        assert done.refused == []
        if not line.accept(request, done.reply).more and not done.admitted:
            break
    held = {stored.segment.head.hash for stored in above.since(0)}
    assert {stored.segment.head.hash for stored in house.hub.ledger.since(0)} <= held
    assert above.tables.parked_count() == 0


def test_the_views_are_the_same_when_they_are_built_again(house: House) -> None:
    house.station().sync()
    house.scheduled()
    house.hub.tick()
    before = dump(house.hub)
    house.hub.rebuild()
    assert dump(house.hub) == before


def test_a_stranger_learns_from_a_file_when_an_approval_at_the_hub_existed(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    house = House(store=DiskStore(folder))
    house.later(90)
    house.approved(title="Ngày Pháp luật")
    position = next(
        stored.position for stored in reversed(decided(house)) if isinstance(read(stored)[0].fact, Approved)
    )
    root = load_key(house.store, ROOT_KEY_NAME).verify_key.raw.hex()
    file = tmp_path / "duyet.loa"
    made = loa("prove", "--dir", folder, position, "--out", file)
    assert "witness: 09/11/2022 08:01:30" in made
    told = loa("verify", file, "--root", root)
    assert "Existed by: 09/11/2022 08:01:30 +07" in told
    assert "journal of hub Yên Bái (hub)" in told
    assert "only the signer's own clock" not in told
    found = json.loads(loa("verify", file, "--root", root, "--json"))
    assert (found["existed"], found["endings"]) == (house.now, [])
    assert "time" not in found["not_proven"]
    assert found["known"]["hub"] == house.hub.key.key_id.hex()


def test_a_stranger_learns_that_the_key_ended_and_the_approval_stays(tmp_path: Path) -> None:
    folder = tmp_path / "hub"
    house = House(store=DiskStore(folder))
    house.approved()
    approver = house.approver.key.key_id.hex()
    honest = max(s.position for s in decided(house) if isinstance(read(s)[0].fact, Approved))
    house.later(60)
    house.approved(title="giả")
    forged = max(s.position for s in decided(house) if isinstance(read(s)[0].fact, Approved))
    root = load_key(house.store, ROOT_KEY_NAME).verify_key.raw.hex()
    early = tmp_path / "gia-truoc.loa"
    loa("prove", "--dir", folder, forged, "--out", early)
    house.hub.commands.revoke_key(
        house.admin, approver, reason="mất máy", until=honest, hub=house.hub.key, now=house.now
    )
    file = tmp_path / "that.loa"
    loa("prove", "--dir", folder, honest, "--out", file)
    told = loa("verify", file, "--root", root, "--lang", "vi")
    assert "Khóa đã kết thúc; sự kiện này vẫn giữ giá trị" in told
    assert f"hủy khóa {approver}: mất máy" in told
    assert "người lập tệp đã đọc sổ tiếp nhận của máy chủ" in told
    refused = CliRunner().invoke(command, ["prove", "--dir", str(folder), str(forged), "--out", str(file)])
    assert refused.exit_code != 0
    assert "key-ended" in refused.output + (refused.stderr if refused.stderr_bytes else "")
    assert loa("verify", early, "--root", root), "a file from before the revocation still says what it knew"
