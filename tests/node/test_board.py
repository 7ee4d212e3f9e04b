"""Rule 17 at the station: what boards show, what is believed of their screens, and power cuts anywhere."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from station_world import APPROVER, DAY, World

from ledger.facts import (
    BoardShown,
    Cancelled,
    Manifest,
    Outcome,
    Rendition,
    at,
    local_day,
)
from ledger.log import NotAllowed, StoreError
from node import Confidence
from node.boards.board import Face
from node.boards.board_rows import CLAIMS_MAX, EVENTS_DAY_MAX, Claim
from node.config import StationConfig
from node.presence import Moment, moment_of

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 50


def board_world(**config: object) -> World:
    return World(boards=("km5",), sync_period_s=60, **config)


def moment(world: World) -> Moment:
    return moment_of(world.station.presence.time, world.clock.now())


def post(
    world: World, text: str = "Tiêm chủng sáng thứ Sáu", *, bulletin: bytes = b"B" * 16, klass: int = 2,
    days: int = 30, image: bytes = b"", words: bytes | None = None,
) -> bytes:  # fmt: skip
    """An approved bulletin for boards alone: nothing of it is ever heard. Returns the manifest's hash."""
    forms = [Rendition.of("board-text", "text/plain", text.encode() if words is None else words)]
    contents = [text.encode() if words is None else words]
    if image:
        forms.append(Rendition.of("board-image", "image/png", image))
        contents.append(image)
    manifest = Manifest(tuple(forms))
    for data in (*contents, manifest.encode()):
        world.hub.blobs.put(data)
    world.hub.approve(manifest.sha256, bulletin=bulletin, klass=klass, days=days)
    return manifest.sha256


def on_board(world: World, name: str = "km5") -> list[str]:
    return [face.text or face.media_type for face in world.station.boards.view(name, moment(world)).faces]


def faces(world: World) -> tuple[Face, ...]:
    return world.station.boards.view("km5", moment(world)).faces


def claim(face: Face, seconds: float) -> Claim:
    return Claim(face.bulletin, face.shown, seconds)


def say(world: World, *claims: Claim, name: str = "km5") -> None:
    world.station.boards.seen(name, claims, moment(world))


def watch(world: World, seconds: float, step_s: float = 15.0) -> None:
    """A screen that shows the first face and says so every quarter of a minute."""
    for _ in range(int(seconds / step_s)):
        world.run(step_s)
        on = faces(world)
        if on:
            say(world, claim(on[0], step_s))


def reports(world: World) -> list[BoardShown]:
    """What the hub was told."""
    return [one.fact for one in world.hub.facts_of(BoardShown) if isinstance(one.fact, BoardShown)]


def told(world: World) -> list[tuple[str, int]]:
    return [(Outcome(one.outcome).name, one.shown_s) for one in reports(world)]


# -- what is on ----------------------------------------------------------------------------------------------


def test_an_approved_bulletin_without_any_schedule_is_fetched_and_shown() -> None:
    world = board_world()
    post(world, "Tiêm chủng sáng thứ Sáu", image=PNG)
    world.run(120)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu", "image/png"]
    image = faces(world)[1]
    assert image.shown == sha256(PNG).digest()
    assert world.station.boards.image(image.shown, moment(world)) == ("image/png", PNG)
    assert world.station.boards.image(b"x" * 32, moment(world)) is None


def test_a_station_without_boards_fetches_nothing_for_them() -> None:
    world = World(sync_period_s=60)
    post(world)
    world.run(300)
    assert world.line.fetched == []
    with pytest.raises(NotAllowed, match="no board"):
        world.station.boards.view("km5", moment(world))


def test_what_is_heard_is_fetched_before_what_is_shown() -> None:
    world = board_world()
    post(world, bulletin=b"C" * 16, klass=3)
    series = world.hub.programme(7 * 60)
    heard = next(slot for slot in world.hub.planned(at(DAY + 1)) if slot.series == series)
    world.run(120)
    assert world.line.fetched[0][0] == heard.manifest
    assert len(on_board(world)) == 2


def test_the_content_of_a_board_stays_on_a_card_that_is_tidied() -> None:
    world = board_world()
    post(world, days=60)
    world.run(120)
    world.run(3 * 86_400, step_max_s=3_600)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu"]
    world.boot()
    world.run(60)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu"]


def test_a_notice_leaves_the_board_at_the_end_of_its_last_day_without_any_network() -> None:
    world = board_world()
    post(world, days=0)
    world.run(120)
    world.line.down = True
    view = world.station.boards.view("km5", moment(world))
    assert view.left_s[0] == pytest.approx(at(DAY + 1) - world.clock.utc_s)
    world.run_to(24 * 60 - 1)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu"]
    world.run(60)
    assert on_board(world) == []


def test_an_emergency_takes_the_board_before_its_content_is_here() -> None:
    world = board_world()
    post(world)
    world.run(120)
    world.hub.emergency()
    world.hub.blobs = world.hub.blobs.__class__(world.store.__class__())  # the hub has no content to give
    world.run(90)
    assert on_board(world) == ["KHẨN CẤP\nLũ quét"]
    assert on_board(world)[0].startswith("KHẨN CẤP")
    world.run(7_200)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu"]


def test_the_all_clear_gives_the_board_back() -> None:
    world = board_world()
    post(world)
    series = world.hub.emergency()
    world.run(120)
    assert on_board(world) == ["KHẨN CẤP\nLũ quét"]
    world.hub.cancel(series)
    world.run(90)
    assert on_board(world) == ["Tiêm chủng sáng thứ Sáu"]


def test_a_withdrawn_notice_is_gone_with_the_withdrawal() -> None:
    world = board_world()
    post(world)
    world.run(120)
    world.hub.sign(APPROVER, Cancelled(world.hub.ts, 0, b"B" * 16, None, "vn.yb", "sai"))
    world.run(90)
    assert on_board(world) == []


def test_without_a_trusted_clock_only_an_emergency_that_is_surely_not_over_is_shown() -> None:
    world = board_world()
    post(world)
    world.run(120)
    world.line.down = True
    world.clock.confidence = Confidence.UNKNOWN
    world.off(60)
    assert on_board(world) == []
    assert world.station.boards.view("km5", moment(world)).utc_s is None

    world = board_world()
    world.clock.confidence = Confidence.UNKNOWN
    world.hub.emergency()
    world.run(120)  # the hub's own time came with the order
    assert on_board(world) == ["KHẨN CẤP\nLũ quét"]
    world.line.down = True
    world.off(60)
    assert on_board(world) == [], "after a restart nobody knows how long the box was off"


def test_a_text_that_is_no_utf8_is_not_shown() -> None:
    world = board_world()
    post(world, words=b"\xff\xfe not text")
    world.run(120)
    assert on_board(world) == []


def test_a_damaged_text_is_never_shown() -> None:
    world = board_world()
    text = "Tiêm chủng sáng thứ Sáu"
    post(world, text)
    world.run(120)
    world.cut()
    name = next(n for n in world.store.names("blobs/") if sha256(text.encode()).hexdigest() in n)
    world.store.write(name, "Sai một chữ thôi".encode())
    world.line.down = True
    world.boot()
    world.run(30)
    assert on_board(world) == []
    world.line.down = False
    world.run(300)
    assert on_board(world) == [text], "what the disk damaged is fetched again"


# -- what counts as shown ------------------------------------------------------------------------------------


def test_what_a_screen_showed_is_reported_once_at_first_and_once_at_the_end_of_its_day() -> None:
    world = board_world()
    manifest = post(world)
    world.run(120)
    watch(world, 300)
    world.run(120)
    (first,) = reports(world)
    assert first == BoardShown(
        first.ts, "km5", b"B" * 16, manifest[:16], sha256("Tiêm chủng sáng thứ Sáu".encode()).digest(), DAY,
        first.shown_s, int(Outcome.PLAYED), 0,
    )  # fmt: skip
    assert 1 <= first.shown_s <= 15
    world.run_to(24 * 60 + 30)
    last = reports(world)[1]
    assert (last.day, last.outcome, last.shown_s) == (DAY, Outcome.PLAYED, 300)
    assert len(reports(world)) == 2


def test_a_board_nobody_looked_after_is_unknown_and_never_shown() -> None:
    world = board_world()
    post(world)
    world.run(120)
    world.run_to(24 * 60 + 30)
    assert told(world) == [("UNKNOWN", 0)]
    world.run(5 * 86_400, step_max_s=3_600)
    assert told(world) == [("UNKNOWN", 0)], "said once, not every day"


def test_a_hash_that_is_not_on_the_board_counts_for_nothing() -> None:
    world = board_world()
    post(world)
    world.run(120)
    (face,) = faces(world)
    world.run(30)
    say(world, Claim(face.bulletin, sha256(b"something else").digest(), 30), Claim(b"Z" * 16, face.shown, 30))
    world.run(120)
    assert reports(world) == []


def test_a_screen_cannot_have_shown_more_seconds_than_passed() -> None:
    world = board_world()
    post(world)
    world.run(120)
    (face,) = faces(world)
    say(world, claim(face, 1e9))
    world.run(10)
    say(world, claim(face, 5_000), claim(face, 5_000))
    say(world, claim(face, -5), claim(face, 0))
    world.run_to(24 * 60 + 30)
    assert told(world)[-1][1] <= 60 + 11
    assert told(world)[-1][1] >= 60 + 10


def test_two_boards_answer_each_for_itself() -> None:
    world = World(boards=("km5", "so-tu-phap"), sync_period_s=60)
    post(world)
    world.run(120)
    (face,) = faces(world)
    say(world, claim(face, 20), name="so-tu-phap")
    world.run_to(24 * 60 + 30)
    assert [(one.board, Outcome(one.outcome).name) for one in reports(world)] == [
        ("so-tu-phap", "PLAYED"),
        ("km5", "UNKNOWN"),
        ("so-tu-phap", "PLAYED"),
    ]


def test_an_emergency_is_one_report_over_midnight_and_the_notices_below_it_are_not_closed() -> None:
    world = World(boards=("km5",), sync_period_s=60, utc_s=at(DAY, 23 * 60))
    post(world)
    world.run(120)
    watch(world, 60)
    world.hub.emergency()
    world.run(90)
    order = faces(world)[0]
    assert order.emergency
    watch(world, 7_200)
    assert not faces(world)[0].emergency
    world.run(120)
    of_it = [one for one in reports(world) if one.bulletin == order.bulletin]
    assert [(one.day, one.shown_s > 6_900) for one in of_it] == [(DAY, False), (DAY, True)]
    notices = [one for one in reports(world) if one.bulletin != order.bulletin]
    assert [one.day for one in notices][:2] == [DAY, DAY]
    assert len(notices) <= 3


def test_what_a_screen_said_survives_a_power_cut_and_is_said_once() -> None:
    world = board_world()
    post(world)
    world.run(120)
    watch(world, 1_500)
    world.off(3_600)
    watch(world, 600)
    world.off(86_400)
    world.run(300)
    last = [one for one in reports(world) if one.day == DAY]
    assert len(last) == 2
    # at most ten minutes of counting are lost with each cut, and none is added
    assert 2_100 - 1_200 <= last[1].shown_s <= 2_100


def test_a_day_of_a_board_makes_a_bounded_number_of_events() -> None:
    world = World(boards=tuple(f"b{n}" for n in range(8)), sync_period_s=600)
    for number in range(40):
        post(world, f"Tin {number}", bulletin=bytes([number]) * 16)
    world.run(4_000)
    for board in world.config.boards:
        on = world.station.boards.view(board, moment(world)).faces
        say(world, *(claim(face, 1) for face in on), name=board)
    world.run_to(24 * 60 + 60)
    per_day = Counter(local_day(one.ts) for one in reports(world))
    assert per_day[DAY] == 32 * 8
    assert per_day[DAY + 1] == 32 * 8
    for _ in range(3):  # withdrawn and approved again and again: each time it leaves, it is said
        for number in range(40):
            world.hub.sign(APPROVER, Cancelled(world.hub.ts, 0, bytes([number]) * 16, None, "vn.yb", "sai"))
        world.run(700)
        for number in range(40):
            post(world, f"Tin {number}", bulletin=bytes([number]) * 16)
        world.run(2_000)
        for board in world.config.boards:
            on = world.station.boards.view(board, moment(world)).faces
            say(world, *(claim(face, 1) for face in on), name=board)
    world.run(1_000)
    per_day = Counter(local_day(one.ts) for one in reports(world))
    assert per_day[DAY + 1] == EVENTS_DAY_MAX


def test_a_screen_that_says_too_much_at_once_is_cut_short() -> None:
    world = board_world()
    post(world)
    world.run(120)
    (face,) = faces(world)
    junk = Claim(b"Z" * 16, b"z" * 32, 1)
    say(world, *[junk] * CLAIMS_MAX, claim(face, 10))
    world.run(120)
    assert reports(world) == []


# -- settings ------------------------------------------------------------------------------------------------


def test_the_boards_stand_in_the_settings_by_name() -> None:
    config = World(boards=("km5", "so-tu-phap")).config
    assert 'boards = ["km5", "so-tu-phap"]' in config.to_toml()
    assert StationConfig.from_toml(config.to_toml()) == config


@pytest.mark.parametrize("boards", [("km5", "km5"), ("Km5",), ("",), ("a/b",), tuple("abcdefghi")])
def test_a_board_has_a_short_name_of_its_own(boards: tuple[str, ...]) -> None:
    with pytest.raises(StoreError, match="boards"):
        World(boards=boards)


# -- any order of events -------------------------------------------------------------------------------------


class Life(RuleBasedStateMachine):
    """A board over days of screens, cuts, orders and withdrawals: each thing is closed at most once a day."""

    def __init__(self) -> None:
        super().__init__()
        self.world = board_world()
        self.posted = 0
        self.shown_s: dict[tuple[bytes, int], float] = {}

    @precondition(lambda self: self.posted < 4)
    @rule(days=st.integers(0, 2))
    def approve(self, days: int) -> None:
        self.posted += 1
        post(self.world, f"Tin {self.posted}", bulletin=bytes([self.posted]) * 16, days=days)

    @rule(seconds=st.sampled_from([30, 700, 20_000]))
    def wait(self, seconds: float) -> None:
        self.world.run(seconds, step_max_s=3_600)

    @rule(times=st.integers(1, 5))
    def screen(self, times: int) -> None:
        for _ in range(times):
            self.world.run(15)
            for face in faces(self.world)[:1]:
                # what is counted belongs to the day on which the thing is on the board
                self.shown_s[face.shown, face.day] = self.shown_s.get((face.shown, face.day), 0) + 15
                say(self.world, claim(face, 15))

    @rule(seconds=st.sampled_from([1, 900, 50_000]))
    def cut(self, seconds: float) -> None:
        self.world.off(seconds)

    @rule()
    def alarm(self) -> None:
        self.world.hub.emergency(life_s=1_800)
        self.world.run(90)

    @invariant()
    def never_more_than_was_shown(self) -> None:
        self.world.station.tick()
        for one in reports(self.world):
            if one.outcome == Outcome.PLAYED:
                assert one.shown_s <= self.shown_s.get((one.shown, one.day), 0) + 1
            else:
                assert (one.outcome, one.shown_s) == (Outcome.UNKNOWN, 0)
        for key in {(one.bulletin, one.shown, one.day) for one in reports(self.world)}:
            of_it = [one for one in reports(self.world) if (one.bulletin, one.shown, one.day) == key]
            assert len(of_it) <= 2
            assert [one.shown_s for one in of_it] == sorted(one.shown_s for one in of_it)

    def teardown(self) -> None:
        """Whatever happened: in the end everything a screen showed was reported as shown."""
        self.world.line.down = False
        self.world.run(2 * 86_400, step_max_s=3_600)
        said = {(one.shown, one.day) for one in reports(self.world) if one.outcome == Outcome.PLAYED}
        assert said == set(self.shown_s)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
