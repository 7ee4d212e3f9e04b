"""What officers write, and what a speaker in the North would say. Each case is one line of a bulletin."""

from __future__ import annotations

import pytest

from ledger.spoken import read_aloud


def reads(*cases: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("written", "read"), cases, ids=[written for written, _ in cases])


@reads(
    ("0", "không"), ("4", "bốn"), ("10", "mười"), ("11", "mười một"), ("14", "mười bốn"), ("15", "mười lăm"),
    ("20", "hai mươi"), ("21", "hai mươi mốt"), ("24", "hai mươi tư"), ("25", "hai mươi lăm"),
    ("101", "một trăm linh một"), ("104", "một trăm linh tư"), ("110", "một trăm mười"),
    ("115 hộ", "một trăm mười lăm hộ"), ("1005", "một nghìn không trăm linh năm"),
    ("2026", "hai nghìn không trăm hai mươi sáu"), ("1.000", "một nghìn"), ("12.345",
    "mười hai nghìn ba trăm bốn mươi lăm"),
    ("10 000 cây", "mười nghìn cây"),
    ("1.000.005", "một triệu không trăm linh năm"), ("21.000.000", "hai mươi mốt triệu"),
    ("5.000.000.000", "năm tỷ"), ("1.000.000.000.000.000", "một triệu tỷ"), ("1000000000000000",
    "một triệu tỷ"),
)  # fmt: skip
def test_whole_numbers(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("3,5", "ba phẩy năm"), ("2,25 tấn", "hai phẩy hai mươi lăm tấn"), ("0,05", "không phẩy không năm"),
    ("1.234,5", "một nghìn hai trăm ba mươi tư phẩy năm"), ("-5", "âm năm"), ("−3,5 °C",
    "âm ba phẩy năm độ xê"),
    ("phiên bản 2.5", "phiên bản hai chấm năm"), ("mục 1.2.3", "mục một chấm hai chấm ba"),
    ("các tổ 3,5,7", "các tổ ba, năm, bảy"),
)  # fmt: skip
def test_a_comma_is_the_decimal_sign_and_a_minus_is_said(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("lần thứ 1", "lần thứ nhất"), ("thứ 2", "thứ hai"), ("thứ 3", "thứ ba"), ("thứ 4", "thứ tư"),
    ("lần thứ 14", "lần thứ mười bốn"), ("Thứ 7", "Thứ bảy"),
    ("thứ nhì", "thứ nhì"),
)  # fmt: skip
def test_ordinals(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("95%", "chín mươi lăm phần trăm"), ("5 %", "năm phần trăm"), ("0,5%", "không phẩy năm phần trăm"),
    ("5%-10%", "năm phần trăm đến mười phần trăm"), ("2‰", "hai phần nghìn"), ("20%/năm",
    "hai mươi phần trăm một năm"),
)  # fmt: skip
def test_percent(written: str, read: str) -> None:
    assert read_aloud(written) == read


YEAR = "năm hai nghìn không trăm hai mươi hai"


@reads(
    ("09/11/2022", f"ngày mồng chín tháng mười một {YEAR}"), ("ngày 9-11-2022",
    f"ngày mồng chín tháng mười một {YEAR}"),
    ("ngày 24.4.2022", f"ngày hai mươi tư tháng tư {YEAR}"), ("2022-11-09",
    f"ngày mồng chín tháng mười một {YEAR}"),
    ("ngày 09/11/22", f"ngày mồng chín tháng mười một {YEAR}"),
    ("ngày 09/11", "ngày mồng chín tháng mười một"), ("sáng 30/4", "sáng ngày ba mươi tháng tư"),
    ("tháng 4", "tháng tư"), ("tháng 11", "tháng mười một"), ("tháng 04/2022", f"tháng tư {YEAR}"),
    ("11/2022", f"tháng mười một {YEAR}"), ("ngày 01", "ngày mồng một"), ("ngày 10", "ngày mồng mười"),
    ("ngày 11", "ngày mười một"), ("ngày 5 tháng 11", "ngày mồng năm tháng mười một"),
    ("mùng 5 tháng 5", "mùng năm tháng năm"), ("ngày 2-9", "ngày mồng hai tháng chín"),
    ("năm 2022", YEAR), ("mỗi ngày 2 lần", "mỗi ngày hai lần"), ("3 ngày 2 đêm", "ba ngày hai đêm"),
    ("ngày 45/11", "ngày bốn mươi lăm trên mười một"),
    ("2/3 số hộ", "hai phần ba số hộ"), ("3/4 diện tích", "ba phần tư diện tích"),
    ("trực 24/7", "trực hai mươi tư trên bảy"), ("số nhà 12/8", "số nhà mười hai trên tám"),
    ("Ngày 9 tháng 11 hằng năm", "Ngày mồng chín tháng mười một hằng năm"),
)  # fmt: skip
def test_dates(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("17:00", "mười bảy giờ"), ("17h00", "mười bảy giờ"), ("17h", "mười bảy giờ"), ("5h30",
    "năm giờ ba mươi phút"),
    ("5h30'", "năm giờ ba mươi phút"), ("17 giờ 30", "mười bảy giờ ba mươi phút"),
    ("17 giờ 30 phút", "mười bảy giờ ba mươi phút"), ("5h05", "năm giờ năm phút"), ("0h", "không giờ"),
    ("07:30:15", "bảy giờ ba mươi phút mười lăm giây"), ("7g15", "bảy giờ mười lăm phút"),
    ("lúc 19 giờ.", "lúc mười chín giờ."),
)  # fmt: skip
def test_times(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("8h–10h", "tám giờ đến mười giờ"), ("15-20 °C", "mười lăm đến hai mươi độ xê"),
    ("7:30 - 11:00", "bảy giờ ba mươi phút đến mười một giờ"), ("5 - 7 ngày", "năm đến bảy ngày"),
    ("giai đoạn 2021-2025",
    "giai đoạn hai nghìn không trăm hai mươi mốt đến hai nghìn không trăm hai mươi lăm"),
    ("09-12/11", "ngày mồng chín đến ngày mười hai tháng mười một"),
    ("từ ngày 5-10/11", "từ ngày mồng năm đến ngày mồng mười tháng mười một"),
    ("09/11-12/11", "ngày mồng chín tháng mười một đến ngày mười hai tháng mười một"),
    ("09/11/2022 - 12/11/2022",
     f"ngày mồng chín tháng mười một {YEAR} đến ngày mười hai tháng mười một {YEAR}"),
    ("100kg-200kg", "một trăm ki lô gam đến hai trăm ki lô gam"), ("tỷ số 2-1", "tỷ số hai một"),
)  # fmt: skip
def test_ranges(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("5 km", "năm ki lô mét"), ("5km", "năm ki lô mét"), ("20 m", "hai mươi mét"), ("300 m²",
    "ba trăm mét vuông"),
    ("300m2", "ba trăm mét vuông"), ("2,5 ha", "hai phẩy năm héc ta"), ("50 kg", "năm mươi ki lô gam"),
    ("3 tấn", "ba tấn"), ("120 mm", "một trăm hai mươi mi li mét"), ("35 °C", "ba mươi lăm độ xê"),
    ("35 độ C", "ba mươi lăm độ xê"), ("60 km/h", "sáu mươi ki lô mét trên giờ"),
    ("30 m³/s", "ba mươi mét khối trên giây"), ("50.000 đồng", "năm mươi nghìn đồng"), ("50.000đ",
    "năm mươi nghìn đồng"),
    ("1.500 VNĐ", "một nghìn năm trăm đồng"), ("100 USD", "một trăm đô la Mỹ"), ("5 triệu đ",
    "năm triệu đồng"),
    ("7.000 đ/kg", "bảy nghìn đồng trên ki lô gam"), ("300.000 đồng/người/tháng",
    "ba trăm nghìn đồng một người một tháng"),
    ("3x4 m", "ba nhân bốn mét"), ("gió giật trên 60km/h", "gió giật trên sáu mươi ki lô mét trên giờ"),
    ("đơn giá theo m²", "đơn giá theo mét vuông"), ("220V", "hai trăm hai mươi vôn"),
    ("5m x 10m", "năm mét nhân mười mét"), ("$100", "một trăm đô la"), ("Km12", "ki lô mét mười hai"),
    ("140/90", "một trăm bốn mươi trên chín mươi"),
    ("1.250 hộ/4.600 khẩu", "một nghìn hai trăm năm mươi hộ, bốn nghìn sáu trăm khẩu"),
)  # fmt: skip
def test_units(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("ĐT: 0912345678", "điện thoại: không chín một hai, ba bốn năm, sáu bảy tám"),
    ("0912.345.678", "không chín một hai, ba bốn năm, sáu bảy tám"),
    ("(024) 3825 1234", "không hai bốn, ba tám hai năm, một hai ba bốn"),
    ("+84 912 345 678", "cộng tám bốn, chín một hai, ba bốn năm, sáu bảy tám"),
    ("tổng đài 1900 1234", "tổng đài một chín không không, một hai ba bốn"),
    ("hotline 19006868", "hotline một chín không không, sáu tám sáu tám"), ("gọi 115", "gọi một một năm"),
    ("gọi 113, 114 hoặc 115", "gọi một một ba, một một bốn hoặc một một năm"), ("số điện thoại: 112",
    "số điện thoại: một một hai"),
    ("CCCD 001099012345", "căn cước công dân không không một không chín chín không một hai ba bốn năm"),
)  # fmt: skip
def test_telephones_are_read_digit_by_digit(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("Thông tư số 39/2020/TT-BTTTT",
    "Thông tư số ba mươi chín năm hai nghìn không trăm hai mươi của Bộ Thông tin và Truyền thông"),
    ("Quyết định số 39/2020/TT-BTTTT",
     "Quyết định số ba mươi chín năm hai nghìn không trăm hai mươi,"
     " thông tư của Bộ Thông tin và Truyền thông"),
    ("Quyết định số 125/QĐ-UBND", "Quyết định số một trăm hai mươi lăm của Ủy ban nhân dân"),
    ("Nghị định 49/2024/NĐ-CP", "Nghị định bốn mươi chín năm hai nghìn không trăm hai mươi tư của Chính phủ"),
    ("Luật số 14/2012/QH13", "Luật số mười bốn năm hai nghìn không trăm mười hai của Quốc hội khóa mười ba"),
    ("Nghị quyết số 19-NQ/TW", "Nghị quyết số mười chín của Trung ương"),
    ("số 05/CĐ-TTg", "số năm, công điện của Thủ tướng Chính phủ"), ("số 7/XYZ-KLM",
    "số bảy, ích y dét, ca lờ mờ"),
)  # fmt: skip
def test_document_numbers(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("Quý IV", "Quý bốn"), ("quý I/2022", f"quý một {YEAR}"), ("khóa XV", "khóa mười lăm"), ("thế kỷ XXI",
    "thế kỷ hai mươi mốt"),
    ("cấp III", "cấp ba"), ("lần thứ XIII", "lần thứ mười ba"), ("thứ IV", "thứ tư"), ("Quý I-II",
    "Quý một đến hai"),
    ("chương V", "chương năm"), ("loại C", "loại C"), ("khóa IIX", "khóa i i ích"),
)  # fmt: skip
def test_roman_numbers_behind_a_word_that_wants_one(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("UBND xã", "Ủy ban nhân dân xã"), ("HĐND", "Hội đồng nhân dân"), ("MTTQ", "Mặt trận Tổ quốc"),
    ("TP. Yên Bái", "thành phố Yên Bái"), ("TP.HCM", "thành phố Hồ Chí Minh"), ("TX Nghĩa Lộ",
    "thị xã Nghĩa Lộ"),
    ("TT Mậu A", "thị trấn Mậu A"), ("TT Y tế", "trung tâm Y tế"), ("BCĐ", "Ban Chỉ đạo"),
    ("PCTT và TKCN", "phòng chống thiên tai và tìm kiếm cứu nạn"), ("PCCC", "phòng cháy chữa cháy"),
    ("BHYT, BHXH", "bảo hiểm y tế, bảo hiểm xã hội"), ("THCS", "trung học cơ sở"), ("THPT",
    "trung học phổ thông"),
    ("ATGT", "an toàn giao thông"), ("ANTT", "an ninh trật tự"), ("NTM", "nông thôn mới"), ("KT-XH",
    "kinh tế xã hội"),
    ("COVID-19", "Cô vít mười chín"), ("QL32", "quốc lộ ba mươi hai"), ("QL 32C", "quốc lộ ba mươi hai xê"),
    ("ĐT174", "đường tỉnh một trăm bảy mươi tư"), ("TDP số 4", "tổ dân phố số bốn"), ("CLB", "câu lạc bộ"),
    ("đ/c Lan", "đồng chí Lan"), ("PGS.TS. Hà", "phó giáo sư tiến sĩ Hà"), ("ngô, lúa, v.v.",
    "ngô, lúa, vân vân."),
    ("P.GD&ĐT", "phòng giáo dục và đào tạo"),
    ("các xã, phường, TT", "các xã, phường, thị trấn"),
    ("BĐ3", "báo động ba"), ("XYZ", "ích y dét"), ("VH-XH", "vê hát ích hát"), ("H5N1", "hát năm nờ một"),
    ("4G", "bốn giê"),
)  # fmt: skip
def test_abbreviations(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("THÔNG BÁO KHẨN", "thông báo khẩn"), ("HÀNH VI VI PHẠM", "hành vi vi phạm"),
    ("THƯ MỜI HỌP CHO BAN CHỈ HUY PCTT", "thư mời họp cho ban chỉ huy phòng chống thiên tai"),
    ("THỨ TƯ HẰNG TUẦN", "thứ tư hằng tuần"), ("Ban TƯ họp", "Ban trung ương họp"),
)  # fmt: skip
def test_a_heading_in_capitals_is_words(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("Xem https://www.yenbai.gov.vn/tin.", "Xem yenbai chấm gov chấm vê nờ gạch chéo tin."),
    ("gửi vanthu2@yenbai.gov.vn", "gửi vanthu hai a còng yenbai chấm gov chấm vê nờ"), ("loa.com",
    "loa chấm com"),
)  # fmt: skip
def test_addresses_stay_readable(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("Bà con chú ý!!!", "Bà con chú ý!"), ("Nước dâng... mau", "Nước dâng. mau"), ("Thật sao?!", "Thật sao?"),
    ("“Xin chào” 'bà con'", "Xin chào bà con"), ("Trạm (gọi tắt là B), mở", "Trạm, gọi tắt là B, mở"),
    ("Lào Cai – Yên Bái", "Lào Cai, Yên Bái"), ("📢 Mời họp 🔔", "Mời họp"),
    ("Kính mời:\n- Họp thôn\n- Tiêm phòng;\n+ đi họp", "Kính mời: Họp thôn. Tiêm phòng; đi họp"),
    ("1. Họp\n2) Làm\n\nIII. Về", "một, Họp. hai, Làm. ba, Về"), ("Dòng một dài\nchạy tiếp",
    "Dòng một dài chạy tiếp"),
    ("hết.Mời", "hết. Mời"), ("xã/phường và/hoặc", "xã phường và hoặc"),
)  # fmt: skip
def test_punctuation_and_lines_become_single_pauses(written: str, read: str) -> None:
    assert read_aloud(written) == read


@reads(
    ("Facebook, iPhone và Wi-Fi", "Facebook, iPhone và Wi-Fi"), ("Y Bion Niê ở Krông Pắk",
    "Y Bion Niê ở Krông Pắk"),
    ("Đắk R'lấp", "Đắk R'lấp"), ("Привет ไทย", "Привет ไทย"), ("", ""), ("\ud800 \x00", ""),
)  # fmt: skip
def test_foreign_words_stay_as_they_are(written: str, read: str) -> None:
    assert read_aloud(written) == read


def test_decomposed_text_reads_as_composed_text() -> None:
    assert read_aloud("Đo\u0302\u0300ng đo\u0302\u0323i 5 ngu\u031bo\u031b\u0300i") == "Đồng đội năm người"


def test_the_glossary_of_the_place_wins() -> None:
    place = {"NTM": "Nà Tăng Mới", "K5": "khu 5", "TT Mậu A": "phố huyện", "": "nothing"}
    assert read_aloud("NTM, K5, TT Mậu A, K50", place) == "Nà Tăng Mới, khu năm, phố huyện, ca năm mươi"
    assert read_aloud("NTM") == "nông thôn mới"


def test_a_whole_emergency_order_is_read() -> None:
    written = """CÔNG ĐIỆN KHẨN SỐ 05/CĐ-UBND
Hồi 04 giờ ngày 09/9/2024, gió mạnh nhất cấp 6 (39-49km/h).
- Mưa 100-200mm;
- Sông Thao lúc 7h là 33,05m.
Gọi 0912 345 678."""
    assert read_aloud(written) == (
        "công điện khẩn số năm của Ủy ban nhân dân. Hồi bốn giờ ngày mồng chín tháng chín năm hai nghìn "
        "không trăm hai mươi tư, gió mạnh nhất cấp sáu, ba mươi chín đến bốn mươi chín ki lô mét trên giờ. "
        "Mưa một trăm đến hai trăm mi li mét; Sông Thao lúc bảy giờ là ba mươi ba phẩy không năm mét. "
        "Gọi không chín một hai, ba bốn năm, sáu bảy tám."
    )
