"""The commune's own bulletins at its station: two people, two keys, no network, and the rules that hold."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from commune_office import DAY, PIN, UNIT, Commune
from hypothesis import given, settings
from station_world import APPROVER, MORNING, World

from ledger.facts import (
    Approved,
    Cancelled,
    Detail,
    Outcome,
    Right,
    Scheduled,
    Verdict,
    WithdrawalSeen,
    WithdrawalState,
    at,
    explain,
    pack_days,
    slots,
    verdict,
)
from ledger.facts import booking as shared
from ledger.log import LoaError, NotAllowed, VerifyKey
from node import Confidence
from node.page import local_views
from node.page.drafts import draft_manifests
from node.page.office import CONSOLE

NINE = 9 * 60


@pytest.fixture
def commune() -> Commune:
    return Commune()


def refused(code: str, act: object) -> None:
    with pytest.raises(NotAllowed) as refusal:
        act()  # type: ignore[operator]
    assert refusal.value.code == code


def scheduled(commune: Commune, bulletin: bytes, minute: int, *, length_s: int = 60, klass: int = 2) -> int:
    """An order of the officer's key past the form: what somebody else's program could sign."""
    commune.world.hub.series += 1
    content = commune.desk.life(bulletin).content
    series = shared.COMMUNE_SERIES + commune.world.hub.series
    commune.office.sign(
        commune.lan,
        Scheduled(
            commune.office.now().ts, series, bulletin, content.manifest, DAY, pack_days(DAY, [DAY]), minute,
            length_s, UNIT, klass, 600, 0, None,
        ),
    )  # fmt: skip
    return series


def verdict_of(commune: Commune, series: int) -> Verdict | None:
    facts = commune.world.station.facts
    (slot,) = [one for one in slots(facts, UNIT, at(DAY), at(DAY + 1)) if one.series == series]
    return verdict(facts, slot, slot.start_s)


# -- the way of a bulletin -----------------------------------------------------------------------------------


def test_a_bulletin_of_two_people_is_written_approved_and_played_without_any_network(
    commune: Commune,
) -> None:
    commune.world.line.down = True
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.lan, bulletin, days=[DAY, DAY + 1], minute=NINE)
    commune.world.run_to(NINE + 5, DAY + 1)
    assert commune.world.outcomes() == {
        (series, DAY): ("PLAYED", "NONE"),
        (series, DAY + 1): ("PLAYED", "NONE"),
    }
    signers = [step.key_id for step in commune.desk.drafts.steps(bulletin)]
    assert signers == [commune.lan.key_id, commune.lan.key_id, commune.pao.key_id]


def test_nobody_approves_what_they_wrote_at_the_station_too(commune: Commune) -> None:
    commune.grant("Lan", Right.DRAFT | Right.SCHEDULE | Right.APPROVE)
    commune.world.run(1_800)
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    refused("four-eyes-key", lambda: commune.approve(bulletin, "Lan"))
    content = commune.desk.life(bulletin).content
    commune.office.sign(  # past the form
        commune.lan,
        Approved(
            commune.office.now().ts, bulletin, 1, content.manifest, content.title, content.category, 2, UNIT,
            DAY, DAY + 30,
        ),
    )  # fmt: skip
    series = scheduled(commune, bulletin, NINE)
    assert verdict_of(commune, series) == Verdict(Outcome.SUPPRESSED, Detail.SELF_APPROVED)
    commune.world.run_to(NINE + 5)
    assert commune.world.speaker.sounds == []


def test_a_new_key_does_not_make_its_holder_a_second_person(commune: Commune) -> None:
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    person = commune.lan.id
    code = commune.office.give_code(person, None, CONSOLE)
    fresh = commune.office.fresh(person)
    commune.tokens["Lan"] = commune.office.begin(person, code, fresh, fresh.wrap(PIN), CONSOLE)
    commune.grant("Lan", Right.APPROVE)
    commune.world.run(1_800)
    assert commune.office.may(commune.lan, Right.APPROVE)
    refused("four-eyes-account", lambda: commune.approve(bulletin, "Lan"))


def slow() -> Commune:
    """Of a station that looks and calls seldom: for weeks to pass."""
    return Commune(World(idle_cap_s=3_600.0, sync_period_s=86_400, stall_s=10_000.0))


def test_nothing_is_approved_by_silence_or_by_time() -> None:
    commune = slow()
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    commune.world.run(45 * 86_400)
    assert commune.desk.life(bulletin).state == "submitted"
    assert commune.world.station.facts.approvals.get(bulletin) is None
    assert commune.world.speaker.sounds == []
    refused("expired", lambda: commune.approve(bulletin))


def test_an_edit_after_the_approvers_look_is_not_approved_with_it(commune: Commune) -> None:
    bulletin = commune.write()
    seen = commune.desk.life(bulletin).content
    commune.desk.revise(
        commune.lan, bulletin, version=1, title="Lịch khác", category="y-te", text="Ngày khác.", from_day=DAY,
        until_day=DAY + 3,
    )  # fmt: skip
    commune.desk.submit(commune.lan, bulletin)
    refused(
        "version-changed",
        lambda: commune.desk.approve(commune.pao, bulletin, version=1, manifest=seen.manifest),
    )
    refused(
        "content-changed",
        lambda: commune.desk.approve(commune.pao, bulletin, version=2, manifest=seen.manifest),
    )


def test_what_was_returned_comes_back_only_as_a_new_version_and_the_reason_is_read(commune: Commune) -> None:
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    commune.desk.send_back(commune.pao, bulletin, "Sai ngày")
    (row,) = local_views.rows(commune.office)
    assert (row.state, row.reason) == ("returned", "Sai ngày")
    assert local_views.queue(commune.office) == []
    refused("not-draft", lambda: commune.desk.submit(commune.lan, bulletin))
    commune.desk.revise(
        commune.lan, bulletin, version=1, title=row.title, category="y-te", text="Thứ Ba.", from_day=DAY,
        until_day=DAY,
    )  # fmt: skip
    commune.desk.submit(commune.lan, bulletin)
    assert [one.version for one in local_views.queue(commune.office)] == [2]
    commune.approve(bulletin)
    assert commune.desk.life(bulletin).state == "approved"


def test_an_approved_bulletin_that_is_edited_is_not_scheduled_anew_until_it_is_approved_again(
    commune: Commune,
) -> None:
    bulletin = commune.approved()
    commune.desk.revise(
        commune.lan,
        bulletin,
        version=1,
        title="Mới",
        category="y-te",
        text="Mới.",
        from_day=DAY,
        until_day=DAY,
    )
    refused("not-approved", lambda: commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE))


def test_an_officer_calls_a_series_off_and_schedules_the_bulletin_again(commune: Commune) -> None:
    bulletin = commune.approved()
    first = commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE)
    commune.desk.cancel(commune.lan, first, "Đổi giờ")
    refused("already-cancelled", lambda: commune.desk.cancel(commune.lan, first, "Đổi giờ"))
    second = commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE)
    commune.world.run_to(NINE + 5)
    assert commune.world.outcomes()[second, DAY] == ("PLAYED", "NONE")
    assert len(commune.world.speaker.sounds) == 1
    assert [one.state for one in local_views.rows(commune.office)[0].series] == ["active", "cancelled"]


# -- the plan says the same as the form ----------------------------------------------------------------------


def test_quiet_hours_refuse_a_commune_in_the_form_and_in_the_plan(commune: Commune) -> None:
    bulletin = commune.approved()
    refused(
        "quiet-hours",
        lambda: commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=22 * 60),
    )
    series = scheduled(commune, bulletin, 22 * 60)
    assert verdict_of(commune, series) == Verdict(Outcome.SUPPRESSED, Detail.QUIET)


def test_validity_refuses_a_commune_in_the_form_and_in_the_plan(commune: Commune) -> None:
    bulletin = commune.approved(from_day=DAY + 1)
    refused("outside-approval", lambda: commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE))
    series = scheduled(commune, bulletin, NINE)
    assert verdict_of(commune, series) == Verdict(Outcome.SUPPRESSED, Detail.NOT_YET_VALID)


def test_two_bulletins_at_one_time_clash_in_the_form_and_only_one_plays(commune: Commune) -> None:
    first, second = commune.approved(), commune.approved(title="Họp thôn")
    theirs = commune.desk.schedule(commune.lan, first, days=[DAY], minute=NINE)
    refused("clash", lambda: commune.desk.schedule(commune.lan, second, days=[DAY], minute=NINE))
    series = scheduled(commune, second, NINE)
    found = explain(commune.world.station.facts, UNIT, at(DAY, NINE))
    assert found.winner is not None
    assert found.winner.series == theirs
    assert [(slot.series, why.detail) for slot, why in found.losers] == [(series, Detail.BY_EARLIER)]


def test_a_priority_item_of_the_province_clashes_and_a_relay_below_does_not(commune: Commune) -> None:
    commune.world.hub.programme(NINE, klass=3)
    commune.world.hub.programme(NINE + 30, klass=1)
    commune.world.run(1_800)
    bulletin = commune.approved()
    refused("clash", lambda: commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE))
    commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE + 30)


# -- above and below -----------------------------------------------------------------------------------------


def test_a_commune_cannot_cancel_a_superiors_emergency(commune: Commune) -> None:
    series = commune.world.hub.emergency(not_before=at(DAY, NINE))
    commune.world.run(1_800)
    refused("superior", lambda: commune.desk.cancel(commune.lan, series, "không muốn"))
    commune.office.sign(commune.lan, Cancelled(commune.office.now().ts, 1, None, series, UNIT, "không muốn"))
    commune.world.run_to(NINE + 5)
    assert commune.world.outcomes()[series, DAY] == ("PLAYED", "NONE")


def test_a_commune_cannot_cancel_a_superiors_priority_item_nor_withdraw_its_bulletin(
    commune: Commune,
) -> None:
    series = commune.world.hub.programme(NINE, klass=3)
    commune.world.run(1_800)
    (order,) = commune.world.station.facts.schedules[series]
    bulletin = order.fact.bulletin
    refused("superior", lambda: commune.desk.cancel(commune.lan, series, "không muốn"))
    refused("superior", lambda: commune.desk.withdraw(commune.lan, bulletin, "không muốn"))
    now = commune.office.now().ts
    commune.office.sign(commune.lan, Cancelled(now, 1, None, series, UNIT, "không muốn"))
    commune.office.sign(commune.pao, Cancelled(now, 0, bulletin, None, UNIT, "không muốn"))
    commune.world.run_to(NINE + 5)
    assert commune.world.outcomes()[series, DAY] == ("PLAYED", "NONE")


def test_the_province_withdraws_a_communes_bulletin_and_the_commune_cannot_bring_it_back(
    commune: Commune,
) -> None:
    world = commune.world
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.lan, bulletin, days=[DAY, DAY + 1], minute=NINE)
    world.run_to(NINE + 5)
    world.hub.sign(APPROVER, Cancelled(world.hub.ts, 0, bulletin, None, "vn.yb", "sai nội dung"))
    world.run(3_600)
    assert commune.desk.life(bulletin).state == "withdrawn"
    refused("withdrawn", lambda: commune.desk.schedule(commune.lan, bulletin, days=[DAY + 1], minute=NINE))
    again = scheduled(commune, bulletin, 10 * 60)
    assert verdict_of(commune, again) == Verdict(Outcome.WITHDRAWN, Detail.NONE)
    anew = commune.desk.schedule(commune.lan, commune.approved(), days=[DAY + 1], minute=NINE)
    world.run_to(NINE + 5, DAY + 1)
    assert [(one.series, one.day) for one in world.speaker.sounds] == [(series, DAY), (anew, DAY + 1)]
    (seen,) = {one.fact.state for one in world.hub.facts_of(WithdrawalSeen)}  # type: ignore[union-attr]
    assert seen == WithdrawalState.ALREADY_PLAYED


def test_a_bulletin_of_a_commune_is_for_it_alone_and_of_class_normal(commune: Commune) -> None:
    bulletin = commune.approved()
    series = commune.desk.schedule(commune.lan, bulletin, days=[DAY], minute=NINE)
    facts = commune.world.station.facts
    (approval,), (order,) = facts.approvals[bulletin], facts.schedules[series]
    assert (approval.fact.klass, approval.fact.territory) == (2, UNIT)
    assert (order.fact.klass, order.fact.territory) == (2, UNIT)


@given(drawn=st.lists(st.binary(min_size=4, max_size=4), min_size=1, max_size=4))
@settings(max_examples=100)
def test_a_number_of_a_commune_is_never_one_that_a_hub_draws(drawn: list[bytes]) -> None:
    world = World(enrolled=False)
    for commune in (True, False):
        rest = iter([*drawn, b"\x00\x00\x00\x07"])
        series = shared.draw_series(world.station.facts, lambda size, rest=rest: next(rest), commune=commune)
        assert (series >= shared.COMMUNE_SERIES) == commune
        assert 1 <= series < 2**31


# -- who may, and when ---------------------------------------------------------------------------------------


def test_without_a_grant_nothing_is_signed() -> None:
    commune = Commune(granted=False)
    before = commune.world.station.ledger.position()
    refused("no-authority", commune.write)
    assert commune.world.station.ledger.position() == before
    assert local_views.rows(commune.office) == []


def test_without_a_trusted_clock_nothing_is_signed(commune: Commune) -> None:
    bulletin = commune.write()
    commune.world.line.down = True
    commune.world.cut()
    commune.world.clock.reboot()
    commune.world.clock.confidence, commune.world.clock.skew_s = Confidence.UNKNOWN, -40_000_000.0
    commune.world.boot()
    commune.world.run(60)
    commune.sit()
    refused("clock-unknown", lambda: commune.desk.submit(commune.lan, bulletin))
    assert commune.desk.life(bulletin).state == "draft"


def test_an_approver_writes_nothing_and_an_officer_approves_nothing(commune: Commune) -> None:
    bulletin = commune.write()
    refused("no-authority", lambda: commune.desk.submit(commune.pao, bulletin))
    commune.desk.submit(commune.lan, bulletin)
    commune.office.add("Mai", "officer", None, CONSOLE)
    refused("no-authority", lambda: commune.desk.send_back(commune.lan, bulletin, "không"))


# -- what is kept --------------------------------------------------------------------------------------------


def test_drafts_survive_a_power_cut_with_their_content(commune: Commune) -> None:
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    commune.world.off(3_600)
    commune.world.run(60)
    commune.sit()
    assert [row.id for row in local_views.queue(commune.office)] == [bulletin.hex()]
    commune.approve(bulletin)
    assert commune.desk.life(bulletin).state == "approved"


def test_a_step_that_cannot_be_noted_is_not_signed_either(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulletin = commune.write()
    ledger = commune.world.station.ledger
    before = ledger.position()
    desk = commune.desk

    def broken(*_: object) -> None:
        raise LoaError("disk", "the row did not fit")

    monkeypatch.setattr(desk.drafts, "note", broken)
    with pytest.raises(LoaError, match="did not fit"):
        desk.submit(commune.lan, bulletin)
    assert ledger.position() == before
    assert commune.desk.life(bulletin).state == "draft"


def test_content_that_waits_for_approval_stays_on_the_card_and_goes_a_month_after_its_last_day() -> None:
    commune = slow()
    bulletin = commune.write(until_day=DAY + 10)
    manifest = commune.desk.life(bulletin).content.manifest
    room = commune.world.station._fetcher._room
    commune.world.run_to(NINE, DAY + 9)
    room.sweep(commune.world.station._moment, 0)
    assert commune.desk.contents.is_whole(manifest)
    assert draft_manifests(commune.world.station.ledger, at(DAY + 10)) == {manifest}
    commune.world.run_to(NINE, DAY + 42)
    assert not commune.desk.contents.is_whole(manifest)
    refused("expired", lambda: (commune.desk.submit(commune.lan, bulletin), commune.approve(bulletin)))


def test_what_is_lost_cannot_be_approved(commune: Commune) -> None:
    bulletin = commune.write()
    commune.desk.submit(commune.lan, bulletin)
    manifest = commune.desk.manifest(commune.desk.life(bulletin).content.manifest)
    commune.desk.blobs.delete(manifest.renditions[0].sha256)
    refused("content-missing", lambda: commune.approve(bulletin))
    (row,) = local_views.queue(commune.office)
    assert not row.here


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["write", "revise", "submit", "approve", "return", "withdraw"]), st.integers(0, 2)
    ),
    max_size=14,
)


@given(acts=ACTS)
@settings(max_examples=25, deadline=None)
def test_rows_built_again_from_the_signed_logs_tell_the_same_lives(acts: list[tuple[str, int]]) -> None:
    commune = Commune()
    made: list[bytes] = []
    for act, nth in acts:
        if act == "write" or not made:
            made.append(commune.write(title=f"Tin {len(made)}"))
            continue
        bulletin = made[nth % len(made)]
        content = commune.desk.life(bulletin).content
        try:
            if act == "revise":
                commune.desk.revise(
                    commune.lan, bulletin, version=content.version, title="Sửa", category="y-te",
                    text="Khác.", from_day=DAY, until_day=DAY + 2,
                )  # fmt: skip
            elif act == "submit":
                commune.desk.submit(commune.lan, bulletin)
            elif act == "approve":
                commune.approve(bulletin)
            elif act == "return":
                commune.desk.send_back(commune.pao, bulletin, "sửa lại")
            else:
                commune.desk.withdraw(commune.pao, bulletin, "thôi")
        except NotAllowed:
            continue
    desk = commune.desk
    waits = [name for name in desk.drafts.newest(100) if desk.life(name).state == "submitted"]
    assert sorted(desk.drafts.waiting()) == sorted(waits)
    before = {name: desk.drafts.steps(name) for name in desk.drafts.newest(100)}
    newest = desk.drafts.newest(100)
    desk.drafts.rebuild()
    assert desk.drafts.newest(100) == newest
    assert {name: desk.drafts.steps(name) for name in newest} == before


def test_the_difference_to_the_former_version_is_shown_word_by_word(commune: Commune) -> None:
    bulletin = commune.write(text="Họp thôn lúc 7 giờ sáng thứ Hai.")
    commune.desk.revise(
        commune.lan, bulletin, version=1, title="Lịch tiêm phòng", category="y-te",
        text="Họp thôn lúc 8 giờ sáng thứ Hai.", from_day=DAY, until_day=DAY + 30,
    )  # fmt: skip
    page = local_views.page(commune.office, bulletin)
    assert [one for one in page.changes if one[0] != "same"] == [("gone", "7 "), ("new", "8 ")]
    assert page.former == 1


@given(before=st.text(max_size=60), after=st.text(max_size=60))
def test_a_difference_leaves_no_word_of_either_version_out(before: str, after: str) -> None:
    found = local_views.changes(before, after)
    assert "".join("".join(words for kind, words in found if kind != "new").split()) == "".join(
        before.split()
    )
    assert "".join(words for kind, words in found if kind != "gone") == after


def test_keys_of_this_commune_are_the_persons_own(commune: Commune) -> None:
    bulletin = commune.approved()
    row = commune.office.people.named("Pao")
    assert row is not None
    assert row.pub is not None
    (approval,) = commune.world.station.facts.approvals[bulletin]
    assert approval.key_id == VerifyKey(row.pub).key_id != commune.world.station.key.key_id
    assert approval.fact.ts >= MORNING
