"""A real hub of a province under a real hub that is central: what a commune reports reaches the ministry."""

from __future__ import annotations

import pytest
from hub_house import PROVINCE, TU_LE, House, entropy_from, error_of

from hub import KDF_CHEAP, Hub, found
from hub.config import ROOT_KEY_NAME, load_key
from ledger.facts import Acknowledged, Granted, Right, keys_named
from ledger.log import (
    Forwarder,
    LoaError,
    MemoryStore,
    ProtocolError,
    SigningKey,
    Stored,
    VerifyKey,
    history_of,
)

ALWAYS = 2**40 - 1
EVERYTHING = 1023


class CentralHub(Hub):
    """What makes a hub central: it opens whatever hubs pass on, and judges it by its own roots."""

    def _admit(self, stored: Stored) -> list[VerifyKey]:
        return [*super()._admit(stored), *keys_named(stored)]


class Nation:
    """A province with its hub, and central above it."""

    def __init__(self) -> None:
        self.house = House("nation")
        self.store = MemoryStore()
        config = found(
            self.store, province="vn", name="Trung ương", now=self.house.now,
            entropy=entropy_from("central/0"), password="trung-uong-2022", kdf=KDF_CHEAP,
        )  # fmt: skip
        self.config = config
        self.lives = 0
        self.restart_central()
        self.forwarder = self.new_forwarder()

    def restart_central(self) -> None:
        self.lives += 1
        self.central = CentralHub(
            self.store, config=self.config, clock_now=lambda: self.house.now,
            entropy=entropy_from(f"central/{self.lives}"),
        )  # fmt: skip

    def new_forwarder(self) -> Forwarder:
        hub = self.house.hub
        return Forwarder(hub.ledger, hub.key, self.central.key.verify_key)

    def grant(self, subject: VerifyKey, classes: int, depth: int, *, by: str = "central") -> None:
        store, hub = (self.store, self.central) if by == "central" else (self.house.store, self.house.hub)
        grant = Granted(
            ts=self.house.now, subject_pub=subject.raw, classes=classes, territory=PROVINCE,
            not_before=0, not_after=ALWAYS, depth=depth, label="Yên Bái",
        )  # fmt: skip
        hub.ledger.append_sealed(load_key(store, ROOT_KEY_NAME), grant.encode())

    def bring_in(self) -> None:
        """The two grants of central's root."""
        root = load_key(self.house.store, ROOT_KEY_NAME)
        self.grant(self.house.hub.key.verify_key, int(Right.INGEST), 0)
        self.grant(root.verify_key, EVERYTHING, 3)

    def round(self) -> bool:
        request = self.forwarder.request(nonce=self.house.hub.entropy(8), now=self.house.now)
        status, reply = self.central.sync(request)
        if status != 200:
            code, what, _ = error_of(reply)
            raise ProtocolError(code, what, status=status)
        return self.forwarder.accept(request, reply).more

    def drain(self) -> None:
        for _ in range(50):
            if not self.round():
                return
        raise AssertionError("forwarding does not end")

    def held_above(self) -> bool:
        """Does central hold every segment of the hub, byte for byte?"""
        mine = {s.segment.head.hash: s.segment.raw for s in self.house.hub.ledger.since(0)}
        theirs = {s.segment.head.hash: s.segment.raw for s in self.central.ledger.since(0)}
        return all(theirs.get(head) == raw for head, raw in mine.items())


@pytest.fixture(scope="module")
def founded() -> Nation:
    return Nation()


@pytest.fixture
def nation() -> Nation:
    return Nation()


def test_a_hub_that_nobody_brought_in_is_refused(nation: Nation) -> None:
    with pytest.raises(LoaError) as caught:
        nation.round()
    assert caught.value.code == "key-unknown"


def test_everything_of_a_province_reaches_central_and_is_read_there_in_its_order(nation: Nation) -> None:
    house = nation.house
    box = house.station(TU_LE)
    series = house.scheduled()
    box.sync()
    box.ack(series)
    box.sync()
    nation.bring_in()
    nation.drain()
    assert nation.held_above()
    assert nation.central.ledger.verify().problems == []
    lines = list(history_of(nation.central.ledger, house.hub.key.key_id))
    assert all(line.stored is not None for line in lines)
    told = [e for line in lines if line.stored for e in line.stored.segment.events]
    assert any(event[:2] == bytes((0x9C, Acknowledged.TYPE)) for event in told)
    nation.central.tick()
    assert house.hub.ledger.unreceipted(house.hub.key.key_id) == []


def test_a_chain_that_is_too_deep_at_central_stops_nothing_and_counts_once_it_is_granted_again(
    nation: Nation,
) -> None:
    """A province founded on its own gave its administrator depth 3: below central's root one too many."""
    house = nation.house
    admin = house.admin.key.key_id
    nation.bring_in()
    nation.drain()
    assert nation.held_above()
    assert not nation.central.facts.authority.may(admin, Right.APPROVE, PROVINCE, house.now)
    nation.grant(house.admin.key.verify_key, EVERYTHING, 2, by="province")
    nation.drain()
    assert nation.central.facts.authority.may(admin, Right.APPROVE, PROVINCE, house.now)
    assert not nation.central.facts.authority.may(admin, Right.APPROVE, "vn.lc", house.now)


def test_a_hub_restored_from_a_backup_gets_its_newest_station_back_from_central(nation: Nation) -> None:
    """The grant to a station enrolled since the backup is a decision: central's feed returns it."""
    house = nation.house
    nation.bring_in()
    nation.drain()
    backup = house.store.snapshot()  # type: ignore[attr-defined]
    box = house.station(TU_LE)
    box.sync()
    nation.drain()
    house.store.restore(backup)  # type: ignore[attr-defined]
    house.restart()
    nation.forwarder = nation.new_forwarder()
    status, reply = house.hub.sync(box.ask())
    assert (status, error_of(reply)[0]) == (403, "key-unknown")
    nation.drain()
    box.report(b"\x93\x11\x01\x02")
    box.sync()
    nation.drain()
    assert nation.held_above()
    assert house.hub.ledger.verify().problems == []
    assert nation.central.ledger.forks() == house.hub.ledger.forks() == []


def test_what_central_decides_for_a_commune_is_in_the_plan_of_its_station(nation: Nation) -> None:
    house = nation.house
    nation.bring_in()
    nation.drain()
    box = house.station(TU_LE)
    central = nation.central.key.verify_key
    nation.grant(central, EVERYTHING, 2, by="province")  # the stations' roots are the province's
    registered = Granted(
        ts=house.now, subject_pub=SigningKey.from_seed(bytes(32)).verify_key.raw, classes=int(Right.ACK),
        territory=TU_LE, not_before=0, not_after=ALWAYS, depth=0, label="",
    )  # fmt: skip
    nation.central.ledger.append_sealed(nation.central.key, registered.encode())
    nation.drain()
    box.sync()
    assert box.facts.authority.units_of(SigningKey.from_seed(bytes(32)).key_id) == (TU_LE,)


def test_a_station_and_a_hub_are_told_apart_by_their_grants(founded: Nation) -> None:
    founded.bring_in()
    hub = founded.house.hub.key.key_id
    assert founded.central.ingest.forwards(hub)
    units = founded.central.ingest.audiences_of(hub)
    assert units is not None
    assert {"vn", PROVINCE} <= set(units)
    box = founded.house.station(TU_LE)
    assert not founded.house.hub.ingest.forwards(box.key.key_id)
