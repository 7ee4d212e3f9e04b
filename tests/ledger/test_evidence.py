"""Evidence for third parties: what a file proves, what it leaves open, and that no other proves anything.

The vectors are read as a stranger would; files are also gathered from ledgers that real rounds between a
station and a hub have filled.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from evidence_desk import ADMIN, HERE, NOON_S, PROVINCE, ROOT, Province, position_of, revoke
from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.evidence import (
    EVIDENCE_BYTES_MAX,
    MAGIC,
    EvidenceFile,
    Question,
    examine,
    gather,
    shortest_chain,
    told,
)
from ledger.facts import (
    Acknowledged,
    Authority,
    Granted,
    Malformed,
    Place,
    Right,
    Signed,
    parse,
)
from ledger.facts.endings import Revoked
from ledger.log import (
    LoaError,
    NotAllowed,
    SigningKey,
    VerifyKey,
)

ROOT_DIR = Path(__file__).parent.parent.parent
VECTORS: Any = json.loads((ROOT_DIR / "tests" / "vectors" / "evidence.json").read_text("utf-8"))
ROOTS = [VerifyKey(bytes.fromhex(raw)) for raw in VECTORS["roots"]]
FILES = {case["name"]: bytes.fromhex(case["bytes"]) for case in VECTORS["accepts"]}
BOTH = FILES["both witnesses, the receipt a day later"]


def refusal(data: bytes, roots: list[VerifyKey] = ROOTS) -> str:
    with pytest.raises(LoaError) as caught:
        examine(data, roots)
    return caught.value.code


# --- the vectors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in VECTORS["accepts"]])
def test_a_file_proves_this_and_leaves_that_open(case: Any) -> None:
    data = bytes.fromhex(case["bytes"])
    found = examine(data, ROOTS)
    assert EvidenceFile.decode(data).encode() == data
    assert found.author.raw.hex() == case["key"]
    assert (found.seq, found.event.hex()) == (case["seq"], case["event"])
    assert (None if found.right is None else int(found.right), found.territory) == (
        case["right"],
        case["territory"],
    )
    assert (found.root.hex(), [grant.subject.key_id.hex() for grant in found.chain]) == (
        case["root"],
        case["chain"],
    )
    assert [{"kind": w.kind, "hub": w.hub.hex(), "at": w.at_s} for w in found.witnesses] == case["witnesses"]
    assert [question.value for question in found.questions] == case["open"]
    assert [signed.fact.TYPE for signed in found.endings if not isinstance(signed.fact, Malformed)] == case[
        "endings"
    ]
    known = found.known and {
        "hub": found.known.hub.hex(),
        "log": found.known.log_id.hex(),
        "seq": found.known.seq,
        "at": found.known.at_s,
    }
    assert known == case["known"]


@pytest.mark.parametrize("case", [pytest.param(c, id=c["name"]) for c in VECTORS["rejects"]])
def test_a_file_is_refused(case: Any) -> None:
    assert refusal(bytes.fromhex(case["bytes"])) == case["code"]


def test_a_file_beyond_the_longest_is_refused() -> None:
    case = VECTORS["reject_too_long"]
    assert case["length"] == EVIDENCE_BYTES_MAX + 1
    assert refusal(BOTH.ljust(case["length"], b"\0")) == case["code"]


def test_every_refusal_of_the_spec_page_has_a_vector_and_every_code_of_a_vector_is_in_the_spec() -> None:
    spec = ROOT_DIR / "docs" / "spec"
    pages = "".join(page.read_text("utf-8") for page in spec.glob("*.md"))
    codes = {case["code"] for case in VECTORS["rejects"]} | {VECTORS["reject_too_long"]["code"]}
    bad_field = {code for code in codes if code.startswith("bad-")}  # one rule of vocabulary.md
    assert [code for code in sorted(codes - bad_field) if f"`{code}`" not in pages] == []
    listed = {
        word
        for word in (spec / "evidence.md").read_text("utf-8").split("`")
        if word.startswith(("evidence-", "witness-"))
    }
    assert listed == {code for code in codes if code.startswith(("evidence-", "witness-"))}


def test_the_plain_proof_of_an_approval_and_the_file_with_its_chain_are_as_small_as_promised() -> None:
    data = FILES["an approval with its two grants"]
    assert len(EvidenceFile.decode(data).proof) <= 332
    assert len(data) <= 832


# --- hostile bytes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("both witnesses, the receipt a day later", (1, 0x80)),
        ("an approval with its two grants", (1, 0x80)),
        ("a report recorded in the log before that of the cut", (4,)),
        ("the root that granted left with a set, and its grants stay", (4,)),
    ],
)
def test_no_changed_byte_leaves_a_file_true(name: str, bits: tuple[int, ...]) -> None:
    """What no signature covers, as the tails of the statements' segments, may not differ either."""
    whole = FILES[name]
    for at in range(len(whole)):
        for bit in bits:
            refusal(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])


def test_no_file_cut_short_is_true() -> None:
    for length in range(len(BOTH)):
        refusal(BOTH[:length])


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=200))
@example(data=b"\xdd\xff\xff\xff\xff" * 3)
def test_arbitrary_bytes_are_refused_with_an_error_of_ours(data: bytes) -> None:
    refusal(data)
    refusal(MAGIC + data)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_parts_of_good_files_put_together_anew_prove_nothing_new(data: st.DataObject) -> None:
    """Whatever is taken from wherever: the finding, if there is one, is about an event that was signed."""
    files = [EvidenceFile.decode(raw) for raw in FILES.values()]
    grants = [grant for file in files for grant in file.statements]
    mixed = EvidenceFile(
        data.draw(st.sampled_from([file.proof for file in files])),
        tuple(data.draw(st.lists(st.sampled_from(grants), max_size=8))),
        journal := data.draw(st.sampled_from([file.journal for file in files])),
        receipt := data.draw(st.sampled_from([file.receipt for file in files])),
        data.draw(st.sampled_from([file.heads for file in files])) if receipt else (),
        data.draw(st.sampled_from([file.newest for file in files])),
        data.draw(st.sampled_from([file.openings for file in files])) if journal else (),
    )
    true_events = {case["event"] for case in VECTORS["accepts"]}
    try:
        found = examine(mixed.encode(), ROOTS)
    except LoaError:
        return
    assert found.event.hex() in true_events
    assert found.root.hex() in {case["root"] for case in VECTORS["accepts"]}
    assert len(found.witnesses) == (mixed.journal is not None) + (mixed.receipt is not None)


def test_another_root_makes_every_file_false() -> None:
    other = [OFFICER_KEY.verify_key]
    assert {refusal(data, other) for data in FILES.values()} == {"key-unknown"}
    assert {refusal(data, []) for data in FILES.values()} == {"key-unknown"}


def test_of_several_roots_one_is_enough() -> None:
    assert examine(BOTH, [OFFICER_KEY.verify_key, *ROOTS]).root == ROOTS[0].key_id


# --- gathered from ledgers ----------------------------------------------------------------------------------


@pytest.fixture
def province() -> Province:
    return Province()


def test_an_approval_is_proven_from_the_hub_by_the_two_grants_above_it(province: Province) -> None:
    data, found = province.evidence(province.hub, province.approve())
    assert examine(data, [ROOT.verify_key]) == found
    assert [grant.label for grant in found.chain] == ["Sở VHTTDL", "Phòng Văn hóa"]
    assert found.right is Right.APPROVE
    assert found.root == ROOT.key_id
    assert len(data) <= 832
    assert Question.TIME in found.questions, "the hub journals what arrives, not what is signed at it"


def test_the_hub_proves_when_an_acknowledgment_arrived(province: Province) -> None:
    province.acknowledge(41)
    province.clock += 600
    province.round()
    position, index = position_of(province.hub, bytes([16, 0xCE]) + NOON_S.to_bytes(4, "big") + b"\x29")
    data, found = province.evidence(province.hub, position, index)
    assert [(w.kind, w.at_s) for w in examine(data, [ROOT.verify_key]).witnesses] == [
        ("journal", NOON_S + 600)
    ]
    assert isinstance(found.fact, Acknowledged)
    assert Question.TIME not in found.questions


def test_the_station_proves_with_its_receipt_that_the_hub_had_an_early_segment(province: Province) -> None:
    for series in (41, 42, 43):
        province.acknowledge(series)
        province.clock += 60
        province.round()
    position, index = position_of(province.station, bytes([16, 0xCE]) + NOON_S.to_bytes(4, "big") + b"\x29")
    data, found = province.evidence(province.station, position, index)
    assert [(w.kind, w.at_s) for w in found.witnesses] == [("receipt", NOON_S + 180)]
    assert len(EvidenceFile.decode(data).heads) == 2
    assert examine(data, [ROOT.verify_key]) == found
    last = next(iter(province.station.since(province.station.position() - 1)))
    data, found = gather(province.station, last, 0)
    assert [w.kind for w in found.witnesses] == ["receipt"], "of the segment itself, without heads"
    assert EvidenceFile.decode(data).heads == ()


def test_a_decision_without_authority_is_not_made_into_evidence(province: Province) -> None:
    position = province.approve(by=NODE_KEY)
    with pytest.raises(NotAllowed) as caught:
        province.evidence(province.hub, position)
    assert caught.value.code == "no-authority"


def test_what_the_ledger_knows_to_be_void_by_a_revocation_is_not_made_into_evidence(
    province: Province,
) -> None:
    early, late = province.approve(), province.approve()
    head = next(iter(province.hub.since(early - 1, limit=1))).segment.head
    kept = head.log_id + head.first_seq.to_bytes(8, "big")
    revoke(province, ADMIN, OFFICER_KEY, cut=(bytes(8), 0), kept=kept)
    data, _ = province.evidence(province.hub, early)
    assert examine(data, [ROOT.verify_key]).fact == parse(examine(data, [ROOT.verify_key]).event)
    with pytest.raises(NotAllowed) as caught:
        province.evidence(province.hub, late)
    assert caught.value.code == "key-ended"


def test_a_report_that_was_recorded_before_its_key_ended_is_still_proven(province: Province) -> None:
    places = []
    for series in (41, 42):
        province.acknowledge(series)
        province.clock += 60
        province.round()
        places.append(position_of(province.hub, bytes([16, 0xCE]) + (province.clock - 60).to_bytes(4, "big")))
    place = province.hub.tables.journal(places[0][0])
    assert place is not None
    revoke(province, HUB_KEY, NODE_KEY, cut=place, kept=b"")
    data, found = province.evidence(province.hub, *places[0])
    assert examine(data, [ROOT.verify_key]) == found
    with pytest.raises(NotAllowed) as caught:
        province.evidence(province.hub, *places[1])
    assert caught.value.code == "key-ended"


def test_a_revocation_is_proven_as_signed_and_its_effect_stays_open(province: Province) -> None:
    revoke(province, ADMIN, OFFICER_KEY, cut=(bytes(8), 0), kept=b"")
    _, found = province.evidence(province.hub, province.hub.position())
    assert isinstance(found.fact, Revoked)
    assert (found.right, found.chain[-1].label) == (None, "Sở VHTTDL")
    assert found.questions == (Question.EFFECT, Question.TIME, Question.REVOKED, Question.PERSON)


def test_a_file_carries_no_grant_that_it_does_not_need(province: Province) -> None:
    data, _ = province.evidence(province.hub, province.approve())
    file = EvidenceFile.decode(data)
    for missing in range(len(file.statements)):
        fewer = EvidenceFile(file.proof, file.statements[:missing] + file.statements[missing + 1 :])
        assert refusal(fewer.encode(), [ROOT.verify_key]) == "key-unknown"


def test_every_grant_of_the_hub_can_be_proven_too(province: Province) -> None:
    for stored in list(province.hub.since(0)):
        data, found = gather(province.hub, stored, 0, [ROOT.verify_key])
        assert examine(data, [ROOT.verify_key]) == found


# --- chains -------------------------------------------------------------------------------------------------


class Bench:
    """Grants put before an authority one by one, each in a log of its own."""

    def __init__(self) -> None:
        self.authority = Authority([ROOT.verify_key])
        self.count = 0

    def grant(self, issuer: SigningKey, subject: SigningKey, **changed: Any) -> Bench:
        base = Granted(
            ts=NOON_S, subject_pub=subject.verify_key.raw, classes=int(Right.APPROVE | Right.GRANT),
            territory=PROVINCE, not_before=NOON_S, not_after=NOON_S + 60, depth=2, label="",
        )  # fmt: skip
        fact = replace(base, **changed)
        self.count += 1
        log = self.count.to_bytes(8, "big")
        self.authority.apply(Signed(fact, fact.encode(), issuer.key_id, log, 0, self.count))
        return self

    def shown(self, key: SigningKey = OFFICER_KEY) -> list[int] | None:
        """Depths of the grants that are shown for an approval at noon, root's first."""
        found = shortest_chain(
            self.authority, key.key_id, int(Right.APPROVE), HERE, NOON_S, Place(bytes(8), 0)
        )
        return None if found is None else [held.grant.depth for held in found]


NARROWER = [
    {"classes": int(Right.GRANT)},
    {"territory": "vn.yb.04402"},
    {"not_before": NOON_S + 1},
    {"not_after": NOON_S - 1, "not_before": NOON_S - 9},
]


@pytest.mark.parametrize("narrower", NARROWER)
def test_the_grant_that_is_shown_is_one_that_gives_the_right(narrower: dict[str, Any]) -> None:
    both = Bench().grant(ROOT, OFFICER_KEY, **narrower).grant(ROOT, OFFICER_KEY, depth=1)
    assert both.shown() == [1]
    assert Bench().grant(ROOT, OFFICER_KEY, **narrower).shown() is None


@pytest.mark.parametrize(
    "narrower",
    [*NARROWER, {"classes": int(Right.APPROVE)}, {"depth": 0}, {"not_after": NOON_S + 59}],
)
def test_the_grant_above_that_is_shown_is_one_that_carries_the_one_below(narrower: dict[str, Any]) -> None:
    bench = Bench().grant(ROOT, ADMIN, **{"depth": 3} | narrower).grant(ROOT, ADMIN)
    bench.grant(ADMIN, OFFICER_KEY, depth=0, classes=int(Right.APPROVE))
    assert bench.shown() == [2, 0]


def test_of_several_chains_the_fewest_links_are_shown_and_of_equals_the_first() -> None:
    bench = Bench().grant(ROOT, ADMIN).grant(ADMIN, OFFICER_KEY, depth=0)
    assert bench.shown() == [2, 0]
    assert bench.grant(ROOT, OFFICER_KEY, depth=3).grant(ROOT, OFFICER_KEY, depth=1).shown() == [3]
    assert bench.shown(ROOT) == []
    assert bench.shown(NODE_KEY) is None


# --- words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_finding_is_told_whole_in_both_languages(name: str, lang: str) -> None:
    found = examine(FILES[name], ROOTS)
    lines = told(found, lang)
    assert lines[0].startswith("ĐÚNG" if lang == "vi" else "TRUE")
    text = "\n".join(lines)
    assert found.author.raw.hex() in text
    assert all(grant.territory in text for grant in found.chain)
    assert len([line for line in lines if line.startswith("  - ")]) == len(found.questions)
    assert "{" not in text
    assert text.isprintable() or all(line.isprintable() for line in lines)


def test_a_label_cannot_steer_a_terminal_or_turn_a_line_around() -> None:
    found = examine(FILES["grants that nothing needs, of another commune"], ROOTS)
    tricky = replace(found, label="\x1b[2Jtrái\u202e")
    assert "\x1b" not in "".join(told(tricky))
    assert "\u202e" not in "".join(told(tricky))
