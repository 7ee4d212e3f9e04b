"""What was handed in before, and which of our orders a message refers to.

A file may come twice, by two people or by a sender who repeats it, and a later one names an earlier one. So
the hub remembers what it was shown: names, a digest of the content, the words that filled the form in. The
orders themselves are looked up in the ledger: an order belongs to an alert when its words are those that the
alert proposed, or when the reference names our own event.

Bound: a convenience that may be lost, never a record: it is bounded, it forgets after a month, and when its
file is damaged it begins anew. Who ordered what stands in the ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from hub.cap.values import Alert, Reference
from hub.cap.writing import event_id_of
from ledger.log import Store

if TYPE_CHECKING:
    from hub.hub import Hub

HANDED_NAME: Final = "cap-handed.json"
HANDED_MAX: Final = 200
HANDED_LIFE_S: Final = 31 * 86_400


@dataclass(frozen=True)
class Handed:
    """One alert as it was handed in. digest: of its content. at: UTC s. by: account. words: proposed."""

    sender: str
    identifier: str
    digest: str
    at: int
    by: str
    words: str

    @property
    def name(self) -> tuple[str, str]:
        return self.sender, self.identifier


def digest_of(alert: Alert) -> str:
    """Of what it says, not of its bytes: a file that was only laid out anew is the same alert."""
    return sha256(repr(alert).encode()).hexdigest()


def load_handed(store: Store, *, now: int) -> list[Handed]:
    """Oldest first."""
    data = store.read(HANDED_NAME)
    try:
        rows = [Handed(**row) for row in json.loads(data)] if data is not None else []
        return [one for one in rows if one.at > now - HANDED_LIFE_S][-HANDED_MAX:]
    except (ValueError, TypeError):
        return []


def earlier(store: Store, alert: Alert, *, now: int) -> Handed | None:
    """The last time that an alert of this name was handed in."""
    name = (alert.sender, alert.identifier)
    return next((one for one in reversed(load_handed(store, now=now)) if one.name == name), None)


def note(store: Store, alert: Alert, words: str, *, by: str, now: int) -> None:
    """Remembers that it was handed in. The same content under the same name is remembered once."""
    made = Handed(alert.sender, alert.identifier, digest_of(alert), now, by, words)
    kept = load_handed(store, now=now)
    if any((one.name, one.digest) == (made.name, made.digest) for one in kept):
        return
    rows = [asdict(one) for one in [*kept, made][-HANDED_MAX:]]
    store.write(HANDED_NAME, json.dumps(rows, ensure_ascii=False).encode() + b"\n")


def orders_of(hub: Hub, references: Iterable[Reference], *, now: int) -> list[int]:
    """Series of the emergencies that these references mean, whether in force or not; ascending."""
    known = {one.name: one.words for one in load_handed(hub.store, now=now) if one.words}
    wanted = tuple(references)
    own = {found for one in wanted if (found := event_id_of(one.identifier)) is not None}
    words = {known[name] for one in wanted if (name := (one.sender, one.identifier)) in known}
    return sorted(
        series
        for series, orders in hub.facts.emergencies.items()
        if any(order.signed.id in own or order.fact.text in words for order in orders)
    )
