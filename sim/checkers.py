"""The promises, as machine-checkable as they can be said. The first one broken ends the run.

Notation: for a station's key k and log i, W(k,i) is what the station sealed on its card, H(k,i) what the
hub's ledger holds, R(k,i) the heads in receipts that left the hub.

I1   No receipted event is lost: each head in R is in H, with the same hash; asked at each reply, and for all
     of R after each start of the hub. A hub put back from an old image owes what it then lacks until the end
     of calm; and then whatever a station takes for delivered is in H.
I2   H is a prefix of W: every row of H was sealed by that station, and the rows of one log follow each other
     without gap, overlap or broken link.
I3   Convergence: when faults have stopped for four sync periods, H = W up to the events of the last period,
     and each station holds every decision for its territory. Excepted is the end of a log in which the
     station itself signed two histories and of which the hub holds the other one; that it really did is told
     by what was seen to leave the station, not by the hub. What stands in that end is demanded by I9.
I4   Whatever is heard was approved by somebody who may, is known to the station, covers it, is that very
     content, on a day it is valid for, and was not withdrawn as far as the station knows. It was ordered by
     somebody who may, for this station and day, and begins within its window of true time.
I6   A slot is heard at most once in one card's history; across an old image again only while it may begin.
I7   The as-run view has exactly one row for each slot that an acknowledgment in H speaks of, and no other;
     after calm every slot that a station was told of and nobody cancelled has one, heard or not.
I9   Every event durable on a surviving card is in H after convergence, also what was written into a log that
     forked, but for that log's own opening; and once only: never twice in one log, and in one log only unless
     an old state of the card was put back (then it may stand in two, and I7 sees that it counts once).
I17  Only the hub's own answer to this very request, unharmed, counts as one (asked when another passed HTTP).
I18  The same seed gives the same trace, whatever PYTHONHASHSEED says: asked by running twice (`sim.cli`).
I20  With receiver clusters: what the hub's rows say of them is what they were (`cluster_truth`); at the end.

Each counts its checks: a promise that was never put to the test is reported as such and fails the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hub import Hub
from ledger.facts import covers, has_day
from ledger.log import Ledger, LogRef, Receipt, SegmentError, unpack
from node import PlayItem
from sim.debts import Debt
from sim.oracle import Card, Decisions, HubRecord, Row, Sound, holds, window

KLASS_EMERGENCY = 4
CLOCK_TOLERANCE_S = 130.0  # an RTC may be two minutes off before signed time corrects it
REPLY_BYTES_MAX = 1 << 20
REPLY_HEAD_BYTES = 4 + 8 + 64  # magic, hub key id, signature


class Violation(AssertionError):
    """A promise was broken. `invariant` is its number, `where` the station or log."""

    def __init__(self, invariant: str, what: str, where: str = "") -> None:
        super().__init__(f"{invariant}: {what}" + (f" [{where}]" if where else ""))
        self.invariant = invariant
        self.what = what
        self.where = where


WITHIN_A_RUN = ("I1", "I2", "I3", "I4", "I6", "I7", "I9")


@dataclass
class Checkers:
    """The record, the counts, and one method for each moment at which something can be asked."""

    cards: dict[bytes, Card] = field(default_factory=dict)
    decisions: Decisions = field(default_factory=Decisions)
    hub: HubRecord = field(default_factory=HubRecord)
    checks: Counter[str] = field(default_factory=Counter)
    _by_unit: dict[str, Card] = field(default_factory=dict)

    def card_of(self, unit: str) -> Card:
        return self._by_unit[unit]

    def add(self, card: Card) -> None:
        self.cards[card.key_id] = self._by_unit[card.unit] = card

    # -- the hub ---------------------------------------------------------------------------------------------

    def replied(self, ledger: Ledger, reply: bytes) -> list[Receipt]:
        """A sync reply is about to leave the hub: I2 for what it took in, I1 for each receipt it gives."""
        self.saw_hub(ledger)
        receipts = list(receipts_in(reply))
        for receipt in receipts:
            self.hub.note(receipt)
            self._held(receipt.log, receipt.next_seq, receipt.head_hash)
        return receipts

    def saw_hub(self, ledger: Ledger) -> None:
        self._prefix(self.hub.look(ledger, self.cards, self.decisions))

    def hub_started(self, ledger: Ledger, *, rolled_back: bool) -> None:
        """After a crash every receipt still counts; what an old image cannot know, stations owe it."""
        self._prefix(self.hub.read_again(ledger, self.cards, self.decisions))
        if rolled_back:
            self.hub.rolled_back()
        for log, heads in self.hub.receipts.items():
            for next_seq, hash_ in heads.items():
                self._held(log, next_seq, hash_)

    def _held(self, log: LogRef, next_seq: int, hash_: bytes) -> None:
        self.checks["I1"] += 1
        if not holds(self.hub.rows.get(log, ()), next_seq, hash_):
            raise Violation(
                "I1", f"the hub gave a receipt for events below {next_seq} and does not hold them", str(log)
            )

    def _prefix(self, fresh: Iterable[tuple[Card, Row, Row | None]]) -> None:
        for card, row, before in fresh:
            self.checks["I2"] += 1
            if row.hash not in card.written:
                raise Violation("I2", "the hub holds a segment that the station never sealed", card.unit)
            next_seq, hash_ = (0, bytes(32)) if before is None else (before.next_seq, before.hash)
            if row.first_seq != next_seq or row.prev != hash_:
                raise Violation(
                    "I2", f"the hub holds two histories of one log, from event {row.first_seq}", card.unit
                )

    def false_reply(self, unit: str, *, accepted: bool) -> None:
        """I17: a reply that is not the hub's own answer to this request, unharmed, came through the line."""
        self.checks["I17"] += 1
        if accepted:
            raise Violation("I17", "a station took a false, old or damaged reply for an answer", unit)

    # -- the loudspeaker -------------------------------------------------------------------------------------

    def heard(self, card: Card, ledger: Ledger, item: PlayItem, true_s: float) -> None:
        """A loudspeaker is about to sound."""
        card.refresh_known(ledger)
        self._approved(card, item, true_s)
        self._once(card, item, true_s)

    def _approved(self, card: Card, item: PlayItem, true_s: float) -> None:
        self.checks["I4"] += 1
        where = f"{card.unit} series {item.series} day {item.day}"
        if item.series in self.decisions.emergencies:
            mark, order = self.decisions.emergencies[item.series]
            if (
                mark not in card.known
                or order.manifest != item.manifest
                or not covers(order.territory, card.unit)
            ):
                raise Violation("I4", "an emergency is heard that was not ordered for this station", where)
            if not order.not_before - CLOCK_TOLERANCE_S <= true_s <= order.expires_at + CLOCK_TOLERANCE_S:
                raise Violation("I4", "an emergency is heard outside its time", where)
            bulletin = None
        else:
            orders = [
                fact
                for mark, fact in self.decisions.schedules.get(item.series, ())
                if mark in card.known
                and covers(fact.territory, card.unit)
                and fact.manifest == item.manifest
                and has_day(fact.first_day, fact.days, item.day)
            ]
            if not orders:
                raise Violation("I4", "content is heard that nobody with the right ordered here today", where)
            begins = [window(fact, item.day) for fact in orders]
            if item.offset_ds == 0 and not any(
                from_s - CLOCK_TOLERANCE_S <= true_s <= until_s + CLOCK_TOLERANCE_S
                for from_s, until_s in begins
            ):
                raise Violation("I4", "content is heard at a time for which nobody ordered it", where)
            found = [
                approval.fact
                for approval in self.decisions.approvals.get(item.manifest, ())
                if approval.mark in card.known
                and approval.fact.bulletin in {fact.bulletin for fact in orders}
                and covers(approval.fact.territory, card.unit)
                and approval.fact.valid_from_day <= item.day <= approval.fact.valid_until_day
            ]
            if not found:
                raise Violation(
                    "I4", "content is heard that nobody with the right approved for here and today", where
                )
            bulletin = found[0].bulletin
        for mark, cancel in self.decisions.cancels:
            named = cancel.series == item.series or (bulletin is not None and cancel.bulletin == bulletin)
            if named and mark in card.known and covers(cancel.territory, card.unit):
                raise Violation("I4", "content is heard whose withdrawal had arrived", where)

    def _once(self, card: Card, item: PlayItem, true_s: float) -> None:
        self.checks["I6"] += 1
        where = f"{card.unit} series {item.series} day {item.day}"
        slot = (item.series, item.day)
        before = [sound for sound in card.sounds if (sound.series, sound.day) == slot]
        if item.offset_ds == 0:
            if before:
                raise Violation("I6", "a slot is heard a second time", where)
            if any((sound.series, sound.day) == slot for sound in card.all_sounds):
                last_s = self.decisions.latest_start(item.series, item.day)
                if last_s is None or true_s > last_s + CLOCK_TOLERANCE_S:
                    raise Violation("I6", "an old image replays what may no longer begin", where)
        elif not before and not card.images_restored:
            raise Violation("I6", "a slot goes on that never began", where)
        sound = Sound(item.series, item.day, true_s)
        card.sounds.append(sound)
        card.all_sounds.append(sound)

    # -- views and the end -----------------------------------------------------------------------------------

    def view(self, hub: Hub, unit: str) -> None:
        """I7 for one station, on the as-run view as the hub's pages read it."""
        hub.tick()
        self.saw_hub(hub.ledger)
        self._open_rows(hub.ledger)
        self.checks["I7"] += 1
        rows = Counter((row.series, row.day) for row in hub.queries.as_run(unit=unit, limit=100_000))
        acks = self.hub.acks[unit]
        for slot, count in rows.items():
            if count != 1:
                raise Violation("I7", f"the as-run view counts slot {slot} {count} times", unit)
        if set(rows) != acks:
            odd = min(set(rows) ^ acks)
            side = "no acknowledgment" if odd in rows else "no row"
            raise Violation("I7", f"the as-run view and the ledger differ: slot {odd} has {side}", unit)

    def answered(self, card: Card, until_s: float) -> None:
        """I7 for one station at the end: no slot whose time was over by `until_s` stays without a word."""
        self.checks["I7"] += 1
        silent = self.decisions.owed_by(card, until_s) - self.hub.acks[card.unit]
        if silent:
            raise Violation(
                "I7", f"nobody ever learns what became of {len(silent)} slots, as of {min(silent)}", card.unit
            )

    def _open_rows(self, ledger: Ledger) -> None:
        """I2 for the bodies: a head may be the station's own and what stands behind it something else."""
        try:
            self.hub.open_rows(ledger)
        except SegmentError as error:
            raise Violation("I2", f"the hub holds a segment that does not verify: {error.code}") from error

    def converged(self, card: Card, debt: Debt) -> None:
        """I3 for one station: all it had a period ago is at the hub, and all it should know it knows."""
        self.checks["I3"] += 1
        for log, next_seq, hash_ in debt.heads:
            if not holds(self.hub.rows.get(log, ()), next_seq, hash_):
                raise Violation(
                    "I3", f"the hub lacks events below {next_seq} long after faults stopped", str(log)
                )
        lacking = debt.told - card.known
        if lacking:
            raise Violation("I3", f"{len(lacking)} decisions for this station have not arrived", card.unit)

    def accounted(self, card: Card, debt: Debt) -> None:
        """I9 for one station, and I1 for what a restored hub owed."""
        self.checks["I9"] += 1
        logs_of: dict[bytes, Counter[LogRef]] = {}
        for log, rows in self.hub.rows.items():
            if log.key_id == card.key_id:
                for row in rows:
                    for event in row.events:
                        logs_of.setdefault(event, Counter())[log] += 1
        for event in debt.events:
            if event not in logs_of:
                raise Violation("I9", "an event on the station's card never reached the hub", card.unit)
        for logs in logs_of.values():
            if max(logs.values()) > 1:
                raise Violation("I9", "one event stands twice in one log", card.unit)
            if len(logs) > 1 and not card.images_restored:
                raise Violation("I9", "one event stands in two logs though no card was restored", card.unit)
        for log, next_seq, hash_ in debt.believed:
            self.checks["I1"] += 1
            if not holds(self.hub.rows.get(log, ()), next_seq, hash_):
                raise Violation(
                    "I1", f"the station takes events below {next_seq} for delivered; they are not", card.unit
                )
        for log, heads in self.hub.owed.items():
            for next_seq, hash_ in heads.items():
                if log.key_id == card.key_id and hash_ in debt.marks:
                    self._held(log, next_seq, hash_)

    def never_checked(self) -> list[str]:
        return [name for name in WITHIN_A_RUN if not self.checks[name]]


def receipts_in(reply: bytes) -> Iterator[Receipt]:
    """The receipts of a sync reply, read by the protocol's layout and not by the product's reader."""
    tree = unpack(reply[REPLY_HEAD_BYTES:], bytes_max=REPLY_BYTES_MAX)
    assert isinstance(tree, tuple)
    receipts = tree[3]
    assert isinstance(receipts, tuple)
    for raw in receipts:
        assert isinstance(raw, bytes)
        yield Receipt.decode(raw)
