"""Rule 16 at the commune: a box that plays nothing, and the word of whoever plays by hand."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from commune_office import PIN, Commune
from flask import Flask
from qr_reader import needs_zbar, read_symbol, symbols_of
from station_world import DAY, ROOT, UNIT, World

from ledger.facts import Attested, Detail, Means, Outcome, Right, StationRegistered, at, sheet_of, slot_code
from ledger.log import DiskStore, NotAllowed, StoreError
from node.cli import node
from node.config import save_config
from node.page import attest
from node.web import create_app

NINE = 9 * 60


def fm_commune(*, granted: bool = True) -> Commune:
    """A bulletin at nine on Law Day; half past nine; nobody but Lan was there."""
    world = World(sync_period_s=60)
    world.hub.sign(ROOT, StationRegistered(world.hub.ts, UNIT, "Tú Lệ", "fm"))
    commune = Commune(world, granted=granted)
    commune.world.hub.programme(NINE, seconds=60)
    world.run_to(NINE + 30)
    return commune


def said(commune: Commune, **more: Any) -> None:
    row = attest.rows(commune.office)[0]
    fields: dict[str, Any] = {
        "series": row.slot.series, "day": DAY, "content": row.slot.manifest[:16], "outcome": Outcome.PLAYED,
        "detail": Detail.NONE, "minute": NINE, "seconds": None, "said_by": "",
    } | more  # fmt: skip
    attest.attest(commune.office, fields.pop("person", commune.lan), **fields)


def words(commune: Commune) -> list[Attested]:
    commune.world.run(120)
    found = commune.world.hub.ledger.since(0)
    from ledger.facts import read

    return [one.fact for stored in found for one in read(stored) if isinstance(one.fact, Attested)]


def test_the_box_of_an_fm_commune_plays_nothing_and_acknowledges_nothing() -> None:
    commune = fm_commune()
    assert commune.world.speaker.sounds == []
    commune.world.run(86_400, step_max_s=3_600)
    assert commune.world.speaker.sounds == []
    assert commune.world.hub.acks() == []


def test_whoever_was_on_duty_signs_what_became_of_a_slot() -> None:
    commune = fm_commune()
    assert attest.waiting(commune.office) == 1
    said(commune)
    assert attest.waiting(commune.office) == 0
    (word,) = words(commune)
    assert (word.territory, word.outcome, word.began_at, word.played_ds, word.means, word.said_by) == (
        UNIT, Outcome.PLAYED, at(DAY, NINE), 600, Means.SELF, ""
    )  # fmt: skip


def test_a_word_for_somebody_else_names_them() -> None:
    commune = fm_commune()
    said(commune, outcome=Outcome.PARTIAL, seconds=20, said_by="Ông Páo", detail=Detail.POWER)
    (word,) = words(commune)
    assert (word.means, word.said_by, word.played_ds) == (Means.PAPER, "Ông Páo", 200)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"series": 99}, "slot-unknown"),
        ({"content": bytes(16)}, "slot-changed"),
        ({"outcome": Outcome.SILENT}, "outcome-unknown"),
        ({"outcome": Outcome.PARTIAL, "seconds": 0}, "length-range"),
        ({"minute": NINE + 31}, "begin-range"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_signed(more: dict[str, Any], code: str) -> None:
    commune = fm_commune()
    with pytest.raises(NotAllowed) as refused:
        said(commune, **more)
    assert refused.value.code == code
    assert words(commune) == []


def test_a_key_without_the_right_signs_nothing() -> None:
    commune = fm_commune(granted=False)
    commune.world.run(60)
    assert not attest.may(commune.office, commune.lan)
    with pytest.raises(NotAllowed) as refused:
        said(commune)
    assert refused.value.code == "no-authority"
    with pytest.raises(NotAllowed):
        said(fm_commune(), person=commune.pao)


def test_a_station_that_answers_for_itself_asks_nobody() -> None:
    world = World(sync_period_s=60)
    commune = Commune(world)
    world.hub.programme(NINE)
    world.run_to(NINE + 30)
    assert attest.rows(commune.office) == []
    assert len(world.hub.acks()) == 1


# -- the page ------------------------------------------------------------------------------------------------


def app_of(commune: Commune) -> Flask:
    drawn = iter(range(1, 10_000))
    return create_app(commune.ask, entropy=lambda n: next(drawn).to_bytes(n, "big"), name="Tú Lệ", unit=UNIT)


def signed_in(commune: Commune) -> Any:
    client = app_of(commune).test_client()
    assert commune.lan.unlocked  # the seat of this morning ended meanwhile
    with client.session_transaction() as session:
        session["seat"] = commune.tokens["Lan"]
        session["csrf"] = "c" * 32
    return client


def test_the_page_takes_a_word_and_says_what_it_is_worth() -> None:
    commune = fm_commune()
    client = signed_in(commune)
    row = attest.rows(commune.office)[0]
    text = client.get("/xac-nhan").get_data(as_text=True)
    assert "chưa xác nhận" in text
    assert row.code in text
    path = f"/xac-nhan/{DAY}/{row.slot.series}"
    form = client.get(path).get_data(as_text=True)
    assert row.slot.manifest[:16].hex() in form
    done = client.post(
        path,
        data={
            "csrf": "c" * 32, "content": row.slot.manifest[:16].hex(), "outcome": "1", "at": "9h01",
            "detail": "0", "unlock_pin": PIN,
        },
        follow_redirects=True,
    )  # fmt: skip
    text = done.get_data(as_text=True)
    assert "Đã ký lời xác nhận." in text
    assert "người trực xác nhận" in text
    (word,) = words(commune)
    assert word.began_at == at(DAY, NINE + 1)


@pytest.mark.parametrize(
    "typed",
    [
        {"outcome": "9"},
        {"outcome": ""},
        {"outcome": "3"},
        {"outcome": "1", "at": "quá"},
        {"outcome": "1", "at": "23:00"},
    ],
)
def test_a_form_that_cannot_be_leads_back_with_a_sentence(typed: dict[str, str]) -> None:
    commune = fm_commune()
    client = signed_in(commune)
    row = attest.rows(commune.office)[0]
    done = client.post(
        f"/xac-nhan/{DAY}/{row.slot.series}",
        data={"csrf": "c" * 32, "content": row.slot.manifest[:16].hex(), "detail": "0", "unlock_pin": PIN}
        | typed,
        follow_redirects=True,
    )
    assert "note bad" in done.get_data(as_text=True)
    assert words(commune) == []


def test_the_sheet_of_the_commune_is_the_provinces_sheet() -> None:
    commune = fm_commune()
    text = signed_in(commune).get("/to-lich").get_data(as_text=True)
    lines = sheet_of(commune.world.hub.facts, UNIT, DAY - (DAY + 3) % 7)
    assert lines
    assert all(line.code in text for line in lines)


def test_rights_of_the_office_hold_the_right_to_attest() -> None:
    commune = fm_commune()
    assert attest.may(commune.office, commune.lan)
    assert commune.office.may(commune.lan, Right.ATTEST)
    assert not commune.office.may(commune.pao, Right.ATTEST)


def test_the_console_prints_the_same_sheet_beside_a_running_station(tmp_path: Path) -> None:
    commune = fm_commune()
    folder = tmp_path / "station"
    store = DiskStore(folder)
    save_config(store, commune.world.config)
    copy = sqlite3.connect(folder / "ledger.db")
    commune.world.station.ledger.db.backup(copy)
    copy.close()
    told = CliRunner().invoke(node, ["sheet", "--dir", str(folder), "--week", "2022-11-09"])
    store.close()
    assert told.exit_code == 0, told.output
    lines = sheet_of(commune.world.hub.facts, UNIT, DAY - (DAY + 3) % 7)
    assert lines
    assert all(line.code in told.output for line in lines)
    assert CliRunner().invoke(node, ["sheet", "--dir", str(folder), "--week", "mai"]).exit_code != 0


# -- a telephone that points at a line of the sheet ----------------------------------------------------------


@needs_zbar
def test_pointing_at_a_line_of_the_sheet_opens_that_slot_and_nothing_is_signed_by_it(tmp_path: Path) -> None:
    commune = fm_commune()
    station = commune.world.station
    station.config = replace(station.config, page_url="http://loa.lan:8080")
    client = signed_in(commune)
    row = attest.rows(commune.office)[0]
    said = [read_symbol(one, tmp_path) for one in symbols_of(client.get("/to-lich").get_data(as_text=True))]
    (pointed,) = [text for text in said if row.code in text]
    assert pointed.startswith("http://loa.lan:8080/")
    opened = client.get(pointed.removeprefix("http://loa.lan:8080"))
    assert opened.headers["Location"] == f"/xac-nhan/{DAY}/{row.slot.series}"
    assert words(commune) == []


def test_whoever_points_without_a_seat_signs_in_first_and_then_sees_the_slot() -> None:
    commune = fm_commune()
    code = attest.rows(commune.office)[0].code
    answer = app_of(commune).test_client().get(f"/xac-nhan?tram={UNIT}&ma={code}")
    assert answer.status_code == 303
    to = parse_qs(urlsplit(answer.headers["Location"]).query)["tiep"]
    assert to == [f"/xac-nhan?tram={UNIT}&ma={code}"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ma=05-4821", "Mã có tám chữ số"),
        ("ma=00-0000-01", "Mã sai một chữ số"),
        ("tram=vn.yb.04402&ma={code}", "Tờ lịch này của trạm khác"),
        ("ma={other}", "không có lượt phát nào mang mã này"),
    ],
)
def test_a_code_that_opens_nothing_says_why_and_shows_the_list(query: str, said: str) -> None:
    commune = fm_commune()
    row = attest.rows(commune.office)[0]
    other = slot_code(replace(row.slot, day=row.slot.day + 40))
    path = f"/xac-nhan?{query.format(code=row.code, other=other)}"
    text = signed_in(commune).get(path).get_data(as_text=True)
    assert said in text
    assert row.code in text


def test_an_address_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(StoreError, match="page_url"):
        replace(World().config, page_url="loa.lan")
