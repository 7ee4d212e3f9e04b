"""The province as data: what is fact, what is counted, and that the programme keeps the house rules."""

from __future__ import annotations

import unicodedata

import pytest

from ledger.facts import is_unit
from sim.scenarios import EMERGENCY, LAW_DAY, NAMED, load, plain


def test_yen_bai_2022_has_173_units_70_with_a_return_path_and_103_without() -> None:
    whole = load("yen-bai-2022")
    assert (len(whole.places), len(whole.it), len(whole.fm)) == (173, 70, 103)
    assert len({place.unit for place in whole.places}) == 173
    assert all(is_unit(place.unit) and place.unit == f"vn.yb.{place.code}" for place in whole.places)


def test_the_three_stations_of_the_trial_come_first_whatever_the_number() -> None:
    names = {place.unit: place.name for place in load("yen-bai-2022").it}
    assert [names[unit] for unit in NAMED] == ["Xã Tú Lệ", "Xã Xuân Ái", "Xã Việt Thành"]
    for stations in (1, 3, 20):
        taken = load("yen-bai-2022", stations)
        assert len(taken.it) == stations
        assert tuple(place.unit for place in taken.it)[:3] == NAMED[: min(3, stations)]
        assert len(taken.fm) == 103


def test_a_scenario_cannot_be_asked_for_more_than_it_has() -> None:
    with pytest.raises(ValueError, match="70 IT stations"):
        load("yen-bai-2022", 71)
    with pytest.raises(ValueError, match="no scenario"):
        load("atlantis")
    with pytest.raises(ValueError, match="not an IT station"):
        load("yen-bai-2022").only(("vn.yb.99999",))
    assert len(plain(1000).it) == 1000


def test_all_texts_are_nfc_and_no_slot_lies_in_quiet_hours() -> None:
    for notice in LAW_DAY:
        assert unicodedata.is_normalized("NFC", notice.title + notice.text)
        assert notice.minute >= 5 * 60
        assert notice.minute * 60 + notice.length_s <= (21 * 60 + 30) * 60
    assert unicodedata.is_normalized("NFC", EMERGENCY.text)
