"""CAP files: warnings that fill the emergency form in, with what they fill in; files that are refused.

`python tests/vectors/vector_cap.py` writes `cap/*.xml` and `cap/cases.json` anew; a test compares them byte
for byte with what is committed. The warnings are invented. They are read at `now`, by an officer of `own`, at
a hub that knows `units`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cap"
NOW = 1_667_955_600  # 2022-11-09T08:00:00+07:00
OWN = "vn.yb"
UNITS = ["vn.yb", "vn.yb.04249", "vn.yb.04441", "vn.yb.04510", "vn.yb.04630"]

WARNING = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>VN-KTTV-YB-2022-0117</identifier>
  <sender>canhbao@kttv.example.vn</sender>
  <sent>2022-11-09T07:40:00+07:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>vi-VN</language>
    <category>Met</category>
    <event>Mưa lớn, lũ quét</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <effective>2022-11-09T07:40:00+07:00</effective>
    <expires>2022-11-09T14:00:00+07:00</expires>
    <senderName>Đài Khí tượng Thủy văn</senderName>
    <headline>Lũ quét trên các suối ở Tú Lệ.</headline>
    <description>Mưa 120 mm trong ba giờ qua, nước suối Nậm Lung đang lên nhanh.</description>
    <instruction>Rời ngay khỏi bờ suối, lên chỗ cao.</instruction>
    <area>
      <areaDesc>Xã Tú Lệ</areaDesc>
      <geocode><valueName>LOA-UNIT</valueName><value>vn.yb.04630</value></geocode>
    </area>
  </info>
</alert>
"""
WORDS = (
    "Lũ quét trên các suối ở Tú Lệ.\nMưa 120 mm trong ba giờ qua, nước suối Nậm Lung đang lên nhanh.\n"
    "Rời ngay khỏi bờ suối, lên chỗ cao."
)
ENGLISH = """  <info>
    <language>en-US</language>
    <category>Met</category>
    <event>Heavy rain, flash flood</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Likely</certainty>
    <expires>2022-11-09T14:00:00+07:00</expires>
    <headline>Flash flood in the streams of Tú Lệ.</headline>
  </info>
"""
REFERENCE = "canhbao@kttv.example.vn,VN-KTTV-YB-2022-0116,2022-11-09T06:00:00+07:00"
DSIG = (
    '  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><SignatureMethod Algorithm="none"/>'
    "</SignedInfo><SignatureValue>AAAA</SignatureValue></Signature>\n"
)
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "ha">' for n in range(9))
PLAIN: dict[str, Any] = {
    "kind": "lu-quet", "level": 2, "drill": False, "hours": 6, "territories": ["vn.yb.04630"], "notes": [],
    "text": WORDS,
}  # fmt: skip


def changed(*swaps: tuple[str, str]) -> str:
    text = WARNING
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def without(*lines: str) -> str:
    kept = [line for line in WARNING.splitlines() if not any(f"<{name}>" in line for name in lines)]
    return "\n".join(kept) + "\n"


def element(name: str, value: str) -> str:
    """The line that stands in WARNING for this element."""
    return next(line for line in WARNING.splitlines() if f"<{name}>" in line and value in line)


def set_to(name: str, new: str) -> tuple[str, str]:
    old = element(name, "")
    return old, f"{old.split('<')[0]}<{name}>{new}</{name}>"


CODE = "<valueName>LOA-UNIT</valueName><value>vn.yb.04630</value>"
GEOCODE = f"      <geocode>{CODE}</geocode>\n"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def accepts() -> list[tuple[str, str, dict[str, Any]]]:
    """(file, text, what it proposes). A Cancel proposes nothing."""
    update = [
        set_to("msgType", "Update"),
        ("<scope>Public</scope>", f"<scope>Public</scope>\n  <references>{REFERENCE}</references>"),
    ]
    return [
        ("warning", WARNING, {}),
        ("exercise", changed(set_to("status", "Exercise")), {"drill": True}),
        ("extreme", changed(set_to("severity", "Extreme")), {"level": 3}),
        ("two-languages", changed(("</alert>", ENGLISH + "</alert>")), {"notes": ["languages-left"]}),
        ("update", changed(*update), {}),
        ("cancel", changed((update[0][0], "  <msgType>Cancel</msgType>"), update[1]), {"cancel": True}),
        (
            "commune-code-of-2022",
            changed((CODE, "<valueName>VN-DVHC-2022</valueName><value>04510</value>")),
            {"territories": ["vn.yb.04510"]},
        ),
        (
            "two-communes",
            changed((GEOCODE, GEOCODE + GEOCODE.replace("04630", "04441"))),
            {"territories": ["vn.yb.04441", "vn.yb.04630"]},
        ),
        (
            "province-and-commune",
            changed((GEOCODE, GEOCODE + GEOCODE.replace("vn.yb.04630", "vn.yb"))),
            {"territories": ["vn.yb"]},
        ),
        (
            "whole-country",
            changed(("vn.yb.04630", "vn")),
            {"territories": ["vn.yb"], "notes": ["area-wider"]},
        ),
        (
            "another-province",
            changed(("vn.yb.04630", "vn.lc.02647")),
            {"territories": [], "notes": ["area-elsewhere", "area-open"]},
        ),
        (
            "commune-nobody-registered",
            changed(("vn.yb.04630", "vn.yb.09999")),
            {"territories": [], "notes": ["area-open"]},
        ),
        (
            "polygon-alone",
            changed((GEOCODE, "      <polygon>21.7,104.3 21.8,104.3 21.8,104.4 21.7,104.3</polygon>\n")),
            {"territories": [], "notes": ["area-drawn", "area-open"]},
        ),
        (
            "english-alone",
            WARNING[: WARNING.index("  <info>")] + ENGLISH + "</alert>\n",
            {
                "territories": [],
                "notes": ["language-other", "area-open"],
                "text": "Flash flood in the streams of Tú Lệ.",
            },
        ),
        ("xml-signature", changed(("</alert>", DSIG + "</alert>")), {"notes": ["envelope-unread"]}),
        (
            "schema-location",
            changed(
                (
                    'cap:1.2">',
                    f'cap:1.2" xmlns:xsi="{XSI}" xsi:schemaLocation="a b">',
                )
            ),
            {},
        ),
        (
            "half-an-hour-left",
            changed(set_to("expires", "2022-11-09T08:30:00+07:00")),
            {"hours": 1, "notes": ["hour-longer"]},
        ),
        (
            "begins-later",
            changed(set_to("effective", "2022-11-09T10:00:00+07:00")),
            {"notes": ["begins-later"]},
        ),
        ("other-zone", changed(set_to("expires", "2022-11-09T07:00:00-00:00")), {}),
        (
            "severity-unknown",
            changed(set_to("severity", "Unknown")),
            {"level": 1, "notes": ["level-guessed"]},
        ),
        (
            "long-description",
            changed(("<description>", "<description>" + "Nước lên. " * 200)),
            {
                "notes": ["description-left"],
                "text": "Lũ quét trên các suối ở Tú Lệ.\nRời ngay khỏi bờ suối, lên chỗ cao.",
            },
        ),
    ]


def rejects() -> list[tuple[str, str | bytes, str]]:
    """(file, text, code)."""

    def declaring(text: str, body: str = "120 mm") -> str:
        return WARNING.replace(HEAD, f"{HEAD}<!DOCTYPE alert {text}>\n").replace("120 mm", body)

    return [
        ("external-entity", declaring('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"), "cap-dtd"),
        ("billion-laughs", declaring(f"[{LAUGHS}]", "&l8;"), "cap-dtd"),
        ("external-dtd", declaring('SYSTEM "http://example.org/cap.dtd"'), "cap-dtd"),
        ("parameter-entity", declaring('[<!ENTITY % p SYSTEM "http://example.org/p"> %p;]'), "cap-dtd"),
        ("unknown-entity", changed(("120 mm", "&nbsp;")), "cap-xml"),
        ("cut-off", WARNING[:700], "cap-xml"),
        ("empty", "", "cap-xml"),
        ("utf-16", WARNING.replace("UTF-8", "UTF-16").encode("utf-16"), "cap-encoding"),
        ("latin", b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<alert>\xe9</alert>\n', "cap-encoding"),
        ("version-1-1", changed(("cap:1.2", "cap:1.1")), "cap-namespace"),
        ("no-namespace", changed((' xmlns="urn:oasis:names:tc:emergency:cap:1.2"', "")), "cap-namespace"),
        ("another-document", HEAD + '<rss version="2.0"/>\n', "cap-namespace"),
        ("deep", changed(("120 mm", "<a>" * 12 + "</a>" * 12)), "cap-limits"),
        ("unknown-element", changed(("  <scope>", "  <priority>1</priority>\n  <scope>")), "cap-element"),
        ("foreign-element", changed(("  <info>\n", '  <info>\n    <x xmlns="urn:x"/>\n')), "cap-element"),
        ("attribute", changed(("<status>", '<status sure="yes">')), "cap-element"),
        ("stray-text", changed(("  <info>\n", "  <info>now\n")), "cap-element"),
        (
            "status-after-scope",
            changed(("  <status>Actual</status>\n", ""), ("  <info>", "  <status>Actual</status>\n  <info>")),
            "cap-order",
        ),
        (
            "two-statuses",
            changed(("<status>Actual</status>", "<status>Actual</status><status>Test</status>")),
            "cap-twice",
        ),
        (
            "two-ends",
            changed(("<expires>", "<expires>2022-11-09T09:00:00+07:00</expires><expires>")),
            "cap-twice",
        ),
        ("no-identifier", without("identifier"), "cap-missing"),
        ("no-severity", without("severity"), "cap-missing"),
        ("severity-of-its-own", changed(set_to("severity", "Very high")), "cap-value"),
        ("comma-in-identifier", changed(set_to("identifier", "A,B")), "cap-value"),
        ("time-without-zone", changed(set_to("sent", "2022-11-09T07:40:00")), "cap-time"),
        ("time-with-z", changed(set_to("sent", "2022-11-09T00:40:00Z")), "cap-time"),
        ("day-that-is-none", changed(set_to("expires", "2022-11-31T14:00:00+07:00")), "cap-time"),
        (
            "bad-references",
            changed(
                (
                    "<scope>Public</scope>",
                    "<scope>Public</scope>\n  <references>VN-KTTV-YB-2022-0116</references>",
                )
            ),
            "cap-references",
        ),
        ("update-of-nothing", changed(set_to("msgType", "Update")), "cap-references"),
        ("cancel-of-nothing", changed(set_to("msgType", "Cancel")), "cap-references"),
        ("test", changed(set_to("status", "Test")), "cap-status"),
        ("draft", changed(set_to("status", "Draft")), "cap-status"),
        ("system", changed(set_to("status", "System")), "cap-status"),
        ("acknowledgment", changed(set_to("msgType", "Ack")), "cap-type"),
        ("restricted", changed(set_to("scope", "Restricted")), "cap-scope"),
        ("sent-tomorrow", changed(set_to("sent", "2022-11-10T07:40:00+07:00")), "cap-sent"),
        ("two-infos", changed(("</alert>", ENGLISH.replace("en-US", "vi") + "</alert>")), "cap-infos"),
        ("no-info", WARNING[: WARNING.index("  <info>")] + "</alert>\n", "cap-infos"),
        (
            "all-clear",
            changed(("    <urgency>", "    <responseType>AllClear</responseType>\n    <urgency>")),
            "cap-all-clear",
        ),
        ("past", changed(set_to("urgency", "Past")), "cap-no-emergency"),
        ("minor", changed(set_to("severity", "Minor")), "cap-no-emergency"),
        ("no-expires", without("expires"), "cap-no-end"),
        ("expired", changed(set_to("expires", "2022-11-09T08:00:00+07:00")), "cap-over"),
        ("two-days", changed(set_to("expires", "2022-11-11T08:00:00+07:00")), "cap-far-end"),
        ("too-long", changed(("<instruction>", "<instruction>" + "Lên chỗ cao. " * 160)), "cap-long"),
        ("turned-letters", changed(("120 mm", "\u202e120 mm")), "cap-letters"),
        ("no-words", without("headline", "description", "instruction"), "cap-no-words"),
    ]


def files() -> dict[str, bytes]:
    """Every file of the folder that is made here."""
    made: dict[str, bytes] = {}
    listed: dict[str, Any] = {"now": NOW, "own": OWN, "units": UNITS, "accepts": [], "rejects": []}
    for name, text, proposes in accepts():
        made[f"accepts-{name}.xml"] = text.encode()
        wanted = {"cancel": True} if "cancel" in proposes else PLAIN | proposes
        listed["accepts"].append({"file": f"accepts-{name}.xml"} | wanted)
    for name, wrong, code in rejects():
        made[f"rejects-{name}.xml"] = wrong if isinstance(wrong, bytes) else wrong.encode()
        listed["rejects"].append({"file": f"rejects-{name}.xml", "code": code})
    made["cases.json"] = (json.dumps(listed, ensure_ascii=False, indent=1) + "\n").encode()
    return made


if __name__ == "__main__":
    for name, data in files().items():
        (FOLDER / name).write_bytes(data)
