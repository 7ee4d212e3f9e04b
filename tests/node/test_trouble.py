"""What is wrong and what to do: one sentence, the most important one. A table of signs and causes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_world import Page

from ledger.facts import Evidence
from node.clock import Confidence
from node.page.signs import signs_of
from node.page.trouble import CAUSES, LOW_DISK_BYTES, STALE_HUB_S, Signs, trouble, troubles

FINE = Signs()
TABLE: list[tuple[str, str, dict[str, object]]] = [
    ("word", "bad", {"waits_for_word": True}),
    ("clock", "bad", {"confidence": Confidence.UNKNOWN}),
    ("no-player", "bad", {"player": "null", "ceiling": Evidence.DELIVERED}),
    ("volume", "bad", {"volume": 0}),
    ("silent", "bad", {"silent_today": 2}),
    ("missing", "bad", {"missing_soon": ("Tiêm phòng",)}),
    ("disk", "warn", {"disk_free": LOW_DISK_BYTES - 1}),
    ("hub", "warn", {"hub_age_s": STALE_HUB_S}),
    ("hub", "warn", {"hub_age_s": None}),
    ("power", "warn", {"missed_power": 1}),
    ("nobody", "warn", {"people": 0}),
    ("wish", "warn", {"wishes_open": ("Lò Thị Mai",)}),
]


def test_where_nothing_is_wrong_nothing_is_said() -> None:
    assert trouble(FINE) is None
    assert trouble(replace(FINE, hub_age_s=STALE_HUB_S - 1, disk_free=LOW_DISK_BYTES, missing=3)) is None


@pytest.mark.parametrize(("code", "look", "signs"), TABLE)
def test_each_cause_is_said_in_both_languages_with_a_thing_to_do(
    code: str, look: str, signs: dict[str, object]
) -> None:
    found = trouble(replace(FINE, **signs))  # type: ignore[arg-type]
    assert found is not None
    assert (found.code, found.look) == (code, look)
    for words in (found.what, found.do):
        assert words.vi
        assert words.en
        assert words.vi != words.en
        assert words.vi.endswith(".")


def test_every_cause_has_its_row_in_this_table() -> None:
    assert {cause.__name__ for cause in CAUSES} == {
        cause.__name__
        for cause in CAUSES
        for _, _, signs in TABLE
        if cause(replace(FINE, **signs)) is not None  # type: ignore[arg-type]
    }


def test_of_all_at_once_the_most_important_is_said_and_what_silences_comes_before_what_does_not() -> None:
    everything: dict[str, object] = {}
    for _, _, signs in TABLE:
        everything |= signs
    found = troubles(replace(FINE, **everything))  # type: ignore[arg-type]
    assert trouble(replace(FINE, **everything)) == found[0]  # type: ignore[arg-type]
    assert found[0].code == "word"
    looks = [one.look for one in found]
    assert looks == sorted(looks)  # bad before warn


@given(st.lists(st.sampled_from(TABLE)))
def test_whatever_else_is_wrong_a_graver_thing_is_never_hidden(
    rows: list[tuple[str, str, dict[str, object]]],
) -> None:
    signs: dict[str, object] = {}
    for _, _, more in rows:
        signs |= more
    found = trouble(replace(FINE, **signs))  # type: ignore[arg-type]
    order = [code for code, _, _ in TABLE]
    assert (found is None) == (not rows)
    if found is not None:
        assert order.index(found.code) == min(order.index(code) for code, _, _ in rows)


def test_an_fm_station_is_never_alarmed_for_having_no_network_and_no_player() -> None:
    quiet = replace(FINE, is_fm=True, hub_age_s=None, ceiling=Evidence.DELIVERED, volume=0)
    assert trouble(quiet) is None


def test_a_stations_own_signs_lead_to_its_line() -> None:
    page = Page()
    page.world.run(60)
    page.join("Lò Thị Mai", "officer")
    found = trouble(signs_of(page.office))
    assert found is not None
    assert found.code == "no-player"  # these tests drive no loudspeaker
    codes = [one.code for one in troubles(signs_of(page.office))]
    assert codes == ["no-player", "wish"]
    page.grant("Lò Thị Mai")
    assert [one.code for one in troubles(signs_of(page.office))] == ["no-player"]
    page.world.line.down = True
    page.world.run(STALE_HUB_S + 60)
    assert "hub" in [one.code for one in troubles(signs_of(page.office))]


def test_content_that_is_to_play_soon_and_is_not_here_is_named() -> None:
    page = Page()
    page.world.run(60)
    page.world.hub.programme(5 * 60 + 30 + 60)
    page.world.line.hook = lambda: None
    fetch = page.world.line.fetch

    def nothing(sha256: bytes, offset: int, length: int) -> bytes:
        from ledger.log import TransportError

        raise TransportError("link", "too slow for content")

    page.world.line.fetch = nothing  # type: ignore[method-assign]
    page.world.station.agent.hurry(page.world.clock.mono_s, 0)
    page.world.station.look_soon()
    page.world.run(60)
    assert signs_of(page.office).missing_soon == ("Ngày Pháp luật",)
    page.world.line.fetch = fetch  # type: ignore[method-assign]
    page.world.run(1_800)
    assert signs_of(page.office).missing_soon == ()
