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
from helpers import HUB_KEY, NODE_KEY, OFFICER_KEY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.evidence import (
    EVIDENCE_BYTES_MAX,
    MAGIC,
    EvidenceFile,
    Finding,
    Link,
    Question,
    examine,
    gather,
    shortest_chain,
    told,
)
from ledger.facts import (
    Acknowledged,
    Approved,
    Evidence,
    Facts,
    Granted,
    Outcome,
    Right,
    audience_of,
    day_from_iso,
    parse,
)
from ledger.facts.endings import Revoked
from ledger.log import (
    Ledger,
    LoaError,
    MemoryStore,
    NotAllowed,
    SigningKey,
    VerifyKey,
    accept_reply,
    answer,
    make_request,
)

ROOT_DIR = Path(__file__).parent.parent.parent
VECTORS: Any = json.loads((ROOT_DIR / "tests" / "vectors" / "evidence.json").read_text("utf-8"))
ROOTS = [VerifyKey(bytes.fromhex(raw)) for raw in VECTORS["roots"]]
FILES = {case["name"]: bytes.fromhex(case["bytes"]) for case in VECTORS["accepts"]}
BOTH = FILES["both witnesses, the receipt a day later"]

ROOT = SigningKey.from_seed(b"root of Yen Bai, a key for tests")
ADMIN = SigningKey.from_seed(b"admin of Yen Bai, key for tests.")
NOON_S = 1_667_969_100  # 2022-11-09 11:45 +07
DAY = day_from_iso("2022-11-09")
PROVINCE, HERE = "vn.yb", "vn.yb.04630"


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
    assert (found.root.hex(), [link.subject.key_id.hex() for link in found.chain]) == (
        case["root"],
        case["chain"],
    )
    assert [{"kind": w.kind, "hub": w.hub.hex(), "at": w.at_s} for w in found.witnesses] == case["witnesses"]
    assert [question.value for question in found.questions] == case["open"]


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
    "name", ["both witnesses, the receipt a day later", "an approval with its two grants"]
)
def test_no_changed_byte_leaves_a_file_true(name: str) -> None:
    """What no signature covers, as the tails of the grants' segments, may not differ either."""
    whole = FILES[name]
    for at in range(len(whole)):
        for bit in (1, 0x80):
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
    grants = [grant for file in files for grant in file.grants]
    mixed = EvidenceFile(
        data.draw(st.sampled_from([file.proof for file in files])),
        tuple(data.draw(st.lists(st.sampled_from(grants), max_size=8))),
        data.draw(st.sampled_from([file.journal for file in files])),
        receipt := data.draw(st.sampled_from([file.receipt for file in files])),
        data.draw(st.sampled_from([file.heads for file in files])) if receipt else (),
    )
    true_events = {case["event"] for case in VECTORS["accepts"]}
    try:
        found = examine(mixed.encode(), ROOTS)
    except LoaError:
        return
    assert found.event.hex() in true_events
    assert found.root in {root.key_id for root in ROOTS}
    assert len(found.witnesses) == (mixed.journal is not None) + (mixed.receipt is not None)


def test_another_root_makes_every_file_false() -> None:
    other = [OFFICER_KEY.verify_key]
    assert {refusal(data, other) for data in FILES.values()} == {"key-unknown"}
    assert {refusal(data, []) for data in FILES.values()} == {"key-unknown"}


def test_of_several_roots_one_is_enough() -> None:
    assert examine(BOTH, [OFFICER_KEY.verify_key, *ROOTS]).root == ROOTS[0].key_id


# --- gathered from ledgers ----------------------------------------------------------------------------------


class Province:
    """A hub and a station with their facts, and an officer; one round carries everything."""

    def __init__(self) -> None:
        self.clock = NOON_S
        self.hub = self._ledger(7)
        self.station = self._ledger(9)
        grants = (
            (ROOT, HUB_KEY, Right.RECEIPT | Right.INGEST | Right.ACK | Right.GRANT, PROVINCE, 2, "Máy chủ"),
            (ROOT, ADMIN, Right.APPROVE | Right.GRANT, PROVINCE, 3, "Sở VHTTDL"),
            (ADMIN, OFFICER_KEY, Right.APPROVE, PROVINCE, 0, "Phòng Văn hóa"),
            (HUB_KEY, NODE_KEY, Right.ACK, HERE, 0, "Xã Tú Lệ"),
        )
        for issuer, subject, classes, unit, depth, label in grants:
            fact = Granted(
                ts=NOON_S, subject_pub=subject.verify_key.raw, classes=int(classes), territory=unit,
                not_before=NOON_S - 60, not_after=NOON_S + 86_400, depth=depth, label=label,
            )  # fmt: skip
            self.hub.append_sealed(issuer, fact.encode())
        self.station.trust(ROOT.verify_key)
        self.round()

    def _ledger(self, seed: int) -> Ledger:
        facts = Facts([ROOT.verify_key])
        drawn = iter(range(1, 1_000))
        kept = Ledger(
            MemoryStore().open_db("ledger.db"),
            entropy=lambda count: (seed * 1_000 + next(drawn)).to_bytes(count, "big"),
            now=lambda: self.clock,
            audience_of=audience_of,
            on_admit=facts.admit,
        )
        kept.trust(ROOT.verify_key)
        return kept

    def round(self) -> None:
        request = make_request(self.station, NODE_KEY, nonce=self.clock.to_bytes(8, "big"), now=self.clock)
        units = ("vn", PROVINCE, HERE)
        given_ = answer(self.hub, HUB_KEY, request, now=self.clock, audiences_of=lambda key: units)
        accept_reply(self.station, NODE_KEY, HUB_KEY.verify_key, request, given_.reply)

    def acknowledge(self, series: int) -> None:
        fact = Acknowledged(
            ts=self.clock, series=series, day=DAY, content=bytes(16), jitter_cs=4, played_ds=900,
            outcome=Outcome.PLAYED, detail=0, evidence=Evidence.DELIVERED, volume=80, clusters=None,
        )  # fmt: skip
        self.station.append(NODE_KEY, fact.encode())

    def approve(self, by: SigningKey = OFFICER_KEY) -> int:
        fact = Approved(
            ts=self.clock, bulletin=bytes(16), version=1, manifest=bytes(32), title="Ngày Pháp luật",
            category="", klass=2, territory=HERE, valid_from_day=DAY, valid_until_day=DAY,
        )  # fmt: skip
        return self.hub.append_sealed(by, fact.encode()).position

    def evidence(self, ledger: Ledger, position: int, index: int = 0) -> tuple[bytes, Finding]:
        return gather(ledger, next(iter(ledger.since(position - 1, limit=1))), index)


def position_of(ledger: Ledger, event: bytes) -> tuple[int, int]:
    """Where the latest segment with an event that begins so stands: (position, index)."""
    found = [
        (stored.position, index)
        for stored in ledger.since(0)
        for index, other in enumerate(stored.segment.events)
        if event in other
    ]
    return found[-1]


@pytest.fixture
def province() -> Province:
    return Province()


def test_an_approval_is_proven_from_the_hub_by_the_two_grants_above_it(province: Province) -> None:
    data, found = province.evidence(province.hub, province.approve())
    assert examine(data, [ROOT.verify_key]) == found
    assert [link.fact.label for link in found.chain] == ["Sở VHTTDL", "Phòng Văn hóa"]
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


def revoke(
    province: Province, by: SigningKey, key: SigningKey, *, cut: tuple[bytes, int], kept: bytes
) -> None:
    log, seq = cut
    fact = Revoked(
        ts=province.clock, subject=key.key_id, territory=PROVINCE, hub_key=HUB_KEY.key_id, hub_log=log,
        hub_seq=seq, exceptions=kept, reason="mất khóa",
    )  # fmt: skip
    province.hub.append_sealed(by, fact.encode())


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
    assert (found.right, found.chain[-1].fact.label) == (None, "Sở VHTTDL")
    assert found.questions == (Question.EFFECT, Question.TIME, Question.REVOKED, Question.PERSON)


def test_a_file_carries_no_grant_that_it_does_not_need(province: Province) -> None:
    data, _ = province.evidence(province.hub, province.approve())
    file = EvidenceFile.decode(data)
    for missing in range(len(file.grants)):
        fewer = EvidenceFile(file.proof, file.grants[:missing] + file.grants[missing + 1 :])
        assert refusal(fewer.encode(), [ROOT.verify_key]) == "key-unknown"


def test_every_grant_of_the_hub_can_be_proven_too(province: Province) -> None:
    for stored in list(province.hub.since(0)):
        data, found = gather(province.hub, stored, 0, [ROOT.verify_key])
        assert examine(data, [ROOT.verify_key]) == found


# --- chains -------------------------------------------------------------------------------------------------


def link(issuer: SigningKey, subject: SigningKey, **changed: Any) -> Link:
    base = Granted(
        ts=NOON_S, subject_pub=subject.verify_key.raw, classes=int(Right.APPROVE | Right.GRANT),
        territory=PROVINCE, not_before=NOON_S, not_after=NOON_S + 60, depth=2, label="",
    )  # fmt: skip
    return Link(issuer.key_id, subject.verify_key, replace(base, **changed), repr(changed).encode())


NARROWER = [
    {"classes": int(Right.GRANT)},
    {"territory": "vn.yb.04402"},
    {"not_before": NOON_S + 1},
    {"not_after": NOON_S - 1, "not_before": NOON_S - 9},
]


@pytest.mark.parametrize("narrower", NARROWER)
def test_the_grant_that_is_shown_is_one_that_gives_the_right(narrower: dict[str, Any]) -> None:
    wrong, good = link(ROOT, OFFICER_KEY, **narrower), link(ROOT, OFFICER_KEY)
    asked = ({ROOT.key_id}, OFFICER_KEY.key_id, int(Right.APPROVE), HERE, NOON_S)
    assert shortest_chain([wrong, good], *asked) == (good,)
    assert shortest_chain([wrong], *asked) is None


@pytest.mark.parametrize(
    "narrower",
    [*NARROWER, {"classes": int(Right.APPROVE)}, {"depth": 0}, {"not_after": NOON_S + 59}],
)
def test_the_grant_above_that_is_shown_is_one_that_carries_the_one_below(narrower: dict[str, Any]) -> None:
    wrong, good = link(ROOT, ADMIN, **narrower), link(ROOT, ADMIN)
    below = link(ADMIN, OFFICER_KEY, depth=0, classes=int(Right.APPROVE))
    asked = ({ROOT.key_id}, OFFICER_KEY.key_id, int(Right.APPROVE), HERE, NOON_S)
    assert shortest_chain([wrong, good, below], *asked) == (good, below)
    assert shortest_chain([wrong, below], *asked) is None


def test_of_several_chains_the_fewest_links_are_shown() -> None:
    long = [link(ROOT, ADMIN), link(ADMIN, OFFICER_KEY, depth=0)]
    direct = link(ROOT, OFFICER_KEY, depth=3)
    asked = ({ROOT.key_id}, OFFICER_KEY.key_id, int(Right.APPROVE), HERE, NOON_S)
    assert shortest_chain([*long, direct], *asked) == (direct,)
    assert shortest_chain([direct], {OFFICER_KEY.key_id}, *asked[1:]) == ()
    assert shortest_chain([link(ROOT, OFFICER_KEY, depth=4)], *asked) is None


# --- words --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_finding_is_told_whole_in_both_languages(name: str, lang: str) -> None:
    found = examine(FILES[name], ROOTS)
    lines = told(found, lang)
    assert lines[0].startswith("ĐÚNG" if lang == "vi" else "TRUE")
    text = "\n".join(lines)
    assert found.author.raw.hex() in text
    assert all(link.fact.territory in text for link in found.chain)
    assert len([line for line in lines if line.startswith("  - ")]) == len(found.questions)
    assert "{" not in text
    assert text.isprintable() or all(line.isprintable() for line in lines)


def test_a_label_cannot_steer_a_terminal_or_turn_a_line_around() -> None:
    found = examine(FILES["grants that nothing needs, of another commune"], ROOTS)
    tricky = replace(found, label="\x1b[2Jtrái\u202e")
    assert "\x1b" not in "".join(told(tricky))
    assert "\u202e" not in "".join(told(tricky))
