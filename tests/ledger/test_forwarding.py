"""A hub forwards to central by a station's rounds: what is lost, doubled, restored, forked or unknown."""

from __future__ import annotations

import random

import pytest
from forward_desk import CENTRAL_KEY, FORWARDERS, MINISTER_KEY, STATIONS, Chain, Floor, codes
from helpers import (
    ELSEWHERE,
    HERE,
    HUB_KEY,
    NODE_KEY,
    OFFICER_KEY,
    OTHER_KEY,
    PROVINCE,
    PowerCut,
    ack,
    audience_of,
    decision,
)

from ledger.facts import Facts, Granted, Right
from ledger.facts import audience_of as true_audience
from ledger.log.answering import answer
from ledger.log.chain import LogRef
from ledger.log.codec import encode
from ledger.log.errors import ProtocolError, UnknownKeyError
from ledger.log.forwarding import PAUSE_MAX_S, Forwarder, audiences_here, history_of, named_in, pause_s
from ledger.log.journal import Ingested
from ledger.log.memory_disk import MemoryStore
from ledger.log.messages import FRAME_BYTES, REQUEST_BYTES_MAX, Reply, Request
from ledger.log.segment import read_own, seal
from ledger.log.store import Ledger
from ledger.log.sync import make_request


@pytest.fixture
def chain() -> Chain:
    return Chain()


def segments_in(request: bytes) -> tuple[bytes, ...]:
    return Request.parse(request[FRAME_BYTES:]).segments


def said(reply: bytes) -> Reply:
    return Reply.parse(reply[FRAME_BYTES:], REQUEST_BYTES_MAX)


def life(chain: Chain, rounds: int = 3, start: int = 0) -> None:
    """Two stations report and an officer decides."""
    for n in range(start, start + rounds):
        chain.write(10 * n, 10 * n + 1)
        chain.station_round()
        chain.decide(n, PROVINCE)
        chain.write(10 * n + 5, desk=chain.other)
        chain.station_round(chain.other)


# -- the good way --------------------------------------------------------------------------------------------


def test_what_a_hub_holds_is_at_central_byte_for_byte_and_in_the_journals_order(chain: Chain) -> None:
    life(chain)
    accepted = chain.round()
    assert not accepted.more
    chain.assert_forwarded()
    assert [r.log.key_id for r in accepted.receipts] == [HUB_KEY.key_id], "one receipt speaks for all"


def test_who_is_forwarded_to_forwards_in_the_same_way(chain: Chain) -> None:
    life(chain)
    chain.drain()
    chain.drain(chain.central, chain.world)
    chain.assert_forwarded(chain.central, chain.world)
    assert chain.world.journal(HUB_KEY) == chain.hub.journal(HUB_KEY)
    assert {h: chain.world.raws()[h] for h in chain.hub.raws()} == chain.hub.raws()


def test_an_idle_round_writes_nothing_and_costs_what_a_stations_does(chain: Chain) -> None:
    life(chain)
    chain.drain()
    chain.round()
    before = chain.hub.dump(), chain.central.dump()
    request = chain.hub.ask()
    reply = chain.central.answer(request).reply
    chain.hub.forwarder.accept(request, reply)
    assert (chain.hub.dump(), chain.central.dump()) == before
    assert (len(request), len(reply)) == (113, 109), "as in sync.md"


def test_originals_that_fill_many_requests_go_up_once_each_within_the_limits(chain: Chain) -> None:
    for n in range(12):
        chain.write(n, filler=chain.rng.randbytes(3000))
        chain.station_round()
    sent: list[bytes] = []
    more = True
    while more:
        request = chain.hub.ask(send_max=7000)
        assert len(request) < 7000 + 4000
        sent += segments_in(request)
        more = chain.hub.forwarder.accept(request, chain.central.answer(request).reply).more
    assert len(sent) == len(set(sent)) == 24
    chain.assert_forwarded()


def test_one_journal_segment_whose_originals_fill_many_requests_goes_up_and_each_once(chain: Chain) -> None:
    for n in range(40):
        chain.node.ledger.append(NODE_KEY, ack(n, chain.rng.randbytes(500)))
        chain.node.ledger.seal(NODE_KEY)
    chain.station_round()
    sent: list[bytes] = []
    more = True
    while more:
        request = chain.hub.ask(send_max=3000)
        sent += segments_in(request)
        more = chain.hub.forwarder.accept(request, chain.central.answer(request).reply).more
    assert len(sent) == len(set(sent)) == 41
    chain.assert_forwarded()


def test_a_request_holds_no_more_segments_than_a_superior_reads(chain: Chain) -> None:
    for n in range(300):
        chain.node.ledger.append(NODE_KEY, ack(n))
        chain.node.ledger.seal(NODE_KEY)
    while chain.station_round().more:
        pass
    assert chain.drain() == 2
    chain.assert_forwarded()


def test_a_request_unpacks_to_no_more_than_a_superior_takes(chain: Chain) -> None:
    with chain.hub.ledger.transaction():
        for n in range(1100):
            chain.hub.ledger.append(HUB_KEY, ack(n, bytes(8000)))
    more = True
    while more:
        request = chain.hub.ask()
        answered = chain.central.answer(request)
        assert codes(answered) == []
        more = chain.hub.forwarder.accept(request, answered.reply).more
    chain.assert_forwarded()


def test_weeks_without_central_cost_bounded_requests_and_lose_nothing(chain: Chain) -> None:
    for n in range(60):
        life(chain, 1, n)
        request = chain.hub.ask(send_max=4000)  # every one of them is lost
        assert len(request) < 4000 + 12_288 + 8192
    assert chain.drain(send_max=4000) > 5
    chain.assert_forwarded()


def test_pauses_grow_to_an_hour_and_are_spread() -> None:
    rng = random.Random(4)
    assert pause_s(0, rng) == 60
    late = [pause_s(40, rng) for _ in range(300)]
    assert max(late) <= PAUSE_MAX_S < 2 * max(late)
    assert min(late) < PAUSE_MAX_S / 10


def test_a_superior_reads_the_hubs_history_from_any_place_on(chain: Chain) -> None:
    life(chain)
    chain.drain()
    lines = list(history_of(chain.central.ledger, HUB_KEY.key_id))
    assert [line.named.head_hash for line in lines] == chain.hub.journal(HUB_KEY)
    for at, line in enumerate(lines):
        assert line.stored is not None
        assert line.stored.segment.head.hash == line.named.head_hash
        assert list(history_of(chain.central.ledger, HUB_KEY.key_id, line.place)) == lines[at + 1 :]


# -- down ----------------------------------------------------------------------------------------------------


def test_what_central_decides_reaches_the_hub_its_stations_and_nobody_elses(chain: Chain) -> None:
    here = chain.decide(1, HERE, at=chain.central)
    province = chain.decide(2, PROVINCE, at=chain.central)
    chain.decide(3, "vn.lc", at=chain.central)
    chain.drain()
    assert chain.hub.events(MINISTER_KEY) == [here, province]
    chain.station_round()
    chain.station_round(chain.other)
    assert chain.node.events(MINISTER_KEY) == [here, province]
    assert chain.other.events(MINISTER_KEY) == [province]
    chain.drain()
    chain.assert_forwarded()


def test_central_learns_in_which_order_a_hub_heard_its_own_and_central_s_decisions(chain: Chain) -> None:
    first = chain.decide(1, PROVINCE)
    second = chain.decide(2, PROVINCE, at=chain.central)
    chain.drain()
    third = chain.decide(3, PROVINCE)
    chain.drain()
    lines = history_of(chain.central.ledger, HUB_KEY.key_id)
    told = [e for line in lines if line.stored for e in line.stored.segment.events if audience_of([e])]
    assert told == [first, second, third]


def test_audiences_are_found_whatever_their_number(chain: Chain) -> None:
    assert audiences_here(chain.hub.ledger) == []
    for n, unit in enumerate((HERE, PROVINCE, HERE, "vn", ELSEWHERE)):
        chain.decide(n, unit)
    assert audiences_here(chain.hub.ledger) == sorted({HERE, PROVINCE, "vn", ELSEWHERE})


# -- the link ------------------------------------------------------------------------------------------------


def test_a_lost_reply_a_doubled_and_a_late_request_change_nothing(chain: Chain) -> None:
    life(chain)
    lost = chain.hub.ask()
    chain.central.answer(lost)
    before = chain.central.dump()
    chain.drain()
    assert chain.central.raws(but=CENTRAL_KEY.key_id) == chain.hub.raws()
    for _ in range(2):
        assert codes(chain.central.answer(lost)) == []
    assert chain.central.dump() == before
    chain.assert_forwarded()


def test_another_superiors_or_an_older_reply_is_none(chain: Chain) -> None:
    life(chain)
    request = chain.hub.ask()
    reply = chain.central.answer(request).reply
    before = chain.hub.dump()
    other = answer(
        chain.world.ledger, chain.world.key, request, now=7,
        audiences_of=chain.world.audiences_of, forwards=FORWARDERS.__contains__,
    ).reply  # fmt: skip
    with pytest.raises(ProtocolError, match="another hub"):
        chain.hub.forwarder.accept(request, other)
    chain.hub.ask()
    with pytest.raises(ProtocolError, match="awaited"):
        chain.hub.forwarder.accept(request, reply)
    assert chain.hub.dump() == before
    chain.drain()
    chain.assert_forwarded()


@pytest.mark.parametrize("side", ["hub", "central"])
@pytest.mark.parametrize("after", [False, True])
def test_a_power_cut_at_any_statement_of_a_round_loses_and_doubles_nothing(side: str, after: bool) -> None:
    at = -2
    while True:
        at += 3  # each costs a chain of five ledgers
        chain = Chain(3)
        life(chain, 1)
        floor: Floor = getattr(chain, side)
        floor.fuse.arm(max(at, 1), after=after)
        try:
            chain.round()
            chain.round()
        except PowerCut:
            floor.crash()
        else:
            break
        chain.drain()
        chain.assert_forwarded()
    assert at > 20


# -- a journal comes after what it names ---------------------------------------------------------------------


def bare(chain: Chain) -> tuple[bytes, ...]:
    """The hub's own segments, without anything they name."""
    own = [s.segment.raw for s in chain.hub.ledger.since(0) if s.segment.head.key_id == HUB_KEY.key_id]
    return tuple(own)


def test_a_journal_that_comes_alone_is_refused_and_nothing_of_it_is_receipted(chain: Chain) -> None:
    life(chain, 1)
    request = Request(b"nonce-08", 7, (), 0, b"", 0, b"", bare(chain)).sign(HUB_KEY)
    answered = chain.central.answer(request)
    assert codes(answered)[0] == "forward-missing"
    assert said(answered.reply).receipts == ()
    assert chain.central.raws() == {}
    chain.drain()
    chain.assert_forwarded()


def test_a_station_that_carries_a_hubs_journal_cannot_make_central_promise_too_much(chain: Chain) -> None:
    life(chain, 1)
    request = Request(b"nonce-08", 7, (), 0, b"", 0, b"", bare(chain)).sign(NODE_KEY)
    assert codes(chain.central.answer(request))[0] == "forward-missing"
    chain.drain()
    chain.assert_forwarded()


def test_a_journal_segment_that_waited_is_asked_for_what_it_names_too(chain: Chain) -> None:
    life(chain, 2)
    journal = bare(chain)
    later = Request(b"nonce-08", 7, (), 0, b"", 0, b"", journal[1:]).sign(HUB_KEY)
    assert codes(chain.central.answer(later)) == [], "parked behind the gap"
    named = {read_own(journal[0]).head.hash} | {n.head_hash for n in named_in(read_own(journal[0]))}
    first = tuple(raw for h, raw in chain.hub.raws().items() if h in named)
    chain.central.answer(Request(b"nonce-09", 7, (), 0, b"", 0, b"", first).sign(HUB_KEY))
    assert set(chain.central.raws(but=CENTRAL_KEY.key_id)) == named
    chain.drain()
    chain.assert_forwarded()


def test_a_central_that_lost_the_originals_between_two_requests_is_sent_them_again(chain: Chain) -> None:
    chain.write(1, filler=bytes(3000))
    chain.station_round()
    before = chain.central.image()
    assert chain.round(send_max=1).more, "the original"
    request = chain.hub.ask(send_max=1)
    assert len(segments_in(request)) == 1, "the journal"
    chain.central.restore(before)
    answered = chain.central.answer(request)
    assert codes(answered) == ["forward-missing"]
    assert chain.hub.forwarder.accept(request, answered.reply).refused != []
    chain.drain(send_max=1)
    chain.assert_forwarded()


def test_a_malformed_entry_of_a_journal_names_nothing_and_blocks_nothing(chain: Chain) -> None:
    odd = encode((80, 7, b"short", b"short", -1, 1, b""))
    chain.hub.ledger.append(HUB_KEY, odd)
    life(chain, 1)
    chain.drain()
    chain.assert_forwarded()
    assert odd in [e for s in chain.central.ledger.since(0) for e in s.segment.events]


def test_a_false_entry_stops_the_hub_that_wrote_it_and_nobody_else(chain: Chain) -> None:
    false = Ingested(7, LogRef(NODE_KEY.key_id, b"no such."), 0, 1, bytes(32)).encode()
    chain.hub.ledger.append(HUB_KEY, false)
    life(chain, 1)
    assert chain.drain(rounds_max=3) <= 3, "not again at once"
    accepted = chain.round()
    assert {code for _, _, code in accepted.refused} == {"forward-missing"}
    life(chain, 5, 1)
    assert len(segments_in(chain.hub.ask())) <= 3, "it knocks with one segment, not with everything"
    assert len(chain.central.raws(but=HUB_KEY.key_id)) > 0, "what others signed is here"
    chain.central.ledger.append_sealed(MINISTER_KEY, decision(9, PROVINCE))
    chain.drain(chain.central, chain.world)
    chain.assert_forwarded(chain.central, chain.world)


def test_a_superiors_superior_refuses_a_journal_with_a_hole_unless_what_it_names_is_there(
    chain: Chain,
) -> None:
    """What central passes on may have holes; a hub's journal among it still names nothing that is missing."""
    life(chain, 2)
    journal = bare(chain)
    alone = Request(b"nonce-08", 7, (), 0, b"", 0, b"", journal[1:2]).sign(CENTRAL_KEY)
    assert codes(chain.world.answer(alone)) == ["forward-missing"]
    assert chain.world.raws() == {}


# -- restored ------------------------------------------------------------------------------------------------


def test_a_central_restored_from_a_backup_gets_everything_back_its_own_decisions_too(chain: Chain) -> None:
    life(chain, 2)
    chain.drain()
    old = chain.central.image()
    lost = chain.decide(7, HERE, at=chain.central)
    life(chain, 2, 2)
    chain.drain()
    chain.hub.crash()  # another process, another log
    life(chain, 1, 4)
    chain.drain()
    chain.central.restore(old)
    chain.settle()
    chain.assert_forwarded()
    assert chain.central.events(MINISTER_KEY) == [lost]


def test_a_restored_hub_gets_back_the_decisions_it_had_forwarded(chain: Chain) -> None:
    life(chain, 2)
    chain.drain()
    old = chain.hub.image()
    lost = chain.decide(7, HERE)
    life(chain, 2, 2)
    chain.drain()
    chain.hub.restore(old)
    assert lost not in chain.hub.events(OFFICER_KEY)
    chain.settle()
    assert lost in chain.hub.events(OFFICER_KEY)
    chain.assert_forwarded(restored=True)
    assert chain.central.ledger.forks() == []
    assert chain.node.ledger.unreceipted(NODE_KEY.key_id) == []


# -- forks ---------------------------------------------------------------------------------------------------


def second_history(chain: Chain) -> bytes:
    """The station's key signs the beginning of its live log once more, with other events."""
    ref = next(iter(chain.hub.ledger.frontier(NODE_KEY.key_id)))
    return seal(NODE_KEY, ref.log_id, 0, bytes(32), [ack(666)]).raw


def test_a_fork_that_central_finds_stops_that_log_and_not_the_journal(chain: Chain) -> None:
    life(chain, 1)
    thief = second_history(chain)
    chain.central.answer(Request(b"nonce-08", 7, (), 0, b"", 0, b"", (thief,)).sign(OTHER_KEY))
    life(chain, 1, 1)
    chain.settle()
    assert [e.code for e in chain.central.ledger.forks()] == ["fork-overlap"]
    assert [e.code for e in chain.hub.ledger.forks()] == ["fork-overlap"], "told by central's feed"
    assert chain.hub.ledger.unreceipted(HUB_KEY.key_id) == []
    lines = list(history_of(chain.central.ledger, HUB_KEY.key_id))
    missing = [line for line in lines if line.stored is None]
    assert {line.named.log for line in missing} == {chain.central.ledger.forks()[0].log}
    assert len(missing) < len(lines)


def test_a_fork_that_the_hub_found_is_known_to_central_and_above(chain: Chain) -> None:
    life(chain, 1)
    chain.drain()
    chain.hub.answer(Request(b"nonce-08", 7, (), 0, b"", 0, b"", (second_history(chain),)).sign(OTHER_KEY))
    chain.settle()
    pairs = [floor.ledger.forks()[0].pair for floor in (chain.hub, chain.central, chain.world)]
    assert len(set(pairs)) == 1


def test_a_hub_that_shows_two_journals_is_convicted(chain: Chain) -> None:
    life(chain, 1)
    chain.drain()
    ref = next(iter(chain.hub.ledger.frontier(HUB_KEY.key_id)))
    other = seal(HUB_KEY, ref.log_id, 0, bytes(32), [ack(1)]).raw
    answered = chain.central.answer(Request(b"nonce-08", 7, (), 0, b"", 0, b"", (other,)).sign(HUB_KEY))
    assert codes(answered) == ["fork-overlap"]
    assert chain.central.ledger.forks()[0].log == ref


# -- who may -------------------------------------------------------------------------------------------------


def test_a_key_that_is_neither_a_station_nor_a_hub_is_refused_as_a_whole(chain: Chain) -> None:
    request = Request(b"nonce-08", 7, (), 0, b"", 0, b"", ()).sign(OFFICER_KEY)
    with pytest.raises(UnknownKeyError) as caught:
        chain.central.answer(request)
    assert caught.value.code == "key-no-station"
    assert OFFICER_KEY.key_id not in {*STATIONS, *FORWARDERS}


def test_a_stations_round_is_as_it_was(chain: Chain) -> None:
    """Others' segments that a station carries are receipted each, and none of them may have holes."""
    chain.write(1, desk=chain.other)
    chain.other.ledger.seal(OTHER_KEY)
    whole = [s.segment.raw for s in chain.other.ledger.since(0)]
    answered = chain.hub.answer(Request(b"nonce-08", 7, (), 0, b"", 0, b"", tuple(whole)).sign(NODE_KEY))
    assert len(said(answered.reply).receipts) == 1


def governed(key: object, roots: object, rng: random.Random, **more: object) -> tuple[Ledger, Facts]:
    """A ledger whose keys are introduced by grants alone."""
    facts = Facts(roots)  # type: ignore[arg-type]
    ledger = Ledger(
        MemoryStore().open_db("ledger.db"), entropy=rng.randbytes, now=lambda: 1_667_955_600,
        audience_of=true_audience, on_admit=facts.admit,
    )  # fmt: skip
    for root in roots:  # type: ignore[attr-defined]
        ledger.trust(root)
    return ledger, facts


def granted(subject: object, classes: int, unit: str, depth: int) -> bytes:
    return Granted(
        ts=1_667_955_600, subject_pub=subject.verify_key.raw, classes=classes, territory=unit,  # type: ignore[attr-defined]
        not_before=0, not_after=2**40 - 1, depth=depth, label="",
    ).encode()  # fmt: skip


def test_central_knows_two_grants_and_learns_every_other_key_from_what_is_forwarded() -> None:
    """The province's root and hub by central's word, all others by the chain that comes first."""
    rng = random.Random(8)
    province, nation = OFFICER_KEY, MINISTER_KEY  # their roots
    hub, _ = governed(HUB_KEY, [province.verify_key], rng)
    central, facts = governed(CENTRAL_KEY, [nation.verify_key], rng)
    everything = 1023
    hub.append_sealed(province, granted(HUB_KEY, Right.INGEST | Right.GRANT | Right.ACK, PROVINCE, 2))
    hub.append_sealed(HUB_KEY, granted(NODE_KEY, Right.ACK, HERE, 0))
    station, _ = governed(NODE_KEY, [province.verify_key], rng)
    station.append(NODE_KEY, ack(1))

    def ask(forwarder: Forwarder) -> tuple[bytes, bytes]:
        request = forwarder.request(nonce=rng.randbytes(8), now=7)
        answered = answer(
            central, CENTRAL_KEY, request, now=7,
            audiences_of=lambda key_id: facts.authority.units_of(key_id, Right.INGEST) or None,
            forwards=lambda key_id: bool(facts.authority.units_of(key_id, Right.INGEST)),
        )  # fmt: skip
        return request, answered.reply

    request = make_request(station, NODE_KEY, nonce=b"nonce-08", now=7)
    answer(hub, HUB_KEY, request, now=7, audiences_of=lambda key_id: [HERE])
    forwarder = Forwarder(hub, HUB_KEY, CENTRAL_KEY.verify_key)
    with pytest.raises(UnknownKeyError):
        ask(forwarder)
    central.append_sealed(nation, granted(HUB_KEY, Right.INGEST, PROVINCE, 0))
    while (accepted := forwarder.accept(*ask(forwarder))).more:
        pass
    assert {code for _, _, code in accepted.refused} == {"forward-missing"}, (
        "it waits for the province's root"
    )
    central.append_sealed(nation, granted(province, everything, PROVINCE, 3))
    while forwarder.accept(*ask(forwarder)).more:
        pass
    assert [e for s in central.since(0) for e in s.segment.events if e == ack(1)] == [ack(1)]
    assert facts.authority.may(NODE_KEY.key_id, Right.ACK, HERE, 1_667_955_600)
    assert hub.unreceipted(HUB_KEY.key_id) == []


def test_a_log_that_has_a_hole_at_the_hub_has_it_at_central(chain: Chain) -> None:
    """Of a superior's logs a hub gets a part; the part goes up as it is."""
    raws, prev = [], bytes(32)
    for n in range(3):
        segment = seal(MINISTER_KEY, b"sparse-8", n, prev, [decision(n)])
        raws.append(segment.raw)
        prev = segment.head.hash
    for raw in (raws[0], raws[2]):
        chain.hub.ledger.ingest(raw, source="feed", feed=True)
    chain.drain()
    chain.assert_forwarded()
    assert raws[2] in chain.central.raws().values()


def test_a_station_restored_and_a_hub_restored_end_with_one_copy_of_each_event(chain: Chain) -> None:
    life(chain, 1)
    old = chain.hub.image()
    chain.write(50)
    chain.station_round()
    chain.drain()
    chain.hub.restore(old)
    chain.settle()
    assert chain.central.events(NODE_KEY).count(ack(50)) == 1
