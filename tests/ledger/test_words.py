"""The six words: a list nobody can mishear, and words that agree only when the messages do."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from ledger.log import SigningKey, key_words, six_words, words_of
from ledger.log.words import WORDS, WORDS_SHOWN

ALIKE_AT_FRONT = (
    ("tr", "ch"),
    ("ngh", "ng"),
    ("gi", "d"),
    ("gh", "g"),
    ("s", "x"),
    ("r", "d"),
    ("v", "d"),
    ("n", "l"),
)
NOT_SINGLE = ("ng", "nh")


def heard(word: str) -> str:
    """What is left of a word on a bad line, from any part of the country."""
    plain = unicodedata.normalize("NFD", word.replace("đ", "z"))
    plain = "".join(mark for mark in plain if not unicodedata.combining(mark))
    for one, other in ALIKE_AT_FRONT:
        if plain.startswith(one) and not (one == "n" and plain.startswith(NOT_SINGLE)):
            plain = other + plain[len(one) :]
            break
    return re.sub(r"ng$", "n", re.sub(r"(?<=.)c$", "t", plain)).replace("y", "i")


def test_there_are_256_short_words_in_composed_form() -> None:
    assert len(WORDS) == len(set(WORDS)) == 256
    assert all(
        (unicodedata.is_normalized("NFC", word) and 1 < len(word) <= 6) or word == "ổ" for word in WORDS
    )


def test_no_two_words_sound_alike_without_marks_or_in_another_region() -> None:
    by_sound: dict[str, list[str]] = {}
    for word in WORDS:
        by_sound.setdefault(heard(word), []).append(word)
    assert [words for words in by_sound.values() if len(words) > 1] == []


def test_six_of_them_hold_48_bits() -> None:
    assert WORDS_SHOWN * 8 == 48
    assert len(six_words(b"a", b"b").split()) == 6


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_other_messages_give_other_words(request: bytes, reply: bytes, other: bytes) -> None:
    said = six_words(request, reply)
    assert (six_words(request, other) == said) == (other == reply)
    assert (six_words(other, reply) == said) == (other == request)


def test_what_belongs_to_one_message_cannot_move_into_the_other() -> None:
    assert six_words(b"ab", b"c") != six_words(b"a", b"bc")
    assert words_of(bytes(32), bytes(32)) != words_of(bytes(32), b"\1" * 32)


def test_the_words_of_an_offered_key_are_those_of_the_page() -> None:
    station = bytes.fromhex("8d52a799fc142d38")
    key = SigningKey.from_seed(bytes(range(0x20, 0x40))).verify_key.raw
    assert key_words(station, key) == "chanh heo bánh cườm dế bài"


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32), st.integers(0, 39))
def test_another_station_or_another_key_has_other_words(station: bytes, key: bytes, at: int) -> None:
    other = bytearray(station + key)
    other[at] ^= 1
    assert key_words(station, key) != key_words(bytes(other[:8]), bytes(other[8:]))
