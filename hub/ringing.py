"""What is news for whom: the hub's side of the doorbell. `doorbell_of` makes one that rings for it.

Urgent is what must not wait for a station's schedule: an emergency, a withdrawal, a key that ended.
Everything else is news that may take a minute.

Bound: from a stored decision to a ring. Lines and limits are `hub.doorbell`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hub.doorbell import NEWS, URGENT, Doorbell, Limits
from hub.hub import Hub
from ledger.facts import Cancelled, EmergencyOrdered, Revoked, Right, UnitMerged, parse
from ledger.log import Stored, StoreError, VerifyKey

# Of what a station missed while its line was down, so much is looked through for something urgent.
LOOK_BYTES: Final = 32_768
URGENT_KINDS: Final = (EmergencyOrdered, Cancelled, Revoked)


def doorbell_of(hub: Hub, *, ticks: Callable[[], float], **limits: float) -> Doorbell:
    """A doorbell, not listening yet, that every decision of this hub rings from now on.

    ticks: seconds of a steady clock. limits: others than the usual `hub.doorbell.Limits`.
    """

    def missed(key_id: bytes, cursor: int) -> bytes:
        try:
            with hub.lock:
                units = hub.ingest.audiences_of(key_id) or ()
                found, _, _ = hub.ledger.for_audience(units, cursor, LOOK_BYTES)
        except StoreError:  # the disk failed: whoever serves this hub ends it, and stations come to the next
            return b""
        if not found:
            return b""
        return URGENT if any(map(is_urgent, found)) else NEWS

    def key_of(key_id: bytes) -> VerifyKey | None:
        with hub.lock:
            return hub.ledger.key_of(key_id)

    def units_of(key_id: bytes) -> tuple[str, ...]:
        names = hub.facts.lineages.names
        units = hub.facts.authority.units_of(key_id, Right.ACK)
        return tuple(dict.fromkeys(name for unit in units for name in names(unit)))

    bell = Doorbell(
        hub.key.verify_key,
        key_of=key_of,
        units_of=units_of,
        missed=missed,
        lock=hub.lock,
        ticks=ticks,
        entropy=hub.entropy,
        limits=replace(Limits(), **limits),  # type: ignore[arg-type]
    )

    def rang(stored: Stored) -> None:
        assert stored.audience is not None
        if any(isinstance(parse(event), UnitMerged) for event in stored.segment.events):
            bell.ask_again()
        bell.ring(stored.audience, urgent=is_urgent(stored))

    hub.on_news = rang
    return bell


def is_urgent(stored: Stored) -> bool:
    """Whether a station should fetch this within seconds."""
    return any(isinstance(parse(event), URGENT_KINDS) for event in stored.segment.events)
