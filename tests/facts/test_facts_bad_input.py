"""Decisions that are rightly signed and wrong: kept and provable, of no effect, and in nobody's way."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from facts_desk import (
    LAW_DAY,
    NOW,
    PROVINCE,
    TU_LE,
    WINDOW,
    XUAN_AI,
    Desk,
    approved,
    bulletin,
    granted,
    key,
    manifest,
    scheduled,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Cancelled, Drafted, Facts, Granted, Right, audience_of, due, explain, slots
from ledger.facts.fields import Kind
from ledger.log.codec import decode, encode
from ledger.log.errors import KeyRefused, UnknownKeyError
from ledger.log.keys import SMALL_ORDER, VerifyKey
from ledger.log.memory_disk import MemoryStore
from ledger.log.segment import seal
from ledger.log.store import Ledger, Outcome

# The point of a golden vector plus a point of order 8, plus the point of order 2, and no point.
BAD_ORDER = (
    "e8c32d801c4f6f1fcf8cf7db2b85bfb30b5be23bc8e54753a2fd5990d9834f07",
    "c453451ebe43350f4dd1e56b2cb2f438c9e1ad92f401ed37686b436cdd699228",
    "02" + "00" * 31,
)


class House:
    """A ledger whose facts follow it, as at a hub and at a station."""

    def __init__(self) -> None:
        self.store, self.desk = MemoryStore(), Desk()
        self.boot()
        self.ledger.trust(key("root").verify_key)
        self.say("root", granted("admin", Right.APPROVE | Right.SCHEDULE | Right.GRANT, PROVINCE, depth=2))
        self.say("admin", granted("tu-le", Right.APPROVE | Right.SCHEDULE, TU_LE))

    def boot(self) -> None:
        self.facts = Facts([key("root").verify_key])
        self.ledger = Ledger(
            self.store.open_db("ledger.db"), entropy=lambda n: sha256(b"entropy").digest()[:n],
            now=lambda: NOW, audience_of=audience_of, on_admit=self.facts.admit,
        )  # fmt: skip
        self.facts.load(self.ledger)

    def say(self, name: str, fact: Kind) -> Outcome:
        return self.ledger.ingest(self.desk.sign(name, fact).raw, source="test")

    def standing(self) -> tuple[object, ...]:
        """Everything that has an effect."""
        f = self.facts
        return f.approvals, f.orders, f.cancels, f.quiet, f.stations, f.drafts, f.authority.keys()

    def reasons(self) -> list[str]:
        return [reason for _, reason in self.facts.refused]


@pytest.mark.parametrize(
    "fact",
    [
        approved(territory=XUAN_AI),
        approved(territory=PROVINCE),
        approved(territory=TU_LE + "1"),
        scheduled(territory=XUAN_AI),
        scheduled(territory=PROVINCE),
    ],
    ids=[
        "a neighbour",
        "the province",
        "a label that begins alike",
        "a neighbour's plan",
        "everybody's plan",
    ],
)
def test_a_segment_for_another_territory_is_kept_has_no_effect_and_blocks_nothing(fact: Any) -> None:
    house = House()
    assert house.say("tu-le", fact) is Outcome.ADMITTED
    assert house.reasons() == ["no-authority"]
    assert (house.facts.approvals, house.facts.schedules) == ({}, {})
    assert house.say("tu-le", approved(territory=TU_LE)) is Outcome.ADMITTED
    assert [one.fact.territory for one in house.facts.approvals[bulletin(1)]] == [TU_LE]
    assert house.ledger.verify().problems == []
    house.boot()
    assert house.reasons() == ["no-authority"]
    assert len(house.facts.approvals[bulletin(1)]) == 1


@pytest.mark.parametrize("issuer", ["root", "admin"])
@pytest.mark.parametrize("public", BAD_ORDER, ids=["order 8", "order 2", "no point"])
def test_a_granted_key_of_bad_order_is_never_trusted(public: str, issuer: str) -> None:
    """The key passes the checks of form: only its order is wrong, and a grant must prove that too."""
    house, raw = House(), bytes.fromhex(public)
    bad = VerifyKey(raw)
    assert house.say(issuer, Granted(NOW, raw, Right.APPROVE, TU_LE, *WINDOW, 0, "x")) is Outcome.ADMITTED
    for _ in range(2):
        assert house.reasons() == ["grant-key-refused"]
        assert house.ledger.key_of(bad.key_id) is None
        assert house.facts.authority.key(bad.key_id) is None
        assert not house.facts.authority.may(bad.key_id, Right.APPROVE, TU_LE, NOW)
        house.boot()
    honest = seal(key("tu-le"), b"log-id-8", 0, bytes(32), [approved(territory=TU_LE).encode()]).raw
    forged = honest[:8] + bad.key_id + honest[16:]
    with pytest.raises(UnknownKeyError):
        house.ledger.ingest(forged, source="test")
    assert house.say(issuer, granted("friend", Right.APPROVE, TU_LE)) is Outcome.ADMITTED
    assert house.ledger.key_of(key("friend").key_id) == key("friend").verify_key


@pytest.mark.parametrize("raw", sorted(SMALL_ORDER))
def test_a_granted_key_of_small_order_is_never_trusted(raw: bytes) -> None:
    house = House()
    house.say("root", Granted(NOW, raw, Right.APPROVE, TU_LE, *WINDOW, 0, "x"))
    assert house.reasons() == ["grant-key-refused"]
    with pytest.raises(KeyRefused):
        VerifyKey(raw)


def test_whoever_may_not_grant_cannot_make_us_prove_the_order_of_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The proof costs two milliseconds; it is asked last, of those only who may grant at all."""
    house, asked = House(), []
    monkeypatch.setattr(VerifyKey, "prove_order", lambda self: asked.append(self.raw))
    raw = bytes.fromhex(BAD_ORDER[0])
    house.say("tu-le", Granted(NOW, raw, Right.APPROVE, TU_LE, *WINDOW, 0, "x"))
    house.say("admin", Granted(NOW, raw, Right.EMERGENCY, TU_LE, *WINDOW, 0, "x"))
    assert (asked, house.reasons()) == ([], ["grant-without-right", "grant-wider-classes"])
    house.say("admin", Granted(NOW, key("friend").verify_key.raw, Right.APPROVE, TU_LE, *WINDOW, 0, "x"))
    assert asked == [key("friend").verify_key.raw]


DRAFT = Drafted(NOW, bulletin(1), 1, manifest(1), "tin", "", 3, TU_LE, LAW_DAY, LAW_DAY)
CANCEL = Cancelled(NOW, 0, bulletin(1), None, TU_LE, "")
RIGHT = [decode(f.encode()) for f in (approved(), scheduled(), DRAFT, CANCEL, granted("x", 2, TU_LE))]
ODD = st.sampled_from(
    [0, 1, 2, 3, 4, 5, 9, 64, -1, 255, 65_536, 2**31, 2**40, 2**63 - 1, -(2**63), True, None, "", "vn", TU_LE,
     "vn..x", "\u202e", "x" * 300, b"", bytes(8), bytes(16), bytes(32), b"\xff" * 46, b"\0" * 46, NOW,
     LAW_DAY]
)  # fmt: skip
TWISTED = st.lists(
    st.tuples(
        st.sampled_from(["root", "admin", "tu-le"]),
        st.sampled_from(RIGHT),
        st.lists(st.tuples(st.integers(0, 20), ODD), max_size=3),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(TWISTED)
def test_whatever_is_signed_is_taken_in_answered_for_and_read_again_alike(rows: list[Any]) -> None:
    """Right decisions with odd values in their fields, by people with and without the right to them."""
    house = House()
    for name, values, changes in rows:
        twisted = list(values)
        for place, value in changes:
            twisted[place % len(twisted)] = value
        sealed = house.desk.seal(name, encode(twisted))
        assert house.ledger.ingest(sealed.raw, source="test") is Outcome.ADMITTED
        for unit in (TU_LE, PROVINCE):
            slots(house.facts, unit, NOW, NOW + 86_400)
            due(house.facts, unit, NOW + 3_600, set())
            explain(house.facts, unit, NOW)
    before = house.standing()
    house.boot()
    assert house.standing() == before
    assert house.ledger.verify().problems == []
