"""Thousands of random lives of a station: no honest fork in any, no dishonest one unseen.

`./dev test tests/ledger/test_histories.py --histories 20000` plays as many as one likes. Each is named by its
number, and the same number is the same history: `--histories` only says how far to count.
"""

from __future__ import annotations

from collections import Counter

import pytest
from helpers import HUB_KEY, NODE_KEY, LedgerPair, ack
from histories import History

from ledger.log import branches
from ledger.log.admission import Gate
from ledger.log.answering import record_arrivals
from ledger.log.journal import NO_HASH
from ledger.log.segment import seal
from ledger.log.store import Ledger

MINUTES_MAX = 60


@pytest.mark.timeout(MINUTES_MAX * 60)
def test_no_history_shows_an_honest_fork_or_hides_a_dishonest_one(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(request.config.getoption("--histories")):
        try:
            seen += History(seed).run()
        except AssertionError as error:
            error.add_note(f"history {seed}")
            raise
    with capsys.disabled():
        print("\n" + ", ".join(f"{count:,} {what}" for what, count in sorted(seen.items())))
    for what in ("restores", "clones", "unsynced losses", "exports", "forks found", "clone alarms"):
        assert seen[what] > 0, f"no {what}: the histories are too tame"


def first_failure(histories: int = 120) -> str:
    """What the oracle says of a broken ledger."""
    for seed in range(histories):
        try:
            History(seed).run()
        except AssertionError as error:
            return str(error).splitlines()[0]
    return ""


def test_one_log_for_ever_is_what_makes_honest_devices_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule the histories are about: without a log per process start they fail at once."""

    def constant(ledger: Ledger, key_id: bytes) -> bytes:
        return ledger._live.setdefault(key_id, b"constant")

    monkeypatch.setattr(Ledger, "live_log", constant)
    assert "an honest device forked" in first_failure()


def test_a_hub_that_compares_no_heads_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "_contradiction", lambda gate, log, segment, source: None)
    assert "did not see it" in first_failure()


def test_a_hub_that_notices_every_restart_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "_beyond", lambda seq, hash_, held, held_hash: held >= seq)
    assert first_failure()


# -- what the histories found --------------------------------------------------------------------------------


def brought(pair: LedgerPair, raw: bytes) -> None:
    """As a stick is imported: admitted and journalled."""
    with pair.hub.ledger.transaction():
        admissions = pair.hub.ledger.ingest_all([raw], source="stick")
        record_arrivals(pair.hub.ledger, HUB_KEY, admissions, now=pair.now())


def test_a_hub_that_lost_the_log_and_met_the_thief_first_is_shown_the_fork() -> None:
    """Restored from a backup of before the log, it holds the thief's history under the receipted numbers."""
    pair = LedgerPair()
    backup = pair.hub.image()
    for n in (1, 2):
        pair.node.ledger.append(NODE_KEY, ack(n))
        pair.drain()
    log_id = next(iter(pair.node.segments(NODE_KEY)))[0]
    pair.hub.restore(backup)
    thief = seal(NODE_KEY, log_id, 0, NO_HASH, [ack(666), ack(667), ack(668), ack(669)])
    brought(pair, thief.raw)
    pair.drain()
    pair.drain()
    (kept,) = pair.hub.ledger.forks()
    assert kept.log.log_id == log_id
    assert {ack(1), ack(2)} <= set(pair.hub.events(NODE_KEY)), "carried over into another log"
    assert pair.node.ledger.unreceipted(NODE_KEY.key_id) == []


def test_a_small_line_does_not_keep_a_contradiction_from_being_shown() -> None:
    """The beginnings agree and only they fit into a request: the segment that differs must go first."""
    pair = LedgerPair()
    for n in (1, 2, 3):
        pair.node.ledger.append(NODE_KEY, ack(n))
        pair.node.ledger.seal(NODE_KEY)
    raws = list(pair.node.segments(NODE_KEY).values())
    head = pair.node.ledger.segments_of(next(iter(pair.node.ledger.frontier())), 0)[0].segment.head
    thief = seal(NODE_KEY, head.log_id, head.next_seq, head.hash, [ack(666)])
    brought(pair, raws[0])
    brought(pair, thief.raw)
    pair.drain(send_max=1)
    pair.drain(send_max=1)
    assert len(pair.hub.ledger.forks()) == 1
    assert {ack(1), ack(2), ack(3)} <= set(pair.hub.events(NODE_KEY))
