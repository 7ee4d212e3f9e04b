"""Keys end at the hub, and the stations that sync with it come to the same answer."""

from __future__ import annotations

import pytest
from hub_house import DAY, EVENING, PROVINCE, TU_LE, House, dump, error_of

from hub.config import ROOT_KEY_NAME, load_key
from hub.endings import recorded_by, take_in, units_reported
from ledger.facts import (
    Approved,
    Cut,
    Granted,
    Place,
    Recorded,
    Revoked,
    Right,
    RootsSet,
    RootStatement,
    at,
    cut_at,
    due,
    hubs_of,
    pack_pairs,
    read,
    sign_roots,
    stays,
)
from ledger.log import (
    NotAllowed,
    Outcome,
    ProtocolError,
    SigningKey,
    deliver,
    pack,
    read_delivery,
    seal,
    six_words,
)

FIVE_PM = at(DAY, EVENING)


@pytest.fixture
def house() -> House:
    return House()


def revoke(house: House, key_id: bytes, until: int | None = None) -> None:
    house.hub.commands.revoke_key(
        house.admin, key_id.hex(), reason="mất máy", until=until, hub=house.hub.key, now=house.now
    )


def test_what_a_stolen_key_approved_is_played_nowhere(house: House) -> None:
    box = house.station()
    honest = house.scheduled(house.approved(title="thật"))
    safe = house.hub.ledger.position()
    forged = house.scheduled(house.approved(title="giả"), minute=18 * 60)
    box.sync()
    for facts in (house.hub.facts, box.facts):
        assert due(facts, TU_LE, at(DAY, 18 * 60), done=set()) is not None
    revoke(house, house.approver.key.key_id, until=safe)
    house.later(60)
    box.sync()
    for facts in (house.hub.facts, box.facts):
        playing = due(facts, TU_LE, FIVE_PM, done=set())
        assert playing is not None
        assert playing.series == honest
        assert due(facts, TU_LE, at(DAY, 18 * 60), done=set()) is None
    assert forged in house.hub.facts.orders


def test_a_restarted_hub_and_a_restored_station_come_to_the_same_answer(house: House) -> None:
    box = house.station()
    safe = house.hub.ledger.position()
    house.scheduled()
    revoke(house, house.approver.key.key_id, until=safe)
    box.sync()
    before = {(signed.id, why) for signed, why in house.hub.facts.refused}
    house.restart()
    assert {(signed.id, why) for signed, why in house.hub.facts.refused} == before
    assert {why for _, why in box.facts.refused} == {"key-ended"}
    assert due(house.hub.facts, TU_LE, FIVE_PM, done=set()) is None
    assert due(box.facts, TU_LE, FIVE_PM, done=set()) is None


def test_an_ended_officer_decides_nothing_more_at_the_desk(house: House) -> None:
    approver = house.approver
    bulletin = house.submitted()
    revoke(house, approver.key.key_id)
    with pytest.raises(NotAllowed) as refused:
        house.approve(bulletin, approver)
    assert refused.value.code == "no-right"


def test_a_lost_box_is_turned_away_and_a_new_one_takes_its_place(house: House) -> None:
    box = house.station()
    box.sync()
    revoke(house, box.key.key_id)
    box.ack(1)
    status, body = house.hub.sync(box.ask())
    assert (status, error_of(body)[0]) == (403, "key-no-station")
    assert not house.hub.queries.station(TU_LE).enrolled
    house.station().sync()
    assert house.hub.queries.station(TU_LE).enrolled


def test_reports_count_when_the_journal_had_recorded_them_by_the_cut(house: House) -> None:
    series = house.scheduled()
    box = house.station()
    places = []
    cuts: list[Cut] = []
    for day in (DAY, DAY + 1, DAY + 2):
        box.ack(series, day)
        box.sync()
        if day == DAY + 1:
            house.restart()  # the journal goes on in another log
        cuts.append(cut_at(house.hub.ledger, house.hub.key.key_id, house.hub.ledger.position()))
    assert hubs_of(house.hub.ledger) == {house.hub.key.key_id}
    recorded = Recorded([box.key.key_id])
    for stored in house.hub.ledger.since(0):
        for signed in read(stored):
            recorded.take(signed)
            if signed.key_id == box.key.key_id:
                places.append((stored.segment.head, signed))
    reports = [(head, signed) for head, signed in places if signed.seq > 0]
    assert len(reports) == 3
    for n, cut in enumerate(cuts):
        assert [recorded.had(cut, head) for head, _ in reports] == [k <= n for k in range(3)], n
        for head, signed in reports:
            assert recorded_by(house.hub.ledger, cut, signed.position) == recorded.had(cut, head)
    assert not recorded.had(Cut(box.key.key_id, cuts[0].log_id, 99), reports[0][0])
    revoke(house, box.key.key_id, until=house.hub.ledger.position())
    (ending,) = house.hub.facts.authority.endings_of(box.key.key_id)
    assert ending.cut == cuts[2]

    assert units_reported(house.hub.ledger, house.hub.facts, reports[2][1]) == [TU_LE]

    def counts(place: Place, by: bool) -> bool:
        return house.hub.facts.authority.may_report(box.key.key_id, Right.ACK, TU_LE, place, lambda cut: by)

    assert counts(reports[2][1].place, recorded.had(ending.cut, reports[2][0]))
    assert not counts(Place(reports[2][1].log_id, 99), False)


def test_reports_that_came_after_the_cut_count_for_no_station(house: House) -> None:
    box = house.station()
    box.ack(1)
    box.sync()
    safe = house.hub.ledger.position()
    box.ack(2)
    box.sync()
    reports = [s for stored in house.hub.ledger.since(0) for s in read(stored) if s.key_id == box.key.key_id]
    first, second = (one for one in reports if one.seq > 0)
    for one in (first, second):
        assert units_reported(house.hub.ledger, house.hub.facts, one) == [TU_LE]
    revoke(house, box.key.key_id, until=safe)
    assert units_reported(house.hub.ledger, house.hub.facts, first) == [TU_LE]
    assert units_reported(house.hub.ledger, house.hub.facts, second) == []


def test_stations_follow_the_roots_by_sync(house: House) -> None:
    box = house.station()
    box.sync()
    root = load_key(house.store, ROOT_KEY_NAME)
    new = [SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3)]
    kept = pack_pairs(stays(house.hub.ledger, root.key_id, house.hub.ledger.position()))
    said = RootStatement(
        1, 2, tuple(sorted(key.verify_key.raw for key in new)), ((root.key_id, kept),)
    ).encode()
    signatures = b"".join(sign_roots(key, said) for key in (root, *new[:2]))
    fact = RootsSet(house.now, "vn", said, signatures)
    house.hub.ledger.append_sealed(house.hub.key, fact.encode())
    grant = Granted(
        house.now, new[2].verify_key.raw, int(Right.APPROVE), PROVINCE, 0, house.now + 9, 0, "mới"
    )
    entropy = iter(range(100, 200))
    made = deliver(
        new[0], grant.encode(), entropy=lambda size: bytes([next(entropy)]) * size, now=lambda: house.now
    )
    assert [one.why for one in take_in(house.hub, made)] == ["", ""]
    box.sync()
    for facts in (house.hub.facts, box.facts):
        assert facts.authority.roots.now.version == 1
        assert facts.authority.is_root(new[1].key_id)
        assert not facts.authority.is_root(root.key_id)
        assert facts.authority.may(new[2].key_id, Right.APPROVE, TU_LE, house.now)
        assert facts.authority.may(house.admin.key.key_id, Right.GRANT, PROVINCE, house.now)
    house.restart()
    assert house.hub.facts.authority.is_root(new[1].key_id)


def test_a_file_that_holds_no_segments_changes_nothing(house: House) -> None:
    before = house.segments()
    for data in (b"", b"junk", pack([]), pack(["text"]), pack([[b"nested"]]), b"\x90" * (1 << 21)):
        with pytest.raises(ProtocolError) as refused:
            take_in(house.hub, data)
        assert refused.value.code == "delivery-form"
    assert [one.outcome for one in take_in(house.hub, pack([bytes(300)]))] == ["refused"]
    assert house.segments() == before


def test_box_and_hub_show_the_same_six_words(house: House) -> None:
    from ledger.log import Token, make_enrolment

    assert house.hub.enrolment.words(TU_LE) == ""
    token = Token.parse(house.hub.commands.new_station_token(house.admin, TU_LE, now=house.now).text)
    request = make_enrolment(token, SigningKey.from_seed(b"k" * 32), unit=TU_LE, nonce=bytes(8))
    _, reply = house.hub.enrol(request)
    assert house.hub.enrolment.words(TU_LE) == six_words(request, reply)
    house.restart()
    assert house.hub.enrolment.words(TU_LE) == six_words(request, reply)


# -- the views -----------------------------------------------------------------------------------------------


def rows(house: House) -> str:
    """The views as text, and the same after they were built again: they must not differ."""
    house.hub.tick()
    before = dump(house.hub)
    house.hub.rebuild()
    assert dump(house.hub) == before
    return before


def test_the_views_forget_what_an_ended_officer_decided_after_the_cut(house: House) -> None:
    honest = house.approved(title="thật")
    kept = house.scheduled(honest)
    safe = house.hub.ledger.position()
    forged = house.approved(title="giả")
    order = house.scheduled(forged, minute=18 * 60)
    house.hub.tick()
    assert house.hub.queries.bulletin(forged).row.state == "approved"
    revoke(house, house.approver.key.key_id, until=safe)
    rows(house)
    assert house.hub.queries.bulletin(honest).row.state == "approved"
    assert house.hub.queries.bulletin(forged).row.state == "submitted"
    deeds = house.hub.queries.deeds(limit=1_000)
    assert {deed.applied for deed in deeds if deed.what == "approved"} == {True, False}
    assert [deed.what for deed in deeds if deed.what == "revoked"] == ["revoked"]
    assert kept != order


def test_reports_that_came_after_a_box_was_stolen_leave_the_as_run_view(house: House) -> None:
    box = house.station()
    series = house.scheduled()
    box.sync()
    box.ack(series)
    box.sync()
    safe = house.hub.ledger.position()
    later = house.scheduled(minute=18 * 60)
    box.sync()
    box.ack(later)
    box.sync()
    house.hub.tick()
    assert count(house, series) == count(house, later) == 1
    revoke(house, box.key.key_id, until=safe)
    rows(house)
    assert (count(house, series), count(house, later)) == (1, 0)


def count(house: House, series: int) -> int:
    found = house.hub.projections.db.execute("SELECT count(*) FROM as_run WHERE series = ?", [series])
    return int(found.fetchone()[0])


def test_a_revocation_that_nobody_may_say_builds_nothing_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = house.station()
    box.sync()
    house.hub.tick()
    cut = cut_at(house.hub.ledger, house.hub.key.key_id, house.hub.ledger.position())
    fact = Revoked(
        house.now, house.approver.key.key_id, PROVINCE, cut.hub_key, cut.log_id, cut.seq, b"", "tôi muốn"
    )
    box.ledger.append_sealed(box.key, fact.encode())
    box.sync()
    monkeypatch.setattr(house.hub.projections, "rebuild", lambda: pytest.fail("built again"))
    house.hub.tick()


# -- what came by other ways than the feed -------------------------------------------------------------------


def office(house: House) -> SigningKey:
    """An office with a key of its own, granted by the root; it signs away from the hub."""
    root = load_key(house.store, ROOT_KEY_NAME)
    key = SigningKey.from_seed(b"an office with its own key, test")
    grant = Granted(
        house.now, key.verify_key.raw, int(Right.APPROVE), PROVINCE, 0, house.now + 9_999, 0, "Đài tỉnh"
    )
    house.hub.ledger.append_sealed(root, grant.encode())
    return key


def approval(house: House, title: str) -> bytes:
    return Approved(
        house.now, bytes(16), 1, bytes(32), title, "", 2, PROVINCE, DAY, DAY + 1
    ).encode()  # fmt: skip


def signed_away(house: House, key: SigningKey, title: str, log: int = 7) -> bytes:
    """A file from the office: its log's opening and one approval."""
    return deliver(
        key, approval(house, title), entropy=lambda size: bytes([log]) * size, now=lambda: house.now
    )


def test_a_thiefs_history_in_a_place_that_stays_is_taken_from_no_file_stick_or_station(house: House) -> None:
    key = office(house)
    honest = signed_away(house, key, "thật", log=7)
    assert [one.why for one in take_in(house.hub, honest)] == ["", ""]
    root = load_key(house.store, ROOT_KEY_NAME)
    kept = pack_pairs({bytes([7]) * 8: 1, bytes([8]) * 8: 5})  # the second log never came here
    fact = Revoked(house.now, key.key_id, PROVINCE, house.hub.key.key_id, bytes(8), 0, kept, "mất máy")
    house.hub.ledger.append_sealed(root, fact.encode())
    forged = signed_away(house, key, "giả", log=8)
    raws = read_delivery(forged)
    outcomes = take_in(house.hub, forged)
    assert [one.outcome for one in outcomes] == ["taken in", "refused"]
    assert "only-by-feed" in outcomes[1].kind + outcomes[1].why
    box = house.station()
    box.sync()
    box.ledger.trust(key.verify_key)
    opened = house.hub.ledger.open_all(raws)
    for source in ("usb", f"sync {box.key.key_id.hex()}"):
        with house.hub.ledger.transaction():
            found = house.hub.ledger.admit_all(opened, source=source)
        assert [one.error.code if one.error else None for one in found] == [None, "only-by-feed"]
    facts = house.hub.facts
    assert [one.fact.title for group in facts.approvals.values() for one in group] == ["thật"]
    assert [one.outcome for one in take_in(house.hub, honest)] == ["known", "known"], "what is held stays"
    with house.hub.ledger.transaction():
        (from_hub,) = house.hub.ledger.admit_all(opened[1:], source="a hub", feed=True)
    assert from_hub.error is None
    assert len(from_hub.stored) == 1


def test_a_hole_in_a_log_that_a_superior_feeds_is_filled_by_the_feed_alone(house: House) -> None:
    key = office(house)
    log, first = bytes([9]) * 8, [seal(key, bytes([9]) * 8, 0, bytes(32), [approval(house, "một")])]
    for title in ("hai", "ba"):
        first.append(seal(key, log, first[-1].head.next_seq, first[-1].head.hash, [approval(house, title)]))
    with house.hub.ledger.transaction():
        house.hub.ledger.admit_all([(first[2].raw, first[2])], source="feed", feed=True)
        (by_stick,) = house.hub.ledger.admit_all([(first[0].raw, first[0])], source="usb")
        (by_feed,) = house.hub.ledger.admit_all([(first[0].raw, first[0])], source="feed", feed=True)
        (again,) = house.hub.ledger.admit_all([(first[0].raw, first[0])], source="usb")
    assert by_stick.error is not None
    assert by_stick.error.code == "only-by-feed"
    assert len(by_feed.stored) == 1
    assert again.outcome is Outcome.KNOWN
