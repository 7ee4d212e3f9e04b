"""Six words that two people compare: alike at the box and at the hub, or somebody stands between them.

Whoever sets a station up reads them from its screen over the telephone, and the province sees them on the
station's page. They are made of the hash of both messages of the enrolment, so they agree only when both ends
saw the same bytes: the token's own MAC keeps out whoever does not know the token, and the words show somebody
who does.

256 short Vietnamese words, eight bits each, six of them 48 bits. No two become alike when the marks are left
out, nor when spoken where tr is ch, s is x, d, gi, r and v are one, l is n, or where final c and t, ng and n
are one: what is heard wrongly is no other word of the list. Their order and spelling (NFC) never change.

Bound: bytes to words. What is compared, and by whom, is the business of the callers.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

TRANSCRIPT: Final = b"loa-words/v1\0"
OFFERED: Final = b"loa-key-words/v1\0"
WORDS_SHOWN: Final = 6  # 48 bits: one try for whoever stands between, and the telephone tells

WORDS: Final = tuple(
    """
    ba bài bão bàn bắp bát bánh bè bên bếp biển bình bích bìm bò bóng búa bún búp bút buồm bưởi cá cái
    cáo cau cam cần cát canh kem kèn kẹp kính kiếm kiến kiệu còi cơm con cốp cốc cú cua củi cung cúp
    cuội cườm cừu chai chào chậu chàm chân chắt chanh chè chèo chén chim chích chìa chiều chòi chóp chú
    chùa chùm chuông chuột đa đài đào đầu đàn đất đèn đèo đỉnh điếu điện đò đôi đồng đũa đuôi đường đuốc
    dao dâu dầm dế dẻo dép dệt dĩa diều dốc dù dưa viên vòm vườn gà gai gạo gàu gấm gạch ghe gốm gót
    gừng gương hà hào hầm hạt hành heo hoa hoàng hòm hồng hộp hũ hươu hương khâu khăn khánh khế kheo kho
    khoa khoai khoan khói khúc khung khỉ la lái lầu lê leo lim lính liễu liềm loa lò lốp lúa lưng lưới
    lươn mai màu mắm măng mắt mèo men mía mình môi mũ mưa mực mương muối mướp ngà ngao ngân nghé ngô
    ngón ngọc ngựa nguồn nhà nhài nhẫn nhện nhím nho nhôm nhựa nhung phao phấn phèn phím phiếu phố phổi
    phúc phượng quạt quanh quế quýt tai táo tàu tem tép tết tím tiền tổ toa tóc tôi tôm túi tủ tùng
    tượng tuổi thau thảm tháp thành thẻ thép thìa thỏ thoi thôn thơm thu thuyền thuốc xa xe xanh xếp
    xinh xoài xoan xôi xóm xuân xuồng áo ấm ếch én ong ổi ổ ớt
    """.split()  # noqa: SIM905
)


def six_words(request: bytes, reply: bytes) -> str:
    """The words of one enrolment, parted by spaces. request, reply: the two messages as they were sent.

    >>> six_words(b"request", b"reply")
    'bàn mũ phượng chích vườn tuổi'
    """
    return words_of(sha256(request).digest(), sha256(reply).digest())


def words_of(request_hash: bytes, reply_hash: bytes) -> str:
    """As `six_words`, of the SHA-256 of each message."""
    digest = sha256(TRANSCRIPT + request_hash + reply_hash).digest()
    return " ".join(WORDS[octet] for octet in digest[:WORDS_SHOWN])


def key_words(station: bytes, public: bytes) -> str:
    """The words of a key that a station offers for a person. station: its key id; public: 32 bytes."""
    digest = sha256(OFFERED + station + public).digest()
    return " ".join(WORDS[octet] for octet in digest[:WORDS_SHOWN])
