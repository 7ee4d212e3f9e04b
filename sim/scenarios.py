"""Scenarios as data: which places, which day, what is broadcast. Nothing here knows the hub or the node.

`yen-bai-2022` is the province of the first trial: 173 commune-level units, 70 with IT equipment (see
`data/README.md` for the source and for what is assumed). `plain` is any number of IT stations with invented
units, for runs larger than one province. The programme is that of Law Day, 9 November 2022.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from importlib.resources import files

from ledger.facts import day_from_iso

NAMED = ("vn.yb.04630", "vn.yb.04441", "vn.yb.04510")  # Tú Lệ, Xuân Ái, Việt Thành: the three of the trial
LAW_DAY_ISO = "2022-11-09"
NORMAL, PRIORITY = 2, 3
NAMES = ("plain", "yen-bai-2022")


@dataclass(frozen=True)
class Place:
    """A commune-level unit with its station. `kind` is `it` (has a return path) or `fm` (has none)."""

    unit: str
    code: str
    name: str
    kind: str


@dataclass(frozen=True)
class Notice:
    """A bulletin to be written. `minute` of the local day at which it is planned, `length_s` its slot."""

    title: str
    category: str
    klass: int
    minute: int
    length_s: int
    text: str


@dataclass(frozen=True)
class Alarm:
    """The emergency of a day: `level` 1–3, `minute` when it is ordered, `life_s` until it expires."""

    kind: str
    level: int
    minute: int
    life_s: int
    text: str


@dataclass(frozen=True)
class Scenario:
    """`first_day` is the first broadcast day (local days since 1970-01-01)."""

    name: str
    province: str
    first_day: int
    places: tuple[Place, ...]

    @property
    def it(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.kind == "it")

    @property
    def fm(self) -> tuple[Place, ...]:
        return tuple(place for place in self.places if place.kind == "fm")

    def take(self, stations: int) -> Scenario:
        """The first `stations` IT stations, the three of the trial before others, and every FM station."""
        ranked = sorted(self.it, key=lambda place: (_rank(place.unit), place.unit))
        if not 1 <= stations <= len(ranked):
            raise ValueError(f"{self.name} has {len(ranked)} IT stations; asked for {stations}")
        return replace(self, places=tuple(ranked[:stations]) + self.fm)

    def only(self, units: tuple[str, ...]) -> Scenario:
        """The same scenario with no other IT stations than `units` (to make a failing run smaller)."""
        unknown = set(units) - {place.unit for place in self.it}
        if unknown:
            raise ValueError(f"not an IT station of {self.name}: {', '.join(sorted(unknown))}")
        kept = tuple(place for place in self.places if place.kind == "fm" or place.unit in units)
        return replace(self, places=kept)


def _rank(unit: str) -> int:
    return NAMED.index(unit) if unit in NAMED else len(NAMED)


def load(name: str, stations: int | None = None) -> Scenario:
    """A scenario by name; `stations` takes that many IT stations (all of them when None; `plain`: 20)."""
    if name == "plain":
        return plain(20 if stations is None else stations)
    if name != "yen-bai-2022":
        raise ValueError(f"no scenario {name!r}; there are: {', '.join(NAMES)}")
    text = files("sim").joinpath("data", "yen-bai-2022.csv").read_text("utf-8")
    places = tuple(Place(**row) for row in csv.DictReader(text.splitlines()))
    whole = Scenario(name, "vn.yb", day_from_iso(LAW_DAY_ISO), places)
    return whole.take(len(whole.it) if stations is None else stations)


def plain(stations: int) -> Scenario:
    """`stations` IT stations of an invented province `vn.mau` ("sample"); no FM stations."""
    places = tuple(
        Place(f"vn.mau.{number:05d}", f"{number:05d}", f"Xã Mẫu {number}", "it")
        for number in range(1, stations + 1)
    )
    return Scenario("plain", "vn.mau", day_from_iso(LAW_DAY_ISO), places)


LAW_DAY: tuple[Notice, ...] = (
    Notice(
        "Hưởng ứng Ngày Pháp luật Việt Nam 9 tháng 11",
        "phap-luat",
        PRIORITY,
        5 * 60 + 15,
        300,
        "Ngày 9 tháng 11 hằng năm là Ngày Pháp luật nước Cộng hòa xã hội chủ nghĩa Việt Nam. "
        "Mỗi người dân hãy tìm hiểu, chấp hành Hiến pháp và pháp luật, sống và làm việc theo "
        "Hiến pháp và pháp luật.",
    ),
    Notice(
        "Phòng, chống ma túy trong thanh thiếu niên",
        "ma-tuy",
        NORMAL,
        5 * 60 + 30,
        240,
        "Luật Phòng, chống ma túy nghiêm cấm tàng trữ, vận chuyển, mua bán và sử dụng trái phép "
        "chất ma túy. Gia đình hãy quan tâm, quản lý con em mình; phát hiện hành vi vi phạm, xin "
        "báo ngay cho công an xã.",
    ),
    Notice(
        "Đã uống rượu, bia thì không lái xe",
        "giao-thong",
        NORMAL,
        17 * 60,
        240,
        "Luật Phòng, chống tác hại của rượu, bia nghiêm cấm điều khiển phương tiện giao thông mà "
        "trong máu hoặc hơi thở có nồng độ cồn. Vì sự an toàn của bản thân và mọi người, đã uống "
        "rượu, bia thì không lái xe.",
    ),
    Notice(
        "Phòng cháy, chữa cháy trong mùa hanh khô",
        "chay-no",
        PRIORITY,
        17 * 60 + 15,
        300,
        "Thời tiết hanh khô dễ xảy ra cháy nhà và cháy rừng. Đề nghị bà con không đốt nương khi có "
        "gió lớn, kiểm tra bếp lửa và các thiết bị điện trước khi ra khỏi nhà, chuẩn bị sẵn nước "
        "và dụng cụ chữa cháy.",
    ),
    Notice(
        "Bảo đảm an toàn thực phẩm",
        "thuc-pham",
        NORMAL,
        17 * 60 + 30,
        180,
        "Chỉ mua thực phẩm có nguồn gốc rõ ràng, ăn chín, uống sôi, rửa tay trước khi ăn. Khi có "
        "dấu hiệu ngộ độc thực phẩm, hãy đến ngay trạm y tế gần nhất.",
    ),
)

EMERGENCY = Alarm(
    "chay-rung",
    2,
    16 * 60 + 40,
    2 * 3600,
    "Khẩn cấp! Nguy cơ cháy rừng cấp rất nguy hiểm. Tuyệt đối không đốt nương, không mang lửa vào "
    "rừng. Phát hiện cháy, báo ngay cho Ủy ban nhân dân xã và lực lượng kiểm lâm.",
)
