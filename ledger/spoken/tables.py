"""The words behind letters and signs: units, abbreviations of the commune office, letter names, issuers.

Only what a speaker in any commune would read the same way; what means two things in two communes belongs in
the commune's own glossary. Bound: data. Every value is plain words, so that reading it again changes nothing.
"""

from __future__ import annotations

from typing import Final

# Behind a number, in this spelling. The longest is tried first.
UNITS: Final = {
    "km/h": "ki lô mét trên giờ", "km/giờ": "ki lô mét trên giờ", "m/s": "mét trên giây",
    "m³/s": "mét khối trên giây", "m3/s": "mét khối trên giây", "l/s": "lít trên giây",
    "km²": "ki lô mét vuông", "km2": "ki lô mét vuông", "m²": "mét vuông", "m2": "mét vuông",
    "cm²": "xen ti mét vuông", "cm2": "xen ti mét vuông", "m³": "mét khối", "m3": "mét khối",
    "cm³": "xen ti mét khối", "cm3": "xen ti mét khối",
    "km": "ki lô mét", "KM": "ki lô mét", "Km": "ki lô mét", "m": "mét", "dm": "đề xi mét",
    "cm": "xen ti mét", "mm": "mi li mét", "ha": "héc ta", "Ha": "héc ta", "HA": "héc ta",
    "kg": "ki lô gam", "Kg": "ki lô gam", "KG": "ki lô gam", "g": "gam", "mg": "mi li gam",
    "l": "lít", "ml": "mi li lít", "kWh": "ki lô oát giờ", "KWh": "ki lô oát giờ", "kWp": "ki lô oát đỉnh",
    "kW": "ki lô oát", "KW": "ki lô oát", "MW": "mê ga oát", "W": "oát", "kV": "ki lô vôn", "KV": "ki lô vôn",
    "V": "vôn", "Hz": "héc", "kHz": "ki lô héc", "MHz": "mê ga héc", "GB": "ghi ga bai", "MB": "mê ga bai",
    "°C": "độ xê", "độ C": "độ xê", "ºC": "độ xê", "oC": "độ xê", "°": "độ", "%": "phần trăm",
    "‰": "phần nghìn", "đồng": "đồng", "đ": "đồng", "Đ": "đồng", "₫": "đồng", "VNĐ": "đồng", "VND": "đồng",
    "vnđ": "đồng", "USD": "đô la Mỹ", "$": "đô la", "EUR": "ơ rô", "€": "ơ rô", "tr": "triệu", "k": "nghìn",
    "p": "phút", "ph": "phút", "tấn": "tấn", "tạ": "tạ", "lít": "lít",
}  # fmt: skip

# These need no number before them: nothing else is written so.
ALONE: Final = ("km/h", "km²", "km2", "m²", "m2", "m³", "m3", "km", "kg", "mm", "cm", "kWh", "VNĐ", "VND",
                "vnđ", "USD", "°C", "%", "‰", "Km", "kW", "kV", "MW")  # fmt: skip

LETTERS: Final = {
    "A": "a", "Ă": "á", "Â": "ớ", "B": "bê", "C": "xê", "D": "dê", "Đ": "đê", "E": "e", "Ê": "ê",
    "F": "ép phờ", "G": "giê", "H": "hát", "I": "i", "J": "gi", "K": "ca", "L": "lờ", "M": "mờ",
    "N": "nờ", "O": "o", "Ô": "ô", "Ơ": "ơ", "P": "pê", "Q": "quy", "R": "rờ", "S": "ét", "T": "tê",
    "U": "u", "Ư": "ư", "V": "vê", "W": "vê kép", "X": "ích", "Y": "y", "Z": "dét",
}  # fmt: skip

ABBREVIATIONS: Final = {
    "UBND": "Ủy ban nhân dân", "HĐND": "Hội đồng nhân dân", "MTTQ": "Mặt trận Tổ quốc",
    "UBMTTQ": "Ủy ban Mặt trận Tổ quốc", "MTTQVN": "Mặt trận Tổ quốc Việt Nam",
    "UBMTTQVN": "Ủy ban Mặt trận Tổ quốc Việt Nam", "TP": "thành phố", "Tp": "thành phố", "TX": "thị xã",
    "BCĐ": "Ban Chỉ đạo", "BCH": "Ban Chấp hành", "BTC": "Ban Tổ chức", "BQL": "Ban Quản lý",
    "BTV": "Ban Thường vụ",
    "PCTT": "phòng chống thiên tai", "PCCC": "phòng cháy chữa cháy", "TKCN": "tìm kiếm cứu nạn",
    "CNCH": "cứu nạn cứu hộ", "PCD": "phòng chống dịch", "BHYT": "bảo hiểm y tế", "BHXH": "bảo hiểm xã hội",
    "BHTN": "bảo hiểm thất nghiệp", "THCS": "trung học cơ sở", "THPT": "trung học phổ thông",
    "GDTX": "giáo dục thường xuyên", "GDĐT": "giáo dục và đào tạo", "GD-ĐT": "giáo dục và đào tạo",
    "ATGT": "an toàn giao thông", "ANTT": "an ninh trật tự", "TTATGT": "trật tự an toàn giao thông",
    "ATTP": "an toàn thực phẩm", "VSATTP": "vệ sinh an toàn thực phẩm", "ANQP": "an ninh quốc phòng",
    "QPAN": "quốc phòng an ninh", "QP-AN": "quốc phòng an ninh", "NVQS": "nghĩa vụ quân sự",
    "NTM": "nông thôn mới", "KT-XH": "kinh tế xã hội", "KTXH": "kinh tế xã hội", "KHKT": "khoa học kỹ thuật",
    "VH-TT": "văn hóa thể thao", "VHTT": "văn hóa thông tin", "TT-TT": "thông tin truyền thông",
    "TTTT": "thông tin và truyền thông", "TT&TT": "thông tin và truyền thông", "TDTT": "thể dục thể thao",
    "CNTT": "công nghệ thông tin", "TDP": "tổ dân phố", "CLB": "câu lạc bộ", "HTX": "hợp tác xã",
    "CSGT": "cảnh sát giao thông", "CAND": "công an nhân dân", "QĐND": "quân đội nhân dân",
    "LHPN": "Liên hiệp Phụ nữ", "CCB": "Cựu chiến binh", "TNCS": "Thanh niên Cộng sản",
    "ĐVTN": "đoàn viên thanh niên",
    "KHHGĐ": "kế hoạch hóa gia đình", "DS-KHHGĐ": "dân số kế hoạch hóa gia đình",
    "CCCD": "căn cước công dân", "CMND": "chứng minh nhân dân", "GPLX": "giấy phép lái xe",
    "QSDĐ": "quyền sử dụng đất", "GPMB": "giải phóng mặt bằng", "XHCN": "xã hội chủ nghĩa",
    "CHXHCN": "Cộng hòa xã hội chủ nghĩa", "CNH": "công nghiệp hóa", "HĐH": "hiện đại hóa",
    "CSXH": "chính sách xã hội", "NHCSXH": "Ngân hàng Chính sách xã hội", "DTTS": "dân tộc thiểu số",
    "TNGT": "tai nạn giao thông", "TNXP": "thanh niên xung phong", "LLVT": "lực lượng vũ trang",
    "NLĐ": "người lao động", "KCN": "khu công nghiệp", "BVMT": "bảo vệ môi trường", "BVTV": "bảo vệ thực vật",
    "PTTH": "phát thanh truyền hình", "QLBVR": "quản lý bảo vệ rừng", "PCCCR": "phòng cháy chữa cháy rừng",
    "GD&ĐT": "giáo dục và đào tạo", "TH&THCS": "tiểu học và trung học cơ sở", "UB": "ủy ban",
    "PCT": "phó chủ tịch", "BĐ": "báo động", "SN": "sinh năm", "STK": "số tài khoản", "ĐC": "địa chỉ",
    "TNTP": "thiếu niên tiền phong", "TH": "tiểu học",
    "TTHC": "thủ tục hành chính", "CCHC": "cải cách hành chính", "DVC": "dịch vụ công",
    "VNEID": "vê nờ e i đi",
    "VN": "Việt Nam", "TW": "trung ương", "HCM": "Hồ Chí Minh", "COVID": "Cô vít", "ASEAN": "A xê an",
    "UNESCO": "U nét xcô", "UNICEF": "U ni xép", "TTg": "Thủ tướng", "ThS": "thạc sĩ", "PGS": "phó giáo sư",
    "GS": "giáo sư", "TS": "tiến sĩ", "BS": "bác sĩ", "KS": "kỹ sư", "SĐT": "số điện thoại",
    "ĐT": "điện thoại",
    "QĐ": "quyết định", "NQ": "nghị quyết", "NĐ": "nghị định", "QL": "quốc lộ", "TL": "tỉnh lộ",
    "Covid": "Cô vít", "VNeID": "vê nờ e i đi", "BLĐTBXH": "Bộ Lao động, Thương binh và Xã hội",
    "LĐTBXH": "lao động, thương binh và xã hội", "TNMT": "tài nguyên và môi trường", "SXH": "sốt xuất huyết",
    "THTT": "truyền hình trực tiếp", "ATVSTP": "an toàn vệ sinh thực phẩm", "PTNT": "phát triển nông thôn",
}  # fmt: skip

# With a dot and a name behind: TP. Yên Bái, P. Minh Tân.
PLACES: Final = {"TP": "thành phố", "Tp": "thành phố", "TX": "thị xã", "TT": "thị trấn", "P": "phường",
                 "Q": "quận", "H": "huyện", "X": "xã"}  # fmt: skip

ROADS: Final = {"QL": "quốc lộ", "ĐT": "đường tỉnh", "TL": "tỉnh lộ", "HL": "huyện lộ", "ĐH": "đường huyện",
                "CT": "cao tốc"}  # fmt: skip

DOCUMENTS: Final = {
    "QĐ": "quyết định", "TT": "thông tư", "TTLT": "thông tư liên tịch", "NĐ": "nghị định", "NQ": "nghị quyết",
    "CT": "chỉ thị", "CĐ": "công điện", "KH": "kế hoạch", "TB": "thông báo", "BC": "báo cáo",
    "HD": "hướng dẫn",
    "TTr": "tờ trình", "CV": "công văn", "PA": "phương án", "GM": "giấy mời", "CTr": "chương trình",
}  # fmt: skip

ISSUERS: Final = {
    "UBND": "Ủy ban nhân dân", "HĐND": "Hội đồng nhân dân", "CP": "Chính phủ", "TTg": "Thủ tướng Chính phủ",
    "BTTTT": "Bộ Thông tin và Truyền thông", "BCA": "Bộ Công an", "BQP": "Bộ Quốc phòng", "BYT": "Bộ Y tế",
    "BTC": "Bộ Tài chính", "BNV": "Bộ Nội vụ", "BTP": "Bộ Tư pháp", "BXD": "Bộ Xây dựng",
    "BGDĐT": "Bộ Giáo dục và Đào tạo", "BCT": "Bộ Công Thương", "BGTVT": "Bộ Giao thông vận tải",
    "BTNMT": "Bộ Tài nguyên và Môi trường", "BVHTTDL": "Bộ Văn hóa, Thể thao và Du lịch",
    "BLĐTBXH": "Bộ Lao động, Thương binh và Xã hội", "BKHCN": "Bộ Khoa học và Công nghệ",
    "BNNPTNT": "Bộ Nông nghiệp và Phát triển nông thôn", "STTTT": "Sở Thông tin và Truyền thông",
    "BCH": "Ban Chỉ huy", "BCĐ": "Ban Chỉ đạo", "TU": "Tỉnh ủy", "TW": "Trung ương", "TƯ": "Trung ương",
    "VPCP": "Văn phòng Chính phủ", "UBTVQH": "Ủy ban Thường vụ Quốc hội", "MTTQ": "Mặt trận Tổ quốc",
    "VPUB": "Văn phòng Ủy ban nhân dân", "PCTT": "phòng chống thiên tai",
}  # fmt: skip


def spelled(letters: str) -> str:
    """The names of the letters, for an abbreviation that nobody told us."""
    return " ".join(LETTERS.get(letter, letter.lower()) for letter in letters.upper())
