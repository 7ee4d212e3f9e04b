"""What people may do at the hub, and what they are told when they may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hub_house import DAY, EVENING, PROVINCE, SOUND, TU_LE, XUAN_AI, YEN_THINH, House

from hub import Officer
from hub.stations import QuietHours, StationRecord, quiet_id, station_id
from ledger.facts import Approved, EmergencyOrdered, Scheduled, at, days_of, parse
from ledger.log import LoaError, NotAllowed
from ledger.recorder import Decisions
from ledger.spoken import read_aloud, reading_s


@pytest.fixture
def house() -> House:
    return House()


def code_of(act: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(LoaError) as refused:
        act(*args, **kwargs)
    return refused.value.code


def officer_of(house: House, account: str, role: str, territory: str) -> Officer:
    """One more person, with a territory of their own."""
    house.hub.commands.create_account(
        house.admin,
        account=account,
        name=account,
        role=role,
        territory=territory,
        password="mat-khau-dai",
        now=house.now,
    )
    found = house.hub.accounts.login(account, "mat-khau-dai", now=house.now)
    assert found is not None
    return found


# -- the walk of a bulletin
# --------------------------------------------------------------------------------------


def test_a_bulletin_walks_from_the_editor_over_the_approver_to_the_plan(house: House) -> None:
    series = house.scheduled(house.approved())
    row = house.hub.queries.series(series)
    assert (row.kind, row.days, row.minute, row.state, row.length_s) == (
        "schedule",
        (DAY,),
        EVENING,
        "active",
        4,
    )
    facts = house.hub.facts
    assert [one.fact.series for one in facts.schedules[series]] == [series]
    assert facts.refused == []


def test_the_decision_in_the_ledger_is_the_officers_and_stands_alone(house: House) -> None:
    house.approved()
    lone = [
        stored.segment
        for stored in house.hub.ledger.since(0)
        if isinstance(parse(stored.segment.events[0]), Approved)
    ]
    (segment,) = lone
    assert len(segment.events) == 1
    assert segment.head.key_id == house.approver.key.key_id


def test_an_officer_sees_the_own_act_at_once(house: House) -> None:
    bulletin = house.draft()
    assert house.hub.queries.bulletin(bulletin).row.state == "draft"
    house.hub.commands.submit(house.editor, bulletin, now=house.now)
    assert [row.id for row in house.hub.queries.queue()] == [bulletin]


def test_a_revision_keeps_the_recording_unless_told_otherwise(house: House) -> None:
    bulletin = house.draft()
    fields: dict[str, Any] = {
        "title": "Tiêu đề mới",
        "category": "y-te",
        "klass": 2,
        "territory": PROVINCE,
        "valid_from_day": DAY,
        "valid_until_day": DAY,
        "text": "Nội dung mới",
    }
    before = house.hub.queries.bulletin(bulletin)
    assert house.hub.commands.revise_bulletin(house.editor, bulletin, version=1, now=house.now, **fields) == 2
    kept = house.hub.queries.bulletin(bulletin)
    assert kept.audio_sha256 == before.audio_sha256
    assert kept.row.manifest != before.row.manifest
    house.hub.commands.revise_bulletin(
        house.editor, bulletin, version=2, keep_audio=False, now=house.now, **fields
    )
    assert not house.hub.queries.bulletin(bulletin).row.has_audio


def test_who_wrote_a_bulletin_does_not_approve_it(house: House) -> None:
    """The roles keep the two apart; somebody who holds both rights by two accounts is kept apart by the
    key.
    """
    bulletin = house.submitted()
    both = replace(house.approver, key=house.editor.key)
    row = house.hub.queries.bulletin(bulletin).row
    # The editor's key has no right to approve: the ledger says no before the aggregate is even asked.
    approve = house.hub.commands.approve
    assert code_of(approve, both, bulletin, version=1, manifest=row.manifest, now=house.now) == "no-right"


def test_an_approval_names_what_the_approver_saw(house: House) -> None:
    bulletin = house.submitted()
    seen = house.hub.queries.bulletin(bulletin).row
    approve = house.hub.commands.approve
    other = "00" * 32
    assert (
        code_of(approve, house.approver, bulletin, version=1, manifest=other, now=house.now)
        == "content-changed"
    )
    assert (
        code_of(approve, house.approver, bulletin, version=1, manifest="abc", now=house.now)
        == "content-changed"
    )
    approve(house.approver, bulletin, version=1, manifest=bytes.fromhex(seen.manifest), now=house.now)
    assert house.hub.queries.bulletin(bulletin).row.state == "approved"


def test_a_refused_command_leaves_nothing_in_the_ledger(house: House) -> None:
    bulletin = house.draft()
    position = house.segments()
    for act in (
        lambda: house.approve(bulletin),
        lambda: house.scheduled(bulletin),
        lambda: house.hub.commands.return_bulletin(house.approver, bulletin, reason="x", now=house.now),
        lambda: house.hub.commands.withdraw(house.editor, bulletin, reason="x", now=house.now),
    ):
        assert code_of(act)
    assert house.segments() == position


def test_unknown_things_are_named_as_unknown(house: House) -> None:
    commands = house.hub.commands
    for name in ("", "xyz", "00", "00" * 16):
        assert code_of(commands.submit, house.editor, name, now=house.now) == "bulletin-unknown"
    assert code_of(commands.cancel, house.approver, 77, reason="x", now=house.now) == "series-unknown"
    assert code_of(commands.new_station_token, house.admin, "vn.yb.9", now=house.now) == "station-unknown"
    assert code_of(commands.disable_account, house.admin, "ai-do", now=house.now) == "account-unknown"


# -- who may
# -----------------------------------------------------------------------------------------------------


def the_acts(house: House) -> dict[str, Callable[[Officer], Any]]:
    """Every kind of act over the whole province, as one person would try it."""
    commands, now = house.hub.commands, house.now
    approved, waiting, drafted = house.approved(), house.submitted(), house.draft()
    series = house.scheduled(approved)
    seen = house.hub.queries.bulletin(waiting).row
    places = {"territory": PROVINCE, "valid_from_day": DAY, "valid_until_day": DAY}
    text = {"title": "A", "category": "khac", "klass": 2, "text": "B"}
    return {
        "draft": lambda who: commands.draft_bulletin(who, now=now, **text, **places),
        "submit": lambda who: commands.submit(who, drafted, now=now),
        "approve": lambda who: commands.approve(who, waiting, version=1, manifest=seen.manifest, now=now),
        "schedule": lambda who: commands.schedule(
            who, approved, territory=PROVINCE, days=[DAY], minute=EVENING, now=now
        ),
        "emergency": lambda who: commands.order_emergency(
            who, kind="chay-rung", level=1, text="Cháy", territory=PROVINCE, now=now
        ),
        "cancel": lambda who: commands.cancel(who, series, reason="x", now=now),
        "withdraw": lambda who: commands.withdraw(who, approved, reason="x", now=now),
        "register": lambda who: commands.register_station(who, "vn.yb.5", "Xã Năm", "it", now=now),
        "quiet": lambda who: commands.set_quiet_hours(who, PROVINCE, 0, 300, now=now),
        "token": lambda who: commands.new_station_token(who, TU_LE, now=now),
        "account": lambda who: commands.create_account(
            who,
            account="moi",
            name="Mới",
            role="editor",
            territory=PROVINCE,
            password="mat-khau-dai",
            now=now,
        ),
        "disable": lambda who: commands.disable_account(who, "bientap", now=now),
    }


MAY = {
    "bientap": {"draft", "submit", "schedule"},
    "lanhdao": {"approve", "schedule", "emergency", "cancel", "withdraw"},
    "admin": {"register", "quiet", "token", "account", "disable"},
}


@pytest.mark.parametrize("account", sorted(MAY))
def test_each_role_does_its_own_acts_and_no_others(account: str) -> None:
    house = House()
    officer = house.officer(account)
    for name, act in the_acts(house).items():
        if name in MAY[account]:
            act(officer)
        else:
            assert code_of(act, officer) == "no-right", name


def test_an_officer_of_one_commune_does_not_act_for_another_or_for_the_province(house: House) -> None:
    boss = officer_of(house, "tu-le", "approver", TU_LE)
    order: dict[str, Any] = {"kind": "chay-rung", "level": 3, "text": "Cháy", "now": house.now}
    for territory in (XUAN_AI, PROVINCE, "vn", "vn.y", "vn.yb.0463"):
        act = house.hub.commands.order_emergency
        assert code_of(act, boss, territory=territory, **order) == "no-right", territory
    assert house.hub.commands.order_emergency(boss, territory=TU_LE, **order)
    assert code_of(house.hub.commands.order_emergency, boss, territory="", **order) == "territory-unknown"
    assert (
        code_of(house.hub.commands.order_emergency, boss, territory="Yên Bái", **order) == "territory-unknown"
    )


def test_an_administrator_of_a_part_grants_only_there(house: House) -> None:
    local = officer_of(house, "quan-tri-xa", "admin", TU_LE)
    more: dict[str, Any] = {"name": "X", "role": "approver", "password": "mat-khau-dai", "now": house.now}
    create = house.hub.commands.create_account
    assert code_of(create, local, account="a1", territory=PROVINCE, **more) == "no-right"
    create(local, account="a2", territory=TU_LE, **more)
    boss = house.hub.accounts.login("a2", "mat-khau-dai", now=house.now)
    assert boss is not None
    house.hub.commands.order_emergency(
        boss, kind="chay-rung", level=1, text="Cháy", territory=TU_LE, now=house.now
    )
    assert house.hub.facts.refused == []


def test_approving_and_ordering_an_emergency_need_a_password_typed_just_now(house: House) -> None:
    boss = house.approver
    bulletin = house.submitted()
    row = house.hub.queries.bulletin(bulletin).row
    house.later(house.config.proof_s + 1)
    approve = house.hub.commands.approve
    assert code_of(approve, boss, bulletin, version=1, manifest=row.manifest, now=house.now) == "proof-needed"
    order: dict[str, Any] = {"kind": "chay-rung", "level": 1, "text": "Cháy", "territory": PROVINCE}
    assert code_of(house.hub.commands.order_emergency, boss, now=house.now, **order) == "proof-needed"
    fresh = house.hub.accounts.prove(boss, "lanhdao-2022", now=house.now)
    approve(fresh, bulletin, version=1, manifest=row.manifest, now=house.now)
    house.hub.commands.order_emergency(fresh, now=house.now, **order)


# -- words
# -------------------------------------------------------------------------------------------------------


def test_text_is_kept_in_one_form_of_unicode(house: House) -> None:
    bulletin = house.draft(title="  Phòng   cháy  ", text="Dòng một\r\nDòng hai\t.")
    page = house.hub.queries.bulletin(bulletin)
    assert page.row.title == "Phòng cháy"
    assert page.text == "Dòng một\nDòng hai ."


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("title", "", "text-empty"),
        ("title", " \n ", "text-empty"),
        ("title", "x" * 201, "text-too-long"),
        ("title", "A\u202eB", "text-not-allowed"),
        ("title", "A\u200bB", "text-not-allowed"),
        ("text", "A\x00B", "text-not-allowed"),
        ("text", "A\u2067B", "text-not-allowed"),
        ("text", "x" * 20_001, "text-too-long"),
        ("category", "", "text-empty"),
        ("text", "\ud800", "text-not-allowed"),
    ],
)
def test_text_that_would_deceive_or_break_is_refused(house: House, field: str, text: str, code: str) -> None:
    assert code_of(house.draft, **{field: text}) == code


def test_a_bulletin_without_words_and_without_sound_is_refused(house: House) -> None:
    assert code_of(house.draft, text="", audio=None) == "text-empty"
    assert house.draft(text="")
    assert house.draft(audio=None)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"klass": 4}, "klass-range"),
        ({"klass": -1}, "klass-range"),
        ({"valid_until_day": DAY - 1}, "days-range"),
        ({"valid_from_day": -1}, "days-range"),
        ({"audio": b""}, "audio-empty"),
        ({"audio": b"<html>not a sound</html>"}, "audio-type"),
        ({"audio": b"RIFF\x00\x00\x00\x00WAVEjunk"}, "audio-empty"),
    ],
)
def test_a_draft_out_of_range_is_refused(house: House, more: dict[str, Any], code: str) -> None:
    assert code_of(house.draft, **more) == code


def test_a_recording_larger_than_allowed_is_refused() -> None:
    house = House(limits={"audio_bytes_max": 1_000})
    assert code_of(house.draft, audio=SOUND) == "audio-too-large"


# -- the plan
# ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"days": []}, "days-empty"),
        ({"days": [DAY - 1]}, "outside-approval"),
        ({"days": [DAY, DAY + 31]}, "outside-approval"),
        ({"days": [DAY, DAY + 400]}, "days-range"),
        ({"minute": -1}, "minute-range"),
        ({"minute": 1440}, "minute-range"),
        ({"length_s": 0}, "minute-range"),
        ({"late_s": 90_000}, "minute-range"),
        ({"territory": "vn"}, "no-right"),
        ({"minute": 7 * 60, "late_s": 60}, "days-range"),
        ({"minute": 22 * 60}, "quiet-hours"),
        ({"minute": 4 * 60 + 59}, "days-range"),
        ({"days": [DAY + 1], "minute": 4 * 60 + 59}, "quiet-hours"),
        ({"on_interrupt": 3}, "kind-unknown"),
    ],
)
def test_a_schedule_that_a_station_would_not_follow_is_refused(
    house: House, more: dict[str, Any], code: str
) -> None:
    assert code_of(house.scheduled, house.approved(), **more) == code


def test_a_schedule_into_the_quiet_hours_of_one_commune_is_refused_for_the_province(house: House) -> None:
    bulletin = house.approved()
    house.hub.commands.set_quiet_hours(house.admin, XUAN_AI, 12 * 60, 14 * 60, now=house.now)
    assert code_of(house.scheduled, bulletin, minute=13 * 60) == "quiet-hours"
    assert house.scheduled(bulletin, minute=13 * 60, territory=TU_LE)


def test_a_slot_that_runs_into_the_quiet_hours_is_refused(house: House) -> None:
    bulletin = house.approved()
    assert code_of(house.scheduled, bulletin, minute=21 * 60 + 29, length_s=120) == "quiet-hours"
    assert house.scheduled(bulletin, minute=21 * 60 + 28, length_s=120)


def test_a_bulletin_is_scheduled_only_below_the_territory_of_its_approval(house: House) -> None:
    bulletin = house.approved(territory=TU_LE)
    assert code_of(house.scheduled, bulletin, territory=XUAN_AI) == "outside-approval"
    assert code_of(house.scheduled, bulletin, territory=PROVINCE) == "outside-approval"
    assert house.scheduled(bulletin, territory=TU_LE)


def test_what_is_being_edited_or_was_withdrawn_is_not_scheduled_anew(house: House) -> None:
    assert code_of(house.scheduled, house.submitted()) == "not-approved"
    bulletin = house.approved()
    house.hub.commands.withdraw(house.approver, bulletin, reason="Hủy", now=house.now)
    assert code_of(house.scheduled, bulletin) == "withdrawn"


def test_a_year_of_days_is_one_event(house: House) -> None:
    bulletin = house.approved(valid_until_day=DAY + 400)
    days = list(range(DAY, DAY + 366))
    series = house.scheduled(bulletin, days=reversed(days))
    (order,) = house.hub.facts.schedules[series]
    assert isinstance(order.fact, Scheduled)
    assert len(order.fact.days) == 46
    assert list(days_of(order.fact.first_day, order.fact.days)) == days


def test_series_are_drawn_so_that_a_restored_hub_does_not_count_again(house: House) -> None:
    bulletin = house.approved()
    series = [house.scheduled(bulletin, minute=EVENING + n) for n in range(20)]
    assert len(set(series)) == 20
    assert all(0 < one < 2**31 for one in series)
    assert max(series) > 1_000_000


def test_a_series_is_called_off_once(house: House) -> None:
    series = house.scheduled()
    house.hub.commands.cancel_schedule(house.approver, series, reason="Đổi lịch", now=house.now)
    assert house.hub.queries.series(series).state == "cancelled"
    cancel = house.hub.commands.cancel
    assert code_of(cancel, house.approver, series, reason="x", now=house.now) == "already-cancelled"
    assert code_of(
        house.hub.commands.cancel_emergency, house.approver, series, reason="x", now=house.now
    ) == ("not-an-emergency")


# -- emergencies
# -------------------------------------------------------------------------------------------------


def emergency(house: House, **more: Any) -> int:
    fields: dict[str, Any] = {
        "kind": "lu-quet",
        "level": 2,
        "text": "Lũ quét, rời khỏi bờ suối ngay.",
        "territory": PROVINCE,
    } | more
    return house.hub.commands.order_emergency(house.approver, now=house.now, **fields)


def test_an_emergency_ends_by_itself_after_two_hours_unless_told_otherwise(house: House) -> None:
    series = emergency(house)
    (order,) = house.hub.facts.emergencies[series]
    assert isinstance(order.fact, EmergencyOrdered)
    assert order.fact.not_before == house.now
    assert order.fact.expires_at == house.now + 7_200
    house.hub.commands.cancel_emergency(house.approver, series, reason="Đã an toàn", now=house.now)
    assert house.hub.queries.series(series).state == "cancelled"


def test_a_drill_does_not_sound_like_the_real_thing(house: House) -> None:
    real, drill = emergency(house), emergency(house, drill=True)
    sounds = [house.hub.queries.series(one).manifest for one in (real, drill)]
    assert sounds[0] != sounds[1]
    assert house.hub.queries.series(drill).drill


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kind": "ten-la"}, "kind-unknown"),
        ({"level": 0}, "level-range"),
        ({"level": 4}, "level-range"),
        ({"max_plays": 0}, "level-range"),
        ({"text": " "}, "text-empty"),
        ({"text": "x" * 2_001}, "text-too-long"),
        ({"expires_at": 1}, "expiry-range"),
        ({"expires_at": at(DAY + 3)}, "expiry-range"),
        ({"not_before": 1}, "expiry-range"),
        ({"not_before": at(DAY + 3), "expires_at": at(DAY + 3) + 60}, "expiry-range"),
    ],
)
def test_an_emergency_out_of_bounds_is_refused(house: House, more: dict[str, Any], code: str) -> None:
    assert code_of(emergency, house, **more) == code


# -- stations and people
# -----------------------------------------------------------------------------------------


def test_stations_are_registered_all_or_none_and_again_without_effect(house: House) -> None:
    listed = [(f"vn.yb.{n:05d}", f"Xã {n}", "it") for n in range(1, 31)]
    position = house.segments()
    bad = [*listed, ("vn.yb.99", "Xã Sai", "tv")]
    assert code_of(house.hub.commands.register_stations, house.admin, bad, now=house.now) == "kind-unknown"
    assert house.segments() == position
    assert house.hub.queries.counts()["stations"] == 4
    assert house.hub.commands.register_stations(house.admin, listed, now=house.now) == 30
    assert house.hub.commands.register_stations(house.admin, listed, now=house.now) == 0
    assert house.hub.queries.counts()["stations"] == 34


def test_a_station_may_change_its_name_and_kind_but_not_its_unit(house: House) -> None:
    house.hub.commands.register_station(house.admin, YEN_THINH, "Phường Yên Thịnh", "it", now=house.now)
    assert house.hub.queries.station(YEN_THINH).kind == "it"
    record = decisions(house).find(StationRecord, station_id(YEN_THINH))
    assert record is not None
    assert record.version == 2


def test_the_box_of_an_fm_commune_is_enrolled_and_its_unit_stays_one_that_answers_by_hand(
    house: House,
) -> None:
    box = house.station(YEN_THINH)
    box.sync()
    assert box.unit == YEN_THINH
    assert house.hub.queries.station(YEN_THINH).kind == "fm"


def test_quiet_hours_set_twice_are_one_decision(house: House) -> None:
    for _ in range(2):
        house.hub.commands.set_quiet_hours(house.admin, PROVINCE, 22 * 60, 4 * 60, now=house.now)
    hours = decisions(house).find(QuietHours, quiet_id(PROVINCE))
    assert hours is not None
    assert hours.version == 1
    assert house.hub.facts.quiet_hours(TU_LE) == (22 * 60, 4 * 60)
    set_hours = house.hub.commands.set_quiet_hours
    assert code_of(set_hours, house.admin, PROVINCE, 0, 1440, now=house.now) == "minute-range"


def test_an_account_is_made_once_with_a_role_that_exists_and_a_password_that_holds(house: House) -> None:
    make: dict[str, Any] = {"name": "Ai", "territory": PROVINCE, "now": house.now}
    create = house.hub.commands.create_account
    strong = {"password": "mat-khau-dai"}
    assert (
        code_of(create, house.admin, account="bientap", role="editor", **strong, **make) == "account-exists"
    )
    assert code_of(create, house.admin, account="moi", role="vua", **strong, **make) == "role-unknown"
    assert (
        code_of(create, house.admin, account="moi", role="editor", password="ngan", **make) == "password-weak"
    )
    assert code_of(create, house.admin, account="a b", role="editor", **strong, **make) == "text-not-allowed"
    assert house.hub.accounts.row("moi") is None


def test_a_disabled_account_does_not_log_in_and_its_past_stands(house: House) -> None:
    bulletin = house.approved()
    house.hub.commands.disable_account(house.admin, "lanhdao", now=house.now)
    assert house.hub.accounts.login("lanhdao", "lanhdao-2022", now=house.now) is None
    assert house.hub.queries.bulletin(bulletin).row.state == "approved"


def test_two_officers_with_the_same_page_open_do_not_both_decide(house: House) -> None:
    bulletin = house.submitted()
    house.hub.commands.return_bulletin(house.approver, bulletin, reason="Sửa lại", now=house.now)
    with pytest.raises(NotAllowed) as refused:
        house.approve(bulletin)
    assert refused.value.code == "not-submitted"


def decisions(house: House) -> Decisions:
    return house.hub.decisions


def test_a_bulletin_of_words_alone_is_scheduled_for_as_long_as_reading_it_takes(house: House) -> None:
    text = "Đúng 17h30 ngày 09/11, UBND xã họp dân tại nhà văn hóa. Mời bà con đến đông đủ."
    series = house.scheduled(house.approved(audio=None, text=text))
    fact = house.hub.facts.schedules[series][-1].fact
    assert fact.length_s == reading_s(read_aloud(text))
    assert 8 <= fact.length_s <= 20
