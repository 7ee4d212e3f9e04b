"""Orders and all-clears as CAP 1.2 files: valid by the OASIS schema, always the same, read back exactly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hub_house import DAY, MORNING, PROVINCE, TU_LE, House
from hypothesis import example, given
from hypothesis import strategies as st
from test_cap_reading import valid

from hub.cap.files import all_clear_file, order_file, own_sender
from hub.cap.mapping import CATEGORY_OF, GRADES, kind_of
from hub.cap.proposing import propose
from hub.cap.reading import read_alert
from hub.cap.values import Info
from hub.cap.writing import HEADLINE_CHARS_MAX, alert_of, cancel_of, event_id_of, identifier
from hub.media import accept_text
from hub.schedules import EMERGENCY_CODES, EMERGENCY_KINDS
from ledger.facts import TEXT_CHARS_MAX, Cancelled, EmergencyOrdered, Target
from ledger.log import NotAllowed

ORDER = EmergencyOrdered(
    ts=MORNING, series=7, kind="xa-lu", level=2, drill=False, manifest=bytes(32),
    text="Hồ Thác Bà xả lũ lúc 9 giờ.\nKhông xuống sông.", territory=TU_LE, not_before=MORNING,
    expires_at=MORNING + 7_200, max_plays=1,
)  # fmt: skip
CLEAR = Cancelled(MORNING + 600, int(Target.SERIES), None, 7, TU_LE, "Đã đóng cửa xả.")
ID, CLEAR_ID = bytes(range(16)), bytes(range(1, 17))
SAYS = {"sender": "loa.vn.yb.0011223344556677", "sender_name": "Yên Bái", "area": "Xã Tú Lệ"}


def words(text: str) -> bool:
    try:
        return accept_text(text, what="text", chars_max=TEXT_CHARS_MAX) == text != ""
    except NotAllowed:
        return False


orders = st.builds(
    lambda kind, level, drill, text, unit, life: replace(
        ORDER, kind=kind, level=level, drill=drill, text=text, territory=unit, expires_at=MORNING + life
    ),
    st.sampled_from(sorted(EMERGENCY_CODES)),
    st.integers(1, 3),
    st.booleans(),
    st.text(min_size=1, max_size=200).map(str.strip).filter(words),
    st.sampled_from([PROVINCE, TU_LE, "vn.yb.04441"]),
    st.integers(1, 86_400),
)


def test_the_tables_know_every_kind_and_level_of_ours() -> None:
    assert set(CATEGORY_OF) == EMERGENCY_CODES
    assert set(GRADES) == {1, 2, 3}


@given(orders, st.text(max_size=300), st.booleans())
@example(replace(ORDER, text="Một.\n\n Hai."), "\x00\ufffe & <x> ]]>", True)
@example(replace(ORDER, text="A" * TEXT_CHARS_MAX), "Y" * 300, False)
def test_what_a_hub_writes_another_hub_reads_exactly(
    order: EmergencyOrdered, area: str, english: bool
) -> None:
    data = alert_of(order, ID, **(SAYS | {"area": area or "?"}), english="Go up." if english else "")
    assert valid(data)
    alert = read_alert(data)
    assert (alert.sent, alert.msg_type, alert.identifier) == (order.ts, "Alert", identifier(ID))
    assert event_id_of(alert.identifier) == ID
    got = propose(alert, territory="vn", units=[PROVINCE, TU_LE, "vn.yb.04441"], now=MORNING)
    assert (got.kind, got.level, got.drill, got.text) == (order.kind, order.level, order.drill, order.text)
    assert got.territories == (order.territory,)
    assert got.ends == order.expires_at
    assert got.hours == max(1, (order.expires_at - MORNING) // 3600)
    assert [one.language for one in alert.infos] == ["vi-VN", "en-US"][: 2 if english else 1]
    assert set(got.notes) <= {"hour-longer", "languages-left"}


@given(orders, st.text(min_size=1, max_size=100).map(str.strip).filter(words))
def test_an_all_clear_is_a_cancel_that_names_the_orders_alert(order: EmergencyOrdered, reason: str) -> None:
    data = cancel_of(replace(CLEAR, reason=reason), CLEAR_ID, order, ID, **SAYS)
    assert valid(data)
    alert, first = read_alert(data), read_alert(alert_of(order, ID, **SAYS))
    assert alert.msg_type == "Cancel"
    assert alert.references == (first.reference,)
    assert alert.identifier != first.identifier
    assert alert.status == first.status
    assert alert.infos[0].description == reason


def test_the_same_order_gives_the_same_bytes_and_another_a_name_of_its_own() -> None:
    assert alert_of(ORDER, ID, **SAYS) == alert_of(ORDER, ID, **SAYS)
    assert read_alert(alert_of(ORDER, CLEAR_ID, **SAYS)).identifier != identifier(ID)


def test_times_are_said_in_vietnams_zone() -> None:
    data = alert_of(ORDER, ID, **SAYS).decode()
    assert "<sent>2022-11-09T08:00:00+07:00</sent>" in data
    assert "<onset>2022-11-09T08:00:00+07:00</onset>" in data
    assert "<expires>2022-11-09T10:00:00+07:00</expires>" in data


def test_a_drill_is_an_exercise_in_its_status_its_note_and_its_headline() -> None:
    drill = read_alert(alert_of(replace(ORDER, drill=True), ID, **SAYS, english="Go up."))
    assert (drill.status, drill.note) == ("Exercise", "DIỄN TẬP")
    assert drill.infos[0].headline.startswith("DIỄN TẬP. ")
    assert drill.infos[1].headline.startswith("DRILL. ")
    real = read_alert(alert_of(ORDER, ID, **SAYS))
    assert (real.status, real.note) == ("Actual", "")
    assert "DIỄN TẬP" not in real.infos[0].headline


def test_a_headline_stays_as_short_as_the_standard_recommends() -> None:
    long = read_alert(alert_of(ORDER, ID, **(SAYS | {"area": "Đ" * 400})))
    assert len(long.infos[0].headline) == HEADLINE_CHARS_MAX


@pytest.mark.parametrize(
    ("event", "category", "kind"),
    [
        ("Lũ quét", "Met", "lu-quet"),
        ("Hồ Thác Bà xả lũ", "Met", "xa-lu"),
        ("Tin bão khẩn cấp", "Met", "bao-lu"),
        ("Cảnh báo cháy rừng cấp V", "Met", "chay-rung"),
        ("Động đất 4,9 độ", "Geo", "dong-dat"),
        ("Flash flood warning", "Met", "lu-quet"),
        ("Cảnh báo", "Health", "dich-benh"),
        ("Cảnh báo", "Fire", "chay-rung"),
        ("Cảnh báo", "Geo", "khac"),
        ("Thông báo", "Other", "khac"),
    ],
)
def test_a_strangers_event_finds_its_situation_by_words_then_by_category(
    event: str, category: str, kind: str
) -> None:
    assert kind_of(Info((category,), event, "Immediate", "Severe", "Likely")) == kind


def test_every_word_of_ours_finds_its_own_situation_even_without_our_code() -> None:
    for kind, word in EMERGENCY_KINDS:
        info = Info(CATEGORY_OF[kind], word, "Immediate", "Severe", "Likely")
        assert kind_of(info) == kind, word


# -- from the ledger -----------------------------------------------------------------------------------------


def ordered(house: House, **more: object) -> int:
    fields: dict[str, object] = {
        "kind": "lu-quet", "level": 3, "text": "Lên chỗ cao.", "territory": TU_LE, "drill": True,
    } | more  # fmt: skip
    return house.hub.commands.order_emergency(house.approver, now=house.now, **fields)  # type: ignore[arg-type]


def test_an_orders_file_names_the_signed_event() -> None:
    house = House("cap")
    series = ordered(house)
    alert = read_alert(order_file(house.hub, series))
    (order,) = house.hub.facts.emergencies[series]
    assert event_id_of(alert.identifier) == order.signed.id
    assert alert.sender == own_sender(house.hub)
    assert alert.infos[0].areas[0].desc == "Xã Tú Lệ"
    assert house.restart()
    assert read_alert(order_file(house.hub, series)) == alert


def test_only_an_all_clear_for_the_whole_territory_is_a_cancel() -> None:
    house = House("cap-clear")
    series = ordered(house, territory=PROVINCE)
    assert all_clear_file(house.hub, series) is None
    part = Cancelled(house.now, int(Target.SERIES), None, series, TU_LE, "Ở đây đã qua.")
    house.hub.ledger.append_sealed(house.approver.key, part.encode())
    assert house.hub.facts.cancels[series]
    assert all_clear_file(house.hub, series) is None
    house.hub.commands.cancel_emergency(house.approver, series, reason="Đã qua.", now=house.now)
    data = all_clear_file(house.hub, series)
    assert data is not None
    assert valid(data)
    assert read_alert(data).references == (read_alert(order_file(house.hub, series)).reference,)


def test_a_series_that_is_no_emergency_has_no_file() -> None:
    house = House("cap-none")
    series = house.scheduled(days=[DAY])
    with pytest.raises(NotAllowed) as caught:
        order_file(house.hub, series)
    assert caught.value.code == "series-unknown"
