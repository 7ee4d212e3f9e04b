"""Receiver clusters: the list, the messages, the driver that keeps at it, and what is made of the answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cluster_room import ITEM, KEY, SOUND, Room
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts import Cluster, Evidence, Outcome, unpack_clusters
from ledger.log import MemoryStore, ProtocolError, StoreError
from node import ClusterAnswer, ClusterOrder, OrderWord, clusters_toml, load_clusters, read_clusters
from node.clusters.slots import IDLE_ROUND_S, Clusters
from sim.clusters import LIE, Ill

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "clusters.json").read_text("utf-8"))
VECTOR_KEY, NONCE = bytes.fromhex(VECTORS["key"]), bytes.fromhex(VECTORS["nonce"])

GOOD = """
[[cluster]]
number = 7
name = "Bản Xa"
place = "cột trước nhà văn hoá"
driver = "udp"
address = "192.168.10.27:4210"
key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

[[cluster]]
number = 8
name = "Bản Lủ"
driver = "http"
address = "[fd00::8]:80"
key = "a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
volume = 60
"""


def named(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[part]]


# -- the list ------------------------------------------------------------------------------------------------


def test_the_list_is_read_in_the_order_of_the_file_and_written_back() -> None:
    found = read_clusters(GOOD)
    assert [(one.number, one.name, one.driver, one.host, one.port, one.volume) for one in found] == [
        (7, "Bản Xa", "udp", "192.168.10.27", 4210, 100), (8, "Bản Lủ", "http", "fd00::8", 80, 60),
    ]  # fmt: skip
    assert read_clusters(clusters_toml(found)) == found
    assert found[0].key.hex() not in repr(found[0])  # a key is not for logs


def test_a_station_without_the_file_has_no_clusters() -> None:
    assert load_clusters(MemoryStore()) == ()
    assert read_clusters("") == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[[cluster]]", "[[loa]]", "cluster-list-unknown"),
        ("number = 8", "number = ", "cluster-list-format"),
        ("number = 8", "number = 7", "cluster-list-twice"),
        ("number = 8", "number = 0", "cluster-list-range"),
        ("number = 8", "number = true", "cluster-list-range"),
        ("number = 8\n", "", "cluster-list-missing"),
        ("number = 8", "number = 8\nnumbr = 9", "cluster-list-unknown"),
        ("Bản Lủ", "Bản Xa", "cluster-list-twice"),
        ('"Bản Lủ"', "8", "cluster-list-type"),
        ("Bản Lủ", "Bản\\nLủ", "cluster-list-text"),
        ("Bản Lủ", "x" * 49, "cluster-list-text"),
        ('"http"', '"coap"', "cluster-list-driver"),
        ("[fd00::8]:80", "loa.example:80", "cluster-list-address"),
        ("[fd00::8]:80", "[fd00::8]", "cluster-list-address"),
        ("[fd00::8]:80", "fd00::8:80", "cluster-list-address"),
        ("[fd00::8]:80", "10.0.0.8:70000", "cluster-list-address"),
        ("[fd00::8]:80", "224.0.0.8:80", "cluster-list-address"),
        ("[fd00::8]:80", "0.0.0.0:80", "cluster-list-address"),
        ("a001", "0001", "cluster-list-twice"),
        ("a00102030405", "zz0102030405", "cluster-list-key"),
        ("a00102030405", "", "cluster-list-key"),
        ("a00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "a0" * 32, "cluster-list-key"),
        ("volume = 60", "volume = 0", "cluster-list-range"),
    ],
)
def test_what_is_wrong_with_a_list_is_named(old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(StoreError) as refused:
        read_clusters(GOOD[: GOOD.rindex(old)] + new + GOOD[GOOD.rindex(old) + len(old) :])
    assert refused.value.code == code
    assert refused.value.hint


def test_a_list_has_room_for_102_clusters_and_for_no_more() -> None:
    room = Room(count=102)
    text = clusters_toml(room.entries)
    assert len(read_clusters(text)) == 102
    more = clusters_toml(Room(count=103).entries)
    with pytest.raises(StoreError, match="103 clusters"):
        read_clusters(more)
    long = text.replace("Cụm loa", "Cụm loa " + "ở" * 30)
    with pytest.raises(StoreError) as refused:
        read_clusters(long)
    assert refused.value.code == "cluster-list-names"


# -- messages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", named("order_accepts"))
def test_an_order_is_made_and_read(case: dict[str, Any]) -> None:
    order = ClusterOrder(
        OrderWord(case["word"]), case["volume"], 7, NONCE, bytes.fromhex(case["boot"]), case["seq"],
        bytes.fromhex(case["item"]), case["for_s"],
    )  # fmt: skip
    assert order.encode(VECTOR_KEY).hex() == case["message"]
    assert ClusterOrder.decode(bytes.fromhex(case["message"]), VECTOR_KEY) == order


@pytest.mark.parametrize("case", named("order_rejects"))
def test_an_order_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        ClusterOrder.decode(bytes.fromhex(case["message"]), VECTOR_KEY)
    assert refused.value.code == case["code"]


@pytest.mark.parametrize("case", named("answer_accepts"))
def test_an_answer_is_made_and_read(case: dict[str, Any]) -> None:
    answer = ClusterAnswer(
        case["powered"], case["muted"], case["sounding"], case["volume"], 7, NONCE,
        bytes.fromhex("5a736e50ed75446b"), case["seq"], bytes.fromhex(case["item"]), case["since_s"],
    )  # fmt: skip
    assert answer.encode(VECTOR_KEY).hex() == case["message"]
    assert ClusterAnswer.decode(bytes.fromhex(case["message"]), VECTOR_KEY) == answer


@pytest.mark.parametrize("case", named("answer_rejects"))
def test_an_answer_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        ClusterAnswer.decode(bytes.fromhex(case["message"]), VECTOR_KEY)
    assert refused.value.code == case["code"]


@given(at=st.integers(0, 511), part=st.sampled_from(["order_accepts", "answer_accepts"]))
def test_every_bit_of_a_message_counts(at: int, part: str) -> None:
    message = bytearray.fromhex(VECTORS[part][0]["message"])
    message[at // 8] ^= 1 << at % 8
    with pytest.raises(ProtocolError):
        (ClusterOrder if part == "order_accepts" else ClusterAnswer).decode(bytes(message), VECTOR_KEY)


@given(st.binary(max_size=130))
def test_no_noise_is_a_message(noise: bytes) -> None:
    for kind in (ClusterOrder, ClusterAnswer):
        with pytest.raises(ProtocolError):
            kind.decode(noise, VECTOR_KEY)


# -- the driver ----------------------------------------------------------------------------------------------


def test_clusters_begin_say_so_and_stop() -> None:
    room = Room(count=3)
    room.driver.prepare(60, room.now_s)
    assert {said.powered for said in room.talk()[-3:]} == {True}
    assert room.bank.sounding(room.now_s) == [None] * 3
    room.driver.begin(SOUND, room.now_s)
    assert {(said.nth, said.item) for said in room.talk()[-3:]} == {(0, ITEM), (1, ITEM), (2, ITEM)}
    assert room.bank.sounding(room.now_s) == [ITEM] * 3
    room.driver.stop(room.now_s)
    assert [said.item for said in room.talk()[-3:]] == [None] * 3
    assert room.bank.sounding(room.now_s) == [None] * 3


def test_a_lost_message_is_sent_again() -> None:
    room = Room(ills={nth: Ill(loss=0.3) for nth in range(20)})
    room.driver.begin(SOUND, room.now_s)
    for _ in range(4):
        room.talk()
        room.driver.ask(room.now_s)
    assert room.bank.sounding(room.now_s).count(ITEM) == 20


def test_a_cluster_that_nobody_hears_of_is_asked_a_few_times_and_then_left_in_peace() -> None:
    room = Room(count=1, ills={0: Ill(dead=True)})
    room.driver.begin(SOUND, room.now_s)
    room.talk(60.0)
    assert room.line.messages == 4
    assert room.driver.wait_s(room.now_s) == float("inf")


def test_a_cluster_that_comes_to_life_in_the_middle_is_told_at_the_next_round() -> None:
    room = Room(count=2, ills={1: Ill(dead=True)})
    room.driver.begin(SOUND, room.now_s)
    room.talk()
    room.bank.fall_ill(1, dead=False)
    room.driver.ask(room.now_s)
    room.talk()
    assert room.bank.sounding(room.now_s) == [ITEM, ITEM]


def test_a_cluster_that_lost_its_power_in_between_has_a_new_life_and_is_told_again() -> None:
    room = Room(count=1)
    room.driver.begin(SOUND, room.now_s)
    room.talk()
    room.bank.receivers[0].boot(room.now_s)
    assert room.bank.sounding(room.now_s) == [None]
    room.driver.ask(room.now_s)
    room.talk()
    assert room.bank.sounding(room.now_s) == [ITEM]


def test_a_station_that_starts_anew_is_understood_at_once() -> None:
    room = Room(count=1)
    room.driver.begin(SOUND, room.now_s)
    room.talk()
    again = Room(count=1)
    again.bank, again.line._bank = room.bank, room.bank
    again.driver.stop(room.now_s)
    again.now_s = room.now_s
    again.talk()
    assert room.bank.sounding(again.now_s) == [None]


def test_a_receiver_falls_silent_when_the_station_is_heard_no_more() -> None:
    room = Room(count=1)
    room.driver.begin(SOUND, room.now_s)
    room.talk()
    assert room.bank.sounding(room.now_s + 3_500) == [ITEM]
    assert room.bank.sounding(room.now_s + 3_700) == [None]


def recorded(room: Room) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """What goes to receivers and what comes from them, as somebody on the line would record it."""
    down: list[tuple[int, bytes]] = []
    up: list[tuple[int, bytes]] = []
    send, receive = room.line.send, room.line.receive

    def sends(nth: int, message: bytes, *, asks: bool) -> None:
        down.append((nth, message))
        send(nth, message, asks=asks)

    def receives() -> tuple[int, bytes] | None:
        came = receive()
        if came is not None:
            up.append(came)
        return came

    room.line.send, room.line.receive = sends, receives  # type: ignore[method-assign]
    return down, up


def test_a_recorded_order_moves_nothing() -> None:
    room = Room(count=1)
    down, _ = recorded(room)
    room.driver.begin(SOUND, room.now_s)
    room.talk()
    room.driver.stop(room.now_s)
    room.talk()
    receiver = room.bank.receivers[0]
    followed = receiver.orders
    for _, message in down:
        receiver.take(message, room.now_s)
    assert receiver.orders == followed
    receiver.boot(room.now_s)  # nor in another life
    for _, message in down:
        receiver.take(message, room.now_s)
    assert receiver.orders == followed
    assert receiver.sounding(room.now_s) is None


def test_a_recorded_answer_answers_nothing() -> None:
    room = Room(count=1)
    _, up = recorded(room)
    room.driver.begin(SOUND, room.now_s)
    assert room.talk()
    room.bank.fall_ill(0, dead=True)
    old = list(up)
    room.driver.ask(room.now_s)
    for came in old:
        room.line.inject(*came)
    assert room.talk() == []
    assert room.driver.refused == len(old)


def test_what_strangers_send_is_counted_and_says_nothing() -> None:
    room = Room(count=2)
    _, up = recorded(room)
    room.driver.ask(room.now_s)
    room.driver.poll(room.now_s)
    other = Room(count=2, seed=2)
    _, theirs = recorded(other)
    other.driver.ask(other.now_s)
    other.talk(1.0)
    for nth, message in theirs:  # right form, other keys
        room.line.inject(nth, message)
    room.line.inject(0, b"")
    room.line.inject(-1, b"x" * 64)
    said = room.talk(1.0)
    assert sorted(one.nth for one in said) == [0, 1]
    assert room.driver.refused == len(theirs) + 2
    assert len(up) == len(said) + room.driver.refused


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-2, 5), st.binary(max_size=100)), max_size=30))
def test_noise_on_the_line_never_stops_the_driver(noise: list[tuple[int, bytes]]) -> None:
    room = Room(count=2)
    for nth, data in noise:
        room.line.inject(nth, data)
    room.driver.begin(SOUND, room.now_s)
    assert {said.item for said in room.talk()[-2:]} == {ITEM}


# -- what is made of it --------------------------------------------------------------------------------------


def word(room: Room, seconds: float, outcome: Outcome = Outcome.PLAYED) -> tuple[list[Cluster], Evidence]:
    """What a slot of so many seconds says of its clusters."""
    room.clusters.begins(KEY, SOUND, room.now_s)
    room.run(seconds)
    vector, evidence = room.clusters.word(KEY, outcome, Evidence.HEARD)
    room.clusters.ends(room.now_s)
    room.run(6.0)
    states = [Cluster.PLAYING] * room.count if vector is None else list(unpack_clusters(vector))
    return states, evidence


@pytest.mark.parametrize("seconds", [2.0, 5.0, 60.0, 1_800.0])
def test_each_cluster_gets_the_state_it_was_in(seconds: float) -> None:
    ills = {3: Ill(dead=True), 5: Ill(muted=True), 8: Ill(lying=True), 9: Ill(late_s=1.0)}
    states, evidence = word(Room(ills=ills), seconds)
    # In the first ten seconds a receiver may still sound what came before: that is not held against it.
    wrong = Cluster.WRONG_ITEM if seconds > 12.0 else Cluster.SILENT
    assert states[3] is Cluster.NOT_REACHED
    assert states[5] is Cluster.SILENT
    assert states[8] is wrong
    assert [state for nth, state in enumerate(states) if nth not in (3, 5, 8)] == [Cluster.PLAYING] * 17
    assert evidence is Evidence.HEARD


def test_a_slot_of_which_no_cluster_was_playing_is_not_heard() -> None:
    states, evidence = word(Room(count=3, ills={nth: Ill(dead=True) for nth in range(3)}), 60.0)
    assert states == [Cluster.NOT_REACHED] * 3
    assert evidence is Evidence.SIGNAL_PRESENT
    states, evidence = word(Room(count=3, ills={nth: Ill(muted=True) for nth in range(3)}), 60.0)
    assert states == [Cluster.SILENT] * 3
    assert evidence is Evidence.SIGNAL_PRESENT


def test_a_cluster_that_died_halfway_is_playing_only_when_it_was_for_half_of_the_rounds() -> None:
    for dies_after_s, state in ((200.0, Cluster.NOT_REACHED), (1_600.0, Cluster.PLAYING)):
        room = Room(count=2)
        room.clusters.begins(KEY, SOUND, room.now_s)
        room.run(dies_after_s)
        room.bank.fall_ill(1, dead=True)
        room.run(1_800.0 - dies_after_s)
        vector, _ = room.clusters.word(KEY, Outcome.PLAYED, Evidence.HEARD)
        states = [Cluster.PLAYING] * 2 if vector is None else list(unpack_clusters(vector))
        assert states == [Cluster.PLAYING, state]


def test_a_bad_line_does_not_make_a_playing_cluster_a_dead_one() -> None:
    states, _ = word(Room(ills={nth: Ill(loss=0.3) for nth in range(20)}), 600.0)
    assert states == [Cluster.PLAYING] * 20


def test_a_slot_that_was_interrupted_and_went_on_counts_both_parts() -> None:
    room = Room(count=2, ills={1: Ill(dead=True)})
    room.clusters.begins(KEY, SOUND, room.now_s)
    room.run(300.0)
    other = (42, KEY[1])
    room.clusters.begins(other, type(SOUND)(LIE, 60), room.now_s)
    room.run(20.0)
    assert room.bank.sounding(room.now_s)[0] == LIE
    assert room.clusters.word(other, Outcome.PLAYED, Evidence.HEARD)[0] == bytes.fromhex("b090")
    room.bank.fall_ill(1, dead=False)
    room.clusters.begins(KEY, SOUND, room.now_s)
    room.run(20.0)  # far less than half of the rounds
    assert room.clusters.word(KEY, Outcome.PLAYED, Evidence.HEARD)[0] == bytes.fromhex("b090")


def test_a_cluster_that_is_slow_to_change_is_not_told_as_sounding_something_else() -> None:
    room = Room(count=2, ills={1: Ill(late_s=3.0)})
    room.clusters.begins((42, KEY[1]), type(SOUND)(LIE, 3_600), room.now_s)
    room.run(60.0)
    states, _ = word(room, 300.0)
    assert states == [Cluster.PLAYING, Cluster.PLAYING]


def test_nobody_knows_what_clusters_did_before_a_power_cut_at_the_station() -> None:
    room = Room(count=20)
    vector, evidence = room.clusters.word(KEY, Outcome.PARTIAL, Evidence.DELIVERED)
    assert vector == bytes.fromhex("8f83")
    assert evidence is Evidence.DELIVERED


def test_clusters_that_are_listed_and_not_driven_are_unknown() -> None:
    listed = Clusters(Room(count=2).entries, None, listed=2)
    listed.begins(KEY, SOUND, 0.0)
    listed.look(9.0)
    assert listed.word(KEY, Outcome.PLAYED, Evidence.HEARD) == (b"\x81", Evidence.SIGNAL_PRESENT)
    assert listed.wait_s(9.0, 0.0) == float("inf")


@pytest.mark.parametrize("outcome", [Outcome.MISSED, Outcome.SUPPRESSED, Outcome.WITHDRAWN, Outcome.UNKNOWN])
def test_a_slot_that_never_sounded_says_nothing_of_clusters(outcome: Outcome) -> None:
    room = Room(count=3, ills={0: Ill(dead=True)})
    assert room.clusters.word(KEY, outcome, Evidence.PLANNED) == (None, Evidence.PLANNED)


def test_a_station_without_clusters_says_nothing_of_them() -> None:
    none = Clusters((), None, listed=0)
    none.begins(KEY, SOUND, 0.0)
    none.look(9.0)
    assert none.word(KEY, Outcome.PLAYED, Evidence.HEARD) == (None, Evidence.HEARD)
    assert none.wait_s(9.0, 0.0) == float("inf")


def test_clusters_are_looked_after_while_nothing_sounds_and_cost_little_then() -> None:
    room = Room(count=20, ills={4: Ill(dead=True)})
    room.run(60.0)
    shown = room.clusters.shown()
    assert [one.said is None for one in shown].count(True) == 1
    assert shown[4].said is None
    assert shown[0].entry.name == "Cụm loa 1"
    room.run(IDLE_ROUND_S * 4)
    assert room.line.messages == 5 * (19 + 4)


def test_amplifiers_are_switched_on_before_a_slot() -> None:
    room = Room(count=2)
    room.run(2.0)
    assert room.clusters.wait_s(room.now_s, 100.0) == 80.0
    room.clusters.comes(15.0, room.now_s)
    room.clusters.comes(14.0, room.now_s)
    room.run(3.0)
    assert [one.powered for one in room.bank.receivers] == [True, True]
    assert [one.orders for one in room.bank.receivers] == [1, 1]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.sampled_from(["dead", "muted", "well", "flaps", "lossy", "late", "lying"]), min_size=1, max_size=12
    ),
    st.integers(0, 5),
    st.floats(7.0, 400.0),
)
def test_no_cluster_is_called_playing_that_did_not_sound_the_item(
    ailments: list[str], seed: int, seconds: float
) -> None:
    kinds = {
        "dead": Ill(dead=True), "muted": Ill(muted=True), "well": Ill(), "flaps": Ill(flaps_s=40.0),
        "lossy": Ill(loss=0.4), "late": Ill(late_s=3.0), "lying": Ill(lying=True),
    }  # fmt: skip
    room = Room(count=len(ailments), ills={nth: kinds[one] for nth, one in enumerate(ailments)}, seed=seed)
    sounded = [0] * room.count
    room.clusters.begins(KEY, SOUND, room.now_s)
    until_s = room.now_s + seconds
    while room.now_s < until_s:
        room.run(min(1.0, until_s - room.now_s))
        sounded = [n + (one == ITEM) for n, one in zip(sounded, room.bank.sounding(room.now_s), strict=True)]
    vector, _ = room.clusters.word(KEY, Outcome.PLAYED, Evidence.HEARD)
    states = [Cluster.PLAYING] * room.count if vector is None else unpack_clusters(vector)
    for ailment, state, heard in zip(ailments, states, sounded, strict=True):
        if state is Cluster.PLAYING:
            assert heard > 0
        if ailment == "well":
            assert state is Cluster.PLAYING
        if ailment in ("dead", "muted", "lying"):
            assert state is not Cluster.PLAYING
