"""Restored and cloned devices: noticed by the hub, never accused; an ordinary life is not noticed at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from helpers import HUB_KEY, NODE_KEY, OTHER_KEY, Desk, LedgerPair, ack

from ledger.log.branches import Branch
from ledger.log.chain import LogRef
from ledger.log.codec import encode
from ledger.log.journal import NO_HASH, NO_LOG, LogOpened, OpenReason
from ledger.log.keys import SigningKey
from ledger.log.segment import Segment, seal
from ledger.log.store import Ledger
from ledger.log.sync import accept_reply, make_request


@contextmanager
def undone(desk: Desk) -> Iterator[None]:
    """What happens inside is rolled back."""
    with suppress(ZeroDivisionError), desk.ledger.transaction():
        yield
        raise ZeroDivisionError


@pytest.fixture
def pair() -> LedgerPair:
    return LedgerPair()


def speak(pair: LedgerPair, n: int) -> None:
    """The station says something, by its own clock, and the hub hears of it."""
    say(pair, pair.node, n)
    pair.drain()


def say(pair: LedgerPair, desk: Desk, n: int) -> None:
    desk.ledger.append(NODE_KEY, encode((16, pair.now(), n)))


def sync(pair: LedgerPair, desk: Desk) -> None:
    """Another box with the station's key and its own disk calls the hub."""
    while True:
        request = make_request(desk.ledger, NODE_KEY, nonce=pair.rng.randbytes(8), now=pair.now())
        reply = pair.answer(request).reply
        if not accept_reply(desk.ledger, NODE_KEY, HUB_KEY.verify_key, request, reply).more:
            return


def clone(pair: LedgerPair) -> Desk:
    twin = Desk(NODE_KEY, pair.rng.randbytes, pair.now)
    twin.restore(pair.node.image())
    return twin


def noticed(pair: LedgerPair) -> list[Branch]:
    return pair.hub.ledger.branches(NODE_KEY.key_id)


# -- what is no notice ---------------------------------------------------------------------------------------


def test_a_life_of_restarts_power_cuts_and_lost_replies_is_never_noticed(pair: LedgerPair) -> None:
    for n in range(30):
        say(pair, pair.node, n)
        if n % 2:
            pair.node.ledger.seal(NODE_KEY)
        if n % 3 == 0:
            pair.answer(pair.ask())  # the reply is lost
        if n % 4 == 0:
            pair.drain()
        if n % 5 == 0:
            pair.node.crash()
        if n % 7 == 0:
            pair.hub.crash()
    pair.drain()
    assert pair.hub.ledger.branches() == []
    assert pair.node.ledger.branches() == []


def test_a_process_that_never_spoke_leaves_no_trace_to_branch_from(pair: LedgerPair) -> None:
    speak(pair, 1)
    for _ in range(3):
        pair.node.boot()
        pair.round()
    speak(pair, 2)
    assert noticed(pair) == []


def test_a_log_given_up_after_a_rollback_is_no_branch(pair: LedgerPair) -> None:
    speak(pair, 1)
    for n in (2, 3):
        say(pair, pair.node, n)
        with undone(pair.node):
            pair.node.ledger.seal(NODE_KEY)
        pair.drain()
    assert noticed(pair) == []


def test_an_older_logs_rest_may_arrive_after_its_successor(pair: LedgerPair) -> None:
    """On a stick, or because it was refused for a while: the successor names its very end."""
    say(pair, pair.node, 1)
    pair.node.ledger.seal(NODE_KEY)
    say(pair, pair.node, 2)
    pair.node.ledger.seal(NODE_KEY)
    pair.node.boot()
    say(pair, pair.node, 3)
    pair.node.ledger.seal(NODE_KEY)
    first, second, third = (s.segment for s in pair.node.ledger.since(0))
    for segment in (third, first, second):
        pair.hub.ledger.ingest(segment.raw, source="stick")
    assert noticed(pair) == []


def test_a_hub_restored_from_a_backup_notices_nothing_about_its_stations(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.hub.image()
    for n in (2, 3, 4):
        pair.node.boot()
        speak(pair, n)
    pair.hub.restore(image)
    pair.drain()
    pair.assert_agreed()
    assert noticed(pair) == []


def test_two_keys_do_not_branch_from_each_other(pair: LedgerPair) -> None:
    for key in (NODE_KEY, OTHER_KEY):
        pair.hub.ledger.ingest(opened(key, b"log-id-1").raw, source="test")
    assert pair.hub.ledger.branches() == []


def test_a_log_that_does_not_say_how_it_opened_is_no_branch(pair: LedgerPair) -> None:
    for log_id in (b"log-id-1", b"log-id-2"):
        pair.hub.ledger.ingest(seal(OTHER_KEY, log_id, 0, NO_HASH, [ack(1)]).raw, source="test")
    assert pair.hub.ledger.branches() == []


# -- what is a notice ----------------------------------------------------------------------------------------


def test_a_station_restored_from_an_old_card_is_noticed_and_not_accused(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.node.image()
    pair.node.boot()
    speak(pair, 2)
    pair.node.restore(image)
    speak(pair, 3)
    (branch,) = noticed(pair)
    first, _, third = pair.hub.ledger.frontier(NODE_KEY.key_id)
    assert branch.log == first
    assert branch.latest == third.log_id
    assert (branch.ways, branch.cloned) == (2, False)
    assert branch.at > 0
    assert pair.hub.ledger.forks() == []
    pair.assert_agreed()


def test_a_log_that_went_on_beyond_what_its_successor_remembers_is_noticed(pair: LedgerPair) -> None:
    """A card put back within one life of the process, or a disk that lost what it had promised to keep."""
    speak(pair, 1)
    image = pair.node.image()
    speak(pair, 2)
    pair.node.restore(image)
    speak(pair, 3)
    (branch,) = noticed(pair)
    assert (branch.ways, branch.cloned) == (2, False)
    assert branch.log == next(iter(pair.hub.ledger.frontier(NODE_KEY.key_id)))


def test_a_station_reset_to_the_day_of_its_enrolment_is_noticed(pair: LedgerPair) -> None:
    image = pair.node.image()
    speak(pair, 1)
    pair.node.restore(image)
    speak(pair, 2)
    (branch,) = noticed(pair)
    assert branch.log == LogRef(NODE_KEY.key_id, NO_LOG)


def test_a_card_that_forgets_at_every_start_is_one_notice_that_counts(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.node.image()
    for n in range(2, 7):
        pair.node.restore(image)
        speak(pair, n)
    (branch,) = noticed(pair)
    assert (branch.ways, branch.cloned) == (5, False)


def test_what_a_restored_station_had_left_on_a_stick_is_no_second_device(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.node.image()
    pair.node.boot()
    speak(pair, 2)
    say(pair, pair.node, 3)
    (left,) = pair.node.ledger.seal(NODE_KEY)
    pair.node.restore(image)
    speak(pair, 4)
    pair.hub.ledger.ingest(left.raw, source="stick")
    assert [branch.cloned for branch in noticed(pair)] == [False]


def test_a_stick_that_brings_the_lost_life_last_is_no_second_device(pair: LedgerPair) -> None:
    image = pair.node.image()
    say(pair, pair.node, 1)
    (lost,) = pair.node.ledger.seal(NODE_KEY)
    pair.node.restore(image)
    speak(pair, 2)
    pair.hub.ledger.ingest(lost.raw, source="stick")
    for n in (3, 4):
        pair.node.boot()
        speak(pair, n)
    assert [(branch.ways, branch.cloned) for branch in noticed(pair)] == [(2, False)]


# -- what is an alarm ----------------------------------------------------------------------------------------


def test_a_clone_that_speaks_while_the_first_device_speaks_is_an_alarm(pair: LedgerPair) -> None:
    speak(pair, 1)
    twin = clone(pair)
    say(pair, twin, 2)
    sync(pair, twin)
    assert noticed(pair) == [], "it could be the same device after a restart"
    speak(pair, 3)
    (branch,) = noticed(pair)
    assert branch.cloned
    assert pair.hub.ledger.forks() == []


def test_clones_that_restart_before_they_speak_again_are_an_alarm(pair: LedgerPair) -> None:
    speak(pair, 1)
    twin = clone(pair)
    for n in range(2, 8, 2):
        twin.boot()
        say(pair, twin, n)
        sync(pair, twin)
        pair.node.boot()
        speak(pair, n + 1)
    assert any(branch.cloned for branch in noticed(pair))
    assert pair.hub.ledger.forks() == []


def test_the_time_of_an_alarm_is_that_of_the_last_turn(pair: LedgerPair) -> None:
    speak(pair, 1)
    twin = clone(pair)
    say(pair, twin, 2)
    sync(pair, twin)
    speak(pair, 3)
    first = noticed(pair)[0].clone_at
    speak(pair, 4)
    again = noticed(pair)[0].clone_at
    assert first is not None
    assert again is not None
    assert again > first


# -- the index -----------------------------------------------------------------------------------------------


def test_notices_outlive_a_power_cut_and_are_undone_with_their_transaction(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.node.image()
    pair.node.boot()
    speak(pair, 2)
    pair.node.restore(image)
    say(pair, pair.node, 3)
    (third,) = pair.node.ledger.seal(NODE_KEY)
    with undone(pair.hub):
        pair.hub.ledger.ingest(third.raw, source="test")
        assert len(noticed(pair)) == 1
    assert noticed(pair) == []
    pair.hub.ledger.ingest(third.raw, source="test")
    found = noticed(pair)
    assert len(found) == 1
    pair.hub.crash()
    assert noticed(pair) == found


def test_a_database_from_before_the_index_gets_it_at_the_next_start(pair: LedgerPair) -> None:
    speak(pair, 1)
    image = pair.node.image()
    pair.node.boot()
    speak(pair, 2)
    pair.node.restore(image)
    speak(pair, 3)
    (before,) = noticed(pair)
    db = pair.hub.store.open_db("ledger.db")
    db.execute("DROP TABLE ledger_branches")
    db.execute("DROP TABLE ledger_openings")
    pair.hub.boot()
    (after,) = noticed(pair)
    assert (after.log, after.ways, after.latest) == (before.log, before.ways, before.latest)


def test_an_auditor_of_an_old_file_sees_no_notices_and_writes_none(pair: LedgerPair) -> None:
    speak(pair, 1)
    db = pair.hub.store.open_db("ledger.db")
    db.execute("DROP TABLE ledger_branches")
    db.execute("DROP TABLE ledger_openings")
    db.execute("PRAGMA query_only = ON")
    auditor = Ledger(db, entropy=pair.rng.randbytes, now=pair.now)
    assert auditor.branches() == []
    db.execute("PRAGMA query_only = OFF")


def opened(key: SigningKey, log_id: bytes) -> Segment:
    begun = LogOpened(1_667_955_600, OpenReason.START, NO_LOG, 0, NO_HASH, 1, "loa/test")
    return seal(key, log_id, 0, NO_HASH, [begun.encode()])
