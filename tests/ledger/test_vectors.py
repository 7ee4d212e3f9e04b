"""The golden vectors, read as a stranger would: from the JSON files alone, through the public readers."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.log import chain, codec, errors, keys, merkle, proof
from ledger.log.errors import LoaError
from ledger.log.keys import SigningKey, VerifyKey
from ledger.log.segment import SegmentHead, open_segment, seal

ROOT = Path(__file__).parent.parent.parent
VECTORS = ROOT / "tests" / "vectors"
SPEC = ROOT / "docs" / "spec"
MODULES = ("codec", "keys", "merkle", "segment", "proof", "chain")
FILES = ("keys", "events", "messages", "trees", "segments", "chain", "proofs")
# Read by test_vectors_exchange, test_vectors_transit, test_evidence, test_forks and tests/facts.
ELSEWHERE = (
    "receipts", "enrolment", "grants", "endings", "words", "evidence", "transit", "forks", "bundle",
    "blobs", "doorbell", "sync", "central", "vocabulary", "clusters",
)  # fmt: skip


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


def cases(file: str, part: str = "accepts") -> list[Any]:
    return [pytest.param(case, id=case.get("name")) for case in load(file)[part]]


def value_of(json_value: Any) -> Any:
    if isinstance(json_value, dict):
        return bytes.fromhex(json_value["hex"]) if "hex" in json_value else int(json_value["int"])
    if isinstance(json_value, list):
        return tuple(value_of(item) for item in json_value)
    return json_value


def trusting(*public: str) -> Callable[[bytes], VerifyKey | None]:
    known = [VerifyKey(bytes.fromhex(raw)) for raw in public]
    return {key.key_id: key for key in known}.get


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(LoaError) as caught:
        act()
    return caught.value.code


# --- the files themselves ----------------------------------------


def test_the_generator_writes_these_files_byte_for_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(VECTORS))
    made: dict[str, str] = importlib.import_module("generate").vectors()
    assert sorted(made) == sorted(f"{name}.json" for name in FILES + ELSEWHERE)
    for name, text in made.items():
        assert (VECTORS / name).read_text("utf-8") == text, f"{name}: run python tests/vectors/generate.py"


def test_there_are_at_least_as_many_rejects_as_accepts_in_every_file() -> None:
    rejects = {
        "keys": ("signature_rejects", "rejects", "order_rejects"),
        "trees": ("path_rejects",),
        "enrolment": ("rejects", "reply_rejects", "token_rejects"),
    }
    accepts = {
        "keys": ("keys", "signatures", "rfc8032"),
        "enrolment": ("accepts", "reply_accepts", "token_accepts"),
    }
    for name in ("keys", "events", "messages", "segments", "proofs", *ELSEWHERE):
        data = load(name)
        refused = sum(len(data[part]) for part in rejects.get(name, ("rejects",)))
        assert refused >= sum(len(data[part]) for part in accepts.get(name, ("accepts",))), name


def test_no_two_cases_of_a_file_are_the_same_bytes() -> None:
    fields = {
        "events": "bytes",
        "messages": "bytes",
        "segments": "raw",
        "proofs": "bytes",
        "receipts": "bytes",
    }
    for name, field in fields.items():
        data = load(name)
        seen = [case[field] for case in (*data["accepts"], *data["rejects"])]
        assert len(seen) == len(set(seen)), name


# --- the specification beside them ----------------------------------------


def raised() -> dict[str, set[int]]:
    """Every code that the readers name in a refusal → its statuses."""
    found: dict[str, set[int]] = {}
    for module in MODULES:
        for node in ast.walk(ast.parse((ROOT / "ledger" / "log" / f"{module}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                error = errors.CodecError if name == "_refused" else getattr(errors, name, None)
                if error is not None:
                    found.setdefault(str(node.args[0].value), set()).add(error.status)
    return found


def test_the_spec_lists_every_refusal_with_its_status_and_no_other() -> None:
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \| (\d{3}) \|", (SPEC / "README.md").read_text("utf-8"), re.MULTILINE
    )
    listed = {code: {int(status)} for code, status in rows}
    ours = raised()
    assert len(rows) == len(listed)
    assert {code: statuses for code, statuses in ours.items() if listed.get(code) != statuses} == {}
    # Other parts of the log may list theirs on the same page; those of our families are all known here.
    families = {code.split("-")[0] for code in ours}
    assert {code for code in listed if code.split("-")[0] in families} <= set(ours)


def test_every_refusal_has_a_vector() -> None:
    texts = "".join((VECTORS / f"{name}.json").read_text("utf-8") for name in FILES)
    assert {code for code in raised() if f'"{code}"' not in texts} == set()


def test_the_bytes_shown_in_the_spec_are_those_of_the_vectors() -> None:
    texts = "".join((VECTORS / f"{name}.json").read_text("utf-8") for name in (*FILES, "words"))
    texts += str(keys.L - 2**252)
    for page in ("keys", "events", "segments"):
        shown = re.findall(r"\b[0-9a-f]{16,}\b", (SPEC / f"{page}.md").read_text("utf-8"))
        assert shown
        assert [piece for piece in shown if piece not in texts] == []
    example = (SPEC / "events.md").read_text("utf-8").split("bytes    ")[1].splitlines()[0]
    assert example.replace(" ", "") in texts


# --- keys ----------------------------------------


@pytest.mark.parametrize("case", cases("keys", "keys"))
def test_a_seed_gives_its_public_key_and_key_id(case: Any) -> None:
    key = SigningKey.from_seed(bytes.fromhex(case["seed"]))
    assert key.verify_key.raw.hex() == case["public"]
    assert key.key_id.hex() == keys.key_id(bytes.fromhex(case["public"])).hex() == case["key_id"]
    key.verify_key.prove_order()


@pytest.mark.parametrize("case", cases("keys", "signatures"))
def test_a_signature_is_over_its_purpose_and_message(case: Any) -> None:
    key = SigningKey.from_seed(bytes.fromhex(case["seed"]))
    prefix = bytes.fromhex(load("keys")["prefixes"][case["purpose"]])
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    assert key.sign(prefix, message) == signature
    key.verify_key.verify(prefix, message, signature)
    # The same by the bare primitive: nothing but the concatenation is signed.
    Ed25519PublicKey.from_public_bytes(key.verify_key.raw).verify(signature, prefix + message)


@pytest.mark.parametrize("case", cases("keys", "signature_rejects"))
def test_a_signature_is_refused(case: Any) -> None:
    key = VerifyKey(bytes.fromhex(case["public"]))
    prefix = bytes.fromhex(load("keys")["prefixes"][case["purpose"]])
    message, signature = bytes.fromhex(case["message"]), bytes.fromhex(case["signature"])
    assert refusal(lambda: key.verify(prefix, message, signature)) == case["code"]


@pytest.mark.parametrize("case", cases("keys", "rejects"))
def test_a_public_key_is_refused(case: Any) -> None:
    assert refusal(lambda: VerifyKey(bytes.fromhex(case["public"]))) == case["code"]


@pytest.mark.parametrize("case", cases("keys", "order_rejects"))
def test_a_public_key_is_refused_at_enrolment(case: Any) -> None:
    assert refusal(VerifyKey(bytes.fromhex(case["public"])).prove_order) == case["code"]


@pytest.mark.parametrize("case", load("keys")["rfc8032"])
def test_the_primitive_is_that_of_rfc_8032(case: Any) -> None:
    seed, message = bytes.fromhex(case["seed"]), bytes.fromhex(case["message"])
    assert SigningKey.from_seed(seed).verify_key.raw.hex() == case["public"]
    assert Ed25519PrivateKey.from_private_bytes(seed).sign(message).hex() == case["signature"]


# --- events and messages ----------------------------------------


@pytest.mark.parametrize("case", cases("events"))
def test_an_event_has_these_bytes_and_this_leaf(case: Any) -> None:
    data, values = bytes.fromhex(case["bytes"]), value_of(case["values"])
    assert codec.encode(values) == data
    assert codec.decode(data) == values
    assert [type(v) for v in codec.decode(data)] == [type(v) for v in values]
    file = load("events")
    leaf = merkle.leaf(bytes.fromhex(file["key_id"]), bytes.fromhex(file["log_id"]), case["seq"], data)
    assert leaf.hex() == case["leaf"]


@pytest.mark.parametrize("case", cases("events", "rejects"))
def test_an_event_is_refused(case: Any) -> None:
    assert refusal(lambda: codec.decode(bytes.fromhex(case["bytes"]))) == case["code"]


@pytest.mark.parametrize("case", cases("messages"))
def test_a_message_has_these_bytes(case: Any) -> None:
    data = bytes.fromhex(case["bytes"])
    assert codec.pack(value_of(case["tree"])) == data
    assert codec.unpack(data, **load("messages")["limits"]) == value_of(case["tree"])


@pytest.mark.parametrize("case", cases("messages", "rejects"))
def test_a_message_is_refused(case: Any) -> None:
    limits = load("messages")["limits"]
    assert refusal(lambda: codec.unpack(bytes.fromhex(case["bytes"]), **limits)) == case["code"]


# --- trees ----------------------------------------


def test_the_tree_has_the_shape_of_rfc_9162() -> None:
    reference = load("trees")["reference"]
    leaves = [sha256(b"\0" + bytes.fromhex(data)).digest() for data in reference["leaves"]]
    for count, root in enumerate(reference["roots"], 1):
        assert merkle.root(leaves[:count]).hex() == root
    for case in reference["paths"]:
        assert [h.hex() for h in merkle.path(leaves[: case["count"]], case["index"])] == case["path"]


@pytest.mark.parametrize("case", load("trees")["trees"], ids=lambda case: f"n={case['count']}")
def test_a_tree_has_this_root_and_these_paths(case: Any) -> None:
    file = load("trees")
    events = [bytes.fromhex(event) for event in file["events"][: case["count"]]]
    leaves = merkle.leaves(bytes.fromhex(file["key_id"]), bytes.fromhex(file["log_id"]), 0, events)
    assert merkle.root(leaves).hex() == case["root"]
    for index, path in enumerate(case["paths"]):
        assert [h.hex() for h in merkle.path(leaves, index)] == path
        reached = merkle.root_from_path(leaves[index], index, case["count"], [bytes.fromhex(h) for h in path])
        assert reached.hex() == case["root"]


@pytest.mark.parametrize("case", cases("trees", "path_rejects"))
def test_a_path_is_refused(case: Any) -> None:
    path = [bytes.fromhex(h) for h in case["path"]]
    assert (
        refusal(lambda: merkle.root_from_path(bytes(32), case["index"], case["count"], path)) == case["code"]
    )


# --- segments, chains, proofs ----------------------------------------


@pytest.mark.parametrize("case", cases("segments"))
def test_a_segment_opens(case: Any) -> None:
    raw = bytes.fromhex(case["raw"])
    segment = open_segment(raw, trusting(*load("segments")["trusted"]))
    head = segment.head
    assert [event.hex() for event in segment.events] == case["events"]
    assert head.encode() == raw[:104]
    assert head.hash.hex() == case["head_hash"]
    assert (head.log_id.hex(), head.first_seq) == (case["log_id"], value_of(case["first_seq"]))
    assert (head.count, head.raw_len) == (case["count"], case["raw_len"])
    assert (head.prev.hex(), head.root.hex()) == (case["prev"], case["root"])


@pytest.mark.parametrize("case", cases("segments")[:2])
def test_sealing_the_same_events_gives_the_same_signed_bytes(case: Any) -> None:
    station = SigningKey.from_seed(bytes.fromhex(load("keys")["keys"][1]["seed"]))
    events = [bytes.fromhex(event) for event in case["events"]]
    log_id, prev = bytes.fromhex(case["log_id"]), bytes.fromhex(case["prev"])
    sealed = seal(station, log_id, case["first_seq"], prev, events)
    assert sealed.raw[:168].hex() == case["raw"][: 2 * 168]


@pytest.mark.parametrize("case", cases("segments", "rejects"))
def test_a_segment_is_refused(case: Any) -> None:
    key_of = trusting(*load("segments")["trusted"])
    assert refusal(lambda: open_segment(bytes.fromhex(case["raw"]), key_of)) == case["code"]


def test_a_segment_beyond_the_longest_is_refused() -> None:
    file = load("segments")
    case = file["reject_too_long"]
    raw = bytes.fromhex(file["accepts"][1]["raw"]).ljust(case["length"], b"\0")
    assert refusal(lambda: open_segment(raw, trusting(*file["trusted"]))) == case["code"]


def head_in(pair: Any) -> SegmentHead:
    """A head of the chain vectors, its signature checked: only signed heads say anything."""
    head = SegmentHead.decode(bytes.fromhex(pair["head"]))
    key = trusting(*load("chain")["public"])(head.key_id)
    assert key is not None
    key.verify(keys.SEGMENT, head.encode(), bytes.fromhex(pair["signature"]))
    assert head.hash.hex() == pair["head_hash"]
    return head


@pytest.mark.parametrize("case", cases("chain", "conflicts"))
def test_two_signed_heads_are_evidence_or_not(case: Any) -> None:
    one, other = head_in(case["one"]), head_in(case["other"])
    assert chain.conflict(one, other) == chain.conflict(other, one) == case["code"]


@pytest.mark.parametrize("case", cases("chain", "steps"))
def test_a_segment_extends_its_log_or_is_refused(case: Any) -> None:
    new = head_in(case["next"])
    held = None
    if case["held"] is not None:
        before = head_in(case["held"])
        held = chain.Head(chain.LogRef(before.key_id, before.log_id), before.next_seq, before.hash)
    if case["code"] is None:
        assert chain.extend(held, new) == chain.Head(
            chain.LogRef(new.key_id, new.log_id), new.next_seq, new.hash
        )
    else:
        assert refusal(lambda: chain.extend(held, new)) == case["code"]


@pytest.mark.parametrize("case", cases("proofs"))
def test_a_proof_holds(case: Any) -> None:
    data = bytes.fromhex(case["bytes"])
    read = proof.Proof.decode(data)
    proof.check(read, trusting(*load("proofs")["trusted"]))
    assert (read.seq, read.event.hex()) == (case["seq"], case["event"])
    assert read.encode() == data


@pytest.mark.parametrize("case", cases("proofs", "rejects"))
def test_a_proof_is_refused(case: Any) -> None:
    key_of = trusting(*load("proofs")["trusted"])
    data = bytes.fromhex(case["bytes"])
    assert refusal(lambda: proof.check(proof.Proof.decode(data), key_of)) == case["code"]
