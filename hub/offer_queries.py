"""What communes answered to an offer: how many took it, moved it, declined it, and who said what.

Asked of the decisions themselves, by the rule by which the stations play (`ledger.facts.offers`): an answer
that has no effect is listed with the reason why, and a commune that said nothing is counted as saying
nothing; its loudspeaker plays the item when it was ordered.

Bound: reads, for one series and one of its days.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hub.accounts import Person
from hub.lookups import Lookups
from ledger.facts import DECIDES, Answer, Slot, answers_to, at, covers, is_offer, order_of, slots


@dataclass(frozen=True)
class AnswerRow:
    """One answer. start_s: when the slot begins at this unit now. worth: why it has no effect, else "".

    at: the signer's own clock, UTC s. all_days: it was said of every day of the series.
    """

    unit: str
    station: str
    answer: int
    minute: int | None
    start_s: int
    all_days: bool
    by: Person
    at: int
    reason: str
    worth: str


@dataclass(frozen=True)
class OfferTally:
    """One slot on offer in a territory. answers: by unit, those that decide first."""

    accepted: int
    moved: int
    declined: int
    silent: int
    answers: tuple[AnswerRow, ...]

    @property
    def answered(self) -> int:
        return self.accepted + self.moved + self.declined


class OfferQueries(Lookups):
    """Asked under the hub's lock."""

    def offer(self, series: int, day: int, *, territory: str) -> OfferTally | None:
        """What the registered stations of a territory say of this slot; None when it is no offer anywhere."""
        with self._lock:
            found: list[AnswerRow] = []
            counted: Counter[int | None] = Counter()
            for unit in sorted(self._facts.stations):
                if not covers(territory, unit):
                    continue
                slot = self._offered(series, day, unit)
                if slot is None:
                    continue
                said = self._said(slot)
                decides = next((row.answer for row in said if row.worth == DECIDES), None)
                counted[decides] += 1
                found += said
        if not counted:
            return None
        found.sort(key=lambda row: (row.worth != DECIDES, row.unit, row.at))
        answers = tuple(found)
        return OfferTally(
            counted[Answer.ACCEPTED], counted[Answer.MOVED], counted[Answer.DECLINED], counted[None], answers
        )

    def _offered(self, series: int, day: int, unit: str) -> Slot | None:
        found = slots(self._facts, unit, at(day), at(day + 1))
        slot = next((one for one in found if one.key == (series, day)), None)
        order = None if slot is None else order_of(self._facts, slot)
        return slot if order is not None and is_offer(order.fact) else None

    def _said(self, slot: Slot) -> tuple[AnswerRow, ...]:
        order = order_of(self._facts, slot)
        assert order is not None, "an offered slot has its order"
        name = self._facts.stations[slot.unit].fact.name if slot.unit in self._facts.stations else slot.unit
        return tuple(
            AnswerRow(
                slot.unit, name, one.fact.answer, one.fact.minute, slot.start_s, one.fact.day is None,
                self.person(one.key_id), one.fact.ts, one.fact.reason, worth,
            )
            for one, worth in answers_to(self._facts, order, slot.day, slot.unit)
        )  # fmt: skip
