"""Aggregates of signed facts, and how each of their events becomes a row and back.

An aggregate's event wraps one fact of the ledger and the id of the key that signed it. The row's state is
the fact's canonical event bytes, its topic a short word. The key id is never in the state: it is read back
from the segment the fact was sealed in, so an aggregate cannot believe another author than the signature.

Topics are looked up in a register filled by our own classes; the library's default would import whatever
module a stored topic names.

Bound: values in memory. Rows and signatures are `ledger.recorder`, meaning is `ledger.facts`, rules are
`hub`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeVar, cast
from uuid import UUID

from eventsourcing.domain import Aggregate, CanMutateAggregate, DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder

from ledger.facts.events import parse
from ledger.facts.fields import Malformed
from ledger.log.errors import StoreError


class Fact(Protocol):
    """What an aggregate event wraps: a dataclass of `ledger.facts.events`."""

    @property
    def ts(self) -> int: ...

    def encode(self) -> bytes: ...


class DecisionAggregate(Aggregate):
    """Base of our aggregates. A subclass defines nested events with a `TOPIC` and `when(fact, signer)`.

    Every event carries the fact and the signer's key id. The key id is not in the stored state: it is read
    back from the ledger row the fact was sealed in, so an aggregate can never believe another author than
    the signature.
    """

    class Event(Aggregate.Event):
        TOPIC: ClassVar[str]
        fact: Any
        signer: bytes

        def apply(self, aggregate: Any) -> None:
            aggregate.when(self.fact, self.signer)

    class Opened(Event, Aggregate.Created):
        """The first event of an aggregate."""

    def when(self, fact: Any, signer: bytes) -> None:
        """Applies one fact. Holds no rule: it also runs when old events are read."""
        raise NotImplementedError

    @classmethod
    def opened(cls: type[T], event_class: type[Any], aggregate_id: UUID, fact: Fact, signer: bytes) -> T:
        """A new aggregate with its first decision pending."""
        return cls._create(event_class, id=aggregate_id, fact=fact, signer=signer, timestamp=moment(fact.ts))

    def decide(self, event_class: type[Any], fact: Fact, signer: bytes) -> None:
        """Adds one decision to what the next save signs."""
        self.trigger_event(event_class, fact=fact, signer=signer, timestamp=moment(fact.ts))


T = TypeVar("T", bound=DecisionAggregate)


def moment(ts: int) -> datetime:
    """The fact's own second as the library wants it. (Without one it would read the wall clock.)"""
    return datetime.fromtimestamp(ts, tz=UTC)


@dataclass(frozen=True)
class SealedEvent(StoredEvent):
    """A stored row with the key that signed it (or will sign it)."""

    signer: bytes


class FactMapper(Mapper[UUID]):
    """Aggregate event ↔ row: state = the fact's canonical bytes. StoreError for a row it did not write."""

    def __init__(self, transcoder: Transcoder, aggregates: Iterable[type[DecisionAggregate]]) -> None:
        super().__init__(transcoder)
        self._aggregates: dict[str, type[DecisionAggregate]] = {}
        self._events: dict[str, type[Any]] = {}
        for aggregate in aggregates:
            for event in vars(aggregate).values():
                if not isinstance(event, type) or not issubclass(event, CanMutateAggregate):
                    continue
                # The library derives the nested classes anew, so the topic may be an inherited one.
                topic = getattr(event, "TOPIC", None)
                if topic is not None:
                    assert topic not in self._events, f"two aggregate events claim the topic {topic}"
                    self._events[topic] = event
                    self._aggregates[topic] = aggregate

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        event = cast(Any, domain_event)
        assert event.TOPIC in self._events, f"{event.TOPIC} is not registered with these Decisions"
        return SealedEvent(
            originator_id=event.originator_id,
            originator_version=event.originator_version,
            topic=event.TOPIC,
            state=event.fact.encode(),
            signer=event.signer,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        where = f"{stored_event.originator_id} version {stored_event.originator_version}"
        event_class = self._events.get(stored_event.topic)
        if event_class is None:
            raise StoreError(
                "topic-unknown", f"no aggregate event is called {stored_event.topic!r}", where=where
            )
        fact = parse(stored_event.state)
        if isinstance(fact, Malformed):
            raise StoreError(
                "decision-malformed", f"a stored decision does not parse: {fact.reason}", where=where
            )
        assert isinstance(stored_event, SealedEvent)
        fields: dict[str, Any] = {
            "originator_id": stored_event.originator_id,
            "originator_version": stored_event.originator_version,
            "timestamp": moment(fact.ts),
            "fact": fact,
            "signer": stored_event.signer,
        }
        if issubclass(event_class, DecisionAggregate.Opened):
            owner = self._aggregates[stored_event.topic]
            fields["originator_topic"] = f"{owner.__module__}:{owner.__qualname__}"
        return cast("DomainEventProtocol[UUID]", event_class(**fields))
