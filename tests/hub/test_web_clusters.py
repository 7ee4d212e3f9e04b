"""Receiver clusters on the hub's pages: how many were playing, and which were not, in words."""

from __future__ import annotations

from test_web_house import LAW_DAY, House, build, stocked
from test_web_machine import Field, enrol

from ledger.facts import Cluster, ClustersListed, at, pack_clusters

TU_LE = "vn.yb.04630"
NAMES = tuple(f"Bản {nth + 1}" for nth in range(20))


def reported(name: str, states: list[Cluster], names: tuple[str, ...] = NAMES) -> tuple[House, Field]:
    """A house where Tú Lệ reported one slot with these states."""
    house = stocked(name)
    station = enrol(house, TU_LE)
    station.sync()
    house.clock[0] = at(LAW_DAY, 17 * 60 + 20)
    station.ledger.append(station.key, ClustersListed(house.clock[0], "\n".join(names)).encode())
    station.acknowledge(house.shelf["series"], clusters=pack_clusters(states))
    station.sync()
    house.hub.tick()
    return house, station


def but(**apart: int) -> list[Cluster]:
    """Twenty that were playing, but for so many from the beginning in the named state."""
    states: list[Cluster] = []
    for name, count in apart.items():
        states += [Cluster[name.upper()]] * count
    return states + [Cluster.PLAYING] * (20 - len(states))


def test_every_page_with_a_report_names_the_clusters_that_were_missing() -> None:
    house, _ = reported("clusters", but(not_reached=1, silent=1))
    desk = house.browser("bientap")
    for path in (
        f"/tram/{TU_LE}", f"/lich/{house.shelf['series']}?ngay=09/11/2022",
        f"/vi-sao?tram={TU_LE}&ngay=09/11/2022&luc=17:00",
    ):  # fmt: skip
        words = desk.get(path).words
        assert "18/20 cụm loa đã phát" in words, path
        assert "không trả lời: Bản 1" in words, path
        assert "có điện nhưng im tiếng: Bản 2" in words, path
        assert "Cụm loa nào?" not in words, path
    assert "18/20 cụm loa đã phát" in desk.get(f"/ban-tin/{house.shelf['Đã duyệt']}").words
    page = desk.get(f"/tram/{TU_LE}").words
    assert "Cụm loa 20" in page, "how many it listed"
    assert "Bản 20" in page


def test_a_long_list_of_missing_clusters_lies_folded() -> None:
    house, _ = reported("many", but(not_reached=11))
    page = house.browser("bientap").get(f"/tram/{TU_LE}")
    assert "9/20 cụm loa đã phát" in page.words
    assert "Cụm loa nào?" in page.words
    assert "không trả lời: Bản 1, Bản 2" in page.words


def test_the_state_of_clusters_has_a_shape_besides_its_colour() -> None:
    shapes = set()
    for name, states in (("all", but()), ("some", but(silent=1)), ("none", but(not_reached=20))):
        house, _ = reported(f"look {name}", states)
        html = house.browser("bientap").get(f"/tram/{TU_LE}").html
        said = html[: html.index("cụm loa đã phát")]
        shapes.add(said[said.rindex("<svg") : said.rindex("</svg>")])
    assert len(shapes) == 3


def test_names_of_clusters_are_text_and_nothing_else() -> None:
    house, _ = reported("hostile", but(not_reached=1), ("<script>alert(1)</script>", *NAMES[1:]))
    html = house.browser("bientap").get(f"/tram/{TU_LE}").html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_station_without_clusters_has_no_word_of_them() -> None:
    house = build("plain")
    enrol(house, TU_LE).sync()
    house.hub.tick()
    assert "cụm loa" not in house.browser("bientap").get(f"/tram/{TU_LE}").words.lower()


def test_the_english_page_says_the_same() -> None:
    house, _ = reported("english", but(not_reached=1))
    desk = house.browser("bientap")
    desk.get("/").press("/ngon-ngu", "en")
    words = desk.get(f"/tram/{TU_LE}").words
    assert "19/20 receiver clusters playing" in words
    assert "no answer: Bản 1" in words
    assert "Receiver clusters 20" in words
