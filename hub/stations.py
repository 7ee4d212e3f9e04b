"""The register of stations and the quiet hours of a territory: what an administrator decides.

A station is named by its commune's unit, which never changes; its name and kind may. Registering what
stands there already writes nothing, so an import can be run again after an interruption.

Bound: rules only. Keys of stations come by `hub.enrolment`; what a station did is never an aggregate.
"""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

from ledger.facts import (
    QuietHoursSet,
    StationRegistered,
)
from ledger.recorder import DecisionAggregate

_NAMESPACE = UUID("6f2c1a44-0c5e-5f0c-8a55-3b1f8d0e7c20")  # of our ids derived from units; never changes

KINDS = ("it", "fm")


def station_id(unit: str) -> UUID:
    return uuid5(_NAMESPACE, f"station/{unit}")


def quiet_id(territory: str) -> UUID:
    return uuid5(_NAMESPACE, f"quiet/{territory}")


class StationRecord(DecisionAggregate):
    """One commune's station: `it` with a return path, `fm` without."""

    class Registered(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "station.registered"

    class Changed(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "station.changed"

    def __init__(self) -> None:
        self.record: StationRegistered | None = None

    @classmethod
    def register(cls, fact: StationRegistered, signer: bytes) -> StationRecord:
        return cls.opened(cls.Registered, station_id(fact.unit), fact, signer)

    def when(self, fact: Any, signer: bytes) -> None:
        assert isinstance(fact, StationRegistered)
        self.record = fact

    def change(self, fact: StationRegistered, signer: bytes) -> bool:
        """Another name or kind. False, and nothing decided, when both stand already."""
        now = self.record
        assert now is not None, "a record begins with a registration"
        if (now.name, now.kind) == (fact.name, fact.kind):
            return False
        self.decide(self.Changed, fact, signer)
        return True


class QuietHours(DecisionAggregate):
    """When a territory is silent except for emergencies. The last setting holds."""

    class Set(DecisionAggregate.Opened):
        TOPIC: ClassVar[str] = "quiet.set"

    class Moved(DecisionAggregate.Event):
        TOPIC: ClassVar[str] = "quiet.moved"

    def __init__(self) -> None:
        self.hours: QuietHoursSet | None = None

    @classmethod
    def begin(cls, fact: QuietHoursSet, signer: bytes) -> QuietHours:
        return cls.opened(cls.Set, quiet_id(fact.territory), fact, signer)

    def when(self, fact: Any, signer: bytes) -> None:
        assert isinstance(fact, QuietHoursSet)
        self.hours = fact

    def move(self, fact: QuietHoursSet, signer: bytes) -> bool:
        """Other hours. False, and nothing decided, when they stand already."""
        now = self.hours
        assert now is not None, "quiet hours begin with a setting"
        if (now.from_minute, now.until_minute) == (fact.from_minute, fact.until_minute):
            return False
        self.decide(self.Moved, fact, signer)
        return True
