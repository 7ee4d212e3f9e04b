"""A fact with its signature's place: who signed it, where it stands in their log, when it arrived here.

Bound: the segment was opened and verified before it came here; this file adds no trust, only meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.facts.endings import Place
from ledger.facts.events import Fact, parse
from ledger.facts.fields import Malformed

if TYPE_CHECKING:
    from ledger.log.store import Stored

EVENT_ID_BYTES = 16


def event_id(event: bytes) -> bytes:
    """The 16 bytes by which other events name this one."""
    return sha256(event).digest()[:EVENT_ID_BYTES]


@dataclass(frozen=True)
class Signed:
    """One event as it stands in a verified log.

    position: the local arrival order of its segment (at a hub: its journal). seq: its place in its log.
    """

    fact: Fact | Malformed
    event: bytes
    key_id: bytes
    log_id: bytes
    seq: int
    position: int

    @property
    def place(self) -> Place:
        """Where it stands in its author's logs."""
        return Place(self.log_id, self.seq)

    @cached_property
    def id(self) -> bytes:
        return event_id(self.event)


def read(stored: Stored) -> list[Signed]:
    """Every event of a stored segment with its fact; what is malformed is included as Malformed."""
    head = stored.segment.head
    return [
        Signed(parse(event), event, head.key_id, head.log_id, head.first_seq + index, stored.position)
        for index, event in enumerate(stored.segment.events)
    ]
