"""Reports: every slot owed stands in exactly one column, and the same figures come again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hub_house import (
    DAY,
    EVENING,
    PROVINCE,
    TU_LE,
    VIET_THANH,
    XUAN_AI,
    YEN_THINH,
    Box,
    House,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cli import hub as command
from hub.media import Upload
from hub.report_rows import Ask, Report
from hub.report_tables import FM, IT
from hub.reporting import ask_for, report, report_at
from ledger.facts import Detail, Evidence, FeedbackReceived, Means, Outcome, at, slot_at
from ledger.log import NotAllowed

QUERIES_MAX = 12  # of one report, whatever it is about


def asked(house: House, **more: Any) -> Ask:
    fields: dict[str, Any] = {"first_day": DAY, "last_day": DAY + 2, "territory": PROVINCE, "now": house.now}
    return ask_for(house.hub, **(fields | more))


def figures(found: Report) -> dict[str, int]:
    return {str(name): int(count) for name, count in found.table("totals").rows}


def lively(seed: str = "report") -> tuple[House, dict[str, Box], int]:
    """Three days of a programme at 17:00: Tú Lệ plays, Xuân Ái loses power, Việt Thành says nothing, and in
    Yên Thịnh somebody is asked by telephone.
    """
    house = House(seed)
    boxes = {unit: house.station(unit) for unit in (TU_LE, XUAN_AI)}
    series = house.scheduled(days=[DAY, DAY + 1, DAY + 2])
    for box in boxes.values():
        box.sync()
    house.now = at(DAY + 3, 9 * 60)
    for day in (DAY, DAY + 1):
        boxes[TU_LE].ack(series, day, played_ds=600, evidence=int(Evidence.HEARD))
    boxes[TU_LE].ack(series, DAY + 2, outcome=int(Outcome.PARTIAL), played_ds=155)
    boxes[XUAN_AI].ack(
        series, DAY, outcome=int(Outcome.MISSED), detail=int(Detail.POWER), played_ds=0, evidence=0
    )
    for box in boxes.values():
        box.sync()
    slot = slot_at(house.hub.facts, YEN_THINH, series, DAY)
    assert slot is not None
    house.hub.commands.attest(
        house.editor, YEN_THINH, series=series, day=DAY, content=slot.manifest[:16],
        outcome=int(Outcome.PLAYED), began_at=slot.start_s, played_ds=40, means=int(Means.TELEPHONE),
        said_by="Bà Mỷ", now=house.now,
    )  # fmt: skip
    house.hub.tick()
    return house, boxes, series


def test_every_owed_slot_of_a_station_is_in_exactly_one_column() -> None:
    house, _, _ = lively()
    found = report(house.hub, asked(house))
    stations = {
        row[0]: dict(zip(("unit", "name", *IT), row, strict=True)) for row in found.table("stations").rows
    }
    assert sorted(stations) == sorted([TU_LE, XUAN_AI, VIET_THANH])
    assert [stations[TU_LE][one] for one in ("owed", "played", "partial", "unknown")] == [3, 2, 1, 0]
    assert [stations[XUAN_AI][one] for one in ("owed", "missed", "unknown")] == [3, 1, 2]
    assert [stations[VIET_THANH][one] for one in ("owed", "played", "unknown")] == [3, 0, 3]
    assert stations[TU_LE]["seconds"] == 136  # 60 + 60 + 15.5
    for row in stations.values():
        assert row["owed"] == sum(int(row[one]) for one in IT if one not in ("owed", "seconds"))


def test_what_nobody_reported_is_unknown_and_never_played() -> None:
    house, _, _ = lively()
    counted = figures(report(house.hub, asked(house)))
    assert counted["it_owed"] == 9
    assert counted["it_played"] == 2
    assert counted["it_unknown"] == 5


def test_a_persons_word_about_an_fm_station_stands_apart() -> None:
    house, _, _ = lively()
    found = report(house.hub, asked(house))
    (row,) = found.table("fm").rows
    assert dict(zip(("unit", "name", *FM), row, strict=True)) == {
        "unit": YEN_THINH, "name": "Phường Yên Thịnh", "owed": 3, "said_played": 1, "said_partial": 0,
        "said_missed": 0, "own": 0, "unsaid": 2,
    }  # fmt: skip
    assert figures(found)["it_attested"] == 0
    assert found.table("evidence").figure("heard", "slots") == 2, "a word is no evidence of a machine"


def test_causes_categories_and_bulletins_come_to_the_same_sums() -> None:
    house, _, _ = lively()
    found = report(house.hub, asked(house))
    assert found.table("causes").rows == (("power", 1, 1),)
    for name in ("categories", "bulletins"):
        table = found.table(name)
        (row,) = table.rows
        line = dict(zip(table.columns, row, strict=True))
        listed = ("owed", "played", "partial", "missed", "unknown", "fm_owed", "fm_said")
        assert [line[one] for one in listed] == [
            9, 2, 1, 1, 5, 3, 1,
        ]  # fmt: skip
    assert found.table("categories").figure("chay-no", "approved") == 1
    ((unit, name, start_s, title, outcome, cause),) = found.table("missed").rows
    assert (unit, name, outcome, cause) == (XUAN_AI, "Xã Xuân Ái", "missed", "power")
    assert (start_s, title) == (at(DAY, EVENING), "Phòng cháy, chữa cháy rừng mùa hanh khô")


def test_a_report_narrowed_to_a_category_counts_its_slots_alone() -> None:
    house, boxes, _ = lively()
    other = house.approved(
        title="Tiêm phòng", category="y-te", valid_from_day=DAY + 3, valid_until_day=DAY + 9
    )
    late = house.scheduled(other, days=[DAY + 4], minute=EVENING + 30)
    boxes[TU_LE].sync()
    house.now = at(DAY + 5, 0)
    boxes[TU_LE].ack(late, DAY + 4)
    boxes[TU_LE].sync()
    house.hub.tick()
    wide = figures(report(house.hub, asked(house, last_day=DAY + 4)))
    narrow = report(house.hub, asked(house, last_day=DAY + 4, category="y-te"))
    assert (wide["it_owed"], figures(narrow)["it_owed"], figures(narrow)["it_played"]) == (12, 3, 1)
    assert [row[0] for row in narrow.table("categories").rows] == ["y-te"]
    assert "emergencies" not in [table.name for table in narrow.tables]
    one = report(house.hub, asked(house, last_day=DAY + 4, campaign="Tiêm chủng", bulletins=[other]))
    assert figures(one)["it_owed"] == 3


def test_a_report_of_some_stations_has_those_alone() -> None:
    house, _, _ = lively()
    found = report(house.hub, asked(house, group="mang-a", units=[TU_LE, YEN_THINH]))
    assert [row[0] for row in found.table("stations").rows] == [TU_LE]
    assert [row[0] for row in found.table("fm").rows] == [YEN_THINH]
    assert figures(report(house.hub, asked(house, territory=XUAN_AI)))["it_owed"] == 3


def test_emergencies_and_drills_have_their_own_lines_and_are_no_part_of_the_programme() -> None:
    house, boxes, _ = lively()
    before = figures(report(house.hub, asked(house)))["it_owed"]
    order = house.hub.commands.order_emergency(
        house.approver, kind="khac", level=2, text="Diễn tập.", territory=PROVINCE, drill=True, now=house.now
    )
    boxes[TU_LE].sync()
    boxes[TU_LE].ack(order, DAY + 3, ts=house.now + 5, played_ds=300)
    boxes[TU_LE].sync()
    house.later(10)
    house.hub.commands.cancel_emergency(house.approver, order, reason="Báo yên", now=house.now)
    house.now = at(DAY + 4, 60)
    house.hub.tick()
    found = report(house.hub, asked(house, last_day=DAY + 3))
    table = found.table("emergencies")
    line = dict(zip(table.columns, table.rows[0], strict=True))
    assert (line["drill"], line["targets"], line["reached"], line["unknown"], line["ended"]) == (
        1,
        3,
        1,
        2,
        1,
    )
    assert (line["fm_owed"], line["fm_said"]) == (1, 0)
    assert figures(found)["it_owed"] == before
    assert figures(found)["deeds_cancelled"] == 0, "an all-clear is no withdrawn programme"


def test_documents_feedback_and_withdrawals_are_counted_by_the_day_they_were_signed() -> None:
    house, boxes, _ = lively()
    house.hub.commands.issue_document(
        house.approver, kind="directive", number="15/CV", issuer="Sở", issued_day=DAY, title="Tuyên truyền",
        summary="", category="khac", file=Upload(b"%PDF-1.4 little"),
        territory=PROVINCE, due_day=None, now=house.now,
    )  # fmt: skip
    name = hashlib.sha256(b"x").digest()[:16]
    boxes[TU_LE].report(FeedbackReceived(house.now, name, "Đường sá", "Đường sạt lở.", "").encode())
    boxes[TU_LE].sync()
    house.hub.tick()
    house.hub.commands.answer_feedback(
        house.approver, name.hex(), TU_LE, "Đã giao xã sửa.", closed=False, now=house.now
    )
    gone = house.approved(title="Tin cũ", valid_until_day=DAY + 9)
    house.hub.commands.withdraw(house.approver, gone, reason="Sai số điện thoại", now=house.now)
    house.now = at(DAY + 4, 60)
    found = report(house.hub, asked(house, last_day=DAY + 3))
    ((_, number, title, _, state, asks, communes, read),) = found.table("documents").rows
    assert (number, title, state, asks, communes, read) == ("15/CV", "Tuyên truyền", "standing", 1, 4, 0)
    assert found.table("feedback").rows == (("Đường sá", 1, 1, 0, 0),)
    ((_, what, title, reason, stations, removed, already),) = found.table("withdrawals").rows
    assert (what, title, reason) == ("withdrawn", "Tin cũ", "Sai số điện thoại")
    assert (stations, removed, already) == (3, 0, 0)
    earlier = report(house.hub, asked(house, last_day=DAY + 2))
    assert not earlier.table("documents").rows
    assert not earlier.table("withdrawals").rows


def test_a_day_that_is_not_over_is_not_counted_and_one_that_has_not_begun_is_refused() -> None:
    house, _, _ = lively()
    assert asked(house, last_day=DAY + 90).last_day == DAY + 2
    with pytest.raises(NotAllowed) as caught:
        asked(house, first_day=DAY + 3, last_day=DAY + 90)
    assert caught.value.code == "period-ahead"
    with pytest.raises(NotAllowed) as caught:
        asked(house, first_day=DAY + 1, last_day=DAY)
    assert caught.value.code == "period-range"


def test_the_digest_is_the_same_from_rebuilt_views_and_from_a_new_process() -> None:
    house, _, _ = lively()
    ask = asked(house)
    first = report(house.hub, ask)
    house.hub.rebuild()
    assert report(house.hub, ask).canonical() == first.canonical()
    again = report(house.restart(), ask)
    assert (again.digest, again.position, again.trail) == (first.digest, first.position, first.trail)
    assert hashlib.sha256(first.canonical()).hexdigest() == first.digest


def test_a_report_of_an_earlier_position_comes_out_as_it_did_then() -> None:
    house, boxes, series = lively()
    ask = asked(house)
    then = report(house.hub, ask)
    boxes[XUAN_AI].ack(series, DAY + 1)
    boxes[XUAN_AI].sync()
    slot = slot_at(house.hub.facts, YEN_THINH, series, DAY)
    assert slot is not None
    house.hub.commands.attest(
        house.editor, YEN_THINH, series=series, day=DAY, content=slot.manifest[:16],
        outcome=int(Outcome.MISSED), began_at=None, played_ds=0, means=int(Means.PAPER), said_by="Ông Páo",
        now=house.now + 60,
    )  # fmt: skip
    house.hub.commands.cancel_schedule(house.approver, series, reason="Thôi", now=house.now)
    house.hub.tick()
    now = report(house.hub, ask)
    assert now.digest != then.digest
    made = report_at(house.hub, ask, then.position)
    assert made.canonical() == then.canonical()
    assert (made.position, made.trail, made.head) == (then.position, then.trail, then.head)
    assert report_at(house.hub, ask, now.position).canonical() == now.canonical()
    with pytest.raises(NotAllowed) as caught:
        report_at(house.hub, ask, house.hub.ledger.position() + 1)
    assert caught.value.code == "position-unknown"


def test_the_head_of_the_hubs_own_log_and_the_trail_say_where_the_report_stands() -> None:
    house, _, _ = lively()
    found = report(house.hub, asked(house))
    assert found.position == house.hub.ledger.position()
    assert found.trail == house.hub.ledger.hash_at(found.position)
    assert found.head is not None
    log_id, next_seq, head_hash = found.head
    held = {ref.log_id: head for ref, head in house.hub.ledger.frontier(house.hub.key.key_id).items()}
    assert (held[log_id].next_seq, held[log_id].hash) == (next_seq, head_hash)


@pytest.mark.parametrize("days", [1, 3])
def test_a_report_asks_a_bounded_number_of_questions(days: int) -> None:
    house, _, _ = lively(f"queries-{days}")
    asked_sql: list[str] = []
    house.hub.projections.db.conn.set_trace_callback(asked_sql.append)
    report(house.hub, asked(house, last_day=DAY + days - 1))
    house.hub.projections.db.conn.set_trace_callback(None)
    assert 3 < len(asked_sql) <= QUERIES_MAX, asked_sql


REPORTED = st.dictionaries(
    st.tuples(st.sampled_from([TU_LE, XUAN_AI, VIET_THANH]), st.integers(0, 3)),
    st.tuples(st.sampled_from(Outcome), st.sampled_from([Detail.NONE, Detail.POWER, Detail.DEVICE])),
    max_size=12,
)


@given(reported=REPORTED, days=st.sets(st.integers(0, 2), min_size=1))
@settings(max_examples=25, deadline=None)
def test_a_report_agrees_with_the_summaries_of_its_days(
    reported: dict[tuple[str, int], tuple[Outcome, Detail]], days: set[int]
) -> None:
    house = House("agree")
    boxes = {unit: house.station(unit) for unit in (TU_LE, XUAN_AI, VIET_THANH)}
    series = house.scheduled(days=[DAY + day for day in sorted(days)])
    house.now = at(DAY + 4, 0)
    for (unit, day), (outcome, detail) in reported.items():
        boxes[unit].ack(
            series,
            DAY + day,
            ts=at(DAY + day, EVENING),
            outcome=int(outcome),
            detail=int(detail),
            played_ds=10,
        )
    for box in boxes.values():
        box.sync()
    house.hub.tick()
    found = figures(report(house.hub, asked(house, last_day=DAY + 3)))
    daily = [house.hub.queries.summary(DAY + day) for day in range(4)]
    assert found["it_owed"] == sum(day.planned for day in daily)
    assert found["beyond"] == sum(day.unplanned for day in daily)
    names = {"late": "played_late"}
    for column in IT:
        if column in ("owed", "seconds", "attested", "unknown"):
            continue
        said = sum(day.outcomes.get(names.get(column, column), 0) for day in daily)
        assert found[f"it_{column}"] == said, column
    unknown = sum(day.unreported + day.outcomes.get("unknown", 0) for day in daily)
    assert found["it_unknown"] == unknown


def test_the_canonical_text_is_lines_that_untrusted_words_cannot_break() -> None:
    house = House("lines")
    sneaky = Ask(DAY, DAY, PROVINCE, group="a\tb\nc\\d")
    text = report(house.hub, sneaky).canonical().decode()
    assert "group\ta\\tb\\nc\\\\d\t" in text.split("\n")
    assert text.startswith("loa-report 1\nperiod\t2022-11-09\t2022-11-09\nterritory\tvn.yb\n")


def test_the_command_writes_the_report_and_prints_the_digest_that_sha256sum_gives(tmp_path: Path) -> None:
    folder, run = str(tmp_path / "hub"), CliRunner().invoke
    assert run(command, ["init", "--dir", folder, "--cheap-kdf", "--password", "quantri-2022"]).exit_code == 0
    first = [str(tmp_path / "one.txt"), "--dir", folder, "2022-10-01", "2022-12-31"]
    done = run(command, ["report", *first[1:], first[0]])
    assert done.exit_code == 0, done.output
    digest, _, position = done.output.split()[:3]
    assert hashlib.sha256((tmp_path / "one.txt").read_bytes()).hexdigest() == digest
    again = run(command, ["report", *first[1:], "--at", position.rstrip(","), "--format", "csv", first[0]])
    assert again.output.split()[0] == digest
    assert (tmp_path / "one.txt").read_bytes().startswith(b"\xef\xbb\xbf")
    bad = run(command, ["report", "--dir", folder, "2022-10", "2022-12-31", first[0]])
    assert bad.exit_code != 0
    assert "period-range" in bad.output


def test_the_spec_shows_the_text_that_the_code_writes() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spec" / "report.md").read_text("utf-8")
    house, _, _ = lively()
    shown = page.split("```\n")[1]
    lines = report(house.hub, asked(house)).canonical().decode().split("\n")
    for line in shown.strip().split("\n"):
        if line != "…":
            assert line in lines, line
