"""A newer program reads what an older one kept and could not place."""

from __future__ import annotations

import random
from collections.abc import Sequence

from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY, audience_of, decision

from ledger.log.codec import decode, encode
from ledger.log.memory_disk import MemoryStore
from ledger.log.segment import seal
from ledger.log.store import Ledger

LATER = 40  # a type that the older program does not know


def knows_later(events: Sequence[bytes]) -> str | None:
    if len(events) == 1:
        values = decode(events[0])
        if values[0] == LATER and isinstance(values[2], str):
            return values[2]
    return audience_of(events)


def boot(store: MemoryStore, *, newer: bool) -> Ledger:
    ledger = Ledger(
        store.open_db("ledger.db"), entropy=random.Random(len(store.names(""))).randbytes, now=lambda: 7,
        audience_of=knows_later if newer else audience_of,
    )  # fmt: skip
    for key in (NODE_KEY, HUB_KEY, OFFICER_KEY):
        ledger.trust(key.verify_key)
    return ledger


def test_what_an_older_program_could_not_place_is_placed_once_by_a_newer_one() -> None:
    store = MemoryStore()
    old = boot(store, newer=False)
    assert old.reconsider("1") is None
    strange = encode((LATER, 1_667_955_600, "vn.yb", 1))
    old.ingest(seal(OFFICER_KEY, b"A" * 8, 0, bytes(32), [decision(1)]).raw, source="feed")
    old.ingest(seal(OFFICER_KEY, b"B" * 8, 0, bytes(32), [strange]).raw, source="feed")
    old.append(NODE_KEY, encode((16, 7, 1)))
    old.seal(NODE_KEY)
    before = [stored.segment.raw for stored in old.since(0)]
    assert [stored.position for stored in old.since(0, decisions_only=True)] == [1]

    new = boot(store, newer=True)
    assert [stored.position for stored in new.since(0, decisions_only=True)] == [1]
    assert new.reconsider("1,40") == 2
    found = list(new.since(0, decisions_only=True))
    assert [(stored.position, stored.audience) for stored in found] == [(1, "vn.yb.04630"), (2, "vn.yb")]
    assert found[1].segment.events == (strange,)
    assert [stored.segment.raw for stored in new.since(0)] == before  # nothing signed was touched
    assert new.verify().problems == []

    changes = store.open_db("ledger.db").total_changes
    assert boot(store, newer=True).reconsider("1,40") is None
    assert store.open_db("ledger.db").total_changes == changes, (
        "a second start of the same program writes nothing"
    )
