"""Revocation, rotation and root sets: what stays of a key that ended, for whom, and in whichever order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from endings_desk import Office, log_of, revoked, root_set, rotated, statement
from facts_desk import (
    LAW_DAY,
    NOW,
    OFFICER,
    PROVINCE,
    TU_LE,
    XUAN_AI,
    approved,
    arrive,
    bulletin,
    granted,
    key,
    scheduled,
    share_of,
)
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts import (
    Outcome,
    Right,
    RootStatement,
    at,
    audience_of,
    due,
    explain,
    pack_pairs,
    read_pairs,
    slots,
)
from ledger.facts.outcome import Detail
from ledger.facts.roots import Roots
from ledger.log import NotAllowed, ProtocolError, read_delivery
from ledger.log.delivery import pack_delivery

HELD = OFFICER | Right.GRANT
FIVE_PM = at(LAW_DAY, 17 * 60)


@pytest.fixture
def office() -> Office:
    """root → admin (depth 3) → deputy (depth 2) → officer; an editor who schedules."""
    office = Office()
    office.grant("root", "admin", HELD, PROVINCE, depth=3)
    office.grant("admin", "deputy", HELD, PROVINCE, depth=2)
    office.grant("deputy", "officer", OFFICER, PROVINCE)
    office.grant("admin", "editor", Right.SCHEDULE, PROVINCE)
    return office


def titles(office: Office) -> list[str]:
    return [one.fact.title for one in office.facts.approvals.get(bulletin(1), [])]


# --- revocation ---------------------------------------------------------------------------------------------


def test_what_stands_at_or_before_the_exception_stays_and_what_comes_after_is_void(office: Office) -> None:
    for n in range(4):
        office.say("officer", approved(title=f"{n}", version=n + 1))
    office.revoke("deputy", "officer", {0: 1})
    assert titles(office) == ["0", "1"]
    assert office.reasons() == ["key-ended"] * 2
    assert not office.may("officer", Right.APPROVE)


def test_a_revoked_key_cannot_extend_its_log_nor_begin_another(office: Office) -> None:
    office.say("officer", approved(title="trước"))
    office.revoke("admin", "officer", {0: 0})
    for log in (0, 1, 2):
        office.say("officer", approved(title="sau", version=2 + log), log=log)
        office.say("officer", scheduled(series=1 + log), log=log)
    assert titles(office) == ["trước"]
    assert office.facts.orders == {}
    assert set(office.reasons()) == {"key-ended"}


def test_a_thief_who_sets_the_clock_back_does_not_get_in_front_of_the_cut(office: Office) -> None:
    office.revoke("root", "officer")
    office.say("officer", approved(ts=NOW - 86_400 * 20))
    assert titles(office) == []


def test_a_log_that_the_exceptions_name_stays_also_when_it_arrives_after_the_revocation(
    office: Office,
) -> None:
    on_a_stick = office.sign("officer", approved(title="trên thẻ nhớ"), log=3)
    office.revoke("deputy", "officer", {3: 0})
    assert titles(office) == []
    office.take(on_a_stick)
    assert titles(office) == ["trên thẻ nhớ"]


@pytest.mark.parametrize(
    ("signer", "subject", "reason"),
    [
        ("editor", "officer", "revocation-not-above"),
        ("officer", "deputy", "revocation-not-above"),
        ("officer", "officer", "revocation-of-itself"),
        ("deputy", "stranger", "revocation-unknown-key"),
        ("admin", "root", "revocation-of-root"),
        ("stranger", "officer", "revocation-not-above"),
    ],
)
def test_only_whoever_stands_above_a_key_may_end_it(
    office: Office, signer: str, subject: str, reason: str
) -> None:
    office.say("officer", approved())
    office.revoke(signer, subject)
    assert office.reasons() == [reason]
    assert titles(office) != []
    assert office.may("officer", Right.APPROVE)
    assert office.may("deputy", Right.GRANT)


@pytest.mark.parametrize("signer", ["root", "admin", "deputy"])
def test_every_key_of_the_chain_above_may(office: Office, signer: str) -> None:
    office.revoke(signer, "officer")
    assert not office.may("officer", Right.APPROVE)
    assert office.reasons() == []


def test_a_grant_of_a_revoked_key_stays_only_where_it_is_excepted(office: Office) -> None:
    # The deputy's log: 0 grants to the officer; 1 to a friend.
    office.grant("deputy", "friend", OFFICER, TU_LE)
    office.revoke("admin", "deputy", {0: 0})
    assert office.may("officer", Right.APPROVE)
    assert not office.may("friend", Right.APPROVE, TU_LE)
    assert office.reasons() == ["grant-key-ended"]


def test_whoever_was_ended_ends_nobody(office: Office) -> None:
    office.revoke("admin", "deputy", {0: 0})
    office.revoke("deputy", "officer")
    assert office.may("officer", Right.APPROVE)
    assert office.reasons() == ["revocation-key-ended"]


def test_a_revocation_that_was_excepted_stands(office: Office) -> None:
    office.revoke("deputy", "officer")  # number 1 in the deputy's log
    office.revoke("admin", "deputy", {0: 1})
    assert not office.may("officer", Right.APPROVE)
    assert office.reasons() == []


def test_a_revocation_of_the_revoker_gives_the_key_back(office: Office) -> None:
    office.say("officer", approved())
    office.revoke("deputy", "officer")
    assert titles(office) == []
    office.revoke("admin", "deputy", {0: 0})
    assert titles(office) != []
    assert office.reasons() == ["revocation-key-ended"]


def test_a_grant_from_another_chain_goes_on(office: Office) -> None:
    office.grant("root", "officer", Right.APPROVE, TU_LE)
    office.revoke("deputy", "officer")
    assert office.may("officer", Right.APPROVE, TU_LE)
    assert not office.may("officer", Right.APPROVE, XUAN_AI)


def test_a_revocation_reaches_as_far_as_its_territory(office: Office) -> None:
    office.grant("admin", "two", Right.APPROVE, TU_LE)
    office.grant("admin", "two", Right.APPROVE, XUAN_AI)
    office.revoke("admin", "two", territory=TU_LE)
    assert not office.may("two", Right.APPROVE, TU_LE)
    assert office.may("two", Right.APPROVE, XUAN_AI)


def test_a_revoked_key_is_not_granted_anew_by_the_same_chain(office: Office) -> None:
    office.revoke("admin", "officer")
    office.grant("admin", "officer", Right.APPROVE, PROVINCE, label="lần nữa")
    office.grant("deputy", "officer", Right.APPROVE, PROVINCE, label="lần nữa")
    assert not office.may("officer", Right.APPROVE)


def test_a_revocation_may_come_before_the_grant_it_ends(office: Office) -> None:
    office.revoke("admin", "newcomer")
    assert office.reasons() == ["revocation-unknown-key"]
    office.grant("admin", "newcomer", Right.APPROVE, PROVINCE)
    assert not office.may("newcomer", Right.APPROVE)
    assert office.reasons() == []


def test_a_station_does_not_play_what_a_revocation_made_void(office: Office) -> None:
    office.say("officer", approved())
    office.say("editor", scheduled())
    planned = due(office.facts, TU_LE, FIVE_PM, done=set())
    assert planned is not None
    office.revoke("admin", "officer")
    assert due(office.facts, TU_LE, FIVE_PM, done=set()) is None
    ((_, verdict),) = explain(office.facts, TU_LE, FIVE_PM).losers
    assert (verdict.outcome, verdict.detail) == (Outcome.SUPPRESSED, Detail.NO_AUTHORITY)
    office.revoke("admin", "editor")
    assert slots(office.facts, TU_LE, FIVE_PM, FIVE_PM + 1) == []


def test_a_cancellation_of_an_ended_key_cancels_nothing(office: Office) -> None:
    from ledger.facts import Cancelled, Target

    office.say("admin", approved())
    office.say("officer", Cancelled(NOW, Target.BULLETIN, bulletin(1), None, PROVINCE, "trộm"))
    (standing,) = office.facts.approvals[bulletin(1)]
    assert office.facts.withdrawal_of(standing, TU_LE) is not None
    office.revoke("admin", "officer")
    (standing,) = office.facts.approvals[bulletin(1)]
    assert office.facts.withdrawal_of(standing, TU_LE) is None


def test_equal_bytes_count_where_an_ending_lets_them_stay(office: Office) -> None:
    office.say("officer", approved(), log=1)
    office.say("officer", approved(), log=0)
    office.revoke("admin", "officer", {0: 0})
    (standing,) = office.facts.approvals[bulletin(1)]
    assert standing.signed.log_id == log_of("officer")
    assert standing.position == 6


def test_a_revocation_and_what_it_concerns_go_to_the_same_stations(office: Office) -> None:
    assert audience_of([revoked("officer").encode()]) == PROVINCE
    assert audience_of([rotated("officer", "new", territory=TU_LE).encode()]) == TU_LE
    assert audience_of([root_set(statement(1, 1, ["a"]), ["root"]).encode()]) == "vn"


# --- rotation -----------------------------------------------------------------------------------------------


def test_nothing_of_the_old_key_counts_after_its_last_event(office: Office) -> None:
    office.say("officer", approved(title="trước"))
    office.say("officer", rotated("officer", "officer-2"))
    office.say("officer", approved(title="sau", version=2))
    office.say("officer", approved(title="nhật ký khác", version=3), log=1)
    assert titles(office) == ["trước"]
    assert not office.may("officer", Right.APPROVE)
    assert not office.may("officer-2", Right.APPROVE), "the issuer grants anew; a key does not pass itself on"
    office.grant("deputy", "officer-2", OFFICER, PROVINCE)
    assert office.may("officer-2", Right.APPROVE)


def test_a_rotation_excepts_the_earlier_logs_it_names(office: Office) -> None:
    office.say("officer", approved(title="cũ"), log=1)
    office.say("officer", approved(title="quên", version=2), log=2)
    office.say("officer", rotated("officer", "officer-2", {1: 0}))
    assert titles(office) == ["cũ"]


def test_a_rotation_by_a_thief_is_void_once_the_key_is_revoked(office: Office) -> None:
    office.say("officer", approved(title="thật"))
    office.say("officer", rotated("officer", "thief"), log=5)
    assert titles(office) == []
    office.revoke("deputy", "officer", {0: 0})
    assert titles(office) == ["thật"]
    assert office.reasons() == ["rotation-key-ended"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"possession": bytes(64)}, "rotation-possession"),
        ({"new_pub": bytes(32)}, "rotation-key-refused"),
        ({"new_pub": key("somebody").verify_key.raw}, "rotation-possession"),
        ({"territory": "vn.lc"}, "rotation-unknown-key"),
    ],
)
def test_a_rotation_without_possession_of_a_sound_key_changes_nothing(
    office: Office, fields: dict[str, Any], reason: str
) -> None:
    office.say("officer", rotated("officer", "officer-2", **fields))
    assert office.reasons() == [reason]
    assert office.may("officer", Right.APPROVE)


def test_a_key_does_not_rotate_to_itself_and_a_root_not_at_all(office: Office) -> None:
    office.say("officer", rotated("officer", "officer"))
    office.say("root", rotated("root", "root-2"))
    office.say("stranger", rotated("stranger", "another"))
    assert office.reasons() == ["rotation-to-itself", "rotation-by-root", "rotation-unknown-key"]


def test_the_first_rotation_of_a_log_is_its_last_event(office: Office) -> None:
    office.say("officer", rotated("officer", "officer-2"))
    office.say("officer", rotated("officer", "thief"))
    assert office.reasons() == ["rotation-key-ended"]


def test_of_two_rotations_in_two_logs_each_counts_and_only_what_both_let_stay_stays(office: Office) -> None:
    office.say("officer", approved(title="một"))
    office.say("officer", approved(title="hai", version=2), log=1)
    office.say("officer", rotated("officer", "officer-2", {1: 0}))
    office.say("officer", rotated("officer", "thief", {0: 0}), log=2)
    assert office.reasons() == ["key-ended"]
    assert titles(office) == ["một"]


# --- root sets ----------------------------------------------------------------------------------------------


@pytest.fixture
def safe() -> Office:
    """A reader that was given three roots; each has granted something."""
    office = Office(["r1", "r2", "r3"])
    for n in (1, 2, 3):
        office.grant(f"r{n}", f"admin-{n}", HELD, PROVINCE, depth=3)
    return office


NEXT = statement(1, 2, ["r1", "r2", "r4"], {"r3": {0: 0}})


def test_a_set_follows_when_both_thresholds_signed_it(safe: Office) -> None:
    introduced = safe.say("admin-1", root_set(NEXT, ["r1", "r2"]))
    assert introduced == [key("r4").key_id]
    assert safe.facts.authority.is_root(key("r4").key_id)
    assert not safe.facts.authority.is_root(key("r3").key_id)
    assert safe.may("admin-3", HELD), "what the leaving root had granted was named and stays"
    safe.grant("r3", "thief", HELD, PROVINCE, depth=3)
    safe.grant("r4", "admin-4", HELD, PROVINCE, depth=3)
    assert safe.reasons() == ["grant-key-ended"]
    assert safe.may("admin-4", HELD)
    assert not safe.may("thief", HELD)


def test_what_a_leaving_root_signed_and_nobody_named_is_void(safe: Office) -> None:
    safe.say("admin-1", root_set(statement(1, 2, ["r1", "r2", "r4"], {"r3": {}}), ["r1", "r2"]))
    assert not safe.may("admin-3", HELD)
    assert safe.reasons() == ["grant-key-ended"]


def test_sets_are_followed_one_by_one_in_whichever_order_they_arrive(safe: Office) -> None:
    second = statement(2, 2, ["r2", "r4", "r5"], {"r1": {0: 0}})
    safe.say("admin-1", root_set(second, ["r2", "r4"]))
    assert safe.reasons() == ["roots-version"]
    assert safe.say("admin-1", root_set(NEXT, ["r1", "r2"])) == [key("r4").key_id, key("r5").key_id]
    assert safe.reasons() == []
    assert [one.version for one in safe.facts.authority.roots.sets] == [0, 1, 2]


ALL = ["r1", "r2", "r3", "r4"]
REFUSED: dict[str, tuple[bytes, list[str], str]] = {
    "one root of the set before": (NEXT, ["r1", "r4"], "roots-threshold-old"),
    "too few of the new set": (statement(1, 2, ["r1", "r4", "r5"], {"r2": {}, "r3": {}}), ["r1", "r2", "r3"],
                               "roots-threshold-new"),
    "a version too far": (statement(2, 2, ["r1", "r2", "r4"], {"r3": {}}), ALL, "roots-version"),
    "the version that stands": (statement(1, 2, ["r1", "r2", "r3"]).replace(b"\x94\x01", b"\x94\x00", 1), ALL,
                                "roots-form"),
    "a key twice": (statement(1, 2, ["r1", "r1", "r2"], {"r3": {}}), ALL, "roots-key-twice"),
    "a signature twice": (NEXT, ["r1", "r1", "r2"], "roots-signature-twice"),
    "one root's signature twice": (NEXT, ["r1", "r1"], "roots-signature-twice"),
    "a foreign signature": (NEXT, ["r1", "r2", "stranger"], "roots-signature-foreign"),
    "a threshold that two halves reach": (statement(1, 1, ["r1", "r2"], {"r3": {}}), ALL,
                                          "roots-threshold-range"),
    "a threshold nobody reaches": (statement(1, 4, ["r1", "r2", "r4"], {"r3": {}}), ALL,
                                   "roots-threshold-range"),
    "a leaving key unnamed": (statement(1, 2, ["r1", "r2", "r4"]), ["r1", "r2"], "roots-retired"),
    "a staying key named": (statement(1, 2, ["r1", "r2", "r3"], {"r3": {}}), ["r1", "r2"], "roots-retired"),
    "no message": (b"\xc1", ["r1", "r2"], "roots-form"),
    "a key id that a grant's subject has": (NEXT[:-1], ["r1", "r2"], "roots-form"),
}  # fmt: skip


@pytest.mark.parametrize(("said", "signers", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_any_other_set_changes_nothing(safe: Office, said: bytes, signers: list[str], reason: str) -> None:
    assert safe.say("admin-1", root_set(said, signers)) == []
    assert safe.reasons() == [reason]
    assert [safe.facts.authority.is_root(key(name).key_id) for name in ALL] == [True] * 3 + [False]


def test_a_signature_over_other_bytes_is_refused(safe: Office) -> None:
    honest = root_set(NEXT, ["r1", "r2"])
    safe.say("admin-1", type(honest)(NOW, "vn", NEXT, honest.signatures[:-2] + b"\0\0"))
    assert safe.reasons() == ["roots-signature-bad"]


def test_a_root_whose_key_id_another_key_has_is_refused() -> None:
    roots = Roots([key(name).verify_key for name in ("r1", "r2", "r3")])
    with pytest.raises(NotAllowed) as refused:
        roots.follow(root_set(NEXT, ["r1", "r2"]), lambda key_id: key("another").verify_key)
    assert refused.value.code == "roots-key-id-taken"
    assert roots.now.version == 0


def test_of_two_sets_of_one_version_the_first_counts(safe: Office) -> None:
    safe.say("admin-1", root_set(NEXT, ["r1", "r2"]))
    safe.say("admin-1", root_set(statement(1, 2, ["r1", "r2", "r5"], {"r3": {}}), ["r1", "r2"]))
    assert safe.reasons() == ["roots-other"]


def test_the_same_set_again_changes_nothing(safe: Office) -> None:
    safe.say("admin-1", root_set(NEXT, ["r1", "r2"]))
    safe.say("admin-2", root_set(NEXT, ["r1", "r2", "r4"]))
    assert safe.reasons() == []
    assert safe.facts.authority.roots.now.version == 1


def test_a_root_that_left_does_not_come_back(safe: Office) -> None:
    safe.say("admin-1", root_set(NEXT, ["r1", "r2"]))
    safe.say("admin-1", root_set(statement(2, 2, ["r1", "r2", "r3", "r4"][:3], {"r4": {}}), ["r1", "r2"]))
    assert safe.reasons() == ["roots-key-returns"]


def test_two_of_three_means_more_than_half_of_what_a_reader_was_given() -> None:
    for names, threshold in ((["r1"], 1), (["r1", "r2"], 2), (["r1", "r2", "r3"], 2), (["r1"] * 3, 1)):
        assert Office(names).facts.authority.roots.now.threshold == threshold


def test_a_single_founding_root_hands_over_to_three(office: Office) -> None:
    said = statement(1, 2, ["r1", "r2", "r3"], {"root": {0: 0}})
    office.say("admin", root_set(said, ["root", "r1", "r3"]))
    assert office.reasons() == []
    assert office.may("officer", Right.APPROVE)
    assert not office.facts.authority.is_root(key("root").key_id)


@given(st.binary(max_size=200) | st.sampled_from([NEXT[:n] for n in range(len(NEXT))]))
def test_bytes_that_are_no_root_set_are_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        said = RootStatement.decode(data)
    except NotAllowed:
        return
    assert said.encode() == data


@given(
    st.dictionaries(st.binary(min_size=8, max_size=8).filter(any), st.integers(0, (1 << 63) - 1), max_size=9)
)
def test_exceptions_read_back_as_they_were_written(kept: dict[bytes, int]) -> None:
    assert read_pairs(pack_pairs(kept)) == kept


@given(st.binary(max_size=64))
def test_any_bytes_are_exceptions_in_one_form_only_or_none(data: bytes) -> None:
    kept = read_pairs(data)
    assert kept is None or pack_pairs(kept) == data


@given(st.binary(max_size=300))
def test_any_bytes_are_a_file_of_segments_or_the_peers_fault(data: bytes) -> None:
    try:
        raws = read_delivery(data)
    except ProtocolError:
        return
    assert pack_delivery(raws) == data


# --- order and share ----------------------------------------------------------------------------------------


def story() -> Office:
    """Grants, approvals, a rotation, two revocations and a root set, as the hub came to know them."""
    office = Office()
    office.grant("root", "admin", HELD, PROVINCE, depth=3)
    office.grant("admin", "deputy", HELD, PROVINCE, depth=2)
    office.grant("deputy", "officer", OFFICER, TU_LE)
    office.say("officer", approved(1, territory=TU_LE))
    office.say("officer", approved(2, territory=TU_LE), log=1)
    office.say("deputy", approved(3))
    office.say("deputy", rotated("deputy", "deputy-2"))
    office.say("deputy", approved(4), log=1)
    office.revoke("admin", "officer", {1: 0})
    said = statement(1, 2, ["r1", "r2", "r3"], {"root": {0: 0}})
    office.say("admin", root_set(said, ["root", "r1", "r3"]))
    office.say("r2", granted("admin-2", HELD, PROVINCE, depth=3))
    return office


def standing(facts: Any, unit: str = "") -> Any:
    return {
        (one.key_id, one.signed.id)
        for ones in facts.approvals.values()
        for one in ones
        if not unit or one.fact.territory in ("vn", PROVINCE, unit)
    }


def test_a_reader_comes_to_the_same_answer_in_whichever_order_it_hears() -> None:
    hub = story()
    segments = [stored.segment for stored in hub.arrived]
    assert [number for number in (1, 2, 3, 4) if hub.facts.approvals.get(bulletin(number))] == [2, 3]
    turned = [*segments[::-1]], [*segments[5:], *segments[:5]], segments[::2] + segments[1::2]
    for order in turned:
        facts = arrive(order)
        assert standing(facts) == standing(hub.facts)
        assert {(s.id, why) for s, why in facts.refused} == {(s.id, why) for s, why in hub.facts.refused}


def test_a_station_that_knows_only_its_share_agrees_with_the_hub() -> None:
    hub = story()
    segments = [stored.segment for stored in hub.arrived]
    for unit in (TU_LE, XUAN_AI):
        share = share_of(segments, unit)
        assert len(share) < len(segments) or unit == TU_LE
        for order in itertools.islice(itertools.permutations(share), 0, 2000, 397):
            assert standing(arrive(order)) == standing(hub.facts, unit)
