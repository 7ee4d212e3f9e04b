"""Help for writing: what changed between two texts, and texts with blanks."""

from __future__ import annotations

import itertools

import pytest
from hub_house import House
from hypothesis import given
from hypothesis import strategies as st

from hub.patterns import BLANKS_MAX, blanks, filled, has_blanks
from hub.textdiff import COME, GONE, SAME, WORDS_MAX, compared, has_changed
from ledger.log import NotAllowed

words = st.text(alphabet="aăbđ .,\n17hộ", max_size=80)
names = st.text(alphabet="ngàyđịaiểm ", min_size=1, max_size=12).filter(str.strip)


def text_of(runs: object, *kinds: str) -> str:
    return "".join(run.text for run in runs if run.what in kinds)  # type: ignore[attr-defined]


# -- what changed --------------------------------------------------------------------------------------------


@given(words, words)
def test_what_stayed_and_went_is_the_old_text_and_what_stayed_and_came_the_new(old: str, new: str) -> None:
    runs = compared(old, new)
    assert text_of(runs, SAME, GONE) == old
    assert text_of(runs, SAME, COME) == new
    assert has_changed(runs) == (old != new)
    assert all(run.text for run in runs)
    assert all(one.what != other.what for one, other in itertools.pairwise(runs))


@given(words, words, words)
def test_what_two_texts_share_at_both_ends_is_never_marked_beyond_a_word(
    head: str, old: str, new: str
) -> None:
    runs = compared(f"{head} . {old}", f"{head} . {new}")
    assert runs[0].what == SAME
    assert text_of(runs[:1], SAME).startswith(head.rstrip())


def test_one_changed_hour_is_one_changed_word() -> None:
    runs = compared("Mời bà con họp lúc 17h30 tại nhà văn hóa.", "Mời bà con họp lúc 18h tại nhà văn hóa.")
    assert [(run.what, run.text) for run in runs] == [
        (SAME, "Mời bà con họp lúc "),
        (GONE, "17h30 "),
        (COME, "18h "),
        (SAME, "tại nhà văn hóa."),
    ]


def test_a_very_long_text_is_compared_by_sentences_and_still_whole() -> None:
    old = "Câu này dài. " * WORDS_MAX
    new = old.replace("Câu này dài. ", "Câu này ngắn! ", 1)
    runs = compared(old, new)
    assert text_of(runs, GONE) == "Câu này dài. "
    assert text_of(runs, SAME, COME) == new


# -- blanks --------------------------------------------------------------------------------------------------


@given(st.lists(names, max_size=5), words.filter(lambda text: not set("{}") & set(text)))
def test_a_pattern_whose_blanks_are_all_filled_holds_none(given_names: list[str], between: str) -> None:
    pattern = between + between.join(f"{{{name}}}" for name in given_names)
    found = blanks(pattern)
    assert set(found) == {" ".join(name.split()) for name in given_names}
    whole = filled(pattern, dict.fromkeys(found, "x"))
    assert blanks(whole) == ()
    assert whole.count("x") == len(given_names)
    assert filled(pattern, {}) == pattern


@given(words, words)
def test_what_is_typed_into_a_blank_is_put_in_as_it_stands(before: str, value: str) -> None:
    typed = value + "{ngày}"
    assert filled(before + "{ngày}", {"ngày": typed}) == before + typed


def test_blanks_are_told_once_in_reading_order_whatever_their_spacing() -> None:
    assert blanks("Họp {địa điểm}", "lúc {giờ} ngày {ngày} tại { địa  điểm }") == ("địa điểm", "giờ", "ngày")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ngày {ngày", "pattern-brace"),
        ("ngày}", "pattern-brace"),
        ("{{ngày}}", "pattern-brace"),
        ("{}", "pattern-name"),
        ("{ ? }", "pattern-name"),
        ("{7}", "pattern-name"),
        ("{a*b}", "pattern-name"),
        ("{" + "x" * 41 + "}", "pattern-name"),
        ("".join(f"{{x{n}}}" for n in range(BLANKS_MAX + 1)), "pattern-many"),
    ],
)
def test_a_pattern_that_nobody_could_fill_is_refused(text: str, code: str) -> None:
    with pytest.raises(NotAllowed) as caught:
        blanks(text)
    assert caught.value.code == code


@given(st.text(alphabet="a{}\n đ", max_size=40))
def test_any_text_is_a_pattern_or_refused_in_words(text: str) -> None:
    try:
        found, code = blanks(text), ""
    except NotAllowed as refusal:
        found, code = (), refusal.code
    assert code.startswith("pattern-") if code else blanks(filled(text, dict.fromkeys(found, "v"))) == ()


@pytest.mark.parametrize("text", ["{{ 7*7 }}", "{% print 1 %}", "{0}", "a {", "ngày 12/11"])
def test_braces_around_anything_but_a_name_are_text(text: str) -> None:
    assert not has_blanks(text)
    assert filled(text, {}) == text


# -- samples -------------------------------------------------------------------------------------------------

FIELDS = {
    "name": "Họp thôn", "title": "Họp {thôn}", "category": "thong-bao", "klass": 2,
    "text": "Mời bà con {thôn} họp lúc {giờ}.", "territory": "vn.yb", "account": "bientap",
}  # fmt: skip


def test_a_sample_outlives_the_hubs_restart_and_is_in_no_log() -> None:
    house = House("samples")
    position = house.hub.ledger.position()
    made = house.hub.samples.save("", now=house.now, **FIELDS)  # type: ignore[arg-type]
    changed = house.hub.samples.save(made.id, now=house.now + 1, **(FIELDS | {"name": "Họp bản"}))  # type: ignore[arg-type]
    hub = house.restart()
    assert hub.samples.rows() == [changed]
    assert changed.blanks == ("thôn", "giờ")
    hub.samples.delete(made.id)
    assert hub.samples.rows() == []
    assert hub.ledger.position() == position


def test_a_sample_that_is_not_there_is_neither_changed_nor_deleted() -> None:
    samples = House("samples").hub.samples
    for act in (
        lambda: samples.delete("00"),
        lambda: samples.find("00"),
        lambda: samples.save("00", now=0, **FIELDS),  # type: ignore[arg-type]
    ):
        with pytest.raises(NotAllowed) as caught:
            act()
        assert caught.value.code == "sample-unknown"
