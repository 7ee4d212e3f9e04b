"""What a station can prove, why no more, and which clusters answer: page and database say the same."""

from __future__ import annotations

import pytest
from page_world import Page
from test_clusters_station import Ill, Village

from ledger.facts import Evidence
from node.cli import _lines
from node.means import CLUSTER_STALE_S, Means, means_of, packed, unpacked
from node.page import stateview
from node.sound.player import NullPlayer
from node.status import status_of


class Ears(NullPlayer):
    """A player with this ceiling and this complaint."""

    def __init__(self, ceiling: Evidence, complaint: str = "") -> None:
        super().__init__()
        self.ceiling = ceiling
        self.complaint = complaint


@pytest.mark.parametrize(
    ("player", "why", "words"),
    [
        (NullPlayer(), "no-loudspeaker", "không điều khiển loa nào"),
        (Ears(Evidence.SIGNAL_PRESENT), "no-ear", "chưa đặt thiết bị thu"),
        (Ears(Evidence.SIGNAL_PRESENT, "hw:1 hears nothing"), "ear-failed", "không nghe được gì"),
        (Ears(Evidence.HEARD), "", "có thiết bị thu"),
    ],
)
def test_the_ceiling_is_told_with_its_reason(player: NullPlayer, why: str, words: str) -> None:
    found = means_of(player, (), 0.0, 0.0)
    assert (found.why, found.ceiling) == (why, player.ceiling.name.lower())
    assert words in found.say_proof("vi")
    assert found.say_proof("en").startswith(player.ceiling.say("en"))


def village() -> Village:
    world = Village(count=3, ills={1: Ill(dead=True)})
    world.hub.programme(360, seconds=60)
    return world


def test_the_database_says_which_clusters_are_silent_as_of_the_last_sign_of_life() -> None:
    world = village()
    world.run_to(400)
    station = world.station
    beside = status_of(station.ledger, station.config, station.key.key_id)
    assert beside.live is None
    assert beside.means is not None
    assert (beside.means.clusters, beside.means.answering, beside.means.silent) == (3, 2, ("Cụm loa 2",))
    assert "2 of 3 clusters answer; silent: Cụm loa 2" in _lines(beside)
    assert any("can prove at most" in line for line in _lines(beside))


def test_the_page_and_the_status_say_the_same() -> None:
    world = village()
    page = Page(world)
    world.run_to(400)
    means = world.station.status().means
    rows = {row.name.en: row for row in stateview.rows(page.office)}
    assert means is not None
    assert rows["Clusters"].value.en == "2 of 3 clusters answer"
    assert rows["Clusters"].more.vi == "Cụm loa 2"
    assert means.say_proof("vi") in rows["Loudspeaker"].more.vi


def test_a_cluster_is_not_called_silent_before_it_was_asked() -> None:
    world = Village(count=3, ills={nth: Ill(dead=True) for nth in range(3)})
    world.run(30)
    early = world.station.status().means
    assert early is not None
    assert (early.clusters, early.answering, early.silent) == (3, None, ())
    assert "3 clusters listed, not asked yet" in _lines(world.station.status())
    assert "đang hỏi" in " ".join(row.value.vi for row in stateview.rows(Page(world).office))
    world.run(CLUSTER_STALE_S + 1_200)
    late = world.station.status().means
    assert late is not None
    assert (late.answering, len(late.silent)) == (0, 3)


@pytest.mark.parametrize("kept", ["", "{", "[]", "7", '{"player": 1}', 7, b"x", None])
def test_what_another_version_kept_is_no_answer_and_no_error(kept: object) -> None:
    assert unpacked(kept) is None


def test_what_is_kept_is_what_was_said() -> None:
    means = Means("mpv", "heard", "", "", True, 3, 2, ("Cụm loa 2",))
    assert unpacked(packed(means)) == means
    assert unpacked(packed(Means("mpv", "loud", ""))) is None
    assert unpacked(packed(Means("mpv", "heard", "because"))) is None


def test_nothing_is_written_for_it_while_nothing_changes() -> None:
    world = village()
    world.run_to(400)
    with world.station.ledger.transaction():
        before = world.station.ledger.db.total_changes
        world.station.ledger.put("node.means", packed(world.station.means(world.clock.mono_s)))
        assert world.station.ledger.db.total_changes == before
