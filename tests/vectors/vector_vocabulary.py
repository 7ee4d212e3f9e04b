"""The vocabulary: one event of each type a hub or station may sign, and what makes it malformed."""

from __future__ import annotations

from typing import Any

from vector_parts import BULLETIN, CONTENT, LAW_DAY, Json, as_json

from ledger.log.codec import encode

DAY = 19_305
UNIT = "vn.yb.04630"
HALF = CONTENT[:16]
ASKED = bytes(range(32))

ACCEPTS: dict[str, list[Any]] = {
    "Approved": [1, LAW_DAY, BULLETIN, 1, CONTENT, "Ngày Pháp luật", "law", 2, "vn.yb", DAY, DAY + 6],
    "Scheduled": [2, LAW_DAY, 41, BULLETIN, CONTENT, DAY, b"\x7f", 305, 900, "vn.yb", 2, 600, 2, None],
    "EmergencyOrdered": [
        3, LAW_DAY, 42, "flood", 3, False, CONTENT, "Sơ tán ngay", UNIT, LAW_DAY, LAW_DAY + 7200, 3,
    ],
    "Cancelled": [4, LAW_DAY, 1, None, 41, "vn.yb", "sai giờ"],
    "QuietHoursSet": [5, LAW_DAY, "vn.yb", 1290, 300],
    "Drafted": [6, LAW_DAY, BULLETIN, 1, CONTENT, "Ngày Pháp luật", "law", 2, "vn.yb", DAY, DAY + 6],
    "Submitted": [7, LAW_DAY, BULLETIN, 1, CONTENT],
    "Returned": [8, LAW_DAY, BULLETIN, 1, "thiếu nguồn"],
    "StationRegistered": [9, LAW_DAY, UNIT, "Tú Lệ", "it"],
    "OfferAnswered": [10, LAW_DAY, 41, DAY, 2, 1050, UNIT, "trùng giờ họp thôn"],
    "ProgrammeArranged": [11, LAW_DAY, UNIT, DAY, bytes.fromhex("0000002a00000029")],
    "DirectiveIssued": [
        12, LAW_DAY, BULLETIN, "directive", "15/CV-STTTT", "Sở TT&TT", DAY, "Tăng cường tuyên truyền", "",
        "law", CONTENT, "vn.yb", DAY + 14,
    ],
    "Attested": [13, LAW_DAY, UNIT, 41, DAY, HALF, 1, 0, LAW_DAY - 600, 9000, 1, "Hà Thị Mai"],
    "FeedbackAnswered": [14, LAW_DAY, BULLETIN, UNIT, 0, "Xã sẽ sửa đường vào tháng sau", None],
    "DirectiveRead": [15, LAW_DAY, BULLETIN, CONTENT, UNIT],
    "Acknowledged": [16, LAW_DAY, 41, DAY, HALF, -3, 8990, 1, 0, 3, 80, None],
    "FeedbackReceived": [17, LAW_DAY, BULLETIN, "đường sá", "Đường vào bản sạt lở", ""],
    "DaySummary": [18, LAW_DAY, DAY, 12, 1, 30, 2, 4096, 65536, None],
    "ClockStepped": [19, LAW_DAY, 5, 900, "ntp"],
    "Refused": [20, LAW_DAY, HALF, "no-authority"],
    "WithdrawalSeen": [21, LAW_DAY, 0, BULLETIN, 1],
    "KeyOffered": [22, LAW_DAY, ASKED, bytes(64), "Hà Thị Mai, cán bộ văn hóa", 15],
    "BoardShown": [23, LAW_DAY, "km5", BULLETIN, HALF, CONTENT, DAY, 3600, 1, 0],
    "ClustersListed": [24, LAW_DAY, "Bản Chao\nBản Pom\nTrụ sở UBND"],
    "EmergencyProposed": [
        25, LAW_DAY, 42, "flood", 3, False, CONTENT, "Sơ tán ngay", UNIT, LAW_DAY + 7200, 3,
        0, LAW_DAY + 600, "",
    ],
    "Granted": [64, LAW_DAY, ASKED, 1 | 4 | 1024, UNIT, LAW_DAY, LAW_DAY + 9, 0, "Hà Thị Mai"],
    "Rotated": [65, LAW_DAY, "vn.yb", ASKED, bytes(64), bytes(8), bytes(8), 0, b""],
    "Revoked": [66, LAW_DAY, bytes(8), "vn.yb", bytes(8), bytes(8), 0, b"", "mất máy"],
    "RootsSet": [67, LAW_DAY, "vn", b"statement", bytes(72)],
    "UnitMerged": [68, LAW_DAY, "vn.yb.04630", "vn.yb.2025-04630", 20_270, "Xã Tú Lệ"],
}  # fmt: skip

# (type's name, which value, instead, reason)
REJECTS: list[tuple[str, int, Any, str]] = [
    ("Approved", 3, 0, "bad-version"),
    ("Approved", 5, "", "bad-title"),
    ("Approved", 7, 5, "bad-klass"),
    ("Approved", 7, True, "bad-klass"),
    ("Approved", 8, "vn.Yên Bái", "bad-territory"),
    ("Approved", 10, DAY - 1, "backward-validity"),
    ("Scheduled", 1, -1, "bad-ts"),
    ("Scheduled", 6, b"", "bad-days"),
    ("Scheduled", 7, 1440, "bad-minute"),
    ("Scheduled", 10, 4, "bad-klass"),
    ("Scheduled", 12, 3, "bad-on-interrupt"),
    ("EmergencyOrdered", 5, 1, "bad-drill"),
    ("EmergencyOrdered", 10, LAW_DAY, "backward-validity"),
    ("EmergencyOrdered", 10, LAW_DAY + 86_401, "too-long-validity"),
    ("Cancelled", 4, None, "bad-target"),
    ("QuietHoursSet", 3, 1440, "bad-from-minute"),
    ("Submitted", 2, bytes(15), "bad-bulletin"),
    ("Returned", 4, "a" * 501, "bad-reason"),
    ("StationRegistered", 4, "am", "bad-kind"),
    ("OfferAnswered", 4, 3, "bad-answer"),
    ("OfferAnswered", 5, None, "bad-minute"),
    ("OfferAnswered", 4, 1, "bad-minute"),
    ("OfferAnswered", 3, 65_536, "bad-day"),
    ("ProgrammeArranged", 4, b"", "bad-order"),
    ("ProgrammeArranged", 4, bytes.fromhex("0000002a0000"), "bad-order"),
    ("ProgrammeArranged", 4, bytes.fromhex("0000002a0000002a"), "bad-order"),
    ("ProgrammeArranged", 4, bytes(4), "bad-order"),
    ("ProgrammeArranged", 4, b"\xff" * 4, "bad-order"),
    ("ProgrammeArranged", 4, bytes(260), "bad-order"),
    ("DirectiveIssued", 3, "letter", "bad-kind"),
    ("DirectiveIssued", 5, "", "bad-issuer"),
    ("DirectiveIssued", 10, bytes(16), "bad-manifest"),
    ("Attested", 10, 3, "bad-means"),
    ("Attested", 5, CONTENT, "bad-content"),
    ("FeedbackAnswered", 4, 2, "bad-state"),
    ("DirectiveRead", 3, HALF, "bad-manifest"),
    ("Acknowledged", 7, 10, "bad-outcome"),
    ("Acknowledged", 10, 101, "bad-volume"),
    ("Acknowledged", 11, b"", "bad-clusters"),
    ("FeedbackReceived", 4, "", "bad-text"),
    ("DaySummary", 3, -1, "bad-played"),
    ("ClockStepped", 4, "a" * 65, "bad-source"),
    ("Refused", 3, "", "bad-reason"),
    ("WithdrawalSeen", 2, 3, "bad-target"),
    ("KeyOffered", 3, bytes(63), "bad-possession"),
    ("KeyOffered", 5, 0, "bad-classes"),
    ("BoardShown", 2, "", "bad-board"),
    ("BoardShown", 7, 86_401, "bad-shown-s"),
    ("ClustersListed", 2, "Bản Chao\n\nBản Pom", "bad-names"),
    ("ClustersListed", 2, "a\n" * 102 + "a", "bad-names"),
    ("ClustersListed", 2, "a" * 6_001, "bad-names"),
    ("EmergencyProposed", 10, 0, "bad-max-plays"),
    ("EmergencyProposed", 11, 1, "bad-reason"),
    ("EmergencyProposed", 11, 3, "bad-step"),
    ("EmergencyProposed", 13, "không chờ", "bad-reason"),
    ("EmergencyProposed", 12, LAW_DAY + 7201, "backward-validity"),
    ("EmergencyProposed", 12, LAW_DAY - 79_201, "too-long-validity"),
    ("Granted", 3, 0, "bad-classes"),
    ("Granted", 6, LAW_DAY - 1, "backward-validity"),
    ("Rotated", 4, bytes(63), "bad-possession"),
    ("Revoked", 7, bytes(16), "bad-exceptions"),
    ("RootsSet", 4, bytes(73), "bad-signatures"),
    ("UnitMerged", 3, "vn.yb", "bad-into"),
    ("UnitMerged", 3, "vn.yb.04630", "bad-into"),
    ("UnitMerged", 3, "vn.yb.04630.km5", "bad-into"),
    ("UnitMerged", 3, None, "bad-name"),
    ("UnitMerged", 4, 65_536, "bad-from-day"),
    ("UnitMerged", 5, None, "bad-name"),
    ("UnitMerged", 5, "", "bad-name"),
]

STRANGE: list[tuple[str, list[Any], str]] = [
    ("no type of the table", [63, LAW_DAY], "unknown-type"),
    ("a type that is text", ["1", LAW_DAY], "bad-type"),
    ("an approval without its last field", ACCEPTS["Approved"][:-1], "bad-arity"),
    ("a list of clusters with a field too many", [*ACCEPTS["ClustersListed"], 0], "bad-arity"),
]


def vocabulary_vectors() -> Json:
    """accepts: name, values, bytes; rejects: name, bytes, reason."""
    rejects = list(STRANGE)
    for kind, at, instead, reason in REJECTS:
        values = list(ACCEPTS[kind])
        values[at] = instead
        rejects.append((f"{kind}, value {at}: {reason}", values, reason))
    return {
        "accepts": [
            {"name": name, "values": as_json(values), "bytes": encode(values).hex()}
            for name, values in ACCEPTS.items()
        ],
        "rejects": [
            {"name": name, "bytes": encode(values).hex(), "reason": reason}
            for name, values, reason in rejects
        ],
    }
