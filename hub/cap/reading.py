"""Bytes → `Alert`, or a refusal that says what, where and what to do next.

In this order, so that nothing is spent on what is refused anyway: length; UTF-8; how many elements there can
be at most; then a parser that takes no DTD, no entity and nothing from outside, counting elements, depth and
text while it reads; the namespace, which is the version; the elements, their order and number as the OASIS
schema has them; the form of every value. What passes here is valid by the schema (a test holds the two
against each other), apart from the finer rules for URIs, which nobody follows here.

Refusals are ProtocolError: the fault is the sender's. `where` is the path of the element.

Bound: shapes only. Whether a loudspeaker should care is `proposing`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # parsing is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from hub.cap import values
from hub.cap.values import NAMESPACE, Alert, Area, Info, Reference
from ledger.log import ProtocolError

FILE_BYTES_MAX: Final = 64 * 1024  # a warning in two languages has 3 to 8 KiB; polygons make it 40
ELEMENTS_MAX: Final = 500
DEPTH_MAX: Final = 8  # the schema needs five; an XML signature eight
CHARS_MAX: Final = 16_000  # of one element: a long polygon
NAME_CHARS_MAX: Final = 200  # of an identifier, a sender, a valueName
REFERENCES_MAX: Final = 20
STATUS: Final = 422

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
HINTS: Final = {f"{XSI}schemaLocation", f"{XSI}noNamespaceSchemaLocation"}

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([-+])(\d\d):(\d\d)", re.ASCII
)  # the schema's own pattern; "Z" is not in it
_NAME: Final = re.compile(r"[^\s,<&]+")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_INTEGER: Final = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_DECIMAL: Final = re.compile(r"[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*", re.ASCII)
_BLANK: Final = " \t\n\r"  # what XML calls white space

Check: TypeAlias = Callable[[str, str], None]


@dataclass(frozen=True)
class Rule:
    """One child of an element: its name, how often it stands there, and what it holds."""

    name: str
    least: int
    most: int | None
    holds: tuple[Rule, ...] | Check


@dataclass(frozen=True)
class Node:
    """An element that was read by its rules: texts, or nodes, by the child's name."""

    texts: dict[str, list[str]]
    nodes: dict[str, list[Node]]

    def one(self, name: str, default: str = "") -> str:
        return self.texts[name][0] if self.texts.get(name) else default

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self.texts.get(name, ()))

    def under(self, name: str) -> list[Node]:
        return self.nodes.get(name, [])

    def pairs(self, name: str) -> tuple[tuple[str, str], ...]:
        return tuple((n.one("valueName").strip(), n.one("value").strip()) for n in self.under(name))


def refused(code: str, what: str, where: str, hint: str) -> ProtocolError:
    return ProtocolError(code, what, where=where, hint=hint, status=STATUS)


# -- what a value may look like ------------------------------------------------------------------------------


def any_text(_text: str, _where: str) -> None:
    """xs:string."""


def one_of(*choices: str) -> Check:
    def check(text: str, where: str) -> None:
        if text not in choices:
            known = ", ".join(choices)
            raise refused("cap-value", f"{text[:40]!r} is none of: {known}", where, "use a word of the list")

    return check


def shaped(pattern: re.Pattern[str], chars_max: int = CHARS_MAX) -> Check:
    def check(text: str, where: str) -> None:
        bare = text.strip(_BLANK)
        if len(bare) > chars_max or not pattern.fullmatch(bare):
            raise refused(
                "cap-value", f"{text[:40]!r} has not the form it must have", where, "see docs/spec/cap.md"
            )

    return check


def instant(text: str, where: str) -> int:
    """UTC s of 2022-11-09T08:00:00+07:00, the one form that CAP knows."""
    found = _TIME.fullmatch(text.strip(_BLANK))
    try:
        if (
            found is None
            or int(found[3]) > 14
            or int(found[4]) > 59
            or (int(found[3]) == 14 and int(found[4]))
        ):
            raise ValueError(text)
        at = int(datetime.fromisoformat(found[1] + "+00:00").timestamp())
    except ValueError:
        raise refused(
            "cap-time", f"{text[:40]!r} is no time of CAP", where, "write it as 2022-11-09T08:00:00+07:00"
        ) from None
    away = int(found[3]) * 3600 + int(found[4]) * 60
    return at - away if found[2] == "+" else at + away


def a_time(text: str, where: str) -> None:
    instant(text, where)


NAME: Final = shaped(_NAME, NAME_CHARS_MAX)
PAIR: Final = (Rule("valueName", 1, 1, any_text), Rule("value", 1, 1, any_text))
RESOURCE: Final = (
    Rule("resourceDesc", 1, 1, any_text), Rule("mimeType", 1, 1, any_text),
    Rule("size", 0, 1, shaped(_INTEGER)), Rule("uri", 0, 1, shaped(_URI)),
    Rule("derefUri", 0, 1, any_text), Rule("digest", 0, 1, any_text),
)  # fmt: skip
AREA: Final = (
    Rule("areaDesc", 1, 1, any_text), Rule("polygon", 0, None, any_text), Rule("circle", 0, None, any_text),
    Rule("geocode", 0, None, PAIR), Rule("altitude", 0, 1, shaped(_DECIMAL)),
    Rule("ceiling", 0, 1, shaped(_DECIMAL)),
)  # fmt: skip
INFO: Final = (
    Rule("language", 0, 1, shaped(_LANGUAGE)), Rule("category", 1, None, one_of(*values.CATEGORIES)),
    Rule("event", 1, 1, any_text), Rule("responseType", 0, None, one_of(*values.RESPONSES)),
    Rule("urgency", 1, 1, one_of(*values.URGENCIES)), Rule("severity", 1, 1, one_of(*values.SEVERITIES)),
    Rule("certainty", 1, 1, one_of(*values.CERTAINTIES)), Rule("audience", 0, 1, any_text),
    Rule("eventCode", 0, None, PAIR), Rule("effective", 0, 1, a_time), Rule("onset", 0, 1, a_time),
    Rule("expires", 0, 1, a_time), Rule("senderName", 0, 1, any_text), Rule("headline", 0, 1, any_text),
    Rule("description", 0, 1, any_text), Rule("instruction", 0, 1, any_text), Rule("web", 0, 1, shaped(_URI)),
    Rule("contact", 0, 1, any_text), Rule("parameter", 0, None, PAIR), Rule("resource", 0, None, RESOURCE),
    Rule("area", 0, None, AREA),
)  # fmt: skip
ALERT: Final = (
    Rule("identifier", 1, 1, NAME), Rule("sender", 1, 1, NAME), Rule("sent", 1, 1, a_time),
    Rule("status", 1, 1, one_of(*values.STATUSES)), Rule("msgType", 1, 1, one_of(*values.MSG_TYPES)),
    Rule("source", 0, 1, any_text), Rule("scope", 1, 1, one_of(*values.SCOPES)),
    Rule("restriction", 0, 1, any_text), Rule("addresses", 0, 1, any_text), Rule("code", 0, None, any_text),
    Rule("note", 0, 1, any_text), Rule("references", 0, 1, any_text), Rule("incidents", 0, 1, any_text),
    Rule("info", 0, None, INFO),
)  # fmt: skip


# -- bytes → elements ----------------------------------------------------------------------------------------


class Counted(TreeBuilder):
    """Builds the tree, and stops where it gets larger than any warning is."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str] = []
        self.elements = 0
        self.chars = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self.path.append(tag.rpartition("}")[2])
        self.elements += 1
        self.chars = 0
        if self.elements > ELEMENTS_MAX or len(self.path) > DEPTH_MAX:
            raise self.too_much(f"more than {ELEMENTS_MAX} elements, or more than {DEPTH_MAX} deep")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self.path.pop()
        self.chars = 0
        return super().end(tag)

    def data(self, data: str, /) -> None:
        self.chars += len(data)
        if self.chars > CHARS_MAX:
            raise self.too_much(f"more than {CHARS_MAX} characters in one element")
        super().data(data)

    def too_much(self, what: str) -> ProtocolError:
        return refused(
            "cap-limits", what, "/".join(self.path[:DEPTH_MAX]), "ask the sender for a shorter warning"
        )


def parsed(data: bytes) -> Element:
    """The root element of bytes from anybody."""
    if len(data) > FILE_BYTES_MAX:
        raise refused(
            "cap-size", f"the file has {len(data)} bytes, at most {FILE_BYTES_MAX}", "",
            "this is hardly a warning; ask the sender for the CAP file alone",
        )  # fmt: skip
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused(
            "cap-encoding", f"byte {error.start} is no UTF-8", "", "save the file as UTF-8, unpacked"
        ) from None
    if data.count(b"<") > 3 * ELEMENTS_MAX:  # two tags an element, and comments
        raise refused("cap-limits", "too many tags", "", "ask the sender for a shorter warning")
    # The encoding is said here, so that a declaration in the file cannot make other letters of the bytes.
    parser = DefusedXMLParser(target=Counted(), encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException:
        raise refused(
            "cap-dtd", "the file declares a document type or entities", "",
            "CAP needs neither; such a file is an attack or a mistake of the program that wrote it",
        ) from None  # fmt: skip
    except ParseError as error:
        line, column = error.position
        raise refused(
            "cap-xml", "this is no well-formed XML", f"line {line}, column {column}",
            "perhaps cut off on the way: fetch the file again",
        ) from None  # fmt: skip
    return root


def node(element: Element, rules: tuple[Rule, ...], where: str) -> Node:
    """The element read by its rules; what they do not know, or not there, is refused."""
    read = Node({}, {})
    place = 0
    stray = [element.text or "", *(child.tail or "" for child in element)]
    if "".join(stray).strip(_BLANK):
        raise refused(
            "cap-element", "there is text between elements", where, "the sender's program is at fault"
        )
    order = {rule.name: index for index, rule in enumerate(rules)}
    for child in element:
        space, _, name = str(child.tag).rpartition("}")
        here = f"{where}/{name}"
        if rules is ALERT and space == "{" + DSIG:
            place = len(rules)  # an XML signature stands at the end, and nothing after it
            continue
        if space != "{" + NAMESPACE or name not in order:
            raise refused(
                "cap-element", f"CAP 1.2 has no {name[:40]!r} here", here, "the sender's program is at fault"
            )
        if order[name] < place:
            raise refused("cap-order", f"{name!r} comes too late", here, "the order of CAP's schema is fixed")
        place = order[name]
        rule = rules[place]
        if child.attrib:
            raise refused(
                "cap-element", "CAP's elements have no attributes", here, "the sender's program is at fault"
            )
        if isinstance(rule.holds, tuple):
            read.nodes.setdefault(name, []).append(node(child, rule.holds, here))
            count = len(read.nodes[name])
        else:
            if len(child):
                raise refused(
                    "cap-element", f"{name!r} holds text alone", here, "the sender's program is at fault"
                )
            text = child.text or ""
            rule.holds(text, here)
            read.texts.setdefault(name, []).append(text)
            count = len(read.texts[name])
        if rule.most is not None and count > rule.most:
            raise refused(
                "cap-twice", f"{name!r} stands there twice", here, "it is not clear which one holds"
            )
    for rule in rules:
        if rule.least and rule.name not in read.texts and rule.name not in read.nodes:
            raise refused(
                "cap-missing", f"{rule.name!r} is missing", where, "ask the sender for a complete warning"
            )
    return read


# -- elements → values ---------------------------------------------------------------------------------------


def read_alert(data: bytes) -> Alert:
    """What the file says. ProtocolError with a code of docs/spec/cap.md for anything else."""
    root = parsed(data)
    space, _, name = str(root.tag).rpartition("}")
    if (space, name) != ("{" + NAMESPACE, "alert"):
        raise refused(
            "cap-namespace", f"the file is {str(root.tag)[:80]!r}, not an alert of CAP 1.2", name[:40],
            "ask the sender for CAP 1.2; older versions are not read",
        )  # fmt: skip
    if set(root.attrib) - HINTS:
        raise refused(
            "cap-element", "CAP's elements have no attributes", "alert", "the sender's program is at fault"
        )
    read = node(root, ALERT, "alert")
    return Alert(
        identifier=read.one("identifier").strip(_BLANK),
        sender=read.one("sender").strip(_BLANK),
        sent=instant(read.one("sent"), "alert/sent"),
        status=read.one("status"),
        msg_type=read.one("msgType"),
        scope=read.one("scope"),
        source=read.one("source").strip(),
        note=read.one("note").strip(),
        references=references(read.one("references")),
        infos=tuple(_info(one) for one in read.under("info")),
        enveloped=any(str(child.tag).startswith("{" + DSIG) for child in root),
    )


def references(text: str) -> tuple[Reference, ...]:
    """`sender,identifier,sent` parted by white space."""
    where = "alert/references"
    found = []
    for one in text.split():
        parts = one.split(",")
        if len(parts) != 3 or not parts[0] or not parts[1] or max(map(len, parts)) > NAME_CHARS_MAX:
            raise refused(
                "cap-references", f"{one[:60]!r} names no message", where, "it must be sender,identifier,sent"
            )
        found.append(Reference(parts[0], parts[1], instant(parts[2], where)))
    if len(found) > REFERENCES_MAX:
        raise refused("cap-references", f"{len(found)} references", where, f"at most {REFERENCES_MAX}")
    return tuple(found)


def _info(read: Node) -> Info:
    def time_of(name: str) -> int | None:
        return instant(read.one(name), f"alert/info/{name}") if read.all(name) else None

    return Info(
        category=read.all("category"),
        event=read.one("event").strip(),
        urgency=read.one("urgency"),
        severity=read.one("severity"),
        certainty=read.one("certainty"),
        language=read.one("language", "en-US").strip(_BLANK),
        responses=read.all("responseType"),
        event_codes=read.pairs("eventCode"),
        effective=time_of("effective"),
        onset=time_of("onset"),
        expires=time_of("expires"),
        sender_name=read.one("senderName").strip(),
        headline=read.one("headline").strip(),
        description=read.one("description"),
        instruction=read.one("instruction"),
        web=read.one("web").strip(_BLANK),
        contact=read.one("contact").strip(),
        parameters=read.pairs("parameter"),
        resources=len(read.under("resource")),
        areas=tuple(
            Area(
                desc=one.one("areaDesc").strip(),
                geocodes=one.pairs("geocode"),
                shapes=len(one.all("polygon")) + len(one.all("circle")),
            )
            for one in read.under("area")
        ),
    )
