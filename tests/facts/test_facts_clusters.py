"""The vector of receiver clusters: small, in one form only, and never in the way of its acknowledgment."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from facts_desk import LAW_DAY
from hypothesis import given
from hypothesis import strategies as st
from test_facts_transit import PLAN, ack, coder

from ledger.facts import (
    Acknowledged,
    Cluster,
    ClustersListed,
    Malformed,
    Outcome,
    acknowledgments,
    cluster_report,
    listed_names,
    pack_clusters,
    parse,
    unpack_clusters,
)
from ledger.facts.clusters import VECTOR_BYTES_MAX
from ledger.log import CodecError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "clusters.json").read_text("utf-8"))
LETTERS = dict(zip("UNSPW", Cluster, strict=True))
STATES = st.lists(st.sampled_from(Cluster), min_size=1, max_size=102)
# Mostly equal, as on a real evening.
CALM = st.lists(
    st.tuples(st.sampled_from(Cluster), st.integers(1, 40)).map(lambda run: [run[0]] * run[1]), max_size=8
).map(lambda runs: [state for run in runs for state in run][:102])


def named(part: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[part]]


@pytest.mark.parametrize("case", named("accepts"))
def test_a_vector_says_these_states_and_these_states_are_this_vector(case: dict[str, str]) -> None:
    states = tuple(LETTERS[letter] for letter in case["states"])
    assert unpack_clusters(bytes.fromhex(case["vector"])) == states
    assert pack_clusters(states) == bytes.fromhex(case["vector"])


@pytest.mark.parametrize("case", named("rejects"))
def test_bytes_that_are_no_vector_are_refused(case: dict[str, str]) -> None:
    with pytest.raises(CodecError) as refused:
        unpack_clusters(bytes.fromhex(case["vector"]))
    assert refused.value.code == case["code"]


def test_there_are_as_many_refused_vectors_as_good_ones() -> None:
    assert len(VECTORS["rejects"]) >= len(VECTORS["accepts"])


@given(STATES | CALM)
def test_any_states_of_102_clusters_come_back_from_at_most_35_bytes(states: list[Cluster]) -> None:
    vector = pack_clusters(states)
    if vector is None:
        assert all(state is Cluster.PLAYING for state in states)
        return
    assert 1 <= len(vector) <= min(35, VECTOR_BYTES_MAX)
    assert unpack_clusters(vector) == tuple(states)


@given(st.binary(max_size=70))
def test_whatever_reads_as_a_vector_is_the_only_form_of_its_states(data: bytes) -> None:
    try:
        states = unpack_clusters(data)
    except CodecError:
        return
    assert pack_clusters(states) == data


def test_more_than_102_clusters_are_nobodys_station() -> None:
    with pytest.raises(ValueError, match="103 clusters"):
        pack_clusters([Cluster.SILENT] * 103)


def acknowledged(vector: bytes | None, outcome: Outcome = Outcome.PLAYED) -> Acknowledged:
    return Acknowledged(1_667_955_901, 41, LAW_DAY, bytes(16), 0, 600, int(outcome), 0, 3, 80, vector)


@pytest.mark.parametrize(
    "case", [one for one in named("rejects") if one.values[0]["code"] != "clusters-size"]
)
def test_an_unreadable_vector_leaves_its_acknowledgment_readable(case: dict[str, str]) -> None:
    vector = bytes.fromhex(case["vector"])
    event = acknowledged(vector).encode()
    fact = parse(event)
    assert isinstance(fact, Acknowledged)
    assert len(acknowledgments([event]).nth) == 1
    said = cluster_report(fact.clusters, fact.outcome, ("Bản Xa", "Bản Lủ"))
    assert said is not None
    assert not said.readable
    assert said.states == ()
    assert not said.agree
    assert said.say("vi") == "phần cụm loa không đọc được"


def test_nil_means_that_every_listed_cluster_agrees_with_a_slot_that_sounded() -> None:
    names = ("Bản Xa", "Bản Lủ")
    said = cluster_report(None, Outcome.PLAYED, names)
    assert said is not None
    assert said.agree
    assert said.say("vi") == "2/2 cụm loa đã phát"
    assert said.say("en") == "2/2 receiver clusters playing"
    assert cluster_report(None, Outcome.PLAYED, ()) is None  # no listing: nil speaks of no clusters
    for outcome in set(Outcome) - {
        Outcome.PLAYED, Outcome.PLAYED_LATE, Outcome.PARTIAL, Outcome.INTERRUPTED, Outcome.SILENT
    }:  # fmt: skip
        assert cluster_report(None, outcome, names) is None


def test_a_report_names_those_that_differ_the_worst_first() -> None:
    states = [Cluster.PLAYING] * 17 + [Cluster.NOT_REACHED, Cluster.WRONG_ITEM, Cluster.SILENT]
    names = tuple(f"Bản {nth}" for nth in range(19))  # the list is one short: it gets its number
    said = cluster_report(pack_clusters(states), Outcome.PLAYED, names)
    assert said is not None
    assert said.say("vi") == (
        "17/20 cụm loa đã phát; phát nội dung khác: Bản 18; không trả lời: Bản 17; "
        "có điện nhưng im tiếng: #20"
    )
    assert said.names_of(Cluster.SILENT) == ["#20"]


@given(STATES | CALM, st.sampled_from(Outcome), st.lists(st.text(max_size=5), max_size=110))
def test_a_report_counts_each_cluster_once(states: list[Cluster], outcome: Outcome, names: list[str]) -> None:
    vector = pack_clusters(states)
    said = cluster_report(vector, outcome, names)
    if vector is None:
        return
    assert said is not None
    assert said.playing + sum(len(who) for _, who in said.apart()) == len(states)


def test_a_listing_gives_the_names_in_order_and_never_more_than_102() -> None:
    fact = parse(ClustersListed(1_667_955_901, "Bản Xa\nBản Lủ").encode())
    assert isinstance(fact, ClustersListed)
    assert listed_names(fact.names) == ("Bản Xa", "Bản Lủ")
    assert listed_names("") == ()
    assert len(listed_names("\n".join("x" * 200))) == 102
    with pytest.raises(CodecError):
        ClustersListed(1, "\n".join("x" * 103)).encode()
    assert not isinstance(
        parse(ClustersListed(1, "").encode()), Malformed
    )  # a station that lists none any more


def sizes() -> dict[str, int]:
    """Bytes of an acknowledgment's event: for the decision page."""
    rng = random.Random(1)
    two = [Cluster.PLAYING] * 20
    two[6] = two[19] = Cluster.NOT_REACHED
    cases = {
        "20 agree": [Cluster.PLAYING] * 20, "2 of 20 dead": two,
        "102 agree": [Cluster.PLAYING] * 102, "102 at random": rng.choices(list(Cluster), k=102),
    }  # fmt: skip
    return {name: len(acknowledged(pack_clusters(states)).encode()) for name, states in cases.items()}


def test_what_a_vector_adds_to_an_acknowledgment() -> None:
    assert sizes() == {"20 agree": 38, "2 of 20 dead": 43, "102 agree": 38, "102 at random": 73}


def test_a_vector_that_stays_the_same_travels_once() -> None:
    two = [Cluster.PLAYING] * 20
    two[6] = two[19] = Cluster.NOT_REACHED
    disorder = random.Random(1).choices(list(Cluster), k=102)
    sent = {}
    for name, states in {
        "20 agree": [Cluster.PLAYING] * 20,
        "2 dead": two,
        "102 at random": disorder,
    }.items():
        vector = pack_clusters(states)
        events = [ack(slot, jitter_cs=100 + 7 * n, clusters=vector) for n, slot in enumerate(PLAN)]
        packed = coder.pack(events)
        assert packed is not None
        assert coder.unpack(packed, len(events)) == events
        sent[name] = len(packed)
    assert len(PLAN) == 25
    assert sent == {"20 agree": 55, "2 dead": 59, "102 at random": 90}
