"""Evidence gathered from ledgers in which keys ended: what goes along, what stays, and what is void."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from evidence_desk import ADMIN, HERE, NOON_S, PROVINCE, ROOT, Province, position_of, revoke
from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY, OTHER_KEY
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence import EvidenceFile, Finding, examine, gather, refused, told
from ledger.facts import (
    Facts,
    Granted,
    Place,
    Revoked,
    Right,
    RootsSet,
    RootStatement,
    Rotated,
    cut_at,
    pack_pairs,
    possession_of,
    sign_roots,
    stays,
)
from ledger.log import LoaError, NotAllowed, SigningKey, Stored

READER = [ROOT.verify_key]


@pytest.fixture
def province() -> Province:
    return Province()


def stored_at(province: Province, position: int) -> Stored:
    return next(iter(province.hub.since(position - 1, limit=1)))


def ends(province: Province, subject: SigningKey, by: SigningKey, until: int | None = None) -> None:
    """A revocation as the desk makes it: what had arrived by `until` stays."""
    until = province.hub.position() if until is None else until
    cut = cut_at(province.hub, HUB_KEY.key_id, until)
    kept = pack_pairs(stays(province.hub, subject.key_id, until))
    fact = Revoked(province.clock, subject.key_id, PROVINCE, *cut, kept, "mất máy")
    province.hub.append_sealed(by, fact.encode())


def code_of(province: Province, position: int, index: int = 0) -> str:
    with pytest.raises(NotAllowed) as caught:
        province.evidence(province.hub, position, index)
    return caught.value.code


def kinds(found: Finding) -> list[str]:
    return [type(signed.fact).__name__ for signed in found.endings]


def test_an_approval_before_the_cut_is_proven_with_the_revocation_that_lets_it_stay(
    province: Province,
) -> None:
    honest = province.approve()
    plain, _ = province.evidence(province.hub, honest)
    ends(province, OFFICER_KEY, ADMIN)
    data, found = province.evidence(province.hub, honest)
    assert kinds(found) == ["Revoked"]
    assert examine(data, READER) == found
    assert len(data) - len(plain) < 300
    assert "revoked" in "\n".join(told(found, "en"))
    assert "mất máy" in "\n".join(told(found, "vi"))


def test_an_approval_behind_the_cut_is_void_for_the_maker_and_for_every_reader(province: Province) -> None:
    safe = province.hub.position()
    forged = province.approve()
    before, _ = province.evidence(province.hub, forged)
    assert examine(before, READER).endings == ()
    ends(province, OFFICER_KEY, ADMIN, until=safe)
    assert code_of(province, forged) == "key-ended"
    revocation = stored_at(province, province.hub.position()).segment.raw
    file = EvidenceFile.decode(before)
    joined = replace(file, statements=(*file.statements, revocation)).encode()
    with pytest.raises(NotAllowed) as caught:
        examine(joined, READER)
    assert caught.value.code == "key-ended"
    assert "không thuộc phần được giữ lại" in refused(caught.value, "vi")[0]


def test_an_ending_of_somebody_else_is_left_out(province: Province) -> None:
    honest = province.approve()
    ends(province, NODE_KEY, HUB_KEY)
    data, found = province.evidence(province.hub, honest)
    assert kinds(found) == []
    file = EvidenceFile.decode(data)
    unrelated = stored_at(province, province.hub.position()).segment.raw
    with pytest.raises(LoaError) as caught:
        examine(replace(file, statements=(*file.statements, unrelated)).encode(), READER)
    assert caught.value.code in ("key-unknown", "revocation-unknown-key")


def test_the_end_of_an_issuer_and_the_end_of_who_ended_it_go_along(province: Province) -> None:
    honest = province.approve()
    ends(province, OFFICER_KEY, ADMIN)
    ends(province, ADMIN, ROOT)
    data, found = province.evidence(province.hub, honest)
    assert kinds(found) == ["Revoked", "Revoked"]
    assert examine(data, READER) == found
    assert {signed.key_id for signed in found.endings} == {ADMIN.key_id, ROOT.key_id}


def test_a_forged_revocation_in_the_ledger_does_not_go_along(province: Province) -> None:
    honest = province.approve()
    ends(province, OFFICER_KEY, NODE_KEY, until=0)
    _, found = province.evidence(province.hub, honest)
    assert kinds(found) == []


def test_a_rotation_goes_along_and_lets_its_own_log_before_it_stay(province: Province) -> None:
    honest = province.approve()
    cut = cut_at(province.hub, HUB_KEY.key_id, province.hub.position())
    proof = possession_of(OTHER_KEY, OFFICER_KEY.verify_key.raw)
    fact = Rotated(province.clock, PROVINCE, OTHER_KEY.verify_key.raw, proof, *cut, b"")
    province.hub.append_sealed(OFFICER_KEY, fact.encode())
    late = province.approve()
    data, found = province.evidence(province.hub, honest)
    assert kinds(found) == ["Rotated"]
    assert examine(data, READER) == found
    assert code_of(province, late) == "key-ended"


def reported(province: Province, series: int) -> tuple[int, int]:
    """A report that arrived at the hub: (position, index)."""
    begin = province.clock
    province.acknowledge(series)
    province.clock += 60
    province.round()
    return position_of(province.hub, bytes([16, 0xCE]) + begin.to_bytes(4, "big"))


@pytest.mark.parametrize("restarts", [0, 1, 3])
def test_a_report_recorded_before_the_cut_is_proven_however_often_the_hub_restarted(
    province: Province, restarts: int
) -> None:
    early = reported(province, 41)
    for _ in range(restarts):
        province.restart()
        reported(province, 43)
    safe = province.hub.position()
    late = reported(province, 42)
    ends(province, NODE_KEY, HUB_KEY, until=safe)
    data, found = province.evidence(province.hub, *early)
    assert kinds(found) == ["Revoked"]
    assert examine(data, READER) == found
    assert len(EvidenceFile.decode(data).openings) == restarts
    assert code_of(province, *late) == "key-ended"


def handed_over(province: Province, *, keep: bool) -> list[SigningKey]:
    """Root set 1: three new roots; the founding one leaves."""
    new = [SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3)]
    kept = stays(province.hub, ROOT.key_id, province.hub.position()) if keep else {}
    raws = tuple(sorted(key.verify_key.raw for key in new))
    said = RootStatement(1, 2, raws, ((ROOT.key_id, pack_pairs(kept)),)).encode()
    rows = b"".join(sign_roots(key, said) for key in (ROOT, *new[:2]))
    province.hub.append_sealed(HUB_KEY, RootsSet(province.clock, "vn", said, rows).encode())
    return new


def test_a_root_that_left_is_shown_with_its_set_and_a_new_roots_grant_too(province: Province) -> None:
    honest = province.approve()
    new = handed_over(province, keep=True)
    position = stored_at(province, honest)
    with pytest.raises(NotAllowed) as caught:
        gather(province.hub, position, 0)
    assert caught.value.code == "roots-unnamed"
    data, found = gather(province.hub, position, 0, READER)
    assert kinds(found) == ["RootsSet"]
    assert found.root == ROOT.key_id
    assert examine(data, READER) == found
    grant = Granted(
        province.clock, OTHER_KEY.verify_key.raw, int(Right.APPROVE), PROVINCE, NOON_S, NOON_S + 99, 0, "mới"
    )
    province.hub.append_sealed(new[2], grant.encode())
    data, found = gather(province.hub, stored_at(province, province.approve(by=OTHER_KEY)), 0, READER)
    assert (found.root, kinds(found)) == (new[2].key_id, ["RootsSet"])
    assert examine(data, READER) == found


def test_a_root_that_left_with_nothing_kept_takes_its_grants_along(province: Province) -> None:
    honest = province.approve()
    handed_over(province, keep=False)
    with pytest.raises(NotAllowed) as caught:
        gather(province.hub, stored_at(province, honest), 0, READER)
    assert caught.value.code == "no-authority", "nothing is left above the officer"


def test_the_end_of_an_issuer_that_lets_nothing_stay_takes_its_grants_along(province: Province) -> None:
    honest = province.approve()
    ends(province, ADMIN, ROOT, until=0)
    assert code_of(province, honest) == "key-ended"


def test_what_concerns_the_chain_but_fits_no_file_is_refused_in_words(province: Province) -> None:
    honest = stored_at(province, province.approve())
    own = honest.segment.head
    ids = [sha256(bytes([n % 256, n // 256])).digest()[:8] for n in range(447)]
    many = dict.fromkeys(ids, 7) | {own.log_id: own.first_seq}
    for _ in range(20):
        province.clock += 1
        revoke(province, ADMIN, OFFICER_KEY, cut=(bytes(8), 0), kept=pack_pairs(many))
    with pytest.raises(NotAllowed) as caught:
        gather(province.hub, honest, 0)
    assert caught.value.code == "evidence-size"
    for _ in range(50):
        province.clock += 1
        revoke(province, ADMIN, OFFICER_KEY, cut=(bytes(8), 0), kept=pack_pairs({own.log_id: own.first_seq}))
    with pytest.raises(NotAllowed) as caught:
        gather(province.hub, honest, 0)
    assert caught.value.code == "evidence-size"


def test_the_file_says_how_far_its_maker_had_read_the_journal(province: Province) -> None:
    honest = province.approve()
    assert province.evidence(province.hub, honest)[1].known is None
    reported(province, 41)
    data, found = province.evidence(province.hub, honest)
    assert found.known is not None
    assert (found.known.hub, found.known.at_s) == (HUB_KEY.key_id, NOON_S + 60)
    assert f"number {found.known.seq} of log {found.known.log_id.hex()}" in "\n".join(told(found, "en"))
    first = len(data)
    reported(province, 42)
    again, found = province.evidence(province.hub, honest)
    assert found.known is not None
    assert found.known.at_s == NOON_S + 120
    assert abs(len(again) - first) < 40
    kept = province.station
    last = next(iter(kept.since(kept.position() - 1)))
    _, own = gather(kept, last, 0)
    assert own.known is not None
    assert own.known.at_s == NOON_S + 120, "at a station, its receipt says how far"


def test_a_grant_sealed_again_after_a_restore_stays_where_its_copy_stays(province: Province) -> None:
    """The first place of the same bytes is void, the second one is excepted."""
    fact = Granted(
        NOON_S, OTHER_KEY.verify_key.raw, int(Right.APPROVE), PROVINCE, NOON_S, NOON_S + 99, 0, "khôi phục"
    ).encode()
    province.hub.append_sealed(ADMIN, fact)
    honest = stored_at(province, province.approve(by=OTHER_KEY))
    province.restart()
    copy = province.hub.append_sealed(ADMIN, fact).segment.head
    revoke(province, ROOT, ADMIN, cut=(bytes(8), 0), kept=pack_pairs({copy.log_id: copy.first_seq}))
    data, found = gather(province.hub, honest, 0, READER)
    assert examine(data, READER) == found
    assert kinds(found) == ["Revoked"]


# --- maker, reader and the fold of the whole ledger agree ---------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_the_whole_ledger_counts_is_exactly_what_can_be_proven(data: st.DataObject) -> None:
    province = Province()
    clerk = OTHER_KEY
    cast = {"root": ROOT, "admin": ADMIN, "officer": OFFICER_KEY, "clerk": clerk}
    grants = [(ADMIN, clerk), (ROOT, clerk)]
    approvals: list[int] = []
    for _ in range(data.draw(st.integers(3, 12))):
        act = data.draw(st.sampled_from(["approve", "approve", "grant", "revoke", "rotate", "restart"]))
        province.clock += 1
        if act == "approve":
            who = data.draw(st.sampled_from(["officer", "clerk"]))
            approvals.append(province.approve(by=cast[who]))
        elif act == "grant":
            issuer, subject = data.draw(st.sampled_from(grants))
            fact = Granted(
                province.clock, subject.verify_key.raw, int(Right.APPROVE), HERE, NOON_S, NOON_S + 999,
                0, "x",
            )  # fmt: skip
            province.hub.append_sealed(issuer, fact.encode())
        elif act == "restart":
            province.restart()
        else:
            kept = {
                stored.segment.head.log_id: data.draw(st.integers(0, 6))
                for stored in province.hub.since(0)
                if data.draw(st.booleans())
            }
            subject_name = data.draw(st.sampled_from(["admin", "officer", "clerk"]))
            subject = cast[subject_name]
            if act == "revoke":
                by = cast[data.draw(st.sampled_from(["root", "admin", "officer"]))]
                ending = Revoked(
                    province.clock,
                    subject.key_id,
                    PROVINCE,
                    HUB_KEY.key_id,
                    bytes(8),
                    0,
                    pack_pairs(kept),
                    "",
                ).encode()
            else:
                by, new = subject, NODE_KEY
                proof = possession_of(new, subject.verify_key.raw)
                ending = Rotated(
                    province.clock, PROVINCE, new.verify_key.raw, proof, HUB_KEY.key_id, bytes(8), 0,
                    pack_pairs(kept),
                ).encode()  # fmt: skip
            province.hub.append_sealed(by, ending)
    facts = Facts(READER)
    facts.load(province.hub)
    for position in approvals:
        stored = stored_at(province, position)
        head = stored.segment.head
        place = Place(head.log_id, head.first_seq)
        may = facts.authority.may(head.key_id, Right.APPROVE, HERE, NOON_S + 1, place)
        if may:
            made, found = gather(province.hub, stored, 0, READER)
            assert examine(made, READER) == found
        else:
            with pytest.raises(NotAllowed) as caught:
                gather(province.hub, stored, 0, READER)
            assert caught.value.code in ("key-ended", "no-authority")
