"""A reader of Vietnamese number words that shares nothing with the writer under test."""

from __future__ import annotations

ONES = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5, "sáu": 6,
    "bảy": 7, "tám": 8, "chín": 9,
}  # fmt: skip
SCALES = {"nghìn": 1_000, "triệu": 1_000_000}


def read_back(words: str) -> int:
    """Left to right: a finished amount, the group being built, and the digit that waits for its name."""
    if " tỷ" in words:
        billions, _, rest = words.rpartition(" tỷ")
        return read_back(billions) * 1_000_000_000 + (read_back(rest.strip()) if rest.strip() else 0)
    total = group = 0
    waiting: int | None = None
    for word in words.split():
        if word in ONES:
            assert waiting is None, words
            waiting = ONES[word]
        elif word == "trăm":
            assert waiting is not None
            group, waiting = group + 100 * waiting, None
        elif word == "mươi":
            assert waiting is not None
            group, waiting = group + 10 * waiting, None
        elif word == "mười":
            group += 10
        elif word == "linh":
            assert waiting is None
        else:
            total += (group + (waiting or 0)) * SCALES[word]
            group, waiting = 0, None
    return total + group + (waiting or 0)
