"""The CAP files of this hub's orders: the signed events found in the ledger, and written out.

Only what counts is written: an order that stands, and the first all-clear that ends it in its whole
territory. One that ends it in a part of it is no Cancel, which always ends the whole message.

Bound: looking up. The form is `writing`; who may fetch is the page's, and the machine's owner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.cap.writing import alert_of, cancel_of, sender_of
from hub.media import read_manifest
from ledger.facts import EmergencyOrdered, Signed, covers
from ledger.log import BlobError, CodecError, NotAllowed

if TYPE_CHECKING:
    from hub.hub import Hub


def own_sender(hub: Hub) -> str:
    """What stands as <sender> in this hub's files."""
    return sender_of(hub.config.province, hub.key.key_id)


def place_name(hub: Hub, unit: str) -> str:
    """What people call a unit; its path when nobody said."""
    station = hub.facts.stations.get(unit)
    if station is not None:
        return station.fact.name
    return hub.config.name if unit == hub.config.province else unit


def order_file(hub: Hub, series: int) -> bytes:
    """The order as an Alert. NotAllowed("series-unknown")."""
    with hub.lock:
        signed, fact = _order(hub, series)
        return alert_of(
            fact,
            signed.id,
            sender=own_sender(hub),
            sender_name=hub.config.name,
            area=place_name(hub, fact.territory),
            english=_english(hub, fact.manifest),
        )


def all_clear_file(hub: Hub, series: int) -> bytes | None:
    """The all-clear as a Cancel; None while there is none for the whole territory."""
    with hub.lock:
        signed, fact = _order(hub, series)
        for cancel in hub.facts.cancels.get(series, ()):
            if cancel.position > signed.position and covers(cancel.fact.territory, fact.territory):
                return cancel_of(
                    cancel.fact,
                    cancel.signed.id,
                    fact,
                    signed.id,
                    sender=own_sender(hub),
                    sender_name=hub.config.name,
                    area=place_name(hub, fact.territory),
                )
    return None


def _order(hub: Hub, series: int) -> tuple[Signed, EmergencyOrdered]:
    for order in reversed(hub.facts.emergencies.get(series, ())):
        return order.signed, order.fact
    raise NotAllowed("series-unknown", f"there is no emergency {series}", hint="look at the list of orders")


def _english(hub: Hub, manifest: bytes) -> str:
    """The order's words in English, when it has them and they are here."""
    try:
        text = read_manifest(hub.blobs, manifest).text("en")
        return hub.blobs.read(text.sha256).decode("utf-8") if text is not None else ""
    except (BlobError, CodecError, UnicodeDecodeError):
        return ""
