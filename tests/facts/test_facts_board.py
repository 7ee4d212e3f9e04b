"""Rule 17: what a board shows at an instant, by cases and by a slower second opinion over any history."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from facts_desk import (
    LAW_DAY,
    NOW,
    PROVINCE,
    TU_LE,
    XUAN_AI,
    Room,
    approved,
    arrive,
    bulletin,
    manifest,
    share_of,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_facts_plan_properties import HISTORIES, INSTANTS, UNITS, History, World, may

from ledger.facts import (
    BOARD_IMAGE,
    BOARD_TEXT,
    NOTICES_MAX,
    Approved,
    Cancelled,
    EmergencyOrdered,
    Facts,
    Manifest,
    Post,
    Rendition,
    Right,
    Target,
    at,
    board_of,
    covers,
    event_id,
    faces,
    local_day,
    shown_hash,
)
from ledger.facts.fields import Kind

NOON = at(LAW_DAY, 12 * 60)
EVENING = (21 * 60 + 45) * 60


def emergency(series: int = 9, **fields: Any) -> EmergencyOrdered:
    values: dict[str, Any] = {
        "ts": NOW, "series": series, "kind": "lũ", "level": 2, "drill": False, "manifest": manifest(90),
        "text": "Nước lên nhanh, sơ tán ngay", "territory": PROVINCE, "not_before": NOON,
        "expires_at": NOON + 7200, "max_plays": 1,
    }  # fmt: skip
    return EmergencyOrdered(**values | fields)


def cancel(number: int | None = None, series: int | None = None, territory: str = PROVINCE) -> Cancelled:
    if series is not None:
        return Cancelled(NOW, Target.SERIES, None, series, territory, "")
    assert number is not None
    return Cancelled(NOW, Target.BULLETIN, bulletin(number), None, territory, "")


def titles(facts: Facts, at_s: float = NOON, unit: str = TU_LE) -> list[str]:
    return [post.title for post in board_of(facts, unit, at_s).posts]


# -- rule 17 -------------------------------------------------------------------------------------------------


def test_an_approved_bulletin_stands_on_the_board_from_its_first_to_its_last_valid_day(room: Room) -> None:
    room.say("approver", approved(1, title="Tiêm chủng", valid_until_day=LAW_DAY + 1))
    assert titles(room.facts, at(LAW_DAY) - 1) == []
    assert titles(room.facts, at(LAW_DAY)) == ["Tiêm chủng"]
    assert titles(room.facts, at(LAW_DAY + 2) - 1) == ["Tiêm chủng"]
    assert titles(room.facts, at(LAW_DAY + 2)) == []
    (post,) = board_of(room.facts, TU_LE, NOON).posts
    assert (post.bulletin, post.manifest, post.until_s) == (bulletin(1), manifest(1), at(LAW_DAY + 2))


def test_the_board_needs_no_schedule_and_knows_no_quiet_hours(room: Room) -> None:
    room.say("approver", approved(1, title="Tiêm chủng"))
    assert titles(room.facts, at(LAW_DAY) + EVENING) == ["Tiêm chủng"]


def test_a_bulletin_for_another_commune_or_by_a_key_without_authority_is_on_no_board_here(room: Room) -> None:
    room.say("approver", approved(1, territory=XUAN_AI))
    room.say("editor", approved(2))
    room.say("xuan-ai", approved(3, territory=TU_LE))
    assert titles(room.facts) == []
    assert len(titles(room.facts, unit=XUAN_AI)) == 1


def test_what_is_withdrawn_leaves_the_board_at_once(room: Room) -> None:
    room.say("approver", approved(1))
    room.say("approver", approved(2, title="bản tin khác"))
    room.say("approver", cancel(1, territory=TU_LE))
    assert titles(room.facts) == ["bản tin khác"]
    assert len(titles(room.facts, unit=XUAN_AI)) == 2


def test_the_newest_version_that_has_begun_is_the_bulletin(room: Room) -> None:
    room.say("approver", approved(1, title="một"))
    room.say(
        "approver",
        approved(1, version=2, title="hai", manifest=manifest(2), valid_from_day=LAW_DAY + 1,
                 valid_until_day=LAW_DAY + 2),
    )  # fmt: skip
    assert titles(room.facts, NOON) == ["một"]
    assert titles(room.facts, at(LAW_DAY + 1)) == ["hai"]
    # the second ends first: the bulletin is over, the first version does not come back
    assert titles(room.facts, at(LAW_DAY + 3)) == []


def test_higher_classes_come_first_then_the_newest_approval(room: Room) -> None:
    room.say("approver", approved(1, title="thường cũ", klass=2, ts=NOW))
    room.say("approver", approved(2, title="ưu tiên cũ", klass=3, ts=NOW))
    room.say("approver", approved(3, title="ưu tiên mới", klass=3, ts=NOW + 5))
    room.say("approver", approved(4, title="thường mới", klass=2, ts=NOW + 9))
    assert titles(room.facts) == ["ưu tiên mới", "ưu tiên cũ", "thường mới", "thường cũ"]


def test_a_board_carries_at_most_so_many_notices_and_drops_the_least(room: Room) -> None:
    for number in range(NOTICES_MAX + 2):
        room.say("approver", approved(number, title=str(number), ts=NOW + number))
    assert titles(room.facts) == [str(number) for number in range(NOTICES_MAX + 1, 1, -1)]


def test_an_emergency_is_shown_alone_until_it_expires_or_is_cancelled(room: Room) -> None:
    room.say("approver", approved(1, title="Tiêm chủng"))
    room.say("approver", emergency())
    assert titles(room.facts, NOON - 1) == ["Tiêm chủng"]
    assert titles(room.facts, NOON) == ["lũ"]
    assert board_of(room.facts, TU_LE, NOON - 1).until_s == NOON
    assert board_of(room.facts, TU_LE, NOON).until_s == NOON + 7200
    assert titles(room.facts, NOON + 7199) == ["lũ"]
    assert titles(room.facts, NOON + 7200) == ["Tiêm chủng"]
    room.say("approver", cancel(series=9))
    assert titles(room.facts, NOON) == ["Tiêm chủng"]


def test_of_two_emergencies_both_are_shown_the_graver_first(room: Room) -> None:
    room.say("approver", emergency(8, kind="cháy", level=1))
    room.say("approver", emergency(9, kind="lũ", level=3))
    room.say("approver", emergency(10, kind="vỡ đập", level=3, not_before=NOON + 60))
    assert titles(room.facts, NOON) == ["lũ", "cháy"]
    assert titles(room.facts, NOON + 60) == ["vỡ đập", "lũ", "cháy"]


def test_an_emergency_that_began_yesterday_is_still_shown_after_midnight(room: Room) -> None:
    late = at(LAW_DAY, 23 * 60)
    room.say("approver", emergency(not_before=late, expires_at=late + 7200))
    midnight = board_of(room.facts, TU_LE, at(LAW_DAY + 1))
    assert [(post.title, post.day) for post in midnight.alarms] == [("lũ", LAW_DAY)]
    assert board_of(room.facts, TU_LE, late).until_s == at(LAW_DAY + 1)


@pytest.mark.parametrize(
    ("drill", "words"),
    [(True, "DIỄN TẬP\nNước lên nhanh, sơ tán ngay"), (False, "KHẨN CẤP\nNước lên nhanh, sơ tán ngay")],
)
def test_a_drill_is_marked_as_one_and_the_real_thing_is_not(room: Room, drill: bool, words: str) -> None:
    room.say("approver", emergency(drill=drill))
    (post,) = board_of(room.facts, TU_LE, NOON).posts
    assert (post.text, post.drill) == (words, drill)
    assert shown_hash(post.text) == sha256(words.encode("utf-8")).digest()


def test_an_emergency_without_words_still_says_that_it_is_one(room: Room) -> None:
    room.say("approver", emergency(text=""))
    assert [post.text for post in board_of(room.facts, TU_LE, NOON).posts] == ["KHẨN CẤP"]


# -- faces ---------------------------------------------------------------------------------------------------


def rendition(kind: str, media_type: str, size: int = 10, language: str = "vi") -> Rendition:
    return Rendition.of(kind, media_type, b"x" * size, language=language)


def test_the_faces_of_a_bulletin_are_the_texts_and_images_a_board_can_carry() -> None:
    sound = rendition("audio", "audio/ogg")
    text = rendition(BOARD_TEXT, "text/plain; charset=utf-8")
    image = rendition(BOARD_IMAGE, "image/png")
    leaflet = rendition("document", "application/pdf")
    vector = rendition(BOARD_IMAGE, "image/svg+xml")
    page = rendition(BOARD_TEXT, "text/html")
    other = rendition(BOARD_TEXT, "text/plain", language="en")
    whole = Manifest((sound, image, vector, text, page, leaflet, other))
    assert faces(whole) == (image, text)
    assert faces(whole, "en") == (other,)
    assert faces(Manifest((rendition(BOARD_TEXT, "text/plain", 8_193),))) == ()
    assert len(faces(Manifest((rendition(BOARD_TEXT, "text/plain", 8_192),)))) == 1


# -- the same answer everywhere ------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(HISTORIES, UNITS, INSTANTS)
def test_hub_and_station_agree_on_every_board_whatever_else_the_hub_knows(
    history: History, unit: str, at_s: float
) -> None:
    segments = World.of(history).segments
    hub, station = arrive(segments), arrive(share_of(segments, unit))
    assert board_of(hub, unit, at_s) == board_of(station, unit, at_s)


@settings(max_examples=120, deadline=None)
@given(HISTORIES, UNITS, INSTANTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_change_a_board(
    history: History, unit: str, at_s: float, rng: Any
) -> None:
    """A cancellation takes back what came before it, so only approvals may change places here."""
    world = World.of([(name, fact) for name, fact in history if isinstance(fact, Approved)])
    mixed = list(world.decisions)
    rng.shuffle(mixed)
    assert (
        board_of(arrive(world.segments), unit, at_s).notices
        == board_of(arrive([*world.grants, *mixed]), unit, at_s).notices
    )


@settings(max_examples=120, deadline=None)
@given(HISTORIES, UNITS, INSTANTS)
def test_a_board_is_what_a_walk_through_the_whole_history_gives(
    history: History, unit: str, at_s: float
) -> None:
    facts = arrive(World.of(history).segments)
    found = board_of(facts, unit, at_s)
    assert [(post.bulletin, post.manifest) for post in found.notices] == second_opinion(history, unit, at_s)
    assert found.posts == (found.alarms or found.notices)
    assert all(post.until_s > at_s for post in found.posts)


def night(day: int, minute: int, life_min: int, level: int = 1, series: int = 1) -> tuple[str, Kind]:
    begin_s = at(LAW_DAY + day, minute)
    return "approver", emergency(series, not_before=begin_s, expires_at=begin_s + life_min * 60, level=level)


# Emergencies of few series, close together about a midnight: each may end, replace or outlive the other.
NIGHTS = st.lists(
    st.builds(night, st.integers(0, 1), st.sampled_from([0, 10, 30, 59, 1380, 1435]),
              st.sampled_from([5, 60, 120]), st.integers(1, 2), st.integers(1, 2)),
    max_size=6,
)  # fmt: skip
NIGHT_INSTANTS = st.integers(0, 5 * 60).map(lambda minute: float(at(LAW_DAY, 22 * 60) + minute * 60))


@settings(max_examples=80, deadline=None)
@given(HISTORIES | NIGHTS, UNITS, INSTANTS | NIGHT_INSTANTS, st.floats(0, 1, exclude_max=True))
@example([night(0, 1435, 120), night(1, 30, 5), night(1, 299, 5)], TU_LE, at(LAW_DAY + 1), 0.5)
def test_an_answer_holds_until_the_instant_it_names(
    history: History, unit: str, at_s: float, share: float
) -> None:
    facts = arrive(World.of(history).segments)
    now = board_of(facts, unit, at_s)
    later = board_of(facts, unit, at_s + int(share * (now.until_s - at_s - 1)))
    assert _plain(later.posts) == _plain(now.posts)
    assert later.until_s == now.until_s


def _plain(posts: tuple[Post, ...]) -> list[tuple[bytes, bytes, str]]:
    return [(post.bulletin, post.manifest, post.text) for post in posts]


def second_opinion(history: History, unit: str, at_s: float) -> list[tuple[bytes, bytes]]:
    """The notices, by asking of each approval in the history whether anything speaks against it."""
    day = local_day(at_s)
    standing: list[tuple[Approved, bytes]] = []
    seen: set[tuple[str, bytes]] = set()
    for place, (name, fact) in enumerate(history):
        if (name, fact.encode()) in seen:
            continue
        seen.add((name, fact.encode()))
        if not isinstance(fact, Approved) or not may(name, Right.APPROVE, fact.territory):
            continue
        gone = any(
            isinstance(later, Cancelled)
            and later.bulletin == fact.bulletin
            and (who, later.encode()) not in {(w, f.encode()) for w, f in history[:at]}
            and covers(later.territory, unit)
            and may(who, Right.CANCEL, later.territory)
            and may(who, Right.CANCEL, fact.territory)
            for at, (who, later) in enumerate(history)
            if at > place
        )
        if covers(fact.territory, unit) and not gone and fact.valid_from_day <= day:
            standing.append((fact, event_id(fact.encode())))
    newest: dict[bytes, tuple[Approved, bytes]] = {}
    for fact, name_of in standing:
        known = newest.get(fact.bulletin)
        if known is None or (known[0].version, known[0].ts, known[1]) < (fact.version, fact.ts, name_of):
            newest[fact.bulletin] = (fact, name_of)
    kept = [one for one in newest.values() if one[0].valid_until_day >= day]
    kept.sort(key=lambda one: (-one[0].klass, -one[0].ts, one[1]))
    return [(fact.bulletin, fact.manifest) for fact, _ in kept]
